//! What a model costs, counted and not timed.

use serde::Serialize;

/// Counts of a planned model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Trainable numbers.
    pub parameters: u64,
    /// Multiply-accumulates for one row, forward.
    pub macs: u64,
    /// Bytes of the stored weights under the recipe's scheme, block scales and padding included.
    pub weight_bytes: u64,
    /// Bytes of the same weights in f32.
    pub f32_bytes: u64,
    /// Bytes of all activations of one row in f32.
    pub activation_bytes: u64,
    /// Multiply-accumulates of the whole planned training (forward and backward counted as three forwards).
    pub training_macs: u64,
    /// Layer by layer.
    pub layers: Vec<LayerCost>,
}

crate::section::section!(Cost: { parameters, macs, weight_bytes, f32_bytes, activation_bytes, training_macs, layers } {  });

/// Counts of one layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerCost {
    /// Its name, also the prefix of its tensors: `conv1`.
    pub name: String,
    /// What it is, in words: `convolution 3×3`.
    pub kind: String,
    /// Shape of its output for one row: `[channels, height, width]` or `[features]`.
    pub output: Vec<u32>,
    /// Trainable numbers.
    pub parameters: u64,
    /// Multiply-accumulates for one row.
    pub macs: u64,
    /// Bytes of its stored weights.
    pub bytes: u64,
    /// Scheme that it is really stored in; empty for a layer without weights.
    pub scheme: String,
    /// Why that is not the recipe's scheme, or empty.
    pub reason: String,
}

crate::section::section!(LayerCost: { name, kind, output, parameters, macs, bytes, scheme, reason } {  });
