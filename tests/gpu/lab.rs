//! Whole runs of the lab on this machine's adapter: chosen, checked, lost in the middle; what their records say.

use super::now;
use assay::engine::cpu::CpuEngine;
use assay::engine::gpu::{Gpu, GpuEngine};
use assay::engine::{Engine, Parameters, agreement};
use assay::lab::protocol::{Command, CommandBody, EventBody};
use assay::lab::{Clock, Lab};
use assay::recipe::{self, Recipe};
use assay::runlog::claim::Claim;
use assay::runlog::record::{self, Environment, Record, Status};
use assay::runlog::verdict::{self, Overall};
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// A clock of this machine: how long things take decides what is timed and how often, and nothing else.
struct Watch(Instant);

impl Watch {
    #[expect(clippy::disallowed_methods, reason = "a test's one clock")]
    fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Watch {
    fn now_millis(&self) -> f64 {
        self.0.elapsed().as_secs_f64() * 1e3
    }

    fn resolution_micros(&self) -> f64 {
        1.0
    }

    fn wall_secs(&self) -> f64 {
        1.8e9
    }
}

/// What a run said and left.
struct Ran {
    events: Vec<EventBody>,
    record: Record,
    /// The checkpoint after its first epoch.
    checkpoint: Vec<u8>,
}

/// How a run is begun and disturbed.
#[derive(Default)]
struct Story<'a> {
    /// After so many finished epochs the GPU is taken away.
    lose_after: Option<u32>,
    /// What answers the lab's question.
    choice: &'a str,
    /// Why there is no GPU.
    missing: &'a str,
    /// A checkpoint to go on from.
    checkpoint: Option<Vec<u8>>,
    /// Whether the next device goes away as soon as the run has heard of it.
    lose_the_next: bool,
}

/// A small run of an engine with more fields of its recipe set.
fn recipe(engine: &str, changes: &[(&str, Value)]) -> Value {
    let mut document = Recipe::default_for("digits", "mlp").to_value();
    let small = [
        ("architecture.width", json!(16)),
        ("training.epochs", json!(3)),
        ("evaluation.latency_secs", json!(0.0)),
        ("execution.engine", json!(engine)),
    ];
    for (path, value) in small.iter().chain(changes) {
        document = recipe::edit::set(document, path, value.clone()).expect("a field");
    }
    document
}

/// Runs a recipe; after so many finished epochs the GPU is taken away, and the choice answers the lab's question.
fn run(recipe: Value, lose_after: Option<u32>, choice: &str) -> Result<Ran, String> {
    let story = Story {
        lose_after,
        choice,
        ..Story::default()
    };
    told(recipe, story)
}

/// Runs a recipe as a story goes.
fn told(recipe: Value, story: Story<'_>) -> Result<Ran, String> {
    let mut checkpoint = story.checkpoint.clone();
    let mut lab = Lab::new(Rc::new(Watch::new()), Environment::default());
    let mut commands = vec![
        CommandBody::Open {
            environment: Environment::default(),
            gpu_missing: story.missing.into(),
            tiles: String::new(),
        },
        CommandBody::Run {
            recipe,
            claim: None,
            resume: checkpoint.is_some(),
            resumed_from: None,
            hold_timing: false,
        },
    ];
    let mut id = 0;
    let mut events = Vec::new();
    let mut left = None;
    let mut kept = None;
    for _ in 0..200_000 {
        for body in commands.drain(..) {
            id += 1;
            let bytes = match &body {
                CommandBody::Run { .. } => checkpoint.take(),
                _ => None,
            };
            lab.command(Command { id, body }, bytes);
        }
        // No time at all, so that a pump does a single step.
        for event in lab.pump(0.0) {
            match &event.body {
                EventBody::Epoch { point } if Some(point.epoch) == story.lose_after => {
                    commands.push(CommandBody::LoseGpu);
                }
                // The second of them: the first tells what the run begins with.
                EventBody::Engine { engine, .. }
                    if engine == "gpu" && story.lose_the_next && !events.is_empty() =>
                {
                    let heard = |it: &&EventBody| matches!(it, EventBody::Engine { .. });
                    if events.iter().filter(heard).count() == 1 {
                        commands.push(CommandBody::LoseGpu);
                    }
                }
                EventBody::GpuLost {
                    decided: None,
                    smaller_batch: Some(4),
                    ..
                } if story.lose_the_next => commands.push(CommandBody::Decide {
                    target: 2,
                    choice: "cpu".into(),
                }),
                EventBody::GpuLost { decided: None, .. } => commands.push(match story.choice {
                    "stop" => CommandBody::Stop { target: 2 },
                    choice => CommandBody::Decide {
                        target: 2,
                        choice: choice.into(),
                    },
                }),
                EventBody::Checkpoint {
                    buffer, epoch: 1, ..
                } => kept = lab.take_buffer(*buffer),
                EventBody::Recorded { record, .. } => left = Some(record.clone()),
                EventBody::Error { message, .. } => return Err(message.clone()),
                EventBody::Done { .. } if event.id == 2 => {
                    events.push(event.body);
                    let text = left.ok_or("no record")?;
                    let (record, altered) = record::read(&text).map_err(|it| it.to_string())?;
                    return if altered {
                        Err("a digest does not fit".into())
                    } else {
                        Ok(Ran {
                            events,
                            record,
                            checkpoint: kept.unwrap_or_default(),
                        })
                    };
                }
                _ => {}
            }
            events.push(event.body);
        }
    }
    Err("the run does not end".into())
}

