//! Lists the modules that the page needs at its start, so that the browser fetches them all at once instead of finding
//! them import by import. It changes what is fetched when, never what is run.

use std::collections::{BTreeMap, BTreeSet};

use crate::imports;

/// Where the page's modules begin: its script, and the shell that the script imports dynamically.
const ROOTS: [&str; 2] = ["main.js", "elements/assay_app.js"];

/// `<link rel="modulepreload">` for every module that the roots reach by static imports. `import_map` is the page's.
pub(crate) fn links(files: &BTreeMap<String, Vec<u8>>, import_map: &str) -> String {
    let map: serde_json::Value = serde_json::from_str(import_map).unwrap_or_default();
    let mut reached: BTreeSet<String> = BTreeSet::new();
    let mut waiting: Vec<String> = ROOTS.map(str::to_owned).to_vec();
    while let Some(path) = waiting.pop() {
        let Some(source) = files
            .get(&path)
            .and_then(|file| std::str::from_utf8(file).ok())
        else {
            continue;
        };
        for specifier in imports::of(source) {
            let target = if imports::is_bare(specifier) {
                mapped(&map, specifier)
            } else {
                Some(resolved(&path, specifier))
            };
            waiting.extend(target.filter(|it| !reached.contains(it)));
        }
        reached.insert(path);
    }
    reached
        .iter()
        .map(|path| format!("\n    <link rel=\"modulepreload\" href=\"{path}\">"))
        .collect()
}

/// Where the import map sends a bare specifier: its own entry, or the longest entry that ends in `/` and begins it.
fn mapped(map: &serde_json::Value, specifier: &str) -> Option<String> {
    let imports = map.get("imports")?.as_object()?;
    let (name, target) = imports
        .iter()
        .filter(|(name, _)| {
            name.as_str() == specifier || name.ends_with('/') && specifier.starts_with(*name)
        })
        .max_by_key(|(name, _)| name.len())?;
    let path = format!("{}{}", target.as_str()?, &specifier[name.len()..]);
    Some(resolved("", &path))
}

/// A relative address as seen from the module at `from`, as a path from the page's folder.
fn resolved(from: &str, address: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in address.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::links;
    use std::collections::BTreeMap;

    #[test]
    fn lists_what_the_page_reaches_and_nothing_else() {
        let files: BTreeMap<String, Vec<u8>> = [
            (
                "main.js",
                "import \"./a.js\";\nimport { html } from \"lit\";",
            ),
            ("a.js", "import { b } from \"./views/b.js\";"),
            (
                "views/b.js",
                "import \"../a.js\";\nimport \"lit/directives/x.js\";",
            ),
            ("elements/assay_app.js", "export const x = 1;"),
            ("worker.js", "import \"./a.js\";"),
            ("vendor/lit/index.js", "import \"./c.js\";"),
            ("vendor/lit/c.js", ""),
            ("vendor/lit/directives/x.js", ""),
        ]
        .map(|(path, source)| (path.to_owned(), source.as_bytes().to_vec()))
        .into();
        let map = r#"{"imports":{"lit":"./vendor/lit/index.js","lit/":"./vendor/lit/"}}"#;
        let links = links(&files, map);
        for path in files.keys().filter(|path| *path != "worker.js") {
            assert!(
                links.contains(&format!("href=\"{path}\"")),
                "{path}: {links}"
            );
        }
        assert!(!links.contains("worker.js"));
    }
}
