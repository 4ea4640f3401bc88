//! Which engine executes a run: chosen, checked against the CPU, replaced where it is lost; it neither trains nor scores.

use super::probing;
use super::trial;
use super::trouble::{is_of_the_gpu, words};
use super::tuning;
use crate::engine::Engine;
use crate::engine::agreement;
use crate::engine::cpu::{self, CpuEngine};
use crate::engine::gpu::{self, GpuEngine};
use crate::error::{Error, Result};
use crate::lab::context::Context;
use crate::lab::prepared::Prepared;
use crate::lab::protocol::EventBody;
use crate::recipe::Recipe;
use crate::result::{Agreement, Execution, GpuUse, Part, Probe};
use crate::runlog::record::Record;

/// A browser refuses what is asked of a lost device first, and tells a few turns later that it was lost.
const LOSS_MILLIS: f64 = 200.0;

/// How a run goes on after the GPU was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recovery {
    /// From the newest checkpoint, on what [`Engines::engine`] now is.
    GoOn,
    /// Not at all: the person stopped it.
    Stop,
}

/// What a run goes on from.
pub(super) struct Earlier {
    pub(super) execution: Execution,
    /// Finished epochs.
    pub(super) epochs: u32,
    /// Why it goes on where it was, and what to say where it has to go on without the GPU.
    pub(super) words: [&'static str; 2],
}

/// The engines of one run.
pub(super) struct Engines<'a> {
    context: &'a Context,
    prepared: &'a Prepared,
    recipe: Recipe,
    cpu: CpuEngine,
    gpu: Option<GpuEngine>,
    execution: Option<Execution>,
    agreement: Option<Agreement>,
    batch_size: u32,
    compile_millis: f64,
}

impl<'a> Engines<'a> {
    /// Chooses what the recipe asks for, or goes on with what an earlier run had come to; without a GPU it is the CPU.
    pub(super) async fn open(
        context: &'a Context,
        prepared: &'a Prepared,
        recipe: &Recipe,
        earlier: Option<Earlier>,
    ) -> Result<Self> {
        let mut engines = Self {
            context,
            prepared,
            recipe: recipe.clone(),
            cpu: CpuEngine::new(),
            gpu: None,
            execution: None,
            agreement: None,
            batch_size: recipe.training.batch_size,
            compile_millis: 0.0,
        };
        engines.cpu.load(&prepared.rows).await?;
        let asked = recipe.engine();
        if asked == "cpu" {
            return Ok(engines);
        }
        let (execution, epochs, [here, elsewhere]) = earlier
            .map(|it| (it.execution, it.epochs, it.words))
            .unwrap_or_default();
        let last = execution.parts.last().cloned();
        engines.execution = Some(Execution {
            asked: asked.into(),
            ..execution
        });
        match last {
            Some(part) if part.engine == "cpu" => {
                engines.batch_size = part.batch_size;
                engines.tell(here);
            }
            Some(part) => {
                engines.batch_size = part.batch_size;
                if let Err(reason) = engines.begin_gpu(false).await? {
                    let reason = format!("{elsewhere}: {reason}");
                    engines.use_cpu_from(epochs + 1, &reason);
                } else {
                    engines.tell(here);
                }
            }
            None => {
                let begun = engines.begin_gpu(asked == "auto").await?;
                let reason = match begun {
                    Ok(reason) => reason,
                    Err(reason) => reason,
                };
                engines.begin_part(1, String::new());
                if let Some(execution) = &mut engines.execution {
                    execution.engine = engine_word(engines.gpu.is_some()).into();
                    execution.reason.clone_from(&reason);
                }
                engines.tell(&reason);
            }
        }
        Ok(engines)
    }

    /// What executes the run now.
    pub(super) fn engine(&self) -> &dyn Engine {
        match &self.gpu {
            Some(gpu) => gpu,
            None => &self.cpu,
        }
    }

    /// The engine that everything is checked against.
    pub(super) const fn cpu(&self) -> &CpuEngine {
        &self.cpu
    }

    /// The GPU's engine, while the run is executed on it.
    pub(super) const fn gpu(&self) -> Option<&GpuEngine> {
        self.gpu.as_ref()
    }

    /// Whether the run is executed on a GPU now.
    pub(super) const fn is_gpu(&self) -> bool {
        self.gpu.is_some()
    }

    /// Rows of a training step.
    pub(super) const fn batch_size(&self) -> u32 {
        self.batch_size
    }

    /// Time to plan and compile everything on the GPU, until it first answered, milliseconds.
    pub(super) const fn compile_millis(&self) -> f64 {
        self.compile_millis
    }

