//! The numbers of a model by tensor name: first values, digest, and bytes to store; it does not train them.

use super::graph::{Activation, Graph, Parameter, ParameterRole};
use super::safetensors;
use crate::digest::Hasher;
use crate::error::{Error, Result};
use crate::rng::Stream;
use std::collections::BTreeMap;

/// One tensor of 32-bit floats, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Its shape, outermost dimension first.
    pub shape: Vec<u32>,
    /// Its numbers; as many as the product of the shape.
    pub values: Vec<f32>,
}

/// Named tensors, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Weights {
    tensors: BTreeMap<String, Tensor>,
}

impl Weights {
    /// First values of every tensor that the graph needs.
    ///
    /// Weights are uniform in `±√(6 / fan_in)` where a relu or gelu follows (He et al. 2015, arXiv 1502.01852) and in
    /// `±√(6 / (fan_in + fan_out))` elsewhere (Glorot and Bengio 2010); biases are zero. Each tensor has its own stream,
    /// `init/<tensor>`, so adding a layer leaves the others' first values as they were. Only products, sums and
    /// square roots are used, which every platform rounds alike.
    ///
    /// # Errors
    /// As [`Graph::resolve`]. Sizes are limited by [`super::plan`], which comes first.
    pub fn init(graph: &Graph, seed: u32) -> Result<Self> {
        let mut weights = Self::default();
        for (node, resolved) in graph.nodes.iter().zip(graph.resolve()?) {
            let rectified = matches!(
                graph.activation_after(&node.name),
                Some(Activation::Relu | Activation::Gelu)
            );
            for parameter in resolved.parameters {
                let values = first_values(&parameter, rectified, seed);
                weights.insert(parameter.name, parameter.shape, values);
            }
        }
        Ok(weights)
    }

    /// Every tensor that the graph needs, all zero: an optimizer's first moments.
    ///
    /// # Errors
    /// As [`Graph::resolve`].
    pub fn zeros(graph: &Graph) -> Result<Self> {
        let mut weights = Self::default();
        for parameter in graph.parameters()? {
            let count = usize_from(parameter.count());
            weights.insert(parameter.name, parameter.shape, vec![0.0; count]);
        }
        Ok(weights)
    }

    /// Puts a tensor, instead of one of the same name.
    ///
    /// # Panics
    /// Where `values` are not as many as the shape says.
    pub fn insert(&mut self, name: impl Into<String>, shape: Vec<u32>, values: Vec<f32>) {
        let count: u64 = shape.iter().map(|&size| u64::from(size)).product();
        assert_eq!(count, values.len() as u64, "values fill their shape");
        self.tensors.insert(name.into(), Tensor { shape, values });
    }

    /// The tensor of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.tensors.get(name)
    }

    /// Takes out the tensor of this name.
    pub fn remove(&mut self, name: &str) -> Option<Tensor> {
        self.tensors.remove(name)
    }

    /// Every tensor, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.tensors
            .iter()
            .map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// How many numbers there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.iter()
            .map(|(_, tensor)| tensor.values.len() as u64)
            .sum()
    }

    /// SHA-256 over names, shapes and values in the order of the names, NaN canonicalized.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = Hasher::new();
        hasher.u64(self.tensors.len() as u64);
        for (name, tensor) in self.iter() {
            hasher.text(name);
            hasher.u32s(&tensor.shape);
            hasher.f32s(&tensor.values);
        }
        hasher.finish()
    }

    /// Whether every number is finite.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        self.iter()
            .all(|(_, tensor)| tensor.values.iter().all(|value| value.is_finite()))
    }

    /// Checks that these are the graph's tensors, with their shapes, and no others.
    ///
    /// # Errors
    /// [`Error::BadInput`] that names the tensor; as [`Graph::resolve`].
    pub fn check(&self, graph: &Graph) -> Result<()> {
        let parameters = graph.parameters()?;
        for parameter in &parameters {
            let Some(tensor) = self.get(&parameter.name) else {
                return Err(Error::bad_input(
                    "the weights",
                    format!("a tensor {:?}", parameter.name),
                    "none",
                ));
            };
            if tensor.shape != parameter.shape {
                return Err(Error::bad_input(
                    format!("the shape of tensor {:?}", parameter.name),
                    super::graph::shown(&parameter.shape),
                    super::graph::shown(&tensor.shape),
                ));
            }
        }
        if self.tensors.len() != parameters.len() {
            return Err(Error::bad_input(
                "the weights",
                format!("{} tensors", parameters.len()),
                self.tensors.len().to_string(),
            ));
        }
        Ok(())
    }

    /// The bytes of a safetensors file: equal weights and metadata always give equal bytes.
    #[must_use]
    pub fn to_safetensors(&self, metadata: &[(&str, &str)]) -> Vec<u8> {
        safetensors::write(self.iter(), metadata)
    }

    /// Reads a safetensors file that holds exactly the graph's tensors as F32.
    ///
    /// # Errors
    /// [`Error::BadInput`] in words, naming the tensor where one is at fault: too long, truncated, a header that lies,
    /// a tensor missing or too many, of another type or shape, overlapping, or with a number that is not finite.
    /// Nothing that grows with the header's claims is allocated before they are checked.
    pub fn from_safetensors(bytes: &[u8], graph: &Graph) -> Result<Self> {
        let expected = graph
            .parameters()?
            .into_iter()
            .map(|parameter| (parameter.name, parameter.shape))
            .collect();
        let (_, weights) = safetensors::read(bytes, &expected, "the weights")?;
        for (name, tensor) in weights.iter() {
            if let Some(position) = tensor.values.iter().position(|value| !value.is_finite()) {
                return Err(Error::bad_input(
                    format!("tensor {name:?} of the weights"),
                    "finite numbers",
                    format!("{} at position {position}", tensor.values[position]),
                ));
            }
        }
        Ok(weights)
    }
}

fn first_values(parameter: &Parameter, rectified: bool, seed: u32) -> Vec<f32> {
    let count = usize_from(parameter.count());
    if parameter.role == ParameterRole::Bias {
        return vec![0.0; count];
    }
    let fan = if rectified {
        parameter.fan_in
    } else {
        parameter.fan_in + parameter.fan_out
    };
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "rounding a bound of the first values is harmless"
    )]
    let bound = (6.0 / fan as f64).sqrt() as f32;
    let mut stream = Stream::new(seed, &format!("init/{}", parameter.name), 0);
    (0..count)
        .map(|_| (2.0 * stream.unit() - 1.0) * bound)
        .collect()
}

/// A checked count as a length; on a 32-bit page the plan's limits keep it far below 2^32.
pub(crate) fn usize_from(count: u64) -> usize {
    usize::try_from(count).expect("counts are limited by the plan")
}
