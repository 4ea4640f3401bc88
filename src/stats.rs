//! Intervals, quantiles, a robust line and one exact test, as pure functions; nothing is sampled or rounded for reading.
//!
//! Only `+ − × ÷`, square roots and `libm` are used, so that every platform gets the same bits.
//! Reference values from SciPy and statsmodels are in `tests/reference/stats.json`.

/// Individually timed calls without which a 95th percentile is not reported.
///
/// MLPerf Inference's early stopping (`inference_policies`, "Early Stopping Criterion"): the fewest samples with which
/// one may set aside the slowest and still be 99 % sure that a larger share than 5 % is not slower than the rest; the
/// smallest `n` with `(1-q)^n + n·q·(1-q)^(n-1) ≤ 0.01` for `q = 0.05`.
pub const P95_MIN_COUNT: usize = 130;

/// As [`P95_MIN_COUNT`], for the 99th percentile: `q = 0.01`.
pub const P99_MIN_COUNT: usize = 662;

/// Two-sided interval of a share of which `correct` in `total` were seen, at `confidence` in 0..1.
///
/// E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927,
/// doi:10.1080/01621459.1927.10502953, without continuity correction. `(0, 1)` where nothing was seen or the
/// confidence is no number below 1; a `correct` above `total` counts as `total`.
#[must_use]
pub fn wilson(correct: u32, total: u32, confidence: f64) -> (f64, f64) {
    if total == 0 || confidence.is_nan() || confidence >= 1.0 {
        return (0.0, 1.0);
    }
    let correct = correct.min(total);
    let n = f64::from(total);
    wilson_of_share(f64::from(correct) / n, n, confidence)
}

/// As [`wilson`], of a share in 0..=1 among `n` independent answers, which need not be a whole number.
fn wilson_of_share(share: f64, n: f64, confidence: f64) -> (f64, f64) {
    let z = normal_quantile(0.5 + confidence.max(0.0) / 2.0);
    let z2 = z * z;
    let centre = share + z2 / (2.0 * n);
    let half = z * libm::sqrt(share * (1.0 - share) / n + z2 / (4.0 * n * n));
    let scale = 1.0 + z2 / n;
    // The ends are exact in these cases; the subtraction would leave a rounding error.
    let low = if share <= 0.0 {
        0.0
    } else {
        (centre - half) / scale
    };
    let high = if share >= 1.0 {
        1.0
    } else {
        (centre + half) / scale
    };
    (low.max(0.0), high.min(1.0))
}

/// As [`wilson`], of answers that come in groups and are alike within one, such as the boards of a game: for each group how
/// many were right, and of how many.
///
/// Wilson's interval of as many independent answers as these are worth: `share · (1 − share)` over the variance of the share
/// from group to group (L. Kish's design effect, *Survey Sampling*, 1965), less by the square of the normal over the Student
/// quantile, because few groups tell that variance badly (E. L. Korn and B. I. Graubard, "Confidence intervals for
/// proportions with small expected number of positive counts estimated from survey data", *Survey Methodology* 24, 1998).
/// They are worth at least one for each group and at most one each; one for each group where all are right or all wrong.
#[must_use]
pub fn wilson_of_groups(groups: &[(u32, u32)], confidence: f64) -> (f64, f64) {
    let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        let each = groups.iter();
        each.map(|(correct, total)| of(f64::from(*correct.min(total)), f64::from(*total)))
            .sum()
    };
    let all = sum(&|_, total| total);
    if all <= 0.0 || confidence.is_nan() || confidence >= 1.0 {
        return (0.0, 1.0);
    }
    let share = sum(&|correct, _| correct) / all;
    let count = sum(&|_, total| if total > 0.0 { 1.0 } else { 0.0 });
    let squares = sum(&|correct, total| (correct - share * total) * (correct - share * total));
    let variance = squares * count / ((count - 1.0) * all * all);
    let p = 0.5 + confidence.max(0.0) / 2.0;
    let ratio = normal_quantile(p) / student_quantile(p, count as u32 - 1);
    // Nothing tells how alike the answers of a group are.
    let worth = if count < 2.0 || share <= 0.0 || share >= 1.0 {
        count
    } else {
        (share * (1.0 - share) / variance * ratio * ratio).clamp(count, all)
    };
    wilson_of_share(share, worth, confidence)
}

