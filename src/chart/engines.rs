//! What answers cost on CPU and GPU by rows per call, and from which batch on the GPU is sooner; it measures nothing.

use super::axis::{Axis, Wish};
use super::canvas::{
    Anchor, Area, Drawn, Label, Palette, Plane, Rect, empty, panel, render, thickness, units,
    width_of, write,
};
use super::legend::{DOT, Entry, Mark, TRIANGLE, legend};
use super::{Chart, Size, Theme};
use crate::result::{BatchCost, Breakdown};
use crate::runlog::words::{millis, significant};
use plotters::element::DashedPathElement;
use plotters::prelude::*;

/// Batches that are drawn and listed; a run measures nine.
const MAX_BATCHES: usize = 64;

/// Draws the time of a row against the rows of a call, both logarithmic, with the medians' intervals as bars.
#[must_use]
pub fn engines(breakdown: &Breakdown, theme: Theme, size: Size) -> Chart {
    const TITLE: &str = "Time per row on CPU and GPU";
    let costs: Vec<&BatchCost> = breakdown
        .batches
        .iter()
        .filter(|cost| cost.batch > 0)
        .take(MAX_BATCHES)
        .collect();
    let drawable = |cost: &&BatchCost| is_time(cost.cpu_millis) || is_time(cost.gpu_millis);
    if !costs.iter().any(drawable) {
        return empty(theme, size, TITLE, "The two engines were not timed.");
    }
    let palette = theme.palette();
    let summary = summary(&costs, breakdown.crossover);
    let crossover = breakdown
        .crossover
        .filter(|batch| costs.iter().any(|cost| cost.batch == *batch));
    let svg = render(size, TITLE, &summary, |area, width, height| {
        let (width, height) = (f64::from(width), f64::from(height));
        let top = legend(area, &entries(&costs, &palette), width, &palette)?;
        let rect = Rect {
            left: 0.0,
            top,
            width,
            height: height - top,
        };
        draw(area, rect, &costs, crossover, &palette)
    });
    let (columns, rows) = table(&costs, breakdown.timestamps);
    Chart {
        svg,
        summary,
        columns,
        rows,
    }
}

/// Whether a logarithmic axis has a place for it.
fn is_time(millis: f64) -> bool {
    millis.is_finite() && millis > 0.0
}

/// Of a time that is none, or not finite, no row has a share.
fn per_row(millis: f64, cost: &BatchCost) -> f64 {
    if is_time(millis) {
        millis / f64::from(cost.batch)
    } else {
        f64::NAN
    }
}

type Read = fn(&BatchCost) -> f64;

const CPU: Read = |cost| per_row(cost.cpu_millis, cost);
const GPU: Read = |cost| per_row(cost.gpu_millis, cost);
const COMPUTE: Read = |cost| per_row(cost.compute_millis, cost);
const ENDS: [(Read, Read); 2] = [
    (
        |cost| per_row(cost.cpu_range_millis[0], cost),
        |cost| per_row(cost.cpu_range_millis[1], cost),
    ),
    (
        |cost| per_row(cost.gpu_range_millis[0], cost),
        |cost| per_row(cost.gpu_range_millis[1], cost),
    ),
];

fn entries(costs: &[&BatchCost], palette: &Palette) -> Vec<Entry> {
    let (cpu, gpu) = (palette.accent, palette.others[0]);
    let all = [
        (CPU, Entry::new("CPU", cpu, Mark::Dots)),
        (GPU, Entry::new("GPU", gpu, Mark::Triangles)),
        (
            COMPUTE,
            Entry::new("GPU, computing alone", gpu, Mark::Dashes),
        ),
    ];
    all.into_iter()
        .filter(|(read, _)| costs.iter().any(|cost| read(cost).is_finite()))
        .map(|(_, entry)| entry)
        .collect()
}

fn draw(
    area: &Area<'_>,
    rect: Rect,
    costs: &[&BatchCost],
    crossover: Option<u32>,
    palette: &Palette,
) -> Drawn {
    let times = costs.iter().flat_map(|cost| {
        let ends = ENDS.map(|(low, high)| [low(cost), high(cost)]);
        [CPU(cost), GPU(cost), COMPUTE(cost)]
            .into_iter()
            .chain(ends.into_iter().flatten())
    });
    let wish = Wish {
        title: "ms per row",
        ticks: if rect.height > 220.0 { 7 } else { 4 },
        log: true,
        include: &[],
        within: (0.0, f64::INFINITY),
        whole: false,
        least: 0.0,
    };
    let y = Axis::over(times, wish);
    let x = Axis::over(
        costs.iter().map(|cost| f64::from(cost.batch)),
        Wish {
            title: "rows per call",
            ..wish
        },
    );
    let (Some(mut x), Some(y)) = (x, y) else {
        return Ok(());
    };
    // What was measured is named, rather than powers of ten that were not.
    x.ticks = costs
        .iter()
        .map(|cost| (f64::from(cost.batch), cost.batch.to_string()))
        .collect();
    let plane = panel(area, rect, &x, &y, palette)?;
    if let Some(batch) = crossover {
        mark(area, &plane, rect, (&x, &y), batch, palette)?;
    }
    let (cpu, gpu) = (palette.accent, palette.others[0]);
    for ((low, high), colour) in ENDS.into_iter().zip([cpu, gpu]) {
        let style = ShapeStyle::from(&colour.mix(0.55)).stroke_width(thickness(1.2));
        for cost in costs {
            let (from, to) = (low(cost), high(cost));
            if let (true, Some(at), Some(from), Some(to)) = (
                from.is_finite() && to.is_finite(),
                x.at(f64::from(cost.batch)),
                y.at(from),
                y.at(to),
            ) {
                plane.draw(&PathElement::new(vec![(at, from), (at, to)], style))?;
            }
        }
    }
    for (read, colour, mark) in [
        (COMPUTE, gpu, Mark::Dashes),
        (GPU, gpu, Mark::Triangles),
        (CPU, cpu, Mark::Dots),
    ] {
        let line: Vec<(f64, f64)> = costs
            .iter()
            .filter(|cost| read(cost).is_finite())
            .filter_map(|cost| Some((x.at(f64::from(cost.batch))?, y.at(read(cost))?)))
            .collect();
        series(&plane, line, colour, mark)?;
    }
    Ok(())
}

