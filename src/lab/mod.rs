//! The lab: takes commands, works on them in small steps, answers with events; it knows no browser.

pub mod protocol;
