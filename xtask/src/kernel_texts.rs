//! Writes the GPU's programs as a file beside the module, which holds what it fetches to the texts that it was built with.

use std::path::Path;

use anyhow::{Context, Result};

use crate::project::Project;

#[path = "../../src/engine/gpu/kernels/strip.rs"]
mod strip;

/// Writes `kernels.js` into a module's folder: its default export is each text after a line `//# NAME`.
pub(crate) fn write(project: &Project, folder: &Path) -> Result<()> {
    let kernels = project.root().join("src/engine/gpu/kernels");
    let mut texts = String::new();
    for path in crate::project::files_under(&kernels)? {
        let Some(name) = path.strip_suffix(".wgsl") else {
            continue;
        };
        let text = std::fs::read_to_string(kernels.join(&path))
            .with_context(|| format!("cannot read {path}"))?;
        texts.push_str(&format!("//# {name}\n{}", shipped(&text)?));
    }
    let file = folder.join("kernels.js");
    let module = format!("export default {};\n", serde_json::Value::from(texts));
    std::fs::write(&file, module).with_context(|| format!("cannot write {}", file.display()))
}

fn shipped(text: &str) -> Result<String> {
    let mut bytes = vec![0; text.len()];
    let length = strip::strip(text, &mut bytes);
    bytes.truncate(length);
    String::from_utf8(bytes).context("outside of comments a kernel is ASCII")
}
