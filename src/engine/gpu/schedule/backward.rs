//! The way back: the dispatches of each group's gradient, last group first; nobody computes what nobody asked for.

use super::division::{MOST_PARTS, statistics_parts, weight_parts};
use super::forward::{dropout, factor, is_depthwise, shape, window};
use super::places::Item;
use super::{Builder, number};
use crate::engine::cpu::fusion::Group;
use crate::engine::cpu::plan::sizes;
use crate::engine::gpu::kernels::Task;
use crate::engine::gpu::kernels::task::{
    ActivateGradient, Add, AttentionGradient, AverageGradient, InputGradient, LayerNormGradient,
    MaxGradient, NONE, NormGradient, NormSums, PositionsGradient, Transpose, WeightGradient,
};
use crate::error::Result;
use crate::model::{Layer, ParameterRole};

/// The gradients that are there while the way back is planned.
struct Gradients {
    /// Which values' gradients anybody wants.
    wanted: Vec<bool>,
    /// Where the gradient of each value stands.
    at: Vec<Option<Item>>,
}

impl Builder<'_> {
    pub(super) fn backward(&mut self, groups: &[Group]) -> Result<()> {
        let values = self.network.nodes.len() + 1;
        let mut gradients = Gradients {
            wanted: vec![false; values],
            at: vec![None; values],
        };
        for group in groups {
            let reads = self
                .network
                .inputs(group.members[0])
                .into_iter()
                .chain(group.residual);
            let wanted = self.layout.trains(group.members[0])
                || reads.into_iter().any(|value| gradients.wanted[value]);
            gradients.wanted[group.members[group.members.len() - 1] + 1] = wanted;
        }
        let logits = self.network.output;
        if gradients.wanted[logits] {
            gradients.at[logits] = Some(Item::Gradient(logits));
        }
        for (step, group) in groups.iter().enumerate().rev() {
            let output = group.members[group.members.len() - 1] + 1;
            if let Some(own) = gradients.at[output].take() {
                self.back(step, group, own, &mut gradients)?;
            }
        }
        Ok(())
    }

    /// Where the gradient of an input is written, and whether it is added to what is there.
    fn input(&mut self, value: usize, gradients: &mut Gradients) -> [u32; 2] {
        if !gradients.wanted[value] {
            return [NONE, 0];
        }
        match gradients.at[value] {
            Some(item) => [self.place(item), 1],
            None => {
                let item = Item::Gradient(value);
                gradients.at[value] = Some(item);
                [self.place(item), 0]
            }
        }
    }

    fn back(
        &mut self,
        step: usize,
        group: &Group,
        own: Item,
        gradients: &mut Gradients,
    ) -> Result<()> {
        let node = group.members[0];
        let inputs = self.network.inputs(node);
        let resolved = &self.network.nodes[node];
        let layer = self.network.graph.nodes[node].layer;
        let (length, places) = sizes(resolved.input());
        let (length, places) = (length as u32, places as u32);
        let channels = length / places;
        let gradient = self.place(own);
        let value = inputs[0];
        match layer {
            Layer::Linear { .. } | Layer::Convolution(_) => {
                self.back_product(group, own, gradients)?;
            }
            Layer::BatchNorm { .. } => {
                let parts = statistics_parts(self.rows, places);
                let [saved, activation] = self.slope(group);
                let task = NormSums {
                    channels,
                    places,
                    parts,
                    input: self.place(Item::Value(value)),
                    gradient,
                    saved,
                    activation,
                    statistics: self.sized(Item::Statistics(node), 0),
                    output: self.sized(
                        Item::Partial(usize::MAX - step),
                        u64::from(2 * parts * channels),
                    ),
                };
                self.push(Task::BatchNormSums(task))?;
                let [scale, shift] = self.scale_and_shift(node)?;
                let [output, accumulate] = self.input(value, gradients);
                let task = NormGradient {
                    channels,
                    places,
                    parts,
                    input: self.place(Item::Value(value)),
                    gradient: self.place(own),
                    statistics: self.sized(Item::Statistics(node), 0),
                    partial: self.sized(Item::Partial(usize::MAX - step), 0),
                    scale: scale.start as u32,
                    scale_output: self.parts(&scale, 1).first,
                    shift_output: self.parts(&shift, 1).first,
                    output,
                    accumulate,
                };
                self.push(Task::BatchNormGradient(task))?;
            }
            Layer::LayerNorm { .. } => {
                let rows = u64::from(self.rows) * u64::from(places);
                let count = rows.div_ceil(16).clamp(1, 2 * MOST_PARTS) as u32;
                let [scale, shift] = self.scale_and_shift(node)?;
                let [output, accumulate] = self.input(value, gradients);
                let task = LayerNormGradient {
                    channels,
                    places,
                    parts: count,
                    input: self.place(Item::Value(value)),
                    gradient,
                    statistics: self.sized(Item::Statistics(node), 0),
                    scale: scale.start as u32,
                    scale_output: self.parts(&scale, count).first,
                    shift_output: self.parts(&shift, count).first,
                    output_stride: self.parts(&shift, count).stride,
                    output,
                    accumulate,
                };
                self.push(Task::LayerNormGradient(task))?;
            }
            Layer::Activation(_) | Layer::Dropout { .. } => {
                return self.back_in_place(node, own, gradients);
            }
            Layer::Add => {}
            Layer::Tokens { .. } => {
                let positions = self.tensor(node, ParameterRole::Positions)?;
                let count = u64::from(self.rows).div_ceil(8).clamp(1, 16) as u32;
                let parts = self.parts(&positions, count);
                let task = PositionsGradient {
                    length,
                    parts: count,
                    gradient,
                    output: parts.first,
                    output_stride: parts.stride,
                };
                self.push(Task::PositionsGradient(task))?;
            }
            Layer::Flatten
            | Layer::Transpose
            | Layer::MaxPool(_)
            | Layer::AveragePool(_)
            | Layer::GlobalAveragePool
            | Layer::Attention { .. } => {
                let input = self.place(Item::Value(value));
                let forward = self.place(Item::Value(node + 1));
                let [output, accumulate] = self.input(value, gradients);
                if output == NONE {
                    return Ok(());
                }
                let task = match layer {
                    Layer::MaxPool(size) => Task::MaxPoolGradient(MaxGradient {
                        window: window(resolved, Some(size)),
                        input,
                        gradient,
                        output,
                        accumulate,
                    }),
                    Layer::AveragePool(_) | Layer::GlobalAveragePool => {
                        Task::AveragePoolGradient(AverageGradient {
                            window: window(
                                resolved,
                                match layer {
                                    Layer::AveragePool(size) => Some(size),
                                    _ => None,
                                },
                            ),
                            gradient,
                            output,
                            accumulate,
                        })
                    }
                    Layer::Attention { heads } => Task::AttentionGradient(AttentionGradient {
                        tokens: places,
                        width: channels / 3,
                        heads,
                        factor: factor(channels / 3, heads),
                        input,
                        forward,
                        gradient,
                        statistics: self.sized(Item::Statistics(node), 0),
                        output,
                        accumulate,
                    }),
                    _ => Task::Transpose(Transpose {
                        height: channels,
                        width: places,
                        input: gradient,
                        output,
                        accumulate,
                    }),
                };
                return self.push(task);
            }
        }
        let passed: Vec<usize> = match layer {
            Layer::Add | Layer::Tokens { .. } => inputs.into_iter().chain(group.residual).collect(),
            _ => group.residual.into_iter().collect(),
        };
        self.pass(node, own, passed, gradients)
    }

    /// The gradient of a group's value is also that of these values.
    fn pass(
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
    fn back_in_place(&mut self, node: usize, own: Item, gradients: &mut Gradients) -> Result<()> {
        let value = self.network.inputs(node)[0];
        if !gradients.wanted[value] {
            return Ok(());
        }
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
                saved: match super::from_output(function) {
                    true => self.place(Item::Value(node + 1)),
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

    fn scale_and_shift(&self, node: usize) -> Result<[std::ops::Range<usize>; 2]> {
        Ok([
            self.tensor(node, ParameterRole::Scale)?,
            self.tensor(node, ParameterRole::Shift)?,
        ])
    }

    fn back_product(&mut self, group: &Group, own: Item, gradients: &mut Gradients) -> Result<()> {
        let node = group.members[0];
        let value = self.network.inputs(node)[0];
        let shape = shape(
            self.network.graph.nodes[node].layer,
            &self.network.nodes[node],
        );
        let [mut saved, mut activation] = self.slope(group);
        let passes = group.residual.is_some_and(|value| gradients.wanted[value]);
        if passes && activation != 0 {
            // The residual wants the slope in its gradient as well.
            let gradient = self.place(own);
            let length = self.len(node + 1) as u32;
            let task = ActivateGradient {
                length,
                gradient,
                saved,
                activation,
                output: gradient,
                accumulate: 0,
            };
            self.push(Task::ActivationGradient(task))?;
            [saved, activation] = [NONE, 0];
        }
        let depthwise = is_depthwise(&shape);
        let count = weight_parts(&shape, self.rows, depthwise);
        let weight = self.tensor(node, ParameterRole::Weight)?;
        let parts = self.parts(&weight, count);
        let bias = self
            .layout
            .find(node, ParameterRole::Bias)
            .map(|range| self.parts(&range, count));
        let task = WeightGradient {
            shape,
            input: self.place(Item::Value(value)),
            gradient: self.place(own),
            saved,
            activation,
            parts: count,
            output: parts.first,
            output_stride: parts.stride,
            bias: bias.map_or(NONE, |parts| parts.first),
            bias_stride: bias.map_or(0, |parts| parts.stride),
        };
        if activation != 0 {
            self.slope(group);
        }
        self.push(match depthwise {
            true => Task::DepthwiseWeightGradient(task),
            false => Task::ProductWeightGradient(task),
        })?;
        if activation != 0 {
            self.slope(group);
        }
        let [output, accumulate] = self.input(value, gradients);
        if output == NONE {
            return Ok(());
        }
        let task = InputGradient {
            shape,
            gradient: self.place(own),
            saved,
            activation,
            weight: weight.start as u32,
            output,
            accumulate,
        };
        self.push(match depthwise {
            true => Task::DepthwiseInputGradient(task),
            false => Task::ProductInputGradient(task),
        })
    }
}
