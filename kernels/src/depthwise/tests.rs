//! Depthwise convolutions against the definition, bit for bit, and their gradients against central differences.

use super::*;
use crate::testing::{U, assert_bits, assert_within, central_differences, drawn, wide};

/// Shapes: ones, primes, channels that fill no lanes, uneven padding, strides, kernels with and without own loops.
fn shapes() -> Vec<Depthwise> {
    let mut shapes = Vec::new();
    let sizes = [(1, 1), (2, 3), (5, 4), (7, 13), (8, 8), (3, 19)];
    let forms = [
        ([3, 3], [1, 1], [1, 1, 1, 1]),
        ([3, 3], [2, 2], [1, 1, 1, 1]),
        ([3, 3], [2, 2], [0, 0, 1, 1]),
        ([3, 3], [1, 1], [0, 0, 0, 0]),
        ([5, 5], [1, 1], [2, 2, 2, 2]),
        ([5, 5], [2, 2], [2, 1, 1, 2]),
        ([1, 1], [1, 1], [0, 0, 0, 0]),
        ([1, 7], [1, 2], [0, 3, 0, 3]),
        ([2, 3], [1, 1], [1, 2, 0, 1]),
        ([3, 2], [3, 1], [1, 0, 2, 1]),
        ([3, 3], [1, 1], [3, 4, 1, 0]),
        ([4, 4], [2, 1], [1, 1, 2, 2]),
    ];
    for (index, (height, width)) in sizes.into_iter().enumerate() {
        for (kernel, stride, padding) in forms {
            for channels in [1, 3, 4, 5, 8, 11].into_iter().skip(index % 2).step_by(2) {
                let shape = Depthwise {
                    height,
                    width,
                    channels,
                    kernel,
                    stride,
                    padding,
                };
                if shape.out_len() > 0 {
                    shapes.push(shape);
                }
            }
        }
    }
    assert!(shapes.len() > 150);
    shapes
}

/// Every product that belongs to the convolution, as (output, weight, input), outputs in row-major order, then places of
/// the kernel in row-major order.
fn products(shape: &Depthwise) -> Vec<[usize; 3]> {
    let mut products = Vec::new();
    let channels = shape.channels;
    for row in 0..shape.out_height() {
        for column in 0..shape.out_width() {
            for down in 0..shape.kernel[0] {
                for across in 0..shape.kernel[1] {
                    let y = (row * shape.stride[0] + down).checked_sub(shape.padding[0]);
                    let x = (column * shape.stride[1] + across).checked_sub(shape.padding[1]);
                    let (Some(y), Some(x)) = (y, x) else {
                        continue;
                    };
                    if y >= shape.height || x >= shape.width {
                        continue;
                    }
                    for channel in 0..channels {
                        products.push([
                            (row * shape.out_width() + column) * channels + channel,
                            (down * shape.kernel[1] + across) * channels + channel,
                            (y * shape.width + x) * channels + channel,
                        ]);
                    }
                }
            }
        }
    }
    products
}

struct Case {
    weight: Vec<f32>,
    bias: Vec<f32>,
    input: Vec<f32>,
    dy: Vec<f32>,
}

fn case(shape: &Depthwise, images: usize) -> Case {
    Case {
        weight: drawn(shape.weight_len(), 1),
        bias: drawn(shape.channels, 2),
        input: drawn(images * shape.image_len(), 3),
        dy: drawn(images * shape.out_len(), 4),
    }
}

#[test]
fn outputs_have_the_bits_of_the_definition() {
    for shape in shapes() {
        let Case {
            weight,
            bias,
            input,
            ..
        } = case(&shape, 2);
        let products = products(&shape);
        for biased in [true, false] {
            let start = if biased {
                bias.clone()
            } else {
                vec![0.0; shape.channels]
            };
            let mut wanted = Vec::new();
            for image in input.chunks(shape.image_len()) {
                let mut out = start.repeat(shape.out_height() * shape.out_width());
                for &[output, place, cell] in &products {
                    out[output] += image[cell] * weight[place];
                }
                wanted.extend(out);
            }
            for activation in [
                None,
                Some(Activation::Relu),
                Some(Activation::Relu6),
                Some(Activation::Silu),
            ] {
                let mut activated = wanted.clone();
                if let Some(activation) = activation {
                    activation.apply_in_place(&mut activated);
                }
                let mut found = vec![9.0; wanted.len()];
                let bias = biased.then_some(&bias[..]);
                forward(&shape, &weight, bias, &input, activation, &mut found);
                assert_bits(&found, &activated, &format!("{shape:?} {activation:?}"));
            }
        }
    }
}

