//! What a dispatch has to compute and to move at the least, counted from its sizes; how it does so is not looked at.

use super::Task;
use super::task::{NONE, Shape, Window};

/// The least that a task asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Work {
    /// Multiplications and additions of products, each for itself; what is done number by number is not counted.
    pub(crate) flops: u64,
    /// Bytes: every number that is read or written, once.
    pub(crate) bytes: u64,
}

/// Numbers of a convolution for some rows: inputs, outputs, weights.
fn convolution(shape: &Shape, rows: u64) -> [u64; 3] {
    let outputs = rows * shape.places() * u64::from(shape.channels);
    [
        rows * shape.in_places() * u64::from(shape.planes),
        outputs,
        shape.depth() * u64::from(shape.channels),
    ]
}

/// Numbers of a pooling for some rows: inputs, outputs.
fn pool(window: &Window, rows: u64) -> [u64; 2] {
    let count = |height: u32, width: u32| {
        rows * u64::from(height) * u64::from(width) * u64::from(window.channels)
    };
    [
        count(window.height, window.width),
        count(window.out_height, window.out_width),
    ]
}

/// One for an activation whose slope is read.
fn saved(activation: u32) -> u64 {
    u64::from(activation != 0)
}

const fn if_there(place: u32, count: u64) -> u64 {
    if place == NONE { 0 } else { count }
}

impl Task {
    /// What it asks for with so many rows.
    pub(crate) fn work(&self, rows: u32) -> Work {
        let rows = u64::from(rows);
        let wide = u64::from;
        let flops = match self {
            Self::Product(it)
            | Self::ProductQuads(it)
            | Self::LinearRow(it)
            | Self::Depthwise(it) => of_product(&it.shape, rows),
            Self::ProductInputGradient(it)
            | Self::ProductInputGradientQuads(it)
            | Self::DepthwiseInputGradient(it) => of_product(&it.shape, rows),
            Self::ProductWeightGradient(it)
            | Self::ProductWeightGradientQuads(it)
            | Self::DepthwiseWeightGradient(it) => of_product(&it.shape, rows),
            Self::IntegerProduct(it) => of_product(&it.shape, rows),
            Self::IntegerAttention(it) => 4 * rows * wide(it.tokens).pow(2) * wide(4 * it.words),
            // Scores and outputs; then scores, and the gradients of scores, q, k and v.
            Self::Attention(it) => 4 * rows * wide(it.tokens).pow(2) * wide(it.width),
            Self::AttentionGradient(it) => 10 * rows * wide(it.tokens).pow(2) * wide(it.width),
            _ => 0,
        };
        Work {
            flops,
            bytes: 4 * self.numbers(rows),
        }
    }

    /// Numbers that are read and written.
    fn numbers(&self, rows: u64) -> u64 {
        let wide = u64::from;
        match self {
            Self::Gather(it) => 2 * rows * wide(it.channels) * wide(it.places),
            Self::Product(it)
            | Self::ProductQuads(it)
            | Self::LinearRow(it)
            | Self::Depthwise(it) => {
                let [inputs, outputs, weights] = convolution(&it.shape, rows);
                let more = if_there(it.residual, outputs) + if_there(it.kept, outputs);
                let weights = if self.reads_halves() {
                    weights / 2
                } else {
                    weights
                };
                inputs + weights + outputs + more
            }
            Self::ProductInputGradient(it)
            | Self::ProductInputGradientQuads(it)
            | Self::DepthwiseInputGradient(it) => {
                let [inputs, outputs, weights] = convolution(&it.shape, rows);
                outputs + weights + (1 + wide(it.accumulate) + saved(it.activation)) * inputs
            }
            Self::ProductWeightGradient(it)
            | Self::ProductWeightGradientQuads(it)
            | Self::DepthwiseWeightGradient(it) => {
                let [inputs, outputs, weights] = convolution(&it.shape, rows);
                inputs + outputs + wide(it.parts) * weights
            }
            Self::MaxPool(it) | Self::AveragePool(it) => pool(&it.window, rows).iter().sum(),
            Self::MaxPoolGradient(it) => {
                let [inputs, outputs] = pool(&it.window, rows);
                (2 + wide(it.accumulate) + saved(it.activation)) * inputs + outputs
            }
            Self::AveragePoolGradient(it) => {
                let [inputs, outputs] = pool(&it.window, rows);
                (1 + wide(it.accumulate) + saved(it.activation)) * inputs + outputs
            }
            Self::BatchNormStatistics(it) => rows * wide(it.places) * wide(it.channels),
            Self::BatchNormNormalize(it) => {
                let count = rows * wide(it.places) * wide(it.channels);
                2 * count + if_there(it.residual, count) + if_there(it.kept, count)
            }
            Self::BatchNormSums(it) => 2 * rows * wide(it.places) * wide(it.channels),
            Self::BatchNormGradient(it) => {
                let count = rows * wide(it.places) * wide(it.channels);
                if_there(it.output, (3 + wide(it.accumulate)) * count)
            }
            Self::LayerNorm(it) => 2 * rows * wide(it.places) * wide(it.channels),
            Self::LayerNormGradient(it) => {
                let count = rows * wide(it.places) * wide(it.channels);
                2 * count + if_there(it.output, (1 + wide(it.accumulate)) * count)
            }
            Self::Attention(it) => 4 * rows * wide(it.tokens) * wide(it.width),
            Self::AttentionGradient(it) => {
                (8 + 3 * wide(it.accumulate)) * rows * wide(it.tokens) * wide(it.width)
            }
            Self::Activation(it) => 2 * rows * wide(it.length),
            Self::ActivationGradient(it) => (3 + wide(it.accumulate)) * rows * wide(it.length),
            Self::Add(it) => {
                let count = rows * wide(it.length);
                2 * count + if_there(it.right, count) + if_there(it.kept, count)
            }
            Self::Transpose(it) => {
                (2 + wide(it.accumulate)) * rows * wide(it.height) * wide(it.width)
            }
            Self::Positions(it) => 2 * rows * wide(it.length),
            Self::PositionsGradient(it) => (rows + wide(it.parts)) * wide(it.length),
            Self::Dropout(it) => (2 + wide(it.accumulate)) * rows * wide(it.length),
            Self::CrossEntropy(it) => (1 + if_there(it.output, 1)) * rows * wide(it.classes),
            // Weight and two moments read and written, and one part of each gradient.
            Self::Update(it) => 7 * wide(it.length),
            // Four integers are a word.
            Self::IntegerGather(it) => 2 * rows * wide(it.words),
            Self::IntegerProduct(it) => {
                let [inputs, outputs, weights] = convolution(&it.shape, rows);
                (inputs + weights + outputs + if_there(it.residual, outputs)).div_ceil(4)
            }
            Self::IntegerPool(it) => pool(&it.window, rows).iter().sum::<u64>().div_ceil(4),
            Self::IntegerMap(it) => (2 + if_there(it.right, 1)) * rows * wide(it.words),
            Self::IntegerNorm(it) => (2 * rows * wide(it.places) * wide(it.channels)).div_ceil(4),
            Self::IntegerAttention(it) => 4 * rows * wide(it.tokens) * wide(it.words),
            Self::IntegerTranspose(it) => {
                (2 * rows * wide(it.places) * wide(it.channels)).div_ceil(4)
            }
        }
    }

