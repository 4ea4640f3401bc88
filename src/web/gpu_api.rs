//! The public JavaScript API on the GPU: `crate::api::GpuModel` with promises; it computes nothing where there is no WebGPU.
//!
//! Calls on one model are done one after the other, in the order in which they were made. Each model has a device of its
//! own, so that `free` gives everything back and one that is lost takes no other along.

use super::api::{Js, thrown};
use super::kernel_texts::open_gpu;
use super::options::{confidence, model_options, train_options, whole};
use super::results;
use crate::api::{self, Counts, Gpu, Info, Options, Turns};
use crate::error::{Error, Result};
use js_sys::{Float32Array, Promise, Uint8Array};
use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::future_to_promise;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** How a model is to run on the GPU. */
export interface GpuModelOptions {
  /** Which engine; `"gpu"` if not given. */
  engine?: "gpu";
  /** How the weights are stored before they are used; `"f32"` if not given. Only an f32 model trains. */
  scheme?: "f32" | "f16" | "Q8_0" | "Q4_0";
  /** Rows computed at a time, from 1; 64 if not given. More rows in a call are done in parts. */
  batch?: number;
}

/** What a model on the GPU is and costs, as the last call that ended left it. */
export interface GpuModelInfo extends Omit<ModelInfo, "engine"> {
  engine: "gpu";
  /** Vendor and architecture of the adapter, as far as the browser tells; Firefox tells nothing. */
  adapter: string;
}

/** What was sent to the device and waited for since the model was prepared, as the last call that ended left it. */
export interface GpuCounts {
  /** Kernels started. */
  dispatches: number;
  /** Lists of commands handed over. */
  submissions: number;
  /** Times that a call waited for the device. */
  synchronizations: number;
  /** Bytes written to the device. */
  bytesUp: number;
  /** Bytes read back. */
  bytesDown: number;
}
"#;

/// A model on the GPU that answers, trains, is scored and exported, with promises.
#[wasm_bindgen]
pub struct GpuModel(Rc<Shared>);

/// What the calls on one model share.
struct Shared {
    model: Turns<Held>,
    is_freed: Cell<bool>,
    told: RefCell<Told>,
    adapter: String,
}

/// What can be told at once, while a call uses the model.
struct Told {
    info: Info,
    counts: Counts,
}

/// The model with its device, which goes with it.
struct Held {
    model: api::GpuModel,
    gpu: Gpu,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.gpu.destroy();
    }
}

/// What a call comes to. Boxed, so that all calls are one code: a tenth of it otherwise.
type Answer<'a> = Pin<Box<dyn Future<Output = Result<JsValue>> + 'a>>;
/// What a call does with the model.
type Work = Box<dyn for<'a> FnOnce(&'a mut api::GpuModel) -> Answer<'a>>;

/// A promise of what comes of it.
fn promised(work: Answer<'static>) -> Promise {
    future_to_promise(async move { thrown(work.await) })
}

/// Where a model comes from.
enum Source {
    File(Vec<u8>),
    Seed(f64),
}

async fn made(graph: String, source: Source, options: JsValue) -> Result<JsValue> {
    console_error_panic_hook::set_once();
    let options = model_options(&options, Options::gpu())?;
    // The engine learns less than a page may ask.
    let name = adapter_name().await.ok().and_then(|name| name.as_string());
    let name = name.unwrap_or_default();
    let gpu = opened().await?.called(&name);
    let making = async {
        match source {
            Source::File(weights) => api::GpuModel::load(&gpu, &graph, &weights, options).await,
            Source::Seed(seed) => {
                api::GpuModel::create(&gpu, &graph, whole("seed", seed)?, options).await
            }
        }
    };
    let model = nudged(Box::pin(making)).await?;
    let told = RefCell::new(told(&model));
    Ok(JsValue::from(GpuModel(Rc::new(Shared {
        model: Turns::new(Held { model, gpu }),
        is_freed: Cell::new(false),
        told,
        adapter: name,
    }))))
}

