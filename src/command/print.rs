//! Words on standard output for people; `--json` does not come here.

mod boards;

use super::variants::Row;
use assay::recipe::Recipe;
use assay::result::{Accuracy, FindingStatus, Findings, Latency};
use assay::runlog::claim::Claim;
use assay::runlog::link;
use assay::runlog::record::{Record, Status};
use assay::runlog::summary::architecture;
use assay::runlog::verdict::{Judgement, Overall, Verdict};
use assay::runlog::words;
use serde_json::Value;

/// One row: a name and what it says.
fn row(name: &str, says: impl std::fmt::Display) {
    println!("  {name:<14}{says}");
}

fn percent(accuracy: &Accuracy) -> String {
    format!(
        "{} ({} of {}; {} to {} at {} confidence)",
        words::percent(accuracy.value()),
        accuracy.correct,
        accuracy.total,
        words::percent(accuracy.low),
        words::percent(accuracy.high),
        words::percent(accuracy.confidence),
    )
}

fn latency(latency: &Latency) -> String {
    let mut text = format!(
        "p50 {} a call of {} ({} samples), {:.0} rows/s",
        words::millis(latency.p50_millis),
        latency.batch,
        latency.samples_millis.len(),
        latency.samples_per_sec,
    );
    for (name, value) in [("p95", latency.p95_millis), ("p99", latency.p99_millis)] {
        if let Some(value) = value {
            text += &format!(", {name} {}", words::millis(value));
        }
    }
    for flag in &latency.flags {
        text += &format!(", {flag}");
    }
    text
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Complete => "complete",
        Status::Stopped => "stopped",
        Status::Interrupted => "interrupted",
        Status::NonFinite => "non-finite",
    }
}

/// What a recipe asks for.
pub(super) fn recipe(recipe: &Recipe) {
    println!("recipe {}", words::short_digest(&recipe.digest()));
    row("data", &recipe.data.set);
    row("architecture", architecture(&recipe.architecture));
    row(
        "training",
        format!(
            "{}, {} epochs, batch {}, learning rate {}",
            recipe.training.optimizer,
            recipe.training.epochs,
            recipe.training.batch_size,
            recipe.training.learning_rate
        ),
    );
    row("quantization", &recipe.quantization.scheme);
    row("seed", recipe.seed);
}

/// What the checks of data found.
pub(super) fn findings(found: &Findings) {
    for finding in &found.findings {
        let status = match finding.status {
            FindingStatus::Pass => "pass",
            FindingStatus::Warn => "WARN",
            FindingStatus::Fail => "FAIL",
        };
        row(&finding.check, format!("{status}  {}", finding.message));
        if !finding.examples.is_empty() {
            let places: Vec<String> = finding.examples.iter().map(u32::to_string).collect();
            row("", format!("such as {}", places.join(", ")));
        }
    }
    let scores: Vec<String> = (found.quality.iter())
        .map(|it| format!("{:?} {}", it.dimension, words::percent(it.score)).to_lowercase())
        .collect();
    println!("quality: {}", scores.join(", "));
}

