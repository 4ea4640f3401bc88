//! How trained weights are stored: which scheme a tensor can take, its real bytes, and the numbers that come back.
//!
//! Under a scheme for weights alone activations and arithmetic stay f32: a stored model is read back to f32 once and then
//! runs as any other. That is what makes its answers exact across browsers; `docs/numerics.md` has the reasons.

mod calibrate;
mod chains;
mod equalize;
pub mod export;
mod fold;
pub(crate) mod form;
mod ggml;
mod integer;
mod prune;
mod request;
mod scheme;
mod stored;

pub use calibrate::{Codes, FEW_ROWS, Method, Seen};
pub use equalize::{corrected, equalized};
pub use fold::{folded_graph, folded_weights, folds, taken_up};
pub(crate) use integer::value;
pub use integer::{Integer, IntegerLayer};
pub use prune::{masked, shrunk_graph, without_channels, without_weights};
pub(crate) use request::layer_of;
pub use request::{Applied, Request};
pub use scheme::{BLOCK, Extent, SUPER_BLOCK, Scheme};
pub use stored::{Calibration, Stored, StoredTensor, codes, quantize, stored};
