//! Stores trained weights as a recipe asks, with the training rows that ranges of activations are chosen from; it decides
//! neither schemes nor ranges.

use crate::data::Rows;
use crate::engine::cpu::observe;
use crate::error::Result;
use crate::model::{Graph, Weights};
use crate::quant::{self, Calibration, Request, Seen, Stored};
use crate::recipe::QuantizationSpec;

/// Stores the weights of a graph; `training` are the rows of its training, of which the first are looked at.
///
/// # Errors
/// As [`quant::stored`] and [`observe`].
pub fn stored(
    graph: &Graph,
    weights: &Weights,
    spec: &QuantizationSpec,
    data: &Rows,
    training: &[u32],
) -> Result<Stored> {
    if !Request::of(spec)?.needs_calibration() {
        return quant::stored(graph, weights, spec, None);
    }
    let rows = training.len().min(spec.calibration_rows() as usize);
    let seen = calibrated(graph, weights, data, &training[..rows])?;
    quant::stored(graph, weights, spec, Some(&seen))
}

/// What rows show of every activation of a graph without its foldable norms.
///
/// # Errors
/// As [`observe`].
pub fn calibrated(
    graph: &Graph,
    weights: &Weights,
    data: &Rows,
    rows: &[u32],
) -> Result<Calibration> {
    let folded = quant::folded_graph(graph)?;
    let weights = quant::folded_weights(graph, weights)?;
    let mut seen = vec![Seen::default(); folded.nodes.len() + 1];
    observe(&folded, &weights, data, rows, |value, numbers| {
        seen[value].bound(numbers);
    })?;
    observe(&folded, &weights, data, rows, |value, numbers| {
        seen[value].count(numbers);
    })?;
    Ok(Calibration {
        seen,
        rows: rows.len(),
    })
}
