//! What the tests of the readers share: files as other programs write them, and how they are opened; random changes are tried
//! in `tests/fuzz_files.rs`.

mod arrays;
mod images;
mod tables;

use super::*;
use crate::data::Values;
use crate::digest::sha256_hex;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};
use serde_json::Value;

/// Written by `tests/reference/generate_files.py` with Pillow and NumPy.
const REFERENCE: &str = include_str!("../../../../tests/reference/files.json");

fn reference() -> Value {
    serde_json::from_str(REFERENCE).expect("JSON")
}

fn bytes_of(value: &Value) -> Vec<u8> {
    STANDARD
        .decode(value.as_str().expect("a text"))
        .expect("base64")
}

fn numbers(value: &Value) -> Vec<u8> {
    let list = value.as_array().expect("a list").iter();
    list.map(|number| number.as_u64().expect("a number") as u8)
        .collect()
}

fn opened(files: &[(&str, &[u8])], options: &Options) -> Result<Imported> {
    let files: Vec<File<'_>> = (files.iter())
        .map(|(name, bytes)| File { name, bytes })
        .collect();
    read(&files, options)
}

fn table(text: &str) -> Result<Imported> {
    opened(&[("table.csv", text.as_bytes())], &Options::default())
}

/// The message of a refusal, which must name the file.
fn refusal(files: &[(&str, &[u8])]) -> String {
    let message = opened(files, &Options::default())
        .expect_err("refused")
        .to_string();
    let name = files[0].0;
    assert!(message.contains(name), "{message} does not name {name}");
    message
}

fn reals(dataset: &Dataset) -> &[f32] {
    match &dataset.values {
        Values::Reals(values) => values,
        Values::Bytes { .. } => panic!("bytes"),
    }
}

fn whole(dataset: &Dataset) -> &[u8] {
    match &dataset.values {
        Values::Bytes { values, .. } => values,
        Values::Reals(_) => panic!("reals"),
    }
}

fn idx(kind: u8, shape: &[u32], numbers: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, kind, shape.len() as u8];
    for size in shape {
        bytes.extend(size.to_be_bytes());
    }
    bytes.extend(numbers);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3];
    out.extend(b"name\0");
    out.extend(compress_to_vec(bytes, 6));
    out.extend(checksum::crc32(bytes).to_le_bytes());
    out.extend((bytes.len() as u32).to_le_bytes());
    out
}

/// An archive of stored or deflated entries.
fn zip_of(entries: &[(&str, &[u8])], deflated: bool) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in entries {
        let at = out.len() as u32;
        let packed = if deflated {
            compress_to_vec(bytes, 6)
        } else {
            bytes.to_vec()
        };
        let mut common = vec![20, 0, 0, 0, if deflated { 8 } else { 0 }, 0, 0, 0, 0, 0];
        common.extend(checksum::crc32(bytes).to_le_bytes());
        common.extend((packed.len() as u32).to_le_bytes());
        common.extend((bytes.len() as u32).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(packed);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let start = out.len() as u32;
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    for _ in 0..2 {
        out.extend((entries.len() as u16).to_le_bytes());
    }
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}
