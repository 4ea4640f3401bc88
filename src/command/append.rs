//! Appends records to a log's file; it reads none.

use super::Result;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

/// Opens a log to append to, made where it is missing: before the work, so that one that cannot be written says so.
pub(super) fn open(log: &Path) -> Result<File> {
    (OpenOptions::new().create(true).append(true).open(log)).map_err(|error| refused(log, &error))
}

/// Appends a record's text.
pub(super) fn line(file: &mut File, log: &Path, text: &str) -> Result<()> {
    (file.write_all(format!("{text}\n").as_bytes())).map_err(|error| refused(log, &error))
}

fn refused(log: &Path, error: &std::io::Error) -> String {
    format!("cannot write the log {}: {error}", log.display())
}
