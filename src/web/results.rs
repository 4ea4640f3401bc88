//! What calls of the public API return, as plain objects; JSON would turn a loss of NaN into `null`.

use crate::api::{Counts, Evaluation, Info, Trained};
use wasm_bindgen::JsValue;

/// A `TrainResult`.
pub(super) fn trained(trained: &Trained) -> JsValue {
    let non_finite = trained.non_finite.map_or(JsValue::NULL, JsValue::from);
    object(&[
        ("loss", trained.loss.into()),
        ("accuracy", trained.accuracy.into()),
        ("steps", trained.steps.into()),
        ("rows", count(trained.rows)),
        ("nonFinite", non_finite),
    ])
}

/// An `Evaluation`.
pub(super) fn evaluation(it: Evaluation) -> JsValue {
    object(&[
        ("rows", it.rows.into()),
        ("correct", it.correct.into()),
        ("accuracy", it.accuracy.into()),
        ("low", it.low.into()),
        ("high", it.high.into()),
        ("confidence", it.confidence.into()),
        ("loss", it.loss.into()),
        ("predictionsDigest", it.predictions_digest.into()),
    ])
}

/// A `ModelInfo`; with the adapter's name a `GpuModelInfo`.
pub(super) fn info(info: Info, adapter: Option<&str>) -> JsValue {
    let shape: js_sys::Array = info.input.iter().map(|&size| JsValue::from(size)).collect();
    let mut entries = vec![
        ("inputShape", shape.into()),
        ("rowLength", info.input.iter().product::<u32>().into()),
        ("classes", info.classes.into()),
        ("parameters", count(info.parameters)),
        ("macs", count(info.macs)),
        ("weightBytes", count(info.weight_bytes)),
        ("scheme", info.scheme.into()),
        ("engine", info.engine.into()),
        ("arithmetic", info.arithmetic.into()),
        ("batch", info.batch.into()),
        ("steps", count(info.steps)),
    ];
    entries.extend(adapter.map(|name| ("adapter", name.into())));
    object(&entries)
}

/// A `GpuCounts`.
pub(super) fn counts(counts: Counts) -> JsValue {
    object(&[
        ("dispatches", count(counts.dispatches)),
        ("submissions", count(counts.submissions)),
        ("synchronizations", count(counts.synchronizations)),
        ("bytesUp", count(counts.bytes_up)),
        ("bytesDown", count(counts.bytes_down)),
    ])
}

fn object(entries: &[(&str, JsValue)]) -> JsValue {
    let object = js_sys::Object::new();
    for (key, value) in entries {
        // Setting a property of a fresh plain object cannot fail.
        let _ = js_sys::Reflect::set(&object, &JsValue::from_str(key), value);
    }
    object.into()
}

/// A count as a JavaScript number: the limits of `model` keep it far below 2^53.
fn count(count: u64) -> JsValue {
    (count as f64).into()
}
