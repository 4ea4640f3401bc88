//! Twins of what is done number by number, and of what only moves numbers.

use super::measured::{Measured, Sum};
use super::{Arenas, Expected, part};
use crate::engine::gpu::kernels::task::{
    Activate, ActivateGradient, Add, Dropout, Gather, NONE, Positions, PositionsGradient,
    Transpose, Turn,
};
use std::f64::consts::{FRAC_1_SQRT_2, PI};

fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

fn normal_pdf(x: f64) -> f64 {
    libm::exp(-0.5 * x * x) / (2.0 * PI).sqrt()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

/// Roundings of the logistic function: an exponential of x, a sum, a quotient.
fn sigmoid_roundings(x: f64) -> f64 {
    (8.0 + 2.0 * x.abs()) * (1.0 - sigmoid(x)) + 4.0
}

/// An activation by its number; steepness and roundings are derived in docs/numerics.md.
pub(super) fn activated(x: Measured, activation: u32) -> Measured {
    let size = x.value.abs();
    match activation {
        0 => x,
        1 => x.through(|x| x.max(0.0), 1.0, 0.0, 0.0),
        2 => x.through(|x| x.clamp(0.0, 6.0), 1.0, 0.0, 0.0),
        3 => x.through(
            |x| x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
            1.5,
            5.0,
            size.max(1.0),
        ),
        4 => {
            let own = size * sigmoid(x.value);
            x.through(|x| x * sigmoid(x), 1.1, sigmoid_roundings(x.value), own)
        }
        5 => x.through(libm::tanh, 1.0, 12.0, libm::tanh(size)),
        _ => x.through(|x| x * normal_cdf(x), 1.13, 12.0, size),
    }
}

/// The slope of an activation by what is saved of it.
pub(super) fn slope(saved: Measured, activation: u32) -> Measured {
    let x = saved.value;
    let step = |inside: bool| Measured::exact(f32::from(u8::from(inside)));
    match activation {
        1 => step(x > 0.0),
        2 => step(x > 0.0 && x < 6.0),
        3 if x > -3.0 && x < 3.0 => Measured::of(x / 3.0 + 0.5, 0.0).through(|y| y, 1.0, 4.0, 1.5),
        3 => step(x > 0.0),
        4 => saved.through(
            |x| sigmoid(x) + x * sigmoid(x) * (1.0 - sigmoid(x)),
            1.0,
            sigmoid_roundings(x) + 8.0,
            sigmoid(x) * (1.0 + x.abs()),
        ),
        5 => saved.through(|y| 1.0 - y * y, 2.0, 3.0, 1.0),
        6 => saved.through(|x| normal_cdf(x) + x * normal_pdf(x), 1.0, 24.0, 1.0),
        _ => Measured::exact(1.0),
    }
}

pub(super) fn gather(it: &Gather, turn: &Turn, before: &Arenas, after: &mut Expected) {
    for row in 0..turn.rows {
        let index = before.numbers[(turn.indices + row) as usize];
        for place in 0..it.places {
            for channel in 0..it.channels {
                let from = (index * it.channels + channel) * it.places + place;
                let to = it.output + (row * it.places + place) * it.channels + channel;
                after.arenas.values[to as usize] = before.data[from as usize];
            }
        }
    }
}

pub(super) fn activation(it: &Activate, turn: &Turn, before: &Arenas, after: &mut Expected) {
    for index in 0..turn.rows * it.length {
        after.value(
            it.output + index,
            activated(before.value(it.input + index), it.activation),
        );
    }
}

pub(super) fn activation_gradient(
    it: &ActivateGradient,
    turn: &Turn,
    before: &Arenas,
    after: &mut Expected,
) {
    for index in 0..turn.rows * it.length {
        let slope = slope(before.value(it.saved + index), it.activation);
        let gradient = before.value(it.gradient + index) * slope;
        after.accumulated(before, it.output + index, it.accumulate, gradient);
    }
}

pub(super) fn add(it: &Add, turn: &Turn, before: &Arenas, after: &mut Expected) {
    for index in 0..turn.rows * it.length {
        let mut sum = before.value(it.left + index);
        if it.right != NONE {
            sum = sum + before.value(it.right + index);
        }
        if it.kept != NONE {
            after.value(it.kept + index, sum);
        }
        after.value(it.output + index, activated(sum, it.activation));
    }
}

pub(super) fn transpose(it: &Transpose, turn: &Turn, before: &Arenas, after: &mut Expected) {
    for row in 0..turn.rows {
        let first = row * it.height * it.width;
        for a in 0..it.height {
            for b in 0..it.width {
                let value = before.value(it.input + first + a * it.width + b);
                after.accumulated(
                    before,
                    it.output + first + b * it.height + a,
                    it.accumulate,
                    value,
                );
            }
        }
    }
}

pub(super) fn positions(it: &Positions, turn: &Turn, before: &Arenas, after: &mut Expected) {
    for index in 0..turn.rows * it.length {
        let sum = before.value(it.input + index) + before.weight(it.positions + index % it.length);
        after.value(it.output + index, sum);
    }
}

pub(super) fn positions_gradient(
    it: &PositionsGradient,
    turn: &Turn,
    before: &Arenas,
    after: &mut Expected,
) {
    for number in 0..it.parts {
        for index in 0..it.length {
            let mut sum = Sum::default();
            for row in part(turn.rows, it.parts, number) {
                sum.add(before.value(it.gradient + row * it.length + index));
            }
            after.value(it.output + number * it.output_stride + index, sum.end());
        }
    }
}

/// By the CPU's random words, so that the mask must be the same bit for bit.
pub(super) fn dropout(it: &Dropout, turn: &Turn, before: &Arenas, after: &mut Expected) {
    for index in 0..turn.rows * it.length {
        let counter = [index / 4, 0, it.node, 0];
        let words = assay_kernels::dropout::philox(counter, [turn.key_low, turn.key_high]);
        let value = match words[(index % 4) as usize] >= it.limit {
            true => before.value(it.input + index) * Measured::exact(it.factor),
            false => Measured::exact(0.0),
        };
        after.accumulated(before, it.output + index, it.accumulate, value);
    }
}
