//! Golden files of version 1 in `tests/golden/`: every later version must read them to the same digests.
//!
//! `record.json` has realistic figures and made-up digests of data and weights; all others are made from it.
//! `UPDATE_GOLDEN=1` writes them anew, which is right only while version 1 has not been released.

use assay::error::Error;
use assay::lab::protocol::{
    Command, CommandBody, DatasetSummary, Event, EventBody, Scores, WeightsBehind,
};
use assay::recipe;
use assay::result::{Cost, EpochPoint};
use assay::runlog::claim::Claim;
use assay::runlog::export::{csv, jsonl};
use assay::runlog::link::{self, Link};
use assay::runlog::record::{Environment, Record, Status};
use assay::runlog::verdict::{self, Overall};
use assay::runlog::{annotation, log, record, summary};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Once;

fn path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden")).join(name)
}

fn stored(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The golden text, after all were written anew where that was asked for.
#[expect(
    clippy::disallowed_methods,
    reason = "whether files are written anew decides no result"
)]
fn golden(name: &str) -> String {
    static UPDATE: Once = Once::new();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        UPDATE.call_once(|| {
            for (name, make) in FILES {
                std::fs::write(path(name), make()).expect("a writable folder");
            }
        });
    }
    stored(name)
}

type Make = fn() -> String;

/// Every file and how it is made, in an order in which each needs only those before it.
const FILES: &[(&str, Make)] = &[
    ("record.json", || record::seal(sample()).0),
    ("recipe.json", || sample().recipe.to_json() + "\n"),
    ("claim.json", || claim().text().to_owned()),
    ("verdict.json", verdict_text),
    ("link-claim.txt", || {
        link::pack_claim(&claim()).expect("fits").fragment + "\n"
    }),
    ("link-recipe.txt", || {
        link::pack_recipe(&sample().recipe).expect("fits").fragment + "\n"
    }),
    ("log.jsonl", log_text),
    ("runs.csv", || csv::write(&summaries(), &states())),
    ("summary.json", || pretty(&summaries()[1])),
    ("protocol.json", protocol_text),
];

fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).expect("serializable") + "\n"
}

/// The same text; git may have changed the ends of lines.
fn assert_same(name: &str, made: &str, golden: &str) {
    let lines = |text: &str| text.replace("\r\n", "\n");
    assert!(
        lines(made) == lines(golden),
        "{name} would be written differently now:\n{made}\ninstead of\n{golden}"
    );
}

fn sample() -> Record {
    record::read(&stored("record.json")).expect("reads").0
}

fn claim() -> Claim {
    Claim::from_record(&sample(), "Ada").expect("complete")
}

fn verdict_text() -> String {
    pretty(&verdict::judge(&claim(), &sample()))
}

fn log_text() -> String {
    let (complete, digest) = record::seal(sample());
    let (cut, _) = record::seal(interrupted());
    let note = |field, value, at| annotation::write(&digest, field, value, at).expect("fits");
    let lines = [
        complete,
        cut,
        note("name", json!("base"), 1_785_489_000_000.0),
        note("note", json!("first try,\nseed 1"), 1_785_489_000_001.0),
        note("pin", json!(true), 1_785_489_000_002.0),
        note("deleted", json!(true), 1_785_489_000_003.0),
        note("deleted", json!(false), 1_785_489_000_004.0),
    ];
    jsonl::write(&log::read(&lines.join("\n")).expect("reads").entries)
}

fn summaries() -> Vec<summary::RunSummary> {
    [interrupted(), sample()]
        .into_iter()
        .map(|record| summary::summarize(&record::seal(record).0).expect("reads"))
        .collect()
}

fn states() -> BTreeMap<String, annotation::State> {
    let log = log::read(&log_text()).expect("reads");
    let texts: Vec<String> = log.entries.into_iter().map(|entry| entry.text).collect();
    annotation::state_of_texts(&texts)
}

