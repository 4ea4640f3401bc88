//! Sets that a person edited, in the lab: their digests, their checks, their slices, and what a link and an old record make of
//! them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use assay::data::{self, LocalMaker};
use assay::lab::desk;
use assay::lab::protocol::{CommandBody, DatasetSummary};
use assay::recipe::Recipe;
use assay::runlog::claim::Claim;
use assay::runlog::link::{self, Link};
use assay::runlog::record::{self, Record};
use assay::runlog::verdict::{Overall, judge};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use support::pump::{answer, run};

/// A short training on the digits with these edits.
fn edited(edits: &Value) -> Recipe {
    let mut recipe = Recipe::default_for("digits", "mlp");
    recipe.data.edits = edits.as_object().filter(|it| !it.is_empty()).cloned();
    recipe.training.epochs = 2;
    recipe.evaluation.latency_secs = 0.0;
    recipe
}

fn ran(recipe: &Recipe) -> Record {
    let mut record = run(&LocalMaker::default(), recipe).unwrap();
    // As a page or the command says it of itself.
    record.environment.arithmetic = desk::ARITHMETIC.into();
    record.environment.engine = "cpu".into();
    record
}

fn asked(body: CommandBody) -> Value {
    answer(&LocalMaker::default(), body, |_| {}).unwrap()
}

fn summary(recipe: &Recipe) -> DatasetSummary {
    let recipe = recipe.to_value();
    serde_json::from_value(asked(CommandBody::Dataset { recipe })).unwrap()
}

fn finding(recipe: &Recipe, check: &str) -> Value {
    let recipe = recipe.to_value();
    let found = asked(CommandBody::Check { recipe });
    let findings = found["findings"].as_array().unwrap().iter();
    findings
        .clone()
        .find(|it| it["check"] == check)
        .unwrap()
        .clone()
}

#[test]
fn an_edited_set_has_a_digest_of_its_own_and_names_the_one_it_derives_from() {
    let plain = ran(&edited(&json!({})));
    assert_eq!(plain.digests.data, data::load("digits").unwrap().digest());
    assert_eq!(plain.digests.source, "");
    assert!(plain.results.slices.is_none());
    let (first, second) = (plain.predictions.as_ref().unwrap().rows[0], 17);
    let changed = ran(&edited(
        &json!({ "labels": { "17": 3 }, "dropped": [first] }),
    ));
    assert_ne!(changed.digests.data, plain.digests.data);
    assert_eq!(changed.digests.source, plain.digests.data);
    let rows = &changed.predictions.as_ref().unwrap().rows;
    assert_eq!(rows[..], plain.predictions.as_ref().unwrap().rows[1..]);
    assert!(!rows.contains(&first) && !rows.contains(&second));
    let told = summary(&changed.recipe);
    assert_eq!(told.sha256, changed.digests.data);
    assert_eq!(told.source, plain.digests.data);
    assert_eq!((told.before[0], told.labels[17]), (7, 3));
    assert_eq!(
        told.train.len() + told.validation.len() + told.test.len(),
        1796
    );
}

#[test]
fn a_link_carries_edits_and_a_claim_of_the_unedited_set_stays_with_it() {
    let edits = json!({ "labels": { "17": 3 }, "slices": { "first": [0, 1, 2] } });
    let (plain, changed) = (ran(&edited(&json!({}))), ran(&edited(&edits)));
    let of_plain = link::pack_recipe(&plain.recipe).unwrap();
    assert!(!of_plain.carries.concat().contains("edited"));
    let packed = link::pack_recipe(&changed.recipe).unwrap();
    assert!(
        packed.carries[1].contains("names of slices"),
        "{:?}",
        packed.carries
    );
    let Link::Recipe(opened) = link::open(&packed.fragment).unwrap() else {
        panic!("a recipe was packed");
    };
    let again = ran(&opened);
    assert_eq!(again.digests, changed.digests);
    let claim = Claim::from_record(&changed, "").unwrap();
    let Link::Claim(claim) = link::open(&link::pack_claim(&claim).unwrap().fragment).unwrap()
    else {
        panic!("a claim was packed");
    };
    assert_eq!(claim.digests.source, plain.digests.data);
    assert_eq!(judge(&claim, &again).overall, Overall::Reproduced);
    // The old record is of the old set, whatever was edited since.
    let old = Claim::from_record(&plain, "").unwrap();
    assert_eq!(judge(&old, &ran(&old.recipe)).overall, Overall::Reproduced);
    assert_eq!(judge(&old, &changed).overall, Overall::CannotBeJudged);
}

