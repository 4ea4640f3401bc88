//! Where the channels of a layer go: through what keeps them apart, to the layers that add them up; it changes nothing.

use crate::model::{Graph, Layer, ResolvedNode};

/// A layer whose channels are read by nothing but sums over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    /// The linear layer or convolution that makes the channels.
    pub(super) producer: usize,
    /// What they pass through, in order.
    pub(super) along: Vec<usize>,
    /// The linear layers and convolutions that add them up.
    pub(super) consumers: Vec<usize>,
}

/// Whether a convolution has a kernel for each channel.
pub(super) fn is_depthwise(layer: Layer, resolved: &ResolvedNode) -> bool {
    match layer {
        Layer::Convolution(it) => {
            it.groups > 1
                && it.groups == it.channels
                && resolved.input().first() == Some(&it.groups)
        }
        _ => false,
    }
}

/// Whether a layer sums over all its channels.
pub(super) fn sums_up(layer: Layer) -> bool {
    match layer {
        Layer::Linear { .. } => true,
        Layer::Convolution(it) => it.groups == 1,
        _ => false,
    }
}

/// Follows the channels of a layer through what `passes`; else why it cannot be done.
pub(super) fn follow(
    graph: &Graph,
    nodes: &[ResolvedNode],
    producer: usize,
    passes: impl Fn(usize) -> bool,
) -> Result<Chain, String> {
    let mut chain = Chain {
        producer,
        along: Vec::new(),
        consumers: Vec::new(),
    };
    let mut open = vec![producer];
    while let Some(node) = open.pop() {
        if node + 1 == nodes.len() {
            return Err("its channels are the answer".into());
        }
        let name = &graph.nodes[node].name;
        for (reader, other) in graph.nodes.iter().enumerate() {
            if !other.inputs.contains(name) {
                continue;
            }
            let is_list_of_tokens =
                other.layer == Layer::Flatten && nodes[reader].input().len() == 2;
            if sums_up(other.layer) {
                chain.consumers.push(reader);
            } else if passes(reader) && !is_list_of_tokens {
                chain.along.push(reader);
                open.push(reader);
            } else {
                return Err(format!(
                    "{:?} ({}) reads it",
                    other.name,
                    other.layer.words()
                ));
            }
        }
    }
    crate::order::sort(&mut chain.along);
    if chain.consumers.is_empty() {
        return Err("nothing reads it".into());
    }
    Ok(chain)
}

/// Weights that a layer has for each of so many channels of its input, side by side: those of a place or of a kernel.
pub(super) fn of_channel(len: usize, outputs: usize, channels: usize) -> usize {
    (len / outputs.max(1) / channels.max(1)).max(1)
}
