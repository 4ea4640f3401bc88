//! A tensor's numbers as bytes under a scheme and back; which scheme a tensor may take is not its business.
//!
//! Steps and groups are defined in `docs/numerics.md`. Quotients are taken in f64, so that a number halfway between two
//! steps in f32 is rounded as if exactly, ties to even.

use super::ggml;
use super::scheme::{BLOCK, Extent, Scheme};
use crate::error::{Error, Result};
use half::f16;

/// Numbers of a group at most.
const GROUP: usize = BLOCK as usize;

/// The bytes of a tensor, little endian. Numbers beyond what a scheme can hold come back as not finite.
///
/// # Errors
/// [`Error::Engine`] where candle refuses.
pub(crate) fn encoded(values: &[f32], extent: Extent, scheme: Scheme) -> Result<Vec<u8>> {
    let inner = (extent.inner as usize).max(1);
    let outputs = values.chunks_exact(inner);
    Ok(match scheme {
        Scheme::F32 => values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect(),
        Scheme::F16 => (values.iter())
            .flat_map(|&value| f16::from_f32(value).to_le_bytes())
            .collect(),
        Scheme::Int8WeightsTensor => integers(values),
        Scheme::Int8Weights | Scheme::Int8 | Scheme::Int8Dynamic => {
            outputs.flat_map(integers).collect()
        }
        Scheme::Int4 => groups(outputs, symmetric),
        Scheme::Int4Asymmetric => groups(outputs, asymmetric),
        Scheme::Ternary => groups(outputs, ternary),
        _ => ggml::encoded(&filled_up(outputs, inner, scheme), scheme)?,
    })
}

/// The numbers of a tensor's bytes.
///
/// # Errors
/// [`Error::BadInput`] where the bytes are not as many as the scheme says; [`Error::Engine`] where candle refuses.
pub(crate) fn decoded(bytes: &[u8], extent: Extent, scheme: Scheme) -> Result<Vec<f32>> {
    let wanted = scheme.bytes(extent);
    if bytes.len() as u64 != wanted {
        return Err(Error::bad_input(
            format!("a tensor stored as {}", scheme.name()),
            format!("{wanted} bytes"),
            bytes.len().to_string(),
        ));
    }
    let (count, inner) = (extent.outputs * extent.inner, extent.inner as usize);
    let mut values = Vec::with_capacity(count as usize);
    match scheme {
        Scheme::F32 => values.extend(bytes.as_chunks().0.iter().map(|&it| f32::from_le_bytes(it))),
        Scheme::F16 => values.extend(bytes.chunks_exact(2).map(half)),
        Scheme::Int8WeightsTensor => from_integers(bytes, &mut values),
        Scheme::Int8Weights | Scheme::Int8 | Scheme::Int8Dynamic => {
            (bytes.chunks_exact(4 + inner)).for_each(|bytes| from_integers(bytes, &mut values));
        }
        Scheme::Int4 | Scheme::Int4Asymmetric | Scheme::Ternary => {
            let mut rest = bytes;
            for _ in 0..extent.outputs {
                for first in (0..inner).step_by(GROUP) {
                    let numbers = GROUP.min(inner - first);
                    let whole = Extent {
                        outputs: 1,
                        inner: numbers as u64,
                    };
                    let (group, after) = rest.split_at(scheme.bytes(whole) as usize);
                    from_group(group, numbers, scheme, &mut values);
                    rest = after;
                }
            }
        }
        _ => {
            let (block, _) = scheme.block().unwrap_or((1, 1));
            let row = extent.inner.div_ceil(block) * block;
            let all = ggml::decoded(bytes, (extent.outputs * row) as usize, scheme)?;
            for row in all.chunks_exact(row as usize) {
                values.extend_from_slice(&row[..inner]);
            }
        }
    }
    Ok(values)
}

