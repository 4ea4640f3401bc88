//! Drives the lab natively: the clock, the pump loop and a progress bar.

use super::Result;
use assay::data::LocalMaker;
use assay::lab::protocol::{Command, CommandBody, EventBody};
use assay::lab::sets::Sets;
use assay::lab::{Clock, Lab, measured_resolution_micros};
use assay::recipe::Recipe;
use assay::runlog::record::Environment;
use assay::system::LocalRules;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::rc::Rc;
use std::time::{Instant, SystemTime};

/// Work between two looks at the events, milliseconds.
const BUDGET_MILLIS: f64 = 50.0;

/// The operating system's clock.
struct NativeClock {
    began: Instant,
    resolution_micros: f64,
}

impl NativeClock {
    #[expect(clippy::disallowed_methods, reason = "the native command's one clock")]
    fn new() -> Self {
        let began = Instant::now();
        let resolution_micros =
            measured_resolution_micros(|| began.elapsed().as_secs_f64() * 1e3).max(0.001);
        Self {
            began,
            resolution_micros,
        }
    }
}

impl Clock for NativeClock {
    fn now_millis(&self) -> f64 {
        self.began.elapsed().as_secs_f64() * 1e3
    }

    fn resolution_micros(&self) -> f64 {
        self.resolution_micros
    }

    #[expect(clippy::disallowed_methods, reason = "the native command's one clock")]
    fn wall_secs(&self) -> f64 {
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0.0, |since| since.as_secs_f64())
    }
}

fn environment() -> Environment {
    Environment {
        build: "native".into(),
        browser: "native".into(),
        cores: std::thread::available_parallelism().map_or(0, |cores| cores.get() as u32),
        ..Environment::default()
    }
}

/// What a command to the lab left.
#[derive(Default)]
pub(super) struct Answer {
    /// Of its `done`.
    pub(super) value: Value,
    /// The bytes that the answer names.
    pub(super) bytes: Option<Vec<u8>>,
    /// The weights of the last record that came with some.
    pub(super) weights: Option<Vec<u8>>,
    /// What fine-tuning left, of the last record that came with it.
    pub(super) fine_tuned: Option<Vec<u8>>,
}

/// Runs a recipe to its record's text; progress goes to standard error unless `quiet`.
pub(super) fn run(recipe: &Recipe, quiet: bool, maker: LocalMaker) -> Result<String> {
    run_trained(recipe, quiet, maker).map(|(text, _)| text)
}

/// The same with the weights in the answer, the trained ones where an epoch was finished.
pub(super) fn run_trained(
    recipe: &Recipe,
    quiet: bool,
    maker: LocalMaker,
) -> Result<(String, Answer)> {
    let run = CommandBody::Run {
        recipe: recipe.to_value(),
        claim: None,
        resume: false,
        resumed_from: None,
        hold_timing: false,
    };
    let mut text = None;
    let answer = ask_with(maker, run, None, quiet, &mut |event| {
        if let EventBody::Recorded { record, .. } = event {
            text = Some(record.clone());
        }
        Ok(())
    })?;
    let text = text.ok_or_else(|| "the run ended without a record".to_owned())?;
    Ok((text, answer))
}

/// Gives a lab of built-in sets a command and waits for its answer; `hear` is told every event before that.
pub(super) fn ask(
    body: CommandBody,
    bytes: Option<Vec<u8>>,
    quiet: bool,
    hear: &mut dyn FnMut(&EventBody) -> Result<()>,
) -> Result<Answer> {
    ask_with(LocalMaker::default(), body, bytes, quiet, hear)
}

