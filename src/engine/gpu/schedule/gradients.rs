//! What is known of each value's gradient while the way back is planned: who wants it, where it stands, what it lacks.

use super::forward::dropout;
use super::places::Item;
use super::{Builder, from_output, number};
use crate::engine::cpu::fusion::Group;
use crate::engine::gpu::kernels::Task;
use crate::engine::gpu::kernels::task::{ActivateGradient, Add, NONE};
use crate::error::Result;
use crate::model::{Activation, Layer};

/// The gradients that are there while the way back is planned.
pub(super) struct Gradients {
    /// Which values' gradients anybody wants.
    pub(super) wanted: Vec<bool>,
    /// Where the gradient of each value stands.
    pub(super) at: Vec<Option<Item>>,
    /// Parts of each value's gradient that are still to come.
    awaited: Vec<usize>,
    /// What gave each value: its slope is part of the gradient of what it was given.
    functions: Vec<Option<Slope>>,
    /// Which values' gradients have their slope.
    has_slope: Vec<bool>,
}

/// An activation with what is saved of it.
type Slope = (Item, Activation);

/// Where a part of a value's gradient goes.
pub(super) struct To {
    /// The place, or [`NONE`] where nobody wants it.
    pub(super) output: u32,
    /// 1 where it is added to what is there.
    pub(super) accumulate: u32,
    /// The place of what the slope follows from, and the activation that it is of; 0 where there is none to multiply by.
    pub(super) saved: u32,
    pub(super) activation: u32,
}

impl Builder<'_> {
    /// What is known before the first gradient.
    pub(super) fn gradients(&self, groups: &[Group]) -> Gradients {
        let values = self.network.nodes.len() + 1;
        let mut gradients = Gradients {
            wanted: vec![false; values],
            at: vec![None; values],
            awaited: self.network.readers.iter().map(Vec::len).collect(),
            functions: vec![None; values],
            has_slope: vec![false; values],
        };
        for group in groups {
            let last = group.members[group.members.len() - 1];
            gradients.functions[last + 1] = group.activation.map(|function| {
                let saved = match from_output(function) {
                    true => self.written(last + 1),
                    false => Item::Kept(last),
                };
                (saved, function)
            });
            let reads = self
                .network
                .inputs(group.members[0])
                .into_iter()
                .chain(group.residual);
            let wanted = self.layout.trains(group.members[0])
                || reads.into_iter().any(|value| gradients.wanted[value]);
            gradients.wanted[last + 1] = wanted;
        }
        let logits = self.network.output;
        if gradients.wanted[logits] {
            gradients.at[logits] = Some(Item::Gradient(logits));
        }
        gradients
    }

    /// Multiplies a value's gradient by its slope where nobody has done so.
    pub(super) fn slope_of(
        &mut self,
        value: usize,
        own: Item,
        gradients: &Gradients,
    ) -> Result<()> {
        self.rounded_back(value, own)?;
        let Some((saved, function)) = gradients.functions[value] else {
            return Ok(());
        };
        if gradients.has_slope[value] {
            return Ok(());
        }
        let gradient = self.place(own);
        let task = ActivateGradient {
            length: self.len(value) as u32,
            gradient,
            saved: self.place(saved),
            activation: number(function),
            output: gradient,
            accumulate: 0,
        };
        self.push(Task::ActivationGradient(task))
    }

    /// Where the gradient of an input is written, whether it is added to what is there, and the slope where the kernel
    /// can multiply by it and this is the last part.
    pub(super) fn input(&mut self, value: usize, slopes: bool, gradients: &mut Gradients) -> To {
        let mut to = To {
            output: NONE,
            accumulate: 0,
            saved: NONE,
            activation: 0,
        };
        if !gradients.wanted[value] {
            return to;
        }
        gradients.awaited[value] -= 1;
        let item = match gradients.at[value] {
            Some(item) => {
                to.accumulate = 1;
                item
            }
            None => Item::Gradient(value),
        };
        gradients.at[value] = Some(item);
        to.output = self.place(item);
        let slopes = slopes && !self.rounds(value);
        if let (true, 0, Some((saved, function))) =
            (slopes, gradients.awaited[value], gradients.functions[value])
        {
            to.saved = self.place(saved);
            to.activation = number(function);
            gradients.has_slope[value] = true;
        }
        to
    }

    /// The gradient of a group's value is also that of these values.
    pub(super) fn pass(
        &mut self,
        node: usize,
        own: Item,
        values: Vec<usize>,
        gradients: &mut Gradients,
    ) -> Result<()> {
        let mut kept = false;
        for value in values {
            if !gradients.wanted[value] {
                continue;
            }
            gradients.awaited[value] -= 1;
            let length = self.len(value) as u32;
            let left = self.place(own);
            let (right, to) = match gradients.at[value] {
                None if !kept => {
                    kept = true;
                    gradients.at[value] = Some(own);
                    continue;
                }
                None => {
                    let item = Item::Copied(value, node);
                    gradients.at[value] = Some(item);
                    (NONE, item)
                }
                Some(before) => (self.place(before), before),
            };
            let output = self.place(to);
            self.push(Task::Add(Add {
                length,
                left,
                right,
                output,
                kept: NONE,
                activation: 0,
            }))?;
        }
        Ok(())
    }

    /// An activation's or a dropout's gradient: where it is, or added to what is there.
    pub(super) fn back_in_place(
        &mut self,
        node: usize,
        own: Item,
        gradients: &mut Gradients,
    ) -> Result<()> {
        let value = self.network.inputs(node)[0];
        if !gradients.wanted[value] {
            return Ok(());
        }
        gradients.awaited[value] -= 1;
        let gradient = self.place(own);
        let length = self.len(value) as u32;
        let (output, accumulate) = match gradients.at[value] {
            Some(item) => (self.place(item), 1),
            None => {
                gradients.at[value] = Some(own);
                (gradient, 0)
            }
        };
        let task = match self.network.graph.nodes[node].layer {
            Layer::Activation(function) => Task::ActivationGradient(ActivateGradient {
                length,
                gradient,
                saved: match from_output(function) {
                    true => self.place(self.written(node + 1)),
                    false => self.place(Item::Value(value)),
                },
                activation: number(function),
                output,
                accumulate,
            }),
            Layer::Dropout { rate } => {
                Task::Dropout(dropout(node, rate, length, [gradient, output, accumulate]))
            }
            _ => return Ok(()),
        };
        self.push(task)
    }
}
