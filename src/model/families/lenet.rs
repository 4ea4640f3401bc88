//! `lenet`: two convolutions with pooling, then two linear layers.
//!
//! LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document recognition", with
//! padding that keeps the size, free widths and a choice of activation, pooling and norm. On an image of one row or column
//! kernels are 1 wide there, and a side of 1 is not pooled any further.

use super::parts::{Normalization, Stack, convolution, dropout, halving};
use crate::model::{Activation, Graph, Layer};

/// Its numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spec {
    /// Channels of the first convolution; the second has twice as many. At most 2^31.
    pub channels: u32,
    /// Side of the square kernels, odd.
    pub kernel: u32,
    /// Units of the hidden linear layer.
    pub dense: u32,
    /// What follows each layer but the last.
    pub activation: Activation,
    /// What stands between a layer and its activation.
    pub normalization: Normalization,
    /// The mean of each window is kept instead of its largest number.
    pub average: bool,
    /// Rate of the dropout before the last layer.
    pub dropout: f32,
}

/// The graph: convolution, norm, activation, pooling, with `channels` and then twice as many; then linear to `dense`,
/// norm, activation, dropout, linear to the classes.
///
/// Parameters, with `p×h×w` inputs, `n` channels, kernels of `a` cells (`k²`, or `k` in one row), pooled sides `h/4` and
/// `w/4` (rounded down twice, at least 1), dense width `m`, `c` classes and `e` numbers per channel beside the weights (1
/// bias; 2 with batch norm; 3 with layer norm):
/// `n·(p·a + e) + 2n·(n·a + e) + m·(2n·⌊h/4⌋·⌊w/4⌋ + e) + c·(m + 1)`.
/// MACs: `n·p·a·h·w + 2n·n·a·⌊h/2⌋·⌊w/2⌋ + 2n·⌊h/4⌋·⌊w/4⌋·m + m·c`; products with the zeros around are counted.
#[must_use]
pub fn graph(input: [u32; 3], classes: u32, spec: Spec) -> Graph {
    let mut graph = Graph::new(input);
    let [_, mut height, mut width] = input;
    let Spec {
        activation,
        normalization,
        ..
    } = spec;
    for (stage, channels) in [("1", spec.channels), ("2", spec.channels.saturating_mul(2))] {
        Stack {
            prefix: String::new(),
            names: ("conv", stage),
            convolution: convolution(input, channels, spec.kernel, 1),
            normalization,
            activation: Some(activation),
        }
        .push(&mut graph);
        let window = halving([height, width]);
        let pool = match spec.average {
            true => Layer::AveragePool(window),
            false => Layer::MaxPool(window),
        };
        graph.push(format!("pool{stage}"), pool);
        (height, width) = ((height / 2).max(1), (width / 2).max(1));
    }
    graph.push("flatten", Layer::Flatten);
    let dense = Layer::Linear {
        units: spec.dense,
        bias: normalization.keeps_bias(),
    };
    graph.push("dense", dense);
    normalization.push(&mut graph, "norm3");
    graph.push(
        format!("{}3", activation.name()),
        Layer::Activation(activation),
    );
    dropout(&mut graph, "dropout", spec.dropout);
    graph.push("classes", Layer::linear(classes));
    graph
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::families::tests::{NORMALIZATIONS, SHAPES, counts};

    fn spec(normalization: Normalization) -> Spec {
        Spec {
            channels: 6,
            kernel: 5,
            dense: 120,
            activation: Activation::Tanh,
            normalization,
            average: true,
            dropout: 0.5,
        }
    }

    #[test]
    fn counts_are_the_closed_form() {
        for normalization in NORMALIZATIONS {
            for input in SHAPES.into_iter().chain([[3, 31, 9], [2, 3, 1], [1, 1, 1]]) {
                let found = counts(&graph(input, 10, spec(normalization)));
                let [p, h, w] = input.map(u64::from);
                let cells = |side: u64| if side == 1 { 1 } else { 5 };
                let (n, a, m, e) = (6, cells(h) * cells(w), 120, normalization.extra());
                let half = |side: u64| (side / 2).max(1);
                let flat = 2 * n * half(half(h)) * half(half(w));
                let parameters =
                    n * (p * a + e) + 2 * n * (n * a + e) + m * (flat + e) + 10 * (m + 1);
                let macs =
                    n * p * a * h * w + 2 * n * n * a * half(h) * half(w) + flat * m + m * 10;
                assert_eq!(found, (parameters, macs), "{input:?}");
            }
        }
    }

    #[test]
    fn names_and_order_are_those_of_old_weights() {
        let plain = Spec {
            average: false,
            dropout: 0.0,
            ..spec(Normalization::None)
        };
        let graph = graph([1, 8, 8], 10, plain);
        let words: Vec<String> = (graph.nodes.iter())
            .map(|node| format!("{}: {}", node.name, node.layer.words()))
            .collect();
        assert_eq!(
            words.join(", "),
            "conv1: convolution 5×5, tanh1: tanh, pool1: max-pool 2×2, conv2: convolution 5×5, tanh2: tanh, \
             pool2: max-pool 2×2, flatten: flatten, dense: linear, tanh3: tanh, classes: linear"
        );
    }
}
