//! The cases: every kernel over shapes of one, primes, sizes beside the tile's, strides, groups and padding.

use super::Case;
use super::shapes::{Bench, CONVOLUTIONS, DEPTHWISE};
use super::{integers, layers, numbers, products};
use crate::engine::gpu::kernels::Task;
use crate::engine::gpu::kernels::grid::Dispatch;
use crate::engine::gpu::kernels::task::Turn;
use crate::engine::gpu::kernels::tile::Device;

/// The table while it grows.
#[derive(Default)]
pub(super) struct Table(pub(super) Vec<Case>);

impl Table {
    /// Arenas of its own for the next case.
    pub(super) fn bench(&self) -> Bench {
        Bench::new(self.0.len() as u64 + 1)
    }

    /// Adds a case.
    pub(super) fn push(
        &mut self,
        what: impl std::fmt::Display,
        bench: Bench,
        turn: Turn,
        task: Task,
    ) {
        let dispatch = Dispatch::new(Device::HARDWARE, task, turn.rows);
        self.push_divided(what, bench, turn, dispatch);
    }

    /// Adds a case with its division.
    pub(super) fn push_divided(
        &mut self,
        what: impl std::fmt::Display,
        bench: Bench,
        turn: Turn,
        dispatch: Option<Dispatch>,
    ) {
        let Some(dispatch) = dispatch else { return };
        self.0.push(Case {
            name: format!("{} {what}", dispatch.task.kernel().row().name),
            dispatch,
            turn,
            before: bench.arenas,
        });
    }
}

pub(super) fn cases() -> Vec<Case> {
    let mut table = Table::default();
    for (rows, shape) in CONVOLUTIONS {
        products::products(&mut table, rows, shape, products::PLAIN);
        if shape.is_in_quads() {
            products::products(&mut table, rows, shape, products::QUADS);
        }
        if shape.is_linear() {
            products::rows(&mut table, rows, shape);
        }
    }
    for (rows, shape) in DEPTHWISE {
        products::products(&mut table, rows, shape, products::DEPTHWISE);
    }
    products::tiles(&mut table);
    products::halves(&mut table);
    layers::pools(&mut table);
    layers::batch_norms(&mut table);
    layers::layer_norms(&mut table);
    layers::attentions(&mut table);
    numbers::by_number(&mut table);
    numbers::moves(&mut table);
    numbers::losses(&mut table);
    numbers::updates(&mut table);
    integers::all(&mut table);
    table.0
}
