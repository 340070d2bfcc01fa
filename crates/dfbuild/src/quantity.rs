//! Times and sizes as people write them.

use std::time::Duration;

/// Reads a time such as `24h` or `1h30m`; a number alone is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let fault = || format!("`{text}` is not a time such as 90s, 30m, 24h or 7d");
    let (mut seconds, mut rest) = (0_u64, text);
    while !rest.is_empty() {
        let (number, after) = split_number(rest).ok_or_else(fault)?;
        let end = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(end).ok_or_else(fault)?;
        let factor = match unit {
            "s" | "" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 7 * 86_400,
            _ => return Err(fault()),
        };
        seconds = number
            .checked_mul(factor)
            .and_then(|part| seconds.checked_add(part))
            .ok_or_else(fault)?;
        rest = after;
    }
    (!text.is_empty())
        .then(|| Duration::from_secs(seconds))
        .ok_or_else(fault)
}

/// Reads a size such as `10GB` (thousands) or `8GiB` (1024s).
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let fault = || format!("`{text}` is not a size such as 500MB, 10GB or 8GiB");
    let (number, unit) = split_number(text).ok_or_else(fault)?;
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "t" | "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return Err(fault()),
    };
    number.checked_mul(factor).ok_or_else(fault)
}

/// Reads a size as Docker reads those of memory: `128m` and `128MB` are 128 MiB.
pub(crate) fn memory(text: &str) -> Result<u64, String> {
    let fault = || format!("`{text}` is not a size such as 64m, 512MB or 2g");
    let (number, unit) = split_number(text).ok_or_else(fault)?;
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(fault()),
    };
    number.checked_mul(1 << shift).ok_or_else(fault)
}

/// Reads a number of processors such as `1.5`, in thousandths.
pub(crate) fn processors(text: &str) -> Result<u64, String> {
    let fault = || format!("`{text}` is not a number of processors such as 2 or 0.5");
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    // More digits than the kernel tells apart are no digits.
    let is_number = part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit());
    let part: u64 = format!("{part:0<3}").parse().map_err(|_| fault())?;
    let whole: u64 = whole.parse().map_err(|_| fault())?;
    let thousandths = whole
        .checked_mul(1000)
        .and_then(|all| all.checked_add(part));
    // The kernel takes no quota below a hundredth.
    thousandths
        .filter(|thousandths| is_number && (10..=1_000_000_000).contains(thousandths))
        .ok_or_else(fault)
}

fn split_number(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        for (text, seconds) in [
            ("90", 90),
            ("90s", 90),
            ("24h", 86_400),
            ("1h30m", 5_400),
            ("2w", 1_209_600),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "h",
            "1y",
            "-1s",
            "1.5h",
            "99999999999999999999s",
            "9999999999999999w",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_of_memory_are_powers_of_two() {
        assert_eq!(memory("128m"), Ok(128 << 20));
        assert_eq!(memory("2GB"), Ok(2 << 30));
        assert_eq!(memory("65536"), Ok(65536));
        for text in ["", "m", "1.5g", "1x", "99999999999t"] {
            assert!(memory(text).is_err(), "{text}");
        }
    }

    #[test]
    fn processors_may_be_parts() {
        assert_eq!(processors("2"), Ok(2000));
        assert_eq!(processors("0.5"), Ok(500));
        assert_eq!(processors("1.25"), Ok(1250));
        for text in [
            "",
            "0",
            "0.001",
            "-1",
            "x",
            "1.x",
            "1.+5",
            "inf",
            "NaN",
            "1e300",
            "99999999999999999999",
        ] {
            assert!(processors(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_read() {
        for (text, count) in [
            ("0", 0),
            ("5b", 5),
            ("10GB", 10_000_000_000),
            ("8 GiB", 8 << 30),
            ("500m", 500_000_000),
        ] {
            assert_eq!(bytes(text), Ok(count), "{text}");
        }
        for text in ["", "GB", "1.5GB", "1xb", "99999999999TB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
