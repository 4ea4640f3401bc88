//! `mlp`: linear layers with an activation between them; without hidden layers it is multinomial logistic regression.
//!
//! Rosenblatt 1958, "The perceptron"; trained by backpropagation as in Rumelhart, Hinton and Williams 1986,
//! "Learning representations by back-propagating errors". Any shape is flattened, so nothing adapts to it.

use super::parts::{Normalization, dropout};
use crate::model::{Activation, Graph, Layer};

/// Its numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spec {
    /// Hidden layers.
    pub depth: u32,
    /// Units of each.
    pub width: u32,
    /// What follows each.
    pub activation: Activation,
    /// What stands between a hidden layer and its activation.
    pub normalization: Normalization,
    /// Rate of the dropout behind each activation.
    pub dropout: f32,
}

/// The graph: flatten, then `depth` times linear, norm, activation and dropout, then linear to the classes.
///
/// Parameters, with `d` input numbers, `w` = width, `c` classes and `e` numbers per unit beside the weights (1 bias; 2
/// with batch norm, whose scale and shift replace it; 3 with layer norm): `(d + e)·w + (depth − 1)·(w + e)·w + (w + 1)·c`,
/// or `(d + 1)·c` without hidden layers. MACs: the same with `e` and the one left out.
#[must_use]
pub fn graph(input: [u32; 3], classes: u32, spec: Spec) -> Graph {
    let mut graph = Graph::new(input);
    let Spec {
        activation,
        normalization,
        ..
    } = spec;
    graph.push("flatten", Layer::Flatten);
    for layer in 1..=spec.depth {
        let linear = Layer::Linear {
            units: spec.width,
            bias: normalization.keeps_bias(),
        };
        graph.push(format!("dense{layer}"), linear);
        normalization.push(&mut graph, format!("norm{layer}"));
        let name = format!("{}{layer}", activation.name());
        graph.push(name, Layer::Activation(activation));
        dropout(&mut graph, format!("dropout{layer}"), spec.dropout);
    }
    graph.push("classes", Layer::linear(classes));
    graph
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::families::tests::{NORMALIZATIONS, SHAPES, counts};

    #[test]
    fn counts_are_the_closed_form() {
        for (depth, width, classes) in
            [(0_u32, 7_u32, 10_u32), (1, 64, 10), (2, 64, 10), (5, 33, 3)]
        {
            for (input, normalization) in SHAPES.into_iter().zip(NORMALIZATIONS.into_iter().cycle())
            {
                let spec = Spec {
                    depth,
                    width,
                    activation: Activation::Relu,
                    normalization,
                    dropout: 0.25,
                };
                let found = counts(&graph(input, classes, spec));
                let d: u64 = input.map(u64::from).iter().product();
                let [depth, w, c] = [depth, width, classes].map(u64::from);
                let form = |e: u64, one: u64| match depth {
                    0 => (d + one) * c,
                    _ => (d + e) * w + (depth - 1) * (w + e) * w + (w + one) * c,
                };
                assert_eq!(found, (form(normalization.extra(), 1), form(0, 0)));
            }
        }
    }
}
