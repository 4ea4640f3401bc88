//! From a JSON value to its Rust form, for all documents by one way; it checks types alone, no ranges.
//!
//! Each type that is read costs its code once for each deserializer, so there is one in the page's module: text becomes a
//! value first, and values come here.

use crate::digest;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The value in its Rust form.
///
/// # Errors
/// In words, what does not fit.
pub(crate) fn typed<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    T::deserialize(value).map_err(|error| error.to_string())
}

/// The value as its canonical text reads, where a whole number written as `1.0` is one.
///
/// # Errors
/// Never: canonical text is JSON.
pub(crate) fn canonical(value: &Value) -> Result<Value, String> {
    serde_json::from_str(&digest::canonical_json(value)).map_err(|error| error.to_string())
}
