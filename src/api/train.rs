//! Trains a model on rows that the caller brings, so many steps at a time; it keeps no curve and stops for nothing but a
//! loss that is not finite.
//!
//! The rows of a step are a pure function of seed, step, batch size and number of rows, and the optimizer's moments stay
//! with the model: two calls of ten steps on the same rows do what one of twenty does.

use super::core::{Core, check_finite, fitting_cost, no_rows, rows};
use super::evaluate::check_labels;
use crate::engine::{Parameters, TrainStep};
use crate::error::{Error, Result};
use crate::model::{MAX_STEPS, Weights};
use crate::rng::Stream;
use crate::train::optimizer::Optimizer;
use std::rc::Rc;

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOptions {
    /// Steps to do, 1 to [`MAX_STEPS`].
    pub steps: u32,
    /// Rows of a step, 1 to 4,096; the last of a pass over the rows may have fewer, and no row is left out.
    pub batch_size: u32,
    /// `adamw` or `sgd`.
    pub optimizer: String,
    /// Size of a step, above 0 to 10. It stays the same; a schedule is a call per rate.
    pub learning_rate: f64,
    /// How much of the last step sgd keeps, 0 to 0.999; adamw has its own.
    pub momentum: f64,
    /// Pulls weights, not biases, towards zero, 0 to 1.
    pub weight_decay: f64,
    /// Share of each answer that is spread evenly over the classes, 0 to below 1.
    pub label_smoothing: f64,
    /// Whether each pass takes the rows in another order; otherwise they are taken as they come.
    pub shuffle: bool,
    /// Of the orders and of dropout.
    pub seed: u32,
}

impl TrainOptions {
    /// AdamW at a learning rate, shuffled, without decay or smoothing, seed 0.
    #[must_use]
    pub fn new(steps: u32, batch_size: u32, learning_rate: f64) -> Self {
        Self {
            steps,
            batch_size,
            optimizer: "adamw".into(),
            learning_rate,
            momentum: 0.9,
            weight_decay: 0.0,
            label_smoothing: 0.0,
            shuffle: true,
            seed: 0,
        }
    }

    fn check(&self) -> Result<()> {
        let numbers = [
            ("steps", f64::from(self.steps), 1.0, MAX_STEPS as f64),
            ("batchSize", f64::from(self.batch_size), 1.0, 4096.0),
            ("learningRate", self.learning_rate, f64::MIN_POSITIVE, 10.0),
            ("momentum", self.momentum, 0.0, 0.999),
            ("weightDecay", self.weight_decay, 0.0, 1.0),
            ("labelSmoothing", self.label_smoothing, 0.0, 0.999),
        ];
        for (name, value, least, most) in numbers {
            if !(least..=most).contains(&value) {
                let least = if least == f64::MIN_POSITIVE {
                    "above 0".into()
                } else {
                    least.to_string()
                };
                let expected = format!("{least} to {most}");
                return Err(Error::bad_input(name, expected, value.to_string()));
            }
        }
        Ok(())
    }
}

/// What training steps did.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// Mean cross-entropy of the steps' rows, each before its step, nats; NaN where no step was done.
    pub loss: f64,
    /// Share of those rows answered rightly; NaN where no step was done.
    pub accuracy: f64,
    /// Steps done.
    pub steps: u32,
    /// Rows seen.
    pub rows: u64,
    /// The step of this call, counted from 1, whose loss was NaN or infinite: it and those after it were not done, and the
    /// weights are those before it. Or the last step, where a weight is not finite after it: a relu can hide that from
    /// every loss.
    pub non_finite: Option<u32>,
}

/// What a model remembers from one call to the next, beside what its executable keeps.
#[derive(Debug, Default)]
pub(super) struct Training {
    /// Steps done in all: which rows come next.
    steps: u64,
    /// Steps done by the optimizer whose moments are kept.
    optimizer_steps: u64,
    optimizer: String,
    order: Order,
}

impl Training {
    pub(super) const fn steps(&self) -> u64 {
        self.steps
    }

    /// The step that comes `ahead` steps after the next one.
    fn step(
        &mut self,
        ahead: u64,
        count: u32,
        options: &TrainOptions,
        optimizer: Optimizer<'_>,
    ) -> Result<TrainStep> {
        let number = self.steps + ahead;
        Ok(TrainStep {
            rows: self.order.batch(count, number, options).to_vec(),
            update: optimizer.update(options.learning_rate, self.optimizer_steps + ahead + 1)?,
            label_smoothing: options.label_smoothing as f32,
            // As a recipe's training draws it.
            dropout_key: Stream::new(options.seed, "dropout", number + 1).key(),
        })
    }
}

/// The order of the rows in one pass.
#[derive(Debug, Default)]
struct Order {
    /// Seed, number of the pass counted from 1, and whether it is shuffled; the length says of how many rows.
    of: Option<(u32, u64, bool)>,
    rows: Vec<u32>,
}

