//! The page as a set of files: `www/`, the wasm module and the npm modules, with the placeholders of `index.html`
//! filled in. All addresses are relative, so the folder works under any path of any web server.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::vendor::Vendor;
use crate::{imports, policy, preload, project};

/// The placeholders in `www/index.html`.
const BUILD: &str = "<!-- assay:build -->";
const POLICY: &str = "<!-- assay:csp -->";
const IMPORT_MAP: &str = "<!-- assay:importmap -->";

/// The page's wasm file; a folder that has it is a page.
pub(crate) const MODULE: &str = "pkg/assay_bg.wasm";

/// The files that make up the page: path in the page to content.
pub(crate) struct Page {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

impl Page {
    /// Puts the page together from `www/`, bindgen's output and a `node_modules` folder.
    pub(crate) fn assemble(
        www: &Path,
        module: &Path,
        packages: &Path,
        version: &str,
    ) -> Result<Self> {
        let mut files = BTreeMap::new();
        for path in project::files_under(www)?
            .into_iter()
            .filter(|path| is_shipped(path))
        {
            files.insert(path.clone(), read(&www.join(&path))?);
        }
        let specifiers = bare_imports(&files)?;
        for path in project::files_under(module)?
            .into_iter()
            .filter(|path| is_shipped(path))
        {
            files.insert(format!("pkg/{path}"), read(&module.join(&path))?);
        }
        let vendor = Vendor::collect(packages, specifiers.iter().map(String::as_str))?;
        let import_map = vendor.import_map_json();
        files.extend(vendor.files);

        let index = files
            .remove("index.html")
            .context("www/index.html is missing")?;
        let index = String::from_utf8(index).context("www/index.html is not UTF-8")?;
        check_placeholders(&index)?;
        let index = index
            .replace(
                POLICY,
                &policy::meta_element(&policy::for_import_map(&import_map)),
            )
            .replace(
                IMPORT_MAP,
                &format!(
                    "<script type=\"importmap\">{import_map}</script>{}",
                    preload::links(&files, &import_map)
                ),
            );
        // The digest covers the page as it is before the digest itself is written into it.
        files.insert("index.html".to_owned(), index.clone().into_bytes());
        let digest = digest_of(&files);
        let build = format!(
            "<meta name=\"assay-version\" content=\"{version}\">\n  <meta name=\"assay-build\" content=\"{digest}\">"
        );
        files.insert(
            "index.html".to_owned(),
            index.replace(BUILD, &build).into_bytes(),
        );
        Ok(Self { files })
    }
}

/// Types and notes stay behind, and so does what an earlier build wrote to `www/pkg`.
fn is_shipped(path: &str) -> bool {
    let is_hidden = path.split('/').any(|part| part.starts_with('.'));
    let is_for_developers = [".d.ts", ".md", "tsconfig.json"]
        .iter()
        .any(|end| path.ends_with(end));
    !is_hidden && !is_for_developers && !path.starts_with("pkg/")
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The packages' modules that the page's own modules import.
fn bare_imports(files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (path, content) in files.iter().filter(|(path, _)| path.ends_with(".js")) {
        let source =
            std::str::from_utf8(content).with_context(|| format!("www/{path} is not UTF-8"))?;
        found.extend(
            imports::of(source)
                .into_iter()
                .filter(|name| imports::is_bare(name))
                .map(str::to_owned),
        );
    }
    Ok(found)
}

/// Each placeholder must be there once, and in an order that browsers obey: the policy before the import map that it
/// allows, the import map before the modules that need it.
fn check_placeholders(index: &str) -> Result<()> {
    for placeholder in [BUILD, POLICY, IMPORT_MAP] {
        if index.matches(placeholder).count() != 1 {
            bail!("www/index.html must hold {placeholder} exactly once");
        }
    }
    let marks = [POLICY, IMPORT_MAP, "<script"];
    let places: Vec<_> = marks.iter().filter_map(|mark| index.find(mark)).collect();
    if !places.is_sorted() {
        bail!("www/index.html must hold {POLICY}, {IMPORT_MAP} and its first script in this order");
    }
    Ok(())
}

/// SHA-256 over paths, lengths and contents in path order; 16 hex digits are enough to tell builds apart.
fn digest_of(files: &BTreeMap<String, Vec<u8>>) -> String {
    let mut hasher = Sha256::new();
    for (path, content) in files {
        hasher.update(format!("{path}\n{}\n", content.len()));
        hasher.update(content);
    }
    hasher
        .finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Page, check_placeholders};
    use crate::policy;

    /// The page made of the fixtures.
    fn page() -> Page {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        Page::assemble(
            &fixtures.join("www"),
            &fixtures.join("module"),
            &fixtures.join("packages"),
            "1.2.3",
        )
        .expect("the fixtures make a page")
    }

    fn index_of(page: &Page) -> String {
        String::from_utf8(page.files["index.html"].clone()).expect("the fixture is UTF-8")
    }

    #[test]
    fn holds_the_page_the_module_and_the_vendored_modules_but_no_types() {
        let page = page();
        let files: Vec<_> = page
            .files
            .keys()
            .filter(|path| !path.starts_with("vendor/"))
            .collect();
        assert_eq!(
            files,
            [
                "index.html",
                "main.js",
                "pkg/assay.js",
                "pkg/assay_bg.wasm",
                "style.css"
            ]
        );
        assert!(page.files.contains_key("vendor/outer/index.js"));
    }

    #[test]
    fn policy_allows_the_very_import_map_that_is_in_the_page() {
        let index = index_of(&page());
        let (_, rest) = index
            .split_once("<script type=\"importmap\">")
            .expect("there is an import map");
        let (import_map, _) = rest.split_once("</script>").expect("the script ends");
        assert!(index.contains(&policy::meta_element(&policy::for_import_map(import_map))));
        let altered = format!("{import_map} ");
        assert!(
            !index.contains(&policy::for_import_map(&altered)),
            "one space more must change the hash"
        );
    }

    #[test]
    fn names_its_version_and_build() {
        let index = index_of(&page());
        assert!(index.contains("<meta name=\"assay-version\" content=\"1.2.3\">"));
        let (_, rest) = index
            .split_once("name=\"assay-build\" content=\"")
            .expect("there is a build digest");
        let (digest, _) = rest.split_once('"').expect("the attribute ends");
        assert!(
            digest.len() == 16 && digest.bytes().all(|digit| digit.is_ascii_hexdigit()),
            "{digest}"
        );
    }

    #[test]
    fn build_digest_changes_with_any_file() {
        let mut files = page().files;
        let before = super::digest_of(&files);
        assert_eq!(
            before,
            super::digest_of(&page().files),
            "the same files have the same digest"
        );
        files
            .get_mut("style.css")
            .expect("the fixture has a style sheet")
            .push(b' ');
        assert_ne!(before, super::digest_of(&files));
    }

    #[test]
    fn refuses_missing_doubled_and_misplaced_placeholders() {
        let good =
            "<!-- assay:build --><!-- assay:csp --><!-- assay:importmap --><script></script>";
        assert!(check_placeholders(good).is_ok());
        for (bad, reason) in [
            (good.replace("<!-- assay:csp -->", ""), "exactly once"),
            (format!("{good}<!-- assay:build -->"), "exactly once"),
            (
                "<!-- assay:build --><!-- assay:importmap --><!-- assay:csp -->".to_owned(),
                "in this order",
            ),
            (format!("<script></script>{good}"), "in this order"),
        ] {
            let error = check_placeholders(&bad).expect_err(&bad).to_string();
            assert!(error.contains(reason), "{bad}: {error}");
        }
    }
}
