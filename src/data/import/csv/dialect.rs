//! How a table is written: what stands between cells, whether it has a heading, which column is the label, what is a number;
//! it keeps no cell.

use super::super::{File, Options, shown};
use crate::error::{Error, Result};
use csv::{ReaderBuilder, StringRecord};

const DELIMITERS: [u8; 4] = *b",;\t|";
/// Rows that delimiter and heading are judged by.
pub(super) const SAMPLE: usize = 20;
/// Headings that a label column usually has.
const LABELS: [&str; 6] = ["label", "class", "target", "category", "species", "y"];
/// What people write where nothing was measured.
const MISSING: [&str; 7] = ["", "na", "n/a", "nan", "null", "none", "?"];

/// Rows as they stand; blank lines are passed over.
pub(super) fn records(
    text: &[u8],
    delimiter: u8,
) -> impl Iterator<Item = csv::Result<StringRecord>> {
    ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text)
        .into_records()
}

/// The delimiter that gives the first rows the most cells, all of them equally many where one does.
pub(super) fn delimiter(text: &[u8]) -> u8 {
    let quality = |delimiter: &u8| {
        let widths: Vec<usize> = records(text, *delimiter)
            .take(SAMPLE)
            .flatten()
            .map(|record| record.len())
            .collect();
        let first = widths.first().copied().unwrap_or(0);
        let even = widths.iter().all(|width| *width == first);
        (even && first > 1, first)
    };
    // Of equals the first one.
    let best = DELIMITERS.iter().rev().max_by_key(|it| quality(it));
    best.copied().unwrap_or(b',')
}

/// How numbers are written.
#[derive(Clone, Copy)]
pub(super) struct Number {
    /// A comma stands before the fraction, as where semicolons stand between cells.
    pub(super) comma: bool,
}

impl Number {
    pub(super) fn parse(self, cell: &str) -> Option<f32> {
        let cell = cell.trim();
        let parsed = if self.comma && cell.contains(',') && !cell.contains('.') {
            cell.replacen(',', ".", 1).parse()
        } else {
            cell.parse()
        };
        parsed.ok().filter(|number: &f32| !number.is_nan())
    }
}

pub(super) fn is_missing(cell: &str) -> bool {
    let cell = cell.trim();
    MISSING.iter().any(|word| cell.eq_ignore_ascii_case(word))
}

/// Whether the first row has no number, and some later one does.
pub(super) fn has_heading(first: &[StringRecord], number: Number) -> bool {
    let numbers = |record: &StringRecord| record.iter().any(|cell| number.parse(cell).is_some());
    let (Some(top), rest) = (first.first(), first.get(1..).unwrap_or_default()) else {
        return false;
    };
    !numbers(top) && rest.iter().any(numbers)
}

/// The column that is asked for, or the one that looks most like a label.
pub(super) fn label_column(
    file: &File<'_>,
    heading: Option<&StringRecord>,
    first: &[StringRecord],
    options: &Options,
    number: Number,
) -> Result<usize> {
    let width = first[0].len();
    if let Some(wanted) = &options.label_column {
        let named = heading.and_then(|it| it.iter().position(|cell| cell.trim() == wanted.trim()));
        let counted = || (wanted.parse::<usize>().ok()).filter(|it| (1..=width).contains(it));
        return named.or_else(|| counted().map(|it| it - 1)).ok_or_else(|| {
            Error::bad_input(
                format!("label column of {}", shown(file.name)),
                format!("a heading, or a number from 1 to {width}"),
                format!("{:?}", shown(wanted)),
            )
        });
    }
    if let Some(heading) = heading {
        let usual = |cell: &str| {
            let cell = cell.trim();
            LABELS.iter().any(|word| cell.eq_ignore_ascii_case(word))
        };
        if let Some(column) = heading.iter().position(usual) {
            return Ok(column);
        }
    }
    // Flattened images usually have their label first.
    let whole = |record: &StringRecord| {
        let label = record.get(0).and_then(|cell| number.parse(cell));
        label.is_some_and(|it| it.fract() == 0.0)
    };
    let rows = &first[usize::from(heading.is_some())..];
    let first_is_label = square(width - 1).is_some() && rows.iter().all(whole);
    Ok(if first_is_label { 0 } else { width - 1 })
}

/// The side of a square of so many cells, at least 8.
pub(super) fn square(cells: usize) -> Option<u32> {
    (8..=256_u32).find(|side| (side * side) as usize == cells)
}
