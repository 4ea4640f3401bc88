//! The convolution against its definition as plain loops, bit for bit, for every kind of geometry.

use super::*;
use crate::testing::drawn;

/// Planes, rows and columns of the input; channels; kernel; stride; padding; groups.
const fn geometry(
    [planes, height, width]: [usize; 3],
    channels: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 4],
    groups: usize,
) -> Geometry {
    Geometry {
        planes,
        height,
        width,
        channels,
        kernel,
        stride,
        padding,
        groups,
    }
}

#[rustfmt::skip]
const CASES: &[Geometry] = &[
    geometry([1, 1, 1], 1, [1, 1], [1, 1], [0; 4], 1),
    geometry([1, 7, 5], 3, [3, 3], [1, 1], [1; 4], 1),
    geometry([3, 8, 8], 16, [3, 3], [1, 1], [1; 4], 1),
    geometry([3, 9, 7], 10, [3, 3], [2, 2], [1; 4], 1),
    geometry([4, 8, 8], 5, [3, 3], [2, 2], [0, 0, 1, 1], 1),
    geometry([5, 6, 6], 13, [1, 1], [1, 1], [0; 4], 1),
    geometry([8, 5, 5], 8, [1, 1], [2, 2], [0; 4], 1),
    geometry([2, 12, 12], 9, [5, 5], [1, 1], [0; 4], 1),
    geometry([1, 1, 29], 6, [1, 9], [1, 4], [0, 4, 0, 4], 1),
    geometry([6, 7, 6], 4, [3, 2], [1, 3], [2, 0, 1, 1], 2),
    geometry([12, 4, 5], 6, [3, 3], [2, 1], [1; 4], 3),
    geometry([1, 28, 28], 7, [4, 4], [4, 4], [0; 4], 1),
    geometry([17, 3, 3], 11, [3, 3], [1, 1], [1; 4], 1),
    geometry([2, 5, 4], 3, [2, 2], [3, 3], [0; 4], 1),
    geometry([2, 4, 4], 3, [3, 3], [1, 1], [3, 3, 2, 2], 1),
    geometry([6, 5, 7], 6, [3, 3], [1, 1], [1; 4], 6),
];

/// Where Winograd computes outputs and input gradients; its own tests hold the forward side to a bound.
const BY_WINOGRAD: &[Geometry] = &[
    geometry([32, 6, 7], 36, [3, 3], [1, 1], [1; 4], 1),
    geometry([40, 5, 5], 32, [3, 3], [1, 1], [0, 2, 1, 0], 1),
];

/// Calls `at(output place, input place, weight place)` for each product of one group, in the order of the weights.
fn each_tap(geometry: &Geometry, out: [usize; 2], mut at: impl FnMut(usize, usize)) {
    for ky in 0..geometry.kernel[0] {
        for kx in 0..geometry.kernel[1] {
            let y = (out[0] * geometry.stride[0] + ky).checked_sub(geometry.padding[0]);
            let x = (out[1] * geometry.stride[1] + kx).checked_sub(geometry.padding[1]);
            let tap = ky * geometry.kernel[1] + kx;
            match (y, x) {
                (Some(y), Some(x)) if y < geometry.height && x < geometry.width => {
                    at(y * geometry.width + x, tap);
                }
                _ => at(usize::MAX, tap),
            }
        }
    }
}

fn plain_forward(g: &Geometry, weight: &[f32], bias: &[f32], x: &[f32]) -> Vec<f32> {
    let (rows, columns) = (g.planes / g.groups, g.channels / g.groups);
    let mut out = Vec::new();
    for y in 0..g.out_height() {
        for column in 0..g.out_width() {
            for channel in 0..g.channels {
                let group = channel / columns;
                let mut sum = bias[channel];
                each_tap(g, [y, column], |place, tap| {
                    for plane in 0..rows {
                        let value = match place {
                            usize::MAX => 0.0,
                            place => x[place * g.planes + group * rows + plane],
                        };
                        sum += value * weight[(tap * rows + plane) * g.channels + channel];
                    }
                });
                out.push(sum);
            }
        }
    }
    out
}

/// Each input's sum over the kernel's places from the last to the first, and then over channels.
fn plain_input_gradient(g: &Geometry, weight: &[f32], dy: &[f32]) -> Vec<f32> {
    let (rows, columns) = (g.planes / g.groups, g.channels / g.groups);
    let mut products = vec![Vec::new(); g.input_len()];
    for y in 0..g.out_height() {
        for column in 0..g.out_width() {
            let dy = &dy[(y * g.out_width() + column) * g.channels..][..g.channels];
            each_tap(g, [y, column], |place, tap| {
                if place == usize::MAX {
                    return;
                }
                for (channel, dy) in dy.iter().enumerate() {
                    for plane in 0..rows {
                        let at = (tap * rows + plane) * g.channels + channel;
                        let input = place * g.planes + channel / columns * rows + plane;
                        products[input].push((tap, channel, dy * weight[at]));
                    }
                }
            });
        }
    }
    products
        .into_iter()
        .map(|mut products| {
            products.sort_by_key(|&(tap, channel, _)| (usize::MAX - tap, channel));
            products
                .into_iter()
                .fold(0.0, |sum, (_, _, product)| sum + product)
        })
        .collect()
}

