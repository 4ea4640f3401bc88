//! What a model's answers and their timing are worth; it decides nothing, and waits for nothing but a GPU that fine-tunes.

pub mod clock;
mod damage;
mod fine_tuning;
pub mod latency;
mod likeness;
mod paired;
mod score;
pub mod search;
mod slices;
mod stages;
mod stored;

pub use clock::{Clock, ManualClock};
pub use damage::{Inspection, damage};
pub use fine_tuning::{FineTuned, Tuner, fine_tuned_digest};
pub use paired::paired;
pub use score::{Scored, argmax, log_probabilities, predictions_digest, score, softmax};
pub use slices::slices;
pub use stages::Staged;
pub use stored::{Stage, Storing, made_ready, stored};
