//! What all models on one device share: the device, its pipelines, who is told of progress, and where time comes from.

use super::autotune::{Tiles, TuningOptions};
use super::device::Gpu;
use super::kernels::grid::Dispatch;
use super::pipeline::Pipelines;
use crate::error::Result;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Who is told how many pipelines are compiled, of how many.
type Listener = Box<dyn FnMut(usize, usize)>;

/// Milliseconds since some moment.
pub(crate) type Millis = Rc<dyn Fn() -> f64>;

/// The shared things.
pub(crate) struct Workshop {
    pub(crate) gpu: Gpu,
    pub(crate) pipelines: RefCell<Pipelines>,
    listener: RefCell<Option<Listener>>,
    clock: RefCell<Option<Millis>>,
    tuning: Cell<TuningOptions>,
    pub(crate) tiles: RefCell<Tiles>,
}

impl Workshop {
    /// With nothing compiled, nobody listening and no clock.
    pub(crate) fn new(gpu: Gpu) -> Self {
        Self {
            pipelines: RefCell::new(Pipelines::new(&gpu)),
            gpu,
            listener: RefCell::new(None),
            clock: RefCell::new(None),
            tuning: Cell::new(TuningOptions { budget_millis: 0.0 }),
            tiles: RefCell::default(),
        }
    }

    pub(crate) fn set_clock(&self, clock: Millis) {
        *self.clock.borrow_mut() = Some(clock);
    }

    /// Measures tiles within the options from now on, beside those of an earlier text.
    pub(crate) fn set_tuning(&self, options: TuningOptions, tiles: &str) {
        self.tuning.set(options);
        *self.tiles.borrow_mut() = Tiles::read(tiles, self.gpu.name());
    }

    /// How much measuring may take; none where nobody asked for it.
    pub(crate) fn tuning(&self) -> TuningOptions {
        self.tuning.get()
    }

    pub(crate) fn listen(&self, listener: Listener) {
        *self.listener.borrow_mut() = Some(listener);
    }

    /// The time in milliseconds, where there is a clock.
    pub(crate) fn millis(&self) -> Option<f64> {
        self.clock.borrow().as_ref().map(|clock| clock())
    }

    /// Compiles what dispatches need and is not there yet; returns how many pipelines that were.
    ///
    /// # Errors
    /// [`crate::error::Error::Engine`] with the compiler's own words.
    pub(crate) async fn compile(&self, dispatches: &[Dispatch]) -> Result<usize> {
        let mut told = |done, total| {
            if let Some(listener) = &mut *self.listener.borrow_mut() {
                listener(done, total);
            }
        };
        Pipelines::compile(&self.pipelines, &self.gpu, dispatches, &mut told).await
    }
    /// The same without telling anybody: a candidate is no part of what a person waits for.
    ///
    /// # Errors
    /// As there.
    pub(crate) async fn compile_quietly(&self, dispatches: &[Dispatch]) -> Result<usize> {
        Pipelines::compile(&self.pipelines, &self.gpu, dispatches, &mut |_, _| {}).await
    }
}
