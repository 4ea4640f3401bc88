//! The size of the wasm file, held to a limit.

use anyhow::{Context, Result};

use crate::project::Project;
use crate::{bindgen, by_crate, compress, setup};

/// What a visitor's browser must compile, in bytes.
const RAW_LIMIT: usize = 4_000_000;
/// What a visitor's browser must fetch, in bytes.
const GZIP_LIMIT: usize = 800_000;

/// Prints the sizes; `false` means that one is above its limit.
pub(crate) fn run(project: &Project, with_crates: bool) -> Result<bool> {
    setup::wasm_target(project)?;
    let file = bindgen::page_module(project)?.join("assay_bg.wasm");
    let wasm = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let gzipped = compress::gzip(&wasm)?;
    println!("{}", judged("raw", wasm.len(), RAW_LIMIT));
    println!("{}", judged("gzip -9", gzipped.len(), GZIP_LIMIT));
    if with_crates {
        let compiled = std::fs::read(bindgen::compiled_page_module(project)?)?;
        print!("{}", by_crate::table(&compiled)?);
    }
    Ok(wasm.len() <= RAW_LIMIT && gzipped.len() <= GZIP_LIMIT)
}

fn judged(form: &str, bytes: usize, limit: usize) -> String {
    let judgement = if bytes <= limit { "within" } else { "ABOVE" };
    format!(
        "assay_bg.wasm {form:<8} {:>6.3} MB, {judgement} the limit of {:.1} MB",
        megabytes(bytes),
        megabytes(limit)
    )
}

/// Decimal megabytes.
pub(crate) fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
