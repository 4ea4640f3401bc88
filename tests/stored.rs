//! The lab's jobs on stored models: variants, the microscope, exports and searches, with stops and with what they refuse.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use assay::digest::canonical_json;
use assay::eval::ManualClock;
use assay::lab::Lab;
use assay::lab::protocol::{Command, CommandBody, Event, EventBody};
use assay::recipe::Recipe;
use assay::runlog::record::{self, Environment, Record, Status};
use serde_json::{Value, json};
use std::rc::Rc;

/// How one command went.
struct Told {
    events: Vec<EventBody>,
    answer: Result<Value, String>,
    /// Bytes that the answer names, or the last record's weights.
    bytes: Option<Vec<u8>>,
}

impl Told {
    fn records(&self) -> Vec<(Record, String)> {
        let texts = self.events.iter().filter_map(|event| match event {
            EventBody::Recorded { record, .. } => Some(record.clone()),
            _ => None,
        });
        texts
            .map(|text| (record::read(&text).unwrap().0, text))
            .collect()
    }
}

/// Gives a lab one command; `hear` may answer an event with a command to the lab.
fn ask(
    body: CommandBody,
    bytes: Option<&[u8]>,
    mut hear: impl FnMut(&EventBody) -> Option<CommandBody>,
) -> Told {
    let mut lab = Lab::new(Rc::new(ManualClock::default()), Environment::default());
    lab.command(Command { id: 1, body }, bytes.map(<[u8]>::to_vec));
    let mut told = Told {
        events: Vec::new(),
        answer: Err(String::new()),
        bytes: None,
    };
    loop {
        for Event { id, body } in lab.pump(0.0) {
            if id != 1 {
                continue;
            }
            if let Some(more) = hear(&body) {
                lab.command(Command { id: 2, body: more }, None);
            }
            match body {
                EventBody::Done { value } => {
                    let key = value["buffer"]
                        .as_u64()
                        .map(|key| u32::try_from(key).unwrap());
                    told.bytes = key.and_then(|key| lab.take_buffer(key)).or(told.bytes);
                    told.answer = Ok(value);
                    return told;
                }
                EventBody::Error { message, .. } => {
                    told.answer = Err(message);
                    return told;
                }
                EventBody::Checkpoint { buffer, .. } => drop(lab.take_buffer(buffer)),
                other => {
                    if let EventBody::Recorded {
                        buffer: Some(key), ..
                    } = other
                    {
                        told.bytes = lab.take_buffer(key);
                    }
                    told.events.push(other);
                }
            }
        }
    }
}

/// A small recipe that trains in a moment and is not timed: the clock of these tests stands still.
fn recipe() -> Recipe {
    let mut recipe = Recipe::default_for("digits", "lenet");
    recipe.architecture.channels = Some(4);
    recipe.architecture.dense = Some(16);
    recipe.training.epochs = 3;
    recipe.training.warmup_epochs = 0.5;
    recipe.evaluation.latency_secs = 0.0;
    recipe
}

/// Its record's text and its weights.
fn trained() -> (String, Vec<u8>) {
    let run = CommandBody::Run {
        recipe: recipe().to_value(),
        claim: None,
        resume: false,
        resumed_from: None,
        hold_timing: false,
    };
    let told = ask(run, None, |_| None);
    (told.records().remove(0).1, told.bytes.unwrap())
}

fn variants(record: &str, schemes: &[&str]) -> CommandBody {
    CommandBody::Variants {
        record: record.into(),
        quantizations: (schemes.iter())
            .map(|scheme| json!({ "scheme": scheme }))
            .collect(),
    }
}

