//! Cases of convolutions and linear layers: all shapes, all tiles, with and without what follows them.

use super::shapes::{Bench, convolution, turn};
use super::table::Table;
use crate::engine::gpu::kernels::Task;
use crate::engine::gpu::kernels::grid::{Dispatch, Tile};
use crate::engine::gpu::kernels::task::{Forward, InputGradient, NONE, Shape, WeightGradient};

fn words(rows: u32, s: &Shape) -> String {
    format!(
        "{rows}×{}×{}×{} → {} by {}×{} in {} groups",
        s.height, s.width, s.planes, s.channels, s.size_y, s.size_x, s.groups
    )
}

/// A convolution with everything behind it, or nothing.
fn forward(bench: &mut Bench, rows: u32, shape: Shape, activation: u32, full: bool) -> Forward {
    let channels = shape.channels;
    let outputs = rows * shape.out_height * shape.out_width * channels;
    let weights = shape.size_y * shape.size_x * (shape.planes / shape.groups) * channels;
    let weights = match shape.groups == channels {
        true => shape.size_y * shape.size_x * channels,
        false => weights,
    };
    let optional = |bench: &mut Bench, of: fn(f32) -> f32| match full {
        true => bench.weights_of(channels, of),
        false => NONE,
    };
    let bias = optional(bench, |x| x);
    let norm = [
        optional(bench, |x| 1.0 + 0.5 * x),
        optional(bench, |x| x),
        optional(bench, |x| x),
        optional(bench, |x| 1.5 + x),
    ];
    Forward {
        shape,
        input: bench.values(rows * shape.height * shape.width * shape.planes),
        weight: bench.weights(weights),
        bias,
        residual: if full { bench.values(outputs) } else { NONE },
        output: bench.values(outputs),
        kept: if full { bench.values(outputs) } else { NONE },
        activation,
        norm_scale: norm[0],
        norm_shift: norm[1],
        norm_mean: norm[2],
        norm_variance: norm[3],
        epsilon: 1e-5,
    }
}

pub(super) fn products(
    table: &mut Table,
    rows: u32,
    shape: Shape,
    kinds: [fn(Forward) -> Task; 2],
    kind: usize,
) {
    let what = words(rows, &shape);
    let activation = 1 + table.0.len() as u32 % 6;
    for full in [false, true] {
        let mut bench = table.bench();
        let task = forward(
            &mut bench,
            rows,
            shape,
            if full { activation } else { 0 },
            full,
        );
        table.push(
            format!("{what}, full {full}"),
            bench,
            turn(rows),
            kinds[kind](task),
        );
    }
    for activation in [0, activation] {
        let mut bench = table.bench();
        let task = input_gradient(&mut bench, rows, shape, activation);
        let task = [Task::ProductInputGradient, Task::DepthwiseInputGradient][kind](task);
        table.push(
            format!("{what}, activation {activation}"),
            bench,
            turn(rows),
            task,
        );
        let mut bench = table.bench();
        let task = weight_gradient(&mut bench, rows, shape, activation);
        let task = [Task::ProductWeightGradient, Task::DepthwiseWeightGradient][kind](task);
        table.push(
            format!("{what}, activation {activation}"),
            bench,
            turn(rows),
            task,
        );
    }
}

fn input_gradient(bench: &mut Bench, rows: u32, shape: Shape, activation: u32) -> InputGradient {
    let outputs = rows * shape.out_height * shape.out_width * shape.channels;
    InputGradient {
        shape,
        gradient: bench.values(outputs),
        saved: bench.values_of(outputs, |x| 7.0 * x),
        activation,
        weight: bench.weights(shape.size_y * shape.size_x * shape.planes * shape.channels),
        output: bench.values(rows * shape.height * shape.width * shape.planes),
        accumulate: u32::from(activation > 0),
    }
}

fn weight_gradient(bench: &mut Bench, rows: u32, shape: Shape, activation: u32) -> WeightGradient {
    let outputs = rows * shape.out_height * shape.out_width * shape.channels;
    let weights = shape.size_y * shape.size_x * shape.planes * shape.channels;
    let parts = if activation > 0 { 3 } else { 1 };
    WeightGradient {
        shape,
        input: bench.values(rows * shape.height * shape.width * shape.planes),
        gradient: bench.values(outputs),
        saved: bench.values_of(outputs, |x| 0.9 * x),
        activation,
        parts,
        output: bench.values(parts * (weights + 3)),
        output_stride: weights + 3,
        bias: if activation > 0 {
            bench.values(parts * (shape.channels + 2))
        } else {
            NONE
        },
        bias_stride: shape.channels + 2,
    }
}

/// Every tile on a shape that none of them divides, and a batch that is smaller than planned.
pub(super) fn tiles(table: &mut Table) {
    let shape = convolution([9, 9, 5], [37, 1], [3, 3], [1, 1], [1; 4]);
    for tile in Tile::ALL {
        let mut all: [(Bench, Option<Task>); 3] = std::array::from_fn(|_| (table.bench(), None));
        all[0].1 = Some(Task::Product(forward(&mut all[0].0, 4, shape, 6, true)));
        all[1].1 = Some(Task::ProductInputGradient(input_gradient(
            &mut all[1].0,
            4,
            shape,
            1,
        )));
        all[2].1 = Some(Task::ProductWeightGradient(weight_gradient(
            &mut all[2].0,
            4,
            shape,
            2,
        )));
        for (bench, task) in all {
            let dispatch = task.and_then(|task| Dispatch::with_tile(task, 4, Some(tile)));
            let what = format!("{}, {tile:?}, 3 of 4 rows", words(4, &shape));
            table.push_divided(what, bench, turn(3), dispatch);
        }
    }
}
