//! What a link carries of a record: enough to run again and judge, and nothing of the person or the rows.
//!
//! Judging is the verdict's part; packing is the link's.

use super::annotation::is_digest;
use super::claimed_reading::ClaimedReading;
use super::record::{Digests, Record, Status};
use super::tolerance::loss_tolerance;
use super::words::{cut, rounded};
use super::{document, time};
use crate::error::{Error, Result};
use crate::recipe::{self, Extra, Recipe};
use crate::result::{Accuracy, Latency};
use crate::stats::wilson;
use serde::Serialize;

/// The version of the claim that this build writes.
pub const VERSION: u32 = 1;
/// A claim's text is refused above this size; a link never inflates to more.
pub const MAX_CLAIM_BYTES: usize = 256 * 1024;
/// Characters of the name that a sender may give.
pub const MAX_BY: usize = 60;
/// The rule by which version 1 judges an accuracy.
const INTERVAL_RULE: &str = "interval";
/// Characters of `engine`, `arithmetic`, `browser` and `browser_version`.
const MAX_WORD: usize = 40;

/// What one person tells another about a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Claim {
    /// Always `"claim"`.
    pub assay: String,
    /// Version of the form of this document.
    pub version: u32,
    /// What to run again.
    pub recipe: Recipe,
    /// What came out.
    pub results: Claimed,
    /// How far a re-run may lie from it.
    pub tolerances: Tolerances,
    /// Of data, weights, stored weights and predictions.
    pub digests: Digests,
    /// Version of the rounding behaviour.
    pub arithmetic: String,
    /// `cpu`, `gpu`, or `mixed`.
    pub engine: String,
    /// Browser family, or `native`.
    pub browser: String,
    /// Its major version; empty for native.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub browser_version: String,
    /// When the run started, RFC 3339 in UTC.
    pub started: String,
    /// A name, only if the sender typed one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
    /// SHA-256 of the canonical form of everything else in this document.
    #[serde(default)]
    pub digest: String,
    /// Fields of later versions.
    #[serde(flatten)]
    pub extra: Extra,
    /// The sealed document as canonical JSON: fields of later versions stay in it wherever they stand.
    #[serde(skip)]
    text: String,
}

crate::section::section!(Claim { assay, version, recipe, results, tolerances, digests, arithmetic, engine, browser, started } { browser_version, by, digest } { text });

/// The results of a claim, rounded to what a reader can use.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Claimed {
    /// Accuracy on the test rows with its interval.
    pub accuracy: Accuracy,
    /// Mean cross-entropy on the test rows, nats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_loss: Option<f64>,
    /// Epoch whose weights were kept, counted from 1.
    pub kept_epoch: u32,
    /// Trainable numbers.
    pub parameters: u64,
    /// Multiply-accumulates for one row.
    pub macs: u64,
    /// Bytes of the stored weights.
    pub weight_bytes: u64,
    /// Latency by batch size.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latency: Vec<ClaimedLatency>,
    /// How boards were read by the rule of the recipe, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<ClaimedReading>,
    /// Fields of later versions.
    #[serde(flatten)]
    pub extra: Extra,
}

crate::section::section!(Claimed { accuracy, test_loss, kept_epoch, parameters, macs, weight_bytes, reading } { latency } {  });

/// A median latency with its interval, milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClaimedLatency {
    /// Rows per call.
    pub batch: u32,
    /// Median.
    pub p50: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end of its interval.
    pub high: f64,
    /// Samples behind it.
    pub samples: u32,
}

crate::section::section!(ClaimedLatency: { batch, p50, low, high, samples } {  });

/// How far a re-run may lie from a claim where it cannot be equal bit by bit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tolerances {
    /// Always `"interval"`: within the interval of the claimed accuracy.
    pub accuracy: String,
    /// Relative difference of the test loss; see [`super::tolerance`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_loss: Option<f64>,
    /// Fields of later versions.
    #[serde(flatten)]
    pub extra: Extra,
}

crate::section::section!(Tolerances { accuracy, test_loss } {  } {  });

