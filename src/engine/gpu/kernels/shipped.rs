//! What is shipped of the kernels' texts: natively they are in the program; a page fetches them as one file when a GPU is
//! first opened, and this holds them to the texts that the program was made with. Nothing here is fetched.

use super::Kernel;
use crate::error::{Error, Result};
use std::sync::OnceLock;

/// What was supplied, in the table's order.
static SUPPLIED: OnceLock<Vec<String>> = OnceLock::new();

/// FNV-1a of 64 bits (Fowler, Noll and Vo, <http://www.isthe.com/chongo/tech/comp/fnv>): tells the texts of two versions
/// apart, not forgeries.
pub(super) const fn hash(text: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < text.len() {
        hash = (hash ^ text[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}

/// A file beside this one as it is shipped: the text where it is in the program, else empty, and its hash.
macro_rules! shipped {
    ($file:expr) => {{
        const TEXT: &str = include_str!($file);
        const LENGTH: usize = $crate::engine::gpu::kernels::strip::strip(TEXT, &mut []);
        const SHIPPED: [u8; LENGTH] = {
            let mut bytes = [0; LENGTH];
            $crate::engine::gpu::kernels::strip::strip(TEXT, &mut bytes);
            bytes
        };
        const HASH: u64 = $crate::engine::gpu::kernels::shipped::hash(&SHIPPED);
        #[cfg(not(target_arch = "wasm32"))]
        let text = match std::str::from_utf8(&SHIPPED) {
            Ok(text) => text,
            Err(_) => panic!("outside of comments a kernel is ASCII"),
        };
        #[cfg(target_arch = "wasm32")]
        let text = "";
        (text, HASH)
    }};
}
pub(super) use shipped;

impl Kernel {
    /// What a device is given of its text: no comments, no indentation. Empty where it has to be supplied and was not.
    pub(crate) fn source(self) -> &'static str {
        let own = self.row().shipped.0;
        let supplied = SUPPLIED.get().filter(|_| own.is_empty());
        supplied
            .and_then(|texts| texts.get(self as usize))
            .map_or(own, String::as_str)
    }
}

/// Takes the texts that a program does without: each after a line `//# NAME`.
///
/// # Errors
/// [`Error::Unsupported`] where they are not those of this version.
pub fn supply(texts: &str) -> Result<()> {
    let read = read(texts)?;
    // Another time brings the same texts.
    let _ = SUPPLIED.set(read);
    Ok(())
}

/// Refuses to open a device without texts for it.
pub(crate) fn check() -> Result<()> {
    if Kernel::ALL.iter().all(|kernel| !kernel.source().is_empty()) {
        return Ok(());
    }
    Err(unsupported("its programs were not loaded"))
}

fn read(texts: &str) -> Result<Vec<String>> {
    let others =
        || unsupported("the programs that were loaded for it belong to another version of Assay");
    let named = |name: &str| {
        let mut parts = texts.split("//# ").skip(1);
        parts.find_map(|part| part.split_once('\n').filter(|(it, _)| *it == name))
    };
    Kernel::ALL
        .iter()
        .map(|kernel| {
            let row = kernel.row();
            let (_, text) = named(row.name).ok_or_else(others)?;
            if hash(text.as_bytes()) == row.shipped.1 {
                Ok(text.to_owned())
            } else {
                Err(others())
            }
        })
        .collect()
}

fn unsupported(what: &str) -> Error {
    Error::Unsupported {
        feature: "the GPU".into(),
        why: format!("{what}; reload the page, or compute on the CPU"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed() -> String {
        let each = Kernel::ALL.iter();
        each.map(|kernel| format!("//# {}\n{}", kernel.row().name, kernel.source()))
            .collect()
    }

    #[test]
    fn texts_that_were_fetched_are_those_of_the_program() {
        let read = read(&packed()).expect("the same version");
        let own: Vec<&str> = Kernel::ALL.iter().map(|kernel| kernel.source()).collect();
        assert_eq!(read, own);
        assert_eq!(check(), Ok(()));
    }

    #[test]
    fn texts_of_another_version_are_refused() {
        let packed = packed();
        let changed = packed.replacen("fn main", "fn  main", 1);
        let without = packed.replacen("//# update\n", "//# updates\n", 1);
        for other in ["", &packed[..packed.len() - 1], &changed, &without] {
            let error = read(other).expect_err("refused").to_string();
            assert!(error.contains("reload the page"), "{error}");
        }
    }

    #[test]
    fn the_hash_is_the_one_of_its_definition() {
        // From the authors' page: of nothing, and of "foobar".
        assert_eq!(hash(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
