//! Exact duplicates: rows that equal an earlier row; the first of equals is not counted.

use super::{Check, Count, Input};
use crate::order;
use crate::result::{Dimension, Finding};

/// Share above which a run needs a reason: copies weigh more in training and are answered right too often in the test.
const FAIL_ABOVE: f64 = 0.05;

/// The check.
pub(super) struct Duplicates;

impl Check for Duplicates {
    fn name(&self) -> &'static str {
        "duplicates"
    }
    fn looks_at(&self) -> &'static str {
        "rows that equal an earlier one"
    }
    fn dimension(&self) -> Dimension {
        Dimension::Uniqueness
    }
    fn run(&self, input: &Input<'_>) -> Finding {
        let mut affected: Vec<u32> = (input.twins().equal.iter())
            .flat_map(|rows| {
                // A row whose equal in another group is earlier counts, whatever its own group repeats.
                let earlier =
                    |at: usize| (rows[..at].iter()).any(|it| !input.may_repeat(*it, rows[at]));
                (1..rows.len())
                    .filter(move |at| earlier(*at))
                    .map(|at| rows[at])
            })
            .collect();
        order::ascending(&mut affected);
        let count = Count {
            check: self.name(),
            unit: "rows",
            affected,
            of: input.data.kept_count(),
            warn_above: 0.0,
            fail_above: FAIL_ABOVE,
        };
        count.finding(|counted| format!("{counted} equal an earlier row."))
    }
}
