//! Random streams by name: every (seed, name, index) has its own ChaCha8 generator; nothing else in Assay is random.
//!
//! Not for secrets. All values are equal in bits on every platform: integers come from the generator, and the only
//! transcendentals are `libm`'s, compiled from the same source everywhere.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use sha2::{Digest as _, Sha256};

/// Separates these keys from every other SHA-256 in Assay; a new derivation needs a new string.
const DOMAIN: &[u8] = b"assay/rng/1";

/// One endless stream of random values.
///
/// The draws of a stream are a pure function of its arguments and of the calls before; drawing from one stream never
/// moves another.
#[derive(Debug, Clone)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream called `name` with number `index` under a recipe's `seed`.
    ///
    /// The key is SHA-256 of the domain, the seed (4 bytes), the index (8 bytes), the length of the name (8 bytes) and
    /// the name, integers little endian: arguments that differ in any byte give unrelated streams.
    #[must_use]
    pub fn new(seed: u32, name: &str, index: u64) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(DOMAIN);
        hasher.update(seed.to_le_bytes());
        hasher.update(index.to_le_bytes());
        hasher.update((name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        Self(ChaCha8Rng::from_seed(hasher.finalize().into()))
    }

    /// A whole number in `0..n`, each equally likely; 0 where `n` is 0.
    ///
    /// Multiply and shift with rejection: D. Lemire, "Fast random integer generation in an interval", 2019,
    /// doi:10.1145/3230636, algorithm 5.
    pub fn below(&mut self, n: u32) -> u32 {
        if n == 0 {
            return 0;
        }
        // 2^32 mod n: so many of the low halves would make some results likelier than others.
        let reject = n.wrapping_neg() % n;
        loop {
            let product = u64::from(self.0.next_u32()) * u64::from(n);
            if product as u32 >= reject {
                return (product >> 32) as u32;
            }
        }
    }

    /// A key for a generator that counts: 64 bits, the first 32 of the stream below the next.
    pub fn key(&mut self) -> u64 {
        let low = u64::from(self.0.next_u32());
        low | u64::from(self.0.next_u32()) << 32
    }

    /// A number in `0.0..1.0`: a multiple of 2^-24, each equally likely.
    pub fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 * (1.0 / 16_777_216.0)
    }

    /// A number from the normal distribution with mean 0 and deviation 1, in -6.67..6.67.
    ///
    /// G. Box and M. Muller, "A note on the generation of random normal deviates", 1958, doi:10.1214/aoms/1177706645;
    /// only the cosine is used, so that a draw always takes two numbers of the stream.
    pub fn normal(&mut self) -> f32 {
        const UNIT: f64 = 1.0 / 4_294_967_296.0;
        // Above 0 by half a step: the logarithm of 0 is infinite.
        let radius_from = (f64::from(self.0.next_u32()) + 0.5) * UNIT;
        let turn = f64::from(self.0.next_u32()) * UNIT;
        let radius = libm::sqrt(-2.0 * libm::log(radius_from));
        (radius * libm::cos(std::f64::consts::TAU * turn)) as f32
    }

    /// Puts `items` into an order of which each is equally likely (Fisher and Yates, from the back). Of more than 2^32
    /// items, only the first 2^32 move.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
        for last in (1..count).rev() {
            items.swap(last as usize, self.below(last + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_key_is_the_next_two_numbers() {
        let stream = Stream::new(1, "dropout", 7);
        let [low, high, ..] = first(stream.clone());
        assert_eq!(stream.clone().key(), u64::from(low) | u64::from(high) << 32);
    }

    fn first(mut stream: Stream) -> [u32; 4] {
        std::array::from_fn(|_| stream.0.next_u32())
    }

    /// Computed by `tests/reference/generate_rng.py` from the papers, sharing no code with this module.
    const REFERENCE: &str = include_str!("../tests/reference/rng.json");

    /// The first difference from the reference, in words.
    fn check(case: &serde_json::Value) -> Result<(), String> {
        let mut stream = Stream::new(
            case["seed"].as_u64().expect("a number") as u32,
            case["name"].as_str().expect("a text"),
            case["index"].as_u64().expect("a number"),
        );
        let of = |key: &str| -> Vec<f64> {
            let values = case[key].as_array().expect("a list").iter();
            values
                .map(|value| value.as_f64().expect("a number"))
                .collect()
        };
        let mut draw = |key: &str, next: fn(&mut Stream) -> f64| {
            for (place, expected) in of(key).into_iter().enumerate() {
                let got = next(&mut stream);
                if got != expected {
                    return Err(format!("{key}[{place}]: expected {expected}, got {got}"));
                }
            }
            Ok(())
        };
        draw("below_1000", |stream| f64::from(stream.below(1000)))?;
        draw("below_3221225472", |stream| {
            f64::from(stream.below(3 << 30))
        })?;
        draw("unit", |stream| f64::from(stream.unit()))?;
        draw("normal", |stream| f64::from(stream.normal()))?;
        let mut order: Vec<f64> = (0..20).map(f64::from).collect();
        stream.shuffle(&mut order);
        if order == of("shuffle_20") {
            Ok(())
        } else {
            Err(format!("shuffle_20: got {order:?}"))
        }
    }

    #[test]
    fn streams_are_those_of_the_papers() {
        let cases: Vec<serde_json::Value> = serde_json::from_str(REFERENCE).expect("JSON");
        assert_eq!(cases.len(), 4);
        for case in &cases {
            assert_eq!(check(case), Ok(()), "{}", case["name"]);
        }
    }

    #[test]
    fn the_check_above_sees_one_wrong_number() {
        let cases: Vec<serde_json::Value> = serde_json::from_str(REFERENCE).expect("JSON");
        for key in [
            "below_1000",
            "below_3221225472",
            "unit",
            "normal",
            "shuffle_20",
        ] {
            let mut case = cases[0].clone();
            let value = case[key][7].as_f64().expect("a number");
            case[key][7] = serde_json::json!(value + value.abs().max(1e-3) * 1e-6);
            assert!(check(&case).is_err(), "{key}");
        }
    }

    /// RFC 8439's ChaCha with 8 rounds and a zero key: "TC1" of draft-strombergson-chacha-test-vectors-01.
    #[test]
    fn the_generator_is_chacha_with_eight_rounds() {
        let mut generator = ChaCha8Rng::from_seed([0; 32]);
        assert_eq!(generator.next_u32().to_le_bytes(), [0x3e, 0x00, 0xef, 0x2f]);
    }

    #[test]
    fn a_difference_in_any_byte_gives_another_stream() {
        let mut seen = BTreeSet::new();
        let mut streams = vec![Stream::new(0, "", 0)];
        for bit in 0..32 {
            streams.push(Stream::new(1 << bit, "weights", 0));
        }
        for bit in 0..64 {
            streams.push(Stream::new(0, "weights", 1 << bit));
        }
        for name in [
            "weights",
            "Weights",
            "weight",
            "weights\0",
            "\0weights",
            "weightt",
            "\0",
            "\0\0",
        ] {
            streams.push(Stream::new(0, name, 0));
        }
        let count = streams.len();
        for stream in streams {
            seen.insert(first(stream));
        }
        assert_eq!(seen.len(), count);
        assert_eq!(
            first(Stream::new(3, "split", 4)),
            first(Stream::new(3, "split", 4))
        );
    }

    /// Pearson's statistic of `counts` against equal shares, in deviations from its mean.
    fn unevenness(counts: &[u32]) -> f64 {
        let total: f64 = counts.iter().map(|count| f64::from(*count)).sum();
        let expected = total / counts.len() as f64;
        let statistic: f64 = counts
            .iter()
            .map(|count| (f64::from(*count) - expected).powi(2) / expected)
            .sum();
        let freedom = (counts.len() - 1) as f64;
        (statistic - freedom) / (2.0 * freedom).sqrt()
    }

    #[test]
    fn below_and_unit_are_even() {
        for n in [2, 3, 7, 10, 1000] {
            let mut stream = Stream::new(5, "test", u64::from(n));
            let (mut below, mut unit) = (vec![0; n as usize], vec![0; n as usize]);
            for _ in 0..200_000 {
                below[stream.below(n) as usize] += 1;
                unit[(stream.unit() * n as f32) as usize] += 1;
            }
            assert!(
                unevenness(&below).abs() < 4.0,
                "below {n}: {}",
                unevenness(&below)
            );
            assert!(
                unevenness(&unit).abs() < 4.0,
                "unit {n}: {}",
                unevenness(&unit)
            );
            below[0] += 200_000 / n * 10;
            assert!(
                unevenness(&below) > 4.0,
                "ten times too many zeros go unseen for {n}"
            );
        }
    }

    #[test]
    fn below_is_even_where_modulo_would_not_be() {
        // 3·2^30: a plain modulo or an unrejected product makes a third of the results twice as likely.
        let mut stream = Stream::new(5, "test", 0);
        let mut thirds = [0; 3];
        for _ in 0..90_000 {
            thirds[(stream.below(3 << 30) >> 30) as usize] += 1;
        }
        assert!(unevenness(&thirds).abs() < 4.0, "{thirds:?}");
        let mut residues = [0; 3];
        for _ in 0..90_000 {
            residues[(stream.below(3 << 30) % 3) as usize] += 1;
        }
        assert!(unevenness(&residues).abs() < 4.0, "{residues:?}");
    }

    #[test]
    fn below_handles_its_ends() {
        let mut stream = Stream::new(1, "test", 0);
        for _ in 0..100 {
            assert_eq!(stream.below(0), 0);
            assert_eq!(stream.below(1), 0);
            assert!(stream.below(u32::MAX) < u32::MAX);
        }
    }

    #[test]
    fn normal_has_the_moments_and_tails_of_the_normal_distribution() {
        let mut stream = Stream::new(2, "test", 0);
        let count = 400_000;
        let values: Vec<f64> = (0..count).map(|_| f64::from(stream.normal())).collect();
        let moment = |power: i32| {
            values.iter().map(|value| value.powi(power)).sum::<f64>() / f64::from(count)
        };
        // Five standard errors: the n-th moment's variance is (E x^2n − (E x^n)²) / count.
        let error = |variance: f64| 5.0 * (variance / f64::from(count)).sqrt();
        assert!(moment(1).abs() < error(1.0), "{}", moment(1));
        assert!((moment(2) - 1.0).abs() < error(2.0), "{}", moment(2));
        assert!(moment(3).abs() < error(15.0), "{}", moment(3));
        assert!((moment(4) - 3.0).abs() < error(96.0), "{}", moment(4));
        let beyond = values
            .iter()
            .filter(|value| value.abs() > 1.959_964)
            .count() as f64
            / f64::from(count);
        assert!((beyond - 0.05).abs() < error(0.05 * 0.95), "{beyond}");
        assert!(
            values
                .iter()
                .all(|value| value.is_finite() && value.abs() < 6.67)
        );
    }

    #[test]
    fn every_order_of_four_is_equally_likely() {
        let mut stream = Stream::new(3, "test", 0);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..48_000 {
            let mut items = [0, 1, 2, 3];
            stream.shuffle(&mut items);
            *counts.entry(items).or_insert(0) += 1;
        }
        let counts: Vec<u32> = counts.into_values().collect();
        assert_eq!(counts.len(), 24);
        assert!(unevenness(&counts).abs() < 4.0, "{counts:?}");
        stream.shuffle::<u8>(&mut []);
        stream.shuffle(&mut [1]);
    }
}
