//! Whether a run bears a claim out: reproduced, within tolerance or diverged, metric by metric, each with its reason.
//!
//! It runs nothing, and it never holds a latency against anyone.

mod latency;
mod metrics;

use super::claim::Claim;
use super::record::{self, Record, Status};
use super::summary::flatten;
use super::words::{count, cut};
use crate::error::Result;
use crate::order;
use metrics::Judge;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The answer as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Overall {
    /// Equal weights and answers, bit for bit, and every count as claimed.
    #[serde(rename = "reproduced")]
    Reproduced,
    /// Not comparable bit for bit, but every judged figure lies within the claim's tolerance.
    #[serde(rename = "within tolerance")]
    WithinTolerance,
    /// Something differs by more than it may.
    #[serde(rename = "diverged")]
    Diverged,
    /// The run says nothing about the claim: another recipe, or it did not end.
    #[serde(rename = "cannot be judged")]
    CannotBeJudged,
}

/// The answer for one metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Judgement {
    /// Equal, and equality was to be expected.
    #[serde(rename = "reproduced")]
    Reproduced,
    /// Within the tolerance.
    #[serde(rename = "within tolerance")]
    WithinTolerance,
    /// Outside it.
    #[serde(rename = "diverged")]
    Diverged,
    /// Shown side by side; a difference is no failure.
    #[serde(rename = "compared")]
    Compared,
}

/// What a check says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// The answer.
    pub overall: Overall,
    /// Its reason: a sentence or two.
    pub reason: String,
    /// Metric by metric; empty where nothing could be judged.
    pub metrics: Vec<Metric>,
}

/// What a check says of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metric {
    /// A stable name for programs: `accuracy`, `test_loss`, `weights`, `latency_1`, …
    pub name: String,
    /// What it is called.
    pub label: String,
    /// Unit of the two numbers, or empty.
    pub unit: String,
    /// The claimed number; absent for a digest.
    pub claimed: Option<f64>,
    /// The number found here.
    pub found: Option<f64>,
    /// The claimed figure as people read it, with its unit.
    pub claimed_text: String,
    /// The figure found here as people read it.
    pub found_text: String,
    /// The answer.
    pub verdict: Judgement,
    /// What would have been accepted, in words.
    pub tolerance: String,
    /// Why this answer.
    pub reason: String,
}

/// Judges a record's text against a claim's. A record that was altered after it was sealed cannot be judged by.
///
/// # Errors
/// As [`Claim::read`] and [`record::open`].
pub fn judge_texts(claim: &str, record: &str) -> Result<Verdict> {
    let claim = Claim::read(claim)?;
    let opened = record::open(record)?;
    if opened.altered {
        return Ok(Verdict {
            overall: Overall::CannotBeJudged,
            reason: "This record was changed after it was sealed, so it proves nothing. Run the recipe again to get a verdict.".into(),
            metrics: Vec::new(),
        });
    }
    Ok(judge(&claim, &opened.record))
}

