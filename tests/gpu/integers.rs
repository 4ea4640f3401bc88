//! Models in integers on the GPU against the CPU engine: the same bits, whatever is asked and however it is batched; what
//! has no integers is refused in words.

use super::{GpuCase, Pending};
use assay::data::{Rows, Scaler};
use assay::engine::cpu::CpuEngine;
use assay::engine::gpu::{Gpu, GpuEngine};
use assay::engine::{Engine, Executable, Parameters, TrainStep, agreement};
use assay::eval;
use assay::model::{Activation, Convolution, Graph, Layer, Window, families};
use assay::quant::Stored;
use assay::recipe::{QuantizationSpec, Recipe};
use assay::rng::Stream;
use assay::train::optimizer::Update;
use std::rc::Rc;

const BATCH: u32 = 16;

/// The checks of integer models.
pub(super) fn cases() -> Vec<GpuCase> {
    let mut cases = Vec::new();
    let digits = ["lenet", "mlp", "resnet", "mobilenet", "vit", "mixer"]
        .map(|family| (family, of_family(family)));
    for (name, graph) in digits.into_iter().chain([("every layer", every_layer())]) {
        for activations in ["asymmetric", "symmetric"] {
            let graph = graph.clone();
            cases.push(GpuCase::new(
                format!("integers: the CPU's bits: {activations} {name}"),
                move |gpu| -> Pending { Box::pin(same_bits(gpu, graph.clone(), activations)) },
            ));
        }
    }
    cases.push(GpuCase::new(
        "integers: a changed kernel changes the answers",
        |gpu| -> Pending { Box::pin(sabotaged(gpu)) },
    ));
    cases.push(GpuCase::new(
        "integers: what has none is refused in words",
        |gpu| -> Pending { Box::pin(refused(gpu)) },
    ));
    cases
}

fn of_family(family: &str) -> Graph {
    let recipe = Recipe::default_for("digits", family);
    families::graph(&recipe.architecture, [1, 8, 8], 10).expect("a default recipe has a graph")
}

/// Every layer that has integers: three planes, groups of whole words, padded windows, tables, sums, tokens turned twice.
fn every_layer() -> Graph {
    let mut graph = Graph::new([3, 8, 6]);
    let window = |size, stride, padding| Window {
        size,
        stride,
        padding,
    };
    graph.push("conv", Layer::convolution(12, 3));
    graph.push("norm", Layer::batch_norm());
    graph.push("silu", Layer::Activation(Activation::Silu));
    graph.push("max", Layer::MaxPool(window([3, 3], [1, 1], [1; 4])));
    let grouped = Convolution {
        groups: 3,
        ..Convolution::same(12, 3)
    };
    graph.push("grouped", Layer::Convolution(grouped));
    graph.push_reading("sum", Layer::Add, &["grouped", "max"]);
    graph.push("relu6", Layer::Activation(Activation::Relu6));
    let depthwise = Convolution {
        groups: 12,
        stride: [2, 1],
        ..Convolution::same(12, 3)
    };
    graph.push("depthwise", Layer::Convolution(depthwise));
    graph.push(
        "mean",
        Layer::AveragePool(window([2, 3], [2, 2], [0, 1, 1, 1])),
    );
    graph.push_reading("twice", Layer::Add, &["mean", "mean"]);
    graph.push("tokens", Layer::Tokens { positions: true });
    graph.push("norm1", Layer::layer_norm());
    graph.push("qkv", Layer::linear(24));
    graph.push("attention", Layer::Attention { heads: 2 });
    graph.push("norm2", Layer::layer_norm());
    graph.push("wide", Layer::linear(9));
    graph.push("turned", Layer::Transpose);
    graph.push("mixed", Layer::linear(7));
    graph.push("gelu", Layer::Activation(Activation::Gelu));
    graph.push("back", Layer::Transpose);
    graph.push("pooled", Layer::GlobalAveragePool);
    graph.push("dense", Layer::linear(13));
    graph.push("tanh", Layer::Activation(Activation::Tanh));
    graph.push("classes", Layer::linear(10));
    graph
}

fn rows(shape: [u32; 3], count: u16) -> Rows {
    let mut stream = Stream::new(5, "rows", 0);
    let length: u32 = shape.iter().product();
    Rows {
        features: (0..u32::from(count) * length)
            .map(|_| stream.normal())
            .collect(),
        labels: (0..count).map(|row| row * 7 % 10).collect(),
        shape,
        scaler: Scaler {
            mean: 0.0,
            deviation: 1.0,
        },
    }
}