impl GpuModel {
    /// Uses the model once every earlier call is done with it.
    fn with(&self, work: Work) -> Promise {
        let shared = Rc::clone(&self.0);
        promised(Box::pin(async move {
            let own = &shared;
            let done = own.model.with(async |held| {
                let done = nudged(work(&mut held.model)).await;
                *own.told.borrow_mut() = told(&held.model);
                done
            });
            done.await.unwrap_or_else(|| Err(freed()))
        }))
    }

    fn used(&self) -> Js<&Shared> {
        thrown(if self.0.is_freed.get() {
            Err(freed())
        } else {
            Ok(&self.0)
        })
    }
}

fn told(model: &api::GpuModel) -> Told {
    Told {
        info: model.info(),
        counts: model.counts(),
    }
}

fn freed() -> Error {
    Error::bad_input("the model", "one that is in use", "one that was freed")
}

#[wasm_bindgen]
impl GpuModel {
    /// A model from the JSON form of its graph and the bytes of a safetensors file with exactly its tensors, as F32.
    /// Rejects with an `AssayError`, whose kind is `unsupported` where there is no WebGPU.
    #[wasm_bindgen(unchecked_return_type = "Promise<GpuModel>")]
    pub fn load(
        graph: String,
        #[wasm_bindgen(unchecked_param_type = "Uint8Array")] weights: Vec<u8>,
        #[wasm_bindgen(unchecked_optional_param_type = "GpuModelOptions")] options: JsValue,
    ) -> Promise {
        promised(Box::pin(made(graph, Source::File(weights), options)))
    }

    /// A model from the JSON form of its graph, with first weights drawn from a seed (0 to 4,294,967,295). Rejects as
    /// `load` does.
    #[wasm_bindgen(unchecked_return_type = "Promise<GpuModel>")]
    pub fn create(
        graph: String,
        seed: f64,
        #[wasm_bindgen(unchecked_optional_param_type = "GpuModelOptions")] options: JsValue,
    ) -> Promise {
        promised(Box::pin(made(graph, Source::Seed(seed), options)))
    }

    /// Logits of `batch` rows, `inputShape` each, one after another: `batch × classes` numbers, row by row. Rejects with
    /// an `AssayError`.
    #[wasm_bindgen(unchecked_return_type = "Promise<Float32Array>")]
    pub fn predict(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] input: Vec<f32>,
        batch: f64,
    ) -> Promise {
        self.with(Box::new(move |model| {
            Box::pin(async move {
                let logits = model.predict(&input, whole("batch", batch)?).await?;
                Ok(Float32Array::from(logits.as_slice()).into())
            })
        }))
    }

    /// Trains on as many rows as there are labels; another call goes on where this one ended. Rejects with an
    /// `AssayError`; nothing was trained then, unless its kind is `engine`.
    #[wasm_bindgen(unchecked_return_type = "Promise<TrainResult>")]
    pub fn train(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] input: Vec<f32>,
        #[wasm_bindgen(unchecked_param_type = "Uint16Array")] labels: Vec<u16>,
        #[wasm_bindgen(unchecked_param_type = "TrainOptions")] options: JsValue,
    ) -> Promise {
        self.with(Box::new(move |model| {
            Box::pin(async move {
                let trained = model
                    .train(input, labels, &train_options(&options)?)
                    .await?;
                Ok(results::trained(&trained))
            })
        }))
    }

    /// Answers as many rows as there are labels, and scores the answers. Rejects with an `AssayError`.
    #[wasm_bindgen(unchecked_return_type = "Promise<Evaluation>")]
    pub fn evaluate(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] input: Vec<f32>,
        #[wasm_bindgen(unchecked_param_type = "Uint16Array")] labels: Vec<u16>,
        #[wasm_bindgen(unchecked_optional_param_type = "EvaluateOptions")] options: JsValue,
    ) -> Promise {
        self.with(Box::new(move |model| {
            Box::pin(async move {
                let confidence = confidence(&options)?;
                let found = model.evaluate(&input, &labels, confidence).await?;
                Ok(results::evaluation(found))
            })
        }))
    }

    /// The weights as a safetensors file of F32 tensors, which `GpuModel.load` and `Model.load` read. Rejects with an
    /// `AssayError`.
    #[wasm_bindgen(js_name = exportWeights, unchecked_return_type = "Promise<Uint8Array>")]
    pub fn export_weights(&self) -> Promise {
        self.with(Box::new(|model| {
            Box::pin(async {
                let file = model.export_weights().await?;
                Ok(Uint8Array::from(file.as_slice()).into())
            })
        }))
    }

    /// SHA-256 of names, shapes and numbers of the weights, as 64 hexadecimal digits. Rejects with an `AssayError`.
    #[wasm_bindgen(js_name = weightsDigest, unchecked_return_type = "Promise<string>")]
    pub fn weights_digest(&self) -> Promise {
        self.with(Box::new(|model| {
            Box::pin(async { Ok(model.weights_digest().await?.into()) })
        }))
    }

    /// What the model is and costs.
    ///
    /// # Errors
    /// Throws an `AssayError`.
    #[wasm_bindgen(unchecked_return_type = "GpuModelInfo")]
    pub fn info(&self) -> Js {
        let shared = self.used()?;
        let info = shared.told.borrow().info.clone();
        Ok(results::info(info, Some(&shared.adapter)))
    }

    /// What was sent to the device and waited for.
    ///
    /// # Errors
    /// Throws an `AssayError`.
    #[wasm_bindgen(unchecked_return_type = "GpuCounts")]
    pub fn counts(&self) -> Js {
        Ok(results::counts(self.used()?.told.borrow().counts))
    }

    /// Gives the device and its memory back, as soon as the call that is running has ended; calls that wait, and later ones,
    /// end in an `AssayError`.
    // Stands in the place of bindgen's own, after which a call would throw an `Error` without a kind.
    #[wasm_bindgen(skip_typescript)]
    pub fn free(&self) {
        self.0.is_freed.set(true);
        self.0.model.close();
    }
}

