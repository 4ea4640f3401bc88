//! A document as its canonical text reads; it checks nothing.

use crate::digest;
use serde_json::Value;

/// The value as its canonical text reads, where a whole number written as `1.0` is one.
///
/// # Errors
/// Never: canonical text is JSON.
pub(crate) fn canonical(value: &Value) -> Result<Value, String> {
    serde_json::from_str(&digest::canonical_json(value)).map_err(|error| error.to_string())
}
