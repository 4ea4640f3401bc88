//! The table of cases for a browser or Node: names and a runner, called by tests/e2e/harness one by one.

#[cfg(target_arch = "wasm32")]
#[path = "mod.rs"]
mod cases;

#[cfg(target_arch = "wasm32")]
#[expect(unreachable_pub, reason = "wasm-bindgen exports public functions only")]
mod exports {
    use super::cases;
    use wasm_bindgen::prelude::wasm_bindgen;

    /// Names of the cases, in order.
    #[wasm_bindgen]
    #[must_use]
    pub fn case_names() -> Vec<String> {
        cases::all().iter().map(|case| case.name.into()).collect()
    }

    /// Runs one case: empty when it passed, else what is wrong. A panic traps.
    #[wasm_bindgen]
    pub async fn run_case(index: usize) -> String {
        console_error_panic_hook::set_once();
        match cases::all().get(index) {
            Some(case) => (case.run)().err().unwrap_or_default(),
            None => format!("there is no case {index}"),
        }
    }
}
