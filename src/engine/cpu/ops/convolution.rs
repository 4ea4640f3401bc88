//! A square convolution with stride 1 and zeros around, as a matrix product over unrolled patches, with its gradients.
//!
//! The patches of a few images at a time are written out as columns (im2col; Chellapilla, Puri and Simard 2006). How many
//! images are taken at a time changes no bit: every sum is continued in the same order.

use super::numbers;
use assay_kernels::matmul::{Matrix, add_product};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};

/// Numbers of unrolled patches held at a time: 256 KiB, which stays in the second cache.
const COLUMN_NUMBERS: usize = 65_536;

/// `x` `[batch, in, height, width]`, `weight` `[out, in, kernel, kernel]` with an odd kernel, `bias` `[out]` to
/// `[batch, out, height, width]`. Each sum starts from the bias and goes over `(in, row, column)` of the kernel in order.
///
/// # Errors
/// Where the shapes do not fit.
pub fn convolution(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    x.apply_op3(weight, bias, Convolution)
}

/// Sizes of one convolution.
#[derive(Clone, Copy)]
struct Sizes {
    batch: usize,
    planes: usize,
    height: usize,
    width: usize,
    channels: usize,
    kernel: usize,
}

impl Sizes {
    fn new(x: &Layout, weight: &Layout) -> Result<Self> {
        let (batch, planes, height, width) = x.shape().dims4()?;
        let (channels, wanted, kernel, kernel_width) = weight.shape().dims4()?;
        if wanted != planes || kernel != kernel_width || kernel % 2 == 0 {
            candle_core::bail!(
                "a {kernel}×{kernel_width} kernel for {wanted} planes on {planes} planes"
            );
        }
        Ok(Self {
            batch,
            planes,
            height,
            width,
            channels,
            kernel,
        })
    }

    /// Numbers of one plane.
    const fn area(&self) -> usize {
        self.height * self.width
    }

    /// Numbers that each output sums over.
    const fn patch(&self) -> usize {
        self.planes * self.kernel * self.kernel
    }

    /// The images taken at a time, as ranges.
    fn chunks(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        let batch = self.batch;
        let images = (COLUMN_NUMBERS / (self.patch() * self.area()).max(1)).max(1);
        (0..batch)
            .step_by(images)
            .map(move |start| start..(start + images).min(batch))
    }

    /// Where kernel column `shift` of a row of the image meets the image: the range of outputs, and the first input.
    fn overlap(&self, shift: usize, length: usize) -> (std::ops::Range<usize>, usize) {
        let pad = self.kernel / 2;
        let start = pad.saturating_sub(shift).min(length);
        let end = (length + pad).saturating_sub(shift).min(length).max(start);
        (start..end, (start + shift).saturating_sub(pad))
    }

    /// Calls `at(column offset, image offset, count)` for each run of numbers that the patches share with the images.
    fn each_run(&self, images: &std::ops::Range<usize>, mut at: impl FnMut(usize, usize, usize)) {
        let (area, outputs) = (self.area(), images.len() * self.area());
        for plane in 0..self.planes {
            for row_shift in 0..self.kernel {
                let (rows, first_row) = self.overlap(row_shift, self.height);
                for column_shift in 0..self.kernel {
                    let (columns, first_column) = self.overlap(column_shift, self.width);
                    if columns.is_empty() {
                        continue;
                    }
                    let patch = (plane * self.kernel + row_shift) * self.kernel + column_shift;
                    for (index, image) in images.clone().enumerate() {
                        for (step, row) in rows.clone().enumerate() {
                            at(
                                patch * outputs + index * area + row * self.width + columns.start,
                                (image * self.planes + plane) * area
                                    + (first_row + step) * self.width
                                    + first_column,
                                columns.len(),
                            );
                        }
                    }
                }
            }
        }
    }

    /// Patches of some images, `[patch, image × output]`; `columns` holds zeros wherever a patch leaves the image, and
    /// those places are the same for every chunk of one size.
    fn unroll(&self, x: &[f32], images: &std::ops::Range<usize>, columns: &mut [f32]) {
        self.each_run(images, |column, image, count| {
            columns[column..column + count].copy_from_slice(&x[image..image + count]);
        });
    }

    /// `[batch, channels, area]` of some images as `[channels, image × area]`.
    fn gather(&self, from: &[f32], images: &std::ops::Range<usize>, to: &mut [f32]) {
        let (area, count) = (self.area(), images.len());
        for (index, image) in images.clone().enumerate() {
            for channel in 0..self.channels {
                to[(channel * count + index) * area..][..area]
                    .copy_from_slice(&from[(image * self.channels + channel) * area..][..area]);
            }
        }
    }
}

struct Convolution;

