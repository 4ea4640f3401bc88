//! A set made small for a second opinion: some of its rows, images averaged to few pixels; it judges nothing.

use super::{Dataset, Edited, Split, Values};

/// Most rows that train and are asked, and most that choose the epoch.
const MAX_ASKED: usize = 8000;
const MAX_VALIDATION: usize = 1000;
/// Most rows of each part that are told apart, and fewest that are worth it.
const MAX_OF_PART: usize = 2000;
const MIN_OF_PART: usize = 30;
/// Every so manieth of those chooses the epoch.
const CHOOSES: usize = 8;
/// Largest side of an image.
const MAX_SIDE: usize = 16;

/// A set made small.
pub struct Reduced {
    /// The set of the rows that are left: those asked, then those that choose the epoch.
    pub dataset: Dataset,
    /// Its division; nothing tests.
    pub split: Split,
    /// What the rows that train are called in the whole set.
    pub asked: Vec<u32>,
}

/// Every so manieth of the rows that train and of those that validate, in their order, with images of at most 16 by 16
/// pixels, each the mean of those it covers, rounded down. Nothing where a label is no class or a part has no rows.
#[must_use]
pub fn reduced(data: &Dataset, parts: &Split) -> Option<Reduced> {
    let (asked, chosen) = (
        some(&parts.train, MAX_ASKED),
        some(&parts.validation, MAX_VALIDATION),
    );
    let labels: Vec<u16> = (asked.iter().chain(&chosen))
        .map(|row| data.labels.get(*row as usize).copied())
        .collect::<Option<_>>()?;
    let is_class = |label: &u16| usize::from(*label) < data.classes.len();
    if asked.is_empty() || chosen.is_empty() || !labels.iter().all(is_class) {
        return None;
    }
    Some(made(data, asked, &chosen, labels, data.classes.clone()))
}

/// As many rows that train as rows that test, in turn, labelled by that and nothing else: what models are asked to tell apart.
/// Nothing where a part has fewer than 30 rows.
#[must_use]
pub fn parted(data: &Dataset, parts: &Split) -> Option<Reduced> {
    let count = parts.train.len().min(parts.test.len()).min(MAX_OF_PART);
    if count < MIN_OF_PART {
        return None;
    }
    let spread =
        |rows: &[u32]| -> Vec<u32> { (0..count).map(|at| rows[at * rows.len() / count]).collect() };
    let pairs = spread(&parts.train).into_iter().zip(spread(&parts.test));
    let (mut asked, mut chosen) = (Vec::new(), Vec::new());
    for (at, (trains, tests)) in pairs.enumerate() {
        let part = if at % CHOOSES == 0 {
            &mut chosen
        } else {
            &mut asked
        };
        part.extend([trains, tests]);
    }
    let labels = [0, 1].repeat(count);
    let classes = vec!["trains".into(), "tests".into()];
    Some(made(data, asked, &chosen, labels, classes))
}

fn some(rows: &[u32], most: usize) -> Vec<u32> {
    let step = rows.len().div_ceil(most).max(1);
    rows.iter().step_by(step).copied().collect()
}

fn made(
    data: &Dataset,
    asked: Vec<u32>,
    chosen: &[u32],
    labels: Vec<u16>,
    classes: Vec<String>,
) -> Reduced {
    let (height, width) = (data.height as usize, data.width as usize);
    let cell = if height > 1 {
        height.max(width).div_ceil(MAX_SIDE)
    } else {
        1
    };
    let kept = asked.iter().chain(chosen);
    let values = match &data.values {
        Values::Bytes { max, .. } => {
            let mut values = Vec::new();
            for row in kept {
                for plane in data.bytes(*row).chunks_exact(height * width) {
                    averaged(plane, width, cell, &mut values);
                }
            }
            Values::Bytes { max: *max, values }
        }
        // Measured numbers are columns of their own, which nothing averages.
        Values::Reals(_) => Values::Reals(kept.flat_map(|row| data.row(*row)).collect()),
    };
    let [height, width] = match values {
        Values::Bytes { .. } => [height.div_ceil(cell), width.div_ceil(cell)],
        Values::Reals(_) => [height, width],
    };
    let learned = asked.len() as u32;
    let split = Split {
        train: (0..learned).collect(),
        validation: (learned..labels.len() as u32).collect(),
        test: Vec::new(),
    };
    let dataset = Dataset {
        height: height as u32,
        width: width as u32,
        values,
        labels,
        groups: None,
        notes: Vec::new(),
        source: String::new(),
        edited: Edited::default(),
        classes,
        set: data.set.clone(),
        title: String::new(),
        attribution: String::new(),
        licence: String::new(),
        ..*data
    };
    Reduced {
        dataset,
        split,
        asked,
    }
}

/// Appends a plane whose pixels are means of squares of the side `cell`, cut off at the edges.
fn averaged(plane: &[u8], width: usize, cell: usize, out: &mut Vec<u8>) {
    for rows in plane.chunks(width * cell) {
        for left in (0..width).step_by(cell) {
            let right = (left + cell).min(width);
            let (mut sum, mut count) = (0, 0);
            for row in rows.chunks_exact(width) {
                sum += row[left..right]
                    .iter()
                    .map(|it| u32::from(*it))
                    .sum::<u32>();
                count += (right - left) as u32;
            }
            out.push((sum / count.max(1)) as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_averaged_and_rows_keep_their_names() {
        let mut plane = vec![0; 12];
        plane[0] = 40;
        plane[5] = 40;
        plane[2] = 9;
        let mut out = Vec::new();
        // Two rows of six, cells of two by two and none left over.
        averaged(&plane, 6, 2, &mut out);
        assert_eq!(out, [10, 2, 10]);
        out.clear();
        // Cells of four by four reach over both edges.
        averaged(&plane, 6, 4, &mut out);
        assert_eq!(out, [6, 10]);
        let digits = crate::data::load("digits").expect("built in");
        let parts = Split {
            train: vec![3, 5, 9],
            validation: vec![7],
            test: vec![1],
        };
        let made = reduced(&digits, &parts).expect("has rows");
        assert_eq!(made.asked, [3, 5, 9]);
        assert_eq!(made.dataset.rows(), 4);
        assert_eq!(made.dataset.bytes(2), digits.bytes(9));
        assert_eq!(made.dataset.labels[3], digits.labels[7]);
        assert!(parted(&digits, &parts).is_none(), "too few");
        let halves = Split {
            train: (0..60).collect(),
            validation: vec![100],
            test: (200..240).collect(),
        };
        let made = parted(&digits, &halves).expect("has rows");
        assert_eq!((made.asked.len(), made.dataset.rows()), (70, 80));
        for (at, row) in made.asked.iter().enumerate() {
            assert_eq!(usize::from(*row >= 200), at % 2);
            assert_eq!(made.dataset.labels[at], (at % 2) as u16);
            assert_eq!(made.dataset.bytes(at as u32), digits.bytes(*row));
        }
        assert!(
            made.split
                .validation
                .iter()
                .all(|row| (70..80).contains(row))
        );
        let mut broken = digits;
        broken.labels[5] = 10;
        assert!(reduced(&broken, &parts).is_none());
    }
}
