//! The recipe: everything that decides a result, as one versioned JSON document; form and ranges only, no shapes.
//!
//! Fields are described once, in [`fields`]: the reader's checks, the page's form and the documentation come from there.
//! Fields that this version does not know are kept and take part in the digest.

mod architecture;
mod canonical;
mod data;
mod defaults;
pub mod edit;
mod edits;
mod field;
pub mod fields;
mod read;
mod reading;
mod stages;

use crate::digest;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub(crate) use crate::section::typed;
pub use architecture::ArchitectureSpec;
pub(crate) use canonical::canonical;
pub use data::DataSpec;
pub use edits::{EDITS, Edits, MAX_EDITED_ROWS, MAX_SLICE_NAME, MAX_SLICES};
pub use read::{MAX_RECIPE_BYTES, from_json, from_value};
pub use reading::ReadingSpec;

/// The version of the document that this build writes.
pub const VERSION: u32 = 1;

/// Unknown fields of one section, kept as they came.
pub type Extra = Map<String, Value>;

/// Everything that decides a result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recipe {
    /// Always `"recipe"`.
    pub assay: String,
    /// Version of the form of this document.
    pub version: u32,
    /// Seed of every random stream; see [`crate::rng`].
    pub seed: u32,
    /// Which data.
    pub data: DataSpec,
    /// How rows are divided.
    pub split: SplitSpec,
    /// What happens to a row before the first layer.
    pub preprocessing: PreprocessingSpec,
    /// The model.
    pub architecture: ArchitectureSpec,
    /// How its weights are found.
    pub training: TrainingSpec,
    /// How the trained weights are stored and used.
    pub quantization: QuantizationSpec,
    /// What is measured, and how.
    pub evaluation: EvaluationSpec,
    /// What it is executed on; absent is the CPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<ExecutionSpec>,
    /// How whole boards are read; absent reads none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<ReadingSpec>,
    /// Fields of later versions.
    #[serde(flatten)]
    pub extra: Extra,
}

crate::section::section!(Recipe { assay, version, seed, data, split, preprocessing, architecture, training, quantization, evaluation, reading, execution } {  } {  });

/// How rows are divided; what is neither validation nor test trains.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SplitSpec {
    /// Share of each class for validation, or of the groups where a set has them, in (0, 0.5].
    pub validation: f64,
    /// Share of each class for the test, or of the groups where a set has them, in (0, 0.5].
    pub test: f64,
    /// Fields of later versions.
    #[serde(flatten)]
    pub extra: Extra,
}

crate::section::section!(SplitSpec { validation, test } {  } {  });

/// What happens to a row before the first layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PreprocessingSpec {
    /// `unit`: divide by the set's largest value; `standardize`: then subtract the training mean and divide by its deviation.
    pub scale: String,
    /// Fields of later versions.
    #[serde(flatten)]
    pub extra: Extra,
}

crate::section::section!(PreprocessingSpec { scale } {  } {  });

/// How weights are found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainingSpec {
    /// `adamw` or `sgd`.
    pub optimizer: String,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Momentum of `sgd`; absent for `adamw`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f64>,
    /// Decoupled for `adamw`, added to the gradient for `sgd`; weights only, never biases.
    pub weight_decay: f64,
    /// Share of each label that is spread over all classes while training; absent is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_smoothing: Option<f64>,
    /// `constant`, `cosine` (to zero after the last step) or `step` (a tenth after each third).
    pub schedule: String,
    /// Epochs over which the rate rises linearly from zero.
    pub warmup_epochs: f64,
    /// Rows per step.
    pub batch_size: u32,
    /// Passes over the training rows.
    pub epochs: u32,
    /// Epochs without a lower validation loss after which training stops early; 0 never stops early.
    pub patience: u32,
    /// Which epoch's weights are kept: `best` (lowest validation loss) or `last`.
    pub keep: String,
    /// `colours`: each training row of `chess` also in the other colours; absent adds no row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augmentation: Option<String>,
    /// Fields of later versions.
    #[serde(flatten)]
    pub extra: Extra,
}

crate::section::section!(TrainingSpec { optimizer, learning_rate, momentum, weight_decay, label_smoothing, schedule, warmup_epochs, batch_size, epochs, patience, keep, augmentation } {  } {  });

impl TrainingSpec {
    /// What [`Self::augmentation`] says; absent is `none`.
    #[must_use]
    pub fn augmentation(&self) -> &str {
        self.augmentation.as_deref().unwrap_or("none")
    }
}

/// How trained weights are stored and used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct QuantizationSpec {
    /// One of [`fields::SCHEMES`].
    pub scheme: String,
    /// `whole` or `padded`, of `Q8_0` and `Q4_0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<String>,
    /// `min-max`, `percentile`, `mse` or `entropy`, of `int8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<String>,
    /// Training rows that ranges are chosen from, of `int8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration_rows: Option<u32>,
    /// `asymmetric` or `symmetric`, of `int8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activations: Option<String>,
    /// `on`: ranges of neighbouring layers are made alike first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equalization: Option<String>,
    /// `on`: biases take up the mean error of rounded weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias_correction: Option<String>,
    /// `weights` or `channels`: what goes before weights are stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pruning: Option<String>,
    /// How many of them, percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pruned_percent: Option<u32>,
    /// Passes over the training rows with rounded weights and values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fine_tune_epochs: Option<u32>,
    /// Schemes of single layers with weights, by layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<BTreeMap<String, String>>,
    /// Fields of later versions.
    #[serde(flatten)]
    pub extra: Extra,
}

