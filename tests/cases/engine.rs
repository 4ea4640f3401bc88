//! The CPU engine's answers and gradients against candle's operations in f64, and against central differences of them.
//!
//! The bounds are derived in `docs/numerics.md`. Each check is also shown a broken number, which it must find.

use super::Case;
use super::graphs::{self, Named};
use super::numerics::{ROUNDING, ready, same_bits, text, within};
use super::reference::{Form, Reference};
use assay::data::{Rows, Scaler};
use assay::engine::cpu::CpuEngine;
use assay::engine::{Engine, Executable, Parameters, State, TrainStep};
use assay::model::{Graph, Layer, Weights};
use assay::rng::Stream;
use assay::train::optimizer::Update;
use assay_kernels::dropout::Dropout;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "logits_agree_with_candles_operations",
            run: || every_graph(|named| logits_agree(named, false)),
        },
        Case {
            name: "gradients_agree_with_candles_operations",
            run: || every_graph(|named| gradients_agree(named, false)),
        },
        Case {
            name: "gradients_agree_with_central_differences",
            run: || every_graph(|named| differences_agree(named, false)),
        },
        Case {
            name: "a_broken_logit_or_gradient_is_found",
            run: || every_graph(broken_numbers_are_found),
        },
        Case {
            name: "a_rows_logits_do_not_depend_on_the_others",
            run: || every_graph(logits_do_not_depend_on_the_batch),
        },
        Case {
            name: "every_layer_and_activation_is_in_a_graph",
            run: every_layer_is_there,
        },
    ]
}

/// Rows of a batch: one more than two, so that nothing is a power of two by chance.
const ROWS: usize = 5;
/// Key of the dropout in a training's step.
const KEY: u64 = 0x0123_4567_89ab_cdef;

fn every_graph(check: impl Fn(&Named) -> Result<(), String>) -> Result<(), String> {
    let failures: Vec<String> = (graphs::all().iter())
        .filter_map(|named| {
            let failure = check(named).err()?;
            Some(format!("{}: {failure}", named.name))
        })
        .collect();
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n"))
    }
}

/// What the engine does to numbers of one row in training: `values` is of whole rows, channels last.
pub(crate) fn drop_out(key: u64, node: usize, row_len: usize, rate: f32, values: &mut [f32]) {
    let dropout = Dropout {
        key,
        node: node as u32,
        rate,
    };
    // Row by row, as the engine may.
    for (row, values) in values.chunks_exact_mut(row_len).enumerate() {
        dropout.apply((row * row_len) as u64, values);
    }
}

pub(crate) fn rows(graph: &Graph) -> Rows {
    let length: u32 = graph.input.iter().product();
    let mut stream = Stream::new(5, "rows", 0);
    Rows {
        features: (0..ROWS * length as usize)
            .map(|_| stream.normal())
            .collect(),
        labels: (0..ROWS).map(|row| (row * 2 % 3) as u16).collect(),
        shape: graph.input,
        scaler: Scaler {
            mean: 0.0,
            deviation: 1.0,
        },
    }
}

/// Weights of which none is zero or one, as after some training.
fn weights(graph: &Graph) -> Weights {
    let first = Weights::init(graph, 1).expect("fits");
    let mut weights = Weights::default();
    for (name, tensor) in first.iter() {
        let mut stream = Stream::new(9, name, 0);
        let values = tensor.values.iter().map(|value| {
            let moved = value + 0.1 * stream.normal();
            if name.ends_with("running_var") {
                moved.abs() + 0.1
            } else {
                moved
            }
        });
        weights.insert(name, tensor.shape.clone(), values.collect());
    }
    weights
}

pub(crate) fn prepared(named: &Named, rows: &Rows, batch: u32) -> Box<dyn Executable> {
    let mut engine = CpuEngine::new();
    ready(engine.load(rows)).expect("whole rows");
    let weights = weights(&named.graph);
    ready(engine.prepare(&named.graph, Parameters::Exact(&weights), batch)).expect("fits")
}

