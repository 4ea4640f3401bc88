//! The record of one run: what was asked, what came out, where; it never changes after it was written.
//!
//! Reading judges the form only: whether the recipe can be run again is the recipe reader's question.

use super::document;
use super::time::is_rfc3339;
use crate::digest;
use crate::error::{Error, Result};
use crate::recipe::{Extra, Recipe};
use crate::result::{Findings, Predictions, Results};
use serde::{Deserialize, Serialize};

/// The version of the record that this build writes.
pub const VERSION: u32 = 1;

/// A record's text is refused above this size before it is parsed. One of the default recipe has about 40 kB.
pub const MAX_RECORD_BYTES: usize = 16 * 1024 * 1024;

/// One run. Its identity is `digest`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Record {
    /// Always `"record"`.
    pub assay: String,
    /// Version of the form of this document.
    pub version: u32,
    /// When the run started, RFC 3339 in UTC with milliseconds, so that texts sort as moments do.
    pub started: String,
    /// From start to record, seconds, pauses included.
    pub duration_secs: f64,
    /// How the run ended.
    pub status: Status,
    /// What was asked.
    pub recipe: Recipe,
    /// [`Recipe::digest`] of it.
    pub recipe_digest: String,
    /// What was measured.
    pub results: Results,
    /// What the checks of the data found before the run; the reason why it was made anyway is in the recipe. Absent in
    /// records of builds that did not check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<Findings>,
    /// The answers on the test rows; absent where the run did not get there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predictions: Option<Predictions>,
    /// What the run used and made, by digest.
    pub digests: Digests,
    /// Where it ran.
    pub environment: Environment,
    /// Digest of the interrupted record that this run went on from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed_from: Option<String>,
    /// Digest of the claim that this run was a check of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_claim: Option<String>,
    /// SHA-256 of the canonical form of everything else in this document; empty until it is sealed.
    #[serde(default)]
    pub digest: String,
    /// Fields of later versions.
    #[serde(flatten)]
    pub extra: Extra,
}

crate::section::section!(Record { assay, version, started, duration_secs, status, recipe, recipe_digest, results, findings, predictions, digests, environment, resumed_from, checked_claim } { digest } {  });

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Everything that the recipe asks for was done.
    Complete,
    /// The person stopped it; what was measured is kept.
    Stopped,
    /// The page was closed or reloaded, or the worker died, in the middle.
    Interrupted,
    /// The loss became NaN or infinite.
    NonFinite,
}

/// Digests of what a run used and made; each is 64 hexadecimal digits, or empty where the run did not get there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Digests {
    /// Of the data set's pixels and labels.
    pub data: String,
    /// Of the set that the data derive from by the recipe's edits; absent where it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Of the kept f32 weights.
    pub weights: String,
    /// Of the f32 weights that fine-tuning left, with those that they came from and the quantization; absent where nothing was
    /// fine-tuned, and in records of builds that did not keep them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fine_tuned: String,
    /// Of the stored weights under the recipe's scheme.
    pub stored: String,
    /// Of the test rows with their predicted classes.
    pub predictions: String,
}

crate::section::section!(Digests: { data, weights, stored, predictions } { source, fine_tuned });
impl Digests {
    /// Of the set as it was before any edit: rows of two runs where this is equal are the same pictures.
    #[must_use]
    pub fn unedited(&self) -> &str {
        if self.source.is_empty() {
            &self.data
        } else {
            &self.source
        }
    }
}

/// Where a run ran, as coarse as comparing needs: nothing that tells one person or machine from another.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Environment {
    /// Assay's version.
    pub app_version: String,
    /// Short digest of the build's files; `native` for the command.
    pub build: String,
    /// `cpu`, `gpu`, or `mixed` where a training went over both or over other batches than its recipe's.
    pub engine: String,
    /// Version of the engine's rounding behaviour, such as `cpu-1`; that of the GPU's where it had a part.
    pub arithmetic: String,
    /// Browser family, or `native`.
    pub browser: String,
    /// Its major version; empty for native.
    pub browser_version: String,
    /// Logical cores as reported; 0 when unknown.
    pub cores: u32,
    /// Resolution of the clock as measured, microseconds.
    pub timer_resolution_micros: f64,
    /// Whether the page was cross-origin isolated.
    pub isolated: bool,
    /// The GPU's adapter as shown to the person; not used by the run while the engine is `cpu`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub adapter: String,
}

