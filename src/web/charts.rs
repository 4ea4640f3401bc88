//! Charts for the page: plain objects and record texts in, `{ svg, summary, columns, rows }` out.
//!
//! They are drawn on the page and never in a Worker: plotters measures text through `window`.

use super::page::{answer, value_from};
use crate::chart::{self, Chart, Curve, Point, Size, Theme, XAxis};
use crate::error::{Error, Result};
use crate::recipe::typed;
use crate::result::{EpochPoint, Latency};
use crate::runlog::record::{self, Record};
use crate::runlog::words::short_digest;
use serde_json::{Value, json};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Samples in a live chart, the newest: it is drawn several times a second, beside the measurement.
const MAX_LIVE_SAMPLES: usize = 300;

type Js = std::result::Result<JsValue, JsValue>;

fn drawn(chart: Result<Chart>) -> Js {
    answer(chart.map(|chart| {
        json!({
            "svg": chart.svg,
            "summary": chart.summary,
            "columns": chart.columns,
            "rows": chart.rows,
        })
    }))
}

fn read(text: &str) -> Result<Record> {
    record::read(text).map(|(record, _)| record)
}

/// A part of what the page handed over.
fn part<T: serde::de::DeserializeOwned>(value: &Value, name: &str) -> Result<T> {
    typed(&value[name]).map_err(|message| Error::bad_input(name, "what the chart draws", message))
}

/// A list of what the page handed over.
fn list(values: &JsValue, name: &str) -> Result<Vec<Value>> {
    match value_from(values)? {
        Value::Array(list) => Ok(list),
        other => Err(Error::bad_input(name, "a list", other.to_string())),
    }
}

/// Training curves of records (JSON texts) or of `{ label, curve, epochs? }`.
///
/// # Errors
/// Throws `record` or `bad-input` when one of them cannot be read.
#[wasm_bindgen(js_name = chartCurves)]
pub fn chart_curves(runs: JsValue, theme: &str, width: u32, height: u32) -> Js {
    let read_run = |run: &Value| -> Result<(String, Vec<EpochPoint>, u32)> {
        let Some(text) = run.as_str() else {
            let epochs = run["epochs"].as_u64().unwrap_or(0);
            return Ok((part(run, "label")?, part(run, "curve")?, epochs as u32));
        };
        let record = read(text)?;
        let curve = record.results.training.unwrap_or_default().curve;
        Ok((short_digest(&record.digest), curve, 0))
    };
    let draw = || {
        let runs = list(&runs, "runs")?;
        let runs = runs.iter().map(read_run).collect::<Result<Vec<_>>>()?;
        let curves: Vec<Curve<'_>> = runs
            .iter()
            .map(|(label, points, epochs)| Curve {
                label,
                points,
                epochs_planned: *epochs,
            })
            .collect();
        Ok(chart::curves(
            &curves,
            Theme::named(theme),
            Size { width, height },
        ))
    };
    drawn(draw())
}

/// The confusion matrix of a record.
///
/// # Errors
/// Throws `record` when it cannot be read.
#[wasm_bindgen(js_name = chartConfusion)]
pub fn chart_confusion(record: &str, theme: &str, width: u32, height: u32) -> Js {
    let empty = crate::result::Confusion {
        classes: Vec::new(),
        counts: Vec::new(),
    };
    drawn(read(record).map(|record| {
        let confusion = record.results.confusion.unwrap_or(empty);
        chart::confusion(&confusion, Theme::named(theme), Size { width, height })
    }))
}

/// Latency samples of a record, or of a measurement in progress `{ batch, samples }`.
///
/// # Errors
/// Throws `record` or `bad-input` when it cannot be read.
#[wasm_bindgen(js_name = chartLatency)]
pub fn chart_latency(record: JsValue, theme: &str, width: u32, height: u32) -> Js {
    let read_latencies = || -> Result<Vec<Latency>> {
        let source = value_from(&record)?;
        let Some(text) = source.as_str() else {
            let samples: Vec<f64> = part(&source, "samples")?;
            let newest = samples.len().saturating_sub(MAX_LIVE_SAMPLES);
            let samples = samples[newest..].to_vec();
            return Ok(vec![Latency::in_progress(part(&source, "batch")?, samples)]);
        };
        let results = read(text)?.results;
        Ok([results.latency, results.throughput]
            .into_iter()
            .flatten()
            .collect())
    };
    drawn(read_latencies().map(|latencies| {
        let latencies: Vec<&Latency> = latencies.iter().collect();
        chart::latency(&latencies, Theme::named(theme), Size { width, height })
    }))
}

/// What answers cost on both engines, of a record that has it.
///
/// # Errors
/// Throws `record` when it cannot be read.
#[wasm_bindgen(js_name = chartEngines)]
pub fn chart_engines(record: &str, theme: &str, width: u32, height: u32) -> Js {
    drawn(read(record).map(|record| {
        let breakdown = record.results.breakdown.unwrap_or_default();
        chart::engines(&breakdown, Theme::named(theme), Size { width, height })
    }))
}

/// Accuracy against `latency` or `size` over runs: points are rows of the run table with a `label` and `pinned`.
///
/// # Errors
/// Throws when the points are no list.
#[wasm_bindgen(js_name = chartScatter)]
pub fn chart_scatter(points: JsValue, axis: &str, theme: &str, width: u32, height: u32) -> Js {
    let points = match list(&points, "points") {
        Ok(points) => points,
        Err(error) => return drawn(Err(error)),
    };
    let by_size = axis == "size";
    let number = |point: &Value, name: &str| point[name].as_f64().unwrap_or(f64::NAN);
    let points: Vec<Point> = points
        .iter()
        .map(|point| {
            let [x, x_low, x_high] = if by_size {
                [number(point, "weightBytes") / 1e3; 3]
            } else {
                ["p50Millis", "p50LowMillis", "p50HighMillis"].map(|it| number(point, it))
            };
            Point {
                label: point["label"].as_str().unwrap_or_default().into(),
                x,
                x_low,
                x_high,
                accuracy: number(point, "accuracy"),
                accuracy_low: number(point, "accuracyLow"),
                accuracy_high: number(point, "accuracyHigh"),
                highlighted: point["pinned"] == true,
            }
        })
        .collect();
    let (name, unit) = if by_size {
        ("size", "kB")
    } else {
        ("p50 latency", "ms")
    };
    let axis = XAxis {
        name: name.into(),
        unit: unit.into(),
        log: is_wide(&points),
    };
    let chart = chart::scatter(&points, &axis, Theme::named(theme), Size { width, height });
    drawn(Ok(chart))
}

/// Whether costs lie so far apart that only a logarithmic axis tells them apart.
fn is_wide(points: &[Point]) -> bool {
    let costs = points.iter().map(|point| point.x).filter(|x| *x > 0.0);
    let (low, high) = costs.fold((f64::INFINITY, 0.0_f64), |(low, high), x| {
        (low.min(x), high.max(x))
    });
    high > 20.0 * low
}
