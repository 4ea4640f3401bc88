//! Every case that needs a GPU, as one table for the native test and the browsers: kernels against their twins, changed
//! kernels that must be found, whole models against the CPU. Who runs them, and on what, is not its business.

#[path = "api.rs"]
mod api;
#[path = "fine_tuning.rs"]
mod fine_tuning;
#[path = "integers.rs"]
mod integers;
#[path = "training.rs"]
mod training;

use assay::engine::gpu::{Gpu, parity};
use std::pin::Pin;
use std::sync::Arc;

/// Changes of kernels that a comparison must notice: kernel, text, other text.
const SABOTAGES: &[(&str, &str, &str)] = &[
    ("product", "sum0 += a0.x * b0;", "sum0 += a0.y * b0;"),
    (
        "product",
        "next.inner -= inner;",
        "next.inner -= inner - 1u;",
    ),
    ("product_quads", "sum7 += a7.w * b3;", "sum7 += a7.w * b2;"),
    ("product_quads", "x >= task.width", "x > task.width"),
    ("product_quads", "sum3 += (*others)[3];", ""),
    ("product_input_gradient", "reach % stride", "reach / stride"),
    (
        "product_input_gradient_quads",
        "vec4<f32>(w0.z, w1.z, w2.z, w3.z)",
        "vec4<f32>(w0.z, w1.z, w3.z, w2.z)",
    ),
    (
        "product_input_gradient_quads",
        "sum *= slope(",
        "sum += slope(",
    ),
    (
        "product_weight_gradient",
        "row >= until",
        "row + 1u >= until",
    ),
    ("product_weight_gradient_quads", "1u - half;", "half;"),
    (
        "product_weight_gradient_quads",
        "(b0 + b1) + (b2 + b3)",
        "(b0 + b1) + b2",
    ),
    ("depthwise_weight_gradient", "y += step_y;", ""),
    ("depthwise_input_gradient", "out_x -= 1;", ""),
    ("batch_norm_statistics", "row + 32u", "row + 16u"),
    ("depthwise", "x <= last", "x < last"),
    ("batch_norm_normalize", "task.epsilon", "0.001"),
    ("batch_norm_gradient", "- normal * shares.x", ""),
    ("linear_row_gradient", "k += 4u", "k += 5u"),
    ("layer_norm", "i < own + 16u", "i < own + 12u"),
    ("layer_norm_gradient", "normal * sums.y", "normal * sums.x"),
    ("attention", "state.largest - largest", "0.0"),
    (
        "attention_gradient",
        "(near_gradient - near_mean)",
        "near_gradient",
    ),
    ("dropout", "round < 10u", "round < 9u"),
    ("cross_entropy", "its < best", "its > best"),
    ("update", "turn.keep_second", "turn.keep_first"),
    ("max_pool_gradient", "other == own && is_before", "false"),
    ("integer_gather", "% task.words", "% (task.words - 1u)"),
    ("integer_product", "x < task.width", "x <= task.width"),
    (
        "integer_product",
        "(sums & vec4<i32>(0xffff))",
        "(sums & vec4<i32>(0x7fff))",
    ),
    ("integer_product", "dot(a, b.z)", "dot(a, b.w)"),
    ("integer_product", "task.residual_base", "task.base"),
    (
        "integer_product",
        "vec4<i32>((1i << shift) >> 1u)",
        "vec4<i32>(0i)",
    ),
    ("integer_pool", "cells += 1u;", ""),
    (
        "integer_pool",
        "max(largest, numbers)",
        "min(largest, numbers)",
    ),
    ("integer_map", "vec4<i32>(128)", "vec4<i32>(127)"),
    ("integer_map", "(1i << task.shift) >> 1u", "0i"),
    (
        "integer_transpose",
        "number % task.places",
        "number % task.channels",
    ),
    (
        "integer_map",
        "index % task.words * 4u",
        "index % task.words",
    ),
    ("integer_norm", "mean -= 1i;", "mean += 30i;"),
    ("integer_norm", "high += low >> 16u;", ""),
    ("integer_norm", "found = larger;", "found = bit;"),
    (
        "integer_attention",
        "token / task.tokens * task.tokens",
        "0u",
    ),
    ("integer_attention", "max(largest,", "min(largest,"),
    ("integer_attention", "23u - up", "22u - up"),
    ("dynamic_codes", "rest == half", "false"),
    ("dynamic_codes", "2u * rest > divisor", "false"),
    ("dynamic_codes", "rest > 0x800000u", "false"),
    ("dynamic_codes", "0x0d800000u", "0x00800000u"),
    ("dynamic_codes", "thread + half", "thread"),
    ("dynamic_product", "dot(a, b.x)", "dot(a, b.y)"),
    (
        "dynamic_product",
        "task.steps + row / task.out_height",
        "task.steps + row",
    ),
    ("dynamic_product", "task.residual != NONE", "false"),
    ("dynamic_product", "out_words + quad", "quad"),
    ("rounded_weights", "(whole & 1u) != 0u", "true"),
    ("rounded_weights", "(number + 0x1fffu)", "(number + 0xfffu)"),
    ("rounded_weights", "ceil(", "round("),
    ("rounded_weights", "((number >> 13u) & 1u)", "1u"),
    ("rounded_weights", "largest[thread % last]", "largest[0]"),
    ("rounded_weights", "select(16u, 1u,", "select(16u, 16u,"),
    (
        "rounded_weights",
        "i % task.places * task.planes",
        "i % task.planes * task.places",
    ),
    ("rounded_values", "round(clamp(", "floor(clamp("),
    ("rounded_values", "place <= task.high", "true"),
];

