//! Into how many parts long sums are divided, as functions of sizes alone; the optimizer or the next dispatch adds them.

use crate::engine::gpu::kernels::task::Shape;
use crate::engine::gpu::kernels::tile::{Device, Tile};

/// Terms that a part of a weight gradient should have, and parts at most.
const TERMS_OF_A_PART: u64 = 128;
pub(super) const MOST_PARTS: u64 = 64;
/// Workgroups of 256 threads that a depthwise weight gradient should keep busy.
const BUSY_GROUPS: u64 = 512;

/// Parts of batch statistics at most, and rows that a part should have.
const MOST_STATISTICS: u64 = 256;
const ROWS_OF_STATISTICS: u64 = 256;

/// Parts that a batch's statistics are measured in.
pub(super) fn statistics_parts(rows: u32, places: u32) -> u32 {
    let rows = u64::from(rows) * u64::from(places);
    rows.div_ceil(ROWS_OF_STATISTICS).clamp(1, MOST_STATISTICS) as u32
}

/// Parts of a weight gradient: enough to keep a GPU busy, none with few terms.
pub(super) fn weight_parts(device: Device, shape: &Shape, rows: u32, depthwise: bool) -> u32 {
    let terms = u64::from(rows) * u64::from(shape.out_height) * u64::from(shape.out_width);
    let wanted = if depthwise {
        let spots = u64::from(shape.size_y * shape.size_x) + 1;
        BUSY_GROUPS.div_ceil(u64::from(shape.channels.div_ceil(16)) * spots)
    } else {
        let columns = u64::from(shape.channels / shape.groups);
        // The tile that such a gradient gets with as many parts as keep a device busy.
        let tile = Tile::choose(
            device,
            shape.depth() * MOST_PARTS,
            columns,
            terms.div_ceil(MOST_PARTS),
        );
        let tiles = tile.count(shape.depth(), columns) * u64::from(shape.groups);
        (device.busy_threads as u64).div_ceil(tiles * u64::from(tile.threads()))
    };
    wanted
        .min(terms.div_ceil(TERMS_OF_A_PART))
        .clamp(1, MOST_PARTS) as u32
}
