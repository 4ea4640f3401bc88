//! Tables as text: one row a line, one column the label; how cells, heading and label are told apart is beside it.
//!
//! Bytes that are no UTF-8 are read as Latin-1, and that is said. A cell without a number counts as missing, and the first
//! such row is named. A row with another number of cells is refused.

mod dialect;

use super::arrays::{labelled, largest};
use super::{File, MAX_VALUES, Options, at_most, refused, shown};
use crate::data::{Dataset, Values};
use crate::error::{Error, Result};
use csv::{ByteRecord, ReaderBuilder, StringRecord};
use dialect::{Number, SAMPLE, delimiter, has_heading, is_missing, label_column, records, square};
use std::borrow::Cow;

/// Most columns.
const MAX_COLUMNS: usize = 65_536;
/// Reads a table.
pub(super) fn read(file: &File<'_>, options: &Options, notes: &mut Vec<String>) -> Result<Dataset> {
    let text = decoded(file, notes)?;
    let delimiter = delimiter(&text);
    let first: Vec<StringRecord> = records(&text, delimiter).take(SAMPLE).flatten().collect();
    let Some(width) = first.first().map(StringRecord::len) else {
        return Err(refused(file.name, "a table of at least two rows", "no row"));
    };
    if width < 2 {
        return Err(refused(
            file.name,
            "a table of at least two columns, apart by comma, semicolon, tab or bar",
            "one column",
        ));
    }
    at_most(
        format!("columns of {}", shown(file.name)),
        width as u64,
        MAX_COLUMNS as u64,
        "columns",
    )?;
    let number = Number {
        comma: delimiter == b';',
    };
    let has_heading = has_heading(&first, number);
    let heading: Option<&StringRecord> = has_heading.then(|| &first[0]);
    let label = label_column(file, heading, &first, options, number)?;
    let table = Table::read(file, &text, delimiter, has_heading, width, label, number)?;
    let said = match delimiter {
        b'\t' => "tabs",
        b';' => "semicolons",
        b'|' => "bars",
        _ => "commas",
    };
    notes.push(format!(
        "{} rows, cells apart by {said}, {} heading; the label is column {}{}.",
        table.labels.len(),
        if has_heading { "with a" } else { "without a" },
        label + 1,
        heading.map_or(String::new(), |it| format!(", {:?}", shown(&it[label]))),
    ));
    table.into_dataset(heading, options, notes)
}

/// The text, without a byte order mark.
fn decoded<'a>(file: &File<'a>, notes: &mut Vec<String>) -> Result<Cow<'a, str>> {
    let bytes = file
        .bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(file.bytes);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(refused(
            file.name,
            "text in UTF-8",
            "UTF-16; save it as UTF-8",
        ));
    }
    if bytes.contains(&0) {
        return Err(refused(
            file.name,
            "a CSV, IDX, NPY, NPZ, ZIP, PNG or JPEG file",
            "another kind of file",
        ));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(error) => {
            let line = bytes[..error.valid_up_to()]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count();
            notes.push(format!(
                "Line {} is no UTF-8; the file was read as Latin-1.",
                line + 1
            ));
            Ok(Cow::Owned(
                bytes.iter().map(|byte| char::from(*byte)).collect(),
            ))
        }
    }
}

/// What a table holds.
struct Table {
    labels: Vec<String>,
    /// Row by row, the label left out; NaN where there is no number.
    cells: Vec<f32>,
    columns: usize,
    label: usize,
    /// Cells of each column that hold something that is no number, and the first such row and cell.
    odd: Vec<(u32, Option<(usize, String)>)>,
    /// Numbers of each column.
    numbers: Vec<u32>,
}

