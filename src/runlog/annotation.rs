//! What people add to a record later, each as a document of its own: name, note, pin, deletion; records never change.

use super::document;
use super::time::{is_rfc3339_millis, rfc3339_millis};
use super::words::cut;
use crate::error::{Error, Result};
use crate::recipe::Extra;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The version of the annotation that this build writes.
pub const VERSION: u32 = 1;
/// An annotation's text is refused above this size before it is parsed.
pub const MAX_ANNOTATION_BYTES: usize = 256 * 1024;
/// Characters of a name.
pub const MAX_NAME: usize = 120;
/// Characters of a note.
pub const MAX_NOTE: usize = 20_000;

/// One addition to one record. A later one about the same field replaces it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Annotation {
    /// Always `"annotation"`.
    pub assay: String,
    /// Version of the form of this document.
    pub version: u32,
    /// Digest of the record.
    pub record: String,
    /// `name`, `note`, `pin` or `deleted`; others, of later versions, are kept and have no effect.
    pub field: String,
    /// A text for `name` and `note`, true or false for `pin` and `deleted`.
    pub value: Value,
    /// When, RFC 3339 in UTC with milliseconds.
    pub at: String,
    /// SHA-256 of the canonical form of everything else in this document.
    #[serde(default)]
    pub digest: String,
    /// Fields of later versions.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What the annotations of one record come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// Its name, or empty.
    pub name: String,
    /// Its note, or empty.
    pub note: String,
    /// Whether it is a baseline.
    pub pin: bool,
    /// Since when, RFC 3339; empty when it is none. The newest pin is the baseline.
    pub pinned_at: String,
    /// Whether it is hidden from the table; nothing is ever removed.
    pub deleted: bool,
}

/// Makes an annotation's sealed text; `unix_millis` is the moment by the wall clock.
///
/// # Errors
/// [`Error::BadInput`] for an unknown field, a value of the wrong type, or a text that is too long.
pub fn write(record: &str, field: &str, value: Value, unix_millis: f64) -> Result<String> {
    if !is_digest(record) {
        return Err(Error::bad_input(
            "the record to annotate",
            "a digest of 64 hexadecimal digits",
            format!("{:?}", cut(record, 80)),
        ));
    }
    check(field, &value)?;
    let (text, _) = document::seal(document::object([
        ("assay", Value::from("annotation")),
        ("version", Value::from(VERSION)),
        ("record", Value::from(record)),
        ("field", Value::from(field)),
        ("value", value),
        ("at", Value::from(rfc3339_millis(unix_millis))),
    ]));
    Ok(text)
}

fn check(field: &str, value: &Value) -> Result<()> {
    let (fits, expected) = match field {
        "name" => (
            is_text(value, MAX_NAME),
            format!("a text of at most {MAX_NAME} characters"),
        ),
        "note" => (
            is_text(value, MAX_NOTE),
            format!("a text of at most {MAX_NOTE} characters"),
        ),
        "pin" | "deleted" => (value.is_boolean(), "true or false".into()),
        other => {
            return Err(Error::bad_input(
                "the field to annotate",
                "one of name, note, pin, deleted",
                format!("{:?}", cut(other, 40)),
            ));
        }
    };
    if fits {
        Ok(())
    } else {
        let got = cut(&value.to_string(), 40);
        Err(Error::bad_input(field, expected, got))
    }
}

fn is_text(value: &Value, characters: usize) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.chars().count() <= characters)
}

