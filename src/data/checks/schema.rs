//! Schema and shape: whether values, labels, groups and parts fit together; it looks at no single value.

use super::{Check, Count, Input};
use crate::result::{Dimension, Finding};

/// The check.
pub(super) struct Schema;

impl Check for Schema {
    fn name(&self) -> &'static str {
        "schema"
    }
    fn looks_at(&self) -> &'static str {
        "sizes of values, labels, groups and parts"
    }
    fn dimension(&self) -> Dimension {
        Dimension::Validity
    }
    fn run(&self, input: &Input<'_>) -> Finding {
        let (data, parts) = (input.data, input.parts);
        let rows = data.labels.len();
        let mut places = vec![0_u32; rows];
        let mut beyond = 0;
        for row in [&parts.train, &parts.validation, &parts.test]
            .into_iter()
            .flatten()
        {
            match places.get_mut(*row as usize) {
                Some(count) => *count += 1,
                None => beyond += 1,
            }
        }
        let lost = places.iter().filter(|count| **count == 0).count();
        let wrong = [
            (rows == 0, "there are no rows"),
            (data.row_len() == 0, "a row has no values"),
            (
                data.values.len() != rows * data.row_len(),
                "the values do not fill the rows",
            ),
            (
                (data.groups.as_ref()).is_some_and(|groups| groups.of_row.len() != rows),
                "there is not one group for each row",
            ),
            (beyond > 0, "a part has rows that are not there"),
            (
                places.iter().any(|count| *count > 1),
                "a row is in two parts",
            ),
            (lost > data.edited.dropped.len(), "a row is in no part"),
        ];
        let found: Vec<&str> = wrong.iter().filter(|it| it.0).map(|it| it.1).collect();
        let count = Count {
            check: self.name(),
            unit: "rules",
            affected: (0..)
                .zip(&wrong)
                .filter(|(_, it)| it.0)
                .map(|(at, _)| at)
                .collect(),
            of: wrong.len() as u32,
            warn_above: 0.0,
            fail_above: 0.0,
        };
        count.finding(|counted| match found[..] {
            [] => format!(
                "{} rows of {:?} values fit their labels and parts.",
                data.kept_count(),
                data.shape()
            ),
            _ => format!("{counted} are broken: {}.", found.join("; ")),
        })
    }
}
