//! The sets of this session, made, divided and checked once, the newest few of them; nothing outlives the lab.

use super::context::Context;
use super::protocol::EventBody;
use super::second_opinion::{self, Opinion};
use crate::data::checks::{self, Answers, Checking, Input, Known};
use crate::data::{self, Dataset, LocalMaker, Maker, Split, Values, faults};
use crate::error::{Error, Result};
use crate::recipe::{DataSpec, Recipe};
use crate::result::{FindingStatus, Findings};
use crate::system::{LocalRules, Reader, Rules};
use serde_json::json;
use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

/// Most sets that are kept, and most divisions.
const KEPT: usize = 3;
/// A set of more bytes than this is the only one that is kept.
const LARGE_BYTES: usize = 32 << 20;

/// A recipe's set and its division, with the recipe's faults and edits in both where it has some.
pub struct Divided {
    /// The set.
    pub dataset: Rc<Dataset>,
    /// Its rows, divided.
    pub split: Split,
    known: Vec<Known>,
    /// Digest of the set that edits were made of, with the recipe's faults; empty where there are none.
    pub source: String,
    /// The class that each row with an edited label had there, in the order of the rows.
    pub before: Vec<u16>,
    findings: OnceCell<Findings>,
}

/// What was made in this session, newest last, who makes it, and who knows the rules of what it shows.
pub struct Sets {
    maker: Box<dyn Maker>,
    rules: Box<dyn Rules>,
    made: RefCell<Vec<(String, Rc<Dataset>)>>,
    divided: RefCell<Vec<(String, Rc<Divided>)>>,
}

/// The set of a recipe and its division, made here and now.
///
/// # Errors
/// What the set, its division, its faults or its edits refuse, in words.
pub fn divide(recipe: &Recipe) -> Result<Divided> {
    divided(Rc::new(data::from_spec(&recipe.data)?), recipe)
}

fn divided(dataset: Rc<Dataset>, recipe: &Recipe) -> Result<Divided> {
    let known = checks::known(&recipe.data, &dataset);
    let mut split = data::split(&dataset, &recipe.split, recipe.seed)?;
    let mut dataset = dataset;
    for (fault, name) in faults::FAULTS {
        if let Some(severity) = recipe.data.severity(name) {
            let faulty = faults::inject(&dataset, &split, fault, severity, recipe.seed)?;
            (dataset, split) = (Rc::new(faulty.data), faulty.parts);
        }
    }
    let (mut source, mut before) = (String::new(), Vec::new());
    // Last, so that a person who repairs what a fault did sees the very rows that it touched.
    if let Some(edits) = recipe.data.edits()? {
        source = dataset.digest();
        before = (edits.labels.iter())
            .filter_map(|(row, _)| dataset.labels.get(*row as usize).copied())
            .collect();
        let (edited, parts) = data::edit(Rc::unwrap_or_clone(dataset), split, edits)?;
        (dataset, split) = (Rc::new(edited), parts);
    }
    Ok(Divided {
        dataset,
        split,
        known,
        source,
        before,
        findings: OnceCell::new(),
    })
}

impl Default for Sets {
    fn default() -> Self {
        Self::by(Box::new(LocalMaker::default()), Box::new(LocalRules))
    }
}

impl Sets {
    /// No set yet; `maker` makes those that take time, and `rules` are asked where whole boards are read.
    #[must_use]
    pub fn by(maker: Box<dyn Maker>, rules: Box<dyn Rules>) -> Self {
        Self {
            maker,
            rules,
            made: RefCell::default(),
            divided: RefCell::default(),
        }
    }

    /// A reader of the boards of a recipe's set; see [`Rules::reader`].
    ///
    /// # Errors
    /// As there.
    pub fn reader(&self, data: &DataSpec, kept: u32) -> Result<Box<dyn Reader>> {
        self.rules.reader(data, kept)
    }

    /// The set of a recipe and its division; where it has to be made, this tells how far it is and hears Stop.
    ///
    /// # Errors
    /// As [`divide`], and [`Error::Stopped`].
    pub async fn of(&self, context: &Context, recipe: &Recipe) -> Result<Rc<Divided>> {
        let key = json!([recipe.data, recipe.split, recipe.seed]).to_string();
        if let Some(found) = taken(&self.divided, &key) {
            return Ok(found);
        }
        let mut clean = recipe.data.clone();
        (clean.faults, clean.edits, clean.reason) = (None, None, None);
        let set_key = json!(clean).to_string();
        let dataset = match taken(&self.made, &set_key) {
            Some(found) => found,
            None => {
                let mut making = match data::at_once(&recipe.data) {
                    Some(making) => making,
                    None => self.maker.begin(&recipe.data)?,
                };
                while let Some(fraction) = making.step()? {
                    if making.is_waiting() {
                        context.turn().await;
                    }
                    tell(context, "making the data", fraction).await?;
                }
                let made = Rc::new(making.finish()?);
                data::check_stated(&recipe.data, &made)?;
                keep(&self.made, set_key, &made, &made);
                made
            }
        };
        let divided = Rc::new(divided(dataset, recipe)?);
        keep(&self.divided, key, &divided, &divided.dataset);
        Ok(divided)
    }
}

