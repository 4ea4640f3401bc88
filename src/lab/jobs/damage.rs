//! What a scheme did to a trained model, worked out between turns, for a record and for whoever asks; it records nothing.

use super::trained::{Trained, as_stored, refuse_stages};
use crate::error::Result;
use crate::eval::Inspection;
use crate::lab::context::Context;
use crate::lab::prepared::Prepared;
use crate::lab::protocol::{EventBody, WeightsBehind};
use crate::model::Weights;
use crate::quant::Stored;
use crate::result::{Accuracy, Damage};
use crate::stats::wilson;
use serde_json::{Value, json};

/// The damage on the test rows.
pub(super) async fn damage(
    context: &Context,
    prepared: &Prepared,
    weights: &Weights,
    stored: &Stored,
    confidence: f64,
) -> Result<Damage> {
    let (trained, rows) = ((&prepared.plan.graph, weights), &prepared.split.test);
    let mut inspection = Inspection::new(trained, stored, &prepared.rows, rows)?;
    loop {
        context.send(EventBody::Stage {
            name: "looking for damage".into(),
            fraction: inspection.fraction(),
        });
        // As with scoring, a stop does not cut this short.
        context.breathe().await;
        if !inspection.step(context.clock.as_ref())? {
            return inspection.finish(&prepared.dataset.classes, confidence);
        }
    }
}

/// The job of the command `inspect`: what the recipe's scheme does to trained weights.
pub(super) async fn inspect(
    context: Context,
    recipe: Value,
    weights: String,
    behind: Option<WeightsBehind>,
    bytes: Option<Vec<u8>>,
) -> Result<Value> {
    let trained = Trained::read(&context, recipe, &weights, behind, bytes).await?;
    refuse_stages(&trained.prepared, "the microscope")?;
    let stored = trained.stored(&context).await?;
    let confidence = trained.recipe.evaluation.confidence;
    let (prepared, weights) = (&trained.prepared, &trained.weights);
    let damage = damage(&context, prepared, weights, &stored, confidence).await?;
    let share = |right: fn(&crate::result::ClassDamage) -> u32| {
        let correct = damage.classes.iter().map(right).sum();
        let total = prepared.split.test.len() as u32;
        let (low, high) = wilson(correct, total, confidence);
        Accuracy {
            correct,
            total,
            low,
            high,
            confidence,
        }
    };
    Ok(json!({
        "exact": share(|it| it.right_before),
        "accuracy": share(|it| it.right_after),
        "weightBytes": stored.bytes(),
        "stored": stored.digest(),
        "cost": as_stored(&prepared.plan.cost, &stored),
        "damage": damage,
    }))
}
