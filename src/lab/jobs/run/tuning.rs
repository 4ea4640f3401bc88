//! Tiles of a run's products: measured where the adapter is hardware, kept for the next run; the engine does the measuring.

use crate::engine::gpu::{GpuEngine, TuningOptions};
use crate::lab::context::Context;
use crate::lab::protocol::EventBody;
use crate::result::GpuUse;
use std::rc::Rc;

/// What software adapters call themselves: what is fast there says nothing about a GPU, and each candidate compiles for
/// seconds.
const SOFTWARE: [&str; 4] = ["swiftshader", "llvmpipe", "basic render", "warp"];

/// The engine with the lab's clock and the tiles of earlier runs, ready to choose more.
pub(super) fn tuned(context: &Context, engine: GpuEngine, adapter: &str) -> GpuEngine {
    let clock = Rc::clone(&context.clock);
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

/// Whether an adapter is a program, by its name.
fn is_software(adapter: &str) -> bool {
    let name = adapter.to_lowercase();
    SOFTWARE.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_adapters_are_known_by_their_names() {
        assert!(is_software("llvmpipe (LLVM 15.0.6, 256 bits)"));
        assert!(is_software("Google SwiftShader"));
        assert!(is_software("Microsoft Basic Render Driver"));
        assert!(!is_software("NVIDIA H200, NVIDIA, 580.159.04"));
        assert!(!is_software(""));
    }
}
