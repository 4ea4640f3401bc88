//! A model's numbers as the kernels read them: one flat list in the engine's layout; it knows no layer's arithmetic.
//!
//! Outside, tensors have PyTorch's shapes. Inside, a weight `[out, in, …places]` is stored `[…places][in][out]`, so that
//! neighbouring outputs are neighbours in memory. What decays comes first, then what else is trained, then the running
//! statistics, so that an optimizer walks two stretches.

use crate::error::{Error, Result};
use crate::model::{Parameter, ParameterRole, ResolvedNode, Weights};
use std::ops::Range;

/// One tensor's place in the list.
#[derive(Debug, Clone)]
struct Segment {
    name: String,
    shape: Vec<u32>,
    node: usize,
    role: ParameterRole,
    range: Range<usize>,
}

/// Where every tensor of a graph stands.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Layout {
    segments: Vec<Segment>,
    /// Numbers that decay; they come first.
    pub(in crate::engine) decaying: usize,
    /// Numbers that are trained; the running statistics follow.
    pub(in crate::engine) trained: usize,
    /// All numbers.
    pub(in crate::engine) len: usize,
}

impl Layout {
    /// One behind the other.
    pub(in crate::engine) fn new(nodes: &[ResolvedNode]) -> Self {
        Self::aligned(nodes, 1)
    }

    /// Each from a multiple of so many numbers on.
    pub(in crate::engine) fn aligned(nodes: &[ResolvedNode], alignment: usize) -> Self {
        let mut layout = Self {
            segments: Vec::new(),
            decaying: 0,
            trained: 0,
            len: 0,
        };
        let kinds: [fn(ParameterRole) -> bool; 3] = [
            ParameterRole::decays,
            |role| role.trains() && !role.decays(),
            |role| !role.trains(),
        ];
        for (kind, belongs) in kinds.into_iter().enumerate() {
            for (node, resolved) in nodes.iter().enumerate() {
                for parameter in &resolved.parameters {
                    if belongs(parameter.role) {
                        layout.push(node, parameter);
                        layout.len = layout.len.next_multiple_of(alignment);
                    }
                }
            }
            match kind {
                0 => layout.decaying = layout.len,
                1 => layout.trained = layout.len,
                _ => {}
            }
        }
        layout
    }

    fn push(&mut self, node: usize, parameter: &Parameter) {
        let end = self.len + parameter.count() as usize;
        self.segments.push(Segment {
            name: parameter.name.clone(),
            shape: parameter.shape.clone(),
            node,
            role: parameter.role,
            range: self.len..end,
        });
        self.len = end;
    }

    /// The place and role of every tensor, in order.
    pub(in crate::engine) fn ranges(&self) -> impl Iterator<Item = (&Range<usize>, ParameterRole)> {
        (self.segments.iter()).map(|segment| (&segment.range, segment.role))
    }

    /// The place of a node's tensor, if the node has one in this role.
    pub(in crate::engine) fn find(&self, node: usize, role: ParameterRole) -> Option<Range<usize>> {
        (self.segments.iter())
            .find(|segment| segment.node == node && segment.role == role)
            .map(|segment| segment.range.clone())
    }

    /// Whether a node has a tensor that is trained.
    pub(in crate::engine) fn trains(&self, node: usize) -> bool {
        (self.segments.iter()).any(|segment| segment.node == node && segment.role.trains())
    }

    /// Copies tensors into a list that is as long as this layout, or as its trained part.
    ///
    /// # Errors
    /// [`Error::BadInput`] that names a tensor which is missing or has another shape; then nothing was copied.
    pub(in crate::engine) fn load(
        &self,
        weights: &Weights,
        what: &str,
        list: &mut [f32],
    ) -> Result<()> {
        for segment in &self.segments {
            let fits = weights
                .get(&segment.name)
                .is_some_and(|tensor| tensor.shape == segment.shape);
            if !fits {
                return Err(Error::bad_input(
                    what,
                    format!("a tensor {:?} as the graph has it", segment.name),
                    "none",
                ));
            }
        }
        for segment in &self.segments {
            let (Some(tensor), Some(to)) = (
                weights.get(&segment.name),
                list.get_mut(segment.range.clone()),
            ) else {
                continue;
            };
            let [outputs, inputs, places] = segment.sizes();
            for (index, &value) in tensor.values.iter().enumerate() {
                let (rest, place) = (index / places, index % places);
                let (output, input) = (rest / inputs, rest % inputs);
                to[(place * inputs + input) * outputs + output] = value;
            }
        }
        Ok(())
    }

    /// The tensors of a list; what a shorter list does not hold is zero.
    pub(in crate::engine) fn weights(&self, list: &[f32]) -> Weights {
        let mut weights = Weights::default();
        for segment in &self.segments {
            let mut values = vec![0.0; segment.range.len()];
            if let Some(from) = list.get(segment.range.clone()) {
                let [outputs, inputs, places] = segment.sizes();
                for (index, value) in values.iter_mut().enumerate() {
                    let (rest, place) = (index / places, index % places);
                    let (output, input) = (rest / inputs, rest % inputs);
                    *value = from[(place * inputs + input) * outputs + output];
                }
            }
            weights.insert(&segment.name, segment.shape.clone(), values);
        }
        weights
    }
}

impl Segment {
    /// Outputs, inputs and places of a weight; everything else is one input of one output each.
    fn sizes(&self) -> [usize; 3] {
        match (self.role, self.shape.as_slice()) {
            (ParameterRole::Weight, [outputs, inputs, places @ ..]) => [
                *outputs as usize,
                *inputs as usize,
                places.iter().map(|&size| size as usize).product(),
            ],
            _ => [1, 1, self.range.len()],
        }
    }
}
