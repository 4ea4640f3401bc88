//! Layers with named inputs, and the shapes that follow from them; it allocates no tensor and knows no engine.

use super::layer::Layer;
use super::parameter::Parameter;
use super::shape::resolve_node;
use crate::error::{Error, Result};
use std::collections::BTreeMap;

/// The name by which a node refers to the graph's input.
pub const INPUT: &str = "input";

/// A layer with its name and where its inputs come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Unique in the graph; prefix of its tensors: `conv1` has `conv1.weight` and `conv1.bias`.
    pub name: String,
    /// What it does.
    pub layer: Layer,
    /// Names of the nodes it reads, each earlier in the list, or [`INPUT`]; as many as the layer reads.
    pub inputs: Vec<String>,
}

/// A model without its weights: nodes in an order in which they can be computed. The last one gives the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// Shape of one row: `[channels, height, width]`.
    pub input: [u32; 3],
    /// The layers.
    pub nodes: Vec<Node>,
}

/// Where a node's input comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The graph's input.
    Input,
    /// The node at this index.
    Node(usize),
}

/// A node whose shapes are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedNode {
    /// Its inputs.
    pub sources: Vec<Source>,
    /// Shape of each input for one row.
    pub inputs: Vec<Vec<u32>>,
    /// Shape of its output for one row.
    pub output: Vec<u32>,
    /// Its tensors, in the order weight, bias, running mean, running variance; or positions.
    pub parameters: Vec<Parameter>,
    /// Multiply-accumulates for one row.
    pub macs: u64,
}

impl ResolvedNode {
    /// Shape of its first input for one row; every layer has one.
    #[must_use]
    pub fn input(&self) -> &[u32] {
        self.inputs.first().map_or(&[], Vec::as_slice)
    }
}

impl Graph {
    /// A graph without layers.
    #[must_use]
    pub const fn new(input: [u32; 3]) -> Self {
        Self {
            input,
            nodes: Vec::new(),
        }
    }

    /// Adds a layer that reads the last one, or the input if it is the first.
    pub fn push(&mut self, name: impl Into<String>, layer: Layer) {
        let input = self.last().to_owned();
        self.nodes.push(Node {
            name: name.into(),
            layer,
            inputs: vec![input],
        });
    }

    /// Works out every shape, with checked arithmetic and without allocating anything that grows with them.
    ///
    /// # Errors
    /// [`Error::BadInput`] that names the node: no layers, a name twice, an input that is not an earlier node, a shape
    /// that does not fit or becomes empty; [`Error::TooLarge`] where a count does not fit its type.
    pub fn resolve(&self) -> Result<Vec<ResolvedNode>> {
        if self.nodes.is_empty() {
            return Err(Error::bad_input("the graph", "at least one layer", "none"));
        }
        if self.input.contains(&0) {
            return Err(Error::bad_input(
                "the graph's input",
                "at least one channel, row and column",
                shown(&self.input),
            ));
        }
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let mut resolved: Vec<ResolvedNode> = Vec::with_capacity(self.nodes.len());
        for (index, node) in self.nodes.iter().enumerate() {
            let mut sources = Vec::with_capacity(node.inputs.len());
            for input in &node.inputs {
                sources.push(if input == INPUT {
                    Source::Input
                } else {
                    let earlier = seen.get(input.as_str());
                    Source::Node(*earlier.ok_or_else(|| self.no_such(node, input))?)
                });
            }
            let wanted = node.layer.arity();
            if sources.len() != wanted {
                return Err(Error::bad_input(
                    format!("layer {:?} ({})", node.name, node.layer.words()),
                    if wanted == 1 {
                        "one input"
                    } else {
                        "two inputs"
                    },
                    format!("{}", sources.len()),
                ));
            }
            let inputs = sources
                .iter()
                .map(|source| match *source {
                    Source::Input => self.input.to_vec(),
                    Source::Node(earlier) => resolved[earlier].output.clone(),
                })
                .collect();
            if node.name == INPUT || seen.insert(&node.name, index).is_some() {
                return Err(Error::bad_input(
                    "the graph",
                    "each layer's name once",
                    format!("{:?} twice", node.name),
                ));
            }
            resolved.push(resolve_node(node, sources, inputs)?);
        }
        Ok(resolved)
    }

