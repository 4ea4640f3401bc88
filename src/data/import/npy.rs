//! NPY, the form of NumPy's arrays, and NPZ, several of them in a ZIP; arrays of texts or objects are refused.
//!
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>: a magic, a version, the length of a header, the
//! header as a Python dictionary, then the numbers.

use super::arrays::{Array, Kind};
use super::zip::{self, Entry};
use super::{File, refused, shown};
use crate::error::Result;

const MAGIC: &[u8] = b"\x93NUMPY";
/// Longest header: NumPy itself refuses more than 10,000.
const MAX_HEADER: usize = 10_000;

/// Whether a file begins as one.
pub(super) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Reads one array.
pub(super) fn read(file: &File<'_>) -> Result<Array> {
    let truncated = || refused(file.name, "a whole NPY file", "one that ends in its header");
    let rest = (file.bytes.strip_prefix(MAGIC))
        .ok_or_else(|| refused(file.name, "an NPY file", "another beginning"))?;
    let (length, rest) = match rest {
        [1, _, a, b, rest @ ..] => (usize::from(u16::from_le_bytes([*a, *b])), rest),
        [2 | 3, _, a, b, c, d, rest @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, rest),
        _ => return Err(truncated()),
    };
    if length > MAX_HEADER {
        return Err(refused(
            file.name,
            format!("a header of at most {MAX_HEADER} bytes"),
            length.to_string(),
        ));
    }
    let (header, numbers) = rest.split_at_checked(length).ok_or_else(truncated)?;
    let header = String::from_utf8_lossy(header);
    let kind = text_of(&header, "descr").unwrap_or_default();
    let Some((big_endian, kind)) = kind_of(kind) else {
        return Err(refused(
            file.name,
            "whole numbers or fractions; save texts as their numbers",
            format!("a type of '{}'", shown(kind)),
        ));
    };
    if value_of(&header, "fortran_order").is_none_or(|it| !it.starts_with("False")) {
        return Err(refused(
            file.name,
            "the last axis fastest; save numpy.ascontiguousarray(…)",
            "another order",
        ));
    }
    let shape = value_of(&header, "shape")
        .and_then(shape_of)
        .ok_or_else(|| refused(file.name, "a shape of 1 to 4 sizes", "another shape"))?;
    Array::read(file.name, shape, kind, big_endian, numbers)
}

/// What follows a key of the dictionary.
fn value_of<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = header.split_once(&format!("'{key}'"))?;
    Some(rest.trim_start().strip_prefix(':')?.trim_start())
}

/// A value in quotes.
fn text_of<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let value = value_of(header, key)?.strip_prefix('\'')?;
    Some(value.split_once('\'')?.0)
}

/// `(3, 4)` or `(3,)`.
fn shape_of(value: &str) -> Option<Vec<usize>> {
    let (inside, _) = value.strip_prefix('(')?.split_once(')')?;
    let sizes: Vec<usize> = inside
        .trim()
        .trim_end_matches(',')
        .split(',')
        .map(|size| size.trim().parse().ok())
        .collect::<Option<_>>()?;
    (1..=4).contains(&sizes.len()).then_some(sizes)
}

/// Whether the most significant byte is first, and the type.
fn kind_of(kind: &str) -> Option<(bool, Kind)> {
    let big_endian = kind.starts_with('>');
    let kind = match kind.trim_start_matches(['<', '>', '|', '=']) {
        "u1" | "b1" => Kind::U8,
        "i1" => Kind::I8,
        "u2" => Kind::U16,
        "i2" => Kind::I16,
        "u4" => Kind::U32,
        "i4" => Kind::I32,
        "u8" => Kind::U64,
        "i8" => Kind::I64,
        "f2" => Kind::F16,
        "f4" => Kind::F32,
        "f8" => Kind::F64,
        _ => return None,
    };
    Some((big_endian, kind))
}

/// The arrays of an NPZ. Where there are more than two, only those whose name has `train` in it.
pub(super) fn archive(
    file: &File<'_>,
    entries: &[Entry],
    notes: &mut Vec<String>,
) -> Result<Vec<Array>> {
    let arrays: Vec<&Entry> = (entries.iter())
        .filter(|entry| entry.name.ends_with(".npy"))
        .collect();
    let of_training: Vec<&Entry> = (arrays.iter().copied())
        .filter(|entry| entry.name.contains("train"))
        .collect();
    let chosen = if arrays.len() > 2 && !of_training.is_empty() {
        let names: Vec<String> = of_training.iter().map(|it| shown(&it.name)).collect();
        notes.push(format!(
            "Of {} arrays only {} were read; the others belong to another part.",
            arrays.len(),
            names.join(" and ")
        ));
        of_training
    } else {
        arrays
    };
    if chosen.len() > 8 {
        return Err(refused(
            file.name,
            "two arrays, values and labels",
            chosen.len().to_string(),
        ));
    }
    (chosen.iter())
        .map(|entry| {
            let bytes = zip::unpacked(file, entry)?;
            read(&File {
                name: &entry.name,
                bytes: &bytes,
            })
        })
        .collect()
}
