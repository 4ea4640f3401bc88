//! Whole boards of chess as the lab reads them: over the same weights, judged by links, refused where games have rows
//! missing. `UPDATE_GOLDEN=1` writes the golden section of the record anew.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use assay::data::chess::{self, POSITIONS_PER_GAME, Parameters, class_on, square_at};
use assay::data::{self, LocalMaker};
use assay::engine::cpu::ARITHMETIC;
use assay::recipe::{ReadingSpec, Recipe};
use assay::result::reading::{classes_of, written};
use assay::runlog::claim::Claim;
use assay::runlog::export::csv;
use assay::runlog::record::{self, Record};
use assay::runlog::verdict::{self, Judgement, Overall};
use assay::runlog::{link, summary};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use support::pump::run;

/// A model that trains in a second or two and is wrong often enough; nothing is timed, as the test's clock stands still.
fn recipe(reading: Option<ReadingSpec>) -> Recipe {
    let mut recipe = Recipe::default_for("chess", "lenet");
    recipe.data.size = Some(60);
    recipe.data.difficulty = Some(1.0);
    recipe.architecture.channels = Some(4);
    recipe.architecture.dense = Some(16);
    recipe.training.epochs = 1;
    recipe.training.warmup_epochs = 0.5;
    recipe.evaluation.latency_secs = 0.0;
    recipe.reading = reading;
    recipe
}

fn legal(kept: u32, change: f64) -> Option<ReadingSpec> {
    Some(ReadingSpec {
        rule: Some("legal".into()),
        kept: Some(kept),
        change: Some(change),
        ..ReadingSpec::default()
    })
}

/// The record of a run, with what a lab is told when it is opened.
fn ran(reading: Option<ReadingSpec>) -> Record {
    let mut record = run(&LocalMaker::default(), &recipe(reading)).unwrap();
    record.environment.engine = "cpu".into();
    record.environment.arithmetic = ARITHMETIC.into();
    record
}

/// With the rule and its defaults, once for all tests.
fn with_rule() -> &'static Record {
    static RECORD: OnceLock<Record> = OnceLock::new();
    RECORD.get_or_init(|| ran(legal(8, 1.5)))
}

fn section(record: &Record) -> &Value {
    record.results.reading.as_ref().unwrap()
}

/// The positions that were read, as classes.
fn positions(record: &Record) -> Vec<Vec<u16>> {
    let positions = section(record)["positions"].as_array().unwrap();
    (positions.iter())
        .map(|it| classes_of(it.as_str().unwrap()).unwrap())
        .collect()
}

#[test]
fn the_rule_changes_neither_weights_nor_answers() {
    let (with, without) = (with_rule(), ran(None));
    assert_eq!(with.digests, without.digests);
    assert_eq!(with.predictions, without.predictions);
    assert_eq!(with.results.accuracy, without.results.accuracy);
    assert_eq!(without.results.reading, None);
    let squares = &section(with)["without"]["squares"];
    let accuracy = with.results.accuracy.unwrap();
    assert_eq!(squares["correct"], accuracy.correct);
    assert_eq!(squares["total"], accuracy.total);
}

#[test]
fn where_one_position_is_kept_each_follows_the_last_by_a_legal_move() {
    let record = ran(legal(1, 0.0));
    let parameters = Parameters::from_spec(&record.recipe.data).unwrap();
    let test = &record.predictions.as_ref().unwrap().rows;
    let of_game = POSITIONS_PER_GAME as usize;
    for (game, boards) in positions(&record).chunks(of_game).enumerate() {
        let number = test[game * of_game * 64] / 64 / POSITIONS_PER_GAME;
        // Several positions may look alike and differ in who may castle.
        let mut possible = vec![chess::before(&parameters, number)];
        for classes in boards {
            let mut next = Vec::new();
            for board in &possible {
                board.generate_moves(|of_piece| {
                    for one in of_piece {
                        let mut after = board.clone();
                        after.play(one);
                        next.push(after);
                    }
                    false
                });
            }
            next.retain(|board| looks(board, classes));
            assert!(!next.is_empty(), "game {number}: {}", written(classes));
            possible = next;
        }
    }
}

