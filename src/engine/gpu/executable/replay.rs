//! Batches and steps as turns: which words they get, how they are recorded, and when the device is waited for.

use super::GpuExecutable;
use super::records::MOST_TURNS;
use crate::engine::cpu::rows::{check_numbers, whole_rows};
use crate::engine::gpu::arena::Arena;
use crate::engine::gpu::kernels::task::Turn;
use crate::engine::gpu::pipeline::record;
use crate::engine::{Metrics, TrainStep};
use crate::error::{Error, Result};
use crate::train::optimizer::{self, Update};

/// Words of a slot of the metrics; as many stand before the first.
const SLOT: usize = 4;

/// A turn that only answers.
pub(super) fn answering(turn: usize, rows: usize) -> Turn {
    Turn {
        slot: turn as u32,
        keep_first: optimizer::BETA1 as f32,
        take_first: (1.0 - optimizer::BETA1) as f32,
        keep_second: optimizer::BETA2 as f32,
        take_second: (1.0 - optimizer::BETA2) as f32,
        epsilon: optimizer::EPSILON,
        ..Turn::of_rows(rows as u32)
    }
}

impl GpuExecutable {
    /// Makes what answers and metrics are read back through, so that room for it is known to be there.
    pub(super) async fn make_readable(&mut self) -> Result<()> {
        let metrics = self.sizes.metrics;
        for words in [self.batch * self.classes, metrics as usize] {
            let bytes = 4 * words as u64;
            let buffer = self.staging.take(&self.workshop.gpu, bytes).await?;
            self.staging.give(buffer);
        }
        Ok(())
    }

    fn training_turn(&self, turn: usize, step: &TrainStep) -> Turn {
        let mut words = answering(turn, step.rows.len());
        words.labels = self.records.words() as u32;
        words.key_low = step.dropout_key as u32;
        words.key_high = (step.dropout_key >> 32) as u32;
        words.smoothing = step.label_smoothing;
        match step.update {
            Update::Sgd {
                learning_rate,
                momentum,
                weight_decay,
            } => {
                words.rate = learning_rate;
                words.momentum = momentum;
                words.decay = weight_decay;
            }
            Update::AdamW {
                rate,
                scale,
                shrink,
            } => {
                words.optimizer = 1;
                words.rate = rate;
                words.scale = scale;
                words.decay = shrink;
            }
        }
        words
    }

    /// Writes the turns of steps.
    pub(super) fn write_steps(&mut self, steps: &[TrainStep]) {
        self.records.clear();
        for (number, step) in steps.iter().enumerate() {
            let turn = self.training_turn(number, step);
            self.records.push(turn, step.rows.iter().copied());
        }
        self.write_records();
    }

    /// Writes the turns in the records, unless the device has them.
    pub(super) fn write_records(&mut self) {
        let Some(words) = self.records.changed() else {
            return;
        };
        self.counts.writes += 1;
        self.counts.bytes_up += 4 * words.len() as u64;
        (self.memory).write(&self.workshop.gpu, Arena::Numbers, 0, words);
    }

    /// The logits of other rows: each batch is written where loaded rows end.
    pub(super) async fn predict_features(&mut self, features: &[f32]) -> Result<Vec<f32>> {
        let count = whole_rows(self.loaded.shape, features)?;
        let first = self.room;
        let mut logits = Vec::with_capacity(count * self.classes);
        for batch in features.chunks(self.batch * self.length) {
            self.write_numbers(Arena::Data, (first * self.length) as u64, batch);
            let rows = batch.len() / self.length;
            self.records.clear();
            let numbers = first as u32..(first + rows) as u32;
            self.records.push(answering(0, rows), numbers);
            self.answer(&[rows], &mut logits).await?;
        }
        Ok(logits)
    }

    /// The logits of batches of given rows: one submission and one synchronization for at most [`MOST_TURNS`] batches.
    pub(super) async fn infer(&mut self, rows: &[u32]) -> Result<Vec<f32>> {
        let mut logits = Vec::with_capacity(rows.len() * self.classes);
        for rows in rows.chunks(MOST_TURNS * self.batch) {
            self.records.clear();
            let mut counts = Vec::with_capacity(rows.len().div_ceil(self.batch));
            for (number, rows) in rows.chunks(self.batch).enumerate() {
                let turn = answering(number, rows.len());
                self.records.push(turn, rows.iter().copied());
                counts.push(rows.len());
            }
            self.answer(&counts, &mut logits).await?;
        }
        Ok(logits)
    }