fn same(found: &[f32], wanted: &[f32]) -> bool {
    // A sum that starts from +0 and adds zeros of either sign stays +0; the plain loop skips what is outside.
    found.len() == wanted.len()
        && found
            .iter()
            .zip(wanted)
            .all(|(a, b)| a.to_bits() == b.to_bits())
}

#[test]
fn forward_has_the_bits_of_the_plain_loop() {
    for &geometry in CASES {
        let plan = Plan::new(geometry);
        let images = 2;
        let x = drawn(images * geometry.input_len(), 1);
        let weight = drawn(geometry.weight_len(), 2);
        let bias = drawn(geometry.channels, 3);
        let mut packed = vec![f32::NAN; plan.packed_len()];
        plan.pack(&weight, &mut packed);
        let mut scratch = vec![f32::NAN; plan.scratch_len()];
        let mut out = vec![f32::NAN; images * geometry.output_len()];
        plan.forward(
            &packed,
            Some(&bias),
            &x,
            Epilogue::default(),
            &mut out,
            &mut scratch,
        );
        let wanted: Vec<f32> = x
            .chunks_exact(geometry.input_len())
            .flat_map(|x| plain_forward(&geometry, &weight, &bias, x))
            .collect();
        assert!(same(&out, &wanted), "{geometry:?}");
        let residual = drawn(out.len(), 4);
        let epilogue = Epilogue {
            residual: Some(&residual),
            rectifier: Some(crate::Rectifier::Relu),
        };
        plan.forward(&packed, Some(&bias), &x, epilogue, &mut out, &mut scratch);
        let wanted: Vec<f32> = wanted
            .iter()
            .zip(&residual)
            .map(|(sum, residual)| sum + residual)
            .map(|sum| if sum > 0.0 { sum } else { 0.0 })
            .collect();
        assert!(same(&out, &wanted), "{geometry:?} with an epilogue");
    }
}

#[test]
fn gradients_have_the_bits_of_the_plain_loop() {
    for &geometry in CASES {
        let plan = Plan::new(geometry);
        let x = drawn(2 * geometry.input_len(), 1);
        let dy = drawn(2 * geometry.output_len(), 5);
        let weight = drawn(geometry.weight_len(), 2);
        let mut packed = vec![f32::NAN; plan.input_packed_len()];
        plan.pack_input(&weight, &mut packed);
        let mut scratch = vec![f32::NAN; plan.scratch_len()];
        let mut dx = vec![f32::NAN; x.len()];
        plan.input_gradient(&packed, &dy, &mut dx, &mut scratch);
        let mut dw = vec![0.0; weight.len()];
        plan.weight_gradient(&x, &dy, &mut dw, &mut scratch);
        let mut wanted_dw = vec![0.0; weight.len()];
        for (index, (x, dy)) in x
            .chunks_exact(geometry.input_len())
            .zip(dy.chunks_exact(geometry.output_len()))
            .enumerate()
        {
            let wanted = plain_input_gradient(&geometry, &weight, dy);
            assert!(
                same(&dx[index * x.len()..][..x.len()], &wanted),
                "dx of {geometry:?}"
            );
        }
        for (x, dy) in x
            .chunks_exact(geometry.input_len())
            .zip(dy.chunks_exact(geometry.output_len()))
        {
            continued(&geometry, x, dy, &mut wanted_dw);
        }
        assert!(same(&dw, &wanted_dw), "dw of {geometry:?}");
    }
}

/// `dw` of one more image, as one long sum.
fn continued(g: &Geometry, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let (rows, columns) = (g.planes / g.groups, g.channels / g.groups);
    for y in 0..g.out_height() {
        for column in 0..g.out_width() {
            let dy = &dy[(y * g.out_width() + column) * g.channels..][..g.channels];
            each_tap(g, [y, column], |place, tap| {
                for (channel, dy) in dy.iter().enumerate() {
                    for plane in 0..rows {
                        let value = match place {
                            usize::MAX => 0.0,
                            place => x[place * g.planes + channel / columns * rows + plane],
                        };
                        dw[(tap * rows + plane) * g.channels + channel] += value * dy;
                    }
                }
            });
        }
    }
}

#[test]
fn winograds_input_gradient_is_that_of_the_plain_loop_up_to_rounding() {
    for &geometry in BY_WINOGRAD {
        let plan = Plan::new(geometry);
        let dy = drawn(geometry.output_len(), 5);
        let weight = drawn(geometry.weight_len(), 2);
        let mut packed = vec![f32::NAN; plan.input_packed_len()];
        plan.pack_input(&weight, &mut packed);
        let mut scratch = vec![f32::NAN; plan.scratch_len()];
        let mut dx = vec![f32::NAN; geometry.input_len()];
        plan.input_gradient(&packed, &dy, &mut dx, &mut scratch);
        let wanted = plain_input_gradient(&geometry, &weight, &dy);
        // Every number is below 1, so no term of the transformed sums is above 9 · (9/4), nor one of the plain sum's above 1.
        let roundings = (geometry.channels + 11) as f32;
        let bound = roundings * (f32::EPSILON / 2.0) * (geometry.channels * 9) as f32 * 36.0;
        for (index, (found, wanted)) in dx.iter().zip(&wanted).enumerate() {
            assert!(
                (found - wanted).abs() <= bound,
                "{geometry:?} at {index}: {found} for {wanted}"
            );
        }
    }
}
