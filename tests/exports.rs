//! Exported files as other programs read them: Python's `safetensors` and `gguf` find every tensor, and decoding them by
//! `docs/quantization.md` alone gives the numbers that the model runs with. `ASSAY_PYTHON=require` fails without Python.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use assay::model::{Graph, Layer, Weights};
use assay::quant::export::{self, Format, Metadata};
use assay::quant::{Calibration, Scheme, Seen, Stored, stored};
use assay::recipe::QuantizationSpec;
use libtest_mimic::{Arguments, Failed, Trial};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Where `cargo xtask setup` puts the readers.
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/python/bin/python");
const PROGRAM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/reference/read_exports.py"
);

fn graph() -> Graph {
    let mut graph = Graph::new([1, 10, 10]);
    graph.push("conv", Layer::convolution(5, 3));
    graph.push("flatten", Layer::Flatten);
    graph.push("dense", Layer::linear(7));
    graph
}

fn stored_as(scheme: &str) -> Stored {
    let graph = graph();
    let calibration = Calibration {
        seen: vec![Seen::default(); graph.nodes.len() + 1],
        rows: 100,
    };
    let spec = QuantizationSpec {
        scheme: scheme.into(),
        rows: Some("padded".into()),
        ..QuantizationSpec::default()
    };
    let weights = Weights::init(&graph, 11).unwrap();
    stored(&graph, &weights, &spec, Some(&calibration)).unwrap()
}

/// An empty folder for a case's files.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("exports-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Writes a file and the numbers that it means, `broken` by one bit of a weight if asked, and lets Python compare them.
fn compare(scheme: &str, format: Format, broken: bool) -> Result<(), Failed> {
    let ending = match format {
        Format::Safetensors => "safetensors",
        Format::Gguf => "gguf",
    };
    let folder = folder(&format!("{scheme}-{ending}-{broken}"));
    let stored = stored_as(scheme);
    let metadata: Metadata = [("recipe_digest".into(), "0".repeat(64))].into();
    let mut bytes = export::write(&stored, format, &metadata)?;
    if broken {
        // A bit of the last tensor's last stored byte; what follows in the file are zeros that fill it up.
        let last = bytes.iter().rposition(|&byte| byte != 0).unwrap_or(0);
        bytes[last] ^= 0x10;
    }
    let file = folder.join(format!("stored.{ending}"));
    fs::write(&file, bytes)?;
    let numbers = folder.join("numbers.safetensors");
    fs::write(&numbers, stored.weights().to_safetensors(&[]))?;
    let output = Command::new(PYTHON)
        .arg(PROGRAM)
        .args([&file, &numbers])
        .output()?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
    }
}

fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (scheme, name) in Scheme::ALL {
        let mut formats = vec![Format::Safetensors];
        if scheme.block().is_some() || matches!(scheme, Scheme::F32 | Scheme::F16) {
            formats.push(Format::Gguf);
        }
        for format in formats {
            let title = format!("python_reads_{name}_from_{format:?}").to_lowercase();
            trials.push(Trial::test(title, move || compare(name, format, false)));
        }
    }
    for (scheme, format) in [
        ("int4", Format::Safetensors),
        ("int8", Format::Safetensors),
        ("Q8_0", Format::Gguf),
        ("f16", Format::Gguf),
    ] {
        let title = format!("python_finds_a_changed_weight_of_{scheme}_in_{format:?}");
        trials.push(Trial::test(title.to_lowercase(), move || {
            match compare(scheme, format, true) {
                Err(error) if error.message().is_some_and(|it| it.contains("differs")) => Ok(()),
                Err(error) => Err(error),
                Ok(()) => Err("the change was not found".into()),
            }
        }));
    }
    trials
}

#[expect(
    clippy::disallowed_methods,
    reason = "whether Python must be there is the environment's business"
)]
fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if !Path::new(PYTHON).exists() {
        println!(
            "not run: exported files as Python reads them; `cargo xtask setup` installs its readers"
        );
        let wish = std::env::var("ASSAY_PYTHON").unwrap_or_else(|_| "auto".into());
        return match wish.as_str() {
            "auto" => ExitCode::SUCCESS,
            "require" => ExitCode::FAILURE,
            other => {
                eprintln!("ASSAY_PYTHON is require or auto, not {other:?}");
                ExitCode::FAILURE
            }
        };
    }
    libtest_mimic::run(&arguments, trials()).exit_code()
}
