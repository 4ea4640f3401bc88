//! Accuracy against latency or size, one point a run, with error bars and the line of runs that none beats in both.

mod words;

use super::axis::{Axis, Wish};
use super::canvas::{
    Anchor, Area, Drawn, Label, Palette, Plane, Rect, empty, escaped, panel, render, thickness,
    units, width_of, write,
};
use super::{Chart, Size, Theme};
use crate::order;
use crate::runlog::words::cut;
use plotters::prelude::*;
use words::{summary, table, words};

/// Points above which error bars are drawn only for the line and the highlighted.
const MAX_BARS: usize = 80;
/// Points that are drawn; of more, the first so many and those on the line.
const MAX_POINTS: usize = 10_000;

/// Points above which they carry no words of their own: an SVG of a megabyte is slow to show.
const MAX_TITLES: usize = 1000;

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Its name.
    pub label: String,
    /// Latency, size or another cost: less is better. A point without a finite one is not drawn.
    pub x: f64,
    /// Ends of its interval; equal to it where it is exact.
    pub x_low: f64,
    /// See `x_low`.
    pub x_high: f64,
    /// Accuracy in 0..=1: more is better.
    pub accuracy: f64,
    /// Ends of its interval.
    pub accuracy_low: f64,
    /// See `accuracy_low`.
    pub accuracy_high: f64,
    /// Whether it is the one that the page speaks of.
    pub highlighted: bool,
}

/// What the horizontal axis is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XAxis {
    /// Quantity, such as `p50 latency`.
    pub name: String,
    /// Unit, such as `ms`; may be empty.
    pub unit: String,
    /// Whether to draw it logarithmically.
    pub log: bool,
}

/// Draws runs as points.
///
/// Each point is a `circle` with its index in `data-index` and, of at most 1,000, its words in a `title`.
#[must_use]
pub fn scatter(points: &[Point], x_axis: &XAxis, theme: Theme, size: Size) -> Chart {
    let name = cut(&x_axis.name, 40);
    let title = format!("Accuracy against {name}");
    let drawable: Vec<usize> = (0..points.len())
        .filter(|index| points[*index].x.is_finite() && points[*index].accuracy.is_finite())
        .collect();
    let front = pareto(points, &drawable);
    let (columns, rows) = table(points, x_axis, &front);
    if drawable.is_empty() {
        return Chart {
            columns,
            rows,
            ..empty(theme, size, &title, "No run has both figures yet.")
        };
    }
    let summary = summary(points, x_axis, &drawable, &front);
    let palette = theme.palette();
    let mut on_front = vec![false; points.len()];
    for index in &front {
        on_front[*index] = true;
    }
    let mut shown: Vec<usize> = drawable
        .iter()
        .enumerate()
        .filter(|(place, index)| *place < MAX_POINTS || on_front[**index])
        .map(|(_, index)| *index)
        .collect();
    // What matters comes last, above the rest.
    let rank = |index: usize| (points[index].highlighted, on_front[index], index);
    order::sort_by(&mut shown, |a, b| rank(*a).cmp(&rank(*b)));
    let drawing = Drawing {
        points,
        shown,
        front,
        on_front,
    };
    let svg = render(size, &title, &summary, |area, width, height| {
        draw(
            area,
            (f64::from(width), f64::from(height)),
            &drawing,
            x_axis,
            &palette,
        )
    });
    Chart {
        svg: with_points(&svg, points, x_axis, &drawing.shown),
        summary,
        columns,
        rows,
    }
}

/// The points that no other beats in one figure without losing in the other, by rising `x`; of equal ones the first.
fn pareto(points: &[Point], drawable: &[usize]) -> Vec<usize> {
    let mut order = drawable.to_vec();
    order::sort_by(&mut order, |a, b| {
        let (a, b) = (&points[*a], &points[*b]);
        a.x.total_cmp(&b.x).then(b.accuracy.total_cmp(&a.accuracy))
    });
    let mut front = Vec::new();
    let mut best = f64::NEG_INFINITY;
    for index in order {
        if points[index].accuracy > best {
            best = points[index].accuracy;
            front.push(index);
        }
    }
    front
}