impl CustomOp3 for Convolution {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let sizes = Sizes::new(x_layout, weight_layout)?;
        let (x, weight) = (numbers(x, x_layout)?, numbers(weight, weight_layout)?);
        let bias = numbers(bias, bias_layout)?;
        if bias.len() != sizes.channels {
            candle_core::bail!("a bias of {} for {} channels", bias.len(), sizes.channels);
        }
        let area = sizes.area();
        let mut out = vec![0.0; sizes.batch * sizes.channels * area];
        let (mut columns, mut product) = (Vec::new(), Vec::new());
        for images in sizes.chunks() {
            let outputs = images.len() * area;
            if columns.len() != sizes.patch() * outputs {
                columns = vec![0.0; sizes.patch() * outputs];
            }
            sizes.unroll(x, &images, &mut columns);
            product.clear();
            for &bias in bias {
                product.resize(product.len() + outputs, bias);
            }
            add_product(
                Matrix::new(weight, sizes.patch()),
                Matrix::new(&columns, outputs),
                &mut product,
                [sizes.channels, sizes.patch(), outputs],
            );
            for (index, image) in images.clone().enumerate() {
                for channel in 0..sizes.channels {
                    out[(image * sizes.channels + channel) * area..][..area]
                        .copy_from_slice(&product[channel * outputs + index * area..][..area]);
                }
            }
        }
        let shape = (sizes.batch, sizes.channels, sizes.height, sizes.width);
        Ok((CpuStorage::F32(out), shape.into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _bias: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        // The first layer's input is data: nobody asks for its gradient.
        let to_input = if x.track_op() {
            Some(gradient.apply_op2_no_bwd(weight, &InputGradient)?)
        } else {
            None
        };
        let kernel = weight.dim(3)?;
        Ok((
            to_input,
            Some(gradient.apply_op2_no_bwd(x, &WeightGradient { kernel })?),
            Some(gradient.apply_op1_no_bwd(&BiasGradient)?),
        ))
    }
}

/// `dx`: for each place the sum over `(out)` of each patch number, then over the patches in `(row, column)` order.
struct InputGradient;

impl CustomOp2 for InputGradient {
    fn name(&self) -> &'static str {
        "convolution input gradient"
    }

    fn cpu_fwd(
        &self,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (batch, channels, height, width) = gradient_layout.shape().dims4()?;
        let (_, planes, kernel, _) = weight_layout.shape().dims4()?;
        let sizes = Sizes {
            batch,
            planes,
            height,
            width,
            channels,
            kernel,
        };
        let gradient = numbers(gradient, gradient_layout)?;
        let weight = numbers(weight, weight_layout)?;
        let mut out = vec![0.0; batch * planes * sizes.area()];
        let (mut gathered, mut columns) = (Vec::new(), Vec::new());
        for images in sizes.chunks() {
            let outputs = images.len() * sizes.area();
            gathered.resize(channels * outputs, 0.0);
            sizes.gather(gradient, &images, &mut gathered);
            columns.clear();
            columns.resize(sizes.patch() * outputs, 0.0);
            add_product(
                Matrix::new(weight, sizes.patch()).transposed(),
                Matrix::new(&gathered, outputs),
                &mut columns,
                [sizes.patch(), channels, outputs],
            );
            sizes.each_run(&images, |column, image, count| {
                let sums = &mut out[image..image + count];
                for (sum, value) in sums.iter_mut().zip(&columns[column..column + count]) {
                    *sum += value;
                }
            });
        }
        let shape = (batch, planes, height, width);
        Ok((CpuStorage::F32(out), shape.into()))
    }
}

/// `dW`: the sum over `(image, row, column)` of the output, in order.
struct WeightGradient {
    kernel: usize,
}

impl CustomOp2 for WeightGradient {
    fn name(&self) -> &'static str {
        "convolution weight gradient"
    }

    fn cpu_fwd(
        &self,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
        x: &CpuStorage,
        x_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (batch, channels, height, width) = gradient_layout.shape().dims4()?;
        let (_, planes, _, _) = x_layout.shape().dims4()?;
        let sizes = Sizes {
            batch,
            planes,
            height,
            width,
            channels,
            kernel: self.kernel,
        };
        let gradient = numbers(gradient, gradient_layout)?;
        let x = numbers(x, x_layout)?;
        let mut out = vec![0.0; channels * sizes.patch()];
        let (mut gathered, mut columns) = (Vec::new(), Vec::new());
        for images in sizes.chunks() {
            let outputs = images.len() * sizes.area();
            gathered.resize(channels * outputs, 0.0);
            sizes.gather(gradient, &images, &mut gathered);
            if columns.len() != sizes.patch() * outputs {
                columns = vec![0.0; sizes.patch() * outputs];
            }
            sizes.unroll(x, &images, &mut columns);
            add_product(
                Matrix::new(&gathered, outputs),
                Matrix::new(&columns, outputs).transposed(),
                &mut out,
                [channels, outputs, sizes.patch()],
            );
        }
        let shape = (channels, planes, self.kernel, self.kernel);
        Ok((CpuStorage::F32(out), shape.into()))
    }
}

/// `db`: the sum over `(image, row, column)` of the output, in order.
struct BiasGradient;

impl CustomOp1 for BiasGradient {
    fn name(&self) -> &'static str {
        "convolution bias gradient"
    }

    fn cpu_fwd(&self, gradient: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, channels, height, width) = layout.shape().dims4()?;
        let mut out = vec![0.0; channels];
        let planes = numbers(gradient, layout)?.chunks_exact(height * width);
        for (index, plane) in planes.enumerate() {
            let sum = &mut out[index % channels];
            for value in plane {
                *sum += value;
            }
        }
        Ok((CpuStorage::F32(out), channels.into()))
    }
}
