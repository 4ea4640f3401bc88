//! A linear layer or a convolution with integer weights: packing, steps to multipliers, and the three ways its sums leave.

use super::step::{Scratch, shift_for, sums};
use crate::engine::cpu::affine::geometry;
use crate::engine::cpu::operation::sizes;
use crate::model::{Layer, ResolvedNode};
use crate::quant::{Codes, IntegerLayer};
use assay_kernels::activation::Activation;
use assay_kernels::elementwise;
use assay_kernels::integer::{
    COLUMNS, Convolution, Depthwise, Dyadic, Finishing, Linear, SLACK, largest, quantize,
    scaled_row, scaled_sums,
};

/// Sums of 32 bits.
pub(super) type Sums = Vec<i32>;

/// Which kernel.
#[derive(Debug)]
enum Kernel {
    /// So many rows of the product for each row of the batch.
    Linear(Linear, usize),
    Convolution(Box<Convolution>),
    Depthwise(Box<Depthwise>),
}

/// What a sum of an output becomes; see [`Finishing`].
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Finish {
    /// What is shifted by in the end.
    pub(in crate::engine) shift: u32,
    /// The factor of what is added.
    pub(in crate::engine) residual: Option<Dyadic>,
    /// The smallest and the largest result.
    pub(in crate::engine) range: [i16; 2],
}

/// What numbers become of sums.
#[derive(Debug)]
struct Multipliers {
    multipliers: Vec<i32>,
    shift: u32,
    residual: Option<Dyadic>,
    range: [i16; 2],
}

/// A product with integer weights.
#[derive(Debug)]
pub(in crate::engine) struct Product {
    kernel: Kernel,
    groups: usize,
    packed: Vec<i16>,
    /// One for each column of each group, up to whole eights.
    bias: Vec<i32>,
    /// What a sum's one is worth, for each output, where sums leave as numbers.
    steps: Vec<f32>,
    /// The bias as a number, where the sum has none.
    float_bias: Vec<f32>,
    finish: Option<Multipliers>,
    input_len: usize,
    output_len: usize,
}

/// A number that does not fit, in words.
type Hindered<T> = Result<T, String>;

impl Product {
    /// A product whose sums become numbers of 8 bits. `codes` are of its input and output, `residual` the step of what is
    /// added.
    pub(super) fn whole(
        node: (Layer, &ResolvedNode),
        layer: &IntegerLayer,
        codes: [Codes; 2],
        residual: Option<f32>,
        activation: Option<Activation>,
    ) -> Hindered<Self> {
        let [x, y] = codes;
        let mut product = Self::new(node, layer)?;
        product.set_bias(layer, x.step)?;
        let factor = |step: f32| f64::from(x.step) * f64::from(step) / f64::from(y.step);
        let most = layer.steps.iter().copied().map(factor).fold(0.0, f64::max);
        let shift = shift_for(most, 16, 30)
            .ok_or("its output's step is finer than four of its sums' steps")?;
        let scale = 2f64.powi(16 + shift as i32);
        let multipliers: Vec<i32> = (layer.steps.iter())
            .map(|&step| (factor(step) * scale).round() as i32)
            .collect();
        let residual = match residual {
            None => None,
            Some(step) => {
                let factor = f64::from(step) / f64::from(y.step) * 2f64.powi(shift as i32);
                if factor.round() > 32767.0 {
                    return Err("what is added to it has far larger steps than its output".into());
                }
                Some(Dyadic::nearest(factor, 22))
            }
        };
        let mut range = y.range;
        match activation {
            Some(Activation::Relu) => range[0] = 0,
            Some(Activation::Relu6) => range = [0, y.number(6.0)],
            _ => {}
        }
        product.finish = Some(Multipliers {
            multipliers: product.by_column(&multipliers),
            shift,
            residual,
            range,
        });
        Ok(product)
    }

    /// A product whose sums are the answer.
    pub(super) fn logits_of(
        node: (Layer, &ResolvedNode),
        layer: &IntegerLayer,
        x: Codes,
    ) -> Hindered<Self> {
        let mut product = Self::new(node, layer)?;
        product.set_bias(layer, x.step)?;
        product.steps = layer.steps.iter().map(|step| step * x.step).collect();
        Ok(product)
    }

    /// A product whose input is rounded row by row.
    pub(super) fn dynamic(node: (Layer, &ResolvedNode), layer: &IntegerLayer) -> Hindered<Self> {
        let mut product = Self::new(node, layer)?;
        product.steps.clone_from(&layer.steps);
        product.float_bias = match layer.bias.as_slice() {
            [] => vec![0.0; layer.steps.len()],
            bias => bias.to_vec(),
        };
        Ok(product)
    }

