//! The activations, number by number, with their gradients; transcendentals are `libm`'s, never the platform's.

use super::numbers;
use crate::model::Activation;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};
use std::f32::consts::FRAC_1_SQRT_2;

/// 1 / √(2π), the density of the normal distribution at 0.
const DENSITY: f32 = 0.398_942_3;

/// Applies an activation to each number.
///
/// # Errors
/// Where the tensor is not contiguous f32.
pub fn activation(x: &Tensor, activation: Activation) -> Result<Tensor> {
    x.apply_op1(Apply(activation))
}

struct Apply(Activation);

impl CustomOp1 for Apply {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = numbers(x, layout)?.iter();
        let out = match self.0 {
            Activation::Relu => x.map(|&x| if x > 0.0 { x } else { 0.0 }).collect(),
            Activation::Tanh => x.map(|&x| libm::tanhf(x)).collect(),
            Activation::Gelu => x.map(|&x| x * normal(x)).collect(),
            other => candle_core::bail!("no op for {}", other.name()),
        };
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let gradient = gradient.contiguous()?;
        // tanh' = 1 − tanh² needs no second tanh.
        let from = if self.0 == Activation::Tanh {
            result
        } else {
            x
        };
        Ok(Some(from.apply_op2_no_bwd(&gradient, &Gradient(self.0))?))
    }
}

struct Gradient(Activation);

impl CustomOp2 for Gradient {
    fn name(&self) -> &'static str {
        "activation gradient"
    }

    fn cpu_fwd(
        &self,
        from: &CpuStorage,
        layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let gradients = numbers(gradient, gradient_layout)?;
        let pairs = numbers(from, layout)?.iter().zip(gradients);
        let out = match self.0 {
            Activation::Relu => pairs
                .map(|(&x, &g)| if x > 0.0 { g } else { 0.0 })
                .collect(),
            Activation::Tanh => pairs.map(|(&y, &g)| g * (1.0 - y * y)).collect(),
            Activation::Gelu => pairs
                .map(|(&x, &g)| g * (normal(x) + x * (DENSITY * libm::expf(-0.5 * x * x))))
                .collect(),
            other => candle_core::bail!("no op for {}", other.name()),
        };
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }
}

/// The normal distribution function.
fn normal(x: f32) -> f32 {
    0.5 * (1.0 + libm::erff(x * FRAC_1_SQRT_2))
}
