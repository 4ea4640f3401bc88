//! The rows of a model of two stages, each with its own question: empty or not, and which of the others; it trains nothing.

use super::{Rows, Split};

/// The same rows asked whether they are of the first class, as a model of two classes takes them.
#[must_use]
pub fn occupancy(rows: &Rows) -> Rows {
    asked(rows, |label| label.min(1))
}

/// The same rows asked which class after the first they are of. Rows of the first class have no right answer: a division of
/// [`occupied`] rows leaves them out.
#[must_use]
pub fn pieces(rows: &Rows) -> Rows {
    asked(rows, |label| label.saturating_sub(1))
}

fn asked(rows: &Rows, label: impl Fn(u16) -> u16) -> Rows {
    Rows {
        labels: rows.labels.iter().map(|it| label(*it)).collect(),
        ..rows.clone()
    }
}

/// A division without the rows of the first class.
#[must_use]
pub fn occupied(labels: &[u16], parts: &Split) -> Split {
    let kept = |part: &[u32]| {
        let is_occupied = |row: &&u32| labels.get(**row as usize).is_some_and(|label| *label > 0);
        part.iter().filter(is_occupied).copied().collect()
    };
    Split {
        train: kept(&parts.train),
        validation: kept(&parts.validation),
        test: kept(&parts.test),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Scaler;

    #[test]
    fn each_stage_has_its_labels_and_the_second_no_empty_row() {
        let rows = Rows {
            features: vec![0.0, 1.0, 2.0, 3.0, 4.0],
            labels: vec![0, 7, 0, 1, 12],
            shape: [1, 1, 1],
            scaler: Scaler {
                mean: 0.0,
                deviation: 1.0,
            },
        };
        let parts = Split {
            train: vec![0, 1],
            validation: vec![2, 3],
            test: vec![4],
        };
        assert_eq!(occupancy(&rows).labels, [0, 1, 0, 1, 1]);
        assert_eq!(occupancy(&rows).features, rows.features);
        let second = occupied(&rows.labels, &parts);
        assert_eq!(
            (&second.train[..], &second.validation[..], &second.test[..]),
            (&[1][..], &[3][..], &[4][..])
        );
        let asked = pieces(&rows).labels;
        let answers = [1, 3, 4].map(|row: usize| asked[row]);
        assert_eq!(answers, [6, 0, 11]);
    }
}
