//! Layer norms in integers, with an integer square root as in S. Kim et al., "I-BERT", 2021, arXiv 2101.01321, and sums with
//! constants. Only a sum of squares has more than 32 bits, in two halves.

use crate::lanes::{I16x8, I32x4};

/// Numbers of a token at most: their squares are added in 32 bits.
pub const WIDEST_NORM: usize = 2000;
/// Fewer numbers than this have no integers.
pub const NARROWEST_NORM: usize = 4;
/// Digits behind the point of a normalized number.
pub const NORM_DIGITS: u32 = 11;
/// Digits behind the point of [`LayerNorm::epsilon`].
pub const EPSILON_DIGITS: u32 = 6;

/// A layer norm. Of a token's numbers `c`, `d` of them: `mean = ⌊(64·Σc + ⌊d/2⌋) / d⌋`, `e = 64·c − mean`,
/// then `σ = √(Σe²/d + ε)` by an integer square root with 15 digits, `n = e / σ` with 11 digits
/// behind the point, within ±16, and `out = min(max(⌊(n·gain + offset + 2^(s−1)) / 2^s⌋, low), high)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerNorm {
    /// What each normalized number is multiplied by.
    pub gains: Vec<i16>,
    /// What is added, below 2³⁰ in size.
    pub offsets: Vec<i32>,
    /// `64²·ε / step²` of the input with 6 digits behind the point, below 2²⁶.
    pub epsilon: u32,
    /// `s`, from 1 to 22.
    pub shift: u32,
    /// The smallest and the largest result.
    pub range: [i16; 2],
}

impl LayerNorm {
    /// Token by token.
    #[inline(never)]
    pub fn forward(&self, x: &[i16], out: &mut [i16]) {
        let width = self.gains.len();
        for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            self.token(x, out);
        }
    }

    fn token(&self, x: &[i16], out: &mut [i16]) {
        let (eights, rest) = x.as_chunks::<8>();
        let mut sums = I32x4::splat(0);
        for eight in eights {
            sums = sums + I16x8::load(eight).dot(I16x8::splat(1));
        }
        let sum = total(sums) + rest.iter().map(|&it| i32::from(it)).sum::<i32>();
        let width = x.len() as i32;
        let mean = (64 * sum + width / 2).div_euclid(width);
        // In two halves of 32 bits; two squares are below 2³¹.
        let [mut high, mut low] = [I32x4::splat(0); 2];
        for eight in eights {
            let off = off(I16x8::load(eight), mean);
            let squares = off.dot(off);
            high = high + squares.shifted_right(16);
            low = low + (squares & I32x4::splat(0xffff));
        }
        let squares: i64 = (rest.iter().map(|&it| 64 * i32::from(it) - mean))
            .map(|off| i64::from(off * off))
            .sum();
        let squares = squares + (i64::from(total(high)) << 16) + i64::from(total(low));
        let [factor, shift] = self.inverse(squares.cast_unsigned(), x.len() as u32);
        let (outs, out_rest) = out.as_chunks_mut::<8>();
        let (gains, gains_rest) = self.gains.as_chunks::<8>();
        let (offsets, offsets_rest) = self.offsets.as_chunks::<8>();
        let [rounding, half] = [shift, self.shift as i32].map(|it| I32x4::splat(1 << (it - 1)));
        let [lowest, highest] = self.range.map(I16x8::splat);
        let (none, factors) = (I16x8::splat(0), I16x8::splat(factor as i16));
        for ((eight, out), (gains, offsets)) in
            (eights.iter().zip(outs)).zip(gains.iter().zip(offsets))
        {
            let products = off(I16x8::load(eight), mean).zip(none);
            let normal = products.map(|it| (it.dot(factors) + rounding).shifted_right(shift));
            let normal = I16x8::narrowed(normal).zip(none);
            let gains = I16x8::load(gains).zip(none);
            let offsets = offsets.as_chunks::<4>().0;
            let rounded = [0, 1].map(|it| {
                let sum = normal[it].dot(gains[it]) + I32x4::load(&offsets[it]) + half;
                sum.shifted_right(self.shift as i32)
            });
            (I16x8::narrowed(rounded).max(lowest).min(highest)).store(out);
        }
        for ((&it, out), (&gain, &offset)) in
            (rest.iter().zip(out_rest)).zip(gains_rest.iter().zip(offsets_rest))
        {
            let off = 64 * i32::from(it) - mean;
            let normal = ((off * factor + (1 << (shift - 1))) >> shift).clamp(-32_768, 32_767);
            let sum = normal * i32::from(gain) + offset + (1 << (self.shift - 1));
            let [low, high] = self.range.map(i32::from);
            *out = (sum >> self.shift).clamp(low, high) as i16;
        }
    }

    /// `1 / σ` as a factor below 2¹⁵ and what the product is shifted by.
    fn inverse(&self, squares: u64, width: u32) -> [i32; 2] {
        // Both parts of the variance with an even number of digits behind the point, as many as 31 bits hold.
        let room = squares.leading_zeros() as i32 - 33;
        let of_epsilon = self.epsilon.leading_zeros() as i32 - 2 + EPSILON_DIGITS as i32;
        let digits = room.min(of_epsilon).min(30) & !1;
        let shifted = |number: u64, digits: i32| -> u32 {
            let shifted = if digits >= 0 {
                number << digits
            } else {
                number >> -digits
            };
            shifted as u32
        };
        let epsilon = shifted(self.epsilon.into(), digits - EPSILON_DIGITS as i32);
        let variance = (shifted(squares, digits) / width + epsilon).max(1);
        let more = variance.leading_zeros().saturating_sub(2) & !1;
        let root = (variance << more).isqrt();
        let shift = 29 - NORM_DIGITS as i32 - (digits + more as i32) / 2;
        [((1 << 29) / root).min(32_767) as i32, shift.max(1)]
    }
}

