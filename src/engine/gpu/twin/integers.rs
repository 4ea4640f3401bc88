//! What the integer kernels mean: plain loops over numbers of 8 bits in 64, of which nothing is rounded; no tolerance.

use super::{Arenas, Expected};
use crate::engine::gpu::kernels::task::{
    IntegerAttention, IntegerGather, IntegerMap, IntegerNorm, IntegerPool, IntegerProduct,
    IntegerTranspose, NONE, Turn,
};

/// A word's number.
fn byte(word: f32, lane: u32) -> i64 {
    i64::from((word.to_bits() >> (8 * lane)) as u8 as i8)
}

/// Four numbers as a word.
fn word(numbers: [i64; 4]) -> f32 {
    f32::from_bits(u32::from_le_bytes(numbers.map(|it| it as u8)))
}

/// A word of the task as the number with a sign that it is.
fn signed(word: u32) -> i64 {
    i64::from(word.cast_signed())
}

/// The nearest whole number of `number / 2^shift`, halves up.
fn shifted(number: i64, shift: u32) -> i64 {
    (number + (1_i64 << shift) / 2) >> shift
}

pub(super) fn gather(it: &IntegerGather, turn: &Turn, before: &Arenas, after: &mut Expected) {
    for row in 0..turn.rows {
        let from = before.numbers[(turn.indices + row) as usize] * it.words;
        for word in 0..it.words {
            after.arenas.values[(it.output + row * it.words + word) as usize] =
                before.data[(from + word) as usize];
        }
    }
}

pub(super) fn product(it: &IntegerProduct, turn: &Turn, before: &Arenas, after: &mut Expected) {
    let s = &it.shape;
    let (in_words, out_words) = (s.planes.div_ceil(4), s.channels.div_ceil(4));
    let out_places = s.out_height * s.out_width;
    let weight = |at: u32| before.weights[at as usize];
    // The weight of a term: the cell of the kernel and the plane within the group.
    let of_term = |cell: u32, plane: u32, channel: u32| {
        let (quad, lane) = (channel / 4, channel % 4);
        if it.depthwise != 0 {
            let at = 4 * (it.weight + cell * out_words + quad) + lane;
            return i64::from(weight(at).to_bits().cast_signed());
        }
        let of_group = in_words / s.groups;
        let term = cell * of_group + plane / 4;
        byte(
            weight(4 * (it.weight + term * out_words + quad) + lane),
            plane % 4,
        )
    };
    for row in 0..turn.rows {
        for place in 0..out_places {
            let (y, x) = (place / s.out_width, place % s.out_width);
            let result = |channel: u32| -> i64 {
                let group = channel / s.channels.div_ceil(s.groups);
                let planes = s.planes / s.groups;
                let constant = |quad: u32| {
                    let at = 4 * (it.constants + quad + channel / 4) + channel % 4;
                    i64::from(weight(at).to_bits().cast_signed())
                };
                let mut sum = constant(0);
                for cell in 0..s.size_y * s.size_x {
                    let row_y = (y * s.stride_y + cell / s.size_x).wrapping_sub(s.top);
                    let row_x = (x * s.stride_x + cell % s.size_x).wrapping_sub(s.left);
                    for plane in 0..planes {
                        let number = if row_y < s.height && row_x < s.width {
                            let at = (row * s.height + row_y) * s.width + row_x;
                            let plane = group * planes + plane;
                            let at = it.input + at * in_words + plane / 4;
                            byte(before.values[at as usize], plane % 4)
                        } else {
                            i64::from(it.fill as u8 as i8)
                        };
                        sum += number * of_term(cell, plane, channel);
                    }
                }
                if it.raw != 0 {
                    return sum;
                }
                let mut scaled = (sum * constant(out_words)) >> 16;
                if it.residual != NONE {
                    let at = it.residual + (row * out_places + place) * out_words + channel / 4;
                    let number =
                        byte(before.values[at as usize], channel % 4) + signed(it.residual_base);
                    scaled += shifted(number * signed(it.residual_multiplier), it.residual_shift);
                }
                shifted(scaled, it.shift).clamp(signed(it.low), signed(it.high)) - signed(it.base)
            };
            let at = row * out_places + place;
            if it.raw != 0 {
                for channel in 0..s.channels {
                    after.arenas.values[(it.output + at * s.channels + channel) as usize] =
                        f32::from_bits((result(channel) as i32).cast_unsigned());
                }
                continue;
            }
            for quad in 0..out_words {
                let numbers = [0, 1, 2, 3].map(|lane| 4 * quad + lane).map(|channel| {
                    if channel < s.channels {
                        result(channel)
                    } else {
                        // Its weights and constants are 0.
                        let mut rest = 0;
                        if it.residual != NONE {
                            let at = it.residual + at * out_words + quad;
                            let number = byte(before.values[at as usize], channel % 4)
                                + signed(it.residual_base);
                            rest =
                                shifted(number * signed(it.residual_multiplier), it.residual_shift);
                        }
                        shifted(rest, it.shift).clamp(signed(it.low), signed(it.high))
                            - signed(it.base)
                    }
                });
                after.arenas.values[(it.output + at * out_words + quad) as usize] = word(numbers);
            }
        }
    }
}

