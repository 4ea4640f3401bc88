//! `vit`: patches as tokens, then blocks of attention between them and of a small perceptron on each.
//!
//! Dosovitskiy et al. 2021, "An image is worth 16×16 words", arXiv 2010.11929, with norms before each branch, as there.
//! Like Beyer, Zhai and Kolesnikov 2022, "Better plain ViT baselines for ImageNet-1k", arXiv 2205.01580, it has no class
//! token and averages all of them; like the small models of Hassani et al. 2021, arXiv 2104.05704, its perceptrons
//! are twice as wide as a token and not four times. How patches follow the image says `parts.rs`.

use super::parts::{dropout, patch, perceptron, tokens};
use crate::model::{Activation, Graph, Layer};

/// Its numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spec {
    /// Side of a patch; 0 chooses by the image.
    pub patch: u32,
    /// Numbers of a token. At most 2^30.
    pub width: u32,
    /// Blocks.
    pub depth: u32,
    /// Heads of the attention, a divisor of the width.
    pub heads: u32,
    /// Inside the perceptrons.
    pub activation: Activation,
    /// Rate of the dropout behind the positions and at the end of each branch.
    pub dropout: f32,
}

/// The graph: patches, positions; `depth` times norm, queries keys and values, attention, projection, sum, norm, linear,
/// activation, linear, sum; then norm, mean token, linear to the classes.
///
/// Parameters, with patches of `t` numbers (channels times cells), `n` of them, `m` = width, `d` = depth, `c` classes:
/// `(t + 1)·m + n·m + d·(8m² + 11m) + 2m + (m + 1)·c`. MACs: `n·t·m + d·(8n·m² + 2n²·m) + m·c`.
#[must_use]
pub fn graph(input: [u32; 3], classes: u32, spec: Spec) -> Graph {
    let mut graph = Graph::new(input);
    let Spec { width, .. } = spec;
    tokens(&mut graph, patch(input, spec.patch), width, true);
    dropout(&mut graph, "dropout", spec.dropout);
    for block in 1..=spec.depth {
        let prefix = format!("block{block}.");
        let from = graph.last().to_owned();
        graph.push(format!("{prefix}norm1"), Layer::layer_norm());
        graph.push(
            format!("{prefix}qkv"),
            Layer::linear(width.saturating_mul(3)),
        );
        graph.push(
            format!("{prefix}attention"),
            Layer::Attention { heads: spec.heads },
        );
        graph.push(format!("{prefix}project"), Layer::linear(width));
        dropout(&mut graph, format!("{prefix}dropout1"), spec.dropout);
        let branch = graph.last().to_owned();
        let middle = format!("{prefix}add1");
        graph.push_reading(middle.as_str(), Layer::Add, &[&from, &branch]);
        graph.push(format!("{prefix}norm2"), Layer::layer_norm());
        perceptron(
            &mut graph,
            &prefix,
            width.saturating_mul(2),
            width,
            spec.activation,
        );
        dropout(&mut graph, format!("{prefix}dropout2"), spec.dropout);
        let branch = graph.last().to_owned();
        graph.push_reading(format!("{prefix}add2"), Layer::Add, &[&middle, &branch]);
    }
    graph.push("norm", Layer::layer_norm());
    graph.push("average", Layer::GlobalAveragePool);
    graph.push("classes", Layer::linear(classes));
    graph
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::families::tests::{SHAPES, counts};

    fn spec(patch: u32, depth: u32, dropout: f32) -> Spec {
        Spec {
            patch,
            width: 64,
            depth,
            heads: 4,
            activation: Activation::Gelu,
            dropout,
        }
    }

    #[test]
    fn counts_are_the_closed_form() {
        for input in SHAPES.into_iter().chain([[2, 7, 5], [1, 1, 9], [1, 1, 1]]) {
            for (side, depth) in [(0, 1), (3, 4), (7, 2)] {
                let found = counts(&graph(input, 10, spec(side, depth, 0.1)));
                let [p, h, w] = input.map(u64::from);
                let [high, wide] = patch(input, side).map(u64::from);
                let (t, n) = (p * high * wide, h.div_ceil(high) * w.div_ceil(wide));
                let (m, d) = (64, u64::from(depth));
                let parameters =
                    (t + 1) * m + n * m + d * (8 * m * m + 11 * m) + 2 * m + (m + 1) * 10;
                let macs = n * t * m + d * (8 * n * m * m + 2 * n * n * m) + m * 10;
                assert_eq!(found, (parameters, macs), "{input:?} {side}");
            }
        }
    }

    #[test]
    fn a_small_one_has_the_size_that_others_count_for_it() {
        // The reference model of the peer comparison.
        let graph = graph([1, 28, 28], 10, spec(4, 4, 0.0));
        assert_eq!(counts(&graph), (138_890, 7_702_656));
    }
}
