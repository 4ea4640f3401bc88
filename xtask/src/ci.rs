//! Everything that a change must pass. `.ci/run` calls it.

use crate::project::Project;
use crate::report::Outcome;
use crate::{check, report, setup, suites};

/// Sets up, checks, tests; ends with one summary of all.
pub(crate) fn run(project: &Project) -> bool {
    let setup = Outcome::of("setup", |_| setup::everything(project));
    let mut outcomes = vec![setup, check::run(project)];
    outcomes.extend(suites::run(project, &[]));
    report::finish(&outcomes)
}
