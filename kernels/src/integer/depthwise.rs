//! Depthwise convolutions in integers: a kernel for each channel, two of its places at a time, lanes over channels, and
//! neighbouring outputs of a row together, so that weights are loaded once for all of them.
#![allow(
    unsafe_code,
    reason = "a bounds check for each operand would cost more than the product; `Depthwise::forward` proves the ranges once an image"
)]

use super::COLUMNS;
use super::convolution::{frame_len, frame_row, framed};
use super::requantize::Finish;
use crate::convolution::Geometry;
use crate::lanes::{I16x8, I32x4};

/// A depthwise convolution that is ready to run.
#[derive(Debug, Clone)]
pub struct Depthwise {
    geometry: Geometry,
    /// Where each place of the kernel is relative to an output's base, an even number of them.
    taps: Vec<usize>,
}

impl Depthwise {
    /// Works out a convolution whose groups, planes and channels are as many.
    #[must_use]
    pub fn new(geometry: Geometry) -> Self {
        let row = frame_row(&geometry);
        let mut taps: Vec<usize> = (0..geometry.kernel[0])
            .flat_map(|y| (0..geometry.kernel[1]).map(move |x| y * row + x * geometry.planes))
            .collect();
        if taps.len() % 2 == 1 {
            // Multiplied by 0.
            taps.push(0);
        }
        Self { geometry, taps }
    }

    /// Its sizes.
    #[must_use]
    pub const fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// Numbers of the packed weight.
    #[must_use]
    pub fn packed_len(&self) -> usize {
        self.geometry.channels.next_multiple_of(COLUMNS) * self.taps.len()
    }

    /// Packs a weight `[channels][1][rows][columns]` as `[⌈channels / 8⌉][pairs of places][8][2]`.
    pub fn pack(&self, weight: &[i8], packed: &mut [i16]) {
        let places = self.geometry.kernel[0] * self.geometry.kernel[1];
        packed.fill(0);
        for channel in 0..self.geometry.channels {
            let panel = channel / COLUMNS * COLUMNS * self.taps.len();
            for tap in 0..places {
                let at = panel + (tap / 2 * COLUMNS + channel % COLUMNS) * 2 + tap % 2;
                packed[at] = weight[channel * places + tap].into();
            }
        }
    }

    /// Numbers that a call may use; what they are before does not matter.
    #[must_use]
    pub fn scratch_len(&self) -> usize {
        frame_len(&self.geometry)
    }

    /// Whole images one after another, `SLACK` numbers behind the last.
    pub(crate) fn forward<F: Finish>(
        &self,
        (packed, bias): (&[i16], &[i32]),
        images: usize,
        input: &[i16],
        finish: impl Fn(usize) -> F,
        out: &mut [F::Number],
        scratch: &mut [i16],
    ) {
        let Geometry {
            channels, stride, ..
        } = self.geometry;
        let row = frame_row(&self.geometry);
        let (out_height, out_width) = (self.geometry.out_height(), self.geometry.out_width());
        let length = self.geometry.output_len();
        let panel_len = COLUMNS * self.taps.len();
        for (image, out) in out.chunks_exact_mut(length).take(images).enumerate() {
            let image_len = self.geometry.input_len();
            let framed = framed(&self.geometry, &input[image * image_len..], scratch);
            let finish = finish(image);
            finish.check(channels, out.len());
            for (panel, weights) in packed.chunks_exact(panel_len).enumerate() {
                let column = panel * COLUMNS;
                let width = COLUMNS.min(channels - column);
                let bias = bias[column..].as_chunks::<4>().0;
                let first = [I32x4::load(&bias[0]), I32x4::load(&bias[1])];
                let mut tile = Tile {
                    taps: &self.taps,
                    furthest: self.taps.iter().copied().max().unwrap_or(0),
                    weights,
                    first,
                    step: stride[1] * channels,
                    framed,
                    base: 0,
                };
                for y in 0..out_height {
                    let mut x = 0;
                    while x < out_width {
                        tile.base = y * stride[0] * row + x * stride[1] * channels + column;
                        let at = (y * out_width + x) * channels + column;
                        let mut store = |index: usize, sums| {
                            finish.store(sums, column, at + index * channels, width, out);
                        };
                        if out_width - x >= TOGETHER {
                            tile.sums::<TOGETHER>()
                                .into_iter()
                                .enumerate()
                                .for_each(|(index, sums)| store(index, sums));
                            x += TOGETHER;
                        } else {
                            store(0, tile.sums::<1>()[0]);
                            x += 1;
                        }
                    }
                }
            }
        }
    }
}

/// Outputs of a row that are worked on together: their sums take eight registers.
const TOGETHER: usize = 4;

/// Neighbouring outputs of eight channels.
struct Tile<'a> {
    taps: &'a [usize],
    /// The largest of them.
    furthest: usize,
    /// `[pairs of places][8][2]`
    weights: &'a [i16],
    first: [I32x4; 2],
    /// From one output's base to the next.
    step: usize,
    framed: &'a [i16],
    /// The first output's.
    base: usize,
}

impl Tile<'_> {
    #[inline(always)]
    fn sums<const COUNT: usize>(&self) -> [[I32x4; 2]; COUNT] {
        let last = self.base + (COUNT - 1) * self.step + self.furthest;
        if last + I16x8::LANES > self.framed.len() {
            // The last channels of the last places, where an image has no slack.
            return self.careful();
        }
        let from = self.framed.as_ptr();
        let mut sums = [self.first; COUNT];
        let (taps, _) = self.taps.as_chunks::<2>();
        let (weights, _) = self.weights.as_chunks::<8>();
        for (two, weights) in taps.iter().zip(weights.as_chunks::<2>().0) {
            let weights = [I16x8::load(&weights[0]), I16x8::load(&weights[1])];
            for (index, sums) in sums.iter_mut().enumerate() {
                let base = self.base + index * self.step;
                // SAFETY: `base + tap + 8` is at most `last + 8`, which was found inside the image.
                let read = |tap: usize| I16x8::load(unsafe { &*from.add(base + tap).cast() });
                let numbers = read(two[0]).zip(read(two[1]));
                sums[0] = sums[0] + numbers[0].dot(weights[0]);
                sums[1] = sums[1] + numbers[1].dot(weights[1]);
            }
        }
        sums
    }

    fn careful<const COUNT: usize>(&self) -> [[I32x4; 2]; COUNT] {
        std::array::from_fn(|index| {
            let mut sums = self.first;
            let base = self.base + index * self.step;
            let (weights, _) = self.weights.as_chunks::<8>();
            let (taps, _) = self.taps.as_chunks::<2>();
            for (two, weights) in taps.iter().zip(weights.as_chunks::<2>().0) {
                let read = |tap: usize| {
                    let from = &self.framed[base + tap..];
                    I16x8::from_start(&from[..from.len().min(I16x8::LANES)])
                };
                let numbers = read(two[0]).zip(read(two[1]));
                for (half, sum) in sums.iter_mut().enumerate() {
                    *sum = *sum + numbers[half].dot(I16x8::load(&weights[half]));
                }
            }
            sums
        })
    }
}
