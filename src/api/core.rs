//! What a model of the API does on any engine, as futures; which engine, and who waits for them, is not decided here.

use super::train::Training;
use super::{Info, MAX_CLASSES, Options};
use crate::data::{Rows, Scaler};
use crate::engine::{Engine, Executable, Parameters};
use crate::error::{Error, Result};
use crate::model::{self, Graph, MAX_ACTIVATION_BYTES, Weights, graph_json};
use crate::quant;
use crate::result::Cost;
use std::borrow::Cow;
use std::rc::Rc;

/// Where a model comes from.
pub(super) enum Source<'a> {
    /// A graph's JSON text and a safetensors file with exactly its tensors.
    File { graph: &'a str, weights: &'a [u8] },
    /// A graph's JSON text, with first weights drawn from a seed.
    Seed { graph: &'a str, seed: u32 },
    /// Both as they are.
    Parts { graph: Graph, weights: &'a Weights },
}

/// A model on an engine.
pub(super) struct Core {
    pub(super) engine: Box<dyn Engine>,
    pub(super) executable: Box<dyn Executable>,
    /// Training steps that are handed over together: where the engine waits for a device, once for all of them.
    pub(super) steps_at_once: u32,
    pub(super) graph: Graph,
    pub(super) options: Options,
    pub(super) training: Training,
    pub(super) classes: u32,
    cost: Cost,
    weight_bytes: u64,
}

impl Core {
    /// Reads, checks and prepares; limits are checked before anything is allocated.
    pub(super) async fn new(
        engine: Box<dyn Engine>,
        steps_at_once: u32,
        source: Source<'_>,
        options: Options,
    ) -> Result<Self> {
        let fitting = |graph: &Graph| fitting_cost(graph, &options.scheme, options.batch);
        let (graph, cost, weights) = match source {
            Source::File { graph, weights } => {
                let graph = graph_json::read(graph)?;
                let cost = fitting(&graph)?;
                let weights = Weights::from_safetensors(weights, &graph)?;
                (graph, cost, Cow::Owned(weights))
            }
            Source::Seed { graph, seed } => {
                let graph = graph_json::read(graph)?;
                let cost = fitting(&graph)?;
                let weights = Weights::init(&graph, seed)?;
                (graph, cost, Cow::Owned(weights))
            }
            Source::Parts { graph, weights } => {
                let cost = fitting(&graph)?;
                (graph, cost, Cow::Borrowed(weights))
            }
        };
        Self::assembled(engine, steps_at_once, graph, cost, &weights, options).await
    }

    async fn assembled(
        mut engine: Box<dyn Engine>,
        steps_at_once: u32,
        graph: Graph,
        cost: Cost,
        weights: &Weights,
        options: Options,
    ) -> Result<Self> {
        let own = engine.kind().name();
        if options.engine != own {
            return Err(Error::Unsupported {
                feature: format!("the engine {:?}", options.engine),
                why: format!("this kind of model has {own}"),
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
        engine
            .load(&rows(graph.input, Vec::new(), Vec::new()))
            .await?;
        let (executable, weight_bytes) = if options.scheme == "f32" {
            let exact = Parameters::Exact(weights);
            let executable = engine.prepare(&graph, exact, options.batch).await?;
            (executable, cost.f32_bytes)
        } else {
            let request = quant::Request::named(&options.scheme)?;
            let stored = quant::quantize(&graph, weights, &request)?;
            let rounded = Parameters::Stored(&stored);
            let executable = engine.prepare(&graph, rounded, options.batch).await?;
            (executable, stored.bytes())
        };
        Ok(Self {
            engine,
            executable,
            steps_at_once,
            graph,
            options,
            training: Training::default(),
            classes,
            cost,
            weight_bytes,
        })
    }

    pub(super) async fn predict(&mut self, input: &[f32], batch: u32) -> Result<Vec<f32>> {
        self.check_input(input, u64::from(batch), "batch")?;
        self.executable.predict(input).await
    }

    pub(super) fn info(&self) -> Info {
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

    pub(super) async fn weights(&mut self) -> Result<Weights> {
        self.executable.weights().await
    }

    pub(super) async fn export_weights(&mut self) -> Result<Vec<u8>> {
        let weights = self.weights().await?;
        weights.check_finite()?;
        Ok(weights.to_safetensors(&[]))
    }

    /// Whether `input` is so many rows, whose number is called `what`, and their logits can be held.
    pub(super) fn check_input(&self, input: &[f32], count: u64, what: &str) -> Result<()> {
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

/// Whether every number of `count` rows is finite; `purpose` ends the sentence that says why it must be.
pub(super) fn check_finite(input: &[f32], count: usize, purpose: &str) -> Result<()> {
    match input.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(place) => Err(Error::bad_input(
            format!("row {} of input", place / (input.len() / count)),
            format!("finite numbers {purpose}"),
            input[place].to_string(),
        )),
    }
}

/// What a graph costs, where so many rows at a time fit the memory that a model may have.
pub(super) fn fitting_cost(graph: &Graph, scheme: &str, batch: u32) -> Result<Cost> {
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
pub(super) fn rows(shape: [u32; 3], features: Vec<f32>, labels: Vec<u16>) -> Rows {
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
pub(super) fn no_rows(shape: [u32; 3]) -> Rc<Rows> {
    Rc::new(rows(shape, Vec::new(), Vec::new()))
}
