//! Opens a GPU with the kernels' texts, which are a file of their own beside the module; nobody without a GPU fetches it.

use crate::api::{Gpu, supply_kernels};
use crate::error::{Error, Result};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(module = "/src/web/kernel_texts.js")]
extern "C" {
    #[wasm_bindgen(js_name = kernelTexts, catch)]
    async fn kernel_texts() -> std::result::Result<JsValue, JsValue>;
}

/// As [`Gpu::open`].
///
/// # Errors
/// As there, and [`Error::Unsupported`] where the texts cannot be had.
pub(super) async fn open_gpu() -> Result<Gpu> {
    let failed = |error: JsValue| Error::Unsupported {
        feature: "the GPU".into(),
        why: format!(
            "its programs could not be loaded ({}); check the connection and reload the page, or compute on the CPU",
            js_sys::Object::from(error).to_string()
        ),
    };
    let texts = kernel_texts().await.map_err(failed)?;
    supply_kernels(&texts.as_string().unwrap_or_default())?;
    Gpu::open().await
}
