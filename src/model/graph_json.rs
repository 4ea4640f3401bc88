//! Reads and writes the public JSON form of a graph, which `docs/graph.md` describes; weights are no part of it.
//!
//! A key or type that is not known is refused by its name: a graph that means more than this version understands must
//! not run as something else. Sizes are limited before anything that grows with them is made.

use super::graph::{Graph, INPUT, Node};
use super::json_keys::{Keys, shortened};
use super::layer::{Activation, Convolution, Layer, NORM_EPSILON, NORM_MOMENTUM};
use crate::error::{Error, Result};
use serde_json::{Map, Value, json};

/// Longest text that is read.
pub const MAX_GRAPH_BYTES: usize = 1 << 20;
/// Most layers.
pub const MAX_LAYERS: usize = 2_000;
/// Longest name of a layer, in characters.
pub const MAX_NAME: usize = 64;
pub use super::json_keys::MAX_SIZE;

/// The version of the form that this build reads and writes.
pub const VERSION: u32 = 1;

/// Reads a graph from JSON text.
///
/// # Errors
/// As [`from_value`]; [`Error::TooLarge`] for a text that is too long, [`Error::BadInput`] for one that is not JSON.
pub fn read(text: &str) -> Result<Graph> {
    if text.len() > MAX_GRAPH_BYTES {
        return Err(Error::TooLarge {
            what: "the text of the graph".into(),
            got: text.len() as u64,
            limit: MAX_GRAPH_BYTES as u64,
            unit: "bytes",
        });
    }
    // serde_json refuses NaN, Infinity and nesting deeper than 128 by itself.
    let value = serde_json::from_str(text)
        .map_err(|error| Error::bad_input("the graph", "JSON", error.to_string()))?;
    from_value(&value)
}

/// Reads a graph from a JSON value.
///
/// # Errors
/// [`Error::BadInput`] that names layer and key: of another kind or version, a key or type that is not known, missing, of
/// the wrong type or out of range; [`Error::TooLarge`] for too many layers; as [`Graph::resolve`].
pub fn from_value(value: &Value) -> Result<Graph> {
    let mut document = Keys::of(value, "the graph".into())?;
    let kind = document.take("assay")?;
    if kind.as_str() != Some("graph") {
        return document.bad("assay", "\"graph\"", kind);
    }
    let version = document.take("version")?;
    if version.as_u64() != Some(VERSION.into()) {
        return document.bad("version", "1, which is what this build reads", version);
    }
    let input = document.sizes("input", 1)?;
    let layers = document.take("layers")?;
    let Some(layers) = layers.as_array() else {
        return document.bad("layers", "a list", layers);
    };
    document.nothing_else()?;
    if layers.len() > MAX_LAYERS {
        return Err(Error::TooLarge {
            what: "the graph".into(),
            got: layers.len() as u64,
            limit: MAX_LAYERS as u64,
            unit: "layers",
        });
    }
    let mut graph = Graph::new(input);
    for (index, layer) in layers.iter().enumerate() {
        let node = read_node(layer, index, graph.last())?;
        graph.nodes.push(node);
    }
    graph.resolve()?;
    Ok(graph)
}

fn read_node(value: &Value, index: usize, before: &str) -> Result<Node> {
    let mut keys = Keys::of(value, format!("layer {} of the graph", index + 1))?;
    let name = keys.word("name")?;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-/".contains(letter);
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(plain) {
        let expected = format!("1 to {MAX_NAME} of letters, digits and . _ - /");
        return keys.bad("name", &expected, &Value::from(name));
    }
    keys.what = format!("layer {name:?}");
    let inputs = match keys.take_if("inputs") {
        None => vec![before.to_owned()],
        Some(Value::Array(inputs)) if inputs.len() <= 2 => {
            let name = |input: &Value| input.as_str().map(str::to_owned);
            match inputs.iter().map(name).collect() {
                Some(inputs) => inputs,
                None => return keys.bad("inputs", "names of layers", &json!(inputs)),
            }
        }
        Some(other) => return keys.bad("inputs", "one name or two in a list", other),
    };
    let kind = keys.word("type")?;
    let layer = read_layer(kind, &mut keys)?;
    keys.nothing_else()?;
    Ok(Node {
        name: name.to_owned(),
        layer,
        inputs,
    })
}

