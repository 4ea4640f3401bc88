//! From a sum of 32 bits to a number of 8: one multiplication by a dyadic fraction, one rounding, one cut; no 64 bits.
//!
//! `out = min(max(⌊(⌊sum·m / 2¹⁶⌋ + r + 2^(s−1)) / 2^s⌋, low), high)` with a multiplier `m` below 2¹⁵ for each channel, a
//! shift `s` of 1 to 30 for the tensor, and of a residual `r = ⌊(number·k + 2^(q−1)) / 2^q⌋` or 0. The inner floor costs
//! nothing: `⌊(⌊a⌋ + n) / d⌋ = ⌊(a + n) / d⌋` for whole `n` and `d`, so without a residual this is `sum·m / 2^(16+s)`
//! rounded to the nearest, halves up. In halves of 16 bits `⌊sum·m / 2¹⁶⌋` is `high·m + ⌊low·m / 2¹⁶⌋`, which fits 32.

use super::COLUMNS;
use crate::lanes::{I16x8, I32x4};

/// A multiplier and a shift: about `multiplier / 2^shift`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dyadic {
    /// From 0 to 2¹⁵ − 1.
    pub multiplier: i32,
    /// What the product is shifted by.
    pub shift: u32,
}

/// What becomes of the sums of neighbouring columns.
pub(crate) trait Finish: Copy {
    /// A number of the output.
    type Number: Copy;

    /// Writes the sums of eight columns from `column` on to `out[at..]`, as many as there is `width` for.
    fn store(
        self,
        sums: [I32x4; 2],
        column: usize,
        at: usize,
        width: usize,
        out: &mut [Self::Number],
    );

    /// Panics where it does not fit so many columns and numbers.
    fn check(self, columns: usize, len: usize);
}

/// The sums as they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw;

impl Finish for Raw {
    type Number = i32;

    #[inline(always)]
    fn store(self, sums: [I32x4; 2], _: usize, at: usize, width: usize, out: &mut [i32]) {
        let mut eight = [[0; 4]; 2];
        for (sum, four) in sums.into_iter().zip(&mut eight) {
            sum.store(four);
        }
        out[at..at + width].copy_from_slice(&eight.as_flattened()[..width]);
    }

    fn check(self, _: usize, _: usize) {}
}

/// Numbers that are added before the rounding.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Residual<'a> {
    /// In the layout of the output.
    pub numbers: &'a [i16],
    /// Their step in parts of the sum's.
    pub factor: Dyadic,
}

/// Sums to numbers; see the module.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Requantize<'a> {
    /// One for each column, up to whole eights.
    pub multipliers: &'a [i32],
    /// From 1 to 30.
    pub shift: u32,
    /// What is added.
    pub residual: Option<Residual<'a>>,
    /// The smallest and the largest result, within −255 to 255.
    pub range: [i16; 2],
}

/// Half of what is shifted away.
#[inline(always)]
const fn half(shift: u32) -> i32 {
    if shift == 0 { 0 } else { 1 << (shift - 1) }
}

