//! The inner loop of integer products and dense convolutions: runs of an input against packed columns, two numbers and
//! eight columns at a time; it knows no layers and allocates nothing.
//!
//! An output place `p` and a column `c` hold `bias[c] + Σᵣ Σₖ input[base(p) + run(r) + k] · weight[r, k, c]`. Runs have an
//! even length here: an odd one ends with a number that is multiplied by 0.
#![allow(
    unsafe_code,
    reason = "a bounds check for each operand would cost more than the product; `Job::check` proves the ranges once a call"
)]

use super::COLUMNS;
use super::requantize::Finish;
use crate::lanes::{I16x8, I32x4};

/// Places of a tile of two registers of columns: their sums take eight of sixteen registers.
const PLACES: usize = 4;

/// One correlation: everything but where its places are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) input: &'a [i16],
    /// Where each run starts, relative to a place's base.
    pub(super) runs: &'a [u32],
    /// Pairs of numbers in each run.
    pub(super) pairs: usize,
    /// `[⌈columns / 8⌉][runs][pairs][8][2]`, columns beyond the last are zero.
    pub(super) panels: &'a [i16],
    pub(super) columns: usize,
    /// One for each column, up to whole eights.
    pub(super) bias: &'a [i32],
}

/// Where places are in the input and in the output: one type for both kinds, because each would have all loops of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places<'a> {
    /// `(base, output)` of each, the last the largest; or none, where both are multiples.
    listed: &'a [[u32; 2]],
    count: usize,
    strides: [usize; 2],
}

impl<'a> Places<'a> {
    /// Rows of a matrix.
    pub(super) const fn rows(count: usize, strides: [usize; 2]) -> Self {
        Self {
            listed: &[],
            count,
            strides,
        }
    }

    /// Places that a plan has listed in ascending order.
    pub(super) const fn listed(listed: &'a [[u32; 2]]) -> Self {
        Self {
            listed,
            count: listed.len(),
            strides: [0; 2],
        }
    }

    /// Base and output of a place.
    #[inline(always)]
    fn at(self, place: usize) -> [usize; 2] {
        match self.listed.get(place) {
            Some(at) => at.map(|it| it as usize),
            None => self.strides.map(|stride| place * stride),
        }
    }
}

/// Sums of eight neighbouring columns.
trait Sums: Copy {
    fn from_halves(halves: [I32x4; 2]) -> Self;
    fn halves(self) -> [I32x4; 2];
    /// Two numbers, eight times side by side.
    fn splat(two: i32) -> Self;
    /// Eight columns' two weights.
    ///
    /// # Safety
    /// All sixteen are inside one slice; for [`Wide`] the processor has AVX2.
    unsafe fn read(from: *const i16) -> Self;
    /// Adds each column's two products.
    fn plus_dot(self, left: Self, right: Self) -> Self;
}

impl Sums for [I32x4; 2] {
    #[inline(always)]
    fn from_halves(halves: [I32x4; 2]) -> Self {
        halves
    }

    #[inline(always)]
    fn halves(self) -> [I32x4; 2] {
        self
    }

    #[inline(always)]
    fn splat(two: i32) -> Self {
        [I32x4::splat(two); 2]
    }

    #[inline(always)]
    unsafe fn read(from: *const i16) -> Self {
        // SAFETY: the caller's; an array of i16 is aligned wherever an i16 is.
        let both = unsafe { &*from.cast::<[[i16; 8]; 2]>() };
        [I16x8::load(&both[0]).pairs(), I16x8::load(&both[1]).pairs()]
    }

    #[inline(always)]
    fn plus_dot(self, left: Self, right: Self) -> Self {
        [
            self[0] + left[0].words().dot(right[0].words()),
            self[1] + left[1].words().dot(right[1].words()),
        ]
    }
}

/// One register of AVX2. Used only behind [`has_wide`], in functions that are compiled for it.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Wide(std::arch::x86_64::__m256i);

/// Whether this processor has AVX2.
#[cfg(target_arch = "x86_64")]
#[inline]
fn has_wide() -> bool {
    std::arch::is_x86_feature_detected!("avx2")
}

