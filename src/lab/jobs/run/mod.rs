//! One run from recipe to record: plan, train, quantize, score, time, seal, and judge where a claim was given.
//!
//! Nothing here decides a number: stages call the modules that do, and turn what comes back into events.

mod boards;
mod engines;
mod measuring;
mod probing;
mod progress;
mod stages;
mod storing;
mod training;
mod trial;
mod trouble;
mod tuning;

use crate::error::{Error, Result};
use crate::lab::checkpoint::Checkpoint;
use crate::lab::context::Context;
use crate::lab::prepared::{Prepared, prepared};
use crate::lab::protocol::EventBody;
use crate::lab::sets;
use crate::model::Weights;
use crate::recipe::{self, Extra};
use crate::result::{Execution, Results, Training};
use crate::runlog::claim::Claim;
use crate::runlog::record::{self, Record, Status};
use crate::runlog::{time, verdict};
use engines::{Earlier, Engines};
use serde_json::{Value, json};
use training::Kept;
pub(in crate::lab::jobs) use tuning::tuned;

/// What a run command asks for.
pub(super) struct Request {
    pub(super) recipe: Value,
    pub(super) claim: Option<Value>,
    pub(super) checkpoint: Option<Vec<u8>>,
    pub(super) resumed_from: Option<String>,
    pub(super) hold_timing: bool,
    /// Weights that need no training.
    pub(super) trained: Option<Trained>,
}

/// What an earlier run of the same training left.
pub(super) struct Trained {
    pub(super) weights: Weights,
    pub(super) training: Option<Training>,
    /// On what that was, where its recipe asks for anything but the CPU.
    pub(super) execution: Option<Execution>,
}

/// The job of the command `run`.
pub(super) async fn run(context: Context, request: Request) -> Result<Value> {
    let recipe = recipe::from_value(request.recipe)?;
    let claim = request
        .claim
        .map(|claim| Claim::read(&claim.to_string()))
        .transpose()?;
    let prepared = prepared(&context, &recipe).await?;
    let plan = &prepared.plan;
    let began_millis = context.clock.now_millis();
    let checkpoint = request
        .checkpoint
        .map(|bytes| Checkpoint::read(&bytes))
        .transpose()?;
    let started = match &checkpoint {
        Some(checkpoint) => checkpoint.started.clone(),
        None => time::rfc3339_millis(context.clock.wall_secs() * 1e3),
    };
    let mut draft = Record {
        assay: "record".into(),
        version: record::VERSION,
        started: started.clone(),
        duration_secs: 0.0,
        status: Status::Interrupted,
        recipe_digest: recipe.digest(),
        recipe,
        results: Results {
            cost: Some(plan.cost.clone()),
            ..Results::default()
        },
        findings: None,
        predictions: None,
        digests: record::Digests {
            data: prepared.dataset.digest(),
            source: prepared.source.clone(),
            ..record::Digests::default()
        },
        environment: context.shared.environment().clone(),
        resumed_from: request.resumed_from,
        checked_claim: claim.as_ref().map(|claim| claim.digest.clone()),
        digest: String::new(),
        extra: Extra::new(),
    };
    context.send(EventBody::Planned {
        cost: plan.cost.clone(),
        steps_per_epoch: plan.steps_per_epoch,
        recipe_digest: draft.recipe_digest.clone(),
        started,
        record: unsealed(&draft)?,
    });
    context.turn().await;
    let findings = prepared.findings(&context, draft.recipe.seed).await?;
    sets::gate(&draft.recipe, &findings)?;
    draft.findings = Some(findings);
    boards::check(&draft.recipe, &prepared)?;
    let run = Run {
        context: &context,
        prepared: &prepared,
        began_millis,
        hold_timing: request.hold_timing,
        earlier_secs: checkpoint.as_ref().map_or(0.0, |it| it.active_secs),
    };
    let (from, earlier) = match (checkpoint, &request.trained) {
        (Some(it), _) => {
            let (trainer, epochs) = (it.trainer, it.epochs);
            let earlier = it.execution.map(|execution| Earlier {
                execution,
                epochs,
                words: [
                    "this is where the run had gone on before it was interrupted",
                    "the run was resumed without the GPU",
                ],
            });
            (Some(Kept { trainer, epochs }), earlier)
        }
        (None, Some(it)) => {
            let epochs = it.training.as_ref().map_or(0, |it| it.curve.len() as u32);
            let earlier = it.execution.clone().map(|execution| Earlier {
                execution,
                epochs,
                words: [
                    "this is where the model was trained",
                    "the model was trained on a GPU and is looked at without one",
                ],
            });
            (None, earlier)
        }
        (None, None) => (None, None),
    };
    let mut engines = Engines::open(&context, &prepared, &draft.recipe, earlier).await?;
    engines.note(&mut draft);
    let is_trained = request.trained.is_some();
    let weights = match request.trained {
        Some(trained) => Some(run.take_up(trained, &mut draft)),
        None if prepared.plan.stages.is_empty() => {
            run.train(&mut engines, &mut draft, from).await?
        }
        None => run.train_stages(&engines, &mut draft, from).await?,
    };
    let measured = run
        .measure(&mut engines, &mut draft, weights.as_ref())
        .await?;
    engines.keep_tiles();
    engines.note(&mut draft);
    draft.duration_secs = run.active_secs();
    let recipe_digest = draft.recipe_digest.clone();
    let (text, digest) = record::seal(draft);
    let kept = |weights: Weights| {
        context.put(weights.to_safetensors(&[("recipe_digest", &recipe_digest)]))
    };
    context.send(EventBody::Recorded {
        digest: digest.clone(),
        record: text.clone(),
        buffer: weights.filter(|_| !is_trained).map(kept),
        fine_tuned_buffer: measured.fine_tuned.map(kept),
    });
    if let Some(claim) = claim {
        let (record, _) = record::read(&text)?;
        let verdict = serde_json::to_value(verdict::judge(&claim, &record)).unwrap_or_default();
        context.send(EventBody::Verdict { verdict });
    }
    if let Some(playable) = measured.playable {
        *context.shared.playable.borrow_mut() = Some(playable);
    }
    Ok(json!({ "digest": digest }))
}

/// What the stages of one run share.
struct Run<'a> {
    context: &'a Context,
    prepared: &'a Prepared,
    began_millis: f64,
    hold_timing: bool,
    earlier_secs: f64,
}

impl Run<'_> {
    /// Goes on where another run's training ended.
    fn take_up(&self, trained: Trained, draft: &mut Record) -> Weights {
        draft.results.training = trained.training;
        draft.digests.weights = trained.weights.digest();
        draft.status = if self.context.is_stopped() {
            Status::Stopped
        } else {
            Status::Complete
        };
        trained.weights
    }

    /// Seconds spent so far, those before an interruption included.
    fn active_secs(&self) -> f64 {
        let secs = self.earlier_secs + (self.context.clock.now_millis() - self.began_millis) / 1e3;
        rounded_to(secs, 1e3)
    }
}

/// A record as JSON text, without a digest.
fn unsealed(record: &Record) -> Result<String> {
    let value = serde_json::to_value(record).map_err(|error| Error::Record(error.to_string()))?;
    Ok(value.to_string())
}

/// `number` rounded to whole parts of one `parts`-th.
fn rounded_to(number: f64, parts: f64) -> f64 {
    (number * parts).round() / parts
}
