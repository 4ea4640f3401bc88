//! The log: records, what people add to them, and what of them travels in a link; it runs no model.

pub mod annotation;
pub mod claim;
pub mod claimed_reading;
pub mod compare;
mod document;
pub mod export;
pub mod link;
pub mod log;
pub mod record;
pub mod summary;
pub mod time;
pub mod tolerance;
pub mod verdict;
pub mod words;

/// A complete record of the default recipe: the golden file, which unit tests start from.
#[cfg(test)]
pub(crate) const SAMPLE: &str = include_str!("../../tests/golden/record.json");
