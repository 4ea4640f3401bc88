//! The API's model on the GPU beside the one on the CPU: answers, trainings, scores, files, counts, and what it refuses.

use super::{GpuCase, Pending};
use assay::api::{Gpu, GpuModel, Model, Options, TrainOptions, Trained};
use assay::engine::gpu::ARITHMETIC;
use assay::rng::Stream;

const GRAPH: &str = r#"{"assay": "graph", "version": 1, "input": [1, 6, 6], "layers": [
    {"name": "conv", "type": "convolution", "channels": 5, "kernel": [3, 3], "padding": [1, 1, 1, 1]},
    {"name": "relu", "type": "activation", "function": "relu"},
    {"name": "pool", "type": "max_pool", "size": [2, 2], "stride": [2, 2]},
    {"name": "flatten", "type": "flatten"},
    {"name": "classes", "type": "linear", "units": 4}]}"#;
const ROW: usize = 36;
const BATCH: u32 = 8;
/// For sums of at most 45 terms in three layers: some tens of roundings of 2⁻²³ each, far above what is measured and far
/// below what a wrong row or option changes.
const LIMIT: f64 = 1e-4;

pub(super) fn cases() -> Vec<GpuCase> {
    let mut cases = Vec::new();
    let mut add = |statement: &str, check: fn(Gpu) -> Pending| {
        cases.push(GpuCase::new(format!("api: {statement}"), check));
    };
    add("answers and scores are the CPU's", |gpu| {
        Box::pin(answers(gpu))
    });
    add("a training takes the CPU's rows and steps", |gpu| {
        Box::pin(trains(gpu))
    });
    add("two calls do what one does", |gpu| Box::pin(two_calls(gpu)));
    add("weights go to the CPU and back", |gpu| Box::pin(files(gpu)));
    add("a training waits twice, whatever its steps", |gpu| {
        Box::pin(waits(gpu))
    });
    add("what is not finite is refused or told", |gpu| {
        Box::pin(not_finite(gpu))
    });
    add("refuses what does not fit", |gpu| Box::pin(refuses(gpu)));
    cases
}

fn options() -> Options {
    Options {
        batch: BATCH,
        ..Options::gpu()
    }
}

/// Both models with equal weights.
async fn both(gpu: &Gpu) -> Result<(Model, GpuModel), String> {
    let own = Options {
        batch: BATCH,
        ..Options::default()
    };
    let cpu = told(Model::create(GRAPH, 7, own))?;
    let gpu = told(GpuModel::create(gpu, GRAPH, 7, options()).await)?;
    Ok((cpu, gpu))
}

