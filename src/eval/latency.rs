//! How long calls take: a state machine that says what to run next and is told how long it took; it runs and waits for
//! nothing, reads no clock and cannot hang, whatever it is told.
//!
//! Order: calls in windows until the time per call is stable (warm-up), then one sample after another in a closed loop.
//! A sample groups as many calls as it takes to be a hundred times as long as the clock's step. Only samples of single
//! calls tell anything about the slowest calls, so 95th and 99th percentiles need those.
//!
//! ```
//! use assay::eval::latency::{Call, Latency};
//! let mut latency = Latency::new(1, 100.0, 0.1, 0.95);
//! loop {
//!     match latency.next() {
//!         Call::Warmup(calls) | Call::Time(calls) => latency.record(0.4 * f64::from(calls)),
//!         Call::Done => break,
//!     }
//! }
//! let result = latency.finish(false);
//! assert_eq!((result.calls_per_sample, result.p50_millis), (1, 0.4));
//! ```

use crate::result;
use crate::stats::{P95_MIN_COUNT, P99_MIN_COUNT, median, median_interval, quantile, sorted};

/// Samples after which measuring ends before its time: more would only make records larger.
pub const MAX_SAMPLES: usize = 2000;

/// Steps of the clock in a sample: each of its two readings is wrong by less than a step, so this is 1 %.
const STEPS_PER_SAMPLE: f64 = 100.0;
/// How much longer than needed a sample is planned, for calls that become faster.
const MARGIN: f64 = 1.1;
/// Most calls in a group: on a clock that stands still, this ends the search for a group that takes time.
const MAX_CALLS: u32 = 16_384;
/// Growth of a group that took no time; less than this where it took some.
const GROWTH: u32 = 8;
/// Groups after which warm-up ends unsteady although their time does not add up; stability needs a few dozen.
const MAX_WARMUP_GROUPS: u32 = 4096;

/// Shares of the budget: warm-up takes at least and at most these; a window of it and a sample at most, a warm-up group
/// at least, the others.
const WARMUP_MIN: f64 = 0.25;
const WARMUP_MAX: f64 = 0.5;
const WINDOW: f64 = 1.0 / 32.0;
const SAMPLE_MAX: f64 = 1.0 / 10.0;
const GROUP_MIN: f64 = 1.0 / 1000.0;

/// Windows whose medians must agree, and the largest ratio between two of them, for calls to be stable.
const STABLE_WINDOWS: usize = 3;
const STABLE_RATIO: f64 = 1.05;
/// The same for the medians of the first, second and last third of the samples: noise of a few samples is larger.
const DRIFT_RATIO: f64 = 1.1;
/// Fewest samples of which thirds are compared.
const DRIFT_MIN_SAMPLES: usize = 9;

/// Longest time that is believed, milliseconds (eleven days): sums and records stay finite.
const ELAPSED_MAX_MILLIS: f64 = 1e9;

/// A clock step to assume, milliseconds, where the measured one is no number: the coarsest of common browsers.
const UNKNOWN_STEP_MILLIS: f64 = 1.0;

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Make so many calls and [`Latency::record`] how long they took together; not a sample.
    Warmup(u32),
    /// Make so many calls and [`Latency::record`] how long they took together.
    Time(u32),
    /// Stop; [`Latency::finish`].
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Warmup,
    Timing,
    Done,
}

/// One measurement of calls with a fixed number of rows.
#[derive(Debug, Clone)]
pub struct Latency {
    batch: u32,
    budget_millis: f64,
    step_millis: f64,
    step_known: bool,
    confidence: f64,
    phase: Phase,
    /// Time inside all calls so far.
    spent_millis: f64,
    /// Calls of the group to run next.
    calls: u32,
    warmup_calls: u32,
    warmup_groups: u32,
    /// Times per call of the open window's groups, and their sum with all their calls.
    window: Vec<f64>,
    window_millis: f64,
    /// Medians of the last windows, newest last.
    medians: Vec<f64>,
    steady: bool,
    samples: Vec<f64>,
    /// Samples, and discarded ones, so that a clock that runs back ends too.
    readings: usize,
    taken: usize,
}

