//! Dense and grouped convolutions of channels-last images with any kernel, stride and padding, and their gradients; the
//! loops are [`crate::correlation`]'s and [`crate::outer`]'s.
//!
//! Nothing is unrolled (no im2col): an image is copied once into a frame of zeros where it has padding, and the places'
//! addresses are listed when the plan is made. Which kernel runs is a function of the geometry.

use crate::correlation::{COLUMNS, Epilogue, Job, Listed};
use crate::outer::Outer;
use crate::product::{self, pack_columns};

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
    frame: Frame,
    /// `(base in the frame, output)` of each output place.
    places: Vec<[u32; 2]>,
    largest: [u32; 2],
    runs: Vec<u32>,
    length: usize,
    /// Where each weight of a group's output column is, relative to a base.
    offsets: Vec<u32>,
    gradient_frame: Frame,
    classes: Vec<Class>,
    /// Input places that no output reads.
    untouched: Vec<u32>,
}

/// Input places whose gradient sums over the same part of the kernel: with stride 2, one place in four.
#[derive(Debug, Clone)]
struct Class {
    /// `(base in the gradient's frame, input)` of each place.
    places: Vec<[u32; 2]>,
    largest: [u32; 2],
    runs: Vec<u32>,
    length: usize,
    /// The kernel's places in the order of the sum: descending, as the gradient's places ascend.
    taps: Vec<[usize; 2]>,
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
            Kind::Direct(Direct::new(geometry))
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
            Kind::Direct(direct) => direct.frame.len().max(direct.gradient_frame.len()),
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
        let (input_len, output_len) = (self.geometry.input_len(), self.geometry.output_len());
        let columns = channels / groups;
        let panels = packed.len() / groups;
        for (index, (image, out)) in input
            .chunks_exact(input_len)
            .zip(out.chunks_exact_mut(output_len))
            .enumerate()
        {
            let framed = direct.frame.around(image, scratch);
            let residual = epilogue
                .residual
                .map(|all| &all[index * output_len..][..output_len]);
            for group in 0..groups {
                let start = group * columns;
                Job {
                    input: &framed[group * (planes / groups)..],
                    runs: &direct.runs,
                    length: direct.length,
                    panels: &packed[group * panels..][..panels],
                    columns,
                    bias: bias.map(|bias| &bias[start..]),
                    epilogue: Epilogue {
                        residual: residual.map(|residual| &residual[start..]),
                        ..epilogue
                    },
                }
                .run(direct.listed(), &mut out[start..]);
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
            ..
        } = self.geometry;
        match &self.kind {
            Kind::Product(plan) => plan.input_packed_len(),
            Kind::Direct(direct) => {
                let taps: usize = direct.classes.iter().map(|class| class.taps.len()).sum();
                groups * (planes / groups).div_ceil(COLUMNS) * COLUMNS * taps * (channels / groups)
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
        packed.fill(0.0);
        let mut rest = packed;
        for class in &direct.classes {
            for group in 0..groups {
                let inner = class.taps.len() * rows;
                let (here, after) = rest.split_at_mut(columns.div_ceil(COLUMNS) * COLUMNS * inner);
                rest = after;
                for (tap, [row, column]) in class.taps.iter().enumerate() {
                    let from = &weight[(row * kernel[1] + column) * columns * channels..];
                    for plane in 0..columns {
                        let panel = &mut here[plane / COLUMNS * COLUMNS * inner..];
                        let from = &from[plane * channels + group * rows..][..rows];
                        let to = panel[tap * rows * COLUMNS..].chunks_exact_mut(COLUMNS);
                        for (to, &value) in to.zip(from) {
                            to[plane % COLUMNS] = value;
                        }
                    }
                }
            }
        }
    }

    /// `dx`: for each input number the sum over the kernel's places, last to first, and the group's channels.
    pub fn input_gradient(&self, packed: &[f32], dy: &[f32], dx: &mut [f32], scratch: &mut [f32]) {
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
        let (rows, columns) = (channels / groups, planes / groups);
        for (dy, dx) in dy
            .chunks_exact(self.geometry.output_len())
            .zip(dx.chunks_exact_mut(self.geometry.input_len()))
        {
            let framed = direct.gradient_frame.around(dy, scratch);
            for &place in &direct.untouched {
                dx[place as usize..][..planes].fill(0.0);
            }
            let mut rest = packed;
            for class in &direct.classes {
                for group in 0..groups {
                    let inner = class.taps.len() * rows;
                    let (here, after) = rest.split_at(columns.div_ceil(COLUMNS) * COLUMNS * inner);
                    rest = after;
                    Job {
                        input: &framed[group * rows..],
                        runs: &class.runs,
                        length: class.length,
                        panels: here,
                        columns,
                        bias: None,
                        epilogue: Epilogue::default(),
                    }
                    .run(
                        Listed {
                            places: &class.places,
                            largest: class.largest,
                        },
                        &mut dx[group * columns..],
                    );
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
                .run(direct.listed(), &mut dw[start..]);
            }
        }
    }
}

impl Direct {
    fn new(geometry: Geometry) -> Self {
        let Geometry {
            planes,
            height,
            width,
            channels,
            kernel,
            stride,
            padding,
            groups,
        } = geometry;
        let [out_height, out_width] = [geometry.out_height(), geometry.out_width()];
        let frame = Frame {
            height,
            width,
            channels: planes,
            margin: padding,
        };
        let row = frame.row();
        let mut places = Vec::with_capacity(out_height * out_width);
        for y in 0..out_height {
            for x in 0..out_width {
                let base = y * stride[0] * row + x * stride[1] * planes;
                places.push([base as u32, ((y * out_width + x) * channels) as u32]);
            }
        }
        let inner = planes / groups;
        let mut offsets = Vec::with_capacity(kernel[0] * kernel[1] * inner);
        for y in 0..kernel[0] {
            for x in 0..kernel[1] {
                offsets.extend((0..inner).map(|plane| (y * row + x * planes + plane) as u32));
            }
        }
        let (runs, length) = runs(kernel, row, planes, inner);
        let mut direct = Self {
            largest: largest(&places),
            frame,
            places,
            runs,
            length,
            offsets,
            gradient_frame: Frame {
                height: out_height,
                width: out_width,
                channels,
                margin: [0; 4],
            },
            classes: Vec::new(),
            untouched: Vec::new(),
        };
        direct.list_classes(&geometry);
        direct
    }

    const fn listed(&self) -> Listed<'_> {
        Listed {
            places: self.places.as_slice(),
            largest: self.largest,
        }
    }

    /// Lists the input places by the part of the kernel that reaches them.
    fn list_classes(&mut self, geometry: &Geometry) {
        let Geometry {
            planes,
            width,
            channels,
            kernel,
            stride,
            padding,
            groups,
            ..
        } = *geometry;
        let down = Axis::new(
            geometry.height,
            self.gradient_frame.height,
            kernel[0],
            stride[0],
            padding[0],
        );
        let right = Axis::new(
            width,
            self.gradient_frame.width,
            kernel[1],
            stride[1],
            padding[1],
        );
        self.gradient_frame.margin = [
            down.margin[0],
            right.margin[0],
            down.margin[1],
            right.margin[1],
        ];
        let row = self.gradient_frame.row();
        for row_class in 0..stride[0] {
            for column_class in 0..stride[1] {
                let (row_taps, column_taps) = (down.taps(row_class), right.taps(column_class));
                let mut places = Vec::new();
                for (y, y_start) in down.members(row_class) {
                    for (x, x_start) in right.members(column_class) {
                        let input = ((y * width + x) * planes) as u32;
                        if row_taps.is_empty() || column_taps.is_empty() {
                            self.untouched.push(input);
                        } else {
                            places.push([(y_start * row + x_start * channels) as u32, input]);
                        }
                    }
                }
                if places.is_empty() {
                    continue;
                }
                let taps: Vec<[usize; 2]> = row_taps
                    .iter()
                    .flat_map(|&y| column_taps.iter().map(move |&x| [y, x]))
                    .collect();
                let reach = [row_taps.len(), column_taps.len()];
                let (runs, length) = runs(reach, row, channels, channels / groups);
                self.classes.push(Class {
                    largest: largest(&places),
                    places,
                    runs,
                    length,
                    taps,
                });
            }
        }
    }
}

/// The runs of a window over an image in channels-last order: whole rows where all channels take part.
fn runs(window: [usize; 2], row: usize, channels: usize, part: usize) -> (Vec<u32>, usize) {
    if part == channels {
        let runs = (0..window[0]).map(|y| (y * row) as u32).collect();
        return (runs, window[1] * channels);
    }
    let runs = (0..window[0])
        .flat_map(|y| (0..window[1]).map(move |x| (y * row + x * channels) as u32))
        .collect();
    (runs, part)
}

fn largest(places: &[[u32; 2]]) -> [u32; 2] {
    places.iter().fold([0, 0], |most, place| {
        [most[0].max(place[0]), most[1].max(place[1])]
    })
}

/// One direction of an input gradient: which outputs reach which inputs.
struct Axis {
    length: usize,
    kernel: usize,
    stride: usize,
    before: usize,
    /// Zeros that the outputs need before and after them.
    margin: [usize; 2],
}

impl Axis {
    fn new(length: usize, outputs: usize, kernel: usize, stride: usize, before: usize) -> Self {
        let mut axis = Self {
            length,
            kernel,
            stride,
            before,
            margin: [0, 0],
        };
        for class in 0..stride {
            let reach = axis.taps(class).len();
            if reach == 0 {
                continue;
            }
            for (_, last) in axis.last_outputs(class) {
                axis.margin[0] = axis.margin[0].max((reach - 1).saturating_sub(last));
                axis.margin[1] = axis.margin[1].max((last + 1).saturating_sub(outputs));
            }
        }
        axis
    }

    /// The kernel's places that reach inputs of a class, last to first.
    fn taps(&self, class: usize) -> Vec<usize> {
        (class..self.kernel).step_by(self.stride).rev().collect()
    }

    /// The inputs of a class, each with the last output that reads it (if there were no end to outputs).
    fn last_outputs(&self, class: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let Self {
            length,
            stride,
            before,
            ..
        } = *self;
        (0..length)
            .filter(move |input| (input + before) % stride == class)
            .map(move |input| (input, (input + before - class) / stride))
    }

    /// The inputs of a class, each with the first output that reads it, counted with the margin.
    fn members(&self, class: usize) -> Vec<(usize, usize)> {
        let reach = self.taps(class).len().max(1);
        self.last_outputs(class)
            .map(|(input, last)| (input, last + self.margin[0] + 1 - reach))
            .collect()
    }
}

#[cfg(test)]
mod tests;