#[test]
fn gradients_have_the_bits_of_the_definition() {
    for shape in shapes() {
        let Case {
            weight, input, dy, ..
        } = case(&shape, 2);
        let products = products(&shape);
        let mut wanted_dx = vec![0.0; input.len()];
        let start = drawn(weight.len(), 5);
        let mut wanted_dw = start.clone();
        let images = input
            .chunks(shape.image_len())
            .zip(dy.chunks(shape.out_len()));
        for ((image, dy), dx) in images.zip(wanted_dx.chunks_mut(shape.image_len())) {
            for &[output, place, cell] in &products {
                dx[cell] += dy[output] * weight[place];
                wanted_dw[place] += image[cell] * dy[output];
            }
        }
        let mut dx = vec![9.0; input.len()];
        input_gradient(&shape, &weight, &dy, &mut dx);
        assert_bits(&dx, &wanted_dx, &format!("{shape:?}"));
        let mut dw = start;
        weight_gradient(&shape, &input, &dy, &mut dw);
        assert_bits(&dw, &wanted_dw, &format!("{shape:?}"));
    }
}

#[test]
fn gradients_are_those_of_central_differences() {
    for shape in shapes().into_iter().step_by(7) {
        if shape.image_len() > 200 {
            continue;
        }
        let Case {
            weight, input, dy, ..
        } = case(&shape, 1);
        let products = products(&shape);
        let output = |input: &[f64], weight: &[f64]| {
            let mut out = vec![0.0; shape.out_len()];
            for &[output, place, cell] in &products {
                out[output] += input[cell] * weight[place];
            }
            out
        };
        let (wide_input, wide_weight) = (wide(&input), wide(&weight));
        let (mut dx_terms, mut dw_terms) = (vec![0.0; input.len()], vec![0.0; weight.len()]);
        for &[output, place, cell] in &products {
            dx_terms[cell] += f64::from((dy[output] * weight[place]).abs());
            dw_terms[place] += f64::from((dy[output] * input[cell]).abs());
        }
        let roundings = (shape.out_height() * shape.out_width() + 4) as f64;
        let bound = |terms: f64| roundings * U * terms + 1e-9;

        let wanted = central_differences(&wide_input, &dy, |x| output(x, &wide_weight));
        let mut dx = vec![0.0; input.len()];
        input_gradient(&shape, &weight, &dy, &mut dx);
        assert_within(
            &dx,
            &wanted,
            |i| bound(dx_terms[i]),
            &format!("dx of {shape:?}"),
        );

        let wanted = central_differences(&wide_weight, &dy, |w| output(&wide_input, w));
        let mut dw = vec![0.0; weight.len()];
        weight_gradient(&shape, &input, &dy, &mut dw);
        assert_within(
            &dw,
            &wanted,
            |i| bound(dw_terms[i]),
            &format!("dw of {shape:?}"),
        );
    }
}

#[test]
fn an_image_does_not_depend_on_the_others() {
    let shape = Depthwise {
        height: 9,
        width: 7,
        channels: 6,
        kernel: [3, 3],
        stride: [2, 1],
        padding: [1; 4],
    };
    let Case {
        weight,
        bias,
        input,
        ..
    } = case(&shape, 3);
    let mut together = vec![0.0; 3 * shape.out_len()];
    forward(&shape, &weight, Some(&bias), &input, None, &mut together);
    for (image, together) in input
        .chunks(shape.image_len())
        .zip(together.chunks(shape.out_len()))
    {
        let mut alone = vec![0.0; shape.out_len()];
        forward(&shape, &weight, Some(&bias), image, None, &mut alone);
        assert_bits(&alone, together, "alone");
    }
}

#[test]
fn nothing_comes_of_nothing() {
    let shape = Depthwise {
        height: 2,
        width: 2,
        channels: 4,
        kernel: [3, 3],
        stride: [1, 1],
        padding: [0; 4],
    };
    assert_eq!(shape.out_len(), 0);
    forward(&shape, &[1.0; 36], None, &[], None, &mut []);
}
