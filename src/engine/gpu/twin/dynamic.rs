//! What the kernels of rows with a step of their own mean: codes exactly, by f32 arithmetic as it is defined; the sums of
//! products exactly, and what becomes of them with a bound.

use super::integers::{byte, word};
use super::measured::Measured;
use super::numbers::activated;
use super::{Arenas, Expected};
use crate::engine::gpu::kernels::task::{DynamicCodes, DynamicProduct, NONE, Turn};

/// Rows whose largest number is smaller count as zeros: 2⁻¹⁰⁰.
const LEAST: f32 = f32::from_bits(27 << 23);

pub(super) fn codes(it: &DynamicCodes, turn: &Turn, before: &Arenas, after: &mut Expected) {
    let length = it.places * it.channels;
    let line = it.channels.div_ceil(4);
    for row in 0..turn.rows {
        let begin = it.input + row * length;
        let numbers = &before.values[begin as usize..][..length as usize];
        let most = numbers.iter().fold(0.0_f32, |most, it| it.abs().max(most));
        let step = if most < LEAST { 0.0 } else { most / 127.0 };
        let inverse = if step > 0.0 { 1.0 / step } else { 0.0 };
        after.arenas.values[(it.steps + row) as usize] = step;
        for place in 0..it.places {
            for quad in 0..line {
                let codes = [0, 1, 2, 3].map(|lane| {
                    let channel = 4 * quad + lane;
                    if channel >= it.channels {
                        return 0;
                    }
                    let x = numbers[(place * it.channels + channel) as usize];
                    (x * inverse).clamp(-127.0, 127.0).round_ties_even() as i64
                });
                let at = it.output + (row * it.places + place) * line + quad;
                after.arenas.values[at as usize] = word(codes);
            }
        }
    }
}

pub(super) fn product(it: &DynamicProduct, turn: &Turn, before: &Arenas, after: &mut Expected) {
    let s = &it.shape;
    let (in_words, out_words) = (s.planes.div_ceil(4), s.channels.div_ceil(4));
    let (planes, channels) = (s.planes / s.groups, s.channels / s.groups);
    let weight = |cell: u32, plane: u32, channel: u32| {
        let (quad, lane) = (channel / 4, channel % 4);
        if it.depthwise != 0 {
            let at = 4 * (it.weight + cell * out_words + quad) + lane;
            return i64::from(before.weights[at as usize].to_bits().cast_signed());
        }
        let term = cell * (in_words / s.groups) + plane / 4;
        let at = 4 * (it.weight + term * out_words + quad) + lane;
        byte(before.weights[at as usize], plane % 4)
    };
    for row in 0..turn.rows {
        for place in 0..s.out_height * s.out_width {
            let (y, x) = (place / s.out_width, place % s.out_width);
            for channel in 0..s.channels {
                let mut sum = 0;
                for cell in 0..s.size_y * s.size_x {
                    let from_y = (y * s.stride_y + cell / s.size_x).wrapping_sub(s.top);
                    let from_x = (x * s.stride_x + cell % s.size_x).wrapping_sub(s.left);
                    if from_y >= s.height || from_x >= s.width {
                        continue;
                    }
                    for plane in 0..planes {
                        let from = channel / channels * planes + plane;
                        let at = (row * s.height + from_y) * s.width + from_x;
                        let number = before.values[(it.input + at * in_words + from / 4) as usize];
                        sum += byte(number, from % 4) * weight(cell, plane, channel);
                    }
                }
                let constant = |first: u32| before.weight(4 * (it.constants + first) + channel);
                let step = before.value(it.steps + row) * constant(0);
                let sum = Measured::of(sum as f64, 0.0).rounded(1.0);
                let mut number = sum * step + constant(out_words);
                let at = (row * s.out_height * s.out_width + place) * s.channels + channel;
                if it.residual != NONE {
                    number = number + before.value(it.residual + at);
                }
                after.value(it.output + at, activated(number, it.activation));
            }
        }
    }
}
