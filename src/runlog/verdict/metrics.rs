//! The metrics of a verdict, one function each; none looks at another's answer.

use super::super::claim::Claim;
use super::super::claimed_reading::ClaimedReading;
use super::super::record::Record;
use super::super::words::{bytes, count, percent, rounded, short_digest, significant};
use super::{Judgement, Metric};
use crate::digest::predictions_digest;
use crate::result::Accuracy;

const SAME_BITS: &str =
    "The same weights and answers cannot score differently, so the claim contradicts itself.";

/// A claim beside a finished run.
pub(super) struct Judge<'a> {
    pub(super) claim: &'a Claim,
    pub(super) record: &'a Record,
    /// Whether equal bits are to be expected: the CPU engine under one arithmetic version on both sides.
    pub(super) exact: bool,
    /// Whether a GPU happened to give the claim's weights and answers, bit for bit: nobody promised that.
    pub(super) by_chance: bool,
    /// Digest of the run's answers.
    answers: String,
    /// Whether, where equal bits are to be expected, weights and answers have them.
    pub(super) same_bits: bool,
}

impl<'a> Judge<'a> {
    pub(super) fn new(claim: &'a Claim, record: &'a Record) -> Self {
        let exact = claim.engine == "cpu"
            && record.environment.engine == "cpu"
            && !claim.arithmetic.is_empty()
            && claim.arithmetic == record.environment.arithmetic;
        // The answers themselves where they are there: a digest beside them could say anything.
        let answers = record.predictions.as_ref().map_or_else(
            || record.digests.predictions.clone(),
            |answers| predictions_digest(&answers.rows, &answers.predicted),
        );
        let equal =
            claim.digests.weights == record.digests.weights && claim.digests.predictions == answers;
        let same_bits = exact && equal;
        let by_chance = equal && claim.engine == "gpu" && record.environment.engine == "gpu";
        Self {
            claim,
            record,
            exact,
            by_chance,
            answers,
            same_bits,
        }
    }

    pub(super) fn metrics(&self) -> Vec<Metric> {
        let found = self.record.results.accuracy;
        let claimed = &self.claim.results.accuracy;
        let mut metrics =
            vec![self.accuracy(("accuracy", "Accuracy", "test rows"), claimed, found)];
        metrics.extend(self.test_loss());
        metrics.extend(self.sizes());
        metrics.push(self.kept_epoch());
        metrics.extend(self.digests());
        metrics.extend(self.reading());
        metrics.extend(self.latencies());
        metrics
    }

    fn equal(&self) -> Judgement {
        if self.exact {
            Judgement::Reproduced
        } else {
            Judgement::WithinTolerance
        }
    }

    /// Why equal bits are not to be expected.
    pub(super) fn why_not_exact(&self) -> String {
        let (claimed, found) = (&self.claim.engine, &self.record.environment.engine);
        if claimed == "cpu" && found == "cpu" {
            format!(
                "the arithmetic differs ({} in the claim, {} here), and different versions round differently",
                known(&self.claim.arithmetic),
                known(&self.record.environment.arithmetic)
            )
        } else {
            format!(
                "only the CPU engine is exact (the claim used {}, this run {})",
                known(claimed),
                known(found)
            )
        }
    }

