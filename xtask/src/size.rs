//! The sizes of the page's two wasm files and of the GPU's programs, held to limits.

use anyhow::{Context, Result};

use crate::project::Project;
use crate::{bindgen, by_crate, compress, setup};

/// What a visitor's browser must compile, in bytes.
const RAW_LIMIT: usize = 4_000_000;
/// What a visitor's browser must fetch, in bytes.
const GZIP_LIMIT: usize = 800_000;
/// The same of the module that makes sets of data, fetched by those who use more than the digits.
const SETS_RAW_LIMIT: usize = 2_000_000;
const SETS_GZIP_LIMIT: usize = 370_000;
/// The same of the GPU's programs, fetched by those who use one.
const KERNELS_RAW_LIMIT: usize = 250_000;
const KERNELS_GZIP_LIMIT: usize = 30_000;

/// Prints the sizes; `false` means that one is above its limit.
pub(crate) fn run(project: &Project, with_crates: bool) -> Result<bool> {
    setup::wasm_target(project)?;
    let folder = bindgen::page_module(project)?;
    let mut fits = true;
    for (file, raw_limit, gzip_limit) in [
        ("assay_bg.wasm", RAW_LIMIT, GZIP_LIMIT),
        ("sets/assay_sets_bg.wasm", SETS_RAW_LIMIT, SETS_GZIP_LIMIT),
        ("kernels.js", KERNELS_RAW_LIMIT, KERNELS_GZIP_LIMIT),
    ] {
        let path = folder.join(file);
        let raw =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let gzipped = compress::gzip(&raw)?;
        println!("{}", judged(file, "raw", raw.len(), raw_limit));
        println!("{}", judged(file, "gzip -9", gzipped.len(), gzip_limit));
        fits &= raw.len() <= raw_limit && gzipped.len() <= gzip_limit;
    }
    if with_crates {
        let compiled = std::fs::read(bindgen::compiled_page_module(project)?)?;
        print!("{}", by_crate::table(&compiled)?);
    }
    Ok(fits)
}

fn judged(file: &str, form: &str, bytes: usize, limit: usize) -> String {
    let judgement = if bytes <= limit { "within" } else { "ABOVE" };
    format!(
        "{file:<23} {form:<8} {:>6.3} MB, {judgement} the limit of {:.2} MB",
        megabytes(bytes),
        megabytes(limit)
    )
}

/// Decimal megabytes.
pub(crate) fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
