//! Walks down the columns of matrices, four columns in the lanes: sums per column, and maps with numbers per column.
//!
//! For the kernels that know a channel by its column; which sums and which maps is theirs.

use crate::lanes::F32x4;

/// Continues one or several sums per column over the rows of one or several matrices, ascending; each sum is one chain.
///
/// `step(sums, numbers, constants)` is called for four columns of a row; `constants` are one number per column.
/// Four times four columns are worked on together: a cache line of a row, and enough chains to hide an addition.
///
/// # Panics
/// Where lengths do not fit.
#[inline(always)]
pub(crate) fn fold_columns<const INPUTS: usize, const CONSTANTS: usize, const SUMS: usize>(
    inputs: [&[f32]; INPUTS],
    constants: [&[f32]; CONSTANTS],
    mut sums: [&mut [f32]; SUMS],
    step: impl Fn([F32x4; SUMS], [F32x4; INPUTS], [F32x4; CONSTANTS]) -> [F32x4; SUMS] + Copy,
) {
    let columns = sums[0].len();
    let length = inputs[0].len();
    assert!(
        inputs.iter().all(|input| input.len() == length),
        "matrices of one size"
    );
    assert!(
        constants.iter().all(|row| row.len() == columns),
        "one number per column"
    );
    assert!(
        sums.iter().all(|row| row.len() == columns),
        "one sum per column"
    );
    if length == 0 {
        return;
    }
    assert_eq!(length % columns, 0, "whole rows");
    if columns < F32x4::LANES {
        return fold_narrow(inputs, constants, sums, step);
    }
    // Columns that fill no four lanes: the last four once more, from the sums as they are now, written at the end.
    let last = columns - F32x4::LANES;
    let end = (!columns.is_multiple_of(F32x4::LANES))
        .then(|| fold_block::<1, _, _, _>(inputs, constants, &sums, last, step));
    let mut start = 0;
    // More than four vectors of sums and constants each would not stay in registers.
    while SUMS == 1 && start + 16 <= columns {
        let block = fold_block::<4, _, _, _>(inputs, constants, &sums, start, step);
        for (sums, block) in sums.iter_mut().zip(block) {
            F32x4::store_run(block, &mut sums[start..]);
        }
        start += 16;
    }
    while start + 8 <= columns {
        let block = fold_block::<2, _, _, _>(inputs, constants, &sums, start, step);
        for (sums, block) in sums.iter_mut().zip(block) {
            F32x4::store_run(block, &mut sums[start..]);
        }
        start += 8;
    }
    while start + F32x4::LANES <= columns {
        let block = fold_block::<1, _, _, _>(inputs, constants, &sums, start, step);
        for (sums, block) in sums.iter_mut().zip(block) {
            F32x4::store_run(block, &mut sums[start..]);
        }
        start += F32x4::LANES;
    }
    if let Some(end) = end {
        for (sums, block) in sums.iter_mut().zip(end) {
            F32x4::store_run(block, &mut sums[last..]);
        }
    }
}

/// The sums of `4 · BLOCKS` columns from `start` on.
#[inline(always)]
fn fold_block<
    const BLOCKS: usize,
    const INPUTS: usize,
    const CONSTANTS: usize,
    const SUMS: usize,
>(
    inputs: [&[f32]; INPUTS],
    constants: [&[f32]; CONSTANTS],
    sums: &[&mut [f32]; SUMS],
    start: usize,
    step: impl Fn([F32x4; SUMS], [F32x4; INPUTS], [F32x4; CONSTANTS]) -> [F32x4; SUMS] + Copy,
) -> [[F32x4; BLOCKS]; SUMS] {
    let columns = sums[0].len();
    let constants = constants.map(|row| F32x4::load_run::<BLOCKS>(&row[start..]));
    let mut state: [[F32x4; BLOCKS]; SUMS] =
        std::array::from_fn(|sum| F32x4::load_run(&sums[sum][start..]));
    for row in (start..inputs[0].len()).step_by(columns) {
        let numbers = inputs.map(|input| F32x4::load_run::<BLOCKS>(&input[row..]));
        for block in 0..BLOCKS {
            let next = step(
                std::array::from_fn(|sum| state[sum][block]),
                std::array::from_fn(|input| numbers[input][block]),
                std::array::from_fn(|constant| constants[constant][block]),
            );
            for sum in 0..SUMS {
                state[sum][block] = next[sum];
            }
        }
    }
    state
}

