//! Whole models on the GPU against the CPU engine: answers, one step's gradients, trainings, counts, and what goes wrong.

use super::{GpuCase, Pending};
use assay::data::{Rows, Scaler};
use assay::engine::cpu::CpuEngine;
use assay::engine::gpu::{Gpu, GpuEngine};
use assay::engine::{Engine, Executable, Metrics, Parameters, State, TrainStep};
use assay::model::{Activation, Graph, Layer, Weights, Window, families};
use assay::recipe::Recipe;
use assay::rng::Stream;
use assay::train::optimizer::Update;

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
        add("a training", |gpu, graph| Box::pin(a_training(gpu, graph)));
        add("counts", |gpu, graph| Box::pin(counts(gpu, graph)));
    }
    cases.push(GpuCase::new(
        "model: a step that is not finite changes nothing",
        not_finite,
    ));
    cases.push(GpuCase::new(
        "model: a device that is lost is told in words",
        lost,
    ));
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
    let weights = Weights::init(graph, 11).map_err(|error| error.to_string())?;
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

fn size(numbers: impl IntoIterator<Item = f64>) -> f64 {
    numbers
        .into_iter()
        .map(|number| number * number)
        .sum::<f64>()
        .sqrt()
}

/// The distance of two lists over the size of the first.
fn distance(wanted: &[f32], found: &[f32]) -> f64 {
    let off = size(wanted.iter().zip(found).map(|(a, b)| f64::from(a - b)));
    off / size(wanted.iter().copied().map(f64::from)).max(1e-30)
}

fn within(what: &str, found: f64, limit: f64) -> Result<(), String> {
    if found <= limit {
        Ok(())
    } else {
        Err(format!("{what}: {found:.2e}, the limit is {limit:.0e}"))
    }
}