/// Each output's weights, filled up with zeros to whole blocks.
fn filled_up<'a>(
    outputs: impl Iterator<Item = &'a [f32]>,
    inner: usize,
    scheme: Scheme,
) -> Vec<f32> {
    let (block, _) = scheme.block().unwrap_or((1, 1));
    let row = inner.next_multiple_of(block as usize);
    let mut all = Vec::new();
    for output in outputs {
        all.extend_from_slice(output);
        all.resize(all.len() + row - inner, 0.0);
    }
    all
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |most, value| value.abs().max(most))
}

/// The nearest whole number of steps, ties to even.
fn steps(value: f32, step: f32) -> f64 {
    (f64::from(value) / f64::from(step)).round_ties_even()
}

/// The step of a symmetric range of integers up to `top`: never so small that it would lose digits.
pub(crate) fn symmetric_step(largest: f32, top: f32) -> f32 {
    if largest == 0.0 {
        0.0
    } else {
        (largest / top).max(f32::MIN_POSITIVE)
    }
}

/// The integer of a number in steps, 0 where the step is 0.
pub(crate) fn integer(value: f32, step: f32, top: i32) -> i32 {
    if step == 0.0 {
        return 0;
    }
    (steps(value, step) as i32).clamp(-top, top)
}

/// A scale of four bytes and one byte for each number.
fn integers(values: &[f32]) -> Vec<u8> {
    let finite = values.iter().all(|value| value.is_finite());
    let step = if finite {
        symmetric_step(largest(values), 127.0)
    } else {
        f32::NAN
    };
    of_step(values, step)
}

/// The same with a step from elsewhere.
pub(super) fn of_step(values: &[f32], step: f32) -> Vec<u8> {
    let mut bytes = step.to_le_bytes().to_vec();
    bytes.extend(
        values
            .iter()
            .map(|&value| integer(value, step, 127) as i8 as u8),
    );
    bytes
}

fn from_integers(bytes: &[u8], values: &mut Vec<f32>) {
    if let Some((&step, integers)) = bytes.split_first_chunk() {
        let step = f32::from_le_bytes(step);
        values.extend(integers.iter().map(|&byte| f32::from(byte as i8) * step));
    }
}

/// Every group of every output.
fn groups<'a>(
    outputs: impl Iterator<Item = &'a [f32]>,
    group: fn(&[f32], &mut Vec<u8>),
) -> Vec<u8> {
    let mut bytes = Vec::new();
    for values in outputs.flat_map(|output| output.chunks(GROUP)) {
        if values.iter().all(|value| value.is_finite()) {
            group(values, &mut bytes);
        } else {
            // A scale that is not finite makes the group so.
            let from = bytes.len();
            group(&vec![0.0; values.len()], &mut bytes);
            bytes[from..from + 2].copy_from_slice(&f16::NAN.to_le_bytes());
        }
    }
    bytes
}

/// The smallest f16 that is not below a number of at least 0.
fn not_below(value: f32) -> f16 {
    let nearest = f16::from_f32(value);
    if nearest.to_f32() < value {
        f16::from_bits(nearest.to_bits() + 1)
    } else {
        nearest
    }
}

/// The largest f16 that is not above a number.
fn not_above(value: f32) -> f16 {
    if value < 0.0 {
        -not_below(-value)
    } else {
        let nearest = f16::from_f32(value);
        if nearest.to_f32() > value {
            f16::from_bits(nearest.to_bits() - 1)
        } else {
            nearest
        }
    }
}

/// Scale, then two numbers a byte, the first in the low half, each 8 above its integer.
fn symmetric(values: &[f32], bytes: &mut Vec<u8>) {
    let step = not_below(largest(values) / 7.0);
    bytes.extend(step.to_le_bytes());
    let step = step.to_f32();
    let at = |value: f32| (integer(value, step, 7) + 8) as u8;
    bytes.extend(
        values
            .chunks(2)
            .map(|two| at(two[0]) | at(two.get(1).copied().unwrap_or(0.0)) << 4),
    );
}