/// The widest that [`wilson_of_groups`] may be for `correct` of `total` answers in so many groups.
#[must_use]
pub fn widest_of_groups(correct: u32, total: u32, groups: u32, confidence: f64) -> (f64, f64) {
    if total == 0 || groups == 0 || confidence.is_nan() || confidence >= 1.0 {
        return (0.0, 1.0);
    }
    let share = f64::from(correct.min(total)) / f64::from(total);
    wilson_of_share(share, f64::from(groups.min(total)), confidence)
}

/// The value that a Student variable of so many degrees of freedom stays below with probability `p` in 0.5..1; infinite
/// without any freedom.
///
/// M. Abramowitz and I. A. Stegun, *Handbook of Mathematical Functions*, 1964, 26.7.3 and 26.7.4, inverted by halving.
#[must_use]
pub fn student_quantile(p: f64, freedom: u32) -> f64 {
    if freedom == 0 {
        return f64::INFINITY;
    }
    let wanted = 2.0 * p - 1.0;
    let (mut low, mut high) = (0.0, core::f64::consts::FRAC_PI_2);
    // 60 halvings of a number near 1 leave the last bits.
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if student_within(middle, freedom) < wanted {
            low = middle;
        } else {
            high = middle;
        }
    }
    libm::sqrt(f64::from(freedom)) * libm::tan(f64::midpoint(low, high))
}

/// The probability that a Student variable is nearer to 0 than `√freedom · tan(angle)`.
fn student_within(angle: f64, freedom: u32) -> f64 {
    let (sine, cosine) = (libm::sin(angle), libm::cos(angle));
    let odd = freedom % 2;
    // 26.7.3 begins with the cosine and 26.7.4 with 1; each term is the last one times cosine² · k / (k + 1).
    let mut term = if odd == 1 { cosine } else { 1.0 };
    let mut sum = 0.0;
    let mut k = 1 + odd;
    while k < freedom {
        sum += term;
        term *= cosine * cosine * f64::from(k) / f64::from(k + 1);
        k += 2;
    }
    if odd == 0 {
        return sine * sum;
    }
    (angle + sine * sum) / core::f64::consts::FRAC_PI_2
}

/// The value that a standard normal variable stays below with probability `p`; infinite at 0 and 1, NaN outside.
///
/// M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", 1988, doi:10.2307/2347330,
/// routine PPND16: relative error about 1e-16.
#[must_use]
#[rustfmt::skip]
#[expect(clippy::excessive_precision, reason = "the digits of the paper, to be compared with it")]
pub fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 8] = [
        3.387_132_872_796_366_608, 133.141_667_891_784_377_45, 1_971.590_950_306_551_442_7, 13_731.693_765_509_461_125,
        45_921.953_931_549_871_457, 67_265.770_927_008_700_853, 33_430.575_583_588_128_105, 2_509.080_928_730_122_672_7,
    ];
    const B: [f64; 8] = [
        1.0, 42.313_330_701_600_911_252, 687.187_007_492_057_908_3, 5_394.196_021_424_751_107_7,
        21_213.794_301_586_595_867, 39_307.895_800_092_710_61, 28_729.085_735_721_942_674, 5_226.495_278_852_854_561,
    ];
    const C: [f64; 8] = [
        1.423_437_110_749_683_577_34, 4.630_337_846_156_545_295_9, 5.769_497_221_460_691_405_5, 3.647_848_324_763_204_605_04,
        1.270_458_252_452_368_382_58, 0.241_780_725_177_450_611_77, 0.022_723_844_989_269_184_583, 7.745_450_142_783_414_076_4e-4,
    ];
    const D: [f64; 8] = [
        1.0, 2.053_191_626_637_758_821_87, 1.676_384_830_183_803_849_4, 0.689_767_334_985_100_004_55,
        0.148_103_976_427_480_074_59, 0.015_198_666_563_616_457_197, 5.475_938_084_995_344_946e-4, 1.050_750_071_644_416_843_24e-9,
    ];
    const E: [f64; 8] = [
        6.657_904_643_501_103_777_2, 5.463_784_911_164_114_369_9, 1.784_826_539_917_291_335_8, 0.296_560_571_828_504_891_23,
        0.026_532_189_526_576_123_093, 0.001_242_660_947_388_078_438_6, 2.711_555_568_743_487_578_15e-5, 2.010_334_399_292_288_132_65e-7,
    ];
    const F: [f64; 8] = [
        1.0, 0.599_832_206_555_887_937_69, 0.136_929_880_922_735_805_31, 0.014_875_361_290_850_614_853,
        7.868_691_311_456_132_591e-4, 1.846_318_317_510_054_681_8e-5, 1.421_511_758_316_445_888_7e-7, 2.044_263_103_389_939_785_64e-15,
    ];
    let centred = p - 0.5;
    if centred.abs() <= 0.425 {
        let r = 0.180_625 - centred * centred;
        return centred * polynomial(&A, r) / polynomial(&B, r);
    }
    let tail = if centred < 0.0 { p } else { 1.0 - p };
    if tail == 0.0 {
        return if centred < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    // The logarithm is NaN outside 0..=1 and stays so.
    let r = libm::sqrt(-libm::log(tail));
    let size = if r <= 5.0 {
        polynomial(&C, r - 1.6) / polynomial(&D, r - 1.6)
    } else {
        polynomial(&E, r - 5.0) / polynomial(&F, r - 5.0)
    };
    if centred < 0.0 { -size } else { size }
}

