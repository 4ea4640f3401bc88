//! Whether a GPU computes what the CPU computes: the same batch through both, number by number; it trains nothing.
//!
//! The tolerance follows from the lengths of the sums along the graph (docs/numerics.md, "Agreement"), never from what
//! an adapter happens to do.

use super::{Executable, TrainStep};
use crate::error::Result;
use crate::model::{Graph, Layer, Weights};
use crate::order;
use crate::result::{Agreement, Probe};
use crate::rng::Stream;
use crate::train::optimizer::Update;

/// Largest relative error of one f32 operation on the CPU, and twice that on a GPU, which may round to either neighbour.
const CPU_ROUNDING: f64 = 5.960_464_477_539_063e-8;
const GPU_ROUNDING: f64 = 2.0 * CPU_ROUNDING;
/// Roundings of a layer beside its sum: activation, factors, bias, residual (docs/numerics.md).
const CPU_BESIDE: f64 = 8.0;
const GPU_BESIDE: f64 = 16.0;
/// And of an attention, which takes an exponential of each score: `3 + 2·|x|` roundings up to `|x| = 16`.
const GPU_BESIDE_ATTENTION: f64 = 35.0;

/// Rows of a probe.
pub const PROBE_ROWS: usize = 16;
/// Batches that a step is probed with; the verdict is by the one in the middle.
pub const STEP_PROBES: usize = 3;

/// Standard deviation of what is added to first weights for a probe: as large as the weights of a trained layer are.
const PROBE_DEVIATION: f32 = 0.05;

/// Weights to probe with: a seed's first ones, each moved a little, because where a layer begins with zeros nothing that
/// comes before it would show in an answer or get a gradient.
///
/// # Errors
/// As [`Weights::init`].
pub fn probe_weights(graph: &Graph, seed: u32) -> Result<Weights> {
    let mut weights = Weights::init(graph, seed)?;
    let mut stream = Stream::new(seed, "probe", 0);
    let names: Vec<String> = weights.iter().map(|(name, _)| name.to_owned()).collect();
    for name in names {
        if let Some(tensor) = weights.remove(&name) {
            let values = tensor.values.iter();
            // Bounded, so that no variance becomes negative.
            let values =
                values.map(|value| value + PROBE_DEVIATION * stream.normal().clamp(-3.0, 3.0));
            weights.insert(&name, tensor.shape, values.collect());
        }
    }
    Ok(weights)
}

/// By how much, relative to the largest number, the two engines' answers may differ: both engines' roundings along the
/// graph, which grow with the root of the lengths of its sums.
///
/// # Errors
/// As [`Graph::resolve`].
pub fn answers_tolerance(graph: &Graph) -> Result<f64> {
    tolerance(graph, None)
}

/// The same for the gradients of one training step of `rows` rows: the way there, the way back, and the longest sum over
/// rows and places.
///
/// # Errors
/// As [`Graph::resolve`].
pub fn step_tolerance(graph: &Graph, rows: usize) -> Result<f64> {
    tolerance(graph, Some(rows as f64)).map(|way| 2.0 * way)
}

/// `rows` where a step is taken.
fn tolerance(graph: &Graph, rows: Option<f64>) -> Result<f64> {
    let nodes = graph.resolve()?;
    let mut sum = 0.0;
    let mut longest_over_rows = 0.0_f64;
    for (node, resolved) in graph.nodes.iter().zip(&nodes) {
        let length = resolved.input().iter().map(|&size| f64::from(size));
        let length = length.product::<f64>();
        let places = resolved.output.iter().skip(1).map(|&size| f64::from(size));
        let places = places.product::<f64>();
        let terms = match node.layer {
            Layer::Linear { .. } | Layer::Convolution(_) => {
                longest_over_rows = longest_over_rows.max(rows.unwrap_or(0.0) * places);
                let weight = resolved.parameters.first();
                weight.map_or(0.0, |weight| weight.fan_in as f64)
            }
            // Running statistics answer; a step sums over the batch.
            Layer::BatchNorm { .. } => length * rows.unwrap_or(0.0),
            Layer::AveragePool(_)
            | Layer::GlobalAveragePool
            | Layer::LayerNorm { .. }
            | Layer::Attention { .. } => length,
            _ => 0.0,
        };
        let beside = match node.layer {
            Layer::Attention { .. } => GPU_BESIDE_ATTENTION,
            _ => GPU_BESIDE,
        };
        sum += CPU_ROUNDING * (terms.sqrt() + CPU_BESIDE) + GPU_ROUNDING * (terms.sqrt() + beside);
    }
    Ok(sum + (CPU_ROUNDING + GPU_ROUNDING) * longest_over_rows.sqrt())
}