fn holds(condition: bool, what: &str, record: &Record) -> Result<(), String> {
    if condition {
        return Ok(());
    }
    let results = &record.results;
    Err(format!(
        "{what}: engine {}, {:?}, {:?}",
        record.environment.engine, results.execution, results.agreement
    ))
}

/// Parts as `(engine, batch, first epoch)`.
fn parts(record: &Record) -> Vec<(&str, u32, u32)> {
    let execution = record.results.execution.as_ref();
    execution.map_or(Vec::new(), |it| {
        it.parts
            .iter()
            .map(|part| (part.engine.as_str(), part.batch_size, part.first_epoch))
            .collect()
    })
}

fn lost_events(ran: &Ran) -> Vec<(u32, Option<u32>, Option<&str>)> {
    ran.events
        .iter()
        .filter_map(|event| match event {
            EventBody::GpuLost {
                epoch,
                smaller_batch,
                decided,
                ..
            } => Some((*epoch, *smaller_batch, decided.as_deref())),
            _ => None,
        })
        .collect()
}

fn a_run_on_the_gpu_agrees_and_makes_a_claim() -> Result<(), String> {
    let Ran { record, .. } = run(recipe("gpu", &[]), None, "")?;
    let agreement = record.results.agreement.as_ref().ok_or("no agreement")?;
    holds(
        agreement.agrees && agreement.probes.len() == 3,
        "agrees",
        &record,
    )?;
    let named = |name: &str| agreement.probes.iter().any(|probe| probe.name == name);
    holds(
        named("answers before training") && named("one step of training") && named("test rows"),
        "every probe",
        &record,
    )?;
    for probe in &agreement.probes {
        // A probe of zeros would compare nothing.
        holds(probe.cosine.is_some(), &probe.name, &record)?;
    }
    holds(record.environment.engine == "gpu", "gpu", &record)?;
    holds(record.environment.arithmetic == "gpu-1", "gpu-1", &record)?;
    holds(parts(&record) == [("gpu", 16, 1)], "one part", &record)?;
    let on_cpu = run(recipe("cpu", &[]), None, "")?.record;
    let of = |record: &Record| record.results.accuracy.map_or(0.0, |it| it.value());
    holds(
        (of(&record) - of(&on_cpu)).abs() < 0.05,
        "accuracy",
        &record,
    )?;
    holds(
        on_cpu.results.execution.is_none(),
        "nothing of a CPU",
        &on_cpu,
    )?;
    // The same recipe on a machine without a GPU bears the claim out within its tolerance.
    let claim = Claim::from_record(&record, "").map_err(|it| it.to_string())?;
    let mut elsewhere = on_cpu;
    elsewhere.recipe = record.recipe.clone();
    let judged = verdict::judge(&claim, &elsewhere);
    match judged.overall {
        Overall::WithinTolerance => Ok(()),
        _ => Err(format!("{judged:?}")),
    }
}

