//! Moments as text, RFC 3339 in UTC; it reads no clock and knows no time zones.

/// Last second of the year 9999, the last that RFC 3339 can write.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// A moment with milliseconds, such as `2026-07-31T09:05:00.123Z`, from milliseconds since 1970.
/// What is no number or out of range is moved to the nearest end.
#[must_use]
pub fn rfc3339_millis(unix_millis: f64) -> String {
    let millis = whole(unix_millis).min(whole(LAST_SECOND) * 1000 + 999);
    format!("{}.{:03}Z", up_to_secs(millis / 1000), millis % 1000)
}

/// Whether `text` is a moment as this module writes it: UTC, with seconds, with or without a fraction.
#[must_use]
pub fn is_rfc3339(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 20 || bytes.len() > 30 || !bytes.ends_with(b"Z") {
        return false;
    }
    let (date, fraction) = bytes[..bytes.len() - 1].split_at(19);
    let form = date
        .iter()
        .zip(b"0000-00-00T00:00:00")
        .all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        });
    let fits = |from: usize, range: std::ops::RangeInclusive<u8>| {
        range.contains(&((date[from] - b'0') * 10 + (date[from + 1] - b'0')))
    };
    form && fits(5, 1..=12)
        && fits(8, 1..=31)
        && fits(11, 0..=23)
        && fits(14, 0..=59)
        && fits(17, 0..=60)
        && (fraction.is_empty()
            || (fraction.len() > 1
                && fraction[0] == b'.'
                && fraction[1..].iter().all(u8::is_ascii_digit)))
}

/// Whether `text` is a moment with exactly three decimals of a second, so that texts sort as moments do.
#[must_use]
pub fn is_rfc3339_millis(text: &str) -> bool {
    text.len() == 24 && is_rfc3339(text)
}

fn whole(number: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` takes NaN and negative numbers to 0, and larger ones are cut to a limit by the caller"
    )]
    let integer = number as u64;
    integer
}

/// Date and time of day by Howard Hinnant's `civil_from_days`
/// (<https://howardhinnant.github.io/date_algorithms.html>), for moments from 1970 on.
fn up_to_secs(unix_secs: u64) -> String {
    let unix_secs = unix_secs.min(whole(LAST_SECOND));
    let (days, second) = (unix_secs / 86_400, unix_secs % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_known_moments() {
        for (secs, text) in [
            (0.0, "1970-01-01T00:00:00.000Z"),
            (951_827_696.0, "2000-02-29T12:34:56.000Z"),
            (1_767_225_599.9, "2025-12-31T23:59:59.900Z"),
            (4_107_542_400.0, "2100-03-01T00:00:00.000Z"),
            (f64::NAN, "1970-01-01T00:00:00.000Z"),
            (-5.0, "1970-01-01T00:00:00.000Z"),
            (f64::INFINITY, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(rfc3339_millis(secs * 1e3), text);
        }
        assert_eq!(
            rfc3339_millis(1_767_225_599_042.7),
            "2025-12-31T23:59:59.042Z"
        );
        assert_eq!(rfc3339_millis(1e300), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn knows_its_own_form_and_no_other() {
        assert!(is_rfc3339("2025-12-31T23:59:59Z"));
        assert!(is_rfc3339("2025-12-31T23:59:59.042Z"));
        assert!(is_rfc3339_millis("2025-12-31T23:59:59.042Z"));
        assert!(!is_rfc3339_millis("2025-12-31T23:59:59Z"));
        for text in [
            "",
            "yesterday",
            "2025-13-31T23:59:59Z",
            "2025-12-31T24:59:59Z",
            "2025-12-31 23:59:59Z",
            "2025-12-31T23:59:59.Z",
            "2025-12-31T23:59:59+02:00",
            "2025-12-31T23:59:5\u{e9}Z",
        ] {
            assert!(!is_rfc3339(text), "{text}");
        }
    }
}
