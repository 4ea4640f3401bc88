//! Twins of the poolings and their gradients.

use super::measured::{Measured, Sum};
use super::{Arenas, Contribution, Expected};
use crate::engine::gpu::kernels::task::{AverageGradient, MaxGradient, Pool, Turn, Window};

/// Calls with the index of each output and the indices of its window's cells in the image.
fn windows(window: &Window, rows: u32, mut each: impl FnMut(u32, &[u32])) {
    let w = *window;
    let side = |out: u32, stride: u32, size: u32, padding: u32, limit: u32| {
        let start = out * stride;
        start.saturating_sub(padding)..(start + size).saturating_sub(padding).min(limit)
    };
    let mut cells = Vec::new();
    for index in 0..rows * w.out_height * w.out_width * w.channels {
        let (place, channel) = (index / w.channels, index % w.channels);
        let (row, column) = (place / w.out_width % w.out_height, place % w.out_width);
        let image = place / (w.out_width * w.out_height);
        cells.clear();
        for y in side(row, w.stride_y, w.size_y, w.top, w.height) {
            for x in side(column, w.stride_x, w.size_x, w.left, w.width) {
                cells.push(((image * w.height + y) * w.width + x) * w.channels + channel);
            }
        }
        each(index, &cells);
    }
}

/// The first largest of some cells.
fn first_largest(before: &Arenas, input: u32, cells: &[u32]) -> u32 {
    let number = |cell: u32| before.values[(input + cell) as usize];
    let larger = |best: u32, &cell: &u32| {
        if number(cell) > number(best) {
            cell
        } else {
            best
        }
    };
    cells.iter().fold(cells[0], larger)
}

pub(super) fn max_pool(it: &Pool, turn: &Turn, before: &Arenas, after: &mut Expected) {
    windows(&it.window, turn.rows, |index, cells| {
        let best = first_largest(before, it.input, cells);
        after.arenas.values[(it.output + index) as usize] =
            before.values[(it.input + best) as usize];
    });
}

pub(super) fn average_pool(it: &Pool, turn: &Turn, before: &Arenas, after: &mut Expected) {
    windows(&it.window, turn.rows, |index, cells| {
        let mut sum = Sum::default();
        for &cell in cells {
            sum.add(before.value(it.input + cell));
        }
        after.value(
            it.output + index,
            sum.end() / Measured::exact(cells.len() as f32),
        );
    });
}

fn cells(window: &Window, rows: u32) -> Vec<Sum> {
    vec![Sum::default(); (rows * window.height * window.width * window.channels) as usize]
}

pub(super) fn max_pool_gradient(
    it: &MaxGradient,
    turn: &Turn,
    before: &Arenas,
    after: &mut Expected,
) {
    let mut sums = cells(&it.window, turn.rows);
    windows(&it.window, turn.rows, |index, cells| {
        let best = first_largest(before, it.input, cells);
        sums[best as usize].add(before.value(it.gradient + index));
    });
    let to = Contribution::new(it.output, it.accumulate, [it.saved, it.activation]);
    for (index, sum) in (0..).zip(sums) {
        after.contributed(before, to, index, sum.end());
    }
}

pub(super) fn average_pool_gradient(
    it: &AverageGradient,
    turn: &Turn,
    before: &Arenas,
    after: &mut Expected,
) {
    let mut sums = cells(&it.window, turn.rows);
    windows(&it.window, turn.rows, |index, cells| {
        let share = before.value(it.gradient + index) / Measured::exact(cells.len() as f32);
        for &cell in cells {
            sums[cell as usize].add(share);
        }
    });
    let to = Contribution::new(it.output, it.accumulate, [it.saved, it.activation]);
    for (index, sum) in (0..).zip(sums) {
        after.contributed(before, to, index, sum.end());
    }
}
