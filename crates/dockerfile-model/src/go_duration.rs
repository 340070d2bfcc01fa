//! Durations as Go's `time.ParseDuration` reads them: the times of HEALTHCHECK.

use thiserror::Error;

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DurationError {
    #[error("a duration such as `30s` is missing")]
    Empty,
    #[error("`{0}` is not a duration such as `30s` or `1h30m`")]
    Invalid(String),
    #[error("the duration `{0}` has a number without a unit (`ns`, `us`, `ms`, `s`, `m` or `h`)")]
    MissingUnit(String),
    #[error("`{unit}` in the duration `{text}` is no unit: use `ns`, `us`, `ms`, `s`, `m` or `h`")]
    UnknownUnit { text: String, unit: String },
    #[error("the duration `{0}` is longer than Go can count (about 292 years)")]
    Overflow(String),
}

/// What may be wrong with a duration; the caller knows the text.
enum Fault<'t> {
    Invalid,
    MissingUnit,
    UnknownUnit(&'t str),
    Overflow,
}

/// The largest magnitude, that of `i64::MIN`.
const LIMIT: u64 = 1 << 63;

/// Returns the nanoseconds of a duration such as `1h30m`, `-1.5s` or `0`.
pub fn parse_go_duration(text: &str) -> Result<i64, DurationError> {
    let (is_negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if text.is_empty() {
        return Err(DurationError::Empty);
    }
    let magnitude = parse_magnitude(rest).map_err(|fault| match fault {
        Fault::Invalid => DurationError::Invalid(text.to_owned()),
        Fault::MissingUnit => DurationError::MissingUnit(text.to_owned()),
        Fault::UnknownUnit(unit) => DurationError::UnknownUnit {
            text: text.to_owned(),
            unit: unit.to_owned(),
        },
        Fault::Overflow => DurationError::Overflow(text.to_owned()),
    })?;
    let signed = if is_negative {
        0_i64.checked_sub_unsigned(magnitude)
    } else {
        0_i64.checked_add_unsigned(magnitude)
    };
    signed.ok_or_else(|| DurationError::Overflow(text.to_owned()))
}

/// Adds up the parts of a duration without its sign.
fn parse_magnitude(mut text: &str) -> Result<u64, Fault<'_>> {
    if text.is_empty() {
        return Err(Fault::Invalid);
    }
    let mut total = 0_u64;
    while !text.is_empty() {
        let (whole, after_whole) = split_digits(text);
        let (fraction, rest) = match after_whole.strip_prefix('.') {
            Some(after_point) => split_digits(after_point),
            None => ("", after_whole),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(Fault::Invalid);
        }
        let whole = parse_whole(whole)?;
        let unit_len = rest
            .find(|ch: char| ch == '.' || ch.is_ascii_digit())
            .unwrap_or(rest.len());
        let (unit, after_unit) = rest.split_at_checked(unit_len).unwrap_or((rest, ""));
        let nanoseconds = match unit {
            "ns" => 1,
            // The micro sign and the Greek letter.
            "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "" => return Err(Fault::MissingUnit),
            unit => return Err(Fault::UnknownUnit(unit)),
        };
        total = whole
            .checked_mul(nanoseconds)
            .filter(|value| *value <= LIMIT)
            .and_then(|value| value.checked_add(fraction_of(fraction, nanoseconds)))
            .filter(|value| *value <= LIMIT)
            .and_then(|value| total.checked_add(value))
            .filter(|value| *value <= LIMIT)
            .ok_or(Fault::Overflow)?;
        text = after_unit;
    }
    Ok(total)
}

fn split_digits(text: &str) -> (&str, &str) {
    let len = text
        .find(|ch: char| !ch.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at_checked(len).unwrap_or((text, ""))
}

fn parse_whole(digits: &str) -> Result<u64, Fault<'static>> {
    let mut value = 0_u64;
    for digit in digits.bytes() {
        value = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(u64::from(digit - b'0')))
            .filter(|value| *value <= LIMIT)
            .ok_or(Fault::Overflow)?;
    }
    Ok(value)
}

/// Returns the nanoseconds of a decimal fraction of a unit, rounded down.
fn fraction_of(digits: &str, unit: u64) -> u64 {
    // Go counts in 63 bits and drops the digits that do not fit; then it multiplies as floating point numbers.
    let mut value = 0_u64;
    let mut scale = 1.0_f64;
    for digit in digits.bytes() {
        let next = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(u64::from(digit - b'0')));
        match next.filter(|next| value <= (LIMIT - 1) / 10 && *next <= LIMIT) {
            Some(next) => value = next,
            None => break,
        }
        scale *= 10.0;
    }
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "the loss of precision is Go's, and a fraction of a unit is not negative"
    )]
    {
        (value as f64 * (unit as f64 / scale)) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_reads() {
        for (text, nanoseconds) in [
            ("0", 0),
            ("-0", 0),
            ("+0", 0),
            ("0s", 0),
            ("5s", 5_000_000_000),
            ("+5s", 5_000_000_000),
            ("-5s", -5_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1.5s", 1_500_000_000),
            (".5s", 500_000_000),
            ("5.s", 5_000_000_000),
            ("-.5s", -500_000_000),
            ("10.5s4m", 250_500_000_000),
            ("12us12\u{b5}s12\u{3bc}s", 36_000),
            ("1h2m3s4ms5us6ns", 3_723_004_005_006),
            ("0.3333333333333333333h", 1_200_000_000_000),
            ("0.9223372036854775807h", 3_320_413_933_267),
            ("0.100000000000000000000h", 360_000_000_000),
            ("0.000000000000000000001ns", 0),
            ("9223372036854775807ns", i64::MAX),
            ("-9223372036854775808ns", i64::MIN),
            ("9223372036.854775807s", i64::MAX),
            ("2562047h47m16.854775807s", i64::MAX),
        ] {
            assert_eq!(parse_go_duration(text), Ok(nanoseconds), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let invalid = |text: &str| DurationError::Invalid(text.to_owned());
        let missing = |text: &str| DurationError::MissingUnit(text.to_owned());
        let overflow = |text: &str| DurationError::Overflow(text.to_owned());
        let unknown = |text: &str, unit: &str| DurationError::UnknownUnit {
            text: text.to_owned(),
            unit: unit.to_owned(),
        };
        assert_eq!(parse_go_duration(""), Err(DurationError::Empty));
        for text in ["-", "+", ".", "-.", ".s", "+.s", "--5s", "s", " 5s", "1s.s"] {
            assert_eq!(parse_go_duration(text), Err(invalid(text)), "{text}");
        }
        for text in ["30", "1.5", "00", "5s30"] {
            assert_eq!(parse_go_duration(text), Err(missing(text)), "{text}");
        }
        for (text, unit) in [
            ("5d", "d"),
            ("5 s", " s"),
            ("1S", "S"),
            ("1sec", "sec"),
            ("1s-2s", "s-"),
        ] {
            assert_eq!(parse_go_duration(text), Err(unknown(text, unit)), "{text}");
        }
        for text in [
            "9223372036854775808ns",
            "-9223372036854775809ns",
            "9223372036854776us",
            "3000000h",
            "99999999999999999999s",
            "2562047h47m16.854775808s",
            "9223372036854775807ns1ns",
        ] {
            assert_eq!(parse_go_duration(text), Err(overflow(text)), "{text}");
        }
    }
}
