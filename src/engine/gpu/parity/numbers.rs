//! Cases of what is done number by number, of what only moves numbers, of the loss and of the optimizer.

use super::shapes::turn;
use super::table::Table;
use crate::engine::gpu::kernels::Task;
use crate::engine::gpu::kernels::task::{
    Activate, ActivateGradient, Add, CrossEntropy, Dropout, Gather, NONE, Positions,
    PositionsGradient, Transpose, Update,
};

pub(super) fn by_number(table: &mut Table) {
    for activation in 0..7 {
        for (rows, length) in [(1, 1), (3, 411)] {
            let what = format!("{activation} of {rows}×{length}");
            let mut bench = table.bench();
            // A single number must not be one that an activation makes nothing of: it is what tolerances are compared with.
            let only = length == 1;
            let input = bench.values_of(rows * length, |x| 9.0 * if only { x.abs() } else { x });
            let output = if length == 1 {
                input
            } else {
                bench.values(rows * length)
            };
            let task = Activate {
                length,
                input,
                output,
                activation,
            };
            table.push(&what, bench, turn(rows), Task::Activation(task));
            let mut bench = table.bench();
            let gradient = bench.values(rows * length);
            let task = ActivateGradient {
                length,
                gradient,
                saved: bench
                    .values_of(rows * length, |x| if activation == 5 { x } else { 9.0 * x }),
                activation,
                output: if length == 1 {
                    gradient
                } else {
                    bench.values(rows * length)
                },
                accumulate: u32::from(length > 1 && activation % 2 == 1),
            };
            table.push(&what, bench, turn(rows), Task::ActivationGradient(task));
            let mut bench = table.bench();
            let left = bench.values(rows * length);
            let task = Add {
                length,
                left,
                right: if activation == 3 {
                    NONE
                } else {
                    bench.values(rows * length)
                },
                output: if length == 1 {
                    left
                } else {
                    bench.values(rows * length)
                },
                kept: if activation == 6 {
                    bench.values(rows * length)
                } else {
                    NONE
                },
                activation: activation % 2 * activation,
            };
            table.push(&what, bench, turn(rows), Task::Add(task));
        }
    }
}

pub(super) fn moves(table: &mut Table) {
    for (rows, height, width) in [(1, 1, 1), (3, 5, 7), (2, 17, 33)] {
        let length = height * width;
        let what = format!("{rows}×{height}×{width}");
        let mut bench = table.bench();
        bench.arenas.data = (0..7 * length).map(|_| bench.draw()).collect();
        let mut indexed = turn(rows);
        bench.numbers([9, 9]);
        indexed.indices = bench.numbers([6, 0, 3]);
        let task = Gather {
            channels: height,
            places: width,
            output: bench.values(rows * length),
        };
        table.push(&what, bench, indexed, Task::Gather(task));
        for accumulate in [0, 1] {
            let mut bench = table.bench();
            let (input, output) = (bench.values(rows * length), bench.values(rows * length));
            let task = Transpose {
                height,
                width,
                input,
                output,
                accumulate,
            };
            table.push(&what, bench, turn(rows), Task::Transpose(task));
            let mut bench = table.bench();
            let (input, output) = (bench.values(rows * length), bench.values(rows * length));
            let task = Dropout {
                length,
                input,
                output,
                node: 7,
                limit: 1 << 30,
                factor: 1.0 / 0.75,
                accumulate,
            };
            table.push(&what, bench, turn(rows), Task::Dropout(task));
        }
        let mut bench = table.bench();
        let task = Positions {
            length,
            input: bench.values(rows * length),
            positions: bench.weights(length),
            output: bench.values(rows * length),
        };
        table.push(&what, bench, turn(rows), Task::Positions(task));
        let mut bench = table.bench();
        let task = PositionsGradient {
            length,
            parts: 2,
            gradient: bench.values(rows * length),
            output: bench.values(2 * length + 1),
            output_stride: length + 1,
        };
        table.push(&what, bench, turn(rows), Task::PositionsGradient(task));
    }
}

pub(super) fn losses(table: &mut Table) {
    for (rows, classes, smoothing, stopped) in [
        (1, 2, 0.0, 0),
        (5, 10, 0.1, 0),
        (37, 33, 0.0, 0),
        (300, 7, 0.2, 0),
        (3, 2, 0.0, 0),
        (4, 10, 0.0, 1),
    ] {
        let mut bench = table.bench();
        let mut labelled = turn(rows);
        labelled.smoothing = smoothing;
        labelled.labels = bench.numbers((0..rows + 3).map(|row| row * 5 % classes));
        labelled.indices = bench.numbers((0..rows).map(|row| (row + 2) % (rows + 3)));
        bench.arenas.metrics[0] = stopped;
        let task = CrossEntropy {
            classes,
            // Halves, so that the first of equals counts.
            input: bench.values_of(rows * classes, |x| (x * 8.0).round() / 2.0),
            output: if rows == 37 {
                NONE
            } else {
                bench.values(rows * classes)
            },
        };
        let what = format!("{rows}×{classes}, smoothing {smoothing}, stopped {stopped}");
        table.push(what, bench, labelled, Task::CrossEntropy(task));
    }
}

pub(super) fn updates(table: &mut Table) {
    for (optimizer, stopped) in [(0, 0), (1, 0), (1, 1)] {
        let mut bench = table.bench();
        let kinds = [0, 1, 2, 3, 0];
        let length = 64 * kinds.len() as u32 - 3;
        bench.arenas.weights = (0..length + 5).map(|_| bench.draw()).collect();
        bench.arenas.moments = (0..2 * length + 5).map(|_| bench.draw().abs()).collect();
        let mut blocks = vec![1, 2, 3];
        for (parts, kind) in (1..).zip(kinds) {
            let stride = 70;
            let first = bench.values_of(parts * stride, |x| x);
            blocks.extend([first, if kind == 2 { 1 } else { parts }, stride, kind]);
        }
        bench.numbers(blocks);
        bench.arenas.metrics[0] = stopped;
        bench.arenas.metrics[11] = stopped;
        let task = Update { length, blocks: 3 };
        let mut step = turn(1);
        step.optimizer = optimizer;
        table.push(
            format!("{optimizer}, stopped {stopped}"),
            bench,
            step,
            Task::Update(task),
        );
    }
}
