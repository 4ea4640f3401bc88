//! The inner loop of every weight gradient: sums over places of an input's numbers times a gradient's numbers, four
//! weights by eight columns at a time; it knows no layers.
//!
//! `sums[k, c] += Σₚ input[base(p) + offset(k)] · gradient[p, c]`, the places in ascending order, every product and every
//! sum rounded to f32. Places are taken in blocks that stay in the first cache; a block continues the sums of the one
//! before it, so their size changes no bit.
#![allow(
    unsafe_code,
    reason = "a bounds check for each operand would cost more than the product; `check` proves the ranges once a call"
)]

use crate::correlation::{COLUMNS, Places, pair, store_pair};
use crate::eight::Eight;
#[cfg(target_arch = "x86_64")]
use crate::eight::{Wide, has_wide};
use crate::lanes::F32x4;

/// Weights of a tile.
const WEIGHTS: usize = 4;
/// Places of a block: few enough that their inputs stay in the first cache, enough to be worth loading a tile.
const BLOCK: usize = 128;

/// Everything but where the places are; their outputs are the places of `gradient`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outer<'a> {
    pub(crate) input: &'a [f32],
    /// Where each weight's number is, relative to a place's base.
    pub(crate) offsets: &'a [u32],
    pub(crate) gradient: &'a [f32],
    /// Numbers of a gradient's place that belong to these weights.
    pub(crate) columns: usize,
    /// Distance of two weights' rows in the sums.
    pub(crate) stride: usize,
}

impl Outer<'_> {
    fn check(&self, places: impl Places, sums: &[f32]) {
        let furthest = self
            .offsets
            .iter()
            .max()
            .map_or(0, |&offset| offset as usize);
        assert!(
            places.largest_base() + furthest < self.input.len(),
            "a place reads beyond its input"
        );
        assert!(
            places.largest_output() + self.columns <= self.gradient.len(),
            "a place reads beyond the gradient"
        );
        let rows = self.offsets.len();
        assert!(
            (rows - 1) * self.stride + self.columns <= sums.len(),
            "too few sums"
        );
        assert!(self.columns <= self.stride, "rows of sums overlap");
    }

    /// Adds every place's part to `sums`, `[offsets][stride]`.
    pub(crate) fn run(&self, places: impl Places, sums: &mut [f32]) {
        if places.count() == 0 || self.columns == 0 || self.offsets.is_empty() {
            return;
        }
        self.check(places, sums);
        #[cfg(target_arch = "x86_64")]
        if has_wide() {
            // SAFETY: the processor has AVX.
            return unsafe { self.run_wide(places, sums) };
        }
        self.blocks::<[F32x4; 2]>(places, sums);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx")]
    unsafe fn run_wide(&self, places: impl Places, sums: &mut [f32]) {
        self.blocks::<Wide>(places, sums);
    }

    #[inline(always)]
    fn blocks<E: Eight>(&self, places: impl Places, sums: &mut [f32]) {
        let mut panel = [[0.0; COLUMNS]; BLOCK];
        let mut bases = [0; BLOCK];
        for start in (0..places.count()).step_by(BLOCK) {
            let count = BLOCK.min(places.count() - start);
            for (place, base) in bases[..count].iter_mut().enumerate() {
                *base = places.base(start + place);
            }
            for column in (0..self.columns).step_by(COLUMNS) {
                // Side by side: strides of a power of two would fall on a few lines of the cache.
                let width = COLUMNS.min(self.columns - column);
                for (place, row) in panel[..count].iter_mut().enumerate() {
                    let from = places.output(start + place) + column;
                    if width == COLUMNS {
                        row.copy_from_slice(&self.gradient[from..from + COLUMNS]);
                    } else {
                        row[..width].copy_from_slice(&self.gradient[from..from + width]);
                        row[width..].fill(0.0);
                    }
                }
                self.column::<E>(&bases[..count], &panel, column, sums);
            }
        }
    }

    #[inline(always)]
    fn column<E: Eight>(
        &self,
        bases: &[usize],
        panel: &[[f32; COLUMNS]; BLOCK],
        column: usize,
        sums: &mut [f32],
    ) {
        let rest = self.offsets.len() % WEIGHTS;
        for (index, offsets) in self.offsets.chunks_exact(WEIGHTS).enumerate() {
            let at = [index * WEIGHTS, column];
            if offsets[WEIGHTS - 1] - offsets[0] == WEIGHTS as u32 - 1 {
                self.tile::<E, WEIGHTS, true>(bases, panel, at, sums);
            } else {
                self.tile::<E, WEIGHTS, false>(bases, panel, at, sums);
            }
        }
        let at = [self.offsets.len() - rest, column];
        match rest {
            1 => self.tile::<E, 1, false>(bases, panel, at, sums),
            2 => self.tile::<E, 2, false>(bases, panel, at, sums),
            3 => self.tile::<E, 3, false>(bases, panel, at, sums),
            _ => {}
        }
    }

    /// Continues the sums of `HEIGHT` weights and one panel of columns; `SIDE_BY_SIDE` where their offsets follow each
    /// other, which spares an addition for each load.
    #[inline(always)]
    #[expect(
        clippy::needless_range_loop,
        reason = "loops of known length over indices become registers; iterators stay in memory natively"
    )]
    fn tile<E: Eight, const HEIGHT: usize, const SIDE_BY_SIDE: bool>(
        &self,
        bases: &[usize],
        panel: &[[f32; COLUMNS]; BLOCK],
        [weight, column]: [usize; 2],
        sums: &mut [f32],
    ) {
        let width = COLUMNS.min(self.columns - column);
        let mut tile = [E::splat(0.0); HEIGHT];
        for row in 0..HEIGHT {
            let from = (weight + row) * self.stride + column;
            tile[row] = E::from_halves(pair(sums, from, from + width));
        }
        // SAFETY: `check` has shown that `base + offset` is inside the input for every place and weight.
        unsafe {
            let mut left = [self.input.as_ptr(); HEIGHT];
            for row in 0..HEIGHT {
                left[row] = left[row].add(self.offsets[weight + row] as usize);
            }
            for (&base, right) in bases.iter().zip(panel) {
                let right = E::read(right.as_ptr());
                let first = left[0].add(base);
                for row in 0..HEIGHT {
                    let value = if SIDE_BY_SIDE {
                        *first.add(row)
                    } else {
                        *left[row].add(base)
                    };
                    tile[row] = tile[row].plus_product(E::splat(value), right);
                }
            }
        }
        for row in 0..HEIGHT {
            let to = (weight + row) * self.stride + column;
            store_pair(tile[row].halves(), &mut sums[to..to + width]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlation::Rows;
    use crate::testing::{assert_bits, drawn};

    #[test]
    fn registers_of_four_and_of_eight_lanes_give_the_same_bits() {
        for (count, inner, columns) in [(1, 7, 40), (300, 9, 17), (5, 4, 8), (130, 3, 3)] {
            let (x, gradient) = (drawn(count * inner, 1), drawn(count * columns, 2));
            let offsets: Vec<u32> = (0..inner as u32).collect();
            let outer = Outer {
                input: &x,
                offsets: &offsets,
                gradient: &gradient,
                columns,
                stride: columns,
            };
            let rows = Rows {
                count,
                input_stride: inner,
                output_stride: columns,
            };
            let mut wide = drawn(inner * columns, 3);
            let mut narrow = wide.clone();
            outer.run(rows, &mut wide);
            outer.blocks::<[F32x4; 2]>(rows, &mut narrow);
            assert_bits(&wide, &narrow, "a weight gradient");
        }
    }
}
