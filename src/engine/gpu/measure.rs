//! What one dispatch costs, from the slope of the time over how often it is repeated in one submission; it knows no clock.

use super::arena::{Arena, Memory, Sizes};
use super::device::Gpu;
use super::kernels::Task;
use super::kernels::grid::Dispatch;
use super::kernels::task::{Forward, NONE, Shape, Turn, Words};
use super::kernels::tile::Tile;
use super::pipeline::{Pipelines, Recorded, record};
use super::staging::readable;
use crate::error::Result;
use std::cell::RefCell;

/// How long a submission took, ms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Elapsed {
    /// To record its commands.
    pub recording: f64,
    /// From handing it over until the device had answered.
    pub answered: f64,
}

/// Dispatches that can be repeated, each after the one before it.
pub struct Repeats {
    gpu: Gpu,
    staging: wgpu::Buffer,
    what: What,
}

enum What {
    /// A kernel that reads one buffer and writes another, there and back in turn.
    Text {
        pipeline: wgpu::ComputePipeline,
        there_and_back: [wgpu::BindGroup; 2],
        buffer: wgpu::Buffer,
        groups: [u32; 3],
    },
    /// One of the engine's.
    Planned {
        memory: Memory,
        dispatch: Vec<Recorded>,
        rows: u32,
    },
}

