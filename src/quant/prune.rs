//! Magnitude pruning: the smallest weights become 0, or the channels with the smallest weights go and the graph shrinks.
//!
//! Weights: S. Han et al., "Learning both Weights and Connections for Efficient Neural Networks", 2015, arXiv 1506.02626,
//! layer by layer. Channels: H. Li et al., "Pruning Filters for Efficient ConvNets", 2017, arXiv 1608.08710: those whose
//! weights, with a batch norm's factor, have the smallest sum of sizes. It trains nothing.

use super::chains::{Chain, follow, is_depthwise, of_channel, sums_up};
use super::fold::folded_weights;
use crate::error::{Error, Result};
use crate::model::{Convolution, Graph, Layer, ParameterRole, ResolvedNode, Weights};
use crate::order;

/// What is left of so many where a percentage goes; one at least.
const fn left(count: u32, percent: u32) -> u32 {
    let gone = count as u64 * percent as u64 / 100;
    let left = count - gone as u32;
    if left == 0 { 1 } else { left }
}

/// A graph with fewer channels, and who loses them.
struct Shrunk {
    graph: Graph,
    chains: Vec<Chain>,
    /// Layers that keep all channels, each with the reason.
    kept: Vec<String>,
}

/// The graph that is left where a percentage of the channels goes.
///
/// # Errors
/// [`Error::Unsupported`] where no layer's channels can go, with the reason for each.
pub fn shrunk_graph(graph: &Graph, percent: u32) -> Result<Graph> {
    Ok(shrunk(graph, &graph.resolve()?, percent)?.graph)
}

fn shrunk(graph: &Graph, nodes: &[ResolvedNode], percent: u32) -> Result<Shrunk> {
    let mut shrunk = Shrunk {
        graph: graph.clone(),
        chains: Vec::new(),
        kept: Vec::new(),
    };
    // The channels of an activation's or a pooling's output are its input's; a norm over channels or a sum mixes them.
    let passes = |node: usize| match graph.nodes[node].layer {
        Layer::BatchNorm { .. }
        | Layer::Activation(_)
        | Layer::MaxPool(_)
        | Layer::AveragePool(_)
        | Layer::GlobalAveragePool
        | Layer::Flatten
        | Layer::Dropout { .. } => true,
        Layer::Tokens { positions } => !positions,
        layer => is_depthwise(layer, &nodes[node]),
    };
    for (index, node) in graph.nodes.iter().enumerate() {
        if !sums_up(node.layer) {
            continue;
        }
        match follow(graph, nodes, index, passes) {
            Err(reason) => shrunk.kept.push(format!("{}: {reason}", node.name)),
            Ok(chain) => {
                for &at in chain.along.iter().chain([&index]) {
                    let layer = &mut shrunk.graph.nodes[at].layer;
                    *layer = match *layer {
                        Layer::Linear { units, bias } => Layer::Linear {
                            units: left(units, percent),
                            bias,
                        },
                        Layer::Convolution(it) => Layer::Convolution(Convolution {
                            channels: left(it.channels, percent),
                            groups: if at == index {
                                it.groups
                            } else {
                                left(it.groups, percent)
                            },
                            ..it
                        }),
                        other => other,
                    };
                }
                shrunk.chains.push(chain);
            }
        }
    }
    if shrunk.chains.is_empty() {
        return Err(Error::Unsupported {
            feature: "pruning the channels of this model".into(),
            why: format!(
                "no layer's can go ({}); quantization.pruning \"weights\" takes single weights",
                shrunk.kept.join("; ")
            ),
        });
    }
    Ok(shrunk)
}