#[wasm_bindgen(module = "/src/web/adapter_name.js")]
extern "C" {
    #[wasm_bindgen(js_name = adapterName, catch)]
    async fn adapter_name() -> Result<JsValue, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &JsValue, millis: u32);
}

/// The browser's fastest adapter.
async fn opened() -> Result<Gpu> {
    let global = js_sys::global();
    let property = |of: &JsValue, name: &str| js_sys::Reflect::get(of, &name.into());
    let navigator = property(&global, "navigator").unwrap_or_default();
    if property(&navigator, "gpu").is_ok_and(|gpu| !gpu.is_falsy()) {
        return Ok(open_gpu().await?.nudging(needs_nudges()));
    }
    let is_insecure = property(&global, "isSecureContext").is_ok_and(|it| it == JsValue::FALSE);
    let why = if is_insecure {
        "this page was not loaded over https or from localhost, and browsers give WebGPU to no other; serve it so, or use \
         Model, which computes on the CPU"
    } else {
        "there is no WebGPU here; a current Chrome, Edge, Safari or Firefox has it on most systems, and Model computes on \
         the CPU everywhere"
    };
    Err(Error::Unsupported {
        feature: "the GPU".into(),
        why: why.into(),
    })
}

/// Firefox looks for finished work every 100 ms, or when something is submitted:
/// <https://bugzilla.mozilla.org/show_bug.cgi?id=1870699>.
fn needs_nudges() -> bool {
    let navigator =
        js_sys::Reflect::get(&js_sys::global(), &"navigator".into()).unwrap_or_default();
    let agent = js_sys::Reflect::get(&navigator, &"userAgent".into()).ok();
    agent
        .and_then(|agent| agent.as_string())
        .is_some_and(|agent| agent.contains("Firefox/"))
}

/// Asks a future again every millisecond or so, where the browser must be nudged: see [`Gpu::nudging`].
async fn nudged<T>(mut work: Pin<Box<dyn Future<Output = T> + '_>>) -> T {
    if !needs_nudges() {
        return work.await;
    }
    let is_due = Rc::new(Cell::new(false));
    std::future::poll_fn(|context| {
        let polled = work.as_mut().poll(context);
        if polled.is_pending() && !is_due.replace(true) {
            let (is_due, waker) = (Rc::clone(&is_due), context.waker().clone());
            let wake = Closure::once_into_js(move || {
                is_due.set(false);
                waker.wake();
            });
            set_timeout(&wake, 1);
        }
        polled
    })
    .await
}
