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

use crate::correlation::{COLUMNS, Places, read};
use crate::lanes::F32x4;

/// Weights of a tile.
const WEIGHTS: usize = 4;
/// Numbers of input and gradient in one block of places: 16 KiB, half of a first cache.
const BLOCK_NUMBERS: usize = 4096;

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
        let block =
            (BLOCK_NUMBERS / (self.columns + self.offsets.len().min(self.columns)).max(1)).max(16);
        let mut edge = Vec::new();
        for start in (0..places.count()).step_by(block) {
            let range = start..(start + block).min(places.count());
            self.block(places, range, sums, &mut edge);
        }
    }

    fn block(
        &self,
        places: impl Places,
        range: std::ops::Range<usize>,
        sums: &mut [f32],
        edge: &mut Vec<f32>,
    ) {
        for column in (0..self.columns).step_by(COLUMNS) {
            let width = COLUMNS.min(self.columns - column);
            if width < COLUMNS {
                // The last columns of each place, side by side and filled up with zeros.
                edge.clear();
                edge.resize(range.len() * COLUMNS, 0.0);
                for (row, place) in edge.chunks_exact_mut(COLUMNS).zip(range.clone()) {
                    let from = places.output(place) + column;
                    row[..width].copy_from_slice(&self.gradient[from..from + width]);
                }
                let first = range.start;
                let at = |place: usize| (place - first) * COLUMNS;
                self.column(places, range.clone(), edge, at, column, sums);
            } else {
                let at = |place: usize| places.output(place) + column;
                self.column(places, range.clone(), self.gradient, at, column, sums);
            }
        }
    }

    #[inline(always)]
    fn column(
        &self,
        places: impl Places,
        range: std::ops::Range<usize>,
        gradient: &[f32],
        at: impl Fn(usize) -> usize + Copy,
        column: usize,
        sums: &mut [f32],
    ) {
        let mut weight = 0;
        while weight < self.offsets.len() {
            let range = range.clone();
            match self.offsets.len() - weight {
                1 => self.tile::<1>(places, range, gradient, at, [weight, column], sums),
                2 => self.tile::<2>(places, range, gradient, at, [weight, column], sums),
                3 => self.tile::<3>(places, range, gradient, at, [weight, column], sums),
                _ => self.tile::<WEIGHTS>(places, range, gradient, at, [weight, column], sums),
            }
            weight += WEIGHTS;
        }
    }

    #[inline(always)]
    fn tile<const HEIGHT: usize>(
        &self,
        places: impl Places,
        range: std::ops::Range<usize>,
        gradient: &[f32],
        at: impl Fn(usize) -> usize,
        [weight, column]: [usize; 2],
        sums: &mut [f32],
    ) {
        let width = COLUMNS.min(self.columns - column);
        let mut tile = [[F32x4::splat(0.0); 2]; HEIGHT];
        for (row, tile) in tile.iter_mut().enumerate() {
            let from = (weight + row) * self.stride + column;
            let mut eight = [0.0; COLUMNS];
            eight[..width].copy_from_slice(&sums[from..from + width]);
            *tile = [
                F32x4::from_slice(&eight[..4]),
                F32x4::from_slice(&eight[4..]),
            ];
        }
        // SAFETY: `check` has shown that `base + offset` is inside the input for every place and weight, and that eight
        // numbers of the gradient, or of the edge, are there for every place.
        unsafe {
            let left: [*const f32; HEIGHT] = std::array::from_fn(|row| {
                self.input.as_ptr().add(self.offsets[weight + row] as usize)
            });
            for place in range {
                let base = places.base(place);
                let right = gradient.as_ptr().add(at(place));
                let right = [read(right), read(right.add(4))];
                for row in 0..HEIGHT {
                    let value = F32x4::splat(*left[row].add(base));
                    for half in 0..2 {
                        tile[row][half] = tile[row][half] + value * right[half];
                    }
                }
            }
        }
        for (row, tile) in tile.into_iter().enumerate() {
            let to = (weight + row) * self.stride + column;
            let mut eight = [0.0; COLUMNS];
            let (first, second) = eight.split_at_mut(4);
            tile[0].write_to(first);
            tile[1].write_to(second);
            sums[to..to + width].copy_from_slice(&eight[..width]);
        }
    }
}
