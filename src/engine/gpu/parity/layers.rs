//! Cases of poolings, norms and attention.

use super::shapes::{WINDOWS, turn};
use super::table::Table;
use crate::engine::gpu::kernels::Task;
use crate::engine::gpu::kernels::task::{
    Attention, AttentionGradient, AverageGradient, LayerNorm, LayerNormGradient, MaxGradient, NONE,
    NormGradient, NormSums, Normalize, Pool, Statistics,
};

pub(super) fn pools(table: &mut Table) {
    for (rows, window) in WINDOWS {
        let inputs = rows * window.height * window.width * window.channels;
        let outputs = rows * window.out_height * window.out_width * window.channels;
        let what = format!(
            "{rows}×{}×{}×{} by {}×{}",
            window.height, window.width, window.channels, window.size_y, window.size_x
        );
        // Few different numbers, so that several are largest.
        let coarse = |x: f32| (x * 3.0).round();
        for task in [Task::MaxPool, Task::AveragePool] {
            let mut bench = table.bench();
            let (input, output) = (bench.values_of(inputs, coarse), bench.values(outputs));
            table.push(
                &what,
                bench,
                turn(rows),
                task(Pool {
                    window,
                    input,
                    output,
                }),
            );
        }
        for accumulate in [0, 1] {
            let mut bench = table.bench();
            let activation = accumulate * 3;
            let task = MaxGradient {
                window,
                input: bench.values_of(inputs, coarse),
                gradient: bench.values(outputs),
                output: bench.values(inputs),
                accumulate,
                saved: bench.values_of(inputs, |x| 5.0 * x),
                activation,
            };
            let other = AverageGradient {
                window,
                gradient: task.gradient,
                output: task.output,
                accumulate,
                saved: task.saved,
                activation,
            };
            table.push(
                &what,
                bench.clone(),
                turn(rows),
                Task::MaxPoolGradient(task),
            );
            table.push(&what, bench, turn(rows), Task::AveragePoolGradient(other));
        }
    }
}

pub(super) fn batch_norms(table: &mut Table) {
    for (rows, places, channels, parts) in [
        (1, 5, 3, 1),
        (4, 13, 17, 3),
        (3, 64, 40, 5),
        (200, 1, 16, 40),
        (5, 300, 18, 70),
        (9, 50, 17, 3),
    ] {
        let count = rows * places * channels;
        let what = format!("{rows}×{places}×{channels} in {parts} parts");
        let mut bench = table.bench();
        let task = Statistics {
            channels,
            places,
            parts,
            input: bench.values_of(count, |x| x + 3.0),
            output: bench.values(2 * parts * channels),
        };
        table.push(&what, bench, turn(rows), Task::BatchNormStatistics(task));
        for (trains, activation) in [(true, 0), (true, 1), (true, 6), (false, 5)] {
            let mut bench = table.bench();
            let task = Normalize {
                channels,
                places,
                parts,
                input: bench.values(count),
                partial: if trains {
                    bench.values_of(2 * parts * channels, |x| 2.0 + x)
                } else {
                    NONE
                },
                statistics: if trains {
                    bench.values(2 * channels)
                } else {
                    NONE
                },
                running: bench.values(2 * channels + 7),
                running_stride: channels + 7,
                scale: bench.weights(channels),
                shift: bench.weights(channels),
                mean: bench.weights(channels),
                variance: bench.weights_of(channels, |x| 1.5 + x),
                epsilon: 1e-5,
                momentum: 0.1,
                residual: if activation > 0 {
                    bench.values(count)
                } else {
                    NONE
                },
                output: bench.values(count),
                kept: if activation > 5 {
                    bench.values(count)
                } else {
                    NONE
                },
                activation,
            };
            table.push(
                format!("{what}, {activation}"),
                bench,
                turn(rows),
                Task::BatchNormNormalize(task),
            );
        }
        for accumulate in [0, 1] {
            let mut bench = table.bench();
            let task = NormSums {
                channels,
                places,
                parts,
                input: bench.values(count),
                gradient: bench.values(count),
                statistics: bench.values_of(2 * channels, |x| 1.0 + 0.5 * x),
                output: bench.values(2 * parts * channels),
            };
            table.push(&what, bench, turn(rows), Task::BatchNormSums(task));
            let mut bench = table.bench();
            let task = NormGradient {
                channels,
                places,
                parts,
                input: bench.values(count),
                gradient: bench.values(count),
                statistics: bench.values_of(2 * channels, |x| 1.0 + 0.5 * x),
                partial: bench.values(2 * parts * channels),
                scale: bench.weights(channels),
                scale_output: bench.values(channels),
                shift_output: bench.values(channels),
                output: if channels == 3 {
                    NONE
                } else {
                    bench.values(count)
                },
                accumulate,
            };
            table.push(&what, bench, turn(rows), Task::BatchNormGradient(task));
        }
    }
}

