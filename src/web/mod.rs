//! The only place that knows the browser: the lab for a Worker, plain functions for the page.

mod api;
mod charts;
mod clock;
mod gpu_api;
mod js_error;
mod options;
mod page;
mod results;
mod worker;

pub use api::{Model, score};
pub use charts::*;
pub use gpu_api::GpuModel;
pub use page::*;
pub use worker::LabWorker;
