//! Time in a browser: `performance.now()` and its measured resolution.

use crate::lab::{Clock, measured_resolution_micros};
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn date_now() -> f64;
}

/// The browser's clock.
pub(super) struct WebClock {
    resolution_micros: f64,
}

impl WebClock {
    /// Measures the clock's resolution, which takes about 20 steps of it.
    pub(super) fn new() -> Self {
        // Whole microseconds and a floor of 1: finer differences are noise of the loop itself.
        let resolution_micros = measured_resolution_micros(performance_now).round().max(1.0);
        Self { resolution_micros }
    }
}

/// Milliseconds since 1970 in UTC.
pub(super) fn wall_millis() -> f64 {
    date_now()
}

impl Clock for WebClock {
    fn now_millis(&self) -> f64 {
        performance_now()
    }

    fn resolution_micros(&self) -> f64 {
        self.resolution_micros
    }

    fn wall_secs(&self) -> f64 {
        date_now() / 1000.0
    }
}
