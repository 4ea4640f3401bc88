//! Storing the kept weights as the recipe asks: fine-tuned on the run's GPU where that can, on the CPU where it cannot or was
//! lost; it scores nothing.

use super::Run;
use super::engines::Engines;
use crate::engine::EngineKind;
use crate::engine::cpu::FineTuning;
use crate::error::Result;
use crate::eval::Tuner;
use crate::lab::jobs::trained::stored;
use crate::model::Weights;
use crate::quant::Stored;
use crate::result::Part;
use crate::runlog::record::Record;

impl Run<'_> {
    /// The weights as they are stored and as fine-tuning left them, where the recipe asks for it; and in the record what did
    /// that.
    ///
    /// # Errors
    /// As [`stored`]; what is the GPU's leads to the CPU instead.
    pub(super) async fn store(
        &self,
        engines: &mut Engines<'_>,
        draft: &Record,
        weights: &Weights,
    ) -> Result<(Stored, Option<Weights>)> {
        let (context, prepared) = (self.context, self.prepared);
        let spec = &draft.recipe.quantization;
        let mut lost = String::new();
        let tuner = engines.gpu().map_or(Tuner::Cpu, Tuner::Gpu);
        let mut made = stored(context, prepared, weights, spec, tuner).await;
        if let Err(error) = &made
            && engines.is_lost_by(error)
        {
            lost = format!("fine-tuned, scored and timed on the CPU, because {error}");
            engines.use_cpu_from(epochs(draft) + 1, &lost);
            made = stored(context, prepared, weights, spec, Tuner::Cpu).await;
        }
        let (made, tuned) = made?;
        let mut kept = None;
        engines.note_fine_tuning(tuned.map(|it| {
            kept = Some(it.weights);
            Part {
                engine: it.engine.name().into(),
                batch_size: FineTuning::BATCH as u32,
                first_epoch: 1,
                reason: match it.engine {
                    EngineKind::Cpu if !lost.is_empty() => lost,
                    _ => it.reason,
                },
            }
        }));
        Ok((made, kept))
    }
}

/// Epochs that were trained.
pub(super) fn epochs(draft: &Record) -> u32 {
    let training = draft.results.training.as_ref();
    training.map_or(0, |it| it.curve.len() as u32)
}
