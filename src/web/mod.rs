//! The only place that knows the browser: the lab for a Worker, plain functions for the page.

mod clock;
mod js_error;
mod page;
mod worker;

pub use page::*;
pub use worker::LabWorker;
