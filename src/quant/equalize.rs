//! Makes weights kinder to few digits without changing what a model computes in f32, and takes out the mean error that
//! rounding them leaves: M. Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019,
//! arXiv 1906.04721. Graphs have no foldable batch norm left; nothing is run here.

use super::chains::{follow, is_depthwise, of_channel, sums_up};
use crate::error::Result;
use crate::model::{Activation, Graph, Layer, Weights};

/// Rounds over all pairs of layers at most; two or three do where layers are in one line.
const ROUNDS: usize = 20;
/// A factor nearer to 1 than this is none.
const SETTLED: f64 = 1e-3;

/// Cross-layer range equalization (section 4.1): for channel `i` between two layers, with the largest sizes `r₁` of the
/// weights that make it and `r₂` of those that read it, `s = √(r₁·r₂) / r₂`; the first layer's weights and bias are divided
/// by `s`, the second's weights multiplied, so both have `√(r₁·r₂)`. Only what passes a factor on may stand between: relu,
/// pooling, flattening.
///
/// # Errors
/// As [`Graph::resolve`].
pub fn equalized(graph: &Graph, weights: &Weights) -> Result<Weights> {
    let nodes = graph.resolve()?;
    let mut weights = weights.clone();
    let passes = |node: usize| {
        matches!(
            graph.nodes[node].layer,
            Layer::Activation(Activation::Relu)
                | Layer::MaxPool(_)
                | Layer::AveragePool(_)
                | Layer::GlobalAveragePool
                | Layer::Flatten
                | Layer::Dropout { .. }
        )
    };
    let mut pairs = Vec::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        if !sums_up(node.layer) && !is_depthwise(node.layer, &nodes[index]) {
            continue;
        }
        // A depthwise layer ends the pair before it and begins the next.
        let next = lone_reader(graph, index, passes)
            .filter(|&it| is_depthwise(graph.nodes[it].layer, &nodes[it]));
        let consumers = match next {
            Some(depthwise) => Some(vec![depthwise]),
            None => follow(graph, &nodes, index, passes)
                .ok()
                .map(|it| it.consumers),
        };
        if let Some(consumers) = consumers {
            pairs.push((index, consumers));
        }
    }
    for _ in 0..ROUNDS {
        let mut farthest = 0.0_f64;
        for (producer, consumers) in &pairs {
            farthest = farthest.max(equalize(graph, &mut weights, *producer, consumers));
        }
        if farthest < SETTLED {
            break;
        }
    }
    Ok(weights)
}

/// What alone reads a node behind what passes.
fn lone_reader(graph: &Graph, mut node: usize, passes: impl Fn(usize) -> bool) -> Option<usize> {
    loop {
        let name = &graph.nodes[node].name;
        let mut readers =
            (0..graph.nodes.len()).filter(|&it| graph.nodes[it].inputs.contains(name));
        let reader = readers.next()?;
        if readers.next().is_some() || node + 1 == graph.nodes.len() {
            return None;
        }
        if !passes(reader) {
            return Some(reader);
        }
        node = reader;
    }
}

