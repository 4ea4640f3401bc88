//! The loops in which a training spends its time, over plain slices; no tensors, no allocation policy, no engine.
//!
//! They are a crate of their own for one reason: the page is built for size, which costs these loops more than half of
//! their speed, and cargo sets the level crate by crate. Whatever stands here is built for speed.
//!
//! Every kernel gives the same bits on every machine: it multiplies, then adds, and its order of summation is written down
//! and does not depend on lanes, tiles, batches or threads.

pub mod activation;
pub mod attention;
pub mod columns;
pub mod convolution;
mod correlation;
pub mod depthwise;
pub mod dropout;
mod eight;
pub mod elementwise;
pub mod integer;
pub mod lanes;
pub mod math;
pub mod norm;
mod outer;
pub mod pool;
pub mod product;
pub mod reduce;
#[cfg(test)]
mod testing;
pub mod update;
mod winograd;

pub use correlation::{Epilogue, Rectifier};
