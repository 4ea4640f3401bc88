//! One optimizer step on a tensor, in place; the formulas are [`crate::train::optimizer`]'s.

use super::numbers;
use crate::train::optimizer::{Moments, Update};
use candle_core::{CpuStorage, InplaceOp1, Layout, Result, Tensor, Var, bail};
use std::cell::RefCell;

/// Moves `variable` against `gradient`; `decays` says whether weight decay applies to it.
pub(in crate::engine::cpu) fn update(
    variable: &Var,
    gradient: &Tensor,
    moments: &mut Moments,
    update: &Update,
    decays: bool,
) -> Result<()> {
    let gradient = gradient.contiguous()?;
    let (storage, layout) = gradient.storage_and_layout();
    let candle_core::Storage::Cpu(storage) = &*storage else {
        bail!("the gradient is not on the CPU");
    };
    variable.inplace_op1(&Step {
        gradient: numbers(storage, layout)?,
        moments: RefCell::new(moments),
        update,
        decays,
    })
}

struct Step<'a> {
    gradient: &'a [f32],
    moments: RefCell<&'a mut Moments>,
    update: &'a Update,
    decays: bool,
}

impl InplaceOp1 for Step<'_> {
    fn name(&self) -> &'static str {
        "optimizer step"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let (Some((start, end)), CpuStorage::F32(values)) = (layout.contiguous_offsets(), storage)
        else {
            bail!("expected a contiguous f32 tensor");
        };
        let weights = &mut values[start..end];
        if weights.len() != self.gradient.len() {
            bail!(
                "{} gradients for {} weights",
                self.gradient.len(),
                weights.len()
            );
        }
        self.update.apply(
            self.decays,
            weights,
            self.gradient,
            &mut self.moments.borrow_mut(),
        );
        Ok(())
    }
}
