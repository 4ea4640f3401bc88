//! Writes and reads named f32 tensors in the safetensors form; it knows nothing of what they are for.
//!
//! The form: <https://huggingface.co/docs/safetensors>. Written here and not by the crate of that name, because its
//! writer orders metadata by a random hash, so equal weights would give different bytes, and its reader's messages do not
//! name the tensor. A test reads what is written here with that crate.

use super::weights::{Tensor, Weights, usize_from};
use crate::digest;
use crate::error::{Error, Result};
use crate::order;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A header longer than this is refused before it is parsed; ours have a few kB.
pub const MAX_HEADER_BYTES: usize = 1 << 20;

/// Free text of a file, by key.
pub type Metadata = BTreeMap<String, String>;

/// Shapes of the tensors that a file must hold, by name.
pub(crate) type Expected = BTreeMap<String, Vec<u32>>;

pub(crate) fn write<'a>(
    tensors: impl Iterator<Item = (&'a str, &'a Tensor)>,
    metadata: &[(&str, &str)],
) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    if !metadata.is_empty() {
        let mut texts = serde_json::Map::new();
        for (key, text) in metadata {
            texts.insert((*key).into(), Value::from(*text));
        }
        header.insert("__metadata__".into(), Value::Object(texts));
    }
    let mut data = Vec::new();
    for (name, tensor) in tensors {
        let start = data.len();
        data.extend_from_slice(digest::little_endian(&tensor.values));
        header.insert(
            name.into(),
            json!({"dtype": "F32", "shape": tensor.shape, "data_offsets": [start, data.len()]}),
        );
    }
    let mut text = digest::canonical_json(&Value::Object(header)).into_bytes();
    // Readers that map the file want the data aligned to 8 bytes.
    text.resize(text.len().next_multiple_of(8), b' ');
    let mut bytes = Vec::with_capacity(8 + text.len() + data.len());
    bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
    bytes.append(&mut text);
    bytes.append(&mut data);
    bytes
}

/// Reads a file that must hold exactly the expected tensors; `what` names the file in messages.
pub(crate) fn read(bytes: &[u8], expected: &Expected, what: &str) -> Result<(Metadata, Weights)> {
    let bad = |wanted: String, got: String| Error::bad_input(what, wanted, got);
    let (metadata, header, data) = read_header(bytes, what)?;
    if let Some(name) = header.keys().find(|name| !expected.contains_key(*name)) {
        let got = format!("also {:?}", short(name));
        return Err(bad("only the model's tensors".into(), got));
    }
    let mut ranges = Vec::with_capacity(expected.len());
    for (name, shape) in expected {
        let entry = header
            .get(name)
            .ok_or_else(|| bad(format!("a tensor {name:?}"), "none".into()))?;
        let (start, end) = check_entry(entry, name, shape, data.len(), what)?;
        ranges.push((start, end, name));
    }
    order::sort(&mut ranges);
    let mut filled = 0;
    for (start, end, name) in ranges {
        if start != filled {
            let got = if start < filled {
                "an overlap"
            } else {
                "a gap"
            };
            let wanted = format!("tensor {name:?} right after the one before it");
            return Err(bad(wanted, got.into()));
        }
        filled = end;
    }
    if filled != data.len() {
        let got = format!("{}", data.len());
        return Err(bad(format!("{filled} bytes of tensors"), got));
    }
    let mut weights = Weights::default();
    for (name, shape) in expected {
        let (start, end) = check_entry(&header[name], name, shape, data.len(), what)?;
        let values = data[start..end]
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            .collect();
        weights.insert(name.as_str(), shape.clone(), values);
    }
    Ok((metadata, weights))
}

/// The free text of a file.
pub(crate) fn read_metadata(bytes: &[u8], what: &str) -> Result<Metadata> {
    read_header(bytes, what).map(|(metadata, _, _)| metadata)
}

/// A file's free text, its tensors' entries and its data, none of them checked against each other.
pub(crate) fn read_header<'a>(
    bytes: &'a [u8],
    what: &str,
) -> Result<(Metadata, serde_json::Map<String, Value>, &'a [u8])> {
    let bad = |wanted: &str, got: String| Error::bad_input(what, wanted, got);
    let truncated = || {
        let got = format!("{} bytes: the file is truncated", bytes.len());
        bad("a whole safetensors file", got)
    };
    let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(truncated)?;
    let length = u64::from_le_bytes(*length);
    let header = usize::try_from(length)
        .ok()
        .filter(|&length| length <= MAX_HEADER_BYTES)
        .ok_or_else(|| {
            let got = format!("one that claims {length} bytes");
            bad("a header of at most 1,048,576 bytes", got)
        })?;
    let (header, data) = rest.split_at_checked(header).ok_or_else(truncated)?;
    let not_json = |error: &dyn std::fmt::Display| bad("a JSON header", format!("this: {error}"));
    let header = std::str::from_utf8(header).map_err(|error| not_json(&error))?;
    let header: Value = serde_json::from_str(header).map_err(|error| not_json(&error))?;
    let Value::Object(mut header) = header else {
        return Err(bad("a JSON object as header", "something else".into()));
    };
    let metadata = match header.remove("__metadata__") {
        None => Metadata::new(),
        Some(value) => texts(value)
            .ok_or_else(|| bad("metadata that is text by key", "something else".into()))?,
    };
    Ok((metadata, header, data))
}

/// An object that holds nothing but texts.
fn texts(value: Value) -> Option<Metadata> {
    let Value::Object(object) = value else {
        return None;
    };
    let mut texts = Metadata::new();
    for (key, value) in object {
        let Value::String(text) = value else {
            return None;
        };
        texts.insert(key, text);
    }
    Some(texts)
}

/// The byte range of a tensor, checked against its shape and the data.
fn check_entry(
    entry: &Value,
    name: &str,
    shape: &[u32],
    data: usize,
    what: &str,
) -> Result<(usize, usize)> {
    let bad = |of: &str, wanted: String, got: String| {
        Err(Error::bad_input(
            format!("{of} of tensor {name:?} in {what}"),
            wanted,
            got,
        ))
    };
    let dtype = entry.get("dtype").and_then(Value::as_str).unwrap_or("none");
    if dtype != "F32" {
        return bad("the type", "F32".into(), short(dtype));
    }
    let found = entry.get("shape").unwrap_or(&Value::Null);
    if *found != json!(shape) {
        return bad(
            "the shape",
            super::graph::shown(shape),
            short(&found.to_string()),
        );
    }
    let offsets = entry.get("data_offsets").and_then(Value::as_array);
    let offset = |index: usize| {
        offsets
            .filter(|offsets| offsets.len() == 2)
            .and_then(|offsets| offsets[index].as_u64())
            .and_then(|offset| usize::try_from(offset).ok())
    };
    let size = usize_from(byte_count(shape));
    match (offset(0), offset(1)) {
        (Some(start), Some(end)) if end <= data && end.checked_sub(start) == Some(size) => {
            Ok((start, end))
        }
        _ => bad(
            "the place",
            format!("{size} of the file's {data} bytes of tensors"),
            short(
                &entry
                    .get("data_offsets")
                    .map_or_else(|| "none".into(), ToString::to_string),
            ),
        ),
    }
}

fn byte_count(shape: &[u32]) -> u64 {
    shape.iter().map(|&size| u64::from(size)).product::<u64>() * 4
}

/// A text from a file as it may be shown in a message.
fn short(text: &str) -> String {
    if text.chars().count() <= 60 {
        text.into()
    } else {
        format!("{}…", text.chars().take(60).collect::<String>())
    }
}
