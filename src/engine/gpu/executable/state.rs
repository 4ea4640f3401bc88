//! Rows, weights and the optimizer's numbers, there and back; it trains nothing.

use super::GpuExecutable;
use crate::data::Rows;
use crate::engine::State;
use crate::engine::cpu::rows::{check_fit, check_whole};
use crate::engine::gpu::arena::Arena;
use crate::engine::gpu::halves::Halves;
use crate::error::{Error, Result};
use std::rc::Rc;

impl GpuExecutable {
    pub(super) fn upload_rows(&mut self, rows: &Rows) {
        self.write_numbers(Arena::Data, 0, &rows.features);
        let labels: Vec<u32> = rows.labels.iter().map(|&label| u32::from(label)).collect();
        let first = self.records.words() as u64;
        self.write(Arena::Numbers, first, &labels);
    }

    /// Writes all numbers of the layout, those that stand as halves as such.
    pub(super) fn upload_weights(&mut self, list: &[f32]) {
        let Some(halves) = self.halves.take() else {
            self.write_numbers(Arena::Weights, 0, list);
            return;
        };
        let first = self.sizes.numbers - halves.words.len() as u64;
        self.write(Arena::Numbers, first, &halves.words);
        self.write_numbers(Arena::Weights, 0, &list[self.layout.decaying..]);
        self.halves = Some(halves);
    }

    pub(super) async fn current_state(&mut self) -> Result<State> {
        let stretches = [
            (Arena::Weights, 0, self.sizes.weights),
            (Arena::Moments, 0, self.sizes.moments),
        ];
        let read = self.read(&stretches).await?;
        let mut lists: Vec<f32> = self.halves.as_ref().map_or(Vec::new(), Halves::weights);
        lists.extend_from_slice(bytemuck::cast_slice(&read));
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
        if self.training.is_none() {
            return Err(Error::Unsupported {
                feature: "going on with a stored model".into(),
                why:
                    "its weights have been rounded; go on with the f32 weights and store them again"
                        .into(),
            });
        }
        let what = "the state to go on from";
        let mut lists = [(); 3].map(|()| vec![0.0; self.layout.len]);
        for (list, weights) in lists
            .iter_mut()
            .zip([&state.weights, &state.first, &state.second])
        {
            self.layout.load(weights, what, list)?;
        }
        self.write_numbers(Arena::Weights, 0, &lists[0]);
        self.write_numbers(Arena::Moments, 0, &lists[1]);
        self.write_numbers(Arena::Moments, self.layout.len as u64, &lists[2]);
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
        if trains {
            self.restore_state(&state)
        } else {
            Ok(())
        }
    }
}
