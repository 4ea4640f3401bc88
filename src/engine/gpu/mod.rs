//! Kernels for WebGPU with what runs them, each held to a plain loop; no model is planned on them yet, and the page does not
//! use them.

#![allow(dead_code, reason = "what plans whole graphs is built on this")]

mod arena;
mod device;
mod kernels;
pub mod parity;
mod pipeline;
mod twin;

pub use device::Gpu;
