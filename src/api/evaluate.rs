//! How well a model answers labelled rows: from logits to counts, an interval, a loss and a digest; it trains nothing.

use super::core::Core;
use crate::digest::predictions_digest;
use crate::engine::loss;
use crate::error::{Error, Result};
use crate::stats::wilson;

/// What a model's answers to labelled rows amount to.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Rows answered.
    pub rows: u32,
    /// Rows whose largest logit, the first of equals, is the label's.
    pub correct: u32,
    /// Their share.
    pub accuracy: f64,
    /// Lower end of the Wilson interval of the share.
    pub low: f64,
    /// Upper end of it.
    pub high: f64,
    /// Confidence of the interval.
    pub confidence: f64,
    /// Mean cross-entropy, nats; NaN or infinite where a logit is.
    pub loss: f64,
    /// SHA-256 of row numbers, counted from 0, and answered classes; see [`crate::digest::predictions_digest`].
    pub predictions_digest: String,
}

impl Core {
    /// See [`super::Model::evaluate`].
    pub(super) async fn evaluate(
        &mut self,
        input: &[f32],
        labels: &[u16],
        confidence: f64,
    ) -> Result<Evaluation> {
        self.check_input(input, labels.len() as u64, "labels")?;
        check_labels(labels, self.classes)?;
        let logits = self.predict(input, labels.len() as u32).await?;
        score(&logits, labels, self.classes, confidence)
    }
}

/// Scores logits, `labels.len() × classes` of them, row by row. The loss is summed in f64 in the order of the rows, so
/// logits that were computed in parts and put together again score as those of one call.
///
/// # Errors
/// [`Error::BadInput`] without rows or classes, where the lengths do not fit each other, for a label that is no class, and
/// for a confidence outside 0.5..=0.999.
pub fn score(logits: &[f32], labels: &[u16], classes: u32, confidence: f64) -> Result<Evaluation> {
    if !(0.5..=0.999).contains(&confidence) {
        let got = confidence.to_string();
        return Err(Error::bad_input("confidence", "0.5 to 0.999", got));
    }
    let rows = u32::try_from(labels.len()).unwrap_or(0);
    if rows == 0 || classes == 0 {
        let got = format!("{} rows of {classes} classes", labels.len());
        return Err(Error::bad_input("what to score", "at least one row", got));
    }
    if logits.len() as u64 != u64::from(rows) * u64::from(classes) {
        return Err(Error::bad_input(
            "the length of logits",
            format!("{rows} rows of {classes} classes"),
            format!("{} numbers", logits.len()),
        ));
    }
    check_labels(labels, classes)?;
    let width = classes as usize;
    let found = loss::cross_entropy(logits, labels, width);
    let answers: Vec<u16> = logits
        .chunks_exact(width)
        .map(|row| loss::argmax(row) as u16)
        .collect();
    let numbers: Vec<u32> = (0..rows).collect();
    let (low, high) = wilson(found.correct, rows, confidence);
    Ok(Evaluation {
        rows,
        correct: found.correct,
        accuracy: f64::from(found.correct) / f64::from(rows),
        low,
        high,
        confidence,
        loss: found.sum / f64::from(rows),
        predictions_digest: predictions_digest(&numbers, &answers),
    })
}

/// Whether every label is a class.
pub(super) fn check_labels(labels: &[u16], classes: u32) -> Result<()> {
    match (labels.iter()).position(|&label| u32::from(label) >= classes) {
        None => Ok(()),
        Some(row) => Err(Error::bad_input(
            format!("the label of row {row}"),
            format!("a class below {classes}"),
            labels[row].to_string(),
        )),
    }
}
