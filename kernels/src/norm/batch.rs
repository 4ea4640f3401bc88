//! Batch normalization (Ioffe and Szegedy 2015, arXiv 1502.03167): each channel by its mean and variance over the rows.
//!
//! A row is a place of an image or a sample; channels stand side by side. Which of the two modes a step runs in, and
//! whether an inference folds the norm into the layer before it, is the executor's decision.

use crate::columns::{fold_columns, map_columns};
use crate::elementwise::add_column_sums;

/// The mean of each channel and its variance (biased: over the number of rows) by two passes over `x`.
///
/// # Panics
/// Where `x` is not at least one whole row of `mean.len()` numbers.
pub fn statistics(x: &[f32], mean: &mut [f32], variance: &mut [f32]) {
    let channels = mean.len();
    assert_eq!(variance.len(), channels, "means and variances");
    assert!(
        !x.is_empty() && x.len().is_multiple_of(channels),
        "whole rows"
    );
    let rows = (x.len() / channels) as f32;
    mean.fill(0.0);
    add_column_sums(x, mean);
    for mean in &mut *mean {
        *mean /= rows;
    }
    variance.fill(0.0);
    fold_columns([x], [mean], [variance], |[sum], [x], [mean]| {
        let off = x - mean;
        [sum + off * off]
    });
    for variance in variance {
        *variance /= rows;
    }
}

/// `1/√(variance + ε)` of each channel.
///
/// # Panics
/// Where the lengths differ.
pub fn inverses(variance: &[f32], epsilon: f32, inverse: &mut [f32]) {
    assert_eq!(variance.len(), inverse.len(), "variances and inverses");
    for (inverse, variance) in inverse.iter_mut().zip(variance) {
        *inverse = 1.0 / (variance + epsilon).sqrt();
    }
}

/// `running ← (1 − momentum)·running + momentum·batch`, where the batch's variance enters unbiased, `rows/(rows − 1)` of it.
///
/// Of a single row no unbiased variance exists, and its biased one, 0, enters.
///
/// # Panics
/// Where the lengths differ.
pub fn update_running(
    running: [&mut [f32]; 2],
    [mean, variance]: [&[f32]; 2],
    rows: usize,
    momentum: f32,
) {
    let unbiased = if rows > 1 {
        (rows as f64 / (rows - 1) as f64) as f32
    } else {
        1.0
    };
    let keep = 1.0 - momentum;
    let [running_mean, running_variance] = running;
    assert_eq!(running_mean.len(), mean.len(), "running means");
    assert_eq!(running_variance.len(), variance.len(), "running variances");
    for (running, mean) in running_mean.iter_mut().zip(mean) {
        *running = keep * *running + momentum * mean;
    }
    for (running, variance) in running_variance.iter_mut().zip(variance) {
        *running = keep * *running + momentum * (variance * unbiased);
    }
}

/// `out = ((x − mean)·inverse)·scale + shift`, each channel its own numbers.
///
/// # Panics
/// Where the lengths do not fit.
pub fn normalize(
    x: &[f32],
    [mean, inverse]: [&[f32]; 2],
    [scale, shift]: [&[f32]; 2],
    out: &mut [f32],
) {
    map_columns(
        [x],
        [mean, inverse, scale, shift],
        out,
        |[x], [mean, inverse, scale, shift]| (x - mean) * inverse * scale + shift,
    );
}