pub(super) fn layer_norms(table: &mut Table) {
    for (rows, places, channels, parts) in
        [(1, 1, 5, 1), (3, 7, 64, 2), (2, 5, 67, 4), (2, 3, 200, 9)]
    {
        let count = rows * places * channels;
        let what = format!("{rows}×{places}×{channels}");
        let mut bench = table.bench();
        let task = LayerNorm {
            channels,
            places,
            input: bench.values_of(count, |x| x + 1.0),
            scale: bench.weights(channels),
            shift: bench.weights(channels),
            epsilon: 1e-5,
            output: bench.values(count),
            statistics: if parts == 1 {
                NONE
            } else {
                bench.values(2 * rows * places)
            },
        };
        table.push(&what, bench, turn(rows), Task::LayerNorm(task));
        let mut bench = table.bench();
        let task = LayerNormGradient {
            channels,
            places,
            parts,
            input: bench.values(count),
            gradient: bench.values(count),
            statistics: bench.values_of(2 * rows * places, |x| 1.0 + 0.5 * x),
            scale: bench.weights(channels),
            scale_output: bench.values(parts * (channels + 1)),
            shift_output: bench.values(parts * (channels + 1)),
            output_stride: channels + 1,
            output: if parts == 2 {
                NONE
            } else {
                bench.values(count)
            },
            accumulate: u32::from(parts == 4),
        };
        table.push(
            format!("{what} in {parts} parts"),
            bench,
            turn(rows),
            Task::LayerNormGradient(task),
        );
    }
}

pub(super) fn attentions(table: &mut Table) {
    for (rows, tokens, heads, head) in [
        (1, 1, 1, 1),
        (2, 5, 2, 3),
        (2, 16, 1, 16),
        (1, 37, 3, 20),
        (1, 37, 1, 96),
    ] {
        let width = heads * head;
        let factor = 1.0 / (head as f32).sqrt();
        let what = format!("{rows}×{tokens} tokens, {heads} heads of {head}");
        let mut bench = table.bench();
        let task = Attention {
            tokens,
            width,
            heads,
            factor,
            input: bench.values(3 * rows * tokens * width),
            output: bench.values(rows * tokens * width),
            statistics: bench.values(2 * rows * heads * tokens),
        };
        table.push(&what, bench, turn(rows), Task::Attention(task));
        let mut bench = table.bench();
        let share = 1.0 / tokens as f32;
        let task = AttentionGradient {
            tokens,
            width,
            heads,
            factor,
            input: bench.values(3 * rows * tokens * width),
            forward: bench.values(rows * tokens * width),
            gradient: bench.values(rows * tokens * width),
            statistics: bench.values_of(2 * rows * heads * tokens, |x| share * (1.0 + 0.1 * x)),
            output: bench.values(3 * rows * tokens * width),
            accumulate: u32::from(tokens == 5),
        };
        // No score is larger than what stands for the largest.
        for query in 0..rows * heads * tokens {
            bench.arenas.values[(task.statistics + 2 * query) as usize] = 2.0;
        }
        table.push(&what, bench, turn(rows), Task::AttentionGradient(task));
    }
}