/// One to three columns.
fn fold_narrow<const INPUTS: usize, const CONSTANTS: usize, const SUMS: usize>(
    inputs: [&[f32]; INPUTS],
    constants: [&[f32]; CONSTANTS],
    mut sums: [&mut [f32]; SUMS],
    step: impl Fn([F32x4; SUMS], [F32x4; INPUTS], [F32x4; CONSTANTS]) -> [F32x4; SUMS],
) {
    let columns = sums[0].len();
    let constants = constants.map(F32x4::from_rest);
    let mut state: [F32x4; SUMS] = std::array::from_fn(|sum| F32x4::from_rest(sums[sum]));
    for row in (0..inputs[0].len()).step_by(columns) {
        let numbers = inputs.map(|input| F32x4::from_rest(&input[row..row + columns]));
        state = step(state, numbers, constants);
    }
    for (sums, state) in sums.iter_mut().zip(state) {
        state.write_to_rest(sums);
    }
}

/// `out = of(numbers, constants)` at each place, the constants being the column's.
///
/// # Panics
/// Where lengths do not fit.
#[inline(always)]
pub(crate) fn map_columns<const INPUTS: usize, const CONSTANTS: usize>(
    inputs: [&[f32]; INPUTS],
    constants: [&[f32]; CONSTANTS],
    out: &mut [f32],
    of: impl Fn([F32x4; INPUTS], [F32x4; CONSTANTS]) -> F32x4 + Copy,
) {
    let columns = constants[0].len();
    assert!(
        constants.iter().all(|row| row.len() == columns),
        "one number per column"
    );
    assert!(
        inputs.iter().all(|input| input.len() == out.len()),
        "numbers in and out"
    );
    assert_eq!(out.len() % columns, 0, "whole rows");
    if columns < F32x4::LANES {
        let constants = constants.map(F32x4::from_rest);
        for (row, out) in out.chunks_exact_mut(columns).enumerate() {
            let numbers = inputs.map(|input| F32x4::from_rest(&input[row * columns..][..columns]));
            of(numbers, constants).write_to_rest(out);
        }
        return;
    }
    let mut start = 0;
    while start + 8 <= columns {
        map_block::<2, _, _>(inputs, constants, out, start, of);
        start += 8;
    }
    // Columns that fill no four lanes are the last four once more: the same numbers are written twice.
    while start < columns {
        let first = start.min(columns - F32x4::LANES);
        map_block::<1, _, _>(inputs, constants, out, first, of);
        start += F32x4::LANES;
    }
}

/// `4 · BLOCKS` columns from `start` on, all rows.
#[inline(always)]
fn map_block<const BLOCKS: usize, const INPUTS: usize, const CONSTANTS: usize>(
    inputs: [&[f32]; INPUTS],
    constants: [&[f32]; CONSTANTS],
    out: &mut [f32],
    start: usize,
    of: impl Fn([F32x4; INPUTS], [F32x4; CONSTANTS]) -> F32x4,
) {
    let columns = constants[0].len();
    let constants = constants.map(|row| F32x4::load_run::<BLOCKS>(&row[start..]));
    for row in (start..out.len()).step_by(columns) {
        let numbers = inputs.map(|input| F32x4::load_run::<BLOCKS>(&input[row..]));
        let values: [F32x4; BLOCKS] = std::array::from_fn(|block| {
            of(
                std::array::from_fn(|input| numbers[input][block]),
                std::array::from_fn(|constant| constants[constant][block]),
            )
        });
        F32x4::store_run(values, &mut out[row..]);
    }
}
