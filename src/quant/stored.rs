//! A model's weights as they are stored under a scheme, with the digest of the very bytes; it runs nothing.

use super::ggml;
use super::scheme::{Scheme, applied};
use crate::digest::Hasher;
use crate::error::Result;
use crate::model::{Graph, Parameter, Weights};
use half::f16;

/// One tensor as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTensor {
    /// `conv1.weight`.
    pub name: String,
    /// Its shape, outermost dimension first.
    pub shape: Vec<u32>,
    /// The scheme that it is really stored in.
    pub scheme: Scheme,
    /// Why that is not the one asked for, or empty.
    pub reason: String,
    /// The bytes, little endian.
    pub bytes: Vec<u8>,
}

/// A model's weights under a scheme.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Its tensors, in the order of the graph's nodes.
    pub layers: Vec<StoredTensor>,
    weights: Weights,
}

impl Stored {
    /// Bytes of all tensors together, without names and shapes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.layers
            .iter()
            .map(|tensor| tensor.bytes.len() as u64)
            .sum()
    }

    /// SHA-256 over name, shape, scheme and bytes of each tensor, in order.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = Hasher::new();
        for tensor in &self.layers {
            hasher.text(&tensor.name);
            hasher.u32s(&tensor.shape);
            hasher.text(tensor.scheme.name());
            hasher.u64(tensor.bytes.len() as u64);
            hasher.bytes(&tensor.bytes);
        }
        hasher.finish()
    }

    /// The numbers that come back from the stored bytes: what the model runs with.
    #[must_use]
    pub const fn weights(&self) -> &Weights {
        &self.weights
    }
}

/// Stores a graph's weights under a scheme. Tensors that cannot take it stay f32, with the reason: see [`applied`];
/// so does a tensor with a number that is not finite or whose stored form would not be.
///
/// # Errors
/// As [`Weights::check`]; [`crate::error::Error::Unsupported`] for an unknown scheme.
pub fn quantize(graph: &Graph, weights: &Weights, scheme: &str) -> Result<Stored> {
    weights.check(graph)?;
    let mut stored = Stored {
        layers: Vec::new(),
        weights: Weights::default(),
    };
    for parameter in graph.parameters()? {
        let Some(tensor) = weights.get(&parameter.name) else {
            continue;
        };
        let (kept, back) = store(&parameter, &tensor.values, scheme)?;
        stored.weights.insert(parameter.name, parameter.shape, back);
        stored.layers.push(kept);
    }
    Ok(stored)
}

fn store(parameter: &Parameter, values: &[f32], scheme: &str) -> Result<(StoredTensor, Vec<f32>)> {
    let applied = applied(parameter, scheme)?;
    let (mut scheme, mut reason) = (applied.scheme, applied.reason);
    let (mut bytes, mut back) = encode(values, scheme)?;
    if scheme != Scheme::F32 && !back.iter().all(|value| value.is_finite()) {
        reason = if values.iter().all(|value| value.is_finite()) {
            "a weight or a block's scale is beyond the range of f16".into()
        } else {
            "it holds a number that is not finite".into()
        };
        scheme = Scheme::F32;
        (bytes, back) = encode(values, scheme)?;
    }
    let kept = StoredTensor {
        name: parameter.name.clone(),
        shape: parameter.shape.clone(),
        scheme,
        reason,
        bytes,
    };
    Ok((kept, back))
}