    fn new((layer, resolved): (Layer, &ResolvedNode), integer: &IntegerLayer) -> Hindered<Self> {
        let count = |shape: &[u32]| shape.iter().map(|&size| size as usize).product();
        let (kernel, groups) = match layer {
            Layer::Convolution(convolution) => {
                let geometry = geometry(convolution, resolved.input());
                let Convoluted { kernel, groups } = Convoluted::of(geometry);
                (kernel, groups)
            }
            _ => {
                let input = sizes(resolved.input());
                let linear = Linear {
                    inner: input.channels,
                    columns: sizes(&resolved.output).channels,
                };
                (Kernel::Linear(linear, input.places), 1)
            }
        };
        let mut product = Self {
            packed: vec![
                0;
                match &kernel {
                    Kernel::Linear(linear, _) => linear.packed_len(),
                    Kernel::Convolution(plan) => plan.packed_len(),
                    Kernel::Depthwise(plan) => plan.packed_len(),
                }
            ],
            kernel,
            groups,
            bias: Vec::new(),
            steps: Vec::new(),
            float_bias: Vec::new(),
            finish: None,
            input_len: count(resolved.input()),
            output_len: count(&resolved.output),
        };
        match &product.kernel {
            Kernel::Linear(linear, _) => linear.pack(&integer.weights, &mut product.packed),
            Kernel::Convolution(plan) => plan.pack(&integer.weights, &mut product.packed),
            Kernel::Depthwise(plan) => plan.pack(&integer.weights, &mut product.packed),
        }
        product.bias = product.by_column(&vec![0; integer.steps.len()]);
        product.check_sums(integer, &vec![0; integer.steps.len()])?;
        Ok(product)
    }

    /// Whether every sum fits 32 bits, whatever comes in.
    fn check_sums(&self, layer: &IntegerLayer, bias: &[i64]) -> Hindered<()> {
        let inner = (layer.weights.len() / layer.steps.len()).max(1);
        for (weights, bias) in layer.weights.chunks_exact(inner).zip(bias) {
            let sum: i64 = weights
                .iter()
                .map(|&weight| i64::from(weight).abs() * 255)
                .sum();
            if sum + bias.abs() > i64::from(i32::MAX) {
                return Err("its sums could have more than 32 bits".into());
            }
        }
        Ok(())
    }

    fn set_bias(&mut self, layer: &IntegerLayer, input: f32) -> Hindered<()> {
        if layer.bias.is_empty() {
            return Ok(());
        }
        let steps = |(bias, step): (&f32, &f32)| {
            let step = f64::from(*step) * f64::from(input);
            if step == 0.0 {
                0
            } else {
                (f64::from(*bias) / step).round_ties_even() as i64
            }
        };
        let bias: Vec<i64> = layer.bias.iter().zip(&layer.steps).map(steps).collect();
        self.check_sums(layer, &bias)?;
        let fitting: Vec<i32> = bias.into_iter().map(|bias| bias as i32).collect();
        self.bias = self.by_column(&fitting);
        Ok(())
    }

    /// Numbers of outputs, each group's filled up to whole eights.
    fn by_column(&self, of_outputs: &[i32]) -> Vec<i32> {
        let each = (of_outputs.len() / self.groups).max(1);
        let mut columns = Vec::new();
        for group in of_outputs.chunks(each) {
            columns.extend_from_slice(group);
            columns.resize(columns.len().next_multiple_of(COLUMNS), 0);
        }
        columns
    }

    /// Numbers of 8 bits for so many rows.
    pub(super) fn run_whole(
        &self,
        rows: usize,
        x: &[i16],
        added: Option<&[i16]>,
        out: &mut [i16],
        scratch: &mut Scratch,
    ) {
        let Some(own) = &self.finish else {
            return;
        };
        let finish = Finishing {
            multipliers: &own.multipliers,
            shift: own.shift,
            residual: added.zip(own.residual),
            range: own.range,
        };
        let weights = (self.packed.as_slice(), self.bias.as_slice());
        let frame = self.frame(&mut scratch.numbers);
        match &self.kernel {
            Kernel::Linear(linear, places) => {
                linear.numbers(weights, rows * places, x, &finish, out);
            }
            Kernel::Convolution(plan) => plan.numbers(weights, rows, x, &finish, out, frame),
            Kernel::Depthwise(plan) => plan.numbers(weights, rows, x, &finish, out, frame),
        }
    }