impl Latency {
    /// A measurement of calls of `batch` rows that takes about `budget_millis` in all, on a clock that steps by
    /// `resolution_micros`; the median's interval gets the given `confidence`, in 0..1.
    ///
    /// A budget that is not above 0 measures nothing. A resolution that is no number is taken for 1 ms and flagged.
    #[must_use]
    pub fn new(batch: u32, budget_millis: f64, resolution_micros: f64, confidence: f64) -> Self {
        let runs = budget_millis.is_finite() && budget_millis > 0.0;
        let step_known = resolution_micros.is_finite() && resolution_micros >= 0.0;
        Self {
            batch,
            budget_millis: if runs { budget_millis } else { 0.0 },
            step_millis: if step_known {
                resolution_micros / 1000.0
            } else {
                UNKNOWN_STEP_MILLIS
            },
            step_known,
            confidence,
            phase: if runs { Phase::Warmup } else { Phase::Done },
            spent_millis: 0.0,
            calls: 1,
            warmup_calls: 0,
            warmup_groups: 0,
            window: Vec::new(),
            window_millis: 0.0,
            medians: Vec::new(),
            steady: false,
            samples: Vec::new(),
            readings: 0,
            taken: 0,
        }
    }

    /// What to do next. Asking again without a [`Latency::record`] between gives the same answer.
    #[must_use]
    pub const fn next(&self) -> Call {
        match self.phase {
            Phase::Warmup => Call::Warmup(self.calls),
            Phase::Timing => Call::Time(self.calls),
            Phase::Done => Call::Done,
        }
    }

    /// Takes note of how long the calls of the last [`Latency::next`] took together, milliseconds.
    ///
    /// A time that is negative, above 1e9 or no number is not used: some clocks jump when they are set.
    pub fn record(&mut self, elapsed_millis: f64) {
        let elapsed =
            Some(elapsed_millis).filter(|millis| (0.0..=ELAPSED_MAX_MILLIS).contains(millis));
        self.spent_millis += elapsed.unwrap_or(0.0);
        match self.phase {
            Phase::Warmup => self.record_warmup(elapsed),
            Phase::Timing => self.record_sample(elapsed),
            Phase::Done => {}
        }
    }

    fn record_warmup(&mut self, elapsed: Option<f64>) {
        self.warmup_calls = self.warmup_calls.saturating_add(self.calls);
        self.warmup_groups += 1;
        let millis = elapsed.unwrap_or(0.0);
        if millis > 0.0 {
            self.window.push(millis / f64::from(self.calls));
            self.window_millis += millis;
        }
        if self.window_millis >= WINDOW * self.budget_millis
            && let Some(middle) = median(&self.window)
        {
            self.medians.push(middle);
            self.window.clear();
            self.window_millis = 0.0;
        }
        let last = &self.medians[self.medians.len().saturating_sub(STABLE_WINDOWS)..];
        self.steady = last.len() == STABLE_WINDOWS && agree(last, STABLE_RATIO);
        let enough = self.spent_millis >= WARMUP_MIN * self.budget_millis;
        let stuck = self.calls == MAX_CALLS && millis <= 0.0;
        let too_long = self.spent_millis >= WARMUP_MAX * self.budget_millis
            || self.warmup_groups >= MAX_WARMUP_GROUPS;
        if (enough && self.steady) || too_long || stuck {
            self.phase = Phase::Timing;
            self.calls = self.calls_per_sample();
            return;
        }
        let wanted = (STEPS_PER_SAMPLE * self.step_millis).min(SAMPLE_MAX * self.budget_millis);
        self.calls = next_group(
            self.calls,
            millis,
            wanted.max(GROUP_MIN * self.budget_millis),
        );
    }