    /// Answers the turns in the records, with so many rows each, and adds their logits.
    async fn answer(&mut self, rows: &[usize], logits: &mut Vec<f32>) -> Result<()> {
        self.write_records();
        let bytes = 4 * (rows.iter().sum::<usize>() * self.classes) as u64;
        let staging = self.staging.take(&self.workshop.gpu, bytes).await?;
        let gpu = &self.workshop.gpu;
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let (mut to, mut dispatches) = (0, 0);
        for (number, rows) in rows.iter().enumerate() {
            let plan = self.answering(*rows)?;
            let mut pass = encoder.begin_compute_pass(&Default::default());
            let turn = self.records.bytes_before(number);
            record(&mut pass, &self.memory, &plan.recorded, turn, *rows as u32);
            drop(pass);
            dispatches += plan.recorded.len() as u64;
            let from = 4 * u64::from(plan.schedule.logits);
            let size = 4 * (rows * self.classes) as u64;
            (self.memory).copy(&mut encoder, Arena::Values, from, &staging, to, size);
            to += size;
        }
        gpu.queue.submit([encoder.finish()]);
        gpu.read(&staging, bytes, |words| {
            logits.extend_from_slice(bytemuck::cast_slice(words));
        })
        .await?;
        self.staging.give(staging);
        self.counts.dispatches += dispatches;
        self.counts.submissions += 1;
        self.counts.synchronizations += 1;
        self.counts.bytes_down += bytes;
        Ok(())
    }

    /// Steps that fit between two synchronizations; the metrics come back with the last submission.
    async fn train_some(
        &mut self,
        steps: &[TrainStep],
        done: usize,
        metrics: &mut Metrics,
    ) -> Result<()> {
        let Some(together) =
            (self.training.as_ref()).map(|training| training.steps_of_a_submission(self.batch))
        else {
            return Ok(());
        };
        self.write_steps(steps);
        let bytes = 4 * (SLOT + SLOT * steps.len()) as u64;
        let staging = self.staging.take(&self.workshop.gpu, bytes).await?;
        let gpu = &self.workshop.gpu;
        for first in (0..steps.len()).step_by(together) {
            let Some(training) = &self.training else {
                return Ok(());
            };
            let until = (first + together).min(steps.len());
            let mut encoder = gpu.device.create_command_encoder(&Default::default());
            if first == 0 {
                self.memory.clear(&mut encoder, Arena::Metrics, bytes);
            }
            let mut pass = encoder.begin_compute_pass(&Default::default());
            for (number, step) in steps.iter().enumerate().take(until).skip(first) {
                let turn = self.records.bytes_before(number);
                let rows = step.rows.len() as u32;
                record(&mut pass, &self.memory, &training.recorded, turn, rows);
            }
            drop(pass);
            if until == steps.len() {
                (self.memory).copy(&mut encoder, Arena::Metrics, 0, &staging, 0, bytes);
            }
            gpu.queue.submit([encoder.finish()]);
            self.counts.submissions += 1;
            self.counts.dispatches += ((until - first) * training.recorded.len()) as u64;
        }
        gpu.read(&staging, bytes, |words| {
            let slots = words[SLOT..].as_chunks::<SLOT>().0;
            for (number, &[loss, correct, rows, state]) in slots.iter().enumerate() {
                if state != 1 {
                    metrics.non_finite = Some((done + number) as u32);
                    return;
                }
                metrics.loss_sum += f64::from(f32::from_bits(loss));
                metrics.correct += correct;
                metrics.rows += rows;
                metrics.steps += 1;
            }
        })
        .await?;
        self.staging.give(staging);
        self.counts.synchronizations += 1;
        self.counts.bytes_down += bytes;
        Ok(())
    }

    /// Whether steps can be done at all.
    pub(super) fn check_steps(&self, steps: &[TrainStep]) -> Result<()> {
        if self.training.is_none() {
            return Err(Error::Unsupported {
                feature: "training a stored model".into(),
                why: "its weights have been rounded; train the f32 weights and store them again"
                    .into(),
            });
        }
        for step in steps {
            if step.rows.is_empty() || step.rows.len() > self.batch {
                return Err(Error::bad_input(
                    "a training step",
                    format!(
                        "1 to {} rows, as many as the model was prepared for",
                        self.batch
                    ),
                    step.rows.len().to_string(),
                ));
            }
            check_numbers(&self.loaded, &step.rows)?;
        }
        Ok(())
    }

    pub(super) async fn train_steps(&mut self, steps: &[TrainStep]) -> Result<Metrics> {
        self.check_steps(steps)?;
        let mut metrics = Metrics::default();
        for (number, steps) in steps.chunks(MOST_TURNS).enumerate() {
            self.train_some(steps, number * MOST_TURNS, &mut metrics)
                .await?;
            if metrics.non_finite.is_some() {
                break;
            }
        }
        Ok(metrics)
    }
}
