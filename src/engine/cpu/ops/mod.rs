//! The kernels: one op per file, each a candle custom op over plain slices with its own backward pass.
//!
//! All of them work in f32 on contiguous tensors, multiply and then add (never fused), sum in one order that does not
//! depend on the size of a batch, and take transcendentals from `libm`: the same bits on every platform.

mod activation;
mod convolution;
mod cross_entropy;
mod linear;
mod max_pool;
mod update;

pub use activation::activation;
pub use convolution::convolution;
pub use cross_entropy::cross_entropy;
pub use linear::linear;
pub use max_pool::max_pool;
pub(super) use update::update;

use candle_core::{CpuStorage, Layout, Result, bail};

/// The numbers of a contiguous f32 tensor.
fn numbers<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!("expected a contiguous tensor");
    };
    Ok(&storage.as_slice::<f32>()?[start..end])
}