/// What a case comes to: an error says what was expected and what was found.
pub(crate) type Pending = Pin<Box<dyn Future<Output = Result<(), String>>>>;

/// One statement and the function that checks it on a device.
pub(crate) struct GpuCase {
    /// The statement, as a test's name.
    pub(crate) name: String,
    /// Checks it.
    pub(crate) run: Box<dyn Fn(Gpu) -> Pending + Send>,
}

impl GpuCase {
    fn new<F>(name: impl Into<String>, run: impl Fn(Gpu) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<(), String>> + 'static,
    {
        Self {
            name: name.into(),
            run: Box::new(move |gpu| Box::pin(run(gpu))),
        }
    }
}

/// Every case.
pub(crate) fn all() -> Vec<GpuCase> {
    let table = Arc::new(parity::cases());
    let mut cases = Vec::new();
    for (index, case) in table.iter().enumerate() {
        let table = Arc::clone(&table);
        cases.push(GpuCase::new(format!("parity: {}", case.name), move |gpu| {
            let table = Arc::clone(&table);
            async move { table[index].check(&gpu).await }
        }));
    }
    cases.push(GpuCase::new("parity: every kernel has a case", |_| async {
        match parity::kernels_without_a_case().as_slice() {
            [] => Ok(()),
            kernels => Err(format!("{kernels:?} have none")),
        }
    }));
    let plain = Arc::clone(&table);
    cases.push(GpuCase::new(
        "parity: integers without packed products give the same bits",
        move |gpu| without_packed_products(gpu, Arc::clone(&plain)),
    ));
    for &(kernel, from, to) in SABOTAGES {
        let table = Arc::clone(&table);
        cases.push(GpuCase::new(
            format!("sabotage: {kernel}: {from:?} as {to:?}"),
            move |gpu| sabotaged(gpu, Arc::clone(&table), kernel, from, to),
        ));
    }
    cases.extend(integers::cases());
    cases.extend(fine_tuning::cases());
    cases.extend(training::cases());
    cases.extend(api::cases());
    cases
}

/// Whether the integer product gives the same bits where WGSL cannot multiply four numbers at once.
async fn without_packed_products(gpu: Gpu, table: Arc<Vec<parity::Case>>) -> Result<(), String> {
    let [packed, plain] = parity::PRODUCTS_OF_FOUR;
    let all = table.iter();
    let multiplies = |case: &&parity::Case| {
        ["integer_product ", "dynamic_product "]
            .iter()
            .any(|name| case.name.starts_with(name))
    };
    for case in all.filter(multiplies) {
        let off = case.sabotaged(&gpu, packed, plain).await?;
        if off > 0 {
            return Err(format!("{}: {off} numbers differ", case.name));
        }
    }
    Ok(())
}

/// Whether some case of the kernel notices that it was changed.
async fn sabotaged(
    gpu: Gpu,
    table: Arc<Vec<parity::Case>>,
    kernel: &str,
    from: &str,
    to: &str,
) -> Result<(), String> {
    let own = format!("{kernel} ");
    for case in table.iter().filter(|case| case.name.starts_with(&own)) {
        if case.sabotaged(&gpu, from, to).await? > 0 {
            return Ok(());
        }
    }
    Err("no comparison noticed".into())
}