/// Equalizes one layer with those that read it; how far the factors were from 1.
fn equalize(graph: &Graph, weights: &mut Weights, producer: usize, consumers: &[usize]) -> f64 {
    let name = |node: usize, suffix: &str| format!("{}.{suffix}", graph.nodes[node].name);
    let Some(first) = weights.get(&name(producer, "weight")) else {
        return 0.0;
    };
    let channels = first.shape.first().map_or(1, |&size| size as usize);
    let mut makes = vec![0.0_f64; channels];
    largest(&first.values, 1, &mut makes);
    let mut reads = vec![0.0_f64; channels];
    // A depthwise layer's first dimension counts the channels that it reads.
    let outputs_of = |node: usize, shape: &[u32]| match graph.nodes[node].layer {
        Layer::Convolution(it) if it.groups > 1 => 1,
        _ => shape.first().map_or(1, |&size| size as usize),
    };
    for &node in consumers {
        if let Some(second) = weights.get(&name(node, "weight")) {
            largest(&second.values, outputs_of(node, &second.shape), &mut reads);
        }
    }
    let factors: Vec<f32> = (makes.iter().zip(&reads))
        .map(|(&one, &two)| {
            let factor = (one * two).sqrt() / two;
            // A channel without weights on one side has no range to share.
            if factor.is_finite() && factor > 0.0 {
                factor as f32
            } else {
                1.0
            }
        })
        .collect();
    for suffix in ["weight", "bias"] {
        scale(weights, &name(producer, suffix), 1, channels, |at| {
            1.0 / factors[at]
        });
    }
    for &node in consumers {
        let key = name(node, "weight");
        let outputs = weights
            .get(&key)
            .map_or(1, |it| outputs_of(node, &it.shape));
        scale(weights, &key, outputs, channels, |at| factors[at]);
    }
    factors
        .iter()
        .fold(0.0, |most, &it| most.max((f64::from(it) - 1.0).abs()))
}

/// The largest size of the weights of each channel.
fn largest(values: &[f32], outputs: usize, of_channels: &mut [f64]) {
    let channels = of_channels.len();
    let each = of_channel(values.len(), outputs, channels);
    for (part, weights) in values.chunks_exact(each).enumerate() {
        let most = &mut of_channels[part % channels];
        for &weight in weights {
            *most = most.max(f64::from(weight.abs()));
        }
    }
}

fn scale(
    weights: &mut Weights,
    name: &str,
    outputs: usize,
    channels: usize,
    factor: impl Fn(usize) -> f32,
) {
    if let Some(mut tensor) = weights.remove(name) {
        let each = of_channel(tensor.values.len(), outputs, channels);
        for (part, values) in tensor.values.chunks_exact_mut(each).enumerate() {
            let factor = factor(part % channels);
            values.iter_mut().for_each(|it| *it *= factor);
        }
        weights.insert(name, tensor.shape, tensor.values);
    }
}

