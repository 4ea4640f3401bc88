//! Convolution of each channel with its own kernel, and its gradients, channels last; convolutions that mix channels are
//! `convolution`'s.
//!
//! Orders of summation, the same for every shape, tile and batch; cells outside the image are left out, not added as 0:
//! an output is its bias, then the kernel's places in row-major order;
//! an input's gradient is 0, then the outputs it went into in row-major order;
//! a weight's gradient is continued over images and the outputs of each in row-major order.
//!
//! Lanes run over channels. 3×3 and 5×5 kernels (strides 1 and 2 along the row) have loops of their own, which work on
//! four outputs of a row together; other kernels and channels below four take a plain one.

mod tiles;
mod weight;

use crate::activation::Activation;
use crate::elementwise::add_products;
use tiles::Row;

pub use weight::weight_gradient;

/// A depthwise convolution of `height × width` images: one kernel for each channel, weights `[row][column][channel]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Depthwise {
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// Channels, in and out.
    pub channels: usize,
    /// Rows and columns of a kernel.
    pub kernel: [usize; 2],
    /// Rows and columns from one output to the next, at least 1.
    pub stride: [usize; 2],
    /// Cells around the image: top, left, bottom, right.
    pub padding: [usize; 4],
}

impl Depthwise {
    /// Rows of an output; 0 where the kernel is larger than the padded image.
    #[must_use]
    pub const fn out_height(&self) -> usize {
        let padded = self.height + self.padding[0] + self.padding[2];
        outputs(padded, self.kernel[0], self.stride[0])
    }

    /// Columns of an output; 0 where the kernel is larger than the padded image.
    #[must_use]
    pub const fn out_width(&self) -> usize {
        let padded = self.width + self.padding[1] + self.padding[3];
        outputs(padded, self.kernel[1], self.stride[1])
    }

    /// Numbers of an image.
    #[must_use]
    pub const fn image_len(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Numbers of an image's output.
    #[must_use]
    pub const fn out_len(&self) -> usize {
        self.out_height() * self.out_width() * self.channels
    }

    /// Numbers of all kernels.
    #[must_use]
    pub const fn weight_len(&self) -> usize {
        self.kernel[0] * self.kernel[1] * self.channels
    }

    /// How an output row lies on the rows of the image.
    const fn rows(&self, out_row: usize) -> Cover {
        Cover::of(
            out_row,
            self.stride[0],
            self.padding[0],
            self.kernel[0],
            self.height,
        )
    }

    /// How an output column lies on the columns of the image.
    const fn columns(&self, out_column: usize) -> Cover {
        let [stride, padding] = [self.stride[1], self.padding[1]];
        Cover::of(out_column, stride, padding, self.kernel[1], self.width)
    }

    /// The output columns whose kernels lie inside the image along the row.
    fn interior(&self) -> std::ops::Range<usize> {
        let [_, left, ..] = self.padding;
        let first = left.div_ceil(self.stride[1]);
        let end = match (self.width + left).checked_sub(self.kernel[1]) {
            Some(last) => last / self.stride[1] + 1,
            None => 0,
        };
        let end = end.min(self.out_width());
        first.min(end)..end
    }

    fn images(&self, input: &[f32], out: &[f32], weight: &[f32]) -> usize {
        assert_eq!(weight.len(), self.weight_len(), "weights of {self:?}");
        let images = out.len().checked_div(self.out_len()).unwrap_or(0);
        assert_eq!(out.len(), images * self.out_len(), "outputs of {self:?}");
        assert_eq!(input.len(), images * self.image_len(), "images of {self:?}");
        images
    }
}

const fn outputs(padded: usize, kernel: usize, stride: usize) -> usize {
    match padded.checked_sub(kernel) {
        Some(rest) => rest / stride + 1,
        None => 0,
    }
}

/// The part of a kernel that lies inside the image, along one direction.
#[derive(Debug, Clone, Copy)]
struct Cover {
    /// The first place of the kernel that lies inside.
    from: usize,
    /// The place after the last.
    to: usize,
    /// The row or column of the image under `from`.
    at: usize,
}

impl Cover {
    const fn of(out: usize, stride: usize, padding: usize, kernel: usize, size: usize) -> Self {
        let start = out * stride;
        let from = padding.saturating_sub(start);
        let inside = (size + padding).saturating_sub(start);
        let to = if inside < kernel { inside } else { kernel };
        Self {
            from: if from < to { from } else { to },
            to,
            at: (start + from).saturating_sub(padding),
        }
    }

