//! First values of tensors: how far they spread follows from a tensor's role and from what its layer stands before.
//!
//! Weights are uniform in `±√(6 / fan_in)` where an activation that rectifies follows, also behind a norm, a sum, a
//! dropout or a pooling (He et al. 2015, arXiv 1502.01852), and in `±√(6 / (fan_in + fan_out))` elsewhere (Glorot and
//! Bengio 2010). Weights that end a residual branch without a norm after them are divided by √N in a graph of N such
//! branches, so that sums stay small in deep graphs (Radford et al. 2019, "Language models are unsupervised multitask
//! learners", section 2.3). Positions are normal with deviation 0.02 (Dosovitskiy et al. 2021, arXiv 2010.11929, in
//! their published code). Norms start as scale 1, shift 0, running mean 0, running variance 1; biases are zero.
//!
//! Each tensor has its own stream, `init/<tensor>`, so adding a layer leaves the others' first values as they were. Only
//! products, sums, square roots and `libm` are used, which every platform rounds alike.

use super::graph::{Graph, ResolvedNode, Source};
use super::layer::Layer;
use super::parameter::{Parameter, ParameterRole};
use super::weights::usize_from;
use crate::rng::Stream;

/// Where a layer stands, as far as its first values depend on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    /// An activation that rectifies follows.
    rectified: bool,
    /// How many branches like the one that it ends the graph has; 1 where it ends none.
    branches: u32,
}

/// The place of each node.
pub(super) fn places(graph: &Graph, resolved: &[ResolvedNode]) -> Vec<Place> {
    let ends = branch_ends(graph, resolved);
    let count = ends.iter().filter(|&&end| end).count();
    let branches = u32::try_from(count).unwrap_or(u32::MAX).max(1);
    rectified(graph, resolved)
        .into_iter()
        .zip(ends)
        .map(|(rectified, end)| Place {
            rectified,
            branches: if end { branches } else { 1 },
        })
        .collect()
}

/// For each node, whether the first activation that follows it rectifies; the first reader decides.
fn rectified(graph: &Graph, resolved: &[ResolvedNode]) -> Vec<bool> {
    let mut follows = vec![None; resolved.len()];
    for (index, node) in resolved.iter().enumerate().rev() {
        let seen = match graph.nodes[index].layer {
            Layer::Activation(activation) => Some(activation),
            Layer::BatchNorm { .. }
            | Layer::LayerNorm { .. }
            | Layer::Add
            | Layer::Dropout { .. }
            | Layer::MaxPool(_)
            | Layer::AveragePool(_) => follows[index],
            _ => None,
        };
        for source in &node.sources {
            if let (Source::Node(earlier), Some(_)) = (source, seen) {
                follows[*earlier] = seen;
            }
        }
    }
    follows
        .into_iter()
        .map(|activation| activation.is_some_and(super::Activation::rectifies))
        .collect()
}

/// For each node, whether it is a linear layer or a convolution that goes, but for dropout and
/// transposing, straight into a sum whose
/// other input it was computed from: the end of a residual branch.
fn branch_ends(graph: &Graph, resolved: &[ResolvedNode]) -> Vec<bool> {
    let mut readers = vec![0_u32; resolved.len()];
    for source in resolved.iter().flat_map(|node| &node.sources) {
        if let Source::Node(earlier) = source {
            readers[*earlier] += 1;
        }
    }
    let mut ends = vec![false; resolved.len()];
    for (node, sum) in graph.nodes.iter().zip(resolved) {
        let (Layer::Add, &[a, b]) = (node.layer, sum.sources.as_slice()) else {
            continue;
        };
        for (branch, skip) in [(a, b), (b, a)] {
            let Source::Node(mut end) = branch else {
                continue;
            };
            while let (Layer::Dropout { .. } | Layer::Transpose, 1, [Source::Node(earlier)]) = (
                graph.nodes[end].layer,
                readers[end],
                resolved[end].sources.as_slice(),
            ) {
                end = *earlier;
            }
            let weighs = matches!(
                graph.nodes[end].layer,
                Layer::Linear { .. } | Layer::Convolution(_)
            );
            if weighs && readers[end] == 1 && comes_from(resolved, end, skip) {
                ends[end] = true;
            }
        }
    }
    ends
}

/// Whether a node was computed from this, directly or not.
fn comes_from(resolved: &[ResolvedNode], node: usize, from: Source) -> bool {
    let mut seen = vec![false; resolved.len()];
    let mut open = vec![node];
    while let Some(next) = open.pop() {
        for &source in &resolved[next].sources {
            if source == from {
                return true;
            }
            if let Source::Node(earlier) = source
                && !std::mem::replace(&mut seen[earlier], true)
            {
                open.push(earlier);
            }
        }
    }
    false
}