/// Compares numbers: `wanted` are the CPU's, `found` the GPU's. With `classes`, both are logits, row by row.
///
/// What is not finite on either side, or missing, is the largest difference that there is.
#[must_use]
pub fn compare(
    name: &str,
    rows: usize,
    wanted: &[f32],
    found: &[f32],
    classes: Option<usize>,
    tolerance: f64,
) -> Probe {
    let mut largest = 0.0_f64;
    let mut off = if wanted.len() == found.len() {
        0.0
    } else {
        f64::MAX
    };
    let [mut both, mut ours, mut theirs] = [0.0_f64; 3];
    for (&wanted, &found) in wanted.iter().zip(found) {
        let (wanted, found) = (f64::from(wanted), f64::from(found));
        let difference = (wanted - found).abs();
        // JSON has no infinity.
        off = off.max(if difference.is_finite() {
            difference
        } else {
            f64::MAX
        });
        largest = largest.max(wanted.abs());
        both += wanted * found;
        ours += wanted * wanted;
        theirs += found * found;
    }
    // Logits near zero say nothing of the size of the numbers that they were summed of.
    let scale = if classes.is_some() {
        largest.max(1.0)
    } else {
        largest.max(f64::MIN_POSITIVE)
    };
    let cosine = both / (ours * theirs).sqrt();
    let relative = (off / scale).min(f64::MAX);
    Probe {
        name: name.into(),
        rows: rows as u32,
        numbers: wanted.len() as u64,
        max_absolute: off,
        max_relative: relative,
        cosine: cosine.is_finite().then_some(cosine),
        other_answers: classes.map(|classes| flips(wanted, found, classes).len() as u32),
        tolerance,
        within: relative <= tolerance,
    }
}

/// The verdict of probes: all of them must be within their tolerances.
#[must_use]
pub fn verdict(probes: Vec<Probe>) -> Agreement {
    let outside: Vec<&Probe> = probes.iter().filter(|probe| !probe.within).collect();
    let reason = match outside.as_slice() {
        [] => format!(
            "{} comparisons with the CPU, each within its tolerance",
            probes.len()
        ),
        outside => {
            let of = |probe: &&Probe| {
                format!(
                    "{}: off by {:.1e} of the largest number, the tolerance is {:.1e}",
                    probe.name, probe.max_relative, probe.tolerance
                )
            };
            outside.iter().map(of).collect::<Vec<_>>().join("; ")
        }
    };
    Agreement {
        agrees: outside.is_empty(),
        reason,
        probes,
        cpu_accuracy: None,
        flips: Vec::new(),
    }
}

/// Rows, counted from 0, whose largest logit is another class.
#[must_use]
pub fn flips(wanted: &[f32], found: &[f32], classes: usize) -> Vec<usize> {
    let rows = wanted
        .chunks(classes.max(1))
        .zip(found.chunks(classes.max(1)));
    rows.enumerate()
        .filter(|(_, (wanted, found))| super::loss::argmax(wanted) != super::loss::argmax(found))
        .map(|(row, _)| row)
        .collect()
}

/// The gradient of the mean loss of some rows, tensor after tensor: a step that takes it up whole and moves nothing.
/// Running statistics do move; restore the state where they matter.
///
/// # Errors
/// As [`Executable::train`] and [`Executable::state`].
pub async fn gradient(model: &mut dyn Executable, rows: &[u32]) -> Result<Vec<f32>> {
    let step = TrainStep {
        rows: rows.to_vec(),
        update: Update::Sgd {
            learning_rate: 0.0,
            momentum: 0.0,
            weight_decay: 0.0,
        },
        label_smoothing: 0.0,
        dropout_key: 1,
    };
    model.train(std::slice::from_ref(&step)).await?;
    let first = model.state().await?.first;
    let tensors = first.iter().map(|(_, tensor)| &tensor.values);
    Ok(tensors.flatten().copied().collect())
}

