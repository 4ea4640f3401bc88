//! Pooling of images, channels last: the maximum, the mean over a window, the mean over all places; and their gradients.
//!
//! Lanes run over channels. Cells outside the image are no part of a window: padding never wins a maximum and is not
//! counted in a mean. The first maximum of a window in row-major order takes the whole gradient, also where several are
//! equal; NaN is never larger than anything, so a window that starts with NaN gives NaN and another one ignores it.
//! A mean's sum starts from +0 and goes over the window in row-major order; a gradient's over outputs in row-major order.

use crate::elementwise::add_column_sums;
use crate::lanes::{F32x4, Grid};

/// A window that slides over `height × width` images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pool {
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// Channels, in and out.
    pub channels: usize,
    /// Rows and columns of the window, at least 1.
    pub size: [usize; 2],
    /// Rows and columns from one output to the next, at least 1.
    pub stride: [usize; 2],
    /// Cells around the image: top, left, bottom, right; each below the window's size.
    pub padding: [usize; 4],
}

/// The cells of the image in an output's window: never none, because padding is narrower than the window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// Rows of the image, from and to.
    pub(crate) rows: [usize; 2],
    /// Columns of the image, from and to.
    pub(crate) columns: [usize; 2],
}

impl Window {
    const fn cells(&self) -> usize {
        (self.rows[1] - self.rows[0]) * (self.columns[1] - self.columns[0])
    }
}

impl Pool {
    /// Rows of an output; 0 where the window is larger than the padded image.
    #[must_use]
    pub const fn out_height(&self) -> usize {
        let padded = self.height + self.padding[0] + self.padding[2];
        outputs(padded, self.size[0], self.stride[0])
    }

