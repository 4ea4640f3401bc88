//! Looks for a scheme for each layer within a budget, and records what it finds; which layer gives way next is `eval`'s.

use super::measure::{self, SCORE_ROWS};
use super::run;
use super::trained::{Base, Trained, stored};
use crate::engine::cpu::CpuEngine;
use crate::engine::gpu::GpuEngine;
use crate::engine::loss::{Loss, cross_entropy};
use crate::engine::{Engine, Parameters};
use crate::error::Result;
use crate::eval::Tuner;
use crate::eval::search::{Assignment, Budget, Point, Search};
use crate::lab::context::Context;
use crate::lab::protocol::EventBody;
use crate::recipe::{EvaluationSpec, QuantizationSpec};
use serde_json::{Value, json};

/// Time for the latency of one point, seconds: the record of what is found has a longer one.
const POINT_SECS: f64 = 0.1;

/// The job of the command `search`.
pub(super) async fn search(
    context: Context,
    record: String,
    budget: Value,
    known: Vec<Value>,
    bytes: Option<Vec<u8>>,
) -> Result<Value> {
    let budget = Budget::read(&budget)?;
    let base = Base::read(&context, &record, bytes).await?;
    let trained = &base.trained;
    let is_timed = budget.millis.is_some();
    let mut measuring = Measuring {
        engine: CpuEngine::new(),
        gpu: match is_timed && base.is_of_a_gpu() {
            true => opened(&context, trained).await,
            false => None,
        },
        context: &context,
        trained,
        is_timed,
    };
    measuring.engine.load(&trained.prepared.rows).await?;
    let confidence = trained.recipe.evaluation.confidence;
    let mut search = Search::new(
        &trained.prepared.plan.graph,
        budget,
        confidence,
        base.is_of_a_gpu(),
    )?;

    search.remember(&known);
    while let Some(assignment) = search.wanted() {
        if context.breathe().await {
            return Ok(json!({ "path": search.path(), "stopped": true }));
        }
        let point = measuring.point(&assignment).await?;
        let json = point.to_value(confidence);
        search.tell(point);
        context.send(EventBody::Searched {
            point: json,
            fraction: search.fraction(),
        });
    }
    let (chosen, words) = search.found();
    let path = search.path();
    let Some(chosen) = chosen else {
        return Ok(json!({ "path": path, "words": words }));
    };
    let quantization = QuantizationSpec {
        scheme: "f32".into(),
        layers: Some(chosen.clone()),
        ..QuantizationSpec::default()
    };
    let recipe = base.with(serde_json::to_value(quantization).unwrap_or_default())?;
    let mut done = run::run(context.clone(), base.request(&recipe)).await?;
    Ok(json!({
        "path": path,
        "words": words,
        "quantization": recipe.quantization,
        "digest": done["digest"].take(),
    }))
}

/// The GPU with the model's rows, tuned as in a run; nothing where there is none.
async fn opened(context: &Context, trained: &Trained) -> Option<GpuEngine> {
    let nudges = context.shared.environment().browser == "Firefox";
    let gpu = context.shared.gpu.get(nudges).await.ok()?;
    let gpu = gpu.called(&context.shared.environment().adapter);
    let adapter = gpu.name().to_owned();
    let mut engine = run::tuned(context, GpuEngine::new(gpu), &adapter);
    engine.load(&trained.prepared.rows).await.ok()?;
    Some(engine)
}

/// What measures a point: answers are the CPU's, which are exact, and times those of the engine that the record of what is
/// found will be measured on.
struct Measuring<'a> {
    engine: CpuEngine,
    gpu: Option<GpuEngine>,
    context: &'a Context,
    trained: &'a Trained,
    is_timed: bool,
}

impl Measuring<'_> {
    /// Stores the weights as assigned and scores the validation rows: the test rows are for the record alone.
    async fn point(&self, assignment: &Assignment) -> Result<Point> {
        let prepared = &self.trained.prepared;
        let spec = QuantizationSpec {
            scheme: "f32".into(),
            layers: (!assignment.is_empty()).then(|| assignment.clone()),
            ..QuantizationSpec::default()
        };
        let weights = &self.trained.weights;
        let stored = stored(self.context, prepared, weights, &spec, Tuner::Cpu);
        let (stored, _) = stored.await?;
        let parameters = Parameters::Stored(&stored);
        let graph = &prepared.plan.graph;
        let mut executable = self.engine.prepare(graph, parameters, SCORE_ROWS).await?;
        let rows = &prepared.split.validation;
        let mut loss = Loss::default();
        for part in rows.chunks(SCORE_ROWS as usize) {
            let logits = executable.logits(part).await?;
            let labels: Vec<u16> = (part.iter())
                .map(|&row| prepared.dataset.labels[row as usize])
                .collect();
            let of_part = cross_entropy(&logits, &labels, prepared.dataset.classes.len());
            loss.sum += of_part.sum;
            loss.correct += of_part.correct;
            self.context.breathe().await;
        }
        let mut p50_millis = None;
        if self.is_timed {
            let evaluation = EvaluationSpec {
                latency_secs: POINT_SECS,
                ..self.trained.recipe.evaluation.clone()
            };
            if let Some(gpu) = &self.gpu
                && let Ok(on_gpu) = gpu.prepare(graph, parameters, SCORE_ROWS).await
            {
                // What does not run there is timed here, as its record would be.
                executable = on_gpu;
            }
            let test = &prepared.split.test;
            let timed = measure::latency(
                self.context,
                executable.as_mut(),
                test,
                1,
                &evaluation,
                None,
            );
            p50_millis = timed.await?.map(|it| it.p50_millis);
        }
        Ok(Point {
            layers: assignment.clone(),
            correct: loss.correct,
            rows: rows.len() as u32,
            loss: loss.sum / rows.len().max(1) as f64,
            bytes: stored.bytes(),
            p50_millis,
        })
    }
}
