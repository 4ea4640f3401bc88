//! A product with a weight, linear layer or convolution: its kernels, its packed weight and what is folded into it.

use super::operation::BatchNorm;
use crate::model::{Convolution, Layer, ResolvedNode};
use assay_kernels::norm::batch;
use assay_kernels::{Epilogue, convolution, elementwise, product};
use std::ops::Range;

/// Which kernels.
#[derive(Debug)]
enum Kernel {
    /// So many rows of the product for each row of the batch.
    Linear(product::Plan, usize),
    Convolution(convolution::Plan),
}

/// The sizes of a convolution of images of this shape, as the kernels name them.
pub(super) fn geometry(convolution: Convolution, input: &[u32]) -> convolution::Geometry {
    let size = |index: usize| input.get(index).map_or(1, |&size| size as usize);
    convolution::Geometry {
        planes: size(0),
        height: size(1),
        width: size(2),
        channels: convolution.channels as usize,
        kernel: convolution.kernel.map(|size| size as usize),
        stride: convolution.stride.map(|size| size as usize),
        padding: convolution.padding.map(|size| size as usize),
        groups: convolution.groups as usize,
    }
}

/// A linear layer or a convolution.
#[derive(Debug)]
pub(super) struct Affine {
    kernel: Kernel,
    /// Its weight, `[…places][in][out]`, in the parameters.
    pub(super) weight: Range<usize>,
    /// Its bias there.
    pub(super) bias: Option<Range<usize>>,
    /// A batch norm after it, folded into weight and bias.
    folded: Option<BatchNorm>,
    /// Numbers that it gives at each place.
    pub(super) channels: usize,
}

impl Affine {
    pub(super) fn new(
        layer: Layer,
        resolved: &ResolvedNode,
        weight: Range<usize>,
        bias: Option<Range<usize>>,
        folded: Option<BatchNorm>,
    ) -> Self {
        let input = resolved.input();
        let (kernel, channels) = match layer {
            Layer::Convolution(convolution) => {
                let geometry = geometry(convolution, input);
                let channels = geometry.channels;
                (
                    Kernel::Convolution(convolution::Plan::new(geometry)),
                    channels,
                )
            }
            _ => {
                let sizes = super::operation::sizes(input);
                let channels = super::operation::sizes(&resolved.output).channels;
                let plan = product::Plan::new(sizes.channels, channels);
                (Kernel::Linear(plan, sizes.places), channels)
            }
        };
        Self {
            kernel,
            weight,
            bias,
            folded,
            channels,
        }
    }

    /// Numbers of the packed weight, and of the bias that it comes with after folding.
    pub(super) fn packed_lens(&self) -> [usize; 2] {
        let weight = match &self.kernel {
            Kernel::Linear(plan, _) => plan.packed_len(),
            Kernel::Convolution(plan) => plan.packed_len(),
        };
        [
            weight,
            if self.folded.is_some() {
                self.channels
            } else {
                0
            },
        ]
    }

    /// Numbers of the weight as the input's gradient wants it.
    pub(super) fn input_packed_len(&self) -> usize {
        match &self.kernel {
            Kernel::Linear(plan, _) => plan.input_packed_len(),
            Kernel::Convolution(plan) => plan.input_packed_len(),
        }
    }

    /// Numbers of scratch that a pass wants.
    pub(super) fn scratch_len(&self) -> usize {
        match &self.kernel {
            Kernel::Linear(..) => 0,
            Kernel::Convolution(plan) => plan.scratch_len(),
        }
    }

    /// Whether a batch norm is folded into it.
    pub(super) const fn folds(&self) -> bool {
        self.folded.is_some()
    }

    /// Packs the weight, with what is folded into it. `scratch` holds at least as many numbers as the weight, `factors`
    /// two for each channel where something is folded.
    pub(super) fn pack(
        &self,
        parameters: &[f32],
        packed: &mut [f32],
        bias: &mut [f32],
        factors: &mut [f32],
        scratch: &mut [f32],
    ) {
        let mut weight = &parameters[self.weight.clone()];
        if let Some(norm) = &self.folded {
            let scratch = &mut scratch[..weight.len()];
            scratch.copy_from_slice(weight);
            match &self.bias {
                Some(own) => bias.copy_from_slice(&parameters[own.clone()]),
                None => bias.fill(0.0),
            }
            batch::fold_into(scratch, bias, norm.fold(parameters, factors));
            weight = scratch;
        }
        match &self.kernel {
            Kernel::Linear(plan, _) => plan.pack(weight, packed),
            Kernel::Convolution(plan) => plan.pack(weight, packed),
        }
    }

    /// Packs the weight for the input's gradient.
    pub(super) fn pack_input(&self, parameters: &[f32], packed: &mut [f32]) {
        let weight = &parameters[self.weight.clone()];
        match &self.kernel {
            Kernel::Linear(plan, _) => plan.pack_input(weight, packed),
            Kernel::Convolution(plan) => plan.pack_input(weight, packed),
        }
    }

    /// The bias among the parameters, or the one that folding gave.
    pub(super) fn bias<'a>(&self, parameters: &'a [f32], folded: &'a [f32]) -> Option<&'a [f32]> {
        if self.folds() {
            return Some(folded);
        }
        self.bias.as_ref().map(|bias| &parameters[bias.clone()])
    }

    /// `out = activation(input ∗ weight + bias + residual)` for so many rows.
    pub(super) fn forward(
        &self,
        (packed, bias): (&[f32], Option<&[f32]>),
        rows: usize,
        input: &[f32],
        epilogue: Epilogue<'_>,
        out: &mut [f32],
        scratch: &mut [f32],
    ) {
        match &self.kernel {
            Kernel::Linear(plan, places) => {
                plan.forward(packed, bias, rows * places, input, epilogue, out);
            }
            Kernel::Convolution(plan) => {
                plan.forward(packed, bias, input, epilogue, out, scratch);
            }
        }
    }

    /// Writes the gradient of the input.
    pub(super) fn input_gradient(
        &self,
        packed: &[f32],
        rows: usize,
        gradient: &[f32],
        out: &mut [f32],
        scratch: &mut [f32],
    ) {
        match &self.kernel {
            Kernel::Linear(plan, places) => {
                plan.input_gradient(packed, rows * places, gradient, out);
            }
            Kernel::Convolution(plan) => plan.input_gradient(packed, gradient, out, scratch),
        }
    }

    /// Adds the gradients of weight and bias to `gradients`, a list as long as the trained parameters.
    pub(super) fn weight_gradient(
        &self,
        rows: usize,
        input: &[f32],
        gradient: &[f32],
        gradients: &mut [f32],
        scratch: &mut [f32],
    ) {
        let weight = &mut gradients[self.weight.clone()];
        match &self.kernel {
            Kernel::Linear(plan, places) => {
                plan.weight_gradient(rows * places, input, gradient, weight);
            }
            Kernel::Convolution(plan) => plan.weight_gradient(input, gradient, weight, scratch),
        }
        if let Some(bias) = &self.bias {
            elementwise::add_column_sums(gradient, &mut gradients[bias.clone()]);
        }
    }
}
