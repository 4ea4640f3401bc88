//! Copies into the page the npm modules that it imports, and theirs, with their licences, and writes the import map
//! that finds them. Nothing else of a package is shipped.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::imports;

/// The npm modules of a page.
#[derive(Default)]
pub(crate) struct Vendor {
    /// Path in the page to content.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// Bare specifier to address relative to the page, so that it works under any path.
    pub(crate) import_map: BTreeMap<String, String>,
}

impl Vendor {
    /// Follows the imports of `specifiers` through the packages in `packages` (a `node_modules` folder).
    pub(crate) fn collect<'a>(
        packages: &Path,
        specifiers: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self> {
        let mut vendor = Self::default();
        for specifier in specifiers {
            vendor.add(packages, specifier)?;
        }
        Ok(vendor)
    }

    /// The import map as the text between the script tags.
    pub(crate) fn import_map_json(&self) -> String {
        serde_json::json!({ "imports": self.import_map }).to_string()
    }

    fn add(&mut self, packages: &Path, specifier: &str) -> Result<()> {
        if self.import_map.contains_key(specifier) {
            return Ok(());
        }
        let (package, subpath) = split(specifier);
        let root = packages.join(package);
        let manifest = std::fs::read(root.join("package.json")).with_context(|| {
            format!("{specifier} is imported, but there is no npm package {package}")
        })?;
        let manifest: Value = serde_json::from_slice(&manifest)?;
        let file = exported_file(&manifest, subpath).with_context(|| {
            format!("the npm package {package} does not export {specifier} to browsers")
        })?;
        self.import_map
            .insert(specifier.to_owned(), format!("./vendor/{package}/{file}"));
        self.add_licence(&root, package)?;
        self.add_file(packages, package, file.to_owned())
    }

    fn add_file(&mut self, packages: &Path, package: &str, file: String) -> Result<()> {
        let path = format!("vendor/{package}/{file}");
        if self.files.contains_key(&path) {
            return Ok(());
        }
        let source = std::fs::read_to_string(packages.join(package).join(&file))
            .with_context(|| format!("cannot read {file} of the npm package {package}"))?;
        let imported: Vec<String> = imports::of(&source)
            .into_iter()
            .map(str::to_owned)
            .collect();
        self.files.insert(path, source.into_bytes());
        for specifier in imported {
            if imports::is_bare(&specifier) {
                self.add(packages, &specifier)?;
            } else {
                self.add_file(packages, package, join(&file, &specifier)?)?;
            }
        }
        Ok(())
    }

    fn add_licence(&mut self, root: &Path, package: &str) -> Result<()> {
        for name in ["LICENSE", "LICENCE", "LICENSE.md", "LICENSE.txt"] {
            if let Ok(text) = std::fs::read(root.join(name)) {
                self.files.insert(format!("vendor/{package}/LICENSE"), text);
                return Ok(());
            }
        }
        bail!("the npm package {package} has no licence file to ship with it")
    }
}

/// `@scope/name/sub/path.js` → (`@scope/name`, `sub/path.js`).
fn split(specifier: &str) -> (&str, &str) {
    let name_parts = if specifier.starts_with('@') { 2 } else { 1 };
    match specifier.match_indices('/').nth(name_parts - 1) {
        Some((at, _)) => (&specifier[..at], &specifier[at + 1..]),
        None => (specifier, ""),
    }
}

/// The file that a package's manifest exports to browsers under `subpath` (empty for the package itself).
fn exported_file<'a>(manifest: &'a Value, subpath: &str) -> Option<&'a str> {
    let key = if subpath.is_empty() {
        ".".to_owned()
    } else {
        format!("./{subpath}")
    };
    let target = for_browsers(manifest.get("exports")?.get(key)?)?;
    target.strip_prefix("./")
}

fn for_browsers(target: &Value) -> Option<&str> {
    if let Value::String(file) = target {
        return Some(file);
    }
    ["browser", "import", "default"]
        .iter()
        .find_map(|condition| for_browsers(target.get(condition)?))
}

/// Resolves a relative specifier against the file that imports it; it may not leave the package.
fn join(importer: &str, specifier: &str) -> Result<String> {
    let mut parts: Vec<&str> = importer.split('/').collect();
    parts.pop();
    for part in specifier.split('/') {
        match part {
            "." => {}
            ".." if parts.pop().is_some() => {}
            ".." => bail!("{importer} imports {specifier}, which is outside its package"),
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Vendor, join, split};

    fn packages() -> PathBuf {
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/packages").into()
    }

    #[test]
    fn ships_what_is_imported_and_nothing_else() {
        let vendor = Vendor::collect(&packages(), ["outer"]).expect("the fixture resolves");
        let files: Vec<_> = vendor.files.keys().map(String::as_str).collect();
        assert_eq!(
            files,
            [
                "vendor/@scope/inner/LICENSE",
                "vendor/@scope/inner/browser/part.js",
                "vendor/outer/LICENSE",
                "vendor/outer/index.js",
                "vendor/outer/lib/near.js",
            ]
        );
        assert_eq!(
            vendor.import_map_json(),
            r#"{"imports":{"@scope/inner/part.js":"./vendor/@scope/inner/browser/part.js","outer":"./vendor/outer/index.js"}}"#
        );
    }

    #[test]
    fn refuses_a_package_that_is_not_there() {
        let error = Vendor::collect(&packages(), ["nowhere"])
            .err()
            .expect("there is no such package");
        assert!(
            error.to_string().contains("no npm package nowhere"),
            "{error}"
        );
    }

    #[test]
    fn refuses_a_module_that_the_package_keeps_to_itself() {
        let error = Vendor::collect(&packages(), ["outer/lib/near.js"])
            .err()
            .expect("it is not exported");
        assert!(
            error
                .to_string()
                .contains("does not export outer/lib/near.js"),
            "{error}"
        );
    }

    #[test]
    fn splits_scoped_names_after_the_second_part() {
        assert_eq!(
            split("@lit/reactive-element/css-tag.js"),
            ("@lit/reactive-element", "css-tag.js")
        );
        assert_eq!(
            split("lit/directives/repeat.js"),
            ("lit", "directives/repeat.js")
        );
        assert_eq!(split("idb"), ("idb", ""));
    }

    #[test]
    fn relative_imports_stay_inside_the_package() {
        assert_eq!(
            join("directives/repeat.js", "../lit-html.js").expect("inside"),
            "lit-html.js"
        );
        assert!(join("index.js", "../other/index.js").is_err());
    }
}
