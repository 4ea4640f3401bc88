//! The plainest good kernel that the lanes of `wide` allow: 4 rows by 8 columns in registers over a packed weight. It shows what the
//! crate's lanes cost, and does not try to be the best for every shape.

use wide::f32x4;

const ROWS: usize = 4;
const COLUMNS: usize = 8;

/// Panels `[⌈columns / 8⌉][inner][8]` of a weight `[inner][columns]`, filled up with zeros.
pub(crate) fn packed(weight: &[f32], inner: usize, columns: usize) -> Vec<f32> {
    let mut packed = vec![0.0; columns.div_ceil(COLUMNS) * COLUMNS * inner];
    for (at, value) in weight.iter().enumerate() {
        let (row, column) = (at / columns, at % columns);
        packed[(column / COLUMNS * inner + row) * COLUMNS + column % COLUMNS] = *value;
    }
    packed
}

/// `out = left · weight` with the weight's panels.
pub(crate) fn product(
    left: &[f32],
    packed: &[f32],
    out: &mut [f32],
    [rows, inner, columns]: [usize; 3],
) {
    for (index, panel) in packed.chunks_exact(inner * COLUMNS).enumerate() {
        let mut row = 0;
        while row < rows {
            let height = ROWS.min(rows - row);
            let left = &left[row * inner..];
            let place = [row, index * COLUMNS];
            match height {
                1 => tile::<1>(left, panel, out, inner, columns, place),
                2 => tile::<2>(left, panel, out, inner, columns, place),
                3 => tile::<3>(left, panel, out, inner, columns, place),
                _ => tile::<ROWS>(left, panel, out, inner, columns, place),
            }
            row += height;
        }
    }
}

fn tile<const HEIGHT: usize>(
    left: &[f32],
    panel: &[f32],
    out: &mut [f32],
    inner: usize,
    columns: usize,
    [row, column]: [usize; 2],
) {
    let mut sums = [[f32x4::default(); 2]; HEIGHT];
    let lines: [&[f32]; HEIGHT] = std::array::from_fn(|row| &left[row * inner..][..inner]);
    for (index, eight) in panel.chunks_exact(COLUMNS).enumerate() {
        let first = f32x4::from([eight[0], eight[1], eight[2], eight[3]]);
        let second = f32x4::from([eight[4], eight[5], eight[6], eight[7]]);
        for (line, sums) in lines.iter().zip(&mut sums) {
            let factor = f32x4::splat(line[index]);
            sums[0] += factor * first;
            sums[1] += factor * second;
        }
    }
    let width = COLUMNS.min(columns - column);
    for (offset, [first, second]) in sums.into_iter().enumerate() {
        let mut eight = [0.0; COLUMNS];
        eight[..4].copy_from_slice(&first.to_array());
        eight[4..].copy_from_slice(&second.to_array());
        out[(row + offset) * columns + column..][..width].copy_from_slice(&eight[..width]);
    }
}
