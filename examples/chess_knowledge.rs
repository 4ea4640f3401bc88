//! What knowledge in the model buys on `chess`: plain, with further rows in the other colours, in two stages, and both, over
//! set sizes and seeds, scored on games that none of them saw; it prints rows of docs/chess-knowledge.md and judges nothing.
//!
//! `cargo run --example chess_knowledge -- [--sizes 60,120] [--seeds N] [--first SEED] [--channels N] [--narrowing N]`.
//! A seed is that of the set and of the training; the games to score by have seeds of their own.

#![expect(
    clippy::unwrap_used,
    reason = "a measurement that cannot go on has failed"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use assay::data::{self, Rows, staged};
use assay::engine::cpu::CpuEngine;
use assay::engine::{Engine, Executable, Parameters};
use assay::eval::{Staged, argmax};
use assay::lab::prepared::{Prepared, prepare};
use assay::model::{Plan, Weights, stages};
use assay::recipe::{DataSpec, Recipe};
use std::rc::Rc;
use support::lab::{finish, ready};
use support::processor::seconds;

/// Seed of the set that all models are scored on: 20 games, of which the last two have pieces and a board that are never
/// trained with.
const HELD_OUT_SEED: u32 = 9001;
const HELD_OUT_POSITIONS: u32 = 120;
const BOARDS_TIMED: usize = 1000;
const RESERVED_GAMES: usize = 2;
const SQUARES_OF_GAME: usize = 6 * 64;

/// Name, augmentation, stages, and by what the epochs are multiplied.
const ARMS: [(&str, &str, &str, u32); 5] = [
    ("plain", "none", "one", 1),
    ("plain, twice the epochs", "none", "one", 2),
    ("colours", "colours", "one", 1),
    ("two stages", "none", "two", 1),
    ("two stages, colours", "colours", "two", 1),
];

/// What one model reached on the squares that are held out.
#[derive(Clone, Copy, Default)]
struct Reached {
    squares: f64,
    /// Of the games with pieces and a board that were never trained with.
    reserved: f64,
    boards: f64,
    /// Inverted squares with the other colour's piece.
    inverted: f64,
    /// Multiply-accumulates for a board.
    macs: f64,
    /// Milliseconds of the processor for a board in one call, and for a square.
    board_millis: f64,
    square_millis: f64,
    training_macs: f64,
    /// Share of squares that the second stage saw.
    seen_twice: f64,
}

fn main() {
    let (mut sizes, mut seeds, mut first) = (vec![60, 120], 5, 1);
    let mut widths = (8, 4);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let value = arguments.next().unwrap();
        match argument.as_str() {
            "--sizes" => sizes = value.split(',').map(|it| it.parse().unwrap()).collect(),
            "--seeds" => seeds = value.parse().unwrap(),
            "--first" => first = value.parse().unwrap(),
            "--channels" => widths.0 = value.parse().unwrap(),
            "--narrowing" => widths.1 = value.parse().unwrap(),
            other => panic!("{other} is not known"),
        }
    }
    let held_out = held_out();
    for size in sizes {
        let mut all: Vec<[Reached; ARMS.len()]> = Vec::new();
        for seed in first..first + seeds {
            all.push(ARMS.map(|arm| {
                let found = measured(&recipe(size, seed, widths, arm), &held_out);
                eprintln!(
                    "{size} positions, seed {seed}, {}: squares {:.4}, reserved {:.4}, boards {:.3}, inverted {:.4}",
                    arm.0, found.squares, found.reserved, found.boards, found.inverted
                );
                found
            }));
        }
        table(size, &all);
    }
}

fn recipe(
    size: u32,
    seed: u32,
    (channels, narrowing): (u32, u32),
    arm: (&str, &str, &str, u32),
) -> Recipe {
    let (_, augmentation, stages, times) = arm;
    let mut recipe = Recipe::default_for("chess", "lenet");
    recipe.data.size = Some(size);
    recipe.data.seed = Some(seed);
    recipe.seed = seed;
    recipe.architecture.channels = Some(channels);
    recipe.training.epochs *= times;
    recipe.training.augmentation = (augmentation != "none").then(|| augmentation.into());
    if stages == "two" {
        recipe.architecture.stages = Some("two".into());
        recipe.architecture.narrowing = Some(narrowing);
    }
    recipe
}

/// Squares of games that no model saw, scaled as the default recipe does, which looks at no row for it.
fn held_out() -> Rows {
    let spec = DataSpec {
        size: Some(HELD_OUT_POSITIONS),
        seed: Some(HELD_OUT_SEED),
        ..DataSpec::named("chess")
    };
    let data = data::from_spec(&spec).unwrap();
    let recipe = Recipe::default_for("chess", "lenet");
    let split = data::split(&data, &recipe.split, 1).unwrap();
    data::rows(&data, &recipe.preprocessing, &split).unwrap()
}

fn trained(plan: &Plan, recipe: &Recipe, rows: Rows, split: &data::Split) -> Weights {
    let rows = Rc::new(rows);
    let engine = CpuEngine::with_rows(Rc::clone(&rows)).unwrap();
    let trainer = assay::train::Trainer::new(&engine, plan, recipe, &rows, split);
    let mut trainer = ready(trainer).unwrap();
    finish(&mut trainer);
    trainer.kept().unwrap().0.clone()
}