/// A run that was closed in its third epoch.
fn interrupted() -> Record {
    let mut record = sample();
    record.status = Status::Interrupted;
    record.started = "2026-07-31T08:00:00Z".into();
    record.duration_secs = 1.5;
    record.predictions = None;
    record.digests.predictions = String::new();
    record.digests.stored = String::new();
    let results = &mut record.results;
    results.accuracy = None;
    results.test_loss = None;
    results.confusion = None;
    results.classes.clear();
    results.latency = None;
    results.throughput = None;
    if let Some(training) = &mut results.training {
        training.curve.truncate(2);
        training.steps = 80;
        training.kept_epoch = 2;
        training.ended = "interrupted".into();
    }
    record
}

#[test]
fn the_recipe_reads_to_its_digest() {
    let recipe = recipe::from_json(&golden("recipe.json")).expect("reads");
    assert_eq!(
        recipe.digest(),
        "d65a2e81c31752ee6bdbe3d3bec2c9c52238af4d0ec6bf916fa11fd2f43ea91c",
        "the canonical form of a recipe changed: every old record and link is now another recipe's"
    );
    assert_eq!(recipe, sample().recipe);
}

#[test]
fn the_record_reads_and_seals_to_itself() {
    let text = golden("record.json");
    let opened = record::open(&text).expect("reads");
    assert!(!opened.altered);
    assert_eq!(opened.digest, opened.record.digest);
    assert_same("record.json", &record::seal(opened.record).0, &text);
}

#[test]
fn the_claim_reads_and_is_borne_out_by_its_record() {
    let text = golden("claim.json");
    let read = Claim::read(&text).expect("reads");
    assert_eq!(read, claim());
    assert_same("claim.json", read.text(), &text);
    let verdict = verdict::judge(&read, &sample());
    assert_eq!(verdict.overall, Overall::Reproduced, "{}", verdict.reason);
    assert_same("verdict.json", &verdict_text(), &golden("verdict.json"));
}

#[test]
fn the_links_open_to_what_they_were_made_from() {
    let text = golden("link-claim.txt");
    // Another compressor may pack it differently; it must open to the same.
    for fragment in [&text, &link::pack_claim(&claim()).expect("fits").fragment] {
        assert_eq!(link::open(fragment), Ok(Link::Claim(Box::new(claim()))));
    }
    assert!(text.len() < 2000, "{}", text.len());
    let recipe = sample().recipe;
    let packed = link::pack_recipe(&recipe).expect("fits").fragment;
    for fragment in [&golden("link-recipe.txt"), &packed] {
        let opened = link::open(fragment);
        assert_eq!(opened, Ok(Link::Recipe(Box::new(recipe.clone()))));
    }
}

#[test]
fn the_log_reads_without_a_bad_line() {
    let text = golden("log.jsonl");
    let read = log::read(&text).expect("reads");
    assert!(read.bad.is_empty(), "{:?}", read.bad);
    assert_eq!(read.entries.len(), 7);
    assert!(read.entries.iter().all(|entry| !entry.altered));
    assert_same("log.jsonl", &log_text(), &text);
    let states = states();
    let state = &states[&read.entries[1].digest];
    assert_eq!(
        (state.name.as_str(), state.pin, state.deleted),
        ("base", true, false)
    );
}

#[test]
fn the_table_of_runs_keeps_its_columns() {
    let table = csv::write(&summaries(), &states());
    assert_same("runs.csv", &table, &golden("runs.csv"));
    let summary = pretty(&summaries()[1]);
    assert_same("summary.json", &summary, &golden("summary.json"));
}

#[test]
fn another_version_of_each_is_refused_in_words() {
    let newer = |name| golden(name).replace("\"version\":1", "\"version\":2");
    let errors: [Error; 4] = [
        recipe::from_json(&golden("recipe.json").replace("\"version\": 1", "\"version\": 2"))
            .expect_err("refused"),
        record::open(&newer("record.json")).expect_err("refused"),
        Claim::read(&newer("claim.json")).expect_err("refused"),
        link::open(&golden("link-claim.txt").replace("#c1.", "#c2.")).expect_err("refused"),
    ];
    for error in errors {
        let words = error.to_string();
        assert!(
            words.contains("version 2") || words.contains("got 2"),
            "{words}"
        );
        assert!(words.contains("newer Assay"), "{words}");
    }
    let log = log::read(&newer("log.jsonl")).expect("reads");
    assert_eq!((log.entries.len(), log.bad.len()), (0, 7));
}

