//! How one step of a network is computed in integers, and why not where it is not; it plans, and holds what a run needs.

use super::inexact::{attention, norm, offsets};
use super::product::{Product, Sums};
use crate::engine::cpu::operation::Operation;
use crate::engine::cpu::plan::Step as FloatStep;
use crate::model::{Graph, ResolvedNode};
use crate::quant::{Codes, Integer, Scheme};
use assay_kernels::activation::Activation;
use assay_kernels::integer::{
    Add, AttentionScratch, Average, IntegerAttention, LayerNorm, Look, Offsets, global_average,
    max, quantize, transpose,
};
use assay_kernels::pool::Pool;

/// Memory that steps use while they run.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// Framed images, or the numbers of a dynamic step.
    pub(super) numbers: Vec<i16>,
    /// Numbers of a dynamic step.
    pub(super) input: Vec<i16>,
    /// Sums of 32 bits.
    pub(super) sums: Vec<i32>,
    /// An attention's heads.
    pub(super) attention: AttentionScratch,
}

/// What computes a step.
#[derive(Debug)]
pub(in crate::engine) enum Kind {
    /// The f32 step as it stands in the program.
    Float,
    /// A product whose input is rounded row by row.
    Dynamic(Box<Product>),
    /// A product in integers whose sums are the answer.
    Logits(Box<Product>),
    /// Integers to integers.
    Integer(Box<Whole>),
}

impl Kind {
    /// Whether it reads integers, and whether it writes f32 numbers.
    pub(super) const fn reads_and_writes(&self) -> [bool; 2] {
        match self {
            Self::Float | Self::Dynamic(_) => [false, true],
            Self::Logits(_) => [true, true],
            Self::Integer(_) => [true, false],
        }
    }

    /// Its name in a report.
    pub(super) const fn arithmetic(&self) -> &'static str {
        match self {
            Self::Float => "f32",
            Self::Dynamic(_) => "int8-dynamic",
            Self::Logits(_) | Self::Integer(_) => "int8",
        }
    }
}

/// An operation on integers.
#[derive(Debug)]
pub(in crate::engine) enum Whole {
    Product(Product),
    MaxPool(Pool),
    Average(Average),
    /// With places and channels.
    GlobalAverage(Average, [usize; 2]),
    Add(Add),
    Look(Look),
    /// With channels.
    Transpose(usize),
    LayerNorm(LayerNorm),
    Offsets(Offsets),
    Attention(Box<IntegerAttention>),
}

impl Whole {
    /// Writes so many rows; inputs may be longer than those.
    pub(super) fn run(
        &self,
        rows: usize,
        [first, second]: [Option<&[i16]>; 2],
        out: &mut [i16],
        scratch: &mut Scratch,
    ) {
        let x = first.unwrap_or_default();
        let count = out.len();
        match self {
            Self::Product(product) => product.run_whole(rows, x, second, out, scratch),
            Self::MaxPool(pool) => max(pool, rows, x, out),
            Self::Average(average) => average.forward(rows, x, out),
            Self::GlobalAverage(average, sizes) => {
                let [places, channels] = *sizes;
                global_average(average, *sizes, &x[..rows * places * channels], out);
            }
            Self::Add(add) => {
                add.forward(&x[..count], &second.unwrap_or_default()[..count], out);
            }
            Self::Look(look) => look.forward(&x[..count], out),
            Self::LayerNorm(norm) => norm.forward(&x[..count], out),
            Self::Offsets(offsets) => offsets.forward(&x[..count], out),
            Self::Attention(attention) => {
                let count = rows * attention.shape.input_len();
                attention.forward(&x[..count], out, &mut scratch.attention);
            }
            Self::Transpose(channels) => {
                let each = count / rows;
                for (x, out) in x.chunks_exact(each).zip(out.chunks_exact_mut(each)) {
                    transpose(x, *channels, out);
                }
            }
        }
    }
}

/// A step, and why it is f32 although integers were asked for.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) kind: Kind,
    pub(super) reason: String,
}