fn read_layer(kind: &str, keys: &mut Keys<'_>) -> Result<Layer> {
    Ok(match kind {
        "flatten" => Layer::Flatten,
        "linear" => Layer::Linear {
            units: keys.size("units")?,
            bias: keys.truth("bias", true)?,
        },
        "convolution" => Layer::Convolution(Convolution {
            channels: keys.size("channels")?,
            kernel: keys.sizes("kernel", 1)?,
            stride: keys.sizes_or("stride", 1, [1; 2])?,
            padding: keys.sizes_or("padding", 0, [0; 4])?,
            groups: keys.size_or("groups", 1)?,
            bias: keys.truth("bias", true)?,
        }),
        "max_pool" => Layer::MaxPool(keys.window()?),
        "average_pool" => Layer::AveragePool(keys.window()?),
        "global_average_pool" => Layer::GlobalAveragePool,
        "batch_norm" => Layer::BatchNorm {
            epsilon: keys.number_or("epsilon", NORM_EPSILON)?,
            momentum: keys.number_or("momentum", NORM_MOMENTUM)?,
        },
        "layer_norm" => Layer::LayerNorm {
            epsilon: keys.number_or("epsilon", NORM_EPSILON)?,
        },
        "activation" => {
            let function = keys.word("function")?;
            Layer::Activation(Activation::from_name(&shortened(function))?)
        }
        "add" => Layer::Add,
        "tokens" => Layer::Tokens {
            positions: keys.truth("positions", false)?,
        },
        "transpose" => Layer::Transpose,
        "attention" => Layer::Attention {
            heads: keys.size_or("heads", 1)?,
        },
        "dropout" => Layer::Dropout {
            rate: keys.number("rate")?,
        },
        other => {
            return Err(Error::Unsupported {
                feature: format!("the type {:?} of {}", shortened(other), keys.what),
                why: format!("this version has {}", TYPES.join(", ")),
            });
        }
    })
}

/// Every type of layer, as the form names it.
pub const TYPES: [&str; 14] = [
    "flatten",
    "linear",
    "convolution",
    "max_pool",
    "average_pool",
    "global_average_pool",
    "batch_norm",
    "layer_norm",
    "activation",
    "add",
    "tokens",
    "transpose",
    "attention",
    "dropout",
];

/// The JSON form of a graph. What stands at its default is left out, and so are inputs that are the layer before.
#[must_use]
pub fn to_value(graph: &Graph) -> Value {
    let mut before = INPUT;
    let mut layers = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let mut layer = Map::new();
        layer.insert("name".into(), json!(node.name));
        if node.inputs != [before] {
            layer.insert("inputs".into(), json!(node.inputs));
        }
        write_layer(node.layer, &mut layer);
        layers.push(Value::Object(layer));
        before = &node.name;
    }
    json!({"assay": "graph", "version": VERSION, "input": graph.input, "layers": layers})
}

/// As [`to_value`], a layer a line.
#[must_use]
pub fn to_text(graph: &Graph) -> String {
    let value = to_value(graph);
    let layers = value["layers"].as_array().map_or(&[][..], Vec::as_slice);
    let lines: Vec<String> = layers.iter().map(|layer| format!("  {layer}")).collect();
    format!(
        "{{\"assay\": \"graph\", \"version\": {VERSION}, \"input\": {}, \"layers\": [\n{}\n]}}\n",
        value["input"],
        lines.join(",\n")
    )
}

fn write_layer(layer: Layer, into: &mut Map<String, Value>) {
    let mut put = |key: &str, value: Value, default: bool| {
        if !default {
            into.insert(key.into(), value);
        }
    };
    let kind = match layer {
        Layer::Flatten => "flatten",
        Layer::Linear { units, bias } => {
            put("units", json!(units), false);
            put("bias", json!(bias), bias);
            "linear"
        }
        Layer::Convolution(convolution) => {
            put("channels", json!(convolution.channels), false);
            put("kernel", json!(convolution.kernel), false);
            put(
                "stride",
                json!(convolution.stride),
                convolution.stride == [1; 2],
            );
            put(
                "padding",
                json!(convolution.padding),
                convolution.padding == [0; 4],
            );
            put("groups", json!(convolution.groups), convolution.groups == 1);
            put("bias", json!(convolution.bias), convolution.bias);
            "convolution"
        }
        Layer::MaxPool(window) | Layer::AveragePool(window) => {
            put("size", json!(window.size), false);
            put("stride", json!(window.stride), window.stride == window.size);
            put("padding", json!(window.padding), window.padding == [0; 4]);
            match layer {
                Layer::MaxPool(_) => "max_pool",
                _ => "average_pool",
            }
        }
        Layer::GlobalAveragePool => "global_average_pool",
        Layer::BatchNorm { epsilon, momentum } => {
            put("epsilon", shortest(epsilon), is(epsilon, NORM_EPSILON));
            put("momentum", shortest(momentum), is(momentum, NORM_MOMENTUM));
            "batch_norm"
        }
        Layer::LayerNorm { epsilon } => {
            put("epsilon", shortest(epsilon), is(epsilon, NORM_EPSILON));
            "layer_norm"
        }
        Layer::Activation(activation) => {
            put("function", json!(activation.name()), false);
            "activation"
        }
        Layer::Add => "add",
        Layer::Tokens { positions } => {
            put("positions", json!(positions), !positions);
            "tokens"
        }
        Layer::Transpose => "transpose",
        Layer::Attention { heads } => {
            put("heads", json!(heads), heads == 1);
            "attention"
        }
        Layer::Dropout { rate } => {
            put("rate", shortest(rate), false);
            "dropout"
        }
    };
    put("type", json!(kind), false);
}

