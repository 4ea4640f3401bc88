//! `mobilenet`: blocks of a depthwise and a 1×1 convolution.
//!
//! Howard et al. 2017, "MobileNets: efficient convolutional neural networks for mobile vision applications", arXiv
//! 1704.04861, for small images: the first convolution keeps the size, the second and the fourth block halve it, and the
//! first, second and fourth double the channels. Norm and activation are a choice; relu6 is the published models'. On
//! an image of one row or column kernels are 1 wide there and only the other side is halved.

use super::parts::{Normalization, Stack, convolution};
use crate::model::{Activation, Convolution, Graph, Layer};

/// Its numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spec {
    /// Blocks.
    pub depth: u32,
    /// Channels of the first convolution. At most 2^29.
    pub width: u32,
    /// What follows each convolution.
    pub activation: Activation,
    /// What stands between a convolution and its activation.
    pub normalization: Normalization,
}

/// The graph: a 3×3 convolution with `width` channels; `depth` blocks of depthwise 3×3 and 1×1 convolution, each with norm
/// and activation; global average; linear to the classes.
///
/// Parameters for 4 blocks or more, with `p×h×w` inputs, `m` = width, `d` = depth, kernels of `a` cells (9, or 3 in one
/// row), `c` classes and `e` numbers per channel beside the weights (1 bias; 2 with batch norm; 3 with layer norm):
/// `a·p·m + e·m + (a + e)·m·(8d − 21) + m²·(64d − 198) + e·m·(8d − 14) + (8m + 1)·c`.
/// MACs, with `s₁ = h·w` and `s₂`, `s₃` of sides halved once and twice, rounded up:
/// `(a·p·m + a·m + 2m²)·s₁ + (6a·m + 24m²)·s₂ + (4a·m + 32m² + (d − 4)·(8a·m + 64m²))·s₃ + 8m·c`.
#[must_use]
pub fn graph(input: [u32; 3], classes: u32, spec: Spec) -> Graph {
    let mut graph = Graph::new(input);
    let stack = |prefix: String, name, convolution| Stack {
        prefix,
        names: (name, ""),
        convolution,
        normalization: spec.normalization,
        activation: Some(spec.activation),
    };
    let mut channels = spec.width;
    stack("stem.".into(), "conv", convolution(input, channels, 3, 1)).push(&mut graph);
    for block in 1..=spec.depth {
        let halves = block == 2 || block == 4;
        let depthwise = Convolution {
            groups: channels,
            ..convolution(input, channels, 3, if halves { 2 } else { 1 })
        };
        stack(format!("block{block}.depth."), "conv", depthwise).push(&mut graph);
        if halves || block == 1 {
            channels = channels.saturating_mul(2);
        }
        let pointwise = convolution(input, channels, 1, 1);
        stack(format!("block{block}.point."), "conv", pointwise).push(&mut graph);
    }
    graph.push("average", Layer::GlobalAveragePool);
    graph.push("classes", Layer::linear(classes));
    graph
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::families::tests::{NORMALIZATIONS, SHAPES, counts};

    fn spec(depth: u32, normalization: Normalization) -> Spec {
        Spec {
            depth,
            width: 16,
            activation: Activation::Relu6,
            normalization,
        }
    }

    #[test]
    fn counts_are_the_closed_form() {
        for input in SHAPES.into_iter().chain([[2, 7, 5], [1, 1, 9], [1, 1, 1]]) {
            for (depth, normalization) in [4, 6, 13].into_iter().zip(NORMALIZATIONS) {
                let found = counts(&graph(input, 10, spec(depth, normalization)));
                let [p, h, w] = input.map(u64::from);
                let cells = |side: u64| if side == 1 { 1 } else { 3 };
                let (d, m, a) = (u64::from(depth), 16, cells(h) * cells(w));
                let (e, m2) = (normalization.extra(), m * m);
                let s = [1, 2, 4].map(|by| h.div_ceil(by) * w.div_ceil(by));
                let parameters = a * p * m
                    + e * m
                    + (a + e) * m * (8 * d - 21)
                    + m2 * (64 * d - 198)
                    + e * m * (8 * d - 14)
                    + (8 * m + 1) * 10;
                let macs = (a * p * m + a * m + 2 * m2) * s[0]
                    + (6 * a * m + 24 * m2) * s[1]
                    + (4 * a * m + 32 * m2 + (d - 4) * (8 * a * m + 64 * m2)) * s[2]
                    + 8 * m * 10;
                assert_eq!(found, (parameters, macs), "{input:?} {depth}");
            }
        }
    }

    #[test]
    fn a_small_one_has_the_size_that_others_count_for_it() {
        // The reference model of the peer comparison, norms folded.
        let graph = graph([3, 32, 32], 10, spec(6, Normalization::None));
        assert_eq!(counts(&graph), (54_218, 5_715_200));
    }
}
