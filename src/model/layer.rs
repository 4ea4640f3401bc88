//! The operations that a layer graph is made of, by name and in words; shapes are the graph's.

use crate::error::{Error, Result};

/// What a layer does to each number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `x` where `x > 0`, else 0; a comparison, so NaN gives 0.
    Relu,
    /// `min(max(x, 0), 6)` (Howard et al. 2017, arXiv 1704.04861, in its published models).
    Relu6,
    /// `x·relu6(x + 3) / 6` (Howard et al. 2019, arXiv 1905.02244, section 5.2).
    Hardswish,
    /// `x / (1 + exp(−x))` (Elfwing, Uchibe and Doya 2017, arXiv 1702.03118).
    Silu,
    /// Hyperbolic tangent.
    Tanh,
    /// `x·Φ(x)` with the normal distribution function Φ by `erf` (Hendrycks and Gimpel 2016, arXiv 1606.08415).
    Gelu,
}

impl Activation {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::Relu,
        Self::Relu6,
        Self::Hardswish,
        Self::Silu,
        Self::Tanh,
        Self::Gelu,
    ];

    /// By its name in a recipe or a graph.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for another name.
    pub fn from_name(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|known| known.name() == name);
        known.ok_or_else(|| Error::Unsupported {
            feature: format!("the activation {name:?}"),
            why: "this version has relu, relu6, hardswish, silu, tanh and gelu".into(),
        })
    }

    /// Its name in a recipe or a graph.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::Relu6 => "relu6",
            Self::Hardswish => "hardswish",
            Self::Silu => "silu",
            Self::Tanh => "tanh",
            Self::Gelu => "gelu",
        }
    }

    /// Whether it lets about half of its input through, so that He's first values suit what comes before it.
    #[must_use]
    pub const fn rectifies(self) -> bool {
        !matches!(self, Self::Tanh)
    }
}

/// A cross-correlation of planes with small kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Convolution {
    /// Channels it gives.
    pub channels: u32,
    /// Rows and columns of a kernel.
    pub kernel: [u32; 2],
    /// How far the kernel moves, down and to the right.
    pub stride: [u32; 2],
    /// Zeros at the top, left, bottom and right; each less than the kernel there.
    pub padding: [u32; 4],
    /// How many groups of channels are kept apart: each output sees `in / groups` channels. As many as channels: depthwise.
    pub groups: u32,
    /// Whether a bias is added.
    pub bias: bool,
}

impl Convolution {
    /// A square kernel of odd side, stride 1, zeros around so that the size stays, one group, with bias.
    #[must_use]
    pub const fn same(channels: u32, kernel: u32) -> Self {
        let around = kernel / 2;
        Self {
            channels,
            kernel: [kernel; 2],
            stride: [1; 2],
            padding: [around; 4],
            groups: 1,
            bias: true,
        }
    }
}

/// A window that moves over planes, for pooling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its rows and columns.
    pub size: [u32; 2],
    /// How far it moves, down and to the right.
    pub stride: [u32; 2],
    /// Cells outside the image at the top, left, bottom and right; each less than the window there.
    pub padding: [u32; 4],
}

impl Window {
    /// A window that moves by its own size, without padding; a rest at the right or bottom is left out.
    #[must_use]
    pub const fn tiling(size: [u32; 2]) -> Self {
        Self {
            size,
            stride: size,
            padding: [0; 4],
        }
    }
}

