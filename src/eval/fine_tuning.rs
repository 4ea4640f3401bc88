//! Fine-tuning on a GPU, a few steps between turns, and what is told of which engine did it and of the weights that came out;
//! the CPU's is stepped where weights are stored.

use super::stored::{Stage, Storing, Turns};
use crate::digest::{self, Hasher};
use crate::engine::cpu::{FineTuning, not_finite};
use crate::engine::gpu::GpuEngine;
use crate::engine::{EngineKind, Executable};
use crate::error::{Error, Result};
use crate::model::{Graph, Weights};
use crate::quant::Request;
use crate::recipe::QuantizationSpec;

/// Steps that are handed over together: as many as a submission takes at most.
const TOGETHER: usize = 8;

/// Who fine-tunes a model that is to be.
#[derive(Clone, Copy)]
pub enum Tuner<'a> {
    /// The CPU.
    Cpu,
    /// A GPU that has the same rows loaded, where its kernels can; else the CPU.
    Gpu(&'a GpuEngine),
    /// Nobody: these are the weights that came out of it before, as [`FineTuned::weights`] was.
    Kept(&'a Weights),
}

/// A fine-tuning that was done.
#[derive(Debug, Clone, PartialEq)]
pub struct FineTuned {
    /// The engine that did it.
    pub engine: EngineKind,
    /// Why it was the CPU although there is a GPU, in words; else empty.
    pub reason: String,
    /// The f32 weights that came out, of the graph that is left where pruned channels are gone and norms folded; their biases
    /// were not corrected yet.
    pub weights: Weights,
}

/// SHA-256 over the digest of the trained weights, the quantization as canonical JSON and the digest of the weights that
/// fine-tuning made of them: weights of another model, or of this one for another quantization, have another.
#[must_use]
pub fn fine_tuned_digest(trained: &str, spec: &QuantizationSpec, weights: &Weights) -> String {
    let spec = serde_json::to_value(spec).unwrap_or_default();
    let mut hasher = Hasher::new();
    for part in [trained, &digest::canonical_json(&spec), &weights.digest()] {
        hasher.text(part);
    }
    hasher.finish()
}

/// The weights after all steps; in words why this GPU does not do them. `is_masked` says that pruned weights stay 0.
///
/// # Errors
/// As the GPU's, and where a loss is not finite.
pub(super) async fn on_gpu(
    gpu: &GpuEngine,
    (graph, weights): (&Graph, &Weights),
    request: &Request,
    tuning: FineTuning<'_>,
    is_masked: bool,
    turns: &Turns,
) -> Result<std::result::Result<Weights, String>> {
    if is_masked {
        let words = "pruned weights are 0 again after every step, and no kernel keeps them so";
        return Ok(Err(words.into()));
    }
    let name = Storing::FINE_TUNING;
    let stage = |fraction| Stage { name, fraction };
    turns.end_step(stage(0.0)).await;
    let both = (request, tuning.codes);
    let batch = FineTuning::BATCH as u32;
    let mut model = match gpu.fine_tuning(graph, weights, both, batch).await {
        Err(Error::Unsupported { feature, why }) => return Ok(Err(format!("{feature}: {why}"))),
        model => model?,
    };
    let mut steps = tuning.steps()?;
    while steps.is_going() {
        turns.end_step(stage(steps.fraction())).await;
        let mut some = Vec::with_capacity(TOGETHER);
        while some.len() < TOGETHER
            && let Some(step) = steps.next_step()?
        {
            some.push(step);
        }
        if model.train(&some).await?.non_finite.is_some() {
            return Err(not_finite("gpu"));
        }
    }
    Ok(Ok(model.weights().await?))
}
