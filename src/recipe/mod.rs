//! The recipe: everything that decides a result, as one versioned JSON document; form and ranges only, no shapes.
//!
//! Fields are described once, in [`fields`]: the reader's checks, the page's form and the documentation come from there.
//! Fields that this version does not know are kept and take part in the digest.

pub mod edit;
pub mod fields;
mod read;

use crate::digest;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use read::{MAX_RECIPE_BYTES, from_json, from_value};

/// The version of the document that this build writes.
pub const VERSION: u32 = 1;

/// Unknown fields of one section, kept as they came.
pub type Extra = Map<String, Value>;

/// Everything that decides a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// Fields of later versions.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Which data a recipe uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataSpec {
    /// Name of a built-in set: `digits`.
    pub set: String,
    /// Fields of later versions.
    #[serde(flatten)]
    pub extra: Extra,
}

/// How rows are divided; what is neither validation nor test trains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitSpec {
    /// Share of each class for validation, in (0, 0.5].
    pub validation: f64,
    /// Share of each class for the test, in (0, 0.5].
    pub test: f64,
    /// Fields of later versions.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What happens to a row before the first layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreprocessingSpec {
    /// `unit`: divide by the set's largest value; `standardize`: then subtract the training mean and divide by its deviation.
    pub scale: String,
    /// Fields of later versions.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The model, by family; a field that the family does not use is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchitectureSpec {
    /// `mlp` or `lenet`.
    pub family: String,
    /// Hidden layers of an `mlp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<u32>,
    /// Units of each hidden layer of an `mlp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Channels of the first convolution of a `lenet`; the second has twice as many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<u32>,
    /// Side of the square kernels of a `lenet`, odd.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<u32>,
    /// Units of the hidden linear layer of a `lenet`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dense: Option<u32>,
    /// `relu`, `tanh` or `gelu`.
    pub activation: String,
    /// Fields of later versions.
    #[serde(flatten)]
    pub extra: Extra,
}

/// How weights are found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// Fields of later versions.
    #[serde(flatten)]
    pub extra: Extra,
}

/// How trained weights are stored and used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuantizationSpec {
    /// `f32`, `f16`, `Q8_0` or `Q4_0`.
    pub scheme: String,
    /// Fields of later versions.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What is measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

impl Recipe {
    /// The default recipe of a family on a set: `lenet` or `mlp` on `digits`; others are refused by [`from_value`].
    #[must_use]
    pub fn default_for(set: &str, family: &str) -> Self {
        let lenet = family != "mlp";
        Self {
            assay: "recipe".into(),
            version: VERSION,
            seed: 1,
            data: DataSpec {
                set: set.into(),
                extra: Extra::new(),
            },
            split: SplitSpec {
                validation: 0.1,
                test: 0.2,
                extra: Extra::new(),
            },
            preprocessing: PreprocessingSpec {
                scale: "unit".into(),
                extra: Extra::new(),
            },
            architecture: ArchitectureSpec {
                family: family.into(),
                depth: (!lenet).then_some(2),
                width: (!lenet).then_some(128),
                channels: lenet.then_some(16),
                kernel: lenet.then_some(3),
                dense: lenet.then_some(64),
                activation: "relu".into(),
                extra: Extra::new(),
            },
            training: TrainingSpec {
                optimizer: "adamw".into(),
                learning_rate: if lenet { 0.01 } else { 0.003 },
                momentum: None,
                weight_decay: 0.01,
                schedule: "cosine".into(),
                warmup_epochs: 1.0,
                batch_size: 16,
                epochs: 12,
                patience: 0,
                keep: "best".into(),
                extra: Extra::new(),
            },
            quantization: QuantizationSpec {
                scheme: "f32".into(),
                extra: Extra::new(),
            },
            evaluation: EvaluationSpec {
                confidence: 0.95,
                throughput_batch: 64,
                latency_secs: 1.0,
                extra: Extra::new(),
            },
            extra: Extra::new(),
        }
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

    /// SHA-256 of the canonical form, unknown fields included.
    #[must_use]
    pub fn digest(&self) -> String {
        digest::json_digest(&self.to_value())
    }
}