/// Judges a run against a claim.
#[must_use]
pub fn judge(claim: &Claim, record: &Record) -> Verdict {
    let unjudged = |reason: String| Verdict {
        overall: Overall::CannotBeJudged,
        reason,
        metrics: Vec::new(),
    };
    if claim.recipe.digest() != record.recipe.digest() {
        return unjudged(format!(
            "This run followed another recipe ({}), so it says nothing about the claim. Reset to the link's version and run again.",
            differing_fields(claim, record)
        ));
    }
    match record.status {
        Status::Complete => {}
        Status::Stopped => {
            return unjudged(
                "This run was stopped before it was measured. Run it to the end to get a verdict."
                    .into(),
            );
        }
        Status::Interrupted => {
            return unjudged(
                "This run was interrupted. Resume it, or run it again, to get a verdict.".into(),
            );
        }
        Status::NonFinite => {
            let training = record.results.training.as_ref();
            let step = training.and_then(|training| training.non_finite_step);
            return Verdict {
                overall: Overall::Diverged,
                reason: format!(
                    "The training became non-finite here{}; the claimed run trained to the end.",
                    step.map_or(String::new(), |step| format!(" at step {}", count(step)))
                ),
                metrics: Vec::new(),
            };
        }
    }
    if let Some(doubt) = (record.results.agreement.as_ref()).filter(|it| !it.agrees) {
        return unjudged(format!(
            "The GPU of this run disagrees with the CPU ({}), so its figures prove nothing. Run the recipe on the CPU to get a verdict.",
            doubt.reason
        ));
    }
    let (Some(_), Some(_)) = (&record.results.accuracy, &record.results.cost) else {
        return unjudged(
            "The record of this run lacks its accuracy or its cost, so there is nothing to judge."
                .into(),
        );
    };
    let judge = Judge::new(claim, record);
    let metrics = judge.metrics();
    let (overall, reason) = overall(&judge, &metrics);
    Verdict {
        overall,
        reason,
        metrics,
    }
}

/// The fields in which the recipes differ, at most three of them, in words.
fn differing_fields(claim: &Claim, record: &Record) -> String {
    let fields = |recipe: &crate::recipe::Recipe| {
        let mut fields = BTreeMap::new();
        flatten("", &recipe.to_value(), &mut fields);
        fields
    };
    let (claimed, found) = (fields(&claim.recipe), fields(&record.recipe));
    let mut paths: Vec<&String> = claimed.keys().chain(found.keys()).collect();
    order::sort(&mut paths);
    paths.dedup();
    paths.retain(|path| claimed.get(*path) != found.get(*path));
    let word = |fields: &BTreeMap<String, String>, path: &str| {
        fields.get(path).cloned().unwrap_or_else(|| "absent".into())
    };
    let mut words: Vec<String> = paths
        .iter()
        .take(3)
        .map(|path| {
            format!(
                "{path} {}, not {}",
                word(&found, path),
                word(&claimed, path)
            )
        })
        .collect();
    if paths.len() > 3 {
        words.push(format!("and {} more", paths.len() - 3));
    }
    words.join("; ")
}

