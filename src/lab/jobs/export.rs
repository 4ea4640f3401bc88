//! A model's stored weights as a file that has proved itself: read back from its bytes, it gives the same answers on every
//! test row, or it is not handed out.

use super::measure::SCORE_ROWS;
use super::trained::{Trained, answering};
use crate::engine::cpu::ARITHMETIC;
use crate::error::{Error, Result};
use crate::eval::{argmax, predictions_digest};
use crate::lab::context::Context;
use crate::lab::prepared::Prepared;
use crate::lab::protocol::{EventBody, WeightsBehind};
use crate::model::graph_json;
use crate::model::stages::STAGES;
use crate::quant::Stored;
use crate::quant::export::{self, Format, Metadata};
use serde_json::{Value, json};

/// The job of the command `export`.
pub(super) async fn export(
    context: Context,
    recipe: Value,
    format: String,
    weights: String,
    behind: Option<WeightsBehind>,
    bytes: Option<Vec<u8>>,
) -> Result<Value> {
    let format = Format::from_name(&format)?;
    let trained = Trained::read(&context, recipe, &weights, behind, bytes).await?;
    let prepared = &trained.prepared;
    let stored = trained.stored(&context).await?;
    let wanted = answers(&context, prepared, &stored, "scoring").await?;
    let recipe = &trained.recipe;
    let graph = stored.graph(&prepared.plan.graph);
    let mut metadata: Metadata = [
        ("recipe_digest", recipe.digest()),
        ("recipe", recipe.to_value().to_string()),
        ("scheme", recipe.quantization.scheme.clone()),
        ("graph", graph_json::to_value(graph).to_string()),
        ("stored_digest", stored.digest()),
        ("predictions_digest", wanted.clone()),
        ("arithmetic", ARITHMETIC.into()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into();
    if !prepared.plan.stages.is_empty() {
        // The graph holds both beside each other; how they answer together is docs/chess-knowledge.md's.
        metadata.insert("stages".into(), STAGES.join(" "));
    }
    let file = export::write(&stored, format, &metadata)?;
    prove(&context, prepared, &file, format, (&stored, &wanted)).await?;
    Ok(json!({
        "bytes": file.len(),
        "predictions": wanted,
        "stored": stored.digest(),
        "rows": prepared.split.test.len(),
        "buffer": context.put(file),
    }))
}

/// Refuses a file that, read back, is not the model that was stored or does not give its answers.
async fn prove(
    context: &Context,
    prepared: &Prepared,
    file: &[u8],
    format: Format,
    (stored, wanted): (&Stored, &str),
) -> Result<()> {
    let failed = |reason: String| Error::Engine {
        engine: "cpu",
        during: "proving an export, which is not handed out",
        reason,
    };
    let (back, _) = export::read(file, format, stored.graph(&prepared.plan.graph))
        .map_err(|error| failed(error.to_string()))?;
    let found = answers(context, prepared, &back, "proving the file").await?;
    if found != wanted {
        let reason =
            format!("the file's model answers with digest {found}, the stored one with {wanted}");
        return Err(failed(reason));
    }
    if back.digest() != stored.digest() {
        return Err(failed("the file's weights are not the stored ones".into()));
    }
    Ok(())
}

/// Digest of a model's answers on the test rows, by the CPU.
async fn answers(
    context: &Context,
    prepared: &Prepared,
    stored: &Stored,
    stage: &str,
) -> Result<String> {
    let mut executable = answering(prepared, stored, SCORE_ROWS).await?;
    let rows = &prepared.split.test;
    let mut predicted = Vec::with_capacity(rows.len());
    for part in rows.chunks(SCORE_ROWS as usize) {
        let logits = executable.logits(part).await?;
        let classes = (logits.len() / part.len()).max(1);
        predicted.extend(logits.chunks_exact(classes).map(|row| argmax(row) as u16));
        context.send(EventBody::Stage {
            name: stage.into(),
            fraction: predicted.len() as f64 / rows.len() as f64,
        });
        if context.breathe().await {
            return Err(Error::Stopped);
        }
    }
    Ok(predictions_digest(rows, &predicted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::{self, ManualClock};
    use crate::lab::context::{Control, Outbox, Shared};
    use crate::lab::prepared::prepare;
    use crate::model::Weights;
    use crate::recipe::Recipe;
    use crate::runlog::record::Environment;
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::task::{Context as Task, Poll, Waker};

    fn ready<T>(future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        loop {
            let mut task = Task::from_waker(Waker::noop());
            if let Poll::Ready(value) = future.as_mut().poll(&mut task) {
                return value;
            }
        }
    }

    fn context() -> Context {
        Context::new(
            1,
            Rc::new(ManualClock::default()),
            Rc::<Control>::default(),
            Rc::new(RefCell::new(Outbox::default())),
            Rc::new(Shared::new(Environment::default())),
        )
    }

    fn stored(prepared: &Prepared, weights: &Weights, recipe: &Recipe) -> Stored {
        let (graph, training) = (&prepared.plan.graph, &prepared.split.train);
        let spec = &recipe.quantization;
        eval::stored(graph, weights, spec, &prepared.rows, training).expect("fits")
    }

    #[test]
    fn a_file_whose_weights_changed_is_refused() {
        let mut recipe = Recipe::default_for("digits", "mlp");
        recipe.quantization.scheme = "int8-weights".into();
        let prepared = prepare(&recipe).expect("fits");
        let graph = &prepared.plan.graph;
        let weights = Weights::init(graph, 3).expect("fits");
        let stored = stored(&prepared, &weights, &recipe);
        let format = Format::Safetensors;
        let mut file = export::write(&stored, format, &Metadata::new()).expect("writes");
        let context = context();
        let wanted = ready(answers(&context, &prepared, &stored, "")).expect("answers");
        let proof =
            |file: &[u8]| ready(prove(&context, &prepared, file, format, (&stored, &wanted)));
        assert_eq!(proof(&file), Ok(()));
        // One bit of one weight, which may change no answer, and then all of the last bytes, which do.
        let last = file.len() - 1;
        file[last] ^= 1;
        let error = proof(&file).expect_err("refused").to_string();
        assert!(error.contains("not handed out"), "{error}");
        for byte in file.iter_mut().rev().take(600) {
            *byte = byte.wrapping_mul(77).max(1) & 0x7f;
        }
        let error = proof(&file).expect_err("refused").to_string();
        assert!(error.contains("answers with digest"), "{error}");
    }

    #[test]
    fn a_model_that_was_pruned_proves_itself_with_its_norms_and_without() {
        for (family, scheme, pruning) in [
            ("lenet", "int8", "channels"),
            ("resnet", "int4", "channels"),
            ("resnet", "f32", "channels"),
            ("mobilenet", "int8", "weights"),
            ("mobilenet", "f16", "weights"),
        ] {
            let mut recipe = Recipe::default_for("digits", family);
            recipe.quantization.scheme = scheme.into();
            recipe.quantization.pruning = Some(pruning.into());
            let prepared = prepare(&recipe).expect("fits");
            let weights = Weights::init(&prepared.plan.graph, 3).expect("fits");
            let stored = stored(&prepared, &weights, &recipe);
            let format = Format::Safetensors;
            let file = export::write(&stored, format, &Metadata::new()).expect("writes");
            let context = context();
            let wanted = ready(answers(&context, &prepared, &stored, "")).expect("answers");
            let proof = ready(prove(
                &context,
                &prepared,
                &file,
                format,
                (&stored, &wanted),
            ));
            assert_eq!(proof, Ok(()), "{family} {scheme} {pruning}");
        }
    }
}