/// Horner's rule; the coefficient of the lowest power comes first.
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients
        .iter()
        .rev()
        .fold(0.0, |sum, coefficient| sum * x + coefficient)
}

/// `values` in ascending order; NaN last.
#[must_use]
pub fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    sort(&mut values);
    values
}

/// Sorts `values` in place, ascending; NaN last. One copy of it is all that the page's module has.
#[inline(never)]
pub fn sort(values: &mut [f64]) {
    values.sort_unstable_by(f64::total_cmp);
}

/// The `p`-quantile of ascending values, `p` in 0..=1; none of no values or of a `p` outside.
///
/// Linear between order statistics: type 7 of R. J. Hyndman and Y. Fan, "Sample quantiles in statistical packages",
/// 1996, doi:10.2307/2684934, the default of R and NumPy.
#[must_use]
pub fn quantile(ascending: &[f64], p: f64) -> Option<f64> {
    if ascending.is_empty() || !(0.0..=1.0).contains(&p) {
        return None;
    }
    let place = (ascending.len() - 1) as f64 * p;
    let below = place as usize;
    let low = ascending[below];
    let high = ascending[(below + 1).min(ascending.len() - 1)];
    let between = place - below as f64;
    // Without the first case an infinite neighbour would make NaN of an exact hit.
    Some(if between == 0.0 {
        low
    } else {
        low + (high - low) * between
    })
}

/// The median of values in any order; none of no values.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(&sorted(values), 0.5)
}

/// Slope and offset of a line through points `(x, y)` in any order; none without two different `x`.
///
/// The slope is the median of those of all pairs, the offset the median of what it leaves (H. Theil 1950; P. K. Sen,
/// "Estimates of the regression coefficient based on Kendall's tau", JASA 63, 1968): a few disturbed points do not move it.
#[must_use]
pub fn line(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let mut slopes = Vec::new();
    for (index, a) in points.iter().enumerate() {
        for b in &points[index + 1..] {
            if a.0 != b.0 {
                slopes.push((b.1 - a.1) / (b.0 - a.0));
            }
        }
    }
    let slope = median(&slopes)?;
    let rests: Vec<f64> = points.iter().map(|(x, y)| y - slope * x).collect();
    Some((slope, median(&rests)?))
}

/// An interval of a median, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MedianInterval {
    /// Lower end: one of the values.
    pub low: f64,
    /// Upper end: one of the values.
    pub high: f64,
    /// The exact confidence of these ends, at least what was asked for unless there are too few values.
    pub confidence: f64,
}

