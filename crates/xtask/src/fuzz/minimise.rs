//! A smaller input that fails in the same way.

use std::time::{Duration, Instant};

/// A try can cost as much as the failing input did.
const LONGEST: Duration = Duration::from_secs(15);

/// Returns what is left of `text` when all is taken out without which it still `fails`.
pub(super) fn minimise(text: &str, fails: impl Fn(&str) -> bool) -> String {
    let mut small = text.to_owned();
    let end = Instant::now() + LONGEST;
    let mut len = small.len() / 2;
    while len > 0 && Instant::now() < end {
        let mut start = 0;
        while start < small.len() && Instant::now() < end {
            let end = (start + len).min(small.len());
            if small.is_char_boundary(start) && small.is_char_boundary(end) {
                let mut smaller = small.clone();
                smaller.replace_range(start..end, "");
                if fails(&smaller) {
                    small = smaller;
                    continue;
                }
            }
            start += len;
        }
        len /= 2;
    }
    small
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_makes_it_fail() {
        let text = format!(
            "{}a{}b{}",
            "x".repeat(1000),
            "é".repeat(50),
            "y".repeat(300)
        );
        let small = minimise(&text, |text| text.contains('a') && text.contains('b'));
        assert_eq!(small, "ab");
    }
}
