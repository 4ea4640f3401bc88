//! The stages after training: quantizing, scoring, checking a GPU's answers against the CPU's, and timing.

use super::Run;
use super::engines::Engines;
use super::storing::epochs;
use crate::data::Split;
use crate::engine::{Engine, Executable, Parameters, agreement};
use crate::error::{Error, Result};
use crate::eval::{self, Scored, fine_tuned_digest};
use crate::lab::context::Playable;
use crate::lab::jobs::measure::SCORE_ROWS;
use crate::lab::jobs::trained::as_stored;
use crate::lab::jobs::{breakdown, damage, measure};
use crate::lab::prepared::Prepared;
use crate::lab::protocol::EventBody;
use crate::lab::sets::Divided;
use crate::model::Weights;
use crate::quant::{Scheme, Stored};
use crate::runlog::record::{Record, Status};

/// What measuring leaves beside the record.
#[derive(Default)]
pub(super) struct Measured {
    /// The model to play with, where there is one.
    pub(super) playable: Option<Playable>,
    /// What fine-tuning left, where the recipe asks for it and it came to its end.
    pub(super) fine_tuned: Option<Weights>,
}

impl Run<'_> {
    /// Quantizes the kept weights, scores the test rows and times calls; fills the draft as far as it gets.
    pub(super) async fn measure(
        &self,
        engines: &mut Engines<'_>,
        draft: &mut Record,
        weights: Option<&Weights>,
    ) -> Result<Measured> {
        let Some(weights) = weights else {
            return Ok(Measured::default());
        };
        if draft.status == Status::NonFinite {
            return Ok(Measured::default());
        }
        let Prepared { plan, rows, .. } = self.prepared;
        let (stored, fine_tuned) = match self.store(engines, draft, weights).await {
            Err(Error::Stopped) => {
                draft.status = Status::Stopped;
                return Ok(Measured::default());
            }
            stored => stored?,
        };
        draft.digests.stored = stored.digest();
        if let Some(tuned) = &fine_tuned {
            let spec = &draft.recipe.quantization;
            draft.digests.fine_tuned = fine_tuned_digest(&draft.digests.weights, spec, tuned);
        }
        draft.results.cost = Some(as_stored(&plan.cost, &stored));
        let is_rounded = stored.layers.iter().any(|it| it.scheme != Scheme::F32);
        if is_rounded || stored.is_made_of() || !stored.warnings.is_empty() {
            let confidence = draft.recipe.evaluation.confidence;
            let damage =
                damage::damage(self.context, self.prepared, weights, &stored, confidence).await?;
            draft.results.damage = serde_json::to_value(damage).ok();
        }
        if engines.is_gpu() {
            let status = draft.status;
            if let Err(error) = self.measure_on_gpu(engines, draft, &stored).await {
                // Not every stored model runs there, and every one does here.
                if !engines.is_lost_by(&error) && !matches!(error, Error::Unsupported { .. }) {
                    return Err(error);
                }
                let reason = format!("scored and timed on the CPU, because {error}");
                engines.use_cpu_from(epochs(draft) + 1, &reason);
                draft.status = status;
            }
        }
        let cpu = engines.cpu();
        let batch = draft.recipe.evaluation.throughput_batch.max(SCORE_ROWS);
        if !plan.stages.is_empty() {
            return Ok(Measured {
                playable: Some(self.measure_stages(draft, &stored, batch).await?),
                fine_tuned,
            });
        }
        let mut executable = cpu
            .prepare(&plan.graph, Parameters::Stored(&stored), batch)
            .await?;
        if !engines.is_gpu() {
            let logits = self.logits(executable.as_mut()).await?;
            self.fill(draft, self.scored(draft, &logits)?);
            if self.is_to_be_timed(draft) {
                self.time(draft, executable.as_mut()).await?;
            }
            self.read_boards(draft, executable.as_mut()).await?;
        }
        Ok(Measured {
            playable: Some(Playable {
                plan: plan.clone(),
                rows: self.prepared.dataset.rows(),
                scaler: rows.scaler,
                executable,
            }),
            fine_tuned,
        })
    }

    /// All of it on the GPU, its answers on the test rows compared with the CPU's, and both timed beside each other.
    async fn measure_on_gpu(
        &self,
        engines: &mut Engines<'_>,
        draft: &mut Record,
        stored: &Stored,
    ) -> Result<()> {
        let graph = &self.prepared.plan.graph;
        let batch = draft.recipe.evaluation.throughput_batch.max(SCORE_ROWS);
        let parameters = Parameters::Stored(stored);
        let mut on_gpu = engines.engine().prepare(graph, parameters, batch).await?;
        let logits = self.logits(on_gpu.as_mut()).await?;
        let scored = self.scored(draft, &logits)?;
        let mut on_cpu = engines.cpu().prepare(graph, parameters, batch).await?;
        let wanted = self.logits(on_cpu.as_mut()).await?;
        let classes = self.prepared.dataset.classes.len();
        let test = &self.prepared.split.test;
        let probe = agreement::compare(
            "test rows",
            test.len(),
            &wanted,
            &logits,
            Some(classes),
            agreement::stored_tolerance(graph, stored)?,
        );
        let flips = agreement::flips(&wanted, &logits, classes)
            .into_iter()
            .filter_map(|row| test.get(row).copied())
            .collect();
        let accuracy = self.scored(draft, &wanted)?.accuracy;
        engines.check_test_rows(probe, accuracy, flips);
        self.fill(draft, scored);
        if self.is_to_be_timed(draft) {
            self.time(draft, on_gpu.as_mut()).await?;
        }
        self.read_boards(draft, on_gpu.as_mut()).await?;
        if self.is_to_be_timed(draft)
            && !stored.is_static()
            && let Some(gpu) = engines.gpu()
        {
            let measured = breakdown::measure(
                self.context,
                self.prepared,
                stored,
                (engines.cpu(), gpu),
                engines.compile_millis(),
                &draft.recipe.evaluation,
            );
            match measured.await? {
                Some(breakdown) => draft.results.breakdown = Some(breakdown),
                None => draft.status = Status::Stopped,
            }
        }
        Ok(())
    }

    /// The logits of the test rows.
    pub(super) async fn logits(&self, executable: &mut dyn Executable) -> Result<Vec<f32>> {
        self.stage("scoring", 0.0);
        self.context.turn().await;
        let mut logits = Vec::new();
        let test = &self.prepared.split.test;
        for (index, part) in test.chunks(SCORE_ROWS as usize).enumerate() {
            logits.extend(executable.logits(part).await?);
            let done = ((index + 1) * SCORE_ROWS as usize) as f64 / test.len() as f64;
            self.stage("scoring", done.min(1.0));
            // A stop does not cut scoring short: it takes milliseconds and is what the person will want to see.
            self.context.breathe().await;
        }
        Ok(logits)
    }

    pub(super) fn scored(&self, draft: &Record, logits: &[f32]) -> Result<Scored> {
        let Divided {
            dataset,
            split: Split { test, .. },
            ..
        } = &**self.prepared;
        let labels: Vec<u16> = test
            .iter()
            .map(|&row| dataset.labels[row as usize])
            .collect();
        let confidence = draft.recipe.evaluation.confidence;
        eval::score(logits, test, &labels, &dataset.classes, confidence)
    }

    pub(super) fn fill(&self, draft: &mut Record, scored: Scored) {
        let edited = &self.prepared.dataset.edited;
        if !edited.slices.is_empty() {
            let confidence = draft.recipe.evaluation.confidence;
            let slices = eval::slices(edited, &scored.predictions, confidence);
            draft.results.slices = serde_json::to_value(slices).ok();
        }
        draft.results.accuracy = Some(scored.accuracy);
        draft.results.test_loss = Some(scored.loss);
        draft.results.confusion = Some(scored.confusion);
        draft.results.classes = scored.classes;
        draft.digests.predictions = scored.predictions_digest;
        draft.predictions = Some(scored.predictions);
    }

    pub(super) fn is_to_be_timed(&self, draft: &Record) -> bool {
        draft.recipe.evaluation.latency_secs > 0.0 && draft.status == Status::Complete
    }

    pub(super) fn stage(&self, name: &str, fraction: f64) {
        self.context.send(EventBody::Stage {
            name: name.into(),
            fraction,
        });
    }

    /// The two latency measurements; a stop keeps the one that was finished.
    pub(super) async fn time(
        &self,
        draft: &mut Record,
        executable: &mut dyn Executable,
    ) -> Result<()> {
        let (context, rows) = (self.context, &self.prepared.split.test);
        let evaluation = &draft.recipe.evaluation;
        let batch = evaluation.throughput_batch;
        if self.hold_timing && measure::stopped_while_waiting(context).await {
            draft.status = Status::Stopped;
            return Ok(());
        }
        draft.results.latency = measure::latency(
            context,
            executable,
            rows,
            1,
            evaluation,
            Some("timing one row"),
        )
        .await?;
        if draft.results.latency.is_some() {
            draft.results.throughput = measure::latency(
                context,
                executable,
                rows,
                batch,
                evaluation,
                Some("timing a batch"),
            )
            .await?;
        }
        if draft.results.throughput.is_none() {
            draft.status = Status::Stopped;
        }
        Ok(())
    }
}
