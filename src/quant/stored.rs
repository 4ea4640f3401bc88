//! A model's weights as they are stored under a scheme, with the digest of the very bytes; it runs nothing.

mod rebuilt;

use super::calibrate::{Codes, FEW_ROWS, Method, Seen};
use super::fold::{folded_graph, folded_weights};
use super::form;
use super::integer::{Integer, IntegerLayer, output_step, shared_codes, value};
use super::request::Request;
use super::scheme::{Extent, Scheme};
use crate::digest::Hasher;
use crate::error::{Error, Result};
use crate::model::{Graph, Parameter, Weights};
use crate::recipe::QuantizationSpec;
use std::collections::BTreeMap;

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
    /// What a person should know about how this came about.
    pub warnings: Vec<String>,
    weights: Weights,
    /// The graph that runs, where it is not the one that was trained.
    graph: Option<Graph>,
    /// What was stored, where it is not what was trained.
    before: Option<Weights>,
    integer: Option<Integer>,
}

/// What was seen of activations.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Calibration {
    /// Of the input and of each node's output in the graph without folded norms; nothing for what is never computed.
    pub seen: Vec<Seen>,
    /// Rows that were run.
    pub rows: usize,
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

    /// SHA-256 over the steps and ranges of activations, if there are any, and over name, shape, scheme and bytes of each
    /// tensor, in order.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = Hasher::new();
        if let Some(integer) = &self.integer {
            for codes in &integer.codes {
                hasher.f32s(&[codes.step]);
                hasher.u32s(&codes.range.map(|end| i32::from(end).cast_unsigned()));
            }
        }
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

    /// The graph that runs, given the one that was trained: norms may have been folded.
    #[must_use]
    pub fn graph<'a>(&'a self, trained: &'a Graph) -> &'a Graph {
        self.graph.as_ref().unwrap_or(trained)
    }

    /// The same model as one that was made ready to be stored: pruned, equalized or fine-tuned into these.
    #[must_use]
    pub fn made_of(mut self, graph: &Graph, before: Weights, notes: Vec<String>) -> Self {
        self.graph.get_or_insert_with(|| graph.clone());
        self.before = Some(before);
        self.warnings.extend(notes);
        self
    }

    /// Whether what was stored had been pruned, equalized, corrected or fine-tuned.
    #[must_use]
    pub const fn is_made_of(&self) -> bool {
        self.before.is_some()
    }

    /// The numbers that were stored, for the graph that runs: the trained ones with norms folded as they are there, or what
    /// pruning, equalization and fine-tuning made of them.
    ///
    /// # Errors
    /// As [`folded_weights`].
    pub fn before(&self, trained: &Graph, weights: &Weights) -> Result<Weights> {
        match (&self.before, &self.graph) {
            (Some(before), _) => Ok(before.clone()),
            (None, Some(_)) => folded_weights(trained, weights),
            (None, None) => Ok(weights.clone()),
        }
    }

    /// The integers, where some layer computes in them.
    #[must_use]
    pub const fn integer(&self) -> Option<&Integer> {
        self.integer.as_ref()
    }
}

/// Stores a graph's weights as asked, where no activation needs to have been seen. Tensors that cannot take their scheme
/// stay f32, with the reason: see [`Request::applied`]; so does a tensor with a number that is not finite or whose stored
/// form would not be.
///
/// # Errors
/// As [`stored`].
pub fn quantize(graph: &Graph, weights: &Weights, request: &Request) -> Result<Stored> {
    assembled(graph, weights, request, None)
}

/// Stores a graph's weights as a recipe asks; `calibration` is needed for static integers only.
///
/// # Errors
/// As [`Request::of`], [`Weights::check`] and [`Request::check`]; [`Error::Unsupported`] for static integers without a
/// calibration.
pub fn stored(
    graph: &Graph,
    weights: &Weights,
    spec: &QuantizationSpec,
    calibration: Option<&Calibration>,
) -> Result<Stored> {
    let method = Method::from_name(spec.calibration())?;
    let codes = calibration.map(|it| (it, method, spec.is_symmetric()));
    assembled(graph, weights, &Request::of(spec)?, codes)
}

