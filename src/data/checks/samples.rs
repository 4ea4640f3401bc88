//! Two samples: whether models tell the rows that test from those that train; it says nothing of single columns.
//!
//! After D. Lopez-Paz and M. Oquab, "Revisiting classifier two-sample tests", 2017, arXiv 1610.06545: of as many rows of each
//! part, models that did not learn from a row say which part it is from. Where both parts are alike they are right on half of
//! them, with a deviation of `1/(2·√n)` for `n` rows.

use super::{Answers, Check, Count, Input, not_made};
use crate::order;
use crate::result::{Dimension, Finding};

/// Deviations above one half at which it warns: chance gets there once in a million sets (one-sided, normal).
const DEVIATIONS: f64 = 4.75;
/// Least share of the rows told apart beyond one half at which it warns, however many rows there are, and at which it fails.
const WARN_ABOVE: f64 = 0.05;
const FAIL_ABOVE: f64 = 0.3;

/// The check.
pub(super) struct Samples;

impl Check for Samples {
    fn name(&self) -> &'static str {
        "samples"
    }
    fn looks_at(&self) -> &'static str {
        "whether models tell the rows that test from those that train"
    }
    fn dimension(&self) -> Dimension {
        Dimension::Stability
    }
    fn run(&self, input: &Input<'_>) -> Finding {
        if input.data.groups.is_some() {
            let why = "whole groups are divided, and a few groups differ by nature";
            return not_made(self, "rows", why);
        }
        let told_apart = input
            .parted
            .filter(|it| it.probabilities.len() == it.rows.len() * 2);
        let Some(Answers {
            rows,
            probabilities,
        }) = told_apart
        else {
            return not_made(self, "rows", "no model was asked to tell the parts apart");
        };
        let mut right: Vec<(f32, u32)> = Vec::new();
        for (row, answer) in rows.iter().zip(probabilities.chunks_exact(2)) {
            let tests = usize::from(input.parts.test.binary_search(row).is_ok());
            let surplus = answer[tests] - answer[1 - tests];
            if surplus > 0.0 {
                right.push((surplus, *row));
            }
        }
        let accuracy = right.len() as f64 / rows.len().max(1) as f64;
        order::sort_by(&mut right, |a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let beyond_half = right.len().saturating_sub(rows.len() / 2);
        let deviation = 0.5 / libm::sqrt(rows.len().max(1) as f64);
        let count = Count {
            check: self.name(),
            unit: "rows",
            affected: right.iter().take(beyond_half).map(|it| it.1).collect(),
            of: rows.len() as u32,
            warn_above: (DEVIATIONS * deviation).max(WARN_ABOVE),
            fail_above: FAIL_ABOVE,
        };
        count.finding(|counted| {
            let percent = accuracy * 100.0;
            format!(
                "Small models are right on {percent:.0} % of as many rows of either part, half of which chance gets: {counted} beyond that."
            )
        })
    }
}
