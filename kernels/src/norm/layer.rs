//! Layer normalization (Ba, Kiros and Hinton 2016, arXiv 1607.06450): each row by its own mean and variance.

use crate::lanes::F32x4;
use crate::reduce;

/// Normalizes rows of `scale.len()` numbers; `statistics`, where given, receives mean and inverse of each row.
///
/// The variance is the mean of squares over the row (biased).
///
/// # Panics
/// Where the lengths do not fit.
pub fn forward(
    x: &[f32],
    scale: &[f32],
    shift: &[f32],
    epsilon: f32,
    out: &mut [f32],
    mut statistics: Option<&mut [f32]>,
) {
    let width = scale.len();
    assert_eq!(shift.len(), width, "scales and shifts");
    assert_eq!(x.len(), out.len(), "numbers in and out");
    assert_eq!(x.len() % width, 0, "whole rows");
    if let Some(statistics) = &statistics {
        assert_eq!(
            statistics.len(),
            2 * (x.len() / width),
            "two statistics for each row"
        );
    }
    let rows = x.chunks_exact(width).zip(out.chunks_exact_mut(width));
    for (index, (x, out)) in rows.enumerate() {
        let [mean, inverse] = row(x, scale, shift, epsilon, out);
        if let Some(statistics) = &mut statistics {
            statistics[2 * index..2 * index + 2].copy_from_slice(&[mean, inverse]);
        }
    }
}

/// One row; mean and inverse.
#[inline(always)]
fn row(x: &[f32], scale: &[f32], shift: &[f32], epsilon: f32, out: &mut [f32]) -> [f32; 2] {
    let count = x.len() as f32;
    let mean = reduce::sum(x) / count;
    let center = F32x4::splat(mean);
    let squares = reduce::sum_of(x, |x| {
        let off = x - center;
        off * off
    });
    let inverse = 1.0 / (squares / count + epsilon).sqrt();
    let factor = F32x4::splat(inverse);
    let normalize = |x: F32x4, scale: F32x4, shift: F32x4| (x - center) * factor * scale + shift;
    let (x, x_rest) = x.as_chunks::<4>();
    let (scale, scale_rest) = scale.as_chunks::<4>();
    let (shift, shift_rest) = shift.as_chunks::<4>();
    let (out, out_rest) = out.as_chunks_mut::<4>();
    for ((x, out), (scale, shift)) in x.iter().zip(out).zip(scale.iter().zip(shift)) {
        normalize(F32x4::load(x), F32x4::load(scale), F32x4::load(shift)).store(out);
    }
    normalize(
        F32x4::from_rest(x_rest),
        F32x4::from_rest(scale_rest),
        F32x4::from_rest(shift_rest),
    )
    .write_to_rest(out_rest);
    [mean, inverse]
}

/// The gradients: `dx` is overwritten, `d_scale` and `d_shift` are added to, rows ascending.
///
/// With `n = (x − mean)·inverse` and `g = dy·scale`, of a row of width d:
/// `dx = inverse · (g − Σg/d − n·(Σ g·n / d))`, `d_scale += dy·n`, `d_shift += dy`.
///
/// # Panics
/// Where the lengths do not fit.
pub fn gradient(
    x: &[f32],
    scale: &[f32],
    statistics: &[f32],
    dy: &[f32],
    dx: &mut [f32],
    [d_scale, d_shift]: [&mut [f32]; 2],
) {
    let width = scale.len();
    assert_eq!(x.len(), dy.len(), "numbers and their gradients");
    assert_eq!(x.len(), dx.len(), "numbers and their gradients");
    assert_eq!(x.len() % width, 0, "whole rows");
    assert_eq!(
        statistics.len(),
        2 * (x.len() / width),
        "two statistics for each row"
    );
    assert_eq!(d_scale.len(), width, "gradients of scales");
    assert_eq!(d_shift.len(), width, "gradients of shifts");
    let rows = x.chunks_exact(width).zip(dy.chunks_exact(width));
    let (statistics, _) = statistics.as_chunks::<2>();
    for ((x, dy), (dx, &statistics)) in rows.zip(dx.chunks_exact_mut(width).zip(statistics)) {
        row_gradient(x, scale, statistics, dy, dx, [&mut *d_scale, &mut *d_shift]);
    }
}