fn a_lost_gpu_leaves_the_last_epoch_to_the_cpu() -> Result<(), String> {
    for (on_loss, decided) in [("ask", None), ("cpu", Some("cpu"))] {
        let changes = [("execution.on_gpu_loss", json!(on_loss))];
        let ran = run(recipe("gpu", &changes), Some(1), "cpu")?;
        let record = &ran.record;
        holds(
            lost_events(&ran) == [(1, Some(8), decided)],
            on_loss,
            record,
        )?;
        holds(
            parts(record) == [("gpu", 16, 1), ("cpu", 16, 2)],
            on_loss,
            record,
        )?;
        holds(record.environment.engine == "mixed", on_loss, record)?;
        let training = record.results.training.as_ref().ok_or("no training")?;
        holds(training.curve.len() == 3, "all epochs", record)?;
        holds(record.status == Status::Complete, "complete", record)?;
        holds(record.results.accuracy.is_some(), "scored", record)?;
    }
    Ok(())
}

fn half_the_batch_goes_on_on_a_new_device() -> Result<(), String> {
    for on_loss in ["ask", "smaller batch"] {
        let changes = [("execution.on_gpu_loss", json!(on_loss))];
        let ran = run(recipe("gpu", &changes), Some(2), "smaller batch")?;
        let record = &ran.record;
        holds(
            parts(record) == [("gpu", 16, 1), ("gpu", 8, 3)],
            on_loss,
            record,
        )?;
        holds(record.environment.engine == "mixed", on_loss, record)?;
        holds(record.results.accuracy.is_some(), "scored", record)?;
    }
    Ok(())
}

/// The device that was to go on with half the batch goes away before it has a model.
fn a_second_loss_forgets_no_epoch() -> Result<(), String> {
    let story = Story {
        lose_after: Some(2),
        choice: "smaller batch",
        lose_the_next: true,
        ..Story::default()
    };
    let ran = told(recipe("gpu", &[]), story)?;
    let record = &ran.record;
    let events = [(2, Some(8), None), (2, Some(4), None)];
    holds(lost_events(&ran) == events, "two losses", record)?;
    holds(
        parts(record) == [("gpu", 16, 1), ("cpu", 16, 3)],
        "parts",
        record,
    )?;
    holds(record.environment.engine == "mixed", "mixed", record)?;
    let agreement = record.results.agreement.as_ref().ok_or("no agreement")?;
    holds(agreement.probes.len() == 4, "both devices' probes", record)
}

fn a_stop_at_the_question_keeps_what_was_measured() -> Result<(), String> {
    let Ran { record, .. } = run(recipe("gpu", &[]), Some(2), "stop")?;
    holds(record.status == Status::Stopped, "stopped", &record)?;
    let training = record.results.training.as_ref().ok_or("no training")?;
    holds(training.curve.len() == 2, "two epochs", &record)?;
    holds(
        record.results.accuracy.is_some(),
        "scored on the CPU",
        &record,
    )
}

fn an_interrupted_run_goes_on_where_it_was() -> Result<(), String> {
    let whole = run(recipe("gpu", &[]), None, "")?;
    let resumed = |missing| {
        let checkpoint = Some(whole.checkpoint.clone());
        let story = Story {
            missing,
            checkpoint,
            ..Story::default()
        };
        told(recipe("gpu", &[]), story).map(|ran| ran.record)
    };
    let record = resumed("")?;
    holds(parts(&record) == [("gpu", 16, 1)], "one part", &record)?;
    holds(record.environment.engine == "gpu", "gpu", &record)?;
    let curve = |record: &Record| record.results.training.as_ref().map(|it| it.curve.len());
    holds(curve(&record) == Some(3), "all epochs", &record)?;
    let record = resumed("it was unplugged")?;
    let expected = [("gpu", 16, 1), ("cpu", 16, 2)];
    holds(parts(&record) == expected, "the CPU took over", &record)?;
    holds(record.environment.engine == "mixed", "mixed", &record)?;
    holds(curve(&record) == Some(3), "all epochs", &record)?;
    let execution = record.results.execution.as_ref().ok_or("no execution")?;
    let reason = &execution.parts[1].reason;
    holds(reason.contains("it was unplugged"), reason, &record)
}