fn told<T>(result: assay::error::Result<T>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

fn stored(graph: &Graph, rows: &Rows, scheme: &str, activations: &str) -> Result<Stored, String> {
    let weights = told(agreement::probe_weights(graph, 11))?;
    let spec = QuantizationSpec {
        scheme: scheme.into(),
        activations: Some(activations.into()),
        ..QuantizationSpec::default()
    };
    let all: Vec<u32> = (0..rows.labels.len() as u32).collect();
    told(eval::stored(graph, &weights, &spec, rows, &all))
}

async fn prepared(
    engine: &mut dyn Engine,
    graph: &Graph,
    stored: &Stored,
    rows: &Rows,
) -> Result<Box<dyn Executable>, String> {
    told(engine.load(rows).await)?;
    told(
        engine
            .prepare(graph, Parameters::Stored(stored), BATCH)
            .await,
    )
}

fn equal(what: &str, cpu: &[f32], gpu: &[f32]) -> Result<(), String> {
    let bits = |list: &[f32]| list.iter().map(|it| it.to_bits()).collect::<Vec<_>>();
    let (cpu, gpu) = (bits(cpu), bits(gpu));
    let off = cpu.iter().zip(&gpu).filter(|(a, b)| a != b).count();
    if cpu.len() == gpu.len() && off == 0 {
        return Ok(());
    }
    Err(format!(
        "{what}: {off} of {} numbers have other bits, {} came",
        cpu.len(),
        gpu.len()
    ))
}

async fn same_bits(gpu: Gpu, graph: Graph, activations: &'static str) -> Result<(), String> {
    let some = rows(graph.input, 40);
    let stored = stored(&graph, &some, "int8", activations)?;
    let (mut cpu, mut gpu) = (CpuEngine::new(), GpuEngine::new(gpu));
    let mut one = prepared(&mut cpu, &graph, &stored, &some).await?;
    let mut other = prepared(&mut gpu, &graph, &stored, &some).await?;
    let numbers: Vec<u32> = (0..40).rev().collect();
    let logits = told(one.logits(&numbers).await)?;
    if logits.iter().all(|it| *it == logits[0]) {
        return Err("every answer is the same".into());
    }
    equal("logits", &logits, &told(other.logits(&numbers).await)?)?;
    let length = some.features.len() / 40;
    let few = &some.features[length..20 * length];
    let answers = told(one.predict(few).await)?;
    equal("predictions", &answers, &told(other.predict(few).await)?)?;
    equal(
        "logits after a prediction",
        &logits[..30],
        &told(other.logits(&numbers[..3]).await)?,
    )?;
    // More rows than there is room for, then fewer again.
    for count in [90, 20] {
        let others = Rc::new(rows(graph.input, count));
        told(one.load(Rc::clone(&others)).await)?;
        told(other.load(others).await)?;
        let last = [u32::from(count) - 1, 3];
        let logits = told(one.logits(&last).await)?;
        equal("other rows", &logits, &told(other.logits(&last).await)?)?;
    }
    let counts = other.counts();
    if counts.synchronizations != counts.submissions || counts.dispatches == 0 {
        return Err(format!("{counts:?}"));
    }
    Ok(())
}

async fn sabotaged(gpu: Gpu) -> Result<(), String> {
    let graph = of_family("lenet");
    let some = rows(graph.input, 40);
    let stored = stored(&graph, &some, "int8", "asymmetric")?;
    let (mut cpu, mut gpu) = (CpuEngine::new(), GpuEngine::new(gpu));
    told(gpu.sabotage("integer_product", "task.fill;", "0u;"))?;
    let mut one = prepared(&mut cpu, &graph, &stored, &some).await?;
    let mut other = prepared(&mut gpu, &graph, &stored, &some).await?;
    let logits = told(one.logits(&[1, 2, 3]).await)?;
    match equal("", &logits, &told(other.logits(&[1, 2, 3]).await)?) {
        Ok(()) => Err("nobody noticed".into()),
        Err(_) => Ok(()),
    }
}

async fn refused(gpu: Gpu) -> Result<(), String> {
    let mut engine = GpuEngine::new(gpu);
    let mut alone = of_family("mlp");
    alone.nodes.insert(
        1,
        assay::model::Node {
            name: "alone".into(),
            layer: Layer::batch_norm(),
            inputs: vec!["flatten".into()],
        },
    );
    let first = alone.nodes.len().min(2);
    alone.nodes[first].inputs = vec!["alone".into()];
    for (graph, scheme, words) in [
        (alone, "int8", "is computed in f32"),
        (
            of_family("lenet"),
            "int8-dynamic",
            "is computed in int8-dynamic",
        ),
    ] {
        let some = rows(graph.input, 40);
        let stored = stored(&graph, &some, scheme, "asymmetric")?;
        match prepared(&mut engine, &graph, &stored, &some).await {
            Ok(_) => return Err(format!("{scheme} was not refused")),
            Err(told) if told.contains(words) && told.contains("layer") => {}
            Err(told) => return Err(told),
        }
    }
    let graph = of_family("mlp");
    let some = rows(graph.input, 40);
    let stored = stored(&graph, &some, "int8", "asymmetric")?;
    let mut model = prepared(&mut engine, &graph, &stored, &some).await?;
    let step = TrainStep {
        rows: vec![1],
        update: Update::Sgd {
            learning_rate: 0.1,
            momentum: 0.0,
            weight_decay: 0.0,
        },
        label_smoothing: 0.0,
        dropout_key: 0,
    };
    match model.train(&[step]).await {
        Ok(_) => Err("a stored model was trained".into()),
        Err(_) => Ok(()),
    }
}
