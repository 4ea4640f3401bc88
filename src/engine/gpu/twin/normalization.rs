//! Twins of batch norm, layer norm and their gradients.

use super::measured::{Measured, Sum};
use super::numbers::activated;
use super::{Arenas, Expected, part};
use crate::engine::gpu::kernels::task::{
    LayerNorm, LayerNormGradient, NONE, NormGradient, NormSums, Normalize, Statistics, Turn,
};

fn sum_of(numbers: impl Iterator<Item = Measured>) -> Measured {
    let mut sum = Sum::default();
    numbers.for_each(|number| sum.add(number));
    sum.end()
}

fn count(number: u32) -> Measured {
    Measured::exact(number as f32)
}

/// The mean of some numbers and the sum of squares around it.
fn moments(numbers: &[Measured]) -> [Measured; 2] {
    let mean = sum_of(numbers.iter().copied()) / count(numbers.len().max(1) as u32);
    let squares = sum_of(
        numbers
            .iter()
            .map(|&number| (number - mean) * (number - mean)),
    );
    [mean, squares]
}

pub(super) fn statistics(it: &Statistics, turn: &Turn, before: &Arenas, after: &mut Expected) {
    for number in 0..it.parts {
        for channel in 0..it.channels {
            let rows = part(turn.rows * it.places, it.parts, number);
            let numbers: Vec<Measured> = rows
                .map(|row| before.value(it.input + row * it.channels + channel))
                .collect();
            for (index, moment) in (0..).zip(moments(&numbers)) {
                after.value(
                    it.output + (number * it.channels + channel) * 2 + index,
                    moment,
                );
            }
        }
    }
}

pub(super) fn normalize(it: &Normalize, turn: &Turn, before: &Arenas, after: &mut Expected) {
    let rows = turn.rows * it.places;
    for channel in 0..it.channels {
        let (mean, variance) = if it.partial == NONE {
            (
                before.weight(it.mean + channel),
                before.weight(it.variance + channel),
            )
        } else {
            let parts: Vec<[Measured; 3]> = (0..it.parts)
                .map(|number| {
                    let at = it.partial + (number * it.channels + channel) * 2;
                    let own = part(rows, it.parts, number).len() as u32;
                    [count(own), before.value(at), before.value(at + 1)]
                })
                .collect();
            let mean = sum_of(parts.iter().map(|&[own, mean, _]| own * mean)) / count(rows);
            let squares = sum_of(parts.iter().flat_map(|&[own, partial, squares]| {
                let off = partial - mean;
                [squares, own * (off * off)]
            }));
            let unbiased = squares / count(rows.max(2) - 1);
            let momentum = Measured::exact(it.momentum);
            let keep = Measured::exact(1.0) - momentum;
            let old = [it.mean, it.variance].map(|at| before.weight(at + channel));
            after.value(it.running + channel, keep * old[0] + momentum * mean);
            let at = it.running + it.running_stride + channel;
            after.value(at, keep * old[1] + momentum * unbiased);
            (mean, squares / count(rows))
        };
        let inverse = Measured::exact(1.0) / (variance + Measured::exact(it.epsilon)).sqrt();
        if it.statistics != NONE {
            after.value(it.statistics + channel, mean);
            after.value(it.statistics + it.channels + channel, inverse);
        }
        for row in 0..rows {
            let index = row * it.channels + channel;
            let normal = (before.value(it.input + index) - mean) * inverse;
            let mut y =
                normal * before.weight(it.scale + channel) + before.weight(it.shift + channel);
            if it.residual != NONE {
                y = y + before.value(it.residual + index);
            }
            if it.kept != NONE {
                after.value(it.kept + index, y);
            }
            after.value(it.output + index, activated(y, it.activation));
        }
    }
}

