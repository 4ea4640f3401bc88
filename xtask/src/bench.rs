//! Measurements beside others: whole engines in the browser, matrix products in Node, the GPU engine beside its adapter. It
//! prepares and starts; the programs under `benches` measure, and nothing here judges their numbers.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::project::{Project, run as run_command};
use crate::{setup, suites};

/// What is measured.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Assay beside onnxruntime-web, TensorFlow.js, rten and plain candle, each measurement in a fresh Chromium; with
    /// --gpu beside the first two on WebGPU
    Peers(Peers),
    /// Assay's matrix product beside those of other crates, as wasm in Node
    Kernels {
        /// Rounds, every second one in the opposite order
        #[arg(long, default_value_t = 5)]
        rounds: u32,
    },
    /// Assay's integer inference beside its f32, with Winograd and without, on the reference models as wasm in Node
    Integers {
        /// Rounds, every second one in the opposite order
        #[arg(long, default_value_t = 5)]
        rounds: u32,
    },
    /// Assay's GPU engine beside what this machine's adapter does at best; `-- --help` lists the program's own options
    Gpu {
        /// Options of the program, after `--`
        #[arg(last = true)]
        options: Vec<String>,
    },
}

/// Which engines are measured on what.
#[derive(Args)]
pub(crate) struct Peers {
    /// Rounds, every second one in the opposite order
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Some of m1_mlp, m2_lenet, m3_resnet20, m4_mobile, m5_vit, with commas between them [default: all]
    #[arg(long)]
    models: Option<String>,
    /// Some of assay, onnxruntime-web, tfjs, rten, candle, assay-gpu, onnxruntime-webgpu, tfjs-webgpu, with commas between
    /// them [default: the first five]
    #[arg(long)]
    engines: Option<String>,
    /// Measure the three engines on WebGPU
    #[arg(long, conflicts_with = "engines")]
    gpu: bool,
    /// Which GPU Chromium takes: swiftshader, in software and a hundred times as slow, or default, the machine's
    #[arg(long, default_value = "swiftshader")]
    adapter: String,
    /// infer, train or both with a comma between them [default: both]
    #[arg(long)]
    measures: Option<String>,
    /// Time for each timing, in ms, warm-up not counted
    #[arg(long, default_value_t = 800)]
    budget: u32,
    /// Calls at least in each timing, whatever the budget
    #[arg(long, default_value_t = 3)]
    least: u32,
    /// Steps of a training call
    #[arg(long, default_value_t = 2)]
    steps: u32,
    /// End with one line that is a JSON object: ratios by model and measure, and the medians
    #[arg(long)]
    json: bool,
    /// Measure the page and the peers as they were built last
    #[arg(long)]
    no_build: bool,
}

/// Prepares what is to be measured, and measures it.
pub(crate) fn run(project: &Project, what: Bench) -> Result<()> {
    match what {
        Bench::Peers(options) => peers(project, &options),
        Bench::Kernels { rounds } => kernels(project, rounds),
        Bench::Integers { rounds } => integers(project, rounds),
        Bench::Gpu { options } => gpu(project, &options),
    }
}

impl Peers {
    fn wants(&self, engine: &str) -> bool {
        const GPU: [&str; 3] = ["assay-gpu", "onnxruntime-webgpu", "tfjs-webgpu"];
        match &self.engines {
            Some(names) => names.split(',').any(|name| name == engine),
            None => GPU.contains(&engine) == self.gpu,
        }
    }

    fn wants_any(&self, engines: &[&str]) -> bool {
        engines.iter().any(|engine| self.wants(engine))
    }
}

/// A peer that cannot be had is reported by the script, which does not find its files; the others are measured all the same.
fn peers(project: &Project, options: &Peers) -> Result<()> {
    setup::packages(project)?;
    if !options.no_build {
        if options.wants_any(&["assay", "assay-gpu"]) {
            project.page()?;
        }
        if options.wants_any(&[
            "onnxruntime-web",
            "onnxruntime-webgpu",
            "tfjs",
            "tfjs-webgpu",
        ]) {
            or_warn(
                "the npm packages",
                setup::packages_in(project, Path::new("benches/peers")),
            );
        }
        for peer in ["rten", "candle"] {
            if options.wants(peer) {
                let folder = Path::new("benches/peers").join(peer);
                or_warn(peer, wasm_module(project, &folder, "peers").map(drop));
            }
        }
    }
    let mut node = project.node("benches/peers/run.mjs");
    node.arg(format!("--rounds={}", options.rounds));
    node.arg(format!("--budget={}", options.budget));
    node.arg(format!("--least={}", options.least));
    node.arg(format!("--steps={}", options.steps));
    node.arg(format!("--adapter={}", options.adapter));
    if options.gpu {
        node.arg("--gpu");
    }
    for (name, value) in [
        ("models", &options.models),
        ("engines", &options.engines),
        ("measures", &options.measures),
    ] {
        if let Some(value) = value {
            node.arg(format!("--{name}={value}"));
        }
    }
    if options.json {
        node.arg("--json");
    }
    run_command(suites::with_browsers(project, &mut node).env("ASSAY_TARGET", project.target()))
}

fn kernels(project: &Project, rounds: u32) -> Result<()> {
    let module = wasm_module(project, Path::new("benches/kernels"), "kernel-candidates")?;
    let mut node = project.node("benches/kernels/run.mjs");
    run_command(
        node.arg(module.join("kernel_candidates.wasm"))
            .arg(rounds.to_string()),
    )
}

/// The same crate twice, because Winograd is there or not when it is compiled.
fn integers(project: &Project, rounds: u32) -> Result<()> {
    let folder = Path::new("benches/integers");
    let mut node = project.node("benches/integers/run.mjs");
    for (target, features) in [("bench-direct", &["direct"][..]), ("bench-integers", &[])] {
        let module = wasm_module_with(project, folder, target, features)?;
        node.arg(module.join("bench_integers.wasm"));
    }
    run_command(node.arg(rounds.to_string()))
}

/// Builds the program and runs it; `target/gpu-bench/release/assay-bench-gpu` needs nothing else to run elsewhere.
fn gpu(project: &Project, options: &[String]) -> Result<()> {
    let target = project.target().join("gpu-bench");
    let mut cargo = project.cargo("build");
    cargo
        .args(["--quiet", "--release", "--manifest-path"])
        .arg(project.root().join("benches/gpu/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target);
    run_command(&mut cargo)?;
    run_command(
        project
            .command(target.join("release/assay-bench-gpu"))
            .args(options),
    )
}

/// Builds a crate that is no member of the workspace, with its own lock file; returns the folder of the module.
///
/// Its build folder is under ours, because cargo would else put one beside its sources.
fn wasm_module(project: &Project, folder: &Path, target: &str) -> Result<PathBuf> {
    wasm_module_with(project, folder, target, &[])
}

fn wasm_module_with(
    project: &Project,
    folder: &Path,
    target: &str,
    features: &[&str],
) -> Result<PathBuf> {
    setup::wasm_target(project)?;
    let target = project.target().join(target);
    let mut cargo = project.cargo("build");
    cargo
        .args(["--quiet", "--release", "--target=wasm32-unknown-unknown"])
        .arg("--manifest-path")
        .arg(project.root().join(folder).join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .arg("--features")
        .arg(features.join(","));
    run_command(&mut cargo)?;
    Ok(target.join("wasm32-unknown-unknown/release"))
}

fn or_warn(what: &str, outcome: Result<()>) {
    if let Err(error) = outcome {
        eprintln!("{what} could not be had: {error:#}");
    }
}
