//! Fine-tuning: which weights and values are rounded as they will be stored, and the dispatches that do so before anybody
//! reads them and on the way back; everything else is planned as for any training.

use super::Builder;
use super::places::Item;
use crate::engine::cpu::plan::Mode;
use crate::engine::gpu::kernels::Task;
use crate::engine::gpu::kernels::task::{NONE, RoundedValues, RoundedWeights};
use crate::error::{Error, Result};
use crate::model::{Graph, ParameterRole};
use crate::quant::{Codes, Request, Scheme};

/// Numbers of an output that share a step under `int4`.
const GROUP: u32 = 32;

/// What is rounded in training.
#[derive(Debug, Clone, Default)]
pub(in crate::engine::gpu) struct Rounding {
    /// The scheme of each node's weight, where it has one that rounds.
    weights: Vec<Option<Scheme>>,
    /// Codes of the input and of each node's output; none rounds no value.
    codes: Vec<Codes>,
}

impl Rounding {
    /// As a request says for a graph; `codes` as [`crate::engine::cpu::FineTuning`] has them.
    ///
    /// # Errors
    /// [`Error::Unsupported`] that names the first layer whose scheme no kernel rounds, and why.
    pub(in crate::engine::gpu) fn new(
        graph: &Graph,
        request: &Request,
        codes: &[Codes],
    ) -> Result<Self> {
        let mut weights = Vec::new();
        for (node, resolved) in graph.nodes.iter().zip(graph.resolve()?) {
            let mut all = resolved.parameters.iter();
            let own = all.find(|it| it.role == ParameterRole::Weight);
            let scheme = own.map_or(Scheme::F32, |own| request.applied(own).scheme);
            weights.push(match scheme.of_weights() {
                Scheme::F32 => None,
                scheme if kind(scheme).is_some() => Some(scheme),
                scheme => {
                    return Err(Error::Unsupported {
                        feature: format!("fine-tuning layer {:?} on the GPU", node.name),
                        why: format!(
                            "{} takes its steps from sums in f64 or from blocks of candle's, which no kernel follows to the bit; f16, int4, int8-weights, int8 and int8-dynamic are fine-tuned there",
                            scheme.name()
                        ),
                    });
                }
            });
        }
        Ok(Self {
            weights,
            codes: codes.to_vec(),
        })
    }

    /// Whether values are rounded.
    pub(super) const fn has_codes(&self) -> bool {
        !self.codes.is_empty()
    }
}

/// How the kernel knows a scheme, and the largest integer of it.
const fn kind(scheme: Scheme) -> Option<[u32; 2]> {
    match scheme {
        Scheme::F16 => Some([0, 1]),
        Scheme::Int8Weights => Some([1, 127]),
        Scheme::Int8WeightsTensor => Some([2, 127]),
        Scheme::Int4 => Some([3, 7]),
        _ => None,
    }
}

impl Builder<'_> {
    /// What is rounded in this plan.
    fn rounding(&self) -> Option<&Rounding> {
        self.ground.rounding.filter(|_| self.mode == Mode::Training)
    }

    /// Whether an activation may be part of the pass before it: not where the number between is rounded.
    pub(super) fn keeps(&self) -> bool {
        !self.rounding().is_some_and(Rounding::has_codes)
    }

    /// Whether products see a node's weight rounded.
    pub(super) fn rounds_weight(&self, node: usize) -> bool {
        self.rounding().is_some_and(|it| it.weights[node].is_some())
    }

    /// The codes that a value is rounded by: none of the answer.
    fn codes(&self, value: usize) -> Option<Codes> {
        let codes = self.rounding()?.codes.get(value).copied();
        codes.filter(|_| value != self.network.output)
    }

    /// Whether a value is rounded.
    pub(super) fn rounds(&self, value: usize) -> bool {
        self.codes(value).is_some()
    }

    /// What whoever computes a value writes.
    pub(super) fn written(&self, value: usize) -> Item {
        match self.rounds(value) {
            true => Item::Exact(value),
            false => Item::Value(value),
        }
    }

    /// Rounds every weight as it will be stored.
    pub(super) fn rounded_weights(&mut self) -> Result<()> {
        let weights = self.rounding().map_or(Vec::new(), |it| it.weights.clone());
        for (node, scheme) in weights.into_iter().enumerate() {
            let Some([kind, top]) = scheme.and_then(kind) else {
                continue;
            };
            let range = self.tensor(node, ParameterRole::Weight)?;
            let all = self.network.nodes[node].parameters.iter();
            let shape = { all }.find(|it| it.role == ParameterRole::Weight);
            let Some([outputs, planes, places @ ..]) = shape.map(|it| it.shape.as_slice()) else {
                continue;
            };
            let places = places.iter().product::<u32>();
            self.push(Task::RoundedWeights(RoundedWeights {
                outputs: *outputs,
                planes: *planes,
                places,
                stretch: match kind {
                    3 => GROUP,
                    _ => planes * places,
                },
                input: range.start as u32,
                output: (self.layout.len + range.start) as u32,
                kind,
                top,
            }))?;
        }
        Ok(())
    }

    /// Rounds a value that was just written, if it is rounded at all.
    pub(super) fn rounded(&mut self, value: usize) -> Result<()> {
        self.rounding_of(value, None)
    }

    /// Takes the gradient of a value, which stands there, away where the value was cut off.
    pub(super) fn rounded_back(&mut self, value: usize, own: Item) -> Result<()> {
        self.rounding_of(value, Some(own))
    }

    fn rounding_of(&mut self, value: usize, gradient: Option<Item>) -> Result<()> {
        let Some(codes) = self.codes(value) else {
            return Ok(());
        };
        let [low, high] = codes.range.map(f32::from);
        let task = RoundedValues {
            length: self.len(value) as u32,
            input: self.place(Item::Exact(value)),
            output: self.place(gradient.unwrap_or(Item::Value(value))),
            gradient: match gradient {
                Some(own) => self.place(own),
                None => NONE,
            },
            step: codes.step,
            inverse: 1.0 / codes.step,
            low,
            high,
        };
        self.push(Task::RoundedValues(task))
    }
}
