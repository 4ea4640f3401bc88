//! A layer graph in candle's own operations and in f64: what the engine's logits and gradients are held to.
//!
//! It is written for one reading and not for speed. Where candle's convolution has no such stride or padding or its
//! gradient fails, and for pooling, whose gradient candle 0.11.1 gets wrong, the window's cells are taken one by one.

use assay::model::{Activation, Convolution, Graph, Layer, ResolvedNode, Source, Weights, Window};
use candle_core::{D, DType, Device, Result, Tensor, Var};
use std::collections::BTreeMap;

/// Which form of the layers.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Form {
    /// Running statistics, no dropout.
    Answers,
    /// Statistics of the batch, dropout by this key.
    Training(u64),
}

/// A graph with its parameters.
pub(crate) struct Reference<'a> {
    graph: &'a Graph,
    nodes: Vec<ResolvedNode>,
    variables: BTreeMap<String, Var>,
}

/// f64 numbers as a tensor.
fn tensor(values: &[f64], shape: &[usize]) -> Tensor {
    Tensor::from_slice(values, shape, &Device::Cpu).expect("values fill their shape")
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| value.into()).collect()
}

fn sizes(shape: &[u32]) -> Vec<usize> {
    shape.iter().map(|&size| size as usize).collect()
}

impl<'a> Reference<'a> {
    pub(crate) fn new(graph: &'a Graph, weights: &Weights) -> Self {
        let variables = weights
            .iter()
            .map(|(name, values)| {
                let shape = sizes(&values.shape);
                let variable = Var::from_tensor(&tensor(&wide(&values.values), &shape));
                (name.to_owned(), variable.expect("on the CPU"))
            })
            .collect();
        Self {
            graph,
            nodes: graph.resolve().expect("fits"),
            variables,
        }
    }

    /// Moves one number of a parameter.
    pub(crate) fn moved(&self, name: &str, element: usize, by: f64) -> Self {
        let mut variables = self.variables.clone();
        let old = variables[name].as_tensor();
        let mut values: Vec<f64> = (old.flatten_all().and_then(|old| old.to_vec1())).expect("f64");
        values[element] += by;
        let new = Var::from_tensor(&tensor(&values, old.dims())).expect("on the CPU");
        variables.insert(name.to_owned(), new);
        Self {
            graph: self.graph,
            nodes: self.nodes.clone(),
            variables,
        }
    }

    /// The logits `[rows, classes]` of rows `[channels, height, width]`.
    pub(crate) fn logits(&self, features: &[f32], form: Form) -> Result<Tensor> {
        let mut shape = sizes(&self.graph.input);
        shape.insert(0, features.len() / shape.iter().product::<usize>());
        let input = tensor(&wide(features), &shape);
        let mut values: Vec<Tensor> = Vec::new();
        for index in 0..self.nodes.len() {
            let read = |source: &Source| match *source {
                Source::Input => &input,
                Source::Node(node) => &values[node],
            };
            let inputs: Vec<&Tensor> = self.nodes[index].sources.iter().map(read).collect();
            let value = self.node(index, &inputs, form)?;
            values.push(value);
        }
        Ok(values.pop().expect("at least one layer"))
    }

    /// The mean cross-entropy.
    pub(crate) fn loss(&self, features: &[f32], labels: &[u16], form: Form) -> Result<Tensor> {
        let logits = self.logits(features, form)?;
        let (_, classes) = logits.dims2()?;
        let mut wanted = vec![0.0; logits.elem_count()];
        for (row, &label) in labels.iter().enumerate() {
            wanted[row * classes + usize::from(label)] = 1.0;
        }
        let wanted = tensor(&wanted, logits.dims());
        let largest = logits.max_keepdim(1)?.detach();
        let logits = logits.broadcast_sub(&largest)?;
        let sums = logits.exp()?.sum_keepdim(1)?.log()?;
        (sums.sum_all()? - (logits * wanted)?.sum_all()?)? / labels.len() as f64
    }

    /// The gradients of the mean cross-entropy in training, by parameter.
    pub(crate) fn gradients(
        &self,
        features: &[f32],
        labels: &[u16],
        key: u64,
    ) -> Result<BTreeMap<String, Vec<f64>>> {
        let store = self
            .loss(features, labels, Form::Training(key))?
            .backward()?;
        let mut gradients = BTreeMap::new();
        for (name, variable) in &self.variables {
            if let Some(gradient) = store.get(variable) {
                gradients.insert(name.clone(), gradient.flatten_all()?.to_vec1()?);
            }
        }
        Ok(gradients)
    }

