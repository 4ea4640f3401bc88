//! Times calls of a model: one row a call, then a batch a call; what the times mean is decided in `eval::latency`.

use crate::engine::Executable;
use crate::error::Result;
use crate::eval::latency::{Call, Latency as Measurement};
use crate::lab::context::Context;
use crate::lab::protocol::EventBody;
use crate::recipe::EvaluationSpec;
use crate::result::Latency;

/// Rows per call while rows are scored.
pub(super) const SCORE_ROWS: u32 = 64;
/// Events are this far apart: sending one costs more than a call of a small model.
const EVENT_MILLIS: f64 = 100.0;

/// Holds until it is this run's turn to be timed. Whether it was stopped instead.
pub(super) async fn stopped_while_waiting(context: &Context) -> bool {
    context.send(EventBody::Stage {
        name: "waiting to be timed".into(),
        fraction: 0.0,
    });
    context.hold().await
}

/// Latency of calls with `batch` rows, or `None` when the person stopped it.
///
/// Calls walk through `rows` (of the data loaded into the engine), so that no call sees the same rows as the last. With a
/// `stage`, what is sampled is told as it comes.
pub(super) async fn latency(
    context: &Context,
    executable: &mut dyn Executable,
    rows: &[u32],
    batch: u32,
    evaluation: &EvaluationSpec,
    stage: Option<&str>,
) -> Result<Option<Latency>> {
    let mut measurement = Measurement::new(
        batch,
        evaluation.latency_secs * 1000.0,
        context.clock.resolution_micros(),
        evaluation.confidence,
    );
    let size = (batch as usize).max(1);
    // A batch larger than the test set repeats rows: the work is the same.
    let cycle: Vec<u32> = rows
        .iter()
        .copied()
        .cycle()
        .take(rows.len().max(1) + size)
        .collect();
    let mut at = 0;
    let mut said_millis = context.clock.now_millis();
    context.shared.watch_hidden();
    loop {
        let (calls, timed) = match measurement.next() {
            Call::Warmup(calls) => (calls, false),
            Call::Time(calls) => (calls, true),
            Call::Done => break,
        };
        let began = context.clock.now_millis();
        for _ in 0..calls {
            executable.logits(&cycle[at..at + size]).await?;
            at = (at + size) % rows.len().max(1);
        }
        measurement.record(context.clock.now_millis() - began);
        let now = context.clock.now_millis();
        if let Some(stage) = stage
            && now - said_millis >= EVENT_MILLIS
        {
            said_millis = now;
            let stage = if timed { stage } else { "warming up" };
            tell(context, &mut measurement, batch, stage);
        }
        if context.breathe().await {
            return Ok(None);
        }
    }
    if let Some(stage) = stage {
        tell(context, &mut measurement, batch, stage);
    }
    Ok(Some(measurement.finish(context.shared.was_hidden())))
}

/// Sends what was sampled since the last time.
fn tell(context: &Context, measurement: &mut Measurement, batch: u32, stage: &str) {
    let millis = measurement.take_new_samples();
    if !millis.is_empty() {
        context.send(EventBody::Samples { batch, millis });
    }
    context.send(EventBody::Stage {
        name: stage.into(),
        fraction: measurement.fraction(),
    });
}
