//! Runs of `chess` with what is known of boards in the model: squares in the other colours as further training rows, and
//! models of two stages from the start to a link's verdict, interrupted, exported and refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use assay::engine::cpu::ARITHMETIC;
use assay::eval::ManualClock;
use assay::lab::Lab;
use assay::lab::protocol::{Command, CommandBody, EventBody};
use assay::recipe::Recipe;
use assay::runlog::claim::Claim;
use assay::runlog::record::{self, Environment, Record, Status};
use serde_json::{Value, json};
use std::rc::Rc;

/// What a command left.
#[derive(Default)]
struct Left {
    value: Value,
    record: String,
    weights: Vec<u8>,
    checkpoints: Vec<Vec<u8>>,
    /// Finished epochs and all of them, as they were told.
    epochs: Vec<(u32, u32)>,
    verdict: Value,
}

impl Left {
    fn record(&self) -> Record {
        record::read(&self.record).unwrap().0
    }
}

/// A lab with one command after another.
struct Session {
    lab: Lab,
    next: u32,
}

impl Session {
    fn new() -> Self {
        let clock = Rc::new(ManualClock::default());
        let environment = Environment {
            engine: "cpu".into(),
            arithmetic: ARITHMETIC.into(),
            ..Environment::default()
        };
        Self {
            lab: Lab::new(clock, environment),
            next: 1,
        }
    }

    /// Works to the answer; stops the command after so many epochs where that is asked.
    fn answer(
        &mut self,
        body: CommandBody,
        bytes: Option<Vec<u8>>,
        stop_after: Option<u32>,
    ) -> Result<Left, String> {
        let id = self.next;
        self.next += 2;
        self.lab.command(Command { id, body }, bytes);
        let mut left = Left::default();
        loop {
            for event in self.lab.pump(0.0) {
                if event.id != id {
                    continue;
                }
                match event.body {
                    EventBody::Done { value } => {
                        left.value = value;
                        return Ok(left);
                    }
                    EventBody::Error { message, .. } => return Err(message),
                    EventBody::Checkpoint { buffer, epoch, .. } => {
                        let bytes = self.lab.take_buffer(buffer);
                        left.checkpoints.push(bytes.unwrap());
                        if stop_after == Some(epoch) {
                            let body = CommandBody::Stop { target: id };
                            self.lab.command(Command { id: id + 1, body }, None);
                        }
                    }
                    EventBody::Progress { epoch, epochs, .. } => left.epochs.push((epoch, epochs)),
                    EventBody::Recorded { record, buffer, .. } => {
                        left.record = record;
                        if let Some(buffer) = buffer {
                            left.weights = self.lab.take_buffer(buffer).unwrap();
                        }
                    }
                    EventBody::Verdict { verdict } => left.verdict = verdict,
                    _ => {}
                }
            }
        }
    }
}

/// A small model on the smallest set.
fn small() -> Recipe {
    let mut recipe = Recipe::default_for("chess", "lenet");
    recipe.data.size = Some(60);
    recipe.architecture.channels = Some(4);
    recipe.architecture.dense = Some(12);
    recipe.training.epochs = 2;
    recipe.evaluation.latency_secs = 0.0;
    recipe
}

fn staged() -> Recipe {
    let mut recipe = small();
    recipe.architecture.stages = Some("two".into());
    recipe.architecture.narrowing = Some(2);
    recipe
}

fn run_of(recipe: &Recipe) -> CommandBody {
    CommandBody::Run {
        recipe: recipe.to_value(),
        claim: None,
        resume: false,
        resumed_from: None,
        hold_timing: false,
    }
}

fn ran(recipe: &Recipe) -> Left {
    Session::new().answer(run_of(recipe), None, None).unwrap()
}

#[test]
fn colours_double_the_steps_change_the_weights_and_leave_data_and_test_rows_alone() {
    let plain = ran(&small()).record();
    let mut recipe = small();
    recipe.training.augmentation = Some("colours".into());
    let more = ran(&recipe).record();
    assert_eq!(more.status, Status::Complete);
    let steps = |record: &Record| record.results.training.as_ref().unwrap().steps;
    assert_eq!(steps(&more), 2 * steps(&plain));
    assert_ne!(more.digests.weights, plain.digests.weights);
    assert_eq!(more.digests.data, plain.digests.data);
    assert_eq!(more.findings, plain.findings);
    assert_eq!(plain.results.stages, None);
    let asked = |record: &Record| {
        let predictions = record.predictions.clone().unwrap();
        (predictions.rows, predictions.labels)
    };
    assert_eq!(asked(&more), asked(&plain));
    assert_eq!(ran(&recipe).record().digests, more.digests);
}

