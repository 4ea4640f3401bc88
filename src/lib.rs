//! Assay: an ML quality lab inside a web page.

pub mod chart;
pub mod data;
pub mod digest;
pub mod error;
pub mod eval;
pub mod lab;
pub mod recipe;
pub mod result;
pub mod rng;
pub mod runlog;
pub mod stats;
