//! Sets that the page's second module makes and boards that it reads, as the lab sees them; `set_maker.rs` and
//! `board_reader.rs` do it over there.

use crate::data::{self, Dataset, Maker, Making};
use crate::error::{Error, Result};
use crate::recipe::DataSpec;
use crate::system::{Reader, Rules};
use js_sys::Reflect;
use serde_json::json;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** What makes sets, in a module of its own. */
export interface SetSource {
  /** Begins the set of a recipe's section `data`, as JSON text. */
  begin(data: string): SetOnItsWay;
  /** A reader of the set's boards that goes on with the `kept` best positions. */
  reader(data: string, kept: number): BoardReader;
}
/** Reads boards by the rules of their game. */
export interface BoardReader {
  /** Begins a game of the set. */
  begin(game: number): void;
  /** The class at each place after one more half-move, from what is said of some places. */
  read(places: Uint8Array, logProbabilities: Float32Array): Uint8Array;
}
/** A set on its way. */
export interface SetOnItsWay {
  /** Makes a part; the share that is done, -1 while it waits for something, nothing where none is left. */
  step(): number | undefined;
  /** The packed set. */
  take(): Uint8Array;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// What makes sets, in a module of its own.
    #[wasm_bindgen(typescript_type = "SetSource")]
    pub type SetSource;
    #[wasm_bindgen(method, catch)]
    fn begin(this: &SetSource, data: &str) -> std::result::Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn reader(this: &SetSource, data: &str, kept: u32) -> std::result::Result<JsValue, JsValue>;

    type BoardReader;
    #[wasm_bindgen(method, catch)]
    fn begin(this: &BoardReader, game: u32) -> std::result::Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn read(
        this: &BoardReader,
        places: &[u8],
        log_probabilities: &[f32],
    ) -> std::result::Result<Vec<u8>, JsValue>;

    type SetOnItsWay;
    #[wasm_bindgen(method, catch)]
    fn step(this: &SetOnItsWay) -> std::result::Result<Option<f64>, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn take(this: &SetOnItsWay) -> std::result::Result<Vec<u8>, JsValue>;
}

/// Asks for sets over there.
pub(super) struct RemoteMaker(pub(super) SetSource);

impl Maker for RemoteMaker {
    fn begin(&self, spec: &DataSpec) -> Result<Box<dyn Making>> {
        let making = (self.0.begin(&json!(spec).to_string())).map_err(|error| told(&error))?;
        Ok(Box::new(Remote {
            making: making.unchecked_into(),
            is_waiting: false,
        }))
    }
}

/// Asks for the rules over there.
pub(super) struct RemoteRules(pub(super) SetSource);

impl Rules for RemoteRules {
    fn reader(&self, data: &DataSpec, kept: u32) -> Result<Box<dyn Reader>> {
        let reader = (self.0.reader(&json!(data).to_string(), kept)).map_err(|it| told(&it))?;
        Ok(Box::new(RemoteReader(reader.unchecked_into())))
    }
}

struct RemoteReader(BoardReader);

impl Reader for RemoteReader {
    fn begin(&mut self, game: u32) -> Result<()> {
        self.0.begin(game).map_err(|error| told(&error))
    }

    fn read(&mut self, places: &[u8], log_probabilities: &[f32]) -> Result<Vec<u8>> {
        let read = self.0.read(places, log_probabilities);
        read.map_err(|error| told(&error))
    }
}

struct Remote {
    making: SetOnItsWay,
    is_waiting: bool,
}

impl Making for Remote {
    fn step(&mut self) -> Result<Option<f64>> {
        let step = self.making.step().map_err(|error| told(&error))?;
        self.is_waiting = step.is_some_and(|fraction| fraction < 0.0);
        Ok(step.map(|fraction| fraction.max(0.0)))
    }

    fn is_waiting(&self) -> bool {
        self.is_waiting
    }

    fn finish(self: Box<Self>) -> Result<Dataset> {
        data::unpack(&self.making.take().map_err(|error| told(&error))?)
    }
}

/// What was thrown over there, in its own words.
fn told(thrown: &JsValue) -> Error {
    let text = |name: &str| {
        let value = Reflect::get(thrown, &name.into()).ok()?;
        value.as_string()
    };
    let message = text("message").unwrap_or_else(|| format!("{thrown:?}"));
    match text("kind").as_deref() {
        Some("no-file") => Error::NoFile(text("file").unwrap_or_default()),
        Some("stopped") => Error::Stopped,
        _ => Error::Set(message),
    }
}