pub(super) fn pool(it: &IntegerPool, turn: &Turn, before: &Arenas, after: &mut Expected) {
    let w = &it.window;
    let words = w.channels.div_ceil(4);
    for row in 0..turn.rows {
        for place in 0..w.out_height * w.out_width {
            let (y, x) = (place / w.out_width, place % w.out_width);
            for quad in 0..words {
                let numbers = [0, 1, 2, 3].map(|lane| {
                    let mut cells = Vec::new();
                    for cell in 0..w.size_y * w.size_x {
                        let from_y = (y * w.stride_y + cell / w.size_x).wrapping_sub(w.top);
                        let from_x = (x * w.stride_x + cell % w.size_x).wrapping_sub(w.left);
                        if from_y < w.height && from_x < w.width {
                            let at = (row * w.height + from_y) * w.width + from_x;
                            cells.push(byte(
                                before.values[(it.input + at * words + quad) as usize],
                                lane,
                            ));
                        }
                    }
                    if it.multipliers == NONE {
                        return cells.into_iter().max().unwrap_or(-128);
                    }
                    let sum: i64 = cells.iter().map(|it_| it_ + signed(it.input_base)).sum();
                    let at = it.multipliers as usize + cells.len();
                    let multiplier = signed(before.weights[at].to_bits());
                    let scaled = (sum * 256 * multiplier) >> 16;
                    shifted(scaled, it.shift).clamp(signed(it.low), signed(it.high))
                        - signed(it.base)
                });
                let at = (row * w.out_height * w.out_width + place) * words + quad;
                after.arenas.values[(it.output + at) as usize] = word(numbers);
            }
        }
    }
}

pub(super) fn map(it: &IntegerMap, turn: &Turn, before: &Arenas, after: &mut Expected) {
    for index in 0..turn.rows * it.words {
        let at = |place: u32, lane| byte(before.values[(place + index) as usize], lane);
        let numbers = [0, 1, 2, 3].map(|lane| {
            let left = at(it.left, lane);
            if it.table != NONE {
                let entry = i64::from(it.table) + left + 128;
                return signed(before.weights[entry as usize].to_bits());
            }
            let mut sum = (left + signed(it.left_base)) * signed(it.left_multiplier);
            if it.right != NONE {
                sum += (at(it.right, lane) + signed(it.right_base)) * signed(it.right_multiplier);
            }
            if it.numbers != NONE {
                let place = it.numbers + index % it.words * 4 + lane;
                sum += signed(before.weights[place as usize].to_bits());
            }
            shifted(sum, it.shift).clamp(signed(it.low), signed(it.high)) - signed(it.base)
        });
        after.arenas.values[(it.output + index) as usize] = word(numbers);
    }
}

