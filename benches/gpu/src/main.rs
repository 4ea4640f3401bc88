//! Assay's GPU engine on the reference models, beside what the same adapter does at best in the same run; it judges nothing.

mod engine;
mod floors;
mod models;
mod timing;

use assay::engine::gpu::{Gpu, TuningOptions, parity};
use engine::{Bench, Setup};
use floors::Floors;
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::process::ExitCode;
use std::rc::Rc;
use timing::{Clock, now};

const USAGE: &str = "\
Options:
  --models NAME,…    some of m1_mlp, m2_lenet, m3_resnet20, m4_mobile, m5_vit, resnet20_norm, or none [default: all]
  --seconds S        for each timing, warm-up not counted [default: 1]
  --tuning MILLIS    for choosing each model's tiles by measurement, 0 for none [default: 2000]
  --profile NAME,…   models whose training step is timed dispatch by dispatch, or none [default: m3_resnet20,resnet20_norm]
  --most N           single dispatches that a profile prints [default: 24]
  --parity           every kernel against its twin first
  --json FILE        everything as one JSON document";

/// What is asked for.
struct Options {
    models: Vec<String>,
    profile: Vec<String>,
    seconds: f64,
    tuning: f64,
    most: usize,
    has_parity: bool,
    json: Option<String>,
}

fn names(text: &str) -> Result<Vec<String>, String> {
    if text == "none" {
        return Ok(Vec::new());
    }
    text.split(',')
        .map(|name| match models::NAMES.contains(&name) {
            true => Ok(name.to_owned()),
            false => Err(format!("no model is called {name:?}")),
        })
        .collect()
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        models: models::NAMES.map(str::to_owned).to_vec(),
        profile: names("m3_resnet20,resnet20_norm")?,
        seconds: 1.0,
        tuning: 2000.0,
        most: 24,
        has_parity: false,
        json: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        if name == "--help" {
            return Err(
                "What Assay's GPU engine does beside what this adapter can do at best".into(),
            );
        }
        if name == "--parity" {
            options.has_parity = true;
            continue;
        }
        let value = arguments.next().ok_or(format!("{name} needs a value"))?;
        let bad = |error: &dyn std::fmt::Display| format!("{name} {value}: {error}");
        match name.as_str() {
            "--models" => options.models = names(&value)?,
            "--profile" => options.profile = names(&value)?,
            "--seconds" => options.seconds = value.parse().map_err(|error| bad(&error))?,
            "--tuning" => options.tuning = value.parse().map_err(|error| bad(&error))?,
            "--most" => options.most = value.parse().map_err(|error| bad(&error))?,
            "--json" => options.json = Some(value),
            _ => return Err(format!("there is no option {name}")),
        }
    }
    Ok(options)
}

/// Every kernel against its twin: how many cases pass, and what is wrong with the others.
fn check_parity(gpu: &Gpu) -> Value {
    let cases = parity::cases();
    let mut problems = Vec::new();
    for case in &cases {
        let told = now(async { Ok(case.check(gpu).await) }).and_then(|result| result);
        if let Err(problem) = told {
            problems.push(format!("{}: {problem}", case.name));
        }
    }
    let failed = problems.len();
    println!(
        "parity: {} cases passed, {failed} failed",
        cases.len() - failed
    );
    for problem in problems.iter().take(12) {
        println!("  {problem}");
    }
    json!({ "passed": cases.len() - failed, "failed": problems })
}

fn run() -> Result<(), String> {
    let options = options().map_err(|error| format!("{error}\n{USAGE}"))?;
    let clock = Rc::new(Clock::start());
    let gpu = now(Gpu::open())?;
    println!("{}; timestamps: {}", gpu.name(), gpu.has_timestamps());
    let mut document = Map::new();
    document.insert("adapter".into(), json!(gpu.name()));
    document.insert("hasTimestamps".into(), json!(gpu.has_timestamps()));
    if options.has_parity {
        document.insert("parity".into(), check_parity(&gpu));
    }
    let floors = Floors::measure(&gpu, &clock)?;
    floors.print();
    document.insert("floors".into(), floors.json());
    println!(
        "η = max(F / product rate, B / bandwidth, n · dispatch + synchronization) / measured time; answers: F = 2 · MACs, \
         B = rows, weights, 2 · outputs of products; a training step: F thrice that, B = rows, 28 B a parameter, 6 · outputs"
    );
    let setup = Setup {
        gpu: &gpu,
        clock: Rc::clone(&clock),
        seconds: options.seconds,
        tuning: TuningOptions {
            budget_millis: options.tuning,
        },
        tiles: RefCell::default(),
    };
    let mut measured = Map::new();
    for name in &options.models {
        let graph = models::graph(name).ok_or("no such model")?;
        let bench = Bench::new(&setup, &graph)?;
        let mut own = Map::new();
        for one in bench.all(&floors, name)? {
            one.print(name);
            own.insert(one.name.into(), one.json());
        }
        measured.insert(name.clone(), own.into());
    }
    document.insert("models".into(), measured.into());
    let mut profiles = Map::new();
    for name in options.profile.iter().filter(|_| gpu.has_timestamps()) {
        let graph = models::graph(name).ok_or("no such model")?;
        let bench = Bench::new(&setup, &graph)?;
        let profile = bench.profile((20.0 * options.seconds).clamp(2.0, 40.0) as u32)?;
        engine::print_profile(name, &profile, options.most);
        profiles.insert(name.clone(), engine::profile_json(&profile));
    }
    document.insert("profiles".into(), profiles.into());
    let tiles = serde_json::from_str(&setup.tiles.borrow()).unwrap_or(Value::Null);
    let chosen = tiles["tiles"].as_object().map_or(0, Map::len);
    println!("{chosen} products have tiles chosen by measurement");
    document.insert("tiles".into(), tiles);
    println!("{:.1} s in all", clock.millis() / 1000.0);
    if let Some(path) = options.json {
        let text = Value::from(document).to_string();
        std::fs::write(&path, text).map_err(|error| format!("{path}: {error}"))?;
    }
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
