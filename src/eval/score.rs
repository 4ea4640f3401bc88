//! From logits to answers, accuracy, loss and confusion; it neither runs the model nor judges the result.

pub use crate::digest::predictions_digest;
use crate::error::{Error, Result};
use crate::result::{Accuracy, ClassResult, Confusion, Predictions};
use crate::stats::wilson;

/// What a model's logits on some labelled rows amount to.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// Share of rows answered rightly.
    pub accuracy: Accuracy,
    /// Mean cross-entropy, nats. NaN where a logit is NaN or +∞, infinite where a right answer's logit is −∞: check
    /// [`f64::is_finite`] before it goes into a record.
    pub loss: f64,
    /// Counts by true and answered class.
    pub confusion: Confusion,
    /// Recall of each class.
    pub classes: Vec<ClassResult>,
    /// The answers, row by row.
    pub predictions: Predictions,
    /// See [`predictions_digest`].
    pub predictions_digest: String,
}

/// Scores `logits`, of shape `rows × classes`, against `labels`, one for each of `rows` and in their order; `rows` are
/// numbers of the data set and only go through to the predictions. Intervals have the given `confidence`, in 0..1.
///
/// An answer is the class with the largest logit, the first of equals; NaN never wins unless all are NaN, then the
/// first class does. The loss is summed in f64 in the order of the rows.
///
/// # Errors
/// [`Error::BadInput`] without rows, without classes, where the lengths do not fit each other, or where a label is no
/// class.
pub fn score(
    logits: &[f32],
    rows: &[u32],
    labels: &[u16],
    classes: &[String],
    confidence: f64,
) -> Result<Scored> {
    check(logits, rows, labels, classes.len())?;
    let width = classes.len();
    let mut counts = vec![0u32; width * width];
    let mut loss = 0.0;
    let mut predicted = Vec::with_capacity(rows.len());
    let mut confidences = Vec::with_capacity(rows.len());
    for (row, label) in logits.chunks_exact(width).zip(labels) {
        let label = usize::from(*label);
        let answer = argmax(row);
        let log_sum = log_sum_exp(row);
        loss += log_sum - f64::from(row[label]);
        confidences.push(rounded_share(libm::exp(f64::from(row[answer]) - log_sum)));
        counts[label * width + answer] += 1;
        predicted.push(answer as u16);
    }
    let share = |correct: u32, total: u32| {
        let (low, high) = wilson(correct, total, confidence);
        Accuracy {
            correct,
            total,
            low,
            high,
            confidence,
        }
    };
    let by_class = classes.iter().enumerate().map(|(class, name)| ClassResult {
        class: name.clone(),
        recall: share(
            counts[class * width + class],
            counts[class * width..(class + 1) * width].iter().sum(),
        ),
        predicted: counts[class..].iter().step_by(width).sum(),
    });
    let by_class: Vec<ClassResult> = by_class.collect();
    Ok(Scored {
        accuracy: share(
            by_class.iter().map(|class| class.recall.correct).sum(),
            rows.len() as u32,
        ),
        loss: loss / rows.len() as f64,
        classes: by_class,
        predictions_digest: predictions_digest(rows, &predicted),
        predictions: Predictions {
            rows: rows.to_vec(),
            labels: labels.to_vec(),
            predicted,
            confidence: confidences,
        },
        confusion: Confusion {
            classes: classes.to_vec(),
            counts,
        },
    })
}

fn check(logits: &[f32], rows: &[u32], labels: &[u16], classes: usize) -> Result<()> {
    if rows.is_empty() || u32::try_from(rows.len()).is_err() {
        return Err(Error::bad_input(
            "rows to score",
            "1 to 4,294,967,295",
            rows.len().to_string(),
        ));
    }
    if classes == 0 || classes > usize::from(u16::MAX) + 1 {
        return Err(Error::bad_input(
            "classes to score",
            "1 to 65,536",
            classes.to_string(),
        ));
    }
    if labels.len() != rows.len() {
        return Err(Error::bad_input(
            "labels to score",
            format!("{}, one for each row", rows.len()),
            labels.len().to_string(),
        ));
    }
    if Some(logits.len()) != rows.len().checked_mul(classes) {
        return Err(Error::bad_input(
            "logits to score",
            format!("{} rows of {classes}", rows.len()),
            format!("{} numbers", logits.len()),
        ));
    }
    if let Some(place) = labels
        .iter()
        .position(|label| usize::from(*label) >= classes)
    {
        return Err(Error::bad_input(
            format!("label of row {}", rows[place]),
            format!("a class below {classes}"),
            labels[place].to_string(),
        ));
    }
    Ok(())
}

