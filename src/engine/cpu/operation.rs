//! What a step computes, with the sizes and the places of its numbers: from one group of layers to one step.

use super::affine::Affine;
use super::fusion::Group;
use super::parameters::Layout;
use super::plan::{Mode, Network, Step};
use crate::error::{Error, Result};
use crate::model::{self, Layer, ParameterRole, ResolvedNode, Window};
use crate::quant::Codes;
use assay_kernels::activation::Activation;
use assay_kernels::attention::Attention;
use assay_kernels::norm::batch;
use assay_kernels::pool::Pool;
use std::ops::Range;

/// Places and channels of a value: `[places][channels]`, the channels side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    /// Rows and columns of an image, or tokens; 1 for a list.
    pub(super) places: usize,
    /// Channels, or numbers of a token or a list.
    pub(super) channels: usize,
}

/// A batch norm's numbers in the parameters.
#[derive(Debug, Clone)]
pub(super) struct BatchNorm {
    /// What it multiplies with.
    pub(super) scale: Range<usize>,
    /// What it adds.
    pub(super) shift: Range<usize>,
    /// The running mean.
    pub(super) mean: Range<usize>,
    /// The running variance.
    pub(super) variance: Range<usize>,
    /// Added to a variance.
    pub(super) epsilon: f32,
    /// The share of the batch in the running statistics.
    pub(super) momentum: f32,
}

impl BatchNorm {
    /// The norm by its running statistics as a factor and an offset for each channel, in `numbers`.
    pub(super) fn fold<'a>(&self, parameters: &[f32], numbers: &'a mut [f32]) -> [&'a [f32]; 2] {
        let at = |range: &Range<usize>| &parameters[range.clone()];
        let (factor, offset) = numbers.split_at_mut(self.scale.len());
        let running = [at(&self.mean), at(&self.variance)];
        let own = [at(&self.scale), at(&self.shift)];
        batch::folded(running, own, self.epsilon, [&mut *factor, &mut *offset]);
        [factor, offset]
    }
}

/// What a step computes. Sizes are those of its input.
#[derive(Debug)]
pub(super) enum Operation {
    /// A linear layer or a convolution.
    Affine(Box<Affine>),
    /// The largest of each window.
    MaxPool(Pool),
    /// The mean of each window.
    AveragePool(Pool),
    /// The mean over all places.
    GlobalAveragePool(Sizes),
    /// Each channel by its statistics over a batch, or by the running ones.
    BatchNorm(Sizes, BatchNorm),
    /// Each place by its own statistics.
    LayerNorm {
        /// Of its input.
        sizes: Sizes,
        /// What it multiplies with.
        scale: Range<usize>,
        /// What it adds.
        shift: Range<usize>,
        /// Added to a variance.
        epsilon: f32,
    },
    /// Number by number.
    Activation(Activation),
    /// The sum of two values.
    Add,
    /// The learned positions of tokens are added.
    Positions(Range<usize>),
    /// Places and channels change places: so a flattened image has its channels first, and tokens become features.
    Transpose(Sizes),
    /// Softmax attention over tokens of queries, keys and values.
    Attention(Attention),
    /// Numbers are rounded as they will be in a stored model.
    Rounded(Codes),
    /// Some numbers become zero.
    Dropout {
        /// How many of them, in [0, 1).
        rate: f32,
    },
}

impl Operation {
    /// Whether its way back reads what it read.
    pub(super) const fn remembers_input(&self) -> bool {
        matches!(
            self,
            Self::Affine(_)
                | Self::MaxPool(_)
                | Self::BatchNorm(..)
                | Self::LayerNorm { .. }
                | Self::Activation(_)
                | Self::Attention(_)
                | Self::Rounded(_)
        )
    }

    /// Whether the gradient of what it read is that of what it wrote, perhaps changed number by number in its place.
    pub(super) const fn passes_gradient(&self) -> bool {
        matches!(
            self,
            Self::Activation(_)
                | Self::Add
                | Self::Positions(_)
                | Self::Dropout { .. }
                | Self::Rounded(_)
        )
    }

    /// Whether its way back writes the gradient of what it read even if nobody wants it.
    pub(super) const fn always_writes_gradient(&self) -> bool {
        matches!(self, Self::BatchNorm(..) | Self::LayerNorm { .. })
    }

    /// Numbers for each row that it leaves for its way back.
    pub(super) const fn saved_len(&self) -> usize {
        match self {
            Self::LayerNorm { sizes, .. } => 2 * sizes.places,
            Self::Attention(shape) => shape.probabilities_len(),
            _ => 0,
        }
    }

    /// Numbers of scratch that it wants in either direction.
    pub(super) fn scratch_len(&self) -> usize {
        match self {
            Self::Affine(affine) => affine.scratch_len(),
            Self::BatchNorm(sizes, _) => 3 * sizes.channels,
            Self::Attention(shape) => shape.scratch_len().max(shape.gradient_scratch_len()),
            _ => 0,
        }
    }