pub(super) fn sums(it: &NormSums, turn: &Turn, before: &Arenas, after: &mut Expected) {
    for number in 0..it.parts {
        for channel in 0..it.channels {
            let mean = before.value(it.statistics + channel);
            let inverse = before.value(it.statistics + it.channels + channel);
            let mut sums = [Sum::default(); 2];
            for row in part(turn.rows * it.places, it.parts, number) {
                let index = row * it.channels + channel;
                let gradient = before.value(it.gradient + index);
                let normal = (before.value(it.input + index) - mean) * inverse;
                sums[0].add(gradient * normal);
                sums[1].add(gradient);
            }
            for (index, sum) in (0..).zip(sums) {
                after.value(
                    it.output + (number * it.channels + channel) * 2 + index,
                    sum.end(),
                );
            }
        }
    }
}

pub(super) fn gradient(it: &NormGradient, turn: &Turn, before: &Arenas, after: &mut Expected) {
    let rows = turn.rows * it.places;
    for channel in 0..it.channels {
        let [along, sum] = [0, 1].map(|index| {
            let at = |number| it.partial + (number * it.channels + channel) * 2 + index;
            sum_of((0..it.parts).map(|number| before.value(at(number))))
        });
        after.value(it.scale_output + channel, along);
        after.value(it.shift_output + channel, sum);
        if it.output == NONE {
            continue;
        }
        let mean = before.value(it.statistics + channel);
        let inverse = before.value(it.statistics + it.channels + channel);
        let factor = before.weight(it.scale + channel) * inverse;
        for row in 0..rows {
            let index = row * it.channels + channel;
            let normal = (before.value(it.input + index) - mean) * inverse;
            let off = before.value(it.gradient + index)
                - sum / count(rows)
                - normal * (along / count(rows));
            after.accumulated(before, it.output + index, it.accumulate, factor * off);
        }
    }
}

pub(super) fn layer_norm(it: &LayerNorm, turn: &Turn, before: &Arenas, after: &mut Expected) {
    for row in 0..turn.rows * it.places {
        let index = |channel| row * it.channels + channel;
        let numbers: Vec<Measured> = (0..it.channels)
            .map(|channel| before.value(it.input + index(channel)))
            .collect();
        let [mean, squares] = moments(&numbers);
        let variance = squares / count(it.channels);
        let inverse = Measured::exact(1.0) / (variance + Measured::exact(it.epsilon)).sqrt();
        for (channel, &number) in (0..).zip(&numbers) {
            let normal = (number - mean) * inverse;
            let y = normal * before.weight(it.scale + channel) + before.weight(it.shift + channel);
            after.value(it.output + index(channel), y);
        }
        if it.statistics != NONE {
            after.value(it.statistics + 2 * row, mean);
            after.value(it.statistics + 2 * row + 1, inverse);
        }
    }
}

pub(super) fn layer_norm_gradient(
    it: &LayerNormGradient,
    turn: &Turn,
    before: &Arenas,
    after: &mut Expected,
) {
    let width = count(it.channels);
    for number in 0..it.parts {
        let mut own = vec![[Sum::default(); 2]; it.channels as usize];
        for row in part(turn.rows * it.places, it.parts, number) {
            let mean = before.value(it.statistics + 2 * row);
            let inverse = before.value(it.statistics + 2 * row + 1);
            let numbers: Vec<[Measured; 3]> = (0..it.channels)
                .map(|channel| {
                    let index = row * it.channels + channel;
                    let dy = before.value(it.gradient + index);
                    let normal = (before.value(it.input + index) - mean) * inverse;
                    [dy, dy * before.weight(it.scale + channel), normal]
                })
                .collect();
            let sum = sum_of(numbers.iter().map(|&[_, slanted, _]| slanted)) / width;
            let along =
                sum_of(numbers.iter().map(|&[_, slanted, normal]| slanted * normal)) / width;
            for (channel, &[dy, slanted, normal]) in (0..).zip(&numbers) {
                let [scale, shift] = &mut own[channel as usize];
                scale.add(dy * normal);
                shift.add(dy);
                if it.output != NONE {
                    let dx = inverse * (slanted - sum - normal * along);
                    after.accumulated(
                        before,
                        it.output + row * it.channels + channel,
                        it.accumulate,
                        dx,
                    );
                }
            }
        }
        for (channel, [scale, shift]) in (0..).zip(own) {
            let at = number * it.output_stride + channel;
            after.value(it.scale_output + at, scale.end());
            after.value(it.shift_output + at, shift.end());
        }
    }
}
