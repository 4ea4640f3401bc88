//! The library's face for other programs: one model that answers, trains, is scored and exported; no browser, no files,
//! no recipe, no log.
//!
//! [`Model`] runs on the CPU, and its calls return when the work is done; [`GpuModel`] runs on a GPU, and its calls are
//! futures. What both do is written once, in `api/core.rs`, over the engines' contract alone. `web/api.rs` and
//! `web/gpu_api.rs` are the same for JavaScript, and `docs/api.md` describes them.

mod core;
mod evaluate;
mod gpu;
mod train;
mod turns;

pub use crate::engine::gpu::supply_kernels;
pub use evaluate::{Evaluation, score};
pub use gpu::{Counts, Gpu, GpuModel};
pub use train::{TrainOptions, Trained};
pub use turns::Turns;

use crate::engine::cpu::CpuEngine;
use crate::engine::ready;
use crate::error::Result;
use crate::model::{Graph, Weights};
use core::{Core, Source};
use std::future::Future;

/// Most classes: labels are 16-bit.
pub const MAX_CLASSES: u32 = 65_536;

/// How a model is to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Which engine: `cpu` for a [`Model`], `gpu` for a [`GpuModel`].
    pub engine: String,
    /// How the weights are stored before they are used: one of [`crate::quant::Scheme::ALL`]. Only an `f32`
    /// model trains.
    pub scheme: String,
    /// Rows that the ranges of `int8` are chosen from, at most 4,096, `[channels, height, width]` each, one after another;
    /// empty for every other scheme. They should look like those that will be answered.
    pub calibration: Vec<f32>,
    /// Rows computed at a time, at least 1. More rows in one call are done in parts, with the same answers.
    pub batch: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            engine: "cpu".into(),
            scheme: "f32".into(),
            calibration: Vec::new(),
            batch: 64,
        }
    }
}

/// What a model is and costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// `[channels, height, width]` of one row.
    pub input: [u32; 3],
    /// Logits of one row.
    pub classes: u32,
    /// Trainable numbers.
    pub parameters: u64,
    /// Multiply-accumulates for one row.
    pub macs: u64,
    /// Bytes of the stored weights.
    pub weight_bytes: u64,
    /// How they are stored.
    pub scheme: String,
    /// The engine's name.
    pub engine: &'static str,
    /// Version of its rounding behaviour: on the CPU, models of one version give the same bits everywhere.
    pub arithmetic: &'static str,
    /// Rows computed at a time.
    pub batch: u32,
    /// Training steps done since it was made or loaded.
    pub steps: u64,
}

/// A model on the CPU, ready to answer.
pub struct Model(Core);

impl Model {
    /// A model from a graph's JSON text (`docs/graph.md`) and a safetensors file with exactly its tensors, as F32.
    ///
    /// # Errors
    /// [`crate::error::Error::BadInput`] that names the layer or tensor: a graph that does not fit together, a file that
    /// is truncated, lies about itself, lacks a tensor, has one too many, of another type or shape, or one with a number
    /// that is not finite. [`crate::error::Error::TooLarge`] over a limit of [`crate::model`], before anything is
    /// allocated. [`crate::error::Error::Unsupported`] for an engine, scheme or layer that this version does not have.
    pub fn load(graph: &str, weights: &[u8], options: Options) -> Result<Self> {
        Self::made(Source::File { graph, weights }, options)
    }

    /// A model from a graph's JSON text with first weights drawn from `seed`, as a recipe's training begins with.
    ///
    /// # Errors
    /// As [`Model::load`], as far as they concern the graph and the options.
    pub fn create(graph: &str, seed: u32, options: Options) -> Result<Self> {
        Self::made(Source::Seed { graph, seed }, options)
    }

    /// A model from a graph and its weights.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn new(graph: Graph, weights: &Weights, options: Options) -> Result<Self> {
        Self::made(Source::Parts { graph, weights }, options)
    }

    fn made(source: Source<'_>, options: Options) -> Result<Self> {
        // Losses are added up step by step: a group of steps would add them in another order.
        let core = Core::new(Box::new(CpuEngine::new()), 1, source, options);
        at_once(core).map(Self)
    }

    /// Logits of `batch` rows, `[channels, height, width]` each, one after another: `batch × classes` numbers, row by row.
    /// A row's logits do not depend on the others. Inputs that are not finite are computed with as they are.
    ///
    /// # Errors
    /// [`crate::error::Error::BadInput`] where `input` is not `batch` rows, at least one;
    /// [`crate::error::Error::TooLarge`] for too many logits.
    pub fn predict(&mut self, input: &[f32], batch: u32) -> Result<Vec<f32>> {
        at_once(self.0.predict(input, batch))
    }

    /// Trains on `labels.len()` rows, `[channels, height, width]` each, one after another. Another optimizer than that of
    /// the call before begins with moments of zero.
    ///
    /// # Errors
    /// [`crate::error::Error::BadInput`] for an option out of its range, lengths that do not fit each other, a label that
    /// is no class, and a number that is not finite; [`crate::error::Error::Unsupported`] for an unknown optimizer and for
    /// a model whose weights were rounded by a scheme; [`crate::error::Error::TooLarge`] where a step's rows do not fit
    /// the memory that a model may have. Nothing was trained then.
    pub fn train(
        &mut self,
        input: Vec<f32>,
        labels: Vec<u16>,
        options: &TrainOptions,
    ) -> Result<Trained> {
        at_once(self.0.train(input, labels, options))
    }

    /// Answers `labels.len()` rows, `[channels, height, width]` each, and scores the answers. `confidence` of the interval
    /// is in 0.5..=0.999.
    ///
    /// # Errors
    /// As [`Model::predict`] and [`score`].
    pub fn evaluate(
        &mut self,
        input: &[f32],
        labels: &[u16],
        confidence: f64,
    ) -> Result<Evaluation> {
        at_once(self.0.evaluate(input, labels, confidence))
    }

    /// What the model is and costs.
    #[must_use]
    pub fn info(&self) -> Info {
        self.0.info()
    }

    /// The weights that it runs with, by tensor.
    ///
    /// # Errors
    /// Only those of a defective engine.
    pub fn weights(&mut self) -> Result<Weights> {
        at_once(self.0.weights())
    }

    /// The weights that it runs with as a safetensors file of F32 tensors: what [`Model::load`] reads. Equal weights give
    /// equal bytes. Those of a stored model are the numbers that its scheme rounded them to.
    ///
    /// # Errors
    /// [`crate::error::Error::BadInput`] that names a tensor in which training left a number that is not finite.
    pub fn export_weights(&mut self) -> Result<Vec<u8>> {
        at_once(self.0.export_weights())
    }

    /// SHA-256 of names, shapes and numbers of the weights that it runs with: equal for equal weights, in every browser.
    ///
    /// # Errors
    /// Only those of a defective engine.
    pub fn weights_digest(&mut self) -> Result<String> {
        Ok(self.weights()?.digest())
    }
}

/// The answer of a future over the CPU engine, which never waits.
fn at_once<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    ready(Box::pin(work))
}

#[cfg(test)]
mod tests;
