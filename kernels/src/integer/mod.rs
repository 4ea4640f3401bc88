//! Inference in integers: products, convolutions, pooling, sums and tables over 8-bit numbers; no floating point but at the
//! edges, where numbers come in and where answers leave.
//!
//! A number of a tensor is `step · (code − zero)` with a code of 8 bits. These kernels hold `code − zero`, from −255 to
//! 255, in 16 bits: zero is 0, so padding is zeros and no correction for `zero` is needed, and neighbouring numbers are
//! multiplied and added in pairs by one instruction. Weights are from −127 to 127, sums are exact in 32 bits, and what
//! follows a sum is `Requantize`. Integers are exact in any order, so lanes and tiles change nothing.
//!
//! Functions that go over many numbers are never inlined: whoever calls them is compiled to be small, and so they would be.
//! Slices of numbers that are read in pairs end with [`SLACK`] numbers that belong to nobody.

mod attention;
mod convolution;
mod depthwise;
mod dots;
mod finished;
mod norm;
mod pointwise;
mod pool;
mod requantize;

pub use attention::{AttentionScratch, EXPONENTS, IntegerAttention, MOST_TOKENS};
pub use convolution::{Convolution, Linear};
pub use depthwise::Depthwise;
pub use finished::{Finishing, Numbers};
pub use norm::{EPSILON_DIGITS, LayerNorm, NARROWEST_NORM, NORM_DIGITS, Offsets, WIDEST_NORM};
pub use pointwise::{
    Add, Look, dequantize, largest, quantize, rounded, scaled_row, scaled_sums, transpose,
    within_range,
};
pub use pool::{Average, global_average, max};
pub use requantize::Dyadic;
#[cfg(test)]
use requantize::{Raw, Requantize, Residual};

/// Numbers behind the last one of a slice that kernels may read: one register.
pub const SLACK: usize = 8;

/// Columns that are packed side by side.
pub const COLUMNS: usize = 8;

#[cfg(test)]
mod tests;