/// What a run found.
pub(super) fn record(record: &Record) {
    println!(
        "record {}  {}  {}",
        words::short_digest(&record.digest),
        record.started,
        status(record.status)
    );
    row("architecture", architecture(&record.recipe.architecture));
    row("scheme", &record.recipe.quantization.scheme);
    let results = &record.results;
    match &results.accuracy {
        Some(accuracy) => row("accuracy", percent(accuracy)),
        None => row("accuracy", "not measured"),
    }
    for slice in results.slices.iter().filter_map(Value::as_array).flatten() {
        if let Ok(accuracy) = serde_json::from_value::<Accuracy>(slice["accuracy"].clone()) {
            let name = slice["slice"].as_str().unwrap_or_default();
            row("slice", format!("{name}: {}", percent(&accuracy)));
        }
    }
    for (name, value) in [
        ("latency", &results.latency),
        ("throughput", &results.throughput),
    ] {
        if let Some(value) = value {
            row(name, latency(value));
        }
    }
    if let Some(cost) = &results.cost {
        row(
            "cost",
            format!(
                "{} stored, {} parameters, {} MACs a row",
                words::bytes(cost.weight_bytes),
                words::count(cost.parameters),
                words::count(cost.macs)
            ),
        );
    }
    boards::boards(record);
    let found = record.findings.iter().flat_map(|it| &it.findings);
    for finding in found.filter(|it| it.status != FindingStatus::Pass) {
        row("data", format!("{}: {}", finding.check, finding.message));
    }
    if !record.recipe.data.reason().is_empty() {
        row("reason", record.recipe.data.reason());
    }
    stored(record);
    execution(record);
    row("weights", &record.digests.weights);
    if !record.digests.fine_tuned.is_empty() {
        row("fine-tuned", &record.digests.fine_tuned);
    }
    row("predictions", &record.digests.predictions);
    row(
        "arithmetic",
        format!(
            "{} ({})",
            record.environment.arithmetic, record.environment.browser
        ),
    );
}

/// What a person should know about the stored model: layers that could not take their scheme, and bounds.
fn stored(record: &Record) {
    let cost = record.results.cost.iter();
    for layer in cost
        .flat_map(|it| &it.layers)
        .filter(|it| !it.reason.is_empty())
    {
        row(
            &layer.name,
            format!("stays {}: {}", layer.scheme, layer.reason),
        );
    }
    let damage = record.results.damage.as_ref();
    for warning in damage
        .and_then(|it| it["warnings"].as_array())
        .into_iter()
        .flatten()
    {
        row("finding", warning.as_str().unwrap_or_default());
    }
}

/// One model under many schemes.
pub(super) fn variants(rows: &[Row]) {
    println!(
        "{:<20}  {:>9}  {:>18}  {:>9}  {:>10}  against f32",
        "scheme", "accuracy", "interval", "p50", "bytes"
    );
    for Row {
        record,
        verdict,
        reason,
    } in rows
    {
        let results = &record.results;
        let dash = || "–".to_owned();
        let [accuracy, interval] = match &results.accuracy {
            Some(it) => [
                words::percent(it.value()),
                format!("{} to {}", words::percent(it.low), words::percent(it.high)),
            ],
            None => [dash(), dash()],
        };
        let latency = results.latency.as_ref();
        let mut scheme = record.recipe.quantization.scheme.clone();
        if let Some(layers) = &record.recipe.quantization.layers {
            scheme += &format!(" +{}", layers.len());
        }
        println!(
            "{scheme:<20}  {accuracy:>9}  {interval:>18}  {:>9}  {:>10}  {}",
            latency.map_or_else(dash, |it| words::millis(it.p50_millis)),
            (results.cost.as_ref()).map_or_else(dash, |it| words::bytes(it.weight_bytes)),
            if verdict.is_empty() {
                String::new()
            } else {
                format!("{verdict}: {reason}")
            },
        );
    }
}

/// A search's way from the exact model to its end.
pub(super) fn path(points: &Value) {
    println!("{:>8}  {:>10}  what gave way", "right", "bytes");
    let empty = Value::Null;
    let mut before = &empty;
    for point in points.as_array().into_iter().flatten() {
        let layers = point["layers"].as_object().into_iter().flatten();
        let step: Vec<String> = layers
            .filter(|(layer, scheme)| before[layer.as_str()] != **scheme)
            .map(|(layer, scheme)| format!("{layer} to {}", scheme.as_str().unwrap_or_default()))
            .collect();
        println!(
            "{:>8}  {:>10}  {}",
            words::percent(
                point["correct"].as_f64().unwrap_or(0.0) / point["rows"].as_f64().unwrap_or(1.0)
            ),
            words::bytes(point["bytes"].as_u64().unwrap_or(0)),
            step.join(", ")
        );
        before = &point["layers"];
    }
}