/// The gradients through the batch's own statistics: `dx` is overwritten, `d_scale` and `d_shift` are added to.
///
/// With `n = (x − mean)·inverse` and r rows: `a = Σ dy·n`, `b = Σ dy`, `d_scale += a`, `d_shift += b`,
/// `dx = (scale·inverse) · ((dy − b/r) − n·(a/r))`. `scratch` has three numbers for each channel.
///
/// # Panics
/// Where the lengths do not fit.
pub fn gradient(
    x: &[f32],
    [mean, inverse]: [&[f32]; 2],
    scale: &[f32],
    dy: &[f32],
    dx: &mut [f32],
    [d_scale, d_shift]: [&mut [f32]; 2],
    scratch: &mut [f32],
) {
    let channels = scale.len();
    assert_eq!(x.len(), dy.len(), "numbers and their gradients");
    assert_eq!(
        scratch.len(),
        3 * channels,
        "scratch of a batch norm's gradient"
    );
    assert_eq!(d_scale.len(), channels, "gradients of scales");
    assert_eq!(d_shift.len(), channels, "gradients of shifts");
    let rows = (x.len() / channels) as f32;
    let (along, rest) = scratch.split_at_mut(channels);
    let (sums, factor) = rest.split_at_mut(channels);
    along.fill(0.0);
    sums.fill(0.0);
    fold_columns(
        [x, dy],
        [mean, inverse],
        [&mut *along, &mut *sums],
        |[along, sum], [x, dy], [mean, inverse]| {
            let normal = (x - mean) * inverse;
            [along + dy * normal, sum + dy]
        },
    );
    for channel in 0..channels {
        d_scale[channel] += along[channel];
        d_shift[channel] += sums[channel];
        along[channel] /= rows;
        sums[channel] /= rows;
        factor[channel] = scale[channel] * inverse[channel];
    }
    map_columns(
        [x, dy],
        [mean, inverse, along, sums, factor],
        dx,
        |[x, dy], [mean, inverse, along, sum, factor]| {
            let normal = (x - mean) * inverse;
            factor * (dy - sum - normal * along)
        },
    );
}

/// The norm with fixed statistics as `x·factor + offset` per channel: `factor = scale·(1/√(variance + ε))`,
/// `offset = shift − mean·factor`.
///
/// # Panics
/// Where the lengths differ.
pub fn folded(
    [mean, variance]: [&[f32]; 2],
    [scale, shift]: [&[f32]; 2],
    epsilon: f32,
    [factor, offset]: [&mut [f32]; 2],
) {
    let channels = factor.len();
    assert!(
        [mean, variance, scale, shift, offset]
            .iter()
            .all(|row| row.len() == channels),
        "numbers of a batch norm"
    );
    for channel in 0..channels {
        factor[channel] = scale[channel] * (1.0 / (variance[channel] + epsilon).sqrt());
        offset[channel] = shift[channel] - mean[channel] * factor[channel];
    }
}

/// A layer's weights `[…][out]` and biases with the norm behind it folded in: `weight·factor`, `bias·factor + offset`.
///
/// # Panics
/// Where the lengths do not fit.
pub fn fold_into(weight: &mut [f32], bias: &mut [f32], [factor, offset]: [&[f32]; 2]) {
    let channels = factor.len();
    assert_eq!(weight.len() % channels, 0, "whole rows of weights");
    assert_eq!(bias.len(), channels, "biases");
    assert_eq!(offset.len(), channels, "offsets");
    for row in weight.chunks_exact_mut(channels) {
        for (weight, factor) in row.iter_mut().zip(factor) {
            *weight *= factor;
        }
    }
    for (bias, (factor, offset)) in bias.iter_mut().zip(factor.iter().zip(offset)) {
        *bias = *bias * factor + offset;
    }
}

