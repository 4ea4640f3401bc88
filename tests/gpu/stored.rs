//! The lab's jobs on a model that was trained on a GPU: variants, the search, the microscope and exports, on this machine's
//! adapter.

use super::lab::{Watch, holds, recipe};
use assay::lab::Lab;
use assay::lab::protocol::{Command, CommandBody, EventBody, WeightsBehind};
use assay::runlog::record::{self, Environment, Record, Status};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use std::rc::Rc;

/// A lab with the record and the weights of a run on the GPU.
struct Base {
    lab: Lab,
    id: u32,
    record: String,
    weights: Vec<u8>,
}

/// What a command said.
struct Said {
    events: Vec<EventBody>,
    /// The records that it made, and the answer.
    records: Vec<Record>,
    answer: Value,
}

impl Base {
    fn new() -> Result<Self, String> {
        let mut base = Self {
            lab: Lab::new(Rc::new(Watch::new()), Environment::default()),
            id: 0,
            record: String::new(),
            weights: Vec::new(),
        };
        let run = CommandBody::Run {
            recipe: recipe("gpu", &[]),
            claim: None,
            resume: false,
            resumed_from: None,
            hold_timing: false,
        };
        let said = base.ask(run, None)?;
        let recorded = said.events.iter().find_map(|event| match event {
            EventBody::Recorded { record, buffer, .. } => Some((record.clone(), *buffer)),
            _ => None,
        });
        let (record, buffer) = recorded.ok_or("no record")?;
        base.record = record;
        let buffer = buffer.ok_or("no weights")?;
        base.weights = base.lab.take_buffer(buffer).ok_or("no weights")?;
        Ok(base)
    }

    /// Pumps until a command has ended.
    fn ask(&mut self, body: CommandBody, bytes: Option<Vec<u8>>) -> Result<Said, String> {
        self.id += 1;
        let id = self.id;
        self.lab.command(Command { id, body }, bytes);
        let mut said = Said {
            events: Vec::new(),
            records: Vec::new(),
            answer: Value::Null,
        };
        for _ in 0..400_000 {
            for event in self.lab.pump(5.0) {
                match &event.body {
                    EventBody::Recorded { record, .. } => {
                        let (record, altered) =
                            record::read(record).map_err(|it| it.to_string())?;
                        if altered {
                            return Err("a digest does not fit".into());
                        }
                        said.records.push(record);
                    }
                    EventBody::Error { message, .. } => return Err(message.clone()),
                    EventBody::Done { value } => {
                        said.answer = value.clone();
                        return Ok(said);
                    }
                    _ => {}
                }
                said.events.push(event.body);
            }
        }
        Err("the command does not end".into())
    }

