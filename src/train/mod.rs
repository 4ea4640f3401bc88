//! How weights are found: optimizer formulas, schedules, and the trainer that turns a recipe into steps; it never looks
//! at a clock and knows no particular engine.

mod checkpoint;
pub mod optimizer;
pub mod schedule;
mod trainer;

pub use trainer::{Ended, Step, Trainer};
