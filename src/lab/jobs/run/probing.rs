//! A GPU's answers and one step of training beside the CPU's, before anything counts; the verdict is the agreement's.

use crate::engine::agreement;
use crate::engine::cpu::CpuEngine;
use crate::engine::gpu::GpuEngine;
use crate::engine::{Engine, Executable, Parameters};
use crate::error::Result;
use crate::lab::context::Context;
use crate::lab::prepared::Prepared;
use crate::lab::protocol::EventBody;
use crate::result::{GpuUse, Probe};
use crate::train::Trainer;

/// What probing found and took.
pub(super) struct Probed {
    /// The comparisons.
    pub(super) probes: Vec<Probe>,
    /// What the model takes of the GPU; without the adapter's name.
    pub(super) used: GpuUse,
    /// Time to plan and compile everything, until the GPU first answered, milliseconds.
    pub(super) compile_millis: f64,
}

/// Compares both engines on fixed rows of the training split, by models that are prepared as the training's: the pipelines
/// that are checked are those that train. `seed` is the recipe's, `batch_size` that of a training step.
pub(super) async fn probed(
    context: &Context,
    prepared: &Prepared,
    (seed, batch_size): (u32, u32),
    (cpu, gpu): (&CpuEngine, &GpuEngine),
) -> Result<Probed> {
    let (plan, split) = (&prepared.plan, &prepared.split);
    let graph = &plan.graph;
    let weights = agreement::probe_weights(graph, seed)?;
    let exact = Parameters::Exact(&weights);
    let batch = Trainer::rows_at_once(batch_size);
    let mut on_cpu = cpu.prepare(graph, exact, batch).await?;
    let began = context.clock.now_millis();
    let mut on_gpu = gpu.model(graph, exact, batch).await?;
    // Browsers compile until the first answer is asked for.
    on_gpu.logits(&split.train[..1]).await?;
    let tuning = on_gpu.preparation().tuning_millis.unwrap_or(0.0);
    let compile_millis = context.clock.now_millis() - began - tuning;
    context.send(EventBody::Stage {
        name: "checking the GPU".into(),
        fraction: 0.0,
    });
    context.turn().await;
    let classes = prepared.dataset.classes.len();
    let rows = &split.train;
    let probes =
        agreement::before_training(graph, rows, classes, on_cpu.as_mut(), &mut on_gpu).await?;
    let [step, answers] = on_gpu.dispatches();
    let used = GpuUse {
        adapter: String::new(),
        dispatches_per_step: step as u32,
        dispatches_per_batch: answers as u32,
        pipelines: gpu.pipelines() as u32,
        tiles: Vec::new(),
    };
    Ok(Probed {
        probes,
        used,
        compile_millis,
    })
}
