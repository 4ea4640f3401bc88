//! What a recipe asks of each layer's weights, and what they can take of it, with the reason; it moves no numbers.

use super::scheme::{Extent, Scheme};
use crate::error::{Error, Result};
use crate::model::{Graph, Parameter, ParameterRole};
use crate::order;
use crate::recipe::QuantizationSpec;
use std::collections::BTreeMap;

/// What weights are asked to be stored in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The scheme of every layer that has none of its own.
    pub scheme: Scheme,
    /// Whether an output's weights are filled up with zeros to whole blocks; if not, a layer that needs it stays f32.
    /// Schemes of single layers are always filled up.
    pub padded: bool,
    /// Layers with a scheme of their own.
    pub layers: BTreeMap<String, Scheme>,
    /// Whether batch norms are folded first although no layer computes in integers.
    pub folded: bool,
}

/// What a tensor is stored in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The scheme that it takes.
    pub scheme: Scheme,
    /// Why that is not the one asked for and what would do, or empty.
    pub reason: String,
    /// Its bytes.
    pub bytes: u64,
}

impl Request {
    /// What a recipe asks for.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for an unknown scheme.
    pub fn of(spec: &QuantizationSpec) -> Result<Self> {
        let scheme = Scheme::from_name(&spec.scheme)?;
        // The first two of ggml's types are older than padding: a recipe that does not ask for it means none.
        let padded = !matches!(scheme, Scheme::Q8_0 | Scheme::Q4_0) || spec.rows() == "padded";
        let own = spec.layers.iter().flatten();
        let named = own.map(|(layer, scheme)| Ok((layer.clone(), Scheme::from_name(scheme)?)));
        Ok(Self {
            scheme,
            padded,
            folded: spec.equalizes() || spec.corrects_biases() || spec.fine_tune_epochs() > 0,
            layers: order::try_map(named)?,
        })
    }

    /// Whether some layer computes in integers, so that batch norms are folded first.
    #[must_use]
    pub fn has_integers(&self) -> bool {
        self.scheme.is_integer() || self.layers.values().any(|scheme| scheme.is_integer())
    }

    /// Whether batch norms are folded before weights are stored.
    #[must_use]
    pub fn folds(&self) -> bool {
        self.folded || self.has_integers()
    }

    /// Whether some layer needs the steps of activations beforehand.
    #[must_use]
    pub fn needs_calibration(&self) -> bool {
        self.scheme == Scheme::Int8 || self.layers.values().any(|scheme| *scheme == Scheme::Int8)
    }

    /// One scheme for all layers, as a recipe with nothing but its name asks for.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for an unknown scheme.
    pub fn named(scheme: &str) -> Result<Self> {
        Self::of(&QuantizationSpec {
            scheme: scheme.into(),
            ..QuantizationSpec::default()
        })
    }

    /// Whether every layer with a scheme of its own is one of the graph's and has weights.
    ///
    /// # Errors
    /// [`Error::BadInput`] that names the first which is not, and those that are.
    pub fn check(&self, graph: &Graph) -> Result<()> {
        if self.layers.is_empty() {
            return Ok(());
        }
        let parameters = graph.parameters()?;
        let weights = parameters
            .iter()
            .filter(|it| it.role == ParameterRole::Weight);
        let known: Vec<&str> = weights.map(|it| layer_of(&it.name)).collect();
        let other = self
            .layers
            .keys()
            .find(|layer| !known.contains(&layer.as_str()));
        match other {
            None => Ok(()),
            Some(layer) => Err(Error::bad_input(
                "quantization.layers",
                format!("layers with weights: {}", known.join(", ")),
                format!("{layer:?}"),
            )),
        }
    }

    /// The scheme that a layer is asked to take, and whether its outputs may be filled up.
    fn asked(&self, layer: &str) -> (Scheme, bool) {
        match self.layers.get(layer) {
            Some(&scheme) => (scheme, true),
            None => (self.scheme, self.padded),
        }
    }

    /// What a tensor is stored in. Only weights take a scheme, all else stays f32, and so do weights that it would make no
    /// smaller, or that it may not fill up.
    #[must_use]
    pub fn applied(&self, parameter: &Parameter) -> Applied {
        let extent = Extent::of(parameter);
        let (asked, padded) = self.asked(layer_of(&parameter.name));
        let reason = if asked == Scheme::F32 {
            String::new()
        } else if parameter.role != ParameterRole::Weight {
            format!("{} stay f32", parameter.role.words())
        } else {
            hindrance(asked, padded, extent)
        };
        let scheme = if reason.is_empty() {
            asked
        } else {
            Scheme::F32
        };
        Applied {
            scheme,
            reason,
            bytes: scheme.bytes(extent),
        }
    }
}