/// Runs and what is drawn of them, by index.
struct Drawing<'a> {
    points: &'a [Point],
    /// In the order of drawing.
    shown: Vec<usize>,
    /// By rising cost.
    front: Vec<usize>,
    on_front: Vec<bool>,
}

fn draw(
    area: &Area<'_>,
    (width, height): (f64, f64),
    drawing: &Drawing<'_>,
    x_axis: &XAxis,
    palette: &Palette,
) -> Drawn {
    let Drawing {
        points,
        shown,
        front,
        on_front,
    } = drawing;
    let few = |index: usize| on_front[index] && front.len() <= MAX_BARS / 2;
    let bars = |index: usize| shown.len() <= MAX_BARS || points[index].highlighted || few(index);
    let with_bars = || shown.iter().copied().filter(|index| bars(*index));
    let title = if x_axis.unit.is_empty() {
        cut(&x_axis.name, 40)
    } else {
        format!("{}, {}", cut(&x_axis.name, 40), cut(&x_axis.unit, 12))
    };
    let x = Axis::over(
        shown
            .iter()
            .map(|index| points[*index].x)
            .chain(with_bars().flat_map(|index| [points[index].x_low, points[index].x_high])),
        Wish {
            title: &title,
            ticks: if width > 500.0 { 8 } else { 5 },
            log: x_axis.log,
            include: &[],
            within: (0.0, f64::INFINITY),
            whole: false,
            least: 0.0,
        },
    );
    let y = Axis::over(
        shown
            .iter()
            .map(|index| points[*index].accuracy)
            .chain(
                with_bars()
                    .flat_map(|index| [points[index].accuracy_low, points[index].accuracy_high]),
            )
            .map(|share| share * 100.0),
        Wish {
            title: "accuracy, %",
            ticks: if height > 260.0 { 6 } else { 4 },
            log: false,
            include: &[],
            within: (0.0, 100.0),
            whole: false,
            least: 2.0,
        },
    );
    let (Some(x), Some(y)) = (x, y) else {
        return Ok(());
    };
    let rect = Rect {
        left: 0.0,
        top: 0.0,
        width,
        height,
    };
    let plane = panel(area, rect, &x, &y, palette)?;
    let at = |x_value: f64, share: f64| Some((x.at(x_value)?, y.at(share * 100.0)?));
    let steps = staircase(points, front, &x, at);
    plane.draw(&PathElement::new(
        steps,
        ShapeStyle::from(&palette.line).stroke_width(thickness(1.2)),
    ))?;
    for index in shown.iter().copied() {
        let point = &points[index];
        let Some(centre) = at(point.x, point.accuracy) else {
            continue;
        };
        let on_front = on_front[index];
        let colour = if point.highlighted {
            palette.accent
        } else if on_front {
            palette.text
        } else {
            palette.muted
        };
        if bars(index) {
            let style = ShapeStyle::from(&colour.mix(if point.highlighted { 0.9 } else { 0.45 }))
                .stroke_width(thickness(1.0));
            for ends in [
                [
                    at(point.x_low, point.accuracy),
                    at(point.x_high, point.accuracy),
                ],
                [
                    at(point.x, point.accuracy_low),
                    at(point.x, point.accuracy_high),
                ],
            ] {
                if let [Some(from), Some(to)] = ends {
                    plane.draw(&PathElement::new(vec![from, to], style))?;
                }
            }
        }
        // Filled where no run is better in both; a ring else: told apart without colour.
        let radius = match (point.highlighted, shown.len()) {
            (true, _) => 4.5,
            (false, ..=500) => 3.0,
            (false, _) => 1.8,
        };
        let style = if on_front || point.highlighted {
            colour.filled()
        } else {
            ShapeStyle::from(&colour.mix(0.8)).stroke_width(thickness(1.2))
        };
        plane.draw(&Circle::new(centre, thickness(radius), style))?;
    }
    names(area, &plane, drawing, at, width, palette)
}

