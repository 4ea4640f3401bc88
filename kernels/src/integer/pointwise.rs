//! What is done to integers number by number: from and to f32, sums, tables, and another order of places and channels.
//!
//! At the edges each operation is one IEEE operation on one lane, never fused, so numbers come in and leave with the same
//! bits everywhere.

use super::requantize::Dyadic;
use crate::lanes::{F32x4, I16x8, I32x4};

/// 1.5·2²³: adding it to a number below 2²² leaves the nearest integer, ties to even, in the low bits.
const MAGIC: f32 = 12_582_912.0;

/// `out = [min(max(x·inverse, low), high)]`, rounded to the nearest, ties to even; NaN gives `low`.
#[inline(never)]
pub fn quantize(x: &[f32], inverse: f32, range: [i16; 2], out: &mut [i16]) {
    let [low, high] = range.map(|end| F32x4::splat(end.into()));
    let (factor, magic) = (F32x4::splat(inverse), F32x4::splat(MAGIC));
    let four = |x: F32x4| {
        // NaN is never larger than anything.
        let cut = (x * factor).max(low).min(high);
        (cut + magic).bits() - magic.bits()
    };
    let (eights, rest) = x.as_chunks::<8>();
    let (outs, out_rest) = out.as_chunks_mut::<8>();
    for (x, out) in eights.iter().zip(outs) {
        let both = [F32x4::from_slice(&x[..4]), F32x4::from_slice(&x[4..])];
        I16x8::narrowed(both.map(four)).store(out);
    }
    let mut last = [0.0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let both = [F32x4::from_slice(&last[..4]), F32x4::from_slice(&last[4..])];
    I16x8::narrowed(both.map(four)).write_to_start(&mut out_rest[..rest.len()]);
}

/// What [`quantize`] and [`dequantize`] make of numbers one after the other.
#[inline(never)]
pub fn rounded(x: &[f32], step: f32, range: [i16; 2], out: &mut [f32]) {
    let inverse = 1.0 / step;
    let [low, high] = range.map(f32::from);
    for (&x, out) in x.iter().zip(out) {
        let cut = x * inverse;
        let cut = if cut > low { cut } else { low };
        let cut = if cut < high { cut } else { high };
        *out = ((cut + MAGIC) - MAGIC) * step;
    }
}

/// Takes the gradient away where a number was cut off: the way back through [`rounded`].
#[inline(never)]
pub fn within_range(x: &[f32], inverse: f32, range: [i16; 2], gradient: &mut [f32]) {
    let [low, high] = range.map(f32::from);
    for (&x, gradient) in x.iter().zip(gradient) {
        let place = x * inverse;
        if !(place >= low && place <= high) {
            *gradient = 0.0;
        }
    }
}

/// `out = x·step`.
#[inline(never)]
pub fn dequantize(x: &[i16], step: f32, out: &mut [f32]) {
    let factor = F32x4::splat(step);
    let (eights, rest) = x.as_chunks::<8>();
    let (outs, out_rest) = out.as_chunks_mut::<8>();
    for (x, out) in eights.iter().zip(outs) {
        let [low, high] = I16x8::load(x).widened().map(|it| it.to_floats() * factor);
        low.write_to(&mut out[..4]);
        high.write_to(&mut out[4..]);
    }
    for (&x, out) in rest.iter().zip(out_rest) {
        *out = f32::from(x) * step;
    }
}

/// `out = sum·step` with a step for each of the columns of every row.
#[inline(never)]
pub fn scaled_sums(sums: &[i32], steps: &[f32], out: &mut [f32]) {
    let columns = steps.len();
    for (sums, out) in sums
        .chunks_exact(columns)
        .zip(out.chunks_exact_mut(columns))
    {
        for ((&sum, &step), out) in sums.iter().zip(steps).zip(out) {
            *out = sum as f32 * step;
        }
    }
}

/// The largest `|x|`, 0 for none; NaN is passed over.
#[must_use]
#[inline(never)]
pub fn largest(x: &[f32]) -> f32 {
    let (fours, rest) = x.as_chunks::<4>();
    let mut most = F32x4::from_rest(rest).abs().max(F32x4::zero());
    for four in fours {
        most = F32x4::load(four).abs().max(most);
    }
    (most.to_array().into_iter()).fold(0.0, |most, lane| if lane > most { lane } else { most })
}

/// `out = sum·(row·step) + bias` with a step and a bias for each column; three roundings.
#[inline(never)]
pub fn scaled_row(sums: &[i32], row: f32, [steps, bias]: [&[f32]; 2], out: &mut [f32]) {
    let columns = steps.len();
    let (steps, steps_rest) = steps.as_chunks::<4>();
    let (bias, bias_rest) = bias.as_chunks::<4>();
    let factor = F32x4::splat(row);
    for (sums, out) in sums
        .chunks_exact(columns)
        .zip(out.chunks_exact_mut(columns))
    {
        let (sums, sums_rest) = sums.as_chunks::<4>();
        let (out, out_rest) = out.as_chunks_mut::<4>();
        for ((sums, out), (step, bias)) in sums.iter().zip(out).zip(steps.iter().zip(bias)) {
            let step = factor * F32x4::load(step);
            (I32x4::load(sums).to_floats() * step + F32x4::load(bias)).store(out);
        }
        for ((&sum, out), (&step, &bias)) in
            (sums_rest.iter().zip(out_rest)).zip(steps_rest.iter().zip(bias_rest))
        {
            *out = sum as f32 * (row * step) + bias;
        }
    }
}

/// The sum of two tensors: `out = min(max(⌊(a·m + b·k + 2^(s−1)) / 2^s⌋, low), high)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Add {
    /// `m` and `k`, each below 2¹⁵.
    pub multipliers: [i32; 2],
    /// `s`, from 1 to 30.
    pub shift: u32,
    /// The smallest and the largest result.
    pub range: [i16; 2],
}

