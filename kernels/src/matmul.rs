//! The matrix product that every other kernel is made of; tiled for speed, but its sums are those of the plain loop.
//!
//! Each element is `out + left·right` summed over the inner index in ascending order, every product and every sum rounded
//! to f32. Tiles, blocks and lanes only decide which elements are worked on together, so they can change without
//! changing a bit, and a sum that is continued in a second call is the sum of one long call.

/// Rows of a tile; with 8 columns its sums fill eight 128-bit registers, which hides the latency of an addition.
const ROWS: usize = 4;
/// Columns of a tile.
const COLUMNS: usize = 8;
/// Inner indices worked on together, so that a packed panel stays in the first cache.
const DEPTH: usize = 256;

/// A matrix in a slice: element `(row, column)` is at `row · row_stride + column · column_stride`.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a> {
    values: &'a [f32],
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// A row-major matrix with so many columns.
    #[must_use]
    pub const fn new(values: &'a [f32], columns: usize) -> Self {
        Self {
            values,
            row_stride: columns,
            column_stride: 1,
        }
    }

    /// The same numbers with rows and columns exchanged.
    #[must_use]
    pub const fn transposed(self) -> Self {
        Self {
            values: self.values,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }
}

/// Adds `left · right` to the row-major `out`, where `left` is `[rows, inner]` and `right` is `[inner, columns]`.
///
/// `out` has `rows × columns` numbers.
///
/// # Panics
/// Where a matrix is smaller than its size says.
pub fn add_product(
    left: Matrix<'_>,
    right: Matrix<'_>,
    out: &mut [f32],
    [rows, inner, columns]: [usize; 3],
) {
    debug_assert_eq!(out.len(), rows * columns);
    let mut left_panels = vec![[0.0; ROWS]; rows.div_ceil(ROWS) * inner.min(DEPTH)];
    let mut right_panel = vec![[0.0; COLUMNS]; inner.min(DEPTH)];
    for start in (0..inner).step_by(DEPTH) {
        let depth = DEPTH.min(inner - start);
        for (panel, row) in (0..rows).step_by(ROWS).enumerate() {
            let panel = &mut left_panels[panel * depth..(panel + 1) * depth];
            pack(left.transposed(), start, row, rows, panel);
        }
        for column in (0..columns).step_by(COLUMNS) {
            let right_panel = &mut right_panel[..depth];
            pack(right, start, column, columns, right_panel);
            let width = COLUMNS.min(columns - column);
            for (panel, row) in (0..rows).step_by(ROWS).enumerate() {
                let left_panel = &left_panels[panel * depth..(panel + 1) * depth];
                let out = &mut out[row * columns + column..];
                match rows - row {
                    1 => tile::<1>(left_panel, right_panel, out, columns, width),
                    2 => tile::<2>(left_panel, right_panel, out, columns, width),
                    3 => tile::<3>(left_panel, right_panel, out, columns, width),
                    _ => tile::<ROWS>(left_panel, right_panel, out, columns, width),
                }
            }
        }
    }
}

/// Copies `WIDTH` columns from `column` on, rows `start..`, into a panel; columns from `columns` on are left as they are,
/// for what is computed from them is not kept.
#[inline(always)]
fn pack<const WIDTH: usize>(
    matrix: Matrix<'_>,
    start: usize,
    column: usize,
    columns: usize,
    panel: &mut [[f32; WIDTH]],
) {
    let width = WIDTH.min(columns - column);
    let first = start * matrix.row_stride + column * matrix.column_stride;
    if matrix.column_stride == 1 && width == WIDTH {
        for (row, packed) in panel.iter_mut().enumerate() {
            let from = first + row * matrix.row_stride;
            packed.copy_from_slice(&matrix.values[from..from + WIDTH]);
        }
    } else {
        for lane in 0..width {
            let from = &matrix.values[first + lane * matrix.column_stride..];
            for (row, packed) in panel.iter_mut().enumerate() {
                packed[lane] = from[row * matrix.row_stride];
            }
        }
    }
}

/// Continues `HEIGHT × COLUMNS` sums over one panel of each side and keeps the first `width` columns.
fn tile<const HEIGHT: usize>(
    left: &[[f32; ROWS]],
    right: &[[f32; COLUMNS]],
    out: &mut [f32],
    stride: usize,
    width: usize,
) {
    let mut before = [[0.0; COLUMNS]; HEIGHT];
    for (row, sums) in before.iter_mut().enumerate() {
        sums[..width].copy_from_slice(&out[row * stride..][..width]);
    }
    let after = continued(left, right, before);
    for (row, sums) in after.iter().enumerate() {
        out[row * stride..][..width].copy_from_slice(&sums[..width]);
    }
}

/// The sums after one panel. Indices and not iterators, and sums by value: so the compiler keeps them in registers.
#[inline(never)]
fn continued<const HEIGHT: usize>(
    left: &[[f32; ROWS]],
    right: &[[f32; COLUMNS]],
    before: [[f32; COLUMNS]; HEIGHT],
) -> [[f32; COLUMNS]; HEIGHT] {
    let mut sums = before;
    for (left, right) in left.iter().zip(right) {
        for row in 0..HEIGHT {
            for column in 0..COLUMNS {
                sums[row][column] += left[row] * right[column];
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers in −1..1 from a linear congruential generator (Knuth's MMIX constants).
    fn drawn(count: usize, seed: u64) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    /// The definition.
    fn plain(left: &[f32], right: &[f32], out: &mut [f32], [rows, inner, columns]: [usize; 3]) {
        for row in 0..rows {
            for column in 0..columns {
                for index in 0..inner {
                    out[row * columns + column] +=
                        left[row * inner + index] * right[index * columns + column];
                }
            }
        }
    }

    fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
        (0..rows * columns)
            .map(|index| values[index % rows * columns + index / rows])
            .collect()
    }

    #[test]
    fn has_the_bits_of_the_plain_loop_for_every_shape_and_order() {
        for sizes in [
            [1, 1, 1],
            [4, 8, 8],
            [3, 257, 9],
            [5, 13, 7],
            [17, 512, 31],
            [2, 600, 1],
            [64, 64, 10],
        ] {
            let [rows, inner, columns] = sizes;
            let (left, right) = (drawn(rows * inner, 1), drawn(inner * columns, 2));
            let start = drawn(rows * columns, 3);
            let mut wanted = start.clone();
            plain(&left, &right, &mut wanted, sizes);
            let left_turned = transposed(&left, rows, inner);
            let right_turned = transposed(&right, inner, columns);
            let lefts = [
                Matrix::new(&left, inner),
                Matrix::new(&left_turned, rows).transposed(),
            ];
            let rights = [
                Matrix::new(&right, columns),
                Matrix::new(&right_turned, inner).transposed(),
            ];
            for left in lefts {
                for right in rights {
                    let mut found = start.clone();
                    add_product(left, right, &mut found, sizes);
                    assert!(
                        found
                            .iter()
                            .zip(&wanted)
                            .all(|(a, b)| a.to_bits() == b.to_bits()),
                        "{sizes:?}"
                    );
                }
            }
        }
    }
}
