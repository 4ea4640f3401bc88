//! The table of GPU cases for a browser: the adapter, names and a runner, called by tests/e2e/harness one by one.

#[cfg(target_arch = "wasm32")]
#[path = "cases.rs"]
mod cases;

#[cfg(target_arch = "wasm32")]
#[expect(unreachable_pub, reason = "wasm-bindgen exports public functions only")]
mod exports {
    use super::cases::{GpuCase, all};
    use assay::engine::gpu::{Gpu, supply_kernels};
    use std::cell::OnceCell;
    use wasm_bindgen::prelude::wasm_bindgen;

    /// Families whose whole models are tried natively only.
    const NATIVE_ONLY: [&str; 5] = ["lenet", "resnet", "mobilenet", "vit", "mixer"];

    /// Whether a case is tried in a browser. A software adapter compiles a product for a second or two, so here products have
    /// the tile that their sizes choose, and whole models are a perceptron and the graph that has every layer; natively
    /// every tile and every family are tried.
    fn is_for_browsers(name: &str) -> bool {
        let is_of_a_tile = name.contains(" slice");
        // Integers in one arithmetic have no product in f32, and so every family is tried.
        let has_products = [
            "model: ",
            "integers: rows with steps",
            "fine-tuning: a step",
        ];
        let is_of_a_family = has_products.iter().any(|kind| name.starts_with(kind))
            && NATIVE_ONLY.iter().any(|family| name.ends_with(family));
        !is_of_a_tile && !is_of_a_family
    }

    thread_local! {
        /// The device and the table: making both takes longer than most cases.
        static OPENED: OnceCell<(Gpu, Vec<GpuCase>)> = const { OnceCell::new() };
    }

    #[wasm_bindgen(module = "/src/web/kernel_texts.js")]
    extern "C" {
        #[wasm_bindgen(js_name = kernelTexts, catch)]
        async fn kernel_texts() -> Result<wasm_bindgen::JsValue, wasm_bindgen::JsValue>;
    }

    /// The adapter's name, once there is one; rejects with the reason where there is none.
    #[wasm_bindgen]
    pub async fn adapter() -> Result<String, String> {
        console_error_panic_hook::set_once();
        let texts = kernel_texts().await.ok().and_then(|it| it.as_string());
        supply_kernels(&texts.unwrap_or_default()).map_err(|error| error.to_string())?;
        let gpu = Gpu::open().await.map_err(|error| error.to_string())?;
        let name = gpu.name().to_owned();
        OPENED.with(|opened| {
            let cases = all().into_iter().filter(|case| is_for_browsers(&case.name));
            opened.get_or_init(|| (gpu, cases.collect()));
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
