//! Labelled rows, their division and their preprocessing, all in memory; no files, no network, no models.

mod augmented;
pub mod checks;
pub mod chess;
mod columns;
mod digits;
mod edits;
pub mod faults;
pub mod import;
mod making;
mod packed;
mod reduced;
mod rows;
mod split;
pub mod staged;
pub mod vibration;

pub use augmented::augmented;
pub use edits::{Edited, edit};
pub use making::{LocalMaker, Maker, Making, at_once, check_stated, outline, state};
pub use packed::{pack, unpack};
pub use reduced::{Reduced, parted, reduced};
pub use rows::{Rows, Scaler, rows};
pub use split::{Split, split};

use crate::digest::Hasher;
use crate::error::{Error, Result};
use crate::recipe::DataSpec;

/// The values of all rows, row after row, the last axis fastest.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Whole numbers such as grey levels, in `0..=max`; `max` is above 0.
    Bytes {
        /// The largest value there may be; the smallest is 0.
        max: u8,
        /// The values.
        values: Vec<u8>,
    },
    /// Measured numbers, one column of each row a quantity of its own; NaN where one is missing.
    Reals(Vec<f32>),
}

impl Values {
    /// How many values there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::Bytes { values, .. } => values.len(),
            Self::Reals(values) => values.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at a place as a number; NaN where there is none.
    #[must_use]
    pub fn at(&self, place: usize) -> f32 {
        match self {
            Self::Bytes { values, .. } => values.get(place).map_or(f32::NAN, |it| f32::from(*it)),
            Self::Reals(values) => values.get(place).copied().unwrap_or(f32::NAN),
        }
    }
}

/// Rows that belong together, such as the squares of one game: a division never separates them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// What a group is, as in `game 3`.
    pub name: String,
    /// The group of each row.
    pub of_row: Vec<u32>,
    /// Groups that only test, ascending.
    pub reserved: Vec<u32>,
}

/// What a set declares of its own nature, so that a check of the data raises no alarm over it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// The smallest share of the rows that a class has by nature.
    pub smallest_share: f64,
    /// The largest.
    pub largest_share: f64,
    /// Rows of one group may be equal, as the same empty square in several pictures of a game.
    pub repeats_in_group: bool,
    /// Rows of different groups may be nearly equal, as the same piece of one make on the same square of two games.
    pub nearly_repeats: bool,
    /// The largest share of right labels that models of one hidden layer doubt.
    pub doubted: f64,
    /// Whether models of one hidden layer tell its classes apart, so that their doubts are about labels; nothing where that
    /// is not known.
    pub learnable: Option<bool>,
}

impl Expected {
    /// Nothing is known: a class of `classes` may have from a third to three times its equal share, and no row repeats.
    #[must_use]
    pub fn unknown(classes: usize) -> Self {
        let equal = 1.0 / classes.max(1) as f64;
        Self {
            smallest_share: equal / 3.0,
            largest_share: (equal * 3.0).min(0.9),
            repeats_in_group: false,
            nearly_repeats: false,
            doubted: 0.0,
            learnable: None,
        }
    }
}

/// A set of labelled rows of one shape, in a fixed order.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Name in a recipe: one of [`crate::recipe::fields::SETS`].
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
    /// `rows × channels × height × width` values.
    pub values: Values,
    /// The class of each row.
    pub labels: Vec<u16>,
    /// Which rows belong together; nothing where each stands for itself.
    pub groups: Option<Groups>,
    /// What it declares of its nature.
    pub expected: Expected,
    /// What was decided or left out while it was read, one sentence each; empty for sets that are made.
    pub notes: Vec<String>,
    /// What the files are called that it was read from, by their digests: see [`import::Opened::identity`]. Empty for a set that
    /// is made.
    pub source: String,
    /// What a person's edits left beside the labels; nothing of a set as it is made.
    pub edited: Edited,
}

/// The built-in set called `set`, with the parameters that a recipe has by default.
///
/// # Errors
/// [`Error::BadInput`] where there is none of that name.
pub fn load(set: &str) -> Result<Dataset> {
    from_spec(&DataSpec::named(set))
}

/// The set that a recipe names, made with its parameters.
///
/// # Errors
/// [`Error::BadInput`] where there is none of that name, or a parameter is out of its range.
pub fn from_spec(spec: &DataSpec) -> Result<Dataset> {
    LocalMaker::default().begin(spec)?.finish()
}

