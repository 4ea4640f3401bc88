//! Leakage: rows that validate or test although training saw them, nearly saw them, or saw others of their group.

use super::{Check, Count, Input};
use crate::order;
use crate::result::{Dimension, Finding};

/// Share of the rows that validate or test above which it warns and fails: a hundredth is as much as an accuracy's interval.
const WARN_ABOVE: f64 = 0.002;
const FAIL_ABOVE: f64 = 0.01;

/// The check.
pub(super) struct Leakage;

impl Check for Leakage {
    fn name(&self) -> &'static str {
        "leakage"
    }
    fn looks_at(&self) -> &'static str {
        "equal and near rows and shared groups between training and the other parts"
    }
    fn dimension(&self) -> Dimension {
        Dimension::Uniqueness
    }
    fn run(&self, input: &Input<'_>) -> Finding {
        let parts = input.parts;
        let mut trains = vec![false; input.data.labels.len()];
        for row in &parts.train {
            trains[*row as usize] = true;
        }
        let held = || parts.validation.iter().chain(&parts.test).copied();
        let mut equal = Vec::new();
        for rows in &input.twins().equal {
            if rows.iter().any(|row| trains[*row as usize]) {
                equal.extend(rows.iter().filter(|row| !trains[**row as usize]));
            }
        }
        let near = order::distinct(
            (input.twins().near.iter())
                .filter(|(one, other)| trains[*one as usize] != trains[*other as usize])
                .filter(|(one, other)| !input.may_nearly_repeat(*one, *other))
                .map(|(one, other)| if trains[*one as usize] { *other } else { *one }),
        );
        let trained = order::distinct(parts.train.iter().filter_map(|row| input.group(*row)));
        let learned = |row: &u32| {
            let group = input.group(*row);
            group.is_some_and(|group| trained.binary_search(&group).is_ok())
        };
        let by_group: Vec<u32> = held().filter(learned).collect();
        let said = format!(
            "{} equal, {} near, {} by group",
            equal.len(),
            near.len(),
            by_group.len()
        );
        let affected = order::distinct(equal.into_iter().chain(near).chain(by_group));
        let count = Count {
            check: self.name(),
            unit: "rows",
            affected,
            of: held().count() as u32,
            warn_above: WARN_ABOVE,
            fail_above: FAIL_ABOVE,
        };
        count.finding(|counted| {
            format!("{counted} that validate or test were seen in training: {said}.")
        })
    }
}
