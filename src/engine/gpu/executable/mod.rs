//! A model on the GPU: its arenas, how it answers and how it trains; what is dispatched was planned by the schedule.

mod profile;
mod replay;

pub use profile::Profiled;

use super::arena::{Arena, Memory, Sizes};
use super::device::Gpu;
use super::kernels::WORDS_STRIDE;
use super::pipeline::Pipelines;
use super::schedule::{BLOCK, Schedule};
use crate::data::Rows;
use crate::engine::cpu::parameters::Layout;
use crate::engine::cpu::plan::Mode;
use crate::engine::cpu::rows::{check_fit, check_numbers, check_whole, row_length};
use crate::engine::{Executable, Metrics, Parameters, Pending, State, TrainStep};
use crate::error::{Error, Result};
use crate::model::Graph;
use replay::MOST_TURNS;
use std::cell::RefCell;
use std::rc::Rc;

/// What was sent to the device and waited for, for tests and for the page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Kernels started.
    pub dispatches: u64,
    /// Lists of commands handed over.
    pub submissions: u64,
    /// Times that the program waited for the device.
    pub synchronizations: u64,
    /// Bytes written to the device.
    pub bytes_up: u64,
    /// Bytes read back.
    pub bytes_down: u64,
}

/// A model on the GPU.
pub struct GpuExecutable {
    gpu: Gpu,
    pipelines: Rc<RefCell<Pipelines>>,
    memory: Memory,
    sizes: Sizes,
    layout: Layout,
    graph: Graph,
    answers: Schedule,
    training: Option<Schedule>,
    /// Loaded rows, their features' length, classes of the model, rows of a batch.
    loaded: Rc<Rows>,
    length: usize,
    classes: usize,
    batch: usize,
    counts: Counts,
}

impl GpuExecutable {
    /// Plans, makes room, compiles what is missing and copies everything to the device.
    ///
    /// # Errors
    /// As [`crate::engine::Engine::prepare`], and the device's own.
    pub(super) async fn new(
        gpu: Gpu,
        pipelines: Rc<RefCell<Pipelines>>,
        rows: Rc<Rows>,
        graph: &Graph,
        parameters: Parameters<'_>,
        batch: u32,
    ) -> Result<Self> {
        let (weights, trains) = match parameters {
            Parameters::Exact(weights) => (weights, true),
            Parameters::Stored(stored) => (stored.weights(), false),
        };
        check_whole(&rows)?;
        weights.check(graph)?;
        let nodes = graph.resolve()?;
        let classes = match nodes.last().map(|node| node.output.as_slice()) {
            Some(&[classes]) => classes as usize,
            _ => {
                return Err(Error::bad_input(
                    "the graph's last layer",
                    "a list of logits",
                    "another shape",
                ));
            }
        };
        check_fit(&rows, graph.input, classes)?;
        let layout = Layout::aligned(&nodes, BLOCK);
        let batch = batch.max(1);
        let length = row_length(graph.input);
        let count = rows.labels.len();
        let indices = MOST_TURNS * batch as usize;
        let plan = |mode| {
            Schedule::new(
                graph,
                &nodes,
                &layout,
                mode,
                batch,
                (count + indices) as u32,
            )
        };
        let answers = plan(Mode::Inference)?;
        let training = if trains {
            Some(plan(Mode::Training)?)
        } else {
            None
        };
        let table = training.as_ref().map_or(0, |plan| plan.blocks.len());
        let tasks =
            answers.dispatches.len() + training.as_ref().map_or(0, |plan| plan.dispatches.len());
        let sizes = Sizes {
            tasks: tasks as u64,
            turns: MOST_TURNS as u64,
            weights: layout.len as u64,
            moments: if trains { 2 * layout.len as u64 } else { 0 },
            values: answers
                .values
                .max(training.as_ref().map_or(0, |plan| plan.values)),
            data: ((count + batch as usize) * length) as u64,
            numbers: (count + indices + table) as u64,
            metrics: 4 + 4 * MOST_TURNS as u64,
        };
        gpu.scoped("compiling kernels", || {
            let mut pipelines = pipelines.borrow_mut();
            for plan in [Some(&answers), training.as_ref()].into_iter().flatten() {
                pipelines.compile(&gpu, &plan.dispatches);
            }
        })
        .await?;
        let bindings = pipelines.borrow().layout.clone();
        let memory = Memory::new(&gpu, &bindings, sizes).await?;
        let mut executable = Self {
            gpu,
            pipelines,
            memory,
            sizes,
            layout,
            graph: graph.clone(),
            answers,
            training,
            loaded: Rc::clone(&rows),
            length,
            classes,
            batch: batch as usize,
            counts: Counts::default(),
        };
        executable.upload_plans();
        executable.upload_rows(&rows);
        let mut list = vec![0.0; executable.layout.len];
        executable.layout.load(weights, "the weights", &mut list)?;
        executable.write_numbers(Arena::Weights, 0, &list);
        Ok(executable)
    }

    /// What was done so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Dispatches of a training step, and of a batch of answers.
    #[must_use]
    pub fn dispatches(&self) -> [usize; 2] {
        let training = self
            .training
            .as_ref()
            .map_or(0, |plan| plan.dispatches.len());
        [training, self.answers.dispatches.len()]
    }

    fn write(&mut self, arena: Arena, first: u64, words: Vec<u32>) {
        self.counts.bytes_up += 4 * words.len() as u64;
        self.memory.write(&self.gpu, arena, first, words);
    }