impl Dataset {
    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> u32 {
        u32::try_from(self.labels.len()).unwrap_or(u32::MAX)
    }

    /// The rows that were not dropped, ascending: what checks look at.
    pub fn kept(&self) -> impl Iterator<Item = u32> {
        let dropped = &self.edited.dropped;
        (0..self.rows()).filter(move |row| dropped.binary_search(row).is_err())
    }

    /// How many [`Dataset::kept`] gives.
    #[must_use]
    pub fn kept_count(&self) -> u32 {
        self.rows().saturating_sub(self.edited.dropped.len() as u32)
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

    /// The places of a row in [`Dataset::values`]; empty where there is no such row.
    fn places(&self, row: u32) -> std::ops::Range<usize> {
        let start = (row as usize).saturating_mul(self.row_len());
        let end = start.saturating_add(self.row_len());
        if end <= self.values.len() {
            start..end
        } else {
            0..0
        }
    }

    /// The values of one row as they are; empty where there is no such row.
    #[must_use]
    pub fn row(&self, row: u32) -> Vec<f32> {
        self.places(row)
            .map(|place| self.values.at(place))
            .collect()
    }

    /// The whole numbers of one row; empty where there is no such row or its values are measured numbers.
    #[must_use]
    pub fn bytes(&self, row: u32) -> &[u8] {
        match &self.values {
            Values::Bytes { values, .. } => values.get(self.places(row)).unwrap_or_default(),
            Values::Reals(_) => &[],
        }
    }

    /// The values of one row stretched to `0..=255`, for drawing; empty where there is no such row. Measured numbers are
    /// stretched from the row's smallest to its largest, and a missing one is drawn as 0.
    #[must_use]
    pub fn display(&self, row: u32) -> Vec<u8> {
        if let Values::Bytes { max, .. } = &self.values {
            let largest = u32::from((*max).max(1));
            let stretched =
                |value: &u8| ((u32::from(*value) * 255 + largest / 2) / largest).min(255);
            return (self.bytes(row).iter())
                .map(|value| stretched(value) as u8)
                .collect();
        }
        let values = self.row(row);
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let low = finite().fold(f32::INFINITY, f32::min);
        let range = (finite().fold(f32::NEG_INFINITY, f32::max) - low).max(f32::MIN_POSITIVE);
        // A cast from f32 saturates, and NaN becomes 0.
        (values.iter())
            .map(|value| ((value - low) / range * 255.0 + 0.5) as u8)
            .collect()
    }

    /// Rows of each class that were not dropped, in the order of [`Dataset::classes`].
    #[must_use]
    pub fn class_counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.classes.len()];
        for row in self.kept() {
            let label = self.labels[row as usize];
            if let Some(count) = counts.get_mut(usize::from(label)) {
                *count += 1;
            }
        }
        counts
    }

    /// SHA-256 of what a model can learn from: shape, largest value (0 before measured numbers), values, labels and names
    /// of classes, in that order, and the groups, dropped rows and slices where there are any. Title, attribution, licence and what is expected do
    /// not take part.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = Hasher::new();
        hasher.text("assay/dataset/1");
        hasher.u32s(&[self.rows(), self.channels, self.height, self.width]);
        match &self.values {
            Values::Bytes { max, values } => {
                hasher.u64(u64::from(*max));
                hasher.u64(values.len() as u64);
                hasher.bytes(values);
            }
            Values::Reals(values) => {
                hasher.u64(0);
                hasher.f32s(values);
            }
        }
        let labels: Vec<u32> = self.labels.iter().map(|label| u32::from(*label)).collect();
        hasher.u32s(&labels);
        hasher.u64(self.classes.len() as u64);
        for class in &self.classes {
            hasher.text(class);
        }
        if let Some(groups) = &self.groups {
            hasher.text(&groups.name);
            hasher.u32s(&groups.of_row);
            hasher.u32s(&groups.reserved);
        }
        let Edited { dropped, slices } = &self.edited;
        if !dropped.is_empty() {
            hasher.text("dropped");
            hasher.u32s(dropped);
        }
        for (name, rows) in slices {
            hasher.text("slice");
            hasher.text(name);
            hasher.u32s(rows);
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
