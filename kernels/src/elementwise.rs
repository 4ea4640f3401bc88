//! Sums of equal shapes, sums of columns, and changes of layout; nothing that multiplies two tensors.

use crate::columns::fold_columns;
use crate::lanes::F32x4;

/// `out[i] = left[i] + right[i]`.
///
/// # Panics
/// Where the lengths differ.
pub fn add(left: &[f32], right: &[f32], out: &mut [f32]) {
    assert_eq!(left.len(), right.len(), "numbers of a sum");
    assert_eq!(left.len(), out.len(), "numbers of a sum and its result");
    let (left, left_rest) = left.as_chunks::<4>();
    let (right, right_rest) = right.as_chunks::<4>();
    let (out, out_rest) = out.as_chunks_mut::<4>();
    for ((left, right), out) in left.iter().zip(right).zip(out) {
        (F32x4::load(left) + F32x4::load(right)).store(out);
    }
    for ((left, right), out) in left_rest.iter().zip(right_rest).zip(out_rest) {
        *out = left + right;
    }
}

/// `sums[i] = sums[i] + values[i]`.
///
/// # Panics
/// Where the lengths differ.
pub fn add_assign(sums: &mut [f32], values: &[f32]) {
    assert_eq!(sums.len(), values.len(), "numbers of a sum");
    let (sums, sums_rest) = sums.as_chunks_mut::<4>();
    let (values, values_rest) = values.as_chunks::<4>();
    for (sum, value) in sums.iter_mut().zip(values) {
        (F32x4::load(sum) + F32x4::load(value)).store(sum);
    }
    for (sum, value) in sums_rest.iter_mut().zip(values_rest) {
        *sum += value;
    }
}

/// `values[i] = values[i] · factor`.
pub fn scale(values: &mut [f32], factor: f32) {
    let factor = F32x4::splat(factor);
    let (fours, rest) = values.as_chunks_mut::<4>();
    for four in fours {
        (F32x4::load(four) * factor).store(four);
    }
    (F32x4::from_rest(rest) * factor).write_to_rest(rest);
}

/// `out[i] = out[i] + left[i] · right[i]`.
///
/// # Panics
/// Where the lengths differ.
#[inline]
pub fn add_products(left: &[f32], right: &[f32], out: &mut [f32]) {
    assert_eq!(left.len(), right.len(), "factors");
    assert_eq!(left.len(), out.len(), "factors and their sums");
    let (left, left_rest) = left.as_chunks::<4>();
    let (right, right_rest) = right.as_chunks::<4>();
    let (out, out_rest) = out.as_chunks_mut::<4>();
    for ((left, right), out) in left.iter().zip(right).zip(out) {
        (F32x4::load(out) + F32x4::load(left) * F32x4::load(right)).store(out);
    }
    for ((left, right), out) in left_rest.iter().zip(right_rest).zip(out_rest) {
        *out += left * right;
    }
}

/// A row-major matrix of `columns` columns with rows and columns exchanged.
///
/// With places as rows and channels as columns, or the other way round, it is one image between channels last and
/// channels first.
///
/// # Panics
/// Where `from` is no whole number of rows or `into` has another length.
pub fn transpose(from: &[f32], columns: usize, into: &mut [f32]) {
    assert_eq!(
        from.len(),
        into.len(),
        "numbers of a matrix and its transpose"
    );
    if from.is_empty() {
        return;
    }
    assert_eq!(from.len() % columns, 0, "whole rows");
    let rows = from.len() / columns;
    let (row_blocks, column_blocks) = (rows / 4 * 4, columns / 4 * 4);
    for row in (0..row_blocks).step_by(4) {
        for column in (0..column_blocks).step_by(4) {
            let block = F32x4::load_strided::<4>(&from[row * columns + column..], columns);
            let turned = F32x4::transposed(block);
            F32x4::store_strided(turned, &mut into[column * rows + row..], rows);
        }
    }
    for row in 0..rows {
        let first = if row < row_blocks { column_blocks } else { 0 };
        for column in first..columns {
            into[column * rows + row] = from[row * columns + column];
        }
    }
}

/// Continues `sums[c] + Σ values[r][c]`, rows ascending, each column its own sum: a bias's gradient.
///
/// # Panics
/// Where `values` is no whole number of rows of `sums.len()`.
pub fn add_column_sums(values: &[f32], sums: &mut [f32]) {
    fold_columns([values], [], [sums], |[sum], [value], []| [sum + value]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_bits, drawn};

    const LENGTHS: [usize; 9] = [0, 1, 2, 3, 4, 5, 7, 64, 101];

    #[test]
    fn sums_products_and_scales_are_those_of_plain_loops() {
        for length in LENGTHS {
            let (a, b, c) = (drawn(length, 1), drawn(length, 2), drawn(length, 3));
            let what = format!("length {length}");
            let sums: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a + b).collect();
            let mut found = vec![9.0; length];
            add(&a, &b, &mut found);
            assert_bits(&found, &sums, &what);
            let mut found = a.clone();
            add_assign(&mut found, &b);
            assert_bits(&found, &sums, &what);
            let scaled: Vec<f32> = a.iter().map(|a| a * 0.3).collect();
            let mut found = a.clone();
            scale(&mut found, 0.3);
            assert_bits(&found, &scaled, &what);
            let added: Vec<f32> = (0..length).map(|i| c[i] + a[i] * b[i]).collect();
            let mut found = c.clone();
            add_products(&a, &b, &mut found);
            assert_bits(&found, &added, &what);
        }
    }

    #[test]
    fn transposing_exchanges_rows_and_columns() {
        for rows in [1, 2, 3, 4, 5, 8, 13] {
            for columns in [1, 3, 4, 6, 8, 17] {
                let from = drawn(rows * columns, 1);
                let mut into = vec![9.0; from.len()];
                transpose(&from, columns, &mut into);
                let wanted: Vec<f32> = (0..rows * columns)
                    .map(|index| from[index % rows * columns + index / rows])
                    .collect();
                assert_bits(&into, &wanted, &format!("{rows} x {columns}"));
                let mut back = vec![9.0; from.len()];
                transpose(&into, rows, &mut back);
                assert_bits(&back, &from, "and back");
            }
        }
        transpose(&[], 3, &mut []);
    }

    #[test]
    fn column_sums_go_down_the_rows_and_can_be_continued() {
        for columns in [1, 2, 3, 4, 5, 8, 15, 16, 17, 37] {
            for rows in [0, 1, 2, 19] {
                let values = drawn(rows * columns, 4);
                let start = drawn(columns, 5);
                let mut wanted = start.clone();
                for row in values.chunks(columns) {
                    for (sum, value) in wanted.iter_mut().zip(row) {
                        *sum += value;
                    }
                }
                let what = format!("{rows} x {columns}");
                let mut found = start.clone();
                add_column_sums(&values, &mut found);
                assert_bits(&found, &wanted, &what);
                let mut found = start;
                let (first, second) = values.split_at(rows / 2 * columns);
                add_column_sums(first, &mut found);
                add_column_sums(second, &mut found);
                assert_bits(&found, &wanted, &what);
            }
        }
    }
}
