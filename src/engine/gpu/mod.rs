//! The WebGPU engine: the plan of the CPU engine as dispatches of its own kernels; it knows no clock but one it is given.

mod arena;
mod autotune;
mod device;
mod executable;
mod halves;
mod kernels;
pub mod measure;
pub mod parity;
mod pipeline;
mod schedule;
mod staging;
mod twin;
mod workshop;

pub use autotune::TuningOptions;
pub use device::{Gpu, is_software};
pub use executable::{Chained, Counts, GpuExecutable, Preparation, Profiled};
pub use kernels::supply as supply_kernels;

use super::{Capabilities, Engine, EngineKind, Executable, Parameters, Pending};
use crate::data::Rows;
use crate::error::{Error, Result};
use crate::model::{Graph, Weights};
use crate::quant::{Codes, Request};
use executable::IntegerModel;
use kernels::Kernel;
use schedule::Rounding;
use std::rc::Rc;
use workshop::Workshop;

/// Version of this engine's arithmetic: f32 as WGSL leaves it, so never the same bits on two devices.
pub const ARITHMETIC: &str = "gpu-1";

/// The engine on one device; pipelines are shared by all its models.
pub struct GpuEngine {
    workshop: Rc<Workshop>,
    rows: Option<Rc<Rows>>,
}

impl GpuEngine {
    /// An engine without rows.
    #[must_use]
    pub fn new(gpu: Gpu) -> Self {
        Self {
            workshop: Rc::new(Workshop::new(gpu)),
            rows: None,
        }
    }

    /// The same with a clock, `millis` since any moment, for [`GpuExecutable::preparation`] and for tuning. No result
    /// depends on it but in rounding.
    #[must_use]
    pub fn with_clock(self, millis: Rc<dyn Fn() -> f64>) -> Self {
        self.workshop.set_clock(millis);
        self
    }

    /// The same with tiles chosen by measurement, which needs a clock: whenever a model is prepared, tiles that are not
    /// known yet are timed within the options' budget. `tiles` is what [`GpuEngine::tiles`] told before, or empty; a text
    /// of another adapter or version is ignored.
    #[must_use]
    pub fn with_tuning(self, options: TuningOptions, tiles: &str) -> Self {
        self.workshop.set_tuning(options, tiles);
        self
    }

    /// The tiles chosen so far as JSON text that names the adapter, for [`GpuEngine::with_tuning`].
    #[must_use]
    pub fn tiles(&self) -> String {
        let workshop = &self.workshop;
        workshop.tiles.borrow().text(workshop.gpu.name())
    }

    /// The same in words, one choice each: `product_quads 4096×576×64 → 32×32 by 32 in 4 slices`.
    #[must_use]
    pub fn chosen_tiles(&self) -> Vec<String> {
        self.workshop.tiles.borrow().words()
    }

    /// Tells how many pipelines are compiled, of how many, whenever a model is prepared that needs new ones.
    pub fn on_compiling(&self, listener: impl FnMut(usize, usize) + 'static) {
        self.workshop.listen(Box::new(listener));
    }

    /// Pipelines compiled so far.
    #[must_use]
    pub fn pipelines(&self) -> usize {
        self.workshop.pipelines.borrow().count()
    }

    /// Compiles a kernel with one of its phrases changed from now on, so that a test sees whether anybody notices.
    ///
    /// # Errors
    /// [`Error::BadInput`] where there is no such kernel, or the phrase is not in it.
    pub fn sabotage(&self, kernel: &str, from: &str, to: &str) -> Result<()> {
        let found = Kernel::ALL.iter().find(|it| it.row().name == kernel);
        let refused = |got: &str| Error::bad_input("the kernel to change", from, got);
        let found = found.ok_or_else(|| refused(kernel))?;
        let source = found.source();
        if !source.contains(from) {
            return Err(refused("another text"));
        }
        let mut pipelines = self.workshop.pipelines.borrow_mut();
        pipelines.change(*found, source.replace(from, to));
        Ok(())
    }

    fn loaded(&self) -> Result<Rc<Rows>> {
        let rows = self.rows.clone();
        rows.ok_or_else(|| Error::bad_input("the engine", "loaded rows", "none"))
    }

    /// [`Engine::prepare`] with what a GPU's model tells beyond the contract.
    ///
    /// # Errors
    /// As there.
    pub async fn model(
        &self,
        graph: &Graph,
        parameters: Parameters<'_>,
        batch: u32,
    ) -> Result<GpuExecutable> {
        let workshop = Rc::clone(&self.workshop);
        GpuExecutable::new(workshop, self.loaded()?, graph, parameters, batch).await
    }

    /// A model that trains with weights rounded as a request asks and values as their codes say, both as if they were not
    /// there on the way back: the steps of [`super::cpu::FineTuning`], done here.
    ///
    /// # Errors
    /// [`Error::Unsupported`] that names a layer whose scheme no kernel rounds; else as [`Engine::prepare`].
    pub async fn fine_tuning(
        &self,
        graph: &Graph,
        weights: &Weights,
        (request, codes): (&Request, &[Codes]),
        batch: u32,
    ) -> Result<GpuExecutable> {
        let rounding = Rounding::new(graph, request, codes)?;
        let (workshop, rows) = (Rc::clone(&self.workshop), self.loaded()?);
        GpuExecutable::rounding(workshop, rows, graph, weights, rounding, batch).await
    }
}

impl Engine for GpuEngine {
    fn kind(&self) -> EngineKind {
        EngineKind::Gpu
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            arithmetic: ARITHMETIC,
            exact: false,
            trains: true,
            threads: 1,
        }
    }

    fn load<'a>(&'a mut self, rows: &'a Rows) -> Pending<'a, ()> {
        Box::pin(async move {
            super::cpu::rows::check_whole(rows)?;
            self.rows = Some(Rc::new(rows.clone()));
            Ok(())
        })
    }

    fn prepare<'a>(
        &'a self,
        graph: &'a Graph,
        parameters: Parameters<'a>,
        batch: u32,
    ) -> Pending<'a, Box<dyn Executable>> {
        Box::pin(async move {
            if let Parameters::Stored(stored) = parameters
                && let Some(integer) = stored.integer()
                && stored.is_static()
            {
                let (workshop, rows) = (Rc::clone(&self.workshop), self.loaded()?);
                let both = (stored, integer);
                let model = IntegerModel::new(workshop, rows, graph, both, batch).await?;
                return Ok(Box::new(model) as Box<dyn Executable>);
            }
            let model: Box<dyn Executable> = Box::new(self.model(graph, parameters, batch).await?);
            Ok(model)
        })
    }
}
