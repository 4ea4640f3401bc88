//! What a model's answers and their timing are worth; it runs no model and waits for nothing.

pub mod clock;
pub mod latency;
mod paired;
mod score;

pub use clock::{Clock, ManualClock};
pub use paired::paired;
pub use score::{Scored, predictions_digest, score};
