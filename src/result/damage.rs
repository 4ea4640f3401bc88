//! What storing a model under a scheme did to it, layer by layer and row by row.

use super::Paired;
use serde::Serialize;

/// What a scheme did to a model, on some rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Damage {
    /// Layers whose value is computed, the most damaged first.
    pub layers: Vec<LayerDamage>,
    /// Rows whose answer changed, those that lost a right one first.
    pub flips: Vec<Flip>,
    /// Classes, those that lost the largest share of their right answers first.
    pub classes: Vec<ClassDamage>,
    /// The stored model against the exact one.
    pub paired: Paired,
    /// Findings: what a person should know about how the numbers came about, and bounds that are not kept.
    pub warnings: Vec<String>,
}

/// One layer's numbers before and after.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LayerDamage {
    /// Its name.
    pub layer: String,
    /// What computes it: `int8`, `int8-dynamic` or `f32`.
    pub arithmetic: String,
    /// Why that is f32 although integers were asked for, or empty.
    pub reason: String,
    /// What its weights are stored in; empty without weights.
    pub scheme: String,
    /// Bytes of its tensors.
    pub bytes: u64,
    /// Their bytes in f32.
    pub f32_bytes: u64,
    /// Power of its value over that of the error, decibels; nothing where there is no error, or no power.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sqnr_decibels: Option<f64>,
    /// Cosine of the value before and after; 1 where both are zero.
    pub cosine: f64,
    /// Share of the stored model's time that it takes, on the CPU, from 0 to 1; coarse where the clock is.
    pub time_share: f64,
    /// Its weights before and after; absent without weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<Histograms>,
    /// Its value before and after.
    pub activations: Histograms,
}

/// Counts of numbers before and after in equal parts between two bounds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Histograms {
    /// The smallest number of both.
    pub low: f32,
    /// The largest.
    pub high: f32,
    /// Exact.
    pub before: Vec<u64>,
    /// Stored.
    pub after: Vec<u64>,
}

/// A row whose answer changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Flip {
    /// The row of the set.
    pub row: u32,
    /// Its class.
    pub label: u16,
    /// The exact model's answer.
    pub before: u16,
    /// The stored model's.
    pub after: u16,
    /// The exact answer's logit above the next one's.
    pub margin_before: f32,
    /// The stored answer's.
    pub margin_after: f32,
}

/// What a class lost.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClassDamage {
    /// Its name.
    pub class: String,
    /// Rows of it.
    pub rows: u32,
    /// Right before.
    pub right_before: u32,
    /// Right after.
    pub right_after: u32,
    /// Right before and wrong after.
    pub lost: u32,
    /// Wilson interval of `lost / right_before`.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}
