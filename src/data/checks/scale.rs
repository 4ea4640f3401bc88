//! Value range: rows that are on another scale than the rest, such as 0 to 1 among 0 to 255; it corrects nothing.

use super::{Check, Count, Input};
use crate::order;
use crate::result::{Dimension, Finding};

/// How many times larger or smaller than the middle row's a row's mean size may be. Pictures in different light differ by a
/// few times; the usual mistakes are 100, 255 and 1000.
const MAX_FACTOR: f32 = 30.0;
/// Share of the rows above which a run needs a reason.
const FAIL_ABOVE: f64 = 0.01;

/// The check.
pub(super) struct Scale;

impl Check for Scale {
    fn name(&self) -> &'static str {
        "scale"
    }
    fn looks_at(&self) -> &'static str {
        "how large the values of each row are beside the others'"
    }
    fn dimension(&self) -> Dimension {
        Dimension::Validity
    }
    fn run(&self, input: &Input<'_>) -> Finding {
        let data = input.data;
        let sizes: Vec<f32> = (0..data.rows())
            .map(|row| {
                let finite = data.places(row).map(|place| data.values.at(place).abs());
                let finite: Vec<f32> = finite.filter(|value| value.is_finite()).collect();
                finite.iter().sum::<f32>() / finite.len().max(1) as f32
            })
            .collect();
        let mut sorted: Vec<f32> = data.kept().map(|row| sizes[row as usize]).collect();
        order::reals(&mut sorted);
        let middle = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
        let off = |row: &u32| {
            let size = sizes[*row as usize];
            size > middle * MAX_FACTOR || size < middle / MAX_FACTOR
        };
        let count = Count {
            check: self.name(),
            unit: "rows",
            affected: data.kept().filter(off).collect(),
            of: data.kept_count(),
            warn_above: 0.0,
            fail_above: FAIL_ABOVE,
        };
        count.finding(|counted| {
            format!("{counted} have values {MAX_FACTOR} times larger or smaller than the others.")
        })
    }
}
