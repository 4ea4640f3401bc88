//! Time in a browser: `performance.now()` and its measured resolution.

use crate::eval::Clock;
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
    /// Measures the clock's resolution: the smallest of several changes that a busy loop sees, within 30 ms.
    pub(super) fn new() -> Self {
        let began = performance_now();
        let mut smallest = f64::INFINITY;
        let mut last = began;
        let mut changes = 0;
        while changes < 50 && last - began < 30.0 {
            let now = performance_now();
            if now > last {
                smallest = smallest.min(now - last);
                changes += 1;
                last = now;
            }
        }
        // Whole microseconds and a floor of 1: finer differences are noise of the loop itself.
        let resolution_micros = if smallest.is_finite() {
            (smallest * 1000.0).round().max(1.0)
        } else {
            30_000.0
        };
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
