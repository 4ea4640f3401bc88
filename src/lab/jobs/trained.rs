//! Trained weights that a command brought, checked against what is known of them before any work begins, and stored between
//! turns; it scores nothing.

use super::run;
use crate::data::staged;
use crate::engine::cpu::CpuEngine;
use crate::engine::{Engine as _, Executable, Parameters, cpu, gpu};
use crate::error::{Error, Result};
use crate::eval::{self, FineTuned, Staged, Storing, Tuner};
use crate::lab::context::Context;
use crate::lab::prepared::{Prepared, prepared};
use crate::lab::protocol::{EventBody, WeightsBehind};
use crate::model::Weights;
use crate::quant::{Stored, layer_of};
use crate::recipe::{self, QuantizationSpec, Recipe};
use crate::result::Cost;
use crate::runlog::record::{self, Record, Status};
use serde_json::Value;
use std::rc::Rc;

/// A recipe with trained weights of its model.
pub(super) struct Trained {
    pub(super) recipe: Recipe,
    pub(super) prepared: Prepared,
    pub(super) weights: Weights,
    /// Those that fine-tuning for the recipe's quantization left, where they came along.
    fine_tuned: Option<Weights>,
}

impl Trained {
    /// From the bytes of a safetensors file, and of a second one behind it where that is said; each has to have its digest.
    pub(super) async fn read(
        context: &Context,
        recipe: Value,
        digest: &str,
        behind: Option<WeightsBehind>,
        bytes: Option<Vec<u8>>,
    ) -> Result<Self> {
        let recipe = recipe::from_value(recipe)?;
        let bytes = bytes.ok_or_else(|| {
            Error::bad_input("the weights", "the bytes of a safetensors file", "nothing")
        })?;
        let prepared = prepared(context, &recipe).await?;
        let end = behind.as_ref().map_or(bytes.len(), |it| it.from as usize);
        let (bytes, rest) = bytes.split_at_checked(end).ok_or_else(|| {
            let got = format!("{} bytes", bytes.len());
            Error::bad_input("the weights", format!("more than {end} bytes"), got)
        })?;
        let graph = &prepared.plan.graph;
        let weights = Weights::from_safetensors(bytes, graph)?;
        is_digest("the weights", digest, &weights.digest())?;
        let fine_tuned = match behind {
            None => None,
            Some(behind) => {
                let spec = &recipe.quantization;
                let (graph, ..) = eval::made_ready(graph, &weights, spec)?;
                let tuned = Weights::from_safetensors(rest, &graph)?;
                let found = eval::fine_tuned_digest(digest, spec, &tuned);
                is_digest("the weights after fine-tuning", &behind.digest, &found)?;
                Some(tuned)
            }
        };
        Ok(Self {
            recipe,
            prepared,
            weights,
            fine_tuned,
        })
    }

    /// The weights as the recipe asks for them; fine-tuned anew, on the CPU, where what that had left did not come along.
    pub(super) async fn stored(&self, context: &Context) -> Result<Stored> {
        let spec = &self.recipe.quantization;
        let tuner = (self.fine_tuned.as_ref()).map_or(Tuner::Cpu, Tuner::Kept);
        let stored = stored(context, &self.prepared, &self.weights, spec, tuner);
        Ok(stored.await?.0)
    }
}

fn is_digest(what: &str, expected: &str, found: &str) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::bad_input(
        what,
        format!("those of the run, digest {expected}"),
        format!("digest {found}"),
    ))
}

/// A stored model on the CPU, ready to answer so many of its rows at a time.
///
/// # Errors
/// As [`Engine::prepare`] and [`Staged::new`].
pub(super) async fn answering(
    prepared: &Prepared,
    stored: &Stored,
    batch: u32,
) -> Result<Box<dyn Executable>> {
    let plan = &prepared.plan;
    if !plan.stages.is_empty() {
        let asked = Rc::new(staged::occupancy(&prepared.rows));
        let both = Staged::new(plan, stored.weights(), asked, batch)?;
        return Ok(Box::new(both));
    }
    let mut engine = CpuEngine::new();
    engine.load(&prepared.rows).await?;
    let parameters = Parameters::Stored(stored);
    engine.prepare(&plan.graph, parameters, batch).await
}

/// Refuses what looks into one graph where a model has two stages.
///
/// # Errors
/// [`Error::Unsupported`].
pub(super) fn refuse_stages(prepared: &Prepared, what: &str) -> Result<()> {
    if prepared.plan.stages.is_empty() {
        return Ok(());
    }
    Err(Error::Unsupported {
        feature: format!("{what} of a model of two stages"),
        why: "its stages are two models, stored as they were trained; train one with architecture.stages one".into(),
    })
}

