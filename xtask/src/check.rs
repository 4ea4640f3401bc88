//! Everything that can be judged without running the product: formatting, lints, documentation, types, tidiness, size.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::project::{Project, run as run_command};
use crate::report::Outcome;
use crate::{setup, size};

/// One check: its name and what it does.
type Check = (&'static str, fn(&Project) -> Result<()>);

/// In this order each finds the most of what it needs built by an earlier one.
const CHECKS: [Check; 7] = [
    ("formatting", formatting),
    ("lints", lints),
    ("lints for wasm32", wasm_lints),
    ("documentation", documentation),
    ("size", size_limit),
    ("JavaScript types", types),
    ("tidy", tidy),
];

/// Runs every check, also after one failed, and counts each as one.
pub(crate) fn run(project: &Project) -> Outcome {
    Outcome::of("check", |outcome| {
        setup::to_build(project)?;
        for (name, check) in CHECKS {
            let start = Instant::now();
            let result = check(project);
            let secs = start.elapsed().as_secs();
            match result {
                Ok(()) => {
                    println!("{name}: passed in {secs} s");
                    outcome.passed += 1;
                }
                Err(error) => {
                    println!("{name}: FAILED after {secs} s: {error:#}");
                    outcome.failed += 1;
                }
            }
        }
        Ok(())
    })
}

fn formatting(project: &Project) -> Result<()> {
    run_command(project.command("cargo").args(["fmt", "--all", "--check"]))
}

fn lints(project: &Project) -> Result<()> {
    run_command(clippy(project).args(["--workspace", "--all-targets", "--", "-Dwarnings"]))
}

/// The browser has neither files nor threads nor a clock of its own, so more is forbidden there.
fn wasm_lints(project: &Project) -> Result<()> {
    run_command(
        clippy(project)
            .env("CLIPPY_CONF_DIR", project.root().join("xtask/clippy-wasm"))
            .args([
                "--workspace",
                "--exclude=xtask",
                "--lib",
                "--example=cases",
                "--example=gpu_cases",
                "--target=wasm32-unknown-unknown",
            ])
            .args(["--", "-Dwarnings"]),
    )
}

fn clippy(project: &Project) -> Command {
    let mut cargo = project.cargo("clippy");
    cargo.arg("--quiet");
    cargo
}

fn documentation(project: &Project) -> Result<()> {
    run_command(
        project
            .cargo("doc")
            .env("RUSTDOCFLAGS", "-Dwarnings")
            .args(["--quiet", "--workspace", "--no-deps"]),
    )
}

fn size_limit(project: &Project) -> Result<()> {
    if size::run(project, false)? {
        Ok(())
    } else {
        bail!("the wasm file is above its limit")
    }
}

fn types(project: &Project) -> Result<()> {
    // The types of the wasm module are made with the page.
    project.page()?;
    run_command(
        project
            .node("node_modules/typescript/bin/tsc")
            .args(["--project", "tsconfig.json"]),
    )
}

fn tidy(project: &Project) -> Result<()> {
    if !project.root().join("tests/tidy.rs").exists() {
        bail!("tests/tidy.rs is missing, so nothing holds the layout to its rules");
    }
    run_command(
        project
            .cargo("test")
            .args(["--quiet", "--package=assay", "--test=tidy"]),
    )
}
