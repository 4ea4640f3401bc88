//! From Rust to a module that a browser or Node can load: cargo for wasm32, then bindgen as a library, so that its version is
//! the one in the lock file. No wasm-opt: it was measured to make the compressed file larger.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::kernel_texts;
use crate::project::{Project, run};

/// The page's module before bindgen, with the names of its functions.
pub(crate) fn compiled_page_module(project: &Project) -> Result<PathBuf> {
    // The manifest declares a plain `lib`: a cdylib beside it would make cargo skip link-time optimization for both.
    compile(
        project,
        &["--package=assay", "--lib", "--crate-type=cdylib"],
        "page",
        "assay.wasm",
    )
}

/// The module that makes sets of data, before bindgen: the same library with another face.
fn compiled_sets_module(project: &Project) -> Result<PathBuf> {
    let selection = [
        "--package=assay",
        "--lib",
        "--crate-type=cdylib",
        "--features=sets-module",
    ];
    compile(project, &selection, "sets", "assay.wasm")
}

/// Builds the page's two modules into `www/pkg`, where the editor and the type checker find their types.
pub(crate) fn page_module(project: &Project) -> Result<PathBuf> {
    let out = project.root().join("www/pkg");
    let sets = compiled_sets_module(project)?;
    let page = compiled_page_module(project)?;
    generate(&page, &out, "assay", Names::Removed)?;
    kernel_texts::write(project, &out)?;
    generate(&sets, &out.join("sets"), "assay_sets", Names::Removed)?;
    Ok(out)
}

/// Builds the table of test cases into `target/cases/pkg`.
pub(crate) fn cases_module(project: &Project) -> Result<PathBuf> {
    table_module(project, "cases")
}

/// Builds the table of cases that need a GPU into `target/gpu_cases/pkg`.
pub(crate) fn gpu_cases_module(project: &Project) -> Result<PathBuf> {
    let out = table_module(project, "gpu_cases")?;
    kernel_texts::write(project, &out)?;
    Ok(out)
}

/// Builds an example that is a table of cases; whatever its name, the module is called `cases`, as the harness knows it.
fn table_module(project: &Project, example: &str) -> Result<PathBuf> {
    let compiled = compile(
        project,
        &["--package=assay", &format!("--example={example}")],
        "page",
        &format!("examples/{example}.wasm"),
    )?;
    let out = project.target().join(example).join("pkg");
    generate(&compiled, &out, "cases", Names::Kept)?;
    // Node asks the nearest package whether a `.js` is a module; the build folder may be outside of ours.
    std::fs::write(out.join("package.json"), r#"{"type":"module"}"#)
        .with_context(|| format!("cannot write into {}", out.display()))?;
    Ok(out)
}

fn compile(
    project: &Project,
    selection: &[&str],
    profile: &str,
    artifact: &str,
) -> Result<PathBuf> {
    let mut cargo = project.cargo("rustc");
    run(cargo
        .args(selection)
        .arg("--target=wasm32-unknown-unknown")
        .args(["--profile", profile]))?;
    Ok(project
        .target()
        .join("wasm32-unknown-unknown")
        .join(profile)
        .join(artifact))
}

/// What happens to the names of functions: a failing case shows them, a visitor need not fetch them.
#[derive(PartialEq)]
enum Names {
    Kept,
    Removed,
}

fn generate(compiled: &Path, out: &Path, name: &str, names: Names) -> Result<()> {
    // What an earlier version left behind must not be shipped.
    if out.exists() {
        std::fs::remove_dir_all(out).with_context(|| format!("cannot clear {}", out.display()))?;
    }
    Bindgen::new()
        .input_path(compiled)
        .out_name(name)
        .web(true)?
        .typescript(true)
        .remove_name_section(names == Names::Removed)
        .remove_producers_section(true)
        .omit_default_module_path(false)
        .generate(out)
        .with_context(|| format!("bindgen failed on {}", compiled.display()))?;
    // Instead of bindgen's, which lists the page's own packages: Node asks here whether files are modules.
    let manifest = serde_json::json!({
        "name": name,
        "type": "module",
        "main": format!("{name}.js"),
        "types": format!("{name}.d.ts"),
    });
    let file = out.join("package.json");
    std::fs::write(&file, format!("{manifest:#}\n"))
        .with_context(|| format!("cannot write {}", file.display()))
}
