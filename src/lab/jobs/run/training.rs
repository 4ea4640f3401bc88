//! The training stage: steps, epochs, checkpoints, and going on elsewhere where the GPU is lost.

use super::engines::{Engines, Recovery};
use super::progress::Progress;
use super::stages::Course;
use super::{Run, rounded_to, unsealed};
use crate::error::Result;
use crate::lab::checkpoint::Checkpoint;
use crate::lab::prepared::Prepared;
use crate::lab::protocol::EventBody;
use crate::model::Weights;
use crate::result::{EpochPoint, Training};
use crate::runlog::record::{Record, Status};
use crate::train::{Ended, Step, Trainer};

/// Steps that are sent to a GPU together take about this long: a person sees them move, and Stop is heard soon.
const SENT_TOGETHER_MILLIS: f64 = 150.0;
/// The most of them.
const SENT_TOGETHER: f64 = 256.0;

/// What a training can go on from.
pub(super) struct Kept {
    /// The trainer's own bytes.
    pub(super) trainer: Vec<u8>,
    /// Finished epochs in them.
    pub(super) epochs: u32,
}

/// How a training ended: the record's status, and its own word for it.
type End = (Status, &'static str);

impl Run<'_> {
    /// Trains to the end, to a stop or to a non-finite loss; the kept weights, if any epoch was finished.
    pub(super) async fn train(
        &self,
        engines: &mut Engines<'_>,
        draft: &mut Record,
        mut from: Option<Kept>,
    ) -> Result<Option<Weights>> {
        let course = Course::default();
        loop {
            // What was said of the engine is seen before kernels are compiled.
            if engines.is_gpu() {
                self.context.turn().await;
            }
            let mut trainer = None;
            let began = self.trainer(engines, draft, from.as_ref()).await;
            let ended = match began {
                Ok(begun) => {
                    let trainer = trainer.insert(begun);
                    self.steps(engines, draft, trainer, &mut from, &course)
                        .await
                }
                Err(error) => Err(error),
            };
            let (status, ended) = match ended {
                Ok(end) => end,
                Err(error) => {
                    let epochs = from.as_ref().map_or(0, |kept| kept.epochs);
                    match engines.lost(error, epochs).await? {
                        Recovery::GoOn => {
                            engines.note(draft);
                            continue;
                        }
                        Recovery::Stop => (Status::Stopped, "stopped"),
                    }
                }
            };
            draft.status = status;
            let trainer = match trainer {
                Some(trainer) => trainer,
                // Stopped before the GPU could go on: what was kept is told by the CPU.
                None if from.is_some() => self.trainer(engines, draft, from.as_ref()).await?,
                None => return Ok(None),
            };
            draft.results.training = Some(self.training(&trainer, ended, &course));
            let kept = trainer.kept().map(|(weights, _)| weights.clone());
            if let Some(weights) = &kept {
                draft.digests.weights = weights.digest();
            }
            return Ok(kept);
        }
    }

    /// A trainer from the start or from a checkpoint, which has to be of the same engine and batch where a recipe asks for
    /// the CPU.
    async fn trainer(
        &self,
        engines: &Engines<'_>,
        draft: &Record,
        from: Option<&Kept>,
    ) -> Result<Trainer> {
        let Prepared { plan, rows, .. } = self.prepared;
        let split = &self.prepared.split;
        let (engine, recipe) = (engines.engine(), &draft.recipe);
        match from.map(|kept| kept.trainer.as_slice()) {
            Some(bytes) if engines.execution().is_none() => {
                Trainer::resume(engine, plan, recipe, rows, split, bytes).await
            }
            from => {
                let batch = engines.batch_size();
                Trainer::hand_over(engine, plan, recipe, rows, split, from, batch).await
            }
        }
    }

    /// Steps until the training ends; `newest` becomes what it can go on from.
    pub(super) async fn steps(
        &self,
        engines: &Engines<'_>,
        draft: &mut Record,
        trainer: &mut Trainer,
        newest: &mut Option<Kept>,
        course: &Course,
    ) -> Result<End> {
        let context = self.context;
        let epochs = draft.recipe.training.epochs;
        let mut progress = Progress::new(context.clock.now_millis(), trainer.steps());
        let mut epoch_began = context.clock.now_millis();
        let mut together = 1.0;
        loop {
            if context.breathe().await {
                return Ok((Status::Stopped, "stopped"));
            }
            let began = context.clock.now_millis();
            match trainer.step().await? {
                Step::Stepped {
                    loss,
                    correct,
                    rows,
                } => {
                    progress.add(loss, correct, rows);
                    let now = context.clock.now_millis();
                    if engines.is_gpu() {
                        let share = SENT_TOGETHER_MILLIS / (now - began).max(1e-3);
                        together = (together * share.min(4.0)).clamp(1.0, SENT_TOGETHER);
                        trainer.take_at_once(together as u32);
                    }
                    if progress.is_due(now) {
                        context.send(progress.take(now, trainer, course, epochs));
                    }
                }
                Step::EpochDone(point) => {
                    let now = context.clock.now_millis();
                    let secs = rounded_to((now - epoch_began) / 1e3, 1e4);
                    epoch_began = now;
                    trainer.time_epoch(secs);
                    context.send(EventBody::Epoch {
                        point: EpochPoint {
                            epoch: point.epoch + course.curve.len() as u32,
                            secs,
                            ..point
                        },
                    });
                    *newest = Some(
                        self.send_checkpoint(engines, draft, trainer, course)
                            .await?,
                    );
                }
                Step::NonFinite { step } => {
                    context.send(EventBody::NonFinite { step });
                    return Ok((Status::NonFinite, Ended::NonFinite.name()));
                }
                Step::Finished(ended) => return Ok((Status::Complete, ended.name())),
            }
        }
    }

    /// How training went so far.
    pub(super) fn training(&self, trainer: &Trainer, ended: &str, course: &Course) -> Training {
        let curve = course.points(trainer.curve());
        let secs: f64 = curve.iter().map(|point| point.secs).sum();
        let before = course.curve.len() as u32;
        let shown = trainer.curve().len() * trainer.training_rows();
        let rows = (course.shown + shown as u64) as f64;
        Training {
            steps: course.steps + trainer.steps(),
            kept_epoch: trainer.kept().map_or(0, |(_, epoch)| before + epoch),
            samples_per_sec: if secs > 0.0 {
                (rows / secs).round()
            } else {
                0.0
            },
            ended: ended.into(),
            non_finite_step: trainer.non_finite_step().map(|it| course.steps + it),
            curve,
        }
    }

    /// Hands out what a later run can go on from, with the record that tells of this one if it never ends; gives the
    /// trainer's part.
    async fn send_checkpoint(
        &self,
        engines: &Engines<'_>,
        draft: &Record,
        trainer: &mut Trainer,
        course: &Course,
    ) -> Result<Kept> {
        let mut so_far = draft.clone();
        so_far.duration_secs = self.active_secs();
        so_far.results.training = Some(self.training(trainer, "interrupted", course));
        if let Some((weights, _)) = trainer
            .kept()
            .filter(|_| self.prepared.plan.stages.is_empty())
        {
            so_far.digests.weights = weights.digest();
        }
        let checkpoint = Checkpoint {
            started: so_far.started.clone(),
            active_secs: so_far.duration_secs,
            epochs: (course.curve.len() + trainer.curve().len()) as u32,
            execution: engines.execution().cloned(),
            trainer: course.packed(trainer.checkpoint().await?),
        };
        let record = unsealed(&so_far)?;
        self.context.send(EventBody::Checkpoint {
            buffer: self.context.put(checkpoint.to_bytes()),
            epoch: checkpoint.epochs,
            record,
        });
        Ok(Kept {
            trainer: checkpoint.trainer,
            epochs: checkpoint.epochs,
        })
    }
}