/// The narrowest interval between two values, the k-th from either end, that holds the median of the distribution with
/// at least `confidence`, whatever the distribution; with too few values the smallest and the largest, and
/// [`MedianInterval::confidence`] says how little that is. None of no values.
///
/// H. A. David and H. N. Nagaraja, *Order Statistics*, 3rd edition 2003, section 7.1: the number of values below the
/// median is binomial with probability 1/2. The values are taken as independent.
#[must_use]
pub fn median_interval(ascending: &[f64], confidence: f64) -> Option<MedianInterval> {
    let count = ascending.len();
    let (first, last) = (ascending.first()?, ascending.last()?);
    let n = count as u64;
    // Sure enough are ranks k, counted from 1, with 2·P(X < k) ≤ 1 − confidence; find the largest.
    let sure = |rank: u64| 1.0 - 2.0 * binomial_half_below(rank, n) >= confidence;
    if !sure(1) {
        let confidence = (1.0 - 2.0 * binomial_half_below(1, n)).max(0.0);
        return Some(MedianInterval {
            low: *first,
            high: *last,
            confidence,
        });
    }
    let (mut good, mut bad) = (1, n / 2 + 1);
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if sure(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    let rank = usize::try_from(good).ok()?;
    Some(MedianInterval {
        low: ascending[rank - 1],
        high: ascending[count - rank],
        confidence: 1.0 - 2.0 * binomial_half_below(good, n),
    })
}

/// Two-sided exact p-value of McNemar's test: the probability that chance alone splits `only_first + only_second`
/// discordant rows at least so unevenly; 1 without discordant rows.
///
/// Q. McNemar, "Note on the sampling error of the difference between correlated proportions or percentages", 1947,
/// doi:10.1007/BF02295996, with the exact binomial distribution (twice the smaller tail, at most 1).
#[must_use]
pub fn mcnemar_exact(only_first: u32, only_second: u32) -> f64 {
    let discordant = u64::from(only_first) + u64::from(only_second);
    let fewer = u64::from(only_first.min(only_second));
    (2.0 * binomial_half_below(fewer + 1, discordant)).min(1.0)
}

/// `P(X < k)` for X binomial with `n` trials of probability 1/2.
///
/// Terms are taken relative to the largest, which is 1, so that nothing overflows, and divided by their sum; those
/// below 2e-308 of it count as 0. That takes at most 20·√n steps.
fn binomial_half_below(k: u64, n: u64) -> f64 {
    if k > n {
        return 1.0;
    }
    if k > n / 2 + 1 {
        // P(X < k) = 1 − P(X ≤ n − k) by symmetry.
        return 1.0 - binomial_half_below(n - k + 1, n);
    }
    let mode = n / 2;
    let (mut all, mut below) = (0.0, 0.0);
    let mut term = 1.0;
    for outcome in (0..=mode).rev() {
        // By symmetry each outcome stands for n − outcome too, except the middle one.
        all += if outcome * 2 == n { term } else { 2.0 * term };
        if outcome < k {
            below += term;
        }
        // From C(n, j) to C(n, j − 1).
        term *= outcome as f64 / (n - outcome + 1) as f64;
        // Subnormal terms would round to themselves and never reach 0.
        if term < f64::MIN_POSITIVE {
            break;
        }
    }
    below / all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn student_quantiles_are_those_of_the_tables() {
        // scipy.stats.t.ppf(0.975, ...) and of 0.95.
        for (p, freedom, wanted) in [
            (0.975, 1, 12.706_204_736_432_095),
            (0.975, 2, 4.302_652_729_911_275),
            (0.975, 3, 3.182_446_305_284_264),
            (0.975, 4, 2.776_445_105_197_798_7),
            (0.975, 9, 2.262_157_162_740_991_5),
            (0.975, 30, 2.042_272_456_301_237_3),
            (0.95, 5, 2.015_048_372_669_157),
        ] {
            let found = student_quantile(p, freedom);
            assert!((found - wanted).abs() < 1e-9, "{freedom}: {found}");
        }
        assert!((student_quantile(0.975, 2000) - normal_quantile(0.975)).abs() < 2e-3);
        assert_eq!(student_quantile(0.975, 0), f64::INFINITY);
    }

    #[test]
    fn answers_in_groups_are_worth_between_one_a_group_and_one_each() {
        let width = |(low, high): (f64, f64)| high - low;
        // All of a game alike: four games tell as much as four answers.
        let alike = wilson_of_groups(&[(6, 6), (6, 6), (0, 6), (0, 6)], 0.95);
        assert_eq!(alike, wilson(2, 4, 0.95));
        // Every game the same share: as independent answers.
        let even = wilson_of_groups(&[(3, 6); 4], 0.95);
        assert_eq!(even, wilson(12, 24, 0.95));
        let between = wilson_of_groups(&[(60, 64), (50, 64), (63, 64), (55, 64), (40, 64)], 0.95);
        assert!(width(between) > width(wilson(268, 320, 0.95)));
        assert!(width(between) < width(wilson(4, 5, 0.95)));
        let widest = widest_of_groups(268, 320, 5, 0.95);
        assert!(widest.0 <= between.0 && between.1 <= widest.1);
        // Single answers, and nothing that tells them apart.
        assert_eq!(
            wilson_of_groups(&[(1, 1), (0, 1), (1, 1)], 0.95),
            wilson(2, 3, 0.95)
        );
        assert_eq!(
            wilson_of_groups(&[(6, 6), (6, 6)], 0.95),
            wilson(2, 2, 0.95)
        );
        assert_eq!(
            wilson_of_groups(&[(4, 6)], 0.95),
            widest_of_groups(4, 6, 1, 0.95)
        );
        assert_eq!(wilson_of_groups(&[], 0.95), (0.0, 1.0));
        assert_eq!(widest_of_groups(1, 0, 1, 0.95), (0.0, 1.0));
    }

    #[test]
    fn an_interval_of_groups_agrees_with_the_formula_worked_by_hand() {
        // Shares 0.9, 0.8 and 0.7 of 10: the mean is 0.8, the squares are 1 + 0 + 1, so the variance is
        // 2 · 3 / (2 · 900) = 1/300, and 0.16 · 300 = 48 answers, times (1.959964 / 4.302653)² = 9.960 of 30.
        let (low, high) = wilson_of_groups(&[(9, 10), (8, 10), (7, 10)], 0.95);
        assert!(
            (low - 0.489_55).abs() < 1e-4 && (high - 0.943_45).abs() < 1e-4,
            "{low} {high}"
        );
    }
    use serde_json::Value;

    /// Computed by `tests/reference/generate_stats.py` with SciPy, statsmodels and NumPy.
    const REFERENCE: &str = include_str!("../tests/reference/stats.json");

    /// Largest relative error; SciPy's own tail probabilities are no better.
    const TOLERANCE: f64 = 1e-11;

    /// Every row of a part of the reference: its numbers, and its first list where it has one.
    fn rows(part: &str) -> Vec<(Vec<f64>, Vec<f64>)> {
        let reference: Value = serde_json::from_str(REFERENCE).expect("JSON");
        let number = |value: &Value| value.as_f64().expect("a number");
        let rows = reference[part].as_array().expect("a list").iter();
        let rows = rows.map(|row| row.as_array().expect("a list"));
        rows.map(|row| match &row[0] {
            Value::Array(first) => (
                row[1..].iter().map(number).collect(),
                first.iter().map(number).collect(),
            ),
            _ => (row.iter().map(number).collect(), Vec::new()),
        })
        .collect()
    }

    fn close(got: f64, expected: f64) -> bool {
        got == expected || (got - expected).abs() <= TOLERANCE * expected.abs()
    }

    /// All rows of `part` for which `of` does not give the last `results` numbers.
    fn failures(
        part: &str,
        results: usize,
        scale: f64,
        of: impl Fn(&[f64], &[f64]) -> Vec<f64>,
    ) -> Vec<String> {
        let all = rows(part);
        assert!(all.len() > 3, "{part} has rows");
        let mut wrong = Vec::new();
        for (numbers, list) in &all {
            let (given, expected) = numbers.split_at(numbers.len() - results);
            let got = of(given, list);
            let expected: Vec<f64> = expected.iter().map(|value| value * scale).collect();
            if got.len() != results
                || !got
                    .iter()
                    .zip(&expected)
                    .all(|(got, expected)| close(*got, *expected))
            {
                wrong.push(format!(
                    "{part}{given:?}: expected {expected:?}, got {got:?}"
                ));
            }
        }
        wrong
    }

    fn all_failures(scale: f64) -> Vec<(usize, Vec<String>)> {
        let median_ends = |given: &[f64], _: &[f64]| {
            let values: Vec<f64> = (1..=given[0] as u32).map(f64::from).collect();
            let found = median_interval(&values, given[1]).expect("values");
            assert_eq!(found.low + found.high, given[0] + 1.0);
            // The reference says 0 where even the ends are not sure enough.
            let rank = if found.confidence < given[1] {
                0.0
            } else {
                found.low
            };
            vec![rank, found.confidence]
        };
        [
            (
                "wilson",
                2,
                failures("wilson", 2, scale, |given, _| {
                    let (low, high) = wilson(given[0] as u32, given[1] as u32, given[2]);
                    vec![low, high]
                }),
            ),
            (
                "normal_quantile",
                1,
                failures("normal_quantile", 1, scale, |given, _| {
                    vec![normal_quantile(given[0])]
                }),
            ),
            (
                "mcnemar_exact",
                1,
                failures("mcnemar_exact", 1, scale, |given, _| {
                    vec![mcnemar_exact(given[0] as u32, given[1] as u32)]
                }),
            ),
            (
                "quantile",
                1,
                failures("quantile", 1, scale, |given, list| {
                    vec![quantile(&sorted(list), given[0]).expect("values")]
                }),
            ),
            (
                "median_ranks",
                2,
                failures("median_ranks", 2, scale, median_ends),
            ),
        ]
        .into_iter()
        .map(|(part, _, wrong)| (rows(part).len(), wrong))
        .collect()
    }

    #[test]
    fn agrees_with_scipy_statsmodels_and_numpy() {
        let wrong: Vec<String> = all_failures(1.0)
            .into_iter()
            .flat_map(|(_, wrong)| wrong)
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn the_check_above_sees_ten_tolerances() {
        for (rows, wrong) in all_failures(1.0 + 10.0 * TOLERANCE) {
            // Rows whose expected values are all 0 cannot be scaled: few.
            assert!(wrong.len() + 4 >= rows, "{} of {rows} seen", wrong.len());
        }
    }

    #[test]
    fn least_counts_are_those_of_early_stopping() {
        let least: Vec<f64> = rows("least_counts")
            .into_iter()
            .map(|(row, _)| row[1])
            .collect();
        assert_eq!(
            least,
            [64.0, P95_MIN_COUNT as f64, P99_MIN_COUNT as f64, 6636.0]
        );
    }

    #[test]
    fn nothing_overflows_or_divides_by_zero() {
        assert_eq!(wilson(0, 0, 0.95), (0.0, 1.0));
        assert_eq!(wilson(3, 10, 1.0), (0.0, 1.0));
        assert_eq!(wilson(3, 10, f64::NAN), (0.0, 1.0));
        assert_eq!(wilson(11, 10, 0.95), wilson(10, 10, 0.95));
        assert_eq!(wilson(5, 10, -1.0), (0.5, 0.5));
        let (low, high) = wilson(u32::MAX, u32::MAX, 0.999);
        assert!(low > 0.999 && high == 1.0);
        assert_eq!(mcnemar_exact(u32::MAX, u32::MAX), 1.0);
        assert_eq!(mcnemar_exact(0, u32::MAX), 0.0);
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(normal_quantile(1.0), f64::INFINITY);
        for p in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(normal_quantile(p).is_nan(), "{p}");
        }
    }

    #[test]
    fn quantiles_of_nothing_are_none() {
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[1.0], 1.5), None);
        assert_eq!(quantile(&[1.0], f64::NAN), None);
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[f64::NAN, 1.0, f64::INFINITY]), Some(f64::INFINITY));
        assert_eq!(median_interval(&[], 0.95), None);
    }

    #[test]
    fn a_median_interval_without_enough_values_says_so() {
        let five = median_interval(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.95).expect("values");
        assert_eq!(
            (five.low, five.high, five.confidence),
            (1.0, 5.0, 1.0 - 2.0 / 32.0)
        );
        for confidence in [f64::NAN, f64::INFINITY, 1.0, 0.0, -1.0] {
            for count in 1..9 {
                let values: Vec<f64> = (0..count).map(f64::from).collect();
                let found = median_interval(&values, confidence).expect("values");
                assert!(found.low <= found.high && (0.0..=1.0).contains(&found.confidence));
            }
        }
    }

    #[test]
    fn binomial_tails_add_up_to_one() {
        for n in [0, 1, 2, 3, 10, 51, 1000] {
            for k in 0..=n + 1 {
                let below = binomial_half_below(k, n);
                // P(X < k) + P(X ≥ k), the second by symmetry.
                let sum = below + binomial_half_below(n + 1 - k.min(n + 1), n);
                assert!((sum - 1.0).abs() < 1e-12, "{k} of {n}: {sum}");
            }
        }
    }

    #[test]
    fn a_line_is_found_through_disturbed_points() {
        let mut points: Vec<(f64, f64)> = (1..=9)
            .map(|x| (f64::from(x), 2.0 + 0.5 * f64::from(x)))
            .collect();
        assert_eq!(line(&points), Some((0.5, 2.0)));
        points[3].1 += 100.0;
        points[7].1 += 9.0;
        assert_eq!(line(&points), Some((0.5, 2.0)));
        assert_eq!(line(&points[..1]), None);
        assert_eq!(line(&[(1.0, 2.0), (1.0, 3.0)]), None);
    }
}
