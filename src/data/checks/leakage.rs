//! Leakage: rows that validate or test although training saw them, nearly saw them, or saw others of their group.

use super::{Check, Count, Input};
use crate::result::{Dimension, Finding};
use std::collections::BTreeSet;

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
        let mut equal = BTreeSet::new();
        for rows in &input.twins().equal {
            if rows.iter().any(|row| trains[*row as usize]) {
                equal.extend(rows.iter().filter(|row| !trains[**row as usize]));
            }
        }
        let near: BTreeSet<u32> = (input.twins().near.iter())
            .filter(|(one, other)| trains[*one as usize] != trains[*other as usize])
            .map(|(one, other)| if trains[*one as usize] { *other } else { *one })
            .collect();
        let trained: BTreeSet<u32> = (parts.train.iter())
            .filter_map(|row| input.group(*row))
            .collect();
        let by_group: BTreeSet<u32> = held()
            .filter(|row| {
                input
                    .group(*row)
                    .is_some_and(|group| trained.contains(&group))
            })
            .collect();
        let said = format!(
            "{} equal, {} near, {} by group",
            equal.len(),
            near.len(),
            by_group.len()
        );
        let affected: BTreeSet<u32> = equal.into_iter().chain(near).chain(by_group).collect();
        let count = Count {
            check: self.name(),
            unit: "rows",
            affected: affected.into_iter().collect(),
            of: held().count() as u32,
            warn_above: WARN_ABOVE,
            fail_above: FAIL_ABOVE,
        };
        count.finding(|counted| {
            format!("{counted} that validate or test were seen in training: {said}.")
        })
    }
}