crate::section::section!(Environment: { app_version, build, engine, arithmetic, browser, browser_version, cores, timer_resolution_micros, isolated } { adapter });

/// A record as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// The record, with the digest that it states.
    pub record: Record,
    /// The digest of its content: its identity, whatever it states.
    pub digest: String,
    /// Whether a digest in the record does not match the content: someone changed it after it was sealed.
    pub altered: bool,
}

/// The record's canonical JSON text with its digest filled in, and that digest.
///
/// # Panics
/// Never: a record has string keys only.
#[must_use]
pub fn seal(record: Record) -> (String, String) {
    document::seal(serde_json::to_value(record).expect("a record has string keys only"))
}

/// Seals a record that was written without digests, such as a checkpoint's: fills in the recipe's digest and its own, and
/// keeps every field. Gives the canonical text and the digest.
///
/// # Errors
/// As [`open`].
pub fn seal_text(text: &str) -> Result<(String, String)> {
    let mut opened =
        document::open(text, "record", VERSION, MAX_RECORD_BYTES).map_err(Error::Record)?;
    let recipe_digest = digest::json_digest(&opened.value["recipe"]);
    if let serde_json::Value::Object(map) = &mut opened.value {
        map.insert("recipe_digest".into(), recipe_digest.into());
    }
    let (text, digest) = document::seal(opened.value);
    open(&text).map(|_| (text, digest))
}

/// Reads a record from JSON text; the second value is whether it was altered after it was sealed.
///
/// # Errors
/// As [`open`].
pub fn read(text: &str) -> Result<(Record, bool)> {
    open(text).map(|opened| (opened.record, opened.altered))
}

/// Reads a record from JSON text.
///
/// # Errors
/// [`Error::Record`] when it is too long, not JSON, not a record, of another version, lacks a field, or its lists do not
/// belong together.
pub fn open(text: &str) -> Result<Opened> {
    let opened = document::open(text, "record", VERSION, MAX_RECORD_BYTES);
    opened.and_then(from_opened).map_err(Error::Record)
}

