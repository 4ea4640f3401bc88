//! The log as JSON Lines: every record and annotation as it was stored, so that importing it again changes nothing.

use super::super::log::{Entry, Kind};
use crate::order;
use serde_json::Value;

/// Writes entries, a line each: records by their start, then annotations by their moment. The same set of entries gives
/// the same text, whatever their order.
#[must_use]
pub fn write(entries: &[Entry]) -> String {
    let mut lines: Vec<(Kind, String, &str, String)> = entries
        .iter()
        .map(|entry| {
            let value = serde_json::from_str::<Value>(&entry.text).unwrap_or_default();
            let moment = match entry.kind {
                Kind::Record => value.get("started"),
                Kind::Annotation => value.get("at"),
            };
            let moment = moment.and_then(Value::as_str).unwrap_or_default().into();
            let line = if entry.text.contains(['\n', '\r']) {
                // An indented document: line breaks cannot be part of its values, so its digest stays.
                crate::digest::canonical_json(&value)
            } else {
                entry.text.clone()
            };
            (entry.kind, moment, entry.digest.as_str(), line)
        })
        .collect();
    order::sort(&mut lines);
    lines.into_iter().fold(String::new(), |mut text, line| {
        text.push_str(&line.3);
        text.push('\n');
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runlog::{annotation, log};
    use serde_json::json;

    #[test]
    fn what_is_exported_reads_back_to_the_same_log() {
        let sample: Value = serde_json::from_str(crate::runlog::SAMPLE).expect("JSON");
        let note = |text: &str, at| {
            annotation::write(&"0".repeat(64), "note", json!(text), at).expect("fits")
        };
        let altered = crate::runlog::SAMPLE.replace("\"correct\":353", "\"correct\":360");
        let text = [
            note("later\nline", 2.0),
            altered,
            crate::runlog::SAMPLE.into(),
            note("sooner", 1.0),
        ]
        .join("\n");
        let log = log::read(&text).expect("reads");
        assert!(log.bad.is_empty());
        let mut entries = log.entries.clone();
        let exported = write(&entries);
        entries.reverse();
        assert_eq!(write(&entries), exported);
        assert_eq!(exported.lines().count(), 4);
        assert!(
            exported
                .lines()
                .last()
                .expect("four")
                .contains("later\\nline")
        );
        let again = log::read(&exported).expect("reads");
        assert!(again.bad.is_empty());
        assert_eq!(
            log::merge(log.entries, again.entries.clone()).len(),
            again.entries.len()
        );
        // An indented record becomes one line with the same digest.
        entries[0].text = format!("{sample:#}");
        entries.truncate(1);
        assert_eq!(write(&entries).lines().count(), 1);
    }
}
