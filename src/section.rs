//! From a JSON value to its Rust form, and parts of documents that keep the fields that they do not know; it checks types
//! alone, no ranges.
//!
//! What serde derives for a flattened map is a copy of a general reader for each type, 3 to 5 kB of the page's module. This
//! is one: a JSON object from which the known fields are taken, and what is left is kept.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The value in its Rust form, for all documents by one way: text becomes a value first, and values come here, because each
/// type that is read costs its code once for each deserializer.
///
/// # Errors
/// In words, what does not fit.
pub(crate) fn typed<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    T::deserialize(value).map_err(|error| error.to_string())
}

/// Takes a field. Where it is absent, what an absent one means for its type; an error for a type that has to be there.
///
/// # Errors
/// In words, what does not fit.
pub(crate) fn take<T: DeserializeOwned>(
    object: &mut Map<String, Value>,
    name: &str,
) -> Result<T, String> {
    match object.remove(name) {
        Some(value) => typed(&value),
        None => typed(&Value::Null).map_err(|_| format!("missing field `{name}`")),
    }
}

/// Takes a field that may be absent.
///
/// # Errors
/// As [`take`].
pub(crate) fn take_or_default<T: DeserializeOwned + Default>(
    object: &mut Map<String, Value>,
    name: &str,
) -> Result<T, String> {
    object
        .remove(name)
        .map_or_else(|| Ok(T::default()), |value| typed(&value))
}

/// Implements `Deserialize` for a type: its fields that are there or have an absence of their own, and those whose absence is
/// their default; a third list has those that are no part of the document. Without the colon it has a field `extra` for what
/// is unknown; with it what is unknown is left out.
macro_rules! section {
    ($type:ident: { $($field:ident),* } { $($default:ident),* } $({ $($skipped:ident),* })?) => {
        $crate::section::section!(@ $type object { $($field),* } { $($default),* } {
            let _ = object;
        } { $($($skipped: Default::default(),)*)? });
    };
    ($type:ident { $($field:ident),* } { $($default:ident),* } { $($skipped:ident),* }) => {
        $crate::section::section!(@ $type object { $($field),* } { $($default),* } {} {
            $($skipped: Default::default(),)*
            extra: object,
        });
    };
    (@ $type:ident $object:ident { $($field:ident),* } { $($default:ident),* } { $($end:tt)* } { $($rest:tt)* }) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> std::result::Result<Self, D::Error> {
                let mut $object = serde_json::Map::deserialize(deserializer)?;
                $(let $field = $crate::section::take(&mut $object, stringify!($field)).map_err(serde::de::Error::custom)?;)*
                $(let $default = $crate::section::take_or_default(&mut $object, stringify!($default)).map_err(serde::de::Error::custom)?;)*
                $($end)*
                Ok(Self { $($field,)* $($default,)* $($rest)* })
            }
        }
    };
}
pub(crate) use section;

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize as _, Serialize};
    use serde_json::json;

    #[derive(Debug, PartialEq, Serialize)]
    struct Part {
        count: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        word: Option<String>,
        #[serde(skip_serializing_if = "String::is_empty")]
        note: String,
        #[serde(flatten)]
        extra: Map<String, Value>,
        #[serde(skip)]
        text: String,
    }
    section!(Part { count, word } { note } { text });

    #[test]
    fn unknown_fields_are_kept_and_come_back() {
        let whole = json!({"count": 3, "word": "a", "note": "b", "later": [1, null]});
        let part = Part::deserialize(&whole).expect("fits");
        assert_eq!(
            part.extra,
            Map::from_iter([("later".into(), json!([1, null]))])
        );
        assert_eq!(json!(part), whole);
    }

    #[test]
    fn absent_fields_are_what_their_absence_means() {
        for least in [json!({"count": 3}), json!({"count": 3, "word": null})] {
            let part = Part::deserialize(&least).expect("fits");
            assert_eq!((part.word.as_deref(), part.note.as_str()), (None, ""));
            assert_eq!(json!(part), json!({"count": 3}));
        }
    }

    #[test]
    fn what_does_not_fit_is_told() {
        for (wrong, told) in [
            (json!({"word": "a"}), "missing field `count`"),
            (
                json!({"count": "3"}),
                "invalid type: string \"3\", expected u32",
            ),
            (
                json!({"count": -1}),
                "invalid value: integer `-1`, expected u32",
            ),
            (
                json!({"count": 3, "note": null}),
                "invalid type: null, expected a string",
            ),
            (json!([3]), "invalid type: sequence, expected a map"),
        ] {
            assert_eq!(
                Part::deserialize(&wrong).expect_err("refused").to_string(),
                told
            );
        }
    }
}
