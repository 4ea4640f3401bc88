//! Trains the families over several seeds and prints what they reach, as rows of docs/families.md; it judges nothing.
//!
//! `cargo run --example families -- [digits|mnist] [--family NAME]… [--seeds N] [--first SEED]
//! [PATH=JSON]…`, where a path is a field of the recipe.

#![expect(
    clippy::unwrap_used,
    reason = "a measurement that cannot go on has failed"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use assay::data::{self, Dataset};
use assay::recipe::fields::{FAMILIES, GRAPH};
use assay::recipe::{Recipe, edit, from_value};
use std::ops::Range;
use support::lab::Lab;
use support::mnist;
use support::processor::seconds;

fn main() {
    let mut families = Vec::new();
    let (mut first, mut seeds) = (1, 5);
    let mut set = "digits".to_owned();
    let mut changes = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--family" => families.push(arguments.next().unwrap()),
            "--seeds" => seeds = arguments.next().unwrap().parse().unwrap(),
            "--first" => first = arguments.next().unwrap().parse().unwrap(),
            "digits" | "mnist" => set = argument,
            change => {
                let (path, value) = change.split_once('=').unwrap();
                changes.push((path.to_owned(), serde_json::from_str(value).unwrap()));
            }
        }
    }
    if families.is_empty() {
        let all = FAMILIES.iter().filter(|family| **family != GRAPH);
        families.extend(all.map(|family| (*family).to_owned()));
    }
    let data = match set.as_str() {
        "mnist" => mnist::load().expect(mnist::FOLDER).unwrap(),
        set => data::load(set).unwrap(),
    };
    println!("| family | parameters | MACs | epochs | accuracy | range | training |");
    println!("|---|---:|---:|---:|---:|---|---:|");
    for family in families {
        let mut document = match set.as_str() {
            "mnist" => mnist::recipe(&family),
            set => Recipe::default_for(set, &family),
        }
        .to_value();
        for (path, value) in &changes {
            document = edit::set(document, path, serde_json::Value::clone(value)).unwrap();
        }
        measure(&from_value(document).unwrap(), &data, first..first + seeds);
    }
}

/// Prints the median accuracy and its range over the seeds, and the median seconds of a training.
fn measure(recipe: &Recipe, data: &Dataset, seeds: Range<u32>) {
    let (mut accuracies, mut times) = (Vec::new(), Vec::new());
    let mut cost = None;
    for seed in seeds {
        let recipe = Recipe {
            seed,
            ..recipe.clone()
        };
        let lab = Lab::on(&recipe, data);
        let began = seconds();
        let accuracy = lab.trained_accuracy();
        let took = seconds() - began;
        let family = &recipe.architecture.family;
        eprintln!("{family} seed {seed}: {accuracy:.4}, {took:.1} s");
        accuracies.push(accuracy);
        times.push(took);
        cost = Some(lab.plan.cost);
    }
    accuracies.sort_by(f64::total_cmp);
    times.sort_by(f64::total_cmp);
    let cost = cost.unwrap();
    let percent = |accuracy: f64| format!("{:.1} %", accuracy * 100.0);
    println!(
        "| `{}` | {} | {} | {} | {} | {} to {} | {:.1} s |",
        recipe.architecture.family,
        cost.parameters,
        cost.macs,
        recipe.training.epochs,
        percent(accuracies[accuracies.len() / 2]),
        percent(accuracies[0]),
        percent(accuracies[accuracies.len() - 1]),
        times[times.len() / 2],
    );
}
