//! Puts every fault into a set at several severities, lets the lab check it as before a run, and prints which checks fire, as
//! docs/data-checks.md; it judges nothing.
//!
//! `cargo run --release --example detection -- [digits|chess|vibration|mnist] [--seeds N] [--clean N] [--fault NAME]`: seeds of
//! each fault, seeds of the set without one, and one fault alone.

#![expect(
    clippy::unwrap_used,
    reason = "a measurement that cannot go on has failed"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use assay::data::LocalMaker;
use assay::data::faults::FAULTS;
use assay::recipe::{DataSpec, Recipe};
use assay::result::FindingStatus as Status;
use std::collections::BTreeMap;
use support::{mnist, pump};

const SEVERITIES: [f64; 5] = [0.01, 0.05, 0.1, 0.3, 0.8];

fn main() {
    let (mut set, mut seeds, mut clean, mut only) = ("digits".to_owned(), 10, 100, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seeds" => seeds = arguments.next().unwrap().parse().unwrap(),
            "--clean" => clean = arguments.next().unwrap().parse().unwrap(),
            "--fault" => only = arguments.next(),
            _ => set = argument,
        }
    }
    let (maker, data) = set_of(&set);
    let mut alarms: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 1..=clean {
        for name in fired(&maker, &data, seed, None) {
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
    for (_, name) in FAULTS {
        if only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        let cells = SEVERITIES.map(|severity| {
            let mut found: BTreeMap<String, u32> = BTreeMap::new();
            let mut any = 0;
            for seed in 1..=seeds {
                let fired = fired(&maker, &data, seed, Some((name, severity)));
                any += u32::from(!fired.is_empty());
                for check in fired {
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
        });
        println!("| {name} | {} |", cells.join(" | "));
    }
}

/// A set and who makes it; a small one where a generator does.
fn set_of(set: &str) -> (LocalMaker, DataSpec) {
    match set {
        "mnist" => {
            let maker = mnist::opened().expect(mnist::FOLDER).unwrap();
            let data = mnist::data(&maker).unwrap();
            (maker, data)
        }
        _ => {
            let size = match set {
                "chess" => Some(60),
                "vibration" => Some(600),
                _ => None,
            };
            let data = DataSpec {
                size,
                ..DataSpec::named(set)
            };
            (LocalMaker::default(), data)
        }
    }
}

/// Names of the checks that do not pass. The seed is that of the division, the fault, the models and the generator.
fn fired(
    maker: &LocalMaker,
    data: &DataSpec,
    seed: u32,
    fault: Option<(&str, f64)>,
) -> Vec<String> {
    let mut recipe = Recipe::default_for("digits", "mlp");
    recipe.seed = seed;
    recipe.data = data.clone();
    if ["chess", "vibration"].contains(&data.set.as_str()) {
        recipe.data.seed = Some(seed);
    }
    recipe.data.faults = fault.map(|(name, severity)| [(name.to_owned(), severity)].into());
    (pump::findings(maker, &recipe).findings.into_iter())
        .filter(|it| it.status != Status::Pass)
        .map(|it| it.check)
        .collect()
}
