//! A log as JSON Lines: reading with the bad lines listed, merging as a union by digest; it stores nothing itself.

use super::words::{count, cut};
use super::{annotation, document, record};
use crate::error::{Error, Result};
use serde::Serialize;
use std::collections::BTreeMap;

/// A log's text is refused above this size before it is parsed.
pub const MAX_LOG_BYTES: usize = 64 * 1024 * 1024;
/// Bad lines that are listed one by one; the rest are counted in one more entry.
pub const MAX_BAD_LINES: usize = 1000;

/// Bad lines after which a text is taken for something else than a log.
pub const MAX_UNREADABLE_LINES: usize = 100_000;

/// What a line holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A [`record::Record`].
    Record,
    /// An [`annotation::Annotation`].
    Annotation,
}

/// One good line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Digest of its content: its key, so that an altered copy never takes the place of the original.
    pub digest: String,
    /// The line as it came, without surrounding white space.
    pub text: String,
    /// Whether the digest that it states does not match its content.
    pub altered: bool,
}

/// One line that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BadLine {
    /// Its number, counted from 1.
    pub line: u32,
    /// Why, in words.
    pub message: String,
}

/// A log as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Log {
    /// The good lines, each content once, in the order of the file.
    pub entries: Vec<Entry>,
    /// The others, at most [`MAX_BAD_LINES`] and one that counts the rest.
    pub bad: Vec<BadLine>,
}

/// Reads a log. Blank lines are ignored, bad ones are listed, altered ones kept and marked.
///
/// # Errors
/// [`Error::Record`] when the whole text is too long, or has more than [`MAX_UNREADABLE_LINES`] bad lines.
pub fn read(text: &str) -> Result<Log> {
    read_limited(text, MAX_LOG_BYTES)
}

fn read_limited(text: &str, max_bytes: usize) -> Result<Log> {
    if text.len() > max_bytes {
        return Err(Error::Record(format!(
            "the log has {} bytes, and at most {} are read at once. Split the file between two lines and import the parts one after the other",
            count(text.len() as u64),
            count(max_bytes as u64)
        )));
    }
    let mut entries = Vec::new();
    let mut bad = Vec::new();
    let mut unlisted: usize = 0;
    // Some editors start a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in (1_u32..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        match read_entry(line) {
            Ok(entry) => entries.push(entry),
            Err(message) if bad.len() < MAX_BAD_LINES => bad.push(BadLine {
                line: number,
                message,
            }),
            Err(_) => {
                unlisted += 1;
                if unlisted > MAX_UNREADABLE_LINES {
                    return Err(Error::Record(format!(
                        "more than {} of its lines are no records, so this is not a log. Choose a file that Assay exported as JSON Lines",
                        count(MAX_UNREADABLE_LINES as u64)
                    )));
                }
                if unlisted == 1 {
                    bad.push(BadLine {
                        line: number,
                        message: String::new(),
                    });
                }
            }
        }
    }
    if unlisted > 0
        && let Some(last) = bad.last_mut()
    {
        last.message = format!(
            "this line and {} later ones cannot be read either",
            count(unlisted as u64 - 1)
        );
    }
    Ok(Log {
        entries: merged(entries),
        bad,
    })
}

/// Reads one line; the message is in words.
fn read_entry(line: &str) -> Result<Entry, String> {
    let value = document::parse(line, "record", record::MAX_RECORD_BYTES)?;
    let kind = document::kind_of(&value).map(str::to_owned);
    let (kind, digest, altered) = match kind.as_deref() {
        Some("record") => {
            let opened = document::open_value(value, "record", record::VERSION)?;
            let opened = record::from_opened(opened)?;
            (Kind::Record, opened.digest, opened.altered)
        }
        Some("annotation") => {
            if line.len() > annotation::MAX_ANNOTATION_BYTES {
                return Err(format!(
                    "the line has {} bytes; an annotation has at most {}",
                    line.len(),
                    annotation::MAX_ANNOTATION_BYTES
                ));
            }
            let opened = document::open_value(value, "annotation", annotation::VERSION)?;
            let (annotation, altered) = annotation::from_opened(opened)?;
            (Kind::Annotation, annotation.digest, altered)
        }
        Some(other) => {
            return Err(format!(
                "expected a record or an annotation, got a {:?}; a newer Assay may know it",
                cut(other, 40)
            ));
        }
        None => {
            return Err(
                "this JSON is neither a record nor an annotation: \"assay\" is missing".into(),
            );
        }
    };
    Ok(Entry {
        kind,
        digest,
        text: line.to_owned(),
        altered,
    })
}