#[test]
fn a_stop_ends_variants_and_keeps_those_that_were_recorded() {
    let (base, weights) = trained();
    let all = ask(
        variants(&base, &["int8", "int4", "f16"]),
        Some(&weights),
        |_| None,
    );
    assert_eq!(all.records().len(), 3);
    let (exact, _) = record::read(&base).unwrap();
    for (record, _) in all.records() {
        assert_eq!(record.status, Status::Complete);
        assert_eq!(record.digests.weights, exact.digests.weights);
        assert_eq!(record.digests.data, exact.digests.data);
        assert_eq!(record.results.training, exact.results.training);
        assert_eq!(record.recipe_digest, record.recipe.digest());
    }
    let stopped = ask(
        variants(&base, &["int8", "int4", "f16"]),
        Some(&weights),
        |event| {
            let second = matches!(event, EventBody::Variant { index: 1, .. });
            second.then_some(CommandBody::Stop { target: 1 })
        },
    );
    let records = stopped.records();
    assert_eq!(records.len(), 2);
    assert_eq!(records[0].0.status, Status::Complete);
    assert_eq!(
        stopped.answer.unwrap()["digests"].as_array().unwrap().len(),
        2
    );
}

#[test]
fn what_cannot_be_stored_otherwise_is_refused_before_the_work_begins() {
    let (base, weights) = trained();
    let refused = |body: CommandBody, bytes: Option<&[u8]>| {
        let told = ask(body, bytes, |_| None);
        assert!(told.records().is_empty());
        told.answer.unwrap_err()
    };
    let message = refused(variants(&base, &["int8", "int3"]), Some(&weights));
    assert!(message.contains("int3"), "{message}");
    let message = refused(variants(&base, &["int8"]), None);
    assert!(message.contains("safetensors"), "{message}");
    let mut other = weights.clone();
    let last = other.len() - 1;
    other[last] ^= 1;
    let message = refused(variants(&base, &["int8"]), Some(&other));
    assert!(message.contains("those of the run"), "{message}");
    let stopped = base.replace("\"status\":\"complete\"", "\"status\":\"stopped\"");
    assert_ne!(stopped, base);
    let message = refused(variants(&stopped, &["int8"]), Some(&weights));
    assert!(message.contains("a complete one"), "{message}");
    let body = CommandBody::Variants {
        record: base.clone(),
        quantizations: vec![json!({ "scheme": "f32", "layers": { "conv9": "int4" } })],
    };
    let message = refused(body, Some(&weights));
    assert!(
        message.contains("conv9") && message.contains("conv1, conv2, dense"),
        "{message}"
    );
}

#[test]
fn the_microscope_sees_what_the_record_holds_and_a_layer_back_in_f32_without_training() {
    let (base, weights) = trained();
    let (recorded, _) = ask(variants(&base, &["ternary"]), Some(&weights), |_| None)
        .records()
        .remove(0);
    let inspect = |quantization: Value| {
        let mut recipe = recipe().to_value();
        recipe["quantization"] = quantization;
        let told = ask(CommandBody::Inspect { recipe }, Some(&weights), |_| None);
        assert!(told.records().is_empty());
        told.answer.unwrap()
    };
    let seen = inspect(json!({ "scheme": "ternary" }));
    // This clock stands still, so shares of time are 0 in both.
    let as_kept: Value = serde_json::from_str(&canonical_json(&seen["damage"])).unwrap();
    assert!(Some(&as_kept) == recorded.results.damage.as_ref());
    assert_eq!(
        seen["accuracy"],
        serde_json::to_value(recorded.results.accuracy.unwrap()).unwrap()
    );
    assert_eq!(seen["stored"], json!(recorded.digests.stored));
    let worst = seen["damage"]["layers"][0]["layer"].as_str().unwrap();
    let mended = inspect(json!({ "scheme": "ternary", "layers": { worst: "f32" } }));
    assert!(mended["weightBytes"].as_u64() > seen["weightBytes"].as_u64());
    let layers = mended["damage"]["layers"].as_array().unwrap();
    let layer = layers.iter().find(|it| it["layer"] == worst).unwrap();
    assert_eq!(layer["scheme"], "f32");
    let right = |seen: &Value| seen["accuracy"]["correct"].as_u64().unwrap();
    assert!(right(&mended) > right(&seen));
    let exact = inspect(json!({ "scheme": "f32" }));
    assert_eq!(exact["damage"]["flips"], json!([]));
    assert_eq!(exact["accuracy"], exact["exact"]);
}

