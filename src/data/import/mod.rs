//! Reads files of a person's own into a set: CSV, IDX, NPY, NPZ, and images in folders or a ZIP; it opens no file itself.
//!
//! A file is told by its first bytes, never by its name. Every size that a file states is held to a limit before anything
//! of that size is allocated, and what is refused is named: the file, and the row or entry in it.

mod arrays;
mod checksum;
mod csv;
mod gzip;
mod idx;
mod images;
mod jpeg;
mod npy;
mod png;
mod zip;

use super::Dataset;
use crate::digest::sha256_hex;
use crate::error::{Error, Result};
use arrays::Array;
use std::borrow::Cow;

/// Largest sum of all files, as they come, in bytes.
pub const MAX_FILE_BYTES: u64 = 1 << 28;
/// Most values of a set: MNIST's 60,000 images have 47 million.
pub const MAX_VALUES: u64 = 1 << 26;
/// Most rows of a set.
pub const MAX_ROWS: u64 = 1_000_000;
/// Most classes of a set.
pub const MAX_CLASSES: usize = 1000;

/// One file, with its path below the folder that was chosen.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Its name, with folders before it where it lies in some: `cats/1.png`.
    pub name: &'a str,
    /// What is in it.
    pub bytes: &'a [u8],
}

/// What a person chooses where more than one reading is possible.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The column of a CSV that names the class: its heading, or its number from 1. Nothing takes the one that looks like
    /// it and says which.
    pub label_column: Option<String>,
    /// `[channels, height, width]` of the image that a CSV's other columns are. Nothing takes a square of at least 8×8
    /// whole numbers for one.
    pub image: Option<[u32; 3]>,
    /// Side that images are brought to, in 4..=512. Nothing keeps their size where all have the same of at most 64×64, and
    /// else takes 32.
    pub side: Option<u32>,
}

/// What became of the files.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The set, called `own`.
    pub dataset: Dataset,
    /// Name and SHA-256 of each file, as it came.
    pub files: Vec<(String, String)>,
    /// What was decided or left out while reading, one sentence each.
    pub notes: Vec<String>,
}

/// Reads files into one set: a CSV; an IDX or NPY of values and one of labels; an NPZ; a ZIP of images or the images.
///
/// # Errors
/// [`Error::BadInput`] for what cannot be read, with file and row; [`Error::TooLarge`] for what states a size above a limit.
pub fn read(files: &[File<'_>], options: &Options) -> Result<Imported> {
    let total: u64 = files.iter().map(|file| file.bytes.len() as u64).sum();
    at_most("the files together", total, MAX_FILE_BYTES, "bytes")?;
    let mut notes = Vec::new();
    let unpacked: Vec<(&str, Cow<'_, [u8]>)> = files
        .iter()
        .map(|file| Ok((file.name, gzip::unpacked(file)?)))
        .collect::<Result<_>>()?;
    let opened: Vec<File<'_>> = unpacked
        .iter()
        .map(|(name, bytes)| File { name, bytes })
        .collect();
    let mut dataset = set(&opened, options, &mut notes)?;
    let names: Vec<&str> = files.iter().take(3).map(|file| file.name).collect();
    dataset.title = match files.len() {
        0..=3 => names.join(", "),
        more => format!("{} and {} more files", names.join(", "), more - 3),
    };
    Ok(Imported {
        dataset,
        files: (files.iter())
            .map(|file| (file.name.to_owned(), sha256_hex(file.bytes)))
            .collect(),
        notes,
    })
}

fn set(files: &[File<'_>], options: &Options, notes: &mut Vec<String>) -> Result<Dataset> {
    let Some(first) = files.first() else {
        return Err(Error::bad_input("files", "at least one", "none"));
    };
    if let [only] = files
        && zip::is(only.bytes)
    {
        let entries = zip::entries(only)?;
        if entries.iter().any(|entry| entry.name.ends_with(".npy")) {
            return arrays::dataset(npy::archive(only, &entries, notes)?);
        }
        return images::archive(only, &entries, options, notes);
    }
    if files.iter().any(|file| images::is(file.bytes)) {
        return images::folder(files, options, notes);
    }
    if idx::is(first.bytes) || npy::is(first.bytes) {
        let read: Vec<Array> = files
            .iter()
            .map(|file| match npy::is(file.bytes) {
                true => npy::read(file),
                false => idx::read(file),
            })
            .collect::<Result<_>>()?;
        return arrays::dataset(read);
    }
    match files {
        [only] => csv::read(only, options, notes),
        _ => Err(Error::bad_input(
            format!("{} and {} more files", first.name, files.len() - 1),
            "one CSV, one ZIP, one NPZ, a pair of IDX or NPY files, or images in folders",
            "several files of no such form",
        )),
    }
}

/// Refuses a size above a limit.
fn at_most(what: impl Into<String>, got: u64, limit: u64, unit: &'static str) -> Result<()> {
    if got <= limit {
        return Ok(());
    }
    Err(Error::TooLarge {
        what: what.into(),
        got,
        limit,
        unit,
    })
}

/// Refuses a file, in words about a place in it.
fn refused(file: &str, expected: impl Into<String>, got: impl Into<String>) -> Error {
    Error::bad_input(shown(file), expected, got)
}

/// A name or cell as it is shown in a message: no control characters, at most 60 long.
fn shown(text: &str) -> String {
    let clean = text.chars().filter(|it| !it.is_control());
    let cut: String = clean.take(60).collect();
    if cut.len() < text.len() {
        format!("{cut}…")
    } else {
        cut
    }
}

#[cfg(test)]
mod tests;
