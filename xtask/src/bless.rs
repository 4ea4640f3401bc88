//! Writes the golden files anew, and shows what changed so that a person can read it.

use anyhow::Result;

use crate::project::{Project, run as run_command};
use crate::report;
use crate::suites::{self, SuiteName};

const GOLDEN: &str = "tests/golden";

/// Runs the suites (native ones when none is named) with `UPDATE_GOLDEN=1`; `false` if one still fails.
pub(crate) fn run(project: Project, names: &[SuiteName]) -> Result<bool> {
    let names = if names.is_empty() {
        &[SuiteName::Native]
    } else {
        names
    };
    let project = project.with_variable("UPDATE_GOLDEN", "1");
    let passed = report::finish(&suites::run(&project, names));
    // New files are no part of a diff, so they are listed first.
    run_command(project.command("git").args(["status", "--short", GOLDEN]))?;
    run_command(
        project
            .command("git")
            .args(["--no-pager", "diff", "--stat", "--", GOLDEN]),
    )?;
    Ok(passed)
}
