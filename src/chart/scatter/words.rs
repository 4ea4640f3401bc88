//! What a scatter says: of one point, of all, and as a table.

use super::{MAX_BARS, Point, XAxis};
use crate::runlog::words::{cut, percent, significant};

pub(super) fn words(point: &Point, x_axis: &XAxis) -> String {
    format!(
        "{}: accuracy {} ({} to {}), {} {}",
        cut(&point.label, 60),
        percent(point.accuracy),
        percent(point.accuracy_low),
        percent(point.accuracy_high),
        cut(&x_axis.name, 40),
        with_unit(point.x, x_axis)
    )
}

fn with_unit(value: f64, x_axis: &XAxis) -> String {
    format!("{} {}", significant(value, 3), x_axis.unit)
        .trim_end()
        .into()
}

pub(super) fn summary(
    points: &[Point],
    x_axis: &XAxis,
    drawable: &[usize],
    front: &[usize],
) -> String {
    let runs = |count: usize| {
        if count == 1 {
            "1 run".to_owned()
        } else {
            format!("{count} runs")
        }
    };
    let mut text = format!(
        "{} with accuracy and {}.",
        runs(drawable.len()),
        cut(&x_axis.name, 40)
    );
    let list: Vec<String> = front
        .iter()
        .take(4)
        .map(|index| {
            let point = &points[*index];
            format!(
                "{} ({} at {})",
                cut(&point.label, 30),
                percent(point.accuracy),
                with_unit(point.x, x_axis)
            )
        })
        .collect();
    text += &format!(
        " {} not beaten in both: {}",
        if front.len() == 1 {
            "1 is".to_owned()
        } else {
            format!("{} are", front.len())
        },
        list.join(", ")
    );
    if front.len() > list.len() {
        text += &format!(" and {} more", front.len() - list.len());
    }
    if points.len() > drawable.len() {
        text += &format!(
            "; {} without both figures not shown",
            runs(points.len() - drawable.len())
        );
    }
    if drawable.len() > MAX_BARS {
        text += "; of so many, intervals are not drawn for all";
    }
    text + "."
}

pub(super) fn table(
    points: &[Point],
    x_axis: &XAxis,
    front: &[usize],
) -> (Vec<String>, Vec<Vec<String>>) {
    let mut on_front = std::collections::BTreeSet::<usize>::new();
    on_front.extend(front);
    let unit = if x_axis.unit.is_empty() {
        x_axis.name.clone()
    } else {
        format!("{}, {}", x_axis.name, x_axis.unit)
    };
    let columns = vec![
        "run".into(),
        unit.clone(),
        format!("{unit}: interval"),
        "accuracy".into(),
        "accuracy: interval".into(),
        "not beaten in both".into(),
    ];
    let range = |low: String, high: String| {
        if low == high {
            "exact".into()
        } else {
            format!("{low} to {high}")
        }
    };
    let rows = points
        .iter()
        .enumerate()
        .map(|(index, point)| {
            vec![
                point.label.clone(),
                significant(point.x, 4),
                range(significant(point.x_low, 4), significant(point.x_high, 4)),
                percent(point.accuracy),
                range(percent(point.accuracy_low), percent(point.accuracy_high)),
                if on_front.contains(&index) {
                    "yes"
                } else {
                    "no"
                }
                .into(),
            ]
        })
        .collect();
    (columns, rows)
}
