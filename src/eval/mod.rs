//! What a model's answers and their timing are worth; it runs no model and waits for nothing.

pub mod clock;
mod damage;
pub mod latency;
mod likeness;
mod paired;
mod score;
pub mod search;
mod stored;

pub use clock::{Clock, ManualClock};
pub use damage::{Inspection, damage};
pub use paired::paired;
pub use score::{Scored, argmax, predictions_digest, score, softmax};
pub use stored::{Stage, Storing, stored};