impl Add {
    /// Two numbers' result.
    #[must_use]
    pub fn one(&self, a: i16, b: i16) -> i16 {
        let sum = i32::from(a) * self.multipliers[0] + i32::from(b) * self.multipliers[1];
        let rounded = (sum + (1 << (self.shift - 1))) >> self.shift;
        rounded.clamp(self.range[0].into(), self.range[1].into()) as i16
    }

    /// Number by number.
    #[inline(never)]
    pub fn forward(&self, a: &[i16], b: &[i16], out: &mut [i16]) {
        let multipliers = I32x4::splat(self.multipliers[0] | self.multipliers[1] << 16).words();
        let rounding = I32x4::splat(1 << (self.shift - 1));
        let [low, high] = self.range.map(I16x8::splat);
        let parts = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0);
        let (outs, out_rest) = out.as_chunks_mut::<8>();
        for ((a, b), out) in parts.zip(outs) {
            let rounded = I16x8::load(a)
                .zip(I16x8::load(b))
                .map(|two| (two.dot(multipliers) + rounding).shifted_right(self.shift as i32));
            I16x8::narrowed(rounded).max(low).min(high).store(out);
        }
        let rest = a.as_chunks::<8>().1.iter().zip(b.as_chunks::<8>().1);
        for ((&a, &b), out) in rest.zip(out_rest) {
            *out = self.one(a, b);
        }
    }
}

/// Numbers that a table is asked for at most: from −256 to 255.
const NUMBERS: usize = 512;

/// A function of an 8-bit number by a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look(Box<[i16; NUMBERS]>);

impl Look {
    /// With what becomes of `low`, `low + 1`, and so on; numbers beyond count as the ends.
    #[must_use]
    pub fn new(low: i16, table: &[i16]) -> Self {
        let entry = |number: usize| {
            let index = number as i32 - NUMBERS as i32 / 2 - i32::from(low);
            table[index.clamp(0, table.len() as i32 - 1) as usize]
        };
        Self(Box::new(std::array::from_fn(entry)))
    }

    /// What becomes of a number from −256 to 255.
    #[inline(always)]
    #[must_use]
    pub fn one(&self, number: i16) -> i16 {
        self.0[(i32::from(number) + NUMBERS as i32 / 2) as usize % NUMBERS]
    }

    /// Number by number.
    #[inline(never)]
    pub fn forward(&self, x: &[i16], out: &mut [i16]) {
        for (&x, out) in x.iter().zip(out) {
            *out = self.one(x);
        }
    }
}

/// `[places][channels]` to `[channels][places]`, of one row.
#[inline(never)]
pub fn transpose(x: &[i16], channels: usize, out: &mut [i16]) {
    let places = x.len() / channels;
    for (place, x) in x.chunks_exact(channels).enumerate() {
        for (channel, &value) in x.iter().enumerate() {
            out[channel * places + place] = value;
        }
    }
}

