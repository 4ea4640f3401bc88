//! What the page asks at once: recipes, links, records, charts. Documents come and go as JSON text, the rest as plain objects.

use super::clock::wall_millis;
use super::js_error::{js_error, to_js};
use crate::error::{Error, Result};
use crate::lab::desk;
use crate::recipe::{self, Recipe, fields::FIELDS};
use crate::runlog::{annotation, claim::Claim, export, link, log, record, summary, verdict};
use serde::Serialize;
use serde_json::{Value, json};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// What JavaScript gets: the value, or an `AssayError`.
type Js = std::result::Result<JsValue, JsValue>;

pub(super) fn answer<T: Serialize>(result: Result<T>) -> Js {
    match result {
        Ok(value) => to_js(&value),
        Err(error) => Err(js_error(&error)),
    }
}

pub(super) fn text(result: Result<String>) -> std::result::Result<String, JsValue> {
    result.map_err(|error| js_error(&error))
}

/// What JavaScript handed over, as `JSON.stringify` has it: what is `undefined` or no number is `null` or absent.
pub(super) fn value_from(value: &JsValue) -> Result<Value> {
    let unfit = |got: &str| Error::bad_input("a value", "what JSON can hold", got);
    let text = js_sys::JSON::stringify(value).map_err(|_| unfit("another one"))?;
    match text.as_string() {
        Some(text) => serde_json::from_str(&text).map_err(|error| unfit(&error.to_string())),
        // `undefined` has no text.
        None => Ok(Value::Null),
    }
}

/// Version of the app and of the CPU engine's arithmetic: `{ app, arithmetic }`.
///
/// # Errors
/// Never.
#[wasm_bindgen]
pub fn version() -> Js {
    console_error_panic_hook::set_once();
    to_js(&json!({ "app": env!("CARGO_PKG_VERSION"), "arithmetic": desk::ARITHMETIC }))
}

/// The table of a recipe's fields.
///
/// # Errors
/// Never.
#[wasm_bindgen]
pub fn fields() -> Js {
    to_js(FIELDS)
}

/// The default recipe of a family on a set, as JSON text.
#[wasm_bindgen(js_name = defaultRecipe)]
#[must_use]
pub fn default_recipe(set: &str, family: &str) -> String {
    Recipe::default_for(set, family).to_json()
}

/// Sets one field; fields that a choice brings get their defaults, those that it removes go. The family `graph` starts
/// from the layers of the family before.
///
/// # Errors
/// Throws `recipe` when the text is no JSON object or the path names no field.
#[wasm_bindgen(js_name = changeRecipe)]
pub fn change_recipe(
    recipe: &str,
    path: &str,
    value: JsValue,
) -> std::result::Result<String, JsValue> {
    text(value_from(&value).and_then(|value| desk::change_recipe(recipe, path, value)))
}

/// `{ recipe, text, digest, cost }` of a recipe that can be run.
///
/// # Errors
/// Throws `recipe` with `problems`, or `too-large`.
#[wasm_bindgen(js_name = checkRecipe)]
pub fn check_recipe(recipe: &str) -> Js {
    answer(desk::check_recipe(recipe).map(|checked| {
        json!({
            "recipe": checked.recipe,
            "text": checked.recipe.to_json(),
            "digest": checked.recipe.digest(),
            "cost": checked.cost,
        })
    }))
}

/// Seals an unfinished record, as a `checkpoint` event carries it: `{ record, digest }`.
///
/// # Errors
/// Throws `record` when the text is no record.
#[wasm_bindgen(js_name = sealRecord)]
pub fn seal_record(unsealed: &str) -> Js {
    answer(
        record::seal_text(unsealed)
            .map(|(record, digest)| json!({ "record": record, "digest": digest })),
    )
}

