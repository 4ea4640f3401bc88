//! The rules of a game in the page's second module, as its Worker asks for them; it knows no lab and no model.

use super::js_error::js_error;
use crate::error::{Error, Result};
use crate::recipe::{DataSpec, typed};
use crate::system::{LocalRules, Reader, Rules as _};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Reads the boards of one set.
#[wasm_bindgen]
pub struct BoardReader(Box<dyn Reader>);

#[wasm_bindgen]
impl BoardReader {
    /// A reader of the boards of a recipe's section `data`, given as JSON text, that goes on with the `kept` best positions.
    ///
    /// # Errors
    /// Throws `bad-input` where the set has no boards.
    #[wasm_bindgen(constructor)]
    pub fn new(data: &str, kept: u32) -> std::result::Result<Self, JsValue> {
        thrown(reader(data, kept)).map(Self)
    }

    /// Begins a game of the set.
    ///
    /// # Errors
    /// Throws `bad-input` where there is no such game.
    pub fn begin(&mut self, game: u32) -> std::result::Result<(), JsValue> {
        thrown(self.0.begin(game))
    }

    /// The class at each of the 64 places after one more half-move.
    ///
    /// # Errors
    /// Throws `bad-input` where the lengths do not fit.
    pub fn read(
        &mut self,
        places: &[u8],
        log_probabilities: &[f32],
    ) -> std::result::Result<Vec<u8>, JsValue> {
        thrown(self.0.read(places, log_probabilities))
    }
}

fn reader(data: &str, kept: u32) -> Result<Box<dyn Reader>> {
    let unfit = |error: String| Error::bad_input("data", "a recipe's section", error);
    let value = serde_json::from_str(data).map_err(|error| unfit(error.to_string()))?;
    let spec: DataSpec = typed(&value).map_err(unfit)?;
    LocalRules.reader(&spec, kept)
}

fn thrown<T>(result: Result<T>) -> std::result::Result<T, JsValue> {
    result.map_err(|error| js_error(&error))
}
