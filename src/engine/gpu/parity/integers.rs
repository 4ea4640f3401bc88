//! Cases of the integer kernels; their twins are exact, so every bit is compared.

use super::shapes::{Bench, CONVOLUTIONS, DEPTHWISE, WINDOWS, turn};
use super::table::Table;
use crate::engine::gpu::kernels::Task;
use crate::engine::gpu::kernels::task::{
    IntegerAttention, IntegerGather, IntegerMap, IntegerNorm, IntegerPool, IntegerProduct,
    IntegerTranspose, NONE, Shape,
};

pub(super) fn all(table: &mut Table) {
    for (index, (rows, shape)) in (0..).zip(CONVOLUTIONS) {
        if shape.groups == 1 || shape.is_in_quads() {
            product(table, rows, shape, index);
        }
    }
    for (index, (rows, shape)) in (0..).zip(DEPTHWISE) {
        product(table, rows, shape, index);
    }
    pools(table);
    maps(table);
    moves(table);
    norms(table);
    attentions(table);
}

/// A bench whose first numbers are no words, because a word moved by a little may be the same word.
fn bench(table: &Table) -> Bench {
    let mut bench = table.bench();
    bench.values(1);
    bench.weights(1);
    bench
}

/// A drawn word: four numbers of 8 bits, each as likely as another.
fn word(bench: &mut Bench) -> u32 {
    let [low, high] = [(); 2].map(|()| ((bench.draw() + 1.0) * 32_768.0) as u32 & 0xffff);
    low | high << 16
}

fn values(bench: &mut Bench, count: u32) -> u32 {
    let place = bench.values(count);
    for index in place..place + count {
        let word = word(bench);
        bench.arenas.values[index as usize] = f32::from_bits(word);
    }
    place
}

fn weights(bench: &mut Bench, words: &[u32]) -> u32 {
    let place = bench.weights(words.len() as u32);
    for (at, &word) in (place as usize..).zip(words) {
        bench.arenas.weights[at] = f32::from_bits(word);
    }
    place
}

/// A number with a sign as a word.
fn told(number: i32) -> u32 {
    number.cast_unsigned()
}

fn product(table: &mut Table, rows: u32, shape: Shape, index: u32) {
    let is_depthwise = shape.groups == shape.planes && shape.groups == shape.channels;
    let (in_words, out_words) = (shape.planes.div_ceil(4), shape.channels.div_ceil(4));
    let of_group = if is_depthwise {
        1
    } else {
        in_words / shape.groups
    };
    let cells = shape.size_y * shape.size_x;
    let plain = format!(
        "{rows}×{}×{}×{} {index}",
        shape.height, shape.width, shape.planes
    );
    for way in ["plain", "residual", "raw"] {
        let mut bench = bench(table);
        let mut of_weights = Vec::new();
        for _ in 0..cells * of_group * out_words {
            for _ in 0..4 {
                let word = word(&mut bench);
                let single = told(i32::from(word as u8 as i8));
                of_weights.push(if is_depthwise { single } else { word });
            }
        }
        mask(&shape, &mut of_weights, is_depthwise, of_group);
        let mut constants = Vec::new();
        for channel in 0..4 * out_words {
            let bias = (bench.draw() * 40_000.0) as i32;
            constants.push(told(if channel < shape.channels { bias } else { 0 }));
        }
        for channel in 0..4 * out_words {
            let multiplier = ((bench.draw() + 1.0) * 16_383.0) as i32;
            constants.push(told(if channel < shape.channels {
                multiplier
            } else {
                0
            }));
        }
        let outputs = rows * shape.places() as u32;
        let task = IntegerProduct {
            shape,
            input: values(&mut bench, rows * shape.in_places() as u32 * in_words),
            weight: weights(&mut bench, &of_weights) / 4,
            constants: weights(&mut bench, &constants) / 4,
            residual: if way == "residual" {
                values(&mut bench, outputs * out_words)
            } else {
                NONE
            },
            output: bench.values(if way == "raw" {
                outputs * shape.channels
            } else {
                outputs * out_words
            }),
            depthwise: u32::from(is_depthwise),
            raw: u32::from(way == "raw"),
            fill: 0x0505_0505,
            shift: 4,
            low: told(-100),
            high: 90,
            base: told(-20),
            residual_base: 17,
            residual_multiplier: 20_000,
            residual_shift: 11,
        };
        let what = format!("{plain} {way}");
        table.push(what, bench, turn(rows), Task::IntegerProduct(task));
    }
}

/// Weights of channels and planes that only fill a word up are 0.
fn mask(shape: &Shape, words: &mut [u32], is_depthwise: bool, of_group: u32) {
    let out_words = shape.channels.div_ceil(4);
    for (index, word) in (0..).zip(words) {
        let (quad, lane) = (index / 4 % out_words, index % 4);
        if 4 * quad + lane >= shape.channels {
            *word = 0;
        }
        let first = 4 * (index / 4 / out_words % of_group);
        if !is_depthwise && first + 4 > shape.planes {
            *word &= (1_u32 << (8 * (shape.planes - first))) - 1;
        }
    }
}

