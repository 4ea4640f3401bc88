//! How training went.

use serde::{Deserialize, Deserializer, Serialize};

/// JSON has no NaN: it is written as `null`, and so read back. An infinite loss becomes NaN on the way.
fn null_as_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Option::<f64>::deserialize(deserializer).map(|number| number.unwrap_or(f64::NAN))
}

/// One epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochPoint {
    /// Counted from 1.
    pub epoch: u32,
    /// Mean cross-entropy over the epoch's training rows as they were trained on, nats.
    #[serde(deserialize_with = "null_as_nan")]
    pub train_loss: f64,
    /// Share of those rows answered rightly, in 0..=1.
    pub train_accuracy: f64,
    /// Mean cross-entropy on the validation rows after the epoch, nats.
    #[serde(deserialize_with = "null_as_nan")]
    pub validation_loss: f64,
    /// Share of validation rows answered rightly after the epoch, in 0..=1.
    pub validation_accuracy: f64,
    /// Learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// Time that the epoch took, validation included, seconds.
    pub secs: f64,
}

/// The training of one run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Finished epochs.
    pub curve: Vec<EpochPoint>,
    /// Steps done.
    pub steps: u64,
    /// Epoch whose weights were kept, counted from 1; 0 when none was finished.
    pub kept_epoch: u32,
    /// Rows trained on per second, over the whole training; 0 when unknown.
    pub samples_per_sec: f64,
    /// Why training ended: `all epochs`, `patience`, `stopped`, `interrupted` or `non-finite`.
    pub ended: String,
    /// Step, counted from 1, whose loss was NaN or infinite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub non_finite_step: Option<u64>,
}