crate::section::section!(QuantizationSpec { scheme, rows, calibration, calibration_rows, activations, equalization, bias_correction, pruning, pruned_percent, fine_tune_epochs, layers } {  } {  });

impl QuantizationSpec {
    /// What [`Self::rows`] says; absent is `whole`.
    #[must_use]
    pub fn rows(&self) -> &str {
        self.rows.as_deref().unwrap_or("whole")
    }

    /// What [`Self::calibration`] says; absent is `mse`.
    #[must_use]
    pub fn calibration(&self) -> &str {
        self.calibration.as_deref().unwrap_or("mse")
    }

    /// What [`Self::calibration_rows`] says; absent is 256.
    #[must_use]
    pub fn calibration_rows(&self) -> u32 {
        self.calibration_rows.unwrap_or(256)
    }

    /// Whether neighbouring layers share their ranges.
    #[must_use]
    pub fn equalizes(&self) -> bool {
        self.equalization.as_deref() == Some("on")
    }

    /// Whether biases take up the mean error of rounded weights.
    #[must_use]
    pub fn corrects_biases(&self) -> bool {
        self.bias_correction.as_deref() == Some("on")
    }

    /// What [`Self::pruning`] says; absent is `off`.
    #[must_use]
    pub fn pruning(&self) -> &str {
        self.pruning.as_deref().unwrap_or("off")
    }

    /// What [`Self::pruned_percent`] says; absent is 50.
    #[must_use]
    pub fn pruned_percent(&self) -> u32 {
        self.pruned_percent.unwrap_or(50)
    }

    /// What [`Self::fine_tune_epochs`] says; absent is none.
    #[must_use]
    pub fn fine_tune_epochs(&self) -> u32 {
        self.fine_tune_epochs.unwrap_or(0)
    }

    /// Whether zero is in the middle of every activation's codes.
    #[must_use]
    pub fn is_symmetric(&self) -> bool {
        self.activations.as_deref() == Some("symmetric")
    }
}

/// What is measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EvaluationSpec {
    /// Confidence of every interval, in [0.5, 0.999].
    pub confidence: f64,
    /// Rows per call where throughput is measured.
    pub throughput_batch: u32,
    /// Time that each latency measurement may take, in seconds; 0 measures no latency.
    pub latency_secs: f64,
    /// Fields of later versions.
    #[serde(flatten)]
    pub extra: Extra,
}

crate::section::section!(EvaluationSpec { confidence, throughput_batch, latency_secs } {  } {  });

/// What a recipe is executed on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ExecutionSpec {
    /// `gpu` or `auto`, which times both; absent is `cpu`. Without a GPU the CPU does it, and the record says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// What to do when the GPU is lost: `cpu` or `smaller batch`; absent is `ask`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_gpu_loss: Option<String>,
    /// Fields of later versions.
    #[serde(flatten)]
    pub extra: Extra,
}

crate::section::section!(ExecutionSpec { engine, on_gpu_loss } {  } {  });

impl Recipe {
    /// The engine that it asks for: `cpu`, `gpu` or `auto`.
    #[must_use]
    pub fn engine(&self) -> &str {
        let execution = self.execution.as_ref();
        execution
            .and_then(|it| it.engine.as_deref())
            .unwrap_or("cpu")
    }

    /// What it asks for when the GPU is lost: `ask`, `cpu` or `smaller batch`.
    #[must_use]
    pub fn on_gpu_loss(&self) -> &str {
        let execution = self.execution.as_ref();
        execution
            .and_then(|it| it.on_gpu_loss.as_deref())
            .unwrap_or("ask")
    }

    /// The document as JSON.
    ///
    /// # Panics
    /// Never: the derived form has string keys and finite numbers only.
    #[must_use]
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("a recipe has string keys and finite numbers only")
    }

    /// The document as indented JSON, fields in reading order.
    ///
    /// # Panics
    /// Never, as [`Recipe::to_value`].
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self)
            .expect("a recipe has string keys and finite numbers only")
    }

    /// SHA-256 of what decides the trained weights: everything but how they are stored, what is measured of
    /// them and what is made of their answers.
    #[must_use]
    pub fn training_digest(&self) -> String {
        let mut document = self.to_value();
        if let Value::Object(sections) = &mut document {
            sections.remove("quantization");
            sections.remove("evaluation");
            sections.remove("reading");
        }
        digest::json_digest(&document)
    }

    /// SHA-256 of the canonical form, unknown fields included.
    #[must_use]
    pub fn digest(&self) -> String {
        digest::json_digest(&self.to_value())
    }
}