/// One operation. Shapes are of one row, without the batch: images `[channels, height, width]`, tokens
/// `[tokens, features]`, lists `[features]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Layer {
    /// Any shape to `[features]`, in the order of its dimensions.
    Flatten,
    /// `[features]` to `[units]`, or each of `[tokens, features]` to `[tokens, units]`: `y = W·x + b` with `weight`
    /// `[units, features]` and, if asked for, `bias` `[units]`.
    Linear {
        /// Numbers it gives.
        units: u32,
        /// Whether a bias is added.
        bias: bool,
    },
    /// `[in, height, width]` to `[channels, …, …]` with `weight` `[channels, in / groups, rows, columns]` and, if asked
    /// for, `bias` `[channels]`.
    Convolution(Convolution),
    /// The largest of each window, per channel. Padding never wins; the first of equals takes the gradient.
    MaxPool(Window),
    /// The mean of each window over its cells inside the image, per channel.
    AveragePool(Window),
    /// `[channels, height, width]` to the mean of each channel; `[tokens, features]` to the mean token.
    GlobalAveragePool,
    /// Per channel of `[channels, height, width]`, or per number of `[features]`: minus mean, over deviation, times
    /// `weight`, plus `bias` (Ioffe and Szegedy 2015, arXiv 1502.03167). In training mean and biased variance are the
    /// batch's, and `running_mean` and `running_var` move by `momentum` to its mean and unbiased variance; else they are used.
    BatchNorm {
        /// Is added to the variance.
        epsilon: f32,
        /// How far the running numbers move in a step, in (0, 1].
        momentum: f32,
    },
    /// The same over the numbers of `[features]`, of each token, or over the channels at each place of an image, in
    /// training and after (Ba, Kiros and Hinton 2016, arXiv 1607.06450); with `weight` and `bias`.
    LayerNorm {
        /// Is added to the variance.
        epsilon: f32,
    },
    /// The same function on each number.
    Activation(Activation),
    /// The sum of two inputs of one shape.
    Add,
    /// `[channels, height, width]` to `[height·width, channels]`, place by place in row-major order; if asked for, plus
    /// the learned `positions` `[height·width, channels]`.
    Tokens {
        /// Whether positions are added.
        positions: bool,
    },
    /// `[a, b]` to `[b, a]`.
    Transpose,
    /// `[tokens, 3·features]` (queries, keys, values one after another) to `[tokens, features]`: per head
    /// `softmax(q·kᵀ / √(features / heads))·v` (Vaswani et al. 2017, arXiv 1706.03762).
    Attention {
        /// Parts that the features are split into; each attends by itself.
        heads: u32,
    },
    /// In training each number becomes 0 at this rate, and the others are divided by `1 − rate` (Srivastava et al. 2014,
    /// JMLR 15:1929, scaled in training instead of after it).
    Dropout {
        /// In [0, 1).
        rate: f32,
    },
}

/// Added to a variance by the norms where nothing else is said, as PyTorch does.
pub const NORM_EPSILON: f32 = 1e-5;
/// How far running numbers move in a step where nothing else is said, as PyTorch does.
pub const NORM_MOMENTUM: f32 = 0.1;

impl Layer {
    /// A linear layer with bias.
    #[must_use]
    pub const fn linear(units: u32) -> Self {
        Self::Linear { units, bias: true }
    }

    /// A convolution as [`Convolution::same`].
    #[must_use]
    pub const fn convolution(channels: u32, kernel: u32) -> Self {
        Self::Convolution(Convolution::same(channels, kernel))
    }

    /// Batch norm with the usual numbers.
    #[must_use]
    pub const fn batch_norm() -> Self {
        Self::BatchNorm {
            epsilon: NORM_EPSILON,
            momentum: NORM_MOMENTUM,
        }
    }

    /// Layer norm with the usual number.
    #[must_use]
    pub const fn layer_norm() -> Self {
        Self::LayerNorm {
            epsilon: NORM_EPSILON,
        }
    }

    /// How many inputs it reads.
    #[must_use]
    pub const fn arity(self) -> usize {
        match self {
            Self::Add => 2,
            _ => 1,
        }
    }

    /// What it is, in words: `convolution 3×3`.
    #[must_use]
    pub fn words(self) -> String {
        let sides = |[rows, columns]: [u32; 2]| format!("{rows}×{columns}");
        match self {
            Self::Flatten => "flatten".into(),
            Self::Linear { .. } => "linear".into(),
            Self::Convolution(Convolution { kernel, groups, .. }) => match groups {
                1 => format!("convolution {}", sides(kernel)),
                _ => format!("convolution {} in {groups} groups", sides(kernel)),
            },
            Self::MaxPool(window) => format!("max-pool {}", sides(window.size)),
            Self::AveragePool(window) => format!("average-pool {}", sides(window.size)),
            Self::GlobalAveragePool => "global average".into(),
            Self::BatchNorm { .. } => "batch norm".into(),
            Self::LayerNorm { .. } => "layer norm".into(),
            Self::Activation(activation) => activation.name().into(),
            Self::Add => "add".into(),
            Self::Tokens { positions: true } => "tokens with positions".into(),
            Self::Tokens { positions: false } => "tokens".into(),
            Self::Transpose => "transpose".into(),
            Self::Attention { heads } => format!("attention, {heads} heads"),
            Self::Dropout { .. } => "dropout".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_are_found_by_their_names() {
        for activation in Activation::ALL {
            assert_eq!(Activation::from_name(activation.name()), Ok(activation));
        }
        let error = Activation::from_name("swish").expect_err("unknown");
        assert!(error.to_string().contains("relu6, hardswish, silu"));
    }

    #[test]
    fn words_tell_apart_what_a_table_shows() {
        assert_eq!(Layer::convolution(8, 3).words(), "convolution 3×3");
        let depthwise = Convolution {
            groups: 8,
            kernel: [1, 5],
            ..Convolution::same(8, 3)
        };
        let words = Layer::Convolution(depthwise).words();
        assert_eq!(words, "convolution 1×5 in 8 groups");
        assert_eq!(
            Layer::MaxPool(Window::tiling([2, 2])).words(),
            "max-pool 2×2"
        );
    }
}
