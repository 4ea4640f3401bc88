//! The numbers of a model by tensor name: first values, digest, and bytes to store; it does not train them.

use super::first;
use super::graph::Graph;
use super::safetensors;
use crate::digest::Hasher;
use crate::error::{Error, Result};
use crate::order;
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
    /// First values of every tensor that the graph needs; `first.rs` says which and why.
    ///
    /// # Errors
    /// As [`Graph::resolve`]. Sizes are limited by [`super::plan`], which comes first.
    pub fn init(graph: &Graph, seed: u32) -> Result<Self> {
        let mut weights = Self::default();
        let resolved = graph.resolve()?;
        let places = first::places(graph, &resolved);
        for (node, place) in resolved.into_iter().zip(places) {
            for parameter in node.parameters {
                let values = first::values(&parameter, place, seed);
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
        let parameters = graph.parameters()?.into_iter();
        let expected = order::map(parameters.map(|it| (it.name, it.shape)));
        let (_, weights) = safetensors::read(bytes, &expected, "the weights")?;
        weights.check_finite()?;
        Ok(weights)
    }

    /// Checks that every number is finite.
    ///
    /// # Errors
    /// [`Error::BadInput`] that names the first tensor with one that is not, and the place.
    pub fn check_finite(&self) -> Result<()> {
        for (name, tensor) in self.iter() {
            if let Some(position) = tensor.values.iter().position(|value| !value.is_finite()) {
                return Err(Error::bad_input(
                    format!("tensor {name:?} of the weights"),
                    "finite numbers",
                    format!("{} at position {position}", tensor.values[position]),
                ));
            }
        }
        Ok(())
    }
}

/// A checked count as a length; on a 32-bit page the plan's limits keep it far below 2^32.
pub(crate) fn usize_from(count: u64) -> usize {
    usize::try_from(count).expect("counts are limited by the plan")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Activation, Layer};

    fn graph() -> Graph {
        let mut graph = Graph::new([1, 4, 4]);
        graph.push("conv", Layer::convolution(3, 3));
        graph.push("relu", Layer::Activation(Activation::Relu));
        graph.push("flatten", Layer::Flatten);
        graph.push("dense", Layer::linear(5));
        graph
    }

    #[test]
    fn first_values_stay_within_their_bounds_and_biases_are_zero() {
        let weights = Weights::init(&graph(), 1).expect("fits");
        for (name, bound) in [
            ("conv.weight", (6.0_f32 / 9.0).sqrt()),
            ("dense.weight", (6.0_f32 / 53.0).sqrt()),
        ] {
            let values = &weights.get(name).expect("there").values;
            let largest = values
                .iter()
                .fold(0.0_f32, |most, value| most.max(value.abs()));
            assert!(
                largest <= bound && largest > 0.8 * bound,
                "{name}: {largest} of {bound}"
            );
        }
        assert_eq!(weights.get("conv.bias").expect("there").values, [0.0; 3]);
    }

    #[test]
    fn files_hold_the_running_numbers_of_norms_too() {
        let mut graph = Graph::new([2, 4, 4]);
        graph.push("norm", Layer::batch_norm());
        let weights = Weights::init(&graph, 1).expect("fits");
        let names: Vec<&str> = weights.iter().map(|(name, _)| name).collect();
        assert_eq!(
            names.join(" "),
            "norm.bias norm.running_mean norm.running_var norm.weight"
        );
        let bytes = weights.to_safetensors(&[]);
        assert_eq!(
            Weights::from_safetensors(&bytes, &graph).expect("whole"),
            weights
        );
        let mut without = weights;
        without.remove("norm.running_mean");
        let error = without.check(&graph).expect_err("incomplete").to_string();
        assert!(error.contains("a tensor \"norm.running_mean\""), "{error}");
    }

    #[test]
    fn digest_depends_on_seed_names_shapes_and_values() {
        let weights = Weights::init(&graph(), 1).expect("fits");
        assert_eq!(
            weights.digest(),
            Weights::init(&graph(), 1).expect("fits").digest()
        );
        let mut digests = vec![
            weights.digest(),
            Weights::init(&graph(), 2).expect("fits").digest(),
        ];
        let mut other = weights.clone();
        let tensor = other.remove("conv.bias").expect("there");
        other.insert("conv.bios", tensor.shape, tensor.values);
        digests.push(other.digest());
        let mut other = weights.clone();
        let tensor = other.remove("dense.weight").expect("there");
        other.insert("dense.weight", vec![48, 5], tensor.values);
        digests.push(other.digest());
        let mut other = weights;
        other.insert("conv.bias", vec![3], vec![0.0, 0.0, -0.0]);
        digests.push(other.digest());
        let count = digests.len();
        digests.sort();
        digests.dedup();
        assert_eq!(digests.len(), count);
    }

    #[test]
    fn bytes_read_back_here_and_with_the_crate_of_that_name() {
        let weights = Weights::init(&graph(), 1).expect("fits");
        let bytes = weights.to_safetensors(&[("b", "2"), ("a", "1")]);
        assert_eq!(bytes, weights.to_safetensors(&[("a", "1"), ("b", "2")]));
        assert_eq!(
            Weights::from_safetensors(&bytes, &graph()).expect("whole"),
            weights
        );
        let read = ::safetensors::SafeTensors::deserialize(&bytes).expect("valid");
        for (name, tensor) in weights.iter() {
            let view = read.tensor(name).expect("there");
            let values: Vec<u8> = tensor
                .values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect();
            assert_eq!(view.data(), values, "{name}");
            assert_eq!(view.shape().len(), tensor.shape.len());
        }
    }

    /// A file whose header was changed by a text replacement.
    fn changed(from: &str, to: &str) -> Vec<u8> {
        let bytes = Weights::init(&graph(), 1)
            .expect("fits")
            .to_safetensors(&[]);
        let length = u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize;
        let header = std::str::from_utf8(&bytes[8..8 + length]).expect("JSON");
        let header = header.replacen(from, to, 1);
        assert!(header.contains(to), "{header}");
        let mut out = (header.len() as u64).to_le_bytes().to_vec();
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(&bytes[8 + length..]);
        out
    }

    #[test]
    fn refuses_headers_that_lie_with_the_tensors_name() {
        for (from, to, wanted) in [
            (
                "\"dtype\":\"F32\"",
                "\"dtype\":\"F16\"",
                "the type of tensor \"conv.bias\"",
            ),
            (
                "\"shape\":[3]",
                "\"shape\":[4]",
                "the shape of tensor \"conv.bias\"",
            ),
            ("[0,12]", "[0,16]", "the place of tensor \"conv.bias\""),
            ("[0,12]", "[12,0]", "the place of tensor \"conv.bias\""),
            (
                "[0,12]",
                "[0,18446744073709551615]",
                "the place of tensor \"conv.bias\"",
            ),
            (
                "[0,12]",
                "[4,16]",
                "tensor \"conv.bias\" right after the one before it, got a gap",
            ),
            (
                "[12,120]",
                "[0,108]",
                "right after the one before it, got an overlap",
            ),
            ("conv.bias", "conv.bios", "also \"conv.bios\""),
            ("{\"conv.bias\"", "[{\"conv.bias\"", "a JSON header"),
        ] {
            let error = Weights::from_safetensors(&changed(from, to), &graph())
                .expect_err(to)
                .to_string();
            assert!(error.contains(wanted), "{to}: {error}");
        }
    }

    #[test]
    fn refuses_every_truncation_and_every_number_that_is_not_finite() {
        let weights = Weights::init(&graph(), 1).expect("fits");
        let bytes = weights.to_safetensors(&[]);
        for length in 0..bytes.len() {
            assert!(
                Weights::from_safetensors(&bytes[..length], &graph()).is_err(),
                "{length}"
            );
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(Weights::from_safetensors(&longer, &graph()).is_err());
        let mut huge = bytes;
        huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
        let error = Weights::from_safetensors(&huge, &graph())
            .expect_err("refused")
            .to_string();
        assert!(
            error.contains("one that claims 18446744073709551615 bytes"),
            "{error}"
        );
        for value in [f32::NAN, f32::INFINITY] {
            let mut broken = weights.clone();
            broken.insert("conv.bias", vec![3], vec![0.0, value, 0.0]);
            let error = Weights::from_safetensors(&broken.to_safetensors(&[]), &graph())
                .expect_err("refused")
                .to_string();
            assert!(
                error.starts_with("tensor \"conv.bias\" of the weights: expected finite numbers"),
                "{error}"
            );
        }
    }

    #[cfg(not(target_arch = "wasm32"))]
    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(2_000))]
        #[test]
        fn any_change_of_a_file_is_read_or_refused_without_a_panic(
            at in 0_usize..1_000, byte: u8, cut in 0_usize..1_000, mode in 0..3,
        ) {
            let mut bytes = Weights::init(&graph(), 1).expect("fits").to_safetensors(&[("a", "1")]);
            let at = at % bytes.len();
            match mode {
                0 => bytes[at] = byte,
                1 => { bytes.drain(at..(at + cut).min(bytes.len())); }
                _ => { bytes.splice(at..at, std::iter::repeat_n(byte, cut)); }
            }
            if let Ok(weights) = Weights::from_safetensors(&bytes, &graph()) {
                proptest::prop_assert!(weights.is_finite() && weights.check(&graph()).is_ok());
            }
        }
    }
}
