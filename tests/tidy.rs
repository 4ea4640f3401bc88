//! Holds the source to the house rules: who may use whom, headers, sizes, serialization, licences; it judges no behaviour.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read the tree should fail loudly"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Who may use whom: docs/architecture.md shows the same table. A module may always use itself.
const LAYERS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("rng", &["digest"]),
    ("stats", &[]),
    ("order", &[]),
    ("digest", &["order"]),
    ("section", &[]),
    ("recipe", &["error", "digest", "stats", "order", "section"]),
    ("result", &["error", "digest", "stats", "order", "section"]),
    (
        "data",
        &[
            "error", "rng", "stats", "order", "digest", "recipe", "result",
        ],
    ),
    // What a scheme makes of a layer's bytes is part of its cost.
    (
        "model",
        &[
            "error", "rng", "stats", "order", "digest", "recipe", "result", "quant",
        ],
    ),
    (
        "quant",
        &[
            "error", "rng", "stats", "order", "digest", "recipe", "result", "model",
        ],
    ),
    // Of `train` only `optimizer`: the formulas are the trainer's, their execution the engine's.
    (
        "engine",
        &[
            "error",
            "rng",
            "stats",
            "order",
            "digest",
            "recipe",
            "result",
            "data",
            "model",
            "quant",
            "train::optimizer",
        ],
    ),
    (
        "eval",
        &[
            "error", "rng", "stats", "order", "digest", "recipe", "result", "data", "model",
            "quant", "engine",
        ],
    ),
    (
        "train",
        &[
            "error", "rng", "stats", "order", "digest", "recipe", "result", "data", "model",
            "quant", "engine", "eval",
        ],
    ),
    (
        "system",
        &[
            "error", "rng", "stats", "order", "digest", "recipe", "result", "data",
        ],
    ),
    (
        "runlog",
        &[
            "error", "recipe", "result", "stats", "order", "digest", "section",
        ],
    ),
    ("chart", &["recipe", "result", "runlog", "stats", "order"]),
    (
        "api",
        &[
            "error", "rng", "stats", "order", "digest", "recipe", "result", "data", "model",
            "quant", "engine", "eval", "train",
        ],
    ),
    (
        "lab",
        &[
            "error", "rng", "stats", "order", "digest", "recipe", "result", "data", "model",
            "quant", "engine", "eval", "train", "system", "runlog", "chart",
        ],
    ),
    (
        "web",
        &[
            "error", "digest", "recipe", "result", "data", "system", "runlog", "chart", "api",
            "lab",
        ],
    ),
    (
        "main",
        &[
            "error", "digest", "recipe", "result", "data", "system", "runlog", "chart", "lab",
        ],
    ),
];

/// Crates that only these places may name.
const CRATES: &[(&str, &[&str])] = &[
    ("candle_core", &["src/quant/ggml.rs"]),
    ("candle_nn", &[]),
    ("wgpu", &["src/engine/gpu"]),
    ("plotters", &["src/chart"]),
    ("wasm_bindgen", &["src/web"]),
    ("wasm_bindgen_futures", &["src/web"]),
    ("js_sys", &["src/web"]),
    ("web_sys", &["src/web"]),
    ("serde_wasm_bindgen", &["src/web"]),
    ("clap", &["src/main.rs", "src/command"]),
    ("indicatif", &["src/main.rs", "src/command"]),
];

/// Only these places may derive `Serialize`: what leaves the process is decided there.
const SERIALIZABLE: &[&str] = &[
    "src/recipe",
    "src/result",
    "src/runlog",
    "src/lab/protocol.rs",
];

/// Longest file, tests not counted.
const MAX_LINES: usize = 400;
/// Files that may have up to 600 lines, each with its reason.
const LONG_FILES: &[(&str, &str)] = &[];

/// Licences that a dependency may have; in an expression with `OR`, one of them is enough.
const LICENCES: &[&str] = &[
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    "0BSD",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files below `folder` with one of the `extensions`, as (path from the root, text).
fn files(folder: &str, extensions: &[&str]) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        let Ok(entries) = fs::read_dir(folder) else {
            return;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("pkg") && !path.ends_with("node_modules") {
                    walk(&path, found);
                }
            } else {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.sort();
    found
        .into_iter()
        .filter(|path| {
            path.extension()
                .is_some_and(|it| extensions.contains(&it.to_str().unwrap_or("")))
        })
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let name = path.strip_prefix(root()).unwrap().display().to_string();
            (name, text)
        })
        .collect()
}