    /// Whether the model to play with says of the first test rows what a record does, to the digits that it keeps.
    fn plays_as(&mut self, record: &Record) -> Result<bool, String> {
        let of = record.predictions.as_ref().ok_or("no predictions")?;
        let given = of.predicted.iter().zip(&of.confidence);
        for (&row, (&predicted, confidence)) in of.rows.iter().zip(given).take(50) {
            let body = CommandBody::Predict {
                row: Some(row),
                image: None,
            };
            let said = self.ask(body, None)?.answer;
            let share = said["probabilities"][usize::from(predicted)].as_f64();
            let is_near = share.is_some_and(|it| (it - confidence).abs() < 6e-5);
            if said["predicted"] != predicted || !is_near {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn variants_of_a_gpus_model_run_on_it() -> Result<(), String> {
    let mut base = Base::new()?;
    let all = [
        json!({ "scheme": "f16" }),
        json!({ "scheme": "int4" }),
        json!({ "scheme": "Q8_0", "rows": "padded" }),
        json!({ "scheme": "int8" }),
        json!({ "scheme": "int8-dynamic" }),
        json!({ "scheme": "int4", "fine_tune_epochs": 1 }),
        json!({ "scheme": "int4", "pruning": "channels", "pruned_percent": 25 }),
        json!({ "scheme": "int8", "layers": { "classes": "f32" } }),
    ];
    let said = base.ask(
        CommandBody::Variants {
            record: base.record.clone(),
            quantizations: all.to_vec(),
        },
        Some(base.weights.clone()),
    )?;
    if said.records.len() != all.len() {
        return Err(format!("{} records", said.records.len()));
    }
    for (record, asked) in said.records.iter().zip(&all) {
        let what = asked.to_string();
        holds(record.status == Status::Complete, &what, record)?;
        holds(record.results.damage.is_some(), &what, record)?;
        // Only what mixes integers with f32 is scored elsewhere, and says so.
        let is_mixed = asked.get("layers").is_some();
        let engine = if is_mixed { "mixed" } else { "gpu" };
        holds(record.environment.engine == engine, &what, record)?;
        let agreement = record.results.agreement.as_ref().ok_or("no agreement")?;
        holds(agreement.agrees, &what, record)?;
        let test = agreement.probes.iter().any(|it| it.name == "test rows");
        holds(test != is_mixed, &what, record)?;
        let execution = record.results.execution.as_ref().ok_or("no execution")?;
        let tuned = execution.fine_tuning.as_ref().map(|it| it.engine.as_str());
        let wanted = asked.get("fine_tune_epochs").map(|_| "gpu");
        holds(tuned == wanted, &what, record)?;
    }
    Ok(())
}

fn a_search_on_a_gpus_model_is_timed_there_and_leaves_a_record_of_it() -> Result<(), String> {
    let mut base = Base::new()?;
    let said = base.ask(
        CommandBody::Search {
            record: base.record.clone(),
            budget: json!({ "points": 20.0, "bytes": 4000.0, "millis": 1000.0 }),
            known: Vec::new(),
        },
        Some(base.weights.clone()),
    )?;
    let points: Vec<&Value> = (said.events.iter())
        .filter_map(|event| match event {
            EventBody::Searched { point, .. } => Some(point),
            _ => None,
        })
        .collect();
    if points.len() < 3 || points.iter().any(|it| !it["p50Millis"].is_f64()) {
        return Err(format!("{points:?}"));
    }
    let [record] = said.records.as_slice() else {
        return Err(format!("{} records, {}", said.records.len(), said.answer));
    };
    holds(record.environment.engine == "gpu", "searched", record)?;
    let agreement = record.results.agreement.as_ref().ok_or("no agreement")?;
    holds(agreement.agrees, "searched", record)
}

fn the_microscope_looks_at_a_gpus_model() -> Result<(), String> {
    let mut base = Base::new()?;
    let (record, _) = record::read(&base.record).map_err(|it| it.to_string())?;
    for quantization in [
        json!({ "scheme": "int8", "layers": { "classes": "f32" } }),
        json!({ "scheme": "int8-dynamic" }),
        json!({ "scheme": "int4", "fine_tune_epochs": 1 }),
    ] {
        let mut recipe = record.recipe.to_value();
        recipe["quantization"] = quantization;
        let body = CommandBody::Inspect {
            recipe,
            weights: record.digests.weights.clone(),
            fine_tuned: None,
        };
        let said = base.ask(body, Some(base.weights.clone()))?;
        let layers = said.answer["damage"]["layers"].as_array();
        let is_whole = layers.is_some_and(|layers| layers.len() >= 2);
        if !is_whole || !said.answer["accuracy"]["correct"].is_u64() {
            return Err(said.answer.to_string());
        }
    }
    Ok(())
}

fn a_model_that_a_gpu_fine_tuned_is_exported_and_looked_at_as_it_was_measured() -> Result<(), String>
{
    let mut base = Base::new()?;
    // Integers answer alike on both engines; other answers may differ where two are nearly equal, stored weights never.
    for scheme in ["int8", "int4"] {
        let said = base.ask(
            CommandBody::Variants {
                record: base.record.clone(),
                quantizations: vec![json!({ "scheme": scheme, "fine_tune_epochs": 1 })],
            },
            Some(base.weights.clone()),
        )?;
        let kept = said.events.iter().find_map(|event| match event {
            EventBody::Recorded {
                fine_tuned_buffer, ..
            } => *fine_tuned_buffer,
            _ => None,
        });
        let kept = kept.and_then(|key| base.lab.take_buffer(key));
        let kept = kept.ok_or("no weights after fine-tuning")?;
        let [record] = said.records.as_slice() else {
            return Err(format!("{} records", said.records.len()));
        };
        let execution = record.results.execution.as_ref().ok_or("no execution")?;
        let tuned = execution.fine_tuning.as_ref().ok_or("no fine-tuning")?;
        holds(tuned.engine == "gpu", scheme, record)?;
        let (recipe, weights) = (record.recipe.to_value(), record.digests.weights.clone());
        let both = [base.weights.clone(), kept].concat();
        let behind = Some(WeightsBehind {
            digest: record.digests.fine_tuned.clone(),
            from: base.weights.len() as u32,
        });
        let export = |fine_tuned| CommandBody::Export {
            recipe: recipe.clone(),
            format: "safetensors".into(),
            weights: weights.clone(),
            fine_tuned,
        };
        let inspect = CommandBody::Inspect {
            recipe: recipe.clone(),
            weights: weights.clone(),
            fine_tuned: behind.clone(),
        };
        let stored = json!(record.digests.stored);
        for body in [export(behind.clone()), inspect] {
            let said = base.ask(body, Some(both.clone()))?;
            let tunes = |event: &EventBody| matches!(event, EventBody::Stage { name, .. } if name == "fine-tuning");
            holds(!said.events.iter().any(tunes), scheme, record)?;
            holds(said.answer["stored"] == stored, scheme, record)?;
            let answers = &said.answer["predictions"];
            if scheme == "int8" && !answers.is_null() {
                holds(*answers == record.digests.predictions, scheme, record)?;
            }
        }
        if scheme == "int8" {
            let load = |recipe, fine_tuned| CommandBody::Load {
                recipe,
                weights: weights.clone(),
                fine_tuned,
            };
            base.ask(load(recipe.clone(), behind), Some(both))?;
            holds(base.plays_as(record)?, "played", record)?;
            let mut plain = recipe.clone();
            plain["quantization"] = json!({ "scheme": scheme });
            base.ask(load(plain, None), Some(base.weights.clone()))?;
            let is_seen = !base.plays_as(record)?;
            holds(is_seen, "played without fine-tuning", record)?;
        }
        // Fine-tuned anew, on the CPU, it is another model by the same recipe: this could not have come out by chance.
        let anew = base.ask(export(None), Some(base.weights.clone()))?;
        holds(anew.answer["stored"] != stored, scheme, record)?;
    }
    Ok(())
}

pub(super) fn trials() -> Vec<Trial> {
    type Test = fn() -> Result<(), String>;
    let tests: [(&str, Test); 4] = [
        (
            "variants of a GPU's model run on it",
            variants_of_a_gpus_model_run_on_it,
        ),
        (
            "a search on a GPU's model is timed there and leaves a record of it",
            a_search_on_a_gpus_model_is_timed_there_and_leaves_a_record_of_it,
        ),
        (
            "the microscope looks at a GPU's model",
            the_microscope_looks_at_a_gpus_model,
        ),
        (
            "a model that a GPU fine-tuned is exported and looked at as it was measured",
            a_model_that_a_gpu_fine_tuned_is_exported_and_looked_at_as_it_was_measured,
        ),
    ];
    tests
        .into_iter()
        .map(|(name, test)| Trial::test(format!("stored: {name}"), move || Ok(test()?)))
        .collect()
}
