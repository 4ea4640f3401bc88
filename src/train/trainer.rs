//! From a recipe to weights, one step at a time: order of rows, learning rate, validation, what to keep, when to end.
//!
//! What it does depends on recipe and data alone: not on when it is called, paused or resumed, and not on time.

use super::checkpoint::{self, Progress};
use super::optimizer::Update;
use super::schedule;
use super::step::{Ended, Step};
use crate::data::{Rows, Split};
use crate::engine::{Engine, Executable, Parameters, TrainStep, loss};
use crate::error::Result;
use crate::model::{Graph, Plan, Weights};
use crate::recipe::Recipe;
use crate::result::EpochPoint;
use crate::rng::Stream;

/// Rows that are scored in one go after an epoch, unless a training batch is larger.
const VALIDATION_BATCH: u32 = 64;

/// A training under way.
pub struct Trainer {
    executable: Box<dyn Executable>,
    graph: Graph,
    recipe: Recipe,
    training_digest: String,
    arithmetic: &'static str,
    batch_size: u32,
    steps_per_epoch: u32,
    at_once: u32,
    labels: Vec<u16>,
    train: Vec<u32>,
    validation: Vec<u32>,
    classes: usize,
    /// The rows of the epoch under way, in its order.
    order: Vec<u32>,
    /// How many of them are done.
    position: usize,
    /// Sums over the epoch under way.
    epoch: Sums,
    progress: Progress,
    ended: Option<Ended>,
    non_finite_step: Option<u64>,
}

#[derive(Default)]
struct Sums {
    loss: f64,
    correct: u32,
    learning_rate: f64,
}

impl Trainer {
    /// A training that has not begun, with its first weights. `rows` must be loaded into `engine` already, and `plan`
    /// must be the recipe's.
    ///
    /// # Errors
    /// As [`Engine::prepare`].
    pub async fn new(
        engine: &dyn Engine,
        plan: &Plan,
        recipe: &Recipe,
        rows: &Rows,
        split: &Split,
    ) -> Result<Self> {
        let batch_size = recipe.training.batch_size;
        Self::begun(engine, plan, recipe, rows, split, batch_size).await
    }

    /// Rows that a model is prepared for where steps have so many: a validation takes more than a small step.
    #[must_use]
    pub const fn rows_at_once(batch_size: u32) -> u32 {
        if batch_size > VALIDATION_BATCH {
            batch_size
        } else {
            VALIDATION_BATCH
        }
    }

    async fn begun(
        engine: &dyn Engine,
        plan: &Plan,
        recipe: &Recipe,
        rows: &Rows,
        split: &Split,
        batch_size: u32,
    ) -> Result<Self> {
        let weights = Weights::init(&plan.graph, recipe.seed)?;
        let batch_size = batch_size.max(1);
        let executable = engine
            .prepare(
                &plan.graph,
                Parameters::Exact(&weights),
                Self::rows_at_once(batch_size),
            )
            .await?;
        let classes = plan
            .cost
            .layers
            .last()
            .and_then(|layer| layer.output.first())
            .map_or(0, |&classes| classes as usize);
        let mut trainer = Self {
            executable,
            graph: plan.graph.clone(),
            recipe: recipe.clone(),
            training_digest: recipe.training_digest(),
            arithmetic: engine.capabilities().arithmetic,
            batch_size,
            steps_per_epoch: (split.train.len() as u32).div_ceil(batch_size),
            at_once: 1,
            labels: rows.labels.clone(),
            train: split.train.clone(),
            validation: split.validation.clone(),
            classes,
            order: Vec::new(),
            position: 0,
            epoch: Sums::default(),
            progress: Progress::default(),
            ended: None,
            non_finite_step: None,
        };
        trainer.begin_epoch();
        Ok(trainer)
    }

    /// A training that goes on from a checkpoint of the same training, to the very same weights; how they are stored and
    /// measured may differ.
    ///
    /// # Errors
    /// As [`Trainer::new`]; [`crate::error::Error::BadInput`] in words for bytes that are no checkpoint, are truncated or
    /// altered, or come from another recipe, model or arithmetic.
    pub async fn resume(
        engine: &dyn Engine,
        plan: &Plan,
        recipe: &Recipe,
        rows: &Rows,
        split: &Split,
        bytes: &[u8],
    ) -> Result<Self> {
        let mut trainer = Self::new(engine, plan, recipe, rows, split).await?;
        let own = Some((trainer.arithmetic, trainer.steps_per_epoch));
        trainer.go_on_from(bytes, own).await?;
        Ok(trainer)
    }

