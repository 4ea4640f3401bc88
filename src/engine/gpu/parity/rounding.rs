//! Cases of rounding: weights between two steps and on them, of unlike sizes, over stretches that end early; values within
//! their range, beyond it, and never so near the middle of two steps that either would be right.

use super::shapes::turn;
use super::table::Table;
use crate::engine::gpu::kernels::Task;
use crate::engine::gpu::kernels::task::{NONE, RoundedValues, RoundedWeights};

pub(super) fn all(table: &mut Table) {
    weights(table);
    values(table);
}

fn weights(table: &mut Table) {
    for (places, planes, outputs) in [(1, 1, 1), (9, 3, 17), (1, 67, 33), (4, 16, 16), (25, 6, 5)] {
        // The largest is as it is, the others are drawn, between two steps of 127 or of 7, or of very unlike sizes.
        let between = |x: f32, top: f32| match x.abs() > 0.8 {
            true => 0.875_f32.copysign(x),
            false => ((x * top).round() + 0.5) * 0.875 / top,
        };
        let of_bytes = |x: f32| between(x, 127.0);
        let of_nibbles = |x: f32| between(x, 7.0);
        let unlike = |x: f32| x.powi(21) * 3e-4;
        let kinds: [(&str, &dyn Fn(f32) -> f32); 6] = [
            ("drawn", &|x| x),
            ("bytes", &of_bytes),
            ("nibbles", &of_nibbles),
            ("halves", &|x| (x * 4096.0).round() / 8192.0),
            ("unlike", &unlike),
            ("zero", &|_| 0.0),
        ];
        let inner = planes * places;
        for (what, of) in kinds {
            for (kind, stretch, top) in
                [(0, inner, 1), (1, inner, 127), (2, inner, 127), (3, 32, 7)]
            {
                let mut bench = table.bench();
                let task = RoundedWeights {
                    outputs,
                    planes,
                    places,
                    stretch,
                    input: bench.weights_of(outputs * inner, of),
                    output: bench.weights(outputs * inner),
                    kind,
                    top,
                };
                let what = format!("{what} {places}×{planes}×{outputs} {kind}");
                table.push(what, bench, turn(1), Task::RoundedWeights(task));
            }
        }
    }
}

fn values(table: &mut Table) {
    for (rows, length) in [(1, 1), (3, 211), (2, 700)] {
        for is_gradient in [false, true] {
            let mut bench = table.bench();
            let step = 0.013;
            // A fifth of them beyond the range.
            let placed = |x: f32| {
                let number = (x * 140.0).round();
                (number + 0.8 * (x * 7919.0).fract().clamp(-0.5, 0.5)) * step
            };
            let input = bench.values_of(rows * length, placed);
            let output = bench.values(rows * length);
            let task = RoundedValues {
                length,
                input,
                output,
                gradient: if is_gradient { output } else { NONE },
                step,
                inverse: 1.0 / step,
                low: -100.0,
                high: 121.0,
            };
            let what = format!("{rows}×{length} {is_gradient}");
            table.push(what, bench, turn(rows), Task::RoundedValues(task));
        }
    }
}
