//! ZIP archives, read from their central directory; entries are stored or deflated, and nothing is written anywhere.
//!
//! PKWARE, "APPNOTE.TXT", version 6.3.10, sections 4.3 and 4.4. Encrypted, divided and ZIP64 archives are refused, as are
//! names that leave the folder, entries that lie upon each other, and sizes that no deflated entry can have.

use super::checksum::crc32;
use super::{File, MAX_ROWS, MAX_VALUES, at_most, refused, shown};
use crate::error::Result;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

/// Largest sum of all unpacked entries, and largest entry.
const MAX_TOTAL: u64 = 4 * MAX_VALUES;
/// A deflated byte stands for at most 1032: a block of one literal and matches of 258 bytes in two bits each.
const MAX_RATIO: u64 = 1032;
/// Bytes of the fixed part of an entry in the directory, and before an entry's data.
const DIRECTORY_ENTRY: usize = 46;
const LOCAL_ENTRY: usize = 30;

/// One file in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its path, with `/` between folders.
    pub(super) name: String,
    deflated: bool,
    checksum: u32,
    packed: usize,
    unpacked: usize,
    /// Where its local header begins.
    at: usize,
}

/// Whether a file begins as an archive.
pub(super) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let pair = bytes.get(at..at.checked_add(2)?)?;
    Some(usize::from(pair[0]) | usize::from(pair[1]) << 8)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u16_at(bytes, at)? | u16_at(bytes, at.checked_add(2)?)? << 16)
}

/// The files of an archive, folders left out, each with sizes that can be.
pub(super) fn entries(file: &File<'_>) -> Result<Vec<Entry>> {
    let bytes = file.bytes;
    let broken = || {
        refused(
            file.name,
            "a whole ZIP archive",
            "one whose directory is cut or missing",
        )
    };
    // Its comment is at most 65,535 bytes long.
    let from = bytes.len().saturating_sub(22 + 65_535);
    let end = (from..bytes.len().saturating_sub(21))
        .rev()
        .find(|at| bytes[*at..].starts_with(b"PK\x05\x06"))
        .ok_or_else(broken)?;
    let number = |at: usize| u16_at(bytes, end + at).ok_or_else(broken);
    let count = number(10)?;
    if number(4)? != 0 || number(8)? != count {
        return Err(refused(
            file.name,
            "an archive in one part",
            "one in several",
        ));
    }
    let mut at = u32_at(bytes, end + 16).ok_or_else(broken)?;
    if count == 0xffff || at == 0xffff_ffff {
        return Err(refused(
            file.name,
            "a ZIP of fewer than 65,535 files and 4 GB",
            "a ZIP64 archive",
        ));
    }
    at_most(
        format!("files in {}", shown(file.name)),
        count as u64,
        MAX_ROWS,
        "files",
    )?;
    let mut found = Vec::new();
    let mut total = 0_u64;
    for _ in 0..count {
        let (entry, next) = entry(file, at)?;
        at = next;
        total += entry.unpacked as u64;
        at_most(
            format!("{} unpacked", shown(file.name)),
            total,
            MAX_TOTAL,
            "bytes",
        )?;
        if !entry.name.ends_with('/') {
            found.push(entry);
        }
    }
    let mut places: Vec<(usize, usize)> = (found.iter())
        .map(|entry| {
            (
                entry.at,
                entry.at.saturating_add(LOCAL_ENTRY + entry.packed),
            )
        })
        .collect();
    places.sort_unstable();
    if places.windows(2).any(|pair| pair[1].0 < pair[0].1) {
        return Err(refused(
            file.name,
            "entries one after another",
            "two entries that share bytes",
        ));
    }
    Ok(found)
}

/// The entry of the directory at a place, and where the next one begins.
fn entry(file: &File<'_>, at: usize) -> Result<(Entry, usize)> {
    let bytes = file.bytes;
    let broken = || {
        refused(
            file.name,
            "a whole ZIP archive",
            "one whose directory is cut",
        )
    };
    let header = (at.checked_add(DIRECTORY_ENTRY))
        .and_then(|end| bytes.get(at..end))
        .filter(|header| header.starts_with(b"PK\x01\x02"))
        .ok_or_else(broken)?;
    let short = |place: usize| u16_at(header, place).unwrap_or(0);
    let long = |place: usize| u32_at(header, place).unwrap_or(0);
    let name_at = at + DIRECTORY_ENTRY;
    let name_end = name_at + short(28);
    let name = String::from_utf8_lossy(bytes.get(name_at..name_end).ok_or_else(broken)?);
    check_name(file, &name)?;
    let what = format!("{} in {}", shown(&name), shown(file.name));
    if short(8) & 1 != 0 {
        return Err(refused(
            &what,
            "an entry without a password",
            "an encrypted one",
        ));
    }
    let deflated = match short(10) {
        0 => false,
        8 => true,
        other => {
            return Err(refused(
                &what,
                "an entry that is stored or deflated",
                format!("method {other}"),
            ));
        }
    };
    let (packed, unpacked) = (long(20), long(24));
    let possible = if deflated {
        packed as u64 * MAX_RATIO
    } else {
        packed as u64
    };
    if packed > bytes.len() || unpacked as u64 > possible {
        return Err(refused(
            &what,
            format!("at most {possible} bytes out of {packed}"),
            format!("a header that says {unpacked}"),
        ));
    }
    let next = name_end + short(30) + short(32);
    let made = Entry {
        name: name.into_owned(),
        deflated,
        checksum: long(16) as u32,
        packed,
        unpacked,
        at: long(42),
    };
    Ok((made, next))
}

/// Refuses a name that would leave the folder it is unpacked to. Nothing is unpacked to a folder here; a name that tries
/// says that the archive was made to do harm.
fn check_name(file: &File<'_>, name: &str) -> Result<()> {
    let harmful = name.is_empty()
        || name.starts_with('/')
        || name.contains(['\\', '\0', ':'])
        || name.split('/').any(|part| part == "..");
    if harmful {
        return Err(refused(
            file.name,
            "names of files below the archive",
            format!("{:?}", shown(name)),
        ));
    }
    Ok(())
}

/// The bytes of one entry, of the length and checksum that the directory says.
pub(super) fn unpacked(file: &File<'_>, entry: &Entry) -> Result<Vec<u8>> {
    let what = format!("{} in {}", shown(&entry.name), shown(file.name));
    let broken = |got: &str| refused(&what, "an entry as the directory says", got.to_owned());
    let local = (entry.at.checked_add(LOCAL_ENTRY))
        .and_then(|end| file.bytes.get(entry.at..end))
        .filter(|header| header.starts_with(b"PK\x03\x04"))
        .ok_or_else(|| broken("no entry there"))?;
    let names = u16_at(local, 26).unwrap_or(0) + u16_at(local, 28).unwrap_or(0);
    let start = entry.at + LOCAL_ENTRY + names;
    let packed = (start.checked_add(entry.packed))
        .and_then(|end| file.bytes.get(start..end))
        .ok_or_else(|| broken("one that is cut"))?;
    let bytes = if entry.deflated {
        decompress_to_vec_with_limit(packed, entry.unpacked)
            .map_err(|error| broken(&error.to_string()))?
    } else {
        packed.to_vec()
    };
    if bytes.len() != entry.unpacked {
        return Err(broken(&format!("{} bytes", bytes.len())));
    }
    if crc32(&bytes) != entry.checksum {
        return Err(broken("another checksum: a byte has changed"));
    }
    Ok(bytes)
}
