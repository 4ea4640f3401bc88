//! Tables as text: one row a line, one column the label; how cells, heading and label are told apart is beside it.
//!
//! Bytes that are no UTF-8 are read as Latin-1, and that is said. A cell without a number counts as missing, and the first
//! such row is named. A row with another number of cells is refused.

mod dialect;

use super::arrays::{labelled, largest};
use super::{File, MAX_VALUES, Options, at_most, refused, shown};
use crate::data::{Dataset, Values};
use crate::error::{Error, Result};
use csv::{ByteRecord, Reader, ReaderBuilder, StringRecord};
use dialect::{Number, SAMPLE, delimiter, has_heading, is_missing, label_column, records, square};
use std::io::Cursor;
use std::rc::Rc;

/// Most columns.
const MAX_COLUMNS: usize = 65_536;

/// Rows after which a step ends, and cells.
const STEP_ROWS: usize = 2000;
const STEP_CELLS: usize = 200_000;

/// The text as UTF-8, and where it begins behind a byte order mark.
fn decoded(name: &str, bytes: &Rc<[u8]>, notes: &mut Vec<String>) -> Result<(Rc<[u8]>, usize)> {
    let start = if bytes.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(refused(name, "text in UTF-8", "UTF-16; save it as UTF-8"));
    }
    if bytes.contains(&0) {
        return Err(refused(
            name,
            "a CSV, IDX, NPY, NPZ, ZIP, PNG or JPEG file",
            "another kind of file",
        ));
    }
    let text = &bytes[start..];
    match std::str::from_utf8(text) {
        Ok(_) => Ok((Rc::clone(bytes), start)),
        Err(error) => {
            let line = text[..error.valid_up_to()]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count();
            notes.push(format!(
                "Line {} is no UTF-8; the file was read as Latin-1.",
                line + 1
            ));
            let converted: String = text.iter().map(|byte| char::from(*byte)).collect();
            Ok((converted.into_bytes().into(), 0))
        }
    }
}

/// A table on its way to a set.
pub(super) struct Table {
    name: String,
    reader: Reader<Cursor<Rc<[u8]>>>,
    bytes: usize,
    delimiter: u8,
    heading: Option<StringRecord>,
    number: Number,
    /// Cells of a row, the label among them.
    width: usize,
    /// Rows that were read, the heading among them.
    row: usize,
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
    /// Finds out how a table is written, from its first rows.
    pub(super) fn open(
        name: &str,
        bytes: &Rc<[u8]>,
        options: &Options,
        notes: &mut Vec<String>,
    ) -> Result<Self> {
        let (bytes, start) = decoded(name, bytes, notes)?;
        let text = &bytes[start..];
        let file = File { name, bytes: text };
        let delimiter = options.delimiter.unwrap_or_else(|| delimiter(text));
        let first: Vec<StringRecord> = records(text, delimiter).take(SAMPLE).flatten().collect();
        let Some(width) = first.first().map(StringRecord::len) else {
            return Err(refused(name, "a table of at least two rows", "no row"));
        };
        if width < 2 {
            return Err(refused(
                name,
                "a table of at least two columns, apart by comma, semicolon, tab or bar",
                "one column",
            ));
        }
        at_most(
            format!("columns of {}", shown(name)),
            width as u64,
            MAX_COLUMNS as u64,
            "columns",
        )?;
        let number = Number {
            comma: delimiter == b';',
        };
        let has_heading = has_heading(&first, number);
        let heading = has_heading.then(|| first[0].clone());
        let label = label_column(&file, heading.as_ref(), &first, options, number)?;
        let mut cursor = Cursor::new(Rc::clone(&bytes));
        cursor.set_position(start as u64);
        Ok(Self {
            name: name.to_owned(),
            reader: ReaderBuilder::new()
                .delimiter(delimiter)
                .has_headers(false)
                .flexible(true)
                .from_reader(cursor),
            bytes: text.len(),
            delimiter,
            heading,
            number,
            width,
            row: 0,
            labels: Vec::new(),
            cells: Vec::new(),
            columns: width - 1,
            label,
            odd: vec![(0, None); width - 1],
            numbers: vec![0; width - 1],
        })
    }

    /// Reads some rows; the share that is done, or nothing where none is left.
    pub(super) fn step(&mut self) -> Result<Option<f64>> {
        let mut record = ByteRecord::new();
        let rows = (STEP_CELLS / self.width).clamp(1, STEP_ROWS);
        for _ in 0..rows {
            match self.reader.read_byte_record(&mut record) {
                Ok(true) => self.take(&record)?,
                Ok(false) => return Ok(None),
                Err(error) => {
                    return Err(refused(&self.name, "a table as text", error.to_string()));
                }
            }
        }
        let read = self.reader.position().byte() as f64;
        Ok(Some((read / self.bytes.max(1) as f64).min(1.0)))
    }

    fn take(&mut self, record: &ByteRecord) -> Result<()> {
        self.row += 1;
        let row = self.row;
        if row == 1 && self.heading.is_some() {
            return Ok(());
        }
        if record.len() != self.width {
            return Err(Error::bad_input(
                format!("row {row} of {}{}", shown(&self.name), record_line(record)),
                format!("{} cells, as in the first row", self.width),
                format!("{}{}", record.len(), quotes_hint(record)),
            ));
        }
        at_most(
            format!("cells of {}", shown(&self.name)),
            (self.cells.len() + self.columns) as u64,
            MAX_VALUES,
            "cells",
        )?;
        for (column, cell) in record.iter().enumerate() {
            // The text is UTF-8, and a delimiter never divides a character.
            let cell = String::from_utf8_lossy(cell);
            if column == self.label {
                let name = cell.trim();
                if name.is_empty() {
                    return Err(Error::bad_input(
                        format!(
                            "label in row {row} of {}{}",
                            shown(&self.name),
                            record_line(record)
                        ),
                        "a class",
                        "nothing",
                    ));
                }
                self.labels.push(name.to_owned());
            } else {
                self.push(row, column - usize::from(column > self.label), &cell);
            }
        }
        Ok(())
    }

    fn push(&mut self, row: usize, column: usize, cell: &str) {
        let parsed = self.number.parse(cell);
        if parsed.is_some() {
            self.numbers[column] += 1;
        } else if !is_missing(cell) {
            let odd = &mut self.odd[column];
            odd.0 += 1;
            odd.1.get_or_insert_with(|| (row, shown(cell)));
        }
        self.cells.push(parsed.unwrap_or(f32::NAN));
    }

    /// The set of what was read: columns without a single number are left out.
    pub(super) fn dataset(
        &mut self,
        options: &Options,
        notes: &mut Vec<String>,
    ) -> Result<Dataset> {
        let heading = self.heading.as_ref();
        let said = match self.delimiter {
            b'\t' => "tabs",
            b';' => "semicolons",
            b'|' => "bars",
            _ => "commas",
        };
        notes.push(format!(
            "{} rows, cells apart by {said}, {} heading; the label is column {}{}.",
            self.labels.len(),
            if heading.is_some() {
                "with a"
            } else {
                "without a"
            },
            self.label + 1,
            heading.map_or(String::new(), |it| format!(
                ", {:?}",
                shown(&it[self.label])
            )),
        ));
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
        let mut cells = std::mem::take(&mut self.cells);
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