fn measured(recipe: &Recipe, held_out: &Rows) -> Reached {
    let Prepared {
        rows, split, plan, ..
    } = &prepare(recipe).unwrap();
    let training_macs = plan.cost.training_macs as f64;
    if plan.stages.is_empty() {
        let weights = trained(plan, recipe, rows.clone(), split);
        let engine = CpuEngine::with_rows(Rc::new(held_out.clone())).unwrap();
        let parameters = Parameters::Exact(&weights);
        let mut model = ready(engine.prepare(&plan.graph, parameters, 64)).unwrap();
        return Reached {
            macs: 64.0 * plan.cost.macs as f64,
            training_macs,
            ..scored(model.as_mut(), held_out)
        };
    }
    let first = trained(&plan.stages[0], recipe, staged::occupancy(rows), split);
    let occupied = staged::occupied(&rows.labels, split);
    let second = trained(&plan.stages[1], recipe, staged::pieces(rows), &occupied);
    let weights = stages::both(&first, &second);
    let asked = Rc::new(staged::occupancy(held_out));
    let mut model = Staged::new(plan, &weights, asked, 64).unwrap();
    let all: Vec<u32> = (0..held_out.labels.len() as u32).collect();
    ready(model.logits(&all)).unwrap();
    let (asked, twice) = model.counts();
    let seen_twice = twice as f64 / asked as f64;
    let [one, two] = [0, 1].map(|stage: usize| plan.stages[stage].cost.macs as f64);
    Reached {
        macs: 64.0 * (one + seen_twice * two),
        seen_twice,
        training_macs,
        ..scored(&mut model, held_out)
    }
}

fn scored(model: &mut dyn Executable, held_out: &Rows) -> Reached {
    let labels = &held_out.labels;
    let boards: Vec<Vec<u32>> = (0..labels.len() as u32 / 64)
        .map(|board| (board * 64..board * 64 + 64).collect())
        .collect();
    let mut right = Vec::with_capacity(labels.len());
    for (rows, own) in boards.iter().zip(labels.chunks_exact(64)) {
        let logits = ready(model.logits(rows)).unwrap();
        let answers = logits.chunks_exact(13).map(argmax).zip(own);
        right.extend(answers.map(|(answer, label)| answer == usize::from(*label)));
    }
    // The clock of the processor's work moves in steps of milliseconds, so that many calls are timed together.
    let began = seconds();
    for rows in boards.iter().cycle().take(BOARDS_TIMED) {
        ready(model.logits(rows)).unwrap();
    }
    let board_millis = (seconds() - began) * 1e3 / BOARDS_TIMED as f64;
    let began = seconds();
    for row in 0..labels.len() as u32 {
        ready(model.logits(&[row])).unwrap();
    }
    let square_millis = (seconds() - began) * 1e3 / labels.len() as f64;
    let inverted: Vec<f32> = held_out.features.iter().map(|value| 1.0 - value).collect();
    let logits = ready(model.predict(&inverted)).unwrap();
    let swapped = logits.chunks_exact(13).map(argmax).zip(labels);
    let swapped = swapped
        .filter(|(answer, label)| *answer == usize::from(data::chess::other_colour(**label, 13)));
    let share =
        |right: &[bool]| right.iter().filter(|it| **it).count() as f64 / right.len().max(1) as f64;
    let boards: Vec<bool> = (right
        .chunks_exact(64)
        .map(|board| board.iter().all(|it| *it)))
    .collect();
    Reached {
        squares: share(&right),
        reserved: share(&right[right.len() - RESERVED_GAMES * SQUARES_OF_GAME..]),
        boards: share(&boards),
        inverted: swapped.count() as f64 / labels.len() as f64,
        board_millis,
        square_millis,
        ..Reached::default()
    }
}

fn table(size: u32, all: &[[Reached; ARMS.len()]]) {
    println!("\n{size} positions, {} seeds\n", all.len());
    println!(
        "| model | squares | against plain | held-out pieces and board | boards | inverted squares | MMACs a board | ms a board | ms a square | training, GMACs |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for (arm, (name, ..)) in ARMS.iter().enumerate() {
        let of = |what: fn(&Reached) -> f64| -> Vec<f64> {
            all.iter().map(|arms| what(&arms[arm])).collect()
        };
        let percent = |what: fn(&Reached) -> f64| {
            let (mean, half) = interval(&of(what));
            format!("{:.1} ± {:.1} %", mean * 100.0, half * 100.0)
        };
        let against: Vec<f64> = (all.iter())
            .map(|arms| arms[arm].squares - arms[0].squares)
            .collect();
        let (mean, half) = interval(&against);
        let against = match arm {
            0 => "–".to_owned(),
            _ => format!("{:+.1} ± {:.1}", mean * 100.0, half * 100.0),
        };
        let mean = |what: fn(&Reached) -> f64| interval(&of(what)).0;
        println!(
            "| {name} | {} | {against} | {} | {} | {} | {:.1} | {:.2} | {:.3} | {:.1} |",
            percent(|it| it.squares),
            percent(|it| it.reserved),
            percent(|it| it.boards),
            percent(|it| it.inverted),
            mean(|it| it.macs) / 1e6,
            mean(|it| it.board_millis),
            mean(|it| it.square_millis),
            mean(|it| it.training_macs) / 1e9,
        );
        if all[0][arm].seen_twice > 0.0 {
            eprintln!(
                "{name}: the second stage saw {:.1} %",
                mean(|it| it.seen_twice) * 100.0
            );
        }
    }
}

/// Mean and half width of its 95 % interval over seeds by Student's distribution.
fn interval(values: &[f64]) -> (f64, f64) {
    // Quantiles 0.975 for 1 to 9 degrees of freedom, from any table of the distribution.
    const T: [f64; 9] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262,
    ];
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let Some(freedom) = values.len().checked_sub(2) else {
        return (mean, f64::NAN);
    };
    let squares: f64 = values.iter().map(|it| (it - mean).powi(2)).sum();
    let t = T[freedom.min(T.len() - 1)];
    (mean, t * (squares / (count - 1.0) / count).sqrt())
}
