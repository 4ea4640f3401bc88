//! Tiles chosen by measurement, and answers chained in one submission: what is kept, what is ignored, what is told.

use super::super::{GpuCase, Pending};
use super::{BATCH, done, exactly, of_family, rows, told};
use assay::engine::gpu::{Gpu, GpuEngine, TuningOptions};
use assay::engine::{Engine, Executable, Parameters, agreement};
use assay::model::Graph;
use std::cell::Cell;
use std::rc::Rc;

pub(super) fn cases() -> Vec<GpuCase> {
    let mut cases = Vec::new();
    let mut add = |name: &str, check: fn(Gpu) -> Pending| {
        cases.push(GpuCase::new(format!("tiles: {name}"), check));
    };
    add("chained answers are one submission", |gpu| {
        Box::pin(chained(gpu))
    });
    // A browser's software adapter compiles a product for more than a second, and these compile dozens.
    if cfg!(target_arch = "wasm32") {
        return cases;
    }
    let mut add = |name: &str, check: fn(Gpu) -> Pending| {
        cases.push(GpuCase::new(format!("tiles: {name}"), check));
    };
    add("a budget finds all, none finds none", |gpu| {
        Box::pin(budgets(gpu))
    });
    add("choices are used again, another adapter's are not", |gpu| {
        Box::pin(kept(gpu))
    });
    add("none changes an answer beyond rounding", |gpu| {
        Box::pin(every_tile(gpu))
    });
    cases
}

/// An engine with rows, and a clock that ticks whenever it is read.
async fn engine(gpu: &Gpu, budget_millis: f64, tiles: &str) -> Result<GpuEngine, String> {
    let ticks = Cell::new(0.0);
    let clock = move || ticks.replace(ticks.get() + 1.0);
    let mut engine = GpuEngine::new(gpu.clone())
        .with_clock(Rc::new(clock))
        .with_tuning(TuningOptions { budget_millis }, tiles);
    told(engine.load(&rows()).await)?;
    Ok(engine)
}

/// The logits of some rows, and how many synchronizations preparing took.
async fn answers(engine: &GpuEngine, graph: &Graph) -> Result<(Vec<f32>, u64), String> {
    let weights = told(agreement::probe_weights(graph, 11))?;
    let exact = Parameters::Exact(&weights);
    let mut model = told(engine.model(graph, exact, BATCH).await)?;
    let waits = model.counts().synchronizations;
    Ok((told(model.logits(&[3, 1, 4, 15, 9]).await)?, waits))
}

async fn budgets(gpu: Gpu) -> Result<(), String> {
    let graph = of_family("lenet");
    let untuned = engine(&gpu, 0.0, "").await?;
    let (_, few) = answers(&untuned, &graph).await?;
    if !untuned.chosen_tiles().is_empty() || few != 1 {
        return Err(format!("{few} waits, {:?}", untuned.chosen_tiles()));
    }
    let tuned = engine(&gpu, 1e6, "").await?;
    let (_, many) = answers(&tuned, &graph).await?;
    let all = tuned.chosen_tiles().len();
    // Two convolutions and two linear layers, each there and back, but for the first layer's input.
    if all != 11 || many < 7 * 11 {
        return Err(format!("{many} waits, {:?}", tuned.chosen_tiles()));
    }
    let short = engine(&gpu, 200.0, "").await?;
    answers(&short, &graph).await?;
    let some = short.chosen_tiles().len();
    if some == 0 || some >= all {
        return Err(format!("{some} of {all} within a short budget"));
    }
    Ok(())
}

async fn kept(gpu: Gpu) -> Result<(), String> {
    let graph = of_family("mlp");
    let first = engine(&gpu, 1e6, "").await?;
    answers(&first, &graph).await?;
    let text = first.tiles();
    let again = engine(&gpu, 1e6, &text).await?;
    let (_, waits) = answers(&again, &graph).await?;
    if waits != 1 || again.tiles() != text || again.chosen_tiles() != first.chosen_tiles() {
        return Err(format!("{waits} waits, {} after {text}", again.tiles()));
    }
    let other = text.replace(gpu.name(), "another adapter");
    for text in [other.as_str(), "no JSON", ""] {
        let none = engine(&gpu, 0.0, text).await?;
        answers(&none, &graph).await?;
        if !none.chosen_tiles().is_empty() {
            return Err(format!("{:?} from {text}", none.chosen_tiles()));
        }
    }
    Ok(())
}

async fn every_tile(gpu: Gpu) -> Result<(), String> {
    let graph = of_family("lenet");
    let first = engine(&gpu, 1e6, "").await?;
    let (wanted, _) = answers(&first, &graph).await?;
    let size = wanted.iter().fold(0.0_f32, |size, x| size.max(x.abs()));
    for tile in assay::engine::gpu::measure::Repeats::tiles() {
        let choices: Vec<String> = first.chosen_tiles();
        let text = choices.iter().fold(first.tiles(), |text, choice| {
            let (key, own) = choice.split_once(" → ").unwrap_or_default();
            text.replace(&format!("{key:?}:{own:?}"), &format!("{key:?}:{tile:?}"))
        });
        let forced = engine(&gpu, 0.0, &text).await?;
        let (found, _) = answers(&forced, &graph).await?;
        let chosen = forced.chosen_tiles();
        if !chosen.iter().all(|choice| choice.ends_with(&tile)) {
            return Err(format!("{tile} was not taken: {chosen:?}"));
        }
        let off = (wanted.iter().zip(&found)).fold(0.0_f32, |off, (a, b)| off.max((a - b).abs()));
        if off > 1e-4 * size {
            return Err(format!("{tile}: off by {off:.1e} of {size:.1e}"));
        }
    }
    Ok(())
}

async fn chained(gpu: Gpu) -> Result<(), String> {
    let graph = of_family("lenet");
    let engine = engine(&gpu, 0.0, "").await?;
    let weights = told(agreement::probe_weights(&graph, 11))?;
    let exact = Parameters::Exact(&weights);
    let mut model = told(engine.model(&graph, exact, BATCH).await)?;
    let [_, answering] = model.dispatches().map(|count| count as u64);
    let before = model.counts();
    let scopes = gpu.scopes();
    let told_of = told(model.chained(&[5, 6, 7], 4).await)?;
    let found = done(before, model.counts());
    exactly("four chained answers", found, [4 * answering, 1, 1, 1, 0])?;
    if gpu.scopes() != scopes {
        return Err("somebody waited for mistakes".into());
    }
    if told_of.gpu_millis.is_some() != gpu.has_timestamps() {
        return Err(format!("{told_of:?}"));
    }
    if told_of
        .gpu_millis
        .is_some_and(|millis| !(0.0..1e5).contains(&millis))
    {
        return Err(format!("{told_of:?}"));
    }
    // What is answered afterwards is as before.
    let wanted = answers(&engine, &graph).await?.0;
    if told(model.logits(&[3, 1, 4, 15, 9]).await)? != wanted {
        return Err("other answers".into());
    }
    for (rows, times) in [
        (&[][..], 1),
        (&[1; 17][..], 1),
        (&[1][..], 0),
        (&[40][..], 1),
    ] {
        if model.chained(rows, times).await.is_ok() {
            return Err(format!("{} rows {times} times", rows.len()));
        }
    }
    Ok(())
}
