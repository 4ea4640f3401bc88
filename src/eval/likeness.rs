//! How alike two forms of the same numbers are, seen part by part: SQNR, cosine, histograms; it knows no model.

use crate::result::Histograms;

/// Parts of a histogram.
const PARTS: usize = 32;
/// Numbers of a value that its histograms count at most: more would change no bar by a pixel.
const COUNTED: usize = 16_384;

/// Two forms of the same numbers, seen part by part.
#[derive(Debug, Clone, Default)]
pub(super) struct Likeness {
    power: f64,
    stored_power: f64,
    product: f64,
    error: f64,
    /// One number in so many is kept for the histograms.
    pub(super) every: usize,
    before: Vec<f32>,
    after: Vec<f32>,
}

impl Likeness {
    /// For so many numbers in all.
    pub(super) fn of(numbers: usize) -> Self {
        // Odd, so that it does not walk along one channel of an even number of them.
        let every = numbers.div_ceil(COUNTED).max(1) | 1;
        Self {
            every,
            ..Self::default()
        }
    }

    pub(super) fn see(&mut self, before: &[f32], after: &[f32]) {
        for (&before, &after) in before.iter().zip(after) {
            let (x, y) = (f64::from(before), f64::from(after));
            self.power += x * x;
            self.stored_power += y * y;
            self.product += x * y;
            self.error += (x - y) * (x - y);
        }
        let every = self.every.max(1);
        self.before.extend(before.iter().step_by(every));
        self.after.extend(after.iter().step_by(every));
    }

    pub(super) fn sqnr_decibels(&self) -> Option<f64> {
        let is_some = self.error > 0.0 && self.power > 0.0;
        is_some.then(|| 10.0 * libm::log10(self.power / self.error))
    }

    pub(super) fn cosine(&self) -> f64 {
        let lengths = (self.power * self.stored_power).sqrt();
        if lengths > 0.0 {
            self.product / lengths
        } else {
            f64::from(u8::from(self.power == self.stored_power))
        }
    }

    pub(super) fn histograms(&self) -> Histograms {
        let all = || self.before.iter().chain(&self.after).copied();
        let (low, high) = all()
            .filter(|it| it.is_finite())
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), number| {
                (low.min(number), high.max(number))
            });
        let (low, high) = if low <= high { (low, high) } else { (0.0, 0.0) };
        let width = (f64::from(high) - f64::from(low)) / PARTS as f64;
        let counted = |numbers: &[f32]| {
            let mut counts = vec![0; PARTS];
            for &number in numbers.iter().filter(|it| it.is_finite()) {
                let place = if width > 0.0 {
                    (f64::from(number) - f64::from(low)) / width
                } else {
                    0.0
                };
                counts[(place as usize).min(PARTS - 1)] += 1;
            }
            counts
        };
        Histograms {
            low,
            high,
            before: counted(&self.before),
            after: counted(&self.after),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likeness_is_that_of_its_definitions() {
        let mut likeness = Likeness::default();
        likeness.see(&[3.0, 4.0], &[3.0, 3.5]);
        assert!((likeness.sqnr_decibels().expect("an error") - 20.0).abs() < 1e-9);
        assert!((likeness.cosine() - 23.0 / (5.0 * 21.25_f64.sqrt())).abs() < 1e-12);
        let histograms = likeness.histograms();
        assert_eq!((histograms.low, histograms.high), (3.0, 4.0));
        assert_eq!((histograms.before[0], histograms.before[PARTS - 1]), (1, 1));
        assert_eq!((histograms.after[0], histograms.after[PARTS / 2]), (1, 1));
        let mut same = Likeness::default();
        same.see(&[1.0, -2.0], &[1.0, -2.0]);
        assert_eq!((same.sqnr_decibels(), same.cosine()), (None, 1.0));
        assert_eq!(Likeness::default().cosine(), 1.0);
    }

    #[test]
    fn histograms_of_many_numbers_count_some_of_each_kind() {
        let numbers: Vec<f32> = (0..100_000).map(|index| (index % 64) as f32).collect();
        let mut likeness = Likeness::of(numbers.len());
        likeness.see(&numbers, &numbers);
        let histograms = likeness.histograms();
        let counted: u64 = histograms.before.iter().sum();
        assert!((8_000..=COUNTED as u64).contains(&counted), "{counted}");
        assert_eq!(histograms.before, histograms.after);
        let even = counted / PARTS as u64;
        assert!(
            (histograms.before.iter()).all(|&part| part.abs_diff(even) <= even / 10),
            "{histograms:?}"
        );
    }
}
