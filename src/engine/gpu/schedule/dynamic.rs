//! Layers whose products are integers of rows with a step of their own: their weights as words and their two dispatches;
//! everything around them is planned as it always is.

use super::Builder;
use super::forward::{is_depthwise, shape};
use super::integer::{check_groups, packed};
use super::number;
use super::places::Item;
use crate::engine::cpu::fusion::Group;
use crate::engine::cpu::integer::whole::dynamic_nodes;
use crate::engine::cpu::plan::sizes;
use crate::engine::gpu::kernels::Task;
use crate::engine::gpu::kernels::task::{DynamicCodes, DynamicProduct, NONE};
use crate::error::Result;
use crate::model::{Graph, ResolvedNode, Weights};
use crate::quant::{Integer, Stored};

/// Where a layer's words begin, in fours from the first of all.
#[derive(Debug, Clone, Copy)]
struct Packed {
    weight: u32,
    constants: u32,
}

/// The layers of a stored model that round each row by itself.
#[derive(Debug)]
pub(in crate::engine::gpu) struct Dynamic {
    /// By node.
    layers: Vec<Option<Packed>>,
    /// Their weights, steps and biases; they stand behind all other weights.
    pub(in crate::engine::gpu) words: Vec<u32>,
    /// The whole model's, as they are stored.
    pub(in crate::engine::gpu) weights: Weights,
}

impl Dynamic {
    /// Of the graph that runs.
    ///
    /// # Errors
    /// [`crate::error::Error::Unsupported`] that names a layer in narrow groups; else as preparing it on the CPU.
    pub(in crate::engine::gpu) fn new(
        graph: &Graph,
        stored: &Stored,
        integer: &Integer,
    ) -> Result<Self> {
        let nodes = graph.resolve()?;
        let mut dynamic = Self {
            layers: vec![None; nodes.len()],
            words: Vec::new(),
            weights: stored.weights().clone(),
        };
        for at in dynamic_nodes(graph, stored, integer)? {
            let node = &graph.nodes[at];
            let shape = shape(node.layer, &nodes[at]);
            check_groups(&node.name, &shape)?;
            let Some(layer) = integer.layers.get(&node.name) else {
                continue;
            };
            let weight = dynamic.words.len() as u32 / 4;
            dynamic.words.extend(packed(&shape, &layer.weights));
            let constants = dynamic.words.len() as u32 / 4;
            let quads = shape.channels.div_ceil(4) as usize;
            for numbers in [&layer.steps, &layer.bias] {
                let of = |output| numbers.get(output).copied().unwrap_or(0.0_f32);
                let words = (0..4 * quads).map(|output| of(output).to_bits());
                dynamic.words.extend(words);
            }
            dynamic.layers[at] = Some(Packed { weight, constants });
        }
        Ok(dynamic)
    }

    /// The nodes as a layout of all other weights sees them.
    pub(in crate::engine::gpu) fn others(&self, nodes: &[ResolvedNode]) -> Vec<ResolvedNode> {
        let mut others = nodes.to_vec();
        for (node, packed) in others.iter_mut().zip(&self.layers) {
            if packed.is_some() {
                node.parameters.clear();
            }
        }
        others
    }
}

impl Builder<'_> {
    /// Plans a group that begins with such a layer; whether it does.
    pub(super) fn dynamic(&mut self, group: &Group) -> Result<bool> {
        let node = group.members[0];
        let Some(packed) = self.ground.dynamic.and_then(|it| it.layers[node]) else {
            return Ok(false);
        };
        let last = group.members[group.members.len() - 1];
        let resolved = &self.network.nodes[node];
        let shape = shape(self.network.graph.nodes[node].layer, resolved);
        let (length, places) = sizes(resolved.input());
        let [places, channels] = [places, length / places].map(|size| size as u32);
        let words = u64::from(self.rows) * u64::from(places * channels.div_ceil(4));
        let room = words + u64::from(self.rows);
        let value = self.network.inputs(node)[0];
        let input = self.place(Item::Value(value));
        let output = self.sized(Item::Codes(node), room);
        let steps = output + words as u32;
        self.push(Task::DynamicCodes(DynamicCodes {
            places,
            channels,
            input,
            output,
            steps,
        }))?;
        let first = self.layout.len as u32 / 4;
        let task = DynamicProduct {
            shape,
            input: self.sized(Item::Codes(node), room),
            steps,
            weight: first + packed.weight,
            constants: first + packed.constants,
            residual: match group.residual {
                Some(value) => self.place(Item::Value(value)),
                None => NONE,
            },
            output: self.place(Item::Value(last + 1)),
            depthwise: u32::from(is_depthwise(&shape)),
            activation: group.activation.map_or(0, number),
        };
        self.push(Task::DynamicProduct(task))?;
        Ok(true)
    }
}
