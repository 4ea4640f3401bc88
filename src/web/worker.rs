//! The lab as a Worker sees it: commands in, events out, bytes beside them.

use super::clock::WebClock;
use super::js_error::to_js;
use crate::lab::Lab;
use crate::lab::protocol::Command;
use crate::runlog::record::Environment;
use js_sys::{Object, Reflect, Uint8Array};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// A lab in a Worker.
#[wasm_bindgen]
pub struct LabWorker(Lab);

#[wasm_bindgen]
impl LabWorker {
    /// A lab; measures the clock's resolution for up to 30 ms.
    #[wasm_bindgen(constructor)]
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a JavaScript constructor")]
    pub fn new() -> Self {
        console_error_panic_hook::set_once();
        Self(Lab::new(Rc::new(WebClock::new()), Environment::default()))
    }

    /// Takes a command (see `lab/protocol.rs`) with the bytes beside it.
    ///
    /// # Errors
    /// Throws when the object is no command; nothing is answered then.
    pub fn command(&mut self, command: JsValue, bytes: Option<Vec<u8>>) -> Result<(), JsValue> {
        let command: Command = serde_wasm_bindgen::from_value(command)?;
        self.0.command(command, bytes);
        Ok(())
    }

    /// Works for about `budget_millis`; `{ events, busy }`.
    ///
    /// # Errors
    /// Throws when an event cannot be expressed in JavaScript, which would be a defect.
    pub fn pump(&mut self, budget_millis: f64) -> Result<JsValue, JsValue> {
        let events = self.0.pump(budget_millis);
        let answer = Object::new();
        Reflect::set(&answer, &"events".into(), &to_js(&events)?)?;
        Reflect::set(&answer, &"busy".into(), &self.0.busy().into())?;
        Ok(answer.into())
    }

    /// Takes the bytes that an event named.
    #[wasm_bindgen(js_name = takeBuffer)]
    pub fn take_buffer(&mut self, key: u32) -> Option<Uint8Array> {
        let bytes = self.0.take_buffer(key)?;
        Some(Uint8Array::from(bytes.as_slice()))
    }
}
