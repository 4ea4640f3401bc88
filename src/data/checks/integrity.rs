//! Integrity: whether files and sets still have the digests that are known from before; it reads no file.

use super::{Check, Count, Input, Known, not_made};
use crate::data::{Dataset, digits};
use crate::recipe::DataSpec;
use crate::recipe::fields::OWN;
use crate::result::{Dimension, Finding};

/// What is known from before of a recipe's set: the digest of the set that is built in, and that of the files that the recipe
/// names. A set that is made from a seed has none.
#[must_use]
pub fn known(spec: &DataSpec, set: &Dataset) -> Vec<Known> {
    let known = |name: &str, expected: &str, found: String| {
        vec![Known {
            name: name.into(),
            expected: expected.into(),
            found,
        }]
    };
    match spec.set.as_str() {
        "digits" => known("the digits", digits::DIGEST, set.digest()),
        OWN => known("the recipe's files", spec.file(), set.source.clone()),
        _ => Vec::new(),
    }
}

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
            return not_made(
                self,
                "files",
                "the set is made from its seed, and no digest of it is known from before",
            );
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
            [] => format!("{counted} has another content than before."),
            _ => format!(
                "{counted} have another content than before: {}.",
                names.join(", ")
            ),
        })
    }
}
