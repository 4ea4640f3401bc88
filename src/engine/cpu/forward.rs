//! The way there: one chunk of rows through every step; it decides nothing.

use super::buffers::Buffers;
use super::operation::Operation;
use super::plan::{Mode, Step};
use super::program::{Program, Share, Workspace};
use assay_kernels::activation::Activation;
use assay_kernels::dropout::Dropout;
use assay_kernels::integer::rounded;
use assay_kernels::norm::{batch, layer};
use assay_kernels::{Epilogue, Rectifier, attention, elementwise, pool};

/// Numbers that several passes go over together: 16 KiB, half of a first cache.
const PART: usize = 4096;

/// What a training's steps must know besides values and weights.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Draw {
    /// Key of the step's random numbers.
    pub(super) key: u64,
    /// Place of the chunk's first row in its batch.
    pub(super) first_row: usize,
}

impl Draw {
    /// Takes numbers out of so many rows; the same ones out of their gradient.
    pub(super) fn drop_out(self, node: usize, rate: f32, rows: usize, values: &mut [f32]) {
        let first = self.first_row * (values.len() / rows);
        let dropout = Dropout {
            key: self.key,
            node: node as u32,
            rate,
        };
        dropout.apply(first as u64, values);
    }
}

/// Computes every value from the input, which stands in its buffer already.
pub(super) fn forward(program: &mut Program, parameters: &[f32], rows: usize, draw: Draw) {
    for index in 0..program.steps.len() {
        step(program, index, parameters, rows, draw);
    }
}

/// Computes one step's value; what it reads stands in its buffers already.
pub(super) fn step(
    program: &mut Program,
    index: usize,
    parameters: &[f32],
    rows: usize,
    draw: Draw,
) {
    let step = &program.steps[index];
    let context = Context {
        step,
        share: &program.shares[index],
        values: &program.values,
        parameters,
        rows,
        draw,
        mode: program.mode,
    };
    let (buffers, workspace) = (&mut program.buffers, &mut program.workspace);
    let own = program.values[step.output];
    match program.saved[index] {
        None => buffers.with([own], rows, |buffers, [out]| {
            context.run(buffers, workspace, out, None);
        }),
        Some(saved) => buffers.with([own, saved], rows, |buffers, [out, saved]| {
            context.run(buffers, workspace, out, Some(saved));
        }),
    }
}

/// What one step reads.
struct Context<'a> {
    step: &'a Step,
    share: &'a Share,
    values: &'a [usize],
    parameters: &'a [f32],
    rows: usize,
    draw: Draw,
    mode: Mode,
}

impl Context<'_> {
    /// Writes the step's value, and what its way back needs where that is asked for.
    fn run(
        &self,
        buffers: &Buffers,
        workspace: &mut Workspace,
        out: &mut [f32],
        saved: Option<&mut [f32]>,
    ) {
        let (step, rows) = (self.step, self.rows);
        let read = |value: usize| buffers.get(self.values[value], rows);
        let at = |range: &std::ops::Range<usize>| &self.parameters[range.clone()];
        let x = read(step.inputs[0]);
        let residual = step.residual.map(read);
        match &step.operation {
            Operation::Affine(affine) => {
                let [weight, bias] = [&self.share.weight, &self.share.bias]
                    .map(|range| &workspace.packed[range.clone()]);
                let numbers = (weight, affine.bias(self.parameters, bias));
                let rectifier = step.activation.and_then(rectifier);
                let epilogue = Epilogue {
                    residual,
                    rectifier,
                };
                let scratch = &mut workspace.scratch;
                affine.forward(numbers, rows, x, epilogue, out, scratch);
                if let (None, Some(function)) = (rectifier, step.activation) {
                    function.apply_in_place(out);
                }
            }
            Operation::BatchNorm(sizes, norm) => {
                let own = &mut workspace.statistics[self.share.statistics.clone()];
                let channels = sizes.channels;
                if self.mode == Mode::Training {
                    let (mean, rest) = own.split_at_mut(channels);
                    let (variance, inverse) = rest.split_at_mut(channels);
                    batch::statistics(x, mean, variance);
                    batch::inverses(variance, norm.epsilon, inverse);
                }
                // What is done number by number is done to a part that is still in the first cache.
                let part = (PART / channels).max(1) * channels;
                for (index, (x, out)) in x.chunks(part).zip(out.chunks_mut(part)).enumerate() {
                    if self.mode == Mode::Training {
                        let statistics = [&own[..channels], &own[2 * channels..]];
                        let numbers = [at(&norm.scale), at(&norm.shift)];
                        batch::normalize(x, statistics, numbers, out);
                    } else {
                        let (factor, offset) = own.split_at(channels);
                        batch::scale_and_shift(x, [factor, offset], out);
                    }
                    if let Some(residual) = residual {
                        elementwise::add_assign(out, &residual[index * part..][..out.len()]);
                    }
                    if let Some(function) = step.activation {
                        function.apply_in_place(out);
                    }
                }
            }
            Operation::Transpose(sizes) => each_row(x, out, rows, |x, out| {
                elementwise::transpose(x, sizes.channels, out);
            }),
            Operation::MaxPool(shape) => pool::max(shape, x, out),
            Operation::AveragePool(shape) => pool::average(shape, x, out),
            Operation::GlobalAveragePool(sizes) => {
                pool::global_average(sizes.places, sizes.channels, x, out);
            }
            Operation::LayerNorm {
                scale,
                shift,
                epsilon,
                ..
            } => layer::forward(x, at(scale), at(shift), *epsilon, out, saved),
            Operation::Activation(function) => function.apply(x, out),
            Operation::Add => elementwise::add(x, read(step.inputs[1]), out),
            Operation::Positions(positions) => each_row(x, out, rows, |x, out| {
                elementwise::add(x, at(positions), out);
            }),
            Operation::Attention(shape) => {
                let scratch = &mut workspace.scratch[..shape.scratch_len()];
                attention::forward(shape, x, out, saved, scratch);
            }
            Operation::Rounded(codes) => rounded(x, codes.step, codes.range, out),
            Operation::Dropout { rate } => {
                out.copy_from_slice(x);
                self.draw.drop_out(step.node, *rate, rows, out);
            }
        }
    }
}

/// What a product's kernel applies by itself.
const fn rectifier(activation: Activation) -> Option<Rectifier> {
    match activation {
        Activation::Relu => Some(Rectifier::Relu),
        Activation::Relu6 => Some(Rectifier::Relu6),
        _ => None,
    }
}

/// Calls with each row of both.
pub(super) fn each_row(
    x: &[f32],
    out: &mut [f32],
    rows: usize,
    mut row: impl FnMut(&[f32], &mut [f32]),
) {
    let (from, to) = (x.len() / rows, out.len() / rows);
    for (x, out) in x.chunks_exact(from).zip(out.chunks_exact_mut(to)) {
        row(x, out);
    }
}
