//! Latency as a strip of all samples in their order, with the median and its interval; no bars, no smoothing.

use super::axis::{Axis, Wish};
use super::canvas::{
    Anchor, Area, Drawn, Label, Palette, Rect, empty, panel, render, thickness, width_of, write,
};
use super::{Chart, Size, Theme};
use crate::result::Latency;
use crate::runlog::words::{count, millis, significant};
use crate::stats::{quantile, sorted};
use plotters::prelude::*;
use std::collections::BTreeSet;

/// Rows of the table twin; of more samples every nth is listed, which its heading says.
const MAX_TABLE: usize = 2000;

/// Draws one panel for each measurement that has samples.
#[must_use]
pub fn latency(latencies: &[&Latency], theme: Theme, size: Size) -> Chart {
    const TITLE: &str = "Latency samples";
    let measured: Vec<&Latency> = latencies
        .iter()
        .copied()
        .filter(|latency| {
            latency
                .samples_millis
                .iter()
                .any(|sample| sample.is_finite())
        })
        .take(6)
        .collect();
    if measured.is_empty() {
        return empty(theme, size, TITLE, "No latency was measured.");
    }
    let palette = theme.palette();
    let summary = measured
        .iter()
        .map(|latency| sentence(latency))
        .collect::<Vec<_>>()
        .join(" ");
    let svg = render(size, TITLE, &summary, |area, width, height| {
        let (width, height) = (f64::from(width), f64::from(height));
        let panels = f64::from(u32::try_from(measured.len()).unwrap_or(1));
        let beside = width / panels >= 260.0;
        for (index, latency) in (0_u32..).zip(&measured) {
            let index = f64::from(index);
            let rect = if beside {
                let each = (width - 16.0 * (panels - 1.0)) / panels;
                Rect {
                    left: index * (each + 16.0),
                    top: 0.0,
                    width: each,
                    height,
                }
            } else {
                let each = (height - 12.0 * (panels - 1.0)) / panels;
                Rect {
                    left: 0.0,
                    top: index * (each + 12.0),
                    width,
                    height: each,
                }
            };
            draw(area, rect, latency, &palette)?;
        }
        Ok(())
    });
    let (columns, rows) = table(&measured);
    Chart {
        svg,
        summary,
        columns,
        rows,
    }
}

fn calls(latency: &Latency) -> String {
    if latency.batch == 1 {
        "one row per call".into()
    } else {
        format!("{} rows per call", latency.batch)
    }
}

fn sentence(latency: &Latency) -> String {
    let samples = latency.samples_millis.len();
    let grouped = if latency.calls_per_sample > 1 {
        format!(
            " (each the mean of {} calls)",
            count(latency.calls_per_sample.into())
        )
    } else {
        String::new()
    };
    let finite = || {
        latency
            .samples_millis
            .iter()
            .copied()
            .filter(|sample| sample.is_finite())
    };
    let mut text = format!(
        "{}: p50 {} ({} to {}) over {} samples{grouped}, from {} to {}",
        calls(latency),
        millis(latency.p50_millis),
        significant(latency.p50_low_millis, 3),
        significant(latency.p50_high_millis, 3),
        count(samples as u64),
        millis(finite().fold(f64::INFINITY, f64::min)),
        millis(finite().fold(0.0, f64::max)),
    );
    for (name, value) in [("p95", latency.p95_millis), ("p99", latency.p99_millis)] {
        if let Some(value) = value {
            text += &format!(", {name} {}", millis(value));
        }
    }
    if !latency.flags.is_empty() {
        text += &format!("; doubtful: {}", latency.flags.join(", "));
    }
    if let Some(first) = text.get(..1).map(str::to_uppercase) {
        text.replace_range(..1, &first);
    }
    text + "."
}

