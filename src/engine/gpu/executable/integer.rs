//! A model in integers on the GPU: its arenas and how it answers; rows go in and sums come out as integers, and both ends
//! are rounded on the CPU by the very functions of its engine, so that the answers have the same bits.

use super::records::{MOST_TURNS, Records};
use super::replay::answering;
use super::{Counts, upload_tasks};
use crate::data::Rows;
use crate::engine::cpu::rows::{
    channels_last, check_fit, check_numbers, check_whole, row_length, whole_rows,
};
use crate::engine::gpu::arena::{Arena, Memory, Sizes};
use crate::engine::gpu::pipeline::{Recorded, record};
use crate::engine::gpu::schedule::{IntegerSchedule, base};
use crate::engine::gpu::staging::Staging;
use crate::engine::gpu::workshop::Workshop;
use crate::engine::{Executable, Metrics, Pending, State, TrainStep};
use crate::error::{Error, Result};
use crate::model::{Graph, Weights};
use crate::quant::{Integer, Stored};
use assay_kernels::integer::{quantize, scaled_sums};
use std::rc::Rc;

/// A stored model all of whose layers compute in integers.
pub(in crate::engine::gpu) struct IntegerModel {
    workshop: Rc<Workshop>,
    memory: Memory,
    staging: Staging,
    schedule: IntegerSchedule,
    recorded: Vec<Recorded>,
    records: Records,
    loaded: Rc<Rows>,
    weights: Weights,
    batch: usize,
    /// Rows that there is room for; those of a prediction stand behind them.
    room: usize,
    counts: Counts,
}

impl IntegerModel {
    /// Plans, makes room, compiles what is missing and copies everything to the device.
    ///
    /// # Errors
    /// As [`IntegerSchedule::new`], and the device's own.
    pub(in crate::engine::gpu) async fn new(
        workshop: Rc<Workshop>,
        rows: Rc<Rows>,
        graph: &Graph,
        (stored, integer): (&Stored, &Integer),
        batch: u32,
    ) -> Result<Self> {
        let graph = stored.graph(graph);
        let batch = batch.max(1);
        let schedule = IntegerSchedule::new(graph, stored, integer, batch)?;
        check_whole(&rows)?;
        check_fit(&rows, graph.input, schedule.steps.len())?;
        let room = rows.labels.len();
        let records = Records::new(batch as usize);
        let sizes = sizes(&schedule, &records, room + batch as usize);
        workshop.compile(&schedule.dispatches).await?;
        let bindings = workshop.pipelines.borrow().layout.clone();
        let memory = Memory::new(&workshop.gpu, &bindings, sizes).await?;
        let mut counts = Counts::default();
        upload_tasks(&workshop.gpu, &memory, &schedule.dispatches, &mut counts);
        let recorded = (workshop.pipelines.borrow()).recorded(&schedule.dispatches, 0)?;
        let mut model = Self {
            memory,
            staging: Staging::default(),
            recorded,
            records,
            loaded: Rc::clone(&rows),
            weights: stored.weights().clone(),
            batch: batch as usize,
            room,
            counts,
            schedule,
            workshop,
        };
        model.write(Arena::Weights, 0, &model.schedule.weights.clone());
        model.upload_rows(0, &rows.features);
        Ok(model)
    }

    fn write(&mut self, arena: Arena, first: u64, words: &[u32]) {
        self.counts.writes += 1;
        self.counts.bytes_up += 4 * words.len() as u64;
        self.memory.write(&self.workshop.gpu, arena, first, words);
    }

    /// Rounds rows and writes them from a row on.
    fn upload_rows(&mut self, first: usize, features: &[f32]) {
        let (input, codes) = (self.schedule.input, self.schedule.codes);
        let shape = self.loaded.shape;
        let length = row_length(shape);
        let mut numbers = Vec::new();
        let mut floats = vec![0.0; length];
        let mut integers = vec![0; length];
        for row in features.chunks_exact(length) {
            channels_last(shape, row, &mut floats);
            quantize(&floats, 1.0 / codes.step, codes.range, &mut integers);
            for place in integers.chunks_exact(input.channels as usize) {
                numbers.extend(place.chunks(4).map(|four| {
                    let byte = |lane| {
                        let number = four.get(lane).copied().unwrap_or(0);
                        (i32::from(number) - base(codes)) as u8
                    };
                    u32::from_le_bytes([0, 1, 2, 3].map(byte))
                }));
            }
        }
        self.write(
            Arena::Data,
            first as u64 * u64::from(input.words()),
            &numbers,
        );
    }

