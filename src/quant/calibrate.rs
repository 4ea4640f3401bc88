//! Which range of an activation 8 bits are spent on: from what was seen of it, by one of four methods; it runs no model.
//!
//! Everything is counted in a histogram and computed in f64 in one order, so the same numbers give the same range on every
//! machine.

use crate::error::{Error, Result};

/// Bins between the smallest and the largest number that were seen.
const BINS: usize = 2048;
/// Narrower ranges that are tried: each a hundredth narrower than the last.
const TRIES: usize = 70;
/// Share of the numbers that `percentile` leaves beyond either end.
const TAIL: f64 = 1e-4;
/// Fewer rows than this are called too few.
pub const FEW_ROWS: usize = 32;

/// How a range is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// From the smallest number to the largest.
    MinMax,
    /// All but one in ten thousand at either end.
    Percentile,
    /// The range with the smallest mean squared error, what it cuts off included.
    SquaredError,
    /// The range whose numbers say least that is new about what they stand for (Migacz, "8-bit inference with TensorRT",
    /// GTC 2017): the smallest relative entropy.
    Entropy,
}

impl Method {
    /// By its name in a recipe.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for another name.
    pub fn from_name(name: &str) -> Result<Self> {
        match name {
            "min-max" => Ok(Self::MinMax),
            "percentile" => Ok(Self::Percentile),
            "mse" => Ok(Self::SquaredError),
            "entropy" => Ok(Self::Entropy),
            other => Err(Error::Unsupported {
                feature: format!("the calibration {other:?}"),
                why: "this version has min-max, percentile, mse and entropy".into(),
            }),
        }
    }
}

/// The 8-bit numbers of a tensor: `step · (code − zero)`, codes from 0 to 255. Kernels hold `code − zero`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Codes {
    /// What one more is worth; normal and finite.
    pub step: f32,
    /// The smallest and the largest `code − zero`: they differ by at most 255, and 0 is between them.
    pub range: [i16; 2],
}

impl Codes {
    /// Codes for a range, which is widened to include 0. Symmetric ones go from −127 to 127.
    #[must_use]
    pub fn of([low, high]: [f32; 2], symmetric: bool) -> Self {
        let (low, high) = (f64::from(low.min(0.0)), f64::from(high.max(0.0)));
        let smallest = f64::from(f32::MIN_POSITIVE);
        if low == high {
            // Only zero was seen; any step will do.
            return Self {
                step: 1.0 / 128.0,
                range: [-127, 127],
            };
        }
        if symmetric {
            return Self {
                step: ((high.max(-low)) / 127.0).max(smallest) as f32,
                range: [-127, 127],
            };
        }
        let step = ((high - low) / 255.0).max(smallest) as f32;
        let zero = (-low / f64::from(step)).round_ties_even().clamp(0.0, 255.0) as i16;
        Self {
            step,
            range: [-zero, 255 - zero],
        }
    }

    /// The number of a value; see the kernel of that name.
    #[must_use]
    pub fn number(&self, value: f64) -> i16 {
        let [low, high] = self.range.map(f64::from);
        (value / f64::from(self.step))
            .round_ties_even()
            .clamp(low, high) as i16
    }
}

/// What was seen of one value of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    low: f32,
    high: f32,
    bins: Vec<u64>,
    count: u64,
    /// How many of them are 0, which every range holds exactly.
    zeros: u64,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            low: f32::INFINITY,
            high: f32::NEG_INFINITY,
            bins: Vec::new(),
            count: 0,
            zeros: 0,
        }
    }
}

impl Seen {
    /// Widens the bounds by numbers, those that are not finite left out. All numbers are seen so before any is counted.
    pub fn bound(&mut self, numbers: &[f32]) {
        for &number in numbers.iter().filter(|number| number.is_finite()) {
            self.low = self.low.min(number);
            self.high = self.high.max(number);
        }
    }

    /// Counts numbers between the bounds.
    pub fn count(&mut self, numbers: &[f32]) {
        self.bins.resize(BINS, 0);
        for &number in numbers.iter().filter(|number| number.is_finite()) {
            let bin = self.bin(number);
            self.bins[bin] += 1;
            self.count += 1;
            self.zeros += u64::from(number == 0.0);
        }
    }

