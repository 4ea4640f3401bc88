//! Faults that are put into a set on purpose, by seed and severity, to see checks fire and accuracy move; it repairs nothing.

mod values;

use super::{Dataset, Split, Values};
use crate::error::{Error, Result};
use crate::order;
use crate::rng::Stream;

/// What is put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Labels of training rows become another class.
    LabelFlips,
    /// Training rows become copies of other training rows, with their labels.
    Duplicates,
    /// Test rows become copies of training rows, with their labels.
    Leakage,
    /// Values of rows are missing; the set then holds measured numbers.
    Missing,
    /// Rows are divided by 255 (or by the largest value), as where 0 to 1 was meant for 0 to 255.
    WrongScale,
    /// Rows get noise of half the whole range.
    Noise,
    /// Rows are blurred until little is left.
    Blur,
    /// Rows of the last class go.
    ClassDrop,
    /// Test rows get brighter.
    Drift,
    /// Rows repeat one value from some place on, as of a sensor that is stuck.
    StuckSensor,
}

/// Every fault with its name, in the order in which they are shown.
pub const FAULTS: [(Fault, &str); 10] = [
    (Fault::LabelFlips, "label flips"),
    (Fault::Duplicates, "duplicates"),
    (Fault::Leakage, "leakage"),
    (Fault::Missing, "missing values"),
    (Fault::WrongScale, "wrong scale"),
    (Fault::Noise, "noise"),
    (Fault::Blur, "blur"),
    (Fault::ClassDrop, "class drop"),
    (Fault::Drift, "drift"),
    (Fault::StuckSensor, "stuck sensor"),
];

/// A set with a fault in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Faulty {
    /// The set.
    pub data: Dataset,
    /// Its division: that of the set before, without rows that are gone.
    pub parts: Split,
    /// Rows that the fault touched, ascending.
    pub touched: Vec<u32>,
}

/// Puts a fault into so large a share of the rows that it can touch: `severity` of the training rows, the test rows, all
/// rows, or the rows of the last class. At least one row is touched.
///
/// # Errors
/// [`Error::BadInput`] where the severity is not above 0 and at most 1, or there is no row to touch.
pub fn inject(
    data: &Dataset,
    parts: &Split,
    fault: Fault,
    severity: f64,
    seed: u32,
) -> Result<Faulty> {
    if !(severity > 0.0 && severity <= 1.0) {
        return Err(Error::bad_input(
            "severity",
            "a share above 0 and at most 1",
            severity.to_string(),
        ));
    }
    let mut random = Stream::new(seed, "fault", fault as u64);
    let mut rows: Vec<u32> = match fault {
        Fault::LabelFlips | Fault::Duplicates => parts.train.clone(),
        Fault::Leakage | Fault::Drift => parts.test.clone(),
        Fault::ClassDrop => {
            let last = data.classes.len().saturating_sub(1);
            (0..data.rows())
                .filter(|row| usize::from(data.labels[*row as usize]) == last)
                .collect()
        }
        _ => (0..data.rows()).collect(),
    };
    random.shuffle(&mut rows);
    let count = ((rows.len() as f64 * severity + 0.5) as usize).max(1);
    if rows.is_empty() || (fault == Fault::Leakage && parts.train.is_empty()) {
        return Err(Error::bad_input(
            "rows",
            "some that the fault can touch",
            "none",
        ));
    }
    let others = rows.split_off(count.min(rows.len()));
    order::ascending(&mut rows);
    let mut faulty = Faulty {
        data: data.clone(),
        parts: parts.clone(),
        touched: rows,
    };
    match fault {
        Fault::LabelFlips => flip(&mut faulty, &mut random),
        Fault::Duplicates if others.is_empty() => {
            return Err(Error::bad_input(
                "severity",
                "rows that are left to copy",
                "all are copies",
            ));
        }
        Fault::Duplicates => copy(&mut faulty, &others, &mut random),
        Fault::Leakage => copy(&mut faulty, &parts.train, &mut random),
        Fault::ClassDrop => drop_rows(&mut faulty),
        _ => values::change(&mut faulty, fault, &mut random),
    }
    Ok(faulty)
}

fn flip(faulty: &mut Faulty, random: &mut Stream) {
    let classes = faulty.data.classes.len() as u32;
    for row in &faulty.touched {
        let label = &mut faulty.data.labels[*row as usize];
        let step = 1 + random.below(classes.saturating_sub(1).max(1));
        *label = ((u32::from(*label) + step) % classes) as u16;
    }
}

/// Each touched row becomes a copy of one of `from`; the row's group becomes its own.
fn copy(faulty: &mut Faulty, from: &[u32], random: &mut Stream) {
    let len = faulty.data.row_len();
    for row in &faulty.touched {
        let source = from[random.below(from.len() as u32) as usize] as usize;
        let (start, to) = (source * len, *row as usize * len);
        match &mut faulty.data.values {
            Values::Bytes { values, .. } => values.copy_within(start..start + len, to),
            Values::Reals(values) => values.copy_within(start..start + len, to),
        }
        faulty.data.labels[*row as usize] = faulty.data.labels[source];
    }
}

/// Takes the touched rows out; later rows move up.
fn drop_rows(faulty: &mut Faulty) {
    let data = &mut faulty.data;
    let len = data.row_len();
    let mut place = vec![None; data.labels.len()];
    let mut kept: Vec<usize> = Vec::new();
    for (row, place) in place.iter_mut().enumerate() {
        if faulty.touched.binary_search(&(row as u32)).is_err() {
            *place = Some(kept.len() as u32);
            kept.push(row);
        }
    }
    fn rows_of<T: Copy>(values: &[T], kept: &[usize], len: usize) -> Vec<T> {
        let rows = kept
            .iter()
            .flat_map(|row| &values[row * len..(row + 1) * len]);
        rows.copied().collect()
    }
    match &mut data.values {
        Values::Bytes { values, .. } => *values = rows_of(values, &kept, len),
        Values::Reals(values) => *values = rows_of(values, &kept, len),
    }
    data.labels = rows_of(&data.labels, &kept, 1);
    if let Some(groups) = &mut data.groups {
        groups.of_row = rows_of(&groups.of_row, &kept, 1);
    }
    let parts = &mut faulty.parts;
    for part in [&mut parts.train, &mut parts.validation, &mut parts.test] {
        *part = part.iter().filter_map(|row| place[*row as usize]).collect();
    }
    faulty.touched.clear();
}

#[cfg(test)]
mod tests;