    /// Calls whose time together makes the clock's step less than 1 %, or as many as the budget has room for.
    fn calls_per_sample(&self) -> u32 {
        let call = self
            .medians
            .last()
            .copied()
            .or_else(|| median(&self.window));
        let Some(call) = call.filter(|millis| *millis > 0.0) else {
            return self.calls;
        };
        let needed = STEPS_PER_SAMPLE * self.step_millis;
        if call > needed {
            return 1;
        }
        let wanted = needed.min(SAMPLE_MAX * self.budget_millis);
        // Saturates where the quotient is too large; the clamp ends it.
        ((MARGIN * wanted / call).ceil() as u32).clamp(1, MAX_CALLS)
    }

    fn record_sample(&mut self, elapsed: Option<f64>) {
        self.readings += 1;
        if let Some(millis) = elapsed {
            self.samples
                .push(rounded(millis / f64::from(self.calls), 1e6));
        }
        if self.spent_millis >= self.budget_millis || self.readings >= MAX_SAMPLES {
            self.phase = Phase::Done;
        }
    }

    /// How much is done, in 0..=1.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        if self.phase == Phase::Done {
            return 1.0;
        }
        let of_time = self.spent_millis / self.budget_millis;
        let of_samples = self.readings as f64 / MAX_SAMPLES as f64;
        of_time.max(of_samples).min(1.0)
    }

    /// The samples since the last time this was asked, milliseconds per call.
    pub fn take_new_samples(&mut self) -> Vec<f64> {
        let new = self.samples[self.taken..].to_vec();
        self.taken = self.samples.len();
        new
    }

    /// What was measured so far. `hidden` says whether the page was hidden at any time of it.
    ///
    /// All times are rounded to 1e-6 ms. Without samples they are 0, and `few samples` is flagged.
    #[must_use]
    pub fn finish(self, hidden: bool) -> result::Latency {
        let ascending = sorted(&self.samples);
        let count = ascending.len();
        let calls_per_sample = if count == 0 { 1 } else { self.calls };
        let at = |p: f64| quantile(&ascending, p).map(|millis| rounded(millis, 1e6));
        let single_at =
            |p: f64, least: usize| at(p).filter(|_| calls_per_sample == 1 && count >= least);
        let p50_millis = at(0.5).unwrap_or(0.0);
        let interval = median_interval(&ascending, self.confidence);
        let mean = self.samples.iter().sum::<f64>() / count.max(1) as f64;
        let flags = [
            (
                "no steady state",
                count > 0 && !(self.steady && even(&self.samples)),
            ),
            ("page hidden", hidden),
            (
                "few samples",
                !interval.is_some_and(|found| found.confidence >= self.confidence),
            ),
            (
                "coarse clock",
                !self.step_known || coarse(p50_millis, calls_per_sample, self.step_millis),
            ),
        ];
        result::Latency {
            batch: self.batch,
            calls_per_sample,
            warmup_calls: self.warmup_calls,
            mean_millis: rounded(mean, 1e6),
            p50_millis,
            p50_low_millis: interval.map_or(0.0, |found| found.low),
            p50_high_millis: interval.map_or(0.0, |found| found.high),
            p95_millis: single_at(0.95, P95_MIN_COUNT),
            p99_millis: single_at(0.99, P99_MIN_COUNT),
            samples_per_sec: if p50_millis > 0.0 {
                rounded(f64::from(self.batch) * 1000.0 / p50_millis, 1e3)
            } else {
                0.0
            },
            resolution_micros: self.step_millis * 1000.0,
            samples_millis: self.samples,
            flags: flags
                .into_iter()
                .filter(|(_, raised)| *raised)
                .map(|(flag, _)| flag.to_owned())
                .collect(),
        }
    }
}