#[test]
fn two_stages_are_one_run_with_one_record_twice_the_same() {
    let left = ran(&staged());
    let record = left.record();
    assert_eq!(record.status, Status::Complete);
    let training = record.results.training.as_ref().unwrap();
    let epochs: Vec<u32> = training.curve.iter().map(|point| point.epoch).collect();
    assert_eq!(epochs, [1, 2, 3, 4]);
    assert!(training.kept_epoch > 2);
    assert!(
        left.epochs
            .iter()
            .all(|(epoch, all)| epoch <= all && *all == 4)
    );
    let stages = record.results.stages.as_ref().unwrap();
    let of = |stage: usize, key: &str| stages["training"][stage][key].as_u64().unwrap();
    assert_eq!(stages["training"][0]["name"], "occupancy");
    assert_eq!(of(0, "steps") + of(1, "steps"), training.steps);
    let cost = record.results.cost.as_ref().unwrap();
    assert_eq!(of(0, "macs") + of(1, "macs"), cost.macs);
    assert_eq!(of(0, "parameters") + of(1, "parameters"), cost.parameters);
    let total = of(0, "rows") * 3 * of(0, "macs") + of(1, "rows") * 3 * of(1, "macs");
    assert_eq!(cost.training_macs, 2 * total);
    // Fewer than half of all squares are occupied, and work falls with them.
    let answers = &stages["answers"];
    let count = |key: &str| answers[key].as_u64().unwrap() as f64;
    let share = count("seen_twice") / count("rows");
    assert!((0.2..0.65).contains(&share), "{share}");
    let expected = of(0, "macs") as f64 + share * of(1, "macs") as f64;
    let macs = answers["macs_per_row"].as_f64().unwrap();
    assert!((macs / expected - 1.0).abs() < 1e-12 && macs < cost.macs as f64);
    let accuracy = record.results.accuracy.as_ref().unwrap();
    assert_eq!(accuracy.total as f64, count("rows"));
    assert!(accuracy.value() > 0.5, "{accuracy:?}");
    assert!(record.results.test_loss.unwrap().is_finite());
    let again = ran(&staged());
    assert_eq!(again.record().digests, record.digests);
    assert_eq!(again.record().results.stages, record.results.stages);
    assert_eq!(again.weights, left.weights);
}

#[test]
fn an_interrupted_run_goes_on_from_every_epoch_to_the_same_digests() {
    let mut recipe = staged();
    recipe.training.augmentation = Some("colours".into());
    let whole = ran(&recipe);
    assert_eq!(whole.checkpoints.len(), 4);
    for (index, checkpoint) in whole.checkpoints.iter().enumerate() {
        let body = CommandBody::Run {
            recipe: recipe.to_value(),
            claim: None,
            resume: true,
            resumed_from: None,
            hold_timing: false,
        };
        let rest = Session::new()
            .answer(body, Some(checkpoint.clone()), None)
            .unwrap();
        let (found, wanted) = (rest.record(), whole.record());
        assert_eq!(found.digests, wanted.digests, "after epoch {}", index + 1);
        let training = |record: &Record| {
            let training = record.results.training.clone().unwrap();
            let losses: Vec<f64> = training.curve.iter().map(|it| it.validation_loss).collect();
            (training.steps, training.kept_epoch, losses)
        };
        assert_eq!(training(&found), training(&wanted));
        assert_eq!(found.results.stages, wanted.results.stages);
        // Another training's checkpoint is refused.
        let mut other = recipe.clone();
        other.seed = 2;
        let body = CommandBody::Run {
            recipe: other.to_value(),
            claim: None,
            resume: true,
            resumed_from: None,
            hold_timing: false,
        };
        let refused = Session::new().answer(body, Some(checkpoint.clone()), None);
        assert!(refused.err().unwrap().contains("one of this recipe"));
    }
    // So is a checkpoint of one stage.
    let one = ran(&small()).checkpoints.pop().unwrap();
    let body = CommandBody::Run {
        recipe: staged().to_value(),
        claim: None,
        resume: true,
        resumed_from: None,
        hold_timing: false,
    };
    let refused = Session::new().answer(body, Some(one), None).err().unwrap();
    assert!(refused.contains("a model of two stages"), "{refused}");
}

