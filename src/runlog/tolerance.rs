//! How far a re-run's figures may lie from a claim's, with the derivation; it judges nothing.
//!
//! Accuracy: the Wilson interval that the claim carries. Test loss: derived here. Both answer one question: how exactly
//! do so many test rows determine the figure at all? A re-run that differs by less differs by nothing that the test
//! rows could show. `docs/numerics.md`, "Tolerances of a verdict".

use super::words::rounded;
use crate::result::Predictions;
use crate::stats::normal_quantile;

/// The smallest relative tolerance of a test loss: covers that confidences are kept with four decimals.
const LOWEST: f64 = 0.01;
/// The largest: a re-run with twice the loss is never within tolerance.
const HIGHEST: f64 = 1.0;

/// Relative tolerance of a mean test loss: the half-width of its normal interval at `confidence`, divided by the mean.
///
/// `z · s / (√n · mean)`, where `s` is the standard deviation of the rows' losses. A record has no losses row by row,
/// but it has the probability `c` of each given answer: a right answer's loss is `−ln c`, and what these leave of the
/// total belongs to the wrong answers, in equal parts. Equal parts make `s` the smallest that the record allows, so the
/// tolerance is never wider than the rows justify. Rounded to two digits, and kept in 0.01..=1.
///
/// `None` without rows, or where the loss is no positive number.
#[must_use]
pub fn loss_tolerance(test_loss: f64, predictions: &Predictions, confidence: f64) -> Option<f64> {
    let rows = predictions.rows.len().min(predictions.confidence.len());
    if rows == 0 || !test_loss.is_finite() || test_loss <= 0.0 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "far fewer rows than 2^53")]
    let n = rows as f64;
    let (mut of_right, mut squares, mut wrong) = (0.0, 0.0, 0.0);
    for ((label, predicted), confidence) in predictions
        .labels
        .iter()
        .zip(&predictions.predicted)
        .zip(&predictions.confidence)
    {
        if label == predicted {
            let loss = -libm::log(confidence.clamp(1e-4, 1.0));
            of_right += loss;
            squares += (loss - test_loss) * (loss - test_loss);
        } else {
            wrong += 1.0;
        }
    }
    if wrong > 0.0 {
        let each = (test_loss * n - of_right).max(0.0) / wrong;
        squares += wrong * (each - test_loss) * (each - test_loss);
    }
    let deviation = libm::sqrt(squares / (n - 1.0).max(1.0));
    let z = normal_quantile(0.5 + confidence.clamp(0.0, 0.999) / 2.0);
    let relative = z * deviation / (libm::sqrt(n) * test_loss);
    Some(rounded(relative.clamp(LOWEST, HIGHEST), 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(right: &[f64], wrong: usize) -> Predictions {
        let n = right.len() + wrong;
        Predictions {
            rows: (0..u32::try_from(n).expect("few")).collect(),
            labels: vec![0; n],
            predicted: (0..n).map(|row| u16::from(row >= right.len())).collect(),
            confidence: right
                .iter()
                .copied()
                .chain(std::iter::repeat_n(0.6, wrong))
                .collect(),
        }
    }

    #[test]
    fn agrees_with_the_formula_worked_by_hand() {
        // 98 rows with loss ln 2 / 10 and 2 rows with loss 3: mean 0.127928, s = 0.412503.
        let share = (-std::f64::consts::LN_2 / 10.0).exp();
        let mean = (98.0 * std::f64::consts::LN_2 / 10.0 + 6.0) / 100.0;
        let tolerance = loss_tolerance(mean, &answers(&[share; 98], 2), 0.95);
        // 1.959964 · 0.412503 / (10 · 0.127928) = 0.632
        assert_eq!(tolerance, Some(0.63));
    }

    #[test]
    fn stays_within_its_ends_and_needs_rows() {
        assert_eq!(
            loss_tolerance(0.1, &answers(&[0.9048; 1000], 0), 0.95),
            Some(0.01)
        );
        assert_eq!(
            loss_tolerance(3.0, &answers(&[1.0, 0.9], 1), 0.95),
            Some(1.0)
        );
        assert_eq!(loss_tolerance(0.1, &answers(&[], 0), 0.95), None);
        assert_eq!(loss_tolerance(f64::NAN, &answers(&[0.9], 0), 0.95), None);
        assert!(loss_tolerance(0.1, &answers(&[f64::NAN, 0.0], 1), f64::NAN).is_some());
    }
}