async fn answers(gpu: Gpu, graph: Graph) -> Result<(), String> {
    let [mut cpu, mut gpu] = both(&gpu, &graph).await?;
    // Two batches and a rest, rows in no order.
    let rows: Vec<u32> = (0..37).map(|row| row * 11 % 40).collect();
    let wanted = told(cpu.logits(&rows).await)?;
    let found = told(gpu.logits(&rows).await)?;
    within("loaded rows", distance(&wanted, &found), 2e-5)?;
    let features: Vec<f32> = self::rows().features[..19 * 64]
        .iter()
        .map(|x| 0.5 * x)
        .collect();
    let wanted = told(cpu.predict(&features).await)?;
    let found = told(gpu.predict(&features).await)?;
    within("other rows", distance(&wanted, &found), 2e-5)
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

async fn one_step(gpu: Gpu, graph: Graph) -> Result<(), String> {
    let models = both(&gpu, &graph).await?;
    let before = Weights::init(&graph, 11).map_err(|error| error.to_string())?;
    let mut results: Vec<(Metrics, State)> = Vec::new();
    for mut model in models {
        let metrics = told(model.train(&[step(1, SGD)]).await)?;
        results.push((metrics, told(model.state().await)?));
    }
    let [(wanted, cpu), (found, gpu)] = &results[..] else {
        return Err("two engines".into());
    };
    within(
        "loss",
        (wanted.loss_sum - found.loss_sum).abs() / wanted.loss_sum,
        1e-5,
    )?;
    if (wanted.correct, wanted.rows, wanted.steps, wanted.non_finite)
        != (found.correct, found.rows, found.steps, found.non_finite)
    {
        return Err(format!("{found:?} instead of {wanted:?}"));
    }
    let change = |state: &State, name: &str| -> Vec<f32> {
        let numbers = |weights: &Weights| weights.get(name).map(|tensor| tensor.values.clone());
        let (after, before) = (numbers(&state.weights), numbers(&before));
        after
            .unwrap_or_default()
            .iter()
            .zip(before.unwrap_or_default())
            .map(|(a, b)| a - b)
            .collect()
    };
    let names: Vec<&str> = cpu.weights.iter().map(|(name, _)| name).collect();
    let all = size(
        names
            .iter()
            .flat_map(|name| change(cpu, name))
            .map(f64::from),
    );
    let mut problems = Vec::new();
    for name in names {
        let (wanted, found) = (change(cpu, name), change(gpu, name));
        let own = size(wanted.iter().copied().map(f64::from));
        let off = size(wanted.iter().zip(&found).map(|(a, b)| f64::from(a - b)));
        // The weights themselves are rounded when the gradient is taken from them: u of each.
        let limit = 5e-5 * own + 2e-6 * all + 1e-6 * (wanted.len() as f64).sqrt();
        if off > limit || off.is_nan() {
            problems.push(format!(
                "{name}: off by {off:.1e} of {own:.1e}, of {all:.1e} in all"
            ));
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("; "))
    }
}

async fn a_training(gpu: Gpu, graph: Graph) -> Result<(), String> {
    let [mut cpu, mut gpu] = both(&gpu, &graph).await?;
    let start = told(cpu.state().await)?;
    let sgd = |_| Update::Sgd {
        learning_rate: 0.01,
        momentum: 0.9,
        weight_decay: 0.001,
    };
    let adamw = |step: u32| Update::AdamW {
        rate: 0.001 / (1.0 - 0.9_f32.powi(step as i32 + 1)),
        scale: 1.0 / (1.0 - 0.999_f32.powi(step as i32 + 1)),
        shrink: 1e-5,
    };
    // AdamW divides gradients by their own size, so where a gradient is nothing but rounding it is rounding that moves
    // the weight, by up to the rate a step.
    for (name, update, limit) in [
        ("sgd", &sgd as &dyn Fn(u32) -> Update, 1e-4),
        ("adamw", &adamw, 5e-3),
    ] {
        let steps: Vec<TrainStep> = (0..6).map(|number| step(number, update(number))).collect();
        let wanted = told(cpu.train(&steps).await)?;
        let found = told(gpu.train(&steps).await)?;
        let loss = (wanted.loss_sum - found.loss_sum).abs() / wanted.loss_sum;
        within(&format!("loss under {name}"), loss, limit)?;
        let state = told(cpu.state().await)?;
        let own = told(gpu.state().await)?;
        let flat = |weights: &Weights| {
            weights
                .iter()
                .flat_map(|(_, tensor)| tensor.values.clone())
                .collect::<Vec<_>>()
        };
        let off = distance(&flat(&state.weights), &flat(&own.weights));
        within(&format!("weights under {name}"), off, limit)?;
        for model in [&mut cpu, &mut gpu] {
            told(model.restore(&start).await)?;
            if told(model.state().await)? != start {
                return Err("a state that was restored is another".into());
            }
        }
    }
    Ok(())
}

async fn counts(gpu: Gpu, graph: Graph) -> Result<(), String> {
    let mut engine = GpuEngine::new(gpu.clone());
    told(engine.load(&rows()).await)?;
    let weights = Weights::init(&graph, 11).map_err(|error| error.to_string())?;
    let mut model = told(
        engine
            .model(&graph, Parameters::Exact(&weights), BATCH)
            .await,
    )?;
    let before = model.counts();
    let steps: Vec<TrainStep> = (0..20).map(|number| step(number, SGD)).collect();
    told(model.train(&steps).await)?;
    let after = model.counts();
    let [training, answering] = model.dispatches();
    let done = [
        after.dispatches - before.dispatches,
        after.submissions - before.submissions,
        after.synchronizations - before.synchronizations,
    ];
    // Eight steps in a submission, and one submission and one synchronization to read the metrics.
    if done != [20 * training as u64, 4, 1] {
        return Err(format!(
            "dispatches, submissions, synchronizations of 20 steps: {done:?}"
        ));
    }
    let bytes = (
        after.bytes_up - before.bytes_up,
        after.bytes_down - before.bytes_down,
    );
    if bytes.0 > 20 * (256 + 4 * 16 + 16) + 16 || bytes.1 > 20 * 16 + 16 {
        return Err(format!("bytes up and down in 20 steps: {bytes:?}"));
    }
    told(model.logits(&[3]).await)?;
    let one = model.counts();
    let done = [
        one.dispatches - after.dispatches,
        one.submissions - after.submissions,
        one.synchronizations - after.synchronizations,
    ];
    if done != [answering as u64, 1, 1] {
        return Err(format!(
            "dispatches, submissions, synchronizations of one answer: {done:?}"
        ));
    }
    if engine.pipelines() > 30 {
        return Err(format!("{} pipelines", engine.pipelines()));
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
