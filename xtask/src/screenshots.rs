//! Takes a picture of every view, for eyes to judge.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::project::{Project, run as run_command};
use crate::{setup, suites};

/// Writes the pictures to `out`.
pub(crate) fn run(project: &Project, out: PathBuf) -> Result<()> {
    project.page()?;
    setup::browsers(project)?;
    // The script runs in the root of the repository, the person may be elsewhere.
    let out = std::path::absolute(out)?;
    std::fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
    let mut node = project.node("tests/e2e/screenshots.mjs");
    run_command(suites::with_browsers(project, &mut node).env("ASSAY_SCREENSHOTS_DIR", &out))?;
    println!("The pictures are in {}", out.display());
    Ok(())
}