/// Index of the largest number, the first of equals; NaN loses to every number; 0 of NaNs only.
#[must_use]
pub fn argmax(row: &[f32]) -> usize {
    let mut best: Option<usize> = None;
    for (class, logit) in row.iter().enumerate() {
        if !logit.is_nan() && best.is_none_or(|best| *logit > row[best]) {
            best = Some(class);
        }
    }
    best.unwrap_or(0)
}

/// Softmax of one row's logits: a share for each class, NaN where a logit is NaN.
#[must_use]
pub fn softmax(row: &[f32]) -> Vec<f32> {
    if row.is_empty() {
        return Vec::new();
    }
    let log_sum = log_sum_exp(row);
    let share = |logit: &f32| libm::exp(f64::from(*logit) - log_sum) as f32;
    row.iter().map(share).collect()
}

/// The logarithm of [`softmax`] of each row of `width` logits; NaN where a logit of the row is NaN or +∞.
#[must_use]
pub fn log_probabilities(logits: &[f32], width: usize) -> Vec<f32> {
    let mut found = Vec::with_capacity(logits.len());
    for row in logits.chunks_exact(width.max(1)) {
        let log_sum = log_sum_exp(row);
        found.extend(row.iter().map(|logit| (f64::from(*logit) - log_sum) as f32));
    }
    found
}

/// `ln Σ exp(row)`, shifted by the largest so that nothing overflows, summed in order.
pub(super) fn log_sum_exp(row: &[f32]) -> f64 {
    let largest = f64::from(row[argmax(row)]);
    let sum: f64 = row
        .iter()
        .map(|logit| libm::exp(f64::from(*logit) - largest))
        .sum();
    largest + libm::log(sum)
}

