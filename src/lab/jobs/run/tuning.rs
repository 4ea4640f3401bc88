//! Tiles of a run's products: measured where the adapter is hardware, kept for the next run; the engine does the measuring.

use crate::engine::gpu::{GpuEngine, TuningOptions, is_software};
use crate::lab::context::Context;
use crate::lab::protocol::EventBody;
use crate::result::GpuUse;
use std::rc::Rc;

/// The engine with the lab's clock and the tiles of earlier runs, ready to choose more.
pub(super) fn tuned(context: &Context, engine: GpuEngine, adapter: &str) -> GpuEngine {
    let clock = Rc::clone(&context.clock);
    // A candidate compiles for seconds in software, and what is fast there says nothing about a GPU.
    let options = if is_software(adapter) {
        TuningOptions { budget_millis: 0.0 }
    } else {
        TuningOptions::default()
    };
    engine
        .with_clock(Rc::new(move || clock.now_millis()))
        .with_tuning(options, &context.shared.gpu.tiles())
}

/// Keeps what the engine has chosen, in the record and for later runs.
pub(super) fn keep(context: &Context, engine: &GpuEngine, used: &mut GpuUse) {
    used.tiles = engine.chosen_tiles();
    let tiles = engine.tiles();
    if !used.tiles.is_empty() && tiles != context.shared.gpu.tiles() {
        context.shared.gpu.keep_tiles(&tiles);
        context.send(EventBody::Tuned { tiles });
    }
}