/// Stores trained weights between turns, and tells what fine-tuned them and what that left. A stop cuts fine-tuning short; the
/// rest takes moments, as scoring does.
///
/// # Errors
/// As [`crate::eval::stored`]; [`Error::Stopped`] where the person stopped it.
pub(super) async fn stored(
    context: &Context,
    prepared: &Prepared,
    weights: &Weights,
    spec: &QuantizationSpec,
    tuner: Tuner<'_>,
) -> Result<(Stored, Option<FineTuned>)> {
    let (graph, training) = (&prepared.plan.graph, &prepared.split.train);
    let mut storing = Storing::with_tuner(graph, weights, spec, &prepared.rows, training, tuner);
    let mut told = None;
    loop {
        let stage = storing.stage();
        // A hundred messages are enough for thousands of steps.
        let shown = (stage.name, (stage.fraction * 100.0) as u32);
        if told.replace(shown) != Some(shown) {
            context.send(EventBody::Stage {
                name: stage.name.into(),
                fraction: stage.fraction,
            });
        }
        if context.breathe().await && stage.name == Storing::FINE_TUNING {
            return Err(Error::Stopped);
        }
        if let Some(stored) = storing.step()? {
            return Ok((stored, storing.fine_tuned()));
        }
        if storing.is_waiting() {
            context.turn().await;
        }
    }
}

/// What a planned model costs as it was stored: a tensor that could not take its scheme says so here, with its bytes.
pub(super) fn as_stored(planned: &Cost, stored: &Stored) -> Cost {
    let mut cost = planned.clone();
    cost.weight_bytes = stored.bytes();
    for layer in &mut cost.layers {
        let mut own = (stored.layers.iter())
            .filter(|it| layer_of(&it.name) == layer.name)
            .peekable();
        let Some(first) = own.peek() else {
            continue;
        };
        layer.scheme = first.scheme.name().into();
        layer.reason.clone_from(&first.reason);
        layer.bytes = own.map(|it| it.bytes.len() as u64).sum();
    }
    cost
}

/// A complete run whose model is to be stored otherwise, and that model.
pub(super) struct Base {
    record: Record,
    pub(super) trained: Trained,
}

impl Base {
    /// From a record's text and the weights that it names.
    ///
    /// # Errors
    /// [`Error::BadInput`] where the record was altered, its run did not end, was computed with another arithmetic than this
    /// build's, or has other weights; else as [`record::read`].
    pub(super) async fn read(
        context: &Context,
        text: &str,
        bytes: Option<Vec<u8>>,
    ) -> Result<Self> {
        let (record, is_altered) = record::read(text)?;
        let refused = |expected: &str, got: &str| {
            Err(Error::bad_input(
                "the run whose model is to be stored otherwise",
                expected,
                got,
            ))
        };
        if is_altered {
            return refused(
                "a record as it was sealed; run its recipe again for one",
                "one that was altered afterwards",
            );
        }
        if record.status != Status::Complete {
            return refused(
                "a complete one, so that each variant can be run again",
                "one that ended before its training did",
            );
        }
        // What a new record would claim of the training that it takes over.
        let found = &record.environment;
        let wanted = match found.engine.as_str() {
            "gpu" | "mixed" => gpu::ARITHMETIC,
            _ => cpu::ARITHMETIC,
        };
        if found.arithmetic != wanted {
            return refused(
                &format!(
                    "one with this version's arithmetic, {wanted}; run its recipe again to train the model anew"
                ),
                &format!("one with {:?}", found.arithmetic),
            );
        }
        let weights = &record.digests.weights;
        let recipe = record.recipe.to_value();
        let trained = Trained::read(context, recipe, weights, None, bytes).await?;
        refuse_stages(&trained.prepared, "variants and search")?;
        Ok(Self { record, trained })
    }

    /// Its recipe with another quantization; the model has to have room for it.
    pub(super) fn with(&self, quantization: Value) -> Result<Recipe> {
        let mut recipe = self.record.recipe.to_value();
        recipe["quantization"] = quantization;
        let recipe = recipe::from_value(recipe)?;
        self.trained.prepared.planned(&recipe)?;
        Ok(recipe)
    }

    /// Whether the run was measured on a GPU, as a run that begins where its training ended would be.
    pub(super) fn is_of_a_gpu(&self) -> bool {
        let execution = self.record.results.execution.as_ref();
        let last = execution.and_then(|it| it.parts.last());
        last.is_some_and(|part| part.engine == "gpu")
    }

    /// A run of such a recipe that begins where this one's training ended.
    pub(super) fn request(&self, recipe: &Recipe) -> run::Request {
        let results = &self.record.results;
        run::Request {
            recipe: recipe.to_value(),
            claim: None,
            checkpoint: None,
            resumed_from: None,
            hold_timing: false,
            trained: Some(run::Trained {
                weights: self.trained.weights.clone(),
                training: results.training.clone(),
                execution: results.execution.clone(),
            }),
        }
    }
}