    /// A training that goes on with batches of `batch_size` rows, from a checkpoint that may come from another engine and
    /// another batch size, or from the start without one. What it leads to is what no single engine would have reached.
    ///
    /// The schedule goes on from the same epoch; steps are counted as if every epoch had had this batch size.
    ///
    /// # Errors
    /// As [`Trainer::resume`], but for the arithmetic and the number of steps.
    pub async fn hand_over(
        engine: &dyn Engine,
        plan: &Plan,
        recipe: &Recipe,
        rows: &Rows,
        split: &Split,
        bytes: Option<&[u8]>,
        batch_size: u32,
    ) -> Result<Self> {
        let mut trainer = Self::begun(engine, plan, recipe, rows, split, batch_size).await?;
        if let Some(bytes) = bytes {
            trainer.go_on_from(bytes, None).await?;
            let epochs = trainer.progress.curve.len() as u64;
            trainer.progress.steps = epochs * u64::from(trainer.steps_per_epoch);
        }
        Ok(trainer)
    }

    /// `own` is the arithmetic and the steps of an epoch that the checkpoint must have.
    async fn go_on_from(&mut self, bytes: &[u8], own: Option<(&'static str, u32)>) -> Result<()> {
        let (state, progress) = checkpoint::read(
            bytes,
            &checkpoint::Identity {
                graph: &self.graph,
                recipe: [self.training_digest.clone(), self.recipe.digest()],
                own,
                epochs: self.recipe.training.epochs,
            },
        )?;
        self.executable.restore(&state).await?;
        self.progress = progress;
        self.ended = self.end_reached();
        self.begin_epoch();
        Ok(())
    }

    /// Lets one [`Trainer::step`] do so many batches: an engine that has to be waited for is waited for less often. It
    /// changes no result, only how often one hears of it.
    pub const fn take_at_once(&mut self, batches: u32) {
        self.at_once = if batches == 0 { 1 } else { batches };
    }

    /// Does the next thing: one batch, or the validation that ends an epoch.
    ///
    /// # Errors
    /// As [`Executable::train`] and [`Executable::logits`]: none that the recipe or the data cause.
    pub async fn step(&mut self) -> Result<Step> {
        if let Some(ended) = self.ended {
            return Ok(Step::Finished(ended));
        }
        if self.position < self.order.len() {
            self.train_batch().await
        } else {
            self.end_epoch().await
        }
    }

    async fn train_batch(&mut self) -> Result<Step> {
        let training = &self.recipe.training;
        let done = self.progress.steps;
        let batch = self.batch_size as usize;
        let (mut steps, mut learning_rate) = (Vec::new(), 0.0);
        let batches = self.order[self.position..].chunks(batch);
        for (step, rows) in (done..).zip(batches.take(self.at_once as usize)) {
            learning_rate = schedule::learning_rate(training, self.steps_per_epoch, step)?;
            steps.push(TrainStep {
                rows: rows.to_vec(),
                update: Update::new(training, learning_rate, step + 1)?,
                label_smoothing: training.label_smoothing.unwrap_or(0.0) as f32,
                // By step and not by epoch, so that a training that goes on from a checkpoint draws the same.
                dropout_key: Stream::new(self.recipe.seed, "dropout", step + 1).key(),
            });
        }
        let metrics = self.executable.train(&steps).await?;
        if let Some(broken) = metrics.non_finite {
            self.progress.steps += u64::from(broken);
            return Ok(self.non_finite(done + u64::from(broken) + 1));
        }
        self.position = (self.position + steps.len() * batch).min(self.order.len());
        self.progress.steps += steps.len() as u64;
        self.epoch.loss += metrics.loss_sum;
        self.epoch.correct += metrics.correct;
        self.epoch.learning_rate = learning_rate;
        Ok(Step::Stepped {
            loss: metrics.loss_sum / f64::from(metrics.rows.max(1)),
            correct: metrics.correct,
            rows: metrics.rows,
        })
    }

    async fn end_epoch(&mut self) -> Result<Step> {
        let logits = self.executable.logits(&self.validation).await?;
        let labels: Vec<u16> = (self.validation.iter())
            .filter_map(|&row| self.labels.get(row as usize).copied())
            .collect();
        let validation = loss::cross_entropy(&logits, &labels, self.classes);
        let state = self.executable.state().await?;
        // A last step can leave NaN weights behind a finite loss; relu hides them from the logits.
        if !validation.sum.is_finite() || !state.weights.is_finite() {
            return Ok(self.non_finite(self.progress.steps));
        }
        let share = |sum: f64, rows: usize| sum / rows.max(1) as f64;
        let point = EpochPoint {
            epoch: self.progress.curve.len() as u32 + 1,
            train_loss: share(self.epoch.loss, self.order.len()),
            train_accuracy: share(self.epoch.correct.into(), self.order.len()),
            validation_loss: share(validation.sum, labels.len()),
            validation_accuracy: share(validation.correct.into(), labels.len()),
            learning_rate: self.epoch.learning_rate,
            secs: 0.0,
        };
        let best = best_epoch(&self.progress.curve)
            .is_none_or(|best| point.validation_loss < best.validation_loss);
        self.progress.curve.push(point);
        if best || self.recipe.training.keep == "last" {
            self.progress.kept = state.weights;
            self.progress.kept_epoch = point.epoch;
        }
        self.ended = self.end_reached();
        self.begin_epoch();
        Ok(Step::EpochDone(point))
    }

    fn non_finite(&mut self, step: u64) -> Step {
        self.ended = Some(Ended::NonFinite);
        self.non_finite_step = Some(step);
        Step::NonFinite { step }
    }

    /// Whether the finished epochs are all there should be.
    fn end_reached(&self) -> Option<Ended> {
        let curve = &self.progress.curve;
        let done = curve.len() as u32;
        let patience = self.recipe.training.patience;
        let best = best_epoch(curve).map_or(0, |point| point.epoch);
        if done >= self.recipe.training.epochs {
            Some(Ended::AllEpochs)
        } else if patience > 0 && done.saturating_sub(best) >= patience {
            Some(Ended::Patience)
        } else {
            None
        }
    }

    /// Puts the training rows into the order of the next epoch: stream `shuffle`, numbered by epoch from 1.
    fn begin_epoch(&mut self) {
        let epoch = self.progress.curve.len() as u64 + 1;
        self.order.clone_from(&self.train);
        Stream::new(self.recipe.seed, "shuffle", epoch).shuffle(&mut self.order);
        self.position = 0;
        self.epoch = Sums::default();
    }

    /// State to go on from after the last finished epoch, as bytes; call it right after [`Step::EpochDone`].
    ///
    /// # Errors
    /// [`crate::error::Error::BadInput`] in the middle of an epoch, or before the first one ended.
    pub async fn checkpoint(&mut self) -> Result<Vec<u8>> {
        if self.position > 0 || self.progress.curve.is_empty() || self.non_finite_step.is_some() {
            return Err(crate::error::Error::bad_input(
                "a checkpoint",
                "the end of an epoch",
                "another moment of the training",
            ));
        }
        let state = self.executable.state().await?;
        Ok(checkpoint::write(
            &state,
            &self.progress,
            &self.training_digest,
            self.arithmetic,
        ))
    }

    /// Says how long the last finished epoch took, validation included, in seconds; for the curve only.
    pub fn time_epoch(&mut self, secs: f64) {
        if let Some(point) = self.progress.curve.last_mut() {
            point.secs = secs;
        }
    }

    /// Finished epochs.
    #[must_use]
    pub fn curve(&self) -> &[EpochPoint] {
        &self.progress.curve
    }

    /// Rows of an epoch.
    #[must_use]
    pub const fn training_rows(&self) -> usize {
        self.train.len()
    }

    /// Steps done.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.progress.steps
    }