    /// What the record tells of it; nothing where the recipe asks for the CPU.
    pub(super) const fn execution(&self) -> Option<&Execution> {
        self.execution.as_ref()
    }

    /// Opens the GPU and checks it; `Ok` holds why it is used and `Err` why it is not.
    async fn begin_gpu(&mut self, compare: bool) -> Result<Result<String, String>> {
        let begun = self.try_gpu(compare).await;
        match begun {
            Ok(Ok((engine, reason))) => {
                self.gpu = Some(engine);
                Ok(Ok(reason))
            }
            Ok(Err(reason)) => Ok(Err(reason)),
            Err(error) if is_of_the_gpu(&error) => Ok(Err(words(&error))),
            Err(error) => Err(error),
        }
    }

    async fn try_gpu(&mut self, compare: bool) -> Result<Result<(GpuEngine, String), String>> {
        let context = self.context;
        self.stage("opening the GPU");
        context.turn().await;
        // The Worker pumps a waiting lab every millisecond there.
        let nudges = context.shared.environment().browser == "Firefox";
        let gpu = match context.shared.gpu.get(nudges).await {
            Ok(gpu) => gpu,
            Err(reason) => return Ok(Err(format!("there is no GPU to use here: {reason}"))),
        };
        let gpu = gpu.called(&context.shared.environment().adapter);
        let adapter = gpu.name().to_owned();
        let mut engine = tuning::tuned(context, GpuEngine::new(gpu), &adapter);
        engine.load(&self.prepared.rows).await?;
        let told = context.clone();
        engine.on_compiling(move |done, total| {
            told.send(EventBody::Stage {
                name: "compiling kernels".into(),
                fraction: done as f64 / total.max(1) as f64,
            });
        });
        self.stage("compiling kernels");
        context.turn().await;
        let own = (self.recipe.seed, self.batch_size);
        let probed = probing::probed(context, self.prepared, own, (&self.cpu, &engine)).await?;
        self.compile_millis = probed.compile_millis;
        let used = GpuUse {
            adapter,
            ..probed.used
        };
        // A device that was lost and disagreed is not forgiven by the next one.
        let earlier = self.agreement.take().map(|it| it.probes);
        let probes = earlier.into_iter().flatten().chain(probed.probes).collect();
        let agreement = agreement::verdict(probes);
        if compare {
            if !agreement.agrees {
                return Ok(Err(format!(
                    "the GPU ({}) disagrees with the CPU: {}",
                    used.adapter, agreement.reason
                )));
            }
            self.stage("choosing the engine");
            context.turn().await;
            let trial = trial::both(context, self.prepared, &self.cpu, &engine, self.batch_size);
            let trial = trial.await?;
            let chosen = trial::choice(&trial, self.prepared.plan.steps_per_epoch);
            if let Some(execution) = &mut self.execution {
                execution.trial = Some(trial);
            }
            if let Err(reason) = chosen {
                return Ok(Err(reason));
            }
        }
        let trial = self.execution.as_ref().and_then(|it| it.trial.as_ref());
        let reason = match trial.filter(|_| compare) {
            Some(trial) => trial::words(trial),
            None => "the recipe asks for it".into(),
        };
        if let Some(execution) = &mut self.execution {
            execution.gpu = Some(used);
        }
        self.agreement = Some(agreement);
        Ok(Ok((engine, reason)))
    }

    /// What became of the GPU, in words; whoever wants one next opens it anew.
    async fn given_up(&self, error: &Error) -> String {
        let gpu = &self.context.shared.gpu;
        let until = self.context.clock.now_millis() + LOSS_MILLIS;
        while gpu.trouble().is_none() && self.context.clock.now_millis() < until {
            self.context.turn().await;
        }
        let told = gpu.trouble();
        gpu.forget();
        words(told.as_ref().unwrap_or(error))
    }

