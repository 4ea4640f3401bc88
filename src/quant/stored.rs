//! A model's weights as they are stored under a scheme, with the digest of the very bytes; it runs nothing.

use super::ggml;
use super::scheme::{Scheme, applied};
use crate::digest::Hasher;
use crate::error::Result;
use crate::model::{Graph, Parameter, Weights};
use half::f16;

/// One tensor as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTensor {
    /// `conv1.weight`.
    pub name: String,
    /// Its shape, outermost dimension first.
    pub shape: Vec<u32>,
    /// The scheme that it is really stored in.
    pub scheme: Scheme,
    /// Why that is not the one asked for, or empty.
    pub reason: String,
    /// The bytes, little endian.
    pub bytes: Vec<u8>,
}

/// A model's weights under a scheme.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Its tensors, in the order of the graph's nodes.
    pub layers: Vec<StoredTensor>,
    weights: Weights,
}

impl Stored {
    /// Bytes of all tensors together, without names and shapes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.layers
            .iter()
            .map(|tensor| tensor.bytes.len() as u64)
            .sum()
    }

    /// SHA-256 over name, shape, scheme and bytes of each tensor, in order.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = Hasher::new();
        for tensor in &self.layers {
            hasher.text(&tensor.name);
            hasher.u32s(&tensor.shape);
            hasher.text(tensor.scheme.name());
            hasher.u64(tensor.bytes.len() as u64);
            hasher.bytes(&tensor.bytes);
        }
        hasher.finish()
    }

    /// The numbers that come back from the stored bytes: what the model runs with.
    #[must_use]
    pub const fn weights(&self) -> &Weights {
        &self.weights
    }
}

/// Stores a graph's weights under a scheme. Tensors that cannot take it stay f32, with the reason: see [`applied`];
/// so does a tensor with a number that is not finite or whose stored form would not be.
///
/// # Errors
/// As [`Weights::check`]; [`crate::error::Error::Unsupported`] for an unknown scheme.
pub fn quantize(graph: &Graph, weights: &Weights, scheme: &str) -> Result<Stored> {
    weights.check(graph)?;
    let mut stored = Stored {
        layers: Vec::new(),
        weights: Weights::default(),
    };
    for parameter in graph.parameters()? {
        let Some(tensor) = weights.get(&parameter.name) else {
            continue;
        };
        let (kept, back) = store(&parameter, &tensor.values, scheme)?;
        stored.weights.insert(parameter.name, parameter.shape, back);
        stored.layers.push(kept);
    }
    Ok(stored)
}

fn store(parameter: &Parameter, values: &[f32], scheme: &str) -> Result<(StoredTensor, Vec<f32>)> {
    let applied = applied(parameter, scheme)?;
    let (mut scheme, mut reason) = (applied.scheme, applied.reason);
    let (mut bytes, mut back) = encode(values, scheme)?;
    if scheme != Scheme::F32 && !back.iter().all(|value| value.is_finite()) {
        reason = if values.iter().all(|value| value.is_finite()) {
            "a weight or a block's scale is beyond the range of f16".into()
        } else {
            "it holds a number that is not finite".into()
        };
        scheme = Scheme::F32;
        (bytes, back) = encode(values, scheme)?;
    }
    let kept = StoredTensor {
        name: parameter.name.clone(),
        shape: parameter.shape.clone(),
        scheme,
        reason,
        bytes,
    };
    Ok((kept, back))
}

fn encode(values: &[f32], scheme: Scheme) -> Result<(Vec<u8>, Vec<f32>)> {
    match scheme {
        Scheme::F32 => Ok((
            values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
            values.to_vec(),
        )),
        Scheme::F16 => {
            let halves: Vec<f16> = values.iter().map(|&value| f16::from_f32(value)).collect();
            Ok((
                halves.iter().flat_map(|half| half.to_le_bytes()).collect(),
                halves.iter().map(|half| half.to_f32()).collect(),
            ))
        }
        Scheme::Q8_0 | Scheme::Q4_0 => {
            // NaN has no place in a block: candle's rounding would hide it as a zero.
            if values.iter().any(|value| !value.is_finite()) {
                return Ok((Vec::new(), vec![f32::NAN; values.len()]));
            }
            ggml::round_trip(values, scheme)
        }
    }
}