impl Table {
    fn read(
        file: &File<'_>,
        text: &str,
        delimiter: u8,
        has_heading: bool,
        width: usize,
        label: usize,
        number: Number,
    ) -> Result<Self> {
        let columns = width - 1;
        let mut table = Self {
            labels: Vec::new(),
            cells: Vec::new(),
            columns,
            label,
            odd: vec![(0, None); columns],
            numbers: vec![0; columns],
        };
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let mut record = ByteRecord::new();
        let mut row = 0;
        loop {
            let more = reader.read_byte_record(&mut record);
            row += 1;
            let line = || record_line(&record);
            match more {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    return Err(refused(file.name, "a table as text", error.to_string()));
                }
            }
            if row == 1 && has_heading {
                continue;
            }
            if record.len() != width {
                return Err(Error::bad_input(
                    format!("row {row} of {}{}", shown(file.name), line()),
                    format!("{width} cells, as in the first row"),
                    format!("{}{}", record.len(), quotes_hint(&record)),
                ));
            }
            at_most(
                format!("cells of {}", shown(file.name)),
                (table.cells.len() + columns) as u64,
                MAX_VALUES,
                "cells",
            )?;
            for (column, cell) in record.iter().enumerate() {
                // The text is UTF-8, and a delimiter never divides a character.
                let cell = String::from_utf8_lossy(cell);
                if column == label {
                    let name = cell.trim();
                    if name.is_empty() {
                        return Err(Error::bad_input(
                            format!("label in row {row} of {}{}", shown(file.name), line()),
                            "a class",
                            "nothing",
                        ));
                    }
                    table.labels.push(name.to_owned());
                } else {
                    table.push(row, column - usize::from(column > label), &cell, number);
                }
            }
        }
        Ok(table)
    }

    fn push(&mut self, row: usize, column: usize, cell: &str, number: Number) {
        let parsed = number.parse(cell);
        if parsed.is_some() {
            self.numbers[column] += 1;
        } else if !is_missing(cell) {
            let odd = &mut self.odd[column];
            odd.0 += 1;
            odd.1.get_or_insert_with(|| (row, shown(cell)));
        }
        self.cells.push(parsed.unwrap_or(f32::NAN));
    }

    /// The set: columns without a single number are left out.
    fn into_dataset(
        self,
        heading: Option<&StringRecord>,
        options: &Options,
        notes: &mut Vec<String>,
    ) -> Result<Dataset> {
        let name = |column: usize| {
            let at = column + usize::from(column >= self.label);
            heading.map_or_else(
                || format!("column {}", at + 1),
                |it| format!("{:?}", shown(&it[at])),
            )
        };
        let kept: Vec<usize> = (0..self.columns)
            .filter(|it| self.numbers[*it] > 0)
            .collect();
        let dropped: Vec<String> = (0..self.columns)
            .filter(|it| self.numbers[*it] == 0)
            .map(name)
            .collect();
        if !dropped.is_empty() {
            notes.push(format!(
                "Left out, as they hold no number: {}{}.",
                dropped[..dropped.len().min(5)].join(", "),
                if dropped.len() > 5 { ", …" } else { "" }
            ));
        }
        for column in &kept {
            if let (count, Some((row, cell))) = &self.odd[*column] {
                notes.push(format!(
                    "{count} cells of {} are no numbers and count as missing; the first is {cell:?} in row {row}.",
                    name(*column)
                ));
            }
        }
        let mut cells = self.cells;
        if kept.len() < self.columns {
            cells = (cells.chunks_exact(self.columns))
                .flat_map(|row| kept.iter().map(|column| row[*column]))
                .collect();
        }
        let (shape, values) = shaped(cells, kept.len(), options, notes)?;
        labelled(shape, values, &self.labels)
    }
}

/// An image where it is asked for or looks like one, else columns of measured numbers.
fn shaped(
    cells: Vec<f32>,
    columns: usize,
    options: &Options,
    notes: &mut Vec<String>,
) -> Result<([u32; 3], Values)> {
    let bytes = (cells.iter()).all(|cell| cell.fract() == 0.0 && (0.0..=255.0).contains(cell));
    if let Some(shape) = options.image {
        let wanted = shape
            .iter()
            .try_fold(1_u64, |all, size| all.checked_mul(u64::from(*size)));
        if wanted != Some(columns as u64) {
            return Err(Error::bad_input(
                "image",
                format!("channels, height and width of {columns} columns"),
                format!("{shape:?}"),
            ));
        }
    }
    let guessed = square(columns)
        .filter(|_| bytes)
        .map(|side| [1, side, side]);
    let Some(shape) = options.image.or(guessed) else {
        return Ok(([1, 1, columns as u32], Values::Reals(cells)));
    };
    if options.image.is_none() {
        notes.push(format!("Taken for images of {0}×{0}.", shape[1]));
    }
    if !bytes {
        return Ok((shape, Values::Reals(cells)));
    }
    let bytes: Vec<u8> = cells.iter().map(|cell| *cell as u8).collect();
    let max = largest(&bytes);
    Ok((shape, Values::Bytes { max, values: bytes }))
}

fn record_line(record: &ByteRecord) -> String {
    let place = record.position();
    place.map_or(String::new(), |it| format!(" (line {})", it.line()))
}

/// A quotation mark that is not closed swallows all lines after it.
fn quotes_hint(record: &ByteRecord) -> &'static str {
    if record.iter().any(|cell| cell.contains(&b'\n')) {
        "; is a quotation mark not closed?"
    } else {
        ""
    }
}
