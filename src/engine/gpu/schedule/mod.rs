//! From a layer graph to a list of dispatches with every place decided: planned once for a batch size, replayed for every
//! step; it talks to no device.
//!
//! Layers are taken together as on the CPU, and further: any activation is part of the pass before it, its slope part of
//! the pass that adds the last part to its gradient. Parts of parameters' gradients are added up by the optimizer's one dispatch.

mod backward;
mod division;
mod forward;
mod gradients;
mod integer;
mod places;

use super::kernels::Task;
use super::kernels::grid::Dispatch;
use super::kernels::task::{CrossEntropy, Gather, Update};
use super::kernels::tile::Device;
use crate::engine::cpu::parameters::Layout;
use crate::engine::cpu::plan::{Mode, Network, sizes};
use crate::error::{Error, Result};
use crate::model::{Activation, Graph, ParameterRole, ResolvedNode};
pub(super) use integer::{IntegerSchedule, base};
use places::{Item, Places};
use std::ops::Range;

/// Numbers that share an entry of the optimizer's table; parameters begin at multiples of it.
pub(super) const BLOCK: usize = 64;

/// A planned graph.
#[derive(Debug)]
pub(super) struct Schedule {
    /// What is done for each batch, in order.
    pub(super) dispatches: Vec<Dispatch>,
    /// Numbers of the values arena.
    pub(super) values: u64,
    /// Where the logits stand.
    pub(super) logits: u32,
    /// The optimizer's table, four words a block; empty where nothing is trained.
    pub(super) blocks: Vec<u32>,
}

/// Where weights stand as halves, if they do.
#[derive(Debug, Clone, Copy)]
pub(super) struct InHalves {
    /// Where the first would be, counted in halves, from the beginning of the numbers on.
    pub(super) first: u32,
    /// What sums of them are multiplied by.
    pub(super) factor: f32,
}

/// What a plan is made for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground {
    pub(super) device: Device,
    /// Where the optimizer's table will stand among the numbers.
    pub(super) blocks: u32,
    /// Where weights stand as halves: the weights arena then begins behind the tensors that decay.
    pub(super) halves: Option<InHalves>,
}

/// What a part of a gradient is to the optimizer.
#[derive(Debug, Clone, Copy)]
struct Parts {
    first: u32,
    count: u32,
    stride: u32,
}

/// A schedule while it grows.
struct Builder<'a> {
    ground: Ground,
    network: Network<'a>,
    layout: &'a Layout,
    mode: Mode,
    rows: u32,
    places: Places,
    dispatches: Vec<Dispatch>,
    /// The parts of each parameter's gradient, by where it begins in the weights.
    parts: std::collections::BTreeMap<usize, Parts>,
}

impl Schedule {
    /// Plans a resolved graph for at most so many rows.
    ///
    /// # Errors
    /// [`Error::TooLarge`] where the batch needs more than a GPU can count, [`Error::Unsupported`] for a head that is too
    /// wide, [`Error::BadInput`] where a layer lacks a tensor.
    pub(super) fn new(
        ground: Ground,
        graph: &Graph,
        nodes: &[ResolvedNode],
        layout: &Layout,
        mode: Mode,
        rows: u32,
    ) -> Result<Self> {
        let mut places = Places::default();
        // First to learn how long each place is needed, then with places that share what they can.
        for _ in 0..2 {
            let mut builder = Builder {
                ground,
                network: Network::new(graph, nodes, mode),
                layout,
                mode,
                rows,
                places,
                dispatches: Vec::new(),
                parts: std::collections::BTreeMap::new(),
            };
            builder.all()?;
            let logits = builder.place(Item::Value(builder.network.output));
            if builder.places.is_decided() {
                return Ok(Self {
                    blocks: builder.table(),
                    values: builder.places.len(),
                    dispatches: builder.dispatches,
                    logits,
                });
            }
            places = builder.places;
            places.decide()?;
        }
        Err(Error::Engine {
            engine: "gpu",
            during: "planning",
            reason: "places stayed undecided".into(),
        })
    }
}

