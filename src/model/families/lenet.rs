//! `lenet`: two convolutions with pooling, then two linear layers.
//!
//! LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document recognition", with max-pooling,
//! padding that keeps the size, free widths and a choice of activation.

use crate::model::{Activation, Graph, Layer, Window};

/// The graph: convolution, activation, pooling, with `channels` and then twice as many; then linear to `dense`,
/// activation, linear to the classes.
///
/// Parameters, with `p×h×w` inputs, `n` channels, kernel `k`, dense width `m`, `c` classes:
/// `n·(p·k² + 1) + 2n·(n·k² + 1) + m·(2n·⌊h/4⌋·⌊w/4⌋ + 1) + c·(m + 1)`.
/// MACs: `n·p·k²·h·w + 2n·n·k²·⌊h/2⌋·⌊w/2⌋ + 2n·⌊h/4⌋·⌊w/4⌋·m + m·c`; products with the zeros around are counted.
/// `channels` times two must fit `u32`; recipes stop at 256.
#[must_use]
pub fn graph(
    input: [u32; 3],
    classes: u32,
    channels: u32,
    kernel: u32,
    dense: u32,
    activation: Activation,
) -> Graph {
    let mut graph = Graph::new(input);
    let name = activation.name();
    for (stage, channels) in [(1, channels), (2, channels.saturating_mul(2))] {
        graph.push(format!("conv{stage}"), Layer::convolution(channels, kernel));
        graph.push(format!("{name}{stage}"), Layer::Activation(activation));
        graph.push(
            format!("pool{stage}"),
            Layer::MaxPool(Window::tiling([2, 2])),
        );
    }
    graph.push("flatten", Layer::Flatten);
    graph.push("dense", Layer::linear(dense));
    graph.push(format!("{name}3"), Layer::Activation(activation));
    graph.push("classes", Layer::linear(classes));
    graph
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Parameter;

    #[test]
    fn counts_are_the_closed_form() {
        for (input, channels, kernel, dense) in [
            ([1, 8, 8], 16, 3, 64),
            ([1, 28, 28], 6, 5, 120),
            ([3, 31, 9], 5, 1, 7),
        ] {
            let graph = graph(input, 10, channels, kernel, dense, Activation::Tanh);
            let nodes = graph.resolve().expect("fits");
            let parameters: u64 = nodes
                .iter()
                .flat_map(|node| &node.parameters)
                .map(Parameter::count)
                .sum();
            let macs: u64 = nodes.iter().map(|node| node.macs).sum();
            let [p, h, w] = input.map(u64::from);
            let (n, k2, m) = (
                u64::from(channels),
                u64::from(kernel * kernel),
                u64::from(dense),
            );
            let flat = 2 * n * (h / 4) * (w / 4);
            assert_eq!(
                parameters,
                n * (p * k2 + 1) + 2 * n * (n * k2 + 1) + m * (flat + 1) + 10 * (m + 1)
            );
            assert_eq!(
                macs,
                n * p * k2 * h * w + 2 * n * n * k2 * (h / 2) * (w / 2) + flat * m + m * 10
            );
        }
    }

    #[test]
    fn refuses_what_is_too_small_to_pool_twice() {
        let error = graph([1, 1, 256], 10, 16, 3, 64, Activation::Relu)
            .resolve()
            .expect_err("one row cannot be pooled");
        assert_eq!(
            error.to_string(),
            "input of layer \"pool1\" (max-pool 2×2): expected at least 2 rows with its padding, got 1"
        );
    }
}
