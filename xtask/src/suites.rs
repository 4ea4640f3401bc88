//! The test suites: native, the same cases on other processors, in Node and in two browsers, those of the GPU in two
//! browsers, JavaScript, and end to end in two browsers.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::bindgen;
use crate::processors;
use crate::project::{self, Project};
use crate::report::Outcome;
use crate::setup::{self, Browser};

/// A suite, as named on the command line.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SuiteName {
    /// Rust tests of the library, the command and xtask
    Native,
    /// The table of cases as AArch64 programs, emulated
    Aarch64,
    /// The table of cases without AVX, emulated, and compiled for AVX2 and FMA
    #[value(name = "x86-64")]
    X86,
    /// JavaScript tests in Node
    Js,
    /// The table of cases, in Node
    Node,
    /// The table of cases, in Chromium and Firefox
    Browser,
    /// The table of cases that need a GPU, in Chromium and Firefox; `native` runs it too
    Gpu,
    /// The page as a person uses it, in Chromium and Firefox
    E2e,
}

/// Runs the named suites, or all of them.
pub(crate) fn run(project: &Project, names: &[SuiteName]) -> Vec<Outcome> {
    let names = if names.is_empty() {
        SuiteName::value_variants()
    } else {
        names
    };
    let mut outcomes = Vec::new();
    for name in names {
        match name {
            SuiteName::Native => outcomes.push(native(project)),
            SuiteName::Aarch64 => outcomes.push(processors::aarch64(project)),
            SuiteName::X86 => outcomes.push(processors::x86_64(project)),
            SuiteName::Js => outcomes.push(js(project)),
            SuiteName::Node => outcomes.push(cases_in_node(project)),
            SuiteName::Browser => {
                outcomes.extend(Browser::ALL.map(|browser| cases(project, browser)));
            }
            SuiteName::Gpu => {
                outcomes.extend(Browser::ALL.map(|browser| gpu_cases(project, browser)));
            }
            SuiteName::E2e => {
                outcomes.extend(Browser::ALL.map(|browser| end_to_end(project, browser)));
            }
        }
    }
    outcomes
}

fn native(project: &Project) -> Outcome {
    Outcome::of("native", |outcome| {
        setup::graphics(project)?;
        if let Err(reason) = setup::python(project) {
            println!("{reason:#}");
        }
        outcome.count(project.cargo("test").args([
            "--workspace",
            "--exclude=xtask",
            "--no-fail-fast",
        ]))?;
        // With the profile that xtask itself was built with: its dependencies are there already.
        outcome.count(
            project
                .cargo("test")
                .args(["--package=xtask", "--profile=xtask"]),
        )
    })
}

fn js(project: &Project) -> Outcome {
    Outcome::of("js", |outcome| {
        // The modules under test import the wasm module's glue.
        project.page()?;
        let files = test_files(project, "tests/js")?;
        outcome.count(node_test(project).args(files))
    })
}

fn cases_in_node(project: &Project) -> Outcome {
    Outcome::of("node", |outcome| {
        setup::to_build(project)?;
        let module = bindgen::cases_module(project)?;
        let mut driver = project.node("tests/e2e/harness/run_cases.mjs");
        outcome.count(driver.arg("node").arg(module))
    })
}

fn cases(project: &Project, browser: Browser) -> Outcome {
    Outcome::of(&format!("browser {}", browser.name()), |outcome| {
        setup::to_build(project)?;
        setup::browsers(project)?;
        let module = bindgen::cases_module(project)?;
        let mut driver = project.node("tests/e2e/harness/run_cases.mjs");
        outcome.count(
            with_browsers(project, &mut driver)
                .arg(browser.name())
                .arg(module),
        )
    })
}

fn gpu_cases(project: &Project, browser: Browser) -> Outcome {
    Outcome::of(&format!("gpu {}", browser.name()), |outcome| {
        setup::to_build(project)?;
        setup::browsers(project)?;
        setup::graphics(project)?;
        let module = bindgen::gpu_cases_module(project)?;
        let mut driver = project.node("tests/e2e/harness/run_gpu_cases.mjs");
        outcome.count(
            with_browsers(project, &mut driver)
                .arg(browser.name())
                .arg(module),
        )
    })
}

fn end_to_end(project: &Project, browser: Browser) -> Outcome {
    Outcome::of(&format!("e2e {}", browser.name()), |outcome| {
        setup::browsers(project)?;
        project.page()?;
        let files = test_files(project, "tests/e2e")?;
        outcome.count(
            node_test(project)
                .env("ASSAY_BROWSER", browser.name())
                .args(files),
        )
    })
}

/// Node's test runner, one file after the other: a browser beside another would disturb its timings.
fn node_test(project: &Project) -> Command {
    let mut node = project.command("node");
    node.args([
        "--test",
        "--test-reporter=spec",
        "--test-concurrency=1",
        "--test-timeout=600000",
    ]);
    with_browsers(project, &mut node);
    node
}

/// Tells a Node program where the page, its server and the browsers are.
pub(crate) fn with_browsers<'a>(project: &Project, node: &'a mut Command) -> &'a mut Command {
    if let Ok(xtask) = std::env::current_exe() {
        node.env("ASSAY_XTASK", xtask);
    }
    node.env("ASSAY_PAGE_DIR", project.page_dir());
    for browser in Browser::ALL {
        if let Some(program) = browser.program() {
            node.env(browser.variable(), program);
        }
    }
    node
}

/// The `*.test.mjs` files directly in a folder of the repository.
fn test_files(project: &Project, folder: &str) -> Result<Vec<String>> {
    let dir = project.root().join(folder);
    let all = if dir.is_dir() {
        project::files_under(&dir)?
    } else {
        Vec::new()
    };
    let files: Vec<_> = all
        .into_iter()
        .filter(|path| path.ends_with(".test.mjs") && Path::new(path).components().count() == 1)
        .map(|path| format!("{folder}/{path}"))
        .collect();
    if files.is_empty() {
        bail!("there is no *.test.mjs in {folder}");
    }
    Ok(files)
}
