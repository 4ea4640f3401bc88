//! The schemes by name, which of them a tensor can take, and how many bytes that costs; it moves no numbers.

use crate::error::{Error, Result};
use crate::model::{Parameter, ParameterRole};

/// Numbers that share one scale in `Q8_0` and `Q4_0`.
pub const BLOCK: u64 = 32;

/// A form in which a tensor's numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary16, rounded to nearest, ties to even.
    F16,
    /// Blocks of 32: one f16 scale and 32 integers of 8 bits (ggml's `block_q8_0`, 34 bytes).
    Q8_0,
    /// Blocks of 32: one f16 scale and 32 integers of 4 bits (ggml's `block_q4_0`, 18 bytes).
    Q4_0,
}

impl Scheme {
    /// By its name in a recipe.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for another name.
    pub fn from_name(name: &str) -> Result<Self> {
        match name {
            "f32" => Ok(Self::F32),
            "f16" => Ok(Self::F16),
            "Q8_0" => Ok(Self::Q8_0),
            "Q4_0" => Ok(Self::Q4_0),
            other => Err(Error::Unsupported {
                feature: format!("the quantization scheme {other:?}"),
                why: "this version has f32, f16, Q8_0 and Q4_0".into(),
            }),
        }
    }

    /// Its name in a recipe.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Q8_0 => "Q8_0",
            Self::Q4_0 => "Q4_0",
        }
    }

    /// Bytes of so many numbers; for block schemes a multiple of [`BLOCK`].
    #[must_use]
    pub const fn bytes(self, count: u64) -> u64 {
        match self {
            Self::F32 => count * 4,
            Self::F16 => count * 2,
            Self::Q8_0 => count / BLOCK * 34,
            Self::Q4_0 => count / BLOCK * 18,
        }
    }
}

/// What a tensor can be stored in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The scheme that it takes.
    pub scheme: Scheme,
    /// Why that is not the one asked for, or empty.
    pub reason: String,
    /// Its bytes.
    pub bytes: u64,
}

/// What a tensor is stored in when `scheme` is asked for: only weights take it, all else stays f32, and so do weights
/// whose number per output is no multiple of [`BLOCK`] where the scheme has blocks (a convolution's kernels count as `[out, in·k·k]`).
///
/// # Errors
/// [`Error::Unsupported`] for an unknown scheme.
pub fn applied(parameter: &Parameter, scheme: &str) -> Result<Applied> {
    let asked = Scheme::from_name(scheme)?;
    let count = parameter.count();
    let per_output = count / u64::from(parameter.shape.first().copied().unwrap_or(1)).max(1);
    let reason = match (asked, parameter.role) {
        (Scheme::F32, _) => String::new(),
        (_, role) if role != ParameterRole::Weight => format!("{} stay f32", role.words()),
        (Scheme::Q8_0 | Scheme::Q4_0, _) if !per_output.is_multiple_of(BLOCK) => {
            format!("each output has {per_output} weights, which is no multiple of {BLOCK}")
        }
        _ => String::new(),
    };
    let scheme = if reason.is_empty() {
        asked
    } else {
        Scheme::F32
    };
    Ok(Applied {
        scheme,
        reason,
        bytes: scheme.bytes(count),
    })
}