/// The answer as a whole, from the metrics'.
fn overall(judge: &Judge<'_>, metrics: &[Metric]) -> (Overall, String) {
    let find = |name: &str| metrics.iter().find(|metric| metric.name == name);
    let differing: Vec<&Metric> = metrics
        .iter()
        .filter(|metric| metric.verdict == Judgement::Diverged)
        .collect();
    if let Some(data) = find("data").filter(|data| data.verdict == Judgement::Diverged) {
        return (
            Overall::Diverged,
            format!(
                "The data differ (digest {} in the claim, {} here), so the results cannot agree. {}",
                data.claimed_text, data.found_text, data.reason
            ),
        );
    }
    if !differing.is_empty() {
        let labels: Vec<String> = differing
            .iter()
            .map(|metric| {
                format!(
                    "{} ({} claimed, {} found)",
                    metric.label.to_lowercase(),
                    metric.claimed_text,
                    metric.found_text
                )
            })
            .collect();
        let why = if judge.same_bits {
            "Weights and answers are the same bit by bit, so the claim contradicts itself"
        } else if judge.exact {
            "Both ran under one arithmetic, which gives the same bits everywhere"
        } else {
            "The difference is larger than the claim's tolerance"
        };
        return (
            Overall::Diverged,
            format!("What differs: {}. {why}.", cut(&labels.join(", "), 400)),
        );
    }
    if judge.exact {
        let rows = judge.claim.results.accuracy.total;
        return (
            Overall::Reproduced,
            format!(
                "Weights and all {} answers are the same, bit for bit, under arithmetic {}.",
                count(rows.into()),
                judge.claim.arithmetic
            ),
        );
    }
    if judge.by_chance {
        return (
            Overall::Reproduced,
            format!(
                "Weights and all {} answers are the same, bit for bit, although a GPU promises no such thing.",
                count(judge.claim.results.accuracy.total.into())
            ),
        );
    }
    let mut reason = judge.why_not_exact();
    if let Some(first) = reason.get(..1) {
        reason = format!("{}{}", first.to_uppercase(), &reason[1..]);
    }
    (
        Overall::WithinTolerance,
        format!(
            "{reason}, so equal bits cannot be expected and this is not called reproduced. {}",
            find("accuracy").map_or("", |accuracy| &accuracy.reason)
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runlog::record;

    fn sample() -> Record {
        record::read(crate::runlog::SAMPLE).expect("reads").0
    }

    fn claim() -> Claim {
        Claim::from_record(&sample(), "").expect("complete")
    }

    fn metric(verdict: &Verdict, name: &str) -> Metric {
        verdict
            .metrics
            .iter()
            .find(|metric| metric.name == name)
            .unwrap_or_else(|| panic!("no {name}"))
            .clone()
    }

    /// The sample as a GPU might have run it, bit for bit the same.
    fn on_gpu(agrees: bool) -> Record {
        let mut record = sample();
        record.environment.engine = "gpu".into();
        record.environment.arithmetic = "gpu-1".into();
        record.results.agreement = Some(crate::result::Agreement {
            agrees,
            reason: "test rows: off".into(),
            probes: Vec::new(),
            cpu_accuracy: None,
            flips: Vec::new(),
        });
        record
    }

    #[test]
    fn a_gpu_reproduces_only_where_its_bits_happen_to_be_equal() {
        let claim = Claim::from_record(&on_gpu(true), "").expect("complete");
        assert_eq!(judge(&claim, &on_gpu(true)).overall, Overall::Reproduced);
        let mut other = on_gpu(true);
        other.digests.weights = "2".repeat(64);
        assert_eq!(judge(&claim, &other).overall, Overall::WithinTolerance);
        assert_eq!(judge(&claim, &sample()).overall, Overall::WithinTolerance);
        other.environment.engine = "mixed".into();
        assert_eq!(judge(&claim, &other).overall, Overall::WithinTolerance);
    }

    #[test]
    fn an_engine_that_disagrees_neither_claims_nor_judges() {
        let claim = Claim::from_record(&sample(), "").expect("complete");
        let verdict = judge(&claim, &on_gpu(false));
        assert_eq!(verdict.overall, Overall::CannotBeJudged);
        assert!(verdict.reason.contains("on the CPU"), "{}", verdict.reason);
        let error = Claim::from_record(&on_gpu(false), "").expect_err("refused");
        assert!(
            error.to_string().contains("disagrees with the CPU"),
            "{error}"
        );
    }

    /// The sample as another arithmetic version might have run it, with so many right answers fewer.
    fn elsewhere(fewer: u32) -> Record {
        let mut record = sample();
        record.environment.arithmetic = "native-1".into();
        record.environment.browser = "native".into();
        record.environment.browser_version = String::new();
        record.digests.weights = "1".repeat(64);
        record.digests.stored = "1".repeat(64);
        let answers = record.predictions.as_mut().expect("there");
        let right: Vec<usize> = (0..answers.rows.len())
            .filter(|row| answers.labels[*row] == answers.predicted[*row])
            .take(fewer as usize)
            .collect();
        for row in right {
            answers.predicted[row] = (answers.predicted[row] + 1) % 10;
        }
        let accuracy = record.results.accuracy.as_mut().expect("there");
        accuracy.correct -= fewer;
        record.results.test_loss = record.results.test_loss.map(|loss| loss * 1.02);
        record
    }

    #[test]
    fn the_same_bits_are_reproduced() {
        let verdict = judge(&claim(), &sample());
        assert_eq!(verdict.overall, Overall::Reproduced, "{}", verdict.reason);
        assert!(verdict.reason.contains("all 360 answers"));
        for metric in &verdict.metrics {
            let expected = if metric.name.starts_with("latency") {
                Judgement::Compared
            } else {
                Judgement::Reproduced
            };
            assert_eq!(metric.verdict, expected, "{metric:?}");
            assert!(!metric.reason.is_empty() && !metric.tolerance.is_empty());
        }
    }

    #[test]
    fn an_altered_record_proves_nothing() {
        let (text, sample) = (claim().text().to_owned(), crate::runlog::SAMPLE);
        let verdict = judge_texts(&text, sample).expect("both read");
        assert_eq!(verdict.overall, Overall::Reproduced);
        let altered = sample.replace("\"correct\":353", "\"correct\":354");
        let verdict = judge_texts(&text, &altered).expect("both read");
        assert_eq!(verdict.overall, Overall::CannotBeJudged);
        assert!(judge_texts(&text, "{}").is_err());
        assert!(judge_texts("{}", sample).is_err());
    }

    #[test]
    fn one_flipped_answer_is_not_reproduced() {
        let mut record = sample();
        record.predictions.as_mut().expect("there").predicted[17] ^= 1;
        // The record's own digest still says that nothing happened.
        let verdict = judge(&claim(), &record);
        assert_eq!(verdict.overall, Overall::Diverged);
        assert_eq!(metric(&verdict, "predictions").verdict, Judgement::Diverged);
        assert!(verdict.reason.contains("answers"), "{}", verdict.reason);
    }

    #[test]
    fn each_broken_piece_alone_is_not_reproduced() {
        type Break = fn(&mut Record);
        let breaks: [(&str, Break); 8] = [
            ("weights", |record| record.digests.weights = "0".repeat(64)),
            ("stored", |record| record.digests.stored = "0".repeat(64)),
            ("data", |record| record.digests.data = "0".repeat(64)),
            ("kept_epoch", |record| {
                record.results.training.as_mut().expect("there").kept_epoch -= 1;
            }),
            ("accuracy", |record| {
                record.results.accuracy.as_mut().expect("there").correct -= 30;
            }),
            ("test_loss", |record| {
                record.results.test_loss = record.results.test_loss.map(|loss| loss * 3.0);
            }),
            ("weight_bytes", |record| {
                record.results.cost.as_mut().expect("there").weight_bytes += 1;
            }),
            ("macs", |record| {
                record.results.cost.as_mut().expect("there").macs += 1;
            }),
        ];
        for (name, broken) in breaks {
            let mut record = sample();
            broken(&mut record);
            let verdict = judge(&claim(), &record);
            assert_eq!(verdict.overall, Overall::Diverged, "{name}");
            assert_eq!(metric(&verdict, name).verdict, Judgement::Diverged);
        }
    }

    #[test]
    fn equal_bits_with_other_counts_convict_the_claim() {
        let mut claim = claim();
        claim.results.accuracy.correct += 5;
        let verdict = judge(&claim, &sample());
        assert_ne!(verdict.overall, Overall::Reproduced);
        assert_eq!(metric(&verdict, "accuracy").verdict, Judgement::Diverged);
        assert!(
            verdict.reason.contains("contradicts itself"),
            "{}",
            verdict.reason
        );
    }

    #[test]
    fn another_arithmetic_is_never_reproduced() {
        let verdict = judge(&claim(), &elsewhere(2));
        assert_eq!(verdict.overall, Overall::WithinTolerance);
        assert!(verdict.reason.contains("wasm-1"), "{}", verdict.reason);
        assert!(verdict.reason.contains("native-1"), "{}", verdict.reason);
        let accuracy = metric(&verdict, "accuracy");
        assert_eq!(accuracy.verdict, Judgement::WithinTolerance);
        assert_eq!(accuracy.found_text, "97.5 % (351 of 360)");
        assert!(accuracy.reason.contains("96.0 % to 99.1 %"), "{accuracy:?}");
        assert_eq!(metric(&verdict, "weights").verdict, Judgement::Compared);
        // A claim of the first CPU engine, judged by the present one.
        let mut old = claim();
        old.arithmetic = "cpu-1".into();
        let mut now = sample();
        now.environment.arithmetic = "cpu-2".into();
        let verdict = judge(&old, &now);
        assert_eq!(verdict.overall, Overall::WithinTolerance);
        assert!(
            verdict.reason.contains("cpu-1") && verdict.reason.contains("cpu-2"),
            "{}",
            verdict.reason
        );
        // Not even where every bit happens to agree.
        let mut twin = sample();
        twin.environment.arithmetic = "wasm-2".into();
        let verdict = judge(&claim(), &twin);
        assert_eq!(verdict.overall, Overall::WithinTolerance);
        assert!(
            metric(&verdict, "weights")
                .reason
                .starts_with("The same bits, although")
        );
    }

    #[test]
    fn another_arithmetic_diverges_outside_the_tolerance() {
        // The interval ends at 0.9604, 345.7 of 360.
        assert_eq!(
            judge(&claim(), &elsewhere(7)).overall,
            Overall::WithinTolerance
        );
        let verdict = judge(&claim(), &elsewhere(8));
        assert_eq!(verdict.overall, Overall::Diverged);
        assert!(verdict.reason.contains("accuracy"), "{}", verdict.reason);
        let mut record = elsewhere(0);
        record.results.test_loss = Some(f64::NAN);
        assert_eq!(judge(&claim(), &record).overall, Overall::Diverged);
    }

    #[test]
    fn the_gpu_is_judged_by_tolerance() {
        let mut record = sample();
        record.environment.engine = "gpu".into();
        let verdict = judge(&claim(), &record);
        assert_eq!(verdict.overall, Overall::WithinTolerance);
        assert!(
            verdict.reason.contains("only the CPU engine")
                || verdict.reason.contains("Only the CPU engine")
        );
    }

    #[test]
    fn a_slow_device_is_no_failure() {
        let mut record = sample();
        let latency = record.results.latency.as_mut().expect("there");
        for time in [
            &mut latency.p50_millis,
            &mut latency.p50_low_millis,
            &mut latency.p50_high_millis,
        ] {
            *time *= 40.0;
        }
        latency.flags.push("page hidden".into());
        record.environment.browser = "Firefox".into();
        let verdict = judge(&claim(), &record);
        assert_eq!(verdict.overall, Overall::Reproduced);
        let metric = metric(&verdict, "latency_1");
        assert_eq!(metric.verdict, Judgement::Compared);
        for word in ["40.0 times as long", "Firefox", "Chromium", "page hidden"] {
            assert!(metric.reason.contains(word), "{word}: {}", metric.reason);
        }
    }

    #[test]
    fn unfinished_runs_and_other_recipes_say_nothing() {
        for status in [Status::Stopped, Status::Interrupted] {
            let record = Record { status, ..sample() };
            let verdict = judge(&claim(), &record);
            assert_eq!(verdict.overall, Overall::CannotBeJudged);
            assert!(verdict.reason.contains("to get a verdict"));
        }
        let mut record = sample();
        record.recipe.training.epochs = 10;
        let verdict = judge(&claim(), &record);
        assert_eq!(verdict.overall, Overall::CannotBeJudged);
        assert!(
            verdict.reason.contains("training.epochs 10, not 12"),
            "{}",
            verdict.reason
        );
        let mut record = sample();
        record.status = Status::NonFinite;
        record
            .results
            .training
            .as_mut()
            .expect("there")
            .non_finite_step = Some(1234);
        let verdict = judge(&claim(), &record);
        assert_eq!(verdict.overall, Overall::Diverged);
        assert!(verdict.reason.contains("step 1,234"), "{}", verdict.reason);
    }
}
