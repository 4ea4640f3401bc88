//! Models whose weights are exact in half precision: on a GPU they take half of the room and answer the same to the bit.

use super::{BATCH, GpuCase, of_family, rows, told};
use assay::engine::gpu::{Gpu, GpuEngine};
use assay::engine::{Engine, Executable, Parameters, agreement};
use assay::model::{Graph, ParameterRole};
use assay::quant::{Request, quantize};
use std::rc::Rc;

pub(super) fn cases() -> Vec<GpuCase> {
    // Products with and without quads, depthwise layers, batch norms that are folded, attention.
    ["lenet", "mobilenet", "vit"]
        .map(|family| {
            let name = format!("model: weights as halves: {family}");
            GpuCase::new(name, move |gpu| halves(gpu, of_family(family)))
        })
        .into()
}

async fn halves(gpu: Gpu, graph: Graph) -> Result<(), String> {
    let drawn = told(agreement::probe_weights(&graph, 11))?;
    let stored = told(quantize(&graph, &drawn, &told(Request::named("f16"))?))?;
    let mut engine = GpuEngine::new(gpu);
    told(engine.load(&rows()).await)?;
    let mut half = told((engine.model(&graph, Parameters::Stored(&stored), BATCH)).await)?;
    // The same numbers as f32: a model that trains keeps them so.
    let exact = Parameters::Exact(stored.weights());
    let mut full = told(engine.model(&graph, exact, BATCH).await)?;
    let unrounded = told(quantize(&graph, &drawn, &told(Request::named("f32"))?))?;
    let unrounded = Parameters::Stored(&unrounded);
    let other = told(engine.model(&graph, unrounded, BATCH).await)?;

    let parameters = graph.parameters().map_err(|error| error.to_string())?;
    let weights = parameters
        .iter()
        .filter(|it| it.role == ParameterRole::Weight);
    let (tensors, count) = weights.fold((0, 0), |(tensors, count), it| {
        (tensors + 1, count + it.count())
    });
    let [held, without] = [&half, &other].map(|model| model.preparation().held_bytes);
    // Each tensor begins at a multiple of 256 bytes, and as half of that.
    if held + 2 * count > without + 256 * (tensors + 1) {
        return Err(format!(
            "{held} bytes held; {without} as f32, with {count} weights"
        ));
    }

    let all: Vec<u32> = (0..37).collect();
    for asked in [&all[..], &all[5..6]] {
        let [wanted, found] = [
            told(full.logits(asked).await)?,
            told(half.logits(asked).await)?,
        ];
        same("answers", &wanted, &found)?;
    }
    if told(half.weights().await)? != *stored.weights() {
        return Err("other weights came back".into());
    }
    // More rows than there was room for: everything is made anew.
    let mut more = rows();
    more.features.extend_from_within(..);
    more.labels.extend_from_within(..);
    told(half.load(Rc::new(more)).await)?;
    let [wanted, found] = [
        told(full.logits(&all).await)?,
        told(half.logits(&all).await)?,
    ];
    same("answers after other rows were loaded", &wanted, &found)
}

fn same(what: &str, wanted: &[f32], found: &[f32]) -> Result<(), String> {
    let differing = (wanted.iter().zip(found))
        .filter(|(a, b)| a.to_bits() != b.to_bits())
        .count();
    match (differing, wanted.len() == found.len()) {
        (0, true) => Ok(()),
        _ => Err(format!("{what}: {differing} of {} differ", wanted.len())),
    }
}
