//! How long calls take.

use crate::stats;
use serde::Serialize;

/// Latency of calls with a fixed number of rows, measured in a closed loop: the next call starts when the last one ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Latency {
    /// Rows per call.
    pub batch: u32,
    /// Calls per sample. More than one where the clock is too coarse to time one call; the samples are then means.
    pub calls_per_sample: u32,
    /// Calls made before the first sample.
    pub warmup_calls: u32,
    /// Time per call of each sample, milliseconds, in order.
    pub samples_millis: Vec<f64>,
    /// Mean of the samples, milliseconds.
    pub mean_millis: f64,
    /// Median of the samples, milliseconds.
    pub p50_millis: f64,
    /// Ends of the median's distribution-free interval, milliseconds.
    pub p50_low_millis: f64,
    /// See `p50_low_millis`.
    pub p50_high_millis: f64,
    /// 95th percentile; only of individually timed calls and only with at least 130 of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95_millis: Option<f64>,
    /// 99th percentile; only of individually timed calls and only with at least 662 of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_millis: Option<f64>,
    /// Rows per second at the median.
    pub samples_per_sec: f64,
    /// The clock's resolution as measured, microseconds.
    pub resolution_micros: f64,
    /// What makes the figures doubtful: `no steady state`, `page hidden`, `few samples`, `coarse clock`; empty when nothing does.
    pub flags: Vec<String>,
}

crate::section::section!(Latency: { batch, calls_per_sample, warmup_calls, samples_millis, mean_millis, p50_millis, p50_low_millis, p50_high_millis, p95_millis, p99_millis, samples_per_sec, resolution_micros, flags } {  });

impl Latency {
    /// A measurement that has not ended: its samples so far and their median, for a live chart only.
    #[must_use]
    pub fn in_progress(batch: u32, samples_millis: Vec<f64>) -> Self {
        let sorted = stats::sorted(&samples_millis);
        let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
        Self {
            batch,
            calls_per_sample: 1,
            warmup_calls: 0,
            samples_millis,
            mean_millis: median,
            p50_millis: median,
            p50_low_millis: median,
            p50_high_millis: median,
            p95_millis: None,
            p99_millis: None,
            samples_per_sec: 0.0,
            resolution_micros: 0.0,
            flags: Vec::new(),
        }
    }
}
