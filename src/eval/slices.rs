//! How often a model is right on each slice of a set; it looks at answers that were given and asks for none.

use crate::data::Edited;
use crate::result::{Accuracy, Predictions, Slice};
use crate::stats::wilson;

/// Each slice in its order, with an interval of this `confidence`, in 0..1. A slice without a test row has an accuracy of
/// 0 of 0.
#[must_use]
pub fn slices(edited: &Edited, answers: &Predictions, confidence: f64) -> Vec<Slice> {
    let of = |(name, rows): &(String, Vec<u32>)| {
        let (mut correct, mut total) = (0, 0);
        for ((row, label), answer) in
            (answers.rows.iter().zip(&answers.labels)).zip(&answers.predicted)
        {
            if rows.binary_search(row).is_ok() {
                total += 1;
                correct += u32::from(label == answer);
            }
        }
        let (low, high) = wilson(correct, total, confidence);
        let kept = |row: &&u32| edited.dropped.binary_search(row).is_err();
        Slice {
            slice: name.clone(),
            rows: rows.iter().filter(kept).count() as u32,
            accuracy: Accuracy {
                correct,
                total,
                low,
                high,
                confidence,
            },
        }
    };
    edited.slices.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_counts_its_test_rows_and_no_dropped_one() {
        let edited = Edited {
            dropped: vec![8],
            slices: vec![
                ("far".into(), vec![100]),
                ("some".into(), vec![2, 5, 8, 11]),
            ],
        };
        let answers = Predictions {
            rows: vec![2, 3, 5, 11],
            labels: vec![0, 1, 1, 1],
            predicted: vec![0, 0, 1, 0],
            confidence: vec![0.9; 4],
        };
        let found = slices(&edited, &answers, 0.95);
        assert_eq!((found[0].rows, found[0].accuracy.total), (1, 0));
        let Slice { rows, accuracy, .. } = &found[1];
        assert_eq!((*rows, accuracy.correct, accuracy.total), (3, 2, 3));
        assert_eq!((accuracy.low, accuracy.high), wilson(2, 3, 0.95));
        let mut other = answers;
        other.predicted[1] = 1;
        assert_eq!(slices(&edited, &other, 0.95), found);
        other.predicted[3] = 1;
        assert_ne!(slices(&edited, &other, 0.95), found);
    }
}