#[test]
fn few_rows_and_layers_that_cannot_take_a_scheme_are_findings_in_the_record() {
    let (base, weights) = trained();
    let body = CommandBody::Variants {
        record: base,
        quantizations: vec![
            json!({ "scheme": "int8", "calibration_rows": 3 }),
            json!({ "scheme": "Q4_K" }),
        ],
    };
    let records = ask(body, Some(&weights), |_| None).records();
    let warnings = &records[0].0.results.damage.as_ref().unwrap()["warnings"];
    let words = warnings[0].as_str().unwrap();
    assert!(words.contains("3 rows are few") && words.contains("at least 32"));
    let cost = records[1].0.results.cost.as_ref().unwrap();
    let conv = cost.layers.iter().find(|it| it.name == "conv1").unwrap();
    assert_eq!(conv.scheme, "f32");
    assert!(conv.reason.contains("int4 takes"), "{}", conv.reason);
}

#[test]
fn an_export_says_the_digest_of_the_records_own_answers() {
    let (base, weights) = trained();
    let (int8, _) = ask(variants(&base, &["int8"]), Some(&weights), |_| None)
        .records()
        .remove(0);
    let body = CommandBody::Export {
        recipe: int8.recipe.to_value(),
        format: "safetensors".into(),
    };
    let told = ask(body, Some(&weights), |_| None);
    let answer = told.answer.unwrap();
    assert_eq!(answer["predictions"], json!(int8.digests.predictions));
    assert_eq!(answer["stored"], json!(int8.digests.stored));
    let bytes = told.bytes.unwrap();
    assert_eq!(answer["bytes"], json!(bytes.len()));
    assert!(bytes.len() as u64 > int8.results.cost.unwrap().weight_bytes);
    let body = CommandBody::Export {
        recipe: int8.recipe.to_value(),
        format: "gguf".into(),
    };
    let message = ask(body, Some(&weights), |_| None).answer.unwrap_err();
    assert!(message.contains("conv1.weight"), "{message}");
}

#[test]
fn a_stopped_search_goes_on_to_the_same_end() {
    let (base, weights) = trained();
    let search = |known: Vec<Value>| CommandBody::Search {
        record: base.clone(),
        budget: json!({ "points": 1.0 }),
        known,
    };
    let points = |told: &Told| -> Vec<Value> {
        let events = told.events.iter();
        events
            .filter_map(|event| match event {
                EventBody::Searched { point, .. } => Some(point.clone()),
                _ => None,
            })
            .collect()
    };
    let whole = ask(search(Vec::new()), Some(&weights), |_| None);
    let mut seen = 0;
    let stopped = ask(search(Vec::new()), Some(&weights), |event| {
        seen += u32::from(matches!(event, EventBody::Searched { .. }));
        (seen == 4).then_some(CommandBody::Stop { target: 1 })
    });
    assert_eq!(stopped.answer.as_ref().unwrap()["stopped"], true);
    assert!(stopped.records().is_empty());
    let known = points(&stopped);
    assert!((4..8).contains(&known.len()), "{}", known.len());
    let rest = ask(search(known.clone()), Some(&weights), |_| None);
    assert_eq!(points(&rest).len() + known.len(), points(&whole).len());
    let (rest_answer, whole_answer) = (
        rest.answer.as_ref().unwrap(),
        whole.answer.as_ref().unwrap(),
    );
    assert_eq!(rest_answer["path"], whole_answer["path"]);
    assert_eq!(rest_answer["quantization"], whole_answer["quantization"]);
    let (found, _) = rest.records().remove(0);
    assert_eq!(found.digests.stored, whole.records()[0].0.digests.stored);
    assert!(found.recipe.quantization.layers.is_some());
}