impl Step {
    /// How a step is computed; `whole` says which values come out of integers, `answer` is the value of the logits.
    pub(super) fn new(
        graph: &Graph,
        nodes: &[ResolvedNode],
        step: &FloatStep,
        (integer, parameters): (&Integer, &[f32]),
        whole: &[bool],
        answer: usize,
    ) -> Self {
        let float = |reason: &str| Self {
            kind: Kind::Float,
            reason: reason.into(),
        };
        let whole_kind = |whole| Self {
            kind: Kind::Integer(Box::new(whole)),
            reason: String::new(),
        };
        if let Operation::Affine(_) = step.operation {
            let name = &graph.nodes[step.node].name;
            let Some(layer) = integer.layers.get(name) else {
                return float("");
            };
            let node = (graph.nodes[step.node].layer, &nodes[step.node]);
            let made = if layer.scheme == Scheme::Int8Dynamic {
                Product::dynamic(node, layer).map(|product| Kind::Dynamic(Box::new(product)))
            } else if step.output == answer {
                if step.residual.is_some() || step.activation.is_some() {
                    return float("its answer is changed after the sum");
                }
                Product::logits_of(node, layer, integer.codes[step.inputs[0]])
                    .map(|product| Kind::Logits(Box::new(product)))
            } else {
                let codes = [step.inputs[0], step.output].map(|value| integer.codes[value]);
                let residual = step.residual.map(|value| integer.codes[value].step);
                Product::whole(node, layer, codes, residual, step.activation)
                    .map(|product| Kind::Integer(Box::new(Whole::Product(product))))
            };
            return match made {
                Ok(kind) => Self {
                    kind,
                    reason: String::new(),
                },
                Err(reason) => float(&reason),
            };
        }
        if integer.codes.is_empty() || step.output == answer {
            return float("");
        }
        if !step.inputs.iter().all(|&value| whole[value]) {
            return float("what it reads was computed in f32");
        }
        let x = integer.codes[step.inputs[0]];
        let y = integer.codes[step.output];
        let made = match &step.operation {
            Operation::MaxPool(pool) => Some(Whole::MaxPool(*pool)),
            Operation::AveragePool(pool) => {
                let cells = pool.size[0] * pool.size[1];
                let fewest = if pool.padding == [0; 4] { cells } else { 1 };
                average(*pool, [fewest, cells], [x, y]).map(Whole::Average)
            }
            Operation::GlobalAveragePool(sizes) => {
                let pool = Pool {
                    height: 1,
                    width: sizes.places,
                    channels: sizes.channels,
                    size: [1, sizes.places],
                    stride: [1; 2],
                    padding: [0; 4],
                };
                average(pool, [sizes.places; 2], [x, y])
                    .map(|it| Whole::GlobalAverage(it, [sizes.places, sizes.channels]))
            }
            Operation::Transpose(sizes) => Some(Whole::Transpose(sizes.channels)),
            Operation::Activation(function) => Some(Whole::Look(look(*function, [x, y]))),
            Operation::Add => {
                let other = integer.codes[step.inputs[1]];
                add([x.step, other.step], y).map(Whole::Add)
            }
            Operation::Attention(shape) => attention(*shape, [x, y]),
            Operation::LayerNorm {
                scale,
                shift,
                epsilon,
                ..
            } => {
                let numbers = [scale, shift].map(|it| &parameters[it.clone()]);
                norm(numbers, *epsilon, [x, y])
            }
            Operation::Positions(range) => offsets(&parameters[range.clone()], [x, y]),
            Operation::BatchNorm(..) => return float("no product takes it up"),
            Operation::Affine(_) | Operation::Dropout { .. } | Operation::Rounded(_) => None,
        };
        made.map_or_else(|| float("its steps are too far apart"), whole_kind)
    }
}

/// The largest shift with which every factor has a multiplier below 2¹⁵, if one of at least 1 will do.
pub(super) fn shift_for(largest: f64, extra: i32, most: u32) -> Option<u32> {
    let fits = |shift: u32| (largest * 2f64.powi(extra + shift as i32)).round() <= 32767.0;
    (1..=most).rev().find(|&shift| fits(shift))
}

fn average(pool: Pool, [fewest, cells]: [usize; 2], [x, y]: [Codes; 2]) -> Option<Average> {
    if cells > 1 << 15 {
        return None;
    }
    let factor = |cells: usize| f64::from(x.step) / f64::from(y.step) / cells as f64;
    // Sums are multiplied by 2⁸ first.
    let shift = shift_for(factor(fewest), 16 - 8, 30)?;
    let multiplier = |cells: usize| (factor(cells) * 2f64.powi(8 + shift as i32)).round() as i32;
    Some(Average {
        pool,
        multipliers: (0..=cells)
            .map(|count| [if count < fewest { 0 } else { multiplier(count) }; 8])
            .collect(),
        shift,
        range: y.range,
    })
}

fn add(steps: [f32; 2], y: Codes) -> Option<Add> {
    let factors = steps.map(|step| f64::from(step) / f64::from(y.step));
    let shift = shift_for(factors[0].max(factors[1]), 0, 22)?;
    Some(Add {
        multipliers: factors.map(|factor| (factor * 2f64.powi(shift as i32)).round() as i32),
        shift,
        range: y.range,
    })
}

/// Every number's function, rounded as a number of the output.
fn look(function: Activation, [x, y]: [Codes; 2]) -> Look {
    let [low, high] = x.range;
    let mut values: Vec<f32> = (low..=high)
        .map(|number| f32::from(number) * x.step)
        .collect();
    function.apply_in_place(&mut values);
    let mut table = vec![0; values.len()];
    quantize(&values, 1.0 / y.step, y.range, &mut table);
    Look::new(low, &table)
}

/// Room for so many sums.
pub(super) fn sums(scratch: &mut Sums, count: usize) -> &mut [i32] {
    if scratch.len() < count {
        scratch.resize(count, 0);
    }
    &mut scratch[..count]
}