/// The text before the first test module.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod ").next().unwrap_or(text)
}

/// A line without its comment.
fn code(line: &str) -> &str {
    match line.find("//") {
        Some(at) if !line[..at].contains('"') => &line[..at],
        _ => line,
    }
}

/// Top-level module of a file below `src`, or `None` for `lib.rs`.
fn module_of(path: &str) -> Option<&str> {
    let inner = path.strip_prefix("src/")?;
    let first = inner.split('/').next()?;
    match first.strip_suffix(".rs").unwrap_or(first) {
        "lib" => None,
        "command" => Some("main"),
        other => Some(other),
    }
}

/// Modules of the crate that a line of code names.
fn named_modules(line: &str) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    for prefix in ["crate::", "assay::"] {
        for (at, _) in line.match_indices(prefix) {
            if line[..at].ends_with(|it: char| it.is_alphanumeric() || it == '_') {
                continue;
            }
            let rest = &line[at + prefix.len()..];
            let words: Vec<&str> = if let Some(group) = rest.strip_prefix('{') {
                group
                    .split(',')
                    .map(|it| it.trim().trim_end_matches(['}', ';']))
                    .collect()
            } else {
                vec![rest]
            };
            for word in words {
                let end = word
                    .find(|it: char| !it.is_alphanumeric() && it != '_')
                    .unwrap_or(word.len());
                found.insert(&word[..end]);
            }
        }
    }
    found
}

/// Lines of `text` that name a module or crate that `path` must not know.
fn trespasses(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let module = module_of(path);
    let allowed = module.and_then(|it| LAYERS.iter().find(|(name, _)| *name == it));
    if let (Some(module), None) = (module, allowed) {
        found.push(format!(
            "{path}: `{module}` is not in the table of tests/tidy.rs and docs/architecture.md"
        ));
    }
    for (index, line) in without_tests(text).lines().enumerate() {
        let place = format!("{path}:{}", index + 1);
        let line = code(line);
        if let (Some(module), Some((_, allowed))) = (module, allowed) {
            for other in named_modules(line) {
                let known = LAYERS.iter().any(|(name, _)| *name == other);
                let in_part = allowed.iter().any(|it| {
                    it.starts_with(&format!("{other}::")) && line.contains(&format!("::{it}"))
                });
                if known && other != module && !allowed.contains(&other) && !in_part {
                    found.push(format!("{place}: `{module}` must not know `{other}`"));
                }
            }
        }
        for (name, places) in CRATES {
            let named = line
                .match_indices(&format!("{name}::"))
                .any(|(at, _)| !line[..at].ends_with(|it: char| it.is_alphanumeric() || it == '_'));
            if named && !places.iter().any(|it| path.starts_with(it)) {
                found.push(format!(
                    "{place}: only {} may name `{name}`",
                    places.join(", ")
                ));
            }
        }
        let serializable = SERIALIZABLE.iter().any(|it| path.starts_with(it));
        if !serializable && line.contains("derive(") && line.contains("Serialize") {
            found.push(format!(
                "{place}: only {} may be serializable",
                SERIALIZABLE.join(", ")
            ));
        }
    }
    found
}

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn each_module_uses_only_what_it_may() {
    let problems: Vec<String> = files("src", &["rs"])
        .iter()
        .flat_map(|(path, text)| trespasses(path, text))
        .collect();
    assert_none(&problems);
}

#[test]
fn a_trespass_is_found() {
    for (path, line) in [
        ("src/recipe/mod.rs", "use crate::engine::cpu::Cpu;"),
        (
            "src/stats.rs",
            "let x = crate::rng::Stream::new(1, \"a\", 0);",
        ),
        ("src/runlog/link.rs", "use crate::{error, eval};"),
        ("src/train/mod.rs", "use candle_core::Tensor;"),
        ("src/lab/mod.rs", "let x = js_sys::Date::now();"),
        ("src/model/mod.rs", "#[derive(Debug, Serialize)]"),
        ("src/main.rs", "use assay::engine::Engine;"),
        ("src/unheard_of.rs", ""),
    ] {
        assert_eq!(trespasses(path, line).len(), 1, "{path}: {line}");
    }
    for (path, line) in [
        (
            "src/quant/ggml.rs",
            "use candle_core::Tensor; use crate::model::Graph;",
        ),
        (
            "src/recipe/mod.rs",
            "// crate::engine is where it is executed",
        ),
        ("src/web/page.rs", "use wasm_bindgen::prelude::*;"),
    ] {
        assert_none(&trespasses(path, line));
    }
}

