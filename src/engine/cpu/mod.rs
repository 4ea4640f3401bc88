//! The CPU engine: a graph becomes steps over memory that is laid out once; one thread, one fixed order of summation.
//!
//! Values are channels last inside and `[channels, height, width]` outside. The loops are the crate `kernels`'s; here is
//! decided which of them run, on what, and where the results stand.

mod affine;
mod backward;
pub(super) mod buffers;
mod executable;
mod fine_tuning;
mod forward;
pub(super) mod fusion;
mod gradients;
pub(super) mod integer;
mod observe;
mod operation;
pub(super) mod parameters;
pub(super) mod plan;
mod program;
pub(super) mod rows;
mod step;

use super::{Capabilities, Engine, EngineKind, Executable, Parameters, Pending};
use crate::data::Rows;
use crate::error::{Error, Result};
use crate::model::Graph;
use executable::CpuExecutable;
pub use fine_tuning::{FineTuner, FineTuning, FineTuningSteps, not_finite};
use integer::IntegerExecutable;
pub use integer::{Computed, computed, observe_stored};
pub use observe::observe;
use std::rc::Rc;

/// Version of this engine's rounding behaviour, the same in every browser and natively: `tests/cases/numerics.rs` holds
/// both to one committed digest. Whatever can change a bit of a training needs a new version.
pub const ARITHMETIC: &str = "cpu-2";

/// The CPU engine.
#[derive(Default)]
pub struct CpuEngine {
    rows: Option<Rc<Rows>>,
}

impl CpuEngine {
    /// An engine without rows.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An engine with rows that others hold too, so that they are not copied.
    ///
    /// # Errors
    /// As [`Engine::load`].
    pub fn with_rows(rows: Rc<Rows>) -> Result<Self> {
        rows::check_whole(&rows)?;
        Ok(Self { rows: Some(rows) })
    }

    fn check_and_load(&mut self, rows: &Rows) -> Result<()> {
        rows::check_whole(rows)?;
        self.rows = Some(Rc::new(rows.clone()));
        Ok(())
    }

    fn check_and_prepare(
        &self,
        graph: &Graph,
        parameters: Parameters<'_>,
        batch: u32,
    ) -> Result<Box<dyn Executable>> {
        let rows = self
            .rows
            .clone()
            .ok_or_else(|| Error::bad_input("the engine", "loaded rows", "none"))?;
        if let Parameters::Stored(stored) = parameters
            && let Some(integer) = stored.integer()
        {
            let executable = IntegerExecutable::new(rows, graph, stored, integer, batch)?;
            return Ok(Box::new(executable));
        }
        Ok(Box::new(CpuExecutable::new(
            rows, graph, parameters, batch,
        )?))
    }
}

impl Engine for CpuEngine {
    fn kind(&self) -> EngineKind {
        EngineKind::Cpu
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            arithmetic: ARITHMETIC,
            exact: true,
            trains: true,
            threads: 1,
        }
    }

    fn load<'a>(&'a mut self, rows: &'a Rows) -> Pending<'a, ()> {
        Box::pin(async move { self.check_and_load(rows) })
    }

    fn prepare<'a>(
        &'a self,
        graph: &'a Graph,
        parameters: Parameters<'a>,
        batch: u32,
    ) -> Pending<'a, Box<dyn Executable>> {
        Box::pin(async move { self.check_and_prepare(graph, parameters, batch) })
    }
}
