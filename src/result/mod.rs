//! What a run finds out, as plain serializable values with their intervals; nothing here computes.

mod accuracy;
mod agreement;
mod cost;
mod curve;
mod damage;
mod execution;
mod findings;
mod latency;
pub mod reading;
mod stages;

pub use accuracy::{Accuracy, ClassResult, Confusion, Paired, Predictions, Slice};
pub use agreement::{Agreement, Probe};
pub use cost::{Cost, LayerCost};
pub use curve::{EpochPoint, Training};
pub use damage::{ClassDamage, Damage, Flip, Histograms, LayerDamage};
pub use execution::{BatchCost, Breakdown, Execution, GpuUse, Part, Trial};
pub use findings::{Dimension, Finding, Findings, Quality, Status as FindingStatus};
pub use latency::Latency;
pub use reading::{Boards, Reading};
pub use stages::{StageTraining, StagedAnswers, Stages};

use serde::Serialize;
use serde_json::Value;

/// Everything that a complete run measured. A stopped or interrupted run lacks what it did not reach.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Results {
    /// Counted from the layer graph, before anything ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// How training went, epoch by epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<Training>,
    /// Accuracy on the test rows, with the stored (quantized) weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<Accuracy>,
    /// Mean cross-entropy on the test rows, nats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_loss: Option<f64>,
    /// Counts by true and predicted class on the test rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confusion: Option<Confusion>,
    /// Recall of each class on the test rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassResult>,
    /// Accuracy on the test rows of each slice that the recipe's edits make, as [`Slice`] says it. Kept as JSON, as
    /// [`Self::damage`] is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slices: Option<Value>,
    /// Latency of one row per call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
    /// Latency of `evaluation.throughput_batch` rows per call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughput: Option<Latency>,
    /// On what it was executed, where the recipe asks for anything but the CPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<Execution>,
    /// Whether the GPU agrees with the CPU, where a GPU was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Agreement>,
    /// What answers cost on both engines, where a GPU was there to be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breakdown: Option<Breakdown>,
    /// What storing the weights did to the model, as [`Damage`] says it; absent for f32. Kept as JSON: nothing here computes
    /// with it, and whoever shows it checks its form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damage: Option<Value>,
    /// How whole boards were read, as [`Reading`] says it; absent where the recipe does not ask for it. Kept as JSON, as
    /// `damage` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Value>,
    /// How a model of two stages was trained and answered, as [`Stages`] says it; absent for one stage. Kept as JSON, as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stages: Option<Value>,
}

crate::section::section!(Results: { cost, training, accuracy, test_loss, confusion, latency, throughput, execution, agreement, breakdown, damage, slices, reading, stages } { classes });
