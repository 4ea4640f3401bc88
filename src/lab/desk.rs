//! What can be answered at once, without a job and without an engine: is this recipe possible, how do two records differ.

use super::prepared::planned;
use crate::error::Result;
use crate::eval;
use crate::recipe::{self, Recipe};
use crate::result::{Cost, Paired};
use crate::runlog::compare::{Comparison, compare};
use crate::runlog::record::{self, Record};

/// Version of the CPU engine's rounding behaviour in this build.
pub const ARITHMETIC: &str = crate::engine::cpu::ARITHMETIC;

/// A recipe that can be run, with what it will cost.
pub struct Checked {
    /// The recipe.
    pub recipe: Recipe,
    /// Counted from its layer graph.
    pub cost: Cost,
}

/// Reads a recipe and plans its model.
///
/// # Errors
/// Form and ranges as [`recipe::from_json`], shapes and work as [`crate::model::plan`].
pub fn check_recipe(text: &str) -> Result<Checked> {
    let recipe = recipe::from_json(text)?;
    let cost = planned(&recipe)?.cost;
    Ok(Checked { recipe, cost })
}

/// Compares two records; the second is judged against the first, accuracy on the same rows where both kept them.
///
/// # Errors
/// [`crate::error::Error::Record`] when a text is no record.
pub fn compare_records(first: &str, second: &str) -> Result<Comparison> {
    let (first, _) = record::read(first)?;
    let (second, _) = record::read(second)?;
    let paired = pair(&first, &second);
    Ok(compare(&first, &second, paired))
}

/// The paired test of two records, or `None` where their rows cannot be paired.
fn pair(first: &Record, second: &Record) -> Option<Paired> {
    if first.digests.data != second.digests.data {
        return None;
    }
    let confidence = second.recipe.evaluation.confidence;
    let (first, second) = (first.predictions.as_ref()?, second.predictions.as_ref()?);
    eval::paired(first, second, confidence).ok()
}
