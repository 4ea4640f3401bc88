//! The inner loop of every product and dense convolution: sums of runs of an input against packed columns, four places by
//! eight columns at a time; it knows no layers and allocates nothing.
//!
//! An output place `p` and a column `c` hold `bias[c] + Σᵣ Σₖ input[base(p) + run(r) + k] · panel[row(r) + k, c]`, summed in
//! the order of the runs and then of `k`, every product and every sum rounded to f32. Which places and columns are worked on
//! together changes no bit. A matrix product has one run; a convolution has one for each row of its kernel, because
//! neighbouring columns of an image in channels-last order are neighbours in memory (direct convolution; Zhang, Franchetti
//! and Low 2018, "High performance zero-memory overhead direct convolutions").
#![allow(
    unsafe_code,
    reason = "a bounds check for each operand would cost more than the product; `Job::check` proves the ranges once a call"
)]

use crate::activation::Activation;
use crate::eight::Eight;
#[cfg(target_arch = "x86_64")]
use crate::eight::{Wide, has_wide};
use crate::lanes::F32x4;

/// Columns that are packed side by side: two registers of four lanes.
pub(crate) const COLUMNS: usize = 8;
/// Places of a tile: with two registers of columns their sums take eight of the sixteen registers of SSE and simd128.
const PLACES: usize = 4;

/// What happens to a sum before it is stored: `rectifier(sum + residual)`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Epilogue<'a> {
    /// Numbers to add, in the layout of the output.
    pub residual: Option<&'a [f32]>,
    /// What is applied last.
    pub rectifier: Option<Rectifier>,
}

/// An activation that costs one or two operations, so that it is applied before a sum leaves its register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rectifier {
    /// `x` where `x > 0`, else 0; NaN gives 0.
    Relu,
    /// `relu(x)` where that is below 6, else 6.
    Relu6,
}

impl Rectifier {
    /// The activation that it is.
    #[must_use]
    pub const fn activation(self) -> Activation {
        match self {
            Self::Relu => Activation::Relu,
            Self::Relu6 => Activation::Relu6,
        }
    }

    #[inline(always)]
    pub(crate) fn on_lanes(self, x: F32x4) -> F32x4 {
        let positive = x.max(F32x4::zero());
        match self {
            Self::Relu => positive,
            Self::Relu6 => positive.min(F32x4::splat(6.0)),
        }
    }
}

/// One correlation: everything but where its places are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) input: &'a [f32],
    /// Where each run starts: relative to a place's base, and as a row of the panels.
    pub(crate) runs: &'a [[u32; 2]],
    /// Numbers of each run.
    pub(crate) length: usize,
    /// `[⌈columns / 8⌉][inner][8]`, columns beyond the last are zero.
    pub(crate) panels: &'a [f32],
    /// Rows of a panel.
    pub(crate) inner: usize,
    pub(crate) columns: usize,
    pub(crate) bias: Option<&'a [f32]>,
    pub(crate) epilogue: Epilogue<'a>,
}

/// Where places are: of `count` places, the base of place `p` in the input and its first number in the output.
pub(crate) trait Places: Copy {
    fn count(self) -> usize;
    /// No base is larger.
    fn largest_base(self) -> usize;
    /// No output place starts later.
    fn largest_output(self) -> usize;
    fn base(self, place: usize) -> usize;
    fn output(self, place: usize) -> usize;
}

/// Rows of a matrix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows {
    pub(crate) count: usize,
    pub(crate) input_stride: usize,
    pub(crate) output_stride: usize,
}

impl Places for Rows {
    fn count(self) -> usize {
        self.count
    }
    fn largest_base(self) -> usize {
        self.count.saturating_sub(1) * self.input_stride
    }
    fn largest_output(self) -> usize {
        self.count.saturating_sub(1) * self.output_stride
    }
    #[inline(always)]
    fn base(self, place: usize) -> usize {
        place * self.input_stride
    }
    #[inline(always)]
    fn output(self, place: usize) -> usize {
        place * self.output_stride
    }
}

/// Places that a plan has listed: `(base, output)` of each, and the largest of both.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listed<'a> {
    pub(crate) places: &'a [[u32; 2]],
    pub(crate) largest: [u32; 2],
}

impl Places for Listed<'_> {
    fn count(self) -> usize {
        self.places.len()
    }
    fn largest_base(self) -> usize {
        self.largest[0] as usize
    }
    fn largest_output(self) -> usize {
        self.largest[1] as usize
    }
    #[inline(always)]
    fn base(self, place: usize) -> usize {
        self.places[place][0] as usize
    }
    #[inline(always)]
    fn output(self, place: usize) -> usize {
        self.places[place][1] as usize
    }
}