    /// Its sizes, for people: `64×32×32×16 → 16 by 3×3`.
    pub(crate) fn sizes(&self, rows: u32) -> String {
        let convolution = |s: &Shape| {
            let groups = if s.groups > 1 {
                format!(" in {} groups", s.groups)
            } else {
                String::new()
            };
            format!(
                "{rows}×{}×{}×{} → {} by {}×{}{groups}",
                s.height, s.width, s.planes, s.channels, s.size_y, s.size_x
            )
        };
        let by_number = |length: u32| format!("{rows}×{length}");
        let by_place = |places: u32, channels: u32| format!("{rows}×{places}×{channels}");
        match self {
            Self::Gather(it) => by_place(it.places, it.channels),
            Self::Product(it)
            | Self::ProductQuads(it)
            | Self::LinearRow(it)
            | Self::Depthwise(it) => convolution(&it.shape),
            Self::ProductInputGradient(it)
            | Self::ProductInputGradientQuads(it)
            | Self::DepthwiseInputGradient(it) => convolution(&it.shape),
            Self::ProductWeightGradient(it)
            | Self::ProductWeightGradientQuads(it)
            | Self::DepthwiseWeightGradient(it) => {
                format!("{} in {} parts", convolution(&it.shape), it.parts)
            }
            Self::MaxPool(it) | Self::AveragePool(it) => pool_words(&it.window, rows),
            Self::MaxPoolGradient(it) => pool_words(&it.window, rows),
            Self::AveragePoolGradient(it) => pool_words(&it.window, rows),
            Self::BatchNormStatistics(it) => {
                format!("{} in {} parts", by_place(it.places, it.channels), it.parts)
            }
            Self::BatchNormSums(it) => {
                format!("{} in {} parts", by_place(it.places, it.channels), it.parts)
            }
            Self::BatchNormNormalize(it) => by_place(it.places, it.channels),
            Self::BatchNormGradient(it) => by_place(it.places, it.channels),
            Self::LayerNorm(it) => by_place(it.places, it.channels),
            Self::LayerNormGradient(it) => by_place(it.places, it.channels),
            Self::Attention(it) => by_place(it.tokens, it.width),
            Self::AttentionGradient(it) => by_place(it.tokens, it.width),
            Self::Activation(it) => by_number(it.length),
            Self::ActivationGradient(it) => by_number(it.length),
            Self::Add(it) => by_number(it.length),
            Self::Transpose(it) => by_place(it.height, it.width),
            Self::Positions(it) => by_number(it.length),
            Self::PositionsGradient(it) => by_number(it.length),
            Self::Dropout(it) => by_number(it.length),
            Self::CrossEntropy(it) => by_number(it.classes),
            Self::Update(it) => format!("{} weights", it.length),
            Self::IntegerGather(it) => by_number(4 * it.words),
            Self::IntegerProduct(it) => convolution(&it.shape),
            Self::IntegerPool(it) => pool_words(&it.window, rows),
            Self::IntegerMap(it) => by_number(4 * it.words),
            Self::IntegerNorm(it) => by_place(it.places, it.channels),
            Self::IntegerAttention(it) => by_place(it.tokens, 4 * it.words),
            Self::IntegerTranspose(it) => by_place(it.places, it.channels),
        }
    }
}

fn of_product(shape: &Shape, rows: u64) -> u64 {
    2 * rows * shape.places() * u64::from(shape.channels) * shape.depth()
}

fn pool_words(window: &Window, rows: u32) -> String {
    let w = window;
    format!(
        "{rows}×{}×{}×{} by {}×{}",
        w.height, w.width, w.channels, w.size_y, w.size_x
    )
}