impl Claim {
    /// What `record` lets one claim; `by` is a name that the sender typed, or empty.
    ///
    /// # Errors
    /// [`Error::Record`] where there is nothing to check: the run did not end, its GPU disagrees with the CPU, or it lacks
    /// accuracy, predictions or a digest. Share its recipe instead.
    ///
    /// # Panics
    /// Never: a claim has string keys only.
    pub fn from_record(record: &Record, by: &str) -> Result<Self> {
        let nothing_to_check = |why: &str| {
            Error::Record(format!(
                "{why}, so there is nothing that another person could check. Share the recipe instead"
            ))
        };
        match record.status {
            Status::Complete => {}
            Status::Stopped => return Err(nothing_to_check("the run was stopped")),
            Status::Interrupted => return Err(nothing_to_check("the run was interrupted")),
            Status::NonFinite => return Err(nothing_to_check("the training became non-finite")),
        }
        let results = &record.results;
        if results.agreement.as_ref().is_some_and(|it| !it.agrees) {
            return Err(nothing_to_check(
                "the GPU of this run disagrees with the CPU",
            ));
        }
        let (Some(accuracy), Some(cost)) = (results.accuracy, &results.cost) else {
            return Err(nothing_to_check("the record has no accuracy or no cost"));
        };
        let confidence = accuracy.confidence;
        let test_loss = results
            .test_loss
            .filter(|loss| loss.is_finite() && *loss >= 0.0);
        let tolerance = test_loss
            .zip(record.predictions.as_ref())
            .and_then(|(loss, predictions)| loss_tolerance(loss, predictions, confidence));
        let claim = Self {
            assay: "claim".into(),
            version: VERSION,
            recipe: record.recipe.clone(),
            results: Claimed {
                accuracy: Accuracy {
                    low: rounded(accuracy.low, 6),
                    high: rounded(accuracy.high, 6),
                    ..accuracy
                },
                test_loss: test_loss.map(|loss| rounded(loss, 6)),
                kept_epoch: results
                    .training
                    .as_ref()
                    .map_or(0, |training| training.kept_epoch),
                parameters: cost.parameters,
                macs: cost.macs,
                weight_bytes: cost.weight_bytes,
                latency: [&results.latency, &results.throughput]
                    .into_iter()
                    .flatten()
                    .map(ClaimedLatency::of)
                    .filter(ClaimedLatency::is_sound)
                    .collect(),
                reading: (results.reading.as_ref())
                    .and_then(|it| ClaimedReading::of(it, record.predictions.as_ref()))
                    .map(ClaimedReading::short),
                extra: Extra::new(),
            },
            tolerances: Tolerances {
                accuracy: INTERVAL_RULE.into(),
                test_loss: tolerance,
                extra: Extra::new(),
            },
            digests: Digests {
                // Whoever checks a claim fine-tunes anew.
                fine_tuned: String::new(),
                ..record.digests.clone()
            },
            arithmetic: record.environment.arithmetic.clone(),
            engine: record.environment.engine.clone(),
            browser: record.environment.browser.clone(),
            browser_version: record.environment.browser_version.clone(),
            started: record.started.clone(),
            by: cleaned(by),
            digest: String::new(),
            extra: Extra::new(),
            text: String::new(),
        };
        claim.check().map_err(|why| nothing_to_check(&why))?;
        let value = serde_json::to_value(&claim).expect("a claim has string keys only");
        let (text, digest) = document::seal(value);
        Ok(Self {
            digest,
            text,
            ..claim
        })
    }

    /// The sealed document as canonical JSON text, as it was made or read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Reads a claim from JSON text.
    ///
    /// # Errors
    /// [`Error::Link`] when it is too long, not JSON, not a claim, of another version, altered, or contradicts itself;
    /// [`Error::Recipe`] when its recipe cannot be used, with every problem.
    pub fn read(text: &str) -> Result<Self> {
        let opened =
            document::open(text, "claim", VERSION, MAX_CLAIM_BYTES).map_err(Error::Link)?;
        if opened.altered {
            return Err(Error::Link(
                "its content does not match its digest: it was changed after it was made. Ask the sender to copy it again".into(),
            ));
        }
        let recipe = opened.value.get("recipe").cloned().unwrap_or_default();
        let recipe = recipe::from_value(recipe)?;
        let claim: Self = document::typed(&opened.value).map_err(Error::Link)?;
        let text = crate::digest::canonical_json(&opened.value);
        let claim = Self {
            recipe,
            text,
            ..claim
        };
        claim
            .check()
            .map_err(|why| Error::Link(format!("{why}. Ask the sender to copy it again")))?;
        Ok(claim)
    }

