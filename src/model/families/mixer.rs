//! `mixer`: patches as tokens, then blocks of two small perceptrons: one across the tokens, one on each of them.
//!
//! Tolstikhin et al. 2021, "MLP-Mixer: an all-MLP architecture for vision", arXiv 2105.01601, with the hidden widths of
//! its table 1: half a token's width across tokens, four times on each. How patches follow the image says
//! `parts.rs`.

use super::parts::{dropout, patch, perceptron, tokens};
use crate::model::{Activation, Graph, Layer};

/// Its numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spec {
    /// Side of a patch; 0 chooses by the image.
    pub patch: u32,
    /// Numbers of a token. At most 2^29.
    pub width: u32,
    /// Blocks.
    pub depth: u32,
    /// Inside the perceptrons.
    pub activation: Activation,
    /// Rate of the dropout at the end of each branch.
    pub dropout: f32,
}

/// The graph: patches; `depth` times norm, transpose, linear, activation, linear, transpose, sum, norm, linear,
/// activation, linear, sum; then norm, mean token, linear to the classes.
///
/// Parameters, with patches of `t` numbers (channels times cells), `n` of them, `m` = width, `s = max(⌊m/2⌋, 1)`,
/// `d` = depth, `c` classes: `(t + 1)·m + d·(2n·s + s + n + 8m² + 9m) + 2m + (m + 1)·c`.
/// MACs: `n·t·m + d·(2n·m·s + 8n·m²) + m·c`.
#[must_use]
pub fn graph(input: [u32; 3], classes: u32, spec: Spec) -> Graph {
    let mut graph = Graph::new(input);
    let Spec {
        width, activation, ..
    } = spec;
    let count = tokens(&mut graph, patch(input, spec.patch), width, false);
    for block in 1..=spec.depth {
        let prefix = format!("block{block}.");
        let from = graph.last().to_owned();
        graph.push(format!("{prefix}norm1"), Layer::layer_norm());
        graph.push(format!("{prefix}transpose1"), Layer::Transpose);
        let across = format!("{prefix}across.");
        perceptron(&mut graph, &across, (width / 2).max(1), count, activation);
        graph.push(format!("{prefix}transpose2"), Layer::Transpose);
        dropout(&mut graph, format!("{prefix}dropout1"), spec.dropout);
        let branch = graph.last().to_owned();
        let middle = format!("{prefix}add1");
        graph.push_reading(middle.as_str(), Layer::Add, &[&from, &branch]);
        graph.push(format!("{prefix}norm2"), Layer::layer_norm());
        let each = format!("{prefix}each.");
        perceptron(
            &mut graph,
            &each,
            width.saturating_mul(4),
            width,
            activation,
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

    #[test]
    fn counts_are_the_closed_form() {
        for input in SHAPES.into_iter().chain([[2, 7, 5], [1, 1, 9], [1, 1, 1]]) {
            for (side, width, depth) in [(0, 33, 1), (3, 64, 4), (7, 1, 2)] {
                let spec = Spec {
                    patch: side,
                    width,
                    depth,
                    activation: Activation::Gelu,
                    dropout: 0.1,
                };
                let found = counts(&graph(input, 10, spec));
                let [p, h, w] = input.map(u64::from);
                let [high, wide] = patch(input, side).map(u64::from);
                let (t, n) = (p * high * wide, h.div_ceil(high) * w.div_ceil(wide));
                let (m, d) = (u64::from(width), u64::from(depth));
                let s = (m / 2).max(1);
                let parameters = (t + 1) * m
                    + d * (2 * n * s + s + n + 8 * m * m + 9 * m)
                    + 2 * m
                    + (m + 1) * 10;
                let macs = n * t * m + d * (2 * n * m * s + 8 * n * m * m) + m * 10;
                assert_eq!(found, (parameters, macs), "{input:?} {side}");
            }
        }
    }
}