impl Divided {
    /// What the checks find; made once. `seed` is the recipe's.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn findings(&self, context: &Context, seed: u32) -> Result<Findings> {
        if let Some(found) = self.findings.get() {
            return Ok(found.clone());
        }
        let (dataset, split) = (&self.dataset, &self.split);
        let of_labels = second_opinion::of_labels(context, dataset, split, seed).await?;
        let of_parts = second_opinion::of_parts(context, dataset, split, seed).await?;
        let mut input = Input::new(&self.dataset, &self.split);
        input.known = &self.known;
        (input.answers, input.parted) = (answers(&of_labels), answers(&of_parts));
        let mut checking = Checking::new(input);
        while let Some(fraction) = checking.step() {
            tell(context, "checking the data", fraction).await?;
        }
        Ok(self.findings.get_or_init(|| checking.finish()).clone())
    }
}

fn answers(opinion: &Option<Opinion>) -> Option<Answers<'_>> {
    (opinion.as_ref()).map(|(rows, probabilities)| Answers {
        rows,
        probabilities,
    })
}

/// Refuses a run on data that fail a check, unless the recipe says why it is made anyway.
///
/// # Errors
/// [`Error::BadInput`] with the findings that fail.
pub fn gate(recipe: &Recipe, findings: &Findings) -> Result<()> {
    let failed = |it: &&crate::result::Finding| it.status == FindingStatus::Fail;
    let words: Vec<String> = (findings.findings.iter().filter(failed))
        .map(|it| format!("{}: {}", it.check, it.message))
        .collect();
    if words.is_empty() || !recipe.data.reason().trim().is_empty() {
        return Ok(());
    }
    Err(Error::bad_input(
        "the data",
        "what passes its checks, or a reason in data.reason to use it anyway",
        words.join(" "),
    ))
}

pub(super) async fn tell(context: &Context, stage: &str, fraction: f64) -> Result<()> {
    context.send(EventBody::Stage {
        name: stage.into(),
        fraction,
    });
    if context.breathe().await {
        return Err(Error::Stopped);
    }
    Ok(())
}

/// What is kept under a key, which becomes the newest.
fn taken<T>(kept: &RefCell<Vec<(String, Rc<T>)>>, key: &str) -> Option<Rc<T>> {
    let mut kept = kept.borrow_mut();
    let place = kept.iter().position(|(held, _)| held == key)?;
    let entry = kept.remove(place);
    let found = Rc::clone(&entry.1);
    kept.push(entry);
    Some(found)
}

fn keep<T>(kept: &RefCell<Vec<(String, Rc<T>)>>, key: String, it: &Rc<T>, dataset: &Dataset) {
    let bytes = match &dataset.values {
        Values::Bytes { values, .. } => values.len(),
        Values::Reals(values) => values.len() * 4,
    };
    let others = if bytes > LARGE_BYTES { 0 } else { KEPT - 1 };
    let mut kept = kept.borrow_mut();
    let surplus = kept.len().saturating_sub(others);
    kept.drain(..surplus);
    kept.push((key, Rc::clone(it)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_that_fail_need_a_reason() {
        let mut recipe = Recipe::default_for("digits", "mlp");
        recipe.data.faults = Some([("leakage".into(), 0.3)].into());
        let faulty = divide(&recipe).expect("divides");
        let findings = data::checks::run(&Input::new(&faulty.dataset, &faulty.split));
        let refused = gate(&recipe, &findings).expect_err("refused").to_string();
        assert!(
            refused.contains("leakage") && refused.contains("data.reason"),
            "{refused}"
        );
        recipe.data.reason = Some("to see what leakage does".into());
        assert_eq!(gate(&recipe, &findings), Ok(()));
        recipe.data.faults = None;
        recipe.data.reason = None;
        let clean = divide(&recipe).expect("divides");
        let findings = data::checks::run(&Input::new(&clean.dataset, &clean.split));
        assert_eq!(gate(&recipe, &findings), Ok(()));
    }

    #[test]
    fn a_large_set_is_kept_alone_and_of_small_ones_the_newest() {
        let kept: RefCell<Vec<(String, Rc<u32>)>> = RefCell::default();
        let small = data::load("digits").expect("built in");
        for number in 0..5 {
            keep(&kept, number.to_string(), &Rc::new(number), &small);
        }
        assert_eq!(taken(&kept, "0"), None);
        assert_eq!(taken(&kept, "2"), Some(Rc::new(2)));
        let large = Dataset {
            values: Values::Reals(vec![0.0; LARGE_BYTES / 4 + 1]),
            ..small
        };
        keep(&kept, "large".into(), &Rc::new(9), &large);
        assert_eq!(kept.borrow().len(), 1);
    }
}