/// Eight numbers' distances from a mean, in 64ths.
#[inline(always)]
fn off(x: I16x8, mean: i32) -> I16x8 {
    let factors = I32x4::splat(64 | -mean << 16).words();
    I16x8::narrowed(x.zip(I16x8::splat(1)).map(|two| two.dot(factors)))
}

/// The sum of all lanes.
#[inline(always)]
fn total(lanes: I32x4) -> i32 {
    let mut four = [0; 4];
    lanes.store(&mut four);
    four.iter().sum()
}

/// A number of its own added at each place of a row: `out = min(max(⌊(c·m + number + 2^(s−1)) / 2^s⌋, low), high)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offsets {
    /// `m`, below 2¹⁵.
    pub multiplier: i32,
    /// One for each number of a row, below 2³⁰ in size.
    pub numbers: Vec<i32>,
    /// `s`, from 1 to 22.
    pub shift: u32,
    /// The smallest and the largest result.
    pub range: [i16; 2],
}

impl Offsets {
    /// Row by row.
    #[inline(never)]
    pub fn forward(&self, x: &[i16], out: &mut [i16]) {
        let half = 1 << (self.shift - 1);
        let [low, high] = self.range.map(i32::from);
        let length = self.numbers.len();
        for (x, out) in x.chunks_exact(length).zip(out.chunks_exact_mut(length)) {
            for ((&x, out), &number) in x.iter().zip(out).zip(&self.numbers) {
                let sum = i32::from(x) * self.multiplier + number + half;
                *out = (sum >> self.shift).clamp(low, high) as i16;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::drawn;

    /// The norm in f64 of numbers with steps 1, and out in steps of `step`.
    /// Each with what a 128th of a step in the mean and half a digit of the normalized number move it by.
    fn reference(
        x: &[i16],
        gains: &[f64],
        offsets: &[f64],
        epsilon: f64,
        step: f64,
    ) -> Vec<[f64; 2]> {
        let count = x.len() as f64;
        let mean = x.iter().map(|&it| f64::from(it)).sum::<f64>() / count;
        let variance = x
            .iter()
            .map(|&it| (f64::from(it) - mean).powi(2))
            .sum::<f64>()
            / count;
        let inverse = 1.0 / (variance + epsilon).sqrt();
        (x.iter().zip(gains.iter().zip(offsets)))
            .map(|(&it, (gain, offset))| {
                let wanted = ((f64::from(it) - mean) * inverse * gain + offset) / step;
                [wanted, (inverse / 128.0 + 1.0 / 4096.0) * gain.abs() / step]
            })
            .collect()
    }

    #[test]
    fn a_norm_is_within_a_step_of_the_exact_one_whatever_its_spread() {
        for width in [4, 7, 64, 200, 2000] {
            for spread in [0.0, 0.6, 3.0, 40.0, 255.4] {
                for epsilon in [0.0_f64, 0.01, 20.0] {
                    let x: Vec<i16> = (drawn(width, 1).iter().zip(drawn(width, 2)))
                        .map(|(a, b)| (spread * a * b.abs()) as i16)
                        .collect();
                    let gains: Vec<f64> = drawn(width, 3).iter().map(|&it| f64::from(it)).collect();
                    let offsets: Vec<f64> =
                        drawn(width, 4).iter().map(|&it| f64::from(it)).collect();
                    let (step, shift) = (0.05, 18);
                    let told = |of: &[f64], digits: u32| -> Vec<i32> {
                        let scale = f64::from(1_u32 << digits) / step;
                        of.iter().map(|it| (it * scale).round() as i32).collect()
                    };
                    let norm = LayerNorm {
                        gains: (told(&gains, shift - NORM_DIGITS).iter())
                            .map(|&it| it as i16)
                            .collect(),
                        offsets: told(&offsets, shift),
                        epsilon: (4096.0 * epsilon * 64.0) as u32,
                        shift,
                        range: [-255, 255],
                    };
                    let mut out = vec![0; width];
                    norm.forward(&x, &mut out);
                    let wanted = reference(&x, &gains, &offsets, epsilon.max(1e-9), step);
                    for (&found, [wanted, moved]) in out.iter().zip(wanted) {
                        // Half a step, the mean and the digits, and a thousandth for the square root.
                        let bound = 0.501 + moved + 0.001 * wanted.abs();
                        let off = (f64::from(found) - wanted.clamp(-255.0, 255.0)).abs();
                        assert!(
                            off <= bound,
                            "{width} {spread} {epsilon}: {found} for {wanted}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_constant_token_is_its_offsets() {
        let norm = LayerNorm {
            gains: vec![30_000; 8],
            offsets: (0..8).map(|it| it << 18).collect(),
            epsilon: 1,
            shift: 18,
            range: [-5, 6],
        };
        let mut out = [9; 16];
        norm.forward(
            &[
                7, 7, 7, 7, 7, 7, 7, 7, -255, -255, -255, -255, -255, -255, -255, -255,
            ],
            &mut out,
        );
        assert_eq!(out[..8], [0, 1, 2, 3, 4, 5, 6, 6]);
        assert_eq!(out[8..], out[..8]);
    }

    #[test]
    fn offsets_are_added_in_the_output_s_steps() {
        let offsets = Offsets {
            multiplier: 16_384,
            numbers: vec![3 << 15, -1 << 14, 0],
            shift: 15,
            range: [-3, 100],
        };
        let mut out = [0; 6];
        offsets.forward(&[2, 5, 7, 255, -255, -1], &mut out);
        assert_eq!(out, [4, 2, 4, 100, -3, 0]);
    }
}
