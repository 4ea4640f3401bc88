//! Cases of convolutions and linear layers: all shapes, all tiles, with and without what follows them.

use super::shapes::{Bench, convolution, turn};
use super::table::Table;
use crate::engine::gpu::kernels::Task;
use crate::engine::gpu::kernels::grid::Dispatch;
use crate::engine::gpu::kernels::task::{Forward, InputGradient, NONE, Shape, WeightGradient};
use crate::engine::gpu::kernels::tile::{Device, Tile};

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
        factor: 1.0,
    }
}

/// A form of a convolution with its gradients.
pub(super) type Kinds = (
    fn(Forward) -> Task,
    fn(InputGradient) -> Task,
    fn(WeightGradient) -> Task,
);
pub(super) const PLAIN: Kinds = (
    Task::Product,
    Task::ProductInputGradient,
    Task::ProductWeightGradient,
);
pub(super) const QUADS: Kinds = (
    Task::ProductQuads,
    Task::ProductInputGradientQuads,
    Task::ProductWeightGradientQuads,
);
pub(super) const DEPTHWISE: Kinds = (
    Task::Depthwise,
    Task::DepthwiseInputGradient,
    Task::DepthwiseWeightGradient,
);

pub(super) fn products(table: &mut Table, rows: u32, shape: Shape, kinds: Kinds) {
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
            kinds.0(task),
        );
    }
    for activation in [0, activation] {
        let mut bench = table.bench();
        let task = input_gradient(&mut bench, rows, shape, activation);
        table.push(
            format!("{what}, activation {activation}"),
            bench,
            turn(rows),
            kinds.1(task),
        );
        let mut bench = table.bench();
        let task = weight_gradient(&mut bench, rows, shape, activation);
        table.push(
            format!("{what}, activation {activation}"),
            bench,
            turn(rows),
            kinds.2(task),
        );
    }
}

fn input_gradient(bench: &mut Bench, rows: u32, shape: Shape, activation: u32) -> InputGradient {
    let outputs = rows * shape.out_height * shape.out_width * shape.channels;
    let inputs = rows * shape.height * shape.width * shape.planes;
    InputGradient {
        shape,
        gradient: bench.values(outputs),
        weight: bench.weights(shape.size_y * shape.size_x * shape.planes * shape.channels),
        output: bench.values(inputs),
        accumulate: u32::from(activation > 0),
        saved: bench.values_of(inputs, |x| 7.0 * x),
        activation,
    }
}

/// `more` is a part of a gradient, so that it is not the only one, with a bias.
fn weight_gradient(bench: &mut Bench, rows: u32, shape: Shape, more: u32) -> WeightGradient {
    let outputs = rows * shape.out_height * shape.out_width * shape.channels;
    let weights = shape.size_y * shape.size_x * shape.planes * shape.channels;
    let parts = if more > 0 { 3 } else { 1 };
    // Beyond what is written, and a multiple of four as kernels in quads need it.
    let [stride, bias_stride] =
        [weights, shape.channels].map(|count| count.next_multiple_of(4) + 4);
    WeightGradient {
        shape,
        input: bench.values(rows * shape.height * shape.width * shape.planes),
        gradient: bench.values(outputs),
        parts,
        output: bench.values(parts * stride),
        output_stride: stride,
        bias: if more > 0 {
            bench.values(parts * bias_stride)
        } else {
            NONE
        },
        bias_stride,
    }
}

/// A linear layer row by row, with every activation, and for fewer rows than planned.
pub(super) fn rows(table: &mut Table, rows: u32, shape: Shape) {
    for activation in 0..=6 {
        let mut bench = table.bench();
        let task = forward(&mut bench, rows, shape, activation, activation > 0);
        let what = format!("{}, activation {activation}", words(rows, &shape));
        let task = Task::LinearRow(task);
        let dispatch = Dispatch::new(Device::HARDWARE, task, rows);
        table.push_divided(what, bench, turn((rows - activation % 2).max(1)), dispatch);
    }
}

/// Convolutions and linear layers with weights in half precision, by every kernel that reads them.
pub(super) fn halves(table: &mut Table) {
    const FACTOR: f32 = 1.0 / 32_768.0;
    let plain = convolution([5, 7, 3], [17, 1], [3, 3], [1, 1], [1; 4]);
    let quads = convolution([7, 9, 16], [24, 2], [3, 2], [1, 2], [1, 1, 2, 0]);
    let depthwise = convolution([7, 5, 13], [13, 13], [3, 3], [2, 2], [1, 1, 0, 1]);
    let linear = convolution([1, 1, 40], [33, 1], [1, 1], [1, 1], [0; 4]);
    let shapes = [plain, quads, depthwise, linear];
    let kinds: [fn(Forward) -> Task; 4] = [
        Task::Product,
        Task::ProductQuads,
        Task::Depthwise,
        Task::LinearRow,
    ];
    for (shape, kind) in shapes.into_iter().zip(kinds) {
        let mut bench = table.bench();
        let mut task = forward(&mut bench, 3, shape, 1, true);
        let count = shape.depth() as u32 * shape.channels;
        task.weight = 2 * bench.halves(count, 1.0 / FACTOR);
        task.factor = FACTOR;
        let what = format!("{}, halves", words(3, &shape));
        table.push(what, bench, turn(3), kind(task));
    }
}

/// Every tile on shapes that none of them divides, and a batch that is smaller than planned.
pub(super) fn tiles(table: &mut Table) {
    let plain = convolution([9, 9, 5], [37, 1], [3, 3], [1, 1], [1; 4]);
    let quads = convolution([9, 9, 12], [68, 1], [3, 3], [1, 1], [1; 4]);
    for (shape, kinds) in [(plain, PLAIN), (quads, QUADS)] {
        for tile in Tile::ALL {
            let mut benches: [Bench; 3] = std::array::from_fn(|_| table.bench());
            let tasks = [
                kinds.0(forward(&mut benches[0], 4, shape, 6, true)),
                kinds.1(input_gradient(&mut benches[1], 4, shape, 1)),
                kinds.2(weight_gradient(&mut benches[2], 4, shape, 2)),
            ];
            for (bench, task) in benches.into_iter().zip(tasks) {
                let dispatch = Dispatch::with_tile(task, 4, Some(tile));
                let what = format!("{}, {}, 3 of 4 rows", words(4, &shape), tile.words());
                table.push_divided(what, bench, turn(3), dispatch);
            }
        }
    }
}
