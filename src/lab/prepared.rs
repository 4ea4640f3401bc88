//! From a recipe to what every job starts with: the data, its split, the features, the planned model.

use crate::data::{self, Dataset, Rows, Split};
use crate::error::Result;
use crate::model::{self, Plan};
use crate::recipe::Recipe;

/// What every job starts with. Nothing of it depends on an engine.
pub struct Prepared {
    /// The set.
    pub dataset: Dataset,
    /// Its rows, divided.
    pub split: Split,
    /// The features of all its rows.
    pub rows: Rows,
    /// The model, planned within the limits.
    pub plan: Plan,
}

/// Prepares a recipe; the model is planned before the features are computed.
///
/// # Errors
/// What the data's split or the model's plan refuses, in words.
pub fn prepare(recipe: &Recipe) -> Result<Prepared> {
    let dataset = data::from_spec(&recipe.data)?;
    let split = data::split(&dataset, &recipe.split, recipe.seed)?;
    let plan = plan(recipe, &dataset, split.train.len())?;
    let rows = data::rows(&dataset, &recipe.preprocessing, &split)?;
    Ok(Prepared {
        dataset,
        split,
        rows,
        plan,
    })
}

fn plan(recipe: &Recipe, dataset: &Dataset, train_rows: usize) -> Result<Plan> {
    let shape = [dataset.channels, dataset.height, dataset.width];
    model::plan(
        recipe,
        shape,
        dataset.classes.len() as u32,
        train_rows as u32,
    )
}

/// Plans a recipe's model without computing anything on its data.
///
/// # Errors
/// As [`prepare`].
pub fn planned(recipe: &Recipe) -> Result<Plan> {
    let dataset = data::from_spec(&recipe.data)?;
    let split = data::split(&dataset, &recipe.split, recipe.seed)?;
    plan(recipe, &dataset, split.train.len())
}
