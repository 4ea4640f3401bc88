//! How often a model is right, and where it is wrong.

use serde::{Deserialize, Serialize};

/// A share of right answers with its Wilson score interval; see [`crate::stats::wilson`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Accuracy {
    /// Rows answered rightly.
    pub correct: u32,
    /// Rows asked.
    pub total: u32,
    /// Lower end of the interval, in 0..=1.
    pub low: f64,
    /// Upper end of the interval, in 0..=1.
    pub high: f64,
    /// Confidence of the interval.
    pub confidence: f64,
}

crate::section::section!(Accuracy: { correct, total, low, high, confidence } {  });

impl Accuracy {
    /// `correct / total`, or 0 of no rows.
    #[must_use]
    pub fn value(&self) -> f64 {
        if self.total == 0 {
            0.0
        } else {
            f64::from(self.correct) / f64::from(self.total)
        }
    }
}

/// One class of the test rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassResult {
    /// Name of the class.
    pub class: String,
    /// Rows of the class that were answered rightly, with their interval.
    pub recall: Accuracy,
    /// Rows that were answered with this class, rightly or not.
    pub predicted: u32,
}

crate::section::section!(ClassResult: { class, recall, predicted } {  });
/// One named slice of a set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Slice {
    /// Its name.
    pub slice: String,
    /// Its rows that were not dropped, whatever their part.
    pub rows: u32,
    /// Its test rows that were answered rightly, with their interval.
    pub accuracy: Accuracy,
}

/// Counts of answers by true class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// Names of the classes.
    pub classes: Vec<String>,
    /// `classes × classes` counts, row by true class, column by predicted class.
    pub counts: Vec<u32>,
}

crate::section::section!(Confusion: { classes, counts } {  });

/// The answers, row by row: what paired tests and the digest of predictions are made from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Predictions {
    /// Rows of the data set, in the order in which they were asked.
    pub rows: Vec<u32>,
    /// Right answers, as class indices.
    pub labels: Vec<u16>,
    /// Given answers, as class indices: the largest logit, the first of equals.
    pub predicted: Vec<u16>,
    /// Probability (softmax) of the given answer, rounded to 4 decimals for reading; not part of the digest.
    pub confidence: Vec<f64>,
}

crate::section::section!(Predictions: { rows, labels, predicted, confidence } {  });

/// Two models' answers on the same rows, and what McNemar's exact test says of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Paired {
    /// Rows that both were asked.
    pub rows: u32,
    /// Right in the first only.
    pub only_first: u32,
    /// Right in the second only.
    pub only_second: u32,
    /// Rows with different answers, right or wrong.
    pub disagreements: Vec<u32>,
    /// Two-sided exact probability of so uneven a split of the discordant rows by chance.
    pub p_value: f64,
    /// `better`, `worse` (the second against the first) or `can't tell`.
    pub verdict: String,
    /// The reason, in words.
    pub reason: String,
}
