//! The gradient of a depthwise convolution's weights.

use super::{Cover, Depthwise};
use crate::elementwise::add_products;
use crate::lanes::F32x4;

/// Continues `dw + Σ input · dy` over images and the outputs of each in row-major order; weights `[row][column][channel]`.
///
/// # Panics
/// Where a slice does not fit the shape.
pub fn weight_gradient(shape: &Depthwise, input: &[f32], dy: &[f32], dw: &mut [f32]) {
    if shape.images(input, dy, dw) == 0 {
        return;
    }
    let row_len = shape.out_width() * shape.channels;
    let images = input.chunks_exact(shape.image_len());
    for (image, dy) in images.zip(dy.chunks_exact(shape.out_len())) {
        for (row, dy) in dy.chunks_exact(row_len).enumerate() {
            let row = Row {
                shape,
                image,
                rows: shape.rows(row),
                dy,
            };
            let whole = row.rows.len() == shape.kernel[0];
            match shape.kernel {
                [3, 3] if whole && shape.channels >= F32x4::LANES => row.whole::<3, 3>(dw),
                _ => row.plain(0..shape.out_width(), dw),
            }
        }
    }
}

/// One row of outputs and the rows of the image below it.
struct Row<'a> {
    shape: &'a Depthwise,
    image: &'a [f32],
    rows: Cover,
    dy: &'a [f32],
}

impl Row<'_> {
    /// Output by output, place by place of the kernel: any kernel, any number of channels.
    fn plain(&self, out_columns: std::ops::Range<usize>, dw: &mut [f32]) {
        let channels = self.shape.channels;
        for out_column in out_columns {
            let columns = self.shape.columns(out_column);
            let dy = &self.dy[out_column * channels..][..channels];
            let count = columns.len() * channels;
            for tap in 0..self.rows.len() {
                let cell = ((self.rows.at + tap) * self.shape.width + columns.at) * channels;
                let at = ((self.rows.from + tap) * self.shape.kernel[1] + columns.from) * channels;
                let dw = dw[at..][..count].chunks_exact_mut(channels);
                for (cell, dw) in self.image[cell..][..count].chunks_exact(channels).zip(dw) {
                    add_products(cell, dy, dw);
                }
            }
        }
    }

    /// All rows of the kernel lie inside the image: the gradients of four channels stay in registers along the row.
    #[inline(always)]
    fn whole<const ROWS: usize, const COLUMNS: usize>(&self, dw: &mut [f32]) {
        let shape = self.shape;
        let channels = shape.channels;
        let inner = shape.interior();
        self.plain(0..inner.start, dw);
        if !inner.is_empty() {
            let first = self.rows.at * shape.width + shape.columns(inner.start).at;
            let cells = &self.image[first * channels..];
            let dy = &self.dy[inner.start * channels..inner.end * channels];
            for channel in (0..channels / F32x4::LANES).map(|block| block * F32x4::LANES) {
                self.inner::<ROWS, COLUMNS>(&cells[channel..], &dy[channel..], &mut dw[channel..]);
            }
            // The channels that fill no four lanes.
            let rest = channels / F32x4::LANES * F32x4::LANES;
            for channel in rest..channels {
                self.inner_channel::<ROWS, COLUMNS>(
                    &cells[channel..],
                    &dy[channel..],
                    &mut dw[channel..],
                );
            }
        }
        self.plain(inner.end..shape.out_width(), dw);
    }

    /// Four channels of the outputs that lie inside along the row.
    #[inline(always)]
    fn inner<const ROWS: usize, const COLUMNS: usize>(
        &self,
        cells: &[f32],
        dy: &[f32],
        dw: &mut [f32],
    ) {
        let (channels, width) = (self.shape.channels, self.shape.width);
        let step = self.shape.stride[1] * channels;
        let mut sums: [[F32x4; COLUMNS]; ROWS] = std::array::from_fn(|row| {
            F32x4::load_strided(&dw[row * COLUMNS * channels..], channels)
        });
        let outputs = dy.len().div_ceil(channels);
        let rows: [&[f32]; ROWS] = std::array::from_fn(|row| &cells[row * width * channels..]);
        for out in 0..outputs {
            let dy = F32x4::from_slice(&dy[out * channels..]);
            for (row, sums) in rows.iter().zip(&mut sums) {
                let cells: [F32x4; COLUMNS] = F32x4::load_strided(&row[out * step..], channels);
                for (sum, cell) in sums.iter_mut().zip(cells) {
                    *sum = *sum + cell * dy;
                }
            }
        }
        for (row, sums) in sums.into_iter().enumerate() {
            F32x4::store_strided(sums, &mut dw[row * COLUMNS * channels..], channels);
        }
    }

    /// The same for one channel.
    fn inner_channel<const ROWS: usize, const COLUMNS: usize>(
        &self,
        cells: &[f32],
        dy: &[f32],
        dw: &mut [f32],
    ) {
        let (channels, width) = (self.shape.channels, self.shape.width);
        let step = self.shape.stride[1] * channels;
        for (out, dy) in dy.iter().step_by(channels).enumerate() {
            for row in 0..ROWS {
                for column in 0..COLUMNS {
                    let cell = cells[(row * width + column) * channels + out * step];
                    dw[(row * COLUMNS + column) * channels] += cell * dy;
                }
            }
        }
    }
}
