//! Files of a person's own, held whole, and what a recipe calls them by: their digests. It looks at no content.

use super::{MAX_FILE_BYTES, at_most, shown};
use crate::digest::{Hasher, sha256_hex};
use crate::error::{Error, Result};
use std::rc::Rc;

/// Most files that are named one by one; more of them, as a folder of images has, are named together.
const NAMED_EACH: usize = 4;

/// A file of a person's own.
#[derive(Debug, Clone)]
pub struct OwnFile {
    /// Its name, with folders before it where it lies in some.
    pub name: String,
    /// What is in it.
    pub bytes: Rc<[u8]>,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

/// The files that make one set.
#[derive(Debug, Clone, Default)]
pub struct Opened {
    files: Vec<OwnFile>,
}

impl Opened {
    /// Adds a file and computes its digest.
    ///
    /// # Errors
    /// [`Error::TooLarge`] where the files together would be above [`MAX_FILE_BYTES`].
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let held: usize = self.files.iter().map(|file| file.bytes.len()).sum();
        let total = (held + bytes.len()) as u64;
        at_most("the files together", total, MAX_FILE_BYTES, "bytes")?;
        self.files.push(OwnFile {
            name: name.to_owned(),
            sha256: sha256_hex(bytes),
            bytes: bytes.into(),
        });
        Ok(())
    }

    /// The files, in the order in which they came.
    #[must_use]
    pub fn files(&self) -> &[OwnFile] {
        &self.files
    }

    /// What a recipe calls them: the digest of a single file; those of up to four files, sorted, with a `+` between; of more
    /// or of files in folders the digest of lines of digest, two spaces, name and line feed, sorted by name, as
    /// `sha256sum` prints them.
    #[must_use]
    pub fn identity(&self) -> String {
        let in_folders = self.files.iter().any(|file| file.name.contains('/'));
        if self.files.len() <= NAMED_EACH && !in_folders {
            let mut digests: Vec<&str> = self.files.iter().map(|it| &it.sha256[..]).collect();
            digests.sort_unstable();
            return digests.join("+");
        }
        let mut files: Vec<&OwnFile> = self.files.iter().collect();
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let mut hasher = Hasher::new();
        for file in files {
            hasher.bytes(format!("{}  {}\n", file.sha256, file.name).as_bytes());
        }
        hasher.finish()
    }

    /// Refuses files that are not those that a recipe names, and says which.
    ///
    /// # Errors
    /// [`Error::BadInput`] with the file and its digest.
    pub fn check(&self, identity: &str) -> Result<()> {
        if self.identity() == identity {
            return Ok(());
        }
        let wanted: Vec<&str> = identity.split('+').collect();
        let stranger = (self.files.iter()).find(|file| !wanted.contains(&&file.sha256[..]));
        let named_each = wanted.len() > 1 || self.files.len() == 1;
        match stranger {
            Some(file) if named_each => Err(Error::bad_input(
                format!("the file {}", shown(&file.name)),
                format!("the very file that the recipe names, SHA-256 {identity}"),
                format!("another one, SHA-256 {}", file.sha256),
            )),
            _ => Err(Error::bad_input(
                "the files",
                format!("the very files that the recipe names, SHA-256 {identity}"),
                format!("{} others, SHA-256 {}", self.files.len(), self.identity()),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(files: &[(&str, &str)]) -> Opened {
        let mut opened = Opened::default();
        for (name, text) in files {
            opened.add(name, text.as_bytes()).expect("small");
        }
        opened
    }

    #[test]
    fn one_file_is_called_by_its_digest_whatever_its_name() {
        let one = opened(&[("a.csv", "x")]);
        assert_eq!(one.identity(), sha256_hex(b"x"));
        assert_eq!(opened(&[("b.csv", "x")]).identity(), one.identity());
        assert_eq!(one.check(&sha256_hex(b"x")), Ok(()));
        let refused = one.check(&sha256_hex(b"y")).expect_err("another file");
        assert!(refused.to_string().contains("the file a.csv"), "{refused}");
    }

    #[test]
    fn of_several_files_the_changed_one_is_named() {
        let pair = opened(&[("images", "x"), ("labels", "y")]);
        let turned = opened(&[("labels", "y"), ("images", "x")]);
        assert_eq!(pair.identity(), turned.identity());
        assert_eq!(pair.identity().len(), 129);
        let flipped = opened(&[("images", "x"), ("labels", "z")]);
        let refused = flipped.check(&pair.identity()).expect_err("another file");
        assert!(refused.to_string().contains("the file labels"), "{refused}");
        let missing = opened(&[("images", "x")]);
        let refused = missing.check(&pair.identity()).expect_err("one is missing");
        assert!(refused.to_string().contains("the files"), "{refused}");
    }

    #[test]
    fn names_count_where_they_are_folders_of_classes() {
        let cats = opened(&[("cat/1.png", "x"), ("dog/1.png", "y")]);
        let dogs = opened(&[("dog/1.png", "x"), ("cat/1.png", "y")]);
        assert_ne!(cats.identity(), dogs.identity());
        assert_eq!(cats.identity().len(), 64);
        assert!(dogs.check(&cats.identity()).is_err());
    }
}
