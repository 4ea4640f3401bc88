//! Every integer kernel against its plain loop, over shapes of one, primes and no multiples of the lanes; equality is exact.

use super::*;
use crate::convolution::Geometry;
use crate::pool::Pool;
use crate::testing::drawn;

fn numbers(count: usize, seed: u64) -> Vec<i16> {
    (drawn(count, seed).iter())
        .map(|value| (value * 255.4) as i16)
        .collect()
}

fn with_slack(mut numbers: Vec<i16>) -> Vec<i16> {
    // Whatever stands there must not matter.
    numbers.extend([i16::MAX; SLACK]);
    numbers
}

fn weights(count: usize, seed: u64) -> Vec<i8> {
    (drawn(count, seed).iter())
        .map(|value| (value * 127.4) as i8)
        .collect()
}

fn biases(count: usize, seed: u64) -> Vec<i32> {
    (drawn(count, seed).iter())
        .map(|value| (value * 50_000.0) as i32)
        .collect()
}

fn multipliers(count: usize, seed: u64) -> Vec<i32> {
    (drawn(count, seed).iter())
        .map(|value| (value.abs() * 32767.0) as i32)
        .collect()
}

/// Sums by definition, `[out rows][out columns][channels]`.
fn plain(geometry: &Geometry, weight: &[i8], bias: &[i32], image: &[i16]) -> Vec<i32> {
    let Geometry {
        planes,
        height,
        width,
        channels,
        kernel,
        stride,
        padding,
        groups,
    } = *geometry;
    let (inner, each) = (planes / groups, channels / groups);
    let mut out = Vec::new();
    for y in 0..geometry.out_height() {
        for x in 0..geometry.out_width() {
            for channel in 0..channels {
                let group = channel / each;
                let mut sum = bias[group * each.next_multiple_of(8) + channel % each];
                for plane in 0..inner {
                    for ky in 0..kernel[0] {
                        for kx in 0..kernel[1] {
                            let row = (y * stride[0] + ky).wrapping_sub(padding[0]);
                            let column = (x * stride[1] + kx).wrapping_sub(padding[1]);
                            if row < height && column < width {
                                let at = (row * width + column) * planes + group * inner + plane;
                                let weight = weight
                                    [((channel * inner + plane) * kernel[0] + ky) * kernel[1] + kx];
                                sum += i32::from(image[at]) * i32::from(weight);
                            }
                        }
                    }
                }
                out.push(sum);
            }
        }
    }
    out
}

const SMALL: Geometry = Geometry {
    planes: 3,
    height: 9,
    width: 7,
    channels: 11,
    kernel: [3, 3],
    stride: [1, 1],
    padding: [1, 1, 1, 1],
    groups: 1,
};

#[test]
fn convolutions_have_the_sums_of_the_plain_loop() {
    for geometry in [
        SMALL,
        Geometry {
            planes: 1,
            kernel: [5, 5],
            padding: [0; 4],
            channels: 32,
            ..SMALL
        },
        Geometry {
            stride: [2, 3],
            padding: [0, 2, 1, 1],
            kernel: [5, 4],
            ..SMALL
        },
        Geometry {
            planes: 12,
            channels: 18,
            groups: 6,
            ..SMALL
        },
        Geometry {
            kernel: [1, 1],
            padding: [0; 4],
            planes: 16,
            channels: 8,
            ..SMALL
        },
    ] {
        let plan = Convolution::new(geometry);
        let weight = weights(geometry.weight_len(), 1);
        let each = geometry.channels / geometry.groups;
        let padded = each.next_multiple_of(8);
        let bias = biases(geometry.groups * padded, 2);
        let images = 2;
        let input = with_slack(numbers(images * geometry.input_len(), 3));
        let mut packed = vec![9; plan.packed_len()];
        plan.pack(&weight, &mut packed);
        let mut scratch = vec![77; plan.scratch_len()];
        let mut out = vec![0; images * geometry.output_len()];
        plan.forward(
            (&packed, &bias),
            images,
            &input,
            |_, _| Raw,
            &mut out,
            &mut scratch,
        );
        let wanted: Vec<i32> = (0..images)
            .flat_map(|image| {
                plain(
                    &geometry,
                    &weight,
                    &bias,
                    &input[image * geometry.input_len()..],
                )
            })
            .collect();
        assert_eq!(out, wanted, "{geometry:?}");
        // The same with a residual and a cut, number by number.
        let residual = numbers(out.len(), 4);
        let scales = multipliers(geometry.groups * padded, 5);
        let length = geometry.output_len();
        let finish = |image: usize, group: usize| Requantize {
            multipliers: &scales[group * padded..][..padded],
            shift: 7,
            residual: Some(Residual {
                numbers: &residual[image * length + group * each..(image + 1) * length],
                factor: Dyadic {
                    multiplier: 20_000,
                    shift: 8,
                },
            }),
            range: [0, 200],
        };
        let mut cut = vec![0; out.len()];
        plan.forward(
            (&packed, &bias),
            images,
            &input,
            finish,
            &mut cut,
            &mut scratch,
        );
        for (index, &found) in cut.iter().enumerate() {
            let (image, rest) = (index / length, index % length);
            let channel = rest % geometry.channels;
            let (group, column) = (channel / each, channel % each);
            let at = rest - group * each;
            let wanted = finish(image, group).one(wanted[index], column, at);
            assert_eq!(found, wanted, "{geometry:?} at {index}");
        }
    }
}