    /// What in a claim contradicts itself, in words.
    fn check(&self) -> Result<(), String> {
        for (name, word) in [
            ("arithmetic", &self.arithmetic),
            ("engine", &self.engine),
            ("browser", &self.browser),
            ("browser_version", &self.browser_version),
        ] {
            if cleaned_to(word, MAX_WORD) != *word {
                return Err(format!(
                    "{name}: expected at most {MAX_WORD} plain characters"
                ));
            }
        }
        if cleaned(&self.by) != self.by {
            return Err(format!("by: expected at most {MAX_BY} plain characters"));
        }
        if !time::is_rfc3339(&self.started) {
            return Err("started: expected a moment such as 2026-07-31T09:05:00Z".into());
        }
        let digests = &self.digests;
        for (name, digest) in [
            ("data", &digests.data),
            ("weights", &digests.weights),
            ("predictions", &digests.predictions),
        ] {
            if !is_digest(digest) {
                return Err(format!(
                    "digests.{name}: expected 64 hexadecimal digits, got {:?}",
                    cut(digest, 80)
                ));
            }
        }
        for (name, digest) in [("stored", &digests.stored), ("source", &digests.source)] {
            if !digest.is_empty() && !is_digest(digest) {
                return Err(format!("digests.{name}: expected 64 hexadecimal digits"));
            }
        }
        let accuracy = &self.results.accuracy;
        if accuracy.total == 0 || accuracy.correct > accuracy.total {
            return Err(format!(
                "results.accuracy: {} right of {} rows cannot be",
                accuracy.correct, accuracy.total
            ));
        }
        // An interval wider than its counts support would make any result tolerable.
        let (low, high) = wilson(accuracy.correct, accuracy.total, accuracy.confidence);
        let near = |a: f64, b: f64| (a - b).abs() < 1e-4;
        if !near(low, accuracy.low) || !near(high, accuracy.high) || accuracy.confidence > 0.999 {
            return Err(format!(
                "results.accuracy: {} of {} rows have the interval {low:.4} to {high:.4}, not {} to {}",
                accuracy.correct, accuracy.total, accuracy.low, accuracy.high
            ));
        }
        if self.tolerances.accuracy != INTERVAL_RULE {
            return Err(format!(
                "tolerances.accuracy: this build judges by \"interval\", got {:?}; a newer Assay may know it",
                cut(&self.tolerances.accuracy, 40)
            ));
        }
        if !self
            .tolerances
            .test_loss
            .is_none_or(|relative| (0.0..=1.0).contains(&relative))
        {
            return Err("tolerances.test_loss: expected a share from 0 to 1".into());
        }
        if !self.results.test_loss.is_none_or(|loss| loss >= 0.0) {
            return Err("results.test_loss: expected a number from 0".into());
        }
        if let Some(reading) = &self.results.reading {
            reading.check()?;
        }
        if !self.results.latency.iter().all(ClaimedLatency::is_sound) {
            return Err("results.latency: expected positive times, low ≤ p50 ≤ high".into());
        }
        Ok(())
    }
}

impl ClaimedLatency {
    fn of(latency: &Latency) -> Self {
        Self {
            batch: latency.batch,
            p50: rounded(latency.p50_millis, 4),
            low: rounded(latency.p50_low_millis, 4),
            high: rounded(latency.p50_high_millis, 4),
            samples: u32::try_from(latency.samples_millis.len()).unwrap_or(u32::MAX),
        }
    }

    fn is_sound(&self) -> bool {
        self.low >= 0.0 && self.low <= self.p50 && self.p50 <= self.high && self.high.is_finite()
    }
}

/// A name as a link may carry it: surrounding white space, control and invisible direction characters go, then at most
/// [`MAX_BY`] characters stay.
#[must_use]
pub fn cleaned(by: &str) -> String {
    cleaned_to(by, MAX_BY)
}

fn cleaned_to(text: &str, characters: usize) -> String {
    let plain: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let cut: String = plain.trim().chars().take(characters).collect();
    cut.trim_end().into()
}

