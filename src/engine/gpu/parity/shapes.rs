//! Arenas filled with drawn numbers, and the sizes of convolutions and windows; the cases are the table's.

use crate::engine::gpu::kernels::task::{Shape, Turn, Window};
use crate::engine::gpu::twin::Arenas;

/// Numbers between two places that no kernel may touch, at least.
const GAP: u32 = 5;
/// Places begin at multiples of it.
const ALIGNMENT: u32 = 4;

/// Arenas that grow place by place.
#[derive(Debug, Clone)]
pub(super) struct Bench {
    pub(super) arenas: Arenas,
    state: u64,
}

impl Bench {
    /// Empty arenas with room for metrics of three steps.
    pub(super) fn new(seed: u64) -> Self {
        let arenas = Arenas {
            metrics: vec![0; 16],
            ..Arenas::default()
        };
        Self {
            arenas,
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d,
        }
    }

    /// A number in −1..1 (Knuth's MMIX generator).
    pub(super) fn draw(&mut self) -> f32 {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 40) as f32 / 8_388_608.0 - 1.0
    }

    fn drawn(&mut self, count: u32, of: impl Fn(f32) -> f32) -> Vec<f32> {
        let all = (count + GAP).next_multiple_of(ALIGNMENT);
        (0..all).map(|_| of(self.draw())).collect()
    }

    /// A place for values in −1..1.
    pub(super) fn values(&mut self, count: u32) -> u32 {
        self.values_of(count, |x| x)
    }

    /// A place for values made of drawn ones.
    pub(super) fn values_of(&mut self, count: u32, of: impl Fn(f32) -> f32) -> u32 {
        let numbers = self.drawn(count, of);
        let place = self.arenas.values.len() as u32;
        self.arenas.values.extend(numbers);
        place
    }

    /// A place for weights in −1..1.
    pub(super) fn weights(&mut self, count: u32) -> u32 {
        self.weights_of(count, |x| x)
    }

    /// A place for weights made of drawn numbers.
    pub(super) fn weights_of(&mut self, count: u32, of: impl Fn(f32) -> f32) -> u32 {
        let numbers = self.drawn(count, of);
        let place = self.arenas.weights.len() as u32;
        self.arenas.weights.extend(numbers);
        place
    }

    /// A place for drawn numbers in −1..1 times a factor, as halves; in words.
    pub(super) fn halves(&mut self, count: u32, factor: f32) -> u32 {
        let numbers = self.drawn(count, |x| x * factor);
        // As an engine's, they begin at a multiple of a quad.
        let place = self.arenas.numbers.len().next_multiple_of(4);
        self.arenas.numbers.resize(place, 0);
        let words = numbers.chunks(2).map(|both| {
            (both.iter().rev()).fold(0, |word, &x| {
                word << 16 | u32::from(half::f16::from_f32(x).to_bits())
            })
        });
        self.arenas.numbers.extend(words);
        place as u32
    }

    /// A place for other numbers.
    pub(super) fn numbers(&mut self, numbers: impl IntoIterator<Item = u32>) -> u32 {
        let place = self.arenas.numbers.len() as u32;
        self.arenas.numbers.extend(numbers);
        place
    }
}

/// A step of so many rows.
pub(super) const fn turn(rows: u32) -> Turn {
    Turn {
        rows,
        indices: 0,
        labels: 0,
        slot: 1,
        key_low: 0x89ab_cdef,
        key_high: 0x0123_4567,
        smoothing: 0.0,
        optimizer: 0,
        rate: 0.1,
        momentum: 0.9,
        decay: 0.01,
        scale: 3.0,
        keep_first: 0.9,
        take_first: 0.1,
        keep_second: 0.999,
        take_second: 0.001,
        epsilon: 1e-8,
    }
}

/// A convolution: height, width, planes; channels, groups; kernel; stride; padding at the top, left, bottom, right.
pub(super) const fn convolution(
    [height, width, planes]: [u32; 3],
    [channels, groups]: [u32; 2],
    [size_y, size_x]: [u32; 2],
    [stride_y, stride_x]: [u32; 2],
    [top, left, bottom, right]: [u32; 4],
) -> Shape {
    Shape {
        height,
        width,
        planes,
        out_height: (height + top + bottom - size_y) / stride_y + 1,
        out_width: (width + left + right - size_x) / stride_x + 1,
        channels,
        size_y,
        size_x,
        stride_y,
        stride_x,
        top,
        left,
        groups,
    }
}

