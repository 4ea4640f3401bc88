//! A plain loop for each kernel, over the same arenas and the same words, in f64 with a bound of what f32 may make of it.
//!
//! It is what a kernel means. It knows no tile, no thread and no tree, and it is far too slow for anything but tests.

mod integers;
pub(crate) mod measured;
mod normalization;
mod numbers;
mod product;
mod sliding;
mod training;

use super::kernels::Task;
use super::kernels::task::Turn;
use measured::Measured;

/// The arenas.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Arenas {
    pub(crate) weights: Vec<f32>,
    pub(crate) moments: Vec<f32>,
    pub(crate) values: Vec<f32>,
    pub(crate) data: Vec<f32>,
    pub(crate) numbers: Vec<u32>,
    pub(crate) metrics: Vec<u32>,
}

/// What the arenas hold afterwards, and how far each number may be from that; 0 where nothing is written.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    pub(crate) arenas: Arenas,
    pub(crate) weights: Vec<f64>,
    pub(crate) moments: Vec<f64>,
    pub(crate) values: Vec<f64>,
    /// Of the words of the metrics, which are numbers and how far they may be off; the others are equal.
    pub(crate) metrics: Vec<Option<f64>>,
}

impl Expected {
    /// Nothing written yet.
    pub(crate) fn new(arenas: Arenas) -> Self {
        Self {
            weights: vec![0.0; arenas.weights.len()],
            moments: vec![0.0; arenas.moments.len()],
            values: vec![0.0; arenas.values.len()],
            metrics: vec![None; arenas.metrics.len()],
            arenas,
        }
    }

    fn value(&mut self, index: u32, number: Measured) {
        put(&mut self.arenas.values, &mut self.values, index, number);
    }

    fn weight(&mut self, index: u32, number: Measured) {
        put(&mut self.arenas.weights, &mut self.weights, index, number);
    }

    fn moment(&mut self, index: u32, number: Measured) {
        put(&mut self.arenas.moments, &mut self.moments, index, number);
    }

    /// A part of a value's gradient, and the slope of what gave the value.
    fn contributed(&mut self, before: &Arenas, to: Contribution, index: u32, number: Measured) {
        let mut sum = match to.accumulate {
            0 => number,
            _ => number + before.value(to.output + index),
        };
        if to.activation != 0 {
            sum = sum * numbers::slope(before.value(to.saved + index), to.activation);
        }
        self.value(to.output + index, sum);
    }

    /// What is there plus a number, or the number alone.
    fn accumulated(&mut self, before: &Arenas, index: u32, accumulate: u32, number: Measured) {
        let sum = match accumulate {
            0 => number,
            _ => number + before.value(index),
        };
        self.value(index, sum);
    }
}

/// Where a part of a value's gradient goes.
#[derive(Debug, Clone, Copy)]
struct Contribution {
    output: u32,
    accumulate: u32,
    saved: u32,
    activation: u32,
}

impl Contribution {
    const fn new(output: u32, accumulate: u32, [saved, activation]: [u32; 2]) -> Self {
        Self {
            output,
            accumulate,
            saved,
            activation,
        }
    }
}

fn put(list: &mut [f32], errors: &mut [f64], index: u32, number: Measured) {
    list[index as usize] = number.value as f32;
    errors[index as usize] = number.rounded(1.0).error;
}

impl Arenas {
    fn value(&self, index: u32) -> Measured {
        Measured::exact(self.values[index as usize])
    }

    /// One of the halves among the numbers.
    fn half(&self, index: u32) -> Measured {
        let bits = self.numbers[index as usize / 2] >> (16 * (index % 2));
        Measured::exact(half::f16::from_bits(bits as u16).to_f32())
    }

    fn weight(&self, index: u32) -> Measured {
        Measured::exact(self.weights[index as usize])
    }
}

/// Does one dispatch's work.
pub(crate) fn run(task: &Task, turn: &Turn, before: &Arenas) -> Expected {
    let mut after = Expected::new(before.clone());
    let to = &mut after;
    match task {
        Task::Gather(it) => numbers::gather(it, turn, before, to),
        Task::Product(it) | Task::ProductQuads(it) | Task::LinearRow(it) => {
            product::forward(it, turn, before, to);
        }
        Task::ProductInputGradient(it) | Task::ProductInputGradientQuads(it) => {
            product::input_gradient(it, turn, before, to);
        }
        Task::ProductWeightGradient(it) | Task::ProductWeightGradientQuads(it) => {
            product::weight_gradient(it, turn, before, to);
        }
        Task::Depthwise(it) => product::forward(&product::by_channel(it), turn, before, to),
        Task::DepthwiseInputGradient(it) => {
            product::input_gradient(&product::input_by_channel(it), turn, before, to);
        }
        Task::DepthwiseWeightGradient(it) => {
            product::weight_gradient(&product::weight_by_channel(it), turn, before, to);
        }
        Task::MaxPool(it) => sliding::max_pool(it, turn, before, to),
        Task::MaxPoolGradient(it) => sliding::max_pool_gradient(it, turn, before, to),
        Task::AveragePool(it) => sliding::average_pool(it, turn, before, to),
        Task::AveragePoolGradient(it) => sliding::average_pool_gradient(it, turn, before, to),
        Task::BatchNormStatistics(it) => normalization::statistics(it, turn, before, to),
        Task::BatchNormNormalize(it) => normalization::normalize(it, turn, before, to),
        Task::BatchNormSums(it) => normalization::sums(it, turn, before, to),
        Task::BatchNormGradient(it) => normalization::gradient(it, turn, before, to),
        Task::LayerNorm(it) => normalization::layer_norm(it, turn, before, to),
        Task::LayerNormGradient(it) => normalization::layer_norm_gradient(it, turn, before, to),
        Task::Attention(it) => training::attention(it, turn, before, to),
        Task::AttentionGradient(it) => training::attention_gradient(it, turn, before, to),
        Task::Activation(it) => numbers::activation(it, turn, before, to),
        Task::ActivationGradient(it) => numbers::activation_gradient(it, turn, before, to),
        Task::Add(it) => numbers::add(it, turn, before, to),
        Task::Transpose(it) => numbers::transpose(it, turn, before, to),
        Task::Positions(it) => numbers::positions(it, turn, before, to),
        Task::PositionsGradient(it) => numbers::positions_gradient(it, turn, before, to),
        Task::Dropout(it) => numbers::dropout(it, turn, before, to),
        Task::CrossEntropy(it) => training::cross_entropy(it, turn, before, to),
        Task::Update(it) => training::update(it, turn, before, to),
        Task::IntegerGather(it) => integers::gather(it, turn, before, to),
        Task::IntegerProduct(it) => integers::product(it, turn, before, to),
        Task::IntegerPool(it) => integers::pool(it, turn, before, to),
        Task::IntegerMap(it) => integers::map(it, turn, before, to),
        Task::IntegerNorm(it) => integers::norm(it, turn, before, to),
        Task::IntegerAttention(it) => integers::attention(it, turn, before, to),
        Task::IntegerTranspose(it) => integers::transpose(it, turn, before, to),
    }
    after
}

/// The rows of one of `parts` parts.
fn part(rows: u32, parts: u32, part: u32) -> std::ops::Range<u32> {
    let share = rows.div_ceil(parts);
    let first = (part * share).min(rows);
    first..(first + share).min(rows)
}