    /// The smallest and the largest number, or 0 twice where none was seen.
    #[must_use]
    pub fn bounds(&self) -> [f32; 2] {
        if self.low <= self.high {
            [self.low, self.high]
        } else {
            [0.0; 2]
        }
    }

    /// Whether every number was the same.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.low >= self.high
    }

    /// The bin of a number between the bounds.
    fn bin(&self, number: f32) -> usize {
        let width = self.width();
        let place = if width > 0.0 {
            (f64::from(number) - f64::from(self.low)) / width
        } else {
            0.0
        };
        (place as usize).min(BINS - 1)
    }

    fn width(&self) -> f64 {
        (f64::from(self.high) - f64::from(self.low)) / BINS as f64
    }

    /// The middle of a bin.
    fn middle(&self, bin: usize) -> f64 {
        f64::from(self.low) + (bin as f64 + 0.5) * self.width()
    }

    /// The codes that a method chooses.
    #[must_use]
    pub fn codes(&self, method: Method, symmetric: bool) -> Codes {
        let bounds = self.bounds();
        if self.is_constant() || self.count == 0 {
            return Codes::of(bounds, symmetric);
        }
        let range = match method {
            Method::MinMax => bounds,
            Method::Percentile => self.percentile(),
            Method::SquaredError => self.best(symmetric, |codes| self.squared_error(codes)),
            Method::Entropy => self.best(symmetric, |codes| self.relative_entropy(codes)),
        };
        Codes::of(range, symmetric)
    }

    fn percentile(&self) -> [f32; 2] {
        let tail = (self.count as f64 * TAIL) as u64;
        let end = |mut order: Box<dyn Iterator<Item = usize>>| {
            let mut left = tail;
            let inside = order.find(|&bin| match left.checked_sub(self.bins[bin]) {
                Some(rest) => {
                    left = rest;
                    false
                }
                None => true,
            });
            inside.unwrap_or(0)
        };
        let (first, last) = (end(Box::new(0..BINS)), end(Box::new((0..BINS).rev())));
        let edge = |bin: usize| (f64::from(self.low) + bin as f64 * self.width()) as f32;
        [
            if first == 0 { self.low } else { edge(first) },
            if last == BINS - 1 {
                self.high
            } else {
                edge(last + 1)
            },
        ]
    }

    /// The range, the bounds themselves or both ends drawn in alike, whose codes have the smallest loss; the widest of equals.
    fn best(&self, symmetric: bool, loss: impl Fn(Codes) -> f64) -> [f32; 2] {
        let mut best = (f64::INFINITY, self.bounds());
        for narrower in 0..TRIES {
            let share = 1.0 - narrower as f32 / 100.0;
            let range = self.bounds().map(|end| end * share);
            let found = loss(Codes::of(range, symmetric));
            if found < best.0 {
                best = (found, range);
            }
        }
        best.1
    }

    fn squared_error(&self, codes: Codes) -> f64 {
        let bins = self
            .bins
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0);
        bins.map(|(bin, &count)| {
            let value = self.middle(bin);
            let back = f64::from(codes.number(value)) * f64::from(codes.step);
            count as f64 * (value - back).powi(2)
        })
        .sum()
    }

    /// `Σ p·ln(p / q)`: `p` the shares of the bins, what is cut off counted where it is cut to; `q` those that remain when
    /// all bins of one code share its count. Zeros are left out: no range moves them.
    fn relative_entropy(&self, codes: Codes) -> f64 {
        let mut shares: Vec<f64> = self.bins.iter().map(|&count| count as f64).collect();
        if self.zeros > 0 {
            // A rectifier's zeros would outweigh everything else.
            shares[self.bin(0.0)] -= self.zeros as f64;
        }
        let codes_of: Vec<i16> = (0..BINS)
            .map(|bin| codes.number(self.middle(bin)))
            .collect();
        let [low, high] = codes
            .range
            .map(|end| f64::from(end) * f64::from(codes.step));
        let inside = |bin: usize| (low..=high).contains(&self.middle(bin));
        let (Some(first), Some(last)) = (
            (0..BINS).find(|&it| inside(it)),
            (0..BINS).rfind(|&it| inside(it)),
        ) else {
            return f64::INFINITY;
        };
        let kept: Vec<f64> = shares.clone();
        shares[first] += shares[..first].iter().sum::<f64>();
        shares[last] += shares[last + 1..].iter().sum::<f64>();
        let mut of_code = vec![(0.0, 0_u32); 256];
        let place = |bin: usize| {
            usize::try_from(codes_of[bin] - codes.range[0])
                .unwrap_or(0)
                .min(255)
        };
        for bin in (first..=last).filter(|&bin| kept[bin] > 0.0) {
            let (sum, bins) = &mut of_code[place(bin)];
            *sum += kept[bin];
            *bins += 1;
        }
        let all: f64 = shares[first..=last].iter().sum();
        let inside: f64 = kept[first..=last].iter().sum();
        let mut loss = 0.0;
        for bin in first..=last {
            let p = shares[bin] / all;
            if p > 0.0 {
                let (sum, bins) = of_code[place(bin)];
                let q = if kept[bin] > 0.0 && inside > 0.0 {
                    sum / f64::from(bins) / inside
                } else {
                    0.0
                };
                loss += p * libm::log(p / q.max(1e-12));
            }
        }
        loss
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(numbers: &[f32]) -> Seen {
        let mut seen = Seen::default();
        seen.bound(numbers);
        seen.count(numbers);
        seen
    }

    /// A bell with a few numbers far out.
    fn bell() -> Vec<f32> {
        let mut stream = crate::rng::Stream::new(1, "bell", 0);
        let mut numbers: Vec<f32> = (0..50_000).map(|_| stream.normal()).collect();
        numbers.extend([30.0, -25.0]);
        numbers
    }

    const METHODS: [&str; 4] = ["min-max", "percentile", "mse", "entropy"];

    #[test]
    fn codes_hold_zero_exactly_and_both_ends() {
        for (range, symmetric) in [
            ([0.0, 1.0], false),
            ([0.5, 1.0], false),
            ([-3.0, -1.0], false),
            ([-0.3, 7.0], false),
            ([-2.0, 1.0], true),
            ([0.0, 0.0], false),
            ([0.0, 1e-45], false),
        ] {
            let codes = Codes::of(range, symmetric);
            let [low, high] = codes.range;
            assert!(low <= 0 && high >= 0 && high - low <= 255, "{codes:?}");
            assert_eq!(codes.number(0.0), 0);
            for end in range.map(f64::from) {
                let back = f64::from(codes.number(end)) * f64::from(codes.step);
                assert!(
                    (back - end).abs() <= f64::from(codes.step) * 0.5001 + 1e-44,
                    "{end} {codes:?}"
                );
            }
        }
    }

    #[test]
    fn every_method_but_the_first_cuts_off_what_is_far_out() {
        let seen = seen(&bell());
        let steps = METHODS.map(|name| {
            seen.codes(Method::from_name(name).expect("known"), false)
                .step
        });
        assert!((steps[0] - 55.0 / 255.0).abs() < 1e-4);
        // Two numbers far out weigh a little in a squared error, and nothing in the other two.
        assert!(steps[2] < 0.9 * steps[0], "{steps:?}");
        assert!(steps[1].max(steps[3]) < 0.6 * steps[0], "{steps:?}");
    }

    #[test]
    fn the_smallest_squared_error_is_below_that_of_every_other_method() {
        let seen = seen(&bell());
        let error = |name: &str| {
            seen.squared_error(seen.codes(Method::from_name(name).expect("known"), true))
        };
        for other in METHODS {
            assert!(error("mse") <= error(other), "{other}");
        }
    }

    #[test]
    fn a_constant_is_told_and_still_has_codes() {
        let constant = seen(&[2.5; 100]);
        assert!(constant.is_constant());
        for name in METHODS {
            let codes = constant.codes(Method::from_name(name).expect("known"), false);
            let back = f64::from(codes.number(2.5)) * f64::from(codes.step);
            assert!((back - 2.5).abs() < 1e-6, "{back}");
        }
        assert!(Seen::default().is_constant());
        assert_eq!(Seen::default().bounds(), [0.0; 2]);
        let broken = seen(&[f32::NAN, 1.0, f32::INFINITY, -1.0]);
        assert_eq!((broken.bounds(), broken.count), ([-1.0, 1.0], 2));
    }

    #[test]
    fn an_unknown_method_is_refused() {
        assert!(Method::from_name("best").is_err());
    }
}
