//! A model of two stages: a narrow one that tells empty rows from others, and one that tells the others apart; which rows the
//! second one sees is not decided here.

use super::families;
use super::graph::{Graph, INPUT};
use super::weights::Weights;
use crate::error::Result;
use crate::recipe::ArchitectureSpec;

/// What the names of each stage's layers and tensors begin with.
pub const STAGES: [&str; 2] = ["occupancy", "piece"];

/// The graphs of both stages for rows of `shape` with so many classes, of which the first is the empty one: two logits,
/// empty and occupied, of the family with narrower layers, and a logit for each other class of the family itself. Layers are
/// called after their stage, as `occupancy.conv1`.
///
/// # Errors
/// As [`families::graph`].
pub fn graphs(spec: &ArchitectureSpec, shape: [u32; 3], classes: u32) -> Result<[Graph; 2]> {
    let first = families::graph(&narrowed(spec), shape, 2)?;
    let second = families::graph(spec, shape, classes.saturating_sub(1))?;
    let [one, two] = STAGES;
    Ok([called(first, one), called(second, two)])
}

/// The same family with widths divided by the recipe's narrowing, at least 1; a token keeps whole numbers for each head.
fn narrowed(spec: &ArchitectureSpec) -> ArchitectureSpec {
    let by = spec.narrowing().max(1);
    let less = |width: Option<u32>| width.map(|width| (width / by).max(1));
    let heads = spec.heads.unwrap_or(1).max(1);
    ArchitectureSpec {
        channels: less(spec.channels),
        dense: less(spec.dense),
        width: less(spec.width).map(|width| (width / heads).max(1) * heads),
        ..spec.clone()
    }
}

fn called(mut graph: Graph, stage: &str) -> Graph {
    for node in &mut graph.nodes {
        node.name = format!("{stage}.{}", node.name);
        for input in node.inputs.iter_mut().filter(|input| *input != INPUT) {
            *input = format!("{stage}.{input}");
        }
    }
    graph
}

/// Both stages beside each other, by which they are counted, stored and named; it gives the second one's logits and is never
/// run as it is.
#[must_use]
pub fn joined(stages: &[Graph; 2]) -> Graph {
    let [first, second] = stages;
    let mut graph = first.clone();
    graph.nodes.extend(second.nodes.iter().cloned());
    graph
}

/// The tensors of one stage among those of both.
///
/// # Errors
/// As [`Graph::resolve`]; what is missing is left to [`Weights::check`].
pub fn weights_of(stage: &Graph, both: &Weights) -> Result<Weights> {
    let mut weights = Weights::default();
    for parameter in stage.parameters()? {
        if let Some(tensor) = both.get(&parameter.name) {
            weights.insert(parameter.name, tensor.shape.clone(), tensor.values.clone());
        }
    }
    Ok(weights)
}

/// The tensors of both stages together.
#[must_use]
pub fn both(first: &Weights, second: &Weights) -> Weights {
    let mut weights = first.clone();
    for (name, tensor) in second.iter() {
        weights.insert(name, tensor.shape.clone(), tensor.values.clone());
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;
    use crate::recipe::fields::{FAMILIES, GRAPH};

    #[test]
    fn every_family_has_two_stages_and_the_first_is_smaller() {
        for family in FAMILIES.iter().filter(|family| **family != GRAPH) {
            let spec = Recipe::default_for("chess", family).architecture;
            let stages = graphs(&spec, [1, 32, 32], 13).expect("fits");
            let work = |graph: &Graph| -> u64 {
                let nodes = graph.resolve().expect("fits");
                nodes.iter().map(|node| node.macs).sum()
            };
            let outputs = |graph: &Graph| graph.resolve().expect("fits").pop().expect("one").output;
            assert_eq!(stages.each_ref().map(outputs), [vec![2], vec![12]]);
            let [first, second] = stages.each_ref().map(work);
            assert!(first * 2 < second, "{family}: {first} {second}");
            assert_eq!(work(&joined(&stages)), first + second);
            let own = (stages.each_ref()).map(|stage| Weights::init(stage, 1).expect("fits"));
            let weights = both(&own[0], &own[1]);
            assert_eq!(weights.check(&joined(&stages)), Ok(()), "{family}");
            for (stage, own) in stages.iter().zip(&own) {
                assert_eq!(weights_of(stage, &weights).as_ref(), Ok(own));
            }
        }
    }

    #[test]
    fn widths_are_divided_and_never_nothing() {
        let mut spec = Recipe::default_for("chess", "lenet").architecture;
        let narrow = narrowed(&spec);
        assert_eq!((narrow.channels, narrow.dense), (Some(4), Some(16)));
        spec.narrowing = Some(32);
        let narrow = narrowed(&spec);
        assert_eq!((narrow.channels, narrow.dense), (Some(1), Some(2)));
        let mut vit = Recipe::default_for("chess", "vit").architecture;
        vit.narrowing = Some(32);
        assert_eq!(narrowed(&vit).width, vit.heads);
    }
}
