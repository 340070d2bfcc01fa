//! STOPSIGNAL: a number or a name, as BuildKit checks it (moby/sys `signal.ParseSignal`).

/// Names of Linux without `SIG`.
const NAMES: [&str; 34] = [
    "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL",
    "PIPE", "POLL", "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP",
    "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ",
];

/// Returns whether a text is a signal.
pub(super) fn is_signal(text: &str) -> bool {
    if let Ok(number) = text.parse::<i32>() {
        return number != 0;
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    NAMES.contains(&name) || is_real_time(name)
}

/// `RTMIN`, `RTMIN+1` to `RTMIN+15`, `RTMAX-14` to `RTMAX`.
fn is_real_time(name: &str) -> bool {
    let offset = |rest: &str, sign: char, most: u8| {
        rest.is_empty()
            || rest
                .strip_prefix(sign)
                .and_then(|number| number.parse::<u8>().ok())
                .is_some_and(|number| (1..=most).contains(&number))
    };
    name.strip_prefix("RTMIN")
        .is_some_and(|rest| offset(rest, '+', 15))
        || name
            .strip_prefix("RTMAX")
            .is_some_and(|rest| offset(rest, '-', 14))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_numbers_and_names() {
        for signal in ["9", "SIGTERM", "term", "SIGRTMIN+3", "RTMAX", "sigusr1"] {
            assert!(is_signal(signal), "{signal}");
        }
        for other in ["", "0", "SIG", "SIGNOPE", "RTMIN+16", "1.5"] {
            assert!(!is_signal(other), "{other}");
        }
    }
}
