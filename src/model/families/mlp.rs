//! `mlp`: linear layers with an activation between them; without hidden layers it is multinomial logistic regression.
//!
//! Rosenblatt 1958, "The perceptron"; trained by backpropagation as in Rumelhart, Hinton and Williams 1986,
//! "Learning representations by back-propagating errors".

use crate::model::{Activation, Graph, Layer};

/// The graph: flatten, then `depth` times linear and activation, then linear to the classes.
///
/// Parameters, with `d` input numbers, `w` = width, `c` classes: `(d + 1)·w + (depth − 1)·(w + 1)·w + (w + 1)·c`,
/// or `(d + 1)·c` without hidden layers. MACs: the same without the ones.
#[must_use]
pub fn graph(
    input: [u32; 3],
    classes: u32,
    depth: u32,
    width: u32,
    activation: Activation,
) -> Graph {
    let mut graph = Graph::new(input);
    graph.push("flatten", Layer::Flatten);
    for layer in 1..=depth {
        graph.push(format!("dense{layer}"), Layer::linear(width));
        graph.push(
            format!("{}{layer}", activation.name()),
            Layer::Activation(activation),
        );
    }
    graph.push("classes", Layer::linear(classes));
    graph
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_the_closed_form() {
        for (depth, width, classes) in [(0_u64, 7, 10), (1, 64, 10), (2, 64, 10), (5, 33, 3)] {
            let graph = graph(
                [1, 8, 8],
                classes as u32,
                depth as u32,
                width as u32,
                Activation::Relu,
            );
            let nodes = graph.resolve().expect("fits");
            let parameters: u64 = nodes
                .iter()
                .flat_map(|node| &node.parameters)
                .map(crate::model::Parameter::count)
                .sum();
            let macs: u64 = nodes.iter().map(|node| node.macs).sum();
            let d = 64;
            let form = |one: u64| {
                if depth == 0 {
                    (d + one) * classes
                } else {
                    (d + one) * width
                        + (depth - 1) * (width + one) * width
                        + (width + one) * classes
                }
            };
            assert_eq!((parameters, macs), (form(1), form(0)), "depth {depth}");
        }
    }
}
