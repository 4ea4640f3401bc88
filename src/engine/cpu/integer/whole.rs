//! The steps of a model that computes in nothing but integers, for an engine that follows the same definitions; it runs none.

use super::Planned;
use super::step::Kind;
use crate::error::{Error, Result};
use crate::model::Graph;
use crate::quant::{Integer, Stored};

/// A step in integers as an engine of another kind needs it; values are numbered as in [`Computed`].
pub(in crate::engine) struct WholeStep {
    /// The first node that it computes.
    pub(in crate::engine) node: usize,
    /// The values that it reads.
    pub(in crate::engine) inputs: Vec<usize>,
    /// A value that is added to a product's sums.
    pub(in crate::engine) residual: Option<usize>,
    /// The value that it writes.
    pub(in crate::engine) output: usize,
    /// What it does.
    pub(in crate::engine) kind: Kind,
}

/// The steps of a model all of whose layers compute in integers, with the slot that each value may stand in.
///
/// # Errors
/// As preparing it; [`Error::Unsupported`] that names the first layer that is computed in f32, and why.
pub(in crate::engine) fn whole_steps(
    graph: &Graph,
    stored: &Stored,
    integer: &Integer,
) -> Result<(Vec<WholeStep>, Vec<usize>)> {
    let Planned { program, steps, .. } = Planned::new(graph, stored, integer)?;
    let other = (program.steps.iter().zip(&steps))
        .find(|(_, own)| matches!(own.kind, Kind::Float | Kind::Dynamic(_)));
    if let Some((step, own)) = other {
        let reason = match own.reason.as_str() {
            "" => String::new(),
            reason => format!(", because {reason}"),
        };
        return Err(Error::Unsupported {
            feature: "this stored model on the GPU".into(),
            why: format!(
                "layer {:?} is computed in {} there{reason}; the CPU engine computes both arithmetics, the GPU's integers alone",
                graph.nodes[step.node].name,
                own.kind.arithmetic(),
            ),
        });
    }
    let slots = (program.values.iter())
        .map(|&item| program.buffers.slot_of(item))
        .collect();
    let steps = program.steps.into_iter().zip(steps);
    let steps = steps.map(|(step, own)| WholeStep {
        node: step.node,
        inputs: step.inputs,
        residual: step.residual,
        output: step.output,
        kind: own.kind,
    });
    Ok((steps.collect(), slots))
}
