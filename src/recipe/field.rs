//! What one row of the table of fields says: what a field may hold, what its absence means, when it is there.

use super::fields::{LAYERS, ROWS, SCHEME, at, row};
use serde::Serialize;
use serde_json::Value;

/// What a field may hold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum FieldKind {
    /// A whole number in `min..=max`.
    Integer {
        /// Smallest value.
        min: u32,
        /// Largest value.
        max: u32,
        /// Distance of values that make sense, counted from `min`; a value between them is refused.
        step: u32,
    },
    /// A number in `min..=max`.
    Number {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
    },
    /// One of a few words.
    Choice {
        /// The words, in the order to show them.
        options: &'static [&'static str],
    },
    /// A text of at most `max` characters.
    Text {
        /// Most characters.
        max: u32,
    },
    /// A JSON object whose form another reader checks.
    Object,
}

/// What a field that may be absent then means.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Fallback {
    /// A word of a choice.
    Word(&'static str),
    /// A number.
    Number(f64),
}

impl Fallback {
    /// As it would stand in a document.
    #[must_use]
    pub fn value(self) -> Value {
        match self {
            Self::Word(word) => word.into(),
            Self::Number(number) => number.into(),
        }
    }

    /// Whether a document's value is this one; numbers by their value, however written.
    #[must_use]
    pub fn is(self, value: &Value) -> bool {
        match self {
            Self::Word(word) => value.as_str() == Some(word),
            Self::Number(number) => value.as_f64() == Some(number),
        }
    }
}

/// One field of a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// Dotted path in the document.
    pub path: &'static str,
    /// What it is called on the page; sentence case, no colon.
    pub label: &'static str,
    /// One sentence on what it changes.
    pub help: &'static str,
    /// Unit of the number, or empty.
    pub unit: &'static str,
    /// What it may hold.
    pub kind: FieldKind,
    /// What it means to leave it out; a field without this must be there.
    pub default: Option<Fallback>,
    /// The field is there only where the field at the path holds one of the words, or has one for its default; else it is
    /// always there. A path may
    /// have several rows, for words that no two of them share. The scheme of a single layer counts as the scheme does, but
    /// for `quantization.rows`: layers with a scheme of their own are always padded.
    pub only_when: Option<(&'static str, &'static [&'static str])>,
}

impl Field {
    /// Whether it is there in this document.
    #[must_use]
    pub fn applies(&self, document: &Value) -> bool {
        self.only_when.is_none_or(|(path, words)| {
            let is_one = |value: &Value| value.as_str().is_some_and(|word| words.contains(&word));
            let of_layers = (path == SCHEME && self.path != ROWS)
                .then(|| at(document, LAYERS).and_then(Value::as_object));
            let mut layers = of_layers.flatten().into_iter().flat_map(|it| it.values());
            let is_decided = match at(document, path) {
                Some(value) => is_one(value),
                // What is absent holds its default, where there could be something.
                None => row(path, document)
                    .and_then(|field| field.default)
                    .is_some_and(|default| is_one(&default.value())),
            };
            is_decided || layers.any(is_one)
        })
    }
}