#[test]
fn doubted_labels_that_are_relabelled_as_suggested_are_doubted_no_more() {
    let mut recipe = edited(&json!({}));
    recipe.data.faults = Some([("label flips".into(), 0.1)].into());
    let before = finding(&recipe, "consistency");
    assert_eq!(before["status"], "warn", "{before}");
    let (rows, suggested) = (
        before["rows"].as_array().unwrap(),
        before["suggested"].as_array().unwrap(),
    );
    assert_eq!(rows.len() as u64, before["count"].as_u64().unwrap());
    assert_eq!(rows.len(), suggested.len());
    assert_eq!(rows[..20], before["examples"].as_array().unwrap()[..]);
    let labels: Map<String, Value> = (rows.iter().zip(suggested))
        .map(|(row, class)| (row.to_string(), class.clone()))
        .collect();
    // What was put in on purpose is what the suggestions take out again.
    let truth = data::load("digits").unwrap().labels;
    let flipped: BTreeMap<u32, u16> = (0..).zip(summary(&recipe).labels).collect();
    let repaired = labels.iter().filter(|(row, class)| {
        let row: usize = row.parse().unwrap();
        flipped[&(row as u32)] != truth[row] && class.as_u64() == Some(u64::from(truth[row]))
    });
    let share = repaired.count() as f64 / rows.len() as f64;
    recipe.data.edits = json!({ "labels": labels }).as_object().cloned();
    let after = finding(&recipe, "consistency");
    println!(
        "{} doubted, {:.3} of them repaired, {} doubted after",
        rows.len(),
        share,
        after["count"]
    );
    assert!(share > 0.8, "{share}");
    assert_eq!(after["status"], "pass", "{after}");
    assert!(after["count"].as_u64().unwrap() * 4 < before["count"].as_u64().unwrap());
}

#[test]
fn a_dropped_copy_is_found_no_more() {
    let mut recipe = edited(&json!({}));
    recipe.data.faults = Some([("duplicates".into(), 0.01)].into());
    let before = finding(&recipe, "duplicates");
    let rows = &before["rows"];
    assert_eq!(before["of"], 1797);
    recipe.data.edits = json!({ "dropped": rows }).as_object().cloned();
    let after = finding(&recipe, "duplicates");
    assert_eq!(after["count"], 0, "{after}");
    assert_eq!(
        after["of"].as_u64().unwrap(),
        1797 - rows.as_array().unwrap().len() as u64
    );
    assert_eq!(finding(&recipe, "schema")["status"], "pass");
}

#[test]
fn each_slice_has_its_accuracy_with_an_interval() {
    let plain = ran(&edited(&json!({})));
    let answers = plain.predictions.as_ref().unwrap();
    let wrong: Vec<u32> = (0..answers.rows.len())
        .filter(|at| answers.labels[*at] != answers.predicted[*at])
        .map(|at| answers.rows[at])
        .collect();
    assert!(!wrong.is_empty());
    let sliced = ran(&edited(
        &json!({ "slices": { "missed": wrong, "test": answers.rows } }),
    ));
    // A slice is a version of its own and changes no weight.
    assert_ne!(sliced.digests.data, plain.digests.data);
    assert_eq!(sliced.digests.weights, plain.digests.weights);
    let slices = sliced.results.slices.unwrap();
    assert_eq!(slices[0]["slice"], "missed");
    assert_eq!(slices[0]["accuracy"]["correct"], 0);
    assert_eq!(slices[0]["accuracy"]["total"], wrong.len());
    assert_eq!(slices[1]["accuracy"], json!(plain.results.accuracy));
}

#[test]
fn two_versions_of_a_set_are_compared_on_rows_with_the_same_right_answer() {
    let plain = ran(&edited(&json!({})));
    let rows = &plain.predictions.as_ref().unwrap().rows;
    let (dropped, relabelled) = (rows[0], rows[1]);
    let before = data::load("digits").unwrap().labels[relabelled as usize];
    let changed = ran(&edited(&json!({
        "labels": { relabelled.to_string(): (before + 1) % 10 },
        "dropped": [dropped],
    })));
    let text = |record: &Record| record::seal(record.clone()).0;
    let both = desk::compare_records(&text(&plain), &text(&changed)).unwrap();
    assert_eq!(both.paired.unwrap().rows as usize, rows.len() - 2);
    assert_eq!(both.fields.len(), 1);
    assert_eq!(both.fields[0].path, "data.edits");
    let mut stranger = changed;
    stranger.digests.source = "0".repeat(64);
    let both = desk::compare_records(&text(&plain), &text(&stranger)).unwrap();
    assert_eq!(both.paired, None);
}

#[test]
fn a_set_that_is_divided_by_groups_keeps_its_division() {
    let mut recipe = Recipe::default_for("chess", "lenet");
    recipe.data.size = Some(60);
    let plain = summary(&recipe);
    let (gone, kept) = (plain.test[7], &plain.train);
    recipe.data.edits = json!({ "dropped": [gone], "labels": { kept[0].to_string(): 1 } })
        .as_object()
        .cloned();
    let changed = summary(&recipe);
    let left: Vec<u32> = (plain.test.iter().copied())
        .filter(|row| *row != gone)
        .collect();
    assert_eq!((changed.test, &changed.train), (left, kept));
    assert_eq!(changed.source, plain.sha256);
    assert_ne!(changed.sha256, plain.sha256);
}

#[test]
fn edits_that_do_not_fit_the_set_are_refused_before_it_is_used() {
    for (edits, words) in [
        (
            json!({ "dropped": [1797] }),
            "rows of digits below 1797, got row 1797",
        ),
        (
            json!({ "labels": { "3": 10 } }),
            "classes of digits below 10, got class 10 of row 3",
        ),
        (json!({ "slices": { "a": [9000] } }), "got row 9000"),
        (
            json!({ "labels": { "3": 1 }, "dropped": [3] }),
            "row 3 is both",
        ),
    ] {
        let recipe = edited(&edits);
        let refused = desk::check_recipe(&recipe.to_json()).err().unwrap();
        assert!(refused.to_string().contains(words), "{refused}");
        let (_, refused) = run(&LocalMaker::default(), &recipe).unwrap_err();
        assert!(refused.contains(words), "{refused}");
    }
}
