//! Dense and grouped convolutions of channels-last images with any kernel, stride and padding, and their gradients; the
//! loops are [`crate::correlation`]'s and [`crate::outer`]'s.
//!
//! Nothing is unrolled (no im2col): the addresses are listed when the plan is made. Which kernel runs is a function of the
//! geometry.

mod side;

use crate::correlation::{COLUMNS, Epilogue, Job, Listed};
use crate::outer::Outer;
use crate::product::{self, pack_columns};
use side::{Class, Side};

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
    Direct(Direct),
}

/// What a direct convolution has worked out from its geometry.
#[derive(Debug, Clone)]
struct Direct {
    forward: Side,
    backward: Side,
    /// For the weight's gradient: the image with its padding, and each output's base in it.
    frame: Frame,
    places: Vec<[u32; 2]>,
    largest: [u32; 2],
    /// Where each weight of a group's output column is, relative to a base.
    offsets: Vec<u32>,
}

/// An image with zeros around.
#[derive(Debug, Clone, Copy)]
struct Frame {
    height: usize,
    width: usize,
    channels: usize,
    /// Zeros above, left, below and right.
    margin: [usize; 4],
}

impl Frame {
    const fn row(&self) -> usize {
        (self.margin[1] + self.width + self.margin[3]) * self.channels
    }

    /// Numbers to copy the image into; none where it has no margin.
    fn len(&self) -> usize {
        if self.margin == [0; 4] {
            0
        } else {
            (self.margin[0] + self.height + self.margin[2]) * self.row()
        }
    }

    /// The image with its zeros: itself, or a copy in `scratch`.
    fn around<'a>(&self, image: &'a [f32], scratch: &'a mut [f32]) -> &'a [f32] {
        if self.margin == [0; 4] {
            return image;
        }
        let [above, left, below, right] = self.margin;
        let (row, inside) = (self.row(), self.width * self.channels);
        let framed = &mut scratch[..self.len()];
        let (top, rest) = framed.split_at_mut(above * row);
        let (middle, bottom) = rest.split_at_mut(self.height * row);
        debug_assert_eq!(bottom.len(), below * row);
        top.fill(0.0);
        bottom.fill(0.0);
        for (to, from) in middle.chunks_exact_mut(row).zip(image.chunks_exact(inside)) {
            to[..left * self.channels].fill(0.0);
            to[left * self.channels..][..inside].copy_from_slice(from);
            to[row - right * self.channels..].fill(0.0);
        }
        framed
    }
}

impl Plan {
    /// Works out a convolution. All of an image's numbers are fewer than 2³².
    ///
    /// # Panics
    /// Where the kernel is larger than the padded image, a stride is 0, or groups do not divide planes and channels.
    #[must_use]
    pub fn new(geometry: Geometry) -> Self {
        assert!(
            geometry.planes.is_multiple_of(geometry.groups)
                && geometry.channels.is_multiple_of(geometry.groups),
            "groups divide planes and channels"
        );
        let plain = geometry.kernel == [1, 1] && geometry.padding == [0; 4];
        let kind = if plain && geometry.stride == [1, 1] && geometry.groups == 1 {
            Kind::Product(product::Plan::new(geometry.planes, geometry.channels))
        } else {
            Kind::Direct(Direct::new(&geometry))
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
            Kind::Direct(direct) => {
                let columns = (self.geometry.channels / self.geometry.groups).div_ceil(COLUMNS);
                self.geometry.groups * columns * COLUMNS * direct.offsets.len()
            }
        }
    }

    /// Packs a weight.
    pub fn pack(&self, weight: &[f32], packed: &mut [f32]) {
        let Geometry {
            channels, groups, ..
        } = self.geometry;
        match &self.kind {
            Kind::Product(plan) => plan.pack(weight, packed),
            Kind::Direct(direct) => {
                let sizes = [direct.offsets.len(), channels / groups];
                let each = packed.len() / groups;
                for (group, packed) in packed.chunks_exact_mut(each).enumerate() {
                    pack_columns(&weight[group * sizes[1]..], channels, sizes, packed);
                }
            }
        }
    }

