//! The operations that a layer graph is made of, by name and in words; shapes are the graph's.

use crate::error::{Error, Result};

/// What a layer does to each number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `x` where `x > 0`, else 0; a comparison, so NaN gives 0.
    Relu,
    /// Hyperbolic tangent.
    Tanh,
    /// `x·Φ(x)` with the normal distribution function Φ by `erf` (Hendrycks and Gimpel 2016, arXiv 1606.08415).
    Gelu,
}

impl Activation {
    /// By its name in a recipe.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for another name.
    pub fn from_name(name: &str) -> Result<Self> {
        match name {
            "relu" => Ok(Self::Relu),
            "tanh" => Ok(Self::Tanh),
            "gelu" => Ok(Self::Gelu),
            other => Err(Error::Unsupported {
                feature: format!("the activation {other:?}"),
                why: "this version has relu, tanh and gelu".into(),
            }),
        }
    }

    /// Its name in a recipe.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::Tanh => "tanh",
            Self::Gelu => "gelu",
        }
    }
}

/// One operation. Shapes are of one row, without the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// `[channels, height, width]` to `[features]`, in that order.
    Flatten,
    /// `[features]` to `[units]`: `y = W·x + b` with `weight` `[units, features]` and `bias` `[units]`.
    Linear {
        /// Numbers it gives.
        units: u32,
    },
    /// `[in, height, width]` to `[channels, height, width]`: a cross-correlation with stride 1 and zeros around, with
    /// `weight` `[channels, in, kernel, kernel]` and `bias` `[channels]`.
    Convolution {
        /// Channels it gives.
        channels: u32,
        /// Side of its square kernels, odd.
        kernel: u32,
    },
    /// The largest of each 2×2 window, stride 2; an odd last row or column is left out.
    MaxPool,
    /// The same function on each number.
    Activation(Activation),
}

impl Layer {
    /// What it is, in words: `convolution 3×3`.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Flatten => "flatten".into(),
            Self::Linear { .. } => "linear".into(),
            Self::Convolution { kernel, .. } => format!("convolution {kernel}×{kernel}"),
            Self::MaxPool => "max-pool 2×2".into(),
            Self::Activation(activation) => activation.name().into(),
        }
    }
}
