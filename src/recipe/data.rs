//! The section of a recipe that names the data and what is done to them on purpose; it makes none.

use super::{Edits, Extra, fields};
use crate::error::{Error, Result};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Which data a recipe uses; what a set does not have is absent, and so may be what has a default in [`fields`].
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DataSpec {
    /// Name of a set, one of [`fields::SETS`].
    pub set: String,
    /// What the files of an own set are called: their digests, see [`crate::data::import::Opened::identity`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The column of a table that names the class, by heading or number from 1; absent finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What stands between the cells of a table: `comma`, `semicolon`, `tab` or `bar`; absent finds out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// Side that images are brought to; absent keeps small ones of one size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<u32>,
    /// Classes of an own set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<u32>,
    /// Channels of its rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<u32>,
    /// Their height.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Their width.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// What is asked of each row: `pieces` or `occupancy`, of `chess`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// Positions of `chess`, windows of `vibration`, rows of an own set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u32>,
    /// How far the circumstances are from ideal ones, in 0..=1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difficulty: Option<f64>,
    /// How much the circumstances change from the first group to the last, in 0..=1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<f64>,
    /// What is wrong with the sensor of `vibration`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensor: Option<String>,
    /// Version of the generator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator: Option<u32>,
    /// Seed of the generator, apart from the recipe's own, so that trainings can differ on the same data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u32>,
    /// What is wrong with the data on purpose: by name, one of [`fields::FAULTS`], into how large a share of the rows that it
    /// can touch it is put, in (0, 1].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faults: Option<BTreeMap<String, f64>>,
    /// What a person changed in the set, in the form of [`Edits::read`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edits: Option<Map<String, Value>>,
    /// Why the data are used although a check fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Fields of later versions.
    #[serde(flatten)]
    pub extra: Extra,
}

crate::section::section!(DataSpec { set, file, label, delimiter, side, classes, channels, height, width, task, size, difficulty, drift, sensor, generator, seed, faults, edits, reason } {  } {  });

impl DataSpec {
    /// The set of this name with its default parameters.
    #[must_use]
    pub fn named(set: &str) -> Self {
        Self {
            set: set.into(),
            ..Self::default()
        }
    }

    /// The number at an optional field, or the one that its absence means for this set; 0 for a set without it.
    fn number(&self, path: &str, there: Option<f64>) -> f64 {
        match (there, fields::fallback(path, &self.set)) {
            (Some(number), _) => number,
            (None, Some(fields::Fallback::Number(number))) => number,
            _ => 0.0,
        }
    }

    /// What [`Self::size`] says or its absence means.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.number("data.size", self.size.map(f64::from)) as u32
    }

    /// What [`Self::difficulty`] says or its absence means.
    #[must_use]
    pub fn difficulty(&self) -> f64 {
        self.number("data.difficulty", self.difficulty)
    }

    /// What [`Self::drift`] says or its absence means.
    #[must_use]
    pub fn drift(&self) -> f64 {
        self.number("data.drift", self.drift)
    }

    /// What [`Self::generator`] says or its absence means.
    #[must_use]
    pub fn generator(&self) -> u32 {
        self.number("data.generator", self.generator.map(f64::from)) as u32
    }

    /// What [`Self::seed`] says or its absence means.
    #[must_use]
    pub fn seed(&self) -> u32 {
        self.number("data.seed", self.seed.map(f64::from)) as u32
    }

    /// What [`Self::file`] says; absent is empty: no file yet.
    #[must_use]
    pub fn file(&self) -> &str {
        self.file.as_deref().unwrap_or_default()
    }

    /// What [`Self::classes`] says or its absence means.
    #[must_use]
    pub fn classes(&self) -> u32 {
        self.number("data.classes", self.classes.map(f64::from)) as u32
    }

    /// What [`Self::channels`] says or its absence means.
    #[must_use]
    pub fn channels(&self) -> u32 {
        self.number("data.channels", self.channels.map(f64::from)) as u32
    }

    /// What [`Self::height`] says or its absence means.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.number("data.height", self.height.map(f64::from)) as u32
    }

    /// What [`Self::width`] says or its absence means.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.number("data.width", self.width.map(f64::from)) as u32
    }

    /// What [`Self::task`] says; absent is `pieces`.
    #[must_use]
    pub fn task(&self) -> &str {
        self.task.as_deref().unwrap_or("pieces")
    }

    /// The share of a fault in [`Self::faults`], or nothing where it is not put in.
    #[must_use]
    pub fn severity(&self, fault: &str) -> Option<f64> {
        self.faults.as_ref()?.get(fault).copied()
    }

    /// What [`Self::edits`] says, or nothing where the set is as it is made.
    ///
    /// # Errors
    /// [`Error::Recipe`] as [`Edits::read`].
    pub fn edits(&self) -> Result<Option<Edits>> {
        let read = self.edits.as_ref().map(Edits::read).transpose();
        read.map_err(|problem| Error::Recipe(vec![problem]))
    }

    /// What [`Self::reason`] says; absent is empty.
    #[must_use]
    pub fn reason(&self) -> &str {
        self.reason.as_deref().unwrap_or_default()
    }

    /// What [`Self::sensor`] says; absent is `sound`.
    #[must_use]
    pub fn sensor(&self) -> &str {
        self.sensor.as_deref().unwrap_or("sound")
    }
}
