//! Every GPU kernel against its twin, and whole models against the CPU, on this machine's adapter; the last line says which adapter that was.
//!
//! `ASSAY_GPU=require` fails where there is none, `auto` (the default) says so and passes, `off` does not look.

#[path = "gpu/lab.rs"]
mod lab;
#[path = "gpu/seeds.rs"]
mod seeds;
#[path = "gpu/training.rs"]
mod training;

use assay::engine::gpu::{Gpu, parity};
use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;
use std::sync::Arc;

/// Changes of kernels that a comparison must notice: kernel, text, other text.
const SABOTAGES: &[(&str, &str, &str)] = &[
    ("product", "sum0 += a.x * b;", "sum0 += a.y * b;"),
    ("product", "k < DEPTH; k++", "k < DEPTH - 1u; k++"),
    (
        "product_input_gradient",
        "any(at * stride != begin)",
        "false",
    ),
    (
        "product_weight_gradient",
        "if (row < until) {",
        "if (row + 1u < until) {",
    ),
    (
        "depthwise",
        "x < i32(task.width)",
        "x + 1 < i32(task.width)",
    ),
    ("batch_norm_normalize", "task.epsilon", "0.001"),
    ("batch_norm_gradient", "- normal * shares.x", ""),
    ("layer_norm_gradient", "normal * sums.y", "normal * sums.x"),
    ("attention", "largest - next", "0.0"),
    (
        "attention_gradient",
        "(chance_gradient - mean)",
        "chance_gradient",
    ),
    ("dropout", "round < 10u", "round < 9u"),
    ("cross_entropy", "its < best", "its > best"),
    ("update", "turn.keep_second", "turn.keep_first"),
    ("max_pool_gradient", "other == own && is_before", "false"),
];

/// Waits for something that is ready as soon as the device has answered.
fn now<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let mut future = std::pin::pin!(future);
    match future
        .as_mut()
        .poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
    {
        std::task::Poll::Ready(value) => Ok(value),
        std::task::Poll::Pending => Err("the device did not answer at once".into()),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "which machines must have an adapter is the environment's business"
)]
fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // One after the other: the adapter is shared, and a software one takes every core by itself.
    arguments.test_threads = Some(1);
    let wish = std::env::var("ASSAY_GPU").unwrap_or_else(|_| "auto".into());
    let gpu = match wish.as_str() {
        "off" => None,
        "auto" | "require" => match now(Gpu::open()) {
            Ok(Ok(gpu)) => Some(Arc::new(gpu)),
            Ok(Err(error)) => return without(&wish, &error.to_string()),
            Err(error) => return without(&wish, &error),
        },
        other => {
            eprintln!("ASSAY_GPU is require, auto or off, not {other:?}");
            return ExitCode::FAILURE;
        }
    };
    let Some(gpu) = gpu else {
        println!("GPU: not tested, ASSAY_GPU=off");
        return ExitCode::SUCCESS;
    };
    let conclusion = libtest_mimic::run(&arguments, trials(&gpu));
    println!("GPU: {}", gpu.name());
    conclusion.exit_code()
}

fn without(wish: &str, reason: &str) -> ExitCode {
    println!("GPU: not tested, {reason}");
    if wish == "require" {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn trials(gpu: &Arc<Gpu>) -> Vec<Trial> {
    let mut trials: Vec<Trial> = parity::cases()
        .into_iter()
        .map(|case| {
            let gpu = Arc::clone(gpu);
            Trial::test(format!("parity: {}", case.name), move || {
                Ok(now(case.check(&gpu))??)
            })
        })
        .collect();
    trials.extend(training::trials(gpu));
    trials.extend(lab::trials(gpu));
    trials.extend(seeds::trials(gpu));
    trials.push(Trial::test("parity: every kernel has a case", || {
        match parity::kernels_without_a_case().as_slice() {
            [] => Ok(()),
            kernels => Err(format!("{kernels:?} have none").into()),
        }
    }));
    for &(kernel, from, to) in SABOTAGES {
        let gpu = Arc::clone(gpu);
        trials.push(Trial::test(
            format!("sabotage: {kernel}: {from:?} as {to:?}"),
            move || {
                let own = format!("{kernel} ");
                let mut differ = 0;
                for case in parity::cases()
                    .iter()
                    .filter(|case| case.name.starts_with(&own))
                {
                    differ += now(case.sabotaged(&gpu, from, to))??;
                }
                match differ {
                    0 => Err("no comparison noticed".into()),
                    _ => Ok(()),
                }
            },
        ));
    }
    trials
}