/// One of each command, as the page sends it.
fn commands() -> Vec<Command> {
    let recipe = sample().recipe.to_value();
    let claim: Value = serde_json::from_str(claim().text()).expect("JSON");
    let bodies = vec![
        CommandBody::Open {
            environment: Environment {
                browser: "Chromium".into(),
                browser_version: "150".into(),
                cores: 8,
                isolated: true,
                ..Environment::default()
            },
            gpu_missing: "no adapter found".into(),
            tiles: "{}".into(),
        },
        CommandBody::Dataset {
            recipe: recipe.clone(),
        },
        CommandBody::Images {
            recipe: recipe.clone(),
            rows: vec![0, 7, 1796],
        },
        CommandBody::Check {
            recipe: recipe.clone(),
        },
        CommandBody::Run {
            recipe: recipe.clone(),
            claim: Some(claim),
            resume: true,
            resumed_from: Some("0".repeat(64)),
            hold_timing: true,
        },
        CommandBody::Variants {
            record: "{\"assay\":\"record\"}".into(),
            quantizations: vec![json!({ "scheme": "int8" })],
        },
        CommandBody::Inspect {
            recipe: recipe.clone(),
            weights: "0".repeat(64),
            fine_tuned: None,
        },
        CommandBody::Export {
            recipe: recipe.clone(),
            format: "gguf".into(),
            weights: "0".repeat(64),
            fine_tuned: Some(WeightsBehind {
                digest: "0".repeat(64),
                from: 1234,
            }),
        },
        CommandBody::Search {
            record: "{\"assay\":\"record\"}".into(),
            budget: json!({ "points": 0.5 }),
            known: vec![json!({ "layers": {} })],
        },
        CommandBody::Load {
            recipe,
            weights: "0".repeat(64),
            fine_tuned: None,
        },
        CommandBody::Predict {
            row: Some(3),
            image: Some(vec![0.0, 0.5, 1.0]),
        },
        CommandBody::Visibility { hidden: true },
        CommandBody::Crash,
        CommandBody::Hang,
        CommandBody::Stop { target: 4 },
        CommandBody::Pause { target: 4 },
        CommandBody::Continue { target: 4 },
        CommandBody::Decide {
            target: 4,
            choice: "cpu".into(),
        },
        CommandBody::LoseGpu,
    ];
    for body in &bodies {
        // A new command does not compile here before it has its sample above.
        match body {
            CommandBody::Open { .. }
            | CommandBody::Dataset { .. }
            | CommandBody::Images { .. }
            | CommandBody::Check { .. }
            | CommandBody::Run { .. }
            | CommandBody::Variants { .. }
            | CommandBody::Inspect { .. }
            | CommandBody::Export { .. }
            | CommandBody::Search { .. }
            | CommandBody::Load { .. }
            | CommandBody::Predict { .. }
            | CommandBody::Visibility { .. }
            | CommandBody::Crash
            | CommandBody::Hang
            | CommandBody::Stop { .. }
            | CommandBody::Pause { .. }
            | CommandBody::Continue { .. }
            | CommandBody::Decide { .. }
            | CommandBody::LoseGpu => {}
        }
    }
    (1..)
        .zip(bodies)
        .map(|(id, body)| Command { id, body })
        .collect()
}