impl Builder<'_> {
    fn all(&mut self) -> Result<()> {
        let [channels, height, width] = self.network.graph.input;
        let output = self.place(Item::Value(0));
        self.push(Task::Gather(Gather {
            channels,
            places: height * width,
            output,
        }))?;
        let groups = self.network.groups(self.mode, true);
        for (step, group) in groups.iter().enumerate() {
            self.forward(step, group)?;
        }
        if self.mode == Mode::Training {
            let logits = self.network.output;
            let task = CrossEntropy {
                classes: self.len(logits) as u32,
                input: self.place(Item::Value(logits)),
                output: self.place(Item::Gradient(logits)),
            };
            self.push(Task::CrossEntropy(task))?;
            self.backward(&groups)?;
            self.places.touch_all_parts(self.dispatches.len());
            self.push(Task::Update(Update {
                length: self.layout.len as u32,
                blocks: self.ground.blocks,
            }))?;
        }
        Ok(())
    }

    fn push(&mut self, task: Task) -> Result<()> {
        let dispatch =
            Dispatch::new(self.ground.device, task, self.rows).ok_or_else(|| Error::TooLarge {
                what: format!(
                    "the rows of a batch on the GPU ({})",
                    task.kernel().row().name
                ),
                got: u64::from(self.rows),
                limit: u64::from(self.rows / 2),
                unit: "rows",
            })?;
        self.dispatches.push(dispatch);
        Ok(())
    }

    /// Numbers of a value for one row.
    fn len(&self, value: usize) -> u64 {
        let (len, _) = match value.checked_sub(1) {
            None => sizes(&self.network.graph.input),
            Some(node) => sizes(&self.network.nodes[node].output),
        };
        len as u64
    }

    /// Where an item that has numbers for each row stands.
    fn place(&mut self, item: Item) -> u32 {
        let len = match item {
            Item::Value(value) | Item::Gradient(value) | Item::Copied(value, _) => self.len(value),
            Item::Kept(node) => self.len(node + 1),
            Item::Statistics(_) | Item::Partial(_) | Item::Part(_) => 0,
        };
        self.sized(item, len * u64::from(self.rows))
    }

    /// Where an item of so many numbers stands.
    fn sized(&mut self, item: Item, len: u64) -> u32 {
        self.places.at(item, len, self.dispatches.len())
    }

    /// Where the parts of a parameter's gradient go.
    fn parts(&mut self, range: &Range<usize>, count: u32) -> Parts {
        let stride = range.len().next_multiple_of(BLOCK) as u32;
        let first = self.sized(
            Item::Part(range.start),
            u64::from(count) * u64::from(stride),
        );
        let parts = Parts {
            first,
            count,
            stride,
        };
        self.parts.insert(range.start, parts);
        parts
    }

    /// The place of a node's tensor.
    fn tensor(&self, node: usize, role: ParameterRole) -> Result<Range<usize>> {
        self.layout.find(node, role).ok_or_else(|| {
            Error::bad_input(
                format!("layer {:?}", self.network.graph.nodes[node].name),
                format!("a tensor for its {role:?}"),
                "none",
            )
        })
    }

    /// The same as a kernel is told it.
    fn weight(&self, node: usize, role: ParameterRole) -> Result<u32> {
        let first = self.tensor(node, role)?.start as u32;
        Ok(match self.ground.halves {
            None => first,
            Some(halves) if role.decays() => halves.first + first,
            Some(_) => first - self.layout.decaying as u32,
        })
    }

    /// The optimizer's table.
    fn table(&self) -> Vec<u32> {
        let mut table = Vec::new();
        if self.mode == Mode::Inference {
            return table;
        }
        for (range, role) in self.layout.ranges() {
            let parts = self.parts.get(&range.start);
            let kind = match parts {
                _ if role.decays() => 0,
                _ if role.trains() => 1,
                Some(_) => 2,
                None => 3,
            };
            let Parts {
                first,
                count,
                stride,
            } = parts.copied().unwrap_or(Parts {
                first: 0,
                count: 0,
                stride: 0,
            });
            for block in 0..range.len().div_ceil(BLOCK) as u32 {
                table.extend([first + block * BLOCK as u32, count, stride, kind]);
            }
        }
        table
    }
}

/// An activation as kernels know it.
const fn number(function: Activation) -> u32 {
    match function {
        Activation::Relu => 1,
        Activation::Relu6 => 2,
        Activation::Hardswish => 3,
        Activation::Silu => 4,
        Activation::Tanh => 5,
        Activation::Gelu => 6,
    }
}

/// Whether an activation's slope follows from what it gave.
const fn from_output(function: Activation) -> bool {
    matches!(
        function,
        Activation::Relu | Activation::Relu6 | Activation::Tanh
    )
}

#[cfg(test)]
mod tests;
