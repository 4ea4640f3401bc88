//! Pooling against the definition, bit for bit, and its gradients against central differences.

use super::*;
use crate::testing::{U, assert_bits, assert_within, central_differences, drawn, wide};

fn shapes() -> Vec<Pool> {
    let mut shapes = Vec::new();
    for (height, width) in [(2, 2), (5, 7), (8, 8), (3, 11), (1, 4)] {
        for (size, stride, padding) in [
            ([2, 2], [2, 2], [0; 4]),
            ([3, 3], [2, 2], [1, 1, 1, 1]),
            ([3, 3], [1, 1], [0, 2, 1, 0]),
            ([1, 4], [1, 3], [0; 4]),
            ([2, 3], [3, 4], [1, 0, 1, 2]),
        ] {
            for channels in [1, 3, 4, 6, 8, 13] {
                let shape = Pool {
                    height,
                    width,
                    channels,
                    size,
                    stride,
                    padding,
                };
                if shape.out_len() > 0 {
                    shapes.push(shape);
                }
            }
        }
    }
    assert!(shapes.len() > 100);
    shapes
}

/// The cells of each output, in row-major order, by the definition.
fn cells(shape: &Pool) -> Vec<Vec<usize>> {
    let mut windows = Vec::new();
    for row in 0..shape.out_height() {
        for column in 0..shape.out_width() {
            for channel in 0..shape.channels {
                let mut cells = Vec::new();
                for down in 0..shape.size[0] {
                    for across in 0..shape.size[1] {
                        let y = (row * shape.stride[0] + down).checked_sub(shape.padding[0]);
                        let x = (column * shape.stride[1] + across).checked_sub(shape.padding[1]);
                        if let (Some(y), Some(x)) = (y, x)
                            && y < shape.height
                            && x < shape.width
                        {
                            cells.push((y * shape.width + x) * shape.channels + channel);
                        }
                    }
                }
                windows.push(cells);
            }
        }
    }
    windows
}

/// Numbers of which many are equal, with some NaN and zeros of both signs.
fn tied(count: usize, seed: u64) -> Vec<f32> {
    drawn(count, seed)
        .into_iter()
        .map(|x| (x * 3.0).round() / 3.0)
        .enumerate()
        .map(|(index, x)| if index % 11 == 5 { f32::NAN } else { x })
        .collect()
}

/// The first cell that no later one exceeds.
fn first_maximum(image: &[f32], cells: &[usize]) -> usize {
    cells[1..].iter().fold(cells[0], |best, &cell| {
        if image[cell] > image[best] {
            cell
        } else {
            best
        }
    })
}

#[test]
fn maxima_and_their_gradients_are_those_of_the_definition() {
    for shape in shapes() {
        let windows = cells(&shape);
        for input in [
            drawn(2 * shape.image_len(), 1),
            tied(2 * shape.image_len(), 2),
        ] {
            let dy = drawn(2 * shape.out_len(), 3);
            let (mut wanted, mut wanted_dx) = (Vec::new(), vec![0.0; input.len()]);
            for (index, image) in input.chunks(shape.image_len()).enumerate() {
                for (output, cells) in windows.iter().enumerate() {
                    let best = first_maximum(image, cells);
                    wanted.push(image[best]);
                    wanted_dx[index * shape.image_len() + best] +=
                        dy[index * shape.out_len() + output];
                }
            }
            let mut found = vec![9.0; wanted.len()];
            max(&shape, &input, &mut found);
            assert_bits(&found, &wanted, &format!("{shape:?}"));
            let mut dx = vec![9.0; input.len()];
            max_gradient(&shape, &input, &dy, &mut dx);
            assert_bits(&dx, &wanted_dx, &format!("gradient of {shape:?}"));
        }
    }
}