/// The line of the best accuracy at each cost, as steps to the right edge.
fn staircase(
    points: &[Point],
    front: &[usize],
    x: &Axis,
    at: impl Fn(f64, f64) -> Option<(f64, f64)>,
) -> Vec<(f64, f64)> {
    let mut steps: Vec<(f64, f64)> = Vec::new();
    for index in front {
        if let Some((next, height)) = at(points[*index].x, points[*index].accuracy) {
            if let Some((_, last)) = steps.last().copied() {
                steps.push((next, last));
            }
            steps.push((next, height));
        }
    }
    if let Some((_, last)) = steps.last().copied() {
        steps.push((x.high, last));
    }
    steps
}

/// Writes the names of the highlighted points and of those on the line, where they do not cover one another.
fn names(
    area: &Area<'_>,
    plane: &Plane<'_>,
    drawing: &Drawing<'_>,
    at: impl Fn(f64, f64) -> Option<(f64, f64)>,
    width: f64,
    palette: &Palette,
) -> Drawn {
    let place = |index: usize| {
        let point = &drawing.points[index];
        let pixel = plane.map_coordinate(&at(point.x, point.accuracy)?);
        let scale = f64::from(units(1.0));
        Some((f64::from(pixel.0) / scale, f64::from(pixel.1) / scale))
    };
    let crowded = drawing.shown.len() > MAX_BARS;
    // What must not be covered: the points, then the names too.
    let mut taken: Vec<Rect> = Vec::new();
    if !crowded {
        taken.extend(drawing.shown.iter().filter_map(|index| {
            let (left, top) = place(*index)?;
            Some(Rect {
                left: left - 3.0,
                top: top - 3.0,
                width: 6.0,
                height: 6.0,
            })
        }));
    }
    let named = drawing
        .shown
        .iter()
        .rev()
        .filter(|index| {
            drawing.points[**index].highlighted || (drawing.on_front[**index] && !crowded)
        })
        .take(12);
    for index in named {
        let point = &drawing.points[*index];
        let text = cut(&point.label, 24);
        let Some((left, top)) = place(*index).filter(|_| !text.is_empty()) else {
            continue;
        };
        let length = width_of(&text, false);
        let before = left + 8.0 + length > width;
        let rect = Rect {
            left: if before {
                left - 8.0 - length
            } else {
                left + 8.0
            },
            top: top + 4.0,
            width: length,
            height: 13.0,
        };
        let free = taken.iter().all(|other| {
            rect.left > other.left + other.width
                || other.left > rect.left + rect.width
                || rect.top > other.top + other.height
                || other.top > rect.top + rect.height
        });
        if (!free && !point.highlighted) || rect.left < 0.0 {
            continue;
        }
        taken.push(rect);
        write(
            area,
            Label::small(
                &text,
                (if before { left - 8.0 } else { left + 8.0 }, rect.top + 7.0),
                if before { Anchor::End } else { Anchor::Start },
                if point.highlighted {
                    palette.accent
                } else {
                    palette.text
                },
            ),
        )?;
    }
    Ok(())
}

/// Says on each circle which point it is; `shown` is the order in which they were drawn.
fn with_points(svg: &str, points: &[Point], x_axis: &XAxis, shown: &[usize]) -> String {
    let mut out = String::with_capacity(svg.len() * 2);
    let mut pieces = svg.split("<circle ");
    out.push_str(pieces.next().unwrap_or_default());
    for (piece, index) in pieces.zip(shown) {
        let (attributes, rest) = piece.split_once("/>").unwrap_or((piece, ""));
        if shown.len() > MAX_TITLES {
            out.push_str(&format!("<circle data-index=\"{index}\" {piece}"));
        } else {
            out.push_str(&format!(
                "<circle data-index=\"{index}\" {attributes}><title>{}</title></circle>{rest}",
                escaped(&words(&points[*index], x_axis)),
            ));
        }
    }
    out
}
