//! How trained weights are stored: which scheme a tensor can take, its real bytes, and the numbers that come back.
//!
//! Activations and arithmetic stay f32: a stored model is read back to f32 once and then runs as any other. That is what
//! makes its answers exact across browsers; `docs/numerics.md` has the reasons.

mod ggml;
mod scheme;
mod stored;

pub use scheme::{Applied, BLOCK, Scheme, applied};
pub use stored::{Stored, StoredTensor, quantize};
