//! The buffers that all kernels share, and their one bind group; what stands where in them is the schedule's.

use super::device::Gpu;
use super::kernels::{BINDINGS, WORDS_STRIDE};
use crate::error::{Error, Result};

/// How many words each arena has; tasks and turns are counted in pieces of [`WORDS_STRIDE`] bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) tasks: u64,
    pub(crate) turns: u64,
    pub(crate) weights: u64,
    pub(crate) moments: u64,
    pub(crate) values: u64,
    pub(crate) data: u64,
    pub(crate) numbers: u64,
    pub(crate) metrics: u64,
}

impl Sizes {
    /// Bytes of each binding, at least 16 because no binding may be empty.
    fn bytes(self) -> [u64; 8] {
        let stride = u64::from(WORDS_STRIDE);
        let words = [
            self.weights,
            self.moments,
            self.values,
            self.data,
            self.numbers,
            self.metrics,
        ];
        let mut bytes = [self.tasks * stride, self.turns * stride, 0, 0, 0, 0, 0, 0];
        for (bytes, words) in bytes[2..].iter_mut().zip(words) {
            *bytes = 4 * words;
        }
        bytes.map(|bytes| bytes.max(u64::from(WORDS_STRIDE)))
    }
}

/// An arena, by its binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arena {
    Tasks,
    Turns,
    Weights,
    Moments,
    Values,
    Data,
    Numbers,
    Metrics,
}

/// The buffers on the device.
#[derive(Debug)]
pub(crate) struct Memory {
    buffers: Vec<wgpu::Buffer>,
    pub(crate) group: wgpu::BindGroup,
}

/// The one layout: two uniform windows with dynamic offsets, six arenas.
pub(crate) fn layout(gpu: &Gpu) -> wgpu::BindGroupLayout {
    let entries: Vec<wgpu::BindGroupLayoutEntry> = (0..)
        .zip(BINDINGS)
        .map(|(binding, name)| {
            let is_uniform = matches!(name, "task" | "turn");
            wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty: match name {
                        _ if is_uniform => wgpu::BufferBindingType::Uniform,
                        "data" | "numbers" => wgpu::BufferBindingType::Storage { read_only: true },
                        _ => wgpu::BufferBindingType::Storage { read_only: false },
                    },
                    has_dynamic_offset: is_uniform,
                    min_binding_size: None,
                },
                count: None,
            }
        })
        .collect();
    let descriptor = wgpu::BindGroupLayoutDescriptor {
        label: Some("arenas"),
        entries: &entries,
    };
    gpu.device.create_bind_group_layout(&descriptor)
}

impl Memory {
    /// Makes room; everything is zero.
    ///
    /// # Errors
    /// [`Error::TooLarge`] where an arena is beyond the device's limit; [`Error::Engine`] where it has no memory left.
    pub(crate) async fn new(
        gpu: &Gpu,
        layout: &wgpu::BindGroupLayout,
        sizes: Sizes,
    ) -> Result<Self> {
        let bytes = sizes.bytes();
        let limit = gpu.most_bytes();
        if let Some((name, &got)) = BINDINGS
            .iter()
            .zip(&bytes)
            .find(|&(_, &bytes)| bytes > limit)
        {
            return Err(Error::TooLarge {
                what: format!("the GPU's {name}"),
                got,
                limit,
                unit: "bytes",
            });
        }
        gpu.scoped("making room on the GPU", || {
            let buffers: Vec<wgpu::Buffer> = (BINDINGS.iter().zip(bytes))
                .map(|(name, size)| {
                    let kind = match *name {
                        "task" | "turn" => wgpu::BufferUsages::UNIFORM,
                        _ => wgpu::BufferUsages::STORAGE,
                    };
                    gpu.device.create_buffer(&wgpu::BufferDescriptor {
                        label: Some(name),
                        size,
                        usage: kind | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC,
                        mapped_at_creation: false,
                    })
                })
                .collect();
            let entries: Vec<wgpu::BindGroupEntry<'_>> = (0..)
                .zip(&buffers)
                .map(|(binding, buffer)| wgpu::BindGroupEntry {
                    binding,
                    resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                        buffer,
                        offset: 0,
                        size: match binding {
                            0 | 1 => std::num::NonZeroU64::new(u64::from(WORDS_STRIDE)),
                            _ => None,
                        },
                    }),
                })
                .collect();
            let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("arenas"),
                layout,
                entries: &entries,
            });
            Self { buffers, group }
        })
        .await
    }

    /// Writes words from a place on.
    pub(crate) fn write(
        &self,
        gpu: &Gpu,
        arena: Arena,
        first: u64,
        words: impl IntoIterator<Item = u32>,
    ) {
        let bytes: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        if !bytes.is_empty() {
            gpu.queue
                .write_buffer(&self.buffers[arena as usize], 4 * first, &bytes);
        }
    }

    /// Writes numbers from a place on.
    pub(crate) fn write_numbers(&self, gpu: &Gpu, arena: Arena, first: u64, numbers: &[f32]) {
        self.write(
            gpu,
            arena,
            first,
            numbers.iter().map(|number| number.to_bits()),
        );
    }

    /// A buffer of so many bytes that can be read back.
    pub(crate) fn staging(gpu: &Gpu, bytes: u64) -> wgpu::Buffer {
        gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("read back"),
            size: bytes,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    }

    /// Records a copy of `size` bytes out of an arena.
    pub(crate) fn copy(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        arena: Arena,
        first: u64,
        into: &wgpu::Buffer,
        to: u64,
        size: u64,
    ) {
        encoder.copy_buffer_to_buffer(&self.buffers[arena as usize], first, into, to, size);
    }

    /// Reads stretches of arenas, `(arena, first word, words)`, one after another: one submission and one synchronization.
    ///
    /// # Errors
    /// [`Error::Engine`] where the device was lost or has no memory left.
    pub(crate) async fn read(
        &self,
        gpu: &Gpu,
        stretches: &[(Arena, u64, u64)],
    ) -> Result<Vec<u32>> {
        let bytes = 4 * stretches.iter().map(|stretch| stretch.2).sum::<u64>();
        if bytes == 0 {
            return Ok(Vec::new());
        }
        let during = "reading back from the GPU";
        let staging = gpu
            .scoped(during, || {
                let staging = Self::staging(gpu, bytes);
                let mut encoder = gpu.device.create_command_encoder(&Default::default());
                let mut to = 0;
                for &(arena, first, words) in stretches {
                    self.copy(&mut encoder, arena, 4 * first, &staging, to, 4 * words);
                    to += 4 * words;
                }
                gpu.queue.submit([encoder.finish()]);
                staging
            })
            .await?;
        let read = gpu.read(&staging, bytes).await?;
        staging.destroy();
        Ok(read
            .as_chunks::<4>()
            .0
            .iter()
            .map(|word| u32::from_le_bytes(*word))
            .collect())
    }
}
