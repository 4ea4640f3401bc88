//! What the adapter can do at best, measured in the same run: copies, products, dispatches, submissions, synchronizations.

use crate::timing::{Clock, now};
use assay::engine::gpu::Gpu;
use assay::engine::gpu::measure::Repeats;
use assay::stats;
use serde_json::{Value, json};

/// The constants that floors are computed from.
#[derive(Debug, Clone)]
pub(crate) struct Floors {
    /// Bytes read and written per second.
    pub(crate) bandwidth: f64,
    /// Multiplications and additions per second of the fastest tile on a large product, by tile.
    pub(crate) product_rate: f64,
    /// Rates of all tiles, with the side of the product.
    pub(crate) tiles: Vec<(String, f64)>,
    pub(crate) side: u32,
    /// Seconds of one dispatch on the device, and with recording it.
    pub(crate) dispatch: f64,
    pub(crate) recorded_dispatch: f64,
    /// Seconds of one submission.
    pub(crate) submission: f64,
    /// Seconds of one synchronization: handing over one dispatch and reading four bytes back, without the dispatch.
    pub(crate) synchronization: f64,
}

/// Words of each buffer of a copy: 256 MiB, far more than any cache holds.
const COPIED_WORDS: u64 = 1 << 26;

/// The slope and the height of time over count, seconds: the median of seven rounds over all counts.
fn slope(
    counts: &[u32],
    mut act: impl FnMut(u32) -> Result<f64, String>,
) -> Result<[f64; 2], String> {
    act(counts[0])?;
    let mut lines = Vec::new();
    for _ in 0..7 {
        let mut points = Vec::new();
        for &count in counts {
            points.push((f64::from(count), act(count)? / 1000.0));
        }
        let (slope, height) = stats::line(&points).ok_or("no two counts")?;
        lines.push([slope, height]);
    }
    let median = |part: usize| {
        let parts: Vec<f64> = lines.iter().map(|line| line[part]).collect();
        stats::median(&parts).ok_or("no rounds")
    };
    Ok([median(0)?, median(1)?])
}

fn answered(repeats: &Repeats, clock: &Clock, count: u32) -> Result<f64, String> {
    Ok(now(repeats.run(count, &|| clock.millis()))?.answered)
}

/// The rate of a product with one tile, or nothing where it does not fit.
fn product(gpu: &Gpu, clock: &Clock, side: u32, tile: usize) -> Result<Option<f64>, String> {
    let Some(repeats) = now(Repeats::of_product(gpu, [side; 3], tile))? else {
        return Ok(None);
    };
    let [slope, _] = slope(&[1, 5], |count| answered(&repeats, clock, count))?;
    Ok(Some(2.0 * f64::from(side).powi(3) / slope))
}

/// Products until a GPU that slept runs at its clock.
fn warm_up(gpu: &Gpu, clock: &Clock) -> Result<(), String> {
    const MILLIS: f64 = 500.0;
    const SIDE: u32 = 1024;
    let began = clock.millis();
    let repeats = now(Repeats::of_product(gpu, [SIDE; 3], 0))?.ok_or("no tile")?;
    while clock.millis() - began < MILLIS {
        answered(&repeats, clock, 1)?;
    }
    Ok(())
}

