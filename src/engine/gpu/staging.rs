//! Buffers that results are read back through, kept by size, so that an answer makes none; nothing is computed here.

use super::arena::{Arena, Memory};
use super::device::Gpu;
use crate::error::Result;
use std::collections::BTreeMap;

/// The smallest size of a buffer, bytes.
const LEAST: u64 = 256;
/// A larger buffer is given back to the device after use: states are read rarely.
const MOST_KEPT: u64 = 1 << 22;

/// Buffers that are not in use, by their size.
#[derive(Debug, Default)]
pub(crate) struct Staging {
    free: BTreeMap<u64, Vec<wgpu::Buffer>>,
    /// How many were made.
    pub(crate) made: u64,
}

/// A buffer of so many bytes that can be read back.
pub(crate) fn readable(gpu: &Gpu, bytes: u64) -> wgpu::Buffer {
    gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("read back"),
        size: bytes,
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

impl Staging {
    /// A buffer of at least so many bytes; one that has to be made is made under a scope, so that it is known to exist.
    ///
    /// # Errors
    /// [`crate::error::Error::Engine`] where the device has no memory left.
    pub(crate) async fn take(&mut self, gpu: &Gpu, bytes: u64) -> Result<wgpu::Buffer> {
        let size = bytes.max(LEAST).next_power_of_two();
        let fitting = self.free.range_mut(size..).find_map(|(_, of)| of.pop());
        if let Some(buffer) = fitting {
            return Ok(buffer);
        }
        self.made += 1;
        gpu.scoped("making room to read back from the GPU", || {
            readable(gpu, size)
        })
        .await
    }

    /// Keeps a buffer for the next time. One that is not given back, because nobody waited for its answer, is dropped.
    pub(crate) fn give(&mut self, buffer: wgpu::Buffer) {
        let size = buffer.size();
        if size > MOST_KEPT {
            buffer.destroy();
        } else {
            self.free.entry(size).or_default().push(buffer);
        }
    }

    /// Reads stretches of arenas, `(arena, first word, words)`, one after another: one submission, one synchronization.
    ///
    /// # Errors
    /// [`crate::error::Error::Engine`] where the device was lost or has no memory left.
    pub(crate) async fn read(
        &mut self,
        gpu: &Gpu,
        memory: &Memory,
        stretches: &[(Arena, u64, u64)],
    ) -> Result<Vec<u32>> {
        let bytes = 4 * stretches.iter().map(|stretch| stretch.2).sum::<u64>();
        let mut words = Vec::with_capacity(bytes as usize / 4);
        if bytes == 0 {
            return Ok(words);
        }
        let buffer = self.take(gpu, bytes).await?;
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        memory.copy_stretches(&mut encoder, stretches, &buffer);
        gpu.queue.submit([encoder.finish()]);
        gpu.read(&buffer, bytes, |read| words.extend_from_slice(read))
            .await?;
        self.give(buffer);
        Ok(words)
    }
}
