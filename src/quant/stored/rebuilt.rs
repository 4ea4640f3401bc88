//! A stored model from the bytes of its tensors, as a file holds them; nothing is rounded again.

use super::{Codes, Extent, Graph, Integer, IntegerLayer, Stored, StoredTensor, Weights, form};
use crate::error::Result;
use crate::quant::request::layer_of;
use std::collections::BTreeMap;

impl Stored {
    /// Steps and ranges of the input and of every value; empty where no layer needs them.
    #[must_use]
    pub fn codes(&self) -> &[Codes] {
        self.integer.as_ref().map_or(&[], |it| &it.codes)
    }

    /// From tensors in the order of the nodes of the graph that runs.
    ///
    /// # Errors
    /// As reading the bytes of a tensor.
    pub(crate) fn rebuilt(
        graph: Graph,
        layers: Vec<StoredTensor>,
        codes: Vec<Codes>,
    ) -> Result<Self> {
        let mut weights = Weights::default();
        for tensor in &layers {
            let values = form::decoded(&tensor.bytes, extent(tensor), tensor.scheme)?;
            weights.insert(tensor.name.as_str(), tensor.shape.clone(), values);
        }
        let mut integer = Integer {
            layers: BTreeMap::new(),
            codes,
        };
        for tensor in layers.iter().filter(|it| it.scheme.is_integer()) {
            let layer = layer_of(&tensor.name);
            let bias = weights.get(&format!("{layer}.bias"));
            let row = 4 + extent(tensor).inner as usize;
            let mut own = IntegerLayer {
                scheme: tensor.scheme,
                weights: Vec::new(),
                steps: Vec::new(),
                bias: bias.map_or_else(Vec::new, |it| it.values.clone()),
            };
            for bytes in tensor.bytes.chunks_exact(row) {
                let (step, integers) = bytes.split_at(4);
                own.steps
                    .extend(step.as_chunks().0.iter().map(|&it| f32::from_le_bytes(it)));
                own.weights.extend(integers.iter().map(|&byte| byte as i8));
            }
            integer.layers.insert(layer.into(), own);
        }
        let has_integers = !integer.layers.is_empty() || !integer.codes.is_empty();
        Ok(Self {
            layers,
            warnings: Vec::new(),
            weights,
            before: None,
            integer: has_integers.then_some(integer),
            graph: Some(graph),
        })
    }
}

fn extent(tensor: &StoredTensor) -> Extent {
    Extent::of_shape(&tensor.shape)
}
