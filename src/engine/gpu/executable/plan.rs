//! A model's lists of dispatches: for answers to one row and to a batch, and for training; recording them is done elsewhere.

use crate::engine::gpu::kernels::grid::Dispatch;
use crate::engine::gpu::pipeline::Recorded;
use crate::engine::gpu::schedule::Schedule;
use crate::engine::gpu::workshop::Workshop;

/// Steps in one submission at most.
const MOST_STEPS_OF_A_SUBMISSION: u64 = 8;
/// Arithmetic in one submission, in operations, unless it is one step: a tenth of a second at 300 GFLOP/s, so that a
/// browser's page is drawn in between and no driver takes a long list of commands for a stuck one.
const OPERATIONS_OF_A_SUBMISSION: u64 = 32_000_000_000;

/// A list of dispatches, as it is planned and as it is recorded.
pub(super) struct Plan {
    /// Rows at most.
    pub(super) rows: usize,
    /// As it is planned.
    pub(super) schedule: Schedule,
    /// As it is recorded.
    pub(super) recorded: Vec<Recorded>,
}

impl Plan {
    /// Steps that are handed over together.
    pub(super) fn steps_of_a_submission(&self, rows: usize) -> usize {
        let operations: u64 = (self.schedule.dispatches.iter())
            .map(|dispatch| dispatch.task.work(rows as u32).flops)
            .sum();
        (OPERATIONS_OF_A_SUBMISSION / operations.max(1)).clamp(1, MOST_STEPS_OF_A_SUBMISSION)
            as usize
    }
}

/// The dispatches of all plans, as their tasks lie on the device.
pub(super) fn all_dispatches(schedules: &[(u32, Schedule)]) -> Vec<Dispatch> {
    (schedules.iter())
        .flat_map(|(_, plan)| plan.dispatches.iter().copied())
        .collect()
}

/// How many of them are for fewer rows than a batch; they are the last.
pub(super) fn of_one_row(schedules: &[(u32, Schedule)], batch: u32) -> usize {
    (schedules.iter().filter(|(rows, _)| *rows < batch))
        .map(|(_, plan)| plan.dispatches.len())
        .sum()
}

/// Gives the plans the tiles that are known.
pub(super) fn apply_tiles(workshop: &Workshop, schedules: &mut [(u32, Schedule)]) {
    for (rows, plan) in schedules {
        (workshop.tiles.borrow()).apply(&mut plan.dispatches, *rows);
    }
}
