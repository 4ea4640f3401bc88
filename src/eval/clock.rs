//! The one way to learn the time, given to whoever measures; it never sleeps and sets no timer.

use std::cell::Cell;

/// A clock of the machine that Assay runs on.
pub trait Clock {
    /// Milliseconds since a fixed but unknown moment; never less than at the call before.
    fn now_millis(&self) -> f64;
    /// The smallest step that [`Clock::now_millis`] makes, as measured, microseconds.
    fn resolution_micros(&self) -> f64;
    /// Seconds since 1970-01-01 UTC, as the machine believes.
    fn wall_secs(&self) -> f64;
}

/// A clock that moves only when told to, for tests.
#[derive(Debug, Clone, Default)]
pub struct ManualClock {
    exact_millis: Cell<f64>,
    step_micros: Cell<f64>,
}

impl ManualClock {
    /// A clock at 0 that shows its time in whole steps of `resolution_micros`; 0 shows it exactly.
    #[must_use]
    pub const fn new(resolution_micros: f64) -> Self {
        Self {
            exact_millis: Cell::new(0.0),
            step_micros: Cell::new(resolution_micros),
        }
    }

    /// Lets `millis` pass.
    pub fn advance(&self, millis: f64) {
        self.exact_millis.set(self.exact_millis.get() + millis);
    }
}

impl Clock for ManualClock {
    fn now_millis(&self) -> f64 {
        let step_millis = self.step_micros.get() / 1000.0;
        if step_millis > 0.0 {
            (self.exact_millis.get() / step_millis).floor() * step_millis
        } else {
            self.exact_millis.get()
        }
    }

    fn resolution_micros(&self) -> f64 {
        self.step_micros.get()
    }

    fn wall_secs(&self) -> f64 {
        self.exact_millis.get() / 1000.0
    }
}

/// The smallest step of a clock in microseconds, found by reading `now_millis` until it has moved 20 times.
///
/// Gives up after a million readings and returns what it saw so far; infinite where the clock never moved. Takes about
/// 20 steps of the clock: 20 ms where it shows whole milliseconds.
pub fn measured_resolution_micros(mut now_millis: impl FnMut() -> f64) -> f64 {
    let mut smallest = f64::INFINITY;
    let mut last = now_millis();
    let mut moves = 0;
    for _ in 0..1_000_000 {
        let now = now_millis();
        if now > last {
            smallest = smallest.min(now - last);
            moves += 1;
            if moves == 20 {
                break;
            }
        }
        last = now;
    }
    smallest * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_whole_steps() {
        let clock = ManualClock::new(1000.0);
        clock.advance(1.9);
        assert_eq!(clock.now_millis(), 1.0);
        clock.advance(0.2);
        assert_eq!(clock.now_millis(), 2.0);
    }

    #[test]
    fn finds_the_resolution_of_a_clock() {
        for step in [5.0, 20.0, 100.0, 1000.0] {
            let clock = ManualClock::new(step);
            let found = measured_resolution_micros(|| {
                clock.advance(0.0013);
                clock.now_millis()
            });
            assert!((found - step).abs() < step * 1e-6, "{step}: {found}");
        }
    }

    #[test]
    fn a_clock_that_stands_still_or_runs_back_ends_the_search() {
        assert_eq!(measured_resolution_micros(|| 7.0), f64::INFINITY);
        assert_eq!(measured_resolution_micros(|| f64::NAN), f64::INFINITY);
        let mut now = 0.0;
        let backwards = measured_resolution_micros(|| {
            now -= 1.0;
            now
        });
        assert_eq!(backwards, f64::INFINITY);
    }
}