fn encode(values: &[f32], scheme: Scheme) -> Result<(Vec<u8>, Vec<f32>)> {
    match scheme {
        Scheme::F32 => Ok((
            values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
            values.to_vec(),
        )),
        Scheme::F16 => {
            let halves: Vec<f16> = values.iter().map(|&value| f16::from_f32(value)).collect();
            Ok((
                halves.iter().flat_map(|half| half.to_le_bytes()).collect(),
                halves.iter().map(|half| half.to_f32()).collect(),
            ))
        }
        Scheme::Q8_0 | Scheme::Q4_0 => {
            // NaN has no place in a block: candle's rounding would hide it as a zero.
            if values.iter().any(|value| !value.is_finite()) {
                return Ok((Vec::new(), vec![f32::NAN; values.len()]));
            }
            ggml::round_trip(values, scheme)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Layer;

    fn graph() -> Graph {
        let mut graph = Graph::new([1, 8, 8]);
        graph.push("flatten", Layer::Flatten);
        graph.push("dense", Layer::linear(2));
        graph
    }

    fn weights(values: Vec<f32>) -> Weights {
        let mut weights = Weights::zeros(&graph()).expect("fits");
        weights.insert("dense.weight", vec![2, 64], values);
        weights
    }

    #[test]
    fn numbers_beyond_a_scheme_leave_the_tensor_in_f32_with_the_reason() {
        for (value, scheme, kept, reason) in [
            (65_504.0, "f16", "f16", ""),
            (65_520.0, "f16", "f32", "beyond the range of f16"),
            (1e7, "Q8_0", "f32", "beyond the range of f16"),
            (1e7, "Q4_0", "f32", "beyond the range of f16"),
            (f32::NAN, "f16", "f32", "not finite"),
            (f32::NAN, "Q8_0", "f32", "not finite"),
            (f32::INFINITY, "Q4_0", "f32", "not finite"),
        ] {
            let mut values = vec![0.5; 128];
            values[77] = value;
            let weights = weights(values);
            let stored = quantize(&graph(), &weights, scheme).expect("known");
            let tensor = &stored.layers[0];
            assert_eq!(tensor.scheme.name(), kept, "{value} {scheme}");
            assert!(tensor.reason.contains(reason), "{}", tensor.reason);
            if kept == "f32" {
                assert_eq!(stored.bytes(), 130 * 4);
                assert_eq!(stored.weights().digest(), weights.digest());
            }
        }
    }

    #[test]
    fn blocks_are_ggmls() {
        // One scale (f16, little endian), then 32 numbers: the largest is 127 steps, or -8 of them.
        let mut values = vec![0.0; 128];
        (values[0], values[1], values[16]) = (127.0, -64.0, 32.0);
        let stored = quantize(&graph(), &weights(values.clone()), "Q8_0").expect("known");
        assert_eq!(stored.layers[0].bytes[..4], [0x00, 0x3c, 127, 192]);
        let stored = quantize(&graph(), &weights(values), "Q4_0").expect("known");
        // 127 / -8 = -15.875 = 0xcbf0; number 0 is 0 (-8) and 16 is 6 (-2); number 1 is 12 (4) and 17 is 8 (0).
        assert_eq!(stored.layers[0].bytes[..4], [0xf0, 0xcb, 0x60, 0x8c]);
    }

    #[test]
    fn digest_is_of_the_stored_bytes() {
        let digest = |values: Vec<f32>| {
            quantize(&graph(), &weights(values), "f16")
                .expect("known")
                .digest()
        };
        let base = vec![0.5; 128];
        let (mut near, mut far) = (base.clone(), base.clone());
        // Below and above half a unit in the last place of f16 near 0.5.
        near[3] = 0.500_01;
        far[3] = 0.500_4;
        assert_eq!(digest(near), digest(base.clone()));
        assert_ne!(digest(far), digest(base));
    }

    #[test]
    fn refuses_weights_of_another_graph() {
        let mut other = graph();
        other.push("more", Layer::linear(3));
        let error = quantize(&other, &weights(vec![0.0; 128]), "f32").expect_err("refused");
        assert!(error.to_string().contains("more.weight"));
    }

    #[cfg(not(target_arch = "wasm32"))]
    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(2_000))]
        #[test]
        fn numbers_come_back_within_the_bound(
            values in proptest::collection::vec(-1.0_f32..1.0, 128), exponent in -30..14_i32, scheme in 1..4_usize,
        ) {
            let scheme = [Scheme::F32, Scheme::F16, Scheme::Q8_0, Scheme::Q4_0][scheme];
            let scale = 2.0_f32.powi(exponent);
            let values: Vec<f32> = values.iter().map(|value| value * scale).collect();
            let stored = quantize(&graph(), &weights(values.clone()), scheme.name()).expect("known");
            let back = &stored.weights().get("dense.weight").expect("there").values;
            proptest::prop_assert_eq!(stored.layers[0].scheme, scheme);
            for (block, back) in values.chunks(32).zip(back.chunks(32)) {
                for (&value, &back) in block.iter().zip(back) {
                    let off = (f64::from(value) - f64::from(back)).abs();
                    proptest::prop_assert!(off <= bound(block, value, scheme), "{value} came back as {back}");
                }
            }
        }
    }

    /// As `docs/numerics.md` derives it.
    fn bound(block: &[f32], value: f32, scheme: Scheme) -> f64 {
        let half = |x: f64| (x.abs() / 2048.0).max(2f64.powi(-25));
        let largest = block
            .iter()
            .fold(0.0_f64, |most, &x| most.max(f64::from(x).abs()));
        let value = f64::from(value);
        let (steps, share) = match scheme {
            Scheme::F32 => return 0.0,
            Scheme::F16 => return half(value),
            Scheme::Q8_0 => (127.0, 0.5),
            Scheme::Q4_0 if value.abs() > 7.5 * largest / 8.0 => (8.0, 1.0),
            Scheme::Q4_0 => (8.0, 0.5),
        };
        (share + 1e-4) * largest / steps + steps * half(largest / steps)
    }
}
