//! What all models on one device share: the device, its pipelines, who is told of progress, and where time comes from.

use super::device::Gpu;
use super::kernels::grid::Dispatch;
use super::pipeline::Pipelines;
use crate::error::Result;
use std::cell::RefCell;
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
    clock: Option<Millis>,
}

impl Workshop {
    /// With nothing compiled, nobody listening and no clock.
    pub(crate) fn new(gpu: Gpu) -> Self {
        Self {
            pipelines: RefCell::new(Pipelines::new(&gpu)),
            gpu,
            listener: RefCell::new(None),
            clock: None,
        }
    }

    pub(crate) fn set_clock(&mut self, clock: Millis) {
        self.clock = Some(clock);
    }

    pub(crate) fn listen(&self, listener: Listener) {
        *self.listener.borrow_mut() = Some(listener);
    }

    /// The time in milliseconds, where there is a clock.
    pub(crate) fn millis(&self) -> Option<f64> {
        self.clock.as_ref().map(|clock| clock())
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
}