    /// Why a name that is no earlier node's cannot be an input: so no cycle can be written down.
    fn no_such(&self, node: &Node, input: &str) -> Error {
        let later = self.nodes.iter().any(|other| other.name == input);
        let got = match later {
            true if node.name == input => format!("{input:?} itself"),
            true => format!("{input:?}, which comes later"),
            false => format!("{input:?}"),
        };
        let what = format!("input of layer {:?}", node.name);
        Error::bad_input(what, "a layer before it", got)
    }

    /// Every tensor that the graph needs, in the order of its nodes.
    ///
    /// # Errors
    /// As [`Graph::resolve`].
    pub fn parameters(&self) -> Result<Vec<Parameter>> {
        Ok(self
            .resolve()?
            .into_iter()
            .flat_map(|node| node.parameters)
            .collect())
    }

    /// Adds a layer that reads these.
    pub fn push_reading(&mut self, name: impl Into<String>, layer: Layer, inputs: &[&str]) {
        self.nodes.push(Node {
            name: name.into(),
            layer,
            inputs: inputs.iter().map(ToString::to_string).collect(),
        });
    }

    /// The name of the last layer, or of the input where there is none.
    #[must_use]
    pub fn last(&self) -> &str {
        self.nodes.last().map_or(INPUT, |node| &node.name)
    }
}

