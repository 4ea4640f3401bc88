//! A model on the GPU: its arenas, how it answers and how it trains; what is dispatched was planned by the schedule.

mod chained;
mod integer;
mod plan;
mod profile;
mod records;
mod replay;
mod state;

pub use chained::Chained;
pub(super) use integer::IntegerModel;
pub use profile::Profiled;

use super::arena::{Arena, Memory, Sizes};
use super::autotune::Trial;
use super::device::Gpu;
use super::halves::Halves;
use super::kernels::WORDS_STRIDE;
use super::kernels::grid::Dispatch;
use super::schedule::{BLOCK, Ground, InHalves, Schedule};
use super::staging::Staging;
use super::workshop::Workshop;
use crate::data::Rows;
use crate::engine::cpu::parameters::Layout;
use crate::engine::cpu::plan::Mode;
use crate::engine::cpu::rows::{check_fit, check_numbers, check_whole, row_length};
use crate::engine::{Executable, Metrics, Parameters, Pending, State, TrainStep};
use crate::error::{Error, Result};
use crate::model::{Graph, Weights};
use plan::{Plan, all_dispatches, apply_tiles, of_one_row};
use records::{MOST_TURNS, Records};
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
    /// Writes to buffers that were handed over.
    pub writes: u64,
    /// Bytes written to the device.
    pub bytes_up: u64,
    /// Bytes read back.
    pub bytes_down: u64,
    /// Buffers made to read back through.
    pub buffers: u64,
}

impl Counts {
    /// What was done since an earlier moment.
    #[must_use]
    pub const fn since(self, before: Self) -> Self {
        Self {
            dispatches: self.dispatches - before.dispatches,
            submissions: self.submissions - before.submissions,
            synchronizations: self.synchronizations - before.synchronizations,
            writes: self.writes - before.writes,
            bytes_up: self.bytes_up - before.bytes_up,
            bytes_down: self.bytes_down - before.bytes_down,
            buffers: self.buffers - before.buffers,
        }
    }
}

/// What preparing a model took.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Preparation {
    /// Pipelines compiled for it, candidates of tiles with them; those of earlier models are used again.
    pub pipelines: u64,
    /// Time to plan, to compile and to make room, milliseconds; nothing where the engine has no clock.
    pub compile_millis: Option<f64>,
    /// Time to choose tiles by measurement, milliseconds, what it compiled included; nothing without a clock.
    pub tuning_millis: Option<f64>,
    /// Bytes of weights, plan and rows that went to the device.
    pub upload_bytes: u64,
    /// Time until the device had them, milliseconds; nothing where the engine has no clock.
    pub upload_millis: Option<f64>,
    /// Bytes that it holds on the device.
    pub held_bytes: u64,
}

/// A model on the GPU.
pub struct GpuExecutable {
    workshop: Rc<Workshop>,
    memory: Memory,
    staging: Staging,
    sizes: Sizes,
    layout: Layout,
    graph: Graph,
    /// For a single row and for a batch, or one for both.
    answers: Vec<Plan>,
    training: Option<Plan>,
    records: Records,
    /// Weights as they stand behind the other numbers; none where all are f32.
    halves: Option<Halves>,
    /// Loaded rows, their features' length, classes of the model, rows of a batch, rows that there is room for.
    loaded: Rc<Rows>,
    length: usize,
    classes: usize,
    batch: usize,
    room: usize,
    counts: Counts,
    preparation: Preparation,
}

impl GpuExecutable {
    /// Plans, makes room, compiles what is missing and copies everything to the device.
    ///
    /// # Errors
    /// As [`crate::engine::Engine::prepare`], and the device's own.
    pub(super) async fn new(
        workshop: Rc<Workshop>,
        rows: Rc<Rows>,
        graph: &Graph,
        parameters: Parameters<'_>,
        batch: u32,
    ) -> Result<Self> {
        match parameters {
            Parameters::Exact(weights) => {
                Self::build(workshop, rows, graph, weights, true, batch).await
            }
            Parameters::Stored(stored) if stored.integer().is_some() => Err(Error::Unsupported {
                feature: "a single look at integer inference on the GPU".into(),
                why: "its dispatches are not timed or profiled one by one; the CPU engine's layers are"
                    .into(),
            }),
            Parameters::Stored(stored) => {
                let graph = stored.graph(graph);
                Self::build(workshop, rows, graph, stored.weights(), false, batch).await
            }
        }
    }