/// Whether `text` is a digest: 64 lowercase hexadecimal digits.
pub(super) fn is_digest(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Reads an annotation; the second value is whether it was altered after it was sealed.
///
/// # Errors
/// [`Error::Record`] when it is too long, not JSON, not an annotation, of another version, or a value does not fit.
pub fn read(text: &str) -> Result<(Annotation, bool)> {
    document::open(text, "annotation", VERSION, MAX_ANNOTATION_BYTES)
        .and_then(from_opened)
        .map_err(Error::Record)
}

/// As [`read`], for JSON that was parsed before; the message is in words.
pub(super) fn from_opened(opened: document::Opened) -> Result<(Annotation, bool), String> {
    let mut annotation: Annotation = document::typed(&opened.value)?;
    if !is_rfc3339_millis(&annotation.at) {
        return Err(format!(
            "at: expected a moment such as 2026-07-31T09:05:00.000Z, got {:?}",
            cut(&annotation.at, 40)
        ));
    }
    if !is_digest(&annotation.record) {
        return Err("record: expected a digest of 64 hexadecimal digits".into());
    }
    if matches!(
        annotation.field.as_str(),
        "name" | "note" | "pin" | "deleted"
    ) {
        check(&annotation.field, &annotation.value).map_err(|error| error.to_string())?;
    }
    annotation.digest = opened.digest;
    Ok((annotation, opened.altered))
}

/// What annotations come to, by the digest of their record: for each field the newest counts, of equally old ones the
/// one with the larger digest. The order in which they are given changes nothing.
#[must_use]
pub fn state(annotations: &[Annotation]) -> BTreeMap<String, State> {
    let mut newest: BTreeMap<(&str, &str), &Annotation> = BTreeMap::new();
    for annotation in annotations {
        let entry = newest
            .entry((&annotation.record, &annotation.field))
            .or_insert(annotation);
        if (&annotation.at, &annotation.digest) > (&entry.at, &entry.digest) {
            *entry = annotation;
        }
    }
    let mut states: BTreeMap<String, State> = BTreeMap::new();
    for ((record, field), annotation) in newest {
        let state = states.entry(record.to_owned()).or_default();
        let text = || annotation.value.as_str().unwrap_or_default().to_owned();
        let flag = annotation.value.as_bool().unwrap_or_default();
        match field {
            "name" => state.name = text(),
            "note" => state.note = text(),
            "pin" => {
                state.pin = flag;
                state.pinned_at = if flag {
                    annotation.at.clone()
                } else {
                    String::new()
                };
            }
            "deleted" => state.deleted = flag,
            _ => {}
        }
    }
    states
}

/// As [`state`], from texts. Those that cannot be read or were altered have no effect.
#[must_use]
pub fn state_of_texts(texts: &[String]) -> BTreeMap<String, State> {
    let annotations: Vec<Annotation> = texts
        .iter()
        .filter_map(|text| read(text).ok())
        .filter(|(_, altered)| !altered)
        .map(|(annotation, _)| annotation)
        .collect();
    state(&annotations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record() -> String {
        "ab".repeat(32)
    }

    fn make(field: &str, value: Value, at: f64) -> String {
        write(&record(), field, value, at).expect("fits")
    }

    #[test]
    fn the_newest_of_each_field_counts_whatever_the_order() {
        let mut texts = vec![
            make("name", json!("first"), 1000.0),
            make("name", json!("second"), 2000.0),
            make("pin", json!(true), 1000.0),
            make("deleted", json!(true), 1000.0),
            make("deleted", json!(false), 1001.0),
            make("note", json!("slow start\nthen fine"), 5.0),
        ];
        let forward = state_of_texts(&texts);
        texts.reverse();
        assert_eq!(state_of_texts(&texts), forward);
        assert_eq!(
            forward[&record()],
            State {
                name: "second".into(),
                note: "slow start\nthen fine".into(),
                pin: true,
                pinned_at: "1970-01-01T00:00:01.000Z".into(),
                deleted: false,
            }
        );
    }

    #[test]
    fn two_tabs_at_the_same_millisecond_agree_on_one() {
        let texts = [
            make("name", json!("left"), 7.0),
            make("name", json!("right"), 7.0),
        ];
        let swapped = [texts[1].clone(), texts[0].clone()];
        assert_eq!(state_of_texts(&texts), state_of_texts(&swapped));
    }

    #[test]
    fn an_altered_annotation_has_no_effect() {
        let text = make("note", json!("kept 5 of 5"), 7.0);
        let altered = text.replace("5 of 5", "1 of 5");
        assert!(!read(&text).expect("reads").1);
        assert!(read(&altered).expect("reads").1);
        assert!(state_of_texts(&[altered]).is_empty());
    }

    #[test]
    fn fields_of_later_versions_are_kept_without_effect() {
        let (text, _) = document::seal(json!({
            "assay": "annotation", "version": 1, "record": record(), "field": "decision",
            "value": {"ship": true}, "at": "2026-01-01T00:00:00.000Z", "more": 1,
        }));
        let (annotation, altered) = read(&text).expect("reads");
        assert!(!altered);
        assert_eq!(annotation.extra["more"], 1);
        assert_eq!(state(&[annotation])[&record()], State::default());
    }

    #[test]
    fn refuses_what_does_not_fit() {
        for (field, value) in [
            ("pin", json!("yes")),
            ("name", json!(3)),
            ("name", json!("x".repeat(121))),
            ("colour", json!("red")),
        ] {
            let error = write(&record(), field, value, 0.0).expect_err("refused");
            assert_eq!(error.kind(), "bad-input");
        }
        assert!(write("short", "pin", json!(true), 0.0).is_err());
        let text = make("pin", json!(true), 0.0).replace("1970-01-01T00", "yesterday at 00");
        assert!(read(&text).is_err());
    }
}
