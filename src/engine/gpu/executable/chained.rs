//! The same answers again and again in one submission: what computing costs without handing over and waiting.

use super::GpuExecutable;
use super::replay::answering;
use crate::engine::cpu::rows::check_numbers;
use crate::engine::gpu::arena::Arena;
use crate::engine::gpu::pipeline::record;
use crate::error::{Error, Result};

/// What chained answers measured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Chained {
    /// Time on the device from the first dispatch to the last, all repeats together, milliseconds; nothing where the
    /// adapter has no timestamps or its clock was set back. Browsers round it, to a tenth of a millisecond or so.
    pub gpu_millis: Option<f64>,
}

impl GpuExecutable {
    /// Answers the same loaded rows, one batch at most, so many times in one submission with one synchronization. Each
    /// time begins when the one before it has ended, because it writes where that one read.
    ///
    /// # Errors
    /// [`Error::BadInput`] for rows that were not loaded, none or more than a batch, or no times; the device's own.
    pub async fn chained(&mut self, rows: &[u32], times: u32) -> Result<Chained> {
        check_numbers(&self.loaded, rows)?;
        if rows.is_empty() || rows.len() > self.batch || times == 0 {
            return Err(Error::bad_input(
                "chained answers",
                format!("1 to {} rows, at least once", self.batch),
                format!("{} rows, {times} times", rows.len()),
            ));
        }
        self.records.clear();
        self.records
            .push(answering(0, rows.len()), rows.iter().copied());
        self.write_records();
        let gpu = self.workshop.gpu.clone();
        let stamps = gpu.has_timestamps().then(|| {
            let queries = gpu.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("timestamps"),
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            });
            let resolved = gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("timestamps"),
                size: STAMPS_BYTES,
                usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            });
            (queries, resolved)
        });
        let staging = self.staging.take(&gpu, STAMPS_BYTES).await?;
        let plan = self.answering(rows.len())?;
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: None,
            timestamp_writes: stamps.as_ref().map(|(queries, _)| {
                wgpu::ComputePassTimestampWrites {
                    query_set: queries,
                    beginning_of_pass_write_index: Some(0),
                    end_of_pass_write_index: Some(1),
                }
            }),
        });
        for _ in 0..times {
            record(
                &mut pass,
                &self.memory,
                &plan.recorded,
                0,
                rows.len() as u32,
            );
        }
        drop(pass);
        match &stamps {
            Some((queries, resolved)) => {
                encoder.resolve_query_set(queries, 0..2, resolved, 0);
                encoder.copy_buffer_to_buffer(resolved, 0, &staging, 0, STAMPS_BYTES);
            }
            None => {
                let from = 4 * u64::from(plan.schedule.logits);
                (self.memory).copy(&mut encoder, Arena::Values, from, &staging, 0, 4);
            }
        }
        gpu.queue.submit([encoder.finish()]);
        let dispatches = plan.recorded.len() as u64;
        let mut ticks = [0; 2];
        gpu.read(&staging, STAMPS_BYTES, |words| {
            for (tick, [low, high]) in ticks.iter_mut().zip(words.as_chunks::<2>().0) {
                *tick = u64::from(*low) + (u64::from(*high) << 32);
            }
        })
        .await?;
        self.staging.give(staging);
        self.counts.dispatches += u64::from(times) * dispatches;
        self.counts.submissions += 1;
        self.counts.synchronizations += 1;
        self.counts.bytes_down += STAMPS_BYTES;
        let period = f64::from(gpu.queue.get_timestamp_period());
        let [begin, end] = ticks;
        let passed = end.checked_sub(begin).filter(|_| stamps.is_some());
        Ok(Chained {
            gpu_millis: passed.map(|ticks| ticks as f64 * period / 1e6),
        })
    }
}

/// Two timestamps.
const STAMPS_BYTES: u64 = 16;
