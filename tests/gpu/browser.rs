//! The table of GPU cases for a browser: the adapter, names and a runner, called by tests/e2e/harness one by one.

#[cfg(target_arch = "wasm32")]
#[path = "cases.rs"]
mod cases;

#[cfg(target_arch = "wasm32")]
#[expect(unreachable_pub, reason = "wasm-bindgen exports public functions only")]
mod exports {
    use super::cases::{GpuCase, all};
    use assay::engine::gpu::Gpu;
    use std::cell::OnceCell;
    use wasm_bindgen::prelude::wasm_bindgen;

    thread_local! {
        /// The device and the table: making both takes longer than most cases.
        static OPENED: OnceCell<(Gpu, Vec<GpuCase>)> = const { OnceCell::new() };
    }

    /// The adapter's name, once there is one; rejects with the reason where there is none.
    #[wasm_bindgen]
    pub async fn adapter() -> Result<String, String> {
        console_error_panic_hook::set_once();
        let gpu = Gpu::open().await.map_err(|error| error.to_string())?;
        let name = gpu.name().to_owned();
        OPENED.with(|opened| {
            opened.get_or_init(|| (gpu, all()));
        });
        Ok(name)
    }

    /// Names of the cases, in order; none before there is an adapter.
    #[wasm_bindgen]
    #[must_use]
    pub fn case_names() -> Vec<String> {
        OPENED.with(|opened| {
            let cases = opened.get().into_iter().flat_map(|(_, cases)| cases);
            cases.map(|case| case.name.clone()).collect()
        })
    }

    /// Runs one case: empty when it passed, else what is wrong. A panic traps.
    #[wasm_bindgen]
    pub async fn run_case(index: usize) -> String {
        let run = OPENED.with(|opened| {
            let (gpu, cases) = opened.get()?;
            Some((cases.get(index)?.run)(gpu.clone()))
        });
        match run {
            Some(run) => run.await.err().unwrap_or_default(),
            None => format!("there is no case {index}"),
        }
    }
}
