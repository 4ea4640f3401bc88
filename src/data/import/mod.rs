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
mod opened;
mod png;
mod reading;
mod zip;

pub use opened::{Opened, OwnFile};
pub use reading::Reading;

use super::{Dataset, Making};
use crate::error::{Error, Result};
use crate::recipe::DataSpec;

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
    /// What stands between the cells of a CSV: one of `,`, `;`, `|` and a tab. Nothing finds out.
    pub delimiter: Option<u8>,
    /// `[channels, height, width]` of the image that a CSV's other columns are. Nothing takes a square of at least 8×8
    /// whole numbers for one.
    pub image: Option<[u32; 3]>,
    /// Side that images are brought to, in 4..=512. Nothing keeps their size where all have the same of at most 64×64, and
    /// else takes 32.
    pub side: Option<u32>,
}

impl Options {
    /// Those that a recipe states.
    ///
    /// # Errors
    /// [`Error::BadInput`] for a delimiter without a name.
    pub fn from_spec(spec: &DataSpec) -> Result<Self> {
        Ok(Self {
            label_column: spec.label.clone().filter(|label| !label.is_empty()),
            delimiter: match spec.delimiter.as_deref() {
                None | Some("auto") => None,
                Some("comma") => Some(b','),
                Some("semicolon") => Some(b';'),
                Some("tab") => Some(b'\t'),
                Some("bar") => Some(b'|'),
                Some(other) => {
                    return Err(Error::bad_input(
                        "data.delimiter",
                        "auto, comma, semicolon, tab or bar",
                        other,
                    ));
                }
            },
            image: None,
            side: spec.side.filter(|side| *side > 0),
        })
    }
}

/// What became of the files.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The set, called `own`, with notes of what was decided or left out.
    pub dataset: Dataset,
    /// Name and SHA-256 of each file, as it came.
    pub files: Vec<(String, String)>,
}

/// Reads files into one set: a CSV; an IDX or NPY of values and one of labels; an NPZ; a ZIP of images or the images.
///
/// # Errors
/// [`Error::BadInput`] for what cannot be read, with file and row; [`Error::TooLarge`] for what states a size above a limit.
pub fn read(files: &[File<'_>], options: &Options) -> Result<Imported> {
    let mut opened = Opened::default();
    for file in files {
        opened.add(file.name, file.bytes)?;
    }
    let mut reading = Reading::new(&opened, options);
    while reading.step()?.is_some() {}
    Ok(Imported {
        dataset: reading.dataset()?,
        files: (opened.files().iter())
            .map(|file| (file.name.clone(), file.sha256.clone()))
            .collect(),
    })
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
