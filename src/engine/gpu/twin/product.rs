//! Twins of the convolutions and their gradients; a depthwise one is a convolution with a group for each channel.

use super::measured::{Measured, Sum};
use super::numbers::activated;
use super::{Arenas, Contribution, Expected, part};
use crate::engine::gpu::kernels::task::{
    Forward, InputGradient, NONE, Shape, Turn, WeightGradient,
};

const fn grouped(shape: Shape) -> Shape {
    Shape {
        groups: shape.channels,
        ..shape
    }
}

pub(super) const fn by_channel(task: &Forward) -> Forward {
    Forward {
        shape: grouped(task.shape),
        ..*task
    }
}

pub(super) const fn input_by_channel(task: &InputGradient) -> InputGradient {
    InputGradient {
        shape: grouped(task.shape),
        ..*task
    }
}

pub(super) const fn weight_by_channel(task: &WeightGradient) -> WeightGradient {
    WeightGradient {
        shape: grouped(task.shape),
        ..*task
    }
}

/// One product of a convolution: an input number with a weight, for an output.
struct Term {
    input: u32,
    weight: u32,
    output: u32,
    /// The place of the output in the whole batch.
    place: u32,
}

/// Every product of a convolution over so many images, zeros around an image left out.
fn terms(shape: &Shape, rows: u32, mut each: impl FnMut(Term)) {
    let s = *shape;
    let (planes, channels) = (s.planes / s.groups, s.channels / s.groups);
    for image in 0..rows {
        for place in 0..s.out_height * s.out_width {
            for cell in 0..s.size_y * s.size_x {
                let y = (place / s.out_width * s.stride_y + cell / s.size_x).checked_sub(s.top);
                let x = (place % s.out_width * s.stride_x + cell % s.size_x).checked_sub(s.left);
                let (Some(y), Some(x)) = (y, x) else { continue };
                if y >= s.height || x >= s.width {
                    continue;
                }
                for channel in 0..s.channels {
                    for plane in 0..planes {
                        let from = channel / channels * planes + plane;
                        let place = image * s.out_height * s.out_width + place;
                        each(Term {
                            input: ((image * s.height + y) * s.width + x) * s.planes + from,
                            weight: (cell * planes + plane) * s.channels + channel,
                            output: place * s.channels + channel,
                            place,
                        });
                    }
                }
            }
        }
    }
}

pub(super) fn forward(it: &Forward, turn: &Turn, before: &Arenas, after: &mut Expected) {
    let s = it.shape;
    let mut sums =
        vec![Sum::default(); (turn.rows * s.out_height * s.out_width * s.channels) as usize];
    terms(&s, turn.rows, |term| {
        let weight = it.weight + term.weight;
        let weight = match it.factor < 1.0 {
            true => before.half(weight),
            false => before.weight(weight),
        };
        let product = before.value(it.input + term.input) * weight;
        sums[term.output as usize].add(product);
    });
    for (index, sum) in (0..).zip(sums) {
        let channel = index % s.channels;
        let mut y = sum.end().times_power(it.factor);
        if it.bias != NONE {
            y = y + before.weight(it.bias + channel);
        }
        if it.norm_scale != NONE {
            let variance = before.weight(it.norm_variance + channel) + Measured::exact(it.epsilon);
            let factor = before.weight(it.norm_scale + channel) / variance.sqrt();
            y = (y - before.weight(it.norm_mean + channel)) * factor
                + before.weight(it.norm_shift + channel);
        }
        if it.residual != NONE {
            y = y + before.value(it.residual + index);
        }
        if it.kept != NONE {
            after.value(it.kept + index, y);
        }
        after.value(it.output + index, activated(y, it.activation));
    }
}

pub(super) fn input_gradient(
    it: &InputGradient,
    turn: &Turn,
    before: &Arenas,
    after: &mut Expected,
) {
    let s = it.shape;
    let mut sums = vec![Sum::default(); (turn.rows * s.height * s.width * s.planes) as usize];
    terms(&s, turn.rows, |term| {
        let gradient = before.value(it.gradient + term.output);
        sums[term.input as usize].add(gradient * before.weight(it.weight + term.weight));
    });
    let to = Contribution::new(it.output, it.accumulate, [it.saved, it.activation]);
    for (index, sum) in (0..).zip(sums) {
        after.contributed(before, to, index, sum.end());
    }
}

pub(super) fn weight_gradient(
    it: &WeightGradient,
    turn: &Turn,
    before: &Arenas,
    after: &mut Expected,
) {
    let s = it.shape;
    let places = turn.rows * s.out_height * s.out_width;
    let weights = s.size_y * s.size_x * (s.planes / s.groups) * s.channels;
    let share = places.div_ceil(it.parts).max(1);
    let mut sums = vec![Sum::default(); (it.parts * weights) as usize];
    terms(&s, turn.rows, |term| {
        let at = term.place / share * weights + term.weight;
        sums[at as usize]
            .add(before.value(it.input + term.input) * before.value(it.gradient + term.output));
    });
    for (index, sum) in (0..).zip(sums) {
        let at = it.output + index / weights * it.output_stride + index % weights;
        after.value(at, sum.end());
    }
    if it.bias != NONE {
        for number in 0..it.parts {
            for channel in 0..s.channels {
                let mut sum = Sum::default();
                for place in part(places, it.parts, number) {
                    sum.add(before.value(it.gradient + place * s.channels + channel));
                }
                after.value(it.bias + number * it.bias_stride + channel, sum.end());
            }
        }
    }
}