/// The union of two logs: every content once; of two copies the one that states its digest rightly. Those of `first`
/// come first; merging in another order gives the same set.
#[must_use]
pub fn merge(first: Vec<Entry>, second: Vec<Entry>) -> Vec<Entry> {
    merged(first.into_iter().chain(second))
}

fn merged(entries: impl IntoIterator<Item = Entry>) -> Vec<Entry> {
    let mut places: BTreeMap<(Kind, String), usize> = BTreeMap::new();
    let mut kept: Vec<Entry> = Vec::new();
    for entry in entries {
        match places.get(&(entry.kind, entry.digest.clone())) {
            None => {
                places.insert((entry.kind, entry.digest.clone()), kept.len());
                kept.push(entry);
            }
            Some(&place) if kept[place].altered && !entry.altered => kept[place] = entry,
            Some(_) => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn record(seed: u32) -> String {
        let mut value: Value = serde_json::from_str(crate::runlog::SAMPLE).expect("JSON");
        value["recipe"]["seed"] = json!(seed);
        let record: record::Record = serde_json::from_value(value).expect("a record");
        let recipe_digest = record.recipe.digest();
        record::seal(record::Record {
            recipe_digest,
            ..record
        })
        .0
    }

    fn note(text: &str) -> String {
        annotation::write(&"0".repeat(64), "note", json!(text), 0.0).expect("fits")
    }

    #[test]
    fn keeps_the_good_lines_and_lists_the_bad_ones_by_number() {
        let newer = note("x").replace("\"version\":1", "\"version\":7");
        let lines = [
            record(1),
            String::new(),
            "{\"assay\":\"record\",".into(),
            note("fine"),
            "  ".into(),
            "42".into(),
            "{\"assay\":\"findings\",\"version\":1}".into(),
            newer,
            record(2),
            "{\"assay\":\"record\",\"version\":1}".into(),
        ];
        let log = read(&lines.join("\r\n")).expect("reads");
        let kinds: Vec<Kind> = log.entries.iter().map(|entry| entry.kind).collect();
        assert_eq!(kinds, [Kind::Record, Kind::Annotation, Kind::Record]);
        assert!(log.entries.iter().all(|entry| !entry.altered));
        let bad: Vec<u32> = log.bad.iter().map(|bad| bad.line).collect();
        assert_eq!(bad, [3, 6, 7, 8, 10]);
        assert!(log.bad[3].message.contains("version 7"), "{:?}", log.bad[3]);
        assert!(
            log.bad[4].message.contains("missing field"),
            "{:?}",
            log.bad[4]
        );
    }

    #[test]
    fn an_altered_record_is_marked_and_never_replaces_the_original() {
        let original = record(1);
        let altered = original.replace("\"correct\":353", "\"correct\":360");
        assert_ne!(original, altered);
        for lines in [[&original, &altered], [&altered, &original]] {
            let log = read(&format!("{}\n{}", lines[0], lines[1])).expect("reads");
            assert_eq!(log.entries.len(), 2);
            for entry in &log.entries {
                assert_eq!(entry.altered, entry.text == altered);
            }
            assert_ne!(log.entries[0].digest, log.entries[1].digest);
        }
    }

    #[test]
    fn merging_is_a_union_in_any_order() {
        let a = read(&format!("{}\n{}\n{}", record(1), record(2), note("a")))
            .expect("reads")
            .entries;
        let b = read(&format!("{}\n{}\n{}", record(2), note("a"), record(3)))
            .expect("reads")
            .entries;
        let keys = |entries: Vec<Entry>| {
            let mut keys: Vec<String> = entries.into_iter().map(|entry| entry.digest).collect();
            keys.sort();
            keys
        };
        let forward = keys(merge(a.clone(), b.clone()));
        assert_eq!(forward.len(), 4);
        assert_eq!(forward, keys(merge(b, a.clone())));
        assert_eq!(merge(a.clone(), a.clone()), a);
    }

    #[test]
    fn a_log_that_is_too_long_is_refused_in_words() {
        let error = read_limited("0123456789", 9).expect_err("refused");
        assert!(error.to_string().contains("Split the file"), "{error}");
    }

    #[test]
    fn a_file_of_another_kind_is_not_listed_without_end() {
        let error = read(&"x\n".repeat(110_000)).expect_err("refused");
        assert!(error.to_string().contains("not a log"), "{error}");
        let log = read(&"not a log\n".repeat(5000)).expect("reads");
        assert_eq!(log.bad.len(), MAX_BAD_LINES + 1);
        let last = &log.bad[MAX_BAD_LINES];
        assert_eq!(last.line, 1001);
        assert!(last.message.contains("3,999 later ones"), "{last:?}");
    }
}
