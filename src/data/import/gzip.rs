//! Unpacks a file that is compressed by gzip (RFC 1952), one member; anything else stays as it is.

use super::checksum::crc32;
use super::{File, MAX_VALUES, at_most, refused};
use crate::error::Result;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use std::borrow::Cow;

/// Largest unpacked file: eight bytes a value, and a header.
const MAX_UNPACKED: u64 = 8 * MAX_VALUES + (1 << 16);

/// The file's bytes, unpacked where it is a gzip file, its length and checksum held to what it says.
pub(super) fn unpacked<'a>(file: &File<'a>) -> Result<Cow<'a, [u8]>> {
    if !file.bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(Cow::Borrowed(file.bytes));
    }
    let truncated = || refused(file.name, "a whole gzip file", "one that ends early");
    let start = body(file.bytes).ok_or_else(truncated)?;
    let Some((packed, trailer)) =
        (file.bytes.get(start..)).and_then(|rest| rest.split_last_chunk::<8>())
    else {
        return Err(truncated());
    };
    let [s0, s1, s2, s3, l0, l1, l2, l3] = *trailer;
    let sum = u32::from_le_bytes([s0, s1, s2, s3]);
    let length = u32::from_le_bytes([l0, l1, l2, l3]);
    at_most(
        format!("{} unpacked", super::shown(file.name)),
        u64::from(length),
        MAX_UNPACKED,
        "bytes",
    )?;
    let bytes = decompress_to_vec_with_limit(packed, length as usize)
        .map_err(|error| refused(file.name, "a gzip file", error.to_string()))?;
    if bytes.len() != length as usize {
        return Err(refused(
            file.name,
            format!("{length} bytes, as its end says"),
            format!("{}", bytes.len()),
        ));
    }
    if crc32(&bytes) != sum {
        return Err(refused(
            file.name,
            format!("the checksum {sum:08x}, as its end says"),
            format!("{:08x}: a byte has changed", crc32(&bytes)),
        ));
    }
    Ok(Cow::Owned(bytes))
}

/// Where the compressed bytes begin, or nothing where the header ends early or asks for what RFC 1952 does not have.
fn body(bytes: &[u8]) -> Option<usize> {
    const CHECKED: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    let (Some(8), Some(flags)) = (bytes.get(2), bytes.get(3)) else {
        return None;
    };
    let mut at = 10;
    if flags & EXTRA != 0 {
        let length = bytes.get(at..at + 2)?;
        at += 2 + usize::from(length[0]) + 256 * usize::from(length[1]);
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            at += bytes.get(at..)?.iter().position(|byte| *byte == 0)? + 1;
        }
    }
    if flags & CHECKED != 0 {
        at += 2;
    }
    (flags & 0xe0 == 0 && at <= bytes.len()).then_some(at)
}