/// `out = x·factor + offset`, each channel its own numbers: a folded norm that nothing could take up.
///
/// # Panics
/// Where the lengths do not fit.
pub fn scale_and_shift(x: &[f32], [factor, offset]: [&[f32]; 2], out: &mut [f32]) {
    map_columns([x], [factor, offset], out, |[x], [factor, offset]| {
        x * factor + offset
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{U, assert_bits, assert_within, central_differences, drawn, wide};

    const EPSILON: f32 = 1e-5;
    const SHAPES: [[usize; 2]; 8] = [
        [2, 1],
        [3, 3],
        [5, 4],
        [7, 5],
        [2, 8],
        [9, 16],
        [31, 17],
        [6, 35],
    ];

    /// The definition in f64.
    fn exact(x: &[f64], scale: &[f64], shift: &[f64]) -> Vec<f64> {
        let channels = scale.len();
        let rows = (x.len() / channels) as f64;
        let mut out = vec![0.0; x.len()];
        for channel in 0..channels {
            let column = || x[channel..].iter().step_by(channels);
            let mean = column().sum::<f64>() / rows;
            let variance = column().map(|x| (x - mean) * (x - mean)).sum::<f64>() / rows;
            let inverse = 1.0 / (variance + f64::from(EPSILON)).sqrt();
            for index in (channel..x.len()).step_by(channels) {
                out[index] = (x[index] - mean) * inverse * scale[channel] + shift[channel];
            }
        }
        out
    }

    struct Found {
        mean: Vec<f32>,
        variance: Vec<f32>,
        inverse: Vec<f32>,
        out: Vec<f32>,
    }

    fn forward(x: &[f32], scale: &[f32], shift: &[f32]) -> Found {
        let channels = scale.len();
        let [mut mean, mut variance, mut inverse] = [0; 3].map(|_| vec![9.0; channels]);
        let mut out = vec![9.0; x.len()];
        statistics(x, &mut mean, &mut variance);
        inverses(&variance, EPSILON, &mut inverse);
        normalize(x, [&mean, &inverse], [scale, shift], &mut out);
        Found {
            mean,
            variance,
            inverse,
            out,
        }
    }

    #[test]
    fn outputs_and_gradients_have_the_bits_of_the_formulas() {
        for [rows, channels] in SHAPES {
            let (x, dy) = (drawn(rows * channels, 1), drawn(rows * channels, 4));
            let (scale, shift) = (drawn(channels, 2), drawn(channels, 3));
            let found = forward(&x, &scale, &shift);
            let (mut d_scale, mut d_shift) = (drawn(channels, 5), drawn(channels, 6));
            let (mut wanted_scale, mut wanted_shift) = (d_scale.clone(), d_shift.clone());
            let mut dx = vec![9.0; x.len()];
            let what = format!("{rows} x {channels}");
            for channel in 0..channels {
                let places = || (channel..x.len()).step_by(channels);
                let count = rows as f32;
                let mean = places().fold(0.0, |sum, at| sum + x[at]) / count;
                let squares = places().fold(0.0, |sum, at| sum + (x[at] - mean) * (x[at] - mean));
                let variance = squares / count;
                let inverse = 1.0 / (variance + EPSILON).sqrt();
                assert_bits(
                    &[
                        found.mean[channel],
                        found.variance[channel],
                        found.inverse[channel],
                    ],
                    &[mean, variance, inverse],
                    &what,
                );
                let normal = |at: usize| (x[at] - mean) * inverse;
                let along = places().fold(0.0, |sum, at| sum + dy[at] * normal(at));
                let sum = places().fold(0.0, |sum, at| sum + dy[at]);
                wanted_scale[channel] += along;
                wanted_shift[channel] += sum;
                for at in places() {
                    let wanted = normal(at) * scale[channel] + shift[channel];
                    assert_bits(&[found.out[at]], &[wanted], &what);
                    dx[at] = scale[channel]
                        * inverse
                        * (dy[at] - sum / count - normal(at) * (along / count));
                }
            }
            let wanted_dx = dx.clone();
            dx.fill(9.0);
            let mut scratch = vec![9.0; 3 * channels];
            gradient(
                &x,
                [&found.mean, &found.inverse],
                &scale,
                &dy,
                &mut dx,
                [&mut d_scale, &mut d_shift],
                &mut scratch,
            );
            assert_bits(&dx, &wanted_dx, &what);
            assert_bits(&d_scale, &wanted_scale, &what);
            assert_bits(&d_shift, &wanted_shift, &what);
        }
    }

    #[test]
    fn gradients_are_those_of_central_differences() {
        for [rows, channels] in SHAPES.into_iter().filter(|[rows, _]| *rows > 4) {
            let (x, dy) = (drawn(rows * channels, 1), drawn(rows * channels, 4));
            let (scale, shift) = (drawn(channels, 2), drawn(channels, 3));
            let (wide_x, wide_scale, wide_shift) = (wide(&x), wide(&scale), wide(&shift));
            let found = forward(&x, &scale, &shift);
            let what = format!("{rows} x {channels}");
            let largest = found.inverse.iter().copied().fold(1.0, f32::max);
            let largest = f64::from(largest);
            let size = (rows as f64 + 16.0) * U * largest;
            let wanted = exact(&wide_x, &wide_scale, &wide_shift);
            assert_within(&found.out, &wanted, |_| size, &what);
            let [mut d_scale, mut d_shift] = [0; 2].map(|_| vec![0.0; channels]);
            let mut dx = vec![0.0; x.len()];
            gradient(
                &x,
                [&found.mean, &found.inverse],
                &scale,
                &dy,
                &mut dx,
                [&mut d_scale, &mut d_shift],
                &mut vec![0.0; 3 * channels],
            );
            let wanted = central_differences(&wide_x, &dy, |x| exact(x, &wide_scale, &wide_shift));
            let bound = |_: usize| size * largest + 1e-8;
            assert_within(&dx, &wanted, bound, &format!("dx of {what}"));
            let bound = |_: usize| size * rows as f64 + 1e-8;
            let wanted = central_differences(&wide_scale, &dy, |s| exact(&wide_x, s, &wide_shift));
            assert_within(&d_scale, &wanted, bound, &format!("scale of {what}"));
            let wanted = central_differences(&wide_shift, &dy, |s| exact(&wide_x, &wide_scale, s));
            assert_within(&d_shift, &wanted, bound, &format!("shift of {what}"));
        }
    }

    #[test]
    fn running_statistics_follow_the_batch() {
        let (mut mean, mut variance) = ([1.0], [2.0]);
        update_running([&mut mean, &mut variance], [&[3.0], &[6.0]], 4, 0.25);
        assert_eq!((mean, variance), ([1.5], [1.5 + 0.25 * 8.0]));
        update_running([&mut mean, &mut variance], [&[1.5], &[0.0]], 1, 1.0);
        assert_eq!((mean, variance), ([1.5], [0.0]));
    }

    #[test]
    fn a_folded_norm_is_the_norm_with_fixed_statistics() {
        let channels = 5;
        let (x, mean) = (drawn(3 * channels, 1), drawn(channels, 2));
        let variance: Vec<f32> = drawn(channels, 3).iter().map(|x| x + 1.5).collect();
        let (scale, shift) = (drawn(channels, 4), drawn(channels, 5));
        let [mut factor, mut offset] = [0; 2].map(|_| vec![0.0; channels]);
        folded(
            [&mean, &variance],
            [&scale, &shift],
            EPSILON,
            [&mut factor, &mut offset],
        );
        let mut out = vec![0.0; x.len()];
        scale_and_shift(&x, [&factor, &offset], &mut out);
        let wanted: Vec<f64> = (0..x.len())
            .map(|at| {
                let [x, mean, variance, scale, shift] = [
                    x[at],
                    mean[at % channels],
                    variance[at % channels],
                    scale[at % channels],
                    shift[at % channels],
                ]
                .map(f64::from);
                (x - mean) / (variance + f64::from(EPSILON)).sqrt() * scale + shift
            })
            .collect();
        // Numbers below 1 and an inverse below 1.5: terms below 1.5, at most eight roundings.
        assert_within(&out, &wanted, |_| 8.0 * 3.0 * U, "folded");

        // As a layer: 1·x for each channel, so that its weight is the factor and its bias the offset.
        let (mut weight, mut bias) = (vec![1.0; 2 * channels], drawn(channels, 6));
        let before = bias.clone();
        fold_into(&mut weight, &mut bias, [&factor, &offset]);
        assert_bits(&weight[channels..], &factor, "weights");
        for channel in 0..channels {
            assert_eq!(
                bias[channel],
                before[channel] * factor[channel] + offset[channel]
            );
        }
    }
}