/// The graph and the weights without that percentage of the channels with the smallest weights, and in words which layers
/// keep theirs.
///
/// # Errors
/// As [`shrunk_graph`] and [`Weights::check`].
pub fn without_channels(
    graph: &Graph,
    weights: &Weights,
    percent: u32,
) -> Result<(Graph, Weights, String)> {
    let nodes = graph.resolve()?;
    let shrunk = shrunk(graph, &nodes, percent)?;
    let scores = folded_weights(graph, weights)?;
    let mut pruned = weights.clone();
    for chain in &shrunk.chains {
        let name = &graph.nodes[chain.producer].name;
        let Some(score) = scores.get(&format!("{name}.weight")) else {
            continue;
        };
        let channels = score.shape.first().map_or(1, |&size| size as usize);
        let sums: Vec<f64> = (score
            .values
            .chunks_exact((score.values.len() / channels).max(1)))
        .map(|weights| weights.iter().map(|it| f64::from(it.abs())).sum())
        .collect();
        // Stable: the first of equals stays.
        let mut order = order::positions(channels, &|a, b| sums[b].total_cmp(&sums[a]));
        order.truncate(left(channels as u32, percent) as usize);
        order::sort(&mut order);
        for &node in chain.along.iter().chain([&chain.producer]) {
            let prefix = &graph.nodes[node].name;
            for suffix in ["weight", "bias", "running_mean", "running_var"] {
                take(
                    &mut pruned,
                    &format!("{prefix}.{suffix}"),
                    0,
                    &order,
                    channels,
                );
            }
        }
        for &node in &chain.consumers {
            let name = format!("{}.weight", graph.nodes[node].name);
            take(&mut pruned, &name, 1, &order, channels);
        }
    }
    pruned.check(&shrunk.graph)?;
    let kept = if shrunk.kept.is_empty() {
        String::new()
    } else {
        format!(
            "pruning left these layers all their channels: {}",
            shrunk.kept.join("; ")
        )
    };
    Ok((shrunk.graph, pruned, kept))
}

/// Leaves of a tensor the parts of some channels, which its first or its second dimension counts.
fn take(weights: &mut Weights, name: &str, dimension: usize, order: &[usize], channels: usize) {
    let Some(tensor) = weights.remove(name) else {
        return;
    };
    let outputs = match dimension {
        0 => 1,
        _ => tensor.shape.first().map_or(1, |&size| size as usize),
    };
    let each = of_channel(tensor.values.len(), outputs, channels);
    let values: Vec<f32> = (tensor.values.chunks_exact(each * channels))
        .flat_map(|of_output| order.iter().flat_map(|&it| &of_output[it * each..][..each]))
        .copied()
        .collect();
    let mut shape = tensor.shape;
    if let Some(size) = shape.get_mut(dimension) {
        // A list that was an image has several numbers for each channel.
        *size = (*size as usize / channels * order.len()) as u32;
    }
    weights.insert(name, shape, values);
}

/// The weights with that percentage of each tensor's at 0, those of the smallest size; the first of equals stays.
///
/// # Errors
/// As [`Graph::resolve`].
pub fn without_weights(graph: &Graph, weights: &Weights, percent: u32) -> Result<Weights> {
    let mut pruned = weights.clone();
    for parameter in graph.parameters()? {
        if parameter.role != ParameterRole::Weight {
            continue;
        }
        let Some(mut tensor) = pruned.remove(&parameter.name) else {
            continue;
        };
        let sizes: Vec<f32> = tensor.values.iter().map(|value| value.abs()).collect();
        let order = order::positions(sizes.len(), &|a, b| sizes[b].total_cmp(&sizes[a]));
        for &at in &order[left(order.len() as u32, percent) as usize..] {
            tensor.values[at] = 0.0;
        }
        pruned.insert(parameter.name, tensor.shape, tensor.values);
    }
    Ok(pruned)
}

