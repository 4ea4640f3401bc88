//! Layers with named inputs, and the shapes that follow from them; it allocates no tensor and knows no engine.

use super::layer::{Activation, Layer};
use crate::error::{Error, Result};
use std::collections::BTreeMap;

/// The name by which a node refers to the graph's input.
pub const INPUT: &str = "input";

/// A layer with its name and where its inputs come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Unique in the graph; prefix of its tensors: `conv1` has `conv1.weight` and `conv1.bias`.
    pub name: String,
    /// What it does.
    pub layer: Layer,
    /// Names of the nodes it reads, each earlier in the list, or [`INPUT`]. Every layer so far reads exactly one.
    pub inputs: Vec<String>,
}

/// A model without its weights: nodes in an order in which they can be computed. The last one gives the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    /// Shape of one row: `[channels, height, width]`.
    pub input: [u32; 3],
    /// The layers.
    pub nodes: Vec<Node>,
}

/// Whether a tensor multiplies or is added: only weights decay and are quantized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterRole {
    /// Multiplies an input.
    Weight,
    /// Is added to an output.
    Bias,
}

/// A trainable tensor that a graph needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// `conv1.weight`.
    pub name: String,
    /// Its shape, outermost dimension first.
    pub shape: Vec<u32>,
    /// What it is for.
    pub role: ParameterRole,
    /// Inputs that each output sums over.
    pub fan_in: u64,
    /// Outputs that each input goes to.
    pub fan_out: u64,
}

impl Parameter {
    /// How many numbers it holds; [`Graph::resolve`] has checked that this cannot overflow.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.shape.iter().map(|&size| u64::from(size)).product()
    }
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
    /// Shape of its first input for one row.
    pub input: Vec<u32>,
    /// Shape of its output for one row.
    pub output: Vec<u32>,
    /// Its tensors, in the order weight, bias.
    pub parameters: Vec<Parameter>,
    /// Multiply-accumulates for one row.
    pub macs: u64,
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
        let input = self
            .nodes
            .last()
            .map_or_else(|| INPUT.to_owned(), |node| node.name.clone());
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
                    Source::Node(*seen.get(input.as_str()).ok_or_else(|| {
                        Error::bad_input(
                            format!("input of layer {:?}", node.name),
                            "a layer before it",
                            format!("{input:?}"),
                        )
                    })?)
                });
            }
            let &[source] = sources.as_slice() else {
                return Err(Error::bad_input(
                    format!("layer {:?}", node.name),
                    "one input",
                    format!("{}", sources.len()),
                ));
            };
            let input = match source {
                Source::Input => self.input.to_vec(),
                Source::Node(earlier) => resolved[earlier].output.clone(),
            };
            if node.name == INPUT || seen.insert(&node.name, index).is_some() {
                return Err(Error::bad_input(
                    "the graph",
                    "each layer's name once",
                    format!("{:?} twice", node.name),
                ));
            }
            resolved.push(resolve_node(node, sources, input)?);
        }
        Ok(resolved)
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

    /// The activation that reads a node, if one does.
    #[must_use]
    pub fn activation_after(&self, name: &str) -> Option<Activation> {
        self.nodes.iter().find_map(|node| match node.layer {
            Layer::Activation(activation) if node.inputs.iter().any(|input| input == name) => {
                Some(activation)
            }
            _ => None,
        })
    }
}

fn resolve_node(node: &Node, sources: Vec<Source>, input: Vec<u32>) -> Result<ResolvedNode> {
    let unfit = |expected: &str| {
        Err(Error::bad_input(
            format!("input of layer {:?} ({})", node.name, node.layer.words()),
            expected,
            shown(&input),
        ))
    };
    let mut parameters = Vec::new();
    let mut macs = 0;
    let output = match node.layer {
        Layer::Activation(_) => input.clone(),
        Layer::Flatten => vec![fits(
            checked_product(&input, &node.name)?,
            "its output",
            node,
        )?],
        Layer::Linear { units } => {
            let &[features] = input.as_slice() else {
                return unfit("a list of numbers; flatten it first");
            };
            positive(units, "units", node)?;
            macs = checked_product(&[features, units], &node.name)?;
            parameters = tensors(node, vec![units, features], features.into(), units.into());
            vec![units]
        }
        Layer::Convolution { channels, kernel } => {
            let &[planes, height, width] = input.as_slice() else {
                return unfit("channels, rows and columns");
            };
            positive(channels, "channels", node)?;
            if kernel % 2 == 0 {
                return Err(Error::bad_input(
                    format!("kernel of layer {:?}", node.name),
                    "an odd number",
                    format!("{kernel}"),
                ));
            }
            macs = checked_product(
                &[channels, planes, kernel, kernel, height, width],
                &node.name,
            )?;
            let area = checked_product(&[kernel, kernel], &node.name)?;
            let fan = |planes: u32| area.checked_mul(planes.into());
            let (Some(fan_in), Some(fan_out)) = (fan(planes), fan(channels)) else {
                return Err(overflow(&node.name));
            };
            parameters = tensors(
                node,
                vec![channels, planes, kernel, kernel],
                fan_in,
                fan_out,
            );
            vec![channels, height, width]
        }
        Layer::MaxPool => {
            let &[planes, height, width] = input.as_slice() else {
                return unfit("channels, rows and columns");
            };
            if height < 2 || width < 2 {
                return unfit("at least 2 rows and 2 columns");
            }
            vec![planes, height / 2, width / 2]
        }
    };
    Ok(ResolvedNode {
        sources,
        input,
        output,
        parameters,
        macs,
    })
}