fn told<T>(result: assay::error::Result<T>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

fn rows(count: usize) -> (Vec<f32>, Vec<u16>) {
    let mut stream = Stream::new(5, "rows", 0);
    let input = (0..count * ROW).map(|_| stream.normal()).collect();
    (input, (0..count).map(|row| (row * 7 % 4) as u16).collect())
}

/// Distance of two lists over the size of the first.
fn distance(wanted: &[f32], found: &[f32]) -> f64 {
    let square = |sum: f64, number: f64| sum + number * number;
    let off = wanted
        .iter()
        .zip(found)
        .map(|(a, b)| f64::from(a - b))
        .fold(0.0, square);
    let own = wanted.iter().map(|&a| f64::from(a)).fold(0.0, square);
    if wanted.len() == found.len() {
        (off / own).sqrt()
    } else {
        f64::INFINITY
    }
}

/// Whether something is near, and something else, which must be far, ten limits away.
fn near_and_far(what: &str, near: f64, far: f64) -> Result<(), String> {
    if near <= LIMIT && far > 10.0 * LIMIT {
        Ok(())
    } else {
        Err(format!(
            "{what}: off by {near:.1e}, and {far:.1e} where it should be far off"
        ))
    }
}

async fn answers(gpu: Gpu) -> Result<(), String> {
    let (mut cpu, mut gpu) = both(&gpu).await?;
    // Two batches and a rest.
    let (input, labels) = rows(19);
    let wanted = told(cpu.predict(&input, 19))?;
    let found = told(gpu.predict(&input, 19).await)?;
    let mut other = wanted.clone();
    other.rotate_left(4);
    near_and_far(
        "logits",
        distance(&wanted, &found),
        distance(&wanted, &other),
    )?;
    let wanted = told(cpu.evaluate(&input, &labels, 0.9))?;
    let found = told(gpu.evaluate(&input, &labels, 0.9).await)?;
    if (found.correct, found.rows, found.low) != (wanted.correct, wanted.rows, wanted.low)
        || found.predictions_digest != wanted.predictions_digest
        || (found.loss - wanted.loss).abs() > LIMIT
    {
        return Err(format!("{found:?} instead of {wanted:?}"));
    }
    let info = gpu.info();
    if (info.engine, info.arithmetic, info.batch, info.steps) != ("gpu", ARITHMETIC, BATCH, 0) {
        return Err(format!("{info:?}"));
    }
    Ok(())
}

fn training(steps: u32, optimizer: &str) -> TrainOptions {
    TrainOptions {
        optimizer: optimizer.into(),
        weight_decay: 0.01,
        label_smoothing: 0.1,
        ..TrainOptions::new(steps, BATCH, 0.01)
    }
}

async fn trains(gpu: Gpu) -> Result<(), String> {
    for optimizer in ["sgd", "adamw"] {
        let (mut cpu, mut gpu) = both(&gpu).await?;
        let mut other = told(Model::create(GRAPH, 7, Options::default()))?;
        let (input, labels) = rows(30);
        let options = training(12, optimizer);
        let wanted = told(cpu.train(input.clone(), labels.clone(), &options))?;
        let found = told(gpu.train(input.clone(), labels.clone(), &options).await)?;
        let reseeded = TrainOptions { seed: 1, ..options };
        told(other.train(input, labels, &reseeded))?;
        let counts = |it: &Trained| (it.steps, it.rows, it.accuracy, it.non_finite);
        if counts(&wanted) != counts(&found) || (wanted.loss - found.loss).abs() > LIMIT {
            return Err(format!("{optimizer}: {found:?} instead of {wanted:?}"));
        }
        let flat = |file: Vec<u8>| told(numbers(&file));
        let wanted = flat(told(cpu.export_weights())?)?;
        let found = flat(told(gpu.export_weights().await)?)?;
        let other = flat(told(other.export_weights())?)?;
        near_and_far(
            optimizer,
            distance(&wanted, &found),
            distance(&wanted, &other),
        )?;
    }
    Ok(())
}

/// The numbers of a safetensors file of the graph.
fn numbers(file: &[u8]) -> assay::error::Result<Vec<f32>> {
    let weights = Model::load(GRAPH, file, Options::default())?.weights()?;
    Ok(weights
        .iter()
        .flat_map(|(_, tensor)| tensor.values.clone())
        .collect())
}

async fn two_calls(gpu: Gpu) -> Result<(), String> {
    let (input, labels) = rows(30);
    let mut found = Vec::new();
    for calls in [&[9][..], &[2, 1, 6], &[8]] {
        let (_, mut gpu) = both(&gpu).await?;
        for &steps in calls {
            let options = training(steps, "adamw");
            told(gpu.train(input.clone(), labels.clone(), &options).await)?;
        }
        found.push(told(numbers(&told(gpu.export_weights().await)?))?);
    }
    near_and_far(
        "weights",
        distance(&found[0], &found[1]),
        distance(&found[0], &found[2]),
    )
}

async fn files(gpu: Gpu) -> Result<(), String> {
    let (_, mut model) = both(&gpu).await?;
    let (input, labels) = rows(20);
    // More rows in a step than it was prepared for.
    let options = TrainOptions::new(3, 12, 0.01);
    told(model.train(input.clone(), labels, &options).await)?;
    let info = model.info();
    if (info.batch, info.steps) != (12, 3) {
        return Err(format!("{info:?}"));
    }
    let file = told(model.export_weights().await)?;
    let digest = told(model.weights_digest().await)?;
    let mut cpu = told(Model::load(GRAPH, &file, Options::default()))?;
    let mut again = told(GpuModel::load(&gpu, GRAPH, &file, options_of("f32")).await)?;
    let digests = [
        told(cpu.weights_digest())?,
        told(again.weights_digest().await)?,
    ];
    if digests != [digest.clone(), digest] {
        return Err(format!("{digests:?}"));
    }
    for scheme in ["f32", "f16", "Q8_0"] {
        let own = Options {
            scheme: scheme.into(),
            ..Options::default()
        };
        let mut cpu = told(Model::load(GRAPH, &file, own))?;
        let mut gpu = told(GpuModel::load(&gpu, GRAPH, &file, options_of(scheme)).await)?;
        let wanted = told(cpu.predict(&input, 20))?;
        let found = told(gpu.predict(&input, 20).await)?;
        let off = distance(&wanted, &found);
        if off > LIMIT {
            return Err(format!("{scheme}: logits off by {off:.1e}"));
        }
        if gpu.info().weight_bytes != cpu.info().weight_bytes {
            return Err(format!("{scheme}: {:?}", gpu.info()));
        }
    }
    Ok(())
}

fn options_of(scheme: &str) -> Options {
    Options {
        scheme: scheme.into(),
        ..options()
    }
}

async fn waits(gpu: Gpu) -> Result<(), String> {
    let (_, mut model) = both(&gpu).await?;
    let (input, labels) = rows(16);
    told(
        model
            .train(input.clone(), labels.clone(), &training(1, "sgd"))
            .await,
    )?;
    let before = model.counts();
    told(
        model
            .train(input.clone(), labels, &training(40, "sgd"))
            .await,
    )?;
    let after = model.counts();
    let waited = after.synchronizations - before.synchronizations;
    // Once for the metrics of all steps, once to see whether every weight is finite.
    if waited > 2 || after.dispatches - before.dispatches < 40 {
        return Err(format!("{before:?}, then {after:?}"));
    }
    told(model.predict(&input[..ROW], 1).await)?;
    let answered = model.counts();
    if answered.synchronizations - after.synchronizations != 1 {
        return Err(format!("{after:?}, then {answered:?}"));
    }
    Ok(())
}

async fn not_finite(gpu: Gpu) -> Result<(), String> {
    let (_, mut model) = both(&gpu).await?;
    let before = told(model.weights_digest().await)?;
    let labels = vec![0; 8];
    let huge = vec![3e38; 8 * ROW];
    let trained = told(model.train(huge, labels.clone(), &training(3, "sgd")).await)?;
    if (trained.steps, trained.non_finite) != (0, Some(1)) || !trained.loss.is_nan() {
        return Err(format!("{trained:?}"));
    }
    if told(model.weights_digest().await)? != before {
        return Err("the weights changed".into());
    }
    let mut input = rows(8).0;
    input[3 * ROW] = f32::NAN;
    let found = [
        told(model.predict(&input, 8).await).err(),
        told(model.evaluate(&input, &labels, 0.9).await).err(),
        told(model.train(input, labels, &training(1, "sgd")).await).err(),
    ];
    match found
        .iter()
        .flatten()
        .filter(|it| it.contains("row 3 of input"))
        .count()
    {
        3 => Ok(()),
        _ => Err(format!("{found:?}")),
    }
}

async fn refuses(gpu: Gpu) -> Result<(), String> {
    let (_, mut model) = both(&gpu).await?;
    let (input, labels) = rows(8);
    let wide = GRAPH.replace("\"units\": 4", "\"units\": 70000");
    let mut stored = told(GpuModel::create(&gpu, GRAPH, 7, options_of("f16")).await)?;
    let one = training(1, "sgd");
    let cases = [
        (
            "unsupported",
            "gpu",
            GpuModel::create(&gpu, GRAPH, 7, Options::default())
                .await
                .err(),
        ),
        (
            "bad-input",
            "65536 logits",
            GpuModel::create(&gpu, &wide, 7, options()).await.err(),
        ),
        (
            "bad-input",
            "graph",
            GpuModel::create(&gpu, "{", 7, options()).await.err(),
        ),
        (
            "bad-input",
            "truncated",
            GpuModel::load(&gpu, GRAPH, &[], options()).await.err(),
        ),
        ("bad-input", "7 rows", model.predict(&input, 7).await.err()),
        (
            "bad-input",
            "label of row 0",
            model.evaluate(&input, &[9; 8], 0.9).await.err(),
        ),
        (
            "bad-input",
            "steps",
            model
                .train(input.clone(), labels.clone(), &training(0, "sgd"))
                .await
                .err(),
        ),
        (
            "unsupported",
            "newton",
            model
                .train(input.clone(), labels.clone(), &training(1, "newton"))
                .await
                .err(),
        ),
        (
            "unsupported",
            "stored model",
            stored
                .train(input.clone(), labels.clone(), &one)
                .await
                .err(),
        ),
    ];
    for (kind, words, error) in cases {
        match error {
            Some(error) if error.kind() == kind && error.to_string().contains(words) => {}
            other => return Err(format!("{kind}, {words}: {other:?}")),
        }
    }
    told(model.predict(&input, 8).await).map(drop)
}
