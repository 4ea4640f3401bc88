//! The library's face for other programs: one model that answers, trains, is scored and exported; no browser, no files,
//! no recipe, no log.
//!
//! It stands on the engines' contract alone. Its calls return when the work is done, so they are for engines that never
//! wait, such as the CPU's; `web/api.rs` is the same for JavaScript, and `docs/api.md` describes both.

mod evaluate;
mod train;

pub use evaluate::{Evaluation, score};
pub use train::{TrainOptions, Trained};

use crate::data::{Rows, Scaler};
use crate::engine::cpu::CpuEngine;
use crate::engine::{Engine, Executable, Parameters, ready};
use crate::error::{Error, Result};
use crate::model::{self, Graph, MAX_ACTIVATION_BYTES, Weights, graph_json};
use crate::quant;
use crate::result::Cost;
use std::rc::Rc;
use train::Training;

/// Most classes: labels are 16-bit.
pub const MAX_CLASSES: u32 = 65_536;

/// How a model is to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Which engine: `cpu`.
    pub engine: String,
    /// How the weights are stored before they are used: `f32`, `f16`, `Q8_0`, `Q4_0`. Only an `f32` model trains.
    pub scheme: String,
    /// Rows computed at a time, at least 1. More rows in one call are done in parts, with the same answers.
    pub batch: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            engine: "cpu".into(),
            scheme: "f32".into(),
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
    /// Version of its rounding behaviour: models of one version give the same bits everywhere.
    pub arithmetic: &'static str,
    /// Rows computed at a time.
    pub batch: u32,
    /// Training steps done since it was made or loaded.
    pub steps: u64,
}

/// A model, ready to answer.
pub struct Model {
    engine: CpuEngine,
    executable: Box<dyn Executable>,
    graph: Graph,
    options: Options,
    cost: Cost,
    weight_bytes: u64,
    classes: u32,
    training: Training,
}

impl Model {
    /// A model from a graph's JSON text (`docs/graph.md`) and a safetensors file with exactly its tensors, as F32.
    ///
    /// # Errors
    /// [`Error::BadInput`] that names the layer or tensor: a graph that does not fit together, a file that is truncated,
    /// lies about itself, lacks a tensor, has one too many, of another type or shape, or one with a number that is not
    /// finite. [`Error::TooLarge`] over a limit of [`crate::model`], before anything is allocated.
    /// [`Error::Unsupported`] for an engine, scheme or layer that this version does not have.
    pub fn load(graph: &str, weights: &[u8], options: Options) -> Result<Self> {
        let graph = graph_json::read(graph)?;
        let cost = fitting_cost(&graph, &options.scheme, options.batch)?;
        let weights = Weights::from_safetensors(weights, &graph)?;
        Self::assembled(graph, cost, &weights, options)
    }

    /// A model from a graph's JSON text with first weights drawn from `seed`, as a recipe's training begins with.
    ///
    /// # Errors
    /// As [`Model::load`], as far as they concern the graph and the options.
    pub fn create(graph: &str, seed: u32, options: Options) -> Result<Self> {
        let graph = graph_json::read(graph)?;
        let cost = fitting_cost(&graph, &options.scheme, options.batch)?;
        let weights = Weights::init(&graph, seed)?;
        Self::assembled(graph, cost, &weights, options)
    }