/// One row's part of [`gradient`].
#[inline(always)]
fn row_gradient(
    x: &[f32],
    scale: &[f32],
    [mean, inverse]: [f32; 2],
    dy: &[f32],
    dx: &mut [f32],
    [d_scale, d_shift]: [&mut [f32]; 2],
) {
    let count = x.len() as f32;
    let (center, factor) = (F32x4::splat(mean), F32x4::splat(inverse));
    // First g in dx's place, with the sums of scale and shift on the way.
    let first = |x: F32x4, dy: F32x4, scale: F32x4, sums: [F32x4; 2]| {
        let normal = (x - center) * factor;
        (dy * scale, [sums[0] + dy * normal, sums[1] + dy])
    };
    let (fours, x_rest) = x.as_chunks::<4>();
    let (dy, dy_rest) = dy.as_chunks::<4>();
    let (scale, scale_rest) = scale.as_chunks::<4>();
    let (d_scale, d_scale_rest) = d_scale.as_chunks_mut::<4>();
    let (d_shift, d_shift_rest) = d_shift.as_chunks_mut::<4>();
    let (dx_fours, dx_rest) = dx.as_chunks_mut::<4>();
    let inputs = fours.iter().zip(dy).zip(scale);
    let sums = d_scale.iter_mut().zip(d_shift);
    for (((x, dy), scale), ((d_scale, d_shift), dx)) in inputs.zip(sums.zip(dx_fours)) {
        let before = [F32x4::load(d_scale), F32x4::load(d_shift)];
        let (g, after) = first(F32x4::load(x), F32x4::load(dy), F32x4::load(scale), before);
        after[0].store(d_scale);
        after[1].store(d_shift);
        g.store(dx);
    }
    let before = [d_scale_rest as &[f32], d_shift_rest].map(F32x4::from_rest);
    let [x_last, dy_last, scale_last] = [x_rest, dy_rest, scale_rest].map(F32x4::from_rest);
    let (g, after) = first(x_last, dy_last, scale_last, before);
    after[0].write_to_rest(d_scale_rest);
    after[1].write_to_rest(d_shift_rest);
    g.write_to_rest(dx_rest);

    let mean_g = F32x4::splat(reduce::sum(dx) / count);
    let along = reduce::sum_of_pairs(dx, x, |g, x| g * ((x - center) * factor));
    let mean_along = F32x4::splat(along / count);
    let second = |x: F32x4, g: F32x4| {
        let normal = (x - center) * factor;
        factor * (g - mean_g - normal * mean_along)
    };
    let (dx, dx_rest) = dx.as_chunks_mut::<4>();
    for (x, dx) in fours.iter().zip(dx) {
        second(F32x4::load(x), F32x4::load(dx)).store(dx);
    }
    second(x_last, F32x4::from_rest(dx_rest)).write_to_rest(dx_rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{U, assert_bits, assert_within, central_differences, drawn, wide};

    const EPSILON: f32 = 1e-5;

    /// The definition in f64.
    fn exact(x: &[f64], scale: &[f64], shift: &[f64]) -> Vec<f64> {
        let width = scale.len();
        let count = width as f64;
        x.chunks(width)
            .flat_map(|row| {
                let mean = row.iter().sum::<f64>() / count;
                let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
                let inverse = 1.0 / (variance + f64::from(EPSILON)).sqrt();
                let normal = row.iter().map(move |x| (x - mean) * inverse);
                let both = scale.iter().zip(shift);
                normal
                    .zip(both)
                    .map(|(n, (scale, shift))| n * scale + shift)
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// The stated formulas as loops, in f32 and in the stated order.
    fn plain(x: &[f32], scale: &[f32], shift: &[f32], out: &mut Vec<f32>) -> [f32; 2] {
        let count = x.len() as f32;
        let mean = reduce::sum(x) / count;
        let squares: Vec<f32> = x.iter().map(|x| (x - mean) * (x - mean)).collect();
        let inverse = 1.0 / (reduce::sum(&squares) / count + EPSILON).sqrt();
        for (index, x) in x.iter().enumerate() {
            out.push((x - mean) * inverse * scale[index] + shift[index]);
        }
        [mean, inverse]
    }

    const SHAPES: [[usize; 2]; 9] = [
        [1, 1],
        [1, 2],
        [3, 3],
        [2, 4],
        [5, 7],
        [2, 8],
        [3, 64],
        [2, 101],
        [1, 13],
    ];

    #[test]
    fn rows_have_the_bits_of_the_formulas_whatever_stands_beside_them() {
        for [rows, width] in SHAPES {
            let (x, scale, shift) = (drawn(rows * width, 1), drawn(width, 2), drawn(width, 3));
            let (mut wanted, mut wanted_statistics) = (Vec::new(), Vec::new());
            for row in x.chunks(width) {
                wanted_statistics.extend(plain(row, &scale, &shift, &mut wanted));
            }
            let mut found = vec![9.0; x.len()];
            let mut statistics = vec![9.0; 2 * rows];
            forward(
                &x,
                &scale,
                &shift,
                EPSILON,
                &mut found,
                Some(&mut statistics),
            );
            let what = format!("{rows} x {width}");
            assert_bits(&found, &wanted, &what);
            assert_bits(&statistics, &wanted_statistics, &what);
            let mut found = vec![9.0; x.len()];
            forward(&x, &scale, &shift, EPSILON, &mut found, None);
            assert_bits(&found, &wanted, &what);

            let dy = drawn(x.len(), 4);
            let (mut dx, mut d_scale, mut d_shift) =
                (vec![9.0; x.len()], drawn(width, 5), drawn(width, 6));
            let (mut wanted_scale, mut wanted_shift) = (d_scale.clone(), d_shift.clone());
            let mut wanted = Vec::new();
            for (row, (x, dy)) in x.chunks(width).zip(dy.chunks(width)).enumerate() {
                let [mean, inverse] = [statistics[2 * row], statistics[2 * row + 1]];
                let normal: Vec<f32> = x.iter().map(|x| (x - mean) * inverse).collect();
                let g: Vec<f32> = dy
                    .iter()
                    .zip(&scale)
                    .map(|(dy, scale)| dy * scale)
                    .collect();
                let along: Vec<f32> = g.iter().zip(&normal).map(|(g, n)| g * n).collect();
                let mean_g = reduce::sum(&g) / width as f32;
                let mean_along = reduce::sum(&along) / width as f32;
                for index in 0..width {
                    wanted_scale[index] += dy[index] * normal[index];
                    wanted_shift[index] += dy[index];
                    wanted.push(inverse * (g[index] - mean_g - normal[index] * mean_along));
                }
            }
            gradient(
                &x,
                &scale,
                &statistics,
                &dy,
                &mut dx,
                [&mut d_scale, &mut d_shift],
            );
            assert_bits(&dx, &wanted, &what);
            assert_bits(&d_scale, &wanted_scale, &what);
            assert_bits(&d_shift, &wanted_shift, &what);
        }
    }

    #[test]
    fn outputs_and_gradients_are_within_their_bounds() {
        for [rows, width] in SHAPES.into_iter().filter(|[_, width]| *width > 4) {
            let (x, scale, shift) = (drawn(rows * width, 1), drawn(width, 2), drawn(width, 3));
            let (wide_x, wide_scale, wide_shift) = (wide(&x), wide(&scale), wide(&shift));
            let (mut out, mut statistics) = (vec![0.0; x.len()], vec![0.0; 2 * rows]);
            forward(&x, &scale, &shift, EPSILON, &mut out, Some(&mut statistics));
            let what = format!("{rows} x {width}");
            let wanted = exact(&wide_x, &wide_scale, &wide_shift);
            // The row's numbers are spread over −1..1, so that its inverse is below 5.
            let bound = |_: usize| (width as f64 / 8.0 + 16.0) * 5.0 * U;
            assert_within(&out, &wanted, bound, &what);

            let dy = drawn(x.len(), 4);
            let (mut dx, mut d_scale, mut d_shift) =
                (vec![0.0; x.len()], vec![0.0; width], vec![0.0; width]);
            gradient(
                &x,
                &scale,
                &statistics,
                &dy,
                &mut dx,
                [&mut d_scale, &mut d_shift],
            );
            let wanted = central_differences(&wide_x, &dy, |x| exact(x, &wide_scale, &wide_shift));
            let bound = |_: usize| (width as f64 / 8.0 + 16.0) * 25.0 * U + 1e-8;
            assert_within(&dx, &wanted, bound, &format!("dx of {what}"));
            let wanted = central_differences(&wide_scale, &dy, |s| exact(&wide_x, s, &wide_shift));
            let bound = |_: usize| (rows as f64 + width as f64 / 8.0 + 16.0) * 5.0 * U + 1e-9;
            assert_within(&d_scale, &wanted, bound, &format!("scale of {what}"));
            let wanted = central_differences(&wide_shift, &dy, |s| exact(&wide_x, &wide_scale, s));
            assert_within(&d_shift, &wanted, bound, &format!("shift of {what}"));
        }
    }
}
