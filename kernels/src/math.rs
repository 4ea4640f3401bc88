//! exp, tanh, the logistic function and the normal distribution on lanes; only as exact as f32 training needs.
//!
//! Only `+ − × ÷`, comparisons and integer operations on bits are used, each rounded once and never fused, so every
//! machine gives the same bits, which no platform's `expf` does. The number of one lane does not depend on the others;
//! for a single number the same operations run on one lane's copy.
//!
//! The coefficients are our own: a weighted least-squares fit in f64 on 3,000 Chebyshev nodes whose weights are raised
//! where the relative error is largest until it levels out (Lawson's algorithm), rounded to f32 from the lowest power up,
//! the rest fitted anew after each rounding. Errors in units of the last place are measured by the tests below.

use crate::lanes::{By, F32x4};

/// 1.5·2²³: a number of some thousands that is added to it loses its fraction to rounding, to even at a tie.
const ROUNDER: f32 = 12_582_912.0;
/// The largest f32 whose exponential is finite is the one below this.
const EXP_OVERFLOWS: f32 = 88.722_84;
/// The smallest f32 whose exponential is a normal number.
const EXP_UNDERFLOWS: f32 = -87.336_54;

/// eˣ to 1.1 units in the last place.
///
/// 0 where the result would be below 2⁻¹²⁶ (a denormal number is slow and no training needs it), infinite above
/// 88.72283, NaN for NaN.
///
/// `x = n·ln 2 + r` with `|r| ≤ ln 2 / 2` (Cody and Waite 1980: ln 2 in two parts, the first of nine bits), then
/// `eʳ = 1 + (r + r²·q(r))`, then `n` is added to the exponent.
#[inline(always)]
#[must_use]
pub fn exp(x: F32x4) -> F32x4 {
    let shifted = x * F32x4::splat(std::f32::consts::LOG2_E) + F32x4::splat(ROUNDER);
    let whole = shifted - F32x4::splat(ROUNDER);
    let rest = x - whole * F32x4::splat(0.693_359_4) - whole * F32x4::splat(-2.121_944_4e-4);
    let square = rest * rest;
    // In pairs and not from the inside out: the chain of operations that wait for one another is what takes the time.
    let low = F32x4::splat(0.499_999_94) + rest * F32x4::splat(0.166_665_21);
    let high = F32x4::splat(0.041_668_262) + rest * F32x4::splat(8.368_674e-3);
    let series = low + square * (high + square * F32x4::splat(1.382_103_9e-3));
    let mantissa = F32x4::splat(1.0) + (rest + square * series);
    let scaled = (mantissa.bits() + (shifted.bits() << By::<23>)).floats();
    // What is not below the limit is either too large or NaN, and `x + ∞` is the right answer to both.
    let upper = x
        .lt(F32x4::splat(EXP_OVERFLOWS))
        .select(scaled, x + F32x4::splat(f32::INFINITY));
    x.lt(F32x4::splat(EXP_UNDERFLOWS)).drop(upper)
}

/// tanh x to 1.7 units in the last place; ±1 for ±∞, NaN for NaN.
///
/// Below 0.55 `x + x³·p(x²)`, above `1 − 2 / (e²ˣ + 1)`, with x's sign.
#[inline(always)]
#[must_use]
pub fn tanh(x: F32x4) -> F32x4 {
    let one = F32x4::splat(1.0);
    let size = x.abs();
    let square = size * size;
    let series = [
        -0.333_333_16,
        0.133_325_46,
        -0.053_847_85,
        0.021_052_472,
        -6.245_992_6e-3,
    ];
    let near = size + size * square * polynomial(square, series);
    let far = one - F32x4::splat(2.0) / (exp(size + size) + one);
    x.sign_onto(size.lt(F32x4::splat(0.55)).select(near, far))
}

/// The logistic function 1 / (1 + e⁻ˣ) to 2.5 units in the last place; 0 below −88.73, NaN for NaN.
#[inline(always)]
#[must_use]
pub fn sigmoid(x: F32x4) -> F32x4 {
    let one = F32x4::splat(1.0);
    one / (one + exp(-x))
}

/// The standard normal distribution function Φ(x) = (1 + erf(x/√2)) / 2, within 3u of it (u = 2⁻²⁴) in absolute terms.
///
/// `½ + x·p(x²)/q(x²)`, and beyond 5.5, where Φ is nearer to 0 or 1 than u, 0 or 1 exactly. It is meant for gelu, which
/// multiplies it by x; so the error in the far negative tail is small against x and not against Φ.
#[inline(always)]
#[must_use]
pub fn normal_cdf(x: F32x4) -> F32x4 {
    let half = F32x4::splat(0.5);
    // Of the size, since `min` gives its argument for NaN: NaN stays NaN.
    let size = F32x4::splat(5.5).min(x.abs());
    let square = size * size;
    let above = [
        0.634_041_2,
        0.053_175_43,
        7.392_552e-3,
        2.615_460_3e-4,
        1.001_488_5e-5,
        3.644_420_6e-8,
    ];
    let below = [
        1.589_305_5,
        0.398_174_9,
        0.045_161_318,
        2.957_068_4e-3,
        1.146_906_6e-4,
        1.905_590_7e-6,
    ];
    let from_half = half.min(size * polynomial(square, above) / polynomial(square, below));
    half + x.sign_onto(from_half)
}

/// The standard normal density e^(−x²/2) / √(2π), relative error below `(6 + x²/2)·u`; 0 for ±∞, NaN for NaN.
#[inline(always)]
#[must_use]
pub fn normal_pdf(x: F32x4) -> F32x4 {
    exp(F32x4::splat(-0.5) * (x * x)) * F32x4::splat(0.398_942_3)
}

/// [`exp`] of one number.
#[inline]
#[must_use]
pub fn exp_scalar(x: f32) -> f32 {
    exp(F32x4::splat(x)).first()
}

/// [`tanh`] of one number.
#[inline]
#[must_use]
pub fn tanh_scalar(x: f32) -> f32 {
    tanh(F32x4::splat(x)).first()
}

/// [`sigmoid`] of one number.
#[inline]
#[must_use]
pub fn sigmoid_scalar(x: f32) -> f32 {
    sigmoid(F32x4::splat(x)).first()
}

/// `c₀ + x·(c₁ + x·(c₂ + …))`, from the inside out (Horner).
#[inline(always)]
fn polynomial<const COUNT: usize>(x: F32x4, coefficients: [f32; COUNT]) -> F32x4 {
    let mut sum = F32x4::splat(coefficients[COUNT - 1]);
    for &coefficient in coefficients[..COUNT - 1].iter().rev() {
        sum = sum * x + F32x4::splat(coefficient);
    }
    sum
}

#[cfg(test)]
mod tests;