/// Weights with zeros where others are 0: what was pruned stays so.
#[must_use]
pub fn masked(mut weights: Weights, mask: &Weights) -> Weights {
    let names: Vec<String> = (mask.iter())
        .filter(|(name, _)| name.ends_with(".weight"))
        .map(|(name, _)| name.to_owned())
        .collect();
    for name in names {
        if let (Some(mut tensor), Some(mask)) = (weights.remove(&name), mask.get(&name)) {
            for (value, &mask) in tensor.values.iter_mut().zip(&mask.values) {
                if mask == 0.0 {
                    *value = 0.0;
                }
            }
            weights.insert(name, tensor.shape, tensor.values);
        }
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Activation;

    /// A convolution, a depthwise one with norms, a flattened list, a hidden layer.
    fn graph() -> Graph {
        let mut graph = Graph::new([2, 4, 4]);
        graph.push("conv", Layer::convolution(4, 3));
        graph.push("norm", Layer::batch_norm());
        graph.push("relu", Layer::Activation(Activation::Relu));
        let depthwise = Convolution {
            groups: 4,
            ..Convolution::same(4, 3)
        };
        graph.push("each", Layer::Convolution(depthwise));
        graph.push("flatten", Layer::Flatten);
        graph.push("dense", Layer::linear(6));
        graph.push("gelu", Layer::Activation(Activation::Gelu));
        graph.push("classes", Layer::linear(3));
        graph
    }

    #[test]
    fn a_channel_that_says_nothing_goes_without_a_trace() {
        let graph = graph();
        let mut weights = Weights::init(&graph, 3).expect("fits");
        // Channels 1 and 2 are 0 all along, and so are hidden units 0, 3 and 4.
        for (name, channels) in [
            ("conv.weight", &[1, 2][..]),
            ("each.weight", &[1, 2]),
            ("dense.weight", &[0, 3, 4]),
        ] {
            let mut tensor = weights.remove(name).expect("there");
            let each = tensor.values.len() / tensor.shape[0] as usize;
            for &channel in channels {
                tensor.values[channel * each..][..each].fill(0.0);
            }
            weights.insert(name, tensor.shape, tensor.values);
        }
        let (small, pruned, kept) = without_channels(&graph, &weights, 50).expect("fits");
        assert_eq!(small, shrunk_graph(&graph, 50).expect("fits"));
        assert_eq!(
            kept,
            "pruning left these layers all their channels: classes: its channels are the answer"
        );
        let shape = |name: &str| pruned.get(name).expect("there").shape.clone();
        assert_eq!(shape("conv.weight"), [2, 2, 3, 3]);
        assert_eq!(shape("each.weight"), [2, 1, 3, 3]);
        assert_eq!(shape("norm.running_var"), [2]);
        assert_eq!(shape("dense.weight"), [3, 32]);
        assert_eq!(shape("classes.weight"), [3, 3]);
        let macs = |graph: &Graph| -> u64 {
            graph
                .resolve()
                .expect("fits")
                .iter()
                .map(|it| it.macs)
                .sum()
        };
        assert!(
            2 * macs(&small) < macs(&graph) + 100,
            "{} of {}",
            macs(&small),
            macs(&graph)
        );
        // Row by row the numbers are those of the channels that stay: the last of the first layer is channel 3.
        let before = &weights.get("conv.weight").expect("there").values;
        assert_eq!(
            pruned.get("conv.weight").expect("there").values[18..],
            before[3 * 18..]
        );
        let (old, new) = (
            &weights.get("dense.weight").expect("there").values,
            &pruned.get("dense.weight").expect("there").values,
        );
        // Unit 1 is the first to stay; its weights of channels 0 and 3.
        assert_eq!(new[..16], old[64..80]);
        assert_eq!(new[16..32], old[64 + 48..128]);
    }

    #[test]
    fn what_is_added_up_or_normed_across_keeps_its_channels_and_says_why() {
        let mut graph = Graph::new([2, 4, 4]);
        graph.push("conv", Layer::convolution(4, 3));
        graph.push("again", Layer::convolution(4, 3));
        graph.push_reading("sum", Layer::Add, &["conv", "again"]);
        graph.push("pool", Layer::GlobalAveragePool);
        graph.push("classes", Layer::linear(3));
        let error = shrunk_graph(&graph, 50).expect_err("refused").to_string();
        assert!(
            error.contains("conv: \"sum\"") && error.contains("the answer"),
            "{error}"
        );
    }

    #[test]
    fn single_weights_become_zero_and_stay_so() {
        let graph = graph();
        let weights = Weights::init(&graph, 3).expect("fits");
        let pruned = without_weights(&graph, &weights, 75).expect("fits");
        for name in ["conv.weight", "dense.weight"] {
            let (old, new) = (
                weights.get(name).expect("there"),
                pruned.get(name).expect("there"),
            );
            let zeros = new.values.iter().filter(|it| **it == 0.0).count();
            assert_eq!(zeros, new.values.len() * 75 / 100);
            let least = (new.values.iter().map(|it| it.abs()))
                .filter(|it| *it > 0.0)
                .fold(f32::INFINITY, f32::min);
            let gone = old
                .values
                .iter()
                .zip(&new.values)
                .filter(|(_, new)| **new == 0.0);
            assert!(gone.clone().all(|(old, _)| old.abs() <= least));
        }
        assert_eq!(pruned.get("dense.bias"), weights.get("dense.bias"));
        assert_eq!(masked(weights, &pruned), pruned);
    }

    #[test]
    fn something_is_always_left() {
        assert_eq!(
            [left(4, 50), left(3, 50), left(1, 95), left(10, 0)],
            [2, 2, 1, 10]
        );
    }
}
