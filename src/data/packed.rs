//! A set as bytes, to hand it from one module to another; nothing that is stored or sent has this form.
//!
//! A length and a JSON header, then the values, the labels and the groups, little endian.

use super::{Dataset, Edited, Expected, Groups, Values};
use crate::error::{Error, Result};
use serde_json::{Value, json};

/// The bytes of a set.
#[must_use]
pub fn pack(dataset: &Dataset) -> Vec<u8> {
    let Dataset {
        set,
        title,
        attribution,
        licence,
        classes,
        values,
        groups,
        expected,
        notes,
        source,
        ..
    } = dataset;
    let header = json!({
        "words": [set, title, attribution, licence],
        "classes": classes,
        "notes": notes,
        "source": source,
        "shape": dataset.shape(),
        "rows": dataset.rows(),
        "max": match values {
            Values::Bytes { max, .. } => *max,
            Values::Reals(_) => 0,
        },
        "groups": groups.as_ref().map(|it| json!([it.name, it.reserved])),
        "expected": [expected.smallest_share, expected.largest_share, expected.doubted],
        "repeats": [expected.repeats_in_group, expected.nearly_repeats],
        "learnable": expected.learnable,
    });
    let header = header.to_string();
    let mut out = Vec::with_capacity(values.len() * 4 + dataset.labels.len() * 2 + header.len());
    out.extend((header.len() as u32).to_le_bytes());
    out.extend(header.as_bytes());
    match values {
        Values::Bytes { values, .. } => out.extend(values),
        Values::Reals(values) => out.extend(values.iter().flat_map(|it| it.to_le_bytes())),
    }
    out.extend(dataset.labels.iter().flat_map(|it| it.to_le_bytes()));
    if let Some(groups) = groups {
        out.extend(groups.of_row.iter().flat_map(|it| it.to_le_bytes()));
    }
    out
}

/// The set of such bytes.
///
/// # Errors
/// [`Error::BadInput`] where they are cut or no such bytes.
pub fn unpack(bytes: &[u8]) -> Result<Dataset> {
    parts(bytes).ok_or_else(|| {
        Error::bad_input(
            "a packed set",
            "header, values and labels",
            format!("{} other bytes", bytes.len()),
        )
    })
}

fn parts(bytes: &[u8]) -> Option<Dataset> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (header, mut rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let header: Value = serde_json::from_slice(header).ok()?;
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    let texts =
        |value: &Value| -> Option<Vec<String>> { value.as_array()?.iter().map(text).collect() };
    let number = |value: &Value| u32::try_from(value.as_u64()?).ok();
    let numbers =
        |value: &Value| -> Option<Vec<u32>> { value.as_array()?.iter().map(number).collect() };
    let [set, title, attribution, licence] = texts(&header["words"])?.try_into().ok()?;
    let [channels, height, width] = numbers(&header["shape"])?.try_into().ok()?;
    let (rows, max) = (number(&header["rows"])? as usize, number(&header["max"])?);
    let mut take = |count: usize| {
        let (part, after) = rest.split_at_checked(count)?;
        rest = after;
        Some(part)
    };
    let count = [channels, height, width]
        .iter()
        .try_fold(rows, |all, size| all.checked_mul(*size as usize))?;
    let values = match u8::try_from(max).ok()? {
        0 => Values::Reals(each(take(count.checked_mul(4)?)?, f32::from_le_bytes)),
        max => Values::Bytes {
            max,
            values: take(count)?.to_vec(),
        },
    };
    let labels = each(take(rows.checked_mul(2)?)?, u16::from_le_bytes);
    let groups = match &header["groups"] {
        Value::Null => None,
        groups => Some(Groups {
            name: text(&groups[0])?,
            reserved: numbers(&groups[1])?,
            of_row: each(take(rows.checked_mul(4)?)?, u32::from_le_bytes),
        }),
    };
    let classes = texts(&header["classes"])?;
    rest.is_empty().then_some(Dataset {
        set,
        title,
        attribution,
        licence,
        classes,
        channels,
        height,
        width,
        values,
        labels,
        groups,
        expected: Expected {
            smallest_share: header["expected"][0].as_f64()?,
            largest_share: header["expected"][1].as_f64()?,
            repeats_in_group: header["repeats"][0].as_bool()?,
            nearly_repeats: header["repeats"][1].as_bool()?,
            doubted: header["expected"][2].as_f64()?,
            learnable: header["learnable"].as_bool(),
        },
        notes: texts(&header["notes"])?,
        source: text(&header["source"])?,
        edited: Edited::default(),
    })
}

fn each<const N: usize, T>(bytes: &[u8], of: fn([u8; N]) -> T) -> Vec<T> {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks.iter().map(|chunk| of(*chunk)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_come_back_as_they_were_and_cut_ones_are_refused() {
        let digits = super::super::load("digits").expect("built in");
        let mut grouped = digits.clone();
        grouped.groups = Some(Groups {
            name: "writer".into(),
            of_row: (0..digits.rows()).map(|row| row / 9).collect(),
            reserved: vec![3, 5],
        });
        grouped.notes = vec!["One note.".into()];
        grouped.source = "ab".repeat(32);
        let mut measured = digits.clone();
        measured.values = Values::Reals(digits.row(0));
        measured.labels.truncate(1);
        for set in [digits, grouped, measured] {
            let bytes = pack(&set);
            assert_eq!(unpack(&bytes), Ok(set));
            for length in [0, 3, 10, bytes.len() - 1] {
                assert!(unpack(&bytes[..length]).is_err(), "{length}");
            }
            assert!(unpack(&[&bytes[..], &[0]].concat()).is_err());
        }
    }
}
