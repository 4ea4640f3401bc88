//! What executes a model: the contract that every engine keeps, and the engines; none of them decides what to train.
//!
//! Rows are loaded into an engine once and then addressed by number. Futures need not be `Send`: they are ready at once
//! on the CPU and wait for the device on a GPU, and only the program's `main` ever blocks on one.

pub mod agreement;
pub mod cpu;
pub mod gpu;
pub mod loss;

use crate::data::Rows;
use crate::error::Result;
use crate::model::{Graph, Weights};
use crate::quant::Stored;
use crate::train::optimizer::Update;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// An answer that may take a while; see the module.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + 'a>>;

/// The answer of an engine that never waits, as the CPU's.
///
/// # Errors
/// The answer's own; [`crate::error::Error::Engine`] where it is not ready at once.
pub fn ready<T>(mut pending: Pending<'_, T>) -> Result<T> {
    match pending
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(answer) => answer,
        Poll::Pending => Err(crate::error::Error::Engine {
            engine: "cpu",
            during: "answering at once",
            reason: "it waits for a device".into(),
        }),
    }
}

/// Which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineKind {
    /// Assay's own kernels on one thread.
    Cpu,
    /// WebGPU.
    Gpu,
}

impl EngineKind {
    /// Its name in records and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        }
    }
}

/// What an engine can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// Version of its rounding behaviour: results under different versions are never *reproduced*.
    pub arithmetic: &'static str,
    /// Whether equal recipes give equal bits wherever the arithmetic has this version.
    pub exact: bool,
    /// Whether it can train.
    pub trains: bool,
    /// Threads that it uses.
    pub threads: u32,
}

/// The numbers that a model runs with.
#[derive(Debug, Clone, Copy)]
pub enum Parameters<'a> {
    /// As trained.
    Exact(&'a Weights),
    /// As stored under a scheme; such a model does not train.
    Stored(&'a Stored),
}

/// Something that executes models.
pub trait Engine {
    /// Which one.
    fn kind(&self) -> EngineKind;

    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Loads rows for the executables that are prepared from now on; earlier ones keep theirs.
    ///
    /// # Errors
    /// [`crate::error::Error::BadInput`] where features, labels and shape do not fit each other.
    fn load<'a>(&'a mut self, rows: &'a Rows) -> Pending<'a, ()>;

    /// Makes a model ready to run on the loaded rows, at most `batch` of them at a time.
    ///
    /// # Errors
    /// [`crate::error::Error::BadInput`] where the graph does not fit the rows or the parameters do not fit the graph.
    fn prepare<'a>(
        &'a self,
        graph: &'a Graph,
        parameters: Parameters<'a>,
        batch: u32,
    ) -> Pending<'a, Box<dyn Executable>>;
}

/// One training step: which rows, and how weights follow their gradient.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainStep {
    /// Rows of the loaded set, at least one; their mean loss is what falls.
    pub rows: Vec<u32>,
    /// The optimizer's numbers for this step.
    pub update: Update,
    /// Share of each label that is spread over all classes, in [0, 1); the loss that [`Metrics`] tells is without it.
    pub label_smoothing: f32,
    /// Decides which numbers this step's dropout takes out.
    pub dropout_key: u64,
}

/// What training steps measured, on their rows as they were before each step.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Metrics {
    /// Sum of the rows' cross-entropy, nats.
    pub loss_sum: f64,
    /// Rows answered rightly.
    pub correct: u32,
    /// Rows.
    pub rows: u32,
    /// Steps done.
    pub steps: u32,
    /// Index of the step whose loss or gradient was NaN or infinite. It and those after it were not done; the sums are of
    /// those before.
    pub non_finite: Option<u32>,
}

/// Everything that training changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// The weights.
    pub weights: Weights,
    /// First moments of the optimizer, or its momentum, of every tensor; zero before the first step, and for what
    /// does not follow the gradient.
    pub first: Weights,
    /// Second moments of the optimizer, of every tensor; zero for one that has none.
    pub second: Weights,
}

/// A model that is ready to run.
pub trait Executable {
    /// Answers for loaded rows: `rows × classes` logits, row by row. A row's logits do not depend on the others.
    ///
    /// # Errors
    /// [`crate::error::Error::BadInput`] for a row that was not loaded.
    fn logits<'a>(&'a mut self, rows: &'a [u32]) -> Pending<'a, Vec<f32>>;

    /// Answers for other rows, given as scaled features one after another.
    ///
    /// # Errors
    /// [`crate::error::Error::BadInput`] where they are no whole rows.
    fn predict<'a>(&'a mut self, features: &'a [f32]) -> Pending<'a, Vec<f32>>;

    /// Does steps in order.
    ///
    /// # Errors
    /// [`crate::error::Error::BadInput`] for a step without rows or with one that was not loaded;
    /// [`crate::error::Error::Unsupported`] for a stored model.
    fn train<'a>(&'a mut self, steps: &'a [TrainStep]) -> Pending<'a, Metrics>;

    /// Addresses rows of another set from now on, instead of the one that was loaded when the model was prepared.
    ///
    /// # Errors
    /// [`crate::error::Error::BadInput`] where features, labels and shape do not fit each other or the model.
    fn load(&mut self, rows: Rc<Rows>) -> Pending<'_, ()>;

    /// The weights alone, as they are now.
    fn weights(&mut self) -> Pending<'_, Weights> {
        Box::pin(async move { Ok(self.state().await?.weights) })
    }

    /// Whether every weight is finite: a relu can hide one that is not from every loss.
    fn is_finite(&mut self) -> Pending<'_, bool> {
        Box::pin(async move { Ok(self.weights().await?.is_finite()) })
    }

    /// Everything that training changes, as it is now.
    fn state(&mut self) -> Pending<'_, State>;

    /// Goes on from a state.
    ///
    /// # Errors
    /// [`crate::error::Error::BadInput`] where its tensors are not those of the model.
    fn restore<'a>(&'a mut self, state: &'a State) -> Pending<'a, ()>;

    /// What was sent to a device and waited for since it was prepared; nothing where there is none.
    fn counts(&self) -> gpu::Counts {
        gpu::Counts::default()
    }
}