impl Requantize<'_> {
    /// One sum's result by the definition.
    #[cfg(test)]
    pub(crate) fn one(&self, sum: i32, column: usize, at: usize) -> i16 {
        let m = self.multipliers[column];
        let mut scaled = (sum >> 16) * m + (((sum & 0xffff) * m) >> 16);
        if let Some(Residual { numbers, factor }) = self.residual {
            scaled +=
                (i32::from(numbers[at]) * factor.multiplier + half(factor.shift)) >> factor.shift;
        }
        let rounded = (scaled + half(self.shift)) >> self.shift;
        rounded.clamp(self.range[0].into(), self.range[1].into()) as i16
    }

    /// Eight sums' results.
    #[inline(always)]
    pub(super) fn eight(&self, sums: [I32x4; 2], column: usize, at: usize, width: usize) -> I16x8 {
        let multipliers: &[i32; COLUMNS] = self.multipliers[column..]
            .first_chunk()
            .expect("whole eights of multipliers");
        let [low, high] = [
            &multipliers.as_chunks::<4>().0[0],
            &multipliers.as_chunks::<4>().0[1],
        ];
        let mut scaled = [
            sums[0].high_product(I32x4::load(low)),
            sums[1].high_product(I32x4::load(high)),
        ];
        if let Some(Residual { numbers, factor }) = self.residual {
            let numbers = I16x8::from_start(&numbers[at..at + width]);
            let multiplier = I32x4::splat(factor.multiplier).words();
            let rounding = I32x4::splat(half(factor.shift));
            let products = numbers.zip(I16x8::splat(0)).map(|two| two.dot(multiplier));
            for (scaled, product) in scaled.iter_mut().zip(products) {
                *scaled = *scaled + (product + rounding).shifted_right(factor.shift as i32);
            }
        }
        let rounding = I32x4::splat(half(self.shift));
        let rounded = scaled.map(|it| (it + rounding).shifted_right(self.shift as i32));
        I16x8::narrowed(rounded)
            .max(I16x8::splat(self.range[0]))
            .min(I16x8::splat(self.range[1]))
    }
}

impl Finish for Requantize<'_> {
    type Number = i16;

    #[inline(always)]
    fn store(self, sums: [I32x4; 2], column: usize, at: usize, width: usize, out: &mut [i16]) {
        let numbers = self.eight(sums, column, at, width);
        numbers.write_to_start(&mut out[at..at + width]);
    }

    fn check(self, columns: usize, len: usize) {
        assert!(
            self.multipliers.len() >= columns.next_multiple_of(COLUMNS),
            "a multiplier for each column"
        );
        assert!((1..=30).contains(&self.shift), "a shift of 1 to 30");
        assert!(
            (self.residual).is_none_or(|it| it.numbers.len() >= len && it.factor.shift <= 30),
            "a residual as long as its output"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_have_the_bits_of_the_definition_and_it_rounds_to_the_nearest() {
        let multipliers = [0, 1, 77, 16384, 20_000, 32767, 5, 30_000];
        let numbers = [255, -255, 0, 1, -1, 100, 7, -9];
        for shift in [1, 5, 12, 30] {
            for residual in [false, true] {
                let factor = Dyadic {
                    multiplier: 23_456,
                    shift: 9,
                };
                let finish = Requantize {
                    multipliers: &multipliers,
                    shift,
                    residual: residual.then_some(Residual {
                        numbers: &numbers,
                        factor,
                    }),
                    range: [-100, 140],
                };
                for base in [
                    0,
                    1,
                    -1,
                    123_456,
                    -98_765,
                    30_000_000,
                    -30_000_000,
                    i32::MAX - 9,
                ] {
                    let sums: [i32; 8] = std::array::from_fn(|lane| base + lane as i32);
                    let (low, high) = (sums.as_chunks().0[0], sums.as_chunks().0[1]);
                    let mut out = [0; 8];
                    let lanes = [I32x4::load(&low), I32x4::load(&high)];
                    finish.store(lanes, 0, 0, 8, &mut out);
                    for lane in 0..8 {
                        assert_eq!(out[lane], finish.one(sums[lane], lane, lane));
                        if !residual {
                            let exact = f64::from(sums[lane]) * f64::from(multipliers[lane])
                                / 2f64.powi(16 + shift as i32);
                            let nearest = (exact + 0.5).floor().clamp(-100.0, 140.0);
                            assert_eq!(f64::from(out[lane]), nearest, "{exact}");
                        }
                    }
                    // Another shift gives other numbers, where there are any to tell apart.
                    let other = Requantize {
                        shift: shift - 1,
                        ..finish
                    };
                    let differs = (0..8).any(|lane| out[lane] != other.one(sums[lane], lane, lane));
                    let tells = out
                        .iter()
                        .any(|it| it.abs() > 1 && (-100 < *it && *it < 140));
                    assert!(residual || differs || !tells, "{out:?}");
                }
            }
        }
    }
}