/// The first values of a tensor of a layer at this place.
pub(super) fn values(parameter: &Parameter, place: Place, seed: u32) -> Vec<f32> {
    let count = usize_from(parameter.count());
    let stream = || Stream::new(seed, &format!("init/{}", parameter.name), 0);
    match parameter.role {
        ParameterRole::Bias | ParameterRole::Shift | ParameterRole::RunningMean => {
            vec![0.0; count]
        }
        ParameterRole::Scale | ParameterRole::RunningVariance => vec![1.0; count],
        ParameterRole::Positions => {
            let mut stream = stream();
            (0..count).map(|_| 0.02 * stream.normal()).collect()
        }
        ParameterRole::Weight => {
            let fan = if place.rectified {
                parameter.fan_in
            } else {
                parameter.fan_in + parameter.fan_out
            };
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                reason = "rounding a bound of the first values is harmless"
            )]
            let bound = (6.0 / fan as f64 / f64::from(place.branches)).sqrt() as f32;
            let mut stream = stream();
            (0..count)
                .map(|_| (2.0 * stream.unit() - 1.0) * bound)
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Activation, Weights};

    /// The largest value of a tensor over the bound that it should have.
    fn share(graph: &Graph, name: &str, bound: f64) -> f64 {
        let weights = Weights::init(graph, 1).expect("fits");
        let values = &weights.get(name).expect("there").values;
        f64::from(
            values
                .iter()
                .fold(0.0_f32, |most, value| most.max(value.abs())),
        ) / bound
    }

    fn assert_bound(graph: &Graph, name: &str, bound: f64) {
        let share = share(graph, name, bound);
        assert!((0.95..=1.000_001).contains(&share), "{name}: {share}");
    }

    #[test]
    fn what_rectifies_is_found_behind_norms_sums_and_dropout() {
        let mut graph = Graph::new([8, 4, 4]);
        graph.push("a", Layer::convolution(8, 3));
        graph.push("norm", Layer::batch_norm());
        graph.push("drop", Layer::Dropout { rate: 0.5 });
        graph.push_reading("sum", Layer::Add, &["drop", super::super::INPUT]);
        graph.push("relu6", Layer::Activation(Activation::Relu6));
        graph.push("b", Layer::convolution(8, 3));
        graph.push("tanh", Layer::Activation(Activation::Tanh));
        graph.push("c", Layer::convolution(8, 3));
        assert_bound(&graph, "a.weight", (6.0_f64 / 72.0).sqrt());
        assert_bound(&graph, "b.weight", (6.0_f64 / 144.0).sqrt());
        assert_bound(&graph, "c.weight", (6.0_f64 / 144.0).sqrt());
    }

    #[test]
    fn the_ends_of_residual_branches_start_smaller_the_more_there_are() {
        let mut graph = Graph::new([8, 4, 4]);
        graph.push("tokens", Layer::Tokens { positions: true });
        for block in ["1", "2", "3"] {
            let from = graph.last().to_owned();
            graph.push(format!("in{block}"), Layer::linear(16));
            graph.push(format!("gelu{block}"), Layer::Activation(Activation::Gelu));
            graph.push(format!("out{block}"), Layer::linear(8));
            graph.push(format!("drop{block}"), Layer::Dropout { rate: 0.1 });
            let branch = graph.last().to_owned();
            graph.push_reading(format!("add{block}"), Layer::Add, &[&from, &branch]);
        }
        graph.push("beside", Layer::linear(8));
        graph.push_reading("two", Layer::linear(8), &["add3"]);
        // Two layers side by side are no branch of each other.
        graph.push_reading("sum", Layer::Add, &["beside", "two"]);
        assert_bound(&graph, "in2.weight", (6.0_f64 / 8.0).sqrt());
        assert_bound(&graph, "out2.weight", (6.0_f64 / 24.0 / 3.0).sqrt());
        assert_bound(&graph, "beside.weight", (6.0_f64 / 16.0).sqrt());
        assert_bound(&graph, "two.weight", (6.0_f64 / 16.0).sqrt());
    }

    #[test]
    fn norms_start_as_nothing_and_positions_small() {
        let mut graph = Graph::new([8, 16, 16]);
        graph.push("norm", Layer::batch_norm());
        graph.push("tokens", Layer::Tokens { positions: true });
        let weights = Weights::init(&graph, 1).expect("fits");
        let values = |name: &str| weights.get(name).expect("there").values.clone();
        assert_eq!(values("norm.weight"), [1.0; 8]);
        assert_eq!(values("norm.bias"), [0.0; 8]);
        assert_eq!(values("norm.running_mean"), [0.0; 8]);
        assert_eq!(values("norm.running_var"), [1.0; 8]);
        let positions = values("tokens.positions");
        let square: f32 = positions.iter().map(|value| value * value).sum();
        let deviation = (square / positions.len() as f32).sqrt();
        assert!((0.018..0.022).contains(&deviation), "{deviation}");
    }
}