    /// A share of right answers by its names for programs and people; the last word says of what.
    fn accuracy(
        &self,
        (name, label, of): (&str, &str, &str),
        claimed: &Accuracy,
        found: Option<Accuracy>,
    ) -> Metric {
        let found = found.unwrap_or(Accuracy {
            correct: 0,
            total: 0,
            ..*claimed
        });
        let value = found.value();
        let interval = format!("{} to {}", percent(claimed.low), percent(claimed.high));
        let why = format!(
            "{} {of} determine an accuracy no more exactly than that ({} % Wilson interval)",
            count(claimed.total.into()),
            significant(claimed.confidence * 100.0, 3)
        );
        let (verdict, reason) = if found.total != claimed.total {
            (
                Judgement::Diverged,
                format!(
                    "Scored on {} {} here and on {} in the claim.",
                    count(found.total.into()),
                    of.trim_start_matches("test "),
                    count(claimed.total.into())
                ),
            )
        } else if found.correct == claimed.correct {
            (self.equal(), "The same number of right answers.".into())
        } else if self.same_bits {
            (Judgement::Diverged, SAME_BITS.into())
        } else if (claimed.low..=claimed.high).contains(&value) {
            (
                Judgement::WithinTolerance,
                format!(
                    "{} lies in the claim's interval, {interval}; {why}.",
                    percent(value)
                ),
            )
        } else {
            (
                Judgement::Diverged,
                format!(
                    "{} lies outside the claim's interval, {interval}; {why}.",
                    percent(value)
                ),
            )
        };
        let text = |accuracy: &Accuracy| {
            format!(
                "{} ({} of {})",
                percent(accuracy.value()),
                accuracy.correct,
                accuracy.total
            )
        };
        Metric {
            name: name.into(),
            label: label.into(),
            unit: "%".into(),
            claimed: Some(rounded(claimed.value() * 100.0, 9)),
            found: Some(rounded(value * 100.0, 9)),
            claimed_text: text(claimed),
            found_text: text(&found),
            verdict,
            tolerance: interval,
            reason,
        }
    }

    /// Boards that were read by a rule, where the claim says something of them.
    fn reading(&self) -> Vec<Metric> {
        let Some(claimed) = &self.claim.results.reading else {
            return Vec::new();
        };
        let section = self.record.results.reading.as_ref();
        let found = section.and_then(|it| ClaimedReading::of(it, self.record.predictions.as_ref()));
        let units = ["squares", "boards", "games"];
        let mut metrics: Vec<Metric> = (claimed.shares().into_iter().enumerate())
            .map(|(place, (name, label, share))| {
                let there = found.as_ref().map(|it| *it.shares()[place].2);
                self.accuracy((name, label, units[place]), share, there)
            })
            .collect();
        let found = found.map(|it| it.digest).unwrap_or_default();
        metrics.push(self.digest(("positions", "Positions read"), &claimed.digest, &found));
        metrics
    }

    fn test_loss(&self) -> Option<Metric> {
        let claimed = self.claim.results.test_loss?;
        let found = self
            .record
            .results
            .test_loss
            .filter(|loss| loss.is_finite());
        let tolerance = self.claim.tolerances.test_loss;
        let (verdict, reason) = match (found, tolerance) {
            (None, _) => (
                Judgement::Diverged,
                "The test loss is no number here.".into(),
            ),
            (Some(found), _) if rounded(found, 6) == claimed => {
                (self.equal(), "The same to six digits.".into())
            }
            (Some(_), _) if self.same_bits => (Judgement::Diverged, SAME_BITS.into()),
            (Some(_), None) => (
                Judgement::Compared,
                "The claim carries no tolerance for it.".into(),
            ),
            (Some(found), Some(relative)) => {
                let difference = if claimed > 0.0 {
                    (found - claimed) / claimed
                } else {
                    f64::INFINITY
                };
                let why = "the rows' losses vary so much that the mean of these rows is known no more exactly";
                let words = format!(
                    "{} % {} than claimed",
                    significant(difference.abs() * 100.0, 2),
                    if difference < 0.0 { "lower" } else { "higher" }
                );
                if difference.abs() <= relative {
                    (Judgement::WithinTolerance, format!("{words}; {why}."))
                } else {
                    (
                        Judgement::Diverged,
                        format!("{words}, which is more than the rows' own spread explains."),
                    )
                }
            }
        };
        Some(Metric {
            name: "test_loss".into(),
            label: "Test loss".into(),
            unit: "nats".into(),
            claimed: Some(claimed),
            found,
            claimed_text: significant(claimed, 4),
            found_text: found.map_or("no number".into(), |loss| significant(loss, 4)),
            verdict,
            tolerance: tolerance.map_or("none".into(), |relative| {
                format!("± {} %", significant(relative * 100.0, 2))
            }),
            reason,
        })
    }

