//! Errors as JavaScript sees them: an `Error` named `AssayError` with a stable `kind`.

use crate::error::Error;
use serde_json::json;
use wasm_bindgen::JsValue;

/// The JavaScript form of an error; a recipe's problems come along one by one.
pub(super) fn js_error(error: &Error) -> JsValue {
    let thrown = js_sys::Error::new(&error.to_string());
    thrown.set_name("AssayError");
    let set = |key: &str, value: &JsValue| {
        // Setting a property of a fresh plain object cannot fail.
        let _ = js_sys::Reflect::set(&thrown, &JsValue::from_str(key), value);
    };
    set("kind", &JsValue::from_str(error.kind()));
    if let Error::Recipe(problems) = error {
        let problems: Vec<_> = problems
            .iter()
            .map(|it| json!({ "path": it.path, "message": it.message }))
            .collect();
        if let Ok(problems) = to_js(&problems) {
            set("problems", &problems);
        }
    }
    thrown.into()
}

/// A plain JavaScript value: maps as objects, `null` for nothing.
pub(super) fn to_js<T: serde::Serialize + ?Sized>(value: &T) -> Result<JsValue, JsValue> {
    value
        .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
        .map_err(Into::into)
}