/// The same with files of a person's own.
pub(super) fn ask_with(
    maker: LocalMaker,
    body: CommandBody,
    bytes: Option<Vec<u8>>,
    quiet: bool,
    hear: &mut dyn FnMut(&EventBody) -> Result<()>,
) -> Result<Answer> {
    let sets = Sets::by(Box::new(maker), Box::new(LocalRules));
    let clock = Rc::new(NativeClock::new());
    let mut lab = Lab::with_sets(clock, Environment::default(), sets);
    let open = CommandBody::Open {
        environment: environment(),
        gpu_missing: String::new(),
        tiles: String::new(),
    };
    lab.command(Command { id: 1, body: open }, None);
    lab.command(Command { id: 2, body }, bytes);
    let bar = if quiet {
        ProgressBar::hidden()
    } else {
        ProgressBar::new(1000)
    };
    if let Ok(style) = ProgressStyle::with_template("{bar:32} {percent:>3} %  {msg}") {
        bar.set_style(style);
    }
    let mut answer = Answer::default();
    loop {
        for event in lab.pump(BUDGET_MILLIS) {
            hear(&event.body)?;
            match event.body {
                EventBody::GpuLost { decided: None, .. } => {
                    show(&bar, &event.body);
                    // Nobody to ask: execution.on_gpu_loss decides otherwise.
                    let body = CommandBody::Decide {
                        target: 2,
                        choice: "cpu".into(),
                    };
                    lab.command(Command { id: 3, body }, None);
                }
                EventBody::Checkpoint { buffer, .. } => drop(lab.take_buffer(buffer)),
                EventBody::Recorded {
                    buffer,
                    fine_tuned_buffer,
                    ..
                } => {
                    let mut taken = |key: Option<u32>| key.and_then(|key| lab.take_buffer(key));
                    answer.weights = taken(buffer).or(answer.weights);
                    answer.fine_tuned = taken(fine_tuned_buffer).or(answer.fine_tuned);
                }
                EventBody::Error { message, .. } => {
                    bar.finish_and_clear();
                    return Err(message);
                }
                EventBody::Done { value } if event.id == 2 => {
                    bar.finish_and_clear();
                    let buffer = value["buffer"].as_u64();
                    answer.bytes = buffer.and_then(|key| lab.take_buffer(key as u32));
                    return Ok(Answer { value, ..answer });
                }
                other => show(&bar, &other),
            }
        }
    }
}

/// What happened, for people.
fn show(bar: &ProgressBar, event: &EventBody) {
    match event {
        EventBody::Progress {
            epoch,
            epochs,
            step,
            steps,
            loss,
            accuracy,
            samples_per_sec,
            eta_secs,
        } => {
            bar.set_position(step * 1000 / (*steps).max(1));
            let left = eta_secs.map_or(String::new(), |secs| format!(", {secs:.0} s left"));
            bar.set_message(format!(
                "epoch {epoch}/{epochs}, loss {loss:.3}, training accuracy {:.1} %, {samples_per_sec:.0} rows/s{left}",
                accuracy * 100.0
            ));
        }
        EventBody::Engine {
            engine,
            reason,
            adapter,
            ..
        } => {
            let name = if adapter.is_empty() { engine } else { adapter };
            bar.println(format!("executed on {name}: {reason}"));
        }
        EventBody::GpuLost { reason, epoch, .. } => {
            bar.println(format!(
                "The GPU is lost: {reason}. Epoch {epoch} is kept."
            ));
        }
        EventBody::Stage { name, fraction } => {
            bar.set_position((fraction.clamp(0.0, 1.0) * 1000.0) as u64);
            bar.set_message(name.clone());
        }
        EventBody::NonFinite { step } => bar.println(format!(
            "The loss became NaN or infinite at step {step}; what was measured before is kept. A smaller learning rate may help."
        )),
        EventBody::Searched { point, fraction } => {
            bar.set_position((fraction * 1000.0) as u64);
            bar.set_message(format!("{} bytes, {} right", point["bytes"], point["correct"]));
        }
        EventBody::Variant { index, count } => {
            bar.println(format!("variant {} of {count}", index + 1));
        }
        _ => {}
    }
}