/// Why weights cannot take a scheme and what they could, or empty.
fn hindrance(scheme: Scheme, padded: bool, extent: Extent) -> String {
    let inner = extent.inner;
    if let Some((numbers, _)) = scheme.block()
        && !padded
        && !inner.is_multiple_of(numbers)
    {
        return format!(
            "each output has {inner} weights, which is no multiple of {numbers}; with quantization.rows padded it can be stored"
        );
    }
    let (bytes, plain) = (scheme.bytes(extent), Scheme::F32.bytes(extent));
    if bytes < plain {
        return String::new();
    }
    let smaller = [Scheme::Int4, Scheme::Int8Weights, Scheme::F16]
        .into_iter()
        .find(|other| other.bytes(extent) < plain)
        .map_or_else(String::new, |other| {
            format!("; {} takes {}", other.name(), other.bytes(extent))
        });
    format!(
        "{} would take {bytes} bytes, f32 {plain}: each output has {inner} weights{smaller}",
        scheme.name()
    )
}

/// The layer of a tensor by its name.
pub(crate) fn layer_of(tensor: &str) -> &str {
    tensor.rsplit_once('.').map_or(tensor, |(layer, _)| layer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Layer, Parameter};

    fn graph() -> Graph {
        let mut graph = Graph::new([1, 8, 8]);
        graph.push("conv", Layer::convolution(4, 3));
        graph.push("flatten", Layer::Flatten);
        graph.push("dense", Layer::linear(2));
        graph
    }

    fn parameter(name: &str) -> Parameter {
        let parameters = graph().parameters().expect("fits");
        let mut all = parameters.into_iter();
        all.find(|parameter| parameter.name == name).expect("there")
    }

    fn asked(scheme: &str, rows: Option<&str>, layers: &[(&str, &str)]) -> Request {
        let layers = layers
            .iter()
            .map(|&(layer, scheme)| (layer.into(), scheme.into()));
        Request::of(&QuantizationSpec {
            scheme: scheme.into(),
            rows: rows.map(Into::into),
            layers: (layers.len() > 0).then(|| layers.collect()),
            ..QuantizationSpec::default()
        })
        .expect("known")
    }

    #[test]
    fn each_step_of_a_search_has_fewer_bytes_for_a_layer_of_any_size() {
        for (outputs, inner) in [(10, 84), (32, 800), (256, 784)] {
            let bytes = Scheme::STEPS.map(|it| it.bytes(Extent { outputs, inner }));
            assert!(bytes.is_sorted_by(|a, b| a > b), "{bytes:?}");
        }
        let is_known = |it: &Scheme| Scheme::ALL.iter().any(|(known, _)| known == it);
        assert!(Scheme::STEPS.iter().all(is_known));
    }

    #[test]
    fn rows_are_filled_up_where_that_is_asked_for_or_the_scheme_is_younger_than_the_question() {
        let conv = parameter("conv.weight");
        let old = asked("Q8_0", None, &[]).applied(&conv);
        assert_eq!((old.scheme, old.bytes), (Scheme::F32, 4 * 9 * 4));
        assert_eq!(
            old.reason,
            "each output has 9 weights, which is no multiple of 32; with quantization.rows padded it can be stored"
        );
        let padded = asked("Q8_0", Some("padded"), &[]).applied(&conv);
        assert_eq!((padded.scheme, padded.bytes), (Scheme::Q8_0, 4 * 34));
        assert_eq!(asked("Q5_0", None, &[]).applied(&conv).scheme, Scheme::Q5_0);
    }

    #[test]
    fn what_would_not_get_smaller_stays_f32_and_says_what_would() {
        let applied = asked("Q4_K", None, &[]).applied(&parameter("conv.weight"));
        assert_eq!(applied.scheme, Scheme::F32);
        assert_eq!(
            applied.reason,
            "Q4_K would take 576 bytes, f32 144: each output has 9 weights; int4 takes 28"
        );
        let bias = asked("int4", None, &[]).applied(&parameter("conv.bias"));
        assert_eq!(bias.reason, "biases stay f32");
    }

    #[test]
    fn a_layer_can_have_its_own_scheme_and_only_a_layer_with_weights() {
        let request = asked("f32", None, &[("dense", "int4"), ("conv", "Q8_0")]);
        assert_eq!(request.check(&graph()), Ok(()));
        assert_eq!(
            request.applied(&parameter("dense.weight")).scheme,
            Scheme::Int4
        );
        assert_eq!(
            request.applied(&parameter("conv.weight")).scheme,
            Scheme::Q8_0
        );
        let error = asked("f32", None, &[("flatten", "int4")]).check(&graph());
        let error = error.expect_err("refused").to_string();
        assert!(
            error.contains("conv, dense") && error.contains("\"flatten\""),
            "{error}"
        );
    }

    #[test]
    fn an_unknown_scheme_is_refused_with_those_that_are_known() {
        let error = Request::named("int3").expect_err("refused").to_string();
        assert!(
            error.contains("int3") && error.contains("int4-asymmetric"),
            "{error}"
        );
    }

    #[test]
    fn the_recipe_offers_every_scheme() {
        let names = Scheme::ALL.map(|(_, name)| name);
        assert_eq!(names, crate::recipe::fields::SCHEMES);
    }
}
