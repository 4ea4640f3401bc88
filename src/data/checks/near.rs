//! Near duplicates: rows that differ from an earlier one by little more than noise; equal rows are another check's.

use super::{Check, Count, Input, not_made};
use crate::order;
use crate::result::{Dimension, Finding};

/// Share above which it warns and fails; a few rows of a large set are alike by chance.
const WARN_ABOVE: f64 = 0.002;
const FAIL_ABOVE: f64 = 0.1;

/// The check.
pub(super) struct Near;

impl Check for Near {
    fn name(&self) -> &'static str {
        "near"
    }
    fn looks_at(&self) -> &'static str {
        "rows that nearly equal an earlier one"
    }
    fn dimension(&self) -> Dimension {
        Dimension::Uniqueness
    }
    fn run(&self, input: &Input<'_>) -> Finding {
        let twins = input.twins();
        if !twins.near_judged {
            return not_made(self, "rows", "a row has too few values to be told apart");
        }
        let later = order::distinct(
            (twins.near.iter())
                .filter(|(one, other)| !input.may_nearly_repeat(*one, *other))
                .map(|(_, other)| *other),
        );
        let count = Count {
            check: self.name(),
            unit: "rows",
            affected: later,
            of: input.data.kept_count(),
            warn_above: WARN_ABOVE,
            fail_above: FAIL_ABOVE,
        };
        count.finding(|counted| format!("{counted} nearly equal an earlier row."))
    }
}
