//! Convolutions of channels-last images with any kernel, stride, padding and groups, and their gradients: which kernel
//! computes them, as a function of the geometry alone.
//!
//! Products for 1×1, Winograd for 3×3 with stride 1 and enough planes and channels, else directly. A weight's gradient is
//! always direct.

mod direct;
mod side;

use crate::correlation::Epilogue;
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
const WINOGRAD_FROM: usize = 32;

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
    /// Sums over runs; output and input gradient by Winograd where that is there.
    Direct(Box<Direct>, Option<[Winograd; 2]>),
}

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
        } else {
            let fits = |count: usize| count >= WINOGRAD_FROM && count.is_multiple_of(4);
            let winograd = dense
                && kernel == [3, 3]
                && padding.iter().all(|&zeros| zeros <= 2)
                && fits(planes)
                && fits(channels);
            let direct = Box::new(Direct::new(geometry));
            Kind::Direct(direct, winograd.then(|| winograds(&geometry)))
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
            Kind::Direct(direct, None) => direct.packed_len(),
            Kind::Direct(_, Some([forward, _])) => forward.packed_len(),
        }
    }

    /// Packs a weight.
    pub fn pack(&self, weight: &[f32], packed: &mut [f32]) {
        let Geometry {
            planes, channels, ..
        } = self.geometry;
        match &self.kind {
            Kind::Product(plan) => plan.pack(weight, packed),
            Kind::Direct(direct, None) => direct.pack(weight, packed),
            Kind::Direct(_, Some([forward, _])) => {
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
            Kind::Product(_) => 0,
            Kind::Direct(direct, None) => direct.scratch_len(),
            Kind::Direct(direct, Some(winograds)) => winograds
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
        if let Kind::Product(plan) = &self.kind {
            return plan.forward(
                packed,
                bias,
                input.len() / self.geometry.planes,
                input,
                epilogue,
                out,
            );
        }
        let length = self.geometry.output_len();
        let images = input.chunks_exact(self.geometry.input_len());
        for (index, (image, out)) in images.zip(out.chunks_exact_mut(length)).enumerate() {
            let residual = epilogue
                .residual
                .map(|residual| &residual[index * length..][..length]);
            let epilogue = Epilogue {
                residual,
                ..epilogue
            };
            match &self.kind {
                Kind::Direct(_, Some([forward, _])) => {
                    forward.image(packed, bias, image, epilogue, out, scratch);
                }
                Kind::Direct(direct, None) => direct.forward(packed, bias, image, epilogue, out),
                Kind::Product(_) => {}
            }
        }
    }

    /// Numbers of the weight as [`Plan::input_gradient`] wants it.
    #[must_use]
    pub fn input_packed_len(&self) -> usize {
        match &self.kind {
            Kind::Product(plan) => plan.input_packed_len(),
            Kind::Direct(direct, None) => direct.input_packed_len(),
            Kind::Direct(_, Some([_, backward])) => backward.packed_len(),
        }
    }

    /// Packs a weight for [`Plan::input_gradient`].
    pub fn pack_input(&self, weight: &[f32], packed: &mut [f32]) {
        let Geometry {
            planes, channels, ..
        } = self.geometry;
        match &self.kind {
            Kind::Product(plan) => plan.pack_input(weight, packed),
            Kind::Direct(direct, None) => direct.pack_input(weight, packed),
            Kind::Direct(_, Some([_, backward])) => {
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
        if let Kind::Product(plan) = &self.kind {
            return plan.input_gradient(packed, dy.len() / self.geometry.channels, dy, dx);
        }
        let images = dy.chunks_exact(self.geometry.output_len());
        for (dy, dx) in images.zip(dx.chunks_exact_mut(self.geometry.input_len())) {
            match &self.kind {
                Kind::Direct(_, Some([_, backward])) => {
                    backward.image(packed, None, dy, Epilogue::default(), dx, scratch);
                }
                Kind::Direct(direct, None) => direct.input_gradient(packed, dy, dx),
                Kind::Product(_) => {}
            }
        }
    }

    /// Adds each weight's sum over images and output places, in order, to `dw`.
    pub fn weight_gradient(&self, input: &[f32], dy: &[f32], dw: &mut [f32], scratch: &mut [f32]) {
        match &self.kind {
            Kind::Product(plan) => {
                plan.weight_gradient(input.len() / self.geometry.planes, input, dy, dw);
            }
            Kind::Direct(direct, _) => {
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
