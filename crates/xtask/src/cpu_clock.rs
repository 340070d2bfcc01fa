//! The time that this thread has computed, whatever else the machine has to do.

/// What the clock counts, for the head of a table.
#[cfg(unix)]
pub(crate) const COUNTS: &str = "processor time";
#[cfg(not(unix))]
pub(crate) const COUNTS: &str = "wall time";

/// Runs `work` and returns the seconds it computed.
pub(crate) fn seconds(work: impl FnOnce()) -> f64 {
    let start = now();
    work();
    now() - start
}

#[cfg(unix)]
fn now() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

#[cfg(not(unix))]
fn now() -> f64 {
    use std::sync::OnceLock;
    use std::time::Instant;

    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_while_we_work() {
        let spent = seconds(|| {
            let sum: u64 = (0..20_000_000_u64).map(std::hint::black_box).sum();
            std::hint::black_box(sum);
        });
        assert!(spent > 0.0);
    }
}
