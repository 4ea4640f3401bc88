//! Numbers in a box of some shape, and how one box of values and one of labels become a set; it reads no bytes of a file.

use super::{MAX_CLASSES, MAX_ROWS, MAX_VALUES, at_most, refused};
use crate::data::{Dataset, Edited, Expected, Values};
use crate::error::{Error, Result};
use std::collections::BTreeSet;

/// The numbers of a box.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Numbers {
    /// Whole numbers in 0..=255.
    Bytes(Vec<u8>),
    /// Any others; `whole` where their type has no fractions.
    Reals {
        /// The numbers, rounded to f32.
        values: Vec<f32>,
        /// Whether the file's type is one of whole numbers.
        whole: bool,
    },
}

/// A type of numbers in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F16,
    F32,
    F64,
}

impl Kind {
    /// Bytes of one number.
    pub(super) const fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 | Self::F16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }
}

/// A box of numbers, the last axis fastest.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Array {
    /// The file or entry that it is from.
    pub(super) name: String,
    /// Its sizes; their product is the count of the numbers.
    pub(super) shape: Vec<usize>,
    pub(super) numbers: Numbers,
}

impl Array {
    /// Reads a box whose header said `shape`, refusing one that is too large before its numbers are allocated, and one whose
    /// numbers are not exactly there.
    pub(super) fn read(
        name: &str,
        shape: Vec<usize>,
        kind: Kind,
        big_endian: bool,
        bytes: &[u8],
    ) -> Result<Self> {
        let count = shape
            .iter()
            .try_fold(1_u64, |product, size| product.checked_mul(*size as u64))
            .unwrap_or(u64::MAX);
        at_most(
            format!("numbers of {}", super::shown(name)),
            count,
            MAX_VALUES,
            "numbers",
        )?;
        let wanted = count as usize * kind.size();
        if bytes.len() != wanted {
            return Err(refused(
                name,
                format!("{wanted} bytes after its header, for sizes of {shape:?}"),
                bytes.len().to_string(),
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            shape,
            numbers: numbers(kind, big_endian, bytes),
        })
    }

    const fn rank(&self) -> usize {
        self.shape.len()
    }
}

fn numbers(kind: Kind, big_endian: bool, bytes: &[u8]) -> Numbers {
    /// Numbers of `N` bytes, most significant last.
    fn each<const N: usize>(
        bytes: &[u8],
        big_endian: bool,
        of: impl Fn([u8; N]) -> f32,
    ) -> Vec<f32> {
        let (chunks, _) = bytes.as_chunks::<N>();
        (chunks.iter())
            .map(|chunk| {
                let mut chunk = *chunk;
                if big_endian {
                    chunk.reverse();
                }
                of(chunk)
            })
            .collect()
    }
    let values = match kind {
        Kind::U8 => return Numbers::Bytes(bytes.to_vec()),
        Kind::I8 => each(bytes, big_endian, |it| f32::from(i8::from_le_bytes(it))),
        Kind::U16 => each(bytes, big_endian, |it| f32::from(u16::from_le_bytes(it))),
        Kind::I16 => each(bytes, big_endian, |it| f32::from(i16::from_le_bytes(it))),
        Kind::U32 => each(bytes, big_endian, |it| u32::from_le_bytes(it) as f32),
        Kind::I32 => each(bytes, big_endian, |it| i32::from_le_bytes(it) as f32),
        Kind::U64 => each(bytes, big_endian, |it| u64::from_le_bytes(it) as f32),
        Kind::I64 => each(bytes, big_endian, |it| i64::from_le_bytes(it) as f32),
        Kind::F16 => each(bytes, big_endian, |it| {
            half::f16::from_le_bytes(it).to_f32()
        }),
        Kind::F32 => each(bytes, big_endian, f32::from_le_bytes),
        Kind::F64 => each(bytes, big_endian, |it| f64::from_le_bytes(it) as f32),
    };
    Numbers::Reals {
        values,
        whole: !matches!(kind, Kind::F16 | Kind::F32 | Kind::F64),
    }
}

/// The set of one box of values, of two axes or more, and one of labels, of one axis, in any order.
pub(super) fn dataset(arrays: Vec<Array>) -> Result<Dataset> {
    let (mut labels, mut values): (Vec<Array>, Vec<Array>) =
        arrays.into_iter().partition(|array| array.rank() == 1);
    let names = |arrays: &[Array]| match arrays {
        [] => "none".to_owned(),
        _ => {
            let names: Vec<String> = arrays.iter().map(|it| super::shown(&it.name)).collect();
            names.join(", ")
        }
    };
    if (values.len(), labels.len()) != (1, 1) {
        return Err(Error::bad_input(
            "arrays",
            "one of two axes or more with the values, and one of one axis with the labels",
            format!("values: {}; labels: {}", names(&values), names(&labels)),
        ));
    }
    let (values, labels) = (values.remove(0), labels.remove(0));
    if values.shape[0] != labels.shape[0] {
        return Err(refused(
            &labels.name,
            format!(
                "{} labels, one for each row of {}",
                values.shape[0],
                super::shown(&values.name)
            ),
            labels.shape[0].to_string(),
        ));
    }
    let names = label_numbers(&labels)?;
    let shape = row_shape(&values)?;
    let values = match (values.numbers, channels_last(&values.shape)) {
        (Numbers::Bytes(bytes), last) => Values::Bytes {
            max: largest(&bytes),
            values: if last { planes(&bytes, shape) } else { bytes },
        },
        (Numbers::Reals { values, .. }, last) => {
            Values::Reals(if last { planes(&values, shape) } else { values })
        }
    };
    labelled(shape, values, &names)
}

/// The smallest of 1, 16 and 255 that no value exceeds: what a picture's brightest value would be.
pub(super) fn largest(bytes: &[u8]) -> u8 {
    match bytes.iter().max() {
        None | Some(0..=1) => 1,
        Some(2..=16) => 16,
        Some(_) => u8::MAX,
    }
}

/// `[channels, height, width]` of a row: one number a place for two and three axes, and one or three for four axes, before
/// or after height and width.
fn row_shape(array: &Array) -> Result<[u32; 3]> {
    let shape = match array.shape[..] {
        [_, width] => [1, 1, width],
        [_, height, width] => [1, height, width],
        [_, height, width, channels] if channels_last(&array.shape) => [channels, height, width],
        [_, channels @ (1 | 3), height, width] => [channels, height, width],
        _ => {
            return Err(refused(
                &array.name,
                "rows of numbers, of images, or of images with 1 or 3 channels",
                format!("sizes of {:?}", array.shape),
            ));
        }
    };
    // Each is at most MAX_VALUES where there is a row; there may be none.
    Ok(shape.map(|size| u32::try_from(size).unwrap_or(u32::MAX)))
}

/// Whether the channels of an image are its last axis.
const fn channels_last(shape: &[usize]) -> bool {
    matches!(*shape, [_, _, _, 1 | 3])
}

/// Channel by channel what was pixel by pixel.
pub(super) fn planes<T: Copy>(pixels: &[T], [channels, height, width]: [u32; 3]) -> Vec<T> {
    let (channels, cells) = (channels as usize, height as usize * width as usize);
    let mut out = Vec::with_capacity(pixels.len());
    for image in pixels.chunks_exact((channels * cells).max(1)) {
        for channel in 0..channels {
            out.extend(image.iter().skip(channel).step_by(channels));
        }
    }
    out
}

/// Labels as the texts of whole numbers.
fn label_numbers(labels: &Array) -> Result<Vec<String>> {
    match &labels.numbers {
        Numbers::Bytes(bytes) => Ok(bytes.iter().map(ToString::to_string).collect()),
        Numbers::Reals { values, .. } => (values.iter().enumerate())
            .map(|(row, value)| {
                // 2^24: up to here every whole number is an f32.
                if value.fract() == 0.0 && value.abs() <= 16_777_216.0 {
                    return Ok((*value as i32).to_string());
                }
                Err(refused(
                    &labels.name,
                    "whole numbers of at most 16,777,216 as labels",
                    format!("{value} in row {}", row + 1),
                ))
            })
            .collect(),
    }
}

/// The set of these rows, its classes being the distinct names: in the order of their numbers where all are numbers, else of
/// their letters.
pub(super) fn labelled(shape: [u32; 3], values: Values, names: &[String]) -> Result<Dataset> {
    let rows = names.len() as u64;
    at_most("rows", rows, MAX_ROWS, "rows")?;
    if rows == 0 || shape.contains(&0) {
        return Err(Error::bad_input(
            "rows",
            "at least one, of at least one value",
            format!("{rows} rows of {shape:?} values"),
        ));
    }
    let distinct: BTreeSet<&String> = names.iter().collect();
    if distinct.len() < 2 {
        return Err(Error::bad_input(
            "classes",
            "at least two",
            format!("one: {}", super::shown(&names[0])),
        ));
    }
    if distinct.len() > MAX_CLASSES {
        return Err(Error::bad_input(
            "classes",
            format!("at most {MAX_CLASSES}; is another column the label?"),
            format!("{} distinct labels", distinct.len()),
        ));
    }
    let mut classes: Vec<String> = distinct.into_iter().cloned().collect();
    let number = |name: &String| name.parse::<i64>().ok();
    if classes.iter().all(|name| number(name).is_some()) {
        classes.sort_by_key(number);
    }
    let place: std::collections::BTreeMap<&String, u16> = classes.iter().zip(0..).collect();
    let labels = names.iter().map(|name| place[name]).collect();
    Ok(Dataset {
        source: String::new(),
        set: "own".into(),
        title: String::new(),
        attribution: "The person who opened it".into(),
        licence: "unknown".into(),
        channels: shape[0],
        height: shape[1],
        width: shape[2],
        values,
        labels,
        groups: None,
        expected: Expected::unknown(classes.len()),
        notes: Vec::new(),
        edited: Edited::default(),
        classes,
    })
}
