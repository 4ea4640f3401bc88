//! Compiled kernels, each by its number and its tile, compiled once; and how a list of dispatches is recorded.

use super::arena::{self, Memory};
use super::device::Gpu;
use super::kernels::grid::{Dispatch, Tile};
use super::kernels::{Kernel, WORDS_STRIDE};
use std::collections::BTreeMap;

/// What decides about a pipeline.
type Key = (Kernel, Option<Tile>);

/// The pipelines of a device.
#[derive(Debug)]
pub(crate) struct Pipelines {
    pub(crate) layout: wgpu::BindGroupLayout,
    pipelines_layout: wgpu::PipelineLayout,
    compiled: BTreeMap<Key, wgpu::ComputePipeline>,
    /// Texts in other kernels' places, for tests.
    changed: BTreeMap<Kernel, String>,
}

impl Pipelines {
    /// None yet.
    pub(crate) fn new(gpu: &Gpu) -> Self {
        let layout = arena::layout(gpu);
        let pipelines_layout = gpu
            .device
            .create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some("arenas"),
                bind_group_layouts: &[Some(&layout)],
                immediate_size: 0,
            });
        Self {
            layout,
            pipelines_layout,
            compiled: BTreeMap::new(),
            changed: BTreeMap::new(),
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.compiled.len()
    }

    /// Compiles what a list of dispatches needs and is not there yet. The browser compiles them side by side: nothing
    /// waits for one before the next is asked for. What the compiler says, the scope around it learns.
    pub(crate) fn compile(&mut self, gpu: &Gpu, dispatches: &[Dispatch]) {
        for dispatch in dispatches {
            let key = (dispatch.task.kernel(), dispatch.tile);
            if !self.compiled.contains_key(&key) {
                let source = self.changed.get(&key.0);
                let source = source.map_or(key.0.row().source, String::as_str);
                let made = self.make(gpu, key, source);
                self.compiled.insert(key, made);
            }
        }
    }

    /// Compiles a kernel with another text from now on.
    pub(crate) fn change(&mut self, kernel: Kernel, source: String) {
        self.changed.insert(kernel, source);
    }

    /// Puts another text in a kernel's place, to see whether a comparison notices.
    pub(crate) fn sabotage(&mut self, gpu: &Gpu, dispatch: &Dispatch, source: &str) {
        let key = (dispatch.task.kernel(), dispatch.tile);
        let made = self.make(gpu, key, source);
        self.compiled.insert(key, made);
    }

    fn make(&self, gpu: &Gpu, (kernel, tile): Key, source: &str) -> wgpu::ComputePipeline {
        let name = kernel.row().name;
        let module = gpu
            .device
            .create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(name),
                source: wgpu::ShaderSource::Wgsl(source.into()),
            });
        let constants = tile.map(Tile::constants);
        gpu.device
            .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(name),
                layout: Some(&self.pipelines_layout),
                module: &module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: constants
                        .as_ref()
                        .map_or(&[], |constants| constants.as_slice()),
                    ..Default::default()
                },
                cache: None,
            })
    }

    /// Records dispatches, the first with the words at `first_task`, with the words of one step.
    pub(crate) fn record(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        memory: &Memory,
        dispatches: &[Dispatch],
        first_task: u32,
        turn: u32,
    ) {
        let mut current = None;
        for (index, dispatch) in (first_task..).zip(dispatches) {
            let key = (dispatch.task.kernel(), dispatch.tile);
            let Some(pipeline) = self.compiled.get(&key) else {
                continue;
            };
            if current != Some(key) {
                pass.set_pipeline(pipeline);
                current = Some(key);
            }
            pass.set_bind_group(
                0,
                &memory.group,
                &[index * WORDS_STRIDE, turn * WORDS_STRIDE],
            );
            let [x, y, z] = dispatch.groups;
            pass.dispatch_workgroups(x, y, z);
        }
    }
}
