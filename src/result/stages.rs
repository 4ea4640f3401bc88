//! What a model of two stages is told of beside its answers: how each stage was trained, and how often the second was asked.

use super::Accuracy;
use serde::Serialize;

/// One stage's training.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageTraining {
    /// `occupancy` or `piece`.
    pub name: String,
    /// Rows that trained it.
    pub rows: u32,
    /// Its epochs; in the curve the second stage's follow the first's.
    pub epochs: u32,
    /// The kept one, counted from its own first.
    pub kept_epoch: u32,
    /// Its steps.
    pub steps: u64,
    /// Trainable numbers.
    pub parameters: u64,
    /// Multiply-accumulates for one row, forward.
    pub macs: u64,
}

/// How both answered the test rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StagedAnswers {
    /// Rows asked.
    pub rows: u32,
    /// Rows that are occupied.
    pub occupied: u32,
    /// Rows that the first stage held for occupied, so that the second saw them.
    pub seen_twice: u32,
    /// Multiply-accumulates for one row, forward, in the mean over the rows asked: the first stage's, and the second's for the
    /// rows that it saw.
    pub macs_per_row: f64,
    /// Rows that were rightly told to be empty or not.
    pub occupancy: Accuracy,
    /// Of the occupied rows those whose class was told rightly.
    pub pieces: Accuracy,
}

/// Both.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stages {
    /// The first stage and the second, as far as they came.
    pub training: Vec<StageTraining>,
    /// Absent where nothing was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<StagedAnswers>,
}
