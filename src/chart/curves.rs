//! Training curves: loss and accuracy by epoch, training dashed and validation solid on one axis.

use super::axis::{Axis, Wish};
use super::canvas::{Area, Drawn, Palette, Plane, Rect, empty, panel, render, thickness};
use super::legend::{Entry, Mark, legend};
use super::{Chart, Size, Theme};
use crate::result::EpochPoint;
use crate::runlog::words::{cut, percent, significant};
use plotters::element::DashedPathElement;
use plotters::prelude::*;

/// The epochs of one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Curve<'a> {
    /// What it is called where several are drawn.
    pub label: &'a str,
    /// Its finished epochs.
    pub points: &'a [EpochPoint],
    /// Epochs that it will have, so that the axis stays where it is while it runs; 0 when unknown.
    pub epochs_planned: u32,
}

/// Curves that are drawn; more would not be told apart.
const MAX_CURVES: usize = 5;
/// Points of a drawn line; longer curves are drawn with every nth epoch and the last.
const MAX_POINTS: usize = 1000;

type Read = fn(&EpochPoint) -> f64;

/// One of the two panels.
struct Quantity {
    title: &'static str,
    train: Read,
    validation: Read,
    log: bool,
    within: (f64, f64),
    least: f64,
}

/// Draws the curves of one run, or of up to five beside each other.
#[must_use]
pub fn curves(curves: &[Curve<'_>], theme: Theme, size: Size) -> Chart {
    const TITLE: &str = "Training curves";
    if curves.iter().all(|curve| curve.points.is_empty()) {
        return empty(theme, size, TITLE, "No epoch has finished yet.");
    }
    let palette = theme.palette();
    let summary = summary(curves);
    let losses = || {
        curves
            .iter()
            .flat_map(|curve| curve.points)
            .flat_map(|point| [point.train_loss, point.validation_loss])
            .filter(|loss| loss.is_finite())
    };
    let (lowest, highest) = losses().fold((f64::INFINITY, 0.0_f64), |(low, high), loss| {
        (low.min(loss), high.max(loss))
    });
    let quantities = [
        Quantity {
            title: "loss, nats",
            train: |point| point.train_loss,
            validation: |point| point.validation_loss,
            // Where the start would press the end against the foot.
            log: highest > 20.0 * lowest,
            within: (0.0, f64::INFINITY),
            least: 0.0,
        },
        Quantity {
            title: "accuracy, %",
            train: |point| point.train_accuracy * 100.0,
            validation: |point| point.validation_accuracy * 100.0,
            log: false,
            within: (0.0, 100.0),
            least: 4.0,
        },
    ];
    let svg = render(size, TITLE, &summary, |area, width, height| {
        let (width, height) = (f64::from(width), f64::from(height));
        let top = legend(area, &entries(curves, &palette), width, &palette)?;
        let beside = width >= 520.0;
        for (index, quantity) in (0_u32..).zip(&quantities) {
            let index = f64::from(index);
            let rect = if beside {
                Rect {
                    left: index * (width / 2.0 + 8.0),
                    top,
                    width: width / 2.0 - 8.0,
                    height: height - top,
                }
            } else {
                let each = (height - top - 12.0) / 2.0;
                Rect {
                    left: 0.0,
                    top: top + index * (each + 12.0),
                    width,
                    height: each,
                }
            };
            draw(area, rect, curves, quantity, &palette)?;
        }
        Ok(())
    });
    let (columns, rows) = table(curves);
    Chart {
        svg,
        summary,
        columns,
        rows,
    }
}

/// What the colours and dashes mean.
fn entries(curves: &[Curve<'_>], palette: &Palette) -> Vec<Entry> {
    let several = curves.len() > 1;
    let colour = if several {
        palette.muted
    } else {
        palette.accent
    };
    let mut entries = vec![
        Entry::new("validation", colour, Mark::Line),
        Entry::new("train", colour, Mark::Dashes),
    ];
    if several {
        for (index, curve) in curves.iter().take(MAX_CURVES).enumerate() {
            entries.push(Entry::new(
                cut(curve.label, 24),
                palette.series(index),
                Mark::Line,
            ));
        }
    }
    if curves.len() > MAX_CURVES {
        let more = format!("and {} more", curves.len() - MAX_CURVES);
        entries.push(Entry::new(more, palette.muted, Mark::Words));
    }
    entries
}

fn draw(
    area: &Area<'_>,
    rect: Rect,
    curves: &[Curve<'_>],
    quantity: &Quantity,
    palette: &Palette,
) -> Drawn {
    let points = || {
        curves
            .iter()
            .take(MAX_CURVES)
            .flat_map(|curve| curve.points)
    };
    let last = points()
        .map(|point| point.epoch)
        .chain(curves.iter().map(|curve| curve.epochs_planned))
        .max()
        .unwrap_or(1);
    let x = Axis::over(
        points().map(|point| f64::from(point.epoch)),
        Wish {
            title: "epoch",
            ticks: ticks(rect.width, 40.0),
            log: false,
            include: &[1.0, f64::from(last.max(2))],
            within: (0.0, f64::INFINITY),
            whole: true,
            least: 0.0,
        },
    );
    let y = Axis::over(
        points().flat_map(|point| [(quantity.train)(point), (quantity.validation)(point)]),
        Wish {
            title: quantity.title,
            ticks: ticks(rect.height, 32.0),
            log: quantity.log,
            include: if quantity.log || quantity.within.1 <= 100.0 {
                &[]
            } else {
                &[0.0]
            },
            within: quantity.within,
            whole: false,
            least: quantity.least,
        },
    );
    let (Some(x), Some(y)) = (x, y) else {
        return Ok(());
    };
    let plane = panel(area, rect, &x, &y, palette)?;
    for (index, curve) in curves.iter().take(MAX_CURVES).enumerate().rev() {
        let colour = palette.series(index);
        line(&plane, curve, quantity.train, (&x, &y), colour, true)?;
        line(&plane, curve, quantity.validation, (&x, &y), colour, false)?;
    }
    Ok(())
}

/// Ticks for which there is room.
fn ticks(length: f64, each: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive length of the screen"
    )]
    let count = (length / each) as usize;
    count.clamp(2, 10)
}

/// Draws one line; epochs without a finite value interrupt it.
fn line(
    plane: &Plane<'_>,
    curve: &Curve<'_>,
    read: Read,
    (x, y): (&Axis, &Axis),
    colour: RGBColor,
    dashed: bool,
) -> Drawn {
    let step = curve.points.len().div_ceil(MAX_POINTS).max(1);
    let mut piece: Vec<(f64, f64)> = Vec::new();
    let style = ShapeStyle::from(&colour).stroke_width(thickness(if dashed { 1.2 } else { 1.8 }));
    let flush = |piece: &mut Vec<(f64, f64)>| -> Drawn {
        match piece.as_slice() {
            [] => {}
            [alone] if dashed => plane.draw(&Circle::new(
                *alone,
                thickness(2.0),
                style.stroke_width(thickness(1.0)),
            ))?,
            [alone] => plane.draw(&Circle::new(*alone, thickness(2.5), colour.filled()))?,
            line if dashed => {
                // By the point, so that the pattern does not depend on how often the curve bends.
                plane.draw(&DashedPathElement::new(
                    line.iter().copied(),
                    thickness(4.0),
                    thickness(3.0),
                    style,
                ))?;
            }
            line => plane.draw(&PathElement::new(line.to_vec(), style))?,
        }
        piece.clear();
        Ok(())
    };
    for (index, point) in curve.points.iter().enumerate() {
        if index % step != 0 && index + 1 != curve.points.len() {
            continue;
        }
        let value = read(point);
        match (x.at(f64::from(point.epoch)), y.at(value)) {
            (Some(x), Some(y)) if value.is_finite() => piece.push((x, y)),
            _ => flush(&mut piece)?,
        }
    }
    flush(&mut piece)
}

/// The epoch with the lowest validation loss.
fn best(points: &[EpochPoint]) -> Option<&EpochPoint> {
    points
        .iter()
        .filter(|point| point.validation_loss.is_finite())
        .min_by(|a, b| a.validation_loss.total_cmp(&b.validation_loss))
}

fn summary(curves: &[Curve<'_>]) -> String {
    let several = curves.len() > 1;
    let mut sentences = Vec::new();
    for curve in curves.iter().take(MAX_CURVES) {
        let Some(last) = curve.points.last() else {
            continue;
        };
        let name = if several {
            format!("{}: ", cut(curve.label, 40))
        } else {
            String::new()
        };
        let loss = |loss: f64| significant(loss, 3);
        let lowest = best(curve.points).map_or_else(
            || "no validation loss is a number".into(),
            |best| {
                format!(
                    "lowest validation loss {} at epoch {}",
                    loss(best.validation_loss),
                    best.epoch
                )
            },
        );
        sentences.push(format!(
            "{name}after epoch {}, validation accuracy is {} and loss {} (training: {} and {}); {lowest}.",
            last.epoch,
            percent(last.validation_accuracy),
            loss(last.validation_loss),
            percent(last.train_accuracy),
            loss(last.train_loss),
        ));
    }
    let mut text = sentences.join(" ");
    if !several && let Some(first) = text.get(..1).map(str::to_uppercase) {
        text.replace_range(..1, &first);
    }
    text
}

fn table(curves: &[Curve<'_>]) -> (Vec<String>, Vec<Vec<String>>) {
    let several = curves.len() > 1;
    let mut columns: Vec<String> = [
        "epoch",
        "train loss, nats",
        "validation loss, nats",
        "train accuracy",
        "validation accuracy",
        "learning rate",
        "time, s",
    ]
    .map(String::from)
    .into();
    if several {
        columns.insert(0, "run".into());
    }
    let mut rows = Vec::new();
    for curve in curves {
        for point in curve.points {
            let mut row = vec![
                point.epoch.to_string(),
                significant(point.train_loss, 4),
                significant(point.validation_loss, 4),
                percent(point.train_accuracy),
                percent(point.validation_accuracy),
                significant(point.learning_rate, 3),
                significant(point.secs, 3),
            ];
            if several {
                row.insert(0, curve.label.to_owned());
            }
            rows.push(row);
        }
    }
    (columns, rows)
}
