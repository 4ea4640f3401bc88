//! Compiled kernels, each in its forms, compiled once, side by side; and how a list of dispatches is recorded.

use super::arena::{self, Memory};
use super::device::{Gpu, failure};
use super::kernels::grid::{Dispatch, Form};
use super::kernels::{Kernel, WORDS_STRIDE};
use crate::error::Result;
use crate::order;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Told how many pipelines are compiled, of how many.
pub(crate) type Progress<'a> = &'a mut dyn FnMut(usize, usize);

const DURING: &str = "compiling kernels";

/// How the integer products multiply four numbers of 8 bits, and how where WGSL has no word for it.
pub(crate) const DOTS: &str = "return dot4I8Packed(a, b);";
/// See [`DOTS`].
pub(crate) const PLAIN_DOTS: &str =
    "let c = unpacked(a) * unpacked(b);\n    return c.x + c.y + c.z + c.w;";

/// The pipelines of a device.
#[derive(Debug)]
pub(crate) struct Pipelines {
    pub(crate) layout: wgpu::BindGroupLayout,
    pipelines_layout: wgpu::PipelineLayout,
    compiled: BTreeMap<Form, wgpu::ComputePipeline>,
    /// Texts in other kernels' places, for tests.
    changed: BTreeMap<Kernel, String>,
}

/// A dispatch as it is recorded.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pipeline: wgpu::ComputePipeline,
    /// Whether the one before it has another pipeline.
    changes: bool,
    /// Bytes before its task.
    task: u32,
    dispatch: Dispatch,
}

/// Records dispatches for so many rows, with the words of one turn, which begin after so many bytes.
///
/// Workgroups beyond the rows are not started: they would return at once, but browsers fill a workgroup's shared memory
/// with zeros before its first line.
pub(crate) fn record(
    pass: &mut wgpu::ComputePass<'_>,
    memory: &Memory,
    dispatches: &[Recorded],
    turn: u32,
    rows: u32,
) {
    for (index, dispatch) in dispatches.iter().enumerate() {
        if index == 0 || dispatch.changes {
            pass.set_pipeline(&dispatch.pipeline);
        }
        pass.set_bind_group(0, &memory.group, &[dispatch.task, turn]);
        let [x, y, z] = dispatch.dispatch.groups_for(rows);
        pass.dispatch_workgroups(x, y, z);
    }
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
        let mut changed = BTreeMap::new();
        if !gpu.has_dots() {
            for product in [Kernel::IntegerProduct, Kernel::DynamicProduct] {
                changed.insert(product, product.source().replace(DOTS, PLAIN_DOTS));
            }
        }
        Self {
            layout,
            pipelines_layout,
            compiled: BTreeMap::new(),
            changed,
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.compiled.len()
    }

    /// Compiles what dispatches need and is not there yet, and returns how many that were.
    ///
    /// # Errors
    /// [`crate::error::Error::Engine`] with the compiler's own words.
    pub(crate) async fn compile(
        pipelines: &RefCell<Self>,
        gpu: &Gpu,
        dispatches: &[Dispatch],
        progress: Progress<'_>,
    ) -> Result<usize> {
        let (missing, layout, changed) = {
            let own = pipelines.borrow();
            let mut missing: Vec<Form> = Vec::new();
            for dispatch in dispatches {
                let form = dispatch.form();
                if !own.compiled.contains_key(&form) && !missing.contains(&form) {
                    missing.push(form);
                }
            }
            order::sort(&mut missing);
            (missing, own.pipelines_layout.clone(), own.changed.clone())
        };
        if missing.is_empty() {
            return Ok(0);
        }
        let made = make_all(gpu, &layout, &missing, &changed, progress).await?;
        let count = made.len();
        pipelines.borrow_mut().compiled.extend(made);
        Ok(count)
    }

    /// Compiles a kernel with another text from now on.
    pub(crate) fn change(&mut self, kernel: Kernel, source: String) {
        self.changed.insert(kernel, source);
    }

    /// Puts another text in a kernel's place, to see whether a comparison notices.
    ///
    /// # Errors
    /// [`crate::error::Error::Engine`] with the compiler's own words.
    pub(crate) async fn sabotage(
        &mut self,
        gpu: &Gpu,
        dispatch: &Dispatch,
        source: &str,
    ) -> Result<()> {
        let key = dispatch.form();
        let layout = self.pipelines_layout.clone();
        let made = gpu
            .scoped(DURING, || make(gpu, &layout, key, source))
            .await?;
        self.compiled.insert(key, made);
        Ok(())
    }

    /// Dispatches as they are recorded, the first with the words at `first_task`; all must have been compiled.
    ///
    /// # Errors
    /// [`crate::error::Error::Engine`] for one that was not.
    pub(crate) fn recorded(
        &self,
        dispatches: &[Dispatch],
        first_task: u32,
    ) -> Result<Vec<Recorded>> {
        let mut before = None;
        (first_task..)
            .zip(dispatches)
            .map(|(index, dispatch)| {
                let key = dispatch.form();
                let pipeline = self.compiled.get(&key).cloned().ok_or_else(|| {
                    failure(DURING, format!("{} was left out", key.kernel.row().name))
                })?;
                let changes = before != Some(key);
                before = Some(key);
                Ok(Recorded {
                    pipeline,
                    changes,
                    task: index * WORDS_STRIDE,
                    dispatch: *dispatch,
                })
            })
            .collect()
    }
}

