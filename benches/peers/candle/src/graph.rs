//! A graph in Assay's JSON form, computed with candle's own tensors. Only the layers of the reference models; others are refused.

use std::collections::HashMap;

use candle_core::{D, Error, Result, Tensor, bail};
use candle_nn::ops;
use serde::Deserialize;

/// The JSON form, docs/graph.md.
#[derive(Deserialize)]
pub struct Graph {
    /// `[channels, height, width]`.
    pub input: Vec<usize>,
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
struct Layer {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    inputs: Option<Vec<String>>,
    size: Option<[usize; 2]>,
    stride: Option<[usize; 2]>,
    padding: Option<[usize; 4]>,
    groups: Option<usize>,
    function: Option<String>,
    heads: Option<usize>,
    epsilon: Option<f32>,
}

/// Whether candle must be able to walk backwards: its fastest operations cannot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Inference,
    Training,
}

impl Graph {
    /// The logits of `input`, `[rows, channels, height, width]`.
    pub fn forward(
        &self,
        weights: &HashMap<String, Tensor>,
        input: Tensor,
        purpose: Purpose,
    ) -> Result<Tensor> {
        let mut values = HashMap::from([("input", input.clone())]);
        let mut last = input;
        for layer in &self.layers {
            let first = match &layer.inputs {
                Some(names) => value(&values, &names[0])?,
                None => last.clone(),
            };
            let second = match layer.inputs.as_deref() {
                Some([_, name]) => Some(value(&values, name)?),
                _ => None,
            };
            last = layer.forward(weights, first, second, purpose)?;
            values.insert(&layer.name, last.clone());
        }
        Ok(last)
    }
}

fn value(values: &HashMap<&str, Tensor>, name: &str) -> Result<Tensor> {
    let found = values.get(name).cloned();
    found.ok_or_else(|| Error::Msg(format!("there is no layer `{name}`")))
}

impl Layer {
    fn forward(
        &self,
        weights: &HashMap<String, Tensor>,
        x: Tensor,
        second: Option<Tensor>,
        purpose: Purpose,
    ) -> Result<Tensor> {
        let tensor = |part: &str| {
            let name = format!("{}.{part}", self.name);
            let found = weights.get(&name);
            found.ok_or_else(|| Error::Msg(format!("there is no tensor `{name}`")))
        };
        match self.kind.as_str() {
            "flatten" => x.flatten_from(1),
            "linear" => {
                let weight = tensor("weight")?.t()?;
                let product = match x.dims() {
                    &[rows, places, planes] => x
                        .reshape((rows * places, planes))?
                        .matmul(&weight)?
                        .reshape((rows, places, ()))?,
                    _ => x.matmul(&weight)?,
                };
                product.broadcast_add(tensor("bias")?)
            }
            "convolution" => {
                let [top, left, bottom, right] = self.padding.unwrap_or_default();
                let even = top == left && top == bottom && top == right;
                let (x, padding) = if even {
                    (x, top)
                } else {
                    let taller = x.pad_with_zeros(2, top, bottom)?;
                    (taller.pad_with_zeros(3, left, right)?, 0)
                };
                let [stride, _] = self.stride.unwrap_or([1, 1]);
                x.conv2d(
                    tensor("weight")?,
                    padding,
                    stride,
                    1,
                    self.groups.unwrap_or(1),
                )?
                .broadcast_add(&tensor("bias")?.reshape((1, (), 1, 1))?)
            }
            "max_pool" => {
                let size = self.size.unwrap_or([2, 2]);
                x.max_pool2d_with_stride(size.into_pair(), self.stride.unwrap_or(size).into_pair())
            }
            "global_average_pool" if x.rank() == 4 => x.mean((2, 3)),
            "global_average_pool" => x.mean(1),
            "layer_norm" => {
                let epsilon = self.epsilon.unwrap_or(1e-5);
                let norm = match purpose {
                    Purpose::Inference => ops::layer_norm,
                    Purpose::Training => ops::layer_norm_slow,
                };
                norm(&x, tensor("weight")?, tensor("bias")?, epsilon)
            }
            "activation" => match self.function.as_deref() {
                Some("relu") => x.relu(),
                Some("relu6") => x.clamp(0_f32, 6_f32),
                Some("gelu") => x.gelu_erf(),
                other => bail!("activation {other:?} is not among the reference models'"),
            },
            "add" => x + second.ok_or_else(|| Error::Msg("add needs two inputs".to_owned()))?,
            "tokens" => {
                let tokens = x.flatten_from(2)?.transpose(1, 2)?.contiguous()?;
                tokens.broadcast_add(tensor("positions")?)
            }
            "attention" => self.attention(&x, purpose),
            other => bail!("layer type `{other}` is not among the reference models'"),
        }
    }

    fn attention(&self, x: &Tensor, purpose: Purpose) -> Result<Tensor> {
        let (rows, places, planes) = x.dims3()?;
        let heads = self.heads.unwrap_or(1);
        let width = planes / 3 / heads;
        let parts = x
            .reshape((rows, places, 3, heads, width))?
            .permute((2, 0, 3, 1, 4))?
            .contiguous()?;
        let (queries, keys, values) = (parts.get(0)?, parts.get(1)?, parts.get(2)?);
        let scores = (queries.matmul(&keys.t()?)? * (1.0 / (width as f64).sqrt()))?;
        let shares = match purpose {
            Purpose::Inference => ops::softmax_last_dim(&scores)?,
            Purpose::Training => ops::softmax(&scores, D::Minus1)?,
        };
        shares
            .matmul(&values)?
            .transpose(1, 2)?
            .reshape((rows, places, heads * width))
    }
}

trait IntoPair {
    fn into_pair(self) -> (usize, usize);
}

impl IntoPair for [usize; 2] {
    fn into_pair(self) -> (usize, usize) {
        (self[0], self[1])
    }
}
