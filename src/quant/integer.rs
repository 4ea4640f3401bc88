//! A model in integers: weights of 8 bits with a step for each output, activations with theirs; what runs it is an engine's.

use super::calibrate::Codes;
use super::form;
use super::scheme::Scheme;
use crate::model::{Graph, Layer, Source};
use std::collections::BTreeMap;

/// One layer's weights in integers, and its bias.
#[derive(Debug, Clone, PartialEq)]
pub struct IntegerLayer {
    /// [`Scheme::Int8`] or [`Scheme::Int8Dynamic`].
    pub scheme: Scheme,
    /// From −127 to 127, in the order of the tensor: the weights of one output side by side.
    pub weights: Vec<i8>,
    /// The step of each output.
    pub steps: Vec<f32>,
    /// The bias of each output as a number; empty where there is none.
    pub bias: Vec<f32>,
}

/// What an integer executable needs besides the graph.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Integer {
    /// Layers with integer weights, by name.
    pub layers: BTreeMap<String, IntegerLayer>,
    /// The codes of the input and of each node's output; empty where no layer is static.
    pub codes: Vec<Codes>,
}

/// Twice this power is what a bias may have in its layer's steps: with weights it stays in 32 bits.
const BIAS_STEPS: f32 = 8_388_608.0;

/// The step of one output: `max|w| / 127`, but so large that its bias has at most 2²³ steps of the sum. `input` is the step
/// of what comes in, or nothing where the bias is added as a number.
pub(super) fn output_step(weights: &[f32], bias: Option<f32>, input: Option<f32>) -> f32 {
    let largest = weights
        .iter()
        .fold(0.0_f32, |most, value| value.abs().max(most));
    let step = form::symmetric_step(largest, 127.0);
    match (bias, input) {
        (Some(bias), Some(input)) => step.max(bias.abs() / input / BIAS_STEPS),
        _ => step,
    }
}

/// The value of a source, by number: the input is 0, node `n` is `n + 1`.
pub(crate) const fn value(source: Source) -> usize {
    match source {
        Source::Input => 0,
        Source::Node(node) => node + 1,
    }
}

/// The codes of every value from those that were seen: what only moves or chooses numbers has the codes of what it reads.
pub(super) fn shared_codes(
    graph: &Graph,
    sources: &[Vec<Source>],
    mut own: impl FnMut(usize) -> Codes,
) -> Vec<Codes> {
    let mut codes = vec![own(0)];
    for (node, sources) in graph.nodes.iter().zip(sources) {
        let shares = match node.layer {
            Layer::Flatten | Layer::Transpose | Layer::Dropout { .. } | Layer::MaxPool(_) => true,
            Layer::Tokens { positions } => !positions,
            _ => false,
        };
        let next = match sources.first() {
            Some(&source) if shares => codes[value(source)],
            _ => own(codes.len()),
        };
        codes.push(next);
    }
    codes
}