/// The step that changes no weight: after it the optimizer's velocity is the gradient.
pub(crate) fn still(key: u64) -> TrainStep {
    TrainStep {
        rows: (0..ROWS as u32).collect(),
        update: Update::Sgd {
            learning_rate: 0.0,
            momentum: 0.0,
            weight_decay: 0.0,
        },
        label_smoothing: 0.0,
        dropout_key: key,
    }
}

/// Roundings along the longest way through a graph: what each of its layers sums over, and a few for the rest.
fn roundings(graph: &Graph) -> f64 {
    let nodes = graph.resolve().expect("fits");
    let layers = graph.nodes.iter().zip(&nodes);
    let terms = layers.map(|(node, resolved)| {
        let length: u32 = resolved.input().iter().product();
        let sum = match node.layer {
            Layer::Linear { .. } | Layer::Convolution(_) => resolved.parameters[0].fan_in as f64,
            Layer::BatchNorm { .. } => f64::from(length) * ROWS as f64,
            Layer::AveragePool(_) | Layer::GlobalAveragePool => f64::from(length),
            Layer::LayerNorm { .. } | Layer::Attention { .. } => f64::from(length),
            _ => 0.0,
        };
        sum.sqrt() + 8.0
    });
    terms.sum()
}

/// How far a number may be from what it should be, given the largest of its kind.
fn bound(graph: &Graph, largest: f64) -> f64 {
    roundings(graph) * ROUNDING * largest
}

fn largest<'a>(values: impl IntoIterator<Item = &'a f64>) -> f64 {
    values
        .into_iter()
        .fold(0.0, |most: f64, x| most.max(x.abs()))
}

fn logits_agree(named: &Named, damage: bool) -> Result<(), String> {
    let rows = rows(&named.graph);
    let mut executable = prepared(named, &rows, 64);
    let mut found = ready(executable.predict(&rows.features)).map_err(text)?;
    let reference = Reference::new(&named.graph, &weights(&named.graph));
    let wanted: Vec<f64> = reference
        .logits(&rows.features, Form::Answers)
        .and_then(|logits| logits.flatten_all()?.to_vec1())
        .map_err(text)?;
    let bounds = vec![bound(&named.graph, largest(&wanted).max(1.0)); wanted.len()];
    if damage {
        found[1] += (10.0 * bounds[1]) as f32;
    }
    within("logits", &found, &wanted, &bounds)
}

/// The state after a step that changes nothing but the velocity.
fn state_with_gradient(named: &Named, rows: &Rows) -> Result<State, String> {
    let mut executable = prepared(named, rows, 64);
    let metrics = ready(executable.train(&[still(KEY)])).map_err(text)?;
    if metrics.non_finite.is_some() {
        return Err("the loss is not finite".into());
    }
    ready(executable.state()).map_err(text)
}

fn gradients_agree(named: &Named, damage: bool) -> Result<(), String> {
    let rows = rows(&named.graph);
    let state = state_with_gradient(named, &rows)?;
    let reference = Reference::new(&named.graph, &weights(&named.graph));
    let wanted = reference
        .gradients(&rows.features, &rows.labels, KEY)
        .map_err(text)?;
    let largest = largest(wanted.values().flatten());
    let mut failures = Vec::new();
    for (name, tensor) in state.first.iter() {
        let zero = vec![0.0; tensor.values.len()];
        let wanted = wanted.get(name).unwrap_or(&zero);
        let bounds = vec![bound(&named.graph, largest); wanted.len()];
        let mut found = tensor.values.clone();
        if damage {
            let middle = found.len() / 2;
            found[middle] += (10.0 * bounds[middle]) as f32;
        }
        failures.extend(within(name, &found, wanted, &bounds).err());
    }
    finished(failures)
}

fn finished(failures: Vec<String>) -> Result<(), String> {
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n"))
    }
}

