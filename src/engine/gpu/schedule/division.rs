//! Into how many parts long sums are divided, as functions of sizes alone; the optimizer or the next dispatch adds them.

use crate::engine::gpu::kernels::grid::Tile;
use crate::engine::gpu::kernels::task::Shape;

/// Workgroups that a weight gradient should keep busy, terms that a part should have, and parts at most.
const BUSY_GROUPS: u64 = 256;
const TERMS_OF_A_PART: u64 = 64;
pub(super) const MOST_PARTS: u64 = 64;

/// Parts of batch statistics at most, and rows that a part should have.
const MOST_STATISTICS: u64 = 64;
const ROWS_OF_STATISTICS: u64 = 256;

/// Parts that a batch's statistics are measured in.
pub(super) fn statistics_parts(rows: u32, places: u32) -> u32 {
    let rows = u64::from(rows) * u64::from(places);
    rows.div_ceil(ROWS_OF_STATISTICS).clamp(1, MOST_STATISTICS) as u32
}

/// Parts of a weight gradient: enough to keep a GPU busy, none with few terms.
pub(super) fn weight_parts(shape: &Shape, rows: u32, depthwise: bool) -> u32 {
    let terms = u64::from(rows) * u64::from(shape.out_height) * u64::from(shape.out_width);
    let tiles = if depthwise {
        u64::from(shape.channels.div_ceil(64)) * u64::from(shape.size_y * shape.size_x)
    } else {
        let columns = shape.channels / shape.groups;
        let tile = Tile::choose(shape.depth() * BUSY_GROUPS, columns);
        let down = shape.depth().div_ceil(u64::from(tile.rows()));
        down * u64::from(columns.div_ceil(tile.columns)) * u64::from(shape.groups)
    };
    let wanted = BUSY_GROUPS.div_ceil(tiles.max(1));
    wanted
        .min(terms.div_ceil(TERMS_OF_A_PART))
        .clamp(1, MOST_PARTS) as u32
}