fn draw(area: &Area<'_>, rect: Rect, latency: &Latency, palette: &Palette) -> Drawn {
    let samples = &latency.samples_millis;
    let finite = || samples.iter().copied().filter(|sample| sample.is_finite());
    let (low, high) = finite().fold((f64::INFINITY, 0.0_f64), |(low, high), sample| {
        (low.min(sample), high.max(sample))
    });
    let title = format!("ms, {}", calls(latency));
    let top = top_of(samples);
    let y = Axis::over(
        finite().filter(|sample| *sample <= top),
        Wish {
            title: &title,
            ticks: if rect.height > 220.0 { 6 } else { 4 },
            log: high.min(top) > 5.0 * low,
            include: &[],
            within: (0.0, f64::INFINITY),
            whole: false,
            least: 0.0,
        },
    );
    #[expect(clippy::cast_precision_loss, reason = "places on a screen")]
    let place = |index: usize| index as f64 + 1.0;
    let x = Axis::over(
        [1.0, place(samples.len().max(2) - 1)].into_iter(),
        Wish {
            title: if latency.calls_per_sample > 1 && rect.width > 290.0 {
                "sample (mean of calls)"
            } else {
                "sample"
            },
            ticks: if rect.width > 400.0 { 6 } else { 4 },
            log: false,
            include: &[],
            within: (0.0, f64::INFINITY),
            whole: true,
            least: 0.0,
        },
    );
    let (Some(x), Some(y)) = (x, y) else {
        return Ok(());
    };
    let plane = panel(area, rect, &x, &y, palette)?;
    let across = |value: f64| y.at(value).map(|at| [(x.low, at), (x.high, at)]);
    if let (Some([from, _]), Some([_, to])) = (
        across(latency.p50_low_millis),
        across(latency.p50_high_millis),
    ) {
        plane.draw(&Rectangle::new(
            [from, to],
            palette.blended(palette.accent, 0.25).filled(),
        ))?;
    }
    // Samples that would fall on the same half pixel are drawn once.
    let mut drawn = BTreeSet::new();
    let half_pixels = |coordinate: f64, axis: &Axis, length: f64| {
        super::canvas::units((coordinate - axis.low) / (axis.high - axis.low) * length * 0.2)
    };
    for (index, sample) in samples.iter().enumerate() {
        let (Some(at), Some(value)) = (x.at(place(index)), y.at(*sample)) else {
            continue;
        };
        if !sample.is_finite()
            || !drawn.insert((
                half_pixels(at, &x, rect.width),
                half_pixels(value, &y, rect.height),
            ))
        {
            continue;
        }
        if *sample > top {
            plane.draw(&TriangleMarker::new(
                (at, y.high),
                thickness(3.0),
                palette.text.filled(),
            ))?;
        } else {
            plane.draw(&Circle::new(
                (at, value),
                thickness(1.4),
                palette.muted.mix(0.6).filled(),
            ))?;
        }
    }
    let Some(median) = across(latency.p50_millis) else {
        return Ok(());
    };
    plane.draw(&PathElement::new(
        median.to_vec(),
        ShapeStyle::from(&palette.accent).stroke_width(thickness(1.5)),
    ))?;
    let above = finite().filter(|sample| *sample > top).count();
    if above > 0 {
        // On the line of the axis' own title, at its other end.
        write(
            area,
            Label::small(
                &format!("▲ {above} above, up to {}", millis(high)),
                (rect.left, rect.top + rect.height - 7.0),
                Anchor::Start,
                palette.muted,
            ),
        )?;
    }
    let text = format!("p50 {}", millis(latency.p50_millis));
    let title_end = rect.left + width_of(&y.title, true) + 12.0;
    let right = rect.left + rect.width - 8.0;
    if right - width_of(&text, true) > title_end {
        write(
            area,
            Label::title(&text, (right, rect.top + 7.0), Anchor::End, palette.accent),
        )?;
    }
    Ok(())
}

/// Up to where the axis goes. A few slow calls would press all others together: where at most one in twenty lies far
/// above the rest, they are drawn at the edge as triangles, and counted in words.
fn top_of(samples: &[f64]) -> f64 {
    let ascending: Vec<f64> = sorted(samples)
        .into_iter()
        .filter(|sample| sample.is_finite())
        .collect();
    let at = |p| quantile(&ascending, p).unwrap_or(f64::INFINITY);
    let (lower, median, upper) = (at(0.05), at(0.5), at(0.95));
    // Three times the distance in which nine tenths of the samples lie.
    let top = median + 3.0 * (upper - lower).max(median * 0.01);
    if ascending.last().is_some_and(|highest| *highest > top) {
        top
    } else {
        f64::INFINITY
    }
}

fn table(latencies: &[&Latency]) -> (Vec<String>, Vec<Vec<String>>) {
    let longest = latencies
        .iter()
        .map(|latency| latency.samples_millis.len())
        .max()
        .unwrap_or_default();
    let step = longest.div_ceil(MAX_TABLE).max(1);
    let mut columns = vec![if step == 1 {
        "sample".to_owned()
    } else {
        format!("sample (every {step}th)")
    }];
    columns.extend(
        latencies
            .iter()
            .map(|latency| format!("ms, {}", calls(latency))),
    );
    let rows = (0..longest)
        .step_by(step)
        .map(|index| {
            let mut row = vec![(index + 1).to_string()];
            row.extend(latencies.iter().map(|latency| {
                latency
                    .samples_millis
                    .get(index)
                    .map_or(String::new(), |sample| significant(*sample, 4))
            }));
            row
        })
        .collect();
    (columns, rows)
}