/// On what it ran, whether that agrees with the CPU, and where a GPU is faster; nothing for a recipe that asks for the CPU.
fn execution(record: &Record) {
    let Some(execution) = &record.results.execution else {
        return;
    };
    row(
        "engine",
        format!("{}: {}", record.environment.engine, execution.reason),
    );
    for part in execution
        .parts
        .iter()
        .filter(|part| !part.reason.is_empty())
    {
        row(
            "",
            format!(
                "from epoch {} on the {} with batches of {}: {}",
                part.first_epoch,
                part.engine.to_uppercase(),
                part.batch_size,
                part.reason
            ),
        );
    }
    if let Some(gpu) = &execution.gpu {
        row(
            "GPU",
            format!(
                "{}; {} dispatches a step, {} a batch of answers",
                gpu.adapter, gpu.dispatches_per_step, gpu.dispatches_per_batch
            ),
        );
    }
    if let Some(agreement) = &record.results.agreement {
        let word = if agreement.agrees {
            "agrees"
        } else {
            "ENGINE DISAGREES, its figures do not count"
        };
        row("agreement", format!("{word}: {}", agreement.reason));
        for probe in &agreement.probes {
            row(
                "",
                format!(
                    "{}: off by {:.1e} of the largest number at most, tolerance {:.1e}",
                    probe.name, probe.max_relative, probe.tolerance
                ),
            );
        }
    }
    if let Some(breakdown) = &record.results.breakdown {
        for it in &breakdown.batches {
            row(
                &format!("batch {}", it.batch),
                format!(
                    "CPU {}, GPU {} of which computing {}",
                    words::millis(it.cpu_millis),
                    words::millis(it.gpu_millis),
                    words::millis(it.compute_millis)
                ),
            );
        }
        row(
            "crossover",
            breakdown.crossover.map_or_else(
                || "the GPU is never faster up to the largest batch measured".into(),
                |batch| format!("the GPU is faster from {batch} rows a call on"),
            ),
        );
    }
}

/// One line of a log.
pub(super) fn line(record: &Record, altered: bool) {
    let accuracy = record
        .results
        .accuracy
        .as_ref()
        .map_or_else(|| "–".into(), |it| words::percent(it.value()));
    let latency = record
        .results
        .latency
        .as_ref()
        .map_or_else(|| "–".into(), |it| words::millis(it.p50_millis));
    println!(
        "{}  {}  {:<11}  {:>7}  {:>9}  {:<6} {}{}",
        words::short_digest(&record.digest),
        record.started,
        status(record.status),
        accuracy,
        latency,
        record.recipe.quantization.scheme,
        architecture(&record.recipe.architecture),
        if altered {
            "  altered: its digest does not match"
        } else {
            ""
        },
    );
}

/// What a link claims.
pub(super) fn claim(claim: &Claim) {
    println!("claim {}", words::short_digest(&claim.digest));
    recipe(&claim.recipe);
    println!("it says");
    for sentence in link::carries_of_claim(claim) {
        println!("  {sentence}");
    }
}

/// A verdict with its metrics.
pub(super) fn verdict(verdict: &Verdict) {
    let overall = match verdict.overall {
        Overall::Reproduced => "reproduced",
        Overall::WithinTolerance => "within tolerance",
        Overall::Diverged => "diverged",
        Overall::CannotBeJudged => "cannot be judged",
    };
    println!("{overall}: {}", verdict.reason);
    for metric in &verdict.metrics {
        let judgement = match metric.verdict {
            Judgement::Reproduced => "reproduced",
            Judgement::WithinTolerance => "within tolerance",
            Judgement::Diverged => "diverged",
            Judgement::Compared => "compared",
        };
        println!(
            "  {:<20}{judgement:<18}claimed {}, found {}. {}",
            metric.label, metric.claimed_text, metric.found_text, metric.reason
        );
    }
}
