//! Durations as Go writes them: `1h30m`, `1.5s`, `500ms` (Go `time.ParseDuration`).

use std::fmt;

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DurationError {
    /// Not of the form number, unit, number, unit.
    Invalid,
    /// A number without a unit.
    MissingUnit,
    /// A unit that is none of `ns`, `us`, `ms`, `s`, `m` and `h`.
    UnknownUnit(String),
    /// Longer than about 292 years.
    Overflow,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DurationError::Invalid => f.write_str("not a duration"),
            DurationError::MissingUnit => f.write_str("the number has no unit"),
            DurationError::UnknownUnit(unit) => write!(f, "`{unit}` is no unit of time"),
            DurationError::Overflow => f.write_str("too long"),
        }
    }
}

impl std::error::Error for DurationError {}

/// Returns a duration in nanoseconds.
pub fn parse_go_duration(text: &str) -> Result<i64, DurationError> {
    let (is_negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(DurationError::Invalid);
    }
    let mut total = 0_i128;
    while !rest.is_empty() {
        let (nanoseconds, behind) = parse_part(rest)?;
        total += nanoseconds;
        if total > i128::from(i64::MAX) + i128::from(is_negative) {
            return Err(DurationError::Overflow);
        }
        rest = behind;
    }
    let signed = if is_negative { -total } else { total };
    i64::try_from(signed).map_err(|_| DurationError::Overflow)
}

/// Reads one number with its unit.
fn parse_part(text: &str) -> Result<(i128, &str), DurationError> {
    let digits_end = |text: &str| {
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len())
    };
    let (whole, rest) = text.split_at(digits_end(text));
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(digits_end(rest)),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(DurationError::Invalid);
    }
    let unit_end = rest
        .find(|c: char| c == '.' || c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (unit, behind) = rest.split_at(unit_end);
    let scale: i128 = match unit {
        "" => return Err(DurationError::MissingUnit),
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return Err(DurationError::UnknownUnit(unit.to_owned())),
    };
    let whole: i128 = match whole {
        "" => 0,
        digits => digits
            .parse::<i64>()
            .map_err(|_| DurationError::Overflow)?
            .into(),
    };
    // Digits behind the nineteenth change less than a nanosecond.
    let kept = fraction.get(..fraction.len().min(19)).unwrap_or("");
    let numerator: i128 = kept.parse().unwrap_or(0);
    let denominator = 10_i128.pow(kept.len() as u32);
    Ok((whole * scale + numerator * scale / denominator, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_reads() {
        assert_eq!(parse_go_duration("0"), Ok(0));
        assert_eq!(parse_go_duration("1h30m"), Ok(5_400_000_000_000));
        assert_eq!(parse_go_duration("-1.5s"), Ok(-1_500_000_000));
        assert_eq!(parse_go_duration(".5ms"), Ok(500_000));
        assert_eq!(parse_go_duration("1µs"), Ok(1_000));
        assert_eq!(
            parse_go_duration("-9223372036854775808ns"),
            Err(DurationError::Overflow)
        );
        assert_eq!(parse_go_duration("-9223372036854775807ns"), Ok(-i64::MAX));
    }

    #[test]
    fn refuses_what_go_refuses() {
        assert_eq!(parse_go_duration("1"), Err(DurationError::MissingUnit));
        assert_eq!(parse_go_duration(""), Err(DurationError::Invalid));
        assert_eq!(parse_go_duration("."), Err(DurationError::Invalid));
        assert_eq!(
            parse_go_duration("30 s"),
            Err(DurationError::UnknownUnit(" s".into()))
        );
        assert_eq!(parse_go_duration("3000000h"), Err(DurationError::Overflow));
    }
}
