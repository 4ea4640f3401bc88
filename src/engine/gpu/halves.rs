//! Weights as halves, two to a word, where each of them is exact in half precision: no result changes by a bit.
//!
//! Halves are read as they are stored, but an adapter may take a subnormal half for zero (WGSL, "Floating point evaluation"),
//! so all are multiplied by one power of two that makes every one of them normal, and the sums by its inverse. Both
//! multiplications are exact. No `shader-f16` is needed: `unpack2x16float` is part of WGSL itself.

use half::f16;

/// Exponents of the power: from where each half is normal that was a multiple of 2⁻²⁴, to where its inverse is a normal f32.
const EXPONENTS: std::ops::RangeInclusive<i32> = 10..=100;

/// Weights in half precision.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Halves {
    /// What sums are multiplied by.
    pub(super) factor: f32,
    /// Two weights each, the first in the low half.
    pub(super) words: Vec<u32>,
}

impl Halves {
    /// An even number of weights; nothing where one of them is not exact as a half, or all are zero.
    pub(super) fn of(weights: &[f32]) -> Option<Self> {
        let most = weights.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        if !most.is_normal() {
            return None;
        }
        let exponent = 15 - ((most.to_bits() >> 23) as i32 - 127);
        if !EXPONENTS.contains(&exponent) {
            return None;
        }
        let power = f32::from_bits(((127 + exponent) as u32) << 23);
        let mut words = vec![0; weights.len().div_ceil(2)];
        for (index, &weight) in weights.iter().enumerate() {
            let scaled = weight * power;
            let half = f16::from_f32(scaled);
            let is_exact = half.to_f32() == scaled && (half.is_normal() || scaled == 0.0);
            if !is_exact {
                return None;
            }
            words[index / 2] |= u32::from(half.to_bits()) << (16 * (index % 2));
        }
        Some(Self {
            factor: power.recip(),
            words,
        })
    }

    /// The weights again.
    pub(super) fn weights(&self) -> Vec<f32> {
        let both = |&word: &u32| {
            [word as u16, (word >> 16) as u16]
                .map(|bits| f16::from_bits(bits).to_f32() * self.factor)
        };
        self.words.iter().flat_map(both).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_come_back_to_the_bit() {
        // The smallest subnormal half, the largest subnormal, the smallest normal, one beside 1, and both zeros.
        let smallest = 2.0_f32.powi(-24);
        let numbers = [
            smallest,
            -1023.0 * smallest,
            1024.0 * smallest,
            1.0 + 2.0_f32.powi(-10),
            0.0,
            -0.0,
        ];
        let halves = Halves::of(&numbers).expect("all are halves");
        assert!(halves.words.len() == 3 && halves.factor == 2.0_f32.powi(-15));
        let back: Vec<u32> = halves.weights().iter().map(|x| x.to_bits()).collect();
        assert_eq!(back, numbers.map(f32::to_bits));
        for word in &halves.words {
            for bits in [*word as u16, (word >> 16) as u16] {
                let half = f16::from_bits(bits);
                assert!(half.is_normal() || half == f16::ZERO, "{half} is subnormal");
            }
        }
    }

    #[test]
    fn every_half_below_32_comes_back() {
        let all: Vec<f32> = (0..0x5000_u16)
            .map(|bits| f16::from_bits(bits).to_f32())
            .filter(|x| *x < 32.0)
            .collect();
        let halves = Halves::of(&all).expect("all are halves");
        assert_eq!(halves.weights()[..all.len()], all);
    }

    #[test]
    fn other_numbers_are_no_halves() {
        for numbers in [
            [0.1, 0.5],
            [0.0, 0.0],
            [64.0, 2.0_f32.powi(-24)],
            [f32::NAN, 1.0],
            [f32::INFINITY, 1.0],
            [1e-39, 1e-39],
        ] {
            assert_eq!(Halves::of(&numbers), None, "{numbers:?}");
        }
    }
}
