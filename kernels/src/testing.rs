//! What the tests of the kernels share: drawn numbers, comparison bit for bit, comparison within a bound; no kernel.

/// Half an f32's unit in the last place at 1: the largest relative error of one operation.
pub(crate) const U: f64 = 1.0 / 16_777_216.0;

/// Numbers in −1..1 from a linear congruential generator (Knuth's MMIX constants).
pub(crate) fn drawn(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

pub(crate) fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

/// The bits, with one form for all NaN.
pub(crate) fn bits(value: f32) -> u32 {
    if value.is_nan() {
        f32::NAN.to_bits()
    } else {
        value.to_bits()
    }
}

#[track_caller]
pub(crate) fn assert_bits(found: &[f32], wanted: &[f32], what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}: length");
    for (index, (&found, &wanted)) in found.iter().zip(wanted).enumerate() {
        assert_eq!(
            bits(found),
            bits(wanted),
            "{what}: number {index} is {found:e} instead of {wanted:e}"
        );
    }
}

/// The places where a number is further from the wanted one than its bound.
fn beyond(found: &[f32], wanted: &[f64], bound: &impl Fn(usize) -> f64) -> Vec<usize> {
    found
        .iter()
        .zip(wanted)
        .enumerate()
        .filter(|&(index, (&found, &wanted))| {
            let off = (f64::from(found) - wanted).abs();
            off.is_nan() || off > bound(index)
        })
        .map(|(index, _)| index)
        .collect()
}

/// Every number is within its bound, and moving any single one by ten bounds would have been noticed.
#[track_caller]
pub(crate) fn assert_within(
    found: &[f32],
    wanted: &[f64],
    bound: impl Fn(usize) -> f64,
    what: &str,
) {
    assert_eq!(found.len(), wanted.len(), "{what}: length");
    let failures: Vec<String> = beyond(found, wanted, &bound)
        .into_iter()
        .map(|index| {
            let off = (f64::from(found[index]) - wanted[index]).abs() / bound(index);
            format!(
                "{index}: {:e} instead of {:e}, {off:.2} bounds off",
                found[index], wanted[index]
            )
        })
        .collect();
    assert!(failures.is_empty(), "{what}: {failures:?}");
    for index in [0, found.len() / 2, found.len() - 1] {
        let mut moved = found.to_vec();
        moved[index] = (f64::from(moved[index]) + 10.0 * bound(index)) as f32;
        assert_eq!(
            beyond(&moved, wanted, &bound),
            [index],
            "{what}: a number ten bounds off passed"
        );
    }
}

/// The gradient of `probe · function(x)` by central differences in f64, element by element of `x`.
///
/// With numbers near 1 its error is about `h² + 2⁻⁵²/h`, some 10⁻¹⁰, far below what f32 can show.
pub(crate) fn central_differences(
    x: &[f64],
    probe: &[f32],
    function: impl Fn(&[f64]) -> Vec<f64>,
) -> Vec<f64> {
    let h = 1e-5;
    let mut x = x.to_vec();
    (0..x.len())
        .map(|index| {
            let here = x[index];
            x[index] = here + h;
            let above = function(&x);
            x[index] = here - h;
            let below = function(&x);
            x[index] = here;
            let difference: f64 = above
                .iter()
                .zip(&below)
                .zip(probe)
                .map(|((above, below), &probe)| f64::from(probe) * (above - below))
                .sum();
            difference / (2.0 * h)
        })
        .collect()
}