/// Calls of the next warm-up group, so that it takes about `wanted` milliseconds: grown step by step, shrunk at once.
fn next_group(calls: u32, millis: f64, wanted: f64) -> u32 {
    if millis <= 0.0 {
        return (calls * GROWTH).min(MAX_CALLS);
    }
    if (wanted..=2.0 * wanted).contains(&millis) {
        return calls;
    }
    let fitting = (MARGIN * wanted / millis * f64::from(calls)).ceil() as u32;
    fitting.clamp(1, (calls * GROWTH).min(MAX_CALLS))
}

/// Whether no two of the times differ by more than `ratio`.
fn agree(times: &[f64], ratio: f64) -> bool {
    let smallest = times.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = times.iter().copied().fold(0.0, f64::max);
    largest <= smallest * ratio
}

/// Whether the samples stayed at one level, as far as their number tells.
fn even(samples: &[f64]) -> bool {
    if samples.len() < DRIFT_MIN_SAMPLES {
        return true;
    }
    let thirds: Vec<f64> = samples
        .chunks(samples.len().div_ceil(3))
        .filter_map(median)
        .collect();
    agree(&thirds, DRIFT_RATIO)
}

/// Whether the clock's step is 1 % of a typical sample or more.
fn coarse(p50_millis: f64, calls: u32, step_millis: f64) -> bool {
    p50_millis * f64::from(calls) < STEPS_PER_SAMPLE * step_millis || p50_millis <= 0.0
}

