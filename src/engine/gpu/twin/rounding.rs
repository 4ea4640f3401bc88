//! What rounding weights and values as they will be stored means: steps and quotients exactly, as f32 and f64 define them,
//! and the product of both with a bound.

use super::measured::Measured;
use super::{Arenas, Expected};
use crate::engine::gpu::kernels::task::{NONE, RoundedValues, RoundedWeights, Turn};
use half::f16;

/// Numbers that share a step whose largest is smaller count as zeros: 2⁻¹⁰⁰.
const LEAST: f32 = f32::from_bits(27 << 23);

pub(super) fn weights(it: &RoundedWeights, before: &Arenas, after: &mut Expected) {
    let inner = it.planes * it.places;
    let at = |output: u32, number: u32| {
        (number % it.places * it.planes + number / it.places) * it.outputs + output
    };
    let read = |at: u32| before.weights[(it.input + at) as usize];
    // Outputs and numbers that share a step.
    let mut sets: Vec<Vec<u32>> = Vec::new();
    for output in 0..it.outputs {
        for first in (0..inner).step_by(it.stretch as usize) {
            let until = (first + it.stretch).min(inner);
            sets.push((first..until).map(|number| at(output, number)).collect());
        }
    }
    if it.kind == 2 {
        sets = vec![sets.concat()];
    }
    for set in sets {
        let largest = set
            .iter()
            .fold(0.0_f32, |most, &at| read(at).abs().max(most));
        let exact = largest / it.top as f32;
        let half = f16::from_f32(exact);
        let step = match it.kind {
            _ if largest < LEAST => 0.0,
            3 if half.to_f32() < exact => f16::from_bits(half.to_bits() + 1).to_f32(),
            3 => half.to_f32(),
            _ => exact,
        };
        for at in set {
            let number = read(at);
            let quotient = (f64::from(number) / f64::from(step)).round_ties_even();
            let top = f64::from(it.top);
            match it.kind {
                0 => {
                    let half = f16::from_f32(number).to_f32();
                    after.arenas.weights[(it.output + at) as usize] = half;
                }
                _ if step == 0.0 => {
                    let zero = 0.0_f32.copysign(number);
                    after.arenas.weights[(it.output + at) as usize] = zero;
                }
                _ => {
                    let steps = Measured::of(quotient.clamp(-top, top), 0.0);
                    after.weight(it.output + at, steps * Measured::exact(step));
                }
            }
        }
    }
}

pub(super) fn values(it: &RoundedValues, turn: &Turn, before: &Arenas, after: &mut Expected) {
    let [low, high] = [it.low, it.high].map(f64::from);
    for index in 0..turn.rows * it.length {
        let place = before.value(it.input + index) * Measured::exact(it.inverse);
        if it.gradient == NONE {
            let steps = place.value.clamp(low, high).round_ties_even();
            let number = Measured::of(steps, 0.0) * Measured::exact(it.step);
            after.value(it.output + index, number);
        } else {
            let is_inside = (low..=high).contains(&place.value);
            let gradient = before.values[(it.gradient + index) as usize];
            let kept = if is_inside { gradient } else { 0.0 };
            after.arenas.values[(it.output + index) as usize] = kept;
        }
    }
}
