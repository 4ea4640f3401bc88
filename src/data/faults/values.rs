//! Faults that change the values of rows; which rows, and faults of labels and rows, are decided beside it.

use super::{Fault, Faulty, Values};
use crate::rng::Stream;

/// Changes the touched rows.
pub(super) fn change(faulty: &mut Faulty, fault: Fault, random: &mut Stream) {
    let data = &mut faulty.data;
    let (len, width) = (data.row_len(), data.width as usize);
    if fault == Fault::Missing {
        as_reals(&mut data.values);
    }
    let range = match &data.values {
        Values::Bytes { max, .. } => f32::from(*max),
        Values::Reals(values) => spread(values),
    };
    for row in &faulty.touched {
        let places = *row as usize * len..(*row as usize + 1) * len;
        let before: Vec<f32> = places.clone().map(|place| data.values.at(place)).collect();
        let after = changed(&before, fault, range, width, random);
        match &mut data.values {
            // A cast from f32 saturates.
            Values::Bytes { max, values } => {
                for (value, after) in values[places].iter_mut().zip(after) {
                    *value = ((after + 0.5) as u8).min(*max);
                }
            }
            Values::Reals(values) => values[places].copy_from_slice(&after),
        }
    }
}

fn changed(
    before: &[f32],
    fault: Fault,
    range: f32,
    width: usize,
    random: &mut Stream,
) -> Vec<f32> {
    let mut after = before.to_vec();
    match fault {
        Fault::Missing => {
            let count = (before.len() / 8).max(1);
            for _ in 0..count {
                after[random.below(before.len() as u32) as usize] = f32::NAN;
            }
        }
        Fault::WrongScale => {
            let factor = range.max(255.0);
            after.iter_mut().for_each(|value| *value /= factor);
        }
        Fault::Noise => {
            for value in &mut after {
                *value += 0.5 * range * random.normal();
            }
        }
        Fault::Blur => {
            for _ in 0..8 {
                blur(&mut after, width);
            }
        }
        Fault::Drift => after.iter_mut().for_each(|value| *value += 0.3 * range),
        Fault::StuckSensor => {
            let from = random.below((before.len() / 2).max(1) as u32) as usize;
            let value = after[from];
            after[from..].fill(value);
        }
        _ => {}
    }
    after
}

/// Every number becomes the mean of itself and its neighbours in its line and, in an image, in its column.
fn blur(values: &mut [f32], width: usize) {
    for step in [1, width] {
        let before = values.to_vec();
        for (place, value) in values.iter_mut().enumerate() {
            let other = |at: Option<usize>| at.and_then(|at| before.get(at)).copied();
            let same_line = |at: usize| step > 1 || at / width == place / width;
            let low = place.checked_sub(step).filter(|at| same_line(*at));
            let high = Some(place + step).filter(|at| same_line(*at));
            let (low, high) = (other(low), other(high));
            *value = (before[place] + low.unwrap_or(before[place]) + high.unwrap_or(before[place]))
                / 3.0;
        }
        if width >= before.len() {
            break;
        }
    }
}

fn as_reals(values: &mut Values) {
    if let Values::Bytes { values: bytes, .. } = values {
        *values = Values::Reals(bytes.iter().map(|byte| f32::from(*byte)).collect());
    }
}

/// Largest less smallest finite number.
fn spread(values: &[f32]) -> f32 {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let low = finite().fold(f32::INFINITY, f32::min);
    (finite().fold(f32::NEG_INFINITY, f32::max) - low).max(f32::MIN_POSITIVE)
}
