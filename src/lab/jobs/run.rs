//! One run from recipe to record: plan, train, quantize, score, time, seal, and judge where a claim was given.
//!
//! Nothing here decides a number: stages call the modules that do, and turn what comes back into events.

use super::measure;
use crate::engine::cpu::CpuEngine;
use crate::engine::{Engine, Executable, Parameters};
use crate::error::{Error, Result};
use crate::eval;
use crate::lab::checkpoint::Checkpoint;
use crate::lab::context::{Context, Playable};
use crate::lab::prepared::{Prepared, prepare};
use crate::lab::protocol::EventBody;
use crate::model::Weights;
use crate::quant;
use crate::recipe::{self, Extra};
use crate::result::{EpochPoint, Results, Training};
use crate::runlog::claim::Claim;
use crate::runlog::record::{self, Record, Status};
use crate::runlog::{time, verdict};
use crate::train::{Ended, Step, Trainer};
use serde_json::{Value, json};

/// What a run command asks for.
pub(super) struct Request {
    pub(super) recipe: Value,
    pub(super) claim: Option<Value>,
    pub(super) checkpoint: Option<Vec<u8>>,
    pub(super) resumed_from: Option<String>,
    pub(super) hold_timing: bool,
}

/// Rows per call while the test rows are scored.
const SCORE_ROWS: u32 = 64;
/// Progress events are this far apart.
const PROGRESS_MILLIS: f64 = 200.0;

