//! From a recipe to what every job starts with: the data, its split, the features, the planned model.

use super::context::Context;
use super::sets::{Divided, divide};
use crate::data::{self, Dataset, Rows};
use crate::error::Result;
use crate::model::{self, Plan};
use crate::recipe::Recipe;
use std::ops::Deref;
use std::rc::Rc;

/// What every job starts with. Nothing of it depends on an engine.
pub struct Prepared {
    divided: Rc<Divided>,
    /// The features of all its rows.
    pub rows: Rows,
    /// The model, planned within the limits.
    pub plan: Plan,
}

impl Deref for Prepared {
    type Target = Divided;

    fn deref(&self) -> &Divided {
        &self.divided
    }
}

/// As [`prepare`], from the sets that the lab keeps.
///
/// # Errors
/// As [`prepare`], and [`crate::error::Error::Stopped`] while the set was made.
pub(super) async fn prepared(context: &Context, recipe: &Recipe) -> Result<Prepared> {
    // A model that does not fit is refused before the set is made.
    planned(recipe)?;
    from_divided(context.shared.sets.of(context, recipe).await?, recipe)
}

impl Prepared {
    /// Plans the model of a recipe for the same data and split.
    ///
    /// # Errors
    /// As [`prepare`].
    pub fn planned(&self, recipe: &Recipe) -> Result<Plan> {
        plan(recipe, &self.dataset, self.split.train.len())
    }
}

/// Prepares a recipe; the model is planned before the features are computed.
///
/// # Errors
/// What the data's split or the model's plan refuses, in words.
pub fn prepare(recipe: &Recipe) -> Result<Prepared> {
    from_divided(Rc::new(divide(recipe)?), recipe)
}

fn from_divided(divided: Rc<Divided>, recipe: &Recipe) -> Result<Prepared> {
    let (dataset, split) = (&divided.dataset, &divided.split);
    let plan = plan(recipe, dataset, split.train.len())?;
    let rows = data::rows(dataset, &recipe.preprocessing, split)?;
    Ok(Prepared {
        divided,
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
    let dataset = data::outline(&recipe.data)?;
    let split = data::split(&dataset, &recipe.split, recipe.seed)?;
    let (dataset, split) = match recipe.data.edits()? {
        Some(edits) => data::edit(dataset, split, edits)?,
        None => (dataset, split),
    };
    plan(recipe, &dataset, split.train.len())
}
