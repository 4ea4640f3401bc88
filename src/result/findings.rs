//! What the checks of a set of data found, and how good the set is by dimension; it judges nothing itself.

use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nothing is wrong.
    Pass,
    /// Something should be looked at.
    Warn,
    /// A run on these data would mislead; it needs a reason.
    Fail,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Name of the check, as its file is called.
    pub check: String,
    /// What was found, in one sentence.
    pub message: String,
    /// How bad it is.
    pub status: Status,
    /// How many are affected.
    pub count: u32,
    /// Of how many; 0 where the check could not be made, for the reason in the message.
    pub of: u32,
    /// What is counted: `rows`, `columns`, `classes`, `groups`, `files`.
    pub unit: String,
    /// Share of affected ones above which it warns, and from which it fails, in 0..=1.
    pub warn_above: f64,
    /// As above.
    pub fail_above: f64,
    /// Places of some of those affected: rows of the set, columns or classes, by the unit. At most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<u32>,
    /// All of those affected, for whoever asks while the set is at hand; no part of a record.
    #[serde(skip)]
    pub affected: Vec<u32>,
    /// Of labels that are doubted, the class of each of [`Self::affected`] in the models' view; no part of a record.
    #[serde(skip)]
    pub suggested: Vec<u16>,
}

crate::section::section!(Finding: { check, message, status, count, of, unit, warn_above, fail_above } { examples } { affected, suggested });

/// A side of a set's quality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dimension {
    /// Nothing is missing.
    Completeness,
    /// Values and labels are what they claim to be.
    Validity,
    /// Nothing is there twice.
    Uniqueness,
    /// Equal things have equal labels.
    Consistency,
    /// Every class is there often enough.
    Balance,
    /// The parts are alike.
    Stability,
}

/// How good a set is on one side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quality {
    /// Which side.
    pub dimension: Dimension,
    /// One less the largest affected share that one of its checks found, in 0..=1.
    pub score: f64,
}

crate::section::section!(Quality: { dimension, score } {  });

/// What all checks found.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Findings {
    /// One for each check, in the order of the checks.
    pub findings: Vec<Finding>,
    /// One for each side of which something was checked, in the order of [`Dimension`].
    pub quality: Vec<Quality>,
}

crate::section::section!(Findings: { findings, quality } {  });

impl Findings {
    /// The worst of all; a pass of no findings.
    #[must_use]
    pub fn status(&self) -> Status {
        let statuses = self.findings.iter().map(|finding| finding.status);
        statuses.max().unwrap_or(Status::Pass)
    }
}
