//! The GGUF form: f32, f16 and ggml's blocks, with text for metadata; version 3, little endian. It reads no arrays' values.
//!
//! The form: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>. A file's own counts and lengths are compared with
//! the bytes that are left before anything is made of them.

use super::parts::{Kind, Part};
use super::{Extent, File, Metadata, Place, Scheme, StoredTensor, check_order, refused, short};
use crate::error::{Error, Result};
use crate::model::Parameter;
use std::collections::BTreeMap;

const MAGIC: [u8; 4] = *b"GGUF";
const VERSION: u32 = 3;
/// Data and tensors begin at multiples of it.
const ALIGNMENT: usize = 32;
/// The type of a text among metadata.
const TEXT: u32 = 8;
const ARRAY: u32 = 9;
const UNSIGNED: u32 = 4;
/// Dimensions of a tensor at most.
const DIMENSIONS: usize = 4;

/// ggml's numbers of types.
const TYPES: [(Kind, u32); 9] = [
    (Kind::F32, 0),
    (Kind::F16, 1),
    (Kind::Block(Scheme::Q4_0), 2),
    (Kind::Block(Scheme::Q4_1), 3),
    (Kind::Block(Scheme::Q5_0), 6),
    (Kind::Block(Scheme::Q5_1), 7),
    (Kind::Block(Scheme::Q8_0), 8),
    (Kind::Block(Scheme::Q4K), 12),
    (Kind::Block(Scheme::Q6K), 14),
];

const fn kind_of(scheme: Scheme) -> Option<Kind> {
    match scheme {
        Scheme::F32 => Some(Kind::F32),
        Scheme::F16 => Some(Kind::F16),
        block if block.block().is_some() => Some(Kind::Block(block)),
        _ => None,
    }
}

/// The shape that a tensor has here: blocks lie along rows of whole blocks, one for each output.
fn shape(shape: &[u32], kind: Kind) -> Vec<u64> {
    match kind {
        Kind::Block(scheme) => {
            let (block, _) = scheme.block().unwrap_or((1, 1));
            let extent = Extent::of_shape(shape);
            vec![extent.outputs, extent.inner.next_multiple_of(block)]
        }
        _ => shape.iter().map(|&it| u64::from(it)).collect(),
    }
}

/// A stored tensor as a file's.
pub(super) fn part(stored: &StoredTensor) -> Result<Part> {
    let kind = kind_of(stored.scheme).ok_or_else(|| Error::Unsupported {
        feature: format!("{} in a GGUF file", stored.scheme.name()),
        why: format!(
            "GGUF has no such type, and {} is stored in it; export as safetensors, or store it as Q8_0 or Q4_0",
            stored.name
        ),
    })?;
    Ok(Part {
        name: stored.name.clone(),
        kind,
        shape: shape(&stored.shape, kind),
        bytes: stored.bytes.clone(),
    })
}

/// A model's tensor from a file, in whatever type it is there.
pub(super) fn tensor(file: &File<'_>, parameter: &Parameter) -> Result<StoredTensor> {
    let place = file.places.get(&parameter.name);
    let kind = place.map_or(Kind::F32, |place| place.kind);
    let bytes = file.take(&parameter.name, kind, &shape(&parameter.shape, kind))?;
    let scheme = match kind {
        Kind::F16 => Scheme::F16,
        Kind::Block(scheme) => scheme,
        _ => Scheme::F32,
    };
    Ok(super::tensor(parameter, scheme, bytes.to_vec()))
}

pub(super) fn write(parts: &[Part], metadata: &Metadata) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    let text = |bytes: &mut Vec<u8>, text: &str| {
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text.as_bytes());
    };
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend((parts.len() as u64).to_le_bytes());
    bytes.extend((metadata.len() as u64 + 2).to_le_bytes());
    text(&mut bytes, "general.architecture");
    bytes.extend(TEXT.to_le_bytes());
    text(&mut bytes, "assay");
    text(&mut bytes, "general.alignment");
    bytes.extend(UNSIGNED.to_le_bytes());
    bytes.extend((ALIGNMENT as u32).to_le_bytes());
    for (key, value) in metadata {
        text(&mut bytes, key);
        bytes.extend(TEXT.to_le_bytes());
        text(&mut bytes, value);
    }
    let mut offset = 0_u64;
    for part in parts {
        text(&mut bytes, &part.name);
        bytes.extend((part.shape.len() as u32).to_le_bytes());
        for size in part.shape.iter().rev() {
            bytes.extend(size.to_le_bytes());
        }
        let number = TYPES
            .iter()
            .find(|it| it.0 == part.kind)
            .map_or(0, |it| it.1);
        bytes.extend(number.to_le_bytes());
        bytes.extend(offset.to_le_bytes());
        offset += (part.bytes.len() as u64).next_multiple_of(ALIGNMENT as u64);
    }
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
    for part in parts {
        bytes.extend(&part.bytes);
        bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
    }
    bytes
}

