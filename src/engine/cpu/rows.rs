//! Rows of a set as a chunk of input, channels last; it scales nothing and knows no model.

use crate::data::Rows;
use crate::error::{Error, Result};
use assay_kernels::elementwise;

/// Numbers of one row.
pub(in crate::engine) fn row_length(shape: [u32; 3]) -> usize {
    shape.iter().map(|&size| size as usize).product()
}

/// Copies one row, `[channels][height][width]`, to `[height][width][channels]`.
pub(in crate::engine) fn channels_last(shape: [u32; 3], row: &[f32], out: &mut [f32]) {
    let [channels, height, width] = shape.map(|size| size as usize);
    let places = height * width;
    if channels == 1 || places == 1 {
        out.copy_from_slice(row);
    } else {
        elementwise::transpose(row, places, out);
    }
}

/// How many whole rows features are.
///
/// # Errors
/// [`Error::BadInput`] where they are none.
pub(in crate::engine) fn whole_rows(shape: [u32; 3], features: &[f32]) -> Result<usize> {
    let length = row_length(shape);
    if features.len().is_multiple_of(length) {
        return Ok(features.len() / length);
    }
    Err(Error::bad_input(
        "the features",
        format!("{length} for each row"),
        features.len().to_string(),
    ))
}

/// Copies rows that are given as features, one after another.
pub(in crate::engine) fn arrange(shape: [u32; 3], features: &[f32], out: &mut [f32]) {
    let length = row_length(shape);
    for (row, out) in (features.chunks_exact(length)).zip(out.chunks_exact_mut(length)) {
        channels_last(shape, row, out);
    }
}

/// Copies rows of a set that were checked, one after another.
pub(in crate::engine) fn gather(rows: &Rows, numbers: &[u32], out: &mut [f32]) {
    let length = row_length(rows.shape);
    for (&number, out) in numbers.iter().zip(out.chunks_exact_mut(length)) {
        let row = &rows.features[number as usize * length..][..length];
        channels_last(rows.shape, row, out);
    }
}

/// Checks that every number is that of a loaded row.
///
/// # Errors
/// [`Error::BadInput`] for the first that is not.
pub(in crate::engine) fn check_numbers(rows: &Rows, numbers: &[u32]) -> Result<()> {
    let loaded = rows.labels.len();
    match numbers.iter().find(|&&number| number as usize >= loaded) {
        None => Ok(()),
        Some(number) => Err(Error::bad_input(
            "the rows asked for",
            format!("below {loaded}, as many as are loaded"),
            number.to_string(),
        )),
    }
}

/// Checks that features, labels and shape fit each other.
///
/// # Errors
/// [`Error::BadInput`] where they do not.
pub(in crate::engine) fn check_whole(rows: &Rows) -> Result<()> {
    let length = row_length(rows.shape);
    if length == 0 || rows.features.len() != rows.labels.len() * length {
        return Err(Error::bad_input(
            "the rows",
            format!("{length} features for each of {} labels", rows.labels.len()),
            format!("{} features", rows.features.len()),
        ));
    }
    Ok(())
}

/// Checks that rows are of a model's shape and their labels among its classes.
///
/// # Errors
/// [`Error::BadInput`] where they are not.
pub(in crate::engine) fn check_fit(rows: &Rows, input: [u32; 3], classes: usize) -> Result<()> {
    if input != rows.shape {
        return Err(Error::bad_input(
            "the graph's input",
            format!("{:?}, the shape of the loaded rows", rows.shape),
            format!("{input:?}"),
        ));
    }
    let wrong = (rows.labels.iter()).find(|&&label| usize::from(label) >= classes);
    match wrong {
        None => Ok(()),
        Some(label) => Err(Error::bad_input(
            "the labels",
            format!("classes below {classes}, as many as the graph gives"),
            label.to_string(),
        )),
    }
}
