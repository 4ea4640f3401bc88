//! Puts every fault into a set at several severities, runs the checks, and prints which fire, as docs/data-checks.md; it
//! judges nothing.
//!
//! `cargo run --release --example detection -- [digits|chess|vibration|mnist] [--seeds N] [--clean N] [--models]
//! [--fault NAME]`: seeds of each fault, seeds of the set without one, whether models answer rows for the check of labels,
//! and one fault alone.

#![expect(
    clippy::unwrap_used,
    reason = "a measurement that cannot go on has failed"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use assay::data::checks::{self, Answers, Input};
use assay::data::faults::{FAULTS, inject};
use assay::data::{self, Dataset, Split};
use assay::recipe::{DataSpec, Recipe};
use assay::result::FindingStatus as Status;
use assay::train::cross_validation;
use std::collections::BTreeMap;
use support::lab::{Lab, ready};
use support::mnist;

const SEVERITIES: [f64; 5] = [0.01, 0.05, 0.1, 0.3, 0.8];
const FOLDS: u32 = 4;

fn main() {
    let (mut set, mut seeds, mut clean, mut models) = ("digits".to_owned(), 10, 100, false);
    let mut only = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seeds" => seeds = arguments.next().unwrap().parse().unwrap(),
            "--clean" => clean = arguments.next().unwrap().parse().unwrap(),
            "--models" => models = true,
            "--fault" => only = arguments.next(),
            _ => set = argument,
        }
    }
    let mut alarms: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 1..=clean {
        let data = made(&set, seed);
        for (name, _) in fired(&data, &divided(&data, seed), seed, models) {
            *alarms.entry(name).or_default() += 1;
        }
    }
    println!("{set}, clean, {clean} seeds: alarms {alarms:?}\n");
    let columns: Vec<String> = SEVERITIES
        .iter()
        .map(|it| format!("{:.0} %", it * 100.0))
        .collect();
    println!("| fault | {} |", columns.join(" | "));
    println!("|---|{}", "---|".repeat(columns.len()));
    for (fault, name) in FAULTS {
        if only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        let cells: Vec<String> = (SEVERITIES.iter())
            .map(|severity| {
                let mut found: BTreeMap<String, u32> = BTreeMap::new();
                let mut any = 0;
                for seed in 1..=seeds {
                    let data = made(&set, seed);
                    let parts = divided(&data, seed);
                    let faulty = inject(&data, &parts, fault, *severity, seed).unwrap();
                    let fired = fired(&faulty.data, &faulty.parts, seed, models);
                    any += u32::from(!fired.is_empty());
                    for (check, _) in fired {
                        *found.entry(check).or_default() += 1;
                    }
                }
                let by: Vec<String> = found
                    .iter()
                    .map(|(check, count)| format!("{check} {count}"))
                    .collect();
                match by.is_empty() {
                    true => "–".to_owned(),
                    false => format!("{any}/{seeds}: {}", by.join(", ")),
                }
            })
            .collect();
        println!("| {name} | {} |", cells.join(" | "));
    }
}

/// The set under a seed; a small one where a generator makes it.
fn made(set: &str, seed: u32) -> Dataset {
    match set {
        "mnist" => mnist::load().expect(mnist::FOLDER).unwrap(),
        "digits" => data::load(set).unwrap(),
        _ => {
            let size = if set == "chess" { 60 } else { 600 };
            let spec = DataSpec {
                seed: Some(seed),
                size: Some(size),
                ..DataSpec::named(set)
            };
            data::from_spec(&spec).unwrap()
        }
    }
}

fn divided(data: &Dataset, seed: u32) -> Split {
    let recipe = Recipe::default_for("digits", "mlp");
    data::split(data, &recipe.split, seed).unwrap()
}

/// Checks that do not pass, with the share that they found.
fn fired(data: &Dataset, parts: &Split, seed: u32, models: bool) -> Vec<(String, f64)> {
    let probabilities = models.then(|| answers(data, parts, seed));
    let mut input = Input::new(data, parts);
    input.answers = probabilities.as_deref().map(|probabilities| Answers {
        rows: &parts.train,
        probabilities,
    });
    let findings = checks::run(&input).findings;
    if models {
        let of_labels = findings.iter().find(|it| it.check == "consistency");
        let said = of_labels.map_or_else(String::new, |it| it.message.clone());
        eprintln!("seed {seed}: {said}");
    }
    (findings.into_iter())
        .filter(|it| it.status != Status::Pass)
        .map(|it| (it.check, f64::from(it.count) / f64::from(it.of)))
        .collect()
}

/// Answers of small perceptrons to the rows that train.
fn answers(data: &Dataset, parts: &Split, seed: u32) -> Vec<f32> {
    let mut recipe = Recipe::default_for("digits", "mlp");
    recipe.seed = seed;
    (recipe.training.epochs, recipe.training.warmup_epochs) = (6, 0.5);
    recipe.architecture.dropout = Some(0.2);
    let lab = Lab::divided(&recipe, data, parts.clone());
    let rows = (&parts.train[..], &parts.validation[..]);
    let groups = data.groups.as_ref();
    ready(cross_validation::probabilities(
        &lab.engine,
        &lab.plan,
        &recipe,
        &lab.rows,
        groups,
        rows,
        FOLDS,
        async |_| Ok(()),
    ))
    .unwrap()
}
