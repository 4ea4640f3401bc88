//! Tells a link from a log and reads either.

use super::{Result, words};
use assay::recipe::Recipe;
use assay::runlog::claim::Claim;
use assay::runlog::link::{self, Link};
use assay::runlog::log::{self, Entry, Kind, Log};
use assay::runlog::record::{self, Record};
use std::fs;

/// What a person named.
pub(super) enum Source {
    /// A link to a recipe.
    Recipe(Box<Recipe>),
    /// A link to a claim.
    Claim(Box<Claim>),
    /// A log's file.
    Log(Log),
}

/// Reads a link (an address with a fragment, or the fragment alone) or a log's file.
pub(super) fn open(source: &str) -> Result<Source> {
    let fragment = source.rfind('#').map(|at| &source[at..]);
    match fragment {
        Some(fragment) if !std::path::Path::new(source).exists() => {
            match link::open(fragment).map_err(words)? {
                Link::Recipe(recipe) => Ok(Source::Recipe(recipe)),
                Link::Claim(claim) => Ok(Source::Claim(claim)),
            }
        }
        _ => {
            let text = fs::read_to_string(source).map_err(|error| {
                format!("{source} is neither a link (nothing after a #) nor a log that can be read: {error}")
            })?;
            Ok(Source::Log(log::read(&text).map_err(words)?))
        }
    }
}

/// The records of a log, in its order.
pub(super) fn records(log: &Log) -> impl Iterator<Item = &Entry> {
    log.entries
        .iter()
        .filter(|entry| entry.kind == Kind::Record)
}

/// The last record of a log's file.
pub(super) fn last_record(path: &str) -> Result<Record> {
    let Source::Log(log) = open(path)? else {
        return Err(format!("{path} is a link; this needs a log"));
    };
    for bad in &log.bad {
        eprintln!("assay: line {}: {}", bad.line, bad.message);
    }
    let entry = records(&log)
        .last()
        .ok_or_else(|| format!("{path} holds no record; `assay run` makes one"))?;
    if entry.altered {
        eprintln!(
            "assay: the last record was altered after it was written: its digest does not match"
        );
    }
    record::read(&entry.text)
        .map(|(record, _)| record)
        .map_err(words)
}
