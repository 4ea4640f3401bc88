//! The log: records, what people add to them, and what of them travels in a link; it runs no model.

pub mod record;
