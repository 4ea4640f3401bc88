//! Which layers are computed in one pass: a product with what follows it number by number; it computes nothing.

use super::operation::function;
use super::plan::{Mode, Network};
use crate::model::{Activation, Layer};

/// Nodes that one step computes.
#[derive(Debug)]
pub(in crate::engine) struct Group {
    /// The nodes, in order. The first says what is computed, and all of them are one chain.
    pub(in crate::engine) members: Vec<usize>,
    /// A batch norm that becomes part of the weights.
    pub(in crate::engine) folded: Option<usize>,
    /// The value that is added.
    pub(in crate::engine) residual: Option<usize>,
    /// What is applied last.
    pub(in crate::engine) activation: Option<Activation>,
}

/// The group that begins with `node`; `keeps` says that a step can leave what its activation was given for the way back; nodes that are `taken` already stay where they are.
pub(in crate::engine) fn group(
    network: &Network<'_>,
    node: usize,
    mode: Mode,
    keeps: bool,
    taken: &[bool],
) -> Group {
    let mut group = Group {
        members: vec![node],
        folded: None,
        residual: None,
        activation: None,
    };
    let layer = |node: usize| network.graph.nodes[node].layer;
    let is_product = matches!(layer(node), Layer::Linear { .. } | Layer::Convolution(_));
    let is_norm = matches!(layer(node), Layer::BatchNorm { .. });
    if !is_product && !is_norm {
        return group;
    }
    let next = |group: &Group| {
        let last = group.members[group.members.len() - 1];
        network.sole_reader(last).filter(|&reader| !taken[reader])
    };
    if is_product
        && mode == Mode::Inference
        && let Some(reader) = next(&group)
        && matches!(layer(reader), Layer::BatchNorm { .. })
        && channels(&network.nodes[reader].output) == channels(&network.nodes[node].output)
    {
        group.folded = Some(reader);
        group.members.push(reader);
    }
    if let Some(reader) = next(&group)
        && layer(reader) == Layer::Add
    {
        let own = group.members[group.members.len() - 1] + 1;
        group.residual = network
            .inputs(reader)
            .into_iter()
            .find(|&input| input != own);
        group.members.push(reader);
    }
    if let Some(reader) = next(&group)
        && let Layer::Activation(activation) = layer(reader)
        && (keeps || mode == Mode::Inference || function(activation).has_gradient_from_output())
    {
        group.activation = Some(activation);
        group.members.push(reader);
    }
    group
}

/// Channels of a shape, which are what stands side by side: none for tokens, whose norm is another layer's.
fn channels(shape: &[u32]) -> Option<u32> {
    match *shape {
        [channels] | [channels, _, _] => Some(channels),
        _ => None,
    }
}
