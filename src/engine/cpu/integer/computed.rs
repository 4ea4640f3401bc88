//! Of each layer of a stored model, in which arithmetic it is computed and why; it runs nothing.

use super::Planned;
use crate::engine::cpu::parameters::Layout;
use crate::engine::cpu::plan::Plan;
use crate::error::Result;
use crate::model::Graph;
use crate::quant::Stored;

/// How a layer is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computed {
    /// The layer, the first of those that are computed together.
    pub layer: String,
    /// The value that it writes: `n + 1` for node `n`.
    pub value: usize,
    /// `int8`, `int8-dynamic` or `f32`.
    pub arithmetic: &'static str,
    /// Why it is f32 although integers were asked for, or empty.
    pub reason: String,
}

/// How each layer of a stored model is computed.
///
/// # Errors
/// As preparing it.
pub fn computed(graph: &Graph, stored: &Stored) -> Result<Vec<Computed>> {
    let graph = stored.graph(graph);
    let as_f32 = |layer: &str, value| Computed {
        layer: layer.into(),
        value,
        arithmetic: "f32",
        reason: String::new(),
    };
    let Some(integer) = stored.integer() else {
        let nodes = graph.resolve()?;
        let plan = Plan::with_tables(graph, &nodes, &Layout::new(&nodes))?;
        let steps = plan.steps.iter();
        return Ok(steps
            .map(|step| as_f32(&graph.nodes[step.node].name, step.output))
            .collect());
    };
    let planned = Planned::new(graph, stored, integer)?;
    let steps = planned.program.steps.iter().zip(&planned.steps);
    Ok(steps
        .map(|(step, own)| Computed {
            arithmetic: own.kind.arithmetic(),
            reason: own.reason.clone(),
            ..as_f32(&graph.nodes[step.node].name, step.output)
        })
        .collect())
}
