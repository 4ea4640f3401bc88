//! What a trainer says of each thing it did, and why it ended; plain values.

use crate::result::EpochPoint;

/// Why a training has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every epoch of the recipe was done.
    AllEpochs,
    /// The validation loss did not fall for `training.patience` epochs.
    Patience,
    /// The loss was NaN or infinite.
    NonFinite,
}

impl Ended {
    /// Its name in a record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AllEpochs => "all epochs",
            Self::Patience => "patience",
            Self::NonFinite => "non-finite",
        }
    }
}

/// What one call of [`super::Trainer::step`] did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// Weights followed the gradient of one batch, or of as many as [`super::Trainer::take_at_once`] allows.
    Stepped {
        /// Mean cross-entropy of the batches' rows, each before its step, nats.
        loss: f64,
        /// Rows of them answered rightly.
        correct: u32,
        /// Rows of them. The last batch of an epoch may be smaller; no row is left out.
        rows: u32,
    },
    /// An epoch is complete and was validated. Its `secs` are 0 until [`super::Trainer::time_epoch`].
    EpochDone(EpochPoint),
    /// There is nothing more to do.
    Finished(Ended),
    /// The loss was NaN or infinite in this step (counted from 1), or after it in validation; what was measured is kept.
    NonFinite {
        /// The step.
        step: u64,
    },
}
