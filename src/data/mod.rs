//! Labelled images, their division and their preprocessing, all in memory; no files, no network, no models.

mod digits;
mod rows;
mod split;

pub use rows::{Rows, Scaler, rows};
pub use split::{Split, split};

use crate::digest::Hasher;
use crate::error::{Error, Result};

/// A set of labelled images of one shape, in a fixed order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// Name in a recipe: `digits`.
    pub set: String,
    /// Name in full.
    pub title: String,
    /// Who made it and where it comes from, as its licence asks to be said wherever it is shown.
    pub attribution: String,
    /// SPDX name of its licence.
    pub licence: String,
    /// Names of the classes; a label is an index into them.
    pub classes: Vec<String>,
    /// Values of a pixel: 1 is grey.
    pub channels: u32,
    /// Rows of pixels.
    pub height: u32,
    /// Columns of pixels.
    pub width: u32,
    /// The largest value that a pixel may have; the smallest is 0.
    pub max_value: u8,
    /// `rows × channels × height × width` values in `0..=max_value`, the last axis fastest.
    pub pixels: Vec<u8>,
    /// The class of each row.
    pub labels: Vec<u16>,
}

/// The built-in set called `set`.
///
/// # Errors
/// [`Error::BadInput`] where there is none of that name.
pub fn load(set: &str) -> Result<Dataset> {
    match set {
        "digits" => digits::load(),
        other => Err(Error::bad_input(
            "data.set",
            "the name of a built-in set: digits",
            format!("{:?}", other.chars().take(40).collect::<String>()),
        )),
    }
}

impl Dataset {
    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> u32 {
        u32::try_from(self.labels.len()).unwrap_or(u32::MAX)
    }

    /// Values of one row: `channels × height × width`.
    #[must_use]
    pub const fn row_len(&self) -> usize {
        self.channels as usize * self.height as usize * self.width as usize
    }

    /// `[channels, height, width]`.
    #[must_use]
    pub const fn shape(&self) -> [u32; 3] {
        [self.channels, self.height, self.width]
    }

    /// The values of one row, in `0..=max_value`; empty where there is no such row.
    #[must_use]
    pub fn row(&self, row: u32) -> &[u8] {
        let start = (row as usize).saturating_mul(self.row_len());
        let end = start.saturating_add(self.row_len());
        self.pixels.get(start..end).unwrap_or_default()
    }

    /// The values of one row stretched to `0..=255`, for drawing; empty where there is no such row.
    #[must_use]
    pub fn display(&self, row: u32) -> Vec<u8> {
        let largest = u32::from(self.max_value.max(1));
        let stretched = |value: &u8| ((u32::from(*value) * 255 + largest / 2) / largest).min(255);
        self.row(row)
            .iter()
            .map(|value| stretched(value) as u8)
            .collect()
    }

    /// Rows of each class, in the order of [`Dataset::classes`].
    #[must_use]
    pub fn class_counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.classes.len()];
        for label in &self.labels {
            if let Some(count) = counts.get_mut(usize::from(*label)) {
                *count += 1;
            }
        }
        counts
    }

    /// SHA-256 of what a model can learn from: shape, largest value, pixels, labels and names of classes, in that order.
    /// Title, attribution and licence do not take part.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = Hasher::new();
        hasher.text("assay/dataset/1");
        hasher.u32s(&[self.rows(), self.channels, self.height, self.width]);
        hasher.u64(u64::from(self.max_value));
        hasher.u64(self.pixels.len() as u64);
        hasher.bytes(&self.pixels);
        let labels: Vec<u32> = self.labels.iter().map(|label| u32::from(*label)).collect();
        hasher.u32s(&labels);
        hasher.u64(self.classes.len() as u64);
        for class in &self.classes {
            hasher.text(class);
        }
        hasher.finish()
    }

    /// The true label as a place in a list, checked.
    fn class_of(&self, row: usize) -> Result<usize> {
        let label = self.labels.get(row).map(|label| usize::from(*label));
        match label {
            Some(class) if class < self.classes.len() => Ok(class),
            _ => Err(Error::bad_input(
                format!("label of row {row} of {}", self.set),
                format!("a class below {}", self.classes.len()),
                label.map_or_else(|| "none".to_owned(), |class| class.to_string()),
            )),
        }
    }
}