#[test]
fn means_and_their_gradients_are_those_of_the_definition() {
    for shape in shapes() {
        let input = drawn(2 * shape.image_len(), 1);
        let dy = drawn(2 * shape.out_len(), 3);
        let (mut wanted, mut wanted_dx) = (Vec::new(), vec![0.0; input.len()]);
        for (index, image) in input.chunks(shape.image_len()).enumerate() {
            for (output, cells) in cells(&shape).iter().enumerate() {
                let sum = cells.iter().fold(0.0, |sum, &cell| sum + image[cell]);
                wanted.push(sum / cells.len() as f32);
                for cell in cells {
                    wanted_dx[index * shape.image_len() + cell] +=
                        dy[index * shape.out_len() + output] / cells.len() as f32;
                }
            }
        }
        let mut found = vec![9.0; wanted.len()];
        average(&shape, &input, &mut found);
        assert_bits(&found, &wanted, &format!("{shape:?}"));
        let mut dx = vec![9.0; input.len()];
        average_gradient(&shape, &dy, &mut dx);
        assert_bits(&dx, &wanted_dx, &format!("gradient of {shape:?}"));
    }
}

#[test]
fn gradients_are_those_of_central_differences() {
    for shape in shapes().into_iter().step_by(3) {
        if shape.image_len() > 150 {
            continue;
        }
        let input = drawn(shape.image_len(), 1);
        let dy = drawn(shape.out_len(), 3);
        let windows = cells(&shape);
        // Each cell is in at most twelve windows; a share is rounded once, and so is each sum.
        let bound = |_: usize| 24.0 * U * 12.0 + 1e-9;
        let largest = |image: &[f64]| {
            let largest = |cells: &Vec<usize>| {
                cells
                    .iter()
                    .map(|&cell| image[cell])
                    .fold(f64::NEG_INFINITY, f64::max)
            };
            windows.iter().map(largest).collect()
        };
        let wanted = central_differences(&wide(&input), &dy, largest);
        let mut dx = vec![0.0; input.len()];
        max_gradient(&shape, &input, &dy, &mut dx);
        assert_within(&dx, &wanted, bound, &format!("maximum, {shape:?}"));

        let mean = |image: &[f64]| {
            let mean = |cells: &Vec<usize>| {
                cells.iter().map(|&cell| image[cell]).sum::<f64>() / cells.len() as f64
            };
            windows.iter().map(mean).collect()
        };
        let wanted = central_differences(&wide(&input), &dy, mean);
        average_gradient(&shape, &dy, &mut dx);
        assert_within(&dx, &wanted, bound, &format!("mean, {shape:?}"));
    }
}

#[test]
fn a_global_mean_is_the_mean_of_each_channel() {
    for (places, channels) in [(1, 1), (7, 3), (64, 4), (49, 10), (5, 17)] {
        let input = drawn(3 * places * channels, 1);
        let mut wanted = Vec::new();
        for image in input.chunks(places * channels) {
            for channel in 0..channels {
                let sum = image[channel..]
                    .iter()
                    .step_by(channels)
                    .fold(0.0, |sum, x| sum + x);
                wanted.push(sum / places as f32);
            }
        }
        let mut found = vec![9.0; 3 * channels];
        global_average(places, channels, &input, &mut found);
        assert_bits(&found, &wanted, "mean");
        let dy = drawn(3 * channels, 2);
        let mut dx = vec![9.0; input.len()];
        global_average_gradient(places, channels, &dy, &mut dx);
        for (index, dx) in dx.iter().enumerate() {
            let from = index / (places * channels) * channels + index % channels;
            assert_eq!(*dx, dy[from] / places as f32);
        }
    }
}

#[test]
#[should_panic = "padding as wide as the window"]
fn a_window_of_padding_alone_is_refused() {
    let shape = Pool {
        height: 2,
        width: 2,
        channels: 1,
        size: [2, 2],
        stride: [2, 2],
        padding: [2, 0, 0, 0],
    };
    max(&shape, &[0.0; 4], &mut vec![0.0; shape.out_len()]);
}
