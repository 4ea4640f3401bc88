//! The WebGPU engine: the CPU engine's plan as dispatches of our own kernels; which engine to take is others' decision.

#![cfg_attr(not(test), allow(dead_code, reason = "what plans whole graphs is built on this"))]

mod arena;
mod device;
mod kernels;
pub mod parity;
mod pipeline;
mod twin;

pub use device::Gpu;
