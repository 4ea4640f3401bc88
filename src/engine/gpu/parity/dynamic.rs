//! Cases of rows with a step of their own: codes are compared in every bit, products within their bounds.

use super::integers::{bench, mask, values, weights, word};
use super::shapes::{Bench, CONVOLUTIONS, DEPTHWISE, turn};
use super::table::Table;
use crate::engine::gpu::kernels::Task;
use crate::engine::gpu::kernels::task::{DynamicCodes, DynamicProduct, NONE, Shape};

pub(super) fn all(table: &mut Table) {
    codes(table);
    for (index, (rows, shape)) in (0..).zip(CONVOLUTIONS) {
        if shape.groups == 1 || shape.is_in_quads() {
            product(table, rows, shape, index);
        }
    }
    for (index, (rows, shape)) in (0..).zip(DEPTHWISE) {
        product(table, rows, shape, index);
    }
}

/// Rows of drawn numbers, of numbers halfway between two codes, of very unlike sizes, of zeros and of hardly more.
fn codes(table: &mut Table) {
    for (rows, places, channels) in [(1, 1, 1), (3, 5, 7), (2, 49, 8), (70, 3, 6), (1, 1, 1030)] {
        // Between codes of a row whose step is a power of two, and of one whose step is not.
        let between = |x: f32, most: f32| match x.abs() > 0.9 {
            true => most,
            false => ((x * 127.0).round() + 0.5) * most / 127.0,
        };
        let halfway = |x: f32| between(x, 127.0 / 64.0);
        let nearly = |x: f32| between(x, 1.0);
        let unlike = |x: f32| x.powi(41) * 1e9;
        let tiny = |x: f32| x * 1e-36;
        let kinds: [(&str, &dyn Fn(f32) -> f32); 6] = [
            ("drawn", &|x| x),
            ("halfway", &halfway),
            ("nearly", &nearly),
            ("unlike", &unlike),
            ("zero", &|_| -0.0),
            ("tiny", &tiny),
        ];
        for (what, of) in kinds {
            let mut bench = bench(table);
            let task = DynamicCodes {
                places,
                channels,
                input: bench.values_of(rows * places * channels, of),
                output: bench.values(rows * places * channels.div_ceil(4)),
                steps: bench.values(rows),
            };
            let what = format!("{what} {rows}×{places}×{channels}");
            table.push(what, bench, turn(rows), Task::DynamicCodes(task));
        }
    }
}

fn product(table: &mut Table, rows: u32, shape: Shape, index: u32) {
    let is_depthwise = shape.groups == shape.planes && shape.groups == shape.channels;
    let (in_words, out_words) = (shape.planes.div_ceil(4), shape.channels.div_ceil(4));
    let of_group = match is_depthwise {
        true => 1,
        false => in_words / shape.groups,
    };
    // Every activation in turn, each with and without something added.
    for activation in [index % 7, (index + 3) % 7] {
        for is_added in [false, true] {
            let mut bench = bench(table);
            let count = 4 * shape.size_y * shape.size_x * of_group * out_words;
            let mut of_weights: Vec<u32> = (0..count)
                .map(|_| {
                    let word = word(&mut bench);
                    match is_depthwise {
                        true => i32::from(word as u8 as i8).cast_unsigned(),
                        false => word,
                    }
                })
                .collect();
            mask(&shape, &mut of_weights, is_depthwise, of_group);
            let depth = shape.depth() as f32;
            let constants = |bench: &mut Bench, scale: f32| -> Vec<u32> {
                (0..4 * out_words)
                    .map(|_| (bench.draw() * scale).to_bits())
                    .collect()
            };
            // Steps so that sums come to about 1.
            let mut both = constants(&mut bench, 2e-3 / depth.sqrt());
            both.extend(constants(&mut bench, 1.0));
            let outputs = rows * shape.places() as u32;
            let task = DynamicProduct {
                shape,
                input: values(&mut bench, rows * shape.in_places() as u32 * in_words),
                steps: bench.values_of(rows, |x| 0.2 + 0.1 * x),
                weight: weights(&mut bench, &of_weights) / 4,
                constants: weights(&mut bench, &both) / 4,
                residual: match is_added {
                    true => bench.values(outputs * shape.channels),
                    false => NONE,
                },
                output: bench.values(outputs * shape.channels),
                depthwise: u32::from(is_depthwise),
                activation,
            };
            let what = format!(
                "{rows}×{}×{}×{} {index} {activation} {is_added}",
                shape.height, shape.width, shape.planes
            );
            table.push(what, bench, turn(rows), Task::DynamicProduct(task));
        }
    }
}
