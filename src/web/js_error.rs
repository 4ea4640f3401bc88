//! Errors as JavaScript sees them: an `AssayError`, which is an `Error`, with a stable `kind`.

use crate::error::Error;
use serde_json::json;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(module = "/src/web/assay_error.js")]
extern "C" {
    type AssayError;

    #[wasm_bindgen(constructor)]
    fn new(kind: &str, message: &str) -> AssayError;

    // The class once more, as a function that nobody calls: so bindgen lets the module export it, for `instanceof`, with
    // the types below instead of its own.
    #[wasm_bindgen(js_name = AssayError, reexport, skip_typescript)]
    fn exported();
}

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** Everything that the module throws about its input; what it throws beside is a defect. */
export class AssayError extends Error {
  constructor(kind: string, message: string);
  readonly name: "AssayError";
  /** Stable, for programs; the message is for people. */
  readonly kind: "bad-input" | "no-file" | "too-large" | "unsupported" | "recipe" | "link" | "record" | "stopped" | "engine" | (string & {});
  /** What is wrong with a recipe, field by field; only where `kind` is `recipe`. */
  readonly problems?: { path: string, message: string }[];
}
"#;

/// The JavaScript form of an error; a recipe's problems come along one by one.
pub(super) fn js_error(error: &Error) -> JsValue {
    let thrown = JsValue::from(AssayError::new(error.kind(), &error.to_string()));
    if let Error::Recipe(problems) = error {
        let problems: Vec<_> = problems
            .iter()
            .map(|it| json!({ "path": it.path, "message": it.message }))
            .collect();
        if let Ok(problems) = to_js(&problems) {
            // Setting a property of a fresh object cannot fail.
            let _ = js_sys::Reflect::set(&thrown, &"problems".into(), &problems);
        }
    }
    thrown
}

/// A plain JavaScript value: maps as objects, `null` for nothing.
pub(super) fn to_js<T: serde::Serialize + ?Sized>(value: &T) -> Result<JsValue, JsValue> {
    value
        .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
        .map_err(Into::into)
}
