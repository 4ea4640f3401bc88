//! Drives the lab natively: the clock, the pump loop and a progress bar.

use super::Result;
use assay::lab::protocol::{Command, CommandBody, EventBody};
use assay::lab::{Clock, Lab, measured_resolution_micros};
use assay::recipe::Recipe;
use assay::runlog::record::Environment;
use indicatif::{ProgressBar, ProgressStyle};
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

/// Runs a recipe to its record's text; progress goes to standard error unless `quiet`.
pub(super) fn run(recipe: &Recipe, quiet: bool) -> Result<String> {
    run_from(recipe, quiet, None).map(|(text, _)| text)
}

/// The same, from a checkpoint of the same training where there is one; the last checkpoint comes back with the record.
pub(super) fn run_from(
    recipe: &Recipe,
    quiet: bool,
    checkpoint: Option<Vec<u8>>,
) -> Result<(String, Option<Vec<u8>>)> {
    let mut lab = Lab::new(Rc::new(NativeClock::new()), Environment::default());
    let open = CommandBody::Open {
        environment: environment(),
        gpu_missing: String::new(),
        tiles: String::new(),
    };
    lab.command(Command { id: 1, body: open }, None);
    let run = CommandBody::Run {
        recipe: recipe.to_value(),
        claim: None,
        resume: checkpoint.is_some(),
        resumed_from: None,
        hold_timing: false,
    };
    let mut trained = checkpoint.clone();
    let command = Command { id: 2, body: run };
    lab.command(command, checkpoint);
    let bar = if quiet {
        ProgressBar::hidden()
    } else {
        ProgressBar::new(1000)
    };
    if let Ok(style) = ProgressStyle::with_template("{bar:32} {percent:>3} %  {msg}") {
        bar.set_style(style);
    }
    let mut text = None;
    loop {
        for event in lab.pump(BUDGET_MILLIS) {
            match event.body {
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
                    bar.set_position(step * 1000 / steps.max(1));
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
                EventBody::GpuLost {
                    reason,
                    epoch,
                    decided,
                    ..
                } => {
                    bar.println(format!("The GPU is lost: {reason}. Epoch {epoch} is kept."));
                    if decided.is_none() {
                        // Nobody to ask: execution.on_gpu_loss decides otherwise.
                        let body = CommandBody::Decide {
                            target: 2,
                            choice: "cpu".into(),
                        };
                        lab.command(Command { id: 3, body }, None);
                    }
                }
                EventBody::Stage { name, fraction } => {
                    bar.set_position((fraction.clamp(0.0, 1.0) * 1000.0) as u64);
                    bar.set_message(name);
                }
                EventBody::NonFinite { step } => bar.println(format!(
                    "The loss became NaN or infinite at step {step}; what was measured before is kept. A smaller learning rate may help."
                )),
                EventBody::Checkpoint { buffer, .. } => trained = lab.take_buffer(buffer),
                EventBody::Recorded { record, .. } => text = Some(record),
                EventBody::Error { message, .. } => {
                    bar.finish_and_clear();
                    return Err(message);
                }
                EventBody::Done { .. } if event.id == 2 => {
                    bar.finish_and_clear();
                    let text = text.ok_or_else(|| "the run ended without a record".to_owned())?;
                    return Ok((text, trained));
                }
                _ => {}
            }
        }
    }
}
