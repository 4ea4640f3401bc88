//! Label range: whether each label is one of the classes; whether it is the right one is another check's question.

use super::{Check, Count, Input};
use crate::result::{Dimension, Finding};

/// The check.
pub(super) struct Labels;

impl Check for Labels {
    fn name(&self) -> &'static str {
        "labels"
    }
    fn looks_at(&self) -> &'static str {
        "labels beside the list of classes"
    }
    fn dimension(&self) -> Dimension {
        Dimension::Validity
    }
    fn run(&self, input: &Input<'_>) -> Finding {
        let classes = input.data.classes.len();
        let beyond = |row: &u32| usize::from(input.data.labels[*row as usize]) >= classes;
        let count = Count {
            check: self.name(),
            unit: "rows",
            affected: input.data.kept().filter(beyond).collect(),
            of: input.data.kept_count(),
            warn_above: 0.0,
            fail_above: 0.0,
        };
        count
            .finding(|counted| format!("{counted} have a label that is none of {classes} classes."))
    }
}
