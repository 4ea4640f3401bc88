//! The public JavaScript API: `crate::api` for any page, Worker or Node program; it needs nothing of Assay's own page.
//!
//! Typed arrays are copied in and out; options are plain objects. `docs/api.md` describes each method, and the types
//! below are what editors show.

use super::js_error::js_error;
use super::options::{confidence, model_options, train_options, whole};
use super::results;
use crate::api::{self, Evaluation, Options};
use crate::error::{Error, Result};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** How a model is to run. */
export interface ModelOptions {
  /** Which engine; `"cpu"` if not given. */
  engine?: "cpu";
  /** How the weights are stored before they are used; `"f32"` if not given. Only an f32 model trains. */
  scheme?: "f32" | "f16" | "int8-weights" | "int8-weights-tensor" | "int4" | "int4-asymmetric" | "ternary" | "Q8_0" | "Q6_K" | "Q5_1" | "Q5_0" | "Q4_1" | "Q4_0" | "Q4_K";
  /** Rows computed at a time, from 1; 64 if not given. More rows in a call are done in parts, with the same answers. */
  batch?: number;
}

/** How to train. */
export interface TrainOptions {
  /** Steps to do, 1 to 5,000,000. The call returns when they are done. */
  steps: number;
  /** Rows of a step, 1 to 4,096; the last step of a pass over the rows may have fewer. */
  batchSize: number;
  /** Size of a step, above 0 to 10. */
  learningRate: number;
  /** `"adamw"` if not given. */
  optimizer?: "adamw" | "sgd";
  /** How much of the last step sgd keeps, 0 to 0.999; 0.9 if not given. */
  momentum?: number;
  /** Pulls weights, not biases, towards zero, 0 to 1; 0 if not given. */
  weightDecay?: number;
  /** Share of each answer that is spread evenly over the classes, 0 to 0.999; 0 if not given. */
  labelSmoothing?: number;
  /** Whether each pass takes the rows in another order; true if not given. */
  shuffle?: boolean;
  /** Of the orders and of dropout, 0 to 4,294,967,295; 0 if not given. */
  seed?: number;
}

/** What training steps did. */
export interface TrainResult {
  /** Mean cross-entropy of the steps' rows, each before its step, nats; NaN where no step was done. */
  loss: number;
  /** Share of those rows answered rightly, 0 to 1; NaN where no step was done. */
  accuracy: number;
  /** Steps done. */
  steps: number;
  /** Rows seen. */
  rows: number;
  /**
   * The step of this call, from 1, whose loss was NaN or infinite: it was not done, and the weights are those before it.
   * Or the last step, where a weight is not finite after it.
   */
  nonFinite: number | null;
}

/** How to evaluate. */
export interface EvaluateOptions {
  /** Confidence of the interval, 0.5 to 0.999; 0.95 if not given. */
  confidence?: number;
}

/** What a model's answers to labelled rows amount to. */
export interface Evaluation {
  rows: number;
  /** Rows whose largest logit, the first of equals, is the label's. */
  correct: number;
  /** Their share, 0 to 1. */
  accuracy: number;
  /** Ends of the share's Wilson interval. */
  low: number;
  high: number;
  confidence: number;
  /** Mean cross-entropy, nats. */
  loss: number;
  /** SHA-256 of row numbers, from 0, and answered classes. */
  predictionsDigest: string;
}

/** What a model is and costs. */
export interface ModelInfo {
  /** Shape of one row: channels, height, width. */
  inputShape: [number, number, number];
  /** Numbers of one row. */
  rowLength: number;
  classes: number;
  /** Trainable numbers. */
  parameters: number;
  /** Multiply-accumulates for one row. */
  macs: number;
  /** Bytes of the weights as the scheme stores them. */
  weightBytes: number;
  scheme: "f32" | "f16" | "int8-weights" | "int8-weights-tensor" | "int4" | "int4-asymmetric" | "ternary" | "Q8_0" | "Q6_K" | "Q5_1" | "Q5_0" | "Q4_1" | "Q4_0" | "Q4_K";
  engine: "cpu";
  /** Version of the engine's rounding: models of one version give the same bits in every browser and in Node. */
  arithmetic: string;
  /** Rows computed at a time. */
  batch: number;
  /** Training steps done since it was made or loaded. */
  steps: number;
}
"#;

/// A value, or what is thrown in its place.
pub(super) type Js<T = JsValue> = std::result::Result<T, JsValue>;

/// The error as JavaScript sees it.
pub(super) fn thrown<T>(result: Result<T>) -> Js<T> {
    result.map_err(|error| js_error(&error))
}

/// A model that answers, trains, is scored and exported.
#[wasm_bindgen]
pub struct Model(Option<api::Model>);

impl Model {
    fn made(model: Result<api::Model>) -> Js<Self> {
        console_error_panic_hook::set_once();
        thrown(model.map(|model| Self(Some(model))))
    }

    fn used(&mut self) -> Result<&mut api::Model> {
        let freed = || Error::bad_input("the model", "one that is in use", "one that was freed");
        self.0.as_mut().ok_or_else(freed)
    }
}