/// The kernel of the CPU engine says what is meant; here it is in 64 bits throughout.
pub(super) fn norm(it: &IntegerNorm, turn: &Turn, before: &Arenas, after: &mut Expected) {
    let words = it.channels.div_ceil(4);
    let width = i64::from(it.channels);
    let told = |at: u32| signed(before.weights[(it.numbers + at) as usize].to_bits());
    for place in 0..turn.rows * it.places {
        let numbers: Vec<i64> = (0..it.channels)
            .map(|channel| {
                let at = it.input + place * words + channel / 4;
                byte(before.values[at as usize], channel % 4) + signed(it.input_base)
            })
            .collect();
        let mean = (64 * numbers.iter().sum::<i64>() + width / 2).div_euclid(width);
        let squares: i64 = numbers.iter().map(|it| (64 * it - mean).pow(2)).sum();
        // As many digits behind the point as keep both parts within 31 bits, an even number.
        let fits = |digits: i32| {
            let scaled = |number: i64, digits: i32| number as f64 * 2f64.powi(digits);
            scaled(squares, digits) < 2f64.powi(31)
                && (it.epsilon == 0 || scaled(it.epsilon.into(), digits - 6) < 2f64.powi(30))
        };
        let digits = (-16..=30).rev().find(|&digits| fits(digits)).unwrap_or(-16) & !1;
        let scaled = |number: i64, digits: i32| {
            if digits >= 0 {
                number << digits
            } else {
                number >> -digits
            }
        };
        let variance =
            (scaled(squares, digits) / width + scaled(it.epsilon.into(), digits - 6)).max(1);
        let mut more = 0;
        while (variance << (more + 2)) < 1 << 30 {
            more += 2;
        }
        let root = (variance << more).isqrt();
        let factor = ((1 << 29) / root).min(32_767);
        let shift = (18 - (digits + more) / 2).max(1) as u32;
        for quad in 0..words {
            let numbers = [0, 1, 2, 3].map(|lane| {
                let channel = 4 * quad + lane;
                let Some(number) = numbers.get(channel as usize) else {
                    return 0;
                };
                let normal = shifted((64 * number - mean) * factor, shift).clamp(-32_768, 32_767);
                let sum = normal * told(channel) + told(it.channels + channel);
                shifted(sum, it.shift).clamp(signed(it.low), signed(it.high)) - signed(it.base)
            });
            let at = it.output + place * words + quad;
            after.arenas.values[at as usize] = word(numbers);
        }
    }
}

pub(super) fn attention(it: &IntegerAttention, turn: &Turn, before: &Arenas, after: &mut Expected) {
    let width = 4 * it.words;
    for row in 0..turn.rows {
        let number = |token: u32, part: u32, channel: u32| {
            let at = (row * it.tokens + token) * 3 * it.words + part * it.words + channel / 4;
            byte(before.values[(it.input + at) as usize], channel % 4) + signed(it.input_base)
        };
        for query in 0..it.tokens {
            let result = |channel: u32| {
                let head = channel / (4 * it.head_words) * 4 * it.head_words;
                let scores: Vec<i64> = (0..it.tokens)
                    .map(|key| {
                        (head..head + 4 * it.head_words)
                            .map(|at| number(query, 0, at) * number(key, 1, at))
                            .sum()
                    })
                    .collect();
                let largest = scores.iter().copied().max().unwrap_or(0);
                let powers = scores.iter().map(|score| {
                    let scaled = ((largest - score) * signed(it.index_multiplier)) >> 16;
                    let place = shifted(scaled, it.index_shift).min(1023);
                    signed(before.weights[it.table as usize + place as usize].to_bits())
                });
                let powers: Vec<i64> = powers.collect();
                let all: i64 = powers.iter().sum();
                let sum: i64 = (0..)
                    .zip(&powers)
                    .map(|(key, power)| power * number(key, 2, channel))
                    .sum();
                let up = (all as u32).leading_zeros() - 1;
                let inverse = ((1 << 29) / ((all << up) >> 16)).min(32_767);
                let mean = ((sum * inverse) >> 16) >> (23 - up);
                shifted(mean * signed(it.multiplier), it.shift)
                    .clamp(signed(it.low), signed(it.high))
                    - signed(it.base)
            };
            for quad in 0..width / 4 {
                let at = it.output + (row * it.tokens + query) * it.words + quad;
                after.arenas.values[at as usize] =
                    word([0, 1, 2, 3].map(|lane| result(4 * quad + lane)));
            }
        }
    }
}

pub(super) fn transpose(it: &IntegerTranspose, turn: &Turn, before: &Arenas, after: &mut Expected) {
    let (in_words, out_words) = (it.channels.div_ceil(4), it.line.div_ceil(4));
    let lines = it.places * it.channels / it.line;
    for row in 0..turn.rows {
        for line in 0..lines {
            for quad in 0..out_words {
                let numbers = [0, 1, 2, 3].map(|lane| {
                    let column = 4 * quad + lane;
                    if column >= it.line {
                        return 0;
                    }
                    let (channel, place) = {
                        let number = line * it.line + column;
                        (number / it.places, number % it.places)
                    };
                    let at = it.input + (row * it.places + place) * in_words + channel / 4;
                    byte(before.values[at as usize], channel % 4)
                });
                let at = (row * lines + line) * out_words + quad;
                after.arenas.values[(it.output + at) as usize] = word(numbers);
            }
        }
    }
}
