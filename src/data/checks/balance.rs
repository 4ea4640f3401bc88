//! Class balance: classes with a smaller or larger share than the set declares, or without a row that tests.

use super::{Check, Count, Input};
use crate::result::{Dimension, Finding};

/// The check.
pub(super) struct Balance;

impl Check for Balance {
    fn name(&self) -> &'static str {
        "balance"
    }
    fn looks_at(&self) -> &'static str {
        "each class's share of the rows, beside what the set declares"
    }
    fn dimension(&self) -> Dimension {
        Dimension::Balance
    }
    fn run(&self, input: &Input<'_>) -> Finding {
        let data = input.data;
        let counts = data.class_counts();
        let rows = f64::from(data.kept_count().max(1));
        let expected = data.expected;
        let untrained = |class: usize| {
            !(input.parts.train.iter()).any(|row| usize::from(data.labels[*row as usize]) == class)
        };
        let off = |class: &u32| {
            let share = f64::from(counts[*class as usize]) / rows;
            share < expected.smallest_share
                || share > expected.largest_share
                || untrained(*class as usize)
        };
        let affected: Vec<u32> = (0..counts.len() as u32).filter(off).collect();
        let names: Vec<String> = (affected.iter().take(5))
            .map(|class| {
                format!(
                    "{} ({} rows)",
                    data.classes[*class as usize], counts[*class as usize]
                )
            })
            .collect();
        // A class that is gone cannot be learned at all.
        let gone = affected.iter().any(|class| untrained(*class as usize));
        let count = Count {
            check: self.name(),
            unit: "classes",
            affected,
            of: counts.len() as u32,
            warn_above: 0.0,
            fail_above: if gone { 0.0 } else { 0.5 },
        };
        count.finding(|counted| match names[..] {
            [] => format!("{counted} is rarer or more frequent than declared."),
            _ => format!(
                "{counted} are rarer or more frequent than declared: {}.",
                names.join(", ")
            ),
        })
    }
}