impl Repeats {
    /// A kernel of somebody else's text with two buffers of so many words: binding 0 is read, binding 1 is written; in
    /// the next dispatch they change places.
    ///
    /// # Errors
    /// [`crate::error::Error::Engine`] where the device refuses text or buffers.
    pub async fn of_text(gpu: &Gpu, text: &str, words: u64, groups: [u32; 3]) -> Result<Self> {
        let what = gpu
            .scoped("preparing a measurement", || {
                let device = &gpu.device;
                let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
                    label: Some("measured"),
                    source: wgpu::ShaderSource::Wgsl(text.into()),
                });
                let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                    label: Some("measured"),
                    layout: None,
                    module: &module,
                    entry_point: Some("main"),
                    compilation_options: wgpu::PipelineCompilationOptions::default(),
                    cache: None,
                });
                let buffers = [(); 2].map(|()| {
                    device.create_buffer(&wgpu::BufferDescriptor {
                        label: Some("measured"),
                        size: 4 * words,
                        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC,
                        mapped_at_creation: false,
                    })
                });
                let group = |order: [usize; 2]| {
                    let entries = [0, 1].map(|binding| wgpu::BindGroupEntry {
                        binding: binding as u32,
                        resource: buffers[order[binding]].as_entire_binding(),
                    });
                    device.create_bind_group(&wgpu::BindGroupDescriptor {
                        label: Some("measured"),
                        layout: &pipeline.get_bind_group_layout(0),
                        entries: &entries,
                    })
                };
                What::Text {
                    there_and_back: [group([0, 1]), group([1, 0])],
                    buffer: buffers[1].clone(),
                    pipeline,
                    groups,
                }
            })
            .await?;
        Ok(Self::of(gpu, what))
    }

    /// Tiles of a product, in words.
    #[must_use]
    pub fn tiles() -> Vec<String> {
        Tile::ALL.iter().map(|tile| tile.words()).collect()
    }

    /// The product of `rows × inner` by `inner × columns` numbers with one of [`Repeats::tiles`], counted from 0; nothing
    /// where that tile cannot do it.
    ///
    /// # Errors
    /// As [`crate::engine::Engine::prepare`].
    pub async fn of_product(
        gpu: &Gpu,
        [rows, inner, columns]: [u32; 3],
        tile: usize,
    ) -> Result<Option<Self>> {
        let wide = u64::from;
        let input = 0;
        let output = rows * inner;
        let task = Task::Product(Forward {
            shape: Shape {
                height: 1,
                width: 1,
                planes: inner,
                out_height: 1,
                out_width: 1,
                channels: columns,
                size_y: 1,
                size_x: 1,
                stride_y: 1,
                stride_x: 1,
                top: 0,
                left: 0,
                groups: 1,
            },
            input,
            weight: 0,
            bias: NONE,
            residual: NONE,
            output,
            kept: NONE,
            activation: 0,
            norm_scale: NONE,
            norm_shift: NONE,
            norm_mean: NONE,
            norm_variance: NONE,
            epsilon: 0.0,
            factor: 1.0,
        });
        let Some(dispatch) =
            (Tile::ALL.get(tile)).and_then(|&tile| Dispatch::with_tile(task, rows, Some(tile)))
        else {
            return Ok(None);
        };
        let pipelines = RefCell::new(Pipelines::new(gpu));
        Pipelines::compile(&pipelines, gpu, &[dispatch], &mut |_, _| {}).await?;
        let pipelines = pipelines.into_inner();
        let sizes = Sizes {
            tasks: 1,
            weights: wide(inner) * wide(columns),
            values: wide(rows) * (wide(inner) + wide(columns)),
            numbers: 64,
            ..Sizes::default()
        };
        let memory = Memory::new(gpu, &pipelines.layout, sizes).await?;
        let mut turn = Vec::new();
        Turn::of_rows(rows).words(&mut turn);
        memory.write(gpu, Arena::Tasks, 0, &dispatch.task.words());
        memory.write(gpu, Arena::Numbers, 0, &turn);
        // Any numbers but zero, which some processors multiply with less power.
        for (arena, count) in [
            (Arena::Weights, sizes.weights),
            (Arena::Values, sizes.values),
        ] {
            let numbers: Vec<f32> = (0..count)
                .map(|index| (index % 251) as f32 / 251.0 - 0.5)
                .collect();
            memory.write_numbers(gpu, arena, 0, &numbers);
        }
        let dispatch = pipelines.recorded(&[dispatch], 0)?;
        let what = What::Planned {
            memory,
            dispatch,
            rows,
        };
        Ok(Some(Self::of(gpu, what)))
    }

    fn of(gpu: &Gpu, what: What) -> Self {
        Self {
            gpu: gpu.clone(),
            staging: readable(gpu, 4),
            what,
        }
    }

    /// So many dispatches in one submission, and one synchronization. `millis` tells the time.
    ///
    /// # Errors
    /// [`crate::error::Error::Engine`] where the device was lost.
    pub async fn run(&self, times: u32, millis: &dyn Fn() -> f64) -> Result<Elapsed> {
        let begin = millis();
        let mut encoder = (self.gpu.device).create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        match &self.what {
            What::Text {
                pipeline,
                there_and_back,
                groups: [x, y, z],
                ..
            } => {
                pass.set_pipeline(pipeline);
                for time in 0..times {
                    pass.set_bind_group(0, &there_and_back[time as usize % 2], &[]);
                    pass.dispatch_workgroups(*x, *y, *z);
                }
            }
            What::Planned {
                memory,
                dispatch,
                rows,
            } => {
                for _ in 0..times {
                    record(&mut pass, memory, dispatch, 0, *rows);
                }
            }
        }
        drop(pass);
        match &self.what {
            What::Text { buffer, .. } => {
                encoder.copy_buffer_to_buffer(buffer, 0, &self.staging, 0, 4);
            }
            What::Planned { memory, .. } => {
                memory.copy(&mut encoder, Arena::Values, 0, &self.staging, 0, 4);
            }
        }
        let commands = encoder.finish();
        let recorded = millis();
        self.gpu.queue.submit([commands]);
        self.gpu.read(&self.staging, 4, |_| {}).await?;
        Ok(Elapsed {
            recording: recorded - begin,
            answered: millis() - recorded,
        })
    }

    /// So many submissions with one dispatch each, and one synchronization: the time of all of it, ms.
    ///
    /// # Errors
    /// As [`Repeats::run`].
    pub async fn submissions(&self, times: u32, millis: &dyn Fn() -> f64) -> Result<f64> {
        let begin = millis();
        for _ in 1..times {
            let mut encoder = (self.gpu.device).create_command_encoder(&Default::default());
            if let What::Text {
                pipeline,
                there_and_back,
                groups: [x, y, z],
                ..
            } = &self.what
            {
                let mut pass = encoder.begin_compute_pass(&Default::default());
                pass.set_pipeline(pipeline);
                pass.set_bind_group(0, &there_and_back[0], &[]);
                pass.dispatch_workgroups(*x, *y, *z);
            }
            self.gpu.queue.submit([encoder.finish()]);
        }
        self.run(1, millis).await?;
        Ok(millis() - begin)
    }
}