    /// Sums for so many rows.
    fn run_sums(&self, rows: usize, x: &[i16], out: &mut [i32], frame: &mut Vec<i16>) {
        let weights = (self.packed.as_slice(), self.bias.as_slice());
        let frame = self.frame(frame);
        match &self.kernel {
            Kernel::Linear(linear, places) => linear.sums(weights, rows * places, x, out),
            Kernel::Convolution(plan) => plan.sums(weights, rows, x, out, frame),
            Kernel::Depthwise(plan) => plan.sums(weights, rows, x, out, frame),
        }
    }

    /// Room to frame an image in.
    fn frame<'a>(&self, frame: &'a mut Vec<i16>) -> &'a mut [i16] {
        let len = match &self.kernel {
            Kernel::Linear(..) => 0,
            Kernel::Convolution(plan) => plan.scratch_len(),
            Kernel::Depthwise(plan) => plan.scratch_len(),
        };
        frame.resize(frame.len().max(len), 0);
        frame
    }

    /// Bias and multiplier of each output; multipliers are 0 where sums are the answer.
    pub(in crate::engine) fn constants(&self) -> Vec<[i32; 2]> {
        let each = self.output_channels() / self.groups;
        let columns = each.next_multiple_of(COLUMNS);
        let multipliers = self.finish.as_ref().map(|it| it.multipliers.as_slice());
        (0..self.output_channels())
            .map(|output| output / each * columns + output % each)
            .map(|at| [self.bias[at], multipliers.map_or(0, |it| it[at])])
            .collect()
    }

    /// What becomes of sums, unless they are the answer.
    pub(in crate::engine) fn finishing(&self) -> Option<Finish> {
        self.finish.as_ref().map(|it| Finish {
            shift: it.shift,
            residual: it.residual,
            range: it.range,
        })
    }

    /// What one of a sum is worth, for each output, where sums are the answer.
    pub(in crate::engine) fn answer_steps(&self) -> &[f32] {
        &self.steps
    }

    fn output_channels(&self) -> usize {
        match &self.kernel {
            Kernel::Linear(linear, _) => linear.columns,
            Kernel::Convolution(plan) => plan.geometry().channels,
            Kernel::Depthwise(plan) => plan.geometry().channels,
        }
    }

    /// Sums as numbers for so many rows.
    pub(super) fn logits(&self, rows: usize, x: &[i16], out: &mut [f32], scratch: &mut Scratch) {
        let sums = sums(&mut scratch.sums, rows * self.output_len);
        self.run_sums(rows, x, sums, &mut scratch.numbers);
        scaled_sums(sums, &self.steps, out);
    }

    /// Numbers for so many rows, each rounded with a step of its own: its largest number has 127 of them.
    pub(super) fn run_dynamic(
        &self,
        rows: usize,
        x: &[f32],
        residual: Option<&[f32]>,
        out: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let input = &mut scratch.input;
        input.resize(input.len().max(rows * self.input_len + SLACK), 0);
        let step = |x: &[f32]| largest(x) / 127.0;
        for (x, to) in x
            .chunks_exact(self.input_len)
            .zip(input.chunks_exact_mut(self.input_len))
        {
            let step = step(x);
            let inverse = if step > 0.0 { 1.0 / step } else { 0.0 };
            quantize(x, inverse, [-127, 127], to);
        }
        let sums = sums(&mut scratch.sums, rows * self.output_len);
        self.run_sums(rows, &scratch.input, sums, &mut scratch.numbers);
        let rows = x
            .chunks_exact(self.input_len)
            .zip(sums.chunks_exact(self.output_len));
        for ((x, sums), out) in rows.zip(out.chunks_exact_mut(self.output_len)) {
            scaled_row(sums, step(x), [&self.steps, &self.float_bias], out);
        }
        if let Some(residual) = residual {
            elementwise::add_assign(out, residual);
        }
    }
}

/// A convolution's kernel and the groups that are computed one by one.
struct Convoluted {
    kernel: Kernel,
    groups: usize,
}

impl Convoluted {
    fn of(geometry: assay_kernels::convolution::Geometry) -> Self {
        let depthwise = geometry.groups == geometry.planes && geometry.groups == geometry.channels;
        let dense = geometry.groups == 1
            && geometry.kernel == [1, 1]
            && geometry.stride == [1, 1]
            && geometry.padding == [0; 4];
        let kernel = if dense {
            let linear = Linear {
                inner: geometry.planes,
                columns: geometry.channels,
            };
            Kernel::Linear(linear, geometry.height * geometry.width)
        } else if depthwise {
            Kernel::Depthwise(Box::new(Depthwise::new(geometry)))
        } else {
            Kernel::Convolution(Box::new(Convolution::new(geometry)))
        };
        let groups = if depthwise { 1 } else { geometry.groups };
        Self { kernel, groups }
    }
}
