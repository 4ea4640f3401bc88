//! Convolutions of channels-last images with any kernel, stride, padding and groups, and their gradients: which kernel
//! computes them, as a function of the geometry alone.
//!
//! Products for 1×1, a kernel for each channel where groups, planes and channels are as many, Winograd for 3×3 with stride 1
//! and enough planes and channels, else directly.

mod direct;
mod side;

use crate::correlation::{Epilogue, Rectifier};
use crate::depthwise::{self, Depthwise};
use crate::elementwise;
use crate::product;
use crate::winograd::Winograd;
use direct::Direct;

/// Sizes of a convolution. Images are `[height][width][planes]`, weights `[kernel rows][kernel columns][planes / groups][channels]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Channels of the input.
    pub planes: usize,
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    /// Channels of the output.
    pub channels: usize,
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Steps down and right.
    pub stride: [usize; 2],
    /// Zeros above, left, below and right.
    pub padding: [usize; 4],
    /// Independent parts that planes and channels are divided into; divides both.
    pub groups: usize,
}

impl Geometry {
    /// Rows of the output.
    #[must_use]
    pub const fn out_height(&self) -> usize {
        (self.height + self.padding[0] + self.padding[2] - self.kernel[0]) / self.stride[0] + 1
    }

    /// Columns of the output.
    #[must_use]
    pub const fn out_width(&self) -> usize {
        (self.width + self.padding[1] + self.padding[3] - self.kernel[1]) / self.stride[1] + 1
    }

    /// Numbers of one input image.
    #[must_use]
    pub const fn input_len(&self) -> usize {
        self.height * self.width * self.planes
    }

    /// Numbers of one output image.
    #[must_use]
    pub const fn output_len(&self) -> usize {
        self.out_height() * self.out_width() * self.channels
    }

    /// Numbers of the weight.
    #[must_use]
    pub const fn weight_len(&self) -> usize {
        self.kernel[0] * self.kernel[1] * (self.planes / self.groups) * self.channels
    }
}

/// Planes and channels from which on 16 products and the transformations around them cost less than 36 products: at 16
/// both ways took the same time in V8, at 32 Winograd took three quarters of it (docs/performance.md).
const WINOGRAD_FROM: usize = if cfg!(feature = "direct") {
    usize::MAX
} else {
    32
};

/// A convolution that is ready to run.
#[derive(Debug, Clone)]
pub struct Plan {
    geometry: Geometry,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// 1×1 with stride 1: the product of all places with the weight.
    Product(product::Plan),
    /// A kernel for each channel.
    Depthwise(Depthwise),
    /// Sums over runs of neighbouring numbers.
    Direct(Box<Direct>),
    /// Outputs and the input's gradient by Winograd, the weight's gradient directly.
    Winograd(Box<Direct>, [Winograd; 2]),
}

/// What is done with an image, its part of the epilogue and its output.
type OneImage<'a> = dyn FnMut(&[f32], Epilogue<'_>, &mut [f32]) + 'a;

impl Plan {
    /// Works out a convolution. All of an image's numbers are fewer than 2³².
    ///
    /// # Panics
    /// Where the kernel is larger than the padded image, a stride is 0, or groups do not divide planes and channels.
    #[must_use]
    pub fn new(geometry: Geometry) -> Self {
        let Geometry {
            planes,
            channels,
            kernel,
            stride,
            padding,
            groups,
            ..
        } = geometry;
        assert!(
            planes.is_multiple_of(groups) && channels.is_multiple_of(groups),
            "groups divide planes and channels"
        );
        let dense = stride == [1, 1] && groups == 1;
        let kind = if dense && kernel == [1, 1] && padding == [0; 4] {
            Kind::Product(product::Plan::new(planes, channels))
        } else if groups == planes && groups == channels {
            let Geometry { height, width, .. } = geometry;
            Kind::Depthwise(Depthwise {
                height,
                width,
                channels,
                kernel,
                stride,
                padding,
            })
        } else {
            let fits = |count: usize| count >= WINOGRAD_FROM && count.is_multiple_of(4);
            let winograd = dense
                && kernel == [3, 3]
                && padding.iter().all(|&zeros| zeros <= 2)
                && fits(planes)
                && fits(channels);
            let direct = Box::new(Direct::new(geometry));
            if winograd {
                Kind::Winograd(direct, winograds(&geometry))
            } else {
                Kind::Direct(direct)
            }
        };
        Self { geometry, kind }
    }

    /// Its sizes.
    #[must_use]
    pub const fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// Numbers of the packed weight.
    #[must_use]
    pub fn packed_len(&self) -> usize {
        match &self.kind {
            Kind::Product(plan) => plan.packed_len(),
            Kind::Depthwise(shape) => shape.weight_len(),
            Kind::Direct(direct) => direct.packed_len(),
            Kind::Winograd(_, [forward, _]) => forward.packed_len(),
        }
    }

    /// Packs a weight.
    pub fn pack(&self, weight: &[f32], packed: &mut [f32]) {
        let Geometry {
            planes, channels, ..
        } = self.geometry;
        match &self.kind {
            Kind::Product(plan) => plan.pack(weight, packed),
            Kind::Depthwise(_) => packed.copy_from_slice(weight),
            Kind::Direct(direct) => direct.pack(weight, packed),
            Kind::Winograd(_, [forward, _]) => {
                let at =
                    |place, plane, channel| weight[(place * planes + plane) * channels + channel];
                forward.pack(at, packed);
            }
        }
    }

