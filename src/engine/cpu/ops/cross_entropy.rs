//! The mean softmax cross-entropy of a batch as a candle op; the arithmetic is [`crate::engine::loss`]'s.

use super::numbers;
use crate::engine::loss;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use std::sync::Arc;

/// `logits` `[batch, classes]` and as many labels as rows, each below `classes`, to one number; `smoothing` is the share
/// of each label that is spread over all classes.
///
/// # Errors
/// Where there are not as many labels as rows, or a label is no class.
pub fn cross_entropy(logits: &Tensor, labels: &[u16], smoothing: f32) -> Result<Tensor> {
    let (rows, classes) = logits.dims2()?;
    if rows != labels.len() || labels.iter().any(|&label| usize::from(label) >= classes) {
        candle_core::bail!(
            "{} labels for {rows} rows of {classes} classes",
            labels.len()
        );
    }
    let labels = labels.into();
    logits.apply_op1(CrossEntropy { labels, smoothing })
}

struct CrossEntropy {
    labels: Arc<[u16]>,
    smoothing: f32,
}

impl CustomOp1 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, classes) = layout.shape().dims2()?;
        let logits = numbers(logits, layout)?;
        let sum = loss::smoothed_cross_entropy(logits, &self.labels, classes, self.smoothing);
        let mean = (sum / rows as f64) as f32;
        Ok((CpuStorage::F32(vec![mean]), ().into()))
    }

    fn bwd(&self, logits: &Tensor, _result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(logits.apply_op1_no_bwd(&Gradient {
            labels: Arc::clone(&self.labels),
            smoothing: self.smoothing,
            scale: gradient.to_scalar()?,
        })?))
    }
}

struct Gradient {
    labels: Arc<[u16]>,
    smoothing: f32,
    scale: f32,
}

impl CustomOp1 for Gradient {
    fn name(&self) -> &'static str {
        "cross-entropy gradient"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, classes) = layout.shape().dims2()?;
        let logits = numbers(logits, layout)?;
        let (scale, smoothing) = (self.scale, self.smoothing);
        let out = loss::cross_entropy_gradient(logits, &self.labels, classes, scale, smoothing);
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }
}
