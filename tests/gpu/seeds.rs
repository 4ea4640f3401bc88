//! Whole trainings on both engines over five seeds: compared by the rows that they answer differently and by the spread over
//! seeds, never by a bound on the loss, because rounding grows exponentially along a training.

use super::now;
use assay::engine::cpu::CpuEngine;
use assay::engine::gpu::{Gpu, GpuEngine};
use assay::engine::{Engine, Parameters};
use assay::eval;
use assay::lab::prepared::{Prepared, prepare};
use assay::recipe::{Recipe, edit, from_value};
use assay::result::{Paired, Predictions};
use assay::train::{Step, Trainer};
use libtest_mimic::{Failed, Trial};
use serde_json::json;
use std::sync::Arc;

const SEEDS: u32 = 5;
/// By chance one honest pair of trainings in a thousand differs so much; each family has five.
const SURE: f64 = 0.999;

/// A family's small recipe for digits.
fn recipe(family: &str, seed: u32) -> Recipe {
    let mut document = Recipe::default_for("digits", family).to_value();
    let changes = [
        ("training.epochs", json!(3)),
        ("training.batch_size", json!(32)),
        ("seed", json!(seed)),
    ];
    let smaller = match family {
        "mlp" => ("architecture.width", json!(32)),
        _ => ("architecture.channels", json!(4)),
    };
    for (path, value) in changes.into_iter().chain([smaller]) {
        document = edit::set(document, path, value).expect("a field");
    }
    from_value(document).expect("a recipe")
}

/// The answers on the test rows after a training.
fn trained(
    engine: &mut dyn Engine,
    recipe: &Recipe,
    prepared: &Prepared,
) -> Result<Predictions, String> {
    let told = |error: assay::error::Error| error.to_string();
    let Prepared { rows, plan, .. } = prepared;
    let (dataset, split) = (&prepared.dataset, &prepared.split);
    now(engine.load(rows))?.map_err(told)?;
    let mut trainer = now(Trainer::new(engine, plan, recipe, rows, split))?.map_err(told)?;
    trainer.take_at_once(64);
    while !matches!(now(trainer.step())?.map_err(told)?, Step::Finished(_)) {}
    let (weights, _) = trainer.kept().ok_or("no epoch ended")?;
    let exact = Parameters::Exact(weights);
    let mut model = now(engine.prepare(&plan.graph, exact, 64))?.map_err(told)?;
    let logits = now(model.logits(&split.test))?.map_err(told)?;
    let labels: Vec<u16> = (split.test.iter())
        .map(|&row| dataset.labels[row as usize])
        .collect();
    let scored = eval::score(&logits, &split.test, &labels, &dataset.classes, 0.95);
    Ok(scored.map_err(told)?.predictions)
}

fn right(answers: &Predictions) -> f64 {
    let pairs = answers.labels.iter().zip(&answers.predicted);
    pairs.filter(|(label, answer)| label == answer).count() as f64 / answers.rows.len() as f64
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// What is wrong with the trainings of a family, the GPU's kernels changed or not.
fn problems(
    gpu: &Gpu,
    family: &str,
    change: Option<(&str, &str, &str)>,
) -> Result<Vec<String>, String> {
    let told = |error: assay::error::Error| error.to_string();
    let (mut cpu, mut own) = (CpuEngine::new(), GpuEngine::new(gpu.clone()));
    if let Some((kernel, from, to)) = change {
        own.sabotage(kernel, from, to).map_err(told)?;
    }
    let mut problems = Vec::new();
    let mut answers: [Vec<Predictions>; 2] = Default::default();
    for seed in 1..=SEEDS {
        let recipe = recipe(family, seed);
        let prepared = prepare(&recipe).map_err(told)?;
        let wanted = trained(&mut cpu, &recipe, &prepared)?;
        let found = trained(&mut own, &recipe, &prepared)?;
        let paired: Paired = eval::paired(&wanted, &found, SURE).map_err(told)?;
        if paired.verdict != "can't tell" {
            problems.push(format!("seed {seed}: {}", paired.reason));
        }
        answers[0].push(wanted);
        answers[1].push(found);
    }
    let [wanted, found] = answers.map(|all| all.iter().map(right).collect::<Vec<f64>>());
    let sorted = assay::stats::sorted(&wanted);
    // Of rows as well as of seeds: five seeds may happen to agree.
    let row = 1.0 / 359.0;
    let spread = (sorted[sorted.len() - 1] - sorted[0]).max(3.0 * row);
    let apart = (mean(&wanted) - mean(&found)).abs();
    println!(
        "{family}: CPU {:.4}, GPU {:.4}, the CPU's seeds spread over {spread:.4}",
        mean(&wanted),
        mean(&found)
    );
    if apart > spread {
        problems.push(format!("the means are {apart:.4} apart, seeds {spread:.4}"));
    }
    Ok(problems)
}

pub(super) fn trials(gpu: &Arc<Gpu>) -> Vec<Trial> {
    let mut trials = Vec::new();
    for family in ["mlp", "lenet"] {
        let gpu = Arc::clone(gpu);
        trials.push(Trial::test(
            format!("seeds: {family}"),
            move || match problems(&gpu, family, None)?.as_slice() {
                [] => Ok(()),
                problems => Err(problems.join("; ").into()),
            },
        ));
    }
    let gpu = Arc::clone(gpu);
    trials.push(Trial::test("seeds: mlp with a changed update", move || {
        let change = (
            "update",
            "turn.take_first * gradient",
            "turn.take_first * abs(gradient)",
        );
        match problems(&gpu, "mlp", Some(change))?.as_slice() {
            [] => Err::<(), Failed>("nobody noticed".into()),
            _ => Ok(()),
        }
    }));
    trials
}