fn pools(table: &mut Table) {
    for (rows, window) in WINDOWS {
        for is_mean in [false, true] {
            let mut bench = bench(table);
            let words = window.channels.div_ceil(4);
            let cells = window.size_y * window.size_x;
            let multipliers: Vec<u32> = (0..=cells).map(|cells| 30_000 / cells.max(1)).collect();
            let task = IntegerPool {
                window,
                input: values(&mut bench, rows * window.height * window.width * words),
                output: bench.values(rows * window.out_height * window.out_width * words),
                multipliers: if is_mean {
                    weights(&mut bench, &multipliers)
                } else {
                    NONE
                },
                shift: 7,
                low: told(-90),
                high: 120,
                input_base: 40,
                base: 3,
            };
            let what = format!("{rows}×{}×{} {is_mean}", window.height, window.channels);
            table.push(what, bench, turn(rows), Task::IntegerPool(task));
        }
    }
}

fn maps(table: &mut Table) {
    for (rows, words) in [(1, 1), (3, 211)] {
        for way in ["table", "sum", "numbers"] {
            let is_sum = way == "sum";
            let mut bench = bench(table);
            let numbers: Vec<u32> = (0..4 * words)
                .map(|_| told((bench.draw() * 3e6) as i32))
                .collect();
            let entries: Vec<u32> = (0..256).map(|at| told((at * 37) % 256 - 128)).collect();
            let task = IntegerMap {
                words,
                left: values(&mut bench, rows * words),
                right: if is_sum {
                    values(&mut bench, rows * words)
                } else {
                    NONE
                },
                output: bench.values(rows * words),
                table: if way == "table" {
                    weights(&mut bench, &entries)
                } else {
                    NONE
                },
                left_multiplier: 20_001,
                right_multiplier: 31_007,
                shift: 15,
                low: told(-101),
                high: 99,
                left_base: 12,
                right_base: told(-128),
                base: told(-4),
                numbers: if way == "numbers" {
                    weights(&mut bench, &numbers)
                } else {
                    NONE
                },
            };
            let what = format!("{rows}×{words} {way}");
            table.push(what, bench, turn(rows), Task::IntegerMap(task));
        }
    }
}

fn norms(table: &mut Table) {
    for (rows, places, channels) in [(1, 1, 4_u32), (3, 5, 7), (2, 16, 64), (1, 3, 258)] {
        for (what, epsilon, mask) in [
            ("wide", 700, u32::MAX),
            ("exact", 0, u32::MAX),
            ("narrow", 50_000, 0x0101_0101),
            ("constant", 3, 0),
        ] {
            let mut bench = bench(table);
            let input = values(&mut bench, rows * places * channels.div_ceil(4));
            for number in &mut bench.arenas.values[input as usize..] {
                *number = f32::from_bits(number.to_bits() & mask);
            }
            let mut numbers = Vec::new();
            for scale in [30_000.0, 3e7] {
                numbers.extend((0..channels).map(|_| told((bench.draw() * scale) as i32)));
            }
            let task = IntegerNorm {
                places,
                channels,
                input,
                output: bench.values(rows * places * channels.div_ceil(4)),
                numbers: weights(&mut bench, &numbers),
                epsilon,
                shift: 19,
                low: told(-110),
                high: 120,
                input_base: told(-31),
                base: 6,
            };
            let what = format!("{what} {rows}×{places}×{channels}");
            table.push(what, bench, turn(rows), Task::IntegerNorm(task));
        }
    }
}

fn attentions(table: &mut Table) {
    for (rows, tokens, words, head_words) in
        [(1, 1, 1, 1), (3, 5, 2, 1), (2, 16, 6, 3), (1, 49, 4, 4)]
    {
        let mut bench = bench(table);
        let powers: Vec<u32> = (0..1024).map(|place| 16_383_u32 >> (place / 45)).collect();
        let task = IntegerAttention {
            tokens,
            words,
            head_words,
            input: values(&mut bench, rows * tokens * 3 * words),
            output: bench.values(rows * tokens * words),
            table: weights(&mut bench, &powers),
            index_multiplier: 21_000,
            index_shift: 6,
            multiplier: 25_000,
            shift: 20,
            low: told(-120),
            high: 127,
            input_base: told(-7),
            base: 2,
        };
        let what = format!("{rows}×{tokens}×{words} in {head_words}");
        table.push(what, bench, turn(rows), Task::IntegerAttention(task));
    }
}

fn moves(table: &mut Table) {
    for (rows, places, channels, line) in [
        (1, 1, 1, 1),
        (3, 5, 7, 35),
        (3, 5, 7, 5),
        (2, 64, 1, 64),
        (2, 16, 12, 16),
        (2, 49, 8, 392),
    ] {
        let mut bench = bench(table);
        let lines = places * channels / line;
        let task = IntegerTranspose {
            places,
            channels,
            line,
            input: values(&mut bench, rows * places * channels.div_ceil(4)),
            output: bench.values(rows * lines * line.div_ceil(4)),
        };
        let what = format!("{rows}×{places}×{channels} in lines of {line}");
        table.push(what, bench, turn(rows), Task::IntegerTranspose(task));
        let mut bench = self::bench(table);
        let words = places * channels;
        bench.arenas.data = (0..7 * words)
            .map(|_| f32::from_bits(word(&mut bench)))
            .collect();
        let mut indexed = turn(rows);
        bench.numbers([9, 9]);
        indexed.indices = bench.numbers([6, 0, 3]);
        let task = IntegerGather {
            words,
            output: bench.values(rows * words),
        };
        let what = format!("{rows}×{words}");
        table.push(what, bench, indexed, Task::IntegerGather(task));
    }
}