impl Floors {
    /// Measures them all.
    pub(crate) fn measure(gpu: &Gpu, clock: &Clock) -> Result<Self, String> {
        warm_up(gpu, clock)?;
        let words = COPIED_WORDS.min(gpu.most_bytes() / 4);
        let copy = now(Repeats::of_text(
            gpu,
            include_str!("copy.wgsl"),
            words,
            [8192, 1, 1],
        ))?;
        let [seconds, _] = slope(&[2, 10], |count| answered(&copy, clock, count))?;
        let bandwidth = 8.0 * words as f64 / seconds;
        drop(copy);

        // As large as takes four milliseconds: a small product tells of a start and leaves a large GPU's caches half empty, a
        // large one keeps a slow adapter for minutes.
        let mut side = 256;
        let names = Repeats::tiles();
        while side < 4096 {
            let rate = product(gpu, clock, side, 0)?.ok_or("no tile")?;
            if 2.0 * f64::from(side).powi(3) / rate > 4e-3 {
                break;
            }
            side *= 2;
        }
        let mut tiles = Vec::new();
        for (number, name) in names.into_iter().enumerate() {
            if let Some(rate) = product(gpu, clock, side, number)? {
                tiles.push((name, rate));
            }
        }
        let product_rate = tiles.iter().map(|tile| tile.1).fold(0.0, f64::max);

        let tiny = now(Repeats::of_text(
            gpu,
            include_str!("tiny.wgsl"),
            64,
            [1, 1, 1],
        ))?;
        let counts = [16, 128, 512];
        let [dispatch, _] = slope(&counts, |count| answered(&tiny, clock, count))?;
        let mut waits = Vec::new();
        for _ in 0..50 {
            waits.push(answered(&tiny, clock, 1)? / 1000.0);
        }
        let waiting = stats::median(&waits).ok_or("no waits")?;
        let synchronization = (waiting - dispatch).max(0.0);
        let [recorded_dispatch, _] = slope(&counts, |count| {
            let elapsed = now(tiny.run(count, &|| clock.millis()))?;
            Ok(elapsed.recording + elapsed.answered)
        })?;
        let [submission, _] = slope(&[1, 16, 64], |count| {
            now(tiny.submissions(count, &|| clock.millis()))
        })?;
        Ok(Self {
            bandwidth,
            product_rate,
            tiles,
            side,
            dispatch,
            recorded_dispatch,
            submission,
            synchronization,
        })
    }

    /// The least seconds for arithmetic, bytes, dispatches and a part of a synchronization, and which of them decides.
    pub(crate) fn least(
        &self,
        [flops, bytes]: [f64; 2],
        dispatches: f64,
        synchronizations: f64,
    ) -> (f64, &'static str) {
        let waiting = dispatches * self.dispatch + synchronizations * self.synchronization;
        [
            (flops / self.product_rate, "arithmetic"),
            (bytes / self.bandwidth, "bytes"),
            (waiting, "dispatches"),
        ]
        .into_iter()
        .fold((0.0, "nothing"), |most, other| {
            if other.0 > most.0 { other } else { most }
        })
    }

    pub(crate) fn print(&self) {
        println!(
            "copy bandwidth          {:10.1} GB/s, bytes read and written",
            self.bandwidth / 1e9
        );
        println!(
            "product rate            {:10.1} GFLOP/s, best tile at {}³",
            self.product_rate / 1e9,
            self.side
        );
        for (name, rate) in &self.tiles {
            println!("  tile {name:34} {:10.1} GFLOP/s", rate / 1e9);
        }
        println!(
            "dispatch                {:10.2} µs on the device, {:.2} µs with recording it",
            self.dispatch * 1e6,
            self.recorded_dispatch * 1e6
        );
        println!(
            "submission              {:10.2} µs with one dispatch",
            self.submission * 1e6
        );
        println!(
            "synchronization         {:10.2} µs",
            self.synchronization * 1e6
        );
    }

    pub(crate) fn json(&self) -> Value {
        let tiles: serde_json::Map<String, Value> = (self.tiles.iter())
            .map(|(name, rate)| (name.clone(), json!(rate)))
            .collect();
        json!({
            "copyBytesPerSec": self.bandwidth,
            "productFlopsPerSec": self.product_rate,
            "productSide": self.side,
            "tilesFlopsPerSec": tiles,
            "dispatchSecs": self.dispatch,
            "recordedDispatchSecs": self.recorded_dispatch,
            "submissionSecs": self.submission,
            "synchronizationSecs": self.synchronization,
        })
    }
}
