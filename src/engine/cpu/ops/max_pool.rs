//! The largest of each 2×2 window, with the gradient that candle's own `max_pool2d` gets wrong.
//!
//! candle 0.11.1 gives a unique maximum a quarter of its gradient. Here all of it goes to one element: the first maximum
//! in row-major order, also where several are equal. NaN is never larger; a window that starts with NaN gives NaN.

use super::numbers;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};

/// `[batch, channels, height, width]` to `[batch, channels, ⌊height/2⌋, ⌊width/2⌋]`.
///
/// # Errors
/// Where the tensor has other dimensions.
pub fn max_pool(x: &Tensor) -> Result<Tensor> {
    x.apply_op1(MaxPool)
}

struct MaxPool;

impl CustomOp1 for MaxPool {
    fn name(&self) -> &'static str {
        "max-pool"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, channels, height, width) = layout.shape().dims4()?;
        let x = numbers(x, layout)?;
        let mut out = Vec::with_capacity(batch * channels * (height / 2) * (width / 2));
        each_window(batch * channels, height, width, |corner| {
            out.push(x[largest(x, corner, width)]);
        });
        let shape = (batch, channels, height / 2, width / 2);
        Ok((CpuStorage::F32(out), shape.into()))
    }

    fn bwd(&self, x: &Tensor, _result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let gradient = gradient.contiguous()?;
        Ok(Some(x.apply_op2_no_bwd(&gradient, &Gradient)?))
    }
}

struct Gradient;

impl CustomOp2 for Gradient {
    fn name(&self) -> &'static str {
        "max-pool gradient"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (batch, channels, height, width) = layout.shape().dims4()?;
        let x = numbers(x, layout)?;
        let mut gradients = numbers(gradient, gradient_layout)?.iter();
        let mut out = vec![0.0; x.len()];
        each_window(batch * channels, height, width, |corner| {
            if let Some(gradient) = gradients.next() {
                out[largest(x, corner, width)] = *gradient;
            }
        });
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }
}

/// Calls `at` with the upper left corner of each window, in order.
#[inline(always)]
fn each_window(planes: usize, height: usize, width: usize, mut at: impl FnMut(usize)) {
    for plane in 0..planes {
        for row in 0..height / 2 {
            let start = plane * height * width + 2 * row * width;
            for column in 0..width / 2 {
                at(start + 2 * column);
            }
        }
    }
}

/// Where the first maximum of a window is.
#[inline(always)]
fn largest(x: &[f32], corner: usize, width: usize) -> usize {
    let mut best = corner;
    for index in [corner + 1, corner + width, corner + width + 1] {
        if x[index] > x[best] {
            best = index;
        }
    }
    best
}
