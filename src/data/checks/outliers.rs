//! Outliers: rows that lie far from the middle of their own class, measured by how far its others lie.

use super::features::{CELLS, Features};
use super::{Check, Count, Input};
use crate::order;
use crate::result::{Dimension, Finding};

/// How many times further than the middle row of its class a row may lie. B. Iglewicz and D. Hoaglin, "How to detect and
/// handle outliers", 1993, take 3.5 deviations by the median of absolute deviations; distances of pictures have long tails.
const MAX_SCORE: f32 = 8.0;
/// Share above which it warns and fails.
const WARN_ABOVE: f64 = 0.01;
const FAIL_ABOVE: f64 = 0.1;

/// The check.
pub(super) struct Outliers;

impl Check for Outliers {
    fn name(&self) -> &'static str {
        "outliers"
    }
    fn looks_at(&self) -> &'static str {
        "rows that lie far from the others of their class"
    }
    fn dimension(&self) -> Dimension {
        Dimension::Consistency
    }
    fn run(&self, input: &Input<'_>) -> Finding {
        let data = input.data;
        let features = Features::of(data);
        // What noise and blur change is not where a picture is bright but how much neighbours differ.
        let rough: Vec<f32> = (0..data.rows())
            .map(|row| roughness(&data.row(row)))
            .collect();
        let mut affected = Vec::new();
        for class in 0..data.classes.len() {
            let rows: Vec<u32> = (data.kept())
                .filter(|row| usize::from(data.labels[*row as usize]) == class)
                .collect();
            let mut middle = [0.0; CELLS];
            for row in &rows {
                for (sum, cell) in middle.iter_mut().zip(features.cells(*row)) {
                    *sum += cell / rows.len() as f32;
                }
            }
            let distances: Vec<f32> = (rows.iter())
                .map(|row| {
                    let cells = features.cells(*row).iter().zip(middle);
                    cells.map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt()
                })
                .collect();
            let rough: Vec<f32> = rows.iter().map(|row| rough[*row as usize]).collect();
            for ((row, far), odd) in rows.iter().zip(scores(&distances)).zip(scores(&rough)) {
                if far > MAX_SCORE || odd > MAX_SCORE {
                    affected.push(*row);
                }
            }
        }
        order::ascending(&mut affected);
        let count = Count {
            check: self.name(),
            unit: "rows",
            affected,
            of: data.kept_count(),
            warn_above: WARN_ABOVE,
            fail_above: FAIL_ABOVE,
        };
        count.finding(|counted| format!("{counted} lie far from the others of their class."))
    }
}

/// Logarithm of the mean difference of neighbours, so that half as rough is as far as twice as rough.
fn roughness(values: &[f32]) -> f32 {
    let differences = values.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    let finite: Vec<f32> = differences.filter(|it| it.is_finite()).collect();
    let mean = finite.iter().sum::<f32>() / finite.len().max(1) as f32;
    libm::logf(mean.max(f32::MIN_POSITIVE))
}

/// How far each number lies from the middle one, in deviations as the middle of the distances tells them.
fn scores(numbers: &[f32]) -> Vec<f32> {
    let median = |numbers: &[f32]| {
        let mut sorted = numbers.to_vec();
        order::reals(&mut sorted);
        sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
    };
    let middle = median(numbers);
    let away: Vec<f32> = numbers
        .iter()
        .map(|number| (number - middle).abs())
        .collect();
    // Of a normal distribution the middle distance is 0.6745 deviations.
    let deviation = median(&away) / 0.6745;
    (away.iter())
        .map(|away| {
            if deviation > 0.0 {
                away / deviation
            } else {
                0.0
            }
        })
        .collect()
}
