//! From a recipe to a model that is known to fit: shapes, counts and limits, before anything is allocated.

use super::families;
use super::graph::{Graph, ResolvedNode, shown};
use super::parameter::ParameterRole;
use super::stages;
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
    /// Of a model of two stages both, each trained by itself; the graph then holds them beside each other, its work is that
    /// of a row that both see, and its steps are those of an epoch of each.
    pub stages: Vec<Self>,
}

/// Plans a recipe for rows of `shape` (`[channels, height, width]`), so many classes and so many training rows; of two stages
/// as if every row trained both.
///
/// # Errors
/// As [`families::graph`] and [`Graph::resolve`]; [`Error::TooLarge`] where parameters, activations, steps or total work are over
/// their limit, naming the layer that has most and what to make smaller; [`Error::BadInput`] without training rows, with
/// fewer than two classes, or where the recipe's graph is of other rows or gives another number of logits.
pub fn plan(recipe: &Recipe, shape: [u32; 3], classes: u32, train_rows: u32) -> Result<Plan> {
    if recipe.architecture.has_two_stages() {
        return plan_stages(recipe, shape, classes, [train_rows; 2]);
    }
    check_classes(classes, 2, "at least two classes")?;
    let graph = families::graph(&recipe.architecture, shape, classes)?;
    of_graph(recipe, graph, shape, classes, train_rows)
}

/// Plans a recipe of two stages; `train_rows` train the first and the second, which sees rows that are not empty.
///
/// # Errors
/// As [`plan`], and with fewer than three classes.
pub fn plan_stages(
    recipe: &Recipe,
    shape: [u32; 3],
    classes: u32,
    train_rows: [u32; 2],
) -> Result<Plan> {
    check_classes(classes, 3, "an empty class and at least two others")?;
    let graphs = stages::graphs(&recipe.architecture, shape, classes)?;
    let graph = stages::joined(&graphs);
    let mut stages = Vec::with_capacity(2);
    let each = graphs.into_iter().zip([2, classes - 1]);
    for ((graph, classes), rows) in each.zip(train_rows) {
        stages.push(of_graph(recipe, graph, shape, classes, rows)?);
    }
    let narrower = families::narrower(&recipe.architecture.family);
    let request = quant::Request::of(&recipe.quantization)?;
    let cost = counted(&graph, &graph.resolve()?, &request, narrower)?;
    let training_macs = stages.iter().map(|stage| stage.cost.training_macs).sum();
    Ok(Plan {
        graph,
        cost: Cost {
            training_macs,
            ..cost
        },
        steps_per_epoch: stages.iter().map(|stage| stage.steps_per_epoch).sum(),
        stages,
    })
}

fn check_classes(classes: u32, fewest: u32, words: &str) -> Result<()> {
    if classes < fewest {
        return Err(Error::bad_input("the data", words, classes.to_string()));
    }
    Ok(())
}

