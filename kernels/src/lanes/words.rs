//! Eight 16-bit lanes, and what four 32-bit ones need besides for integer inference; exact everywhere, so no order matters.

use super::{F32x4, I32x4, native};

/// Eight 16-bit integers. Lane 0 is the first in memory.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct I16x8(native::Integers);

impl I16x8 {
    /// How many lanes there are.
    pub const LANES: usize = 8;

    /// The same integer in each lane.
    #[inline(always)]
    #[must_use]
    pub fn splat(value: i16) -> Self {
        Self(native::splat_word(value))
    }

    /// Eight integers from memory; any alignment will do.
    #[inline(always)]
    #[must_use]
    pub fn load(from: &[i16; 8]) -> Self {
        Self(native::load_words(from))
    }

    /// Eight integers into memory; any alignment will do.
    #[inline(always)]
    pub fn store(self, into: &mut [i16; 8]) {
        native::store_words(self.0, into);
    }

    /// Up to eight integers from the start of a slice, 0 in the lanes beyond.
    #[inline(always)]
    #[must_use]
    pub fn from_start(from: &[i16]) -> Self {
        match from.first_chunk() {
            Some(eight) => Self::load(eight),
            None => {
                let mut eight = [0; 8];
                eight[..from.len()].copy_from_slice(from);
                Self::load(&eight)
            }
        }
    }

    /// As many lanes as a slice has room for, at most eight.
    #[inline(always)]
    pub fn write_to_start(self, into: &mut [i16]) {
        if let Some(eight) = into.first_chunk_mut() {
            self.store(eight);
        } else {
            let mut eight = [0; 8];
            self.store(&mut eight);
            let count = into.len();
            into.copy_from_slice(&eight[..count]);
        }
    }

    /// The products of lanes, neighbours added: `self0·other0 + self1·other1`, and so on.
    #[inline(always)]
    #[must_use]
    pub fn dot(self, other: Self) -> I32x4 {
        I32x4(native::dot_words(self.0, other.0))
    }

    /// The larger of both in each lane.
    #[inline(always)]
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self(native::max_words(self.0, other.0))
    }

    /// The smaller of both in each lane.
    #[inline(always)]
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self(native::min_words(self.0, other.0))
    }

    /// Lanes of both, alternating: the first four of each, and the last four.
    #[inline(always)]
    #[must_use]
    pub fn zip(self, other: Self) -> [Self; 2] {
        [
            Self(native::zip_words_low(self.0, other.0)),
            Self(native::zip_words_high(self.0, other.0)),
        ]
    }

    /// Two times four integers, those that do not fit cut off at the ends of the range.
    #[inline(always)]
    #[must_use]
    pub fn narrowed([low, high]: [I32x4; 2]) -> Self {
        Self(native::narrow(low.0, high.0))
    }

    /// The same integers in 32 bits.
    #[inline(always)]
    #[must_use]
    pub fn widened(self) -> [I32x4; 2] {
        // Each word in the upper half of its own integer, which is then shifted down.
        self.zip(self).map(|words| I32x4(words.0).shifted_right(16))
    }

    /// The same bits as four integers, each with two words.
    #[inline(always)]
    #[must_use]
    pub fn pairs(self) -> I32x4 {
        I32x4(self.0)
    }
}

impl I32x4 {
    /// Four integers from memory; any alignment will do.
    #[inline(always)]
    #[must_use]
    pub fn load(from: &[i32; 4]) -> Self {
        Self(native::load_integers(from))
    }

    /// Four integers into memory; any alignment will do.
    #[inline(always)]
    pub fn store(self, into: &mut [i32; 4]) {
        native::store_integers(self.0, into);
    }

    /// The same bits as eight words.
    #[inline(always)]
    #[must_use]
    pub fn words(self) -> I16x8 {
        I16x8(self.0)
    }

    /// `⌊self · multiplier / 2¹⁶⌋` for multipliers in `0..2¹⁵`.
    #[inline(always)]
    #[must_use]
    pub fn high_product(self, multiplier: Self) -> Self {
        Self(native::high_product(self.0, multiplier.0))
    }

    /// `⌊self / 2^bits⌋`, bits below 32.
    #[inline(always)]
    #[must_use]
    pub fn shifted_right(self, bits: i32) -> Self {
        Self(native::shift_right(self.0, bits))
    }

    /// The nearest numbers, ties to even.
    #[inline(always)]
    #[must_use]
    pub fn to_floats(self) -> F32x4 {
        F32x4(native::to_floats(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::plain;
    use super::*;

    const WORDS: [i16; 12] = [
        0, 1, -1, 255, -255, 127, -128, 32767, -32768, 300, -7, 16384,
    ];
    const INTEGERS: [i32; 10] = [
        0,
        1,
        -1,
        65535,
        65536,
        -65536,
        i32::MAX,
        i32::MIN,
        -70_001,
        1 << 20,
    ];

    fn words(a: I16x8) -> [i16; 8] {
        let mut words = [0; 8];
        a.store(&mut words);
        words
    }

    fn integers(a: I32x4) -> [i32; 4] {
        let mut integers = [0; 4];
        a.store(&mut integers);
        integers
    }

    fn plain_words(a: plain::Integers) -> [i16; 8] {
        let mut words = [0; 8];
        plain::store_words(a, &mut words);
        words
    }

    #[test]
    fn operations_have_the_bits_of_arrays() {
        for first in 0..WORDS.len() {
            for second in 0..WORDS.len() {
                let at = |start: usize, step: usize| -> [i16; 8] {
                    std::array::from_fn(|lane| WORDS[(start + step * lane) % WORDS.len()])
                };
                let (a, b) = (at(first, 1), at(second, 5));
                let (x, y) = (I16x8::load(&a), I16x8::load(&b));
                let (p, q) = (plain::load_words(&a), plain::load_words(&b));
                assert_eq!(integers(x.dot(y)), plain::dot_words(p, q), "{a:?} {b:?}");
                assert_eq!(words(x.max(y)), plain_words(plain::max_words(p, q)));
                assert_eq!(words(x.min(y)), plain_words(plain::min_words(p, q)));
                let zipped = [plain::zip_words_low(p, q), plain::zip_words_high(p, q)];
                assert_eq!(x.zip(y).map(words), zipped.map(plain_words));
                assert_eq!(x.widened().map(integers).concat(), a.map(i32::from));
            }
        }
    }

    #[test]
    fn integers_have_the_bits_of_their_definition() {
        for first in 0..INTEGERS.len() {
            for multiplier in [0, 1, 2, 255, 16384, 20_001, 32767] {
                let a: [i32; 4] =
                    std::array::from_fn(|lane| INTEGERS[(first + 3 * lane) % INTEGERS.len()]);
                let (x, m) = (I32x4::load(&a), I32x4::splat(multiplier));
                let wanted = a.map(|a| ((i64::from(a) * i64::from(multiplier)) >> 16) as i32);
                assert_eq!(integers(x.high_product(m)), wanted, "{a:?} {multiplier}");
                assert_eq!(plain::high_product(a, [multiplier; 4]), wanted);
                let cut = a.map(|a| a.clamp(-32768, 32767) as i16);
                assert_eq!(words(I16x8::narrowed([x, x])), [cut, cut].concat()[..]);
                assert_eq!(x.to_floats().to_array(), a.map(|a| a as f32));
                for bits in [0, 1, 7, 31] {
                    assert_eq!(integers(x.shifted_right(bits)), a.map(|a| a >> bits));
                }
            }
        }
    }
}
