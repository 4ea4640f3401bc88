//! A graph without the batch norms that become part of a layer's weights, and the weights that they become part of.

use crate::error::{Error, Result};
use crate::model::{Convolution, Graph, Layer, Weights};

/// Batch norms that disappear, in the graph's order, each with the layer that takes it up: those right behind a linear layer
/// or a convolution that nothing else reads, with one number for each of its channels, or behind another such norm.
///
/// # Errors
/// As [`Graph::resolve`].
pub fn folds(graph: &Graph) -> Result<Vec<(String, String)>> {
    let nodes = graph.resolve()?;
    let mut folds = Vec::new();
    for (node, resolved) in graph.nodes.iter().zip(&nodes) {
        let (Layer::BatchNorm { .. }, [source]) = (node.layer, node.inputs.as_slice()) else {
            continue;
        };
        let product = taken_up(&folds, source).unwrap_or(source);
        let is_product = (graph.nodes.iter().find(|it| it.name == *product))
            .is_some_and(|it| matches!(it.layer, Layer::Linear { .. } | Layer::Convolution(_)));
        let readers = graph
            .nodes
            .iter()
            .flat_map(|it| &it.inputs)
            .filter(|it| *it == source);
        // Tokens have their channels last, and their norm is another layer's.
        if is_product && readers.count() == 1 && resolved.output.len() != 2 {
            let product = product.to_owned();
            folds.push((node.name.clone(), product));
        }
    }
    Ok(folds)
}

/// The layer that takes up a batch norm, if one does.
#[must_use]
pub fn taken_up<'a>(folds: &'a [(String, String)], norm: &str) -> Option<&'a str> {
    (folds.iter())
        .find(|(own, _)| own == norm)
        .map(|(_, product)| product.as_str())
}

/// The graph without the batch norms that [`folds`] finds; who took one up has a bias.
///
/// # Errors
/// As [`Graph::resolve`].
pub fn folded_graph(graph: &Graph) -> Result<Graph> {
    let folds = folds(graph)?;
    let mut folded = graph.clone();
    (folded.nodes).retain(|node| taken_up(&folds, &node.name).is_none());
    for node in &mut folded.nodes {
        if folds.iter().any(|(_, product)| *product == node.name) {
            node.layer = match node.layer {
                Layer::Linear { units, .. } => Layer::Linear { units, bias: true },
                Layer::Convolution(convolution) => Layer::Convolution(Convolution {
                    bias: true,
                    ..convolution
                }),
                other => other,
            };
        }
        for input in &mut node.inputs {
            if let Some(product) = taken_up(&folds, input) {
                product.clone_into(input);
            }
        }
    }
    Ok(folded)
}

