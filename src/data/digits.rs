//! `digits`: 1,797 grey 8×8 images of handwritten digits, embedded; it neither downloads nor chooses rows.
//!
//! The test part of *Optical Recognition of Handwritten Digits* by E. Alpaydin and C. Kaynak (1998), UCI Machine
//! Learning Repository, <https://doi.org/10.24432/C50P49>, licensed CC BY 4.0, as scikit-learn ships it. Each value
//! counts the set pixels of a 4×4 block of a 32×32 bitmap. 13 people wrote it, different ones from the training part
//! that is not here, so a random split shares writers between its parts. `digits/make.py` makes `digits/digits.bin`.

use super::{Dataset, Edited, Expected, Values};
use crate::error::{Error, Result};
use crate::order;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

const PACKED: &[u8] = include_bytes!("digits/digits.bin");
const ROWS: usize = 1797;
const SIDE: usize = 8;
const PIXELS: usize = SIDE * SIDE;
const LARGEST: u8 = 16;
const CLASSES: u16 = 10;
/// [`Dataset::digest`] of the set; printed by make.py.
pub(super) const DIGEST: &str = "2c3f6afa25e4334cb3f69c2247af8f0b8de33c6ee355a46d7825d915155464ce";

pub(super) fn load() -> Result<Dataset> {
    let (pixels, labels) = unpacked(PACKED)?;
    Ok(Dataset {
        set: "digits".into(),
        title: "Optical Recognition of Handwritten Digits, test part".into(),
        attribution:
            "E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, \
                      UCI Machine Learning Repository, https://doi.org/10.24432/C50P49; \
                      the copy shipped with scikit-learn, reordered for compression only"
                .into(),
        licence: "CC-BY-4.0".into(),
        classes: (0..CLASSES).map(|class| class.to_string()).collect(),
        channels: 1,
        height: SIDE as u32,
        width: SIDE as u32,
        values: Values::Bytes {
            max: LARGEST,
            values: pixels,
        },
        labels,
        groups: None,
        expected: Expected {
            learnable: Some(true),
            ..Expected::unknown(usize::from(CLASSES))
        },
        notes: Vec::new(),
        source: String::new(),
        edited: Edited::default(),
    })
}

/// Pixels and labels in the package's order; the form is described in `digits/make.py`.
fn unpacked(packed: &[u8]) -> Result<(Vec<u8>, Vec<u16>)> {
    let broken = |got: String| Error::bad_input("digits.bin", "the file that make.py wrote", got);
    let bytes = decompress_to_vec_zlib_with_limit(packed, ROWS * (PIXELS + 1))
        .map_err(|error| broken(error.to_string()))?;
    if bytes.len() != ROWS * (PIXELS + 1) {
        return Err(broken(format!("{} bytes", bytes.len())));
    }
    let (labels, planes) = bytes.split_at(ROWS);
    if let Some(label) = labels.iter().find(|label| u16::from(**label) >= CLASSES) {
        return Err(broken(format!("label {label}")));
    }
    if let Some(value) = planes.iter().find(|value| **value > LARGEST) {
        return Err(broken(format!("pixel value {value}")));
    }
    let mut order: Vec<usize> = (0..ROWS).collect();
    order::sort_by(&mut order, |a, b| labels[*a].cmp(&labels[*b])); // stable, as Python's
    let mut pixels = vec![0; ROWS * PIXELS];
    for (pixel, plane) in planes.chunks_exact(ROWS).enumerate() {
        for (row, value) in order.iter().zip(plane) {
            pixels[row * PIXELS + pixel] = *value;
        }
    }
    Ok((
        pixels,
        labels.iter().map(|label| u16::from(*label)).collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use miniz_oxide::deflate::compress_to_vec_zlib;

    #[test]
    fn is_the_data_that_the_script_packed() {
        let set = load().expect("built in");
        assert_eq!(set.digest(), DIGEST);
        assert_eq!(
            (set.rows(), set.shape(), set.values.len()),
            (1797, [1, 8, 8], 1797 * 64)
        );
        assert!(matches!(set.values, Values::Bytes { max: 16, .. }));
        assert_eq!(
            set.class_counts(),
            [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
        );
    }

    #[test]
    fn starts_with_the_packages_first_row() {
        let set = load().expect("built in");
        assert_eq!(
            set.bytes(0)[..16],
            [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0]
        );
        assert_eq!(set.labels[..3], [0, 1, 2]);
        assert_eq!(set.bytes(0).len(), 64);
    }

    #[test]
    fn stays_small() {
        assert!(PACKED.len() < 40_000, "{} bytes", PACKED.len());
    }

    #[test]
    fn refuses_broken_files() {
        let good = decompress_to_vec_zlib_with_limit(PACKED, 1 << 20).expect("built in");
        let with = |place: usize, value: u8| {
            let mut bytes = good.clone();
            bytes[place] = value;
            compress_to_vec_zlib(&bytes, 1)
        };
        let long = [good.clone(), vec![0]].concat();
        let cases = [
            ("no bytes", vec![]),
            ("half", PACKED[..PACKED.len() / 2].to_vec()),
            ("short", compress_to_vec_zlib(&good[1..], 1)),
            ("long", compress_to_vec_zlib(&long, 1)),
            ("label 10", with(5, 10)),
            ("pixel 17", with(ROWS + 7, 17)),
        ];
        for (name, bytes) in cases {
            assert!(unpacked(&bytes).is_err(), "{name}");
        }
        assert!(unpacked(&with(5, 5)).is_ok());
    }

    #[test]
    fn one_changed_pixel_label_or_class_changes_the_digest() {
        let set = load().expect("built in");
        let mut pixel = set.clone();
        if let Values::Bytes { values, .. } = &mut pixel.values {
            values[100] ^= 1;
        }
        let mut label = set.clone();
        label.labels.swap(0, 1);
        let mut class = set.clone();
        class.classes[3].push(' ');
        let mut title = set.clone();
        title.title.push('!');
        for other in [&pixel, &label, &class] {
            assert_ne!(other.digest(), set.digest());
        }
        assert_eq!(title.digest(), set.digest());
    }
}
