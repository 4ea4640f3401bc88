//! Whether a GPU computes what the CPU computes, as the numbers that say so and the verdict.

use super::Accuracy;
use serde::Serialize;

/// A GPU run's check against the CPU. Its figures count only where this agrees.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// Whether every probe is within its tolerance.
    pub agrees: bool,
    /// Why, in words.
    pub reason: String,
    /// What was compared, in the order in which it was.
    pub probes: Vec<Probe>,
    /// Accuracy of the same weights on the test rows on the CPU; absent where the run did not get there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_accuracy: Option<Accuracy>,
    /// Test rows that the two engines answer differently.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flips: Vec<u32>,
}

crate::section::section!(Agreement: { agrees, reason, probes, cpu_accuracy } { flips });

/// Numbers that both engines computed, compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Probe {
    /// `answers before training`, `one step of training`, `answers after training`, `test rows`.
    pub name: String,
    /// Rows that went in.
    pub rows: u32,
    /// Numbers that came out.
    pub numbers: u64,
    /// Largest absolute difference.
    pub max_absolute: f64,
    /// That difference over the largest number.
    pub max_relative: f64,
    /// Cosine of the two lists; absent where one is all zero or not finite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosine: Option<f64>,
    /// Rows whose largest logit is another class; absent where the numbers are no logits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_answers: Option<u32>,
    /// What the relative difference may be: docs/numerics.md.
    pub tolerance: f64,
    /// Whether it is within it.
    pub within: bool,
}

crate::section::section!(Probe: { name, rows, numbers, max_absolute, max_relative, cosine, other_answers, tolerance, within } {  });