fn assembled(
    graph: &Graph,
    weights: &Weights,
    request: &Request,
    calibration: Option<(&Calibration, Method, bool)>,
) -> Result<Stored> {
    request.check(graph)?;
    if !request.folds() {
        weights.check(graph)?;
        return kept(graph, weights, request);
    }
    if request.needs_calibration() && calibration.is_none() {
        return Err(Error::Unsupported {
            feature: "the scheme \"int8\" without training rows".into(),
            why: "its activations are calibrated on them; int8-dynamic and int8-weights need none"
                .into(),
        });
    }
    let folded = folded_graph(graph)?;
    let weights = folded_weights(graph, weights)?;
    if !request.has_integers() {
        let mut stored = kept(&folded, &weights, request)?;
        stored.graph = Some(folded);
        return Ok(stored);
    }
    let mut warnings = Vec::new();
    let codes = match calibration {
        Some((calibration, method, symmetric)) if request.needs_calibration() => {
            warnings = warned(&folded, calibration);
            chosen(&folded, calibration, method, symmetric)?
        }
        _ => Vec::new(),
    };
    let mut integer = Integer {
        layers: BTreeMap::new(),
        codes,
    };
    let mut stored = kept(&folded, &weights, request)?;
    let nodes = folded.resolve()?;
    for (node, resolved) in folded.nodes.iter().zip(&nodes) {
        let name = format!("{}.weight", node.name);
        let Some(tensor) = stored.layers.iter_mut().find(|it| it.name == name) else {
            continue;
        };
        let (scheme, Some(values)) = (tensor.scheme, weights.get(&name)) else {
            continue;
        };
        if !scheme.is_integer() {
            continue;
        }
        let input = match resolved.sources.first() {
            Some(&source) if scheme == Scheme::Int8 => {
                integer.codes.get(value(source)).map(|it| it.step)
            }
            _ => None,
        };
        let bias = weights
            .get(&format!("{}.bias", node.name))
            .map(|it| it.values.clone());
        let outputs = tensor.shape.first().map_or(1, |&size| size as usize).max(1);
        let inner = (values.values.len() / outputs).max(1);
        let steps: Vec<f32> = (values.values.chunks_exact(inner).enumerate())
            .map(|(output, weights)| {
                let bias = bias.as_ref().map(|bias| bias[output]);
                output_step(weights, bias, input)
            })
            .collect();
        tensor.bytes = (values.values.chunks_exact(inner).zip(&steps))
            .flat_map(|(weights, &step)| form::of_step(weights, step))
            .collect();
        let extent = Extent {
            outputs: outputs as u64,
            inner: inner as u64,
        };
        let back = form::decoded(&tensor.bytes, extent, scheme)?;
        stored.weights.insert(name, tensor.shape.clone(), back);
        let layer = IntegerLayer {
            scheme,
            weights: (tensor.bytes.chunks_exact(4 + inner))
                .flat_map(|bytes| bytes[4..].iter().map(|&byte| byte as i8))
                .collect(),
            steps,
            bias: bias.unwrap_or_default(),
        };
        integer.layers.insert(node.name.clone(), layer);
    }
    stored.graph = Some(folded);
    stored.integer = Some(integer);
    stored.warnings = warnings;
    Ok(stored)
}

/// The codes that a recipe chooses for the input and for each node's output of a graph without foldable norms.
///
/// # Errors
/// [`Error::Unsupported`] for an unknown calibration.
pub fn codes(
    graph: &Graph,
    calibration: &Calibration,
    spec: &QuantizationSpec,
) -> Result<Vec<Codes>> {
    let method = Method::from_name(spec.calibration())?;
    chosen(graph, calibration, method, spec.is_symmetric())
}