    fn node(&self, index: usize, inputs: &[&Tensor], form: Form) -> Result<Tensor> {
        let node = &self.graph.nodes[index];
        let x = inputs[0];
        let parameter = |name: &str| {
            let variable = self.variables.get(&format!("{}.{name}", node.name));
            variable.map(Var::as_tensor)
        };
        let need = |name: &str| parameter(name).expect("the graph names it");
        match node.layer {
            Layer::Flatten => x.flatten_from(1),
            Layer::Linear { .. } => {
                let y = x.broadcast_matmul(&need("weight").t()?)?;
                match parameter("bias") {
                    Some(bias) => y.broadcast_add(bias),
                    None => Ok(y),
                }
            }
            Layer::Convolution(spec) => {
                let y = convolution(x, need("weight"), spec)?;
                match parameter("bias") {
                    Some(bias) => y.broadcast_add(&bias.reshape((1, bias.elem_count(), 1, 1))?),
                    None => Ok(y),
                }
            }
            Layer::MaxPool(window) => {
                let cells = cells(x, window, f64::MIN)?;
                cells[1..]
                    .iter()
                    .try_fold(cells[0].clone(), |best, cell| best.maximum(cell))
            }
            Layer::AveragePool(window) => {
                let sum = |cells: Vec<Tensor>| {
                    cells[1..]
                        .iter()
                        .try_fold(cells[0].clone(), |sum, cell| sum + cell)
                };
                sum(cells(x, window, 0.0)?)? / sum(cells(&x.ones_like()?, window, 0.0)?)?
            }
            Layer::GlobalAveragePool if x.rank() == 4 => x.mean((2, 3)),
            Layer::GlobalAveragePool => x.mean(1),
            Layer::BatchNorm { epsilon, .. } => {
                let broad = |values: &Tensor| match x.rank() {
                    4 => values.reshape((1, values.elem_count(), 1, 1)),
                    _ => values.reshape((1, values.elem_count())),
                };
                let mean = |x: &Tensor| match x.rank() {
                    4 => x.mean_keepdim((0, 2, 3)),
                    _ => x.mean_keepdim(0),
                };
                let (center, variance) = if form == Form::Answers {
                    (broad(need("running_mean"))?, broad(need("running_var"))?)
                } else {
                    let center = mean(x)?;
                    let variance = mean(&x.broadcast_sub(&center)?.sqr()?)?;
                    (center, variance)
                };
                (x.broadcast_sub(&center)?)
                    .broadcast_div(&(variance + f64::from(epsilon))?.sqrt()?)?
                    .broadcast_mul(&broad(need("weight"))?)?
                    .broadcast_add(&broad(need("bias"))?)
            }
            Layer::LayerNorm { epsilon } => {
                let dimension = if x.rank() == 4 { 1 } else { x.rank() - 1 };
                let broad = |values: &Tensor| match x.rank() {
                    4 => values.reshape((1, values.elem_count(), 1, 1)),
                    _ => Ok(values.clone()),
                };
                let centered = x.broadcast_sub(&x.mean_keepdim(dimension)?)?;
                let variance = centered.sqr()?.mean_keepdim(dimension)?;
                centered
                    .broadcast_div(&(variance + f64::from(epsilon))?.sqrt()?)?
                    .broadcast_mul(&broad(need("weight"))?)?
                    .broadcast_add(&broad(need("bias"))?)
            }
            Layer::Activation(activation) => activated(x, activation),
            Layer::Add => inputs[0] + inputs[1],
            Layer::Tokens { .. } => {
                let tokens = x.flatten_from(2)?.transpose(1, 2)?;
                match parameter("positions") {
                    Some(positions) => tokens.broadcast_add(positions),
                    None => Ok(tokens),
                }
            }
            Layer::Transpose => x.transpose(1, 2)?.contiguous(),
            Layer::Attention { heads } => attention(x, heads as usize),
            Layer::Dropout { rate } => match form {
                Form::Answers => Ok(x.clone()),
                Form::Training(key) => {
                    let length = x.elem_count() / x.dim(0)?;
                    let mut mask = vec![1.0_f32; x.elem_count()];
                    super::engine::drop_out(key, index, length, rate, &mut mask);
                    // The engine counts channels last.
                    let mask = tensor(&wide(&mask), &channels_last(x.dims()));
                    let mask = if x.rank() == 4 {
                        mask.permute((0, 3, 1, 2))?
                    } else {
                        mask
                    };
                    x * mask
                }
            },
        }
    }
}