fn without_a_gpu_the_cpu_does_it_exactly() -> Result<(), String> {
    let story = Story {
        missing: "nobody built one in",
        ..Story::default()
    };
    let record = told(recipe("gpu", &[]), story)?.record;
    let on_cpu = run(recipe("cpu", &[]), None, "")?.record;
    holds(record.environment.engine == "cpu", "cpu", &record)?;
    let same = record.digests.weights == on_cpu.digests.weights;
    holds(same, "the CPU's bits", &record)?;
    holds(
        record.results.agreement.is_none(),
        "nothing to agree",
        &record,
    )?;
    let execution = record.results.execution.as_ref().ok_or("no execution")?;
    let reason = &execution.reason;
    holds(reason.contains("nobody built one in"), reason, &record)
}

fn auto_says_what_it_measured() -> Result<(), String> {
    let ran = run(recipe("auto", &[]), None, "")?;
    let execution = ran
        .record
        .results
        .execution
        .as_ref()
        .ok_or("no execution")?;
    holds(execution.trial.is_some(), "a trial", &ran.record)?;
    holds(
        execution.reason.contains("on the CPU and"),
        "why",
        &ran.record,
    )?;
    let chosen = ran.events.iter().find_map(|event| match event {
        EventBody::Engine { engine, .. } => Some(engine.clone()),
        _ => None,
    });
    holds(
        chosen.as_ref() == Some(&ran.record.environment.engine),
        "as told",
        &ran.record,
    )
}

fn both_engines_are_timed_batch_by_batch() -> Result<(), String> {
    let changes = [("evaluation.latency_secs", json!(1.0))];
    let Ran { record, .. } = run(recipe("gpu", &changes), None, "")?;
    let breakdown = record.results.breakdown.as_ref().ok_or("no breakdown")?;
    holds(breakdown.batches.len() >= 2, "batches", &record)?;
    holds(breakdown.upload_bytes > 0, "bytes", &record)?;
    for it in &breakdown.batches {
        let sound = it.cpu_millis > 0.0 && it.gpu_millis > 0.0 && it.gpu_samples > 0;
        holds(sound, &format!("batch {}", it.batch), &record)?;
    }
    holds(record.results.latency.is_some(), "latency", &record)
}

fn integers_are_scored_on_the_gpu_and_elsewhere_where_they_cannot() -> Result<(), String> {
    let timed = ("evaluation.latency_secs", json!(0.2));
    let changes = [("quantization.scheme", json!("int8")), timed.clone()];
    let Ran { record, .. } = run(recipe("gpu", &changes), None, "")?;
    holds(
        record.environment.engine == "gpu",
        "int8 on the GPU",
        &record,
    )?;
    holds(parts(&record).len() == 1, "one part", &record)?;
    let agreement = record.results.agreement.as_ref().ok_or("no agreement")?;
    let rows = agreement.probes.iter().find(|it| it.name == "test rows");
    // The very bits of the CPU's.
    let none = rows.is_some_and(|it| it.max_absolute == 0.0);
    holds(none && agreement.flips.is_empty(), "no difference", &record)?;
    holds(record.results.latency.is_some(), "latency", &record)?;
    holds(record.results.breakdown.is_none(), "no breakdown", &record)?;
    let changes = [("quantization.scheme", json!("int8-dynamic")), timed];
    let Ran { record, .. } = run(recipe("gpu", &changes), None, "")?;
    holds(record.status == Status::Complete, "complete", &record)?;
    let all = parts(&record);
    let last = all.last().ok_or("no parts")?;
    holds(all.len() == 2 && last.0 == "cpu", "then the CPU", &record)?;
    let execution = record.results.execution.as_ref().ok_or("no execution")?;
    let reason = &execution.parts[1].reason;
    holds(reason.contains("int8-dynamic"), "the reason", &record)?;
    holds(record.results.accuracy.is_some(), "accuracy", &record)
}

