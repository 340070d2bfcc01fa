//! kill -9 at any moment.

use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::app::{app, assert_sound};

/// Numbers that look random (Marsaglia's xorshift64).
struct Moments(u64);

impl Moments {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }
}

fn number(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn a_build_that_is_killed_at_any_moment_leaves_a_sound_store() {
    let scratch = app();
    let outputs = ["-t", "app", "-o", "type=oci,dest=image.tar"];
    let start = Instant::now();
    let expected = scratch.build(&outputs);
    let whole = start.elapsed();
    let image = fs::read(scratch.path("image.tar")).expect("exported");
    let seed = number("FAULT_SEED", 0x2545_f491_4f6c_dd1d);
    let mut moments = Moments(seed | 1);
    let mut killed = 0;
    let mut arguments = vec!["build", "--quiet", "app", "--no-cache"];
    arguments.extend(outputs);
    for round in 0..number("FAULT_KILLS", 40) {
        if round % 10 == 0 {
            fs::remove_dir_all(scratch.path("store")).expect("removed");
        }
        let mut build = scratch
            .command(&arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let limit = u64::try_from(whole.as_micros()).expect("short");
        sleep(Duration::from_micros(moments.below(limit)));
        killed += u32::from(build.try_wait().expect("asked").is_none());
        build.kill().expect("killed");
        build.wait().expect("ended");
        if !scratch.path("store").is_dir() {
            continue;
        }
        if scratch.path("store/oci-layout").is_file() {
            assert_sound(&scratch);
        }
        let again = scratch.build(&outputs);
        assert_eq!(again, expected, "round {round}, seed {seed}");
        assert!(fs::read(scratch.path("image.tar")).expect("exported") == image);
        let left: Vec<_> = fs::read_dir(scratch.path("store/tmp"))
            .expect("listed")
            .collect();
        assert!(left.is_empty(), "round {round}, seed {seed}: {left:?}");
    }
    assert!(killed > 0, "no build was killed in its midst");
    assert_sound(&scratch);
}
