//! What answers cost on both engines, batch by batch, and where a GPU's time goes; it decides nothing.

use super::measure;
use crate::engine::cpu::CpuEngine;
use crate::engine::gpu::GpuEngine;
use crate::engine::{Engine, Executable, Parameters};
use crate::error::Result;
use crate::lab::context::Context;
use crate::lab::prepared::Prepared;
use crate::lab::protocol::EventBody;
use crate::quant::Stored;
use crate::recipe::EvaluationSpec;
use crate::result::{BatchCost, Breakdown};
use crate::stats;

/// Rows per call that are timed.
const BATCHES: [u32; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 256];
/// Batches that are sent together to see what computing alone takes.
const TOGETHER: [usize; 4] = [1, 2, 4, 8];
/// Batches between two readings of the GPU's own clock, which browsers make as coarse as 0.1 ms.
const CHAINED: u32 = 4;

/// Times both engines for about twice the recipe's latency budget; nothing where the person stopped it.
///
/// A batch whose calls would not fit into what is left of the time is left out, and so are the larger ones.
pub(super) async fn measure(
    context: &Context,
    prepared: &Prepared,
    stored: &Stored,
    (cpu, gpu): (&CpuEngine, &GpuEngine),
    compile_millis: f64,
    evaluation: &EvaluationSpec,
) -> Result<Option<Breakdown>> {
    let graph = &prepared.plan.graph;
    let parameters = Parameters::Stored(stored);
    let mut breakdown = Breakdown {
        compile_millis,
        ..Breakdown::default()
    };
    let began = context.clock.now_millis();
    let budget = 2e3 * evaluation.latency_secs;
    let mut slowest = 0.0_f64;
    for (index, batch) in BATCHES.into_iter().enumerate() {
        context.send(EventBody::Stage {
            name: "timing both engines".into(),
            fraction: index as f64 / BATCHES.len() as f64,
        });
        context.turn().await;
        let left = budget - (context.clock.now_millis() - began);
        // The last one took so long, and this one may take twice as much.
        if index > 0 && 2.0 * slowest > left {
            break;
        }
        // A third each for both engines' calls and for batches that are sent together.
        let share = left / (3 * (BATCHES.len() - index)) as f64;
        let timing = EvaluationSpec {
            latency_secs: share / 1e3,
            ..evaluation.clone()
        };
        let mut on_cpu = cpu.prepare(graph, parameters, batch).await?;
        let preparing = context.clock.now_millis();
        let mut on_gpu = gpu.model(graph, parameters, batch).await?;
        let rows = cycle(&prepared.split.test, batch as usize * TOGETHER[3]);
        if index == 0 {
            // The first answer waits until everything has arrived there; its kernels were compiled before.
            breakdown.upload_bytes = on_gpu.counts().bytes_up;
            on_gpu.logits(&rows[..1]).await?;
            breakdown.upload_millis = context.clock.now_millis() - preparing;
        }
        let started = context.clock.now_millis();
        let test = &prepared.split.test;
        let Some(of_cpu) =
            measure::latency(context, on_cpu.as_mut(), test, batch, &timing, None).await?
        else {
            return Ok(None);
        };
        let Some(of_gpu) =
            measure::latency(context, &mut on_gpu, test, batch, &timing, None).await?
        else {
            return Ok(None);
        };
        let gpu_millis = of_gpu.p50_millis;
        let sent = together(context, &mut on_gpu, &rows, batch, share, gpu_millis);
        let Some(points) = sent.await? else {
            return Ok(None);
        };
        let chained = on_gpu.chained(&rows[..batch as usize], CHAINED).await?;
        let timestamp_millis = chained.gpu_millis.map(|millis| millis / f64::from(CHAINED));
        breakdown.timestamps |= timestamp_millis.is_some();
        slowest = context.clock.now_millis() - started;
        let compute_millis = stats::line(&points).map_or(gpu_millis, |(slope, _)| slope.max(0.0));
        breakdown.batches.push(BatchCost {
            batch,
            cpu_millis: of_cpu.p50_millis,
            cpu_range_millis: [of_cpu.p50_low_millis, of_cpu.p50_high_millis],
            cpu_samples: of_cpu.samples_millis.len() as u32,
            gpu_millis,
            gpu_range_millis: [of_gpu.p50_low_millis, of_gpu.p50_high_millis],
            gpu_samples: of_gpu.samples_millis.len() as u32,
            compute_millis,
            read_back_millis: (gpu_millis - compute_millis).max(0.0),
            timestamp_millis,
        });
    }
    breakdown.crossover = crossover(&breakdown.batches);
    Ok(Some(breakdown))
}

/// So many rows, from the start again where there are not enough.
fn cycle(rows: &[u32], count: usize) -> Vec<u32> {
    rows.iter().copied().cycle().take(count).collect()
}

/// The smallest batch from which on the GPU's median is below the CPU's, up to the largest measured.
fn crossover(batches: &[BatchCost]) -> Option<u32> {
    let faster = |it: &&BatchCost| it.gpu_millis < it.cpu_millis;
    batches
        .iter()
        .rev()
        .take_while(faster)
        .last()
        .map(|it| it.batch)
}

/// Times of batches that are sent together and waited for once, as `(batches, milliseconds)`.
async fn together(
    context: &Context,
    model: &mut dyn Executable,
    rows: &[u32],
    batch: u32,
    budget: f64,
    single: f64,
) -> Result<Option<Vec<(f64, f64)>>> {
    let began = context.clock.now_millis();
    let mut points = Vec::new();
    for round in 0..16 {
        for count in TOGETHER {
            // A slow adapter is asked for no more than tells a slope.
            if count > 2 && single * count as f64 > budget {
                continue;
            }
            let sent = context.clock.now_millis();
            model.logits(&rows[..count * batch as usize]).await?;
            points.push((count as f64, context.clock.now_millis() - sent));
            if context.breathe().await {
                return Ok(None);
            }
        }
        if round > 0 && context.clock.now_millis() - began > budget {
            break;
        }
    }
    Ok(Some(points))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(times: &[(f64, f64)]) -> Vec<BatchCost> {
        (BATCHES.iter().zip(times))
            .map(|(&batch, &(cpu_millis, gpu_millis))| BatchCost {
                batch,
                cpu_millis,
                gpu_millis,
                ..BatchCost::default()
            })
            .collect()
    }

    #[test]
    fn the_crossover_is_where_the_gpu_stays_ahead() {
        let times = [(1.0, 5.0), (9.0, 5.0), (4.0, 5.0), (8.0, 5.0), (16.0, 6.0)];
        assert_eq!(crossover(&costs(&times)), Some(8));
        assert_eq!(crossover(&costs(&times[..3])), None);
        assert_eq!(crossover(&[]), None);
    }

    #[test]
    fn rows_are_taken_from_the_start_again() {
        assert_eq!(cycle(&[7, 8], 5), [7, 8, 7, 8, 7]);
    }
}