    /// Goes on after an error: asks the person, or does what the recipe says. An error that is not the GPU's is given back.
    pub(super) async fn lost(&mut self, error: Error, epoch: u32) -> Result<Recovery> {
        if !self.is_gpu() || !is_of_the_gpu(&error) {
            return Err(error);
        }
        let reason = self.given_up(&error).await;
        self.gpu = None;
        let smaller = (self.batch_size > 1).then(|| self.batch_size.div_ceil(2));
        let decided = match self.recipe.on_gpu_loss() {
            "smaller batch" if smaller.is_some() => Some("smaller batch"),
            "smaller batch" | "cpu" => Some("cpu"),
            _ => None,
        };
        self.context.send(EventBody::GpuLost {
            reason: reason.clone(),
            epoch,
            smaller_batch: smaller,
            decided: decided.map(Into::into),
        });
        let choice = match decided {
            Some(choice) => choice.to_owned(),
            None => match self.context.decision().await {
                Some(choice) => choice,
                None => return Ok(Recovery::Stop),
            },
        };
        match smaller.filter(|_| choice == "smaller batch") {
            None => self.use_cpu_from(epoch + 1, &reason),
            Some(smaller) => {
                self.batch_size = smaller;
                match self.begin_gpu(false).await? {
                    Ok(_) => {
                        self.begin_part(epoch + 1, reason.clone());
                        self.tell(&reason);
                    }
                    Err(missing) => {
                        self.use_cpu_from(epoch + 1, &format!("{reason}, and then {missing}"));
                    }
                }
            }
        }
        Ok(Recovery::GoOn)
    }

    /// The rest of the run, from an epoch on, is the CPU's, with the recipe's own batch.
    pub(super) fn use_cpu_from(&mut self, epoch: u32, reason: &str) {
        self.gpu = None;
        self.batch_size = self.recipe.training.batch_size;
        self.begin_part(epoch, reason.to_owned());
        self.tell(reason);
    }

    /// What follows begins with an epoch; a part in which no epoch ended is forgotten.
    fn begin_part(&mut self, first_epoch: u32, reason: String) {
        let part = Part {
            engine: engine_word(self.gpu.is_some()).into(),
            batch_size: self.batch_size,
            first_epoch,
            reason,
        };
        if let Some(execution) = &mut self.execution {
            execution.parts.retain(|it| it.first_epoch < first_epoch);
            execution.parts.push(part);
        }
    }

    /// Whether an error is the GPU's, so that [`Engines::lost`] or the CPU can go on.
    pub(super) fn is_lost_by(&self, error: &Error) -> bool {
        self.is_gpu() && is_of_the_gpu(error)
    }

    /// Adds what the test rows said to the check: the probe, the CPU's accuracy, the rows that are answered otherwise.
    pub(super) fn check_test_rows(
        &mut self,
        probe: Probe,
        accuracy: crate::result::Accuracy,
        flips: Vec<u32>,
    ) {
        if let Some(agreement) = self.agreement.take() {
            let mut probes = agreement.probes;
            probes.push(probe);
            self.agreement = Some(Agreement {
                cpu_accuracy: Some(accuracy),
                flips,
                ..agreement::verdict(probes)
            });
        }
    }

    /// Keeps the tiles that were chosen.
    pub(super) fn keep_tiles(&mut self) {
        let used = self.execution.as_mut().and_then(|it| it.gpu.as_mut());
        if let (Some(engine), Some(used)) = (&self.gpu, used) {
            tuning::keep(self.context, engine, used);
        }
    }

    /// Writes into the record what it was executed on.
    pub(super) fn note(&self, draft: &mut Record) {
        let Some(execution) = &self.execution else {
            return;
        };
        let own_batch = self.recipe.training.batch_size;
        let word = match execution.parts.as_slice() {
            [part] if part.batch_size == own_batch => part.engine.as_str(),
            _ => "mixed",
        };
        draft.environment.engine = word.into();
        draft.environment.arithmetic = match word {
            "cpu" => cpu::ARITHMETIC.into(),
            _ => gpu::ARITHMETIC.into(),
        };
        draft.results.execution = Some(execution.clone());
        draft.results.agreement = None;
        if word != "cpu" {
            draft.results.agreement.clone_from(&self.agreement);
            if let Some(used) = &execution.gpu {
                draft.environment.adapter.clone_from(&used.adapter);
            }
        }
    }

    fn stage(&self, name: &str) {
        self.context.send(EventBody::Stage {
            name: name.into(),
            fraction: 0.0,
        });
    }

    /// Says which engine goes on.
    fn tell(&self, reason: &str) {
        let used = self.execution.as_ref().and_then(|it| it.gpu.as_ref());
        let adapter = used.filter(|_| self.is_gpu()).map(|it| it.adapter.clone());
        self.context.send(EventBody::Engine {
            engine: engine_word(self.is_gpu()).into(),
            reason: reason.into(),
            adapter: adapter.unwrap_or_default(),
            batch_size: self.batch_size,
        });
    }
}

const fn engine_word(is_gpu: bool) -> &'static str {
    if is_gpu { "gpu" } else { "cpu" }
}