/// A share to 4 decimals; 0 where it is no number.
fn rounded_share(share: f64) -> f64 {
    if share.is_finite() {
        libm::round(share * 1e4) / 1e4
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_probabilities_are_those_of_softmax() {
        let logits = [1.0, -2.0, 0.5, 90.0, 0.0, -90.0];
        let found = log_probabilities(&logits, 3);
        for (row, logs) in logits.chunks(3).zip(found.chunks(3)) {
            for (share, log) in softmax(row).iter().zip(logs) {
                assert!((libm::expf(*log) - share).abs() < 1e-6, "{share} {log}");
            }
        }
        assert_eq!(found[5], -180.0);
        assert!(log_probabilities(&[f32::NAN, 1.0], 2)[1].is_nan());
        assert!(log_probabilities(&[], 13).is_empty());
    }

    fn names(count: u16) -> Vec<String> {
        (0..count).map(|class| class.to_string()).collect()
    }

    fn scored(logits: &[f32], labels: &[u16], classes: u16) -> Scored {
        let rows: Vec<u32> = (0..labels.len() as u32).collect();
        score(logits, &rows, labels, &names(classes), 0.95).expect("fitting lengths")
    }

    #[test]
    fn counts_answers_by_class() {
        let found = scored(
            &[2.0, 1.0, 0.0, 0.0, 3.0, 1.0, 0.0, 3.0, 1.0, 0.0, 0.0, 9.0],
            &[0, 1, 2, 2],
            3,
        );
        assert_eq!((found.accuracy.correct, found.accuracy.total), (3, 4));
        assert_eq!(
            (found.accuracy.low, found.accuracy.high),
            wilson(3, 4, 0.95)
        );
        assert_eq!(found.confusion.counts, [1, 0, 0, 0, 1, 0, 0, 1, 1]);
        assert_eq!(found.predictions.predicted, [0, 1, 1, 2]);
        let recalls: Vec<(u32, u32, u32)> = found
            .classes
            .iter()
            .map(|class| (class.recall.correct, class.recall.total, class.predicted))
            .collect();
        assert_eq!(recalls, [(1, 1, 1), (1, 1, 2), (1, 2, 1)]);
    }

    #[test]
    fn loss_is_mean_cross_entropy() {
        // ln(1 + e^-1), and ln 2.
        let found = scored(&[1.0, 0.0, 5.0, 5.0], &[0, 1], 2);
        let expected = f64::midpoint(0.313_261_687_518_222_8, std::f64::consts::LN_2);
        assert!((found.loss - expected).abs() < 1e-15, "{}", found.loss);
        assert_eq!(found.predictions.confidence, [0.7311, 0.5]);
        let broken = scored(&[1.0, 0.0, 5.0, 5.0 + 1e-5], &[0, 1], 2);
        assert!((broken.loss - expected).abs() > 1e-6);
    }

    #[test]
    fn large_logits_do_not_overflow() {
        let found = scored(&[1e30, 0.0, -1e30, 3e38], &[0, 0], 2);
        assert!(
            (found.loss / ((3e38 + 1e30) / 2.0) - 1.0).abs() < 1e-6,
            "{}",
            found.loss
        );
        assert_eq!(found.predictions.confidence, [1.0, 1.0]);
    }

    #[test]
    fn the_first_of_equals_wins_and_nan_loses() {
        const NAN: f32 = f32::NAN;
        let cases: [(&[f32], u16); 8] = [
            (&[1.0, 1.0, 1.0], 0),
            (&[0.0, 1.0, 1.0], 1),
            (&[NAN, -1.0, -1.0], 1),
            (&[0.0, NAN, 1.0], 2),
            (&[NAN, NAN, NAN], 0),
            (&[NAN, f32::NEG_INFINITY, NAN], 1),
            (&[-0.0, 0.0, NAN], 0),
            (&[1.0, f32::INFINITY, NAN], 1),
        ];
        for (logits, answer) in cases {
            let found = scored(logits, &[0], 3);
            assert_eq!(found.predictions.predicted, [answer], "{logits:?}");
            let confidence = found.predictions.confidence[0];
            assert!(
                (0.0..=1.0).contains(&confidence),
                "{logits:?}: {confidence}"
            );
        }
        assert!(scored(&[NAN, 1.0], &[1], 2).loss.is_nan());
        assert_eq!(
            scored(&[f32::NEG_INFINITY, 1.0], &[0], 2).loss,
            f64::INFINITY
        );
    }

    #[test]
    fn refuses_lengths_that_do_not_fit() {
        let three = names(3);
        type Case<'a> = (&'a str, &'a [f32], &'a [u32], &'a [u16], &'a [String]);
        let cases: [Case; 6] = [
            ("no rows", &[], &[], &[], &three),
            ("no classes", &[], &[1], &[0], &[]),
            ("a label too few", &[0.0; 6], &[1, 2], &[0], &three),
            ("a logit too few", &[0.0; 5], &[1, 2], &[0, 0], &three),
            ("a logit too many", &[0.0; 7], &[1, 2], &[0, 0], &three),
            ("a label beyond", &[0.0; 6], &[1, 2], &[0, 3], &three),
        ];
        for (name, logits, rows, labels, classes) in cases {
            let error = score(logits, rows, labels, classes, 0.95).expect_err(name);
            assert_eq!(error.kind(), "bad-input", "{name}");
        }
    }

    #[test]
    fn one_changed_answer_row_or_order_changes_the_digest_and_confidence_does_not() {
        let good = predictions_digest(&[3, 5, 8], &[1, 2, 0]);
        assert_ne!(good, predictions_digest(&[3, 5, 8], &[1, 2, 1]));
        assert_ne!(good, predictions_digest(&[3, 5, 9], &[1, 2, 0]));
        assert_ne!(good, predictions_digest(&[5, 3, 8], &[2, 1, 0]));
        let sure = scored(&[9.0, 0.0, 0.0, 9.0], &[0, 0], 2);
        let unsure = scored(&[0.1, 0.0, 0.0, 0.1], &[0, 0], 2);
        assert_eq!(sure.predictions_digest, unsure.predictions_digest);
        assert_eq!(
            sure.predictions_digest,
            predictions_digest(&[0, 1], &[0, 1])
        );
    }
}
