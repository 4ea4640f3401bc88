//! From a recipe to what every job starts with: the data, its split, the features, the planned model.

use super::context::Context;
use super::sets::{Divided, divide};
use crate::data::{self, Dataset, Rows, Split};
use crate::error::Result;
use crate::model::{self, Plan};
use crate::recipe::Recipe;
use std::ops::Deref;
use std::rc::Rc;

/// What every job starts with. Nothing of it depends on an engine.
pub struct Prepared {
    divided: Rc<Divided>,
    /// The division that a training uses: the set's own, and where the recipe augments, rows beyond the set's that train too.
    pub split: Split,
    /// The features of all rows, the set's first.
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
        let classes = self.dataset.classes.len();
        plan(
            recipe,
            self.rows.shape,
            classes,
            &self.rows.labels,
            &self.split,
        )
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
    let (dataset, clean) = (&divided.dataset, &divided.split);
    let augmented = data::augmented(dataset, clean, recipe.training.augmentation())?;
    let split = augmented.as_ref().map_or(clean, |(_, split)| split).clone();
    let dataset = augmented.as_ref().map_or(&**dataset, |(data, _)| data);
    let plan = of_dataset(recipe, dataset, &split)?;
    // The set's own training rows decide the scale.
    let rows = data::rows(dataset, &recipe.preprocessing, clean)?;
    Ok(Prepared {
        divided,
        split,
        rows,
        plan,
    })
}

fn of_dataset(recipe: &Recipe, dataset: &Dataset, split: &Split) -> Result<Plan> {
    let (shape, classes) = (dataset.shape(), dataset.classes.len());
    plan(recipe, shape, classes, &dataset.labels, split)
}

fn plan(
    recipe: &Recipe,
    shape: [u32; 3],
    classes: usize,
    labels: &[u16],
    split: &Split,
) -> Result<Plan> {
    let train_rows = split.train.len() as u32;
    if recipe.architecture.has_two_stages() {
        let occupied = data::staged::occupied(labels, split).train.len();
        let rows = [train_rows, occupied as u32];
        return model::plan_stages(recipe, shape, classes as u32, rows);
    }
    model::plan(recipe, shape, classes as u32, train_rows)
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
    let augmented = data::augmented(&dataset, &split, recipe.training.augmentation())?;
    let (dataset, split) = augmented.unwrap_or((dataset, split));
    of_dataset(recipe, &dataset, &split)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn augmented_rows_train_and_neither_test_nor_decide_the_scale() {
        let mut recipe = Recipe::default_for("chess", "lenet");
        recipe.data.size = Some(60);
        recipe.preprocessing.scale = "standardize".into();
        let plain = prepare(&recipe).expect("fits");
        recipe.training.augmentation = Some("colours".into());
        let more = prepare(&recipe).expect("fits");
        assert_eq!(more.split.train.len(), 2 * plain.split.train.len());
        assert_eq!(more.split.test, plain.split.test);
        assert_eq!(more.split.validation, plain.split.validation);
        assert_eq!(more.rows.scaler, plain.rows.scaler);
        let own = plain.rows.features.len();
        assert_eq!(more.rows.features[..own], plain.rows.features);
        assert_eq!(more.dataset.digest(), plain.dataset.digest());
        // An epoch has the steps that it takes, in the plan without data too.
        let batch = recipe.training.batch_size;
        let steps = (more.split.train.len() as u32).div_ceil(batch);
        assert_eq!(more.plan.steps_per_epoch, steps);
        assert_eq!(planned(&recipe), Ok(more.plan.clone()));
        assert_eq!(
            more.plan.cost.training_macs,
            2 * plain.plan.cost.training_macs
        );
        // What the checks see is the set without them.
        assert_eq!(more.divided.split, plain.split);
    }
}
