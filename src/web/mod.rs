//! The only place that knows the browser: the lab for a Worker, plain functions for the page.

mod api;
mod charts;
mod clock;
mod js_error;
mod options;
mod page;
mod worker;

pub use api::{Model, score};
pub use charts::*;
pub use page::*;
pub use worker::LabWorker;
