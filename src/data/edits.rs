//! A new version of a set by a recipe's edits: labels, rows that are left out, slices; it looks at no value and judges nothing.

use super::{Dataset, Split};
use crate::error::{Error, Result};
use crate::recipe::{EDITS, Edits};

/// What edits left in a set beside its labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edited {
    /// Rows that are in no part, ascending. They keep their number and their values.
    pub dropped: Vec<u32>,
    /// Named rows whose accuracy is told apart.
    pub slices: Vec<(String, Vec<u32>)>,
}

/// The set and its division as they are after `edits`.
///
/// Every row keeps its number, and every row that is left stays in its part, so that two versions of a set have their test
/// rows in common: only what was edited differs between them.
///
/// # Errors
/// [`Error::BadInput`] where a row or a class does not exist, or a part has no row left.
pub fn edit(dataset: Dataset, parts: Split, edits: Edits) -> Result<(Dataset, Split)> {
    let (mut dataset, mut parts) = (dataset, parts);
    let (rows, classes) = (dataset.rows(), dataset.classes.len());
    let named = (edits.labels.iter().map(|(row, _)| row)).chain(&edits.dropped);
    let named = named.chain(edits.slices.iter().flat_map(|(_, rows)| rows));
    if let Some(row) = named.into_iter().find(|row| **row >= rows) {
        let expected = format!("rows of {} below {rows}", dataset.set);
        return Err(Error::bad_input(EDITS, expected, format!("row {row}")));
    }
    for (row, class) in edits.labels {
        if usize::from(class) >= classes {
            let expected = format!("classes of {} below {classes}", dataset.set);
            let got = format!("class {class} of row {row}");
            return Err(Error::bad_input(EDITS, expected, got));
        }
        dataset.labels[row as usize] = class;
    }
    for (part, does) in [
        (&mut parts.train, "trains"),
        (&mut parts.validation, "validates"),
        (&mut parts.test, "tests"),
    ] {
        part.retain(|row| edits.dropped.binary_search(row).is_err());
        if part.is_empty() {
            let expected = format!("at least one row that {does} and is not dropped");
            return Err(Error::bad_input(EDITS, expected, "none"));
        }
    }
    dataset.edited = Edited {
        dropped: edits.dropped,
        slices: edits.slices,
    };
    Ok((dataset, parts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{load, split};
    use crate::recipe::Recipe;

    fn digits() -> (Dataset, Split) {
        let dataset = load("digits").expect("built in");
        let recipe = Recipe::default_for("digits", "mlp");
        let parts = split(&dataset, &recipe.split, 1).expect("enough rows");
        (dataset, parts)
    }

    fn edited(edits: &Edits) -> Result<(Dataset, Split)> {
        let (dataset, parts) = digits();
        edit(dataset, parts, edits.clone())
    }

    #[test]
    fn each_edit_makes_another_version_and_none_the_same() {
        let (dataset, parts) = digits();
        assert_eq!(edited(&Edits::default()), Ok((dataset.clone(), parts)));
        let label = Edits {
            labels: vec![(17, (dataset.labels[17] + 1) % 10)],
            ..Edits::default()
        };
        let dropped = |row| Edits {
            dropped: vec![row],
            ..Edits::default()
        };
        let slice = |name: &str| Edits {
            slices: vec![(name.into(), vec![4, 9])],
            ..Edits::default()
        };
        let versions = [label, dropped(4), dropped(5), slice("a"), slice("b")];
        let mut digests: Vec<String> = (versions.iter())
            .map(|edits| edited(edits).expect("fits").0.digest())
            .collect();
        digests.push(dataset.digest());
        let count = digests.len();
        digests.sort();
        digests.dedup();
        assert_eq!(digests.len(), count);
    }

    #[test]
    fn rows_keep_their_number_and_their_part() {
        let (dataset, parts) = digits();
        let (row, other) = (parts.test[3], parts.train[5]);
        let edits = Edits {
            labels: vec![(other, 9)],
            dropped: vec![row],
            ..Edits::default()
        };
        let (after, divided) = edited(&edits).expect("fits");
        assert_eq!(after.values, dataset.values);
        assert_eq!(after.rows(), dataset.rows());
        assert_eq!(after.kept().count(), dataset.rows() as usize - 1);
        assert_eq!(after.labels[other as usize], 9);
        assert_eq!(divided.train, parts.train);
        let left: Vec<u32> = (parts.test.iter().copied())
            .filter(|it| *it != row)
            .collect();
        assert_eq!(divided.test, left);
    }

    #[test]
    fn refuses_rows_and_classes_that_do_not_exist_and_parts_without_a_row() {
        let (_, parts) = digits();
        let slice = vec![("a".to_owned(), vec![1797])];
        for (edits, words) in [
            (
                Edits {
                    labels: vec![(1797, 0)],
                    ..Edits::default()
                },
                "row 1797",
            ),
            (
                Edits {
                    labels: vec![(3, 10)],
                    ..Edits::default()
                },
                "class 10 of row 3",
            ),
            (
                Edits {
                    dropped: vec![u32::MAX],
                    ..Edits::default()
                },
                "row 4294967295",
            ),
            (
                Edits {
                    slices: slice,
                    ..Edits::default()
                },
                "below 1797",
            ),
            (
                Edits {
                    dropped: parts.test,
                    ..Edits::default()
                },
                "row that tests",
            ),
        ] {
            let refused = edited(&edits).expect_err(words).to_string();
            assert!(refused.contains(words), "{words}: {refused}");
        }
    }
}
