//! One row of outputs of a depthwise convolution, several outputs at a time; which rows, and from what, is its caller's.

use super::{Cover, Depthwise};
use crate::activation::Activation;
use crate::elementwise::add_products;
use crate::lanes::{F32x4, Grid};

/// Fewer channels than this take the plain loop.
const CHANNELS: usize = 2 * F32x4::LANES;

/// Computes some outputs of a row from a column on.
type Tile<'a> = fn(&Row<'a>, usize, &mut [f32]);

/// What a row of outputs is computed from.
pub(super) struct Row<'a> {
    shape: &'a Depthwise,
    weight: &'a [f32],
    bias: &'a [f32],
    /// relu or relu6: the only ones that are applied here.
    activation: Option<Activation>,
    /// One image.
    image: &'a [f32],
    rows: Cover,
}

impl Row<'_> {
    /// Where the weights begin of a kernel's row and of those of its columns that lie inside the image; for a turned
    /// kernel they follow one another backwards.
    #[inline(always)]
    fn weight_at<const TURNED: bool>(&self, kernel_row: usize, columns: Cover) -> usize {
        let [height, width] = self.shape.kernel;
        let (row, column) = if TURNED {
            (height - 1 - kernel_row, width - columns.to)
        } else {
            (kernel_row, columns.from)
        };
        (row * width + column) * self.shape.channels
    }
}

impl<'a> Row<'a> {
    /// A row of outputs of one image; without biases sums start from 0.
    pub(super) fn new(
        shape: &'a Depthwise,
        weight: &'a [f32],
        bias: &'a [f32],
        activation: Option<Activation>,
        image: &'a [f32],
        row: usize,
    ) -> Self {
        Self {
            shape,
            weight,
            bias,
            activation,
            image,
            rows: shape.rows(row),
        }
    }

    /// Computes the row. `TURNED` takes each kernel's places in the opposite order, which is the order of ascending outputs
    /// when a gradient goes back.
    pub(super) fn compute<const TURNED: bool>(&self, out: &mut [f32]) {
        let inner = self.shape.interior();
        let [four, two]: [Tile<'a>; 2] = match (self.shape.kernel[1], self.shape.stride[1]) {
            _ if self.shape.channels < CHANNELS => {
                return self.plain::<TURNED>(0..self.shape.out_width(), out);
            }
            (3, 1) => [
                Self::tile::<TURNED, 1, 4, 1, 3, 6>,
                Self::tile::<TURNED, 2, 2, 1, 3, 4>,
            ],
            (3, 2) if !TURNED => [
                Self::tile::<false, 1, 4, 2, 3, 9>,
                Self::tile::<false, 2, 2, 2, 3, 5>,
            ],
            (5, 1) => [
                Self::tile::<TURNED, 1, 4, 1, 5, 8>,
                Self::tile::<TURNED, 2, 2, 1, 5, 6>,
            ],
            (5, 2) if !TURNED => [
                Self::tile::<false, 1, 4, 2, 5, 11>,
                Self::tile::<false, 2, 2, 2, 5, 7>,
            ],
            _ => return self.plain::<TURNED>(0..self.shape.out_width(), out),
        };
        self.one_by_one::<TURNED>(0..inner.start, out);
        let mut column = inner.start;
        while column + 4 <= inner.end {
            four(self, column, out);
            column += 4;
        }
        if column + 2 <= inner.end {
            two(self, column, out);
            column += 2;
        }
        self.one_by_one::<TURNED>(column..self.shape.out_width(), out);
    }

    /// Outputs one at a time; kernels may reach beyond the image's sides.
    fn one_by_one<const TURNED: bool>(&self, columns: std::ops::Range<usize>, out: &mut [f32]) {
        for column in columns {
            match self.shape.columns(column).len() {
                1 => self.tile::<TURNED, 2, 1, 1, 1, 1>(column, out),
                2 => self.tile::<TURNED, 2, 1, 1, 2, 2>(column, out),
                3 => self.tile::<TURNED, 2, 1, 1, 3, 3>(column, out),
                4 => self.tile::<TURNED, 2, 1, 1, 4, 4>(column, out),
                5 => self.tile::<TURNED, 2, 1, 1, 5, 5>(column, out),
                _ => self.plain::<TURNED>(column..column + 1, out),
            }
        }
    }

