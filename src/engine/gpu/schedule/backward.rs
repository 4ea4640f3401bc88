//! The way back: the dispatches of each group's gradient, last group first; nobody computes what nobody asked for.
//!
//! A group's gradient is that of what its activation was given. Whoever adds the last part to it multiplies it by the
//! slope while it is at hand, so that nobody who reads the gradient has to; who cannot leaves that to a dispatch of its own.

use super::Builder;
use super::division::{MOST_PARTS, statistics_parts, weight_parts};
use super::forward::{factor, is_depthwise, shape, window};
use super::gradients::{Gradients, To};
use super::places::Item;
use crate::engine::cpu::fusion::Group;
use crate::engine::cpu::plan::sizes;
use crate::engine::gpu::kernels::Task;
use crate::engine::gpu::kernels::task::{
    AttentionGradient, AverageGradient, InputGradient, LayerNormGradient, MaxGradient, NONE,
    NormGradient, NormSums, PositionsGradient, Transpose, WeightGradient,
};
use crate::error::Result;
use crate::model::{Layer, ParameterRole};

impl Builder<'_> {
    pub(super) fn backward(&mut self, groups: &[Group]) -> Result<()> {
        let mut gradients = self.gradients(groups);
        for (step, group) in groups.iter().enumerate().rev() {
            let output = group.members[group.members.len() - 1] + 1;
            if let Some(own) = gradients.at[output].take() {
                self.slope_of(output, own, &gradients)?;
                self.back(step, group, own, &mut gradients)?;
            }
        }
        Ok(())
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
                let task = NormSums {
                    channels,
                    places,
                    parts,
                    input: self.place(Item::Value(value)),
                    gradient,
                    statistics: self.sized(Item::Statistics(node), 0),
                    output: self.sized(
                        Item::Partial(usize::MAX - step),
                        u64::from(2 * parts * channels),
                    ),
                };
                self.push(Task::BatchNormSums(task))?;
                let [scale, shift] = self.scale_and_shift(node)?;
                let To {
                    output, accumulate, ..
                } = self.input(value, false, gradients);
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
                let To {
                    output, accumulate, ..
                } = self.input(value, false, gradients);
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
                let slopes = matches!(
                    layer,
                    Layer::MaxPool(_) | Layer::AveragePool(_) | Layer::GlobalAveragePool
                );
                let To {
                    output,
                    accumulate,
                    saved,
                    activation,
                } = self.input(value, slopes, gradients);
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
                        saved,
                        activation,
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
                            saved,
                            activation,
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
        let depthwise = is_depthwise(&shape);
        let count = weight_parts(self.ground.device, &shape, self.rows, depthwise);
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
            parts: count,
            output: parts.first,
            output_stride: parts.stride,
            bias: bias.map_or(NONE, |parts| parts.first),
            bias_stride: bias.map_or(0, |parts| parts.stride),
        };
        let quads = shape.is_in_quads();
        self.push(match (depthwise, quads) {
            (true, _) => Task::DepthwiseWeightGradient(task),
            (false, true) => Task::ProductWeightGradientQuads(task),
            (false, false) => Task::ProductWeightGradient(task),
        })?;
        let to = self.input(value, true, gradients);
        if to.output == NONE {
            return Ok(());
        }
        let task = InputGradient {
            shape,
            gradient: self.place(own),
            weight: weight.start as u32,
            output: to.output,
            accumulate: to.accumulate,
            saved: to.saved,
            activation: to.activation,
        };
        self.push(match (depthwise, quads) {
            (true, _) => Task::DepthwiseInputGradient(task),
            (false, true) => Task::ProductInputGradientQuads(task),
            (false, false) => Task::ProductInputGradient(task),
        })
    }
}
