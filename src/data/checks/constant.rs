//! Constant and stuck: columns of a table that never change, and rows whose values stop changing; single values are no matter.

use super::{Check, Count, Input};
use crate::data::Dataset;
use crate::result::{Dimension, Finding};

/// Values in a row of a signal that may be equal: a sensor that sees anything at all moves by a step sooner.
const MAX_RUN: usize = 24;
/// A signal has at least so many values; fewer are a table's columns.
const MIN_SIGNAL: u32 = 64;
/// Share of the rows or columns above which it warns and fails. A few blank images are no fault of a set.
const WARN_ABOVE: f64 = 0.005;
const FAIL_ABOVE: f64 = 0.1;

/// The check.
pub(super) struct Constant;

impl Check for Constant {
    fn name(&self) -> &'static str {
        "constant"
    }
    fn looks_at(&self) -> &'static str {
        "columns that never change, signals that get stuck, blank images"
    }
    fn dimension(&self) -> Dimension {
        Dimension::Validity
    }
    fn run(&self, input: &Input<'_>) -> Finding {
        let data = input.data;
        let is_row = data.height == 1 && data.channels == 1;
        let (unit, affected, of) = if is_row && data.width < MIN_SIGNAL {
            let constant = |column: &u32| is_constant(data, &input.parts.train, *column);
            let columns = data.width;
            ("columns", (0..columns).filter(constant).collect(), columns)
        } else {
            let longest = if is_row { MAX_RUN } else { data.row_len() / 2 };
            let stuck = |row: &u32| run_length(data, *row) > longest;
            (
                "rows",
                data.kept().filter(stuck).collect(),
                data.kept_count(),
            )
        };
        let count = Count {
            check: self.name(),
            unit,
            affected,
            of,
            warn_above: WARN_ABOVE,
            fail_above: FAIL_ABOVE,
        };
        count.finding(|counted| match (unit, is_row) {
            ("columns", _) => format!("{counted} have one value in all training rows."),
            (_, true) => format!("{counted} repeat a value more than {MAX_RUN} times in a row."),
            _ => format!("{counted} have one value in more than half of the picture in a row."),
        })
    }
}

fn is_constant(data: &Dataset, rows: &[u32], column: u32) -> bool {
    let value = |row: &u32| {
        data.values
            .at(*row as usize * data.row_len() + column as usize)
    };
    let mut finite = rows.iter().map(value).filter(|value| value.is_finite());
    let first = finite.next();
    finite.all(|value| Some(value) == first)
}

/// The most equal values in a row.
fn run_length(data: &Dataset, row: u32) -> usize {
    let (mut longest, mut length, mut last) = (0, 0, f32::NAN);
    for place in data.places(row) {
        let value = data.values.at(place);
        length = if value == last { length + 1 } else { 1 };
        last = value;
        longest = longest.max(length);
    }
    longest
}
