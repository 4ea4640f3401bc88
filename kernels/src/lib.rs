//! The loops in which a training spends its time, over plain slices; no tensors, no allocation policy, no engine.
//!
//! They are a crate of their own for one reason: the page is built for size, which costs these loops more than half of
//! their speed, and cargo sets the level crate by crate. Whatever stands here is built for speed.

pub mod convolution;
mod correlation;
pub mod lanes;
pub mod matmul;
mod outer;
pub mod product;
mod winograd;

pub use correlation::{Epilogue, Rectifier};

/// Numbers in −1..1 from a linear congruential generator (Knuth's MMIX constants).
#[cfg(test)]
fn drawn(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}
