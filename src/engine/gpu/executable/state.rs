//! Rows, weights and the optimizer's numbers, there and back; it trains nothing.

use super::GpuExecutable;
use crate::data::Rows;
use crate::engine::State;
use crate::engine::cpu::rows::{check_fit, check_whole};
use crate::engine::gpu::arena::Arena;
use crate::error::Result;
use crate::model::Weights;
use std::rc::Rc;

impl GpuExecutable {
    pub(super) fn upload_rows(&mut self, rows: &Rows) {
        self.write_numbers(Arena::Data, 0, &rows.features);
        let labels: Vec<u32> = rows.labels.iter().map(|&label| u32::from(label)).collect();
        let first = self.records.words() as u64;
        self.write(Arena::Numbers, first, &labels);
    }

    pub(super) fn upload_weights(&mut self, weights: &Weights) -> Result<()> {
        let mut list = vec![0.0; self.layout.len];
        self.layout.load(weights, "the weights", &mut list)?;
        self.write_numbers(Arena::Weights, 0, &list);
        Ok(())
    }

    pub(super) async fn current_state(&mut self) -> Result<State> {
        let stretches = [
            (Arena::Weights, 0, self.sizes.weights),
            (Arena::Moments, 0, self.sizes.moments),
        ];
        let read = self.read(&stretches).await?;
        let lists: &[f32] = bytemuck::cast_slice(&read);
        let (weights, moments) = lists.split_at(self.layout.len);
        let (first, second) = moments.split_at(moments.len() / 2);
        let trained = first.len().min(self.layout.trained);
        Ok(State {
            weights: self.layout.weights(weights),
            first: self.layout.weights(&first[..trained]),
            second: self.layout.weights(&second[..trained]),
        })
    }

    pub(super) fn restore_state(&mut self, state: &State) -> Result<()> {
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

    pub(super) async fn replace_rows(&mut self, rows: Rc<Rows>) -> Result<()> {
        check_whole(&rows)?;
        check_fit(&rows, self.graph.input, self.classes)?;
        if rows.labels.len() <= self.room {
            self.upload_rows(&rows);
            self.loaded = rows;
            return Ok(());
        }
        let state = self.current_state().await?;
        let counts = self.counts;
        let workshop = Rc::clone(&self.workshop);
        let (trains, batch) = (self.training.is_some(), self.batch as u32);
        *self = Self::build(workshop, rows, &self.graph, &state.weights, trains, batch).await?;
        self.counts = counts;
        self.restore_state(&state)
    }
}
