//! Every GPU kernel against its twin, and whole models against the CPU, on this machine's adapter; the last line says which adapter that was.
//!
//! `ASSAY_GPU=require` fails where there is none, `auto` (the default) says so and passes, `off` does not look.

#[path = "gpu/cases.rs"]
mod cases;
#[path = "gpu/lab.rs"]
mod lab;
#[path = "gpu/seeds.rs"]
mod seeds;
#[path = "gpu/stored.rs"]
mod stored;

use assay::engine::gpu::Gpu;
use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;
use std::sync::Arc;

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
    let test = |case: cases::GpuCase| {
        let gpu = Gpu::clone(gpu);
        Trial::test(case.name, move || Ok(now((case.run)(gpu))??))
    };
    let mut trials: Vec<Trial> = cases::all().into_iter().map(test).collect();
    trials.extend(lab::trials(gpu));
    trials.extend(stored::trials());
    trials.extend(seeds::trials(gpu));
    trials
}
