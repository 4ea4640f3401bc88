//! A set that is made step by step, so that whoever waits can show how far it is and stop; it keeps nothing afterwards.

use super::{Dataset, chess, digits, vibration};
use crate::error::{Error, Result};
use crate::recipe::DataSpec;
use crate::recipe::fields::SETS;

/// A set on its way.
pub struct Making(Source);

enum Source {
    /// There at once.
    Digits,
    Chess(Box<chess::Making>),
    Vibration(Box<vibration::Making>),
}

impl Making {
    /// Begins the set that a recipe names.
    ///
    /// # Errors
    /// [`Error::BadInput`] where there is none of that name, or a parameter is out of its range.
    pub fn of(spec: &DataSpec) -> Result<Self> {
        let source = match spec.set.as_str() {
            "digits" => Source::Digits,
            "chess" => Source::Chess(Box::new(chess::Making::new(
                &chess::Parameters::from_spec(spec)?,
            )?)),
            "vibration" => Source::Vibration(Box::new(vibration::Making::new(
                &vibration::Parameters::from_spec(spec)?,
            )?)),
            other => return Err(unknown(other)),
        };
        Ok(Self(source))
    }

    /// Makes a part of some milliseconds; the share that is done, or nothing where none was left to make.
    pub fn step(&mut self) -> Option<f64> {
        match &mut self.0 {
            Source::Digits => None,
            Source::Chess(making) => making.step(),
            Source::Vibration(making) => making.step(),
        }
    }

    /// The set, after whatever was left of it is made.
    ///
    /// # Errors
    /// As the set's own reader.
    pub fn finish(mut self) -> Result<Dataset> {
        while self.step().is_some() {}
        match self.0 {
            Source::Digits => digits::load(),
            Source::Chess(making) => Ok(making.finish()),
            Source::Vibration(making) => Ok(making.finish()),
        }
    }
}

/// What a model's plan needs of a set, without making it: shape, classes, groups and the number of rows. Values are absent,
/// and labels only so that each class is somewhere, where making the set takes long.
///
/// # Errors
/// As [`Making::of`].
pub fn outline(spec: &DataSpec) -> Result<Dataset> {
    match spec.set.as_str() {
        "digits" => digits::load(),
        "chess" => chess::outline(&chess::Parameters::from_spec(spec)?),
        "vibration" => vibration::outline(&vibration::Parameters::from_spec(spec)?),
        other => Err(unknown(other)),
    }
}

fn unknown(set: &str) -> Error {
    Error::bad_input(
        "data.set",
        format!("the name of a built-in set: {}", SETS.join(", ")),
        format!("{:?}", set.chars().take(40).collect::<String>()),
    )
}
