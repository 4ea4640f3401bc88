//! The way there: the dispatches of each group of layers.

use super::division::statistics_parts;
use super::places::Item;
use super::{Builder, from_output, number};
use crate::engine::cpu::fusion::Group;
use crate::engine::cpu::plan::{Mode, sizes};
use crate::engine::gpu::kernels::Task;
use crate::engine::gpu::kernels::grid::WIDEST_HEAD;
use crate::engine::gpu::kernels::task::{
    Activate, Add, Attention, Dropout, Forward, LayerNorm, NONE, Normalize, Pool, Positions, Shape,
    Statistics, Transpose, Window,
};
use crate::error::{Error, Result};
use crate::model::{self, Layer, ParameterRole, ResolvedNode};

/// Rows of a linear layer at most for which each is computed by itself: the smallest tile has sixteen.
const FEW_ROWS: u64 = 4;

impl Builder<'_> {
    pub(super) fn forward(&mut self, step: usize, group: &Group) -> Result<()> {
        let node = group.members[0];
        let last = group.members[group.members.len() - 1];
        let inputs = self.network.inputs(node);
        let resolved = &self.network.nodes[node];
        let layer = self.network.graph.nodes[node].layer;
        let (length, places) = sizes(resolved.input());
        let (length, places) = (length as u32, places as u32);
        let channels = length / places;
        let trains = self.mode == Mode::Training;
        let input = self.place(Item::Value(inputs[0]));
        let residual = match group.residual {
            Some(value) => self.place(Item::Value(value)),
            None => NONE,
        };
        let kept = match group.activation {
            Some(function) if trains && !from_output(function) => self.place(Item::Kept(last)),
            _ => NONE,
        };
        let output = self.place(Item::Value(last + 1));
        let activation = group.activation.map_or(0, number);
        let task = match layer {
            Layer::Linear { .. } | Layer::Convolution(_) => {
                let folded = |role| match group.folded {
                    Some(norm) => self.weight(norm, role),
                    None => Ok(NONE),
                };
                let task = Forward {
                    shape: shape(layer, resolved),
                    input,
                    weight: self.weight(node, ParameterRole::Weight)?,
                    bias: match self.layout.find(node, ParameterRole::Bias) {
                        Some(_) => self.weight(node, ParameterRole::Bias)?,
                        None => NONE,
                    },
                    residual,
                    output,
                    kept,
                    activation,
                    norm_scale: folded(ParameterRole::Scale)?,
                    norm_shift: folded(ParameterRole::Shift)?,
                    norm_mean: folded(ParameterRole::RunningMean)?,
                    norm_variance: folded(ParameterRole::RunningVariance)?,
                    epsilon: group
                        .folded
                        .map_or(0.0, |norm| epsilon(self.network.graph.nodes[norm].layer)),
                    factor: self.ground.halves.map_or(1.0, |halves| halves.factor),
                };
                let few = task.shape.is_linear()
                    && u64::from(self.rows) * task.shape.places() <= FEW_ROWS;
                match (is_depthwise(&task.shape), task.shape.is_in_quads()) {
                    _ if few => Task::LinearRow(task),
                    (true, _) => Task::Depthwise(task),
                    (false, true) => Task::ProductQuads(task),
                    (false, false) => Task::Product(task),
                }
            }
            Layer::BatchNorm { epsilon, momentum } => {
                let parts = statistics_parts(self.rows, places);
                let mut partial = NONE;
                let mut statistics = NONE;
                let mut running = [NONE, 0];
                if trains {
                    partial = self.sized(Item::Partial(step), u64::from(2 * parts * channels));
                    let task = Statistics {
                        channels,
                        places,
                        parts,
                        input,
                        output: partial,
                    };
                    self.push(Task::BatchNormStatistics(task))?;
                    partial = self.sized(Item::Partial(step), 0);
                    for value in [Some(inputs[0]), group.residual, Some(last + 1)]
                        .into_iter()
                        .flatten()
                    {
                        self.place(Item::Value(value));
                    }
                    if kept != NONE {
                        self.place(Item::Kept(last));
                    }
                    statistics = self.sized(Item::Statistics(node), u64::from(2 * channels));
                    let mean = self.tensor(node, ParameterRole::RunningMean)?;
                    let variance = self.tensor(node, ParameterRole::RunningVariance)?;
                    let places = [self.parts(&mean, 1).first, self.parts(&variance, 1).first];
                    running = [places[0], places[1].wrapping_sub(places[0])];
                }
                Task::BatchNormNormalize(Normalize {
                    channels,
                    places,
                    parts,
                    input,
                    partial,
                    statistics,
                    running: running[0],
                    running_stride: running[1],
                    scale: self.weight(node, ParameterRole::Scale)?,
                    shift: self.weight(node, ParameterRole::Shift)?,
                    mean: self.weight(node, ParameterRole::RunningMean)?,
                    variance: self.weight(node, ParameterRole::RunningVariance)?,
                    epsilon,
                    momentum,
                    residual,
                    output,
                    kept,
                    activation,
                })
            }
            Layer::MaxPool(size) => Task::MaxPool(Pool {
                window: window(resolved, Some(size)),
                input,
                output,
            }),
            Layer::AveragePool(size) => Task::AveragePool(Pool {
                window: window(resolved, Some(size)),
                input,
                output,
            }),
            Layer::GlobalAveragePool => Task::AveragePool(Pool {
                window: window(resolved, None),
                input,
                output,
            }),
            Layer::LayerNorm { epsilon } => {
                let statistics = match trains {
                    true => self.sized(
                        Item::Statistics(node),
                        2 * u64::from(places) * u64::from(self.rows),
                    ),
                    false => NONE,
                };
                Task::LayerNorm(LayerNorm {
                    channels,
                    places,
                    input,
                    scale: self.weight(node, ParameterRole::Scale)?,
                    shift: self.weight(node, ParameterRole::Shift)?,
                    epsilon,
                    output,
                    statistics,
                })
            }
            Layer::Activation(function) => Task::Activation(Activate {
                length,
                input,
                output,
                activation: number(function),
            }),
            Layer::Add => {
                let right = self.place(Item::Value(inputs[1]));
                Task::Add(Add {
                    length,
                    left: input,
                    right,
                    output,
                    kept: NONE,
                    activation: 0,
                })
            }
            Layer::Tokens { .. } => {
                let positions = self.weight(node, ParameterRole::Positions)?;
                Task::Positions(Positions {
                    length,
                    input,
                    positions,
                    output,
                })
            }
            Layer::Flatten | Layer::Transpose => Task::Transpose(Transpose {
                height: places,
                width: channels,
                input,
                output,
                accumulate: 0,
            }),
            Layer::Attention { heads } => {
                let width = channels / 3;
                if width / heads > WIDEST_HEAD {
                    return Err(Error::Unsupported {
                        feature: format!("a head of {} numbers on the GPU", width / heads),
                        why: format!(
                            "at most {WIDEST_HEAD} fit into a workgroup; the CPU engine has no limit"
                        ),
                    });
                }
                let count = 2 * u64::from(heads * places) * u64::from(self.rows);
                let statistics = match trains {
                    true => self.sized(Item::Statistics(node), count),
                    false => NONE,
                };
                Task::Attention(Attention {
                    tokens: places,
                    width,
                    heads,
                    factor: factor(width, heads),
                    input,
                    output,
                    statistics,
                })
            }
            Layer::Dropout { rate } => {
                Task::Dropout(dropout(node, rate, length, [input, output, 0]))
            }
        };
        self.push(task)
    }
}

