//! What small models that did not learn from a row think of its label and of its part, for the checks of both; it judges none.

use super::context::Context;
use super::sets::tell;
use crate::data::{self, Dataset, Reduced, Split};
use crate::engine::Engine as _;
use crate::engine::cpu::CpuEngine;
use crate::error::{Error, Result};
use crate::model;
use crate::recipe::Recipe;
use crate::train::cross_validation;
use std::cell::Cell;

/// Parts of the rows, each answered by a model that learned from the others.
const FOLDS: u32 = 3;
/// Fewest and most passes of each model, and the rows that it should see in all: enough for one hidden layer.
const EPOCHS: [u32; 2] = [6, 100];
const SEEN: u32 = 6400;
/// Units of its hidden layer.
const WIDTH: u32 = 64;

/// The rows that were asked and the probabilities of the classes for each.
pub(super) type Opinion = (Vec<u32>, Vec<f32>);

/// What they think of labels; nothing where no such model can be made.
///
/// # Errors
/// [`Error::Stopped`].
pub(super) async fn of_labels(
    context: &Context,
    dataset: &Dataset,
    parts: &Split,
    seed: u32,
) -> Result<Option<Opinion>> {
    let askable = dataset.expected.learnable != Some(false);
    match data::reduced(dataset, parts).filter(|_| askable) {
        Some(reduced) => asked(context, reduced, seed, "asking small models").await,
        None => Ok(None),
    }
}

/// What they think of which part a row is from; nothing for a set with groups, and where no such model can be made.
///
/// # Errors
/// [`Error::Stopped`].
pub(super) async fn of_parts(
    context: &Context,
    dataset: &Dataset,
    parts: &Split,
    seed: u32,
) -> Result<Option<Opinion>> {
    match data::parted(dataset, parts).filter(|_| dataset.groups.is_none()) {
        Some(parted) => asked(context, parted, seed, "comparing the parts").await,
        None => Ok(None),
    }
}

async fn asked(
    context: &Context,
    reduced: Reduced,
    seed: u32,
    stage: &str,
) -> Result<Option<Opinion>> {
    let mut recipe = Recipe::default_for("digits", "mlp");
    recipe.seed = seed;
    recipe.preprocessing.scale = "standardize".into();
    recipe.architecture.depth = Some(1);
    recipe.architecture.width = Some(WIDTH);
    let rows = reduced.split.train.len() as u32;
    recipe.training.epochs = (SEEN / rows.max(1)).clamp(EPOCHS[0], EPOCHS[1]);
    let (set, split) = (&reduced.dataset, &reduced.split);
    let rows = data::rows(set, &recipe.preprocessing, split)?;
    let classes = set.classes.len() as u32;
    let Ok(plan) = model::plan(&recipe, rows.shape, classes, split.train.len() as u32) else {
        return Ok(None);
    };
    let mut engine = CpuEngine::new();
    engine.load(&rows).await?;
    let shown = Cell::new(-1);
    let turn = async |fraction: f64| {
        // A hundred messages are enough for thousands of steps.
        let percent = (fraction * 100.0) as i32;
        if shown.replace(percent) != percent {
            return tell(context, stage, fraction).await;
        }
        if context.breathe().await {
            return Err(Error::Stopped);
        }
        Ok(())
    };
    let asked = (&split.train[..], &split.validation[..]);
    let answers =
        cross_validation::probabilities(&engine, &plan, &recipe, &rows, None, asked, FOLDS, turn);
    match answers.await {
        Ok(answers) => Ok(Some((reduced.asked, answers))),
        Err(Error::Stopped) => Err(Error::Stopped),
        // Rows too few for folds, or a training that came to nothing: the check then says that it was not made.
        Err(_) => Ok(None),
    }
}
