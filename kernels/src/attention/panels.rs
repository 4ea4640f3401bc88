//! The small products inside an attention: a head's matrices are packed into panels, and tiles of 4×8 sums run over them.
//!
//! Each sum starts from 0 and goes over the inner index ascending. What fills a panel up is 0 and its sums are not kept.

use crate::lanes::F32x4;

/// Rows of a tile.
pub(super) const HIGH: usize = 4;
/// Columns of a tile.
pub(super) const WIDE: usize = 8;

/// Sums of a tile, each row in two times four lanes.
type Sums = [[F32x4; 2]; HIGH];

/// The first numbers of a scratch, and the scratch without them.
pub(super) fn take<'a>(scratch: &mut &'a mut [f32], count: usize) -> &'a mut [f32] {
    let (taken, rest) = std::mem::take(scratch).split_at_mut(count);
    *scratch = rest;
    taken
}

/// `Σ left[k][row] · right[k][column]`.
#[inline(always)]
pub(super) fn tile(left: &[[f32; HIGH]], right: &[[f32; WIDE]]) -> Sums {
    let mut sums = [[F32x4::zero(); 2]; HIGH];
    for (left, right) in left.iter().zip(right) {
        let columns: [F32x4; 2] = F32x4::load_run(right);
        for (sums, &left) in sums.iter_mut().zip(left) {
            let left = F32x4::splat(left);
            *sums = [sums[0] + left * columns[0], sums[1] + left * columns[1]];
        }
    }
    sums
}

/// The first rows and columns of a tile into a matrix with rows `stride` apart.
#[inline(always)]
pub(super) fn store_tile(sums: Sums, into: &mut [f32], stride: usize, [rows, columns]: [usize; 2]) {
    for (row, sums) in sums.into_iter().take(rows).enumerate() {
        let into = &mut into[row * stride..][..columns];
        if columns == WIDE {
            F32x4::store_run(sums, into);
        } else {
            let mut line = [0.0; WIDE];
            F32x4::store_run(sums, &mut line);
            into.copy_from_slice(&line[..columns]);
        }
    }
}

/// `rows × columns` of a matrix with rows `stride` apart as right sides: panels of eight columns, each `[rows][8]`.
pub(super) fn pack_rows(
    from: &[f32],
    stride: usize,
    [rows, columns]: [usize; 2],
    panels: &mut [f32],
) {
    for (index, panel) in panels.chunks_exact_mut(WIDE * rows).enumerate() {
        let column = index * WIDE;
        let width = WIDE.min(columns - column);
        for (row, packed) in panel.as_chunks_mut::<WIDE>().0.iter_mut().enumerate() {
            let from = &from[row * stride + column..];
            if width == WIDE {
                let numbers: [F32x4; 2] = F32x4::load_run(from);
                F32x4::store_run(numbers, packed);
            } else {
                packed.fill(0.0);
                packed[..width].copy_from_slice(&from[..width]);
            }
        }
    }
}

/// The transpose of `rows × columns` as right sides: panels of eight of its columns, the matrix's rows, `[columns][8]`.
pub(super) fn pack_turned(
    from: &[f32],
    stride: usize,
    [rows, columns]: [usize; 2],
    panels: &mut [f32],
) {
    for (index, panel) in panels.chunks_exact_mut(WIDE * columns).enumerate() {
        for half in 0..2 {
            let row = index * WIDE + half * HIGH;
            let count = rows.saturating_sub(row).min(HIGH);
            let from = if count == 0 {
                &[]
            } else {
                &from[row * stride..]
            };
            turn_four(
                from,
                stride,
                [count, columns],
                &mut panel[half * HIGH..],
                WIDE,
            );
        }
    }
}

/// The transpose of up to four rows as a left side `[columns][4]`.
pub(super) fn pack_turned_four(from: &[f32], stride: usize, size: [usize; 2], panel: &mut [f32]) {
    turn_four(from, stride, size, panel, HIGH);
}

/// Four of a matrix's columns, from the start of the slice, as a left side `[rows][4]`.
pub(super) fn pack_four(from: &[f32], stride: usize, columns: usize, panel: &mut [[f32; HIGH]]) {
    for (row, packed) in panel.iter_mut().enumerate() {
        let from = &from[row * stride..];
        if columns >= HIGH {
            F32x4::from_slice(from).store(packed);
        } else {
            F32x4::from_rest(&from[..columns]).store(packed);
        }
    }
}

/// Writes up to four rows as four columns, `step` apart; rows that are missing become 0.
#[inline(always)]
fn turn_four(
    from: &[f32],
    stride: usize,
    [rows, columns]: [usize; 2],
    into: &mut [f32],
    step: usize,
) {
    let whole = if rows == HIGH { columns / 4 * 4 } else { 0 };
    for column in (0..whole).step_by(4) {
        let block = F32x4::load_strided::<HIGH>(&from[column..], stride);
        F32x4::store_strided(F32x4::transposed(block), &mut into[column * step..], step);
    }
    for column in whole..columns {
        for row in 0..HIGH {
            into[column * step + row] = if row < rows {
                from[row * stride + column]
            } else {
                0.0
            };
        }
    }
}
