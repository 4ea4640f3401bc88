//! The short measurement by which `auto` chooses: a few training steps on both engines; they move no weight.

use crate::engine::cpu::CpuEngine;
use crate::engine::gpu::GpuEngine;
use crate::engine::{Engine, Executable, Parameters, TrainStep};
use crate::error::Result;
use crate::lab::context::Context;
use crate::lab::prepared::Prepared;
use crate::model::Weights;
use crate::result::Trial;
use crate::stats;
use crate::train::optimizer::Update;

/// Steps that are timed on the CPU, and repetitions on the GPU.
const REPETITIONS: usize = 3;
/// Steps that are sent to the GPU together, besides one.
const TOGETHER: usize = 8;
/// Where a single step on the GPU takes this many times as long as on the CPU, nothing hidden in it can make up for it.
const HOPELESS: f64 = 20.0;
/// Times that an epoch waits for the GPU beside its steps: for the validation rows, the weights, the last metrics.
const WAITS_PER_EPOCH: f64 = 3.0;

/// Times steps of `batch` rows on both engines.
pub(super) async fn both(
    context: &Context,
    prepared: &Prepared,
    cpu: &CpuEngine,
    gpu: &GpuEngine,
    batch: u32,
) -> Result<Trial> {
    let (plan, split) = (&prepared.plan, &prepared.split);
    let weights = Weights::init(&plan.graph, 0)?;
    let exact = Parameters::Exact(&weights);
    let step = TrainStep {
        rows: (split.train.iter().copied())
            .cycle()
            .take(batch.max(1) as usize)
            .collect(),
        update: Update::Sgd {
            learning_rate: 0.0,
            momentum: 0.0,
            weight_decay: 0.0,
        },
        label_smoothing: 0.0,
        dropout_key: 1,
    };
    let steps = vec![step; TOGETHER];
    let mut model = cpu.prepare(&plan.graph, exact, batch).await?;
    // The first step touches memory for the first time.
    timed(context, model.as_mut(), &steps[..1]).await?;
    let mut times = Vec::new();
    for _ in 0..REPETITIONS {
        times.push(timed(context, model.as_mut(), &steps[..1]).await?);
        context.breathe().await;
    }
    let cpu_step_millis = stats::median(&times).unwrap_or(0.0);
    let mut model = gpu.prepare(&plan.graph, exact, batch).await?;
    timed(context, model.as_mut(), &steps[..1]).await?;
    let alone = timed(context, model.as_mut(), &steps[..1]).await?;
    if alone > HOPELESS * cpu_step_millis {
        return Ok(Trial {
            cpu_step_millis,
            gpu_step_millis: alone,
            gpu_wait_millis: 0.0,
        });
    }
    let mut points = vec![(1.0, alone)];
    for _ in 0..REPETITIONS {
        for count in [1, TOGETHER] {
            let millis = timed(context, model.as_mut(), &steps[..count]).await?;
            points.push((count as f64, millis));
            context.breathe().await;
        }
    }
    let (slope, offset) = stats::line(&points).unwrap_or((alone, 0.0));
    Ok(Trial {
        cpu_step_millis,
        gpu_step_millis: slope.max(0.0),
        gpu_wait_millis: offset.max(0.0),
    })
}

/// Milliseconds that steps take.
async fn timed(context: &Context, model: &mut dyn Executable, steps: &[TrainStep]) -> Result<f64> {
    let began = context.clock.now_millis();
    model.train(steps).await?;
    Ok(context.clock.now_millis() - began)
}

/// Whether an epoch of so many steps is faster on the GPU; `Err` holds why it is not.
pub(super) fn choice(trial: &Trial, steps_per_epoch: u32) -> std::result::Result<(), String> {
    let steps = f64::from(steps_per_epoch);
    let on_gpu = trial.gpu_step_millis * steps + trial.gpu_wait_millis * WAITS_PER_EPOCH;
    if on_gpu < trial.cpu_step_millis * steps {
        Ok(())
    } else {
        Err(words(trial))
    }
}

/// What was measured, in words.
pub(super) fn words(trial: &Trial) -> String {
    format!(
        "a training step takes {:.2} ms on the CPU and {:.2} ms on the GPU, where each wait takes {:.2} ms more",
        trial.cpu_step_millis, trial.gpu_step_millis, trial.gpu_wait_millis
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gpu_is_chosen_where_an_epoch_is_faster_with_its_waits() {
        let trial = Trial {
            cpu_step_millis: 1.0,
            gpu_step_millis: 0.5,
            gpu_wait_millis: 2.0,
        };
        assert!(choice(&trial, 13).is_ok());
        let reason = choice(&trial, 12).expect_err("equal is not faster");
        assert!(
            reason.contains("1.00 ms on the CPU and 0.50 ms"),
            "{reason}"
        );
    }
}
