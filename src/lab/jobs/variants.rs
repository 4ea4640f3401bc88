//! One trained model under many quantizations, a record for each; each variant is a run that starts from the weights.

use super::run;
use super::trained::Base;
use crate::error::{Error, Result};
use crate::lab::context::Context;
use crate::lab::protocol::EventBody;
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
    if quantizations.len() > MOST {
        return Err(Error::TooLarge {
            what: "the list of variants".into(),
            got: quantizations.len() as u64,
            limit: MOST as u64,
            unit: "entries",
        });
    }
    let base = Base::read(&context, &record, bytes).await?;
    // Every recipe is read and planned before the work begins: what cannot be made should be said now.
    let recipes = (quantizations.into_iter())
        .map(|quantization| base.with(quantization))
        .collect::<Result<Vec<_>>>()?;
    let count = recipes.len() as u32;
    let mut digests = Vec::new();
    for (recipe, index) in recipes.iter().zip(0..) {
        if context.is_stopped() {
            break;
        }
        context.send(EventBody::Variant { index, count });
        let mut done = run::run(context.clone(), base.request(recipe)).await?;
        digests.push(done["digest"].take());
    }
    Ok(json!({ "digests": digests }))
}
