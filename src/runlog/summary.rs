//! What the run table shows of a record: small, flat, made once when the record is stored; it judges nothing.

use super::record::{self, Opened, Status};
use super::words::cut;
use crate::error::Result;
use crate::recipe::{ArchitectureSpec, EDITS};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Fields of a recipe that a summary lists; a complete one of today has 25.
const MAX_RECIPE_FIELDS: usize = 200;
/// Characters of a recipe's value in a summary.
const MAX_VALUE: usize = 80;

/// One row of the run table. What the run did not reach is `None` or empty.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunSummary {
    /// Digest of the record's content.
    pub digest: String,
    /// Whether the record was changed after it was sealed.
    pub altered: bool,
    /// When it started, RFC 3339 in UTC.
    pub started: String,
    /// From start to record, seconds.
    pub duration_secs: f64,
    /// How it ended.
    pub status: Status,
    /// Name of the data set.
    pub set: String,
    /// Architecture family.
    pub family: String,
    /// The architecture in words.
    pub architecture: String,
    /// Quantization scheme.
    pub scheme: String,
    /// Seed.
    pub seed: u32,
    /// Finished epochs.
    pub epochs: u32,
    /// Epochs asked for.
    pub epochs_planned: u32,
    /// Epoch whose weights were kept; 0 when none.
    pub kept_epoch: u32,
    /// Share of test rows answered rightly, in 0..=1.
    pub accuracy: Option<f64>,
    /// Lower end of its interval.
    pub accuracy_low: Option<f64>,
    /// Upper end of its interval.
    pub accuracy_high: Option<f64>,
    /// Test rows answered rightly.
    pub correct: Option<u32>,
    /// Test rows.
    pub total: Option<u32>,
    /// Mean cross-entropy on the test rows, nats.
    pub test_loss: Option<f64>,
    /// Median latency of one row, milliseconds.
    pub p50_millis: Option<f64>,
    /// Lower end of its interval.
    pub p50_low_millis: Option<f64>,
    /// Upper end of its interval.
    pub p50_high_millis: Option<f64>,
    /// Rows per call of the throughput measurement.
    pub throughput_batch: Option<u32>,
    /// Rows per second at that batch.
    pub samples_per_sec: Option<f64>,
    /// Share of boards read rightly whole, each square by itself; none where boards were not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boards_alone: Option<f64>,
    /// The same by the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boards_with_rule: Option<f64>,
    /// Share of games read rightly whole by the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub games_with_rule: Option<f64>,
    /// Multiply-accumulates of a board by the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub macs_with_rule: Option<f64>,
    /// Bytes of the stored weights.
    pub weight_bytes: Option<u64>,
    /// Trainable numbers.
    pub parameters: Option<u64>,
    /// Multiply-accumulates for one row.
    pub macs: Option<u64>,
    /// `cpu`, `gpu` or `mixed`.
    pub engine: String,
    /// Whether the GPU agrees with the CPU; none where none was used.
    pub agrees: Option<bool>,
    /// Version of the rounding behaviour.
    pub arithmetic: String,
    /// Browser family and major version.
    pub browser: String,
    /// Digest of the recipe.
    pub recipe_digest: String,
    /// Digest of the kept weights.
    pub weights_digest: String,
    /// Digest of what fine-tuning left; absent where there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fine_tuned_digest: String,
    /// Digest of the answers.
    pub predictions_digest: String,
    /// Digest of the interrupted record that it went on from.
    pub resumed_from: Option<String>,
    /// Digest of the claim that it was a check of.
    pub checked_claim: Option<String>,
    /// What makes its figures doubtful, such as `latency: page hidden`.
    pub flags: Vec<String>,
    /// Every field of the recipe, by dotted path, as text: what "only differing columns" compares.
    pub recipe: BTreeMap<String, String>,
}

/// Summarizes a record's text.
///
/// # Errors
/// As [`record::open`].
pub fn summarize(text: &str) -> Result<RunSummary> {
    record::open(text).map(|opened| of(&opened))
}

