//! Looks for a scheme for each layer within a budget, and records what it finds; which layer gives way next is `eval`'s.

use super::damage::Trained;
use super::measure::{self, SCORE_ROWS};
use super::run;
use crate::engine::cpu::CpuEngine;
use crate::engine::{Engine, Parameters};
use crate::error::{Error, Result};
use crate::eval::search::{Assignment, Budget, Point, Search};
use crate::eval::{argmax, softmax};
use crate::lab::context::Context;
use crate::lab::protocol::EventBody;
use crate::recipe::{EvaluationSpec, QuantizationSpec};
use crate::runlog::record::{self, Status};
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
    let (base, _) = record::read(&record)?;
    if base.status != Status::Complete {
        return Err(Error::bad_input(
            "the run whose layers are to be searched",
            "a complete one",
            "one that ended before its training did",
        ));
    }
    let budget = Budget::read(&budget)?;
    let trained = Trained::read(base.recipe.to_value(), bytes.clone())?;
    let mut measuring = Measuring {
        engine: CpuEngine::new(),
        context: &context,
        trained: &trained,
        is_timed: budget.millis.is_some(),
    };
    measuring.engine.load(&trained.prepared.rows).await?;
    let mut search = Search::new(&trained.prepared.plan.graph, budget)?;
    search.remember(&known);
    while let Some(assignment) = search.wanted() {
        if context.breathe().await {
            return Ok(json!({ "path": search.path(), "stopped": true }));
        }
        let point = measuring.point(&assignment).await?;
        let json = point.to_value();
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
    let mut recipe = base.recipe.clone();
    recipe.quantization = QuantizationSpec {
        scheme: "f32".into(),
        layers: Some(chosen.clone()),
        ..QuantizationSpec::default()
    };
    let mut done = run::run(
        context.clone(),
        run::Request {
            recipe: recipe.to_value(),
            claim: None,
            checkpoint: None,
            resumed_from: None,
            hold_timing: false,
            trained: Some(run::Trained {
                weights: bytes.unwrap_or_default(),
                digest: base.digests.weights.clone(),
                training: base.results.training.clone(),
            }),
        },
    )
    .await?;
    Ok(json!({
        "path": path,
        "words": words,
        "quantization": recipe.quantization,
        "digest": done["digest"].take(),
    }))
}

/// What measures a point.
struct Measuring<'a> {
    engine: CpuEngine,
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
        let stored = prepared.stored(&self.trained.weights, &spec)?;
        let parameters = Parameters::Stored(&stored);
        let graph = &prepared.plan.graph;
        let mut executable = self.engine.prepare(graph, parameters, SCORE_ROWS).await?;
        let rows = &prepared.split.validation;
        let (mut correct, mut loss) = (0, 0.0);
        for part in rows.chunks(SCORE_ROWS as usize) {
            let logits = executable.logits(part).await?;
            let classes = (logits.len() / part.len()).max(1);
            for (logits, &row) in logits.chunks_exact(classes).zip(part) {
                let label = usize::from(prepared.dataset.labels[row as usize]);
                correct += u32::from(argmax(logits) == label);
                let share = softmax(logits).get(label).copied().unwrap_or(0.0);
                loss -= libm::log(f64::from(share).max(1e-12));
            }
            self.context.breathe().await;
        }
        let mut p50_millis = None;
        if self.is_timed {
            let evaluation = EvaluationSpec {
                latency_secs: POINT_SECS,
                ..self.trained.recipe.evaluation.clone()
            };
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
            correct,
            rows: rows.len() as u32,
            loss: loss / rows.len().max(1) as f64,
            bytes: stored.bytes(),
            p50_millis,
        })
    }
}
