//! Batches and steps as turns: which words they get, how they are recorded, and when the device is waited for.

use super::GpuExecutable;
use crate::engine::cpu::rows::check_numbers;
use crate::engine::gpu::arena::{Arena, Memory};
use crate::engine::gpu::kernels::WORDS_STRIDE;
use crate::engine::gpu::kernels::task::{Turn, Words};
use crate::engine::{Metrics, TrainStep};
use crate::error::{Error, Result};
use crate::train::optimizer::{self, Update};

/// Steps between two synchronizations at most: each has its words and its slot of the metrics.
pub(super) const MOST_TURNS: usize = 256;
/// Steps in one submission.
const STEPS_OF_A_SUBMISSION: usize = 8;

impl GpuExecutable {
    /// Where the indices of a turn stand in the numbers.
    fn indices(&self, turn: usize) -> usize {
        self.sizes_of_labels() + turn * self.batch
    }

    pub(super) fn sizes_of_labels(&self) -> usize {
        let table = self.training.as_ref().map_or(0, |plan| plan.blocks.len());
        self.sizes.numbers as usize - table - MOST_TURNS * self.batch
    }

    /// Writes turns with their rows.
    pub(super) fn write_turns(&mut self, turns: &[(Turn, &[u32])]) {
        let stride = WORDS_STRIDE as usize / 4;
        let (mut words, mut indices) = (Vec::new(), Vec::new());
        for (number, (turn, rows)) in turns.iter().enumerate() {
            turn.words(&mut words);
            words.resize((number + 1) * stride, 0);
            indices.extend_from_slice(rows);
            indices.resize((number + 1) * self.batch, 0);
        }
        self.write(Arena::Turns, 0, words);
        let first = self.indices(0) as u64;
        self.write(Arena::Numbers, first, indices);
    }

    /// A turn that only answers.
    fn answering(&self, turn: usize, rows: usize) -> Turn {
        Turn {
            indices: self.indices(turn) as u32,
            slot: turn as u32,
            keep_first: optimizer::BETA1 as f32,
            take_first: (1.0 - optimizer::BETA1) as f32,
            keep_second: optimizer::BETA2 as f32,
            take_second: (1.0 - optimizer::BETA2) as f32,
            epsilon: optimizer::EPSILON,
            ..Turn::of_rows(rows as u32)
        }
    }

    pub(super) fn training_turn(&self, turn: usize, step: &TrainStep) -> Turn {
        let mut words = self.answering(turn, step.rows.len());
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

    /// The logits of batches of given rows: one synchronization for at most [`MOST_TURNS`] batches.
    pub(super) async fn infer(&mut self, rows: &[u32]) -> Result<Vec<f32>> {
        let mut logits = Vec::with_capacity(rows.len() * self.classes);
        for rows in rows.chunks(MOST_TURNS * self.batch) {
            let batches: Vec<&[u32]> = rows.chunks(self.batch).collect();
            let turns: Vec<(Turn, &[u32])> = (batches.iter().enumerate())
                .map(|(number, rows)| (self.answering(number, rows.len()), *rows))
                .collect();
            self.write_turns(&turns);
            let bytes = 4 * (rows.len() * self.classes) as u64;
            let (gpu, memory, answers) = (&self.gpu, &self.memory, &self.answers);
            let staging = gpu
                .scoped("answering", || {
                    let pipelines = self.pipelines.borrow();
                    let staging = Memory::staging(gpu, bytes);
                    let mut encoder = gpu.device.create_command_encoder(&Default::default());
                    let mut to = 0;
                    for (number, rows) in batches.iter().enumerate() {
                        let mut pass = encoder.begin_compute_pass(&Default::default());
                        pipelines.record(&mut pass, memory, &answers.dispatches, 0, number as u32);
                        drop(pass);
                        let size = 4 * (rows.len() * self.classes) as u64;
                        memory.copy(
                            &mut encoder,
                            Arena::Values,
                            4 * u64::from(answers.logits),
                            &staging,
                            to,
                            size,
                        );
                        to += size;
                    }
                    gpu.queue.submit([encoder.finish()]);
                    staging
                })
                .await?;
            let read = self.gpu.read(&staging, bytes).await?;
            staging.destroy();
            logits.extend(
                read.as_chunks::<4>()
                    .0
                    .iter()
                    .map(|word| f32::from_le_bytes(*word)),
            );
            self.counts.dispatches += (batches.len() * self.answers.dispatches.len()) as u64;
            self.counts.submissions += 1;
            self.counts.synchronizations += 1;
            self.counts.bytes_down += bytes;
        }
        Ok(logits)
    }

    /// Steps that fit between two synchronizations.
    async fn train_some(
        &mut self,
        steps: &[TrainStep],
        done: usize,
        metrics: &mut Metrics,
    ) -> Result<()> {
        let turns: Vec<(Turn, &[u32])> = (steps.iter().enumerate())
            .map(|(number, step)| (self.training_turn(number, step), step.rows.as_slice()))
            .collect();
        self.write_turns(&turns);
        let words = 4 + 4 * steps.len();
        self.write(Arena::Metrics, 0, vec![0; words]);
        let first = self.answers.dispatches.len() as u32;
        for numbers in (0..steps.len() as u32)
            .collect::<Vec<_>>()
            .chunks(STEPS_OF_A_SUBMISSION)
        {
            let Some(training) = &self.training else {
                return Ok(());
            };
            let (gpu, memory, pipelines) = (&self.gpu, &self.memory, self.pipelines.borrow());
            let mut encoder = gpu.device.create_command_encoder(&Default::default());
            let mut pass = encoder.begin_compute_pass(&Default::default());
            for &number in numbers {
                pipelines.record(&mut pass, memory, &training.dispatches, first, number);
            }
            drop(pass);
            gpu.queue.submit([encoder.finish()]);
            self.counts.submissions += 1;
            self.counts.dispatches += (numbers.len() * training.dispatches.len()) as u64;
        }
        let read = self.read(&[(Arena::Metrics, 0, words as u64)]).await?;
        for (number, slot) in read[4..].as_chunks::<4>().0.iter().enumerate() {
            let [loss, correct, rows, state] = *slot;
            if state != 1 {
                metrics.non_finite = Some((done + number) as u32);
                return Ok(());
            }
            metrics.loss_sum += f64::from(f32::from_bits(loss));
            metrics.correct += correct;
            metrics.rows += rows;
            metrics.steps += 1;
        }
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
