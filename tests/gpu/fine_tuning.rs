//! Fine-tuning on the GPU against the CPU: the gradient of a step with weights and values rounded, for every family; what no
//! kernel rounds is refused in words, and a changed kernel is found.

use super::integers::{every_layer, of_family, rows, told};
use super::{GpuCase, Pending};
use assay::data::Rows;
use assay::engine::cpu::FineTuning;
use assay::engine::gpu::{Gpu, GpuEngine};
use assay::engine::{Engine, Executable, agreement};
use assay::eval;
use assay::model::{Graph, Weights};
use assay::quant::{self, Codes, Request};
use assay::recipe::QuantizationSpec;
use assay::result::Probe;

const BATCH: u32 = FineTuning::BATCH as u32;
/// Rows of a step that is compared.
const ROWS: usize = 16;

/// The checks of fine-tuning.
pub(super) fn cases() -> Vec<GpuCase> {
    let mut cases = Vec::new();
    let digits = ["lenet", "mlp", "resnet", "mobilenet", "vit", "mixer"]
        .map(|family| (family, of_family(family)));
    for (name, graph) in digits.into_iter().chain([("every layer", every_layer())]) {
        for scheme in ["f16", "int8-weights", "int8-weights-tensor", "int4", "int8"] {
            // One scheme of weights alone for each graph, all of them for one, and static integers for all.
            let is_wanted = match scheme {
                "int8" | "int4" => true,
                _ => name == "resnet",
            };
            if is_wanted {
                let graph = graph.clone();
                cases.push(GpuCase::new(
                    format!("fine-tuning: a step as the CPU's: {scheme} {name}"),
                    move |gpu| -> Pending { Box::pin(one_step(gpu, graph.clone(), scheme)) },
                ));
            }
        }
    }
    cases.push(GpuCase::new(
        "fine-tuning: a changed kernel changes the step",
        |gpu| -> Pending { Box::pin(sabotaged(gpu)) },
    ));
    cases.push(GpuCase::new(
        "fine-tuning: what no kernel rounds is refused in words",
        |gpu| -> Pending { Box::pin(refused(gpu)) },
    ));
    cases.push(GpuCase::new(
        "fine-tuning: roundings are dispatches and nothing else",
        |gpu| -> Pending { Box::pin(counts(gpu)) },
    ));
    cases
}

/// A model to fine-tune as the lab does: norms folded, codes chosen.
struct Model {
    graph: Graph,
    weights: Weights,
    request: Request,
    codes: Vec<Codes>,
    data: Rows,
}

impl Model {
    fn new(graph: &Graph, scheme: &str) -> Result<Self, String> {
        let data = rows(graph.input, 48);
        let weights = told(agreement::probe_weights(graph, 11))?;
        let spec = QuantizationSpec {
            scheme: scheme.into(),
            ..QuantizationSpec::default()
        };
        let all: Vec<u32> = (0..48).collect();
        let stored = told(eval::stored(graph, &weights, &spec, &data, &all))?;
        let scheme = match scheme {
            "int8" => "int8-weights",
            scheme => scheme,
        };
        Ok(Self {
            weights: told(quant::folded_weights(graph, &weights))?,
            graph: told(quant::folded_graph(graph))?,
            request: told(Request::named(scheme))?,
            codes: stored.integer().map_or(Vec::new(), |it| it.codes.clone()),
            data,
        })
    }

    fn tuning<'a>(&'a self, rows: &'a [u32]) -> FineTuning<'a> {
        FineTuning {
            codes: &self.codes,
            data: &self.data,
            rows,
            epochs: 1,
        }
    }

    async fn on_gpu(&self, engine: &mut GpuEngine) -> Result<impl Executable, String> {
        told(engine.load(&self.data).await)?;
        let both = (&self.request, self.codes.as_slice());
        let model = engine.fine_tuning(&self.graph, &self.weights, both, BATCH);
        told(model.await)
    }

    /// What both engines' first moments are after one step, for three batches; the probe in the middle counts.
    async fn probed(&self, engine: &mut GpuEngine) -> Result<(Probe, [Vec<f32>; 2]), String> {
        let tolerance = told(match self.codes.is_empty() {
            true => agreement::step_tolerance(&self.graph, ROWS),
            false => agreement::rounded_step_tolerance(&self.graph, ROWS),
        })?;
        let mut probes = Vec::new();
        for batch in 0..3 {
            let first = batch * ROWS as u32;
            let numbers: Vec<u32> = (first..first + ROWS as u32).collect();
            let tuning = self.tuning(&numbers);
            let mut tuner = told(tuning.begin(&self.graph, &self.weights))?;
            let round = |own: &Weights| {
                let stored = quant::quantize(&self.graph, own, &self.request)?;
                Ok(stored.weights().clone())
            };
            told(tuner.step(round))?;
            let wanted = flat(&tuner.first_moments());
            let mut model = self.on_gpu(engine).await?;
            let step = told(told(tuning.steps())?.next_step())?.ok_or("no step")?;
            let metrics = told(model.train(&[step]).await)?;
            if metrics.steps != 1 || metrics.non_finite.is_some() {
                return Err(format!("{metrics:?}"));
            }
            let found = flat(&told(model.state().await)?.first);
            let probe = agreement::compare("step", ROWS, &wanted, &found, None, tolerance);
            probes.push((probe, [wanted, found]));
        }
        probes.sort_by(|(a, _), (b, _)| a.max_relative.total_cmp(&b.max_relative));
        Ok(probes.swap_remove(1))
    }
}