/// The dyadic fraction nearest to a factor of at least 0, its multiplier with fifteen digits where the factor allows: below
/// 2¹⁵, the shift at most `most`.
impl Dyadic {
    /// See above.
    #[must_use]
    pub fn nearest(factor: f64, most: u32) -> Self {
        let mut shift = most;
        while shift > 0 && (factor * f64::from(1_u32 << shift)).round() > 32767.0 {
            shift -= 1;
        }
        let multiplier = (factor * f64::from(1_u32 << shift)).round().min(32767.0) as i32;
        Self { multiplier, shift }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::drawn;

    fn numbers(count: usize, seed: u64) -> Vec<i16> {
        (drawn(count, seed).iter())
            .map(|value| (value * 255.4) as i16)
            .collect()
    }

    #[test]
    fn numbers_come_in_rounded_to_the_nearest_and_leave_in_steps() {
        let x = [
            0.0,
            0.5,
            1.5,
            -0.5,
            2.49,
            1e9,
            -1e9,
            f32::NAN,
            f32::INFINITY,
            7.0,
            -3.5,
        ];
        let mut out = [0; 11];
        quantize(&x, 1.0, [-100, 155], &mut out);
        assert_eq!(out, [0, 0, 2, 0, 2, 155, -100, -100, 155, 7, -4]);
        let mut both = [0.0; 11];
        rounded(&x, 1.0, [-100, 155], &mut both);
        assert_eq!(both, out.map(f32::from));
        let mut gradient = [1.0; 11];
        within_range(&x, 1.0, [-100, 155], &mut gradient);
        assert_eq!(
            gradient.map(|it| it as i32),
            [1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1]
        );
        let mut back = [0.0; 11];
        dequantize(&out, 0.25, &mut back);
        assert_eq!(back, out.map(|it| f32::from(it) * 0.25));
        let mut scaled = [0.0; 4];
        scaled_sums(&[3, -5, 16_777_217, 2], &[0.5, 0.25], &mut scaled);
        assert_eq!(scaled, [1.5, -1.25, 8_388_608.0, 0.5]);
        scaled_row(
            &[3, -5, 7, 2],
            0.5,
            [&[0.5, 0.25], &[1.0, 2.0]],
            &mut scaled,
        );
        assert_eq!(scaled, [1.75, 1.375, 2.75, 2.25]);
        assert_eq!(largest(&[1.0, -7.0, f32::NAN, 2.0, 3.0, -9.0]), 9.0);
        assert_eq!(largest(&[]), 0.0);
    }

    #[test]
    fn sums_tables_and_orders_have_the_numbers_of_their_definitions() {
        let (a, b) = (numbers(37, 1), numbers(37, 2));
        let add = Add {
            multipliers: [20_000, 12_345],
            shift: 14,
            range: [-120, 130],
        };
        let mut out = vec![0; 37];
        add.forward(&a, &b, &mut out);
        for ((&a, &b), &found) in a.iter().zip(&b).zip(&out) {
            assert_eq!(found, add.one(a, b));
            let exact = (f64::from(a) * 20_000.0 + f64::from(b) * 12_345.0) / 16_384.0;
            assert_eq!(f64::from(found), (exact + 0.5).floor().clamp(-120.0, 130.0));
        }
        let look = Look::new(-2, &[10, 11, 12, 13]);
        let mut looked = [0; 6];
        look.forward(&[-9, -2, -1, 0, 1, 9], &mut looked);
        assert_eq!(looked, [10, 10, 11, 12, 13, 13]);
        let mut turned = [0; 6];
        transpose(&[1, 2, 3, 4, 5, 6], 2, &mut turned);
        assert_eq!(turned, [1, 3, 5, 2, 4, 6]);
    }

    #[test]
    fn a_dyadic_fraction_is_the_nearest_with_fifteen_digits() {
        for factor in [1.0, 0.37, 3e-5, 200.0, 0.0, 31_000.0, 1e-9] {
            let Dyadic { multiplier, shift } = Dyadic::nearest(factor, 30);
            let found = f64::from(multiplier) / 2f64.powi(shift as i32);
            assert!(
                (found - factor).abs() <= factor * 2f64.powi(-15) + 2f64.powi(-31),
                "{factor}"
            );
            assert!((0..=32767).contains(&multiplier));
        }
    }
}