    async fn build(
        workshop: Rc<Workshop>,
        rows: Rc<Rows>,
        graph: &Graph,
        weights: &Weights,
        trains: bool,
        batch: u32,
    ) -> Result<Self> {
        let began = workshop.millis();
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
        let room = rows.labels.len();
        let records = Records::new(batch as usize);
        let blocks = records.words() + room;
        let mut list = vec![0.0; layout.len];
        layout.load(weights, "the weights", &mut list)?;
        let halves = match trains {
            true => None,
            false => Halves::of(&list[..layout.decaying]),
        };
        let halves_at = blocks.next_multiple_of(BLOCK);
        let ground = Ground {
            device: workshop.gpu.kind(),
            blocks: blocks as u32,
            halves: halves.as_ref().map(|halves| InHalves {
                first: 2 * halves_at as u32,
                factor: halves.factor,
            }),
        };
        let plan = |mode, rows| Schedule::new(ground, graph, &nodes, &layout, mode, rows);
        let mut schedules = vec![(batch, plan(Mode::Inference, batch)?)];
        if trains {
            schedules.push((batch, plan(Mode::Training, batch)?));
        }
        // The tiles of a batch would stand nearly empty where a single row is asked.
        if batch > 1 {
            schedules.push((1, plan(Mode::Inference, 1)?));
        }
        let table = schedules
            .iter()
            .map(|(_, plan)| plan.blocks.len())
            .sum::<usize>();
        apply_tiles(&workshop, &mut schedules);
        let dispatches = all_dispatches(&schedules);
        let sizes = Sizes {
            tasks: dispatches.len() as u64,
            weights: match &halves {
                Some(_) => (layout.len - layout.decaying) as u64,
                None => layout.len as u64,
            },
            moments: if trains { 2 * layout.len as u64 } else { 0 },
            values: (schedules.iter()).fold(0, |most, (_, plan)| most.max(plan.values)),
            data: ((room + batch as usize) * length) as u64,
            numbers: match &halves {
                Some(halves) => (halves_at + halves.words.len()) as u64,
                None => (blocks + table) as u64,
            },
            metrics: 4 + 4 * MOST_TURNS as u64,
        };
        let before = workshop.pipelines.borrow().count();
        workshop.compile(&dispatches).await?;
        let bindings = workshop.pipelines.borrow().layout.clone();
        let memory = Memory::new(&workshop.gpu, &bindings, sizes).await?;
        let (mut staging, mut counts) = (Staging::default(), Counts::default());
        let planned = workshop.millis();
        upload_tasks(&workshop.gpu, &memory, &dispatches, &mut counts);
        let mut trial = Trial {
            workshop: &workshop,
            memory: &memory,
            staging: &mut staging,
            counts: &mut counts,
        };
        let of_a_batch = dispatches.len() - of_one_row(&schedules, batch);
        trial.tune(&dispatches[..of_a_batch], batch).await?;
        let tuned = workshop.millis();
        apply_tiles(&workshop, &mut schedules);
        let compiled = workshop.pipelines.borrow().count() - before;
        let mut first = 0;
        let mut plans = Vec::new();
        for (rows, schedule) in schedules {
            let pipelines = workshop.pipelines.borrow();
            let recorded = pipelines.recorded(&schedule.dispatches, first)?;
            first += recorded.len() as u32;
            plans.push(Plan {
                rows: rows as usize,
                schedule,
                recorded,
            });
        }
        let training = trains.then(|| plans.remove(1));
        plans.reverse();
        let mut executable = Self {
            memory,
            staging,
            sizes,
            layout,
            graph: graph.clone(),
            answers: plans,
            training,
            records,
            halves,
            loaded: Rc::clone(&rows),
            length,
            classes,
            batch: batch as usize,
            room,
            counts,
            preparation: Preparation::default(),
            workshop,
        };
        executable.make_readable().await?;
        let prepared = executable.workshop.millis();
        executable.upload_blocks();
        executable.upload_rows(&rows);
        executable.upload_weights(&list);
        if prepared.is_some() {
            executable.read(&[(Arena::Metrics, 0, 4)]).await?;
        }
        let uploaded = executable.workshop.millis();
        let between = |from, to| Option::zip(from, to).map(|(from, to): (f64, f64)| to - from);
        let tuning = between(planned, tuned).unwrap_or(0.0);
        executable.preparation = Preparation {
            pipelines: compiled as u64,
            compile_millis: between(began, prepared).map(|millis| millis - tuning),
            tuning_millis: between(planned, tuned),
            upload_bytes: executable.counts.bytes_up,
            upload_millis: between(prepared, uploaded),
            held_bytes: sizes.all_bytes(),
        };
        Ok(executable)
    }