impl Job<'_> {
    /// Panics unless every number that the loops touch is inside its slice.
    fn check(&self, places: impl Places, out: &[f32]) {
        let last = |side: usize| {
            let furthest = self.runs.iter().map(|run| run[side] as usize).max();
            furthest.unwrap_or(0) + self.length
        };
        assert!(
            places.largest_base() + last(0) <= self.input.len(),
            "a place reads beyond its input"
        );
        assert!(last(1) <= self.inner, "a run is longer than a panel");
        let panels = self.columns.div_ceil(COLUMNS);
        assert!(
            panels * self.inner * COLUMNS <= self.panels.len(),
            "panels are too short"
        );
        assert!(
            places.largest_output() + self.columns <= out.len(),
            "a place writes beyond its output"
        );
        assert!(
            self.bias.is_none_or(|bias| bias.len() >= self.columns),
            "a bias is too short"
        );
        assert!(
            self.epilogue
                .residual
                .is_none_or(|residual| residual.len() >= out.len()),
            "a residual is shorter than its output"
        );
    }

    /// Computes every place.
    pub(crate) fn run(&self, places: impl Places, out: &mut [f32]) {
        if places.count() == 0 || self.columns == 0 {
            return;
        }
        self.check(places, out);
        #[cfg(target_arch = "x86_64")]
        if has_wide() {
            // SAFETY: the processor has AVX.
            return unsafe { self.run_wide(places, out) };
        }
        self.tiles::<[F32x4; 2], PLACES>(places, out);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx")]
    unsafe fn run_wide(&self, places: impl Places, out: &mut [f32]) {
        self.tiles::<Wide, { 2 * PLACES }>(places, out);
    }

    #[inline(always)]
    fn tiles<E: Eight, const HEIGHT: usize>(&self, places: impl Places, out: &mut [f32]) {
        let count = places.count();
        let whole = count - count % HEIGHT;
        for panel in 0..self.columns.div_ceil(COLUMNS) {
            let first = self.first(panel);
            for place in (0..whole).step_by(HEIGHT) {
                self.tile::<E, HEIGHT, 1>(places, place, panel, [first], out);
            }
        }
        // What is left has fewer sums in flight per panel, so more panels are taken at a time.
        let mut place = whole;
        if count - place >= PLACES {
            self.rest::<E, PLACES, 1>(places, place, out);
            place += PLACES;
        }
        match count - place {
            1 => self.rest::<E, 1, 4>(places, place, out),
            2 => self.rest::<E, 2, 2>(places, place, out),
            3 => self.rest::<E, 3, 1>(places, place, out),
            _ => {}
        }
    }

    #[inline(always)]
    fn rest<E: Eight, const HEIGHT: usize, const PANELS: usize>(
        &self,
        places: impl Places,
        place: usize,
        out: &mut [f32],
    ) {
        let panels = self.columns.div_ceil(COLUMNS);
        let mut panel = 0;
        while panel + PANELS <= panels {
            let first = std::array::from_fn(|index| self.first(panel + index));
            self.tile::<E, HEIGHT, PANELS>(places, place, panel, first, out);
            panel += PANELS;
        }
        while panel < panels {
            self.tile::<E, HEIGHT, 1>(places, place, panel, [self.first(panel)], out);
            panel += 1;
        }
    }

    /// What the sums of a panel start from.
    #[inline(always)]
    fn first(&self, panel: usize) -> [F32x4; 2] {
        let start = panel * COLUMNS;
        self.bias
            .map_or([F32x4::zero(); 2], |bias| pair(bias, start, self.columns))
    }

    #[inline(always)]
    fn tile<E: Eight, const HEIGHT: usize, const PANELS: usize>(
        &self,
        places: impl Places,
        place: usize,
        panel: usize,
        first: [[F32x4; 2]; PANELS],
        out: &mut [f32],
    ) {
        let mut bases = [0; HEIGHT];
        for (row, base) in bases.iter_mut().enumerate() {
            *base = places.base(place + row);
        }
        let mut sums = [[E::from_halves(first[0]); HEIGHT]; PANELS];
        for (sums, first) in sums.iter_mut().zip(first) {
            *sums = [E::from_halves(first); HEIGHT];
        }
        // SAFETY: `check` has shown that `base + run + length` is inside the input for every base and run, and that all
        // panels are there.
        let sums = unsafe { self.continued(&bases, panel, sums) };
        for (index, sums) in sums.into_iter().enumerate() {
            let column = (panel + index) * COLUMNS;
            for (row, sum) in sums.into_iter().enumerate() {
                let at = places.output(place + row) + column;
                self.store(sum.halves(), at, column, out);
            }
        }
    }

    /// The sums after every run. Not unrolled: LLVM would load first and add later, and spill.
    #[inline(always)]
    #[expect(
        clippy::needless_range_loop,
        reason = "loops of known length over indices become registers; iterators stay in memory natively"
    )]
    unsafe fn continued<E: Eight, const HEIGHT: usize, const PANELS: usize>(
        &self,
        bases: &[usize; HEIGHT],
        panel: usize,
        mut sums: [[E; HEIGHT]; PANELS],
    ) -> [[E; HEIGHT]; PANELS] {
        // SAFETY: the caller's.
        unsafe {
            let size = self.inner * COLUMNS;
            let panels = self.panels.as_ptr().add(panel * size);
            let input = self.input.as_ptr();
            for &[run, row] in self.runs {
                let mut left = [input; HEIGHT];
                for place in 0..HEIGHT {
                    left[place] = input.add(bases[place] + run as usize);
                }
                let mut right = panels.add(row as usize * COLUMNS);
                for _ in 0..self.length {
                    for panel in 0..PANELS {
                        let columns = E::read(right.add(panel * size));
                        for place in 0..HEIGHT {
                            let value = E::splat(*left[place]);
                            sums[panel][place] = sums[panel][place].plus_product(value, columns);
                        }
                    }
                    for place in 0..HEIGHT {
                        left[place] = left[place].add(1);
                    }
                    right = right.add(COLUMNS);
                }
            }
            sums
        }
    }

    #[inline(always)]
    fn store(&self, mut sums: [F32x4; 2], at: usize, column: usize, out: &mut [f32]) {
        let width = COLUMNS.min(self.columns - column);
        if let Some(residual) = self.epilogue.residual {
            let residual = pair(residual, at, at + width);
            sums = [sums[0] + residual[0], sums[1] + residual[1]];
        }
        if let Some(rectifier) = self.epilogue.rectifier {
            sums = sums.map(|sum| rectifier.on_lanes(sum));
        }
        store_pair(sums, &mut out[at..at + width]);
    }
}