/// A dropout of a node, as the CPU's: from where, to where, and whether it is added there.
pub(super) fn dropout(
    node: usize,
    rate: f32,
    length: u32,
    [input, output, accumulate]: [u32; 3],
) -> Dropout {
    Dropout {
        length,
        input,
        output,
        node: node as u32,
        limit: (f64::from(rate) * 4_294_967_296.0).round() as u32,
        factor: 1.0 / (1.0 - rate),
        accumulate,
    }
}

/// What scores are multiplied by.
pub(super) fn factor(width: u32, heads: u32) -> f32 {
    1.0 / ((width / heads) as f32).sqrt()
}

const fn epsilon(layer: Layer) -> f32 {
    match layer {
        Layer::BatchNorm { epsilon, .. } => epsilon,
        _ => 0.0,
    }
}

/// Whether a convolution has a kernel for each channel.
pub(super) const fn is_depthwise(shape: &Shape) -> bool {
    shape.groups > 1 && shape.groups == shape.planes && shape.groups == shape.channels
}

fn size(shape: &[u32], index: usize) -> u32 {
    shape.get(index).copied().unwrap_or(1)
}

/// A convolution's sizes, or a linear layer's as one of 1×1 over its tokens.
pub(super) fn shape(layer: Layer, resolved: &ResolvedNode) -> Shape {
    let (input, output) = (resolved.input(), resolved.output.as_slice());
    if let Layer::Convolution(of) = layer {
        return Shape {
            height: size(input, 1),
            width: size(input, 2),
            planes: size(input, 0),
            out_height: size(output, 1),
            out_width: size(output, 2),
            channels: of.channels,
            size_y: of.kernel[0],
            size_x: of.kernel[1],
            stride_y: of.stride[0],
            stride_x: of.stride[1],
            top: of.padding[0],
            left: of.padding[1],
            groups: of.groups,
        };
    }
    let per_place = |shape: &[u32]| {
        let (len, places) = sizes(shape);
        [places as u32, (len / places) as u32]
    };
    let ([tokens, planes], [_, channels]) = (per_place(input), per_place(output));
    Shape {
        height: 1,
        width: tokens,
        planes,
        out_height: 1,
        out_width: tokens,
        channels,
        size_y: 1,
        size_x: 1,
        stride_y: 1,
        stride_x: 1,
        top: 0,
        left: 0,
        groups: 1,
    }
}

/// A pooling's sizes; without a window it is over all places.
pub(super) fn window(resolved: &ResolvedNode, of: Option<model::Window>) -> Window {
    let (input, output) = (resolved.input(), resolved.output.as_slice());
    let Some(of) = of else {
        let (len, places) = sizes(input);
        let (places, channels) = (places as u32, (len / places) as u32);
        return Window {
            height: places,
            width: 1,
            channels,
            out_height: 1,
            out_width: 1,
            size_y: places,
            size_x: 1,
            stride_y: 1,
            stride_x: 1,
            top: 0,
            left: 0,
        };
    };
    Window {
        height: size(input, 1),
        width: size(input, 2),
        channels: size(input, 0),
        out_height: size(output, 1),
        out_width: size(output, 2),
        size_y: of.size[0],
        size_x: of.size[1],
        stride_y: of.stride[0],
        stride_x: of.stride[1],
        top: of.padding[0],
        left: of.padding[1],
    }
}