#[test]
fn depthwise_convolutions_have_the_sums_of_the_plain_loop() {
    for (channels, kernel, stride, padding) in [
        (20, [3, 3], [1, 1], [1; 4]),
        (8, [3, 3], [2, 2], [1; 4]),
        (5, [5, 4], [1, 2], [0, 2, 1, 1]),
        (1, [2, 2], [1, 1], [0; 4]),
    ] {
        let geometry = Geometry {
            planes: channels,
            channels,
            groups: channels,
            kernel,
            stride,
            padding,
            ..SMALL
        };
        let plan = Depthwise::new(geometry);
        let weight = weights(geometry.weight_len(), 1);
        let bias = biases(channels.next_multiple_of(8), 2);
        let input = with_slack(numbers(2 * geometry.input_len(), 3));
        let mut packed = vec![9; plan.packed_len()];
        plan.pack(&weight, &mut packed);
        let mut scratch = vec![77; plan.scratch_len()];
        let mut out = vec![0; 2 * geometry.output_len()];
        plan.forward((&packed, &bias), 2, &input, |_| Raw, &mut out, &mut scratch);
        let spread: Vec<i32> = (0..channels)
            .flat_map(|channel| [bias[channel], 0, 0, 0, 0, 0, 0, 0])
            .collect();
        let wanted: Vec<i32> = (0..2)
            .flat_map(|image| {
                plain(
                    &geometry,
                    &weight,
                    &spread,
                    &input[image * geometry.input_len()..],
                )
            })
            .collect();
        assert_eq!(out, wanted, "{geometry:?}");
    }
}

#[test]
fn products_have_the_sums_of_the_plain_loop_on_every_register() {
    for (rows, inner, columns) in [
        (1, 1, 1),
        (1, 40, 70),
        (2, 9, 17),
        (3, 257, 9),
        (4, 8, 8),
        (13, 31, 10),
        (17, 51, 31),
        (23, 64, 3),
    ] {
        let linear = Linear { inner, columns };
        let weight = weights(inner * columns, 1);
        let bias = biases(columns.next_multiple_of(8), 2);
        let x = with_slack(numbers(rows * inner, 3));
        let mut packed = vec![9; linear.packed_len()];
        linear.pack(&weight, &mut packed);
        let mut out = vec![0; rows * columns];
        linear.forward((&packed, &bias), rows, &x, Raw, &mut out);
        for (index, &found) in out.iter().enumerate() {
            let (row, column) = (index / columns, index % columns);
            let sum: i32 = (0..inner)
                .map(|at| i32::from(x[row * inner + at]) * i32::from(weight[column * inner + at]))
                .sum();
            assert_eq!(found, bias[column] + sum, "{rows} {inner} {columns}");
        }
    }
}

#[test]
fn pools_have_the_numbers_of_the_plain_loop() {
    for (channels, size, stride, padding) in [
        (8, [2, 2], [2, 2], [0; 4]),
        (13, [3, 2], [1, 2], [1, 0, 2, 1]),
        (3, [9, 7], [1, 1], [0; 4]),
    ] {
        let pool = Pool {
            height: 9,
            width: 7,
            channels,
            size,
            stride,
            padding,
        };
        let input = numbers(2 * pool.image_len(), 1);
        let cells = size[0] * size[1];
        let average = Average {
            pool,
            multipliers: (0..=cells)
                .map(|count| [((1 << 14) / count.max(1)) as i32; 8])
                .collect(),
            shift: 8,
            range: [-255, 255],
        };
        let (mut largest, mut means) = (vec![0; 2 * pool.out_len()], vec![0; 2 * pool.out_len()]);
        max(&pool, 2, &input, &mut largest);
        average.forward(2, &input, &mut means);
        let mut at = 0;
        for image in input.chunks_exact(pool.image_len()) {
            for y in 0..pool.out_height() {
                for x in 0..pool.out_width() {
                    for channel in 0..channels {
                        let mut found = Vec::new();
                        for ky in 0..size[0] {
                            for kx in 0..size[1] {
                                let row = (y * stride[0] + ky).wrapping_sub(padding[0]);
                                let column = (x * stride[1] + kx).wrapping_sub(padding[1]);
                                if row < 9 && column < 7 {
                                    found.push(image[(row * 7 + column) * channels + channel]);
                                }
                            }
                        }
                        assert_eq!(Some(&largest[at]), found.iter().max(), "{pool:?}");
                        let sum: i32 = found.iter().map(|&it| i32::from(it)).sum();
                        let finish = Requantize {
                            multipliers: &average.multipliers[found.len()],
                            shift: 8,
                            residual: None,
                            range: [-255, 255],
                        };
                        assert_eq!(means[at], finish.one(sum << 8, 0, 0), "{pool:?}");
                        at += 1;
                    }
                }
            }
        }
        let places = 9 * 7;
        let mut whole = average.clone();
        whole.multipliers = vec![[300; 8]; places + 1];
        let mut out = vec![0; 2 * channels];
        global_average(&whole, [places, channels], &input, &mut out);
        for (index, &found) in out.iter().enumerate() {
            let (image, channel) = (index / channels, index % channels);
            let image = &input[image * pool.image_len()..][..pool.image_len()];
            let sum: i32 = (0..places)
                .map(|place| i32::from(image[place * channels + channel]))
                .sum();
            let finish = Requantize {
                multipliers: &[300; 8],
                shift: 8,
                residual: None,
                range: [-255, 255],
            };
            assert_eq!(found, finish.one(sum << 8, 0, 0));
        }
    }
}
