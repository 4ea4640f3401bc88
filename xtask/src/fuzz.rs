//! Throws many random and mutated inputs at every reader of foreign data: links, recipes, logs.

use anyhow::Result;

use crate::project::Project;
use crate::report::{self, Outcome};

/// Runs the property tests, optimized, with `count` inputs for each.
pub(crate) fn run(project: &Project, count: u64) -> Result<bool> {
    let outcome = Outcome::of("fuzz", |outcome| {
        let mut cargo = project.cargo("test");
        cargo.env("ASSAY_FUZZ_CASES", count.to_string());
        outcome.count(cargo.args([
            "--package=assay",
            "--release",
            "--test=fuzz",
            "--test=fuzz_files",
        ]))
    });
    println!(
        "{count} inputs for each of {} properties",
        outcome.passed + outcome.failed
    );
    Ok(report::finish(&[outcome]))
}
