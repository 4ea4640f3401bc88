//! IDX, the form of MNIST's files: two zero bytes, a type, the number of axes, big-endian sizes, then the numbers.
//!
//! <http://yann.lecun.com/exdb/mnist/> describes it. Values and labels are two files; this reads one.

use super::arrays::{Array, Kind};
use super::{File, refused};
use crate::error::Result;

/// Most axes: images with channels have four.
const MAX_AXES: u8 = 4;

/// Whether a file begins as one.
pub(super) const fn is(bytes: &[u8]) -> bool {
    matches!(bytes, [0, 0, 0x08..=0x0e, 1..=MAX_AXES, ..])
}

/// Reads one file.
pub(super) fn read(file: &File<'_>) -> Result<Array> {
    let [0, 0, kind, axes @ 1..=MAX_AXES, rest @ ..] = file.bytes else {
        return Err(refused(
            file.name,
            format!("an IDX file of 1 to {MAX_AXES} axes"),
            "another beginning",
        ));
    };
    let kind = match kind {
        0x08 => Kind::U8,
        0x09 => Kind::I8,
        0x0b => Kind::I16,
        0x0c => Kind::I32,
        0x0d => Kind::F32,
        0x0e => Kind::F64,
        other => {
            return Err(refused(
                file.name,
                "a type of 8, 9, 11, 12, 13 or 14",
                other.to_string(),
            ));
        }
    };
    let Some((sizes, numbers)) = rest.split_at_checked(4 * usize::from(*axes)) else {
        return Err(refused(
            file.name,
            format!("sizes of {axes} axes"),
            "a file that ends within them",
        ));
    };
    let (sizes, _) = sizes.as_chunks::<4>();
    let shape = (sizes.iter()).map(|size| u32::from_be_bytes(*size) as usize);
    Array::read(file.name, shape.collect(), kind, true, numbers)
}
