//! The lab's jobs on stored models: variants, the microscope, exports and searches, with stops and with what they refuse.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use assay::digest::canonical_json;
use assay::engine::gpu;
use assay::eval::ManualClock;
use assay::lab::Lab;
use assay::lab::prepared::prepare;
use assay::lab::protocol::{Command, CommandBody, Event, EventBody, WeightsBehind};
use assay::model::Weights;
use assay::recipe::{ExecutionSpec, Recipe};
use assay::result::{Execution, Part};
use assay::runlog::claim::Claim;
use assay::runlog::record::{self, Environment, Record, Status};
use assay::runlog::summary;
use assay::stats::wilson;
use serde_json::{Value, json};
use std::rc::Rc;

/// How one command went.
struct Told {
    events: Vec<EventBody>,
    answer: Result<Value, String>,
    /// Bytes that the answer names, or the last record's weights.
    bytes: Option<Vec<u8>>,
    /// What fine-tuning left of the last model that was.
    fine_tuned: Option<Vec<u8>>,
}

impl Told {
    /// How far fine-tuning was, each time that it was told.
    fn fine_tuning(&self) -> Vec<f64> {
        let events = self.events.iter();
        events
            .filter_map(|event| match event {
                EventBody::Stage { name, fraction } if name == "fine-tuning" => Some(*fraction),
                _ => None,
            })
            .collect()
    }

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
    let open = CommandBody::Open {
        environment: Environment::default(),
        gpu_missing: "these tests use none".into(),
        tiles: String::new(),
    };
    lab.command(Command { id: 3, body: open }, None);
    lab.command(Command { id: 1, body }, bytes.map(<[u8]>::to_vec));
    let mut told = Told {
        events: Vec::new(),
        answer: Err(String::new()),
        bytes: None,
        fine_tuned: None,
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
                        buffer,
                        fine_tuned_buffer,
                        ..
                    } = other
                    {
                        let mut taken = |key: Option<u32>| key.and_then(|it| lab.take_buffer(it));
                        told.bytes = taken(buffer).or(told.bytes);
                        told.fine_tuned = taken(fine_tuned_buffer).or(told.fine_tuned);
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

/// A record with something else in it, sealed again.
fn changed(text: &str, change: impl FnOnce(&mut Record)) -> String {
    let (mut record, _) = record::read(text).unwrap();
    change(&mut record);
    record.recipe_digest = record.recipe.digest();
    record::seal(record).0
}

fn search(record: &str) -> CommandBody {
    CommandBody::Search {
        record: record.into(),
        budget: json!({ "points": 1.0 }),
        known: Vec::new(),
    }
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
    let stopped = changed(&base, |record| record.status = Status::Stopped);
    let message = refused(variants(&stopped, &["int8"]), Some(&weights));
    assert!(message.contains("a complete one"), "{message}");
    // Nothing is recorded of the first, which could be made.
    let body = CommandBody::Variants {
        record: base.clone(),
        quantizations: vec![
            json!({ "scheme": "int8" }),
            json!({ "scheme": "f32", "layers": { "conv9": "int4" } }),
        ],
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
        let body = CommandBody::Inspect {
            recipe,
            weights: recorded.digests.weights.clone(),
            fine_tuned: None,
        };
        let told = ask(body, Some(&weights), |_| None);
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
        weights: int8.digests.weights.clone(),
        fine_tuned: None,
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
        weights: int8.digests.weights.clone(),
        fine_tuned: None,
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

#[test]
fn a_base_that_cannot_be_vouched_for_is_refused_before_the_work_begins() {
    let (base, weights) = trained();
    let altered = base.replacen("\"seed\":1", "\"seed\":2", 1);
    assert_ne!(altered, base);
    let older = changed(&base, |record| {
        record.environment.arithmetic = "cpu-1".into();
    });
    let mut other = weights.clone();
    let last = other.len() - 1;
    other[last] ^= 1;
    for (record, weights, words) in [
        (&altered, &weights, ["altered", "run its recipe again"]),
        (&older, &weights, ["\"cpu-1\"", "train the model anew"]),
        (&base, &other, ["the weights", "those of the run"]),
    ] {
        for body in [variants(record, &["int8"]), search(record)] {
            let told = ask(body, Some(weights), |_| None);
            assert!(told.events.is_empty(), "{words:?}: {:?}", told.events);
            let message = told.answer.unwrap_err();
            assert!(words.iter().all(|it| message.contains(it)), "{message}");
        }
    }
}

#[test]
fn other_weights_than_those_of_the_record_are_refused_before_the_work_begins() {
    let (base, bytes) = trained();
    let weights = record::read(&base).unwrap().0.digests.weights;
    let mut other = bytes.clone();
    let last = other.len() - 1;
    other[last] ^= 1;
    let recipe = recipe().to_value();
    let bodies = [
        CommandBody::Inspect {
            recipe: recipe.clone(),
            weights: weights.clone(),
            fine_tuned: None,
        },
        CommandBody::Export {
            recipe: recipe.clone(),
            format: "safetensors".into(),
            weights: weights.clone(),
            fine_tuned: None,
        },
        CommandBody::Load {
            recipe,
            weights: weights.clone(),
            fine_tuned: None,
        },
    ];
    for body in bodies {
        assert!(ask(body.clone(), Some(&bytes), |_| None).answer.is_ok());
        let told = ask(body, Some(&other), |_| None);
        assert!(told.events.is_empty(), "{:?}", told.events);
        let message = told.answer.unwrap_err();
        assert!(
            message.contains("those of the run") && message.contains(&weights),
            "{message}"
        );
    }
}

#[test]
fn a_variant_of_a_model_trained_on_a_gpu_says_so_where_there_is_none() {
    let (base, weights) = trained();
    let (exact, _) = record::read(&base).unwrap();
    let on_gpu = changed(&base, |record| {
        record.recipe.execution = Some(ExecutionSpec {
            engine: Some("gpu".into()),
            ..ExecutionSpec::default()
        });
        record.environment.engine = "gpu".into();
        record.environment.arithmetic = gpu::ARITHMETIC.into();
        record.results.execution = Some(Execution {
            asked: "gpu".into(),
            engine: "gpu".into(),
            reason: "the recipe asks for it".into(),
            parts: vec![Part {
                engine: "gpu".into(),
                batch_size: record.recipe.training.batch_size,
                first_epoch: 1,
                reason: String::new(),
            }],
            ..Execution::default()
        });
    });
    let told = ask(variants(&on_gpu, &["int8"]), Some(&weights), |_| None);
    let (variant, _) = told.records().remove(0);
    assert_eq!(variant.environment.engine, "mixed");
    assert_eq!(variant.environment.arithmetic, gpu::ARITHMETIC);
    let execution = variant.results.execution.unwrap();
    let epochs = exact.results.training.unwrap().curve.len();
    let parts: Vec<(&str, u32)> = (execution.parts.iter())
        .map(|it| (it.engine.as_str(), it.first_epoch))
        .collect();
    assert_eq!(parts, [("gpu", 1), ("cpu", epochs as u32 + 1)]);
    let reason = &execution.parts[1].reason;
    assert!(
        reason.contains("was trained on a GPU") && reason.contains("these tests use none"),
        "{reason}"
    );
    assert_eq!(execution.engine, "gpu");
}

#[test]
fn fine_tuning_tells_its_progress_and_is_stopped_between_two_steps() {
    let (base, weights) = trained();
    let tuned = json!({ "scheme": "int8", "fine_tune_epochs": 20 });
    let stop = |event: &EventBody| {
        let is_begun = matches!(event, EventBody::Stage { name, fraction } if name == "fine-tuning" && *fraction > 0.1);
        is_begun.then_some(CommandBody::Stop { target: 1 })
    };
    let body = CommandBody::Variants {
        record: base.clone(),
        quantizations: vec![tuned.clone(), json!({ "scheme": "f16" })],
    };
    let whole = ask(body.clone(), Some(&weights), |_| None);
    assert_eq!(whole.records().len(), 2);
    let all = whole.fine_tuning();
    assert!(
        all.is_sorted_by(|a, b| a < b) && all.len() == 100,
        "{all:?}"
    );
    let stopped = ask(body, Some(&weights), stop);
    let seen = stopped.fine_tuning();
    assert!(stopped.fine_tuned.is_none());
    assert!(seen.iter().all(|it| *it < 0.13), "{seen:?}");
    let (record, _) = stopped.records().remove(0);
    assert_eq!(record.status, Status::Stopped);
    assert!(record.results.training.is_some() && record.results.accuracy.is_none());
    assert_eq!(stopped.records().len(), 1);
    let mut recipe = recipe().to_value();
    recipe["quantization"] = tuned;
    let body = CommandBody::Inspect {
        recipe,
        weights: record.digests.weights,
        fine_tuned: None,
    };
    let message = ask(body, Some(&weights), stop).answer.unwrap_err();
    assert_eq!(message, "stopped");
}

#[test]
fn a_tensor_that_fell_back_when_it_was_stored_is_recorded_as_it_is() {
    let (base, weights) = trained();
    let graph = prepare(&recipe()).unwrap().plan.graph;
    let mut weights = Weights::from_safetensors(&weights, &graph).unwrap();
    let dense = weights.get("dense.weight").unwrap();
    let (shape, mut values) = (dense.shape.clone(), dense.values.clone());
    // A 127th of it is beyond f16.
    values[0] = 1e8;
    weights.insert("dense.weight", shape, values);
    let base = changed(&base, |record| record.digests.weights = weights.digest());
    let bytes = weights.to_safetensors(&[]);
    let quantization = json!({ "scheme": "Q8_0", "rows": "padded" });
    let body = CommandBody::Variants {
        record: base.clone(),
        quantizations: vec![quantization.clone()],
    };
    let (record, _) = ask(body, Some(&bytes), |_| None).records().remove(0);
    let cost = record.results.cost.unwrap();
    let dense = cost.layers.iter().find(|it| it.name == "dense").unwrap();
    assert_eq!(dense.scheme, "f32");
    assert!(dense.reason.contains("beyond the range of f16"));
    assert_eq!(dense.bytes, dense.parameters * 4);
    let sum: u64 = cost.layers.iter().map(|it| it.bytes).sum();
    assert_eq!(cost.weight_bytes, sum);
    let mut recipe = recipe().to_value();
    recipe["quantization"] = quantization;
    let body = CommandBody::Inspect {
        recipe,
        weights: weights.digest(),
        fine_tuned: None,
    };
    let seen = ask(body, Some(&bytes), |_| None).answer.unwrap();
    assert_eq!(seen["weightBytes"], json!(cost.weight_bytes));
    assert_eq!(seen["cost"], serde_json::to_value(&cost).unwrap());
}

#[test]
fn a_search_measures_the_loss_that_training_told_and_intervals_as_the_recipe_asks() {
    let (base, weights) = trained();
    let base = changed(&base, |record| record.recipe.evaluation.confidence = 0.8);
    let told = ask(search(&base), Some(&weights), |_| None);
    let path = told.answer.unwrap()["path"].clone();
    let exact = &path[0];
    assert_eq!(exact["layers"], json!({}));
    let training = record::read(&base).unwrap().0.results.training.unwrap();
    let kept = &training.curve[training.kept_epoch as usize - 1];
    let off = exact["loss"].as_f64().unwrap() - kept.validation_loss;
    assert!(off.abs() < 1e-12 * kept.validation_loss, "{off}");
    let count = |name: &str| u32::try_from(exact[name].as_u64().unwrap()).unwrap();
    let (low, high) = wilson(count("correct"), count("rows"), 0.8);
    assert_eq!([&exact["low"], &exact["high"]], [&json!(low), &json!(high)]);
}

/// A run with a quantization that fine-tunes: its record, and the command's bytes for its weights, with and without what
/// fine-tuning left.
fn fine_tuned(quantization: Value) -> (Record, Vec<u8>, Vec<u8>) {
    let (base, weights) = trained();
    let body = CommandBody::Variants {
        record: base,
        quantizations: vec![quantization],
    };
    let told = ask(body, Some(&weights), |_| None);
    assert!(!told.fine_tuning().is_empty());
    let (record, _) = told.records().remove(0);
    let both = [weights.clone(), told.fine_tuned.unwrap()].concat();
    (record, weights, both)
}

/// Where in the bytes of [`fine_tuned`] the second file begins.
fn behind(record: &Record, weights: &[u8]) -> WeightsBehind {
    WeightsBehind {
        digest: record.digests.fine_tuned.clone(),
        from: weights.len() as u32,
    }
}

fn export(record: &Record, fine_tuned: Option<WeightsBehind>) -> CommandBody {
    CommandBody::Export {
        recipe: record.recipe.to_value(),
        format: "safetensors".into(),
        weights: record.digests.weights.clone(),
        fine_tuned,
    }
}

fn inspect(record: &Record, fine_tuned: Option<WeightsBehind>) -> CommandBody {
    CommandBody::Inspect {
        recipe: record.recipe.to_value(),
        weights: record.digests.weights.clone(),
        fine_tuned,
    }
}

fn load(record: &Record, fine_tuned: Option<WeightsBehind>) -> CommandBody {
    CommandBody::Load {
        recipe: record.recipe.to_value(),
        weights: record.digests.weights.clone(),
        fine_tuned,
    }
}

#[test]
fn what_fine_tuning_left_is_stored_to_the_same_bits_without_fine_tuning() {
    let tuned = |scheme: &str| json!({ "scheme": scheme, "fine_tune_epochs": 1 });
    let mut pruned = tuned("int4");
    pruned["pruning"] = json!("channels");
    pruned["pruned_percent"] = json!(25);
    let mut masked = tuned("int8-weights");
    masked["pruning"] = json!("weights");
    let mut all = tuned("int8");
    all["equalization"] = json!("on");
    all["bias_correction"] = json!("on");
    for quantization in [tuned("ternary"), pruned, masked, all] {
        let (record, weights, both) = fine_tuned(quantization);
        let what = record.recipe.quantization.clone();
        let kept = || Some(behind(&record, &weights));
        for body in [
            export(&record, kept()),
            inspect(&record, kept()),
            load(&record, kept()),
        ] {
            let told = ask(body.clone(), Some(&both), |_| None);
            assert!(told.fine_tuning().is_empty(), "{what:?}");
            let answer = told.answer.unwrap();
            match body {
                CommandBody::Export { .. } => {
                    assert_eq!(answer["predictions"], json!(record.digests.predictions));
                    assert_eq!(answer["stored"], json!(record.digests.stored));
                }
                CommandBody::Inspect { .. } => {
                    assert_eq!(answer["stored"], json!(record.digests.stored));
                    let seen = canonical_json(&answer["damage"]);
                    let noted = record.results.damage.as_ref().unwrap();
                    assert!(seen == canonical_json(noted), "{what:?}");
                }
                _ => assert_eq!(answer, json!({})),
            }
        }
        // Where they are gone the recipe makes the same on the CPU, in the time that it takes.
        let anew = ask(export(&record, None), Some(&weights), |_| None);
        assert!(!anew.fine_tuning().is_empty(), "{what:?}");
        assert_eq!(anew.answer.unwrap()["stored"], json!(record.digests.stored));
    }
}

#[test]
fn other_weights_after_fine_tuning_are_refused_before_the_work_begins() {
    let (record, weights, both) = fine_tuned(json!({ "scheme": "ternary", "fine_tune_epochs": 1 }));
    let refused = |record: &Record, behind: WeightsBehind, bytes: &[u8]| {
        let told = ask(export(record, Some(behind)), Some(bytes), |_| None);
        assert!(told.events.is_empty(), "{:?}", told.events);
        told.answer.unwrap_err()
    };
    let own = behind(&record, &weights);
    let mut other = both.clone();
    let last = other.len() - 1;
    other[last] ^= 1;
    let words = refused(&record, own.clone(), &other);
    assert!(
        words.contains("after fine-tuning") && words.contains(&own.digest),
        "{words}"
    );
    // The trained ones are no such weights, and those of another quantization are another model's.
    let twice = [weights.clone(), weights.clone()].concat();
    let words = refused(&record, own.clone(), &twice);
    assert!(words.contains("after fine-tuning"), "{words}");
    let mut longer = record.clone();
    longer.recipe.quantization.fine_tune_epochs = Some(2);
    let words = refused(&longer, own.clone(), &both);
    assert!(words.contains("after fine-tuning"), "{words}");
    let mut plain = record.clone();
    plain.recipe.quantization.fine_tune_epochs = None;
    let words = refused(&plain, own.clone(), &both);
    assert!(words.contains("the weights"), "{words}");
    // Bytes that end too soon, or begin too late.
    for from in [own.from - 8, own.from + 8, both.len() as u32 + 1, u32::MAX] {
        let words = refused(
            &record,
            WeightsBehind {
                from,
                ..own.clone()
            },
            &both,
        );
        assert!(words.contains("the weights"), "{from}: {words}");
    }
    let words = refused(&record, own, &weights);
    assert!(words.contains("safetensors"), "{words}");
}

#[test]
fn a_record_names_what_fine_tuning_left_and_only_where_it_was() {
    let tuned = json!({ "scheme": "ternary", "fine_tune_epochs": 1 });
    let (base, weights) = trained();
    assert!(!base.contains("fine_tuned"));
    let body = CommandBody::Variants {
        record: base,
        quantizations: vec![tuned.clone(), json!({ "scheme": "ternary" })],
    };
    let told = ask(body, Some(&weights), |_| None);
    let [(record, text), (plain, plain_text)] = &told.records()[..] else {
        panic!("two records");
    };
    assert_eq!(record.digests.fine_tuned.len(), 64);
    assert!(plain.digests.fine_tuned.is_empty() && !plain_text.contains("fine_tuned"));
    assert_eq!(
        summary::summarize(text).unwrap().fine_tuned_digest,
        record.digests.fine_tuned
    );
    // A link carries what another person can check, which fine-tunes anew.
    let claim = Claim::from_record(record, "").unwrap();
    assert!(!claim.text().contains("fine_tuned"));
    // A variant of a fine-tuned run begins with the trained weights again.
    let body = CommandBody::Variants {
        record: text.clone(),
        quantizations: vec![json!({ "scheme": "ternary" })],
    };
    let again = ask(body, Some(&weights), |_| None);
    assert_eq!(again.records()[0].0.digests.stored, plain.digests.stored);
    assert_eq!(again.records()[0].0.digests.weights, record.digests.weights);
}
