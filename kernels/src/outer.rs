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
                self.column(&bases[..count], &panel, column, sums);
            }
        }
    }

    fn column(
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
                self.tile::<WEIGHTS, true>(bases, panel, at, sums);
            } else {
                self.tile::<WEIGHTS, false>(bases, panel, at, sums);
            }
        }
        let at = [self.offsets.len() - rest, column];
        match rest {
            1 => self.tile::<1, false>(bases, panel, at, sums),
            2 => self.tile::<2, false>(bases, panel, at, sums),
            3 => self.tile::<3, false>(bases, panel, at, sums),
            _ => {}
        }
    }

    /// Continues the sums of `HEIGHT` weights and one panel of columns; `SIDE_BY_SIDE` where their offsets follow each
    /// other, which spares an addition for each load.
    #[inline(always)]
    fn tile<const HEIGHT: usize, const SIDE_BY_SIDE: bool>(
        &self,
        bases: &[usize],
        panel: &[[f32; COLUMNS]; BLOCK],
        [weight, column]: [usize; 2],
        sums: &mut [f32],
    ) {
        let width = COLUMNS.min(self.columns - column);
        let mut tile: [[F32x4; 2]; HEIGHT] = std::array::from_fn(|row| {
            let from = (weight + row) * self.stride + column;
            pair(sums, from, from + width)
        });
        // SAFETY: `check` has shown that `base + offset` is inside the input for every place and weight.
        unsafe {
            let left: [*const f32; HEIGHT] = std::array::from_fn(|row| {
                self.input.as_ptr().add(self.offsets[weight + row] as usize)
            });
            for (&base, right) in bases.iter().zip(panel) {
                let right = [
                    F32x4::from_slice(&right[..4]),
                    F32x4::from_slice(&right[4..]),
                ];
                let first = left[0].add(base);
                for row in 0..HEIGHT {
                    let value = if SIDE_BY_SIDE {
                        *first.add(row)
                    } else {
                        *left[row].add(base)
                    };
                    let value = F32x4::splat(value);
                    for half in 0..2 {
                        tile[row][half] = tile[row][half] + value * right[half];
                    }
                }
            }
        }
        for (row, tile) in tile.into_iter().enumerate() {
            let to = (weight + row) * self.stride + column;
            store_pair(tile, &mut sums[to..to + width]);
        }
    }
}