/// What is left of a file.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: u64) -> Result<&'a [u8]> {
        let split = usize::try_from(count)
            .ok()
            .and_then(|count| self.rest.split_at_checked(count));
        let (taken, rest) = split.ok_or_else(|| {
            let got = format!(
                "{count} bytes asked for where {} are left: it is cut short or lies",
                self.rest.len()
            );
            refused("a whole GGUF file", got)
        })?;
        self.rest = rest;
        Ok(taken)
    }

    fn u32(&mut self) -> Result<u32> {
        let bytes = self.bytes(4)?;
        Ok(bytes.first_chunk().map_or(0, |it| u32::from_le_bytes(*it)))
    }

    fn u64(&mut self) -> Result<u64> {
        let bytes = self.bytes(8)?;
        Ok(bytes.first_chunk().map_or(0, |it| u64::from_le_bytes(*it)))
    }

    fn text(&mut self) -> Result<&'a str> {
        let length = self.u64()?;
        let bytes = self.bytes(length)?;
        std::str::from_utf8(bytes)
            .map_err(|_| refused("names and texts in UTF-8", "other bytes".into()))
    }

    /// A count of things that take at least so many bytes each.
    fn count(&mut self, least: u64, what: &str) -> Result<u64> {
        let count = self.u64()?;
        if count > self.rest.len() as u64 / least {
            let got = format!("{count} in the {} bytes that are left", self.rest.len());
            return Err(refused(
                &format!("a count of {what} that the file can hold"),
                got,
            ));
        }
        Ok(count)
    }

    /// Passes over a value that is no text.
    fn skip(&mut self, kind: u32) -> Result<()> {
        let size = |kind| match kind {
            0 | 1 | 7 => Some(1),
            2 | 3 => Some(2),
            4..=6 => Some(4),
            10..=12 => Some(8),
            _ => None,
        };
        let unknown = |kind: u32| refused("metadata of a known type", format!("type {kind}"));
        if kind != ARRAY {
            let size = size(kind).ok_or_else(|| unknown(kind))?;
            return self.bytes(size).map(drop);
        }
        let kind = self.u32()?;
        if kind == TEXT {
            for _ in 0..self.count(8, "texts")? {
                self.text()?;
            }
            return Ok(());
        }
        let size = size(kind).ok_or_else(|| unknown(kind))?;
        let count = self.count(size, "an array's values")?;
        self.bytes(count * size).map(drop)
    }
}

pub(super) fn open(bytes: &[u8]) -> Result<File<'_>> {
    let mut reader = Reader { rest: bytes };
    if reader.bytes(4)? != MAGIC {
        return Err(refused("a GGUF file", "other bytes".into()));
    }
    let version = reader.u32()?;
    if version != VERSION {
        return Err(refused("version 3 of GGUF", format!("version {version}")));
    }
    // A tensor has a name's length, its dimensions, a type and an offset; an entry a key's length and a type.
    let tensors = reader.count(8 + 4 + 4 + 8, "tensors")?;
    let entries = reader.count(8 + 4, "metadata")?;
    let mut metadata = Metadata::new();
    for _ in 0..entries {
        let key = reader.text()?;
        match reader.u32()? {
            TEXT => drop(metadata.insert(key.into(), reader.text()?.into())),
            UNSIGNED if key == "general.alignment" => {
                let alignment = reader.u32()?;
                if alignment as usize != ALIGNMENT {
                    return Err(refused("an alignment of 32", alignment.to_string()));
                }
            }
            kind => reader.skip(kind)?,
        }
    }
    let mut places = BTreeMap::new();
    for _ in 0..tensors {
        let name = reader.text()?;
        let place = entry(&mut reader, name)?;
        if places.insert(name.to_owned(), place).is_some() {
            return Err(refused(
                "each tensor once",
                format!("{:?} twice", short(name)),
            ));
        }
    }
    let read = bytes.len() - reader.rest.len();
    let start = read.next_multiple_of(ALIGNMENT);
    let data = bytes.get(start..).unwrap_or_default();
    if let Some((name, place)) = places.iter().find(|it| it.1.end > data.len()) {
        let got = format!(
            "{} of {} bytes: it is cut short or lies",
            place.end,
            data.len()
        );
        return Err(refused(
            &format!("tensor {:?} within the file", short(name)),
            got,
        ));
    }
    check_order(&places, data.len(), ALIGNMENT)?;
    Ok(File {
        metadata,
        places,
        data,
    })
}

/// What a tensor's entry says of it.
fn entry(reader: &mut Reader<'_>, name: &str) -> Result<Place> {
    let bad = |wanted: &str, got: String| {
        Err(refused(
            &format!("{wanted} for tensor {:?}", short(name)),
            got,
        ))
    };
    let dimensions = reader.u32()? as usize;
    if dimensions == 0 || dimensions > DIMENSIONS {
        return bad("one to four dimensions", dimensions.to_string());
    }
    let mut shape = Vec::with_capacity(DIMENSIONS);
    for _ in 0..dimensions {
        shape.push(reader.u64()?);
    }
    shape.reverse();
    let number = reader.u32()?;
    let Some((kind, _)) = TYPES.into_iter().find(|it| it.1 == number) else {
        return bad(
            "f32, f16 or a block type that Assay has",
            format!("ggml's type {number}"),
        );
    };
    let offset = reader.u64()?;
    let size = kind.bytes(&shape);
    let place = usize::try_from(offset).ok().zip(usize::try_from(size).ok());
    match place.and_then(|(start, size)| Some((start, start.checked_add(size)?))) {
        Some((start, end)) => Ok(Place {
            kind,
            shape,
            start,
            end,
        }),
        None => bad(
            "a place within the file",
            format!("{size} bytes from {offset}"),
        ),
    }
}
