//! A model on a GPU: the same calls as on the CPU, as futures, because answers come from a device; who polls them, and one
//! after the other, is the caller's business.

pub use crate::engine::gpu::{Counts, Gpu};

use super::core::{Core, Source, check_finite};
use super::{Evaluation, Info, Options, TrainOptions, Trained};
use crate::engine::gpu::GpuEngine;
use crate::error::Result;

/// As many as the engine takes between two waits.
const STEPS_AT_ONCE: u32 = 256;

impl Options {
    /// How a model is to run on a GPU, if nothing else is said.
    #[must_use]
    pub fn gpu() -> Self {
        Self {
            engine: "gpu".into(),
            ..Self::default()
        }
    }
}

/// A model on a GPU, ready to answer. Its results are close to those of [`super::Model`], never promised to be equal.
///
/// Beside the errors of the CPU's, every call can end in [`crate::error::Error::Engine`] with what the device said: it was
/// lost, or has no memory left. The model is then of no more use, except for its [`GpuModel::info`].
pub struct GpuModel {
    core: Core,
    adapter: String,
}

impl GpuModel {
    /// See [`super::Model::load`].
    ///
    /// # Errors
    /// As there, and [`crate::error::Error::TooLarge`] where the device has no buffer of the size.
    pub async fn load(gpu: &Gpu, graph: &str, weights: &[u8], options: Options) -> Result<Self> {
        Self::made(gpu, Source::File { graph, weights }, options).await
    }

    /// See [`super::Model::create`].
    ///
    /// # Errors
    /// As [`GpuModel::load`].
    pub async fn create(gpu: &Gpu, graph: &str, seed: u32, options: Options) -> Result<Self> {
        Self::made(gpu, Source::Seed { graph, seed }, options).await
    }

    async fn made(gpu: &Gpu, source: Source<'_>, options: Options) -> Result<Self> {
        let engine = Box::new(GpuEngine::new(gpu.clone()));
        Ok(Self {
            core: Core::new(engine, STEPS_AT_ONCE, source, options).await?,
            adapter: gpu.name().to_owned(),
        })
    }

    /// See [`super::Model::predict`]; each part of the rows is waited for once.
    ///
    /// # Errors
    /// As there, and [`crate::error::Error::BadInput`] for a number that is not finite, for a GPU may take it for any other.
    pub async fn predict(&mut self, input: &[f32], batch: u32) -> Result<Vec<f32>> {
        self.core.check_input(input, u64::from(batch), "batch")?;
        check_finite(input, batch as usize, "to compute with on a GPU")?;
        self.core.predict(input, batch).await
    }

    /// See [`super::Model::train`]: the same rows in the same order under the same optimizer, with no wait between steps.
    ///
    /// # Errors
    /// As there. Where the device failed, an unknown number of steps was done.
    pub async fn train(
        &mut self,
        input: Vec<f32>,
        labels: Vec<u16>,
        options: &TrainOptions,
    ) -> Result<Trained> {
        self.core.train(input, labels, options).await
    }

    /// See [`super::Model::evaluate`].
    ///
    /// # Errors
    /// As there, and for a number that is not finite.
    pub async fn evaluate(
        &mut self,
        input: &[f32],
        labels: &[u16],
        confidence: f64,
    ) -> Result<Evaluation> {
        self.core
            .check_input(input, labels.len() as u64, "labels")?;
        check_finite(input, labels.len(), "to compute with on a GPU")?;
        self.core.evaluate(input, labels, confidence).await
    }

    /// See [`super::Model::export_weights`].
    ///
    /// # Errors
    /// As there.
    pub async fn export_weights(&mut self) -> Result<Vec<u8>> {
        self.core.export_weights().await
    }

    /// See [`super::Model::weights_digest`].
    ///
    /// # Errors
    /// As there.
    pub async fn weights_digest(&mut self) -> Result<String> {
        Ok(self.core.weights().await?.digest())
    }

    /// What the model is and costs.
    #[must_use]
    pub fn info(&self) -> Info {
        self.core.info()
    }

    /// The adapter that it runs on, as that calls itself.
    #[must_use]
    pub fn adapter(&self) -> &str {
        &self.adapter
    }

    /// What was sent to the device and waited for since the model was prepared; a training with larger batches than it
    /// was prepared for prepares it anew.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.core.executable.counts()
    }
}
