//! Integrity: whether files and sets still have the digests that are known from before; it reads no file.

use super::{Check, Count, Input, not_made};
use crate::result::{Dimension, Finding};

/// The check.
pub(super) struct Integrity;

impl Check for Integrity {
    fn name(&self) -> &'static str {
        "integrity"
    }
    fn looks_at(&self) -> &'static str {
        "digests of files and set"
    }
    fn dimension(&self) -> Dimension {
        Dimension::Validity
    }
    fn run(&self, input: &Input<'_>) -> Finding {
        if input.known.is_empty() {
            return not_made(self, "files", "no digest is known from before");
        }
        let changed = |at: &u32| {
            let known = &input.known[*at as usize];
            known.expected != known.found
        };
        let affected: Vec<u32> = (0..input.known.len() as u32).filter(changed).collect();
        let names: Vec<&str> = (affected.iter().take(5))
            .map(|at| &input.known[*at as usize].name[..])
            .collect();
        let count = Count {
            check: self.name(),
            unit: "files",
            affected,
            of: input.known.len() as u32,
            warn_above: 0.0,
            fail_above: 0.0,
        };
        count.finding(|counted| match names[..] {
            [] => format!("{counted} has changed."),
            _ => format!(
                "{counted} have another content than before: {}.",
                names.join(", ")
            ),
        })
    }
}