/// As [`open`], for JSON that was parsed before; the message is in words.
pub(super) fn from_opened(opened: document::Opened) -> Result<Opened, String> {
    let record: Record = document::typed(&opened.value)?;
    if !is_rfc3339(&record.started) {
        return Err(format!(
            "started: expected a moment such as 2026-07-31T09:05:00Z, got {:?}",
            super::words::cut(&record.started, 40)
        ));
    }
    if let Some(predictions) = &record.predictions {
        let rows = predictions.rows.len();
        for (name, length) in [
            ("labels", predictions.labels.len()),
            ("predicted", predictions.predicted.len()),
            ("confidence", predictions.confidence.len()),
        ] {
            if length != rows {
                return Err(format!(
                    "predictions.{name}: expected {rows} values, one for each row, got {length}"
                ));
            }
        }
    }
    if let Some(confusion) = &record.results.confusion {
        let classes = confusion.classes.len();
        if Some(confusion.counts.len()) != classes.checked_mul(classes) {
            return Err(format!(
                "results.confusion.counts: expected {classes} × {classes} counts, got {}",
                confusion.counts.len()
            ));
        }
    }
    let recipe_digest = digest::json_digest(&opened.value["recipe"]);
    let other_answers = record.predictions.as_ref().is_some_and(|predictions| {
        digest::predictions_digest(&predictions.rows, &predictions.predicted)
            != record.digests.predictions
    });
    Ok(Opened {
        altered: opened.altered || record.recipe_digest != recipe_digest || other_answers,
        digest: opened.digest,
        record,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runlog::SAMPLE;
    use serde_json::{Value, json};

    /// The sample with one value changed, sealed again.
    fn resealed(change: impl FnOnce(&mut Value)) -> String {
        let mut value: Value = serde_json::from_str(SAMPLE).expect("JSON");
        change(&mut value);
        document::seal(value).0
    }

    #[test]
    fn a_sealed_record_reads_back_to_itself() {
        let opened = open(SAMPLE).expect("reads");
        assert!(!opened.altered);
        assert_eq!(opened.digest, opened.record.digest);
        let (text, digest) = seal(opened.record.clone());
        assert_eq!(digest, opened.digest);
        assert_eq!(open(&text).expect("reads"), opened);
    }

    #[test]
    fn javascript_may_write_it_anew() {
        let pretty =
            serde_json::to_string_pretty(&serde_json::from_str::<Value>(SAMPLE).expect("JSON"))
                .expect("JSON");
        let spelled = pretty.replace("\"epochs\": 12", "\"epochs\": 1.2e1");
        assert_ne!(pretty, spelled);
        assert_eq!(open(&spelled).expect("reads"), open(SAMPLE).expect("reads"));
    }

    #[test]
    fn unknown_fields_are_kept_and_sealed() {
        let text = resealed(|record| record["energy"] = json!({"joules": 3}));
        let opened = open(&text).expect("reads");
        assert!(!opened.altered);
        assert_eq!(opened.record.extra["energy"]["joules"], 3);
        assert_eq!(seal(opened.record).0, text);
    }

    #[test]
    fn an_unsealed_record_is_sealed_with_all_its_fields() {
        let mut value: Value = serde_json::from_str(SAMPLE).expect("JSON");
        value["digest"] = json!("");
        value["recipe_digest"] = json!("");
        value["results"]["later"] = json!(1);
        let (text, digest) = seal_text(&value.to_string()).expect("seals");
        let opened = open(&text).expect("reads");
        assert!(!opened.altered);
        assert_eq!(opened.digest, digest);
        assert!(text.contains("\"later\":1"));
        assert!(seal_text("{}").is_err());
    }

    #[test]
    fn any_change_after_sealing_is_seen() {
        for (from, to) in [
            ("\"correct\":353", "\"correct\":354"),
            ("\"started\":\"2026", "\"started\":\"2025"),
            ("\"isolated\":true", "\"isolated\":false"),
            ("\"seed\":1", "\"seed\":2"),
        ] {
            let text = SAMPLE.replacen(from, to, 1);
            assert_ne!(text, SAMPLE, "{from}");
            assert!(read(&text).expect("reads").1, "{from}");
        }
    }

    #[test]
    fn a_digest_inside_that_does_not_fit_is_seen_even_when_sealed_again() {
        let seed = resealed(|record| record["recipe"]["seed"] = json!(9));
        assert!(read(&seed).expect("reads").1);
        let answer = resealed(|record| {
            let answer = &mut record["predictions"]["predicted"][3];
            *answer = json!((answer.as_u64().expect("a class") + 1) % 10);
        });
        assert!(read(&answer).expect("reads").1);
    }

    #[test]
    fn losses_that_are_no_numbers_survive_as_null() {
        let mut record = read(SAMPLE).expect("reads").0;
        let training = record.results.training.as_mut().expect("trained");
        training.curve[3].validation_loss = f64::NAN;
        let (text, digest) = seal(record);
        let (record, altered) = read(&text).expect("reads");
        assert!(!altered);
        let training = record.results.training.as_ref().expect("trained");
        assert!(training.curve[3].validation_loss.is_nan());
        assert_eq!(seal(record).1, digest);
    }

    #[test]
    fn refuses_in_words() {
        for (text, word) in [
            (String::new(), "not JSON"),
            ("[]".into(), "JSON object"),
            ("{\"assay\":\"claim\"}".into(), "got a \"claim\""),
            (resealed(|record| record["version"] = json!(2)), "version 2"),
            (
                resealed(|record| record["version"] = json!(2)),
                "newer Assay",
            ),
            (
                resealed(|record| record["status"] = json!("fine")),
                "unknown variant",
            ),
            (
                resealed(|record| record["started"] = json!("today")),
                "started",
            ),
            (
                resealed(|record| record["predictions"]["labels"] = json!([1])),
                "predictions.labels",
            ),
            (
                resealed(|record| record["results"]["confusion"]["counts"] = json!([1])),
                "counts",
            ),
            (
                resealed(|record| record["status"] = json!("x".repeat(9999))),
                "…",
            ),
            (" ".repeat(MAX_RECORD_BYTES + 1), "at most"),
            ("[".repeat(100_000), "recursion"),
        ] {
            let error = open(&text).expect_err(word);
            assert_eq!(error.kind(), "record");
            let message = error.to_string();
            assert!(
                message.contains(word) && message.len() < 400,
                "{word}: {message}"
            );
        }
    }
}
