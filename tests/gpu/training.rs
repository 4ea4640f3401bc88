//! Whole models on the GPU against the CPU engine: answers, one step's gradients, trainings, counts, and what goes wrong.

#[path = "halves.rs"]
mod halves;
#[path = "tuning.rs"]
mod tuning;

use super::{GpuCase, Pending};
use assay::data::{Rows, Scaler};
use assay::engine::cpu::CpuEngine;
use assay::engine::gpu::{Counts, Gpu, GpuEngine};
use assay::engine::{Engine, Executable, Metrics, Parameters, TrainStep, agreement};
use assay::model::{Activation, Graph, Layer, Weights, Window, families};
use assay::recipe::Recipe;
use assay::rng::Stream;
use assay::train::optimizer::Update;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

const FAMILIES: [&str; 6] = ["lenet", "mlp", "resnet", "mobilenet", "vit", "mixer"];
const SHAPE: [u32; 3] = [1, 8, 8];
const BATCH: u32 = 16;
const SGD: Update = Update::Sgd {
    learning_rate: 1.0,
    momentum: 0.0,
    weight_decay: 0.0,
};

/// The checks of whole models, each over every family and over a graph with every layer.
pub(super) fn cases() -> Vec<GpuCase> {
    let mut cases = Vec::new();
    let graphs = FAMILIES.map(|family| (family, of_family(family)));
    for (name, graph) in graphs.into_iter().chain([("every layer", every_layer())]) {
        let mut add = |what: &str, check: fn(Gpu, Graph) -> Pending| {
            let graph = graph.clone();
            let name = format!("model: {what}: {name}");
            cases.push(GpuCase::new(name, move |gpu| check(gpu, graph.clone())));
        };
        add("answers", |gpu, graph| Box::pin(answers(gpu, graph)));
        add("one step's gradient", |gpu, graph| {
            Box::pin(one_step(gpu, graph))
        });
        add("counts", |gpu, graph| Box::pin(counts(gpu, graph)));
    }
    cases.push(GpuCase::new(
        "model: preparing tells what it took",
        preparation,
    ));
    cases.push(GpuCase::new(
        "model: a step that is not finite changes nothing",
        not_finite,
    ));
    cases.push(GpuCase::new(
        "model: a device that is lost is told in words",
        lost,
    ));
    cases.extend(halves::cases());
    cases.extend(tuning::cases());
    cases
}

fn of_family(family: &str) -> Graph {
    let recipe = Recipe::default_for("digits", family);
    families::graph(&recipe.architecture, SHAPE, 10).expect("a default recipe has a graph")
}

/// Every layer, two readers of one value, and activations of both kinds.
fn every_layer() -> Graph {
    let mut graph = Graph::new(SHAPE);
    let gelu = Layer::Activation(Activation::Gelu);
    graph.push("conv", Layer::convolution(6, 3));
    graph.push("norm", Layer::batch_norm());
    graph.push("silu", Layer::Activation(Activation::Silu));
    graph.push(
        "max",
        Layer::MaxPool(Window {
            size: [3, 3],
            stride: [2, 2],
            padding: [1; 4],
        }),
    );
    graph.push("conv2", Layer::convolution(6, 3));
    graph.push_reading("sum", Layer::Add, &["conv2", "max"]);
    graph.push("tanh", Layer::Activation(Activation::Tanh));
    graph.push_reading("again", Layer::Add, &["tanh", "tanh"]);
    graph.push_reading("twice", Layer::Add, &["again", "max"]);
    graph.push("drop", Layer::Dropout { rate: 0.25 });
    graph.push("mean", Layer::AveragePool(Window::tiling([2, 2])));
    graph.push("tokens", Layer::Tokens { positions: true });
    graph.push("qkv", Layer::linear(24));
    graph.push("attention", Layer::Attention { heads: 2 });
    graph.push("layer", Layer::layer_norm());
    graph.push("turned", Layer::Transpose);
    graph.push("dense", Layer::linear(9));
    graph.push("gelu", gelu);
    graph.push("flatten", Layer::Flatten);
    graph.push("classes", Layer::linear(10));
    graph
}

fn rows() -> Rows {
    let mut stream = Stream::new(5, "rows", 0);
    Rows {
        features: (0..40 * 64).map(|_| stream.normal()).collect(),
        labels: (0..40).map(|row| row * 7 % 10).collect(),
        shape: SHAPE,
        scaler: Scaler {
            mean: 0.0,
            deviation: 1.0,
        },
    }
}