    /// Columns of an output; 0 where the window is larger than the padded image.
    #[must_use]
    pub const fn out_width(&self) -> usize {
        let padded = self.width + self.padding[1] + self.padding[3];
        outputs(padded, self.size[1], self.stride[1])
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

    /// The windows of an image in row-major order.
    pub(crate) fn windows(&self) -> impl Iterator<Item = Window> {
        let part = |out: usize, direction: usize, size: usize| {
            let start = out * self.stride[direction];
            let padding = self.padding[direction];
            let end = (start + self.size[direction]).saturating_sub(padding);
            [start.saturating_sub(padding), end.min(size)]
        };
        let shape = *self;
        (0..shape.out_height()).flat_map(move |row| {
            let rows = part(row, 0, shape.height);
            (0..shape.out_width()).map(move |column| Window {
                rows,
                columns: part(column, 1, shape.width),
            })
        })
    }

    fn images(&self, input: &[f32], out: &[f32]) -> usize {
        let [top, left, bottom, right] = self.padding;
        assert!(
            top.max(bottom) < self.size[0] && left.max(right) < self.size[1],
            "padding as wide as the window of {self:?}"
        );
        let images = out.len().checked_div(self.out_len()).unwrap_or(0);
        assert_eq!(out.len(), images * self.out_len(), "outputs of {self:?}");
        assert_eq!(input.len(), images * self.image_len(), "images of {self:?}");
        images
    }
}

const fn outputs(padded: usize, size: usize, stride: usize) -> usize {
    match padded.checked_sub(size) {
        Some(rest) => rest / stride + 1,
        None => 0,
    }
}

/// `count` numbers, at most four, from the start of a slice; +0 in the lanes beyond.
#[inline(always)]
fn load(from: &[f32], count: usize) -> F32x4 {
    if count == F32x4::LANES {
        F32x4::from_slice(from)
    } else {
        F32x4::from_rest(&from[..count])
    }
}

#[inline(always)]
fn store(value: F32x4, into: &mut [f32], count: usize) {
    if count == F32x4::LANES {
        value.write_to(into);
    } else {
        value.write_to_rest(&mut into[..count]);
    }
}

/// Calls `each(window, output's index, channel, lanes)` for every output of an image and every four channels of it.
#[inline(always)]
fn for_outputs(shape: &Pool, mut each: impl FnMut(Window, usize, usize, usize)) {
    for (place, window) in shape.windows().enumerate() {
        for channel in (0..shape.channels).step_by(F32x4::LANES) {
            let count = F32x4::LANES.min(shape.channels - channel);
            each(window, place * shape.channels + channel, channel, count);
        }
    }
}

impl Window {
    /// Where each cell's numbers begin, cells in row-major order.
    #[inline(always)]
    fn cells_at(self, shape: &Pool, channel: usize) -> impl Iterator<Item = usize> {
        let (width, channels) = (shape.width, shape.channels);
        (self.rows[0]..self.rows[1]).flat_map(move |row| {
            (self.columns[0]..self.columns[1])
                .map(move |column| (row * width + column) * channels + channel)
        })
    }
}

/// The largest cell of each window, for as many images as `out` has.
///
/// # Panics
/// Where a slice does not fit the shape, or padding is as wide as the window.
pub fn max(shape: &Pool, input: &[f32], out: &mut [f32]) {
    if shape.images(input, out) == 0 {
        return;
    }
    let images = input.chunks_exact(shape.image_len());
    for (image, out) in images.zip(out.chunks_exact_mut(shape.out_len())) {
        if shape.is_in_pairs() {
            max_of_pairs(shape, image, out);
            continue;
        }
        for_outputs(shape, |window, at, channel, count| {
            let cells = window.cells_at(shape, channel);
            let largest = cells
                .map(|cell| load(&image[cell..], count))
                .reduce(|largest, cell| cell.max(largest));
            store(largest.unwrap_or(F32x4::zero()), &mut out[at..], count);
        });
    }
}

/// The gradient of [`max`]'s input; `dx` is overwritten. The maxima are found again from the input.
///
/// # Panics
/// As for [`max`].
pub fn max_gradient(shape: &Pool, input: &[f32], dy: &[f32], dx: &mut [f32]) {
    assert_eq!(input.len(), dx.len(), "images and their gradients");
    dx.fill(0.0);
    if shape.images(input, dy) == 0 {
        return;
    }
    let images = input.chunks_exact(shape.image_len());
    let gradients = dy.chunks_exact(shape.out_len());
    for ((image, dy), dx) in images
        .zip(gradients)
        .zip(dx.chunks_exact_mut(shape.image_len()))
    {
        if shape.is_in_pairs() {
            max_of_pairs_gradient(shape, image, dy, dx);
            continue;
        }
        for_outputs(shape, |window, at, channel, count| {
            let dy = load(&dy[at..], count);
            let mut largest = F32x4::zero();
            // The winner's place among the cells, counted from 0.
            let mut winner = F32x4::zero();
            for (index, cell) in window.cells_at(shape, channel).enumerate() {
                let cell = load(&image[cell..], count);
                if index == 0 {
                    largest = cell;
                }
                winner = cell.gt(largest).select(F32x4::splat(index as f32), winner);
                largest = cell.max(largest);
            }
            for (index, cell) in window.cells_at(shape, channel).enumerate() {
                let won = winner.eq(F32x4::splat(index as f32)).keep(dy);
                let sum = load(&dx[cell..], count) + won;
                store(sum, &mut dx[cell..], count);
            }
        });
    }
}

/// The mean over each window's cells inside the image, for as many images as `out` has: the sum over their number.
///
/// # Panics
/// Where a slice does not fit the shape, or padding is as wide as the window.
pub fn average(shape: &Pool, input: &[f32], out: &mut [f32]) {
    if shape.images(input, out) == 0 {
        return;
    }
    let images = input.chunks_exact(shape.image_len());
    for (image, out) in images.zip(out.chunks_exact_mut(shape.out_len())) {
        for_outputs(shape, |window, at, channel, count| {
            let sum = window
                .cells_at(shape, channel)
                .fold(F32x4::zero(), |sum, cell| sum + load(&image[cell..], count));
            let mean = sum / F32x4::splat(window.cells() as f32);
            store(mean, &mut out[at..], count);
        });
    }
}

/// The gradient of [`average`]'s input; `dx` is overwritten.
///
/// # Panics
/// As for [`average`].
pub fn average_gradient(shape: &Pool, dy: &[f32], dx: &mut [f32]) {
    dx.fill(0.0);
    if shape.images(dx, dy) == 0 {
        return;
    }
    let gradients = dy.chunks_exact(shape.out_len());
    for (dy, dx) in gradients.zip(dx.chunks_exact_mut(shape.image_len())) {
        for_outputs(shape, |window, at, channel, count| {
            let share = load(&dy[at..], count) / F32x4::splat(window.cells() as f32);
            for cell in window.cells_at(shape, channel) {
                let sum = load(&dx[cell..], count) + share;
                store(sum, &mut dx[cell..], count);
            }
        });
    }
}

/// The mean of each channel over all `places` of an image, for as many images as `out` has rows of `channels`.
///
/// # Panics
/// Where the lengths do not fit.
pub fn global_average(places: usize, channels: usize, input: &[f32], out: &mut [f32]) {
    assert_eq!(input.len(), places * out.len(), "places of a mean");
    assert_eq!(out.len() % channels, 0, "whole rows of means");
    let count = places as f32;
    let images = input.chunks_exact(places * channels);
    for (image, out) in images.zip(out.chunks_exact_mut(channels)) {
        out.fill(0.0);
        add_column_sums(image, out);
        for mean in out {
            *mean /= count;
        }
    }
}

/// The gradient of [`global_average`]'s input; `dx` is overwritten.
///
/// # Panics
/// Where the lengths do not fit.
pub fn global_average_gradient(places: usize, channels: usize, dy: &[f32], dx: &mut [f32]) {
    assert_eq!(dx.len(), places * dy.len(), "places of a mean");
    assert_eq!(dy.len() % channels, 0, "whole rows of means");
    let count = places as f32;
    for (dy, dx) in dy
        .chunks_exact(channels)
        .zip(dx.chunks_exact_mut(places * channels))
    {
        let (first, rest) = dx.split_at_mut(channels);
        for (dx, dy) in first.iter_mut().zip(dy) {
            *dx = dy / count;
        }
        for place in rest.chunks_exact_mut(channels) {
            place.copy_from_slice(first);
        }
    }
}

impl Pool {
    /// Windows of 2×2 that lie side by side, and four channels or more: the common case has loops of its own.
    const fn is_in_pairs(&self) -> bool {
        matches!(
            (self.size, self.stride, self.padding),
            ([2, 2], [2, 2], [0, 0, 0, 0])
        ) && self.channels >= F32x4::LANES
    }
}

/// [`max`] of one image in 2×2 windows. Channels that fill no four lanes are the last four once more.
fn max_of_pairs(shape: &Pool, image: &[f32], out: &mut [f32]) {
    let (channels, line) = (shape.channels, shape.width * shape.channels);
    let last = channels - F32x4::LANES;
    let out_rows = out.chunks_exact_mut(shape.out_width() * channels);
    for (out, image) in out_rows.zip(image.chunks_exact(2 * line)) {
        for (index, out) in out.chunks_exact_mut(channels).enumerate() {
            let cells = Grid::<2>::new(
                &image[2 * index * channels..],
                2,
                [line, channels],
                channels,
            );
            let mut channel = 0;
            loop {
                let upper = cells.load(0, 1, channel).max(cells.load(0, 0, channel));
                let third = cells.load(1, 0, channel).max(upper);
                let largest = cells.load(1, 1, channel).max(third);
                largest.write_to(&mut out[channel..]);
                if channel == last {
                    break;
                }
                channel = (channel + F32x4::LANES).min(last);
            }
        }
    }
}

/// The gradient of [`max_of_pairs`]; no cell is in two windows, so each is written once (or twice the same).
fn max_of_pairs_gradient(shape: &Pool, image: &[f32], dy: &[f32], dx: &mut [f32]) {
    let (channels, line) = (shape.channels, shape.width * shape.channels);
    let last = channels - F32x4::LANES;
    let dy_rows = dy.chunks_exact(shape.out_width() * channels);
    let rows = image
        .chunks_exact(2 * line)
        .zip(dx.chunks_exact_mut(2 * line));
    for (dy, (image, dx)) in dy_rows.zip(rows) {
        let (upper, lower) = dx.split_at_mut(line);
        let columns = upper
            .chunks_exact_mut(2 * channels)
            .zip(lower.chunks_exact_mut(2 * channels));
        for (index, (dy, (upper, lower))) in dy.chunks_exact(channels).zip(columns).enumerate() {
            let cells = Grid::<2>::new(
                &image[2 * index * channels..],
                2,
                [line, channels],
                channels,
            );
            let mut channel = 0;
            loop {
                let dy = F32x4::from_slice(&dy[channel..]);
                let [a, b] = [cells.load(0, 0, channel), cells.load(0, 1, channel)];
                let [c, d] = [cells.load(1, 0, channel), cells.load(1, 1, channel)];
                // Whether each cell is larger than all before it; the last such cell wins.
                let second = b.gt(a);
                let largest = b.max(a);
                let third = c.gt(largest);
                let fourth = d.gt(c.max(largest));
                let zero = F32x4::zero();
                let upto_third = fourth.select(zero, dy);
                let upto_second = third.select(zero, upto_third);
                let gradients = [
                    second.select(zero, upto_second),
                    second.keep(upto_second),
                    third.keep(upto_third),
                    fourth.keep(dy),
                ];
                F32x4::store_strided(
                    [gradients[0], gradients[1]],
                    &mut upper[channel..],
                    channels,
                );
                F32x4::store_strided(
                    [gradients[2], gradients[3]],
                    &mut lower[channel..],
                    channels,
                );
                if channel == last {
                    break;
                }
                channel = (channel + F32x4::LANES).min(last);
            }
        }
    }
}

#[cfg(test)]
mod tests;