    /// What was sent and waited for so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        Counts {
            buffers: self.staging.made,
            ..self.counts
        }
    }

    /// What preparing it took.
    #[must_use]
    pub const fn preparation(&self) -> Preparation {
        self.preparation
    }

    /// Dispatches of a training step, and of a batch of answers.
    #[must_use]
    pub fn dispatches(&self) -> [usize; 2] {
        let training = self.training.as_ref().map_or(0, |plan| plan.recorded.len());
        let answers = self.answers.last().map_or(0, |plan| plan.recorded.len());
        [training, answers]
    }

    /// What answers so many rows, a batch at most.
    fn answering(&self, rows: usize) -> Result<&Plan> {
        (self.answers.iter().find(|plan| plan.rows >= rows)).ok_or_else(|| {
            Error::bad_input(
                "rows of a batch",
                format!("at most {}", self.batch),
                rows.to_string(),
            )
        })
    }

    fn gpu(&self) -> &Gpu {
        &self.workshop.gpu
    }

    fn write(&mut self, arena: Arena, first: u64, words: &[u32]) {
        self.counts.writes += 1;
        self.counts.bytes_up += 4 * words.len() as u64;
        self.memory.write(&self.workshop.gpu, arena, first, words);
    }

    fn write_numbers(&mut self, arena: Arena, first: u64, numbers: &[f32]) {
        self.counts.writes += 1;
        self.counts.bytes_up += 4 * numbers.len() as u64;
        (self.memory).write_numbers(&self.workshop.gpu, arena, first, numbers);
    }

    async fn read(&mut self, stretches: &[(Arena, u64, u64)]) -> Result<Vec<u32>> {
        let gpu = &self.workshop.gpu;
        let words = self.staging.read(gpu, &self.memory, stretches).await?;
        self.counts.submissions += 1;
        self.counts.synchronizations += 1;
        self.counts.bytes_down += 4 * words.len() as u64;
        Ok(words)
    }

    /// The optimizer's table.
    fn upload_blocks(&mut self) {
        if let Some(training) = &self.training {
            let blocks = training.schedule.blocks.clone();
            let first = self.sizes.numbers - blocks.len() as u64;
            self.write(Arena::Numbers, first, &blocks);
        }
    }
}

/// Writes what each dispatch is told.
fn upload_tasks(gpu: &Gpu, memory: &Memory, dispatches: &[Dispatch], counts: &mut Counts) {
    let stride = WORDS_STRIDE as usize / 4;
    let mut words = Vec::with_capacity(stride * dispatches.len());
    for dispatch in dispatches {
        let end = words.len() + stride;
        words.extend(dispatch.task.words());
        words.resize(end, 0);
    }
    memory.write(gpu, Arena::Tasks, 0, &words);
    counts.writes += 1;
    counts.bytes_up += 4 * words.len() as u64;
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