#[cfg(target_arch = "x86_64")]
impl Sums for Wide {
    #[inline(always)]
    fn from_halves(halves: [I32x4; 2]) -> Self {
        let mut all = [[0; 4]; 2];
        halves[0].store(&mut all[0]);
        halves[1].store(&mut all[1]);
        // SAFETY: eight integers are there.
        Self(unsafe { std::arch::x86_64::_mm256_loadu_si256(all.as_ptr().cast()) })
    }

    #[inline(always)]
    fn halves(self) -> [I32x4; 2] {
        let mut all = [[0; 4]; 2];
        // SAFETY: there is room for eight integers.
        unsafe { std::arch::x86_64::_mm256_storeu_si256(all.as_mut_ptr().cast(), self.0) };
        [I32x4::load(&all[0]), I32x4::load(&all[1])]
    }

    #[inline(always)]
    fn splat(two: i32) -> Self {
        // SAFETY: behind `has_wide`, as everything below.
        Self(unsafe { std::arch::x86_64::_mm256_set1_epi32(two) })
    }

    #[inline(always)]
    unsafe fn read(from: *const i16) -> Self {
        // SAFETY: the caller's.
        Self(unsafe { std::arch::x86_64::_mm256_loadu_si256(from.cast()) })
    }

    #[inline(always)]
    fn plus_dot(self, left: Self, right: Self) -> Self {
        use std::arch::x86_64::{_mm256_add_epi32, _mm256_madd_epi16};
        // SAFETY: see `splat`.
        Self(unsafe { _mm256_add_epi32(self.0, _mm256_madd_epi16(left.0, right.0)) })
    }
}

