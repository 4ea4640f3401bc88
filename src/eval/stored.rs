//! Stores trained weights as a recipe asks: pruned, equalized and fine-tuned where it does, with the training rows that
//! ranges of activations are chosen from; it decides neither schemes nor ranges.

use crate::data::Rows;
use crate::engine::cpu::{FineTuning, observe};
use crate::error::Result;
use crate::model::{Graph, Weights};
use crate::quant::{self, Calibration, Codes, Request, Seen, Stored};
use crate::recipe::QuantizationSpec;

/// Stores the weights of a graph; `training` are the rows of its training, of which the first are looked at.
///
/// # Errors
/// As [`quant::stored`], [`observe`], [`quant::shrunk_graph`] and [`FineTuning::run`].
pub fn stored(
    graph: &Graph,
    weights: &Weights,
    spec: &QuantizationSpec,
    data: &Rows,
    training: &[u32],
) -> Result<Stored> {
    let request = Request::of(spec)?;
    if !request.folded && spec.pruning() == "off" {
        return as_asked(graph, weights, spec, data, training);
    }
    request.check(graph)?;
    let mut notes = Vec::new();
    let (mut graph, mut weights) = (graph.clone(), weights.clone());
    let percent = spec.pruned_percent();
    match spec.pruning() {
        "channels" => {
            let kept;
            (graph, weights, kept) = quant::without_channels(&graph, &weights, percent)?;
            notes.extend((!kept.is_empty()).then_some(kept));
        }
        "weights" => weights = quant::without_weights(&graph, &weights, percent)?,
        _ => {}
    }
    if request.folds() {
        weights = quant::folded_weights(&graph, &weights)?;
        graph = quant::folded_graph(&graph)?;
    }
    if spec.equalizes() {
        weights = quant::equalized(&graph, &weights)?;
    }
    if spec.fine_tune_epochs() > 0 {
        weights = fine_tuned(&graph, &weights, (spec, &request), data, training)?;
    }
    if spec.corrects_biases() {
        // What rounding does is known once it was done.
        let rounded = as_asked(&graph, &weights, spec, data, training)?;
        let rows = &training[..training.len().min(spec.calibration_rows() as usize)];
        let means = means(&graph, &weights, data, rows)?;
        let of = |node: usize| means.get(node).cloned().unwrap_or_default();
        weights = quant::corrected(&graph, &weights, rounded.weights(), of)?;
    }
    let stored = as_asked(&graph, &weights, spec, data, training)?;
    Ok(stored.made_of(&graph, weights, notes))
}

fn as_asked(
    graph: &Graph,
    weights: &Weights,
    spec: &QuantizationSpec,
    data: &Rows,
    training: &[u32],
) -> Result<Stored> {
    if !Request::of(spec)?.needs_calibration() {
        return quant::stored(graph, weights, spec, None);
    }
    let rows = training.len().min(spec.calibration_rows() as usize);
    let seen = calibrated(graph, weights, data, &training[..rows])?;
    quant::stored(graph, weights, spec, Some(&seen))
}

/// The weights of a graph without foldable norms after some epochs with rounded weights and, where they will be, values.
fn fine_tuned(
    graph: &Graph,
    weights: &Weights,
    (spec, request): (&QuantizationSpec, &Request),
    data: &Rows,
    training: &[u32],
) -> Result<Weights> {
    let codes: Vec<Codes> = if request.needs_calibration() {
        let rows = training.len().min(spec.calibration_rows() as usize);
        let seen = calibrated(graph, weights, data, &training[..rows])?;
        quant::codes(graph, &seen, spec)?
    } else {
        Vec::new()
    };
    let tuning = FineTuning {
        codes: &codes,
        data,
        rows: training,
        epochs: spec.fine_tune_epochs(),
    };
    // Each output's weights are rounded as they will be but for a step that a large bias asks for.
    let alone = Request {
        scheme: request.scheme.of_weights(),
        layers: (request.layers.iter())
            .map(|(layer, scheme)| (layer.clone(), scheme.of_weights()))
            .collect(),
        ..request.clone()
    };
    let is_masked = spec.pruning() == "weights";
    let kept = |own: &Weights| {
        if is_masked {
            quant::masked(own.clone(), weights)
        } else {
            own.clone()
        }
    };
    let tuned = tuning.run(graph, weights, |own| {
        Ok(quant::quantize(graph, &kept(own), &alone)?
            .weights()
            .clone())
    })?;
    Ok(kept(&tuned))
}

/// What rows show of every activation of a graph without its foldable norms.
///
/// # Errors
/// As [`observe`].
pub fn calibrated(
    graph: &Graph,
    weights: &Weights,
    data: &Rows,
    rows: &[u32],
) -> Result<Calibration> {
    let folded = quant::folded_graph(graph)?;
    let weights = quant::folded_weights(graph, weights)?;
    let mut seen = vec![Seen::default(); folded.nodes.len() + 1];
    observe(&folded, &weights, data, rows, |value, numbers| {
        seen[value].bound(numbers);
    })?;
    observe(&folded, &weights, data, rows, |value, numbers| {
        seen[value].count(numbers);
    })?;
    Ok(Calibration {
        seen,
        rows: rows.len(),
    })
}

/// The mean of each channel of what each node of a graph without foldable norms reads first.
fn means(graph: &Graph, weights: &Weights, data: &Rows, rows: &[u32]) -> Result<Vec<Vec<f64>>> {
    let nodes = graph.resolve()?;
    let count = |shape: &[u32]| shape.iter().map(|&size| size as usize).product::<usize>();
    let mut lens = vec![count(&graph.input)];
    lens.extend(nodes.iter().map(|node| count(&node.output)));
    let mut sums: Vec<Vec<f64>> = vec![Vec::new(); lens.len()];
    observe(graph, weights, data, rows, |value, numbers| {
        let sums = &mut sums[value];
        sums.resize(lens[value], 0.0);
        for row in numbers.chunks_exact(lens[value].max(1)) {
            for (sum, &number) in sums.iter_mut().zip(row) {
                *sum += f64::from(number);
            }
        }
    })?;
    // Another view of the same numbers is never computed: it has those of what it looks at.
    for (node, resolved) in nodes.iter().enumerate() {
        if let (true, Some(&source)) = (sums[node + 1].is_empty(), resolved.sources.first()) {
            sums[node + 1] = sums[quant::value(source)].clone();
        }
    }
    Ok(nodes
        .iter()
        .map(|node| {
            let own = node
                .sources
                .first()
                .map_or(&[][..], |&it| &sums[quant::value(it)]);
            // Channels stand side by side, place after place.
            let channels = match *node.input() {
                [channels, _, _] => channels as usize,
                [_, features] => features as usize,
                _ => own.len(),
            };
            let mut means = vec![0.0; channels];
            for place in own.chunks_exact(channels.max(1)) {
                means
                    .iter_mut()
                    .zip(place)
                    .for_each(|(mean, sum)| *mean += sum);
            }
            let all = rows.len() * own.len() / channels.max(1);
            means.iter_mut().for_each(|mean| *mean /= all.max(1) as f64);
            means
        })
        .collect())
}