/// Bias correction (section 4.2, with means that were measured, as in its appendix D): with `ε` what rounding added to a
/// layer's weights, an output's mean is off by `Σ ε·E[x]`, which is taken from its bias. `means` are those of each layer's
/// input channels, by node; a layer without a bias stays as it is, and padding is not looked at.
///
/// # Errors
/// As [`Graph::resolve`].
pub fn corrected(
    graph: &Graph,
    weights: &Weights,
    rounded: &Weights,
    means: impl Fn(usize) -> Vec<f64>,
) -> Result<Weights> {
    let mut corrected = weights.clone();
    for (index, node) in graph.nodes.iter().enumerate() {
        let groups = match node.layer {
            Layer::Linear { .. } => 1,
            Layer::Convolution(it) => it.groups as usize,
            _ => continue,
        };
        let key = format!("{}.weight", node.name);
        let (Some(before), Some(after)) = (weights.get(&key), rounded.get(&key)) else {
            continue;
        };
        let name = format!("{}.bias", node.name);
        let (Some(mut bias), means) = (corrected.remove(&name), means(index)) else {
            continue;
        };
        let inner = (before.values.len() / bias.values.len().max(1)).max(1);
        let planes = (means.len() / groups).max(1);
        let each = (inner / planes).max(1);
        let outputs = (bias.values.len() / groups).max(1);
        let rows = before
            .values
            .chunks_exact(inner)
            .zip(after.values.chunks_exact(inner));
        for ((output, bias), (before, after)) in bias.values.iter_mut().enumerate().zip(rows) {
            let own = &means[output / outputs * planes..];
            let off: f64 = (before.iter().zip(after).enumerate())
                .map(|(at, (&before, &after))| {
                    (f64::from(after) - f64::from(before))
                        * own.get(at / each).copied().unwrap_or(0.0)
                })
                .sum();
            *bias = (f64::from(*bias) - off) as f32;
        }
        corrected.insert(name, bias.shape, bias.values);
    }
    Ok(corrected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Convolution;

    fn graph() -> Graph {
        let mut graph = Graph::new([1, 4, 4]);
        graph.push("conv", Layer::convolution(3, 3));
        graph.push("relu", Layer::Activation(Activation::Relu));
        let depthwise = Convolution {
            groups: 3,
            ..Convolution::same(3, 3)
        };
        graph.push("each", Layer::Convolution(depthwise));
        graph.push("pool", Layer::MaxPool(crate::model::Window::tiling([2, 2])));
        graph.push("flatten", Layer::Flatten);
        graph.push("classes", Layer::linear(2));
        graph
    }

    fn ranges(weights: &Weights, name: &str, outputs: usize) -> Vec<f64> {
        let mut found = vec![0.0; 3];
        largest(
            &weights.get(name).expect("there").values,
            outputs,
            &mut found,
        );
        found
    }

    #[test]
    fn both_sides_of_every_channel_get_the_same_range() {
        let graph = graph();
        let mut weights = Weights::init(&graph, 5).expect("fits");
        // One channel is a thousand times the others on the way in, another on the way out.
        scale(&mut weights, "conv.weight", 1, 3, |at| {
            [1000.0, 1.0, 1.0][at]
        });
        scale(&mut weights, "classes.weight", 2, 3, |at| {
            [1.0, 1.0, 500.0][at]
        });
        let found = equalized(&graph, &weights).expect("fits");
        let sides = [
            ranges(&found, "conv.weight", 1),
            ranges(&found, "each.weight", 1),
            ranges(&found, "classes.weight", 2),
        ];
        for channel in 0..3 {
            let of = |side: usize| sides[side][channel];
            assert!((of(0) / of(1) - 1.0).abs() < 0.01, "{sides:?}");
            assert!((of(1) / of(2) - 1.0).abs() < 0.01, "{sides:?}");
        }
    }

    #[test]
    fn a_function_that_passes_no_factor_on_ends_a_pair() {
        let mut graph = graph();
        graph.nodes[1].layer = Layer::Activation(Activation::Gelu);
        graph.nodes[3].layer = Layer::Activation(Activation::Relu6);
        let weights = Weights::init(&graph, 5).expect("fits");
        assert_eq!(equalized(&graph, &weights).expect("fits"), weights);
    }

    #[test]
    fn a_bias_takes_up_what_rounding_moved_on_average() {
        let graph = graph();
        let weights = Weights::init(&graph, 5).expect("fits");
        let mut rounded = weights.clone();
        scale(&mut rounded, "each.weight", 1, 3, |at| [1.0, 1.5, 1.0][at]);
        scale(&mut rounded, "classes.weight", 2, 3, |_| 1.25);
        let means = |node: usize| match node {
            2 => vec![1.0, 2.0, 4.0],
            5 => vec![0.5; 12],
            _ => vec![0.0],
        };
        let found = corrected(&graph, &weights, &rounded, means).expect("fits");
        let moved = |name: &str| -> Vec<f64> {
            let [before, after] = [&weights, &found].map(|it| &it.get(name).expect("there").values);
            before
                .iter()
                .zip(after)
                .map(|(a, b)| f64::from(b - a))
                .collect()
        };
        let sum = |name: &str, from: usize, count: usize| -> f64 {
            let values = &weights.get(name).expect("there").values[from..from + count];
            values.iter().map(|&it| f64::from(it)).sum()
        };
        assert_eq!(moved("conv.bias"), [0.0; 3]);
        let each = moved("each.bias");
        assert!(each[0] == 0.0 && each[2] == 0.0);
        assert!(
            (each[1] + sum("each.weight", 9, 9) * 0.5 * 2.0).abs() < 1e-5,
            "{each:?}"
        );
        let classes = moved("classes.bias");
        for output in 0..2 {
            let wanted = -sum("classes.weight", 12 * output, 12) * 0.25 * 0.5;
            assert!((classes[output] - wanted).abs() < 1e-5, "{classes:?}");
        }
    }
}
