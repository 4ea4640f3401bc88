//! `resnet`: three stages of blocks of two 3×3 convolutions, each block's input added to its output.
//!
//! He, Zhang, Ren and Sun 2016, "Deep residual learning for image recognition", arXiv 1512.03385, section 4.2, with the
//! projections of option B (1×1, stride 2) where a stage halves the image and doubles the channels, a free width, and
//! a choice of norm and activation; without shortcuts it is the paper's plain network. On an image of one row or column
//! kernels are 1 wide there and only the other side is halved.

use super::parts::{Normalization, Stack, convolution};
use crate::model::{Activation, Graph, Layer};

/// Its numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spec {
    /// Layers with weights, shortcuts not counted: 6 times the blocks of a stage, plus 2.
    pub depth: u32,
    /// Channels of the first stage. At most 2^30.
    pub width: u32,
    /// What follows each layer but the last.
    pub activation: Activation,
    /// What stands between a convolution and its activation or sum.
    pub normalization: Normalization,
    /// Whether blocks have shortcuts.
    pub residual: bool,
}

/// The graph: a convolution with `width` channels, norm and activation; three stages of `n = (depth − 2) / 6` blocks with
/// `width`, 2 and 4 times as many channels; global average; linear to the classes.
///
/// Parameters, with `p×h×w` inputs, `m` = width, kernels of `a` cells (9, or 3 in one row), `c` classes, `r` 1 with
/// shortcuts and 0 without, and `e` numbers per channel beside the weights (1 bias; 2 with batch norm; 3 with layer norm):
/// `a·p·m + a·m²·(42n − 10) + 10·m²·r + e·m·(14n + 1 + 6r) + (4m + 1)·c`.
/// MACs, with `s₁ = h·w` and `s₂`, `s₃` of sides halved once and twice, rounded up:
/// `a·p·m·s₁ + 2n·a·m²·s₁ + (a·(8n − 2) + 2r)·m²·s₂ + (a·(32n − 8) + 8r)·m²·s₃ + 4m·c`.
#[must_use]
pub fn graph(input: [u32; 3], classes: u32, spec: Spec) -> Graph {
    let mut graph = Graph::new(input);
    let Spec {
        activation,
        normalization,
        ..
    } = spec;
    let act = activation.name();
    Stack {
        prefix: "stem.".into(),
        names: ("conv", ""),
        convolution: convolution(input, spec.width, 3, 1),
        normalization,
        activation: Some(activation),
    }
    .push(&mut graph);
    for stage in 0..3 {
        let channels = spec.width.saturating_mul(1 << stage);
        for block in 0..spec.depth.saturating_sub(2) / 6 {
            let prefix = format!("stage{}.block{}.", stage + 1, block + 1);
            let from = graph.last().to_owned();
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let stack = |names, stride, activation| Stack {
                prefix: prefix.clone(),
                names,
                convolution: convolution(input, channels, 3, stride),
                normalization,
                activation,
            };
            stack(("conv", "1"), stride, Some(activation)).push(&mut graph);
            stack(("conv", "2"), 1, None).push(&mut graph);
            let branch = graph.last().to_owned();
            if spec.residual {
                let mut shortcut = from.clone();
                if stride > 1 {
                    let start = graph.nodes.len();
                    Stack {
                        prefix: format!("{prefix}shortcut."),
                        names: ("conv", ""),
                        convolution: convolution(input, channels, 1, stride),
                        normalization,
                        activation: None,
                    }
                    .push(&mut graph);
                    graph.nodes[start].inputs = vec![from];
                    shortcut = graph.last().to_owned();
                }
                graph.push_reading(format!("{prefix}add"), Layer::Add, &[&branch, &shortcut]);
            }
            graph.push(format!("{prefix}{act}2"), Layer::Activation(activation));
        }
    }
    graph.push("average", Layer::GlobalAveragePool);
    graph.push("classes", Layer::linear(classes));
    graph
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::families::tests::{NORMALIZATIONS, SHAPES, counts};

    fn spec(depth: u32, normalization: Normalization, residual: bool) -> Spec {
        Spec {
            depth,
            width: 16,
            activation: Activation::Relu,
            normalization,
            residual,
        }
    }

    #[test]
    fn counts_are_the_closed_form() {
        let odd = [[2, 7, 5], [1, 1, 9], [1, 1, 1]];
        for input in SHAPES.into_iter().chain(odd) {
            for (depth, residual) in [(8, true), (14, false), (20, true)] {
                for normalization in NORMALIZATIONS {
                    let spec = spec(depth, normalization, residual);
                    let found = counts(&graph(input, 10, spec));
                    let [p, h, w] = input.map(u64::from);
                    let cells = |side: u64| if side == 1 { 1 } else { 3 };
                    let (n, m, a) = (u64::from(depth - 2) / 6, 16, cells(h) * cells(w));
                    let (e, r) = (normalization.extra(), u64::from(residual));
                    let s = [1, 2, 4].map(|by| h.div_ceil(by) * w.div_ceil(by));
                    let m2 = m * m;
                    let parameters = a * p * m
                        + a * m2 * (42 * n - 10)
                        + 10 * m2 * r
                        + e * m * (14 * n + 1 + 6 * r)
                        + (4 * m + 1) * 10;
                    let macs = a * p * m * s[0]
                        + 2 * n * a * m2 * s[0]
                        + (a * (8 * n - 2) + 2 * r) * m2 * s[1]
                        + (a * (32 * n - 8) + 8 * r) * m2 * s[2]
                        + 4 * m * 10;
                    assert_eq!(found, (parameters, macs), "{input:?} {depth}");
                }
            }
        }
    }

    #[test]
    fn the_papers_network_has_its_size() {
        // Table 6: 0.27 million parameters for 20 layers on CIFAR-10; exactly so many with folded norms and projections.
        let graph = graph([3, 32, 32], 10, spec(20, Normalization::None, true));
        assert_eq!(counts(&graph), (271_690, 40_813_184));
    }
}