    /// `COUNT` outputs from `first` on, which lie on the same `TAPS` columns of their kernels, and so on
    /// `REACH = (COUNT − 1) · STRIDE + TAPS` cells of each row of the image.
    ///
    /// `VECTORS` times four channels are worked on together: with four outputs one vector gives enough sums to hide an
    /// addition by others and leaves registers for the cells; with fewer it takes two. Channels that fill no such block are
    /// the last block once more: the same numbers are written twice.
    #[inline(never)]
    fn tile<
        const TURNED: bool,
        const VECTORS: usize,
        const COUNT: usize,
        const STRIDE: usize,
        const TAPS: usize,
        const REACH: usize,
    >(
        &self,
        first: usize,
        out: &mut [f32],
    ) {
        let shape = self.shape;
        let channels = shape.channels;
        let columns = shape.columns(first);
        let out = &mut out[first * channels..];
        let last = channels - VECTORS * F32x4::LANES;
        let rows = self.rows.len();
        // A kernel that lies outside has no cells to look at.
        let from = if rows == 0 {
            0
        } else {
            (self.rows.at * shape.width + columns.at) * channels
        };
        let steps = [shape.width * channels, channels];
        let cells = Grid::<REACH>::new(&self.image[from..], rows, steps, channels);
        let top = if TURNED {
            self.rows.to.max(1) - 1
        } else {
            self.rows.from
        };
        let from = if rows == 0 {
            0
        } else {
            self.weight_at::<TURNED>(top, columns)
        };
        let steps = [shape.kernel[1] * channels, channels];
        let weights = Grid::<TAPS>::new(&self.weight[from..], rows, steps, channels);
        let mut channel = 0;
        loop {
            let bias = if self.bias.is_empty() {
                [F32x4::zero(); VECTORS]
            } else {
                F32x4::load_run(&self.bias[channel..])
            };
            let mut sums = bias.map(|bias| [bias; COUNT]);
            for row in 0..rows {
                let weight_row = if TURNED { rows - 1 - row } else { row };
                for (half, sums) in sums.iter_mut().enumerate() {
                    let channel = channel + half * F32x4::LANES;
                    let line: [F32x4; REACH] =
                        std::array::from_fn(|column| cells.load(row, column, channel));
                    for place in 0..TAPS {
                        let column = if TURNED { TAPS - 1 - place } else { place };
                        let weight = weights.load(weight_row, column, channel);
                        for index in 0..COUNT {
                            sums[index] = sums[index] + line[index * STRIDE + place] * weight;
                        }
                    }
                }
            }
            for (half, sums) in sums.into_iter().enumerate() {
                let sums = match self.activation {
                    Some(Activation::Relu) => sums.map(|sum| Activation::Relu.on_lanes(sum)),
                    Some(Activation::Relu6) => sums.map(|sum| Activation::Relu6.on_lanes(sum)),
                    _ => sums,
                };
                let out = &mut out[channel + half * F32x4::LANES..];
                F32x4::store_strided(sums, out, channels);
            }
            if channel == last {
                return;
            }
            channel = (channel + VECTORS * F32x4::LANES).min(last);
        }
    }

    /// Outputs one at a time, place by place of the kernel, for any kernel and any number of channels.
    fn plain<const TURNED: bool>(&self, out_columns: std::ops::Range<usize>, out: &mut [f32]) {
        let shape = self.shape;
        let channels = shape.channels;
        for out_column in out_columns {
            let columns = shape.columns(out_column);
            let out = &mut out[out_column * channels..][..channels];
            if self.bias.is_empty() {
                out.fill(0.0);
            } else {
                out.copy_from_slice(self.bias);
            }
            for tap in 0..self.rows.len() {
                let first = ((self.rows.at + tap) * shape.width + columns.at) * channels;
                let weights = self.weight_at::<TURNED>(self.rows.from + tap, columns);
                for place in 0..columns.len() {
                    let turned = if TURNED {
                        columns.len() - 1 - place
                    } else {
                        place
                    };
                    let weight = &self.weight[weights + turned * channels..][..channels];
                    let cell = &self.image[first + place * channels..][..channels];
                    add_products(cell, weight, out);
                }
            }
            if let Some(activation) = self.activation {
                activation.apply_in_place(out);
            }
        }
    }
}