fn flat(weights: &Weights) -> Vec<f32> {
    let tensors = weights.iter().map(|(_, tensor)| &tensor.values);
    tensors.flatten().copied().collect()
}

async fn one_step(gpu: Gpu, graph: Graph, scheme: &'static str) -> Result<(), String> {
    let model = Model::new(&graph, scheme)?;
    let (probe, [wanted, mut found]) = model.probed(&mut GpuEngine::new(gpu)).await?;
    if !probe.within || probe.cosine.is_none() {
        return Err(format!("{probe:?}"));
    }
    let largest = wanted.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let middle = found.len() / 2;
    found[middle] += 10.0 * probe.tolerance as f32 * largest;
    match agreement::compare("moved", ROWS, &wanted, &found, None, probe.tolerance).within {
        true => Err("a gradient that is wrong by ten tolerances was not found".into()),
        false => Ok(()),
    }
}

async fn sabotaged(gpu: Gpu) -> Result<(), String> {
    for (scheme, kernel, from, to) in [
        ("int4", "rounded_weights", "task.top);", "task.top - 1u);"),
        (
            "int8-weights",
            "rounded_weights",
            "* bitcast<f32>(step)",
            "",
        ),
        ("int8", "rounded_values", "* task.step", "* task.inverse"),
        (
            "int8",
            "rounded_values",
            "select(0.0, values",
            "select(9.0, -values",
        ),
    ] {
        let mut engine = GpuEngine::new(gpu.clone());
        told(engine.sabotage(kernel, from, to))?;
        let model = Model::new(&of_family("lenet"), scheme)?;
        let (probe, _) = model.probed(&mut engine).await?;
        if probe.within {
            return Err(format!("{kernel}: {from} was not missed: {probe:?}"));
        }
    }
    Ok(())
}

async fn refused(gpu: Gpu) -> Result<(), String> {
    for scheme in ["ternary", "int4-asymmetric", "Q4_K", "Q8_0"] {
        let mut model = Model::new(&of_family("mlp"), "int4")?;
        model.request = told(Request::named(scheme))?;
        match model.on_gpu(&mut GpuEngine::new(gpu.clone())).await {
            Err(words) if words.contains(scheme) && words.contains("dense") => {}
            Err(words) => return Err(words),
            Ok(_) => return Err(format!("{scheme} was not refused")),
        }
    }
    Ok(())
}

async fn counts(gpu: Gpu) -> Result<(), String> {
    let graph = of_family("mlp");
    let mut engine = GpuEngine::new(gpu);
    let mut dispatches = Vec::new();
    for scheme in ["f32", "int4", "int8"] {
        let model = Model::new(&graph, scheme)?;
        let mut tuned = model.on_gpu(&mut engine).await?;
        let numbers: Vec<u32> = (0..48).collect();
        let tuning = FineTuning {
            epochs: 10,
            ..model.tuning(&numbers)
        };
        let mut steps = told(tuning.steps())?;
        let mut all = Vec::new();
        while let Some(step) = told(steps.next_step())? {
            all.push(step);
        }
        let before = tuned.counts();
        told(tuned.train(&all).await)?;
        let since = tuned.counts().since(before);
        let bytes = (since.bytes_up, since.bytes_down);
        let sent = (since.submissions, since.synchronizations, since.writes);
        // Twenty steps, eight in a submission; a turn and its rows up, a slot of metrics down.
        if sent != (3, 1, 1) || bytes != (20 * 512, 21 * 16) {
            return Err(format!("{since:?}"));
        }
        dispatches.push(since.dispatches / 20);
    }
    // The input is rounded, and each hidden layer's value, which has a gradient and whose relu's slope is then a dispatch.
    let hidden = graph.nodes.iter().filter(|it| it.name.starts_with("dense"));
    let hidden = hidden.count() as u64;
    match dispatches[..] {
        [plain, weights, values]
            if weights == plain + hidden + 1 && values == weights + 1 + 3 * hidden =>
        {
            Ok(())
        }
        _ => Err(format!("{dispatches:?} dispatches, {hidden} hidden layers")),
    }
}
