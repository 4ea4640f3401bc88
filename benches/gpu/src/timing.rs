//! Times of one thing done again and again; it knows nothing of what is timed.

use assay::stats;
use serde_json::{Value, json};
use std::time::Instant;

/// Waits for something that is ready as soon as the device has answered.
pub(crate) fn now<T>(future: impl Future<Output = assay::error::Result<T>>) -> Result<T, String> {
    let mut future = std::pin::pin!(future);
    match future
        .as_mut()
        .poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
    {
        std::task::Poll::Ready(value) => value.map_err(|error| error.to_string()),
        std::task::Poll::Pending => Err("the device did not answer at once".into()),
    }
}

/// Milliseconds since the program began.
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn millis(&self) -> f64 {
        self.0.elapsed().as_secs_f64() * 1000.0
    }
}

/// Median and quartiles, ms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) count: usize,
}

impl Spread {
    pub(crate) fn of(samples: &[f64]) -> Result<Self, String> {
        let ascending = stats::sorted(samples);
        let at = |share| stats::quantile(&ascending, share).ok_or("nothing was timed");
        Ok(Self {
            median: at(0.5)?,
            low: at(0.25)?,
            high: at(0.75)?,
            count: samples.len(),
        })
    }

    pub(crate) fn json(&self) -> Value {
        json!({ "medianMillis": self.median, "lowerQuartileMillis": self.low, "upperQuartileMillis": self.high, "samples": self.count })
    }
}

/// Does something for so many seconds after a fifth of that as warm-up, at least three times and at most 5000 times.
pub(crate) fn repeated(
    clock: &Clock,
    seconds: f64,
    mut act: impl FnMut() -> Result<(), String>,
) -> Result<Spread, String> {
    let mut timed = |seconds: f64, least: usize| -> Result<Vec<f64>, String> {
        let mut samples = Vec::new();
        let begin = clock.millis();
        while samples.len() < least
            || (samples.len() < 5000 && clock.millis() - begin < 1000.0 * seconds)
        {
            let before = clock.millis();
            act()?;
            samples.push(clock.millis() - before);
        }
        Ok(samples)
    };
    timed(seconds / 5.0, 1)?;
    Spread::of(&timed(seconds, 3)?)
}