/// A kernel's text, or the one in its place.
fn text(kernel: Kernel, changed: &BTreeMap<Kernel, String>) -> &str {
    changed.get(&kernel).map_or(kernel.source(), String::as_str)
}

fn make(
    gpu: &Gpu,
    layout: &wgpu::PipelineLayout,
    form: Form,
    source: &str,
) -> wgpu::ComputePipeline {
    let name = form.kernel.row().name;
    let module = gpu
        .device
        .create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(name),
            source: wgpu::ShaderSource::Wgsl(source.into()),
        });
    let constants = form.constants();
    gpu.device
        .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(name),
            layout: Some(layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &constants,
                // Every kernel writes what it reads, so that nothing need be zero before.
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        })
}

/// Asks for all of them before the first answer is waited for, so that a browser can compile while it is asked.
#[cfg(target_arch = "wasm32")]
async fn make_all(
    gpu: &Gpu,
    layout: &wgpu::PipelineLayout,
    keys: &[Form],
    changed: &BTreeMap<Kernel, String>,
    progress: Progress<'_>,
) -> Result<Vec<(Form, wgpu::ComputePipeline)>> {
    let asked: Vec<_> = keys
        .iter()
        .map(|&key| {
            let scope = gpu.scope();
            let made = make(gpu, layout, key, text(key.kernel, changed));
            (key, made, scope.end())
        })
        .collect();
    let mut all = Vec::new();
    progress(0, keys.len());
    for (key, made, found) in asked {
        gpu.told(DURING, found.await)?;
        all.push((key, made));
        progress(all.len(), keys.len());
    }
    Ok(all)
}

/// On as many threads as there are processors, eight at most: drivers compile side by side.
#[cfg(not(target_arch = "wasm32"))]
async fn make_all(
    gpu: &Gpu,
    layout: &wgpu::PipelineLayout,
    keys: &[Form],
    changed: &BTreeMap<Kernel, String>,
    progress: Progress<'_>,
) -> Result<Vec<(Form, wgpu::ComputePipeline)>> {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get().min(8));
    let next = AtomicUsize::new(0);
    let (send, receive) = std::sync::mpsc::channel();
    let mut all = Vec::new();
    progress(0, keys.len());
    let result = std::thread::scope(|scope| {
        for _ in 0..threads.min(keys.len()) {
            let (send, next) = (send.clone(), &next);
            scope.spawn(move || {
                while let Some(&key) = keys.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // A scope belongs to its thread and natively answers at once.
                    let scope = gpu.scope();
                    let made = make(gpu, layout, key, text(key.kernel, changed));
                    let found = crate::engine::ready(Box::pin(async { Ok(scope.end().await) }));
                    let told = found.and_then(|found| gpu.told(DURING, found));
                    if send.send(told.map(|()| (key, made))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        for made in receive {
            all.push(made?);
            progress(all.len(), keys.len());
        }
        Ok(())
    });
    result.map(|()| all)
}
