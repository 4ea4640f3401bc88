//! Rows that equal another row, and rows that nearly do; which of them may is decided elsewhere.
//!
//! Two rows are near where their distance is below 8 % of the smaller one's contrast: correlated above 0.99, in the same
//! light. Rows of fewer than 16 values, and rows without contrast, are never near: there is too little to tell them apart.

use super::features::{CELLS, Features};
use crate::data::{Dataset, Values};
use crate::order;

/// Largest distance (root of the mean square) of near rows, as a share of their contrast.
const NEAR: f32 = 0.08;
/// Fewest values of a row that is compared, and least contrast as a share of the whole range.
const MIN_VALUES: usize = 16;
const MIN_CONTRAST: f32 = 0.02;

/// What was found.
pub(super) struct Twins {
    /// Sets of equal rows, each ascending and of at least two.
    pub(super) equal: Vec<Vec<u32>>,
    /// Pairs of rows that are near and not equal, the smaller first, ascending.
    pub(super) near: Vec<(u32, u32)>,
    /// Whether nearness could be judged.
    pub(super) near_judged: bool,
}

impl Twins {
    pub(super) fn find(data: &Dataset) -> Self {
        let near_judged = data.row_len() >= MIN_VALUES;
        Self {
            equal: equal(data),
            near: if near_judged { near(data) } else { Vec::new() },
            near_judged,
        }
    }
}

fn equal(data: &Dataset) -> Vec<Vec<u32>> {
    // By content and not by digest: it is exact, and nothing is hashed.
    let compare = |one: &u32, other: &u32| match &data.values {
        Values::Bytes { .. } => data.bytes(*one).cmp(data.bytes(*other)),
        Values::Reals(values) => {
            let bits = |row: u32| data.places(row).map(|place| values[place].to_bits());
            bits(*one).cmp(bits(*other))
        }
    };
    let mut rows: Vec<u32> = data.kept().collect();
    order::sort_by(&mut rows, compare);
    let mut found: Vec<Vec<u32>> = rows
        .chunk_by(|one, other| compare(one, other).is_eq())
        .filter(|rows| rows.len() > 1)
        .map(<[u32]>::to_vec)
        .collect();
    order::sort(&mut found);
    found
}

fn near(data: &Dataset) -> Vec<(u32, u32)> {
    let features = Features::of(data);
    let range = features.range.max(f32::MIN_POSITIVE);
    let mut order: Vec<u32> = (data.kept())
        .filter(|row| features.contrast(*row) >= MIN_CONTRAST * range)
        .collect();
    order::sort_by(&mut order, |a, b| {
        features.mean(*a).total_cmp(&features.mean(*b))
    });
    let mut found = Vec::new();
    for (index, one) in order.iter().enumerate() {
        let (mean, contrast) = (features.mean(*one), features.contrast(*one));
        for other in &order[index + 1..] {
            let limit = NEAR * contrast.min(features.contrast(*other));
            // The distance is at least the difference of the means; contrasts differ by at most the distance.
            if features.mean(*other) - mean > NEAR * contrast {
                break;
            }
            if (features.contrast(*other) - contrast).abs() > limit {
                continue;
            }
            // Nor can the cells' means be further apart than the rows themselves.
            let cells = features.cells(*one).iter().zip(features.cells(*other));
            let squares: f32 = cells.map(|(a, b)| (a - b) * (a - b)).sum();
            if squares > limit * limit * CELLS as f32 {
                continue;
            }
            let distance = distance(data, *one, *other);
            if distance > 0.0 && distance <= limit {
                found.push((*one.min(other), *one.max(other)));
            }
        }
    }
    order::sort(&mut found);
    found
}

/// Root of the mean square difference; infinite where a value is missing.
fn distance(data: &Dataset, one: u32, other: u32) -> f32 {
    let squares: f32 = (data.places(one).zip(data.places(other)))
        .map(|(a, b)| {
            let difference = data.values.at(a) - data.values.at(b);
            difference * difference
        })
        .sum();
    let mean = squares / data.row_len() as f32;
    if mean.is_finite() {
        mean.sqrt()
    } else {
        f32::INFINITY
    }
}
