//! Missing and non-finite values, by row; what replaces them is the preprocessing's business.

use super::{Check, Count, Input};
use crate::result::{Dimension, Finding};

/// Share of the rows with a missing value above which a run needs a reason: more than a tenth of what is learned would be
/// what the preprocessing made up.
const FAIL_ABOVE: f64 = 0.1;

/// The check.
pub(super) struct Missing;

impl Check for Missing {
    fn name(&self) -> &'static str {
        "missing"
    }
    fn looks_at(&self) -> &'static str {
        "values that are missing or not finite"
    }
    fn dimension(&self) -> Dimension {
        Dimension::Completeness
    }
    fn run(&self, input: &Input<'_>) -> Finding {
        let data = input.data;
        let lacks = |row: &u32| {
            data.places(*row)
                .any(|place| !data.values.at(place).is_finite())
        };
        let count = Count {
            check: self.name(),
            unit: "rows",
            affected: data.kept().filter(lacks).collect(),
            of: data.kept_count(),
            warn_above: 0.0,
            fail_above: FAIL_ABOVE,
        };
        count.finding(|counted| format!("{counted} lack a value."))
    }
}
