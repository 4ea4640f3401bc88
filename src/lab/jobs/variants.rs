//! One trained model under many quantizations, a record for each; each variant is a run that starts from the weights.

use super::run::{self, Request, Trained};
use crate::error::{Error, Result};
use crate::lab::context::Context;
use crate::lab::protocol::EventBody;
use crate::recipe;
use crate::runlog::record::{self, Status};
use serde_json::{Value, json};

/// More variants than this in one command are refused.
const MOST: usize = 256;

/// The job of the command `variants`.
pub(super) async fn variants(
    context: Context,
    record: String,
    quantizations: Vec<Value>,
    bytes: Option<Vec<u8>>,
) -> Result<Value> {
    let (base, _) = record::read(&record)?;
    if base.status != Status::Complete {
        return Err(Error::bad_input(
            "the run whose model is to be stored otherwise",
            "a complete one, so that each variant can be run again",
            "one that ended before its training did",
        ));
    }
    if quantizations.len() > MOST {
        return Err(Error::TooLarge {
            what: "the list of variants".into(),
            got: quantizations.len() as u64,
            limit: MOST as u64,
            unit: "entries",
        });
    }
    let bytes = bytes.ok_or_else(|| {
        Error::bad_input("the weights", "the bytes of a safetensors file", "nothing")
    })?;
    // Every recipe is read before the work begins: what cannot be asked should be said now.
    let recipes = quantizations
        .into_iter()
        .map(|quantization| {
            let mut recipe = base.recipe.to_value();
            recipe["quantization"] = quantization;
            recipe::from_value(recipe)
        })
        .collect::<Result<Vec<_>>>()?;
    let count = recipes.len() as u32;
    let mut digests = Vec::new();
    for (recipe, index) in recipes.into_iter().zip(0..) {
        if context.is_stopped() {
            break;
        }
        context.send(EventBody::Variant { index, count });
        let trained = Trained {
            weights: bytes.clone(),
            digest: base.digests.weights.clone(),
            training: base.results.training.clone(),
        };
        let request = Request {
            recipe: recipe.to_value(),
            claim: None,
            checkpoint: None,
            resumed_from: None,
            hold_timing: false,
            trained: Some(trained),
        };
        let mut done = run::run(context.clone(), request).await?;
        digests.push(done["digest"].take());
    }
    Ok(json!({ "digests": digests }))
}