    fn sizes(&self) -> Vec<Metric> {
        let claimed = &self.claim.results;
        let Some(found) = &self.record.results.cost else {
            return Vec::new();
        };
        [
            ("weight_bytes", "Size", "B", claimed.weight_bytes, found.weight_bytes),
            ("parameters", "Parameters", "", claimed.parameters, found.parameters),
            ("macs", "MACs", "", claimed.macs, found.macs),
        ]
        .into_iter()
        .map(|(name, label, unit, claimed, found)| {
            let text = |value| if unit == "B" { bytes(value) } else { count(value) };
            let equal = claimed == found;
            Metric {
                name: name.into(),
                label: label.into(),
                unit: unit.into(),
                claimed: Some(as_number(claimed)),
                found: Some(as_number(found)),
                claimed_text: text(claimed),
                found_text: text(found),
                verdict: if equal { Judgement::Reproduced } else { Judgement::Diverged },
                tolerance: "equal".into(),
                reason: if equal {
                    "Counted from the recipe, not measured, and the same.".into()
                } else {
                    "Counted from the recipe, so equal recipes have equal counts; one of the two is wrong, or was made by an Assay that builds this architecture in another way.".into()
                },
            }
        })
        .collect()
    }

    fn kept_epoch(&self) -> Metric {
        let claimed = self.claim.results.kept_epoch;
        let found = self
            .record
            .results
            .training
            .as_ref()
            .map_or(0, |training| training.kept_epoch);
        let (verdict, reason) = if claimed == found {
            (self.equal(), "The same epoch.".into())
        } else if self.exact {
            (
                Judgement::Diverged,
                format!(
                    "Under one arithmetic ({}) the same epoch is kept.",
                    self.claim.arithmetic
                ),
            )
        } else {
            (
                Judgement::Compared,
                format!(
                    "Which epoch is best can change with the last digits, and {}.",
                    self.why_not_exact()
                ),
            )
        };
        Metric {
            name: "kept_epoch".into(),
            label: "Kept epoch".into(),
            unit: String::new(),
            claimed: Some(claimed.into()),
            found: Some(found.into()),
            claimed_text: claimed.to_string(),
            found_text: found.to_string(),
            verdict,
            tolerance: if self.exact { "equal" } else { "none" }.into(),
            reason,
        }
    }

    fn digests(&self) -> Vec<Metric> {
        let (claimed, found) = (&self.claim.digests, &self.record.digests);
        let mut metrics = Vec::new();
        for (name, label, claimed, found) in [
            ("data", "Data", &claimed.data, &found.data),
            ("weights", "Weights", &claimed.weights, &found.weights),
            ("stored", "Stored weights", &claimed.stored, &found.stored),
            (
                "predictions",
                "Answers",
                &claimed.predictions,
                &self.answers,
            ),
        ] {
            if name == "stored" && claimed.is_empty() {
                continue;
            }
            metrics.push(self.digest((name, label), claimed, found));
        }
        metrics
    }

    /// A digest, which has to be equal where equal bits are to be expected; that of the data always.
    fn digest(&self, (name, label): (&str, &str), claimed: &str, found: &str) -> Metric {
        let must = name == "data" || self.exact;
        let (verdict, reason) = match (claimed == found, must) {
            (true, true) => (Judgement::Reproduced, "The same bits.".into()),
            (true, false) => (
                Judgement::WithinTolerance,
                format!("The same bits, although {}.", self.why_not_exact()),
            ),
            (false, false) => (
                Judgement::Compared,
                format!("Different bits are expected: {}.", self.why_not_exact()),
            ),
            (false, true) if name == "data" => (
                Judgement::Diverged,
                "The data set has other pixels or labels under the same name.".into(),
            ),
            (false, true) => (
                Judgement::Diverged,
                format!(
                    "One arithmetic ({}) gives the same bits everywhere; these differ.",
                    self.claim.arithmetic
                ),
            ),
        };
        Metric {
            name: name.into(),
            label: label.into(),
            unit: String::new(),
            claimed: None,
            found: None,
            claimed_text: short_digest(claimed),
            found_text: short_digest(found),
            verdict,
            tolerance: if must { "equal" } else { "none" }.into(),
            reason,
        }
    }
}

fn known(word: &str) -> &str {
    if word.is_empty() { "unknown" } else { word }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a model that fits a link are far below 2^53"
)]
const fn as_number(count: u64) -> f64 {
    count as f64
}
