//! Whole models on the GPU against the CPU engine: answers, one step's gradients, trainings, counts, and what goes wrong.

use super::now;
use assay::data::{Rows, Scaler};
use assay::engine::cpu::CpuEngine;
use assay::engine::gpu::{Counts, Gpu, GpuEngine};
use assay::engine::{Engine, Executable, Metrics, Parameters, State, TrainStep};
use assay::model::{Activation, Graph, Layer, Weights, Window, families};
use assay::recipe::Recipe;
use assay::rng::Stream;
use assay::train::optimizer::Update;
use libtest_mimic::{Failed, Trial};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

const FAMILIES: [&str; 6] = ["lenet", "mlp", "resnet", "mobilenet", "vit", "mixer"];
const SHAPE: [u32; 3] = [1, 8, 8];
const BATCH: u32 = 16;
const SGD: Update = Update::Sgd {
    learning_rate: 1.0,
    momentum: 0.0,
    weight_decay: 0.0,
};

pub(super) fn trials(gpu: &Arc<Gpu>) -> Vec<Trial> {
    let mut trials = Vec::new();
    let graphs = FAMILIES.map(|family| (family, of_family(family)));
    for (name, graph) in graphs.into_iter().chain([("every layer", every_layer())]) {
        let own = (Arc::clone(gpu), graph);
        for (what, test) in [
            ("answers", answers as fn(&Gpu, &Graph) -> Result<(), String>),
            ("one step's gradient", one_step),
            ("a training", a_training),
            ("counts", counts),
        ] {
            let (gpu, graph) = own.clone();
            trials.push(Trial::test(format!("model: {what}: {name}"), move || {
                Ok(test(&gpu, &graph)?)
            }));
        }
    }
    let own = Arc::clone(gpu);
    trials.push(Trial::test(
        "model: preparing tells what it took",
        move || Ok(preparation(&own)?),
    ));
    let own = Arc::clone(gpu);
    trials.push(Trial::test(
        "model: a step that is not finite changes nothing",
        move || Ok(not_finite(&own)?),
    ));
    trials.push(Trial::test(
        "model: a device that is lost is told in words",
        || Ok::<_, Failed>(lost()?),
    ));
    trials
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
fn both(gpu: &Gpu, graph: &Graph) -> Result<[Box<dyn Executable>; 2], String> {
    let weights = Weights::init(graph, 11).map_err(|error| error.to_string())?;
    let mut engines: [Box<dyn Engine>; 2] = [
        Box::new(CpuEngine::new()),
        Box::new(GpuEngine::new(gpu.clone())),
    ];
    let rows = rows();
    let mut models = Vec::new();
    for engine in &mut engines {
        told(now(engine.load(&rows))?)?;
        models.push(told(now(engine.prepare(
            graph,
            Parameters::Exact(&weights),
            BATCH,
        ))?)?);
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

fn answers(gpu: &Gpu, graph: &Graph) -> Result<(), String> {
    let [mut cpu, mut gpu] = both(gpu, graph)?;
    // Two batches and a rest, rows in no order.
    let rows: Vec<u32> = (0..37).map(|row| row * 11 % 40).collect();
    let wanted = told(now(cpu.logits(&rows))?)?;
    let found = told(now(gpu.logits(&rows))?)?;
    within("loaded rows", distance(&wanted, &found), 2e-5)?;
    let features: Vec<f32> = self::rows().features[..19 * 64]
        .iter()
        .map(|x| 0.5 * x)
        .collect();
    let wanted = told(now(cpu.predict(&features))?)?;
    let found = told(now(gpu.predict(&features))?)?;
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

fn one_step(gpu: &Gpu, graph: &Graph) -> Result<(), String> {
    let models = both(gpu, graph)?;
    let before = Weights::init(graph, 11).map_err(|error| error.to_string())?;
    let mut results: Vec<(Metrics, State)> = Vec::new();
    for mut model in models {
        let metrics = told(now(model.train(&[step(1, SGD)]))?)?;
        results.push((metrics, told(now(model.state())?)?));
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

fn a_training(gpu: &Gpu, graph: &Graph) -> Result<(), String> {
    let [mut cpu, mut gpu] = both(gpu, graph)?;
    let start = told(now(cpu.state())?)?;
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
        let wanted = told(now(cpu.train(&steps))?)?;
        let found = told(now(gpu.train(&steps))?)?;
        let loss = (wanted.loss_sum - found.loss_sum).abs() / wanted.loss_sum;
        within(&format!("loss under {name}"), loss, limit)?;
        let state = told(now(cpu.state())?)?;
        let own = told(now(gpu.state())?)?;
        let flat = |weights: &Weights| {
            weights
                .iter()
                .flat_map(|(_, tensor)| tensor.values.clone())
                .collect::<Vec<_>>()
        };
        let off = distance(&flat(&state.weights), &flat(&own.weights));
        within(&format!("weights under {name}"), off, limit)?;
        for model in [&mut cpu, &mut gpu] {
            told(now(model.restore(&start))?)?;
            if told(now(model.state())?)? != start {
                return Err("a state that was restored is another".into());
            }
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

fn counts(gpu: &Gpu, graph: &Graph) -> Result<(), String> {
    let mut engine = GpuEngine::new(gpu.clone());
    told(now(engine.load(&rows()))?)?;
    let weights = Weights::init(graph, 11).map_err(|error| error.to_string())?;
    let mut model = told(now(engine.model(
        graph,
        Parameters::Exact(&weights),
        BATCH,
    ))?)?;
    let [training, answering] = model.dispatches().map(|count| count as u64);
    let scopes = gpu.scopes();
    let before = model.counts();
    let steps: Vec<TrainStep> = (0..20).map(|number| step(number, SGD)).collect();
    told(now(model.train(&steps))?)?;
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
    told(now(model.logits(&[3]))?)?;
    let one = model.counts();
    exactly("an answer", done(trained, one), [answering, 1, 1, 1, 0])?;
    // Three batches, the last one not full.
    told(now(model.logits(&[7; 2 * BATCH as usize + 1]))?)?;
    let three = model.counts();
    let found = done(one, three);
    exactly("three batches", found, [3 * answering, 1, 1, 1, 0])?;
    let features = &self::rows().features[..2 * 64];
    told(now(model.predict(features))?)?;
    let other = model.counts();
    let found = done(three, other);
    exactly("other rows", found, [answering, 1, 1, 2, 0])?;
    // The turn is there already; only the rows are written.
    told(now(model.predict(features))?)?;
    let found = done(other, model.counts());
    exactly("other rows again", found, [answering, 1, 1, 1, 0])?;
    if gpu.scopes() != scopes {
        let more = gpu.scopes() - scopes;
        return Err(format!("{more} times it was asked what went wrong"));
    }
    if engine.pipelines() > 30 {
        return Err(format!("{} pipelines", engine.pipelines()));
    }
    Ok(())
}

/// What preparing tells: pipelines, bytes, times of a clock that ticks, and progress up to the last one.
fn preparation(gpu: &Gpu) -> Result<(), String> {
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
    told(now(engine.load(&rows()))?)?;
    let weights = Weights::init(&graph, 11).map_err(|error| error.to_string())?;
    let exact = Parameters::Exact(&weights);
    let model = told(now(engine.model(&graph, exact, BATCH))?)?;
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
    let again = told(now(engine.model(&graph, exact, BATCH))?)?.preparation();
    if again.pipelines != 0 || again.upload_bytes != first.upload_bytes {
        return Err(format!("{again:?} after {first:?}"));
    }
    Ok(())
}

fn not_finite(gpu: &Gpu) -> Result<(), String> {
    let graph = of_family("lenet");
    let [_, mut model] = both(gpu, &graph)?;
    let mut state = told(now(model.state())?)?;
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
    told(now(model.restore(&state))?)?;
    let metrics = told(now(model.train(&[step(0, SGD), step(1, SGD)]))?)?;
    if metrics.non_finite != Some(0) || metrics.steps != 0 {
        return Err(format!("{metrics:?}"));
    }
    if told(now(model.state())?)? != state {
        return Err("something changed".into());
    }
    Ok(())
}

fn lost() -> Result<(), String> {
    let gpu = told(now(Gpu::open())?)?;
    let graph = of_family("mlp");
    let [_, mut model] = both(&gpu, &graph)?;
    told(now(model.train(&[step(0, SGD)]))?)?;
    gpu.destroy();
    match now(model.train(&[step(1, SGD)]))? {
        Err(error) if error.kind() == "engine" && error.to_string().contains("lost") => Ok(()),
        other => Err(format!("{other:?}")),
    }
}
