//! A plan with its memory: buffers for a chunk of rows, packed weights, statistics of the batch, scratch.

use super::buffers::Buffers;
use super::gradients::{Reverse, Schedule};
use super::operation::Operation;
use super::parameters::Layout;
use super::plan::{Mode, Plan, Step};
use crate::error::Result;
use crate::model::{Graph, ResolvedNode};
use std::ops::Range;

/// Bytes of the values of one chunk of rows: what a second cache holds.
const CHUNK_BYTES: usize = 512 << 10;
/// Rows of a chunk at least where a row has one place: weights are then most of the traffic, and are read once a chunk.
const ROWS_OF_LISTS: usize = 64;

/// Where a step's parts of the workspace stand; each may be empty.
#[derive(Debug, Clone, Default)]
pub(super) struct Share {
    /// The packed weight for the way there.
    pub(super) weight: Range<usize>,
    /// The bias that folding gave, right behind it.
    pub(super) bias: Range<usize>,
    /// The weight packed for the input's gradient, right behind that; empty where nobody asks for it.
    pub(super) input: Range<usize>,
    /// Its part of the statistics.
    pub(super) statistics: Range<usize>,
}

/// Memory that steps use besides their values.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    /// Packed weights.
    pub(super) packed: Vec<f32>,
    /// What batch norms have measured or folded; see [`Operation::statistics_len`].
    pub(super) statistics: Vec<f32>,
    /// Whatever a step needs while it runs.
    pub(super) scratch: Vec<f32>,
}

/// Steps that are ready to run.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) steps: Vec<Step>,
    /// The item of each value.
    pub(super) values: Vec<usize>,
    /// What each step leaves for its way back.
    pub(super) saved: Vec<Option<usize>>,
    pub(super) shares: Vec<Share>,
    /// The item of the logits.
    pub(super) logits: usize,
    /// The item of their gradient.
    pub(super) loss: usize,
    pub(super) reverse: Vec<Reverse>,
    pub(super) buffers: Buffers,
    pub(super) workspace: Workspace,
    /// Rows of a chunk; none where a batch must stay whole.
    pub(super) chunk: Option<usize>,
    pub(super) mode: Mode,
}

impl Program {
    /// Plans a graph and makes room for what does not depend on the number of rows.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub(super) fn new(
        graph: &Graph,
        nodes: &[ResolvedNode],
        layout: &Layout,
        mode: Mode,
    ) -> Result<Self> {
        Ok(Self::of(
            Plan::new(graph, nodes, layout, mode)?,
            layout,
            mode,
        ))
    }

    /// The same for a plan.
    pub(super) fn of(plan: Plan, layout: &Layout, mode: Mode) -> Self {
        let schedule = match mode {
            Mode::Inference => Schedule::inference(&plan),
            Mode::Training => Schedule::training(&plan, |step| layout.trains(step.node)),
        };
        let buffers = Buffers::new(&schedule.stays);
        let whole = mode == Mode::Training
            && (plan.steps.iter()).any(|step| matches!(step.operation, Operation::BatchNorm(..)));
        let rows = CHUNK_BYTES / (4 * buffers.row_len()).max(1);
        let lists = plan.places.iter().skip(1).all(|&places| places == 1);
        let chunk = if lists {
            rows.max(ROWS_OF_LISTS)
        } else {
            rows.max(1)
        };
        let mut program = Self {
            values: (schedule.values.iter())
                .map(|item| item.unwrap_or_default())
                .collect(),
            saved: schedule.saved,
            shares: vec![Share::default(); plan.steps.len()],
            logits: schedule.values[plan.output].unwrap_or_default(),
            loss: schedule.loss,
            reverse: schedule.reverse,
            buffers,
            workspace: Workspace::default(),
            chunk: (!whole).then_some(chunk),
            mode,
            steps: plan.steps,
        };
        program.make_room();
        program
    }

    /// Gives every step its part of the workspace.
    fn make_room(&mut self) {
        let (mut packed, mut statistics, mut scratch) = (0, 0, 0);
        for (index, step) in self.steps.iter().enumerate() {
            scratch = scratch.max(step.operation.scratch_len());
            let share = &mut self.shares[index];
            share.statistics = next(&mut statistics, step.operation.statistics_len(self.mode));
            if let Operation::Affine(affine) = &step.operation {
                let wanted = (self.reverse.iter())
                    .any(|reverse| reverse.step == index && reverse.input.is_wanted());
                let [weight, bias] = affine.packed_lens();
                share.weight = next(&mut packed, weight);
                share.bias = next(&mut packed, bias);
                share.input = next(
                    &mut packed,
                    if wanted { affine.input_packed_len() } else { 0 },
                );
                scratch = scratch.max(affine.weight.len());
            }
        }
        self.workspace = Workspace {
            packed: vec![0.0; packed],
            statistics: vec![0.0; statistics],
            scratch: vec![0.0; scratch],
        };
    }

    /// Packs and folds all weights anew: once for answers, after every step in a training.
    pub(super) fn pack(&mut self, parameters: &[f32]) {
        let Workspace {
            packed,
            statistics,
            scratch,
        } = &mut self.workspace;
        for (step, share) in self.steps.iter().zip(&self.shares) {
            let statistics = &mut statistics[share.statistics.clone()];
            match &step.operation {
                Operation::Affine(affine) => {
                    let all = &mut packed[share.weight.start..share.input.end];
                    let (weight, rest) = all.split_at_mut(share.weight.len());
                    let (bias, input) = rest.split_at_mut(share.bias.len());
                    affine.pack(parameters, weight, bias, statistics, scratch);
                    if !input.is_empty() {
                        affine.pack_input(parameters, input);
                    }
                }
                Operation::BatchNorm(_, norm) if self.mode == Mode::Inference => {
                    norm.fold(parameters, statistics);
                }
                _ => {}
            }
        }
    }

    /// Rows of a chunk for so many rows in all, with room for them.
    pub(super) fn chunk_rows(&mut self, rows: usize) -> usize {
        let rows = self.chunk.unwrap_or(rows).min(rows).max(1);
        self.buffers.reserve(rows);
        rows
    }
}

/// The next so many of a list that grows.
fn next(len: &mut usize, count: usize) -> Range<usize> {
    *len += count;
    *len - count..*len
}