    fn write_numbers(&mut self, arena: Arena, first: u64, numbers: &[f32]) {
        self.counts.bytes_up += 4 * numbers.len() as u64;
        self.memory.write_numbers(&self.gpu, arena, first, numbers);
    }

    async fn read(&mut self, stretches: &[(Arena, u64, u64)]) -> Result<Vec<u32>> {
        let words = self.memory.read(&self.gpu, stretches).await?;
        self.counts.submissions += 1;
        self.counts.synchronizations += 1;
        self.counts.bytes_down += 4 * words.len() as u64;
        Ok(words)
    }

    fn upload_plans(&mut self) {
        let stride = WORDS_STRIDE as usize / 4;
        let plans = [Some(&self.answers), self.training.as_ref()];
        let mut words = Vec::new();
        for dispatch in plans
            .into_iter()
            .flatten()
            .flat_map(|plan| &plan.dispatches)
        {
            let end = words.len() + stride;
            words.extend(dispatch.task.words());
            words.resize(end, 0);
        }
        self.write(Arena::Tasks, 0, words);
        if let Some(training) = &self.training {
            let blocks = training.blocks.clone();
            let first = self.sizes.numbers - blocks.len() as u64;
            self.write(Arena::Numbers, first, blocks);
        }
    }

    fn upload_rows(&mut self, rows: &Rows) {
        self.write_numbers(Arena::Data, 0, &rows.features);
        let labels = rows.labels.iter().map(|&label| u32::from(label)).collect();
        self.write(Arena::Numbers, 0, labels);
    }

    async fn current_state(&mut self) -> Result<State> {
        let stretches = [
            (Arena::Weights, 0, self.sizes.weights),
            (Arena::Moments, 0, self.sizes.moments),
        ];
        let read = self.read(&stretches).await?;
        let lists: Vec<f32> = read.into_iter().map(f32::from_bits).collect();
        let (weights, moments) = lists.split_at(self.layout.len);
        let (first, second) = moments.split_at(moments.len() / 2);
        let trained = first.len().min(self.layout.trained);
        Ok(State {
            weights: self.layout.weights(weights),
            first: self.layout.weights(&first[..trained]),
            second: self.layout.weights(&second[..trained]),
        })
    }

    fn restore_state(&mut self, state: &State) -> Result<()> {
        let what = "the state to go on from";
        let mut lists = [(); 3].map(|()| vec![0.0; self.layout.len]);
        for (list, weights) in lists
            .iter_mut()
            .zip([&state.weights, &state.first, &state.second])
        {
            self.layout.load(weights, what, list)?;
        }
        self.write_numbers(Arena::Weights, 0, &lists[0]);
        if self.training.is_some() {
            self.write_numbers(Arena::Moments, 0, &lists[1]);
            self.write_numbers(Arena::Moments, self.layout.len as u64, &lists[2]);
        }
        Ok(())
    }

    async fn replace_rows(&mut self, rows: Rc<Rows>) -> Result<()> {
        check_whole(&rows)?;
        check_fit(&rows, self.graph.input, self.classes)?;
        if rows.labels.len() <= self.sizes_of_labels() {
            self.upload_rows(&rows);
            self.loaded = rows;
            return Ok(());
        }
        let state = self.current_state().await?;
        let counts = self.counts;
        let pipelines = Rc::clone(&self.pipelines);
        let parameters = Parameters::Exact(&state.weights);
        *self = Self::new(
            self.gpu.clone(),
            pipelines,
            rows,
            &self.graph,
            parameters,
            self.batch as u32,
        )
        .await?;
        self.counts = counts;
        self.restore_state(&state)
    }

    /// The logits of other rows: each batch is written where loaded rows end.
    async fn predict_features(&mut self, features: &[f32]) -> Result<Vec<f32>> {
        if !features.len().is_multiple_of(self.length) {
            return Err(Error::bad_input(
                "the features",
                format!("{} for each row", self.length),
                features.len().to_string(),
            ));
        }
        let first = self.sizes_of_labels();
        let mut logits = Vec::new();
        for batch in features.chunks(self.batch * self.length) {
            self.write_numbers(Arena::Data, (first * self.length) as u64, batch);
            let rows: Vec<u32> = (0..batch.len() / self.length)
                .map(|row| (first + row) as u32)
                .collect();
            logits.extend(self.infer(&rows).await?);
        }
        Ok(logits)
    }
}

impl Executable for GpuExecutable {
    fn logits<'a>(&'a mut self, rows: &'a [u32]) -> Pending<'a, Vec<f32>> {
        Box::pin(async move {
            check_numbers(&self.loaded, rows)?;
            self.infer(rows).await
        })
    }

    fn predict<'a>(&'a mut self, features: &'a [f32]) -> Pending<'a, Vec<f32>> {
        Box::pin(self.predict_features(features))
    }

    fn train<'a>(&'a mut self, steps: &'a [TrainStep]) -> Pending<'a, Metrics> {
        Box::pin(self.train_steps(steps))
    }

    fn load(&mut self, rows: Rc<Rows>) -> Pending<'_, ()> {
        Box::pin(self.replace_rows(rows))
    }

    fn state(&mut self) -> Pending<'_, State> {
        Box::pin(self.current_state())
    }

    fn restore<'a>(&'a mut self, state: &'a State) -> Pending<'a, ()> {
        Box::pin(async move { self.restore_state(state) })
    }

    fn counts(&self) -> Counts {
        self.counts
    }
}