fn of_graph(
    recipe: &Recipe,
    graph: Graph,
    shape: [u32; 3],
    classes: u32,
    train_rows: u32,
) -> Result<Plan> {
    let training = &recipe.training;
    let batch = training.batch_size;
    if train_rows == 0 || batch == 0 {
        return Err(Error::bad_input(
            "training",
            "at least one row a step",
            format!("{train_rows} training rows, training.batch_size {batch}"),
        ));
    }
    let nodes = graph.resolve()?;
    fits_data(&graph, &nodes, shape, classes)?;
    let narrower = families::narrower(&recipe.architecture.family);
    let request = quant::Request::of(&recipe.quantization)?;
    request.check(&graph)?;
    let cost = counted(&graph, &nodes, &request, narrower)?;
    let rows = u64::from(batch.max(recipe.evaluation.throughput_batch));
    limit(
        cost.activation_bytes.checked_mul(rows),
        MAX_ACTIVATION_BYTES,
        "bytes",
        || {
            let most = most(&cost, outputs);
            format!(
                "the activations of one batch, most in {most} (reduce training.batch_size, evaluation.throughput_batch or {narrower})"
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
        || {
            let most = most(&cost, |layer| layer.macs);
            format!("the training, most in {most} (reduce training.epochs or {narrower})")
        },
    )?;
    // What is stored and runs has fewer channels; what is trained has all of them.
    let cost = match recipe.quantization.pruning() {
        "channels" => {
            let small = quant::shrunk_graph(&graph, recipe.quantization.pruned_percent())?;
            counted(&small, &small.resolve()?, &request, narrower)?
        }
        _ => cost,
    };
    Ok(Plan {
        graph,
        cost: Cost {
            training_macs,
            ..cost
        },
        steps_per_epoch,
        stages: Vec::new(),
    })
}

/// Whether a graph takes these rows and answers with one logit a class; a family's always does.
fn fits_data(graph: &Graph, nodes: &[ResolvedNode], shape: [u32; 3], classes: u32) -> Result<()> {
    if graph.input != shape {
        return Err(Error::bad_input(
            "input of the graph",
            format!("{}, the shape of a row of the data", shown(&shape)),
            shown(&graph.input),
        ));
    }
    let output = nodes.last().map_or(&[][..], |node| &node.output);
    if output == [classes] {
        return Ok(());
    }
    Err(Error::bad_input(
        format!("the output of layer {:?}, the graph's last", graph.last()),
        format!("{classes} logits, one for each class of the data"),
        shown(output),
    ))
}

/// The layer with most of something, as messages name it.
fn most(cost: &Cost, of: impl Fn(&LayerCost) -> u64) -> String {
    let most =
        (cost.layers.iter()).reduce(|most, layer| if of(layer) > of(most) { layer } else { most });
    most.map_or_else(String::new, |layer| {
        format!("layer {:?} ({})", layer.name, layer.kind)
    })
}

/// Numbers of a layer's output for one row.
fn outputs(layer: &LayerCost) -> u64 {
    let sizes = layer.output.iter().copied().map(u64::from);
    sizes.fold(1, u64::saturating_mul)
}

/// What a graph costs to store and to run, its training not counted.
///
/// # Errors
/// As [`Graph::resolve`]; [`Error::TooLarge`] where parameters, activations of one row or work are over their limit, naming
/// the layer that has most; [`Error::Unsupported`] for an unknown scheme.
pub fn cost(graph: &Graph, scheme: &str) -> Result<Cost> {
    let request = quant::Request::named(scheme)?;
    counted(graph, &graph.resolve()?, &request, "that layer")
}

fn counted(
    graph: &Graph,
    nodes: &[ResolvedNode],
    request: &quant::Request,
    narrower: &str,
) -> Result<Cost> {
    // Integers take batch norms up into the weights before them, which then have a bias.
    let folds = if request.folds() {
        quant::folds(graph)?
    } else {
        Vec::new()
    };
    let mut cost = Cost {
        parameters: 0,
        macs: 0,
        weight_bytes: 0,
        f32_bytes: 0,
        activation_bytes: 0,
        training_macs: 0,
        layers: Vec::with_capacity(nodes.len()),
    };
    let too_large = |layer: &LayerCost| {
        format!(
            "the model with layer {:?} ({}) (reduce {narrower})",
            layer.name, layer.kind
        )
    };
    let largest = |cost: &Cost, of: fn(&LayerCost) -> u64| {
        format!("the model, most in {} (reduce {narrower})", most(cost, of))
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
        let mut numbers = 0;
        for parameter in &resolved.parameters {
            let count = parameter.count();
            numbers = limit(
                count.checked_add(numbers),
                MAX_PARAMETERS,
                "parameters",
                || too_large(&layer),
            )?;
            if parameter.role.trains() {
                layer.parameters += count;
            }
            cost.f32_bytes += count * 4;
            if quant::taken_up(&folds, &node.name).is_some() {
                continue;
            }
            let applied = request.applied(parameter);
            layer.bytes += applied.bytes;
            if layer.scheme.is_empty() {
                layer.scheme = applied.scheme.name().into();
                layer.reason = applied.reason;
            }
        }
        let has_bias = (resolved.parameters.iter()).any(|it| it.role == ParameterRole::Bias);
        if !has_bias && folds.iter().any(|(_, product)| *product == node.name) {
            let outputs = resolved.parameters.first().and_then(|it| it.shape.first());
            layer.bytes += 4 * u64::from(outputs.copied().unwrap_or(0));
        }
        cost.weight_bytes += layer.bytes;
        cost.layers.push(layer);
        let activations = resolved
            .output
            .iter()
            .try_fold(4_u64, |product, &size| product.checked_mul(size.into()));
        cost.activation_bytes = limit(
            activations.and_then(|bytes| bytes.checked_add(cost.activation_bytes)),
            MAX_ACTIVATION_BYTES,
            "bytes",
            || {
                let most = most(&cost, outputs);
                format!("the activations of one row, most in {most} (reduce {narrower})")
            },
        )?;
        let added = cost.layers.last().map_or(0, |layer| layer.parameters);
        cost.parameters = limit(
            cost.parameters.checked_add(added),
            MAX_PARAMETERS,
            "parameters",
            || largest(&cost, |layer| layer.parameters),
        )?;
        cost.macs = limit(
            cost.macs.checked_add(resolved.macs),
            MAX_TRAINING_MACS,
            "multiply-accumulates",
            || largest(&cost, |layer| layer.macs),
        )?;
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
    use crate::recipe::QuantizationSpec;

    type Change = fn(&mut Recipe);

    fn planned(family: &str, change: impl FnOnce(&mut Recipe)) -> Result<Plan> {
        let mut recipe = Recipe::default_for("digits", family);
        change(&mut recipe);
        plan(&recipe, [1, 8, 8], 10, 1000)
    }

    #[test]
    fn planned_counts_are_those_of_a_pruned_and_equalized_model() {
        for family in ["mlp", "lenet", "resnet", "mobilenet", "vit", "mixer"] {
            let full = planned(family, |_| {}).expect("fits").cost;
            for scheme in ["f32", "int4", "int8"] {
                let spec = QuantizationSpec {
                    scheme: scheme.into(),
                    pruning: Some("channels".into()),
                    equalization: (scheme != "f32").then(|| "on".into()),
                    ..QuantizationSpec::default()
                };
                let own = spec.clone();
                let plan = planned(family, move |recipe| recipe.quantization = own).expect("fits");
                let weights = Weights::init(&plan.graph, 1).expect("fits");
                let (graph, weights, _) =
                    quant::without_channels(&plan.graph, &weights, 50).expect("fits");
                let seen = quant::Calibration::default();
                let stored = quant::stored(&graph, &weights, &spec, Some(&seen)).expect("known");
                assert_eq!(plan.cost.weight_bytes, stored.bytes(), "{family} {scheme}");
                assert!(
                    plan.cost.macs < full.macs * 4 / 5,
                    "{family}: {}",
                    plan.cost.macs
                );
                assert!(plan.cost.parameters < full.parameters * 4 / 5, "{family}");
                assert_eq!(plan.cost.training_macs, full.training_macs);
            }
        }
    }

    #[test]
    fn planned_bytes_are_the_stored_bytes_under_every_scheme() {
        for family in crate::recipe::fields::FAMILIES {
            for scheme in crate::recipe::fields::SCHEMES {
                let plan = planned(family, |recipe| {
                    recipe.quantization.scheme = (*scheme).into();
                })
                .expect("fits");
                let weights = Weights::init(&plan.graph, 1).expect("fits");
                let spec = QuantizationSpec {
                    scheme: (*scheme).into(),
                    ..QuantizationSpec::default()
                };
                let seen = quant::Calibration::default();
                let stored =
                    quant::stored(&plan.graph, &weights, &spec, Some(&seen)).expect("known");
                assert_eq!(plan.cost.weight_bytes, stored.bytes(), "{family} {scheme}");
                let tensors = plan.graph.parameters().expect("fits");
                let trained = tensors.iter().filter(|tensor| tensor.role.trains());
                let trained: u64 = trained.map(crate::model::Parameter::count).sum();
                assert_eq!(plan.cost.parameters, trained);
                assert_eq!(plan.cost.f32_bytes, weights.count() * 4);
                // A folded norm has no scheme and no bytes.
                for layer in plan
                    .cost
                    .layers
                    .iter()
                    .filter(|layer| !layer.scheme.is_empty())
                {
                    let prefix = format!("{}.", layer.name);
                    let stored = (stored.layers.iter())
                        .find(|tensor| tensor.name.starts_with(&prefix))
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
        let reason = "each output has 144 weights, which is no multiple of 32; with quantization.rows padded it can be stored";
        assert_eq!(layer("conv2"), ("f32", reason));
        assert_eq!(layer("dense"), ("Q8_0", ""));
        assert_eq!(layer("pool1"), ("", ""));
        let plan =
            planned("resnet", |recipe| recipe.quantization.scheme = "f16".into()).expect("fits");
        let norm = &plan.cost.layers[1];
        assert_eq!(
            (norm.scheme.as_str(), norm.reason.as_str()),
            ("f32", "scales stay f32")
        );
    }

    #[test]
    fn steps_count_the_smaller_last_batch() {
        let plan = planned("mlp", |recipe| recipe.training.batch_size = 300).expect("fits");
        assert_eq!(plan.steps_per_epoch, 4);
    }

    #[test]
    fn refuses_too_much_and_names_what_to_reduce() {
        let cases: [(&str, Change, &str); 9] = [
            (
                "mlp",
                |recipe| {
                    recipe.architecture.width = Some(4096);
                    recipe.architecture.depth = Some(16);
                },
                "the model, most in layer \"dense2\" (linear) (reduce architecture.width or .depth) would be",
            ),
            (
                "lenet",
                |recipe| {
                    recipe.architecture.channels = Some(256);
                    recipe.architecture.kernel = Some(7);
                    recipe.training.batch_size = 4096;
                    recipe.architecture.dense = Some(1);
                },
                "the activations of one batch, most in layer \"conv1\" (convolution 7×7) (reduce training.batch_size, \
                 evaluation.throughput_batch or architecture.channels, .kernel or .dense)",
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
                "the training, most in layer \"conv2\" (convolution 3×3) (reduce training.epochs or architecture.channels,",
            ),
            (
                "mlp",
                |recipe| recipe.architecture.width = Some(u32::MAX),
                "the model with layer \"dense1\" (linear) (reduce architecture.width or .depth) would be",
            ),
            (
                "resnet",
                |recipe| {
                    recipe.architecture.width = Some(256);
                    recipe.architecture.depth = Some(20);
                },
                "the model, most in layer \"stage3.block1.conv1\" (convolution 3×3) (reduce architecture.width or .depth)",
            ),
            (
                "mobilenet",
                |recipe| recipe.architecture.width = Some(1 << 24),
                "the model with layer \"stem.conv\" (convolution 3×3) (reduce architecture.width or .depth)",
            ),
            (
                "vit",
                |recipe| {
                    recipe.architecture.width = Some(1024);
                    recipe.architecture.depth = Some(24);
                },
                "the model, most in layer \"block1.qkv\" (linear) (reduce architecture.width or .depth, or raise .patch)",
            ),
            (
                "graph",
                |recipe| {
                    let graph = recipe.architecture.graph.as_mut().expect("a graph");
                    graph["layers"][0]["channels"] = 500_000.into();
                },
                "the model with layer \"classes\" (linear) (reduce that layer of architecture.graph)",
            ),
        ];
        for (family, change, wanted) in cases {
            let error = planned(family, change).expect_err("refused");
            assert_eq!(error.kind(), "too-large");
            assert!(error.to_string().starts_with(wanted), "{error}");
        }
    }

    #[test]
    fn refuses_a_graph_of_other_rows_or_classes() {
        let graph = |change: fn(&mut serde_json::Map<String, serde_json::Value>)| {
            let changed = |recipe: &mut Recipe| {
                change(recipe.architecture.graph.as_mut().expect("a graph"));
            };
            planned("graph", changed).expect_err("refused").to_string()
        };
        let error = graph(|graph| graph["input"] = serde_json::json!([1, 28, 28]));
        assert_eq!(
            error,
            "input of the graph: expected 1×8×8, the shape of a row of the data, got 1×28×28"
        );
        let error = graph(|graph| graph["layers"][4]["units"] = 9.into());
        assert!(
            error.ends_with("\"classes\", the graph's last: expected 10 logits, one for each class of the data, got 9"),
            "{error}"
        );
        let error = graph(|graph| graph["layers"][1]["type"] = "fold".into());
        assert!(
            error.starts_with("the type \"fold\" of layer \"relu1\""),
            "{error}"
        );
    }

    #[test]
    fn refuses_what_it_does_not_know_and_what_is_missing() {
        let cases: [(Change, &str); 5] = [
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
                |recipe| recipe.architecture.normalization = Some("group".into()),
                "the normalization \"group\"",
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
