//! The safetensors form of any parts, with metadata; `model/safetensors.rs` has that of plain f32 weights. It judges no
//! tensor.

use super::parts::{Kind, Part};
use super::{File, Metadata, Place, check_order, refused, short};
use crate::digest;
use crate::error::Result;
use crate::model::safetensors::read_header;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) fn write(parts: &[Part], metadata: &Metadata) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    header.insert("__metadata__".into(), json!(metadata));
    // Widest numbers first, so that each begins at a multiple of its own size.
    let of_size = |size: u64| {
        parts
            .iter()
            .filter(move |part| part.kind.bytes(&[1]) == size)
    };
    let mut data = Vec::new();
    for part in [4, 2, 1].into_iter().flat_map(of_size) {
        let start = data.len();
        data.extend_from_slice(&part.bytes);
        header.insert(
            part.name.clone(),
            json!({"dtype": part.kind.name(), "shape": part.shape, "data_offsets": [start, data.len()]}),
        );
    }
    let mut text = digest::canonical_json(&Value::Object(header)).into_bytes();
    text.resize(text.len().next_multiple_of(8), b' ');
    let mut bytes = Vec::with_capacity(8 + text.len() + data.len());
    bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
    bytes.append(&mut text);
    bytes.append(&mut data);
    bytes
}

pub(super) fn open(bytes: &[u8]) -> Result<File<'_>> {
    let (metadata, header, data) = read_header(bytes, "the file of weights")?;
    let mut places = BTreeMap::new();
    for (name, entry) in &header {
        let place = place(entry, data.len()).ok_or_else(|| {
            refused(
                &format!("a type, a shape and a place for tensor {:?}", short(name)),
                short(&entry.to_string()),
            )
        })?;
        places.insert(name.clone(), place);
    }
    check_order(&places, data.len(), 1)?;
    Ok(File {
        metadata,
        places,
        data,
    })
}

/// What an entry says, where it makes sense and lies within the data.
fn place(entry: &Value, data: usize) -> Option<Place> {
    let word = entry.get("dtype")?.as_str()?;
    let (kind, _) = Kind::PLAIN.into_iter().find(|it| it.1 == word)?;
    let shape = entry.get("shape")?.as_array()?;
    let shape: Vec<u64> = shape.iter().map(Value::as_u64).collect::<Option<_>>()?;
    let [start, end] = entry.get("data_offsets")?.as_array()?.as_slice() else {
        return None;
    };
    let offset = |it: &Value| usize::try_from(it.as_u64()?).ok();
    let (start, end) = (offset(start)?, offset(end)?);
    let within = start <= end && end <= data && kind.bytes(&shape) == (end - start) as u64;
    within.then_some(Place {
        kind,
        shape,
        start,
        end,
    })
}
