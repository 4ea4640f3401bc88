//! From a recipe to a model that is known to fit: shapes, counts and limits, before anything is allocated.

use super::families;
use super::graph::{Graph, ResolvedNode};
use super::layer::Activation;
use crate::error::{Error, Result};
use crate::quant;
use crate::recipe::Recipe;
use crate::result::{Cost, LayerCost};

/// Most trainable numbers: with gradients, two moments and the kept copy they are 400 MB of a browser's 4 GB.
pub const MAX_PARAMETERS: u64 = 20_000_000;
/// Most bytes of activations of one batch; training holds them, their gradients and a copy, in a browser's 4 GB.
pub const MAX_ACTIVATION_BYTES: u64 = 1 << 29;
/// Most multiply-accumulates of a training: about a day at 2.5 billion a second.
pub const MAX_TRAINING_MACS: u64 = 200_000_000_000_000;
/// Most training steps.
pub const MAX_STEPS: u64 = 5_000_000;

/// A model that fits, with what it costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Its layers.
    pub graph: Graph,
    /// Its counts.
    pub cost: Cost,
    /// Steps of one epoch: training rows over batch size, rounded up; the last batch may be smaller.
    pub steps_per_epoch: u32,
}

/// The layer graph of a recipe for rows of `shape` (`[channels, height, width]`) and so many classes.
///
/// # Errors
/// [`Error::Unsupported`] for a family or activation that this version does not have, [`Error::BadInput`] for a number
/// that the family needs and the recipe lacks. Shapes are checked by [`Graph::resolve`].
pub fn graph(recipe: &Recipe, shape: [u32; 3], classes: u32) -> Result<Graph> {
    let spec = &recipe.architecture;
    let need = |name: &str, value: Option<u32>| {
        value.ok_or_else(|| {
            Error::bad_input(format!("architecture.{name}"), "a whole number", "nothing")
        })
    };
    let activation = Activation::from_name(&spec.activation)?;
    match spec.family.as_str() {
        "mlp" => Ok(families::mlp::graph(
            shape,
            classes,
            need("depth", spec.depth)?,
            need("width", spec.width)?,
            activation,
        )),
        "lenet" => Ok(families::lenet::graph(
            shape,
            classes,
            need("channels", spec.channels)?,
            need("kernel", spec.kernel)?,
            need("dense", spec.dense)?,
            activation,
        )),
        other => Err(Error::Unsupported {
            feature: format!("the family {other:?}"),
            why: "this version has lenet and mlp".into(),
        }),
    }
}

/// Plans a recipe for rows of `shape` (`[channels, height, width]`), so many classes and so many training rows.
///
/// # Errors
/// As [`graph`] and [`Graph::resolve`]; [`Error::TooLarge`] where parameters, activations, steps or total work are over
/// their limit, naming what to make smaller; [`Error::BadInput`] without training rows or with fewer than two classes.
pub fn plan(recipe: &Recipe, shape: [u32; 3], classes: u32, train_rows: u32) -> Result<Plan> {
    if classes < 2 {
        return Err(Error::bad_input(
            "the data",
            "at least two classes",
            classes.to_string(),
        ));
    }
    let training = &recipe.training;
    let batch = training.batch_size;
    if train_rows == 0 || batch == 0 {
        return Err(Error::bad_input(
            "training",
            "at least one row a step",
            format!("{train_rows} training rows, training.batch_size {batch}"),
        ));
    }
    let graph = graph(recipe, shape, classes)?;
    let nodes = graph.resolve()?;
    let narrower = match recipe.architecture.family.as_str() {
        "lenet" => "architecture.channels, .kernel or .dense",
        _ => "architecture.width or .depth",
    };
    let cost = cost(&graph, &nodes, &recipe.quantization.scheme, narrower)?;
    let rows = u64::from(batch.max(recipe.evaluation.throughput_batch));
    limit(
        cost.activation_bytes.checked_mul(rows),
        MAX_ACTIVATION_BYTES,
        "bytes",
        || {
            format!(
                "the activations of one batch (reduce training.batch_size, evaluation.throughput_batch or {narrower})"
            )
        },
    )?;
    let steps_per_epoch = train_rows.div_ceil(batch);
    limit(
        u64::from(steps_per_epoch).checked_mul(training.epochs.into()),
        MAX_STEPS,
        "steps",
        || "the training (reduce training.epochs or raise training.batch_size)".into(),
    )?;
    let training_macs = limit(
        (cost.macs.checked_mul(3))
            .and_then(|macs| macs.checked_mul(train_rows.into()))
            .and_then(|macs| macs.checked_mul(training.epochs.into())),
        MAX_TRAINING_MACS,
        "multiply-accumulates",
        || format!("the training (reduce training.epochs or {narrower})"),
    )?;
    Ok(Plan {
        graph,
        cost: Cost {
            training_macs,
            ..cost
        },
        steps_per_epoch,
    })
}

