//! A run of two stages: each is trained by itself, one after the other, and both answer the test rows; on the CPU only.

use super::Run;
use super::engines::Engines;
use super::training::Kept;
use crate::data::{Rows, staged};
use crate::engine::cpu::CpuEngine;
use crate::error::{Error, Result};
use crate::eval::Staged;
use crate::lab::context::Playable;
use crate::lab::prepared::Prepared;
use crate::model::{Plan, Weights, stages};
use crate::quant::Stored;
use crate::result::{Accuracy, EpochPoint, Predictions, StageTraining, StagedAnswers, Stages};
use crate::runlog::record::{Record, Status};
use crate::stats::wilson;
use crate::train::Trainer;
use std::rc::Rc;

/// Where a training stands in the training of a model: what was trained before it and what comes after. Nothing of both for a
/// model of one stage.
#[derive(Default)]
pub(super) struct Course {
    /// Epochs of the stage before.
    pub(super) curve: Vec<EpochPoint>,
    /// Its steps.
    pub(super) steps: u64,
    /// Rows that it was shown in all.
    pub(super) shown: u64,
    /// The stage before with its checkpoint, or the stage under way where there is none before; of a model of one stage nothing.
    stage: Option<Vec<u8>>,
    /// Epochs of the stage after, if it does not end early.
    pub(super) later_epochs: u32,
    /// Its steps.
    pub(super) later_steps: u64,
}

impl Course {
    /// The points of a stage, numbered after those before.
    pub(super) fn points(&self, of_stage: &[EpochPoint]) -> Vec<EpochPoint> {
        let before = self.curve.len() as u32;
        let after = of_stage.iter().map(|point| EpochPoint {
            epoch: point.epoch + before,
            ..*point
        });
        self.curve.iter().copied().chain(after).collect()
    }

    /// What a training of this model goes on from, given what the stage under way goes on from.
    pub(super) fn packed(&self, trainer: Vec<u8>) -> Vec<u8> {
        match &self.stage {
            None => trainer,
            Some(before) if before.is_empty() => pack(&trainer, &[]),
            Some(before) => pack(before, &trainer),
        }
    }
}

const MAGIC: &[u8; 8] = b"assayst1";

/// Checkpoints of both stages, the second empty while the first is trained.
fn pack(first: &[u8], second: &[u8]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend((first.len() as u64).to_le_bytes());
    bytes.extend(first);
    bytes.extend(second);
    bytes
}

fn unpack(bytes: &[u8]) -> Result<[&[u8]; 2]> {
    let parts = bytes.strip_prefix(MAGIC).and_then(|rest| {
        let (length, rest) = rest.split_first_chunk::<8>()?;
        rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
    });
    let (first, second) = parts.ok_or_else(|| {
        Error::bad_input(
            "the checkpoint",
            "one of a model of two stages; start the run anew",
            "another",
        )
    })?;
    Ok([first, second])
}

impl Run<'_> {
    /// Trains the first stage to its end and then the second; the weights of both, if the second finished an epoch.
    pub(super) async fn train_stages(
        &self,
        engines: &Engines<'_>,
        draft: &mut Record,
        from: Option<Kept>,
    ) -> Result<Option<Weights>> {
        let Prepared {
            plan, rows, split, ..
        } = self.prepared;
        let saved = from
            .as_ref()
            .map(|kept| unpack(&kept.trainer))
            .transpose()?;
        let saved = saved.unwrap_or_default();
        let epochs = draft.recipe.training.epochs;
        let steps = |plan: &Plan| u64::from(plan.steps_per_epoch) * u64::from(epochs);
        let mut course = Course {
            stage: Some(Vec::new()),
            later_epochs: epochs,
            later_steps: plan.stages.get(1).map_or(0, steps),
            ..Course::default()
        };
        let mut told = Stages {
            training: Vec::new(),
            answers: None,
        };
        let questions: [fn(&Rows) -> Rows; 2] = [staged::occupancy, staged::pieces];
        let parts = [split.clone(), staged::occupied(&rows.labels, split)];
        let mut first: Option<Weights> = None;
        let each = plan.stages.iter().zip(questions).zip(parts).zip(saved);
        for ((((plan, question), split), saved), name) in each.zip(stages::STAGES) {
            self.stage(&format!("training the {name} stage"), 0.0);
            self.context.turn().await;
            let asked = Rc::new(question(rows));
            let engine = CpuEngine::with_rows(Rc::clone(&asked))?;
            let recipe = &draft.recipe;
            let mut trainer = match saved.is_empty() {
                true => Trainer::new(&engine, plan, recipe, &asked, &split).await?,
                false => Trainer::resume(&engine, plan, recipe, &asked, &split, saved).await?,
            };
            let (status, ended) = self
                .steps(engines, draft, &mut trainer, &mut None, &course)
                .await?;
            draft.status = status;
            draft.results.training = Some(self.training(&trainer, ended, &course));
            let kept = trainer.kept();
            told.training.push(StageTraining {
                name: name.into(),
                rows: split.train.len() as u32,
                epochs: trainer.curve().len() as u32,
                kept_epoch: kept.map_or(0, |(_, epoch)| epoch),
                steps: trainer.steps(),
                parameters: plan.cost.parameters,
                macs: plan.cost.macs,
            });
            draft.results.stages = serde_json::to_value(&told).ok();
            let Some(weights) = kept.map(|(weights, _)| weights.clone()) else {
                return Ok(None);
            };
            match first.take() {
                None if status == Status::Complete => {
                    first = Some(weights);
                    course = Course {
                        curve: trainer.curve().to_vec(),
                        steps: trainer.steps(),
                        shown: (trainer.curve().len() * split.train.len()) as u64,
                        stage: Some(trainer.checkpoint().await?),
                        ..Course::default()
                    };
                }
                // Without the second stage nothing can be answered.
                None => return Ok(None),
                Some(first) => {
                    let weights = stages::both(&first, &weights);
                    draft.digests.weights = weights.digest();
                    return Ok(Some(weights));
                }
            }
        }
        Ok(None)
    }

    /// Scores and times both stages as one model.
    pub(super) async fn measure_stages(
        &self,
        draft: &mut Record,
        stored: &Stored,
        batch: u32,
    ) -> Result<Playable> {
        let Prepared { plan, rows, .. } = self.prepared;
        let asked = Rc::new(staged::occupancy(rows));
        let mut both = Staged::new(plan, stored.weights(), asked, batch)?;
        let logits = self.logits(&mut both).await?;
        let (_, seen_twice) = both.counts();
        let scored = self.scored(draft, &logits)?;
        let confidence = draft.recipe.evaluation.confidence;
        let answers = answers(plan, &scored.predictions, seen_twice as u32, confidence);
        if let (Some(stages), Ok(answers)) =
            (&mut draft.results.stages, serde_json::to_value(answers))
        {
            stages["answers"] = answers;
        }
        self.fill(draft, scored);
        if self.is_to_be_timed(draft) {
            self.time(draft, &mut both).await?;
        }
        self.read_boards(draft, &mut both).await?;
        Ok(Playable {
            plan: plan.clone(),
            rows: self.prepared.dataset.rows(),
            scaler: rows.scaler,
            executable: Box::new(both),
        })
    }
}

