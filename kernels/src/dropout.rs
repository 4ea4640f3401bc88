//! Dropout by numbers that need no state: the mask of an element follows from key, node and place, so it is not stored.
//!
//! Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011): ten rounds of
//! two 32-bit products turn a counter of four words under a key of two into four random words. Integers alone, so every
//! machine and every engine draws the same mask.

/// The key's increments between rounds and the rounds' factors; same source, section 4.2 and the Random123 library.
const WEYL: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
const FACTORS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];

/// Four random words for a counter under a key.
#[inline(always)]
#[must_use]
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let ([mut a, mut b, mut c, mut d], [mut first, mut second]) = (counter, key);
    for _ in 0..10 {
        let low = u64::from(FACTORS[0]) * u64::from(a);
        let high = u64::from(FACTORS[1]) * u64::from(c);
        (a, b, c, d) = (
            (high >> 32) as u32 ^ b ^ first,
            high as u32,
            (low >> 32) as u32 ^ d ^ second,
            low as u32,
        );
        first = first.wrapping_add(WEYL[0]);
        second = second.wrapping_add(WEYL[1]);
    }
    [a, b, c, d]
}

/// Which numbers of a layer's output are dropped in one step, and what the others are multiplied by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    /// Drawn anew for each step.
    pub key: u64,
    /// Which layer.
    pub node: u32,
    /// The share that is dropped, from 0 to below 1.
    pub rate: f32,
}

impl Dropout {
    /// Sets dropped numbers to 0 and multiplies the others by `1 / (1 − rate)`, rounded to f32.
    ///
    /// `first` is the index of `values[0]` in the whole batch, so that a batch may be worked on in parts. Word `i mod 4` of
    /// block `i / 4` decides on number `i`: it is kept where the word is at least `rate · 2³²`, rounded to an integer.
    /// The same call on a gradient is the layer's backward pass.
    ///
    /// # Panics
    /// Where the rate is not from 0 to below 1.
    pub fn apply(&self, first: u64, values: &mut [f32]) {
        assert!((0.0..1.0).contains(&self.rate), "a rate from 0 to below 1");
        let key = [self.key as u32, (self.key >> 32) as u32];
        let limit = (f64::from(self.rate) * 4_294_967_296.0).round() as u32;
        let factor = 1.0 / (1.0 - self.rate);
        let mut index = first;
        let mut rest = values;
        while !rest.is_empty() {
            let (block, word) = (index / 4, (index % 4) as usize);
            let words = philox([block as u32, (block >> 32) as u32, self.node, 0], key);
            let (now, later) = rest.split_at_mut(rest.len().min(4 - word));
            for (value, &word) in now.iter_mut().zip(&words[word..]) {
                *value = if word >= limit { *value * factor } else { 0.0 };
            }
            index += now.len() as u64;
            rest = later;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_bits, drawn};

    #[test]
    fn philox_gives_the_known_answers() {
        // Random123's kat_vectors, "philox4x32 10".
        assert_eq!(
            philox([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    const DROPOUT: Dropout = Dropout {
        key: 0x0123_4567_89ab_cdef,
        node: 7,
        rate: 0.25,
    };

    #[test]
    fn kept_numbers_are_scaled_and_the_share_is_the_rate() {
        let before: Vec<f32> = drawn(10_000, 1).iter().map(|x| x + 2.0).collect();
        let mut after = before.clone();
        DROPOUT.apply(0, &mut after);
        let factor = 1.0_f32 / 0.75;
        let dropped = after.iter().filter(|&&x| x == 0.0).count();
        // Six standard deviations of a binomial count, √(10,000 · ¼ · ¾) = 43.3.
        assert!((2500 - 260..2500 + 260).contains(&dropped), "{dropped}");
        for (before, after) in before.iter().zip(&after) {
            assert!(*after == 0.0 || *after == before * factor);
        }
    }

    #[test]
    fn a_mask_does_not_depend_on_how_the_batch_is_cut() {
        let mut whole = vec![1.0; 103];
        DROPOUT.apply(1_000_000_000_000, &mut whole);
        for cut in [1, 2, 3, 4, 5, 64, 102] {
            let mut parts = vec![1.0; 103];
            let mut first = 1_000_000_000_000;
            for part in parts.chunks_mut(cut) {
                DROPOUT.apply(first, part);
                first += part.len() as u64;
            }
            assert_bits(&parts, &whole, "parts");
        }
    }

    #[test]
    fn key_node_and_place_each_matter() {
        let mask = |dropout: Dropout, first: u64| {
            let mut values = vec![1.0; 64];
            dropout.apply(first, &mut values);
            values
        };
        let base = mask(DROPOUT, 0);
        assert_ne!(
            base,
            mask(
                Dropout {
                    key: DROPOUT.key + 1,
                    ..DROPOUT
                },
                0
            )
        );
        assert_ne!(
            base,
            mask(
                Dropout {
                    key: DROPOUT.key ^ 1 << 40,
                    ..DROPOUT
                },
                0
            )
        );
        assert_ne!(base, mask(Dropout { node: 8, ..DROPOUT }, 0));
        assert_ne!(base, mask(DROPOUT, 1 << 40));
        assert_bits(
            &mask(
                Dropout {
                    rate: 0.0,
                    ..DROPOUT
                },
                0,
            ),
            &[1.0; 64],
            "rate 0",
        );
    }
}
