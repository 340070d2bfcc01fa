//! Times as images write them.

/// Returns seconds since 1970 as RFC 3339 in UTC.
pub(crate) fn rfc3339(seconds: i64) -> String {
    let days = seconds.div_euclid(86_400);
    let second = seconds.rem_euclid(86_400);
    let (year, month, day) = civil(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Returns year, month and day of a number of days since 1970, in the Gregorian calendar.
///
/// Counts from 1 March of the year 0, so that the leap day comes last (H. Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms").
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 {
        month_index + 3
    } else {
        month_index - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// Reads the date of an HTTP header in one of its three forms (RFC 9110, 5.6.7), as seconds since 1970.
pub(crate) fn parse_http_date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (mut day, mut month, mut year, mut seconds) = (None, None, None, None);
    // `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`.
    for part in text.split([' ', ',', '-']).filter(|part| !part.is_empty()) {
        if let Some(number) = MONTHS.iter().position(|name| *name == part) {
            month = Some(i64::try_from(number).ok()? + 1);
        } else if let Some((hour, rest)) = part.split_once(':') {
            let (minute, second) = rest.split_once(':')?;
            let [hour, minute, second] = [hour, minute, second].map(|text| text.parse::<u8>().ok());
            let (hour, minute, second) = (i64::from(hour?), i64::from(minute?), i64::from(second?));
            if hour > 23 || minute > 59 || second > 60 {
                return None;
            }
            seconds = Some(hour * 3600 + minute * 60 + second);
        } else if let Ok(number) = part.parse::<u16>() {
            let place = if day.is_none() { &mut day } else { &mut year };
            *place = Some(i64::from(number));
        }
    }
    let (day, month, year) = (day?, month?, year?);
    let year = match year {
        0..70 => year + 2000,
        70..100 => year + 1900,
        _ => year,
    };
    (1..=31)
        .contains(&day)
        .then_some(days(year, month, day) * 86_400 + seconds?)
}

/// Counts the days since 1970 of a date: the other direction of [`civil`].
fn days(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let month_index = (month + 9) % 12;
    let day_of_year = (153 * month_index + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_dates_of_servers() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse_http_date(text), Some(784_111_777), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "06 Nov 1994",
            "99 Nov 1994 08:49:37",
            "a:b:c",
        ] {
            assert_eq!(parse_http_date(text), None, "{text}");
        }
        for day in [-800_000, -1, 0, 59, 10_957, 20_000] {
            let (year, month, date) = civil(day);
            assert_eq!(days(year, month, date), day);
        }
    }

    #[test]
    fn writes_dates() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (315_532_800, "1980-01-01T00:00:00Z"),
            (1_767_225_600, "2026-01-01T00:00:00Z"),
            (951_827_696, "2000-02-29T12:34:56Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(seconds), text);
        }
    }
}
