//! The lab as a Worker sees it: commands in, events out, bytes beside them.

use super::clock::WebClock;
use super::js_error::{js_error, to_js};
use super::kernel_texts::open_gpu;
use super::page::value_from;
use super::sets::{RemoteMaker, RemoteRules, SetSource};
use crate::lab::Lab;
use crate::lab::protocol::Command;
use crate::lab::sets::Sets;
use crate::runlog::record::Environment;
use js_sys::{Function, Object, Reflect, Uint8Array};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Wake, Waker};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

thread_local! {
    /// The Worker's own function; a waker must be `Send`, which no JavaScript function is.
    static WAKE: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Calls the Worker's function when a device has answered.
struct Device;

impl Wake for Device {
    fn wake(self: Arc<Self>) {
        let wake = WAKE.with_borrow(Clone::clone);
        if let Some(wake) = wake {
            // What it throws is the Worker's own mistake, and the next turn pumps anyway.
            let _ = wake.call0(&JsValue::UNDEFINED);
        }
    }
}

/// A lab in a Worker.
#[wasm_bindgen]
pub struct LabWorker(Lab);

#[wasm_bindgen]
impl LabWorker {
    /// A lab; measures the clock's resolution for up to 30 ms. `wake` is called when a device has answered: pump then, not
    /// in the call itself but right after it. `sets` makes the sets that are not there at once.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(wake: Function, sets: SetSource) -> Self {
        console_error_panic_hook::set_once();
        WAKE.set(Some(wake));
        let rules = RemoteRules(sets.clone().unchecked_into());
        let sets = Sets::by(Box::new(RemoteMaker(sets)), Box::new(rules));
        let clock = Rc::new(WebClock::new());
        let mut lab = Lab::with_sets(clock, Environment::default(), sets);
        lab.set_gpu_opener(|| Box::pin(open_gpu()));
        lab.set_waker(Waker::from(Arc::new(Device)));
        Self(lab)
    }

    /// Takes a command (see `lab/protocol.rs`) with the bytes beside it.
    ///
    /// # Errors
    /// Throws when the object is no command; nothing is answered then.
    pub fn command(&mut self, command: JsValue, bytes: Option<Vec<u8>>) -> Result<(), JsValue> {
        let command = value_from(&command)
            .and_then(Command::from_value)
            .map_err(|error| js_error(&error))?;
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
