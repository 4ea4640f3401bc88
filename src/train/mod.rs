//! How weights are found: optimizer formulas, schedules, and the trainer that turns a recipe into steps; it never looks
//! at a clock and knows no particular engine.

mod checkpoint;
pub mod cross_validation;
pub mod optimizer;
pub mod schedule;
mod step;
mod trainer;

pub use step::{Ended, Step};
pub use trainer::Trainer;