    /// Steps planned, if it does not end early.
    #[must_use]
    pub fn planned_steps(&self) -> u64 {
        u64::from(self.steps_per_epoch) * u64::from(self.recipe.training.epochs)
    }

    /// The kept weights, `best` or `last` as the recipe asks, and the epoch (counted from 1) that they are from; none
    /// before the first epoch is done.
    #[must_use]
    pub fn kept(&self) -> Option<(&Weights, u32)> {
        let epoch = self.progress.kept_epoch;
        (epoch > 0).then_some((&self.progress.kept, epoch))
    }

    /// Why it has ended, if it has.
    #[must_use]
    pub const fn ended(&self) -> Option<Ended> {
        self.ended
    }

    /// The step (counted from 1) whose loss was NaN or infinite, if there was one.
    #[must_use]
    pub const fn non_finite_step(&self) -> Option<u64> {
        self.non_finite_step
    }

    /// The layer graph that is trained.
    #[must_use]
    pub const fn graph(&self) -> &Graph {
        &self.graph
    }
}

/// The epoch with the lowest validation loss, the first of equals.
fn best_epoch(curve: &[EpochPoint]) -> Option<&EpochPoint> {
    curve.iter().reduce(|best, point| {
        if point.validation_loss < best.validation_loss {
            point
        } else {
            best
        }
    })
}
