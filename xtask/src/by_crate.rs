//! What a wasm file is made of: code bytes by crate, from the function names of the file before bindgen strips them.

use std::collections::BTreeMap;

use anyhow::Result;
use wasmparser::{KnownCustom, Name, Parser, Payload, TypeRef};

use crate::size::megabytes;

/// Crates below this share of the code are summed up in one line.
const SMALLEST_SHARE: f64 = 0.005;

/// A table of code by crate, largest first, followed by the data.
pub(crate) fn table(wasm: &[u8]) -> Result<String> {
    let parts = Parts::of(wasm)?;
    let total: usize = parts.code.values().sum();
    let mut crates: Vec<_> = parts.code.into_iter().collect();
    crates.sort_by_key(|(name, bytes)| (std::cmp::Reverse(*bytes), name.clone()));
    let (shown, small): (Vec<_>, Vec<_>) = crates
        .into_iter()
        .partition(|(_, bytes)| megabytes(*bytes) >= SMALLEST_SHARE * megabytes(total));
    let mut table = format!("code {:>24.3} MB\n", megabytes(total));
    for (name, bytes) in shown {
        table += &format!(
            "  {name:<24} {:>6.3} MB {:>5.1} %\n",
            megabytes(bytes),
            100.0 * megabytes(bytes) / megabytes(total)
        );
    }
    let rest: usize = small.iter().map(|(_, bytes)| bytes).sum();
    table += &format!(
        "  {:<24} {:>6.3} MB\n",
        format!("{} smaller ones", small.len()),
        megabytes(rest)
    );
    table += &format!("data {:>24.3} MB\n", megabytes(parts.data));
    Ok(table)
}

/// Bytes of code by crate, and of data.
#[derive(Default)]
struct Parts {
    code: BTreeMap<String, usize>,
    data: usize,
}

impl Parts {
    fn of(wasm: &[u8]) -> Result<Self> {
        let (mut imported, mut data) = (0, 0);
        let mut bodies = Vec::new();
        let mut names = BTreeMap::new();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        imported += u32::from(matches!(
                            import?.ty,
                            TypeRef::Func(_) | TypeRef::FuncExact(_)
                        ));
                    }
                }
                Payload::CodeSectionEntry(body) => bodies.push(body.range().len()),
                Payload::DataSection(section) => data = section.range().len(),
                Payload::CustomSection(section) => {
                    if let KnownCustom::Name(subsections) = section.as_known() {
                        for subsection in subsections {
                            if let Name::Function(functions) = subsection? {
                                for naming in functions {
                                    let naming = naming?;
                                    names.insert(naming.index, naming.name);
                                }
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        let mut code = BTreeMap::new();
        for (index, bytes) in (imported..).zip(bodies) {
            let name = names
                .get(&index)
                .map_or_else(|| "(no name)".to_owned(), |name| crate_of(name));
            *code.entry(name).or_default() += bytes;
        }
        Ok(Self { code, data })
    }
}

/// The crate that a function belongs to. Code that was made from another crate's generic counts for the crate that
/// wrote the generic, and a method of a trait for the type that it is implemented for.
fn crate_of(symbol: &str) -> String {
    let path = format!("{:#}", rustc_demangle::demangle(symbol));
    let is_rust = path.contains("::");
    let start = path.trim_start_matches(['<', '&', '*', '(', '[', ' ']);
    let start = ["mut ", "const ", "dyn "]
        .iter()
        .fold(start, |rest, word| rest.trim_start_matches(word));
    let name: String = start
        .chars()
        .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
        .collect();
    match name.as_str() {
        _ if !is_rust => "(not Rust)".to_owned(),
        "std" | "core" | "alloc" => "std".to_owned(),
        // Implementations for the language's own types: `<u8 as …>`, `<[T] as …>`.
        _ if !start[name.len()..].starts_with("::") => "std".to_owned(),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::{crate_of, table};

    #[test]
    fn finds_the_crate_in_a_symbol() {
        for (symbol, expected) in [
            (
                "_ZN11candle_core6tensor6Tensor6matmul17h0123456789abcdefE",
                "candle_core",
            ),
            (
                "<candle_core::tensor::Tensor as core::fmt::Debug>::fmt",
                "candle_core",
            ),
            (
                "<&mut alloc::vec::Vec<u8> as core::fmt::Write>::write_str",
                "std",
            ),
            ("<u8 as core::fmt::Display>::fmt", "std"),
            ("core::ptr::drop_in_place<candle_core::Tensor>", "std"),
            ("memcpy", "(not Rust)"),
        ] {
            assert_eq!(crate_of(symbol), expected, "{symbol}");
        }
    }

    #[test]
    fn sums_code_by_crate_and_skips_imports() {
        // One imported function, then `a::f` (2 bytes of body) and one without a name.
        let mut wasm = b"\0asm\x01\0\0\0".to_vec();
        for (id, section) in [
            (1, &b"\x01\x60\0\0"[..]),
            (2, b"\x01\x01m\x01i\0\0"),
            (3, b"\x02\0\0"),
            (10, b"\x02\x02\0\x0b\x03\0\x01\x0b"),
            (0, b"\x04name\x01\x0a\x02\0\x01i\x01\x04a::f"),
        ] {
            wasm.push(id);
            wasm.push(u8::try_from(section.len()).expect("the sections are short"));
            wasm.extend(section);
        }
        let table = table(&wasm).expect("a valid file");
        assert!(
            table.contains("  (no name)                 0.000 MB  60.0 %"),
            "{table}"
        );
        assert!(
            table.contains("  a                         0.000 MB  40.0 %"),
            "{table}"
        );
    }
}