/// Scale, smallest number, then two numbers a byte.
fn asymmetric(values: &[f32], bytes: &mut Vec<u8>) {
    let smallest = not_above(values.iter().copied().fold(f32::INFINITY, f32::min));
    let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    // In f64 and then up, so that fifteen steps reach the largest number.
    let span = (f64::from(most) - f64::from(smallest.to_f32())) / 15.0;
    let above = span as f32;
    let step = not_below(if f64::from(above) < span {
        above.next_up()
    } else {
        above
    });
    bytes.extend(step.to_le_bytes());
    bytes.extend(smallest.to_le_bytes());
    let (step, smallest) = (f64::from(step.to_f32()), f64::from(smallest.to_f32()));
    let at = |value: f32| {
        if step == 0.0 {
            return 0;
        }
        let steps = ((f64::from(value) - smallest) / step).round_ties_even();
        (steps as i32).clamp(0, 15) as u8
    };
    bytes.extend(
        values
            .chunks(2)
            .map(|two| at(two[0]) | two.get(1).map_or(0, |&value| at(value)) << 4),
    );
}

/// The number `a` of `{−a, 0, a}` with the smallest squared error, then four numbers a byte: 0, 1 for `a`, 2 for `−a`.
///
/// If the `k` largest are kept, `a` is their mean and the error falls by `(sum of them)² / k` (F. Li, B. Zhang and B. Liu,
/// "Ternary weight networks", 2016, arXiv 1605.04711, section 2.2); every `k` is tried.
fn ternary(values: &[f32], bytes: &mut Vec<u8>) {
    let mut sizes: Vec<f64> = values.iter().map(|&value| f64::from(value.abs())).collect();
    crate::stats::sort(&mut sizes);
    sizes.reverse();
    let (mut best, mut mean, mut sum) = (0.0, 0.0, 0.0);
    for (index, size) in sizes.iter().enumerate() {
        sum += size;
        let count = (index + 1) as f64;
        if sum * sum / count > best {
            (best, mean) = (sum * sum / count, sum / count);
        }
    }
    let number = f16::from_f64(mean);
    bytes.extend(number.to_le_bytes());
    let half = number.to_f64() / 2.0;
    let at = |value: f32| match f64::from(value) {
        value if value > half => 1,
        value if value < -half => 2,
        _ => 0_u8,
    };
    bytes.extend(values.chunks(4).map(|four| {
        (four.iter().enumerate()).fold(0, |byte, (index, &value)| byte | at(value) << (2 * index))
    }));
}

fn half(bytes: &[u8]) -> f32 {
    f16::from_le_bytes([bytes[0], bytes[1]]).to_f32()
}