/// The browsers' test reads the same file. `UPDATE_GOLDEN=1` writes it anew, which is right only where the arithmetic or the
/// generator has a new version.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "whether a file is written anew decides no result"
)]
fn two_stages_and_colours_have_the_digests_that_browsers_are_held_to() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/golden/chess-two-stages.json"
    );
    let mut recipe = staged();
    recipe.training.augmentation = Some("colours".into());
    let digests = serde_json::to_value(ran(&recipe).record().digests).unwrap();
    let made = json!({ "recipe": recipe.to_value(), "digests": digests });
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, format!("{made:#}\n")).unwrap();
    }
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(made, golden);
}

#[test]
fn a_stop_in_the_first_stage_leaves_its_curve_and_in_the_second_a_model() {
    for (epoch, answers) in [(1, false), (3, true)] {
        let left = Session::new()
            .answer(run_of(&staged()), None, Some(epoch))
            .unwrap();
        let record = left.record();
        assert_eq!(record.status, Status::Stopped);
        assert_eq!(record.results.accuracy.is_some(), answers, "epoch {epoch}");
        assert_eq!(!left.weights.is_empty(), answers);
        let training = record.results.training.as_ref().unwrap();
        assert_eq!(training.curve.len(), epoch as usize);
    }
}

#[test]
fn a_link_of_two_stages_is_reproduced_and_another_seed_is_not() {
    let record = ran(&staged()).record();
    let claim = Claim::from_record(&record, "Ada").unwrap();
    let judged = |recipe: &Recipe| {
        let body = CommandBody::Run {
            recipe: recipe.to_value(),
            claim: Some(serde_json::from_str(claim.text()).unwrap()),
            resume: false,
            resumed_from: None,
            hold_timing: false,
        };
        Session::new().answer(body, None, None).unwrap().verdict
    };
    let verdict = judged(&record.recipe);
    assert_eq!(verdict["overall"], "reproduced", "{verdict}");
    let mut other = record.recipe.clone();
    other.seed = 2;
    assert_ne!(judged(&other)["overall"], "reproduced");
}

#[test]
fn files_of_both_stages_prove_themselves_and_a_loaded_pair_answers_as_the_run_did() {
    let left = ran(&staged());
    let (record, recipe) = (left.record(), staged().to_value());
    let weights = record.digests.weights.clone();
    for format in ["safetensors", "gguf"] {
        let body = CommandBody::Export {
            fine_tuned: None,
            recipe: recipe.clone(),
            format: format.into(),
            weights: weights.clone(),
        };
        let done = Session::new().answer(body, Some(left.weights.clone()), None);
        let value = done.unwrap().value;
        assert_eq!(value["predictions"], record.digests.predictions, "{format}");
        assert_eq!(value["stored"], record.digests.stored, "{format}");
    }
    let names = ::safetensors::SafeTensors::deserialize(&left.weights).unwrap();
    let of = |stage: &str| {
        names
            .names()
            .iter()
            .filter(|it| it.starts_with(stage))
            .count()
    };
    assert_eq!((of("occupancy."), of("piece.")), (8, 8));
    let mut session = Session::new();
    let body = CommandBody::Load {
        recipe,
        weights,
        fine_tuned: None,
    };
    session.answer(body, Some(left.weights), None).unwrap();
    let predictions = record.predictions.as_ref().unwrap();
    for at in [0, 100, 300] {
        let body = CommandBody::Predict {
            row: Some(predictions.rows[at]),
            image: None,
        };
        let scores = session.answer(body, None, None).unwrap().value;
        assert_eq!(scores["predicted"], predictions.predicted[at]);
        let body = CommandBody::Predict {
            row: None,
            image: Some(vec![0.5; 1024]),
        };
        assert!(session.answer(body, None, None).is_ok());
    }
}

#[test]
fn what_looks_into_one_graph_is_refused_in_words() {
    let left = ran(&staged());
    let weights = left.record().digests.weights;
    let bodies = [
        CommandBody::Inspect {
            fine_tuned: None,
            recipe: staged().to_value(),
            weights,
        },
        CommandBody::Variants {
            record: left.record.clone(),
            quantizations: vec![json!({ "scheme": "int8" })],
        },
        CommandBody::Search {
            record: left.record.clone(),
            budget: json!({ "points": 1.0 }),
            known: Vec::new(),
        },
    ];
    for body in bodies {
        let refused = Session::new()
            .answer(body, Some(left.weights.clone()), None)
            .err()
            .unwrap();
        assert!(refused.contains("of a model of two stages"), "{refused}");
        assert!(refused.contains("architecture.stages one"), "{refused}");
    }
}
