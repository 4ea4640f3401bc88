//! SHA-256 over canonical bytes, and the canonical form of JSON; it decides nothing about what is worth hashing.

use crate::order;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// SHA-256 of `bytes` as 64 lowercase hexadecimal digits.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    let mut hasher = Hasher::new();
    hasher.bytes(bytes);
    hasher.finish()
}

/// Digest of a JSON value in canonical form; see [`canonical_json`].
#[must_use]
pub fn json_digest(value: &Value) -> String {
    let mut hasher = Hasher::new();
    write_canonical(value, &mut hasher);
    hasher.finish()
}

/// Digest of answers: of row numbers and predicted classes, in their order. Labels and confidences do not take part: the
/// first belong to the data, and the last digits of the second to the engine.
#[must_use]
pub fn predictions_digest(rows: &[u32], predicted: &[u16]) -> String {
    let mut hasher = Hasher::new();
    hasher.text("assay/predictions/1");
    hasher.u32s(rows);
    let answers: Vec<u32> = predicted.iter().map(|class| u32::from(*class)).collect();
    hasher.u32s(&answers);
    hasher.finish()
}

/// The canonical text of a JSON value, RFC 8785: keys sorted by UTF-16 code unit, no white space, strings with the
/// shortest escapes, and each number by its value as `JSON.stringify` writes it, so that `1`, `1.0` and `1e0` are the
/// same text. A document that went through `JSON.parse` and `JSON.stringify` keeps its digest.
///
/// The text is at most five times as long as the one that the value was read from: a short `1e300` stays short.
#[must_use]
pub fn canonical_json(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

/// Where canonical text goes: a string, or a digest without a copy of the text.
trait Sink {
    fn push_str(&mut self, text: &str);
}

impl Sink for String {
    fn push_str(&mut self, text: &str) {
        Self::push_str(self, text);
    }
}

impl Sink for Hasher {
    fn push_str(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }
}

fn write_canonical(value: &Value, out: &mut dyn Sink) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::String(text) => write_string(text, out),
        Value::Number(number) => write_number(number, out),
        Value::Array(items) => {
            out.push_str("[");
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(",");
                }
                write_canonical(item, out);
            }
            out.push_str("]");
        }
        Value::Object(map) => {
            // Sorted here and not by serde_json: another crate's `preserve_order` must not change a digest.
            let mut keys: Vec<&String> = map.keys().collect();
            order::sort_by(&mut keys, |a, b| a.encode_utf16().cmp(b.encode_utf16()));
            out.push_str("{");
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    out.push_str(",");
                }
                write_string(key, out);
                out.push_str(":");
                write_canonical(&map[key], out);
            }
            out.push_str("}");
        }
    }
}

fn write_string(text: &str, out: &mut dyn Sink) {
    let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if text.bytes().all(plain) {
        out.push_str("\"");
        out.push_str(text);
        out.push_str("\"");
    } else {
        out.push_str(&Value::from(text).to_string());
    }
}

fn write_number(number: &serde_json::Number, out: &mut dyn Sink) {
    /// 2^53: up to here every integer is an `f64`.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let text = match number.as_f64() {
        Some(float) if float.trunc() == float && float.abs() < EXACT => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "integral and below 2^53 by the guard"
            )]
            let integer = float as i64;
            integer.to_string()
        }
        // The limits of the plain form are ECMAScript's; the exponent of a large number carries its sign there.
        Some(float) if float.abs() >= 1e21 => format!("{float:e}").replace('e', "e+"),
        Some(float) if float.abs() < 1e-6 => format!("{float:e}"),
        Some(float) => float.to_string(),
        None => number.to_string(),
    };
    out.push_str(&text);
}

/// Numbers as the bytes of a little-endian machine, which all that Assay runs on are.
pub(crate) fn little_endian<T: bytemuck::NoUninit>(numbers: &[T]) -> &[u8] {
    const { assert!(cfg!(target_endian = "little")) };
    bytemuck::cast_slice(numbers)
}

/// SHA-256 over a sequence of typed values in their canonical bytes: little endian, every NaN as `0x7fc0_0000`,
/// strings and lists preceded by their length as `u64`.
#[derive(Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// An empty digest.
    #[must_use]
    pub fn new() -> Self {
        Self(Sha256::new())
    }

    /// Adds raw bytes, without a length.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Adds one unsigned integer as eight bytes.
    pub fn u64(&mut self, value: u64) {
        self.0.update(value.to_le_bytes());
    }

    /// Adds a string: its length in bytes, then its UTF-8.
    pub fn text(&mut self, text: &str) {
        self.u64(text.len() as u64);
        self.0.update(text.as_bytes());
    }

    /// Adds numbers: their count, then four bytes each, NaN canonicalized.
    pub fn f32s(&mut self, values: &[f32]) {
        self.u64(values.len() as u64);
        for part in values.split_inclusive(|value| value.is_nan()) {
            let numbers = match part {
                [numbers @ .., last] if last.is_nan() => numbers,
                numbers => numbers,
            };
            self.0.update(little_endian(numbers));
            if numbers.len() < part.len() {
                self.0.update(0x7fc0_0000_u32.to_le_bytes());
            }
        }
    }

    /// Adds integers: their count, then four bytes each.
    pub fn u32s(&mut self, values: &[u32]) {
        self.u64(values.len() as u64);
        self.0.update(little_endian(values));
    }

    /// The digest as 64 lowercase hexadecimal digits.
    #[must_use]
    pub fn finish(self) -> String {
        let mut text = String::with_capacity(64);
        for byte in self.0.finalize() {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_is_the_standard_one() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            sha256_hex(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn equal_numbers_have_equal_text_however_they_were_written() {
        for text in ["1", "1.0", "1e0", "10e-1"] {
            let value: Value = serde_json::from_str(text).expect("a number");
            assert_eq!(canonical_json(&value), "1");
        }
        let negative_zero: Value = serde_json::from_str("-0.0").expect("a number");
        assert_eq!(canonical_json(&negative_zero), "0");
    }

    #[test]
    fn numbers_are_written_as_javascript_writes_them() {
        // What `JSON.stringify(JSON.parse(text))` answers in Node 20; RFC 8785, appendix B.
        for (text, canonical) in [
            ("1e300", "1e+300"),
            ("-1.5e21", "-1.5e+21"),
            ("1e20", "100000000000000000000"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1e-7"),
            ("-1.25e-9", "-1.25e-9"),
            ("5e-324", "5e-324"),
            ("333333333.33333329", "333333333.3333333"),
            ("18446744073709551615", "18446744073709552000"),
        ] {
            let value: Value = serde_json::from_str(text).expect("a number");
            assert_eq!(canonical_json(&value), canonical);
        }
    }

    #[test]
    fn keys_are_sorted_at_every_depth() {
        let value = serde_json::json!({"b": {"z": 1, "a": [2.5, null]}, "a": "\u{e9}\n"});
        assert_eq!(
            canonical_json(&value),
            r#"{"a":"é\n","b":{"a":[2.5,null],"z":1}}"#
        );
        assert_eq!(
            json_digest(&value),
            sha256_hex(canonical_json(&value).as_bytes())
        );
    }

    #[test]
    fn every_nan_hashes_alike_and_zeros_keep_their_sign() {
        let digest = |value: f32| {
            let mut hasher = Hasher::new();
            hasher.f32s(&[value]);
            hasher.finish()
        };
        assert_eq!(digest(f32::NAN), digest(f32::from_bits(0xffc0_0001)));
        assert_ne!(digest(0.0), digest(-0.0));
    }
}
