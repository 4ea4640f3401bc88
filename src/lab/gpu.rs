//! The lab's one GPU: opened when a run first asks for it, opened anew after it was lost; or in words why there is none.

use crate::engine::gpu::Gpu;
use crate::error::Error;
use std::cell::{Cell, RefCell};
use std::pin::Pin;

/// How a GPU is opened.
pub type Opener = fn() -> Pin<Box<dyn Future<Output = Result<Gpu, Error>>>>;

/// The GPU of a lab.
#[derive(Debug)]
pub struct LabGpu {
    opener: Cell<Opener>,
    /// What the page knows of why there is none; empty where it knows of no reason.
    missing: RefCell<String>,
    /// Tiles that an earlier session chose, or that this one did.
    tiles: RefCell<String>,
    opened: RefCell<Option<Gpu>>,
}

impl Default for LabGpu {
    fn default() -> Self {
        Self {
            opener: Cell::new(|| Box::pin(Gpu::open())),
            missing: RefCell::default(),
            tiles: RefCell::default(),
            opened: RefCell::default(),
        }
    }
}

impl LabGpu {
    /// Opens it otherwise than by [`Gpu::open`] alone.
    pub fn open_by(&self, opener: Opener) {
        self.opener.set(opener);
    }

    /// Takes what the page knows.
    pub fn open(&self, missing: String, tiles: String) {
        *self.missing.borrow_mut() = missing;
        *self.tiles.borrow_mut() = tiles;
    }

    /// The GPU, ready to work; `nudges` as [`Gpu::nudging`].
    ///
    /// # Errors
    /// Why there is none, in words without a full stop.
    pub async fn get(&self, nudges: bool) -> Result<Gpu, String> {
        let known = self.opened.borrow().clone();
        if let Some(gpu) = known.filter(|gpu| gpu.check("starting").is_ok()) {
            return Ok(gpu);
        }
        let missing = self.missing.borrow().clone();
        if !missing.is_empty() {
            return Err(missing);
        }
        let gpu = (self.opener.get())()
            .await
            .map_err(|error| error.to_string())?;
        let gpu = gpu.nudging(nudges);
        *self.opened.borrow_mut() = Some(gpu.clone());
        Ok(gpu)
    }

    /// What became of it, where something did.
    pub fn trouble(&self) -> Option<Error> {
        let opened = self.opened.borrow();
        opened.as_ref().and_then(|gpu| gpu.check("working").err())
    }

    /// Lets it go: the next [`LabGpu::get`] opens another.
    pub fn forget(&self) {
        *self.opened.borrow_mut() = None;
    }

    /// Tiles that were chosen before, as [`LabGpu::keep_tiles`] was given them.
    pub fn tiles(&self) -> String {
        self.tiles.borrow().clone()
    }

    /// Keeps chosen tiles for the next model.
    pub fn keep_tiles(&self, tiles: &str) {
        *self.tiles.borrow_mut() = tiles.to_owned();
    }

    /// Takes it away, for tests.
    pub fn lose(&self) {
        if let Some(gpu) = &*self.opened.borrow() {
            gpu.destroy();
        }
    }
}
