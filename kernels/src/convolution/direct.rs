//! A convolution as sums over runs of neighbouring numbers, one image at a time: nothing is unrolled (no im2col), the
//! addresses are listed when the plan is made; the loops are [`crate::correlation`]'s and [`crate::outer`]'s.

use super::Geometry;
use super::side::{Class, Side};
use crate::correlation::{COLUMNS, Epilogue, Job, Listed};
use crate::outer::Outer;
use crate::product::pack_columns;

/// What a direct convolution has worked out from its geometry.
#[derive(Debug, Clone)]
pub(super) struct Direct {
    geometry: Geometry,
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

impl Direct {
    pub(super) fn new(geometry: Geometry) -> Self {
        let Geometry {
            planes,
            height,
            width,
            channels,
            kernel,
            stride,
            ..
        } = geometry;
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
            geometry,
            forward: Side::forward(&geometry),
            backward: Side::backward(&geometry),
            frame,
            largest: places.last().copied().unwrap_or_default(),
            places,
            offsets,
        }
    }

    pub(super) fn packed_len(&self) -> usize {
        let Geometry {
            channels, groups, ..
        } = self.geometry;
        groups * (channels / groups).div_ceil(COLUMNS) * COLUMNS * self.offsets.len()
    }

    pub(super) fn pack(&self, weight: &[f32], packed: &mut [f32]) {
        let Geometry {
            channels, groups, ..
        } = self.geometry;
        let sizes = [self.offsets.len(), channels / groups];
        let each = packed.len() / groups;
        for (group, packed) in packed.chunks_exact_mut(each).enumerate() {
            pack_columns(&weight[group * sizes[1]..], channels, sizes, packed);
        }
    }

    pub(super) fn scratch_len(&self) -> usize {
        self.frame.len()
    }

    /// One image.
    pub(super) fn forward(
        &self,
        packed: &[f32],
        bias: Option<&[f32]>,
        image: &[f32],
        epilogue: Epilogue<'_>,
        out: &mut [f32],
    ) {
        let Geometry {
            planes,
            channels,
            groups,
            ..
        } = self.geometry;
        let (columns, panels) = (channels / groups, packed.len() / groups);
        for group in 0..groups {
            let start = group * columns;
            let bias = bias.map(|bias| &bias[start..]);
            let epilogue = Epilogue {
                residual: epilogue.residual.map(|residual| &residual[start..]),
                ..epilogue
            };
            for class in &self.forward.classes {
                Job {
                    input: &image[group * (planes / groups)..],
                    runs: &class.runs,
                    length: class.length,
                    panels: &packed[group * panels..][..panels],
                    inner: self.offsets.len(),
                    columns,
                    bias,
                    epilogue,
                }
                .run(class.listed(), &mut out[start..]);
            }
            for &place in &self.forward.empty {
                Job {
                    input: &[],
                    runs: &[],
                    length: 0,
                    panels: &packed[group * panels..][..panels],
                    inner: self.offsets.len(),
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

    pub(super) fn input_packed_len(&self) -> usize {
        let Geometry {
            planes,
            channels,
            groups,
            kernel,
            ..
        } = self.geometry;
        (planes / groups).div_ceil(COLUMNS) * COLUMNS * kernel[0] * kernel[1] * channels
    }

    pub(super) fn pack_input(&self, weight: &[f32], packed: &mut [f32]) {
        let Geometry {
            planes,
            channels,
            groups,
            kernel,
            ..
        } = self.geometry;
        let (rows, columns) = (channels / groups, planes / groups);
        let inner = self.backward.taps.len() * rows;
        packed.fill(0.0);
        let each = packed.len() / groups;
        for (group, packed) in packed.chunks_exact_mut(each).enumerate() {
            for (tap, [row, column]) in self.backward.taps.iter().enumerate() {
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

    /// For each input number the sum over the kernel's places, last to first, and the group's channels.
    pub(super) fn input_gradient(&self, packed: &[f32], dy: &[f32], dx: &mut [f32]) {
        let Geometry {
            planes,
            channels,
            groups,
            ..
        } = self.geometry;
        let (rows, columns, panels) = (channels / groups, planes / groups, packed.len() / groups);
        for &place in &self.backward.empty {
            dx[place as usize..][..planes].fill(0.0);
        }
        for group in 0..groups {
            for class in &self.backward.classes {
                Job {
                    input: &dy[group * rows..],
                    runs: &class.runs,
                    length: class.length,
                    panels: &packed[group * panels..][..panels],
                    inner: self.backward.taps.len() * rows,
                    columns,
                    bias: None,
                    epilogue: Epilogue::default(),
                }
                .run(class.listed(), &mut dx[group * columns..]);
            }
        }
    }

    /// Adds each weight's sum over one image's output places, in order, to `dw`.
    pub(super) fn weight_gradient(
        &self,
        image: &[f32],
        dy: &[f32],
        dw: &mut [f32],
        scratch: &mut [f32],
    ) {
        let Geometry {
            planes,
            channels,
            groups,
            ..
        } = self.geometry;
        let framed = self.frame.around(image, scratch);
        for group in 0..groups {
            let start = group * (channels / groups);
            Outer {
                input: &framed[group * (planes / groups)..],
                offsets: &self.offsets,
                gradient: &dy[start..],
                columns: channels / groups,
                stride: channels,
            }
            .run(
                Listed {
                    places: &self.places,
                    largest: self.largest,
                },
                &mut dw[start..],
            );
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
