//! The loops in which a training spends its time, over plain slices; no tensors, no allocation policy, no engine.
//!
//! They are a crate of their own for one reason: the page is built for size, which costs these loops more than half of
//! their speed, and cargo sets the level crate by crate. Whatever stands here is built for speed.

pub mod activation;
pub mod convolution;
mod correlation;
pub mod depthwise;
mod eight;
pub mod elementwise;
pub mod lanes;
pub mod math;
pub mod matmul;
mod outer;
pub mod product;
pub mod reduce;
#[cfg(test)]
mod testing;
mod winograd;

pub use correlation::{Epilogue, Rectifier};