/// Control characters, and those that change the direction of what follows or show nothing: a name must not be able to
/// rearrange the banner that it stands in.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runlog::record;
    use serde_json::{Value, json};

    fn sample() -> Record {
        record::read(crate::runlog::SAMPLE).expect("reads").0
    }

    /// The claim with one value changed and a digest that matches again.
    fn resealed(change: impl FnOnce(&mut Value)) -> String {
        let claim = Claim::from_record(&sample(), "").expect("complete");
        let mut value: Value = serde_json::from_str(claim.text()).expect("JSON");
        change(&mut value);
        document::seal(value).0
    }

    #[test]
    fn a_claim_reads_back_to_itself() {
        let claim = Claim::from_record(&sample(), "Ada").expect("complete");
        assert_eq!(Claim::read(claim.text()).expect("reads"), claim);
        assert_eq!(claim.results.accuracy.correct, 353);
        assert_eq!(claim.results.latency.len(), 2);
    }

    #[test]
    fn a_claim_carries_no_rows_no_samples_and_no_device() {
        let text = Claim::from_record(&sample(), "")
            .expect("complete")
            .text()
            .to_owned();
        for absent in [
            "\"rows\"",
            "samples_millis",
            "labels",
            "curve",
            "adapter",
            "cores",
            "\"by\"",
            "build",
        ] {
            assert!(!text.contains(absent), "{absent}");
        }
    }

    #[test]
    fn a_name_loses_what_cannot_be_seen() {
        assert_eq!(
            cleaned("  Ada\u{202e}\n Lovelace\u{200b}\u{0} "),
            "Ada Lovelace"
        );
        assert_eq!(cleaned(&"é".repeat(100)).chars().count(), MAX_BY);
        assert_eq!(cleaned(" \u{feff} "), "");
    }

    #[test]
    fn unknown_fields_survive_at_every_level() {
        let text = resealed(|claim| {
            claim["later"] = json!(1);
            claim["results"]["later"] = json!([2]);
            claim["tolerances"]["later"] = json!({"x": 3});
            claim["recipe"]["training"]["later"] = json!("y");
        });
        assert_eq!(Claim::read(&text).expect("reads").text(), text);
    }

    #[test]
    fn an_altered_claim_is_refused() {
        let text = Claim::from_record(&sample(), "")
            .expect("complete")
            .text()
            .to_owned();
        let altered = text.replace("\"correct\":353", "\"correct\":354");
        assert_ne!(text, altered);
        let error = Claim::read(&altered).expect_err("refused");
        assert!(
            error.to_string().contains("changed after it was made"),
            "{error}"
        );
    }

    #[test]
    fn a_claim_that_contradicts_itself_is_refused_in_words() {
        for (path, value, word) in [
            ("/results/accuracy/correct", json!(361), "cannot be"),
            ("/results/accuracy/low", json!(0.0), "have the interval"),
            (
                "/results/accuracy/confidence",
                json!(1.0),
                "have the interval",
            ),
            ("/tolerances/accuracy", json!("anything"), "newer Assay"),
            ("/tolerances/test_loss", json!(5), "share from 0 to 1"),
            ("/digests/weights", json!(""), "digests.weights"),
            ("/browser", json!("x".repeat(41)), "browser"),
            ("/engine", json!("c\u{202e}pu"), "engine"),
            ("/started", json!("now"), "started"),
            ("/version", json!(2), "version 2"),
            ("/results/latency/0/p50", json!(-1), "results.latency"),
            ("/recipe/training/epochs", json!(0), "training.epochs"),
            ("/recipe/data/set", json!("imagenet"), "data.set"),
        ] {
            let text = resealed(|claim| *claim.pointer_mut(path).expect(path) = value);
            let error = Claim::read(&text).expect_err(path).to_string();
            assert!(error.contains(word), "{path}: {error}");
        }
        let named = resealed(|claim| claim["by"] = json!("a\nb"));
        assert!(
            Claim::read(&named)
                .expect_err("refused")
                .to_string()
                .contains("by:")
        );
    }

    #[test]
    fn an_unfinished_run_cannot_be_claimed() {
        for status in [Status::Stopped, Status::Interrupted, Status::NonFinite] {
            let record = Record { status, ..sample() };
            let error = Claim::from_record(&record, "").expect_err("refused");
            assert!(error.to_string().contains("Share the recipe instead"));
        }
    }
}
