//! Drift between the rows that train and those that test: index of stability and largest gap of the
//! distributions, column by column; no model is asked whether it can tell the parts apart.
//!
//! Each row is judged by its mean, its contrast, the means of sixteen parts, and of a table by its columns.

use super::features::{CELLS, Features};
use super::{Check, Count, Input, not_made};
use crate::data::Dataset;
use crate::order;
use crate::result::{Dimension, Finding};

/// Population stability index above which a distribution counts as shifted; a rule of thumb of credit scoring (N. Siddiqi,
/// "Credit risk scorecards", 2006).
const MAX_INDEX: f64 = 0.25;
/// Bins of the index.
const BINS: usize = 10;
/// Chance of an alarm on one column although nothing drifts; there are at most 64 columns.
const SIGNIFICANCE: f64 = 1e-6;
/// Columns of a table that are judged one by one.
const MAX_COLUMNS: usize = 64;
/// Share of columns that drift above which it warns and fails.
const WARN_ABOVE: f64 = 0.05;
const FAIL_ABOVE: f64 = 0.5;

/// The check.
pub(super) struct Drift;

impl Check for Drift {
    fn name(&self) -> &'static str {
        "drift"
    }
    fn looks_at(&self) -> &'static str {
        "distributions of the rows that test beside those that train"
    }
    fn dimension(&self) -> Dimension {
        Dimension::Stability
    }
    fn run(&self, input: &Input<'_>) -> Finding {
        if input.data.groups.is_some() {
            return not_made(
                self,
                "columns",
                "whole groups are divided, and a few groups differ by nature",
            );
        }
        let columns = columns(input.data);
        let (mut affected, mut largest) = (Vec::new(), (0.0_f64, 0.0_f64));
        for (index, column) in (0..).zip(&columns) {
            let of = |rows: &[u32]| -> Vec<f32> {
                let values = rows.iter().map(|row| column[*row as usize]);
                let mut finite: Vec<f32> = values.filter(|value| value.is_finite()).collect();
                order::reals(&mut finite);
                finite
            };
            let (train, test) = (of(&input.parts.train), of(&input.parts.test));
            if train.is_empty() || test.is_empty() {
                continue;
            }
            let (index_of_stability, gap) = (stability(&train, &test), gap(&train, &test));
            largest = (largest.0.max(index_of_stability.0), largest.1.max(gap.0));
            if index_of_stability.0 > index_of_stability.1 || gap.0 > gap.1 {
                affected.push(index);
            }
        }
        let count = Count {
            check: self.name(),
            unit: "columns",
            affected,
            of: columns.len() as u32,
            warn_above: WARN_ABOVE,
            fail_above: FAIL_ABOVE,
        };
        count.finding(|counted| {
            format!(
                "{counted} are distributed otherwise in the test; the largest stability index is {:.2}, the largest gap {:.2}.",
                largest.0, largest.1
            )
        })
    }
}

/// What is judged of each row, column by column.
fn columns(data: &Dataset) -> Vec<Vec<f32>> {
    let rows = || 0..data.rows();
    let len = data.row_len();
    if data.height == 1 && len <= MAX_COLUMNS {
        return (0..len)
            .map(|column| {
                rows()
                    .map(|row| data.values.at(row as usize * len + column))
                    .collect()
            })
            .collect();
    }
    let features = Features::of(data);
    let mut columns: Vec<Vec<f32>> = vec![
        rows().map(|row| features.mean(row)).collect(),
        rows().map(|row| features.contrast(row)).collect(),
    ];
    for cell in 0..CELLS {
        columns.push(rows().map(|row| features.cells(row)[cell]).collect());
    }
    columns
}

/// The population stability index over tenths of the training rows, and the limit for so many rows: without drift the index
/// is about `(bins − 1)·(1/n + 1/m)` (B. Yurdakul and J. Naranjo, "Statistical properties of the population stability
/// index", 2020), and three times that is added.
fn stability(train: &[f32], test: &[f32]) -> (f64, f64) {
    let mut edges: Vec<f32> = (1..BINS)
        .map(|bin| train[bin * train.len() / BINS])
        .collect();
    edges.dedup();
    let shares = |sorted: &[f32]| -> Vec<f64> {
        let mut last = 0;
        let mut counts: Vec<usize> = Vec::with_capacity(BINS);
        for edge in &edges {
            let below = sorted.partition_point(|value| value < edge);
            counts.push(below - last);
            last = below;
        }
        counts.push(sorted.len() - last);
        // Half a row keeps the logarithm finite.
        (counts.iter())
            .map(|count| (*count as f64 + 0.5) / (sorted.len() as f64 + 0.5 * counts.len() as f64))
            .collect()
    };
    let index = (shares(train).iter().zip(shares(test)))
        .map(|(a, b)| (b - a) * libm::log(b / a))
        .sum();
    let chance = edges.len() as f64 * (1.0 / train.len() as f64 + 1.0 / test.len() as f64);
    (index, MAX_INDEX + 3.0 * chance)
}

/// The largest gap of the two distributions (Kolmogorov and Smirnov), and the gap that chance exceeds with
/// [`SIGNIFICANCE`]: `√(−ln(α/2)/2 · (n + m)/(n·m))`.
fn gap(train: &[f32], test: &[f32]) -> (f64, f64) {
    let (n, m) = (train.len() as f64, test.len() as f64);
    let mut largest = 0.0_f64;
    for value in train.iter().chain(test) {
        let share =
            |sorted: &[f32]| sorted.partition_point(|it| it <= value) as f64 / sorted.len() as f64;
        largest = largest.max((share(train) - share(test)).abs());
    }
    let limit = libm::sqrt(-libm::log(SIGNIFICANCE / 2.0) / 2.0 * (n + m) / (n * m));
    (largest, limit)
}