#[test]
fn every_file_says_what_it_is_and_stays_short() {
    let mut problems = Vec::new();
    for folder in ["src", "kernels", "tests", "xtask", "benches"] {
        for (path, text) in files(folder, &["rs"]) {
            if !text.starts_with("//! ") {
                problems.push(format!(
                    "{path}: the first line should be `//!` and say what the file is"
                ));
            }
        }
    }
    for folder in ["www", "tests/js", "tests/e2e", "benches"] {
        for (path, text) in files(folder, &["js", "mjs"]) {
            if !text.starts_with("// @ts-check\n") || !text.contains("@file ") {
                problems.push(format!(
                    "{path}: starts with `// @ts-check`, then `/** @file … */`"
                ));
            }
        }
    }
    for folder in ["src", "kernels/src", "xtask/src", "www", "benches"] {
        for (path, text) in files(folder, &["rs", "js", "mjs", "css", "html"]) {
            let lines = without_tests(&text).lines().count();
            let exception = LONG_FILES.iter().any(|(name, _)| *name == path);
            let limit = if exception { 600 } else { MAX_LINES };
            if lines > limit {
                problems.push(format!(
                    "{path}: {lines} lines without tests, the limit is {limit}; divide it"
                ));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn every_module_is_in_the_architecture_page() {
    let page = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let mut problems = Vec::new();
    for (path, _) in files("src", &["rs"]) {
        let name = path.trim_start_matches("src/").trim_end_matches("/mod.rs");
        if !page.contains(&format!("`{name}`")) {
            problems.push(format!("docs/architecture.md does not name `{name}`"));
        }
    }
    for (path, _) in files("www", &["js"]) {
        let name = path.trim_start_matches("www/");
        if !page.contains(&format!("`{name}`")) {
            problems.push(format!("docs/architecture.md does not name `{name}`"));
        }
    }
    for (module, _) in LAYERS {
        let row = |line: &str| {
            line.strip_prefix("| ")
                .and_then(|line| line.split(" |").next())
                .is_some_and(|names| names.split(", ").any(|name| name == *module))
        };
        if !page.lines().any(row) {
            problems.push(format!("docs/architecture.md has no row for {module}"));
        }
    }
    assert_none(&problems);
}

#[test]
fn nothing_is_left_open() {
    let words = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["XX", "X"].concat(),
    ];
    let mut problems = Vec::new();
    for folder in ["src", "kernels", "www", "tests", "xtask", "docs", "benches"] {
        for (path, text) in files(folder, &["rs", "js", "mjs", "css", "html", "md"]) {
            for (index, line) in text.lines().enumerate() {
                for word in &words {
                    // `FIXME(#12)` names the issue that will mend it.
                    if line.contains(word.as_str()) && !line.contains(&format!("{word}(#")) {
                        problems.push(format!("{path}:{}: {}", index + 1, line.trim()));
                    }
                }
            }
        }
    }
    assert_none(&problems);
}

/// Whether an SPDX expression can be satisfied with the permitted licences.
fn permitted(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    expression.split(" AND ").all(|part| {
        part.split(" OR ")
            .any(|it| LICENCES.contains(&it.trim().trim_matches(['(', ')']).trim()))
    })
}

#[test]
fn no_dependency_is_copyleft() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(
        packages.len() > 50,
        "cargo metadata listed {} packages",
        packages.len()
    );
    let problems: Vec<String> = packages
        .iter()
        .filter(|package| !permitted(package["license"].as_str().unwrap_or("none")))
        .map(|package| {
            format!(
                "{} {}: {}",
                package["name"], package["version"], package["license"]
            )
        })
        .collect();
    assert_none(&problems);
}

#[test]
fn copyleft_is_told_from_permissive() {
    for licence in [
        "MIT",
        "MIT/Apache-2.0",
        "MIT OR GPL-3.0",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
    ] {
        assert!(permitted(licence), "{licence}");
    }
    for licence in ["GPL-3.0", "LGPL-2.1 AND MIT", "AGPL-3.0-only", "none"] {
        assert!(!permitted(licence), "{licence}");
    }
}
