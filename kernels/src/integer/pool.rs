//! Pooling in integers, channels last: the largest of each window, the mean of each window, the mean over all places.
//!
//! Cells outside the image are no part of a window. A mean's sum, times 2⁸ so that a fraction such as ¼
//! has digits to spare, is requantized with a multiplier for its number of cells, of which there are at most 2¹⁵.

use super::COLUMNS;
use super::requantize::{Finish as _, Requantize};
use crate::lanes::{By, I16x8, I32x4};
use crate::pool::Pool;

/// The largest of each window. In and out have the same step.
#[inline(never)]
pub fn max(pool: &Pool, images: usize, input: &[i16], out: &mut [i16]) {
    let channels = pool.channels;
    let inputs = input.chunks_exact(pool.image_len()).take(images);
    for (image, out) in inputs.zip(out.chunks_exact_mut(pool.out_len())) {
        for (window, out) in pool.windows().zip(out.chunks_exact_mut(channels)) {
            for (first, out) in (0..).step_by(COLUMNS).zip(out.chunks_mut(COLUMNS)) {
                let mut largest = I16x8::splat(i16::MIN);
                for row in window.rows[0]..window.rows[1] {
                    for column in window.columns[0]..window.columns[1] {
                        let at = (row * pool.width + column) * channels + first;
                        largest = largest.max(I16x8::from_start(&image[at..at + out.len()]));
                    }
                }
                largest.write_to_start(out);
            }
        }
    }
}

/// Means over windows, ready to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Average {
    /// The windows.
    pub pool: Pool,
    /// Multipliers by the number of cells of a window, eight equal ones each; see `Requantize`.
    pub multipliers: Vec<[i32; COLUMNS]>,
    /// For all of them.
    pub shift: u32,
    /// The smallest and the largest result.
    pub range: [i16; 2],
}

impl Average {
    /// The mean of each window of so many images.
    #[inline(never)]
    pub fn forward(&self, images: usize, input: &[i16], out: &mut [i16]) {
        let pool = &self.pool;
        let channels = pool.channels;
        let inputs = input.chunks_exact(pool.image_len()).take(images);
        for (image, out) in inputs.zip(out.chunks_exact_mut(pool.out_len())) {
            for (window, out) in pool.windows().zip(out.chunks_exact_mut(channels)) {
                let cells = (window.rows[0]..window.rows[1]).flat_map(|row| {
                    (window.columns[0]..window.columns[1])
                        .map(move |column| row * pool.width + column)
                });
                let multipliers = &self.multipliers[cells.clone().count()];
                self.mean(image, channels, cells, multipliers, out);
            }
        }
    }

    #[inline(always)]
    fn mean(
        &self,
        image: &[i16],
        channels: usize,
        cells: impl Iterator<Item = usize> + Clone,
        multipliers: &[i32; COLUMNS],
        out: &mut [i16],
    ) {
        let finish = Requantize {
            multipliers,
            shift: self.shift,
            residual: None,
            range: self.range,
        };
        for (first, out) in (0..).step_by(COLUMNS).zip(out.chunks_mut(COLUMNS)) {
            let width = out.len();
            let read = |cell: usize| I16x8::from_start(&image[cell * channels + first..][..width]);
            let mut sums = [I32x4::splat(0); 2];
            for cell in cells.clone() {
                for (sum, part) in sums.iter_mut().zip(read(cell).widened()) {
                    *sum = *sum + part;
                }
            }
            finish.store(sums.map(|sum| sum << By::<8>), 0, 0, width, out);
        }
    }
}

/// The mean over all `places` of each channel; `average` has their multiplier at `places` and its pool is not looked at.
#[inline(never)]
pub fn global_average(
    average: &Average,
    [places, channels]: [usize; 2],
    input: &[i16],
    out: &mut [i16],
) {
    let multipliers = &average.multipliers[places];
    let images = input.chunks_exact(places * channels);
    for (image, out) in images.zip(out.chunks_exact_mut(channels)) {
        average.mean(image, channels, 0..places, multipliers, out);
    }
}
