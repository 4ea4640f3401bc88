//! What several test programs share: whole trainings, and data that is not built in.

#![allow(dead_code, reason = "each test program uses a part of it")]

pub(crate) mod lab;
pub(crate) mod mnist;
pub(crate) mod processor;
pub(crate) mod pump;