/// `{ record, altered, digest }`.
///
/// # Errors
/// Throws `record` when the text is no record of this version.
#[wasm_bindgen(js_name = readRecord)]
pub fn read_record(record: &str) -> Js {
    answer(record::read(record).map(|(record, altered)| {
        let digest = record.digest.clone();
        json!({ "record": record, "altered": altered, "digest": digest })
    }))
}

/// The flat row of a record in the run table.
///
/// # Errors
/// Throws `record` when the text is no record of this version.
#[wasm_bindgen]
pub fn summarize(record: &str) -> Js {
    answer(summary::summarize(record))
}

/// Packs a recipe into a link: `{ fragment, bytes, carries }`.
///
/// # Errors
/// Throws `recipe` when it cannot be read.
#[wasm_bindgen(js_name = packRecipe)]
pub fn pack_recipe(recipe: &str) -> Js {
    answer(recipe::from_json(recipe).and_then(|recipe| link::pack_recipe(&recipe)))
}

/// Packs the claim of a record into a link: `{ fragment, bytes, carries }`. `by` is a name that the sender typed, or empty.
///
/// # Errors
/// Throws `record` when it cannot be read.
#[wasm_bindgen(js_name = packClaim)]
pub fn pack_claim(record: &str, by: &str) -> Js {
    answer(
        record::read(record)
            .and_then(|(record, _)| Claim::from_record(&record, by))
            .and_then(|claim| link::pack_claim(&claim)),
    )
}

/// Reads a link's fragment: `{ kind, recipeText, recipeDigest, claim?, claimText?, banner? }`.
///
/// # Errors
/// Throws `link` or `recipe`, in words.
#[wasm_bindgen(js_name = openLink)]
pub fn open_link(fragment: &str) -> Js {
    answer(link::open(fragment).map(|opened| opened.describe()))
}

/// The verdict on a record that re-ran a claim.
///
/// # Errors
/// Throws `link` or `record` when one of them cannot be read.
#[wasm_bindgen]
pub fn judge(claim: &str, record: &str) -> Js {
    answer(verdict::judge_texts(claim, record))
}

/// How two records differ; the second is judged against the first.
///
/// # Errors
/// Throws `record` when one of them cannot be read.
#[wasm_bindgen]
pub fn compare(first: &str, second: &str) -> Js {
    answer(desk::compare_records(first, second))
}

/// An annotation of a record, sealed, as JSON text.
///
/// # Errors
/// Throws `bad-input` for an unknown field or a value that it cannot hold.
#[wasm_bindgen]
pub fn annotate(digest: &str, field: &str, value: JsValue) -> std::result::Result<String, JsValue> {
    text(
        value_from(&value).and_then(|value| annotation::write(digest, field, value, wall_millis())),
    )
}

/// What annotations say of each record: `{ [digest]: { name, note, pin, deleted } }`.
///
/// # Errors
/// Never: texts that are no annotations are passed over.
#[wasm_bindgen(js_name = annotationState)]
pub fn annotation_state(annotations: Vec<String>) -> Js {
    to_js(&annotation::state_of_texts(&annotations))
}

/// Reads JSON Lines: `{ entries: [{ kind, digest, text, altered }], bad: [{ line, message }] }`.
///
/// # Errors
/// Throws `record` when the whole is too large.
#[wasm_bindgen(js_name = readLog)]
pub fn read_log(lines: &str) -> Js {
    answer(log::read(lines))
}

/// Records as CSV, with the names and notes that annotations (JSON texts) give them.
///
/// # Errors
/// Throws `record` when one of the records cannot be read.
#[wasm_bindgen]
pub fn csv(
    records: Vec<String>,
    annotations: Option<Vec<String>>,
) -> std::result::Result<String, JsValue> {
    let summaries: Result<Vec<_>> = records.iter().map(|it| summary::summarize(it)).collect();
    let states = annotation::state_of_texts(&annotations.unwrap_or_default());
    text(summaries.map(|summaries| export::csv::write(&summaries, &states)))
}
