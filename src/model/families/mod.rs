//! The architecture families: from a recipe's few numbers to a layer graph, one file each.

pub mod lenet;
pub mod mixer;
pub mod mlp;
pub mod mobilenet;
mod parts;
pub mod resnet;
pub mod vit;

pub use parts::Normalization;

use super::graph::Graph;
use super::graph_json;
use super::layer::Activation;
use crate::error::{Error, Result};
use crate::recipe::ArchitectureSpec;
use crate::recipe::fields::GRAPH;
use serde_json::Value;

/// The layer graph of an architecture for rows of `shape` (`[channels, height, width]`) and so many classes.
///
/// # Errors
/// [`Error::Unsupported`] for a family, activation or other word that this version does not have, [`Error::BadInput`] for
/// a number that the family needs and the recipe lacks, or as [`graph_json::from_value`] for a graph. Shapes are
/// checked by [`Graph::resolve`].
pub fn graph(spec: &ArchitectureSpec, shape: [u32; 3], classes: u32) -> Result<Graph> {
    let need = |name: &str, value: Option<u32>| {
        value.ok_or_else(|| {
            Error::bad_input(format!("architecture.{name}"), "a whole number", "nothing")
        })
    };
    if spec.family == GRAPH {
        let graph = spec.graph.clone().ok_or_else(|| {
            Error::bad_input("architecture.graph", "the layers of a graph", "nothing")
        })?;
        return graph_json::from_value(&Value::Object(graph));
    }
    let activation = Activation::from_name(&spec.activation)?;
    let normalization = || Normalization::from_name(spec.normalization());
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a share, rounded to what the engines compute with"
    )]
    let dropout = spec.dropout() as f32;
    let depth = || need("depth", spec.depth);
    let width = || need("width", spec.width);
    Ok(match spec.family.as_str() {
        "mlp" => {
            let spec = mlp::Spec {
                depth: depth()?,
                width: width()?,
                activation,
                normalization: normalization()?,
                dropout,
            };
            mlp::graph(shape, classes, spec)
        }
        "lenet" => {
            let spec = lenet::Spec {
                channels: need("channels", spec.channels)?,
                kernel: need("kernel", spec.kernel)?,
                dense: need("dense", spec.dense)?,
                activation,
                normalization: normalization()?,
                average: chosen("pooling", spec.pooling(), ["max", "average"])?,
                dropout,
            };
            lenet::graph(shape, classes, spec)
        }
        "resnet" => {
            let spec = resnet::Spec {
                depth: depth()?,
                width: width()?,
                activation,
                normalization: normalization()?,
                residual: chosen("residual", spec.residual(), ["off", "on"])?,
            };
            resnet::graph(shape, classes, spec)
        }
        "mobilenet" => {
            let spec = mobilenet::Spec {
                depth: depth()?,
                width: width()?,
                activation,
                normalization: normalization()?,
            };
            mobilenet::graph(shape, classes, spec)
        }
        "vit" => {
            let spec = vit::Spec {
                patch: spec.patch(),
                width: width()?,
                depth: depth()?,
                heads: need("heads", spec.heads)?,
                activation,
                dropout,
            };
            vit::graph(shape, classes, spec)
        }
        "mixer" => {
            let spec = mixer::Spec {
                patch: spec.patch(),
                width: width()?,
                depth: depth()?,
                activation,
                dropout,
            };
            mixer::graph(shape, classes, spec)
        }
        other => {
            return Err(Error::Unsupported {
                feature: format!("the family {other:?}"),
                why: "this version has lenet, mlp, resnet, mobilenet, vit, mixer and graph".into(),
            });
        }
    })
}

/// What of a family makes a model smaller, for messages.
pub(super) fn narrower(family: &str) -> &'static str {
    match family {
        "lenet" => "architecture.channels, .kernel or .dense",
        "vit" | "mixer" => "architecture.width or .depth, or raise .patch",
        GRAPH => "that layer of architecture.graph",
        _ => "architecture.width or .depth",
    }
}

/// Which of two words it is.
fn chosen(name: &str, word: &str, words: [&str; 2]) -> Result<bool> {
    match words.iter().position(|known| *known == word) {
        Some(place) => Ok(place == 1),
        None => Err(Error::Unsupported {
            feature: format!("architecture.{name} {word:?}"),
            why: format!("this version has {} and {}", words[0], words[1]),
        }),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::Weights;
    use crate::recipe::Recipe;
    use crate::recipe::fields::FAMILIES;

    /// The inputs that every family has tested defaults for: small, grey and colour, and long.
    pub(crate) const SHAPES: [[u32; 3]; 5] = [
        [1, 8, 8],
        [1, 28, 28],
        [3, 32, 32],
        [1, 32, 32],
        [1, 1, 256],
    ];

    pub(crate) const NORMALIZATIONS: [Normalization; 3] = [
        Normalization::None,
        Normalization::Batch,
        Normalization::Layer,
    ];

    /// Trainable numbers, and multiply-accumulates for one row.
    pub(crate) fn counts(graph: &Graph) -> (u64, u64) {
        let nodes = graph.resolve().expect("fits");
        let tensors = nodes.iter().flat_map(|node| &node.parameters);
        let trained = tensors.filter(|tensor| tensor.role.trains());
        (
            trained.map(crate::model::Parameter::count).sum(),
            nodes.iter().map(|node| node.macs).sum(),
        )
    }

    #[test]
    fn defaults_fit_small_middle_coloured_and_long_rows() {
        for family in FAMILIES.iter().filter(|family| **family != GRAPH) {
            let spec = Recipe::default_for("digits", family).architecture;
            for shape in SHAPES {
                let graph = graph(&spec, shape, 10).expect("known");
                let nodes = graph.resolve().expect("fits");
                assert_eq!(nodes.last().expect("some").output, [10], "{family}");
                let (parameters, macs) = counts(&graph);
                println!("{family} {shape:?}: {parameters} parameters, {macs} MACs");
                assert!(
                    (1_000..2_000_000).contains(&parameters),
                    "{family} {shape:?}"
                );
                assert!((1_000..20_000_000).contains(&macs), "{family} {shape:?}");
                let weights = Weights::init(&graph, 1).expect("fits");
                assert!(weights.check(&graph).is_ok() && weights.is_finite());
            }
        }
    }

    #[test]
    fn the_default_graph_is_one_for_digits() {
        let spec = Recipe::default_for("digits", GRAPH).architecture;
        let graph = graph(&spec, [1, 8, 8], 10).expect("known");
        assert_eq!(counts(&graph), (16 * 10 + 10 * 257, 64 * 9 * 16 + 2560));
    }
}
