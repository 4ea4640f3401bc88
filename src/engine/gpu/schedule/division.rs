//! Into how many parts long sums are divided, as functions of sizes alone; the optimizer or the next dispatch adds them.

use crate::engine::gpu::kernels::grid::Product;
use crate::engine::gpu::kernels::task::Shape;
use crate::engine::gpu::kernels::tile::{Device, Tile};

/// Terms that a part of a weight gradient should have, and parts at most.
const TERMS_OF_A_PART: u64 = 128;
const MOST_PARTS: u64 = 128;
/// What reading a number of a part costs the optimizer, in the unit of [`Tile::cost`]: 4 ps beside 2.7 on an NVIDIA H100.
const READING: f64 = 1.5;
/// Parts of a layer norm's gradient at most.
const MOST_NORM_PARTS: u64 = 128;
/// Workgroups of 256 threads that a depthwise weight gradient should keep busy.
const BUSY_GROUPS: u64 = 512;

/// Parts of batch statistics at most, and rows that a part should have.
const MOST_STATISTICS: u64 = 256;
const ROWS_OF_STATISTICS: u64 = 256;

/// Rows of a linear layer at most for which each is computed by itself whatever its size: the smallest tile has sixteen.
const FEW_ROWS: u64 = 4;

/// Whether a linear layer has so little to do that starting a tile's program takes longer than its work.
pub(super) fn has_little(device: Device, shape: &Shape, rows: u32) -> bool {
    let rows = u64::from(rows) * shape.places();
    let work = rows * shape.depth() * u64::from(shape.channels);
    shape.is_linear() && work <= device.little_work
}

/// Whether a linear layer's outputs are computed row by row.
pub(super) fn computes_rows(device: Device, shape: &Shape, rows: u32) -> bool {
    let is_few = shape.is_linear() && u64::from(rows) * shape.places() <= FEW_ROWS;
    is_few || has_little(device, shape, rows)
}

/// Parts of a layer norm's gradient: sixteen rows each at least.
pub(super) fn layer_norm_parts(rows: u64) -> u32 {
    rows.div_ceil(16).clamp(1, MOST_NORM_PARTS) as u32
}

/// Parts that a batch's statistics are measured in.
pub(super) fn statistics_parts(rows: u32, places: u32) -> u32 {
    let rows = u64::from(rows) * u64::from(places);
    rows.div_ceil(ROWS_OF_STATISTICS).clamp(1, MOST_STATISTICS) as u32
}

/// Parts of a weight gradient: those with which its products and reading its parts take least, none with few terms.
pub(super) fn weight_parts(device: Device, shape: &Shape, rows: u32, depthwise: bool) -> u32 {
    let terms = u64::from(rows) * shape.places();
    let most = terms.div_ceil(TERMS_OF_A_PART).clamp(1, MOST_PARTS);
    if depthwise {
        let spots = u64::from(shape.size_y * shape.size_x) + 1;
        let wanted = BUSY_GROUPS.div_ceil(u64::from(shape.channels.div_ceil(16)) * spots);
        return wanted.clamp(1, most) as u32;
    }
    let groups = u64::from(shape.groups);
    let columns = u64::from(shape.channels) / groups;
    let cost = |parts: u64| {
        let product = Product {
            sizes: [shape.depth(), columns, terms.div_ceil(parts)],
            times: groups * parts,
        };
        let numbers = parts * groups * shape.depth() * columns;
        Tile::choose(device, &product).cost(device, &product) + READING * numbers as f64
    };
    let mut best = (1, cost(1));
    for parts in 2..=most {
        let its = cost(parts);
        if its < best.1 {
            best = (parts, its);
        }
    }
    best.0 as u32
}
