//! Scores single pictures with the last trained or loaded model.

use super::trained::{Trained, answering};
use crate::error::{Error, Result};
use crate::eval;
use crate::lab::context::{Context, Playable};
use crate::lab::prepared::Prepared;
use crate::lab::protocol::{Scores, WeightsBehind};
use serde_json::{Value, json};

/// Makes a record's weights the model to play with, under its recipe's scheme.
pub(super) async fn load(
    context: Context,
    recipe: Value,
    weights: String,
    behind: Option<WeightsBehind>,
    bytes: Option<Vec<u8>>,
) -> Result<Value> {
    let trained = Trained::read(&context, recipe, &weights, behind, bytes).await?;
    let stored = trained.stored(&context).await?;
    let Prepared { rows, plan, .. } = &trained.prepared;
    let executable = answering(&trained.prepared, &stored, 1).await?;
    *context.shared.playable.borrow_mut() = Some(Playable {
        plan: plan.clone(),
        rows: trained.prepared.dataset.rows(),
        scaler: rows.scaler,
        executable,
    });
    Ok(json!({}))
}

/// Scores a row of the model's set, or a drawn picture.
pub(super) async fn predict(
    context: Context,
    row: Option<u32>,
    image: Option<Vec<f32>>,
) -> Result<Value> {
    // Taken out while it works: the future must not hold the borrow across an await.
    let Some(mut playable) = context.shared.playable.borrow_mut().take() else {
        return Err(Error::bad_input(
            "the model to play with",
            "a finished run, or a loaded one",
            "none",
        ));
    };
    let answer = scores(&context, &mut playable, row, image).await;
    let mut place = context.shared.playable.borrow_mut();
    if place.is_none() {
        *place = Some(playable);
    }
    answer
}

async fn scores(
    context: &Context,
    playable: &mut Playable,
    row: Option<u32>,
    image: Option<Vec<f32>>,
) -> Result<Value> {
    let began = context.clock.now_millis();
    let logits = match (row, image) {
        (Some(row), None) => {
            let rows = playable.rows;
            if row >= rows {
                return Err(Error::bad_input(
                    "row",
                    format!("a row below {rows}"),
                    row.to_string(),
                ));
            }
            playable.executable.logits(&[row]).await?
        }
        (None, Some(image)) => {
            let expected = playable.plan.graph.input.iter().product::<u32>() as usize;
            if image.len() != expected || image.iter().any(|it| !(0.0..=1.0).contains(it)) {
                return Err(Error::bad_input(
                    "image",
                    format!("{expected} numbers from 0 to 1"),
                    format!("{} numbers", image.len()),
                ));
            }
            let features = playable.scaler.apply(&image);
            playable.executable.predict(&features).await?
        }
        _ => {
            return Err(Error::bad_input(
                "predict",
                "a row or an image",
                "both or neither",
            ));
        }
    };
    let millis = context.clock.now_millis() - began;
    let probabilities = eval::softmax(&logits);
    let predicted = eval::argmax(&logits) as u16;
    serde_json::to_value(Scores {
        probabilities,
        predicted,
        millis,
    })
    .map_err(|error| Error::Engine {
        engine: "cpu",
        during: "scoring a picture",
        reason: error.to_string(),
    })
}