#[test]
fn where_several_are_kept_each_is_a_position_that_a_game_can_have() {
    assert!(
        positions(with_rule())
            .iter()
            .all(|classes| is_sound(classes))
    );
    assert!(!is_sound(&[0; 64]));
}

fn looks(board: &cozy_chess::Board, classes: &[u16]) -> bool {
    let place = |(place, class): (usize, &u16)| class_on(board, square_at(place)) == *class;
    classes.iter().enumerate().all(place)
}

/// One king each, and no pawn on the first and the last rank.
fn is_sound(classes: &[u16]) -> bool {
    let count = |class| classes.iter().filter(|it| **it == class).count();
    let edges = classes[..8].iter().chain(&classes[56..]);
    count(6) == 1 && count(12) == 1 && edges.into_iter().all(|it| ![1, 7].contains(it))
}

#[test]
fn work_is_counted_and_the_threshold_saves_it() {
    let (with, all) = (with_rule(), ran(legal(8, 0.0)));
    let macs = with.results.cost.as_ref().unwrap().macs;
    let number =
        |record: &Record, way: &str, name: &str| section(record)[way][name].as_u64().unwrap();
    let rows = with.predictions.as_ref().unwrap().rows.len() as u64;
    for record in [with, &all] {
        assert_eq!(number(record, "without", "looked_at"), rows);
        for way in ["without", "with"] {
            let looked_at = number(record, way, "looked_at");
            assert_eq!(number(record, way, "macs"), looked_at * macs);
        }
    }
    assert_eq!(number(&all, "with", "looked_at"), rows);
    // The first picture of each game, and of the other five few squares; counted again from the pictures.
    let set = data::from_spec(&with.recipe.data).unwrap();
    let first_rows = with.predictions.as_ref().unwrap().rows.iter().step_by(64);
    let looked_at: usize = first_rows
        .map(|row| match row / 64 % POSITIONS_PER_GAME {
            0 => 64,
            _ => assay::system::changed(&set, row - 64, *row, 1.5).len(),
        })
        .sum();
    assert_eq!(number(with, "with", "looked_at"), looked_at as u64);
    assert!((looked_at as u64) < rows / 2, "{looked_at} of {rows}");
}

#[test]
fn the_rule_repairs_boards_that_a_poor_model_reads_wrongly() {
    let reading = section(with_rule());
    let right = |way: &str| reading[way]["boards"]["correct"].as_u64().unwrap();
    println!(
        "{} boards right alone, {} with the rule",
        right("without"),
        right("with")
    );
    assert!(right("with") > right("without"));
    let repaired = reading["repaired"].as_u64().unwrap();
    let spoiled = reading["spoiled"].as_u64().unwrap();
    assert_eq!(right("with") + spoiled, right("without") + repaired);
}

/// The section as version 1 writes it: every later version must write the same for this recipe under this arithmetic.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "whether a file is written anew decides no result"
)]
fn the_section_is_the_golden_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/reading.json");
    let made = serde_json::to_string_pretty(section(with_rule())).unwrap() + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap().replace("\r\n", "\n");
    assert_eq!(made, golden);
}

#[test]
fn a_link_carries_what_was_read_and_another_run_bears_it_out() {
    let record = with_rule();
    let claim = Claim::from_record(record, "").unwrap();
    let packed = link::pack_claim(&claim).unwrap();
    println!("a link of {} characters", packed.bytes);
    let link::Link::Claim(opened) = link::open(&packed.fragment).unwrap() else {
        panic!("a claim");
    };
    assert_eq!(*opened, claim);
    let reading = opened.results.reading.as_ref().unwrap();
    assert_eq!(reading.digest, section(record)["digest"].as_str().unwrap());
    let found = verdict::judge(&opened, &ran(legal(8, 1.5)));
    assert_eq!(found.overall, Overall::Reproduced, "{}", found.reason);
    for name in [
        "squares_with_rule",
        "boards_with_rule",
        "games_with_rule",
        "positions",
    ] {
        let metric = found.metrics.iter().find(|it| it.name == name).unwrap();
        assert_eq!(metric.verdict, Judgement::Reproduced, "{metric:?}");
    }
    let plain = Claim::from_record(&ran(None), "").unwrap();
    assert_eq!(plain.results.reading, None);
    assert!(!plain.text().contains("reading"));
}