fn is(number: f32, default: f32) -> bool {
    number.to_bits() == default.to_bits()
}

/// The shortest number that reads back to the same f32: `0.1` and not `0.10000000149011612`.
fn shortest(number: f32) -> Value {
    number
        .to_string()
        .parse::<f64>()
        .map_or(Value::Null, Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Window;
    use crate::model::families::{self, tests::SHAPES};
    use crate::recipe::Recipe;
    use crate::recipe::fields::{FAMILIES, GRAPH};

    fn round_trip(graph: &Graph) {
        assert_eq!(&from_value(&to_value(graph)).expect("valid"), graph);
        assert_eq!(&read(&to_text(graph)).expect("valid"), graph);
    }

    #[test]
    fn every_family_reads_back_to_itself() {
        for family in FAMILIES.iter().filter(|family| **family != GRAPH) {
            let mut spec = Recipe::default_for("digits", family).architecture;
            for (shape, normalization) in SHAPES
                .into_iter()
                .zip(["none", "batch"].into_iter().cycle())
            {
                spec.normalization = Some(normalization.into());
                spec.dropout = Some(0.1);
                round_trip(&families::graph(&spec, shape, 10).expect("known"));
            }
        }
    }

    /// The page that describes the form.
    const PAGE: &str = include_str!("../../docs/graph.md");

    #[test]
    fn the_examples_of_the_page_are_graphs_and_show_every_type() {
        let blocks: Vec<&str> = PAGE
            .split("```json\n")
            .skip(1)
            .filter_map(|block| block.split("```").next())
            .collect();
        assert!(blocks.len() > TYPES.len(), "one of each and a whole one");
        let mut shown = String::new();
        for block in blocks {
            round_trip(&read(block).unwrap_or_else(|error| panic!("{error}: {block}")));
            shown.push_str(block);
        }
        for kind in TYPES {
            assert!(
                shown.contains(&format!("\"type\": \"{kind}\"")),
                "no example of {kind}"
            );
            assert!(PAGE.contains(&format!("| `{kind}` |")), "no row for {kind}");
        }
    }

    #[test]
    fn every_number_is_kept_and_what_is_default_is_left_out() {
        let mut graph = Graph::new([4, 9, 9]);
        let around = [0, 2, 0, 1];
        graph.push(
            "c",
            Layer::Convolution(Convolution {
                channels: 6,
                kernel: [1, 5],
                stride: [1, 2],
                padding: around,
                groups: 2,
                bias: false,
            }),
        );
        graph.push(
            "n",
            Layer::BatchNorm {
                epsilon: 1e-3,
                momentum: 0.3,
            },
        );
        graph.push("sum", Layer::Add);
        graph.nodes[2].inputs = vec!["n".into(), "c".into()];
        graph.push(
            "p",
            Layer::AveragePool(Window {
                size: [3, 3],
                stride: [2, 1],
                padding: [1, 0, 0, 1],
            }),
        );
        graph.push("d", Layer::Dropout { rate: 0.1 });
        graph.push("f", Layer::GlobalAveragePool);
        graph.push(
            "l",
            Layer::Linear {
                units: 2,
                bias: false,
            },
        );
        round_trip(&graph);
        let text = to_text(&graph);
        assert!(
            text.contains("\"rate\":0.1}") || text.contains("\"rate\":0.1,"),
            "{text}"
        );
        assert!(text.contains("\"epsilon\":0.001"), "{text}");
        let mut plain = Graph::new([1, 8, 8]);
        plain.push(
            "c",
            Layer::Convolution(Convolution {
                padding: [0; 4],
                ..Convolution::same(2, 3)
            }),
        );
        let layers = &to_value(&plain)["layers"];
        assert_eq!(
            *layers,
            json!([{"name": "c", "type": "convolution", "channels": 2, "kernel": [3, 3]}])
        );
    }

    #[test]
    fn refuses_what_it_does_not_know_by_its_name() {
        let layer = |layer: Value| json!({"assay": "graph", "version": 1, "input": [1, 8, 8], "layers": [layer]});
        let flatten = json!({"name": "f", "type": "flatten"});
        let with = |key: &str, value: Value| {
            let mut graph = layer(flatten.clone());
            graph[key] = value;
            graph
        };
        for (value, wanted) in [
            (json!([]), "the graph: expected a JSON object"),
            (json!({}), "the graph: expected a key \"assay\""),
            (
                with("assay", json!("recipe")),
                "assay of the graph: expected \"graph\", got \"recipe\"",
            ),
            (
                with("version", json!(2)),
                "version of the graph: expected 1",
            ),
            (
                with("input", json!([1, 8])),
                "input of the graph: expected a list of 3 numbers",
            ),
            (
                with("input", json!([1, 8, 0])),
                "input of the graph: expected whole numbers from 1",
            ),
            (
                with("input", json!([1, 8, 1e9])),
                "input of the graph: expected whole numbers from 1 to 1048576",
            ),
            (
                with("layers", json!({})),
                "layers of the graph: expected a list, got an object",
            ),
            (with("layers", json!([])), "at least one layer"),
            (with("later", json!(1)), "also \"later\""),
            (
                layer(json!(3)),
                "layer 1 of the graph: expected a JSON object, got 3",
            ),
            (
                layer(json!({"type": "flatten"})),
                "layer 1 of the graph: expected a key \"name\"",
            ),
            (
                layer(json!({"name": "a b", "type": "flatten"})),
                "name of layer 1 of the graph: expected 1 to 64 of letters",
            ),
            (
                layer(json!({"name": "n".repeat(65), "type": "flatten"})),
                "name of layer 1",
            ),
            (
                layer(json!({"name": "f"})),
                "layer \"f\": expected a key \"type\"",
            ),
            (
                layer(json!({"name": "f", "type": "fold"})),
                "the type \"fold\" of layer \"f\" is not supported",
            ),
            (
                layer(json!({"name": "f", "type": "flatten", "axis": 1})),
                "layer \"f\": expected only the keys name, inputs, type, got also \"axis\"",
            ),
            (
                layer(json!({"name": "f", "type": "flatten", "inputs": "x"})),
                "inputs of layer \"f\": expected one name",
            ),
            (
                layer(json!({"name": "f", "type": "flatten", "inputs": [1]})),
                "inputs of layer \"f\": expected names",
            ),
            (
                layer(json!({"name": "f", "type": "flatten", "inputs": ["x"]})),
                "input of layer \"f\": expected a layer before it",
            ),
            (
                layer(json!({"name": "c", "type": "convolution", "kernel": [3, 3]})),
                "layer \"c\": expected a key \"channels\"",
            ),
            (
                layer(
                    json!({"name": "c", "type": "convolution", "channels": -1, "kernel": [3, 3]}),
                ),
                "channels of layer \"c\": expected whole numbers from 1 to 1048576, got -1",
            ),
            (
                layer(json!({"name": "c", "type": "convolution", "channels": 1, "kernel": 3})),
                "kernel of layer \"c\": expected a list of 2 numbers, got 3",
            ),
            (
                layer(json!({"name": "a", "type": "activation", "function": "swish"})),
                "the activation \"swish\"",
            ),
            (
                layer(json!({"name": "d", "type": "dropout", "rate": 2})),
                "rate of layer \"d\": expected from 0",
            ),
            (
                layer(json!({"name": "d", "type": "dropout", "rate": "x"})),
                "rate of layer \"d\": expected a number",
            ),
            (
                layer(json!({"name": "l", "type": "linear", "units": 2, "bias": 1})),
                "bias of layer \"l\": expected true or false, got 1",
            ),
        ] {
            let error = from_value(&value).expect_err(wanted).to_string();
            assert!(error.contains(wanted), "{error}, wanted {wanted}");
        }
    }

    #[test]
    fn refuses_what_is_too_long_before_it_is_read() {
        let error = read(&" ".repeat(MAX_GRAPH_BYTES + 1)).expect_err("too long");
        assert!(
            error
                .to_string()
                .starts_with("the text of the graph would be 1,048,577 bytes")
        );
        let many = |count: usize| {
            let layers: Vec<Value> = (0..count)
                .map(|index| json!({"name": index.to_string(), "type": "flatten"}))
                .collect();
            from_value(
                &json!({"assay": "graph", "version": 1, "input": [1, 1, 1], "layers": layers}),
            )
        };
        assert!(many(MAX_LAYERS).is_ok());
        let error = many(MAX_LAYERS + 1).expect_err("too many").to_string();
        assert_eq!(error, "the graph would be 2,001 layers; the limit is 2,000");
        assert!(
            read("{")
                .expect_err("cut")
                .to_string()
                .contains("expected JSON")
        );
    }
}
