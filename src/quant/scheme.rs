//! The schemes by name, and how many bytes a tensor has in each; it moves no numbers and decides for no layer.

use crate::error::{Error, Result};
use crate::model::Parameter;

/// Numbers that share one scale in ggml's plain blocks, and at most in the groups of `int4` and `ternary`.
pub const BLOCK: u64 = 32;
/// Numbers of a block of ggml's K types.
pub const SUPER_BLOCK: u64 = 256;

/// A form in which a tensor's numbers are stored and, for the last two, computed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary16, rounded to nearest, ties to even.
    F16,
    /// Integers of 8 bits with one f32 scale for the tensor.
    Int8WeightsTensor,
    /// Integers of 8 bits with one f32 scale for each output.
    Int8Weights,
    /// Groups of at most 32 along an output's weights: one f16 scale and integers from −7 to 7.
    Int4,
    /// The same with one f16 scale, one f16 smallest number and integers from 0 to 15.
    Int4Asymmetric,
    /// The same with one f16 number and a sign or zero for each weight, in 2 bits.
    Ternary,
    /// Blocks of 32: one f16 scale and 32 integers of 8 bits (ggml's `block_q8_0`, 34 bytes).
    Q8_0,
    /// Blocks of 32: one f16 scale and 32 integers of 4 bits (ggml's `block_q4_0`, 18 bytes).
    Q4_0,
    /// Blocks of 32: f16 scale and smallest number, 32 integers of 4 bits (`block_q4_1`, 20 bytes).
    Q4_1,
    /// Blocks of 32: one f16 scale and 32 integers of 5 bits (`block_q5_0`, 22 bytes).
    Q5_0,
    /// Blocks of 32: f16 scale and smallest number, 32 integers of 5 bits (`block_q5_1`, 24 bytes).
    Q5_1,
    /// Blocks of 256: eight parts with scales and smallest numbers of 6 bits, integers of 4 bits (`block_q4_K`, 144 bytes).
    Q4K,
    /// Blocks of 256: sixteen parts with scales of 8 bits, integers of 6 bits (`block_q6_K`, 210 bytes).
    Q6K,
    /// As [`Self::Int8Weights`], and activations of 8 bits whose steps were calibrated: all in integers.
    Int8,
    /// As [`Self::Int8Weights`], and each row's activations in 8 bits with a step of their own.
    Int8Dynamic,
}

impl Scheme {
    /// Every one, with its name in a recipe.
    pub const ALL: [(Self, &'static str); 16] = [
        (Self::F32, "f32"),
        (Self::F16, "f16"),
        (Self::Int8Weights, "int8-weights"),
        (Self::Int8WeightsTensor, "int8-weights-tensor"),
        (Self::Int4, "int4"),
        (Self::Int4Asymmetric, "int4-asymmetric"),
        (Self::Ternary, "ternary"),
        (Self::Q8_0, "Q8_0"),
        (Self::Q6K, "Q6_K"),
        (Self::Q5_1, "Q5_1"),
        (Self::Q5_0, "Q5_0"),
        (Self::Q4_1, "Q4_1"),
        (Self::Q4_0, "Q4_0"),
        (Self::Q4K, "Q4_K"),
        (Self::Int8, "int8"),
        (Self::Int8Dynamic, "int8-dynamic"),
    ];

    /// By its name in a recipe.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for another name.
    pub fn from_name(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|(_, known)| *known == name);
        known.map(|(scheme, _)| scheme).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|(_, name)| *name).collect();
            Error::Unsupported {
                feature: format!("the quantization scheme {name:?}"),
                why: format!("this version has {}", names.join(", ")),
            }
        })
    }

    /// Its name in a recipe.
    #[must_use]
    pub fn name(self) -> &'static str {
        let mut all = Self::ALL.into_iter();
        all.find(|(scheme, _)| *scheme == self)
            .map_or("", |(_, name)| name)
    }

    /// Whether products are computed in integers.
    #[must_use]
    pub const fn is_integer(self) -> bool {
        matches!(self, Self::Int8 | Self::Int8Dynamic)
    }

    /// The scheme that rounds weights alike and no values.
    #[must_use]
    pub const fn of_weights(self) -> Self {
        if self.is_integer() {
            Self::Int8Weights
        } else {
            self
        }
    }

    /// Numbers of a block and its bytes, where it is one of ggml's: each output's weights are filled up to whole blocks.
    #[must_use]
    pub const fn block(self) -> Option<(u64, u64)> {
        match self {
            Self::Q8_0 => Some((BLOCK, 34)),
            Self::Q4_0 => Some((BLOCK, 18)),
            Self::Q4_1 => Some((BLOCK, 20)),
            Self::Q5_0 => Some((BLOCK, 22)),
            Self::Q5_1 => Some((BLOCK, 24)),
            Self::Q4K => Some((SUPER_BLOCK, 144)),
            Self::Q6K => Some((SUPER_BLOCK, 210)),
            _ => None,
        }
    }

    /// Bytes of a tensor, what fills it up included.
    #[must_use]
    pub const fn bytes(self, Extent { outputs, inner }: Extent) -> u64 {
        let count = outputs * inner;
        if let Some((numbers, bytes)) = self.block() {
            return outputs * inner.div_ceil(numbers) * bytes;
        }
        let groups = inner.div_ceil(BLOCK);
        match self {
            Self::F16 => count * 2,
            Self::Int8WeightsTensor => 4 + count,
            Self::Int8Weights | Self::Int8 | Self::Int8Dynamic => outputs * (4 + inner),
            Self::Int4 => outputs * (groups * 2 + inner.div_ceil(2)),
            Self::Int4Asymmetric => outputs * (groups * 4 + inner.div_ceil(2)),
            Self::Ternary => outputs * (groups * 2 + inner.div_ceil(4)),
            _ => count * 4,
        }
    }
}

/// How a tensor's numbers are divided: so many outputs of so many weights, the weights of one output side by side. A
/// convolution's kernels count as `[out, in·k·k]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Outputs.
    pub outputs: u64,
    /// Weights of each.
    pub inner: u64,
}

impl Extent {
    /// Of a tensor; a list counts as outputs of one number.
    #[must_use]
    pub fn of(parameter: &Parameter) -> Self {
        Self::of_shape(&parameter.shape)
    }

    /// Of a tensor's shape, outermost dimension first.
    #[must_use]
    pub(crate) fn of_shape(shape: &[u32]) -> Self {
        let count: u64 = shape.iter().map(|&size| u64::from(size)).product();
        let outputs = u64::from(shape.first().copied().unwrap_or(1)).max(1);
        Self {
            outputs,
            inner: count / outputs,
        }
    }
}