/// Answers and one step of both engines on rows of the loaded set; both models must hold the same weights.
///
/// A step is probed with [`STEP_PROBES`] batches and judged by the one in the middle: where a number is within rounding
/// of a relu's kink or of a tie between two maxima, the engines may rightly take different sides, which moves the gradient
/// of that batch alone; a wrong kernel moves all of them.
///
/// # Errors
/// As the engines'.
pub async fn before_training(
    graph: &Graph,
    rows: &[u32],
    classes: usize,
    cpu: &mut dyn Executable,
    gpu: &mut dyn Executable,
) -> Result<Vec<Probe>> {
    let rows = &rows[..rows.len().min(STEP_PROBES * PROBE_ROWS)];
    let wanted = cpu.logits(rows).await?;
    let found = gpu.logits(rows).await?;
    let tolerance = answers_tolerance(graph)?;
    let name = "answers before training";
    let answers = compare(name, rows.len(), &wanted, &found, Some(classes), tolerance);
    let mut steps = Vec::new();
    for rows in rows.chunks(PROBE_ROWS) {
        let wanted = gradient(cpu, rows).await?;
        let found = gradient(gpu, rows).await?;
        let tolerance = step_tolerance(graph, rows.len())?;
        let name = "one step of training";
        steps.push(compare(name, rows.len(), &wanted, &found, None, tolerance));
    }
    let over = |probe: &Probe| probe.max_relative / probe.tolerance;
    order::sort_by(&mut steps, |a, b| over(a).total_cmp(&over(b)));
    let middle = steps.len() / 2;
    Ok([Some(answers), steps.into_iter().nth(middle)]
        .into_iter()
        .flatten()
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;

    fn graph(family: &str) -> Graph {
        let recipe = Recipe::default_for("digits", family);
        crate::model::families::graph(&recipe.architecture, [1, 8, 8], 10).expect("a graph")
    }

    #[test]
    fn every_tensor_of_a_probe_is_alive() {
        for family in ["lenet", "resnet", "vit"] {
            for (name, tensor) in probe_weights(&graph(family), 1).expect("drawn").iter() {
                assert!(tensor.values.iter().all(|it| it.is_finite()), "{name}");
                assert!(tensor.values.iter().any(|it| *it != 0.0), "{name}");
                if name.ends_with("running_var") {
                    assert!(tensor.values.iter().all(|it| *it > 0.5), "{name}");
                }
            }
        }
    }

    #[test]
    fn a_tolerance_grows_with_depth_and_rows() {
        let of = |family| answers_tolerance(&graph(family)).expect("fits");
        assert!(
            of("mlp") > 1e-6 && of("mlp") < of("resnet"),
            "{}",
            of("mlp")
        );
        assert!(of("resnet") < 1e-4, "{}", of("resnet"));
        let step = |rows| step_tolerance(&graph("resnet"), rows).expect("fits");
        assert!(step(16) < step(64));
        assert!(step(64) < 1e-3, "{}", step(64));
    }

    #[test]
    fn one_number_off_by_ten_tolerances_is_found() {
        let wanted: Vec<f32> = (0..40).map(|x| (x as f32 - 20.0) / 4.0).collect();
        let tolerance = 1e-6;
        let same = compare("x", 4, &wanted, &wanted, Some(10), tolerance);
        assert!(same.within && same.other_answers == Some(0) && same.max_absolute == 0.0);
        for place in 0..wanted.len() {
            let mut found = wanted.clone();
            found[place] += (10.0 * tolerance * 5.0) as f32;
            assert!(!compare("x", 4, &wanted, &found, Some(10), tolerance).within);
        }
    }

    #[test]
    fn what_is_no_number_or_missing_never_agrees() {
        let wanted = [1.0, 2.0];
        for found in [&[1.0, f32::NAN][..], &[1.0, f32::INFINITY], &[1.0]] {
            let probe = compare("x", 1, &wanted, found, None, 1.0);
            assert!(!probe.within, "{found:?}");
        }
    }

    #[test]
    fn another_answer_is_counted_by_row() {
        let wanted = [1.0, 2.0, 5.0, 3.0];
        assert_eq!(flips(&wanted, &[2.0, 1.0, 5.0, 3.0], 2), [0]);
    }
}
