//! Checks of a set before a run, one file each; they report findings and change nothing. What to do about one is decided elsewhere.
//!
//! docs/adding-a-check.md says how to write one, docs/data-checks.md what they find.

mod balance;
mod consistency;
mod constant;
mod drift;
mod duplicates;
mod features;
mod integrity;
mod labels;
mod leakage;
mod missing;
mod near;
mod outliers;
mod samples;
mod scale;
mod schema;
mod twins;

pub use integrity::known;

use super::{Dataset, Split};
use crate::order;
use crate::result::{Dimension, Finding, FindingStatus as Status, Findings, Quality};
use std::cell::OnceCell;
use twins::Twins;

/// Most examples of a finding.
const MAX_EXAMPLES: usize = 20;

/// A file or set whose digest is known from before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub name: String,
    /// SHA-256 that it should have.
    pub expected: String,
    /// SHA-256 that it has.
    pub found: String,
}

/// Answers to rows.
#[derive(Debug, Clone, Copy)]
pub struct Answers<'a> {
    /// The rows that were asked.
    pub rows: &'a [u32],
    /// Probabilities of the classes for each, class by class.
    pub probabilities: &'a [f32],
}

/// What the checks look at.
pub struct Input<'a> {
    /// The set.
    pub data: &'a Dataset,
    /// Its division.
    pub parts: &'a Split,
    /// Digests that are known from before; empty on first sight.
    pub known: &'a [Known],
    /// Answers of models that did not learn from the rows they answer: `train/cross_validation.rs` makes them. Without them
    /// the check that needs them says so.
    pub answers: Option<Answers<'a>>,
    /// Answers of such models to whether a row trains or tests, for as many of each part: [`crate::data::parted`] chooses them.
    pub parted: Option<Answers<'a>>,
    twins: OnceCell<Twins>,
}

impl<'a> Input<'a> {
    /// A set and its division, with nothing known from before and no classifier.
    #[must_use]
    pub const fn new(data: &'a Dataset, parts: &'a Split) -> Self {
        Self {
            data,
            parts,
            known: &[],
            answers: None,
            parted: None,
            twins: OnceCell::new(),
        }
    }

    /// Rows that equal others or nearly do; found once for all checks.
    fn twins(&self) -> &Twins {
        self.twins.get_or_init(|| Twins::find(self.data))
    }

    /// The group of a row, where there are groups.
    fn group(&self, row: u32) -> Option<u32> {
        let groups = self.data.groups.as_ref()?;
        groups.of_row.get(row as usize).copied()
    }

    /// Whether two rows may be alike by the nature of the set.
    fn may_repeat(&self, one: u32, other: u32) -> bool {
        let group = self.group(one);
        self.data.expected.repeats_in_group && group.is_some() && group == self.group(other)
    }

    /// Whether two rows may be nearly alike by it.
    fn may_nearly_repeat(&self, one: u32, other: u32) -> bool {
        self.data.expected.nearly_repeats || self.may_repeat(one, other)
    }
}

/// One check.
pub trait Check: Sync {
    /// Its name, as its file is called.
    fn name(&self) -> &'static str;
    /// What it looks at, in a few words.
    fn looks_at(&self) -> &'static str;
    /// The side of the quality that it measures.
    fn dimension(&self) -> Dimension;
    /// Looks.
    fn run(&self, input: &Input<'_>) -> Finding;
}

/// Every check, in the order in which they run and are shown.
pub const CHECKS: &[&dyn Check] = &[
    &schema::Schema,
    &integrity::Integrity,
    &labels::Labels,
    &missing::Missing,
    &constant::Constant,
    &scale::Scale,
    &duplicates::Duplicates,
    &near::Near,
    &leakage::Leakage,
    &balance::Balance,
    &consistency::Consistency,
    &outliers::Outliers,
    &drift::Drift,
    &samples::Samples,
];

/// Runs every check. A set whose schema is broken gets that finding alone: nothing else can be relied on.
#[must_use]
pub fn run(input: &Input<'_>) -> Findings {
    let mut findings = Findings::default();
    for check in CHECKS {
        if !add(&mut findings, *check, input) {
            break;
        }
    }
    findings
}

/// The checks one by one, as [`run`], for those who show how far they are.
pub struct Checking<'a> {
    input: Input<'a>,
    findings: Findings,
    broken: bool,
}

impl<'a> Checking<'a> {
    /// Before the first check.
    #[must_use]
    pub fn new(input: Input<'a>) -> Self {
        Self {
            input,
            findings: Findings::default(),
            broken: false,
        }
    }

    /// Makes the next check; the share that is done, or nothing where none is left.
    pub fn step(&mut self) -> Option<f64> {
        let made = self.findings.findings.len();
        let check = CHECKS.get(made).filter(|_| !self.broken)?;
        self.broken = !add(&mut self.findings, *check, &self.input);
        Some((made + 1) as f64 / CHECKS.len() as f64)
    }

    /// What was found.
    #[must_use]
    pub fn finish(self) -> Findings {
        self.findings
    }
}

/// Makes a check; whether others can rely on the set.
fn add(findings: &mut Findings, check: &dyn Check, input: &Input<'_>) -> bool {
    let finding = check.run(input);
    let broken = check.name() == "schema" && finding.status == Status::Fail;
    rate(&mut findings.quality, check.dimension(), &finding);
    findings.findings.push(finding);
    order::sort_by(&mut findings.quality, |a, b| a.dimension.cmp(&b.dimension));
    !broken
}

/// Lowers a side's score to one less the affected share.
fn rate(quality: &mut Vec<Quality>, dimension: Dimension, finding: &Finding) {
    if finding.of == 0 {
        return;
    }
    let score = 1.0 - f64::from(finding.count) / f64::from(finding.of);
    match quality.iter_mut().find(|it| it.dimension == dimension) {
        Some(there) => there.score = there.score.min(score),
        None => quality.push(Quality { dimension, score }),
    }
}

/// A finding of so many affected ones, judged by two shares.
struct Count {
    check: &'static str,
    unit: &'static str,
    affected: Vec<u32>,
    of: u32,
    warn_above: f64,
    fail_above: f64,
}

impl Count {
    fn finding(self, message: impl FnOnce(&str) -> String) -> Finding {
        let count = self.affected.len() as u32;
        let share = f64::from(count) / f64::from(self.of.max(1));
        let status = if share > self.fail_above {
            Status::Fail
        } else if share > self.warn_above {
            Status::Warn
        } else {
            Status::Pass
        };
        let counted = match count {
            0 => format!("None of {} {}", self.of, self.unit),
            _ => format!("{count} of {} {}", self.of, self.unit),
        };
        Finding {
            check: self.check.into(),
            message: message(&counted),
            status,
            count,
            of: self.of,
            unit: self.unit.into(),
            warn_above: self.warn_above,
            fail_above: self.fail_above,
            examples: self.affected.iter().take(MAX_EXAMPLES).copied().collect(),
            affected: self.affected,
            suggested: Vec::new(),
        }
    }
}

/// A finding of a check that could not be made.
fn not_made(check: &dyn Check, unit: &str, why: &str) -> Finding {
    Finding {
        check: check.name().into(),
        message: format!("Not checked: {why}."),
        status: Status::Pass,
        count: 0,
        of: 0,
        unit: unit.into(),
        warn_above: 0.0,
        fail_above: 0.0,
        examples: Vec::new(),
        affected: Vec::new(),
        suggested: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