/// Half a step of the differences: their curvature is below 1e-9 of the loss, their rounding below 1e-10.
const STEP: f64 = 1e-5;
/// Elements of each tensor whose differences are taken.
const ELEMENTS: usize = 9;

fn differences_agree(named: &Named, damage: bool) -> Result<(), String> {
    let rows = rows(&named.graph);
    let state = state_with_gradient(named, &rows)?;
    let weights = weights(&named.graph);
    let reference = Reference::new(&named.graph, &weights);
    let largest = largest(
        &(state.first.iter())
            .flat_map(|(_, tensor)| tensor.values.iter().map(|&value| f64::from(value)))
            .collect::<Vec<_>>(),
    );
    let bound = bound(&named.graph, largest) + 1e-8;
    let mut failures = Vec::new();
    for (name, tensor) in state.first.iter() {
        if name.contains("running_") {
            continue;
        }
        let step = tensor.values.len().div_ceil(ELEMENTS);
        let (mut found, mut wanted) = (Vec::new(), Vec::new());
        for element in (0..tensor.values.len()).step_by(step) {
            let at = |by: f64| {
                let moved = reference.moved(name, element, by);
                let loss = moved.loss(&rows.features, &rows.labels, Form::Training(KEY));
                loss.and_then(|loss| loss.to_scalar::<f64>()).map_err(text)
            };
            found.push(tensor.values[element]);
            wanted.push((at(STEP)? - at(-STEP)?) / (2.0 * STEP));
        }
        if damage {
            found[0] += (10.0 * bound) as f32;
        }
        let bounds = vec![bound; found.len()];
        failures.extend(within(name, &found, &wanted, &bounds).err());
    }
    finished(failures)
}

fn broken_numbers_are_found(named: &Named) -> Result<(), String> {
    let checks = [
        ("logits", logits_agree as fn(&Named, bool) -> _),
        ("gradients", gradients_agree),
        ("differences", differences_agree),
    ];
    let missed = checks
        .iter()
        .filter(|(_, check)| check(named, true).is_ok());
    finished(
        missed
            .map(|(name, _)| format!("{name}: not found"))
            .collect(),
    )
}

fn logits_do_not_depend_on_the_batch(named: &Named) -> Result<(), String> {
    let rows = rows(&named.graph);
    let length = rows.features.len() / ROWS;
    let all: Vec<u32> = (0..ROWS as u32).collect();
    let mut wanted = Vec::new();
    for batch in [1, 64, 2] {
        let mut executable = prepared(named, &rows, batch);
        let found = ready(executable.logits(&all)).map_err(text)?;
        if wanted.is_empty() {
            wanted.clone_from(&found);
        }
        same_bits(&format!("batch {batch}"), &found, &wanted)?;
        let last = ready(executable.predict(&rows.features[3 * length..])).map_err(text)?;
        same_bits("predict", &last, &wanted[9..])?;
        let one = ready(executable.logits(&[4])).map_err(text)?;
        same_bits("one row", &one, &wanted[12..])?;
    }
    Ok(())
}

fn every_layer_is_there() -> Result<(), String> {
    let words: String = (graphs::all().iter())
        .flat_map(|named| {
            named
                .graph
                .nodes
                .iter()
                .map(|node| format!("{:?}", node.layer))
        })
        .collect();
    let wanted = [
        "Flatten",
        "Linear",
        "bias: false",
        "Convolution",
        "groups: 3",
        "MaxPool",
        "AveragePool",
        "GlobalAveragePool",
        "BatchNorm",
        "LayerNorm",
        "Add",
        "Tokens { positions: true }",
        "Tokens { positions: false }",
        "Transpose",
        "Attention",
        "Dropout",
        "Relu)",
        "Relu6",
        "Hardswish",
        "Silu",
        "Tanh",
        "Gelu",
    ];
    let missing = wanted.iter().filter(|layer| !words.contains(**layer));
    finished(
        missing
            .map(|layer| format!("no graph has {layer}"))
            .collect(),
    )
}