    /// Numbers that it keeps for all rows together: of a batch norm mean, variance and inverse deviation over a batch,
    /// or factor and offset for answers; the latter also where one is folded into a product.
    pub(super) fn statistics_len(&self, mode: Mode) -> usize {
        match self {
            Self::Affine(affine) if affine.folds() => 2 * affine.channels,
            Self::BatchNorm(sizes, _) if mode == Mode::Training => 3 * sizes.channels,
            Self::BatchNorm(sizes, _) => 2 * sizes.channels,
            _ => 0,
        }
    }
}

/// The kernel of an activation.
pub(super) const fn function(activation: model::Activation) -> Activation {
    match activation {
        model::Activation::Relu => Activation::Relu,
        model::Activation::Relu6 => Activation::Relu6,
        model::Activation::Hardswish => Activation::Hardswish,
        model::Activation::Silu => Activation::Silu,
        model::Activation::Tanh => Activation::Tanh,
        model::Activation::Gelu => Activation::Gelu,
    }
}

fn pool(resolved: &ResolvedNode, window: Window) -> Pool {
    let size = |index: usize| resolved.input().get(index).map_or(1, |&size| size as usize);
    Pool {
        channels: size(0),
        height: size(1),
        width: size(2),
        size: window.size.map(|size| size as usize),
        stride: window.stride.map(|stride| stride as usize),
        padding: window.padding.map(|padding| padding as usize),
    }
}

/// The step of a group.
///
/// # Errors
/// [`Error::BadInput`] where a layer lacks a tensor.
pub(super) fn step(network: &Network<'_>, group: Group, layout: &Layout) -> Result<Step> {
    let first = group.members[0];
    let last = group.members[group.members.len() - 1];
    let resolved = &network.nodes[first];
    let node = &network.graph.nodes[first];
    let find = |at: usize, role| {
        layout.find(at, role).ok_or_else(|| {
            Error::bad_input(
                format!("layer {:?}", network.graph.nodes[at].name),
                format!("a tensor for its {role:?}"),
                "none",
            )
        })
    };
    let batch_norm = |at: usize, epsilon: f32, momentum: f32| {
        Ok::<_, Error>(BatchNorm {
            scale: find(at, ParameterRole::Scale)?,
            shift: find(at, ParameterRole::Shift)?,
            mean: find(at, ParameterRole::RunningMean)?,
            variance: find(at, ParameterRole::RunningVariance)?,
            epsilon,
            momentum,
        })
    };
    let sizes = sizes(resolved.input());
    let operation = match node.layer {
        Layer::Linear { .. } | Layer::Convolution(_) => {
            let folded = match group.folded.map(|at| (at, network.graph.nodes[at].layer)) {
                Some((at, Layer::BatchNorm { epsilon, momentum })) => {
                    Some(batch_norm(at, epsilon, momentum)?)
                }
                _ => None,
            };
            Operation::Affine(Box::new(Affine::new(
                node.layer,
                resolved,
                find(first, ParameterRole::Weight)?,
                layout.find(first, ParameterRole::Bias),
                folded,
            )))
        }
        Layer::MaxPool(window) => Operation::MaxPool(pool(resolved, window)),
        Layer::AveragePool(window) => Operation::AveragePool(pool(resolved, window)),
        Layer::GlobalAveragePool => Operation::GlobalAveragePool(sizes),
        Layer::BatchNorm { epsilon, momentum } => {
            Operation::BatchNorm(sizes, batch_norm(first, epsilon, momentum)?)
        }
        Layer::LayerNorm { epsilon } => Operation::LayerNorm {
            sizes,
            scale: find(first, ParameterRole::Scale)?,
            shift: find(first, ParameterRole::Shift)?,
            epsilon,
        },
        Layer::Activation(activation) => Operation::Activation(function(activation)),
        Layer::Add => Operation::Add,
        Layer::Tokens { .. } => Operation::Positions(find(first, ParameterRole::Positions)?),
        Layer::Flatten | Layer::Transpose => Operation::Transpose(sizes),
        Layer::Attention { heads } => Operation::Attention(Attention {
            tokens: sizes.places,
            width: sizes.channels / 3,
            heads: heads as usize,
        }),
        Layer::Dropout { rate } => Operation::Dropout { rate },
    };
    Ok(Step {
        operation,
        node: first,
        inputs: network.inputs(first),
        residual: group.residual,
        activation: group.activation.map(function),
        output: last + 1,
    })
}

/// The places and channels of a shape.
pub(super) fn sizes(shape: &[u32]) -> Sizes {
    let [places, channels] = match *shape {
        [channels, height, width] => [height as usize * width as usize, channels as usize],
        [places, channels] => [places as usize, channels as usize],
        _ => [1, shape.iter().map(|&size| size as usize).product()],
    };
    Sizes { places, channels }
}