/// The same model on both engines.
async fn both(gpu: &Gpu, graph: &Graph) -> Result<[Box<dyn Executable>; 2], String> {
    let weights = told(agreement::probe_weights(graph, 11))?;
    let mut engines: [Box<dyn Engine>; 2] = [
        Box::new(CpuEngine::new()),
        Box::new(GpuEngine::new(gpu.clone())),
    ];
    let rows = rows();
    let mut models = Vec::new();
    for engine in &mut engines {
        told(engine.load(&rows).await)?;
        models.push(told(
            engine
                .prepare(graph, Parameters::Exact(&weights), BATCH)
                .await,
        )?);
    }
    models.try_into().map_err(|_| "two engines".into())
}

fn told<T>(result: assay::error::Result<T>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

fn within(what: &str, found: f64, limit: f64) -> Result<(), String> {
    if found <= limit {
        Ok(())
    } else {
        Err(format!("{what}: {found:.2e}, the limit is {limit:.1e}"))
    }
}

async fn answers(gpu: Gpu, graph: Graph) -> Result<(), String> {
    let [mut cpu, mut gpu] = both(&gpu, &graph).await?;
    let tolerance = told(agreement::answers_tolerance(&graph))?;
    let agree = |what: &str, wanted: &[f32], found: &[f32]| {
        let probe = agreement::compare(what, wanted.len() / 10, wanted, found, Some(10), tolerance);
        match (probe.within, probe.cosine) {
            (true, Some(_)) => Ok(()),
            _ => Err(format!("{probe:?}")),
        }
    };
    // Two batches and a rest, rows in no order.
    let rows: Vec<u32> = (0..37).map(|row| row * 11 % 40).collect();
    let wanted = told(cpu.logits(&rows).await)?;
    let found = told(gpu.logits(&rows).await)?;
    agree("loaded rows", &wanted, &found)?;
    // A row alone has a plan of its own.
    let wanted = told(cpu.logits(&rows[3..4]).await)?;
    let found = told(gpu.logits(&rows[3..4]).await)?;
    agree("a row", &wanted, &found)?;
    let features: Vec<f32> = self::rows().features[..19 * 64]
        .iter()
        .map(|x| 0.5 * x)
        .collect();
    let wanted = told(cpu.predict(&features).await)?;
    let found = told(gpu.predict(&features).await)?;
    agree("other rows", &wanted, &found)
}

fn step(number: u32, update: Update) -> TrainStep {
    TrainStep {
        rows: (0..BATCH - number % 3)
            .map(|row| (row * 3 + number) % 40)
            .collect(),
        update,
        label_smoothing: 0.1,
        dropout_key: 0x1234_5678_9abc_def0 ^ u64::from(number),
    }
}

/// All numbers of weights, tensor after tensor.
fn flat(weights: &Weights) -> Vec<f32> {
    let tensors = weights.iter().map(|(_, tensor)| &tensor.values);
    tensors.flatten().copied().collect()
}

/// The gradient itself, then what a step of each optimizer makes of it, number by number. A gradient may be off by
/// `δ = tolerance · largest`; an update by what that does to it, and by the roundings of the update.
async fn one_step(gpu: Gpu, graph: Graph) -> Result<(), String> {
    let [mut cpu, mut gpu] = both(&gpu, &graph).await?;
    let start = told(cpu.state().await)?;
    let rows = step(1, SGD).rows;
    let wanted = told(agreement::gradient(cpu.as_mut(), &rows).await)?;
    let found = told(agreement::gradient(gpu.as_mut(), &rows).await)?;
    let tolerance = told(agreement::step_tolerance(&graph, rows.len()))?;
    let probe = agreement::compare("gradient", rows.len(), &wanted, &found, None, tolerance);
    if !probe.within {
        return Err(format!("{probe:?}"));
    }
    // A number moved by ten tolerances is found.
    let mut moved = found.clone();
    let largest = wanted.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    moved[wanted.len() / 2] += 10.0 * tolerance as f32 * largest;
    if agreement::compare("moved", rows.len(), &wanted, &moved, None, tolerance).within {
        return Err("a gradient that is wrong by ten tolerances was not found".into());
    }
    let off = tolerance * f64::from(largest);
    let (rate, epsilon) = (0.001, 1e-8);
    let adamw = Update::AdamW {
        rate: rate / (1.0 - 0.9),
        scale: 1.0 / (1.0 - 0.999),
        shrink: 0.0,
    };
    for (name, update) in [("sgd", SGD), ("adamw", adamw)] {
        let mut results: Vec<(Metrics, Vec<f32>)> = Vec::new();
        for model in [&mut cpu, &mut gpu] {
            told(model.restore(&start).await)?;
            let plain = TrainStep {
                label_smoothing: 0.0,
                dropout_key: 1,
                ..step(1, update)
            };
            let metrics = told(model.train(&[plain]).await)?;
            results.push((metrics, flat(&told(model.state().await)?.weights)));
        }
        let [(wanted_metrics, wanted_weights), (metrics, weights)] = &results[..] else {
            return Err("two engines".into());
        };
        within(
            "loss",
            (wanted_metrics.loss_sum - metrics.loss_sum).abs() / wanted_metrics.loss_sum,
            tolerance,
        )?;
        if (
            wanted_metrics.correct,
            wanted_metrics.rows,
            wanted_metrics.steps,
            wanted_metrics.non_finite,
        ) != (
            metrics.correct,
            metrics.rows,
            metrics.steps,
            metrics.non_finite,
        ) {
            return Err(format!("{metrics:?} instead of {wanted_metrics:?}"));
        }
        for (index, (&wanted_weight, &weight)) in wanted_weights.iter().zip(weights).enumerate() {
            // Running statistics have no gradient; they follow the batch's, which the answers are compared by.
            let Some(&gradient) = wanted.get(index).filter(|it| **it != 0.0) else {
                continue;
            };
            let size = f64::from(gradient.abs());
            let change = match name {
                "sgd" => off,
                _ => f64::from(rate) * (off / ((size - off).max(0.0) + epsilon)).min(2.0),
            };
            let rounding = 8.0 * 1.2e-7 * (f64::from(wanted_weight.abs()) + size.min(1.0));
            let found = f64::from((wanted_weight - weight).abs());
            if found > change + rounding || found.is_nan() {
                return Err(format!(
                    "{name}: number {index} is {weight} instead of {wanted_weight}, gradient {gradient}"
                ));
            }
        }
    }
    // What was restored is what was there, on both.
    for model in [&mut cpu, &mut gpu] {
        told(model.restore(&start).await)?;
        if told(model.state().await)? != start {
            return Err("a state that was restored is another".into());
        }
    }
    Ok(())
}

/// What was done between two moments: dispatches, submissions, synchronizations, writes, buffers.
fn done(before: Counts, after: Counts) -> [u64; 5] {
    let since = after.since(before);
    [
        since.dispatches,
        since.submissions,
        since.synchronizations,
        since.writes,
        since.buffers,
    ]
}

fn exactly(what: &str, found: [u64; 5], wanted: [u64; 5]) -> Result<(), String> {
    if found == wanted {
        Ok(())
    } else {
        Err(format!(
            "dispatches, submissions, synchronizations, writes, buffers of {what}: {found:?}, not {wanted:?}"
        ))
    }
}

async fn counts(gpu: Gpu, graph: Graph) -> Result<(), String> {
    let mut engine = GpuEngine::new(gpu.clone());
    told(engine.load(&rows()).await)?;
    let weights = Weights::init(&graph, 11).map_err(|error| error.to_string())?;
    let exact = Parameters::Exact(&weights);
    let mut model = told(engine.model(&graph, exact, BATCH).await)?;
    let [training, answering] = model.dispatches().map(|count| count as u64);
    let scopes = gpu.scopes();
    let before = model.counts();
    let steps: Vec<TrainStep> = (0..20).map(|number| step(number, SGD)).collect();
    told(model.train(&steps).await)?;
    let trained = model.counts();
    // Eight steps in a submission; the metrics come with the last one.
    let found = done(before, trained);
    exactly("20 steps", found, [20 * training, 3, 1, 1, 0])?;
    let bytes = (
        trained.bytes_up - before.bytes_up,
        trained.bytes_down - before.bytes_down,
    );
    // A turn and its rows each begin at a multiple of 256 bytes.
    if bytes.0 > 20 * (256 + 256) || bytes.1 > 20 * 16 + 16 {
        return Err(format!("bytes up and down in 20 steps: {bytes:?}"));
    }
    told(model.logits(&[3]).await)?;
    let one = model.counts();
    exactly("an answer", done(trained, one), [answering, 1, 1, 1, 0])?;
    // Three batches, the last one not full.
    told(model.logits(&[7; 2 * BATCH as usize + 1]).await)?;
    let three = model.counts();
    let found = done(one, three);
    exactly("three batches", found, [3 * answering, 1, 1, 1, 0])?;
    let features = &self::rows().features[..2 * 64];
    told(model.predict(features).await)?;
    let other = model.counts();
    let found = done(three, other);
    exactly("other rows", found, [answering, 1, 1, 2, 0])?;
    // The turn is there already; only the rows are written.
    told(model.predict(features).await)?;
    let found = done(other, model.counts());
    exactly("other rows again", found, [answering, 1, 1, 1, 0])?;
    if gpu.scopes() != scopes {
        let more = gpu.scopes() - scopes;
        return Err(format!("{more} times it was asked what went wrong"));
    }
    // Kernels with their tiles: of a training step, of a batch of answers, and of a single row.
    if engine.pipelines() > 32 {
        return Err(format!("{} pipelines", engine.pipelines()));
    }
    Ok(())
}

/// What preparing tells: pipelines, bytes, times of a clock that ticks, and progress up to the last one.
async fn preparation(gpu: Gpu) -> Result<(), String> {
    let graph = of_family("lenet");
    let ticks = Rc::new(Cell::new(0.0));
    let own = Rc::clone(&ticks);
    let clock = move || {
        own.set(own.get() + 1.0);
        own.get()
    };
    let mut engine = GpuEngine::new(gpu.clone()).with_clock(Rc::new(clock));
    let heard = Rc::new(RefCell::new(Vec::new()));
    let listener = Rc::clone(&heard);
    engine.on_compiling(move |done, total| listener.borrow_mut().push((done, total)));
    told(engine.load(&rows()).await)?;
    let weights = Weights::init(&graph, 11).map_err(|error| error.to_string())?;
    let exact = Parameters::Exact(&weights);
    let model = told(engine.model(&graph, exact, BATCH).await)?;
    let first = model.preparation();
    let count = engine.pipelines();
    let progress: Vec<_> = (0..=count).map(|done| (done, count)).collect();
    if *heard.borrow() != progress {
        return Err(format!(
            "{:?} was told of {count} pipelines",
            heard.borrow()
        ));
    }
    let parameters = 4 * weights.count();
    if first.pipelines != count as u64
        || first.upload_bytes < parameters + 4 * 40 * 64
        || first.held_bytes < first.upload_bytes
        || first.compile_millis.is_none_or(|millis| millis <= 0.0)
        || first.upload_millis.is_none_or(|millis| millis <= 0.0)
    {
        return Err(format!("{first:?}"));
    }
    let again = told(engine.model(&graph, exact, BATCH).await)?.preparation();
    if again.pipelines != 0 || again.upload_bytes != first.upload_bytes {
        return Err(format!("{again:?} after {first:?}"));
    }
    Ok(())
}

async fn not_finite(gpu: Gpu) -> Result<(), String> {
    let graph = of_family("lenet");
    let [_, mut model] = both(&gpu, &graph).await?;
    let mut state = told(model.state().await)?;
    let name = state
        .weights
        .iter()
        .map(|(name, _)| name.to_owned())
        .next()
        .unwrap_or_default();
    let tensor = state.weights.remove(&name).ok_or("no tensor")?;
    let huge = tensor
        .values
        .iter()
        .map(|value| value.signum() * 1e38)
        .collect();
    state.weights.insert(&name, tensor.shape, huge);
    told(model.restore(&state).await)?;
    let metrics = told(model.train(&[step(0, SGD), step(1, SGD)]).await)?;
    if metrics.non_finite != Some(0) || metrics.steps != 0 {
        return Err(format!("{metrics:?}"));
    }
    if told(model.state().await)? != state {
        return Err("something changed".into());
    }
    Ok(())
}

async fn lost(_: Gpu) -> Result<(), String> {
    let gpu = told(Gpu::open().await)?;
    let graph = of_family("mlp");
    let [_, mut model] = both(&gpu, &graph).await?;
    told(model.train(&[step(0, SGD)]).await)?;
    gpu.destroy();
    match model.train(&[step(1, SGD)]).await {
        Err(error) if error.kind() == "engine" && error.to_string().contains("lost") => Ok(()),
        other => Err(format!("{other:?}")),
    }
}
