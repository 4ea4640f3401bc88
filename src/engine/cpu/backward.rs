//! The way back: from the gradient of the logits to that of every parameter, one chunk of rows at a time.
//!
//! What is computed, and where it stands, was decided by [`super::gradients`]. Gradients of parameters are added to, rows
//! in ascending order, so that chunks continue each other's sums.

use super::buffers::Buffers;
use super::forward::{Draw, each_row};
use super::gradients::{Pass, Place, Reverse};
use super::operation::Operation;
use super::plan::Step;
use super::program::{Program, Share, Workspace};
use assay_kernels::integer::within_range;
use assay_kernels::norm::{batch, layer};
use assay_kernels::{attention, elementwise, pool};

/// The parameters, and where their gradients are added.
struct Numbers<'a> {
    parameters: &'a [f32],
    gradients: &'a mut [f32],
}

/// Goes back through every step that is asked for; the gradient of the logits stands in its buffer already.
pub(super) fn backward(
    program: &mut Program,
    parameters: &[f32],
    gradients: &mut [f32],
    rows: usize,
    draw: Draw,
) {
    let mut numbers = Numbers {
        parameters,
        gradients,
    };
    for index in 0..program.reverse.len() {
        let reverse = &program.reverse[index];
        let step = &program.steps[reverse.step];
        let buffers = &mut program.buffers;
        let own = reverse.gradient;
        if let Some(function) = step.activation {
            let output = program.values[step.output];
            buffers.with([own], rows, |buffers, [gradient]| {
                function.gradient_from_output(buffers.get(output, rows), gradient);
            });
        }
        alter(step, &program.values, own, buffers, rows, draw);
        let context = Context {
            step,
            reverse,
            input: program.values[step.inputs[0]],
            share: &program.shares[reverse.step],
            saved: program.saved[reverse.step],
            rows,
        };
        match reverse.input {
            Place::Nowhere => context.run(buffers, &mut program.workspace, &mut numbers, None),
            Place::Write(item) | Place::Add([item, _]) => {
                buffers.with([item], rows, |buffers, [out]| {
                    context.run(buffers, &mut program.workspace, &mut numbers, Some(out));
                });
            }
        }
        if let Place::Add([item, before]) = reverse.input {
            add(buffers, item, before, rows);
        }
        for pass in reverse.passes {
            match pass {
                Pass::Nowhere | Pass::Keep => {}
                Pass::Double => elementwise::scale(buffers.get_mut(own, rows), 2.0),
                Pass::Copy(item) => buffers.with([item], rows, |buffers, [to]| {
                    to.copy_from_slice(buffers.get(own, rows));
                }),
                Pass::Add(item) => add(buffers, own, item, rows),
            }
        }
    }
}

fn add(buffers: &mut Buffers, from: usize, to: usize, rows: usize) {
    buffers.with([to], rows, |buffers, [to]| {
        elementwise::add_assign(to, buffers.get(from, rows));
    });
}

/// A gradient that is changed number by number stays where it is.
fn alter(
    step: &Step,
    values: &[usize],
    own: usize,
    buffers: &mut Buffers,
    rows: usize,
    draw: Draw,
) {
    match step.operation {
        Operation::Activation(function) => {
            let input = values[step.inputs[0]];
            buffers.with([own], rows, |buffers, [gradient]| {
                function.gradient(buffers.get(input, rows), gradient);
            });
        }
        Operation::Rounded(codes) => {
            let input = values[step.inputs[0]];
            buffers.with([own], rows, |buffers, [gradient]| {
                within_range(
                    buffers.get(input, rows),
                    1.0 / codes.step,
                    codes.range,
                    gradient,
                );
            });
        }
        Operation::Dropout { rate } => {
            draw.drop_out(step.node, rate, rows, buffers.get_mut(own, rows));
        }
        _ => {}
    }
}

/// What one step back reads.
struct Context<'a> {
    step: &'a Step,
    reverse: &'a Reverse,
    input: usize,
    share: &'a Share,
    saved: Option<usize>,
    rows: usize,
}

impl Context<'_> {
    /// Adds the gradients of the parameters and writes that of the input, if it is asked for.
    fn run(
        &self,
        buffers: &Buffers,
        workspace: &mut Workspace,
        numbers: &mut Numbers<'_>,
        out: Option<&mut [f32]>,
    ) {
        let rows = self.rows;
        let gradient = buffers.get(self.reverse.gradient, rows);
        let x = || buffers.get(self.input, rows);
        let saved = || self.saved.map_or(&[][..], |saved| buffers.get(saved, rows));
        let Numbers {
            parameters,
            gradients,
        } = numbers;
        match (&self.step.operation, out) {
            (Operation::Affine(affine), out) => {
                let scratch = &mut workspace.scratch;
                affine.weight_gradient(rows, x(), gradient, gradients, scratch);
                if let Some(out) = out {
                    let packed = &workspace.packed[self.share.input.clone()];
                    affine.input_gradient(packed, rows, gradient, out, scratch);
                }
            }
            (Operation::BatchNorm(sizes, norm), Some(out)) => {
                let own = &workspace.statistics[self.share.statistics.clone()];
                let (mean, inverse) = (&own[..sizes.channels], &own[2 * sizes.channels..]);
                let scale = &parameters[norm.scale.clone()];
                let own = two(gradients, &norm.scale, &norm.shift);
                let scratch = &mut workspace.scratch[..3 * sizes.channels];
                batch::gradient(x(), [mean, inverse], scale, gradient, out, own, scratch);
            }
            (Operation::LayerNorm { scale, shift, .. }, Some(out)) => {
                let own = two(gradients, scale, shift);
                let scale = &parameters[scale.clone()];
                layer::gradient(x(), scale, saved(), gradient, out, own);
            }
            (Operation::Positions(positions), _) => {
                elementwise::add_column_sums(gradient, &mut gradients[positions.clone()]);
            }
            (_, None) => {}
            (Operation::Transpose(sizes), Some(out)) => {
                each_row(gradient, out, rows, |gradient, out| {
                    elementwise::transpose(gradient, sizes.places, out);
                });
            }
            (Operation::MaxPool(geometry), Some(out)) => {
                pool::max_gradient(geometry, x(), gradient, out);
            }
            (Operation::AveragePool(geometry), Some(out)) => {
                pool::average_gradient(geometry, gradient, out);
            }
            (Operation::GlobalAveragePool(sizes), Some(out)) => {
                pool::global_average_gradient(sizes.places, sizes.channels, gradient, out);
            }
            (Operation::Attention(shape), Some(out)) => {
                let scratch = &mut workspace.scratch[..shape.gradient_scratch_len()];
                attention::gradient(shape, x(), saved(), gradient, out, scratch);
            }
            (
                Operation::Activation(_)
                | Operation::Add
                | Operation::Dropout { .. }
                | Operation::Rounded(_),
                Some(_),
            ) => {}
        }
    }
}

/// Two stretches of a list, of which the first stands before the second.
pub(super) fn two<'a>(
    list: &'a mut [f32],
    first: &std::ops::Range<usize>,
    second: &std::ops::Range<usize>,
) -> [&'a mut [f32]; 2] {
    let (before, after) = list.split_at_mut(second.start);
    [&mut before[first.clone()], &mut after[..second.len()]]
}