/// Eight numbers from `start` on; those from `end` on are zero.
#[inline(always)]
pub(crate) fn pair(values: &[f32], start: usize, end: usize) -> [F32x4; 2] {
    if let Some(eight) = values[start..].first_chunk::<8>()
        && end - start >= COLUMNS
    {
        return [
            F32x4::from_slice(&eight[..4]),
            F32x4::from_slice(&eight[4..]),
        ];
    }
    let mut eight = [0.0; COLUMNS];
    eight[..end - start].copy_from_slice(&values[start..end]);
    [
        F32x4::from_slice(&eight[..4]),
        F32x4::from_slice(&eight[4..]),
    ]
}

/// As many of eight numbers as `out` has room for.
#[inline(always)]
pub(crate) fn store_pair(values: [F32x4; 2], out: &mut [f32]) {
    if let Some(out) = out.first_chunk_mut::<8>() {
        let (first, second) = out.split_at_mut(4);
        values[0].write_to(first);
        values[1].write_to(second);
    } else {
        let mut all = [0.0; COLUMNS];
        let (first, second) = all.split_at_mut(4);
        values[0].write_to(first);
        values[1].write_to(second);
        out.copy_from_slice(&all[..out.len()]);
    }
}

/// Four numbers at a pointer.
///
/// # Safety
/// All four are inside one slice.
#[inline(always)]
pub(crate) unsafe fn read(from: *const f32) -> F32x4 {
    // SAFETY: the caller's; an array of f32 is aligned wherever an f32 is.
    F32x4::load(unsafe { &*from.cast::<[f32; 4]>() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_bits, drawn};

    #[test]
    fn registers_of_four_and_of_eight_lanes_give_the_same_bits() {
        for (count, inner, columns) in
            [(1, 7, 40), (2, 9, 17), (3, 5, 8), (13, 31, 10), (23, 64, 3)]
        {
            let (x, panels) = (drawn(count * inner, 1), drawn(inner * 48, 2));
            let bias = drawn(columns, 3);
            let job = Job {
                input: &x,
                runs: &[[0, 0]],
                length: inner,
                panels: &panels,
                inner,
                columns,
                bias: Some(&bias),
                epilogue: Epilogue {
                    residual: None,
                    rectifier: Some(Rectifier::Relu6),
                },
            };
            let rows = Rows {
                count,
                input_stride: inner,
                output_stride: columns,
            };
            let mut wide = vec![f32::NAN; count * columns];
            let mut narrow = wide.clone();
            job.run(rows, &mut wide);
            job.tiles::<[F32x4; 2], PLACES>(rows, &mut narrow);
            assert_bits(&wide, &narrow, "a correlation");
        }
    }
}
