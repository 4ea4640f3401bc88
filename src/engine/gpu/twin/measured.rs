//! Numbers that carry how far a GPU's f32 result may be from them; docs/numerics.md derives the bounds.
//!
//! Sums are bounded for any order, so that tiles, trees and lanes need not be repeated here.

use std::ops::{Add, Div, Mul, Sub};

/// Relative error of one `+`, `−` or `×` in WGSL, which may round either way (section 15.7.4.1): 2⁻²³.
pub(crate) const STEP: f64 = 1.0 / 8_388_608.0;
/// What may be flushed to zero: numbers below the smallest normal one.
const FLUSHED: f64 = f32::MIN_POSITIVE as f64;

/// A number and the largest distance that an f32 result may have from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Measured {
    pub(crate) value: f64,
    pub(crate) error: f64,
}

impl Measured {
    /// A number that an f32 has exactly.
    pub(crate) fn exact(value: f32) -> Self {
        Self::of(f64::from(value), 0.0)
    }

    pub(crate) const fn of(value: f64, error: f64) -> Self {
        Self { value, error }
    }

    /// The same with so many roundings more, relative to it.
    pub(crate) fn rounded(self, times: f64) -> Self {
        Self::of(
            self.value,
            self.error + times * STEP * self.value.abs() + FLUSHED,
        )
    }

    /// √x: as 1 / inverseSqrt(x), 2 and 2.5 units in the last place.
    pub(crate) fn sqrt(self) -> Self {
        let value = self.value.max(0.0).sqrt();
        let low = (self.value - self.error).max(0.0).sqrt();
        Self::of(value, value - low).rounded(5.0)
    }

    /// eˣ: 3 + 2·|x| units in the last place.
    pub(crate) fn exp(self) -> Self {
        let value = libm::exp(self.value);
        Self::of(value, value * libm::expm1(self.error)).rounded(3.0 + 2.0 * self.value.abs())
    }

    /// ln x for x ≥ 1: 2⁻²¹ up to 2, else 3 units in the last place.
    pub(crate) fn ln(self) -> Self {
        let value = libm::log(self.value);
        Self::of(value, self.error / (self.value - self.error) + 4.0 * STEP).rounded(3.0)
    }

    /// A function whose slope is at most `steepness`, computed with so many roundings relative to `size`.
    pub(crate) fn through(
        self,
        function: impl Fn(f64) -> f64,
        steepness: f64,
        roundings: f64,
        size: f64,
    ) -> Self {
        let value = function(self.value);
        Self::of(
            value,
            steepness * self.error + roundings * STEP * size + FLUSHED,
        )
    }
}

impl Measured {
    /// The number times a power of two, which no rounding follows.
    pub(crate) fn times_power(self, power: f32) -> Self {
        let power = f64::from(power);
        Self::of(self.value * power, self.error * power)
    }
}

impl Add for Measured {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::of(self.value + other.value, self.error + other.error).rounded(1.0)
    }
}

impl Sub for Measured {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self::of(self.value - other.value, self.error + other.error).rounded(1.0)
    }
}

impl Mul for Measured {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let error = self.value.abs() * other.error
            + other.value.abs() * self.error
            + self.error * other.error;
        Self::of(self.value * other.value, error).rounded(1.0)
    }
}

impl Div for Measured {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        let least = (other.value.abs() - other.error).max(f64::MIN_POSITIVE);
        Self::of(value, (self.error + value.abs() * other.error) / least).rounded(2.5)
    }
}

/// A sum in any order: n terms err by at most `γₙ·Σ|terms|` beyond their own errors.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sum {
    value: f64,
    error: f64,
    size: f64,
    terms: u32,
}

impl Sum {
    /// Adds a term.
    pub(crate) fn add(&mut self, term: Measured) {
        self.value += term.value;
        self.error += term.error;
        self.size += term.value.abs();
        self.terms += 1;
    }

    /// The sum, with so many roundings more than it has terms.
    pub(crate) fn with(self, more: u32) -> Measured {
        let roundings = f64::from(self.terms + more) * STEP;
        Measured::of(
            self.value,
            self.error + roundings / (1.0 - roundings) * self.size,
        )
    }

    /// The sum.
    pub(crate) fn end(self) -> Measured {
        self.with(0)
    }
}
