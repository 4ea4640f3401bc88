//! `y = x·Wᵀ + b` for a batch of rows, with its three gradients.

use super::numbers;
use assay_kernels::matmul::{Matrix, add_product};
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};

/// `x` `[batch, features]`, `weight` `[units, features]`, `bias` `[units]` to `[batch, units]`. Each sum starts from the
/// bias and goes over the features in order.
///
/// # Errors
/// Where the shapes do not fit.
pub fn linear(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    x.apply_op3(weight, bias, Linear)
}

struct Linear;

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (batch, features) = x_layout.shape().dims2()?;
        let units = sizes(weight_layout, features)?;
        let bias = numbers(bias, bias_layout)?;
        if bias.len() != units {
            candle_core::bail!("a bias of {} for {units} units", bias.len());
        }
        let mut out = bias.repeat(batch);
        add_product(
            Matrix::new(numbers(x, x_layout)?, features),
            Matrix::new(numbers(weight, weight_layout)?, features).transposed(),
            &mut out,
            [batch, features, units],
        );
        Ok((CpuStorage::F32(out), (batch, units).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _bias: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        let to_input = if x.track_op() {
            Some(gradient.apply_op2_no_bwd(weight, &InputGradient)?)
        } else {
            None
        };
        Ok((
            to_input,
            Some(gradient.apply_op2_no_bwd(x, &WeightGradient)?),
            Some(gradient.apply_op1_no_bwd(&BiasGradient)?),
        ))
    }
}

/// `dx = dy·W`, summed over the units in order.
struct InputGradient;

impl CustomOp2 for InputGradient {
    fn name(&self) -> &'static str {
        "linear input gradient"
    }

    fn cpu_fwd(
        &self,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (batch, units) = gradient_layout.shape().dims2()?;
        let (_, features) = weight_layout.shape().dims2()?;
        let mut out = vec![0.0; batch * features];
        add_product(
            Matrix::new(numbers(gradient, gradient_layout)?, units),
            Matrix::new(numbers(weight, weight_layout)?, features),
            &mut out,
            [batch, units, features],
        );
        Ok((CpuStorage::F32(out), (batch, features).into()))
    }
}

/// `dW = dyᵀ·x`, summed over the batch in order.
struct WeightGradient;

impl CustomOp2 for WeightGradient {
    fn name(&self) -> &'static str {
        "linear weight gradient"
    }

    fn cpu_fwd(
        &self,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
        x: &CpuStorage,
        x_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (batch, units) = gradient_layout.shape().dims2()?;
        let (_, features) = x_layout.shape().dims2()?;
        let mut out = vec![0.0; units * features];
        add_product(
            Matrix::new(numbers(gradient, gradient_layout)?, units).transposed(),
            Matrix::new(numbers(x, x_layout)?, features),
            &mut out,
            [units, batch, features],
        );
        Ok((CpuStorage::F32(out), (units, features).into()))
    }
}

/// `db`: the column sums of `dy`, over the batch in order.
struct BiasGradient;

impl candle_core::CustomOp1 for BiasGradient {
    fn name(&self) -> &'static str {
        "linear bias gradient"
    }

    fn cpu_fwd(&self, gradient: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, units) = layout.shape().dims2()?;
        let mut out = vec![0.0; units];
        for row in numbers(gradient, layout)?.chunks_exact(units) {
            for (sum, value) in out.iter_mut().zip(row) {
                *sum += value;
            }
        }
        Ok((CpuStorage::F32(out), units.into()))
    }
}

/// The units of a weight that fits so many features.
fn sizes(weight: &Layout, features: usize) -> Result<usize> {
    let (units, wanted) = weight.shape().dims2()?;
    if wanted != features {
        candle_core::bail!("a weight for {wanted} features on {features}");
    }
    Ok(units)
}