/// What any graph costs under a scheme, with at most `batch` rows at a time; its `training_macs` are 0.
///
/// # Errors
/// As [`Graph::resolve`]; [`Error::TooLarge`] where parameters, activations or work are over their limit;
/// [`Error::Unsupported`] for an unknown scheme.
pub fn cost_of(graph: &Graph, scheme: &str, batch: u32) -> Result<Cost> {
    let cost = cost(graph, &graph.resolve()?, scheme, "the graph's layers")?;
    limit(
        cost.activation_bytes.checked_mul(batch.into()),
        MAX_ACTIVATION_BYTES,
        "bytes",
        || "the activations of one batch (reduce the batch)".into(),
    )?;
    Ok(cost)
}

fn cost(graph: &Graph, nodes: &[ResolvedNode], scheme: &str, narrower: &str) -> Result<Cost> {
    let too_large = || format!("the model (reduce {narrower})");
    let mut cost = Cost {
        parameters: 0,
        macs: 0,
        weight_bytes: 0,
        f32_bytes: 0,
        activation_bytes: 0,
        training_macs: 0,
        layers: Vec::with_capacity(nodes.len()),
    };
    for (node, resolved) in graph.nodes.iter().zip(nodes) {
        let mut layer = LayerCost {
            name: node.name.clone(),
            kind: node.layer.words(),
            output: resolved.output.clone(),
            parameters: 0,
            macs: resolved.macs,
            bytes: 0,
            scheme: String::new(),
            reason: String::new(),
        };
        for parameter in &resolved.parameters {
            let count = limit(
                Some(parameter.count()),
                MAX_PARAMETERS,
                "parameters",
                too_large,
            )?;
            if parameter.role.trains() {
                layer.parameters = limit(
                    count.checked_add(layer.parameters),
                    MAX_PARAMETERS,
                    "parameters",
                    too_large,
                )?;
            }
            let applied = quant::applied(parameter, scheme)?;
            layer.bytes += applied.bytes;
            cost.f32_bytes += count * 4;
            if layer.scheme.is_empty() {
                layer.scheme = applied.scheme.name().into();
                layer.reason = applied.reason;
            }
        }
        let activations = resolved
            .output
            .iter()
            .try_fold(4_u64, |product, &size| product.checked_mul(size.into()));
        cost.activation_bytes = limit(
            activations.and_then(|bytes| bytes.checked_add(cost.activation_bytes)),
            MAX_ACTIVATION_BYTES,
            "bytes",
            || format!("the activations of one row (reduce {narrower})"),
        )?;
        cost.parameters = limit(
            cost.parameters.checked_add(layer.parameters),
            MAX_PARAMETERS,
            "parameters",
            too_large,
        )?;
        cost.macs = limit(
            cost.macs.checked_add(layer.macs),
            MAX_TRAINING_MACS,
            "multiply-accumulates",
            too_large,
        )?;
        cost.weight_bytes += layer.bytes;
        cost.layers.push(layer);
    }
    Ok(cost)
}