fn chosen(
    graph: &Graph,
    calibration: &Calibration,
    method: Method,
    symmetric: bool,
) -> Result<Vec<Codes>> {
    let nodes = graph.resolve()?;
    let sources: Vec<_> = nodes.into_iter().map(|node| node.sources).collect();
    let seen = |value: usize| calibration.seen.get(value).cloned().unwrap_or_default();
    Ok(shared_codes(graph, &sources, |value| {
        seen(value).codes(method, symmetric)
    }))
}

/// What is wrong with what was seen.
fn warned(graph: &Graph, calibration: &Calibration) -> Vec<String> {
    let mut warnings = Vec::new();
    if calibration.rows < FEW_ROWS {
        warnings.push(format!(
            "{} rows are few to choose ranges from; give quantization.calibration_rows at least {FEW_ROWS}",
            calibration.rows
        ));
    }
    let computed = |seen: &Seen| seen.bounds() != [0.0; 2];
    for (node, seen) in graph.nodes.iter().zip(calibration.seen.iter().skip(1)) {
        if computed(seen) && seen.is_constant() {
            warnings.push(format!(
                "layer {:?} gave the same number for every calibration row, so its range says nothing",
                node.name
            ));
        }
    }
    warnings
}

/// Every tensor by itself.
fn kept(graph: &Graph, weights: &Weights, request: &Request) -> Result<Stored> {
    let mut stored = Stored {
        layers: Vec::new(),
        warnings: Vec::new(),
        weights: Weights::default(),
        graph: None,
        before: None,
        integer: None,
    };
    for parameter in graph.parameters()? {
        let Some(tensor) = weights.get(&parameter.name) else {
            continue;
        };
        let (kept, back) = store(&parameter, &tensor.values, request)?;
        stored.weights.insert(parameter.name, parameter.shape, back);
        stored.layers.push(kept);
    }
    Ok(stored)
}

fn store(
    parameter: &Parameter,
    values: &[f32],
    request: &Request,
) -> Result<(StoredTensor, Vec<f32>)> {
    let applied = request.applied(parameter);
    let (mut scheme, mut reason) = (applied.scheme, applied.reason);
    let extent = Extent::of(parameter);
    let finite = values.iter().all(|value| value.is_finite());
    // NaN has no place in a block: candle's rounding would hide it as a zero.
    if scheme != Scheme::F32 && !finite {
        reason = "it holds a number that is not finite".into();
        scheme = Scheme::F32;
    }
    let mut bytes = form::encoded(values, extent, scheme)?;
    let mut back = form::decoded(&bytes, extent, scheme)?;
    if finite && !back.iter().all(|value| value.is_finite()) {
        reason = "a weight or a block's scale is beyond the range of f16".into();
        scheme = Scheme::F32;
        bytes = form::encoded(values, extent, scheme)?;
        back = values.to_vec();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Layer;

    fn named(scheme: &str) -> Request {
        Request::named(scheme).expect("known")
    }

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
            let stored = quantize(&graph(), &weights, &named(scheme)).expect("fits");
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
        let stored = quantize(&graph(), &weights(values.clone()), &named("Q8_0")).expect("fits");
        assert_eq!(stored.layers[0].bytes[..4], [0x00, 0x3c, 127, 192]);
        let stored = quantize(&graph(), &weights(values), &named("Q4_0")).expect("known");
        // 127 / -8 = -15.875 = 0xcbf0; number 0 is 0 (-8) and 16 is 6 (-2); number 1 is 12 (4) and 17 is 8 (0).
        assert_eq!(stored.layers[0].bytes[..4], [0xf0, 0xcb, 0x60, 0x8c]);
    }

    #[test]
    fn digest_is_of_the_stored_bytes() {
        let digest = |values: Vec<f32>| {
            quantize(&graph(), &weights(values), &named("f16"))
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
        let error = quantize(&other, &weights(vec![0.0; 128]), &named("f32")).expect_err("refused");
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
            let stored = quantize(&graph(), &weights(values.clone()), &named(scheme.name())).expect("fits");
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
            _ => (8.0, 0.5),
        };
        (share + 1e-4) * largest / steps + steps * half(largest / steps)
    }
}
