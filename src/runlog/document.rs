//! What records, annotations and claims have in common: a kind, a version, a size limit and a digest over the rest.
//!
//! It knows nothing of what they hold.

use super::words::cut;
use crate::{digest, recipe};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// A document whose kind and version were found right.
pub(super) struct Opened {
    /// The document, unknown fields included.
    pub(super) value: Value,
    /// SHA-256 of the canonical form of everything but the field `digest`: what the document is.
    pub(super) digest: String,
    /// Whether the field `digest` says something else.
    pub(super) altered: bool,
}

/// The canonical text of a document with its digest, and the digest.
pub(super) fn seal(mut value: Value) -> (String, String) {
    let digest = content_digest(&mut value);
    if let Value::Object(map) = &mut value {
        map.insert("digest".into(), Value::from(digest.clone()));
    }
    (digest::canonical_json(&value), digest)
}

/// Parses a document and checks its size, kind and version; the message says in words what is wrong.
pub(super) fn open(
    text: &str,
    kind: &str,
    version: u32,
    max_bytes: usize,
) -> Result<Opened, String> {
    open_value(parse(text, kind, max_bytes)?, kind, version)
}

/// Parses JSON that should be an object.
pub(super) fn parse(text: &str, kind: &str, max_bytes: usize) -> Result<Value, String> {
    if text.len() > max_bytes {
        return Err(format!(
            "the text has {} bytes; a {kind} has at most {max_bytes}",
            text.len()
        ));
    }
    // serde_json refuses NaN, Infinity and nesting deeper than 128 by itself.
    let value: Value = serde_json::from_str(text)
        .map_err(|error| format!("this is not JSON: {}", cut(&error.to_string(), 200)))?;
    if value.is_object() {
        Ok(value)
    } else {
        Err("expected a JSON object between { and }".into())
    }
}

/// What a document says that it is: `record`, `annotation`, …
pub(super) fn kind_of(value: &Value) -> Option<&str> {
    value.get("assay").and_then(Value::as_str)
}

/// As [`open`], for a value that was parsed before.
pub(super) fn open_value(mut value: Value, kind: &str, version: u32) -> Result<Opened, String> {
    match kind_of(&value) {
        Some(found) if found == kind => {}
        Some(found) => return Err(format!("expected a {kind}, got a {:?}", cut(found, 40))),
        None => {
            return Err(format!(
                "this JSON is not a {kind}: \"assay\": \"{kind}\" is missing"
            ));
        }
    }
    match value.get("version").map(Value::as_u64) {
        Some(Some(found)) if found == u64::from(version) => {}
        Some(Some(found)) => {
            return Err(format!(
                "the {kind} has version {found}; this build reads version {version}. {}",
                if found > u64::from(version) {
                    "Open it with a newer Assay"
                } else {
                    "There never was such a version; export it again"
                }
            ));
        }
        Some(None) => return Err("version: expected a whole number".into()),
        None => {
            return Err(format!(
                "version: missing; this build reads version {version}"
            ));
        }
    }
    let stated = match value.get("digest") {
        Some(Value::String(stated)) => stated.clone(),
        _ => String::new(),
    };
    let digest = content_digest(&mut value);
    if let Value::Object(map) = &mut value {
        map.insert("digest".into(), Value::from(stated.clone()));
    }
    Ok(Opened {
        altered: stated != digest,
        value,
        digest,
    })
}

/// The value in its Rust form; the message names what does not fit.
pub(super) fn typed<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    let read = recipe::typed(value).or_else(|message| {
        if message.contains("floating point") {
            // Through the canonical text, so that a whole number written as `1.0` is one.
            recipe::typed(&recipe::canonical(value)?)
        } else {
            Err(message)
        }
    });
    read.map_err(|message| cut(&message, 200))
}

/// An object of plain values.
pub(super) fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let mut object = Map::new();
    for (key, value) in fields {
        object.insert(key.to_owned(), value);
    }
    Value::Object(object)
}

/// Digest of everything but the field `digest`, which is taken out.
fn content_digest(value: &mut Value) -> String {
    if let Value::Object(map) = value {
        map.remove("digest");
    }
    digest::json_digest(value)
}