/// The job of the command `run`.
pub(super) async fn run(context: Context, request: Request) -> Result<Value> {
    let recipe = recipe::from_value(request.recipe)?;
    let claim = request
        .claim
        .map(|claim| Claim::read(&claim.to_string()))
        .transpose()?;
    let prepared = prepare(&recipe)?;
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
        predictions: None,
        digests: record::Digests {
            data: prepared.dataset.digest(),
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
    let run = Run {
        context: &context,
        prepared: &prepared,
        began_millis,
        hold_timing: request.hold_timing,
        earlier_secs: checkpoint.as_ref().map_or(0.0, |it| it.active_secs),
    };
    let mut engine = CpuEngine::new();
    engine.load(&prepared.rows).await?;
    let weights = run.train(&engine, &mut draft, checkpoint).await?;
    let playable = run.measure(&engine, &mut draft, weights.as_ref()).await?;
    draft.duration_secs = run.active_secs();
    let recipe_digest = draft.recipe_digest.clone();
    let (text, digest) = record::seal(draft);
    context.send(EventBody::Recorded {
        digest: digest.clone(),
        record: text.clone(),
        buffer: weights.map(|weights| {
            context.put(weights.to_safetensors(&[("recipe_digest", &recipe_digest)]))
        }),
    });
    if let Some(claim) = claim {
        let (record, _) = record::read(&text)?;
        let verdict = serde_json::to_value(verdict::judge(&claim, &record)).unwrap_or_default();
        context.send(EventBody::Verdict { verdict });
    }
    if let Some(playable) = playable {
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
    /// Seconds spent so far, those before an interruption included.
    fn active_secs(&self) -> f64 {
        let secs = self.earlier_secs + (self.context.clock.now_millis() - self.began_millis) / 1e3;
        rounded_to(secs, 1e3)
    }

    /// Trains to the end, to a stop or to a non-finite loss; the kept weights, if any epoch was finished.
    async fn train(
        &self,
        engine: &CpuEngine,
        draft: &mut Record,
        checkpoint: Option<Checkpoint>,
    ) -> Result<Option<Weights>> {
        let context = self.context;
        let Prepared {
            plan, rows, split, ..
        } = self.prepared;
        let recipe = &draft.recipe;
        let mut trainer = match checkpoint {
            Some(it) => Trainer::resume(engine, plan, recipe, rows, split, &it.trainer).await?,
            None => Trainer::new(engine, plan, recipe, rows, split).await?,
        };
        let mut progress = Progress::new(context.clock.now_millis(), trainer.steps());
        let mut epoch_began = context.clock.now_millis();
        let (status, ended) = loop {
            if context.breathe().await {
                break (Status::Stopped, "stopped");
            }
            match trainer.step().await? {
                Step::Stepped {
                    loss,
                    correct,
                    rows,
                } => {
                    progress.add(loss, correct, rows);
                    let now = context.clock.now_millis();
                    if progress.is_due(now) {
                        context.send(progress.take(now, &trainer, recipe.training.epochs));
                    }
                }
                Step::EpochDone(point) => {
                    let now = context.clock.now_millis();
                    let secs = rounded_to((now - epoch_began) / 1e3, 1e4);
                    epoch_began = now;
                    trainer.time_epoch(secs);
                    context.send(EventBody::Epoch {
                        point: EpochPoint { secs, ..point },
                    });
                    self.send_checkpoint(draft, &mut trainer).await?;
                }
                Step::NonFinite { step } => {
                    context.send(EventBody::NonFinite { step });
                    break (Status::NonFinite, Ended::NonFinite.name());
                }
                Step::Finished(ended) => break (Status::Complete, ended.name()),
            }
        };
        draft.status = status;
        draft.results.training = Some(self.training(&trainer, ended));
        let kept = trainer.kept().map(|(weights, _)| weights.clone());
        if let Some(weights) = &kept {
            draft.digests.weights = weights.digest();
        }
        Ok(kept)
    }

    /// How training went so far.
    fn training(&self, trainer: &Trainer, ended: &str) -> Training {
        let curve = trainer.curve().to_vec();
        let secs: f64 = curve.iter().map(|point| point.secs).sum();
        let rows = (curve.len() * self.prepared.split.train.len()) as f64;
        Training {
            steps: trainer.steps(),
            kept_epoch: trainer.kept().map_or(0, |(_, epoch)| epoch),
            samples_per_sec: if secs > 0.0 {
                (rows / secs).round()
            } else {
                0.0
            },
            ended: ended.into(),
            non_finite_step: trainer.non_finite_step(),
            curve,
        }
    }

    /// Hands out what a later run can go on from, with the record that tells of this one if it never ends.
    async fn send_checkpoint(&self, draft: &Record, trainer: &mut Trainer) -> Result<()> {
        let mut so_far = draft.clone();
        so_far.duration_secs = self.active_secs();
        so_far.results.training = Some(self.training(trainer, "interrupted"));
        if let Some((weights, _)) = trainer.kept() {
            so_far.digests.weights = weights.digest();
        }
        let checkpoint = Checkpoint {
            started: so_far.started.clone(),
            active_secs: so_far.duration_secs,
            trainer: trainer.checkpoint().await?,
        };
        let record = unsealed(&so_far)?;
        self.context.send(EventBody::Checkpoint {
            buffer: self.context.put(checkpoint.to_bytes()),
            epoch: trainer.curve().len() as u32,
            record,
        });
        Ok(())
    }

    /// Quantizes the kept weights, scores the test rows and times calls; fills the draft as far as it gets.
    async fn measure(
        &self,
        engine: &CpuEngine,
        draft: &mut Record,
        weights: Option<&Weights>,
    ) -> Result<Option<Playable>> {
        let Some(weights) = weights else {
            return Ok(None);
        };
        if draft.status == Status::NonFinite {
            return Ok(None);
        }
        let context = self.context;
        let Prepared {
            dataset,
            split,
            plan,
            rows,
        } = self.prepared;
        let stage = |name: &str, fraction| {
            context.send(EventBody::Stage {
                name: name.into(),
                fraction,
            });
        };
        stage("quantizing", 0.0);
        let stored = quant::quantize(&plan.graph, weights, &draft.recipe.quantization.scheme)?;
        draft.digests.stored = stored.digest();
        let batch = draft.recipe.evaluation.throughput_batch;
        let mut executable = engine
            .prepare(
                &plan.graph,
                Parameters::Stored(&stored),
                batch.max(SCORE_ROWS),
            )
            .await?;
        stage("scoring", 0.0);
        context.turn().await;
        let mut logits = Vec::new();
        let test = &split.test;
        for (index, part) in test.chunks(SCORE_ROWS as usize).enumerate() {
            logits.extend(executable.logits(part).await?);
            stage(
                "scoring",
                ((index + 1) * SCORE_ROWS as usize) as f64 / test.len() as f64,
            );
            // A stop does not cut scoring short: it takes milliseconds and is what the person will want to see.
            context.breathe().await;
        }
        let labels: Vec<u16> = test
            .iter()
            .map(|&row| dataset.labels[row as usize])
            .collect();
        let confidence = draft.recipe.evaluation.confidence;
        let scored = eval::score(&logits, test, &labels, &dataset.classes, confidence)?;
        draft.results.accuracy = Some(scored.accuracy);
        draft.results.test_loss = Some(scored.loss);
        draft.results.confusion = Some(scored.confusion);
        draft.results.classes = scored.classes;
        draft.digests.predictions = scored.predictions_digest;
        draft.predictions = Some(scored.predictions);
        if draft.recipe.evaluation.latency_secs > 0.0 && draft.status == Status::Complete {
            self.time(draft, executable.as_mut()).await?;
        }
        Ok(Some(Playable {
            plan: plan.clone(),
            set: dataset.set.clone(),
            scaler: rows.scaler,
            executable,
        }))
    }

    /// The two latency measurements; a stop keeps the one that was finished.
    async fn time(&self, draft: &mut Record, executable: &mut dyn Executable) -> Result<()> {
        let (context, rows) = (self.context, &self.prepared.split.test);
        let evaluation = &draft.recipe.evaluation;
        let batch = evaluation.throughput_batch;
        if self.hold_timing && measure::stopped_while_waiting(context).await {
            draft.status = Status::Stopped;
            return Ok(());
        }
        draft.results.latency =
            measure::latency(context, executable, rows, 1, evaluation, "timing one row").await?;
        if draft.results.latency.is_some() {
            draft.results.throughput = measure::latency(
                context,
                executable,
                rows,
                batch,
                evaluation,
                "timing a batch",
            )
            .await?;
        }
        if draft.results.throughput.is_none() {
            draft.status = Status::Stopped;
        }
        Ok(())
    }
}

/// A record as JSON text, without a digest.
fn unsealed(record: &Record) -> Result<String> {
    serde_json::to_string(record).map_err(|error| Error::Record(error.to_string()))
}

/// `number` rounded to whole parts of one `parts`-th.
fn rounded_to(number: f64, parts: f64) -> f64 {
    (number * parts).round() / parts
}

/// What happened since the last progress event.
struct Progress {
    began_millis: f64,
    began_step: u64,
    last_millis: f64,
    loss: f64,
    correct: u32,
    rows: u32,
}

impl Progress {
    fn new(now: f64, step: u64) -> Self {
        Self {
            began_millis: now,
            began_step: step,
            last_millis: now,
            loss: 0.0,
            correct: 0,
            rows: 0,
        }
    }

    fn add(&mut self, loss: f64, correct: u32, rows: u32) {
        self.loss += loss * f64::from(rows);
        self.correct += correct;
        self.rows += rows;
    }

    fn is_due(&self, now: f64) -> bool {
        now - self.last_millis >= PROGRESS_MILLIS
    }

    fn take(&mut self, now: f64, trainer: &Trainer, epochs: u32) -> EventBody {
        let rows = f64::from(self.rows.max(1));
        let done = (trainer.steps() - self.began_step) as f64;
        let left = trainer.planned_steps().saturating_sub(trainer.steps()) as f64;
        let event = EventBody::Progress {
            epoch: trainer.curve().len() as u32 + 1,
            epochs,
            step: trainer.steps(),
            steps: trainer.planned_steps(),
            loss: self.loss / rows,
            accuracy: f64::from(self.correct) / rows,
            samples_per_sec: f64::from(self.rows) / ((now - self.last_millis) / 1e3).max(1e-6),
            eta_secs: (done > 0.0).then(|| (now - self.began_millis) / 1e3 / done * left),
        };
        *self = Self {
            began_millis: self.began_millis,
            ..Self::new(now, self.began_step)
        };
        event
    }
}