#[wasm_bindgen]
impl Model {
    /// A model from the JSON form of its graph and the bytes of a safetensors file with exactly its tensors, as F32.
    ///
    /// # Errors
    /// Throws an `AssayError`.
    pub fn load(
        graph: &str,
        #[wasm_bindgen(unchecked_param_type = "Uint8Array")] weights: &[u8],
        #[wasm_bindgen(unchecked_optional_param_type = "ModelOptions")] options: JsValue,
    ) -> Js<Self> {
        Self::made(
            model_options(&options, Options::default())
                .and_then(|it| api::Model::load(graph, weights, it)),
        )
    }

    /// A model from the JSON form of its graph, with first weights drawn from a seed (0 to 4,294,967,295).
    ///
    /// # Errors
    /// Throws an `AssayError`.
    pub fn create(
        graph: &str,
        seed: f64,
        #[wasm_bindgen(unchecked_optional_param_type = "ModelOptions")] options: JsValue,
    ) -> Js<Self> {
        let create = || {
            api::Model::create(
                graph,
                whole("seed", seed)?,
                model_options(&options, Options::default())?,
            )
        };
        Self::made(create())
    }

    /// Logits of `batch` rows, `inputShape` each, one after another: `batch × classes` numbers, row by row.
    ///
    /// # Errors
    /// Throws an `AssayError`.
    pub fn predict(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] input: &[f32],
        batch: f64,
    ) -> Js<Vec<f32>> {
        let mut predict = || self.used()?.predict(input, whole("batch", batch)?);
        thrown(predict())
    }

    /// Trains on as many rows as there are labels; another call goes on where this one ended.
    ///
    /// # Errors
    /// Throws an `AssayError`; nothing was trained then.
    #[wasm_bindgen(unchecked_return_type = "TrainResult")]
    pub fn train(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] input: Vec<f32>,
        #[wasm_bindgen(unchecked_param_type = "Uint16Array")] labels: Vec<u16>,
        #[wasm_bindgen(unchecked_param_type = "TrainOptions")] options: JsValue,
    ) -> Js {
        let train = || {
            let options = train_options(&options)?;
            self.used()?.train(input, labels, &options)
        };
        Ok(results::trained(&thrown(train())?))
    }

    /// Answers as many rows as there are labels, and scores the answers.
    ///
    /// # Errors
    /// Throws an `AssayError`.
    #[wasm_bindgen(unchecked_return_type = "Evaluation")]
    pub fn evaluate(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "Float32Array")] input: &[f32],
        #[wasm_bindgen(unchecked_param_type = "Uint16Array")] labels: &[u16],
        #[wasm_bindgen(unchecked_optional_param_type = "EvaluateOptions")] options: JsValue,
    ) -> Js {
        let mut evaluate = || {
            let confidence = confidence(&options)?;
            self.used()?.evaluate(input, labels, confidence)
        };
        scored(evaluate())
    }

    /// The weights as a safetensors file of F32 tensors, which `Model.load` reads; equal weights give equal bytes.
    ///
    /// # Errors
    /// Throws an `AssayError`.
    #[wasm_bindgen(js_name = exportWeights)]
    pub fn export_weights(&mut self) -> Js<Vec<u8>> {
        thrown(self.used().and_then(api::Model::export_weights))
    }

    /// SHA-256 of names, shapes and numbers of the weights, as 64 hexadecimal digits.
    ///
    /// # Errors
    /// Throws an `AssayError`.
    #[wasm_bindgen(js_name = weightsDigest)]
    pub fn weights_digest(&mut self) -> Js<String> {
        thrown(self.used().and_then(api::Model::weights_digest))
    }

    /// What the model is and costs.
    ///
    /// # Errors
    /// Throws an `AssayError`.
    #[wasm_bindgen(unchecked_return_type = "ModelInfo")]
    pub fn info(&mut self) -> Js {
        let info = thrown(self.used().map(|model| model.info()))?;
        Ok(results::info(info, None))
    }

    /// Gives the model's memory back at once; every later call throws an `AssayError`. Without it the memory goes when
    /// JavaScript collects the object.
    // Stands in the place of bindgen's own, after which a call would throw an `Error` without a kind.
    #[wasm_bindgen(skip_typescript)]
    pub fn free(&mut self) {
        self.0 = None;
    }
}

/// Scores logits, `labels.length × classes` of them, row by row: what `Model.evaluate` does with those it computes.
///
/// # Errors
/// Throws an `AssayError`.
#[wasm_bindgen(unchecked_return_type = "Evaluation")]
pub fn score(
    #[wasm_bindgen(unchecked_param_type = "Float32Array")] logits: &[f32],
    #[wasm_bindgen(unchecked_param_type = "Uint16Array")] labels: &[u16],
    classes: f64,
    #[wasm_bindgen(unchecked_optional_param_type = "EvaluateOptions")] options: JsValue,
) -> Js {
    let score = || {
        let classes = whole("classes", classes)?;
        api::score(logits, labels, classes, confidence(&options)?)
    };
    scored(score())
}

fn scored(evaluated: Result<Evaluation>) -> Js {
    thrown(evaluated).map(results::evaluation)
}