    const fn len(&self) -> usize {
        self.to - self.from
    }
}

/// `out = activation(bias + Σ weight · input)` for as many images as `out` has.
///
/// # Panics
/// Where a slice does not fit the shape.
pub fn forward(
    shape: &Depthwise,
    weight: &[f32],
    bias: Option<&[f32]>,
    input: &[f32],
    activation: Option<Activation>,
    out: &mut [f32],
) {
    if shape.images(input, out, weight) == 0 {
        return;
    }
    if let Some(bias) = bias {
        assert_eq!(bias.len(), shape.channels, "biases of {shape:?}");
    }
    let images = input.chunks_exact(shape.image_len());
    for (image, out) in images.zip(out.chunks_exact_mut(shape.out_len())) {
        for (row, out) in out
            .chunks_exact_mut(shape.out_width() * shape.channels)
            .enumerate()
        {
            // The cheap functions on sums before they are stored, the others on what was stored.
            let (fused, later) = match activation {
                Some(Activation::Relu | Activation::Relu6) => (activation, None),
                _ => (None, activation),
            };
            let bias = bias.unwrap_or(&[]);
            Row::new(shape, weight, bias, fused, image, row).compute::<false>(out);
            if let Some(activation) = later {
                activation.apply_in_place(out);
            }
        }
    }
}

/// The gradient of the input from that of the output; `dx` is overwritten.
///
/// # Panics
/// Where a slice does not fit the shape.
pub fn input_gradient(shape: &Depthwise, weight: &[f32], dy: &[f32], dx: &mut [f32]) {
    if shape.images(dx, dy, weight) == 0 {
        dx.fill(0.0);
        return;
    }
    let images = dx.chunks_exact_mut(shape.image_len());
    for (dx, dy) in images.zip(dy.chunks_exact(shape.out_len())) {
        match shape.reversed() {
            Some(reversed) => {
                let rows = dx.chunks_exact_mut(shape.width * shape.channels);
                for (row, dx) in rows.enumerate() {
                    Row::new(&reversed, weight, &[], None, dy, row).compute::<true>(dx);
                }
            }
            None => scatter(shape, weight, dy, dx),
        }
    }
}

impl Depthwise {
    /// With stride 1 an input's gradient is a convolution of the outputs' with the kernel turned round; `None` for other
    /// strides, and where padding is wider than the kernel.
    fn reversed(&self) -> Option<Self> {
        let [top, left, ..] = self.padding;
        let [rows, columns] = self.kernel;
        if self.stride != [1, 1] || top >= rows || left >= columns {
            return None;
        }
        let (height, width) = (self.out_height(), self.out_width());
        // What is missing at the end follows from the number of outputs, which are the cells of the image.
        let below = (self.height + top).checked_sub(height)?;
        let right = (self.width + left).checked_sub(width)?;
        Some(Self {
            height,
            width,
            padding: [rows - 1 - top, columns - 1 - left, below, right],
            ..*self
        })
    }
}

/// Each output's gradient times its kernel, added to the cells it came from, outputs in row-major order.
fn scatter(shape: &Depthwise, weight: &[f32], dy: &[f32], dx: &mut [f32]) {
    dx.fill(0.0);
    let channels = shape.channels;
    for (place, dy) in dy.chunks_exact(channels).enumerate() {
        let (row, column) = (place / shape.out_width(), place % shape.out_width());
        let (rows, columns) = (shape.rows(row), shape.columns(column));
        for tap in rows.from..rows.to {
            let first = (rows.at + tap - rows.from) * shape.width + columns.at;
            let weight = &weight[(tap * shape.kernel[1] + columns.from) * channels..];
            let count = columns.len() * channels;
            let dx = dx[first * channels..][..count].chunks_exact_mut(channels);
            for (dx, weight) in dx.zip(weight[..count].chunks_exact(channels)) {
                add_products(weight, dy, dx);
            }
        }
    }
}

#[cfg(test)]
mod tests;