    /// Numbers that a call may use; what they are before does not matter.
    #[must_use]
    pub fn scratch_len(&self) -> usize {
        match &self.kind {
            Kind::Product(_) | Kind::Depthwise(_) => 0,
            Kind::Direct(direct) => direct.scratch_len(),
            Kind::Winograd(direct, winograds) => winograds
                .iter()
                .map(Winograd::scratch_len)
                .fold(direct.scratch_len(), usize::max),
        }
    }

    /// `out = rectifier(bias + correlation + residual)` for whole images one after another.
    pub fn forward(
        &self,
        packed: &[f32],
        bias: Option<&[f32]>,
        input: &[f32],
        epilogue: Epilogue<'_>,
        out: &mut [f32],
        scratch: &mut [f32],
    ) {
        let length = self.geometry.output_len();
        let each = |out: &mut [f32], one: &mut OneImage<'_>| {
            let images = input.chunks_exact(self.geometry.input_len());
            for (index, (image, out)) in images.zip(out.chunks_exact_mut(length)).enumerate() {
                let residual = epilogue.residual;
                let residual = residual.map(|residual| &residual[index * length..][..length]);
                one(
                    image,
                    Epilogue {
                        residual,
                        ..epilogue
                    },
                    out,
                );
            }
        };
        match &self.kind {
            Kind::Product(plan) => {
                let rows = input.len() / self.geometry.planes;
                plan.forward(packed, bias, rows, input, epilogue, out);
            }
            Kind::Depthwise(shape) => {
                let activation = epilogue.rectifier.map(Rectifier::activation);
                if let Some(residual) = epilogue.residual {
                    depthwise::forward(shape, packed, bias, input, None, out);
                    elementwise::add_assign(out, residual);
                    if let Some(activation) = activation {
                        activation.apply_in_place(out);
                    }
                } else {
                    depthwise::forward(shape, packed, bias, input, activation, out);
                }
            }
            Kind::Direct(direct) => each(out, &mut |image, epilogue, out| {
                direct.forward(packed, bias, image, epilogue, out);
            }),
            Kind::Winograd(_, [forward, _]) => each(out, &mut |image, epilogue, out| {
                forward.image(packed, bias, image, epilogue, out, scratch);
            }),
        }
    }

    /// Numbers of the weight as [`Plan::input_gradient`] wants it.
    #[must_use]
    pub fn input_packed_len(&self) -> usize {
        match &self.kind {
            Kind::Product(plan) => plan.input_packed_len(),
            Kind::Depthwise(shape) => shape.weight_len(),
            Kind::Direct(direct) => direct.input_packed_len(),
            Kind::Winograd(_, [_, backward]) => backward.packed_len(),
        }
    }

    /// Packs a weight for [`Plan::input_gradient`].
    pub fn pack_input(&self, weight: &[f32], packed: &mut [f32]) {
        let Geometry {
            planes, channels, ..
        } = self.geometry;
        match &self.kind {
            Kind::Product(plan) => plan.pack_input(weight, packed),
            Kind::Depthwise(_) => packed.copy_from_slice(weight),
            Kind::Direct(direct) => direct.pack_input(weight, packed),
            Kind::Winograd(_, [_, backward]) => {
                // The kernel turned by half a turn, planes and channels exchanged.
                let at = |place: usize, channel, plane| {
                    weight[((8 - place) * planes + plane) * channels + channel]
                };
                backward.pack(at, packed);
            }
        }
    }

    /// `dx`: for each input number the sum over the outputs that read it.
    pub fn input_gradient(&self, packed: &[f32], dy: &[f32], dx: &mut [f32], scratch: &mut [f32]) {
        let images = dy
            .chunks_exact(self.geometry.output_len())
            .zip(dx.chunks_exact_mut(self.geometry.input_len()));
        match &self.kind {
            Kind::Product(plan) => {
                plan.input_gradient(packed, dy.len() / self.geometry.channels, dy, dx);
            }
            Kind::Depthwise(shape) => depthwise::input_gradient(shape, packed, dy, dx),
            Kind::Direct(direct) => {
                images.for_each(|(dy, dx)| direct.input_gradient(packed, dy, dx));
            }
            Kind::Winograd(_, [_, backward]) => images.for_each(|(dy, dx)| {
                backward.image(packed, None, dy, Epilogue::default(), dx, scratch);
            }),
        }
    }

    /// Adds each weight's sum over images and output places, in order, to `dw`.
    pub fn weight_gradient(&self, input: &[f32], dy: &[f32], dw: &mut [f32], scratch: &mut [f32]) {
        match &self.kind {
            Kind::Product(plan) => {
                plan.weight_gradient(input.len() / self.geometry.planes, input, dy, dw);
            }
            Kind::Depthwise(shape) => depthwise::weight_gradient(shape, input, dy, dw),
            Kind::Direct(direct) | Kind::Winograd(direct, _) => {
                let images = input.chunks_exact(self.geometry.input_len());
                for (image, dy) in images.zip(dy.chunks_exact(self.geometry.output_len())) {
                    direct.weight_gradient(image, dy, dw, scratch);
                }
            }
        }
    }
}

/// The outputs from the inputs, and the input's gradient from the outputs'.
fn winograds(geometry: &Geometry) -> [Winograd; 2] {
    let (out_height, out_width) = (geometry.out_height(), geometry.out_width());
    let [above, left, ..] = geometry.padding;
    let forward = Winograd {
        planes: geometry.planes,
        height: geometry.height,
        width: geometry.width,
        channels: geometry.channels,
        out_height,
        out_width,
        before: [above, left],
    };
    let backward = Winograd {
        planes: geometry.channels,
        height: out_height,
        width: out_width,
        channels: geometry.planes,
        out_height: geometry.height,
        out_width: geometry.width,
        before: [2 - above, 2 - left],
    };
    [forward, backward]
}

#[cfg(test)]
mod tests;