    /// The logits of rows on the device, in one submission and one synchronization for at most [`MOST_TURNS`] batches.
    async fn infer(&mut self, rows: &[u32]) -> Result<Vec<f32>> {
        let classes = self.schedule.steps.len();
        let mut logits = vec![0.0; rows.len() * classes];
        let several = MOST_TURNS * self.batch;
        for (rows, logits) in (rows.chunks(several)).zip(logits.chunks_mut(several * classes)) {
            self.records.clear();
            for (number, rows) in rows.chunks(self.batch).enumerate() {
                let turn = answering(number, rows.len());
                self.records.push(turn, rows.iter().copied());
            }
            if let Some(words) = self.records.changed() {
                self.counts.writes += 1;
                self.counts.bytes_up += 4 * words.len() as u64;
                (self.memory).write(&self.workshop.gpu, Arena::Numbers, 0, words);
            }
            let bytes = 4 * logits.len() as u64;
            let staging = self.staging.take(&self.workshop.gpu, bytes).await?;
            let gpu = &self.workshop.gpu;
            let mut encoder = gpu.device.create_command_encoder(&Default::default());
            let mut to = 0;
            for (number, rows) in rows.chunks(self.batch).enumerate() {
                let mut pass = encoder.begin_compute_pass(&Default::default());
                let turn = self.records.bytes_before(number);
                let count = rows.len() as u32;
                record(&mut pass, &self.memory, &self.recorded, turn, count);
                drop(pass);
                let from = 4 * u64::from(self.schedule.logits);
                let size = 4 * (rows.len() * classes) as u64;
                (self.memory).copy(&mut encoder, Arena::Values, from, &staging, to, size);
                to += size;
                self.counts.dispatches += self.recorded.len() as u64;
            }
            gpu.queue.submit([encoder.finish()]);
            let steps = &self.schedule.steps;
            gpu.read(&staging, bytes, |words| {
                scaled_sums(bytemuck::cast_slice(words), steps, logits);
            })
            .await?;
            self.staging.give(staging);
            self.counts.submissions += 1;
            self.counts.synchronizations += 1;
            self.counts.bytes_down += bytes;
        }
        Ok(logits)
    }
}

/// Words of each arena with room for so many rows.
fn sizes(schedule: &IntegerSchedule, records: &Records, rows: usize) -> Sizes {
    Sizes {
        tasks: schedule.dispatches.len() as u64,
        weights: schedule.weights.len() as u64,
        moments: 0,
        values: schedule.values,
        data: rows as u64 * u64::from(schedule.input.words()),
        numbers: records.words() as u64,
        metrics: 0,
    }
}

impl Executable for IntegerModel {
    fn logits<'a>(&'a mut self, rows: &'a [u32]) -> Pending<'a, Vec<f32>> {
        Box::pin(async move {
            check_numbers(&self.loaded, rows)?;
            self.infer(rows).await
        })
    }

    fn predict<'a>(&'a mut self, features: &'a [f32]) -> Pending<'a, Vec<f32>> {
        Box::pin(async move {
            let length = row_length(self.loaded.shape);
            whole_rows(self.loaded.shape, features)?;
            let mut logits = Vec::new();
            for batch in features.chunks(self.batch * length) {
                self.upload_rows(self.room, batch);
                let first = self.room as u32;
                let numbers: Vec<u32> = (first..first + (batch.len() / length) as u32).collect();
                logits.extend(self.infer(&numbers).await?);
            }
            Ok(logits)
        })
    }

    fn train<'a>(&'a mut self, _: &'a [TrainStep]) -> Pending<'a, Metrics> {
        Box::pin(async { Err(untrained()) })
    }

    fn load(&mut self, rows: Rc<Rows>) -> Pending<'_, ()> {
        Box::pin(async move {
            check_whole(&rows)?;
            check_fit(&rows, self.loaded.shape, self.schedule.steps.len())?;
            if rows.labels.len() > self.room {
                self.room = rows.labels.len();
                let sizes = sizes(&self.schedule, &self.records, self.room + self.batch);
                let bindings = self.workshop.pipelines.borrow().layout.clone();
                self.memory = Memory::new(&self.workshop.gpu, &bindings, sizes).await?;
                self.records = Records::new(self.batch);
                let dispatches = &self.schedule.dispatches;
                upload_tasks(
                    &self.workshop.gpu,
                    &self.memory,
                    dispatches,
                    &mut self.counts,
                );
                self.write(Arena::Weights, 0, &self.schedule.weights.clone());
            }
            self.loaded = Rc::clone(&rows);
            self.upload_rows(0, &rows.features);
            Ok(())
        })
    }

    fn weights(&mut self) -> Pending<'_, Weights> {
        Box::pin(async move { Ok(self.weights.clone()) })
    }

    fn state(&mut self) -> Pending<'_, State> {
        Box::pin(async move {
            Ok(State {
                weights: self.weights.clone(),
                ..State::default()
            })
        })
    }

    fn restore<'a>(&'a mut self, _: &'a State) -> Pending<'a, ()> {
        Box::pin(async { Err(untrained()) })
    }

    fn counts(&self) -> Counts {
        Counts {
            buffers: self.staging.made,
            ..self.counts
        }
    }
}

fn untrained() -> Error {
    Error::Unsupported {
        feature: "training a stored model".into(),
        why: "its weights have been rounded; train the f32 weights and store them again".into(),
    }
}