/// Probes of a model whose kernel was changed, at the engine's own seam.
fn a_changed_kernel_trips_the_gate(
    gpu: &Gpu,
    family: &str,
    change: Option<(&str, &str, &str)>,
) -> Result<bool, String> {
    let recipe = Recipe::default_for("digits", family);
    let prepared = assay::lab::prepared::prepare(&recipe).map_err(|it| it.to_string())?;
    let (graph, rows) = (&prepared.plan.graph, &prepared.split.train);
    let told = |error: assay::error::Error| error.to_string();
    let weights = agreement::probe_weights(graph, 1).map_err(told)?;
    let exact = Parameters::Exact(&weights);
    let batch = agreement::PROBE_ROWS as u32;
    let mut cpu = CpuEngine::new();
    now(cpu.load(&prepared.rows))?.map_err(told)?;
    let mut engine = GpuEngine::new(gpu.clone());
    if let Some((kernel, from, to)) = change {
        engine.sabotage(kernel, from, to).map_err(told)?;
    }
    now(engine.load(&prepared.rows))?.map_err(told)?;
    let mut on_cpu = now(cpu.prepare(graph, exact, batch))?.map_err(told)?;
    let mut on_gpu = now(engine.prepare(graph, exact, batch))?.map_err(told)?;
    let probes = agreement::before_training(graph, rows, 10, on_cpu.as_mut(), on_gpu.as_mut());
    let agreement = agreement::verdict(now(probes)?.map_err(told)?);
    for probe in &agreement.probes {
        let share = probe.max_relative / probe.tolerance;
        println!(
            "{family} {change:?}: {}: {share:.3} of the tolerance",
            probe.name
        );
    }
    Ok(agreement.agrees)
}

const FAMILIES: [&str; 6] = ["lenet", "mlp", "resnet", "mobilenet", "vit", "mixer"];
/// A change of a kernel that each of the families uses, forward or backward.
const CHANGES: [(&str, &str, &str, &str); 6] = [
    (
        "lenet",
        "max_pool_gradient",
        "other == own && is_before",
        "false",
    ),
    (
        "mlp",
        "product_quads",
        "sum7 += a7.w * b3;",
        "sum7 += a7.w * b2;",
    ),
    ("resnet", "batch_norm_normalize", "task.epsilon", "0.001"),
    (
        "mobilenet",
        "depthwise",
        "x < i32(task.width)",
        "x + 1 < i32(task.width)",
    ),
    (
        "vit",
        "attention_gradient",
        "(chance_gradient - mean)",
        "chance_gradient",
    ),
    (
        "mixer",
        "layer_norm_gradient",
        "normal * sums.y",
        "normal * sums.x",
    ),
];

pub(super) fn trials(gpu: &Arc<Gpu>) -> Vec<Trial> {
    type Test = fn() -> Result<(), String>;
    let tests: [(&str, Test); 10] = [
        (
            "a run on the GPU agrees and makes a claim",
            a_run_on_the_gpu_agrees_and_makes_a_claim,
        ),
        (
            "a lost GPU leaves the last epoch to the CPU",
            a_lost_gpu_leaves_the_last_epoch_to_the_cpu,
        ),
        (
            "half the batch goes on on a new device",
            half_the_batch_goes_on_on_a_new_device,
        ),
        (
            "a stop at the question keeps what was measured",
            a_stop_at_the_question_keeps_what_was_measured,
        ),
        (
            "a second loss forgets no epoch",
            a_second_loss_forgets_no_epoch,
        ),
        (
            "an interrupted run goes on where it was",
            an_interrupted_run_goes_on_where_it_was,
        ),
        (
            "without a GPU the CPU does it exactly",
            without_a_gpu_the_cpu_does_it_exactly,
        ),
        ("auto says what it measured", auto_says_what_it_measured),
        (
            "integers are scored on the GPU, and elsewhere where they cannot",
            integers_are_scored_on_the_gpu_and_elsewhere_where_they_cannot,
        ),
        (
            "both engines are timed batch by batch",
            both_engines_are_timed_batch_by_batch,
        ),
    ];
    let mut trials: Vec<Trial> = tests
        .into_iter()
        .map(|(name, test)| Trial::test(format!("lab: {name}"), move || Ok(test()?)))
        .collect();
    for family in FAMILIES {
        let gpu = Arc::clone(gpu);
        trials.push(Trial::test(format!("gate: {family} agrees"), move || {
            match a_changed_kernel_trips_the_gate(&gpu, family, None)? {
                true => Ok(()),
                false => Err("it disagrees".into()),
            }
        }));
    }
    for (family, kernel, from, to) in CHANGES {
        let gpu = Arc::clone(gpu);
        trials.push(Trial::test(
            format!("gate: {family} with a changed {kernel}"),
            move || match a_changed_kernel_trips_the_gate(&gpu, family, Some((kernel, from, to)))? {
                true => Err::<(), Failed>("nobody noticed".into()),
                false => Ok(()),
            },
        ));
    }
    trials
}
