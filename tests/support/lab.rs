//! A recipe with everything that its training needs, on the CPU engine; it asserts nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use assay::data::{self, Dataset, Rows, Split};
use assay::engine::cpu::CpuEngine;
use assay::engine::{Engine, Parameters, loss};
use assay::eval;
use assay::model::{self, Plan};
use assay::quant::Stored;
use assay::recipe::{QuantizationSpec, Recipe};
use assay::train::{Ended, Step, Trainer};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// The value of a future that never waits.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the CPU engine never waits"),
    }
}

/// A recipe, its data divided and loaded, and its plan.
pub(crate) struct Lab {
    pub(crate) recipe: Recipe,
    pub(crate) engine: CpuEngine,
    pub(crate) plan: Plan,
    pub(crate) rows: Rows,
    pub(crate) split: Split,
    classes: usize,
}

impl Lab {
    /// On the recipe's own set.
    pub(crate) fn new(recipe: &Recipe) -> Self {
        let data = data::from_spec(&recipe.data).unwrap();
        Self::on(recipe, &data)
    }

    /// On other data than the recipe says.
    pub(crate) fn on(recipe: &Recipe, data: &Dataset) -> Self {
        let split = data::split(data, &recipe.split, recipe.seed).unwrap();
        Self::divided(recipe, data, split)
    }

    /// On data that are divided already.
    pub(crate) fn divided(recipe: &Recipe, data: &Dataset, split: Split) -> Self {
        let rows = data::rows(data, &recipe.preprocessing, &split).unwrap();
        let (classes, train_rows) = (data.classes.len(), split.train.len() as u32);
        let plan = model::plan(recipe, rows.shape, classes as u32, train_rows).unwrap();
        let mut engine = CpuEngine::new();
        ready(engine.load(&rows)).unwrap();
        Self {
            recipe: recipe.clone(),
            engine,
            plan,
            rows,
            split,
            classes,
        }
    }

    /// A training that has not begun.
    pub(crate) fn trainer(&self) -> Trainer {
        let (plan, recipe) = (&self.plan, &self.recipe);
        ready(Trainer::new(
            &self.engine,
            plan,
            recipe,
            &self.rows,
            &self.split,
        ))
        .unwrap()
    }

    /// A training that goes on from a checkpoint.
    pub(crate) fn resume(&self, bytes: &[u8]) -> assay::error::Result<Trainer> {
        let (plan, recipe) = (&self.plan, &self.recipe);
        ready(Trainer::resume(
            &self.engine,
            plan,
            recipe,
            &self.rows,
            &self.split,
            bytes,
        ))
    }

    /// Share of the test rows that the kept weights, stored under `scheme`, answer rightly.
    pub(crate) fn test_accuracy(&self, trainer: &Trainer, scheme: &str) -> f64 {
        let spec = QuantizationSpec {
            scheme: scheme.into(),
            ..QuantizationSpec::default()
        };
        let loss = self.test_loss(trainer, &spec);
        f64::from(loss.correct) / f64::from(loss.rows)
    }

    /// The loss of the kept weights on the test rows, stored as asked.
    pub(crate) fn test_loss(&self, trainer: &Trainer, spec: &QuantizationSpec) -> loss::Loss {
        let stored = self.stored(trainer, spec);
        let parameters = Parameters::Stored(&stored);
        let mut executable = ready(self.engine.prepare(trainer.graph(), parameters, 64)).unwrap();
        let logits = ready(executable.logits(&self.split.test)).unwrap();
        let labels = (self.split.test.iter()).map(|&row| self.rows.labels[row as usize]);
        let labels: Vec<u16> = labels.collect();
        loss::cross_entropy(&logits, &labels, self.classes)
    }

    /// The kept weights, stored as asked.
    pub(crate) fn stored(&self, trainer: &Trainer, spec: &QuantizationSpec) -> Stored {
        let (weights, _) = trainer.kept().unwrap();
        let training = &self.split.train;
        eval::stored(trainer.graph(), weights, spec, &self.rows, training).unwrap()
    }

    /// Trains to the end, and gives [`Self::test_accuracy`] of the unquantized weights.
    pub(crate) fn trained_accuracy(&self) -> f64 {
        let mut trainer = self.trainer();
        assert_eq!(finish(&mut trainer), Ended::AllEpochs);
        self.test_accuracy(&trainer, "f32")
    }
}

/// Steps until there is nothing more to do.
pub(crate) fn finish(trainer: &mut Trainer) -> Ended {
    loop {
        if let Step::Finished(ended) = ready(trainer.step()).unwrap() {
            return ended;
        }
    }
}

/// Steps to the end of the epoch.
pub(crate) fn finish_epoch(trainer: &mut Trainer) {
    while !matches!(ready(trainer.step()).unwrap(), Step::EpochDone(_)) {}
}
