//! The CPU engine: candle's tensors and autograd with kernels of our own; one thread, one fixed order of summation.

mod executable;
pub mod ops;

use super::{Capabilities, Engine, EngineKind, Executable, Parameters, Pending};
use crate::data::Rows;
use crate::error::{Error, Result};
use crate::model::Graph;
use executable::CpuExecutable;
use std::rc::Rc;

/// Version of this engine's rounding behaviour, the same in every browser and natively: `tests/cases/numerics.rs` holds
/// both to one committed digest. Whatever can change a bit of a training needs a new version.
pub const ARITHMETIC: &str = "cpu-1";

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

    fn check_and_load(&mut self, rows: &Rows) -> Result<()> {
        check_rows(rows)?;
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

/// Numbers of one row.
fn row_length(shape: [u32; 3]) -> usize {
    shape.iter().map(|&size| size as usize).product()
}

/// Whether features, labels and shape fit each other.
fn check_rows(rows: &Rows) -> Result<()> {
    let length = row_length(rows.shape);
    if length == 0 || rows.features.len() != rows.labels.len() * length {
        return Err(Error::bad_input(
            "the rows",
            format!("{length} features for each of {} labels", rows.labels.len()),
            format!("{} features", rows.features.len()),
        ));
    }
    Ok(())
}

/// candle's error as ours.
fn failed(during: &'static str) -> impl FnOnce(candle_core::Error) -> Error {
    move |error| Error::Engine {
        engine: "cpu",
        during,
        reason: error.to_string(),
    }
}
