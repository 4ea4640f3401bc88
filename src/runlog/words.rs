//! Numbers as people read them: percent, milliseconds, bytes, counts; it decides nothing.

/// A share as percent with one decimal: `98.1 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    if share.is_finite() {
        format!("{:.1} %", share * 100.0)
    } else {
        not_finite(share)
    }
}

/// A time with three significant digits: `0.213 ms`, `12.4 ms`, `1,250 ms`.
#[must_use]
pub fn millis(millis: f64) -> String {
    format!("{} ms", significant(millis, 3))
}

/// A size in decimal units: `512 B`, `92.3 kB`, `1.25 MB`.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let size = bytes as f64;
    for (unit, scale) in [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)] {
        if size >= scale {
            return format!("{} {unit}", significant(size / scale, 3));
        }
    }
    format!("{bytes} B")
}

/// A count with its thousands apart: `12,345`.
#[must_use]
pub fn count(count: u64) -> String {
    grouped(&count.to_string())
}

/// A number with so many significant digits, never in exponent form between 10^-6 and 10^15.
#[must_use]
pub fn significant(number: f64, digits: u32) -> String {
    if !number.is_finite() {
        return not_finite(number);
    }
    if number == 0.0 {
        return "0".into();
    }
    let rounded = rounded(number, digits);
    let magnitude = rounded.abs();
    if !(1e-6..1e15).contains(&magnitude) {
        return format!("{rounded:e}");
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "from -6 to 15 by the guard"
    )]
    let before_point = magnitude.log10().floor() as i32 + 1;
    let decimals = usize::try_from(i32::try_from(digits).unwrap_or(17) - before_point).unwrap_or(0);
    let text = format!("{rounded:.decimals$}");
    match text.split_once('.') {
        Some((whole, fraction)) => format!("{}.{fraction}", grouped(whole)),
        None => grouped(&text),
    }
}

/// A number rounded to so many significant decimal digits; the same on every machine, as it goes through text.
#[must_use]
pub fn rounded(number: f64, digits: u32) -> f64 {
    let decimals = usize::try_from(digits.saturating_sub(1)).unwrap_or(16);
    match format!("{number:.decimals$e}").parse::<f64>() {
        Ok(rounded) if rounded.is_finite() => rounded,
        _ => number,
    }
}

/// A digest as it is shown: its first eight digits.
#[must_use]
pub fn short_digest(digest: &str) -> String {
    if digest.is_empty() {
        "none".into()
    } else {
        format!("{}…", digest.chars().take(8).collect::<String>())
    }
}

/// A text cut to so many characters, with a sign that it was cut.
#[must_use]
pub fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        None => text.into(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

fn grouped(whole: &str) -> String {
    let (sign, digits) = whole
        .strip_prefix('-')
        .map_or(("", whole), |digits| ("-", digits));
    let mut text = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn not_finite(number: f64) -> String {
    if number.is_nan() {
        "not a number"
    } else {
        "infinite"
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(percent(353.0 / 360.0), "98.1 %");
        assert_eq!(millis(0.21349), "0.213 ms");
        assert_eq!(millis(12.35), "12.3 ms");
        assert_eq!(millis(99.96), "100 ms");
        assert_eq!(millis(1250.4), "1,250 ms");
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(92_328), "92.3 kB");
        assert_eq!(bytes(1_250_000), "1.25 MB");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(123), "123");
        assert_eq!(significant(-1234.5, 6), "-1,234.50");
        assert_eq!(significant(0.000_123_456, 3), "0.000123");
        assert_eq!(significant(1e-9, 3), "1e-9");
        assert_eq!(significant(f64::NAN, 3), "not a number");
        assert_eq!(significant(f64::MAX, 3), "1.7976931348623157e308");
        assert_eq!(significant(f64::INFINITY, 3), "infinite");
        assert_eq!(rounded(0.123_456_789, 4).to_string(), "0.1235");
        assert_eq!(cut("digits", 3), "dig…");
        assert_eq!(cut("digits", 6), "digits");
    }
}