    /// Numbers that a call may use; what they are before does not matter.
    #[must_use]
    pub fn scratch_len(&self) -> usize {
        match &self.kind {
            Kind::Product(_) => 0,
            Kind::Direct(direct) => direct.frame.len(),
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
        let _ = scratch;
        let Geometry {
            planes,
            channels,
            groups,
            ..
        } = self.geometry;
        let direct = match &self.kind {
            Kind::Product(plan) => {
                return plan.forward(packed, bias, input.len() / planes, input, epilogue, out);
            }
            Kind::Direct(direct) => direct,
        };
        let output_len = self.geometry.output_len();
        let (columns, panels) = (channels / groups, packed.len() / groups);
        for (index, (image, out)) in (input.chunks_exact(self.geometry.input_len()))
            .zip(out.chunks_exact_mut(output_len))
            .enumerate()
        {
            let residual = epilogue
                .residual
                .map(|all| &all[index * output_len..][..output_len]);
            for group in 0..groups {
                let start = group * columns;
                let bias = bias.map(|bias| &bias[start..]);
                let epilogue = Epilogue {
                    residual: residual.map(|residual| &residual[start..]),
                    ..epilogue
                };
                for class in &direct.forward.classes {
                    Job {
                        input: &image[group * (planes / groups)..],
                        runs: &class.runs,
                        length: class.length,
                        panels: &packed[group * panels..][..panels],
                        inner: direct.offsets.len(),
                        columns,
                        bias,
                        epilogue,
                    }
                    .run(class.listed(), &mut out[start..]);
                }
                for &place in &direct.forward.empty {
                    Job {
                        input: &[],
                        runs: &[],
                        length: 0,
                        panels: &packed[group * panels..][..panels],
                        inner: direct.offsets.len(),
                        columns,
                        bias,
                        epilogue,
                    }
                    .run(
                        Listed {
                            places: &[[0, place]],
                            largest: [0, place],
                        },
                        &mut out[start..],
                    );
                }
            }
        }
    }

    /// Numbers of the weight as [`Plan::input_gradient`] wants it.
    #[must_use]
    pub fn input_packed_len(&self) -> usize {
        let Geometry {
            planes,
            channels,
            groups,
            kernel,
            ..
        } = self.geometry;
        match &self.kind {
            Kind::Product(plan) => plan.input_packed_len(),
            Kind::Direct(_) => {
                (planes / groups).div_ceil(COLUMNS) * COLUMNS * kernel[0] * kernel[1] * channels
            }
        }
    }

    /// Packs a weight for [`Plan::input_gradient`].
    pub fn pack_input(&self, weight: &[f32], packed: &mut [f32]) {
        let Geometry {
            planes,
            channels,
            groups,
            kernel,
            ..
        } = self.geometry;
        let direct = match &self.kind {
            Kind::Product(plan) => return plan.pack_input(weight, packed),
            Kind::Direct(direct) => direct,
        };
        let (rows, columns) = (channels / groups, planes / groups);
        let inner = direct.backward.taps.len() * rows;
        packed.fill(0.0);
        let each = packed.len() / groups;
        for (group, packed) in packed.chunks_exact_mut(each).enumerate() {
            for (tap, [row, column]) in direct.backward.taps.iter().enumerate() {
                let from = &weight[(row * kernel[1] + column) * columns * channels..];
                for plane in 0..columns {
                    let panel = &mut packed[plane / COLUMNS * COLUMNS * inner..];
                    let from = &from[plane * channels + group * rows..][..rows];
                    let to = panel[tap * rows * COLUMNS..].chunks_exact_mut(COLUMNS);
                    for (to, &value) in to.zip(from) {
                        to[plane % COLUMNS] = value;
                    }
                }
            }
        }
    }

    /// `dx`: for each input number the sum over the kernel's places, last to first, and the group's channels.
    pub fn input_gradient(&self, packed: &[f32], dy: &[f32], dx: &mut [f32], scratch: &mut [f32]) {
        let _ = scratch;
        let Geometry {
            planes,
            channels,
            groups,
            ..
        } = self.geometry;
        let direct = match &self.kind {
            Kind::Product(plan) => {
                return plan.input_gradient(packed, dy.len() / channels, dy, dx);
            }
            Kind::Direct(direct) => direct,
        };
        let (rows, columns, panels) = (channels / groups, planes / groups, packed.len() / groups);
        for (dy, dx) in (dy.chunks_exact(self.geometry.output_len()))
            .zip(dx.chunks_exact_mut(self.geometry.input_len()))
        {
            for &place in &direct.backward.empty {
                dx[place as usize..][..planes].fill(0.0);
            }
            for group in 0..groups {
                for class in &direct.backward.classes {
                    Job {
                        input: &dy[group * rows..],
                        runs: &class.runs,
                        length: class.length,
                        panels: &packed[group * panels..][..panels],
                        inner: direct.backward.taps.len() * rows,
                        columns,
                        bias: None,
                        epilogue: Epilogue::default(),
                    }
                    .run(class.listed(), &mut dx[group * columns..]);
                }
            }
        }
    }

    /// Adds each weight's sum over images and output places, in order, to `dw`.
    pub fn weight_gradient(&self, input: &[f32], dy: &[f32], dw: &mut [f32], scratch: &mut [f32]) {
        let Geometry {
            planes,
            channels,
            groups,
            ..
        } = self.geometry;
        let direct = match &self.kind {
            Kind::Product(plan) => {
                return plan.weight_gradient(input.len() / planes, input, dy, dw);
            }
            Kind::Direct(direct) => direct,
        };
        for (image, dy) in input
            .chunks_exact(self.geometry.input_len())
            .zip(dy.chunks_exact(self.geometry.output_len()))
        {
            let framed = direct.frame.around(image, scratch);
            for group in 0..groups {
                let start = group * (channels / groups);
                Outer {
                    input: &framed[group * (planes / groups)..],
                    offsets: &direct.offsets,
                    gradient: &dy[start..],
                    columns: channels / groups,
                    stride: channels,
                }
                .run(
                    Listed {
                        places: &direct.places,
                        largest: direct.largest,
                    },
                    &mut dw[start..],
                );
            }
        }
    }
}

impl Direct {
    fn new(geometry: &Geometry) -> Self {
        let Geometry {
            planes,
            height,
            width,
            channels,
            kernel,
            stride,
            ..
        } = *geometry;
        let frame = Frame {
            height,
            width,
            channels: planes,
            margin: geometry.padding,
        };
        let row = frame.row();
        let mut places = Vec::with_capacity(geometry.out_height() * geometry.out_width());
        for y in 0..geometry.out_height() {
            for x in 0..geometry.out_width() {
                let base = y * stride[0] * row + x * stride[1] * planes;
                let output = (y * geometry.out_width() + x) * channels;
                places.push([base as u32, output as u32]);
            }
        }
        let inner = planes / geometry.groups;
        let mut offsets = Vec::with_capacity(kernel[0] * kernel[1] * inner);
        for y in 0..kernel[0] {
            for x in 0..kernel[1] {
                offsets.extend((0..inner).map(|plane| (y * row + x * planes + plane) as u32));
            }
        }
        Self {
            forward: Side::forward(geometry),
            backward: Side::backward(geometry),
            frame,
            largest: places.last().copied().unwrap_or_default(),
            places,
            offsets,
        }
    }
}

impl Class {
    fn listed(&self) -> Listed<'_> {
        Listed {
            places: &self.places,
            largest: self.largest,
        }
    }
}

#[cfg(test)]
mod tests;