/// The weights of [`folded_graph`]: `weight·factor` and `bias·factor + offset` with `factor = scale / √(variance + ε)` and
/// `offset = shift − mean·factor`, each operation rounded to f32, as the engine folds for its answers.
///
/// # Errors
/// As [`Weights::check`].
pub fn folded_weights(graph: &Graph, weights: &Weights) -> Result<Weights> {
    weights.check(graph)?;
    let mut folded = weights.clone();
    for (norm, product) in folds(graph)? {
        let epsilon = match graph.nodes.iter().find(|node| node.name == norm) {
            Some(node) => match node.layer {
                Layer::BatchNorm { epsilon, .. } => epsilon,
                _ => 0.0,
            },
            None => 0.0,
        };
        let mut take = |suffix: &str| {
            let name = format!("{norm}.{suffix}");
            (folded.remove(&name)).ok_or_else(|| {
                Error::bad_input("the weights", format!("a tensor {name:?}"), "none")
            })
        };
        let (scale, shift) = (take("weight")?.values, take("bias")?.values);
        let (mean, variance) = (take("running_mean")?.values, take("running_var")?.values);
        let factor: Vec<f32> = (scale.iter().zip(&variance))
            .map(|(scale, variance)| scale * (1.0 / (variance + epsilon).sqrt()))
            .collect();
        let (weight, bias) = (format!("{product}.weight"), format!("{product}.bias"));
        let mut tensor = folded.remove(&weight).ok_or_else(|| {
            Error::bad_input("the weights", format!("a tensor {weight:?}"), "none")
        })?;
        let each = (tensor.values.len() / factor.len()).max(1);
        for (values, factor) in tensor.values.chunks_exact_mut(each).zip(&factor) {
            values.iter_mut().for_each(|value| *value *= factor);
        }
        folded.insert(weight, tensor.shape, tensor.values);
        let own = folded.remove(&bias).map(|tensor| tensor.values);
        let own = own.unwrap_or_else(|| vec![0.0; factor.len()]);
        let biases: Vec<f32> = (0..factor.len())
            .map(|at| own[at] * factor[at] + (shift[at] - mean[at] * factor[at]))
            .collect();
        folded.insert(bias, vec![biases.len() as u32], biases);
    }
    Ok(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norms_right_behind_a_product_go_and_others_stay() {
        let mut graph = Graph::new([2, 4, 4]);
        let bare = Convolution {
            bias: false,
            ..Convolution::same(3, 3)
        };
        graph.push("conv", Layer::Convolution(bare));
        graph.push("norm", Layer::batch_norm());
        graph.push("relu", Layer::Activation(crate::model::Activation::Relu));
        graph.push("late", Layer::batch_norm());
        graph.push("flatten", Layer::Flatten);
        graph.push("dense", Layer::linear(2));
        let folded = folded_graph(&graph).expect("fits");
        let names: Vec<&str> = folded.nodes.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["conv", "relu", "late", "flatten", "dense"]);
        assert_eq!(folded.nodes[1].inputs, ["conv"]);
        let mut weights = Weights::init(&graph, 1).expect("fits");
        weights.insert("norm.running_mean", vec![3], vec![0.5, -1.0, 0.0]);
        weights.insert("norm.running_var", vec![3], vec![4.0, 0.25, 1.0]);
        let found = folded_weights(&graph, &weights).expect("fits");
        found.check(&folded).expect("the folded graph's");
        let bias = &found.get("conv.bias").expect("there").values;
        for (found, wanted) in bias.iter().zip([-0.25, 2.0, 0.0]) {
            assert!((found - wanted).abs() < 1e-4, "{found} for {wanted}");
        }
        let before = &weights.get("conv.weight").expect("there").values;
        let after = &found.get("conv.weight").expect("there").values;
        assert!((after[0] - before[0] / 2.0).abs() < 1e-5);
        assert!((after[18] - before[18] * 2.0).abs() < 1e-4);
    }

    #[test]
    fn a_norm_behind_a_norm_goes_too_and_nothing_is_left_to_fold() {
        let mut graph = Graph::new([2, 4, 4]);
        graph.push("conv", Layer::convolution(3, 3));
        // Named against the order in which they are taken up.
        graph.push("z_first", Layer::batch_norm());
        graph.push("a_second", Layer::batch_norm());
        graph.push("flatten", Layer::Flatten);
        graph.push("dense", Layer::linear(2));
        let folded = folded_graph(&graph).expect("fits");
        let names: Vec<&str> = folded.nodes.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["conv", "flatten", "dense"]);
        assert_eq!(folded_graph(&folded).expect("fits"), folded);
        let mut weights = Weights::init(&graph, 1).expect("fits");
        weights.insert("conv.bias", vec![3], vec![1.0; 3]);
        // y = 2·x − 4, then 3·y + 1: together 6·x − 11.
        weights.insert("z_first.weight", vec![3], vec![2.0; 3]);
        weights.insert("z_first.bias", vec![3], vec![-4.0; 3]);
        weights.insert("a_second.weight", vec![3], vec![3.0; 3]);
        weights.insert("a_second.bias", vec![3], vec![1.0; 3]);
        let found = folded_weights(&graph, &weights).expect("fits");
        found.check(&folded).expect("the folded graph's");
        for bias in &found.get("conv.bias").expect("there").values {
            assert!((bias + 5.0).abs() < 1e-3, "{bias}");
        }
        let before = weights.get("conv.weight").expect("there").values[0];
        let after = found.get("conv.weight").expect("there").values[0];
        assert!((after - 6.0 * before).abs() < 1e-3);
    }
}
