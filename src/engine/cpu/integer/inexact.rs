//! What integers can only come near to, layer norms and attention, and the constants of positions: their factors and digits;
//! what is computed with them is the kernels'.

use super::step::{Whole, shift_for};
use crate::quant::Codes;
use assay_kernels::attention::Attention;
use assay_kernels::integer::{
    EPSILON_DIGITS, EXPONENTS, IntegerAttention, LayerNorm, MOST_TOKENS, NARROWEST_NORM,
    NORM_DIGITS, Offsets, WIDEST_NORM,
};

/// Numbers in steps with so many digits behind the point; nothing where one has more than 30 in all.
fn in_steps(numbers: &[f32], step: f32, digits: u32) -> Option<Vec<i32>> {
    let scale = 2f64.powi(digits as i32) / f64::from(step);
    let steps = numbers.iter().map(|&it| (f64::from(it) * scale).round());
    let all: Vec<f64> = steps.collect();
    let fits = all.iter().all(|it| it.abs() < f64::from(1 << 30));
    fits.then(|| all.into_iter().map(|it| it as i32).collect())
}

/// The most digits behind the point of numbers that are added.
const OFFSET_DIGITS: u32 = 22;

/// A layer norm, if its numbers fit.
pub(super) fn norm([scale, shift]: [&[f32]; 2], epsilon: f32, [x, y]: [Codes; 2]) -> Option<Whole> {
    if !(NARROWEST_NORM..=WIDEST_NORM).contains(&scale.len()) {
        return None;
    }
    let most = |numbers: &[f32]| -> f64 {
        let largest = numbers.iter().fold(0.0_f32, |most, it| it.abs().max(most));
        f64::from(largest) / f64::from(y.step)
    };
    // Gains below 2¹⁵ and offsets below 2³⁰.
    let gains = shift_for(most(scale), -(NORM_DIGITS as i32), OFFSET_DIGITS)?;
    let digits = (NORM_DIGITS + 1..=gains).rev();
    let digits = { digits }.find(|&it| most(shift) * 2f64.powi(it as i32) < f64::from(1 << 29))?;
    let epsilon = 4096.0 * f64::from(epsilon) / f64::from(x.step).powi(2);
    let epsilon = (epsilon * f64::from(1 << EPSILON_DIGITS)).round();
    (epsilon < f64::from(1 << 26)).then_some(())?;
    Some(Whole::LayerNorm(LayerNorm {
        gains: (in_steps(scale, y.step, digits - NORM_DIGITS)?.into_iter())
            .map(|it| it as i16)
            .collect(),
        offsets: in_steps(shift, y.step, digits)?,
        epsilon: epsilon as u32,
        shift: digits,
        range: y.range,
    }))
}

/// Constants that are added, if they fit.
pub(super) fn offsets(numbers: &[f32], [x, y]: [Codes; 2]) -> Option<Whole> {
    let factor = f64::from(x.step) / f64::from(y.step);
    let most = shift_for(factor, 0, OFFSET_DIGITS)?;
    let (shift, numbers) = (1..=most)
        .rev()
        .find_map(|shift| Some((shift, in_steps(numbers, y.step, shift)?)))?;
    Some(Whole::Offsets(Offsets {
        multiplier: (factor * 2f64.powi(shift as i32)).round() as i32,
        numbers,
        shift,
        range: y.range,
    }))
}

/// An attention, if its sizes and steps fit.
pub(super) fn attention(shape: Attention, [x, y]: [Codes; 2]) -> Option<Whole> {
    let own = shape.width / shape.heads;
    if shape.tokens > MOST_TOKENS || own > 1 << 13 {
        return None;
    }
    let dyadic = |factor: f64, extra: i32| {
        let shift = shift_for(factor, extra, 30)?;
        let multiplier = (factor * 2f64.powi(extra + shift as i32)).round();
        Some([multiplier as i32, shift as i32])
    };
    let step = f64::from(x.step);
    let index = dyadic(step * step / (own as f64).sqrt() * EXPONENTS as f64, 16)?;
    let output = dyadic(step / f64::from(y.step) / 64.0, 0)?;
    let attention = IntegerAttention::new(shape, index, output, y.range);
    Some(Whole::Attention(Box::new(attention)))
}
