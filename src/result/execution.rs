//! On what a run was executed and why, and what a GPU costs beside the CPU.

use serde::Serialize;

/// Which engine executed a run, who chose it, and what happened on the way. Absent where the CPU was asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Execution {
    /// What the recipe asks for: `gpu` or `auto`.
    pub asked: String,
    /// What the run began with: `cpu` or `gpu`.
    pub engine: String,
    /// Why, in words.
    pub reason: String,
    /// What `auto` measured to choose by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Trial>,
    /// What was trained on what, in order; more than one part where the GPU was lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// On what the trained weights were fine-tuned, where the recipe asks for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fine_tuning: Option<Part>,
    /// The GPU, where one was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<GpuUse>,
}

crate::section::section!(Execution: { asked, engine, reason, trial, fine_tuning, gpu } { parts });

/// The short measurement by which `auto` chooses: a few training steps of the recipe's batch on both engines.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Trial {
    /// Time of a training step on the CPU, milliseconds.
    pub cpu_step_millis: f64,
    /// Time of a training step on the GPU, milliseconds: the slope over steps that are sent together.
    pub gpu_step_millis: f64,
    /// Time that the GPU takes once for each time it is waited for, milliseconds: the offset of that line.
    pub gpu_wait_millis: f64,
}

crate::section::section!(Trial: { cpu_step_millis, gpu_step_millis, gpu_wait_millis } {  });

/// Epochs that were trained on one engine with one batch size.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Part {
    /// `cpu` or `gpu`.
    pub engine: String,
    /// Rows of a training step.
    pub batch_size: u32,
    /// Its first epoch, counted from 1.
    pub first_epoch: u32,
    /// Why it began, in words; empty for the first one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

crate::section::section!(Part: { engine, batch_size, first_epoch } { reason });

/// A GPU as a run used it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct GpuUse {
    /// The adapter and its driver, as they call themselves.
    pub adapter: String,
    /// Kernels started for a training step.
    pub dispatches_per_step: u32,
    /// Kernels started for a batch of answers.
    pub dispatches_per_batch: u32,
    /// Pipelines compiled.
    pub pipelines: u32,
    /// Tiles of the products that were chosen by measurement, as `kernel rows×inner×columns → tile`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiles: Vec<String>,
}

crate::section::section!(GpuUse: { adapter, dispatches_per_step, dispatches_per_batch, pipelines } { tiles });

/// What a model's answers cost on both engines, by rows per call.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Breakdown {
    /// Time to plan and compile everything on the GPU, until it first answered, milliseconds, once.
    pub compile_millis: f64,
    /// Time to bring weights and plan to the GPU until it has them, milliseconds, once.
    pub upload_millis: f64,
    /// Bytes that went there.
    pub upload_bytes: u64,
    /// Whether the GPU's own clock was asked as well.
    pub timestamps: bool,
    /// Batch by batch, ascending.
    pub batches: Vec<BatchCost>,
    /// The smallest batch measured from which on the GPU answers sooner than the CPU; absent where it never does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crossover: Option<u32>,
}

crate::section::section!(Breakdown: { compile_millis, upload_millis, upload_bytes, timestamps, batches, crossover } {  });

/// A batch of answers on both engines; times are of a whole batch, milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct BatchCost {
    /// Rows per call.
    pub batch: u32,
    /// A call on the CPU: median.
    pub cpu_millis: f64,
    /// Ends of that median's interval at the recipe's confidence.
    pub cpu_range_millis: [f64; 2],
    /// Samples that were timed on the CPU.
    pub cpu_samples: u32,
    /// A call on the GPU from rows to answers in memory: median.
    pub gpu_millis: f64,
    /// Ends of that median's interval at the recipe's confidence.
    pub gpu_range_millis: [f64; 2],
    /// Samples that were timed on the GPU.
    pub gpu_samples: u32,
    /// Computing alone: the slope of time over batches that are sent together (Theil and Sen).
    pub compute_millis: f64,
    /// What a call takes beside computing: sending, waiting, reading back.
    pub read_back_millis: f64,
    /// Computing by the GPU's own clock, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_millis: Option<f64>,
}

crate::section::section!(BatchCost: { batch, cpu_millis, cpu_range_millis, cpu_samples, gpu_millis, gpu_range_millis, gpu_samples, compute_millis, read_back_millis, timestamp_millis } {  });
