//! What can be answered at once, without a job and without an engine: is this recipe possible, how do two records differ.

use super::prepared::planned;
use crate::error::Result;
use crate::eval;
use crate::model::graph_json;
use crate::order;
use crate::recipe::fields::{FAMILY, GRAPH};
use crate::recipe::{self, Recipe, edit};
use crate::result::{Cost, Paired};
use crate::runlog::compare::{Comparison, compare};
use crate::runlog::record::{self, Record};
use serde_json::Value;
use std::collections::BTreeMap;

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

/// Sets one field of a recipe as [`edit::change`] does. Who turns another family into a graph of their own starts from that
/// family's layers, where the recipe can be planned, and else from a small example.
///
/// # Errors
/// As [`edit::change`].
pub fn change_recipe(text: &str, path: &str, value: Value) -> Result<String> {
    let to_graph = path == FAMILY && value.as_str() == Some(GRAPH);
    let changed = edit::change(text, path, value)?;
    let layers = || {
        let recipe = recipe::from_json(text).ok()?;
        let plan = planned(&recipe)
            .ok()
            .filter(|plan| recipe.architecture.family != GRAPH && plan.stages.is_empty())?;
        edit::change(
            &changed,
            "architecture.graph",
            graph_json::to_value(&plan.graph),
        )
        .ok()
    };
    let graph = to_graph.then(layers).flatten();
    // A deep family's layers can be more than a recipe may hold.
    Ok(graph
        .filter(|text| text.len() <= recipe::MAX_RECIPE_BYTES)
        .unwrap_or(changed))
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

/// The paired test of two records, or `None` where their rows cannot be paired. Of two versions of one set it takes the
/// rows whose right answer is the same in both.
fn pair(first: &Record, second: &Record) -> Option<Paired> {
    if first.digests.unedited() != second.digests.unedited() {
        return None;
    }
    let confidence = second.recipe.evaluation.confidence;
    let same_version = first.digests.data == second.digests.data;
    let (first, second) = (first.predictions.as_ref()?, second.predictions.as_ref()?);
    if same_version {
        return eval::paired(first, second, confidence).ok();
    }
    let wanted: BTreeMap<u32, u16> = order::map(
        second
            .rows
            .iter()
            .copied()
            .zip(second.labels.iter().copied()),
    );
    let mut shared = first.clone();
    let same: Vec<bool> = (first.rows.iter().zip(&first.labels))
        .map(|(row, label)| wanted.get(row) == Some(label))
        .collect();
    fn kept<T>(list: &mut Vec<T>, same: &[bool]) {
        let mut same = same.iter();
        list.retain(|_| same.next() == Some(&true));
    }
    kept(&mut shared.rows, &same);
    kept(&mut shared.labels, &same);
    kept(&mut shared.predicted, &same);
    kept(&mut shared.confidence, &same);
    eval::paired(&shared, second, confidence).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::fields::FAMILIES;

    #[test]
    fn a_graph_of_ones_own_starts_from_the_familys_layers() {
        for family in FAMILIES {
            let from = Recipe::default_for("digits", family);
            let text = change_recipe(&from.to_json(), FAMILY, GRAPH.into()).expect("fits");
            let checked = check_recipe(&text).expect("valid");
            assert_eq!(checked.recipe.architecture.family, GRAPH);
            let before = planned(&from).expect("fits").cost;
            assert_eq!(checked.cost.macs, before.macs, "{family}");
            assert_eq!(checked.cost.layers, before.layers, "{family}");
            let back = change_recipe(&text, FAMILY, (*family).into()).expect("fits");
            assert_eq!(
                check_recipe(&back).expect("valid").recipe.architecture,
                from.architecture
            );
        }
    }

    #[test]
    fn a_recipe_that_cannot_be_planned_becomes_the_example() {
        let mut huge = Recipe::default_for("digits", "mlp");
        huge.architecture.width = Some(4096);
        huge.architecture.depth = Some(16);
        let text = change_recipe(&huge.to_json(), FAMILY, GRAPH.into()).expect("fits");
        let recipe = check_recipe(&text).expect("valid").recipe;
        assert_eq!(
            recipe.architecture,
            Recipe::default_for("digits", GRAPH).architecture
        );
    }
}
