//! The buffers that all kernels share, and their one bind group; what stands where in them is the schedule's.

use super::device::Gpu;
use super::kernels::{BINDINGS, WORDS_STRIDE};
use crate::error::{Error, Result};

/// How many words each arena has; tasks are counted in pieces of [`WORDS_STRIDE`] bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) tasks: u64,
    pub(crate) weights: u64,
    pub(crate) moments: u64,
    pub(crate) values: u64,
    pub(crate) data: u64,
    /// With the turns' words.
    pub(crate) numbers: u64,
    pub(crate) metrics: u64,
}

/// An arena, in the order of [`Sizes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arena {
    Tasks,
    Weights,
    Moments,
    Values,
    Data,
    Numbers,
    Metrics,
}

/// The arena behind each of [`BINDINGS`]: a turn is a window into the numbers, so that one write brings it and its rows.
const ARENAS: [Arena; 8] = [
    Arena::Tasks,
    Arena::Numbers,
    Arena::Weights,
    Arena::Moments,
    Arena::Values,
    Arena::Data,
    Arena::Numbers,
    Arena::Metrics,
];

impl Sizes {
    /// Bytes of each arena, at least a window's because no binding may be empty, and whole quads.
    fn bytes(self) -> [u64; 7] {
        let stride = u64::from(WORDS_STRIDE);
        [
            stride * self.tasks,
            4 * self.weights,
            4 * self.moments,
            4 * self.values,
            4 * self.data,
            4 * self.numbers,
            4 * self.metrics,
        ]
        .map(|bytes| bytes.max(stride).next_multiple_of(16))
    }

    /// Bytes of all of them.
    pub(crate) fn all_bytes(self) -> u64 {
        self.bytes().iter().sum()
    }
}

/// The buffers on the device.
#[derive(Debug)]
pub(crate) struct Memory {
    buffers: [wgpu::Buffer; 7],
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
        const NAMES: [&str; 7] = [
            "tasks", "weights", "moments", "values", "data", "numbers", "metrics",
        ];
        let bytes = sizes.bytes();
        let limit = gpu.most_bytes();
        if let Some((name, &got)) = (NAMES.iter().zip(&bytes)).find(|&(_, &bytes)| bytes > limit) {
            return Err(Error::TooLarge {
                what: format!("the GPU's {name}"),
                got,
                limit,
                unit: "bytes",
            });
        }
        gpu.scoped("making room on the GPU", || {
            let buffers = std::array::from_fn(|arena| {
                let kind = match NAMES[arena] {
                    "tasks" => wgpu::BufferUsages::UNIFORM,
                    "numbers" => wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::STORAGE,
                    _ => wgpu::BufferUsages::STORAGE,
                };
                gpu.device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some(NAMES[arena]),
                    size: bytes[arena],
                    usage: kind | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC,
                    mapped_at_creation: false,
                })
            });
            let entries: [wgpu::BindGroupEntry<'_>; 8] =
                std::array::from_fn(|binding| wgpu::BindGroupEntry {
                    binding: binding as u32,
                    resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                        buffer: &buffers[ARENAS[binding] as usize],
                        offset: 0,
                        size: match binding {
                            0 | 1 => std::num::NonZeroU64::new(u64::from(WORDS_STRIDE)),
                            _ => None,
                        },
                    }),
                });
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
    pub(crate) fn write(&self, gpu: &Gpu, arena: Arena, first: u64, words: &[u32]) {
        self.write_bytes(gpu, arena, first, bytemuck::cast_slice(words));
    }

    /// Writes numbers from a place on.
    pub(crate) fn write_numbers(&self, gpu: &Gpu, arena: Arena, first: u64, numbers: &[f32]) {
        self.write_bytes(gpu, arena, first, bytemuck::cast_slice(numbers));
    }

    fn write_bytes(&self, gpu: &Gpu, arena: Arena, first: u64, bytes: &[u8]) {
        if !bytes.is_empty() {
            gpu.queue
                .write_buffer(&self.buffers[arena as usize], 4 * first, bytes);
        }
    }

    /// Records that the first bytes of an arena become zero.
    pub(crate) fn clear(&self, encoder: &mut wgpu::CommandEncoder, arena: Arena, bytes: u64) {
        encoder.clear_buffer(&self.buffers[arena as usize], 0, Some(bytes));
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

    /// Records copies of stretches of arenas, `(arena, first word, words)`, one after another.
    pub(crate) fn copy_stretches(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        stretches: &[(Arena, u64, u64)],
        into: &wgpu::Buffer,
    ) {
        let mut to = 0;
        for &(arena, first, words) in stretches {
            if words > 0 {
                self.copy(encoder, arena, 4 * first, into, to, 4 * words);
            }
            to += 4 * words;
        }
    }
}
