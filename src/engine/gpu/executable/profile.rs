//! Where the time of one training step goes on the device, dispatch by dispatch, by timestamps; only for measuring.

use super::GpuExecutable;
use crate::engine::TrainStep;
use crate::engine::gpu::pipeline::record;
use crate::engine::gpu::staging::readable;
use crate::error::{Error, Result};
use crate::stats;

/// A dispatch with what it asks for and how long it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Profiled {
    /// Name of its kernel.
    pub kernel: &'static str,
    /// Its sizes in words.
    pub sizes: String,
    /// Its tile in words, empty for a kernel without tiles.
    pub tile: String,
    /// Workgroups.
    pub groups: [u32; 3],
    /// Multiplications and additions of products, each for itself.
    pub flops: u64,
    /// Bytes that have to be read or written at the least, each number once.
    pub bytes: u64,
    /// Median time on the device, µs.
    pub micros: f64,
}

impl GpuExecutable {
    /// Does a training step so many times, each dispatch in a pass of its own between two timestamps, and returns the
    /// median time of each. The weights change as in training.
    ///
    /// # Errors
    /// [`Error::Unsupported`] without timestamps or for a model that does not train; the device's own.
    pub async fn profile(&mut self, step: &TrainStep, times: u32) -> Result<Vec<Profiled>> {
        if !self.gpu().has_timestamps() {
            return Err(Error::Unsupported {
                feature: "a profile".into(),
                why: "this adapter has no timestamps".into(),
            });
        }
        self.check_steps(std::slice::from_ref(step))?;
        let rows = step.rows.len() as u32;
        let mut all: Vec<Vec<f64>> = Vec::new();
        for _ in 0..times.max(1) {
            self.write_steps(std::slice::from_ref(step));
            let nanos = self.profiled_once(rows).await?;
            all.resize(nanos.len(), Vec::new());
            for (of_one, nanos) in all.iter_mut().zip(nanos) {
                of_one.push(nanos);
            }
        }
        let dispatches = (self.training.iter()).flat_map(|plan| &plan.schedule.dispatches);
        Ok(dispatches
            .zip(all)
            .map(|(dispatch, nanos)| {
                let work = dispatch.task.work(rows);
                Profiled {
                    kernel: dispatch.task.kernel().row().name,
                    sizes: dispatch.task.sizes(rows),
                    tile: dispatch.tile.map_or_else(String::new, |tile| tile.words()),
                    groups: dispatch.groups,
                    flops: work.flops,
                    bytes: work.bytes,
                    micros: stats::median(&nanos).unwrap_or(0.0) / 1000.0,
                }
            })
            .collect())
    }

    /// Nanoseconds of each dispatch of the step of so many rows whose turn was written first.
    async fn profiled_once(&mut self, rows: u32) -> Result<Vec<f64>> {
        let Some(training) = &self.training else {
            return Ok(Vec::new());
        };
        let gpu = self.gpu();
        let stamps = 2 * training.recorded.len() as u32;
        let bytes = 8 * u64::from(stamps);
        let staging = gpu
            .scoped("measuring", || {
                let queries = gpu.device.create_query_set(&wgpu::QuerySetDescriptor {
                    label: Some("timestamps"),
                    ty: wgpu::QueryType::Timestamp,
                    count: stamps,
                });
                let resolved = gpu.device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some("timestamps"),
                    size: bytes,
                    usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
                    mapped_at_creation: false,
                });
                let staging = readable(gpu, bytes);
                let mut encoder = gpu.device.create_command_encoder(&Default::default());
                for (index, dispatch) in (0..).zip(&training.recorded) {
                    let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                        label: None,
                        timestamp_writes: Some(wgpu::ComputePassTimestampWrites {
                            query_set: &queries,
                            beginning_of_pass_write_index: Some(2 * index),
                            end_of_pass_write_index: Some(2 * index + 1),
                        }),
                    });
                    let one = std::slice::from_ref(dispatch);
                    record(&mut pass, &self.memory, one, 0, rows);
                }
                encoder.resolve_query_set(&queries, 0..stamps, &resolved, 0);
                encoder.copy_buffer_to_buffer(&resolved, 0, &staging, 0, bytes);
                gpu.queue.submit([encoder.finish()]);
                staging
            })
            .await?;
        let period = f64::from(gpu.queue.get_timestamp_period());
        let mut nanos = Vec::new();
        gpu.read(&staging, bytes, |words| {
            let tick = |low: u32, high: u32| u64::from(low) + (u64::from(high) << 32);
            for &[low, high, end_low, end_high] in words.as_chunks::<4>().0 {
                // A clock that was set back between two stamps tells nothing: counted as no time.
                let ticks = tick(end_low, end_high).saturating_sub(tick(low, high));
                nanos.push(ticks as f64 * period);
            }
        })
        .await?;
        Ok(nanos)
    }
}