fn rounded(value: f64, steps_per_unit: f64) -> f64 {
    libm::round(value * steps_per_unit) / steps_per_unit
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::{Clock, ManualClock};
    use crate::rng::Stream;

    /// Runs a measurement of `budget` milliseconds on a simulated machine where the call with number `n` takes
    /// `cost(n)` milliseconds.
    fn measured(
        resolution_micros: f64,
        budget: f64,
        mut cost: impl FnMut(u32) -> f64,
    ) -> result::Latency {
        let clock = ManualClock::new(resolution_micros);
        let mut latency = Latency::new(1, budget, clock.resolution_micros(), 0.95);
        let mut made = 0;
        for _ in 0..100_000 {
            let (Call::Warmup(calls) | Call::Time(calls)) = latency.next() else {
                return latency.finish(false);
            };
            let start = clock.now_millis();
            for _ in 0..calls {
                clock.advance(cost(made));
                made += 1;
            }
            latency.record(clock.now_millis() - start);
        }
        panic!("never done");
    }

    /// `typical` with up to 2 % of noise.
    fn noisy(typical: f64) -> impl FnMut(u32) -> f64 {
        let mut random = Stream::new(1, "test", 0);
        move |_| typical * (1.0 + 0.02 * f64::from(random.unit()))
    }

    #[test]
    fn a_fine_clock_times_single_calls_and_gives_all_percentiles() {
        let found = measured(0.1, 1000.0, noisy(0.5));
        assert_eq!(found.calls_per_sample, 1);
        assert_eq!(found.flags, [""; 0]);
        assert!(
            (1300..=1500).contains(&found.samples_millis.len()),
            "{}",
            found.samples_millis.len()
        );
        assert!(
            (found.p50_millis - 0.505).abs() < 0.001,
            "{}",
            found.p50_millis
        );
        assert!(
            found.p50_low_millis <= found.p50_millis && found.p50_millis <= found.p50_high_millis
        );
        let (p95, p99) = (
            found.p95_millis.expect("enough"),
            found.p99_millis.expect("enough"),
        );
        assert!(
            found.p50_millis < p95 && p95 < p99 && p99 <= 0.51,
            "{p95} {p99}"
        );
        assert!(
            (found.samples_per_sec - 1980.0).abs() < 5.0,
            "{}",
            found.samples_per_sec
        );
    }

    #[test]
    fn percentiles_need_their_counts() {
        // 750 ms of the budget remain for samples.
        for (call, p95, p99) in [
            (7.0, false, false),
            (5.0, true, false),
            (2.0, true, false),
            (1.0, true, true),
        ] {
            let found = measured(1.0, 1000.0, noisy(call));
            assert_eq!(
                found.p95_millis.is_some(),
                p95,
                "{call}: {}",
                found.samples_millis.len()
            );
            assert_eq!(
                found.p99_millis.is_some(),
                p99,
                "{call}: {}",
                found.samples_millis.len()
            );
            assert_eq!(found.calls_per_sample, 1);
        }
    }

    #[test]
    fn coarse_clocks_group_calls_and_claim_no_percentiles() {
        for (resolution, call) in [
            (5.0, 0.2),
            (20.0, 0.2),
            (100.0, 0.2),
            (100.0, 3.0),
            (1000.0, 0.2),
            (1000.0, 40.0),
        ] {
            let found = measured(resolution, 1000.0, noisy(call));
            let sample = found.p50_millis * f64::from(found.calls_per_sample);
            assert!(found.calls_per_sample > 1, "{resolution} {call}");
            assert!(
                sample >= 100.0 * resolution / 1000.0,
                "{resolution} {call}: {sample} ms"
            );
            assert_eq!((found.p95_millis, found.p99_millis), (None, None));
            assert!(
                (found.p50_millis / call - 1.01).abs() < 0.012,
                "{resolution} {call}: {}",
                found.p50_millis
            );
            assert!(
                !found.flags.contains(&"coarse clock".to_owned()),
                "{resolution} {call}: {:?}",
                found.flags
            );
            assert!(
                !found.flags.contains(&"no steady state".to_owned()),
                "{resolution} {call}: {:?}",
                found.flags
            );
        }
    }

    #[test]
    fn a_clock_too_coarse_for_the_budget_is_flagged() {
        let found = measured(100_000.0, 1000.0, noisy(0.2));
        assert!(
            found.flags.contains(&"coarse clock".to_owned()),
            "{:?}",
            found.flags
        );
        assert!(!found.samples_millis.is_empty());
    }

    #[test]
    fn compiling_in_the_first_calls_is_warmed_away() {
        let mut noise = noisy(0.3);
        let found = measured(0.1, 1000.0, |call| {
            let slow = if call < 150 {
                3.0 - f64::from(call) * 0.02
            } else {
                0.0
            };
            noise(call) + slow
        });
        assert_eq!(found.flags, [""; 0]);
        assert!(found.warmup_calls >= 150, "{}", found.warmup_calls);
        assert!(found.p99_millis.expect("enough") < 0.31);
    }

    #[test]
    fn calls_that_never_settle_are_flagged() {
        let growing = measured(0.1, 1000.0, |call| 0.1 + f64::from(call) * 0.001);
        assert_eq!(growing.flags, ["no steady state"]);
        // Settles, then a step by a fifth in the middle of the samples.
        let mut noise = noisy(0.5);
        let step = measured(0.1, 1000.0, |call| {
            noise(call) * if call < 1100 { 1.0 } else { 1.2 }
        });
        assert_eq!(step.flags, ["no steady state"]);
        let mut noise = noisy(0.5);
        let small_step = measured(0.1, 1000.0, |call| {
            noise(call) * if call < 1100 { 1.0 } else { 1.05 }
        });
        assert_eq!(small_step.flags, [""; 0]);
    }

    #[test]
    fn one_slow_call_in_fifty_is_no_unsteadiness() {
        let mut noise = noisy(0.5);
        let found = measured(0.1, 1000.0, |call| {
            noise(call) * if call % 50 == 0 { 9.0 } else { 1.0 }
        });
        assert_eq!(found.flags, [""; 0]);
        assert!(found.p99_millis.expect("enough") > 4.0);
        assert!(found.p95_millis.expect("enough") < 0.6);
    }

    #[test]
    fn slow_calls_are_measured_as_far_as_the_budget_goes() {
        let found = measured(5.0, 1000.0, noisy(50.0));
        assert!(
            (10..=16).contains(&found.samples_millis.len()),
            "{}",
            found.samples_millis.len()
        );
        assert_eq!(found.flags, [""; 0]);
        let slower = measured(5.0, 1000.0, noisy(400.0));
        assert_eq!(slower.flags, ["no steady state", "few samples"]);
        assert!(!slower.samples_millis.is_empty());
    }

    #[test]
    fn a_hidden_page_is_flagged() {
        let mut latency = Latency::new(1, 10.0, 0.0, 0.95);
        while let Call::Warmup(calls) | Call::Time(calls) = latency.next() {
            latency.record(0.01 * f64::from(calls));
        }
        assert_eq!(latency.clone().finish(true).flags, ["page hidden"]);
        assert_eq!(latency.finish(false).flags, [""; 0]);
    }

    #[test]
    fn hostile_times_end_and_stay_finite() {
        type Elapsed = fn(u32) -> f64;
        let sequences: [(&str, Elapsed); 8] = [
            ("zero", |_| 0.0),
            ("negative", |_| -1.0),
            ("NaN", |_| f64::NAN),
            ("infinite", |_| f64::INFINITY),
            ("huge", |_| 1e300),
            ("tiny", |_| 1e-300),
            (
                "subnormal then huge",
                |n| if n % 2 == 0 { 5e-324 } else { 1e8 },
            ),
            (
                "now and then nothing",
                |n| if n % 3 == 0 { 1.0 } else { 0.0 },
            ),
        ];
        for (name, elapsed) in sequences {
            for resolution in [0.0, 5.0, 1000.0, f64::NAN, f64::INFINITY, -1.0] {
                let mut latency = Latency::new(64, 1000.0, resolution, 0.95);
                let mut asked = 0;
                while latency.next() != Call::Done {
                    latency.record(elapsed(asked));
                    asked += 1;
                    assert!(asked < 20_000, "{name} {resolution} never ends");
                    assert!(
                        (0.0..=1.0).contains(&latency.fraction()),
                        "{name} {resolution}"
                    );
                }
                let found = latency.finish(false);
                assert!(!found.flags.is_empty(), "{name} {resolution}");
                let text = serde_json::to_string(&found).expect("serializable");
                assert!(!text.contains("null"), "{name} {resolution}: {text}");
            }
        }
    }

    #[test]
    fn a_budget_of_nothing_measures_nothing() {
        for budget in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let mut latency = Latency::new(1, budget, 5.0, 0.95);
            assert_eq!(latency.next(), Call::Done);
            latency.record(1.0);
            assert_eq!(latency.fraction(), 1.0);
            assert!(latency.take_new_samples().is_empty());
            let found = latency.finish(false);
            assert_eq!((found.p50_millis, found.samples_per_sec), (0.0, 0.0));
            assert_eq!(found.flags, ["few samples", "coarse clock"]);
        }
    }

    #[test]
    fn a_stopped_measurement_keeps_its_samples() {
        let mut latency = Latency::new(64, 1000.0, 0.1, 0.95);
        let mut seen = Vec::new();
        while seen.len() < 20 {
            latency.record(2.0);
            seen.extend(latency.take_new_samples());
        }
        assert!(latency.take_new_samples().is_empty());
        let found = latency.finish(false);
        assert_eq!(found.samples_millis, seen);
        assert_eq!(found.samples_per_sec, 32_000.0);
        assert_eq!(found.p95_millis, None);
    }

    #[test]
    fn samples_are_capped_and_short_in_json() {
        let found = measured(0.0, 60_000.0, noisy(0.123_456_789));
        assert_eq!(found.samples_millis.len(), MAX_SAMPLES);
        let longest = found
            .samples_millis
            .iter()
            .map(|millis| millis.to_string().len())
            .max();
        assert_eq!(longest, Some(8));
    }
}