/// Draws one line with its points.
fn series(plane: &Plane<'_>, line: Vec<(f64, f64)>, colour: RGBColor, mark: Mark) -> Drawn {
    let style = ShapeStyle::from(&colour);
    if mark == Mark::Dashes {
        let style = style.stroke_width(thickness(1.2));
        return plane.draw(&DashedPathElement::new(
            line,
            thickness(4.0),
            thickness(3.0),
            style,
        ));
    }
    for point in &line {
        match mark {
            Mark::Triangles => plane.draw(&TriangleMarker::new(
                *point,
                thickness(TRIANGLE),
                colour.filled(),
            ))?,
            _ => plane.draw(&Circle::new(*point, thickness(DOT), colour.filled()))?,
        }
    }
    plane.draw(&PathElement::new(line, style.stroke_width(thickness(1.8))))
}

/// Marks the batch from which on the GPU is sooner.
fn mark(
    area: &Area<'_>,
    plane: &Plane<'_>,
    rect: Rect,
    (x, y): (&Axis, &Axis),
    batch: u32,
    palette: &Palette,
) -> Drawn {
    let Some(at) = x.at(f64::from(batch)) else {
        return Ok(());
    };
    plane.draw(&DashedPathElement::new(
        [(at, y.low), (at, y.high)],
        thickness(2.0),
        thickness(3.0),
        ShapeStyle::from(&palette.line).stroke_width(thickness(1.2)),
    ))?;
    let (left, top) = plane.map_coordinate(&(at, y.high));
    let scale = f64::from(units(1.0));
    let (left, top) = (f64::from(left) / scale, f64::from(top) / scale);
    let text = format!("GPU sooner from {batch}");
    let (place, anchor) = if left + 6.0 + width_of(&text, false) > rect.left + rect.width {
        (left - 6.0, Anchor::End)
    } else {
        (left + 6.0, Anchor::Start)
    };
    let label = Label::small(&text, (place, top + 7.0), anchor, palette.text);
    write(area, label)
}

fn rows_of(batch: u32) -> String {
    if batch == 1 {
        "one row".into()
    } else {
        format!("{batch} rows")
    }
}

fn summary(costs: &[&BatchCost], crossover: Option<u32>) -> String {
    let first = costs.first().map_or(1, |cost| cost.batch);
    let last = costs.last().map_or(1, |cost| cost.batch);
    let mut text = match crossover {
        None => format!("The CPU answers sooner, or as soon, up to {last} rows per call."),
        Some(batch) if batch <= first => {
            "The GPU answers sooner than the CPU at every batch measured.".to_owned()
        }
        Some(batch) => {
            format!("The GPU answers sooner than the CPU from {batch} rows per call on.")
        }
    };
    let ends = [costs.first(), costs.last()];
    let ends = &ends[..if first == last { 1 } else { 2 }];
    for cost in ends.iter().flatten() {
        text += &format!(
            " A call with {} takes {} on the CPU and {} on the GPU, {} of it computing and {} sending, waiting and reading back.",
            rows_of(cost.batch),
            millis(cost.cpu_millis),
            millis(cost.gpu_millis),
            millis(cost.compute_millis),
            millis(cost.read_back_millis),
        );
    }
    text
}

fn table(costs: &[&BatchCost], timestamps: bool) -> (Vec<String>, Vec<Vec<String>>) {
    let mut columns: Vec<String> = [
        "rows per call",
        "CPU, ms",
        "CPU, interval",
        "GPU, ms",
        "GPU, interval",
        "GPU computing, ms",
        "GPU sending and reading back, ms",
    ]
    .map(String::from)
    .into();
    if timestamps {
        columns.push("GPU computing by its own clock, ms".into());
    }
    let range = |[low, high]: [f64; 2], samples: u32| {
        format!(
            "{} to {} ({samples} samples)",
            significant(low, 3),
            significant(high, 3)
        )
    };
    let rows = costs
        .iter()
        .map(|cost| {
            let mut row = vec![
                cost.batch.to_string(),
                significant(cost.cpu_millis, 3),
                range(cost.cpu_range_millis, cost.cpu_samples),
                significant(cost.gpu_millis, 3),
                range(cost.gpu_range_millis, cost.gpu_samples),
                significant(cost.compute_millis, 3),
                significant(cost.read_back_millis, 3),
            ];
            if timestamps {
                let clock = cost.timestamp_millis;
                row.push(clock.map_or(String::new(), |clock| significant(clock, 3)));
            }
            row
        })
        .collect();
    (columns, rows)
}