impl Job<'_> {
    /// Panics unless every number that the loops touch is inside its slice.
    fn check(&self, places: Places<'_>, len: usize) {
        let furthest = self.runs.iter().max().map_or(0, |&run| run as usize);
        assert!(
            places.at(places.count - 1)[0] + furthest + 2 * self.pairs <= self.input.len(),
            "a place reads beyond its input"
        );
        let panels = self.columns.div_ceil(COLUMNS);
        assert!(
            panels * self.panel_len() <= self.panels.len(),
            "panels are too short"
        );
        assert!(
            places.at(places.count - 1)[1] + self.columns <= len,
            "a place writes beyond its output"
        );
        assert!(
            panels * COLUMNS <= self.bias.len(),
            "a bias for each column"
        );
    }

    const fn panel_len(&self) -> usize {
        self.runs.len() * self.pairs * COLUMNS * 2
    }

    /// Computes every place.
    pub(super) fn run<F: Finish>(&self, places: Places<'_>, finish: F, out: &mut [F::Number]) {
        if places.count == 0 || self.columns == 0 {
            return;
        }
        self.check(places, out.len());
        finish.check(self.columns, out.len());
        #[cfg(target_arch = "x86_64")]
        if has_wide() {
            // SAFETY: the processor has AVX2.
            return unsafe { self.run_wide(places, finish, out) };
        }
        self.tiles::<[I32x4; 2], F, PLACES>(places, finish, out);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    unsafe fn run_wide<F: Finish>(&self, places: Places<'_>, finish: F, out: &mut [F::Number]) {
        self.tiles::<Wide, F, { 2 * PLACES }>(places, finish, out);
    }

    #[inline(always)]
    fn tiles<S: Sums, F: Finish, const HEIGHT: usize>(
        &self,
        places: Places<'_>,
        finish: F,
        out: &mut [F::Number],
    ) {
        let count = places.count;
        let whole = count - count % HEIGHT;
        for panel in 0..self.columns.div_ceil(COLUMNS) {
            for place in (0..whole).step_by(HEIGHT) {
                self.tile::<S, F, HEIGHT, 1>(places, place, panel, finish, out);
            }
        }
        // Places that are left go one by one, so more panels are taken at a time.
        for place in whole..count {
            self.single::<S, F>(places, place, finish, out);
        }
    }

    #[inline(always)]
    fn single<S: Sums, F: Finish>(
        &self,
        places: Places<'_>,
        place: usize,
        finish: F,
        out: &mut [F::Number],
    ) {
        let panels = self.columns.div_ceil(COLUMNS);
        let whole = panels - panels % PLACES;
        for panel in (0..whole).step_by(PLACES) {
            self.tile::<S, F, 1, PLACES>(places, place, panel, finish, out);
        }
        for panel in whole..panels {
            self.tile::<S, F, 1, 1>(places, place, panel, finish, out);
        }
    }

    #[inline(always)]
    fn tile<S: Sums, F: Finish, const HEIGHT: usize, const PANELS: usize>(
        &self,
        places: Places<'_>,
        place: usize,
        panel: usize,
        finish: F,
        out: &mut [F::Number],
    ) {
        let mut bases = [0; HEIGHT];
        for (row, base) in bases.iter_mut().enumerate() {
            *base = places.at(place + row)[0];
        }
        let mut sums = [[S::splat(0); HEIGHT]; PANELS];
        for (index, sums) in sums.iter_mut().enumerate() {
            let bias = &self.bias[(panel + index) * COLUMNS..];
            if let Some((&[low, high], _)) = bias.as_chunks::<4>().0.split_first_chunk() {
                *sums = [S::from_halves([I32x4::load(&low), I32x4::load(&high)]); HEIGHT];
            }
        }
        // SAFETY: `check` has shown that `base + run + 2·pairs` is inside the input for every base and run, and that all
        // panels are there.
        let sums = unsafe { self.continued(&bases, panel, sums) };
        for (index, sums) in sums.into_iter().enumerate() {
            let column = (panel + index) * COLUMNS;
            let width = COLUMNS.min(self.columns - column);
            for (row, sum) in sums.into_iter().enumerate() {
                let at = places.at(place + row)[1] + column;
                finish.store(sum.halves(), column, at, width, out);
            }
        }
    }

    /// The sums after every run.
    #[inline(always)]
    #[expect(
        clippy::needless_range_loop,
        reason = "loops of known length over indices become registers; iterators stay in memory natively"
    )]
    unsafe fn continued<S: Sums, const HEIGHT: usize, const PANELS: usize>(
        &self,
        bases: &[usize; HEIGHT],
        panel: usize,
        mut sums: [[S; HEIGHT]; PANELS],
    ) -> [[S; HEIGHT]; PANELS] {
        // SAFETY: the caller's.
        unsafe {
            let size = self.panel_len();
            let mut right = self.panels.as_ptr().add(panel * size);
            let input = self.input.as_ptr();
            for &run in self.runs {
                let mut left = [input; HEIGHT];
                for place in 0..HEIGHT {
                    left[place] = input.add(bases[place] + run as usize);
                }
                for _ in 0..self.pairs {
                    for panel in 0..PANELS {
                        let columns = S::read(right.add(panel * size));
                        for place in 0..HEIGHT {
                            let two = S::splat(left[place].cast::<i32>().read_unaligned());
                            sums[panel][place] = sums[panel][place].plus_dot(two, columns);
                        }
                    }
                    for place in 0..HEIGHT {
                        left[place] = left[place].add(2);
                    }
                    right = right.add(2 * COLUMNS);
                }
            }
            sums
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::requantize::Raw;
    use super::*;
    use crate::testing::drawn;

    #[test]
    fn registers_of_four_and_of_eight_lanes_give_the_same_sums() {
        for (count, inner, columns) in [
            (1, 8, 40),
            (2, 10, 17),
            (3, 6, 8),
            (13, 32, 10),
            (23, 64, 3),
        ] {
            let words = |count: usize, seed| -> Vec<i16> {
                (drawn(count, seed).iter())
                    .map(|it| (it * 127.0) as i16)
                    .collect()
            };
            let (input, panels) = (words(count * inner, 1), words(inner * 48, 2));
            let job = Job {
                input: &input,
                runs: &[0],
                pairs: inner / 2,
                panels: &panels,
                columns,
                bias: &[5; 48],
            };
            let rows = Places::rows(count, [inner, columns]);
            let mut wide = vec![0; count * columns];
            let mut narrow = vec![1; count * columns];
            job.run(rows, Raw, &mut wide);
            job.tiles::<[I32x4; 2], Raw, PLACES>(rows, Raw, &mut narrow);
            assert_eq!(wide, narrow);
            assert!(wide.iter().any(|&sum| sum != 5));
        }
    }

    #[test]
    #[should_panic(expected = "reads beyond")]
    fn a_run_beyond_its_input_is_refused() {
        let job = Job {
            input: &[0; 7],
            runs: &[0],
            pairs: 4,
            panels: &[0; 64],
            columns: 8,
            bias: &[0; 8],
        };
        let rows = Places::rows(1, [8, 8]);
        job.run(rows, Raw, &mut [0; 8]);
    }
}