fn channels_last(shape: &[usize]) -> Vec<usize> {
    match *shape {
        [rows, channels, height, width] => vec![rows, height, width, channels],
        _ => shape.to_vec(),
    }
}

fn activated(x: &Tensor, activation: Activation) -> Result<Tensor> {
    let sigmoid = |x: &Tensor| ((x.neg()?.exp()? + 1.0)?).recip();
    match activation {
        Activation::Relu => x.relu(),
        Activation::Relu6 => x.clamp(0.0, 6.0),
        Activation::Hardswish => x * ((x + 3.0)?.clamp(0.0, 6.0)? / 6.0)?,
        Activation::Silu => x * sigmoid(x)?,
        Activation::Tanh => x.tanh(),
        Activation::Gelu => x.gelu_erf(),
    }
}

fn convolution(x: &Tensor, weight: &Tensor, spec: Convolution) -> Result<Tensor> {
    let [top, left, bottom, right] = spec.padding;
    // With a stride, the way back of candle 0.11.1 fails on images that are not square.
    let same = top == left && top == bottom && top == right && spec.stride == [1, 1];
    let groups = spec.groups as usize;
    if same {
        return x.conv2d(weight, top as usize, 1, 1, groups);
    }
    let window = Window {
        size: spec.kernel,
        stride: spec.stride,
        padding: spec.padding,
    };
    let columns = spec.kernel[1] as usize;
    let inputs = weight.dim(1)?;
    let outputs = weight.dim(0)? / groups;
    let mut sum: Option<Tensor> = None;
    for (place, cell) in cells(x, window, 0.0)?.iter().enumerate() {
        let weight = weight
            .narrow(2, place / columns, 1)?
            .narrow(3, place % columns, 1)?;
        let mut parts = Vec::new();
        for group in 0..groups {
            let weight = weight.narrow(0, group * outputs, outputs)?.contiguous()?;
            let cell = cell.narrow(1, group * inputs, inputs)?.contiguous()?;
            parts.push(cell.conv2d(&weight, 0, 1, 1, 1)?);
        }
        let part = Tensor::cat(&parts, 1)?;
        sum = Some(match sum {
            None => part,
            Some(sum) => (sum + part)?,
        });
    }
    Ok(sum.expect("a kernel has places"))
}

/// For each cell of the window, what it sees in each of its places, `[rows, channels, …, …]`; `outside` beyond the image.
fn cells(x: &Tensor, window: Window, outside: f64) -> Result<Vec<Tensor>> {
    let [top, left, bottom, right] = window.padding.map(|size| size as usize);
    let pad = |x: Tensor, dimension: usize, before: usize, after: usize| {
        let filled = |count: usize| {
            let mut shape = x.dims().to_vec();
            shape[dimension] = count;
            Tensor::full(outside, shape, x.device())
        };
        Tensor::cat(&[filled(before)?, x.clone(), filled(after)?], dimension)
    };
    let padded = pad(pad(x.clone(), 2, top, bottom)?, 3, left, right)?;
    let indexes = |dimension: usize, first: u32| {
        let (size, stride) = (window.size[dimension - 2], window.stride[dimension - 2]);
        let count = (padded.dims()[dimension] as u32 - size) / stride + 1;
        let at: Vec<u32> = (0..count).map(|place| first + place * stride).collect();
        Tensor::new(at, &Device::Cpu)
    };
    let mut cells = Vec::new();
    for row in 0..window.size[0] {
        let rows = padded.index_select(&indexes(2, row)?, 2)?;
        for column in 0..window.size[1] {
            cells.push(rows.index_select(&indexes(3, column)?, 3)?);
        }
    }
    Ok(cells)
}

fn attention(x: &Tensor, heads: usize) -> Result<Tensor> {
    let (rows, tokens, width) = x.dims3()?;
    let width = width / 3;
    let part = |which: usize| {
        x.narrow(D::Minus1, which * width, width)?
            .reshape((rows, tokens, heads, width / heads))?
            .transpose(1, 2)?
            .contiguous()
    };
    let (queries, keys, values) = (part(0)?, part(1)?, part(2)?);
    let scores = (queries.matmul(&keys.t()?)? / ((width / heads) as f64).sqrt())?;
    let shares = scores
        .broadcast_sub(&scores.max_keepdim(D::Minus1)?.detach())?
        .exp()?;
    let shares = shares.broadcast_div(&shares.sum_keepdim(D::Minus1)?)?;
    (shares.matmul(&values)?.transpose(1, 2)?)
        .contiguous()?
        .reshape((rows, tokens, width))?
        .to_dtype(DType::F64)
}