/// Summarizes a record that was read.
#[must_use]
pub fn of(opened: &Opened) -> RunSummary {
    let record = &opened.record;
    let results = &record.results;
    let environment = &record.environment;
    let accuracy = results.accuracy.as_ref();
    let latency = results.latency.as_ref();
    let throughput = results.throughput.as_ref();
    let cost = results.cost.as_ref();
    let training = results.training.as_ref();
    let mut flags = Vec::new();
    for (name, latency) in [("latency", latency), ("throughput", throughput)] {
        for flag in latency.iter().flat_map(|latency| &latency.flags) {
            flags.push(format!("{name}: {flag}"));
        }
    }
    let reading = results.reading.as_ref();
    let number = |way: &str, name: &str, part: &str| {
        reading.and_then(|it| it.get(way)?.get(name)?.get(part)?.as_f64())
    };
    let share = |way: &str, name: &str| {
        let total = number(way, name, "total").filter(|total| *total > 0.0)?;
        Some(number(way, name, "correct")? / total)
    };
    let macs = reading
        .and_then(|it| it.get("with")?.get("macs")?.as_f64())
        .zip(number("with", "boards", "total"))
        .map(|(macs, boards)| macs / boards);
    let mut recipe = BTreeMap::new();
    flatten("", &record.recipe.to_value(), &mut recipe);
    RunSummary {
        digest: opened.digest.clone(),
        altered: opened.altered,
        started: record.started.clone(),
        duration_secs: record.duration_secs,
        status: record.status,
        set: record.recipe.data.set.clone(),
        family: record.recipe.architecture.family.clone(),
        architecture: architecture(&record.recipe.architecture),
        scheme: record.recipe.quantization.scheme.clone(),
        seed: record.recipe.seed,
        epochs: training.map_or(0, |training| {
            u32::try_from(training.curve.len()).unwrap_or(u32::MAX)
        }),
        epochs_planned: record.recipe.training.epochs,
        kept_epoch: training.map_or(0, |training| training.kept_epoch),
        accuracy: accuracy.map(crate::result::Accuracy::value),
        accuracy_low: accuracy.map(|accuracy| accuracy.low),
        accuracy_high: accuracy.map(|accuracy| accuracy.high),
        correct: accuracy.map(|accuracy| accuracy.correct),
        total: accuracy.map(|accuracy| accuracy.total),
        test_loss: results.test_loss,
        p50_millis: latency.map(|latency| latency.p50_millis),
        p50_low_millis: latency.map(|latency| latency.p50_low_millis),
        p50_high_millis: latency.map(|latency| latency.p50_high_millis),
        throughput_batch: throughput.map(|latency| latency.batch),
        samples_per_sec: throughput.map(|latency| latency.samples_per_sec),
        boards_alone: share("without", "boards"),
        boards_with_rule: share("with", "boards"),
        games_with_rule: share("with", "games"),
        macs_with_rule: macs.filter(|it| it.is_finite()),
        weight_bytes: cost.map(|cost| cost.weight_bytes),
        parameters: cost.map(|cost| cost.parameters),
        macs: cost.map(|cost| cost.macs),
        engine: environment.engine.clone(),
        agrees: results.agreement.as_ref().map(|it| it.agrees),
        arithmetic: environment.arithmetic.clone(),
        browser: format!("{} {}", environment.browser, environment.browser_version)
            .trim()
            .into(),
        recipe_digest: record.recipe_digest.clone(),
        weights_digest: record.digests.weights.clone(),
        fine_tuned_digest: record.digests.fine_tuned.clone(),
        predictions_digest: record.digests.predictions.clone(),
        resumed_from: record.resumed_from.clone(),
        checked_claim: record.checked_claim.clone(),
        flags,
        recipe,
    }
}