/// One of each event, as the page receives it.
fn events() -> Vec<Event> {
    let record = sample();
    let cost: Cost = record.results.cost.clone().expect("planned");
    let training = record.results.training.clone().expect("trained");
    let point: EpochPoint = training.curve[0];
    let bodies = vec![
        EventBody::Planned {
            cost,
            steps_per_epoch: 34,
            recipe_digest: record.recipe_digest.clone(),
            started: record.started.clone(),
            record: "{\"assay\":\"record\"}".into(),
        },
        EventBody::Engine {
            engine: "gpu".into(),
            reason: "asked for".into(),
            adapter: "an adapter".into(),
            batch_size: 32,
        },
        EventBody::Tuned { tiles: "{}".into() },
        EventBody::GpuLost {
            reason: "the device was lost".into(),
            epoch: 3,
            smaller_batch: Some(16),
            decided: None,
        },
        EventBody::Variant { index: 1, count: 3 },
        EventBody::Searched {
            point: json!({ "layers": { "conv1": "int4" } }),
            fraction: 0.25,
        },
        EventBody::Progress {
            epoch: 1,
            epochs: 12,
            step: 17,
            steps: 408,
            loss: 2.25,
            accuracy: 0.25,
            samples_per_sec: 3120.5,
            eta_secs: Some(4.5),
        },
        EventBody::Epoch { point },
        EventBody::Checkpoint {
            buffer: 1,
            epoch: 1,
            record: "{\"assay\":\"record\"}".into(),
        },
        EventBody::Stage {
            name: "timing one row".into(),
            fraction: 0.5,
        },
        EventBody::Samples {
            batch: 1,
            millis: vec![0.25, 0.5],
        },
        EventBody::NonFinite { step: 99 },
        EventBody::Recorded {
            digest: "0".repeat(64),
            record: "{\"assay\":\"record\"}".into(),
            buffer: Some(2),
            fine_tuned_buffer: Some(3),
        },
        EventBody::Verdict {
            verdict: json!({"overall": "reproduced", "reason": "", "metrics": []}),
        },
        EventBody::Done { value: json!({}) },
        EventBody::Error {
            kind: "recipe".into(),
            message: "the recipe cannot be used: seed: missing".into(),
        },
    ];
    for body in &bodies {
        // A new event does not compile here before it has its sample above.
        match body {
            EventBody::Planned { .. }
            | EventBody::Engine { .. }
            | EventBody::Tuned { .. }
            | EventBody::GpuLost { .. }
            | EventBody::Variant { .. }
            | EventBody::Searched { .. }
            | EventBody::Progress { .. }
            | EventBody::Epoch { .. }
            | EventBody::Checkpoint { .. }
            | EventBody::Stage { .. }
            | EventBody::Samples { .. }
            | EventBody::NonFinite { .. }
            | EventBody::Recorded { .. }
            | EventBody::Verdict { .. }
            | EventBody::Done { .. }
            | EventBody::Error { .. } => {}
        }
    }
    (1..)
        .zip(bodies)
        .map(|(id, body)| Event { id, body })
        .collect()
}

fn protocol_text() -> String {
    let summary = DatasetSummary {
        set: "digits".into(),
        title: "Handwritten digits".into(),
        attribution: "E. Alpaydin and C. Kaynak".into(),
        licence: "CC BY 4.0".into(),
        notes: vec!["Taken for images of 8×8.".into()],
        sha256: "0".repeat(64),
        shape: [1, 8, 8],
        classes: vec!["0".into(), "1".into()],
        counts: vec![[3, 1, 1], [2, 1, 1]],
        train: vec![0, 1, 2, 5, 6],
        validation: vec![3, 7],
        test: vec![4, 8],
        labels: vec![0, 0, 0, 0, 0, 1, 1, 1, 1],
        groups: String::new(),
        source: String::new(),
        before: Vec::new(),
    };
    let scores = Scores {
        probabilities: vec![0.25, 0.75],
        predicted: 1,
        millis: 0.5,
    };
    pretty(&json!({
        "commands": commands(),
        "events": events(),
        "answers": { "dataset": summary, "predict": scores },
    }))
}

#[test]
fn every_message_keeps_its_form() {
    let text = golden("protocol.json");
    assert_same("protocol.json", &protocol_text(), &text);
    let value: Value = serde_json::from_str(&text).expect("JSON");
    let read: Vec<Command> = value["commands"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|command| Command::from_value(command.clone()).expect("a command"))
        .collect();
    assert_eq!(read, commands());
    let read: Vec<Event> = serde_json::from_value(value["events"].clone()).expect("events");
    assert_eq!(read, events());
    // What may be left out is.
    let short =
        Command::from_value(json!({"id": 1, "type": "run", "recipe": {}})).expect("a command");
    assert!(matches!(
        short.body,
        CommandBody::Run {
            claim: None,
            resume: false,
            resumed_from: None,
            hold_timing: false,
            ..
        }
    ));
}