    /// A model from a graph and its weights.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn new(graph: Graph, weights: &Weights, options: Options) -> Result<Self> {
        let cost = fitting_cost(&graph, &options.scheme, options.batch)?;
        Self::assembled(graph, cost, weights, options)
    }

    fn assembled(graph: Graph, cost: Cost, weights: &Weights, options: Options) -> Result<Self> {
        if options.engine != "cpu" {
            return Err(Error::Unsupported {
                feature: format!("the engine {:?}", options.engine),
                why: "this version has cpu".into(),
            });
        }
        if options.batch == 0 {
            return Err(Error::bad_input("batch", "at least 1 row", "0"));
        }
        let classes = match cost.layers.last().map(|layer| layer.output.as_slice()) {
            Some(&[classes]) if classes <= MAX_CLASSES => classes,
            _ => {
                return Err(Error::bad_input(
                    "the graph's last layer",
                    format!("one list of at most {MAX_CLASSES} logits"),
                    "another shape",
                ));
            }
        };
        weights.check(&graph)?;
        weights.check_finite()?;
        let mut engine = CpuEngine::new();
        ready(engine.load(&rows(graph.input, Vec::new(), Vec::new())))?;
        let (executable, weight_bytes) = if options.scheme == "f32" {
            let exact = Parameters::Exact(weights);
            let executable = ready(engine.prepare(&graph, exact, options.batch))?;
            (executable, cost.f32_bytes)
        } else {
            let stored = quant::quantize(&graph, weights, &options.scheme)?;
            let rounded = Parameters::Stored(&stored);
            let executable = ready(engine.prepare(&graph, rounded, options.batch))?;
            (executable, stored.bytes())
        };
        Ok(Self {
            engine,
            executable,
            graph,
            options,
            cost,
            weight_bytes,
            classes,
            training: Training::default(),
        })
    }

    /// Logits of `batch` rows, `[channels, height, width]` each, one after another: `batch × classes` numbers, row by row.
    /// A row's logits do not depend on the others. Inputs that are not finite are computed with as they are.
    ///
    /// # Errors
    /// [`Error::BadInput`] where `input` is not `batch` rows, at least one; [`Error::TooLarge`] for too many logits.
    pub fn predict(&mut self, input: &[f32], batch: u32) -> Result<Vec<f32>> {
        self.check_input(input, u64::from(batch), "batch")?;
        ready(self.executable.predict(input))
    }

    /// What the model is and costs.
    #[must_use]
    pub fn info(&self) -> Info {
        let capabilities = self.engine.capabilities();
        Info {
            input: self.graph.input,
            classes: self.classes,
            parameters: self.cost.parameters,
            macs: self.cost.macs,
            weight_bytes: self.weight_bytes,
            scheme: self.options.scheme.clone(),
            engine: self.engine.kind().name(),
            arithmetic: capabilities.arithmetic,
            batch: self.options.batch,
            steps: self.training.steps(),
        }
    }

    /// The weights that it runs with, by tensor.
    ///
    /// # Errors
    /// Only those of a defective engine.
    pub fn weights(&mut self) -> Result<Weights> {
        ready(self.executable.weights())
    }

    /// The weights that it runs with as a safetensors file of F32 tensors: what [`Model::load`] reads. Equal weights give
    /// equal bytes. Those of a stored model are the numbers that its scheme rounded them to.
    ///
    /// # Errors
    /// [`Error::BadInput`] that names a tensor in which training left a number that is not finite.
    pub fn export_weights(&mut self) -> Result<Vec<u8>> {
        let weights = self.weights()?;
        weights.check_finite()?;
        Ok(weights.to_safetensors(&[]))
    }

    /// SHA-256 of names, shapes and numbers of the weights that it runs with: equal for equal weights, in every browser.
    ///
    /// # Errors
    /// Only those of a defective engine.
    pub fn weights_digest(&mut self) -> Result<String> {
        Ok(self.weights()?.digest())
    }

    /// Whether `input` is so many rows, whose number is called `what`, and their logits can be held.
    fn check_input(&self, input: &[f32], count: u64, what: &str) -> Result<()> {
        let row: u64 = self
            .graph
            .input
            .iter()
            .map(|&size| u64::from(size))
            .product();
        if count == 0 {
            return Err(Error::bad_input(what, "at least one row", "none"));
        }
        if row.checked_mul(count) != Some(input.len() as u64) {
            let [channels, height, width] = self.graph.input;
            return Err(Error::bad_input(
                "the length of input",
                format!("{count} rows of {channels}×{height}×{width} = {row} numbers"),
                format!("{} numbers", input.len()),
            ));
        }
        let bytes = count.saturating_mul(u64::from(self.classes) * 4);
        if bytes > MAX_ACTIVATION_BYTES {
            return Err(Error::TooLarge {
                what: "the logits of one call (give fewer rows at a time)".into(),
                got: bytes,
                limit: MAX_ACTIVATION_BYTES,
                unit: "bytes",
            });
        }
        Ok(())
    }
}

/// What a graph costs, where so many rows at a time fit the memory that a model may have.
fn fitting_cost(graph: &Graph, scheme: &str, batch: u32) -> Result<Cost> {
    let cost = model::cost(graph, scheme)?;
    let bytes = cost.activation_bytes.saturating_mul(batch.into());
    if bytes > MAX_ACTIVATION_BYTES {
        return Err(Error::TooLarge {
            what: format!("the activations of {batch} rows (reduce the batch)"),
            got: bytes,
            limit: MAX_ACTIVATION_BYTES,
            unit: "bytes",
        });
    }
    Ok(cost)
}

/// Rows as an engine takes them; their scaling is the caller's.
fn rows(shape: [u32; 3], features: Vec<f32>, labels: Vec<u16>) -> Rows {
    Rows {
        features,
        labels,
        shape,
        scaler: Scaler {
            mean: 0.0,
            deviation: 1.0,
        },
    }
}

/// Loads nothing, so that rows of an earlier call are not kept.
fn no_rows(shape: [u32; 3]) -> Rc<Rows> {
    Rc::new(rows(shape, Vec::new(), Vec::new()))
}

#[cfg(test)]
mod tests;