/// The architecture in words: `lenet 16 channels, 3×3, dense 64, relu`. Options that stand at their default are left out.
#[must_use]
pub fn architecture(spec: &ArchitectureSpec) -> String {
    let ArchitectureSpec {
        family, activation, ..
    } = spec;
    let sizes = (
        spec.channels,
        spec.kernel,
        spec.dense,
        spec.depth,
        spec.width,
    );
    let mut words = match sizes {
        (Some(channels), Some(kernel), Some(dense), _, _) => {
            format!("{family} {channels} channels, {kernel}×{kernel}, dense {dense}, {activation}")
        }
        (_, _, _, Some(0), _) => format!("{family} without hidden layers"),
        (_, _, _, Some(depth), Some(width)) => format!("{family} {depth} × {width}, {activation}"),
        _ if activation.is_empty() => {
            let layers = spec.graph.as_ref().and_then(|graph| graph.get("layers"));
            let count = layers.and_then(Value::as_array).map_or(0, Vec::len);
            format!("{family} of {count} layers")
        }
        _ => format!("{family}, {activation}"),
    };
    let options = [
        spec.heads.map(|heads| format!("{heads} heads")),
        spec.patch.map(|patch| format!("patch {patch}")),
        spec.normalization
            .as_ref()
            .map(|norm| format!("normalization {norm}")),
        spec.pooling
            .as_ref()
            .map(|pooling| format!("{pooling} pooling")),
        spec.residual
            .as_ref()
            .map(|residual| format!("shortcuts {residual}")),
        spec.dropout.map(|rate| format!("dropout {rate}")),
        spec.stages.as_ref().map(|stages| {
            let by = spec.narrowing();
            format!("{stages} stages, the first 1/{by} as wide")
        }),
    ];
    for option in options.into_iter().flatten() {
        words.push_str(", ");
        words.push_str(&option);
    }
    words
}

/// Every plain value under `value` by its dotted path, as text; the document's own kind and version are left out.
pub(super) fn flatten(path: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    if into.len() >= MAX_RECIPE_FIELDS || (path.is_empty() && !value.is_object()) {
        return;
    }
    let text = match value {
        // Thousands of rows, and no column each.
        Value::Object(_) if path == EDITS => {
            format!("version {}", &crate::digest::json_digest(value)[..8])
        }
        Value::Object(map) => {
            for (key, value) in map {
                let key = cut(key, MAX_VALUE);
                if path.is_empty() {
                    if key != "assay" && key != "version" {
                        flatten(&key, value, into);
                    }
                } else {
                    flatten(&format!("{path}.{key}"), value, into);
                }
            }
            return;
        }
        Value::String(text) => cut(text, MAX_VALUE),
        other => cut(&crate::digest::canonical_json(other), MAX_VALUE),
    };
    into.insert(path.to_owned(), text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_architecture_is_told_with_the_options_that_differ() {
        let of = |family| crate::recipe::Recipe::default_for("digits", family).architecture;
        assert_eq!(architecture(&of("vit")), "vit 3 × 32, gelu, 4 heads");
        assert_eq!(architecture(&of("graph")), "graph of 5 layers");
        let mut plain = of("resnet");
        plain.residual = Some("off".into());
        assert_eq!(architecture(&plain), "resnet 8 × 16, relu, shortcuts off");
        plain.residual = None;
        plain.stages = Some("two".into());
        assert_eq!(
            architecture(&plain),
            "resnet 8 × 16, relu, two stages, the first 1/4 as wide"
        );
    }

    #[test]
    fn a_summary_holds_what_the_table_shows() {
        let summary = summarize(crate::runlog::SAMPLE).expect("reads");
        assert_eq!(
            summary.architecture,
            "lenet 16 channels, 3×3, dense 64, relu"
        );
        assert_eq!((summary.correct, summary.total), (Some(353), Some(360)));
        assert_eq!(summary.recipe["training.epochs"], "12");
        assert_eq!(summary.recipe["architecture.family"], "lenet");
        assert_eq!(summary.recipe["seed"], "1");
        assert!(!summary.recipe.contains_key("version"));
        assert_eq!(summary.browser, "Chromium 150");
        let json = serde_json::to_value(&summary).expect("serializable");
        assert_eq!(json["p50LowMillis"], json["p50LowMillis"]);
        assert_eq!(json["status"], "complete");
    }
}
