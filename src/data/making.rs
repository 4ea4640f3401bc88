//! Where the sets of recipes come from, made step by step, so that whoever waits can show how far one is and stop; nothing is
//! kept afterwards.

use super::import::{Opened, Options, Reading};
use super::{Dataset, Edited, Expected, Values, chess, digits, vibration};
use crate::error::{Error, Result};
use crate::recipe::DataSpec;
use crate::recipe::fields::{OWN, SETS};

/// A set on its way.
pub trait Making {
    /// Makes a part of some milliseconds; the share that is done, or nothing where none was left to make.
    ///
    /// # Errors
    /// What makes the set impossible, in words.
    fn step(&mut self) -> Result<Option<f64>>;

    /// Whether it waits for something outside, so that nothing is gained by another step at once.
    fn is_waiting(&self) -> bool {
        false
    }

    /// The set, after whatever was left of it is made.
    ///
    /// # Errors
    /// As [`Making::step`].
    fn finish(self: Box<Self>) -> Result<Dataset>;
}

/// Where sets that take time to make come from.
pub trait Maker {
    /// Begins the set that a recipe names.
    ///
    /// # Errors
    /// [`Error::BadInput`] where there is none of that name, or a parameter is out of its range; [`Error::NoFile`] where the
    /// set is a person's own and its file was not opened.
    fn begin(&self, spec: &DataSpec) -> Result<Box<dyn Making>>;
}

/// Makes every set here and now; own files are those that it was given.
#[derive(Debug, Clone, Default)]
pub struct LocalMaker {
    /// Files of a person's own.
    pub opened: Opened,
}

impl Maker for LocalMaker {
    fn begin(&self, spec: &DataSpec) -> Result<Box<dyn Making>> {
        if let Some(there) = at_once(spec) {
            return Ok(there);
        }
        Ok(match spec.set.as_str() {
            "chess" => Box::new(chess::Making::new(&chess::Parameters::from_spec(spec)?)?),
            "vibration" => Box::new(vibration::Making::new(&vibration::Parameters::from_spec(
                spec,
            )?)?),
            OWN => {
                if self.opened.files().is_empty() {
                    return Err(Error::NoFile(spec.file().to_owned()));
                }
                self.opened.check(spec.file())?;
                Box::new(Reading::new(&self.opened, &Options::from_spec(spec)?))
            }
            other => return Err(unknown(other)),
        })
    }
}

/// The set of a recipe, where it is there at once and needs no maker.
#[must_use]
pub fn at_once(spec: &DataSpec) -> Option<Box<dyn Making>> {
    (spec.set == "digits").then(|| Box::new(Digits) as Box<dyn Making>)
}

struct Digits;

impl Making for Digits {
    fn step(&mut self) -> Result<Option<f64>> {
        Ok(None)
    }
    fn finish(self: Box<Self>) -> Result<Dataset> {
        digits::load()
    }
}

/// What a model's plan needs of a set, without making it: shape, classes, groups and the number of rows. Values are absent,
/// and labels only so that each class is somewhere, where making the set takes long.
///
/// # Errors
/// As [`Maker::begin`].
pub fn outline(spec: &DataSpec) -> Result<Dataset> {
    match spec.set.as_str() {
        "digits" => digits::load(),
        "chess" => chess::outline(&chess::Parameters::from_spec(spec)?),
        "vibration" => vibration::outline(&vibration::Parameters::from_spec(spec)?),
        OWN => own(spec),
        other => Err(unknown(other)),
    }
}

/// The outline of a person's own set, which its recipe states.
fn own(spec: &DataSpec) -> Result<Dataset> {
    if spec.file().is_empty() {
        return Err(Error::NoFile(String::new()));
    }
    let classes = spec.classes();
    let in_turn = (0..classes as u16).cycle();
    Ok(Dataset {
        set: OWN.into(),
        title: String::new(),
        attribution: String::new(),
        licence: String::new(),
        classes: (0..classes).map(|class| class.to_string()).collect(),
        channels: spec.channels(),
        height: spec.height(),
        width: spec.width(),
        values: Values::Reals(Vec::new()),
        labels: in_turn.take(spec.size() as usize).collect(),
        groups: None,
        expected: Expected::unknown(classes as usize),
        notes: Vec::new(),
        source: String::new(),
        edited: Edited::default(),
    })
}

/// Refuses a set of another size, shape or number of classes than its recipe states; sets that are made state none.
///
/// # Errors
/// [`Error::BadInput`] with both.
pub fn check_stated(spec: &DataSpec, dataset: &Dataset) -> Result<()> {
    if spec.set != OWN {
        return Ok(());
    }
    let said = |rows: u32, shape: [u32; 3], classes: usize| {
        let [channels, height, width] = shape;
        format!("{rows} rows of {channels}×{height}×{width} values in {classes} classes")
    };
    let shape = [spec.channels(), spec.height(), spec.width()];
    let wanted = said(spec.size(), shape, spec.classes() as usize);
    let found = said(dataset.rows(), dataset.shape(), dataset.classes.len());
    if wanted == found {
        return Ok(());
    }
    Err(Error::bad_input(
        "what the recipe says of the file",
        found,
        wanted,
    ))
}

/// States in a recipe's section what an own set is, so that a model can be planned without its file.
pub fn state(spec: &mut DataSpec, identity: &str, dataset: &Dataset) {
    spec.set = OWN.into();
    spec.file = Some(identity.into());
    spec.size = Some(dataset.rows());
    spec.channels = Some(dataset.channels);
    spec.height = Some(dataset.height);
    spec.width = Some(dataset.width);
    spec.classes = Some(dataset.classes.len() as u32);
}

fn unknown(set: &str) -> Error {
    Error::bad_input(
        "data.set",
        format!("the name of a set: {}", SETS.join(", ")),
        format!("{:?}", set.chars().take(40).collect::<String>()),
    )
}