/// Convolutions with their rows: single numbers, primes, sizes just beyond a tile, strides, groups, lopsided padding.
pub(super) const CONVOLUTIONS: [(u32, Shape); 14] = [
    (1, convolution([1, 1, 1], [1, 1], [1, 1], [1, 1], [0; 4])),
    (67, convolution([1, 1, 40], [33, 1], [1, 1], [1, 1], [0; 4])),
    (3, convolution([1, 7, 5], [3, 1], [1, 1], [1, 1], [0; 4])),
    (2, convolution([5, 7, 3], [17, 1], [3, 3], [1, 1], [1; 4])),
    (2, convolution([8, 8, 16], [16, 1], [3, 3], [1, 1], [1; 4])),
    (
        1,
        convolution([9, 6, 4], [6, 2], [3, 2], [2, 1], [1, 0, 0, 1]),
    ),
    (5, convolution([6, 6, 8], [70, 1], [1, 1], [1, 1], [0; 4])),
    (
        3,
        convolution([11, 11, 8], [12, 4], [5, 5], [3, 3], [2, 2, 1, 1]),
    ),
    (2, convolution([8, 8, 6], [130, 1], [1, 1], [2, 2], [0; 4])),
    (1, convolution([28, 28, 1], [6, 1], [5, 5], [1, 1], [2; 4])),
    // In fours: a kernel smaller than its stride, lopsided strides and groups, many terms, more planes than are fetched.
    (
        2,
        convolution([9, 7, 4], [8, 1], [1, 2], [2, 3], [0, 1, 1, 0]),
    ),
    (
        2,
        convolution([7, 9, 16], [24, 2], [3, 2], [1, 2], [1, 1, 2, 0]),
    ),
    (9, convolution([1, 1, 260], [12, 1], [1, 1], [1, 1], [0; 4])),
    (
        3,
        convolution([6, 5, 68], [20, 1], [3, 3], [2, 2], [0, 0, 1, 1]),
    ),
];

/// Depthwise convolutions with their rows.
pub(super) const DEPTHWISE: [(u32, Shape); 4] = [
    (1, convolution([3, 3, 1], [1, 1], [3, 3], [1, 1], [1; 4])),
    (
        2,
        convolution([7, 5, 13], [13, 13], [3, 3], [2, 2], [1, 1, 0, 1]),
    ),
    (3, convolution([6, 6, 70], [70, 70], [5, 5], [1, 1], [2; 4])),
    (
        2,
        convolution([9, 4, 8], [8, 8], [2, 3], [3, 1], [0, 1, 1, 1]),
    ),
];

/// A window: height, width, channels; size; stride; padding at the top, left, bottom, right.
const fn window(
    [height, width, channels]: [u32; 3],
    [size_y, size_x]: [u32; 2],
    [stride_y, stride_x]: [u32; 2],
    [top, left, bottom, right]: [u32; 4],
) -> Window {
    Window {
        height,
        width,
        channels,
        out_height: (height + top + bottom - size_y) / stride_y + 1,
        out_width: (width + left + right - size_x) / stride_x + 1,
        size_y,
        size_x,
        stride_y,
        stride_x,
        top,
        left,
    }
}

/// Windows with their rows: tiling, overlapping, gaps between, padding, the whole image.
pub(super) const WINDOWS: [(u32, Window); 6] = [
    (1, window([1, 1, 1], [1, 1], [1, 1], [0; 4])),
    (3, window([8, 8, 5], [2, 2], [2, 2], [0; 4])),
    (2, window([7, 9, 17], [3, 3], [2, 2], [1; 4])),
    (2, window([9, 5, 4], [3, 2], [1, 1], [2, 1, 0, 0])),
    (1, window([11, 10, 3], [2, 2], [3, 4], [0, 0, 1, 1])),
    (5, window([7, 6, 19], [7, 6], [1, 1], [0; 4])),
];