/// The record with other boards: one square of the first position otherwise, and a board fewer right.
fn changed(record: &Record) -> Record {
    let mut changed = record.clone();
    let section = changed.results.reading.as_mut().unwrap();
    let mut classes = classes_of(section["positions"][0].as_str().unwrap()).unwrap();
    classes[40] = (classes[40] + 1) % 13;
    section["positions"][0] = written(&classes).into();
    changed
}

#[test]
fn one_square_of_a_position_that_is_otherwise_is_not_reproduced() {
    let record = with_rule();
    let claim = Claim::from_record(record, "").unwrap();
    // Its own digest still says that nothing happened.
    let found = verdict::judge(&claim, &changed(record));
    assert_eq!(found.overall, Overall::Diverged);
    assert!(found.reason.contains("positions read"), "{}", found.reason);
    let mut fewer = record.clone();
    let correct = section(record)["with"]["boards"]["correct"]
        .as_u64()
        .unwrap();
    fewer.results.reading.as_mut().unwrap()["with"]["boards"]["correct"] = (correct - 1).into();
    assert_eq!(verdict::judge(&claim, &fewer).overall, Overall::Diverged);
    let mut without = record.clone();
    without.results.reading = None;
    assert_eq!(verdict::judge(&claim, &without).overall, Overall::Diverged);
}

#[test]
fn on_a_gpu_boards_are_judged_by_the_interval() {
    let claim = Claim::from_record(with_rule(), "").unwrap();
    let mut near = changed(with_rule());
    near.environment.engine = "gpu".into();
    near.environment.arithmetic = "gpu-1".into();
    let found = verdict::judge(&claim, &near);
    assert_eq!(found.overall, Overall::WithinTolerance, "{}", found.reason);
    let positions = found
        .metrics
        .iter()
        .find(|it| it.name == "positions")
        .unwrap();
    assert_eq!(positions.verdict, Judgement::Compared);
    near.results.reading.as_mut().unwrap()["with"]["squares"]["correct"] = 0.into();
    assert_eq!(verdict::judge(&claim, &near).overall, Overall::Diverged);
}

#[test]
fn a_claim_whose_interval_its_games_cannot_have_is_refused() {
    let mut record = with_rule().clone();
    record.results.reading.as_mut().unwrap()["with"]["squares"]["low"] = json!(0.01);
    let error = Claim::from_record(&record, "").unwrap_err().to_string();
    assert!(error.contains("squares_with_rule"), "{error}");
}

#[test]
fn games_with_rows_missing_are_refused_before_anything_is_trained() {
    let mut recipe = recipe(legal(8, 1.5));
    recipe.data.faults = Some([("class drop".into(), 0.5)].into());
    recipe.data.reason = Some("to see the rule refuse it".into());
    let (kind, words) = run(&LocalMaker::default(), &recipe).unwrap_err();
    assert_eq!(kind, "bad-input");
    assert!(
        words.contains("reading.rule") && words.contains("whole games"),
        "{words}"
    );
    recipe.data.faults = Some([("noise".into(), 0.1)].into());
    let record = run(&LocalMaker::default(), &recipe).unwrap();
    assert!(section(&record)["with"]["looked_at"].as_u64().unwrap() > 0);
}

#[test]
fn tables_have_columns_for_boards_where_a_run_has_read_some() {
    let of = |record: &Record| summary::summarize(&record::seal(record.clone()).0).unwrap();
    let (with, without) = (of(with_rule()), of(&ran(None)));
    assert!(without.boards_with_rule.is_none());
    let states = BTreeMap::new();
    let plain = csv::write(std::slice::from_ref(&without), &states);
    assert!(!plain.contains("boards_with_rule"));
    let both = csv::write(&[without, with.clone()], &states);
    assert!(both.lines().next().unwrap().contains("boards_with_rule"));
    assert!(both.contains(&with.boards_with_rule.unwrap().to_string()));
}
