//! Assay, an ML quality lab inside a web page: the library that the page, its Worker and the native command share.
//!
//! A *recipe* decides a result; the *lab* runs it: data is split, a layer graph is planned, an *engine* trains it,
//! the weights are stored under a *scheme*, scored and timed; what came out is sealed in a *record*. A *claim* of the
//! record travels in a *link*, and whoever opens it runs the recipe again and gets a *verdict*.
//!
//! Modules are listed in reading order. Which of them may use which is in `docs/architecture.md`, and `tests/tidy.rs`
//! holds them to it. Everything in here is single-threaded, reads no clock but [`eval::Clock`] and draws no random
//! number but from [`rng::Stream`].

pub mod error;
pub mod rng;
pub mod stats;
pub mod order;
pub mod digest;
mod section;

pub mod recipe;
pub mod result;

pub mod data;
pub mod model;
pub mod quant;
pub mod engine;
pub mod train;
pub mod eval;
pub mod system;

pub mod runlog;
pub mod chart;

pub mod api;
pub mod lab;
#[cfg(target_arch = "wasm32")]
pub mod web;