/// A shape as people write it: `1×8×8`.
pub(crate) fn shown(shape: &[u32]) -> String {
    if shape.is_empty() {
        return "a single number".into();
    }
    shape
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("×")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Activation, Convolution, Window};

    fn message(graph: &Graph) -> String {
        graph.resolve().expect_err("refused").to_string()
    }

    fn pool() -> Layer {
        Layer::MaxPool(Window::tiling([2, 2]))
    }

    #[test]
    fn a_layer_may_read_any_earlier_one_and_no_other() {
        let mut graph = Graph::new([1, 4, 4]);
        graph.push("pool", pool());
        graph.push("flatten", Layer::Flatten);
        graph.push("end", Layer::linear(2));
        graph.nodes[1].inputs = vec![INPUT.into()];
        let nodes = graph.resolve().expect("fits");
        assert_eq!(nodes[1].sources, [Source::Input]);
        assert_eq!(nodes[1].output, [16]);
        for (later, got) in [
            ("flatten", "got \"flatten\" itself"),
            ("end", "got \"end\", which comes later"),
            ("nobody", "got \"nobody\""),
        ] {
            graph.nodes[1].inputs = vec![later.into()];
            let found = message(&graph);
            assert!(found.contains("a layer before it"), "{found}");
            assert!(found.ends_with(got), "{found}");
        }
        graph.nodes[1].inputs = Vec::new();
        assert!(message(&graph).contains("one input"));
        graph.nodes[1].layer = Layer::Add;
        assert!(message(&graph).contains("two inputs, got 0"));
    }

    /// `[shape]` of the last layer, its tensors' shapes, and all work.
    fn last(input: [u32; 3], layers: &[Layer]) -> (Vec<u32>, Vec<Vec<u32>>, u64) {
        let mut graph = Graph::new(input);
        for (index, layer) in layers.iter().enumerate() {
            graph.push(format!("{index}"), *layer);
        }
        let nodes = graph.resolve().expect("fits");
        let macs = nodes.iter().map(|node| node.macs).sum();
        let last = nodes.into_iter().next_back().expect("one");
        let shapes = last.parameters.into_iter().map(|tensor| tensor.shape);
        (last.output, shapes.collect(), macs)
    }

    #[test]
    fn every_layer_makes_the_shape_that_pytorch_makes() {
        let wide = Convolution {
            kernel: [1, 5],
            stride: [1, 2],
            padding: [0, 2, 0, 1],
            groups: 2,
            bias: false,
            ..Convolution::same(6, 3)
        };
        let window = Window {
            size: [3, 2],
            stride: [2, 1],
            padding: [1, 0, 2, 1],
        };
        let positions = Layer::Tokens { positions: true };
        let tokens = Layer::Tokens { positions: false };
        let heads = Layer::Attention { heads: 2 };
        type Case<'a> = (&'a [Layer], &'a [u32], &'a [&'a [u32]], u64);
        let cases: &[Case<'_>] = &[
            (&[Layer::Flatten], &[280], &[], 0),
            (
                &[Layer::Convolution(wide)],
                &[6, 7, 5],
                &[&[6, 2, 1, 5]],
                6 * 2 * 5 * 35,
            ),
            (&[Layer::MaxPool(window)], &[4, 4, 10], &[], 0),
            (&[Layer::AveragePool(window)], &[4, 4, 10], &[], 0),
            (&[Layer::GlobalAveragePool], &[4], &[], 0),
            (
                &[Layer::batch_norm()],
                &[4, 7, 10],
                &[&[4], &[4], &[4], &[4]],
                0,
            ),
            (&[Layer::layer_norm()], &[4, 7, 10], &[&[4], &[4]], 0),
            (&[Layer::Activation(Activation::Silu)], &[4, 7, 10], &[], 0),
            (&[Layer::Dropout { rate: 0.5 }], &[4, 7, 10], &[], 0),
            (&[positions], &[70, 4], &[&[70, 4]], 0),
            (&[tokens, Layer::layer_norm()], &[70, 4], &[&[4], &[4]], 0),
            (&[tokens, Layer::GlobalAveragePool], &[4], &[], 0),
            (&[tokens, Layer::Transpose], &[4, 70], &[], 0),
            (
                &[tokens, Layer::linear(3)],
                &[70, 3],
                &[&[3, 4], &[3]],
                70 * 12,
            ),
            (
                &[tokens, Layer::linear(12), heads],
                &[70, 4],
                &[],
                70 * 48 + 2 * 70 * 70 * 4,
            ),
        ];
        for (layers, output, tensors, macs) in cases {
            let found = last([4, 7, 10], layers);
            let wanted = (
                output.to_vec(),
                tensors.iter().map(|shape| shape.to_vec()).collect(),
                *macs,
            );
            assert_eq!(found, wanted, "{layers:?}");
        }
    }

    #[test]
    fn models_without_padding_or_of_plain_rows_have_the_size_that_others_count_for_them() {
        let valid = |channels| {
            Layer::Convolution(Convolution {
                padding: [0; 4],
                ..Convolution::same(channels, 5)
            })
        };
        let relu = Layer::Activation(Activation::Relu);
        let [flat, hidden, classes] = [Layer::Flatten, Layer::linear(128), Layer::linear(10)];
        // Two reference models of the peer comparison; the other three are families'.
        let lenet = [
            valid(32),
            relu,
            pool(),
            valid(64),
            relu,
            pool(),
            flat,
            hidden,
            relu,
            classes,
        ];
        let mlp = [flat, Layer::linear(256), relu, hidden, relu, classes];
        for (input, layers, wanted) in [
            ([1, 28, 28], &lenet[..], (184_586, 3_869_952)),
            ([1, 1, 784], &mlp[..], (235_146, 234_752)),
        ] {
            let mut graph = Graph::new(input);
            for (index, layer) in layers.iter().enumerate() {
                graph.push(format!("{index}"), *layer);
            }
            assert_eq!(crate::model::families::tests::counts(&graph), wanted);
        }
    }

    #[test]
    fn refuses_what_does_not_fit_with_the_layers_name() {
        let convolution = |change: fn(&mut Convolution)| {
            let mut convolution = Convolution::same(4, 3);
            change(&mut convolution);
            Layer::Convolution(convolution)
        };
        let window = |size, padding| {
            Layer::AveragePool(Window {
                size,
                stride: [1, 1],
                padding,
            })
        };
        let (tokens, flat) = (Layer::Tokens { positions: true }, Layer::Flatten);
        let heads = |heads| Layer::Attention { heads };
        let cases: &[(&[Layer], &str)] = &[
            (&[], "at least one layer"),
            (
                &[Layer::linear(3)],
                "input of layer \"0\" (linear): expected a list",
            ),
            (
                &[flat, Layer::convolution(1, 3)],
                "input of layer \"1\" (convolution 3×3): expected channels, rows",
            ),
            (
                &[flat, Layer::linear(0)],
                "units of layer \"1\": expected at least 1, got 0",
            ),
            (
                &[convolution(|c| c.channels = 0)],
                "channels of layer \"0\"",
            ),
            (
                &[convolution(|c| c.stride = [1, 0])],
                "the stride's columns of layer \"0\"",
            ),
            (
                &[convolution(|c| c.kernel = [0, 3])],
                "the kernel's rows of layer \"0\"",
            ),
            (&[convolution(|c| c.groups = 0)], "groups of layer \"0\""),
            (
                &[convolution(|c| c.groups = 4)],
                "a divisor of the input's 2 channels, got 4",
            ),
            (
                &[convolution(|c| (c.groups, c.channels) = (2, 3))],
                "a divisor of the layer's 3 channels, got 2",
            ),
            (
                &[convolution(|c| c.padding = [0, 0, 3, 0])],
                "padding of layer \"0\": expected less than the kernel's 3 rows, got 3",
            ),
            (
                &[Layer::Convolution(Convolution {
                    kernel: [9, 1],
                    ..Convolution::same(1, 1)
                })],
                "at least 9 rows with its padding, got 3",
            ),
            (
                &[Layer::convolution(u32::MAX, 1 << 31)],
                "the work of layer \"0\"",
            ),
            (
                &[window([4, 1], [0; 4])],
                "input of layer \"0\" (average-pool 4×1): expected at least 4 rows",
            ),
            (
                &[window([2, 2], [0, 2, 0, 0])],
                "padding of layer \"0\": expected less than the window's 2 columns",
            ),
            (
                &[tokens, Layer::batch_norm()],
                "input of layer \"1\" (batch norm)",
            ),
            (
                &[Layer::BatchNorm {
                    epsilon: f32::NAN,
                    momentum: 0.1,
                }],
                "epsilon of layer \"0\"",
            ),
            (
                &[Layer::BatchNorm {
                    epsilon: 0.1,
                    momentum: 0.0,
                }],
                "momentum of layer \"0\"",
            ),
            (
                &[Layer::LayerNorm { epsilon: 0.0 }],
                "epsilon of layer \"0\"",
            ),
            (
                &[flat, Layer::GlobalAveragePool],
                "input of layer \"1\" (global average)",
            ),
            (
                &[flat, Layer::Transpose],
                "input of layer \"1\" (transpose): expected tokens",
            ),
            (
                &[flat, tokens],
                "input of layer \"1\" (tokens with positions)",
            ),
            (&[tokens, heads(1)], "a multiple of 3 features, got 9×2"),
            (
                &[tokens, Layer::linear(6), heads(3)],
                "heads of layer \"2\": expected a divisor of its 2 features, got 3",
            ),
            (
                &[tokens, Layer::linear(6), heads(0)],
                "heads of layer \"2\": expected at least 1",
            ),
            (&[Layer::Dropout { rate: 1.0 }], "rate of layer \"0\""),
        ];
        for (layers, wanted) in cases {
            let mut graph = Graph::new([2, 3, 3]);
            for (index, layer) in layers.iter().enumerate() {
                graph.push(format!("{index}"), *layer);
            }
            let found = message(&graph);
            assert!(found.contains(wanted), "{found}");
        }
    }

    #[test]
    fn refuses_names_twice_sums_of_two_shapes_and_counts_that_overflow() {
        let mut graph = Graph::new([2, 3, 3]);
        graph.push("f", Layer::Flatten);
        graph.push("f", Layer::Flatten);
        assert!(message(&graph).contains("\"f\" twice"));
        graph.nodes[1] = Node {
            name: "sum".into(),
            layer: Layer::Add,
            inputs: vec![INPUT.into(), "f".into()],
        };
        assert!(message(&graph).contains(
            "inputs of layer \"sum\" (add): expected two of one shape, got 2×3×3 and 18"
        ));
        let mut graph = Graph::new([2, 3, 3]);
        graph.push(INPUT, Layer::Flatten);
        assert!(message(&graph).contains("\"input\" twice"));
        let mut graph = Graph::new([1, u32::MAX, u32::MAX]);
        graph.push("c", Layer::convolution(u32::MAX, 3));
        assert!(message(&graph).contains("the work of layer \"c\""));
        assert!(
            message(&Graph {
                input: [0, 1, 1],
                ..graph
            })
            .contains("one channel, row and column")
        );
        assert!(message(&Graph::new([0, 1, 1])).contains("one layer"));
    }
}