/// A checked quantity within its limit; an overflow counts as the largest number.
fn limit(
    quantity: Option<u64>,
    limit: u64,
    unit: &'static str,
    what: impl FnOnce() -> String,
) -> Result<u64> {
    let got = quantity.unwrap_or(u64::MAX);
    if got <= limit {
        Ok(got)
    } else {
        Err(Error::TooLarge {
            what: what(),
            got,
            limit,
            unit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Weights;

    type Change = fn(&mut Recipe);

    fn planned(family: &str, change: impl FnOnce(&mut Recipe)) -> Result<Plan> {
        let mut recipe = Recipe::default_for("digits", family);
        change(&mut recipe);
        plan(&recipe, [1, 8, 8], 10, 1000)
    }

    #[test]
    fn planned_bytes_are_the_stored_bytes_under_every_scheme() {
        for family in ["lenet", "mlp"] {
            for scheme in crate::recipe::fields::SCHEMES {
                let plan = planned(family, |recipe| {
                    recipe.quantization.scheme = (*scheme).into();
                })
                .expect("fits");
                let weights = Weights::init(&plan.graph, 1).expect("fits");
                let stored = quant::quantize(&plan.graph, &weights, scheme).expect("known");
                assert_eq!(plan.cost.weight_bytes, stored.bytes(), "{family} {scheme}");
                assert_eq!(plan.cost.parameters, weights.count());
                for layer in plan.cost.layers.iter().filter(|layer| layer.parameters > 0) {
                    let name = format!("{}.weight", layer.name);
                    let stored = (stored.layers.iter())
                        .find(|tensor| tensor.name == name)
                        .expect("stored");
                    assert_eq!(layer.scheme, stored.scheme.name());
                    assert_eq!(layer.reason, stored.reason);
                }
            }
        }
    }

    #[test]
    fn a_layer_that_stays_f32_says_why() {
        let plan =
            planned("lenet", |recipe| recipe.quantization.scheme = "Q8_0".into()).expect("fits");
        let layer = |name: &str| {
            let layer = (plan.cost.layers.iter())
                .find(|layer| layer.name == name)
                .expect("planned");
            (layer.scheme.as_str(), layer.reason.as_str())
        };
        let reason = "each output has 144 weights, which is no multiple of 32";
        assert_eq!(layer("conv2"), ("f32", reason));
        assert_eq!(layer("dense"), ("Q8_0", ""));
        assert_eq!(layer("pool1"), ("", ""));
    }

    #[test]
    fn steps_count_the_smaller_last_batch() {
        let plan = planned("mlp", |recipe| recipe.training.batch_size = 300).expect("fits");
        assert_eq!(plan.steps_per_epoch, 4);
    }

    #[test]
    fn refuses_too_much_and_names_what_to_reduce() {
        let cases: [(&str, Change, &str); 5] = [
            (
                "mlp",
                |recipe| {
                    recipe.architecture.width = Some(4096);
                    recipe.architecture.depth = Some(16);
                },
                "the model (reduce architecture.width or .depth) would be",
            ),
            (
                "lenet",
                |recipe| {
                    recipe.architecture.channels = Some(256);
                    recipe.architecture.kernel = Some(7);
                    recipe.training.batch_size = 4096;
                    recipe.architecture.dense = Some(1);
                },
                "the activations of one batch (reduce training.batch_size",
            ),
            (
                "mlp",
                |recipe| {
                    recipe.training.batch_size = 1;
                    recipe.training.epochs = u32::MAX;
                },
                "the training (reduce training.epochs or raise training.batch_size)",
            ),
            (
                "lenet",
                |recipe| {
                    recipe.architecture.channels = Some(256);
                    recipe.training.epochs = 100_000;
                    recipe.training.batch_size = 1000;
                },
                "the training (reduce training.epochs or architecture.channels, .kernel or .dense)",
            ),
            (
                "mlp",
                |recipe| recipe.architecture.width = Some(u32::MAX),
                "the model (reduce architecture.width or .depth)",
            ),
        ];
        for (family, change, wanted) in cases {
            let error = planned(family, change).expect_err("refused");
            assert_eq!(error.kind(), "too-large");
            assert!(error.to_string().starts_with(wanted), "{error}");
        }
    }

    #[test]
    fn refuses_what_it_does_not_know_and_what_is_missing() {
        let cases: [(Change, &str); 4] = [
            (
                |recipe| recipe.architecture.family = "vgg".into(),
                "the family \"vgg\"",
            ),
            (
                |recipe| recipe.architecture.activation = "step".into(),
                "the activation \"step\"",
            ),
            (
                |recipe| recipe.quantization.scheme = "Q1".into(),
                "the quantization scheme \"Q1\"",
            ),
            (
                |recipe| recipe.architecture.depth = None,
                "architecture.depth",
            ),
        ];
        for (change, wanted) in cases {
            let error = planned("mlp", change).expect_err("refused").to_string();
            assert!(error.starts_with(wanted), "{error}");
        }
    }
}
