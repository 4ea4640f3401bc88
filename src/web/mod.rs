//! The only place that knows the browser: the lab for a Worker, plain functions for the page; or, as the page's second
//! module, what makes the sets of data.

mod js_error;

#[cfg(not(feature = "sets-module"))]
mod api;
#[cfg(not(feature = "sets-module"))]
mod charts;
#[cfg(not(feature = "sets-module"))]
mod clock;
#[cfg(not(feature = "sets-module"))]
mod gpu_api;
#[cfg(not(feature = "sets-module"))]
mod kernel_texts;
#[cfg(not(feature = "sets-module"))]
mod options;
#[cfg(not(feature = "sets-module"))]
mod page;
#[cfg(not(feature = "sets-module"))]
mod results;
#[cfg(not(feature = "sets-module"))]
mod sets;
#[cfg(not(feature = "sets-module"))]
mod worker;

#[cfg(feature = "sets-module")]
mod board_reader;
#[cfg(feature = "sets-module")]
mod set_maker;

#[cfg(not(feature = "sets-module"))]
pub use {api::Model, api::score, charts::*, gpu_api::GpuModel, page::*, worker::LabWorker};

#[cfg(feature = "sets-module")]
pub use {board_reader::BoardReader, set_maker::SetMaker};
