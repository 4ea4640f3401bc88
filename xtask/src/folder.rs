//! Writes a page to a folder, each file with its compressed siblings, and touches only what changed: what is the same
//! stays compressed and cached.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::compress::{self, Encoding};
use crate::page::{MODULE, Page};
use crate::project;

/// Makes `dir` hold exactly `page` and the compressed siblings of its files. Refuses a folder of somebody else's.
pub(crate) fn write(dir: &Path, page: &Page) -> Result<()> {
    refuse_foreign(dir)?;
    let mut wanted = BTreeSet::new();
    for (path, content) in &page.files {
        wanted.insert(path.clone());
        let is_new = put(&dir.join(path), content)?;
        if !compress::is_worthwhile(path, content) {
            continue;
        }
        for encoding in Encoding::ALL {
            let sibling = format!("{path}{}", encoding.suffix());
            let file = dir.join(&sibling);
            if is_new || !file.exists() {
                put(&file, &encoding.compress(content)?)?;
            }
            wanted.insert(sibling);
        }
    }
    for path in project::files_under(dir)? {
        if !wanted.contains(&path) {
            std::fs::remove_file(dir.join(&path))
                .with_context(|| format!("cannot remove {path}"))?;
        }
    }
    Ok(())
}

/// Makes `to` a copy of `from`. Refuses a folder of somebody else's.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    refuse_foreign(to)?;
    let files = project::files_under(from)?;
    for path in &files {
        let content =
            std::fs::read(from.join(path)).with_context(|| format!("cannot read {path}"))?;
        put(&to.join(path), &content)?;
    }
    for path in project::files_under(to)?
        .into_iter()
        .filter(|path| files.binary_search(path).is_err())
    {
        std::fs::remove_file(to.join(&path)).with_context(|| format!("cannot remove {path}"))?;
    }
    Ok(())
}

/// Files that a page does not have are removed, so the folder must be empty or an earlier page.
fn refuse_foreign(dir: &Path) -> Result<()> {
    let is_occupied = std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
    if is_occupied && !dir.join(MODULE).exists() {
        bail!(
            "{} holds something other than the page: choose an empty folder",
            dir.display()
        );
    }
    Ok(())
}

/// Writes a file unless it already has this content; tells whether it wrote.
fn put(path: &Path, content: &[u8]) -> Result<bool> {
    if std::fs::read(path).is_ok_and(|present| present == content) {
        return Ok(false);
    }
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)
            .with_context(|| format!("cannot make {}", parent.display()))?;
    }
    std::fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tempfile::TempDir;

    use super::{copy, write};
    use crate::page::{MODULE, Page};
    use crate::project::files_under;

    fn folder() -> TempDir {
        tempfile::tempdir().expect("the system has a temporary folder")
    }

    fn page(files: &[(&str, &str)]) -> Page {
        let files: BTreeMap<_, _> = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.repeat(200).into()))
            .collect();
        Page { files }
    }

    #[test]
    fn leaves_nothing_of_an_earlier_page() {
        let dir = folder();
        write(
            dir.path(),
            &page(&[(MODULE, "old"), ("gone/old.js", "old")]),
        )
        .expect("writable");
        write(dir.path(), &page(&[(MODULE, "new")])).expect("writable");
        assert_eq!(
            files_under(dir.path()).expect("readable"),
            [
                "pkg/assay_bg.wasm",
                "pkg/assay_bg.wasm.br",
                "pkg/assay_bg.wasm.gz"
            ]
        );
        assert_eq!(
            std::fs::read(dir.path().join(MODULE)).expect("readable"),
            "new".repeat(200).as_bytes()
        );
    }

    #[test]
    fn does_not_touch_what_is_the_same() {
        let dir = folder();
        let modified = || {
            std::fs::metadata(dir.path().join("pkg/assay_bg.wasm.br"))
                .and_then(|file| file.modified())
                .expect("readable")
        };
        write(dir.path(), &page(&[(MODULE, "same")])).expect("writable");
        let before = modified();
        write(dir.path(), &page(&[(MODULE, "same"), ("b.js", "more")])).expect("writable");
        assert_eq!(before, modified());
    }

    #[test]
    fn never_overwrites_somebody_elses_folder() {
        let (from, to) = (folder(), folder());
        write(from.path(), &page(&[("index.html", "a"), (MODULE, "b")])).expect("writable");
        std::fs::write(to.path().join("diary.txt"), "mine").expect("writable");
        let error = copy(from.path(), to.path())
            .expect_err("it holds a diary")
            .to_string();
        assert!(error.contains("choose an empty folder"), "{error}");
        assert!(to.path().join("diary.txt").exists());
    }

    #[test]
    fn copies_over_an_earlier_copy() {
        let (from, to) = (folder(), folder());
        write(from.path(), &page(&[(MODULE, "b"), ("old.js", "a")])).expect("writable");
        copy(from.path(), to.path()).expect("an empty folder");
        write(from.path(), &page(&[(MODULE, "c"), ("new.js", "a")])).expect("writable");
        copy(from.path(), to.path()).expect("an earlier copy");
        assert_eq!(
            files_under(from.path()).expect("readable"),
            files_under(to.path()).expect("readable")
        );
    }
}