/// What the answers of both say of each.
fn answers(
    plan: &Plan,
    predictions: &Predictions,
    seen_twice: u32,
    confidence: f64,
) -> StagedAnswers {
    let pairs = || predictions.labels.iter().zip(&predictions.predicted);
    let share = |correct: usize, total: usize| {
        let (correct, total) = (correct as u32, total as u32);
        let (low, high) = wilson(correct, total, confidence);
        Accuracy {
            correct,
            total,
            low,
            high,
            confidence,
        }
    };
    let rows = predictions.rows.len();
    let occupied = pairs().filter(|(label, _)| **label > 0).count();
    let told = pairs().filter(|(label, answer)| (**label > 0) == (**answer > 0));
    let right = pairs().filter(|(label, answer)| **label > 0 && label == answer);
    let macs = |stage: usize| plan.stages.get(stage).map_or(0.0, |it| it.cost.macs as f64);
    StagedAnswers {
        rows: rows as u32,
        occupied: occupied as u32,
        seen_twice,
        macs_per_row: macs(0) + macs(1) * f64::from(seen_twice) / rows.max(1) as f64,
        occupancy: share(told.count(), rows),
        pieces: share(right.count(), occupied),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_of_both_read_back_and_others_are_refused() {
        for (first, second) in [(&b"one"[..], &b"two"[..]), (b"one", b""), (b"", b"")] {
            assert_eq!(unpack(&pack(first, second)), Ok([first, second]));
        }
        let whole = pack(b"one", b"two");
        for cut in 0..MAGIC.len() + 8 + 3 {
            assert!(unpack(&whole[..cut]).is_err(), "{cut}");
        }
        let mut lying = whole;
        lying[MAGIC.len()..MAGIC.len() + 8].fill(0xff);
        let message = unpack(&lying).expect_err("refused").to_string();
        assert!(message.contains("start the run anew"), "{message}");
    }

    #[test]
    fn answers_are_told_apart_by_stage() {
        let mut recipe = crate::recipe::Recipe::default_for("chess", "lenet");
        recipe.architecture.stages = Some("two".into());
        let plan = crate::model::plan(&recipe, [1, 32, 32], 13, 100).expect("fits");
        let predictions = Predictions {
            rows: vec![0, 1, 2, 3],
            labels: vec![0, 1, 2, 3],
            predicted: vec![0, 1, 7, 0],
            confidence: vec![1.0; 4],
        };
        let found = answers(&plan, &predictions, 2, 0.95);
        assert_eq!((found.occupied, found.seen_twice), (3, 2));
        assert_eq!((found.occupancy.correct, found.occupancy.total), (3, 4));
        assert_eq!((found.pieces.correct, found.pieces.total), (1, 3));
        let [first, second] = [0, 1].map(|stage: usize| plan.stages[stage].cost.macs as f64);
        assert_eq!(found.macs_per_row, first + second / 2.0);
    }
}