fn from_group(bytes: &[u8], numbers: usize, scheme: Scheme, values: &mut Vec<f32>) {
    let scale = half(bytes);
    let nibble = |bytes: &[u8], index: usize| f32::from(bytes[index / 2] >> (4 * (index % 2)) & 15);
    values.extend((0..numbers).map(|index| match scheme {
        Scheme::Int4 => (nibble(&bytes[2..], index) - 8.0) * scale,
        Scheme::Int4Asymmetric => nibble(&bytes[4..], index) * scale + half(&bytes[2..]),
        _ => match bytes[2 + index / 4] >> (2 * (index % 4)) & 3 {
            1 => scale,
            2 => -scale,
            _ => 0.0 * scale,
        },
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OURS: [Scheme; 5] = [
        Scheme::Int8Weights,
        Scheme::Int8WeightsTensor,
        Scheme::Int4,
        Scheme::Int4Asymmetric,
        Scheme::Ternary,
    ];

    fn extent(outputs: usize, inner: usize) -> Extent {
        Extent {
            outputs: outputs as u64,
            inner: inner as u64,
        }
    }

    fn there_and_back(values: &[f32], inner: usize, scheme: Scheme) -> Vec<f32> {
        let extent = extent(values.len() / inner, inner);
        let bytes = encoded(values, extent, scheme).expect("encodes");
        assert_eq!(bytes.len() as u64, scheme.bytes(extent), "{scheme:?}");
        decoded(&bytes, extent, scheme).expect("decodes")
    }

    /// The numbers that share a step, each with what came back.
    fn shared<'a>(
        values: &'a [f32],
        back: &'a [f32],
        inner: usize,
        scheme: Scheme,
    ) -> Vec<(&'a [f32], &'a [f32])> {
        let whole = scheme == Scheme::Int8WeightsTensor;
        let row = if whole { values.len() } else { inner };
        let group = match scheme {
            Scheme::Int8Weights | Scheme::Int8WeightsTensor => row,
            _ => GROUP,
        };
        let parts = |all: &'a [f32]| all.chunks(row).flat_map(move |row| row.chunks(group));
        parts(values).zip(parts(back)).collect()
    }

    /// How far numbers may be from what came back, as `docs/numerics.md` derives it.
    fn bounds(values: &[f32], back: &[f32], inner: usize, scheme: Scheme) -> Vec<f64> {
        let ceiled = |x: f64| x + (x * 2f64.powi(-10)).max(2f64.powi(-24));
        let mut bounds = Vec::new();
        for (group, came) in shared(values, back, inner, scheme) {
            let most = f64::from(largest(group));
            let kept = f64::from(largest(came));
            let ends =
                |f: fn(f32, f32) -> f32, from| f64::from(group.iter().copied().fold(from, f));
            let (low, high) = (
                ends(f32::min, f32::INFINITY),
                ends(f32::max, f32::NEG_INFINITY),
            );
            let half = match scheme {
                Scheme::Int4 => ceiled(most / 7.0) / 2.0,
                Scheme::Int4Asymmetric => {
                    let span = high - low + ceiled(low.abs()) - low.abs();
                    ceiled(span / 15.0) / 2.0
                }
                Scheme::Ternary => kept / 2.0,
                _ => (most / 127.0).max(f64::from(f32::MIN_POSITIVE)) / 2.0 * (1.0 + 1e-6),
            };
            bounds.extend(group.iter().zip(came).map(|(&value, &back)| {
                let rounding = 2f64.powi(-24) * f64::from(back.abs());
                match scheme {
                    Scheme::Int4 => half,
                    // A number beyond the one that is kept is as far away as it is beyond it.
                    Scheme::Ternary => half.max(f64::from(value.abs()) - kept),
                    _ => half + rounding,
                }
            }));
        }
        bounds
    }

    fn within(values: &[f32], back: &[f32], bounds: &[f64]) -> Option<String> {
        for ((&value, &back), &bound) in values.iter().zip(back).zip(bounds) {
            if (f64::from(value) - f64::from(back)).abs() > bound {
                return Some(format!("{value} came back as {back}, beyond {bound:e}"));
            }
        }
        None
    }

    proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(3_000))]
        #[test]
        fn numbers_come_back_within_half_a_step_and_in_their_order(
            values in proptest::collection::vec(-1.0_f32..1.0, 150), exponent in -60..12_i32,
            shift in -1.0_f32..1.0, inner in 0..4_usize, scheme in 0..5_usize,
        ) {
            let (inner, scheme) = ([1, 50, 75, 30][inner], OURS[scheme]);
            let scale = 2f32.powi(exponent);
            let values: Vec<f32> = values.iter().map(|value| (value + shift) * scale).collect();
            let back = there_and_back(&values, inner, scheme);
            prop_assert_eq!(within(&values, &back, &bounds(&values, &back, inner, scheme)), None, "{:?}", scheme);
            for (group, came) in shared(&values, &back, inner, scheme) {
                let mut both: Vec<(f32, f32)> = group.iter().copied().zip(came.iter().copied()).collect();
                both.sort_by(|a, b| a.0.total_cmp(&b.0));
                prop_assert!(both.is_sorted_by(|a, b| a.1 <= b.1), "{:?}", scheme);
            }
        }

        #[test]
        fn what_a_scheme_can_represent_comes_back_exactly(
            integers in proptest::collection::vec(-127_i32..=127, 64), scheme in 0..5_usize,
            step in 1..2048_u32, exponent in -14..4_i32,
        ) {
            let scheme = OURS[scheme];
            let step = step as f32 * 2f32.powi(exponent);
            let top = match scheme {
                Scheme::Int4 => 7,
                Scheme::Ternary => 1,
                Scheme::Int4Asymmetric => 15,
                _ => 127,
            };
            let mut values: Vec<f32> = integers.iter().map(|&integer| match scheme {
                Scheme::Int4Asymmetric => (integer & 15) as f32 * step,
                _ => (integer % (top + 1)) as f32 * step,
            }).collect();
            // Each group holds both of its ends.
            for group in values.chunks_mut(GROUP) {
                group[0] = top as f32 * step;
                group[1] = 0.0;
            }
            prop_assert_eq!(there_and_back(&values, 64, scheme), values);
        }

        #[test]
        fn ternary_is_no_worse_than_any_other_number(
            values in proptest::collection::vec(-1.0_f32..1.0, 32), other in 0.0_f32..1.0,
        ) {
            let error = |of: &dyn Fn(f32) -> f32| -> f64 {
                (values.iter()).map(|&value| f64::from(value - of(value)).powi(2)).sum()
            };
            let back = there_and_back(&values, 32, Scheme::Ternary);
            let ours: f64 = (values.iter().zip(&back)).map(|(a, b)| f64::from(a - b).powi(2)).sum();
            let theirs = error(&|value| if value.abs() > other / 2.0 { other.copysign(value) } else { 0.0 });
            // The number is rounded to f16, which may cost each weight 2⁻¹¹ of it.
            prop_assert!(ours <= theirs + 32.0 * 2f64.powi(-22) + 1e-6);
        }
    }

    #[test]
    fn a_number_beyond_its_bound_is_found() {
        let values: Vec<f32> = (0..64).map(|index| (index as f32 * 0.7).sin()).collect();
        for scheme in OURS {
            let mut back = there_and_back(&values, 32, scheme);
            let bounds = bounds(&values, &back, 32, scheme);
            assert_eq!(within(&values, &back, &bounds), None);
            back[40] += (10.0 * bounds[40]) as f32;
            assert!(within(&values, &back, &bounds).is_some(), "{scheme:?}");
        }
    }

    #[test]
    fn zeros_tiny_and_huge_numbers_keep_their_sense() {
        for scheme in OURS {
            assert_eq!(there_and_back(&[0.0; 40], 40, scheme), [0.0; 40]);
        }
        let tiny = [f32::from_bits(1), -f32::MIN_POSITIVE];
        let back = there_and_back(&tiny, 2, Scheme::Int8Weights);
        assert_eq!(back, [0.0, -f32::MIN_POSITIVE]);
        // Scales of f16 end at 65504.
        let huge = [2e6_f32, 1.0];
        for scheme in [Scheme::Int4, Scheme::Int4Asymmetric, Scheme::Ternary] {
            assert!(
                !there_and_back(&huge, 2, scheme)[0].is_finite(),
                "{scheme:?}"
            );
        }
    }

    #[test]
    fn rows_of_blocks_are_filled_up_and_come_back_without_the_filling() {
        let values: Vec<f32> = (0..90).map(|index| index as f32 / 90.0 - 0.5).collect();
        for (scheme, _) in Scheme::ALL {
            if let Some((block, bytes)) = scheme.block() {
                let whole = extent(2, 45);
                assert_eq!(scheme.bytes(whole), 2 * 45_u64.div_ceil(block) * bytes);
                let back = there_and_back(&values, 45, scheme);
                let step = 1.0 / 15.0;
                for (value, back) in values.iter().zip(&back) {
                    assert!(
                        (value - back).abs() <= step,
                        "{scheme:?}: {value} as {back}"
                    );
                }
            }
        }
    }

    #[test]
    fn bytes_of_another_length_are_refused() {
        for (scheme, name) in Scheme::ALL {
            let whole = extent(3, 40);
            let bytes = vec![0; scheme.bytes(whole) as usize - 1];
            let error = decoded(&bytes, whole, scheme).expect_err("refused");
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