fn tensors(node: &Node, shape: Vec<u32>, fan_in: u64, fan_out: u64) -> Vec<Parameter> {
    let outputs = shape[0];
    vec![
        Parameter {
            name: format!("{}.weight", node.name),
            shape,
            role: ParameterRole::Weight,
            fan_in,
            fan_out,
        },
        Parameter {
            name: format!("{}.bias", node.name),
            shape: vec![outputs],
            role: ParameterRole::Bias,
            fan_in,
            fan_out,
        },
    ]
}

fn positive(size: u32, what: &str, node: &Node) -> Result<()> {
    if size == 0 {
        return Err(Error::bad_input(
            format!("{what} of layer {:?}", node.name),
            "at least 1",
            "0",
        ));
    }
    Ok(())
}

fn fits(count: u64, what: &str, node: &Node) -> Result<u32> {
    u32::try_from(count).map_err(|_| Error::TooLarge {
        what: format!("{what} of layer {:?}", node.name),
        got: count,
        limit: u32::MAX.into(),
        unit: "numbers",
    })
}

fn checked_product(sizes: &[u32], name: &str) -> Result<u64> {
    sizes
        .iter()
        .try_fold(1_u64, |product, &size| product.checked_mul(size.into()))
        .ok_or_else(|| overflow(name))
}

fn overflow(name: &str) -> Error {
    Error::TooLarge {
        what: format!("the work of layer {name:?}"),
        got: u64::MAX,
        limit: u64::MAX - 1,
        unit: "multiply-accumulates",
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

    fn message(graph: &Graph) -> String {
        graph.resolve().expect_err("refused").to_string()
    }

    #[test]
    fn a_layer_may_read_any_earlier_one_and_no_other() {
        let mut graph = Graph::new([1, 4, 4]);
        graph.push("pool", Layer::MaxPool);
        graph.push("flatten", Layer::Flatten);
        graph.nodes[1].inputs = vec![INPUT.into()];
        let nodes = graph.resolve().expect("fits");
        assert_eq!(nodes[1].sources, [Source::Input]);
        assert_eq!(nodes[1].output, [16]);
        for later in ["flatten", "nobody"] {
            graph.nodes[1].inputs = vec![later.into()];
            assert!(message(&graph).contains("a layer before it"), "{later}");
        }
        graph.nodes[1].inputs = Vec::new();
        assert!(message(&graph).contains("one input"));
    }

    #[test]
    fn refuses_what_does_not_fit_with_the_layers_name() {
        let cases: [(&[(&str, Layer)], &str); 8] = [
            (&[], "at least one layer"),
            (
                &[("a", Layer::Linear { units: 3 })],
                "input of layer \"a\" (linear): expected a list",
            ),
            (
                &[
                    ("f", Layer::Flatten),
                    (
                        "c",
                        Layer::Convolution {
                            channels: 1,
                            kernel: 3,
                        },
                    ),
                ],
                "input of layer \"c\"",
            ),
            (
                &[("f", Layer::Flatten), ("f", Layer::Flatten)],
                "\"f\" twice",
            ),
            (&[(INPUT, Layer::Flatten)], "\"input\" twice"),
            (
                &[("f", Layer::Flatten), ("l", Layer::Linear { units: 0 })],
                "units of layer \"l\"",
            ),
            (
                &[(
                    "c",
                    Layer::Convolution {
                        channels: 1,
                        kernel: 2,
                    },
                )],
                "an odd number, got 2",
            ),
            (
                &[(
                    "c",
                    Layer::Convolution {
                        channels: u32::MAX,
                        kernel: u32::MAX,
                    },
                )],
                "the work of layer \"c\"",
            ),
        ];
        for (layers, wanted) in cases {
            let mut graph = Graph::new([2, 3, 3]);
            for (name, layer) in layers {
                graph.push(*name, *layer);
            }
            let found = message(&graph);
            assert!(found.contains(wanted), "{found}");
        }
        assert!(
            message(&Graph {
                input: [0, 1, 1],
                ..Graph::new([1; 3])
            })
            .contains("one layer")
        );
    }
}