impl Order {
    /// The rows of step `step`, counted from 0 over the model's life.
    fn batch(&mut self, count: u32, step: u64, options: &TrainOptions) -> &[u32] {
        let per_pass = u64::from(count.div_ceil(options.batch_size));
        let (pass, place) = (step / per_pass + 1, step % per_pass);
        let wanted = Some((options.seed, pass, options.shuffle));
        if self.of != wanted || self.rows.len() != count as usize {
            self.rows.clear();
            self.rows.extend(0..count);
            if options.shuffle {
                Stream::new(options.seed, "shuffle", pass).shuffle(&mut self.rows);
            }
            self.of = wanted;
        }
        let first = place as usize * options.batch_size as usize;
        let last = (first + options.batch_size as usize).min(self.rows.len());
        &self.rows[first..last]
    }
}

impl Core {
    /// See [`super::Model::train`].
    pub(super) async fn train(
        &mut self,
        input: Vec<f32>,
        labels: Vec<u16>,
        options: &TrainOptions,
    ) -> Result<Trained> {
        options.check()?;
        self.check_input(&input, labels.len() as u64, "labels")?;
        check_labels(&labels, self.classes)?;
        check_finite(&input, labels.len(), "to train on")?;
        let optimizer = Optimizer {
            name: &options.optimizer,
            momentum: options.momentum,
            weight_decay: options.weight_decay,
        };
        optimizer.update(options.learning_rate, 1)?;
        if self.options.scheme != "f32" {
            return Err(Error::Unsupported {
                feature: "training a stored model".into(),
                why: "its weights have been rounded; train the f32 weights and store them again"
                    .into(),
            });
        }
        let count = labels.len() as u32;
        self.make_room(options.batch_size.min(count)).await?;
        self.begin_with(&options.optimizer).await?;
        let shape = self.graph.input;
        let given = Rc::new(rows(shape, input, labels));
        self.executable.load(given).await?;
        let trained = self.train_steps(count, options, optimizer).await;
        self.executable.load(no_rows(shape)).await?;
        let mut trained = trained?;
        if trained.non_finite.is_none() && !self.executable.is_finite().await? {
            trained.non_finite = Some(trained.steps);
        }
        Ok(trained)
    }

    async fn train_steps(
        &mut self,
        count: u32,
        options: &TrainOptions,
        optimizer: Optimizer<'_>,
    ) -> Result<Trained> {
        let (mut loss, mut correct, mut rows, mut steps) = (0.0, 0_u64, 0_u64, 0);
        let mut non_finite = None;
        while steps < options.steps && non_finite.is_none() {
            let group = self.steps_at_once.min(options.steps - steps);
            let next = (0..u64::from(group))
                .map(|step| self.training.step(step, count, options, optimizer))
                .collect::<Result<Vec<_>>>()?;
            let metrics = self.executable.train(&next).await?;
            non_finite = metrics.non_finite.map(|step| steps + step + 1);
            self.training.steps += u64::from(metrics.steps);
            self.training.optimizer_steps += u64::from(metrics.steps);
            loss += metrics.loss_sum;
            correct += u64::from(metrics.correct);
            rows += u64::from(metrics.rows);
            steps += metrics.steps;
        }
        Ok(Trained {
            loss: loss / rows as f64,
            accuracy: correct as f64 / rows as f64,
            steps,
            rows,
            non_finite,
        })
    }

    /// Prepares the model anew, with all that training changed, where a step has more rows than it was prepared for.
    async fn make_room(&mut self, batch: u32) -> Result<()> {
        if batch <= self.options.batch {
            return Ok(());
        }
        fitting_cost(&self.graph, &self.options.scheme, batch)?;
        let state = self.executable.state().await?;
        let exact = Parameters::Exact(&state.weights);
        let mut executable = self.engine.prepare(&self.graph, exact, batch).await?;
        executable.restore(&state).await?;
        self.executable = executable;
        self.options.batch = batch;
        Ok(())
    }

    /// Forgets the moments of another optimizer.
    async fn begin_with(&mut self, optimizer: &str) -> Result<()> {
        if self.training.optimizer == optimizer {
            return Ok(());
        }
        if self.training.optimizer_steps > 0 {
            let mut state = self.executable.state().await?;
            state.first = zeros_like(&state.first);
            state.second = zeros_like(&state.second);
            self.executable.restore(&state).await?;
        }
        self.training.optimizer = optimizer.into();
        self.training.optimizer_steps = 0;
        Ok(())
    }
}

fn zeros_like(weights: &Weights) -> Weights {
    let mut zeros = Weights::default();
    for (name, tensor) in weights.iter() {
        zeros.insert(name, tensor.shape.clone(), vec![0.0; tensor.values.len()]);
    }
    zeros
}
