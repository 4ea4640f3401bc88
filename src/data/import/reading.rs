//! Files of a person's own on their way to a set, part by part, so that whoever waits can show how far it is and stop.

use super::arrays::{self, Array};
use super::{File, Opened, Options, csv, gzip, idx, images, npy, zip};
use crate::data::{Dataset, Making};
use crate::error::{Error, Result};
use std::borrow::Cow;
use std::rc::Rc;

/// Files on their way to a set.
pub struct Reading {
    title: String,
    files: Vec<(String, Rc<[u8]>)>,
    options: Options,
    notes: Vec<String>,
    source: String,
    stage: Stage,
}

enum Stage {
    /// As many files as this are unpacked.
    Unpacking(usize),
    Images(Box<images::Gathering>),
    Table(Box<csv::Table>),
    Done(Box<Dataset>),
}

impl Reading {
    /// Before anything was read.
    #[must_use]
    pub fn new(opened: &Opened, options: &Options) -> Self {
        let files = opened.files();
        let names: Vec<&str> = files.iter().take(3).map(|file| &file.name[..]).collect();
        Self {
            title: match files.len() {
                0..=3 => names.join(", "),
                more => format!("{} and {} more files", names.join(", "), more - 3),
            },
            files: (files.iter())
                .map(|file| (file.name.clone(), Rc::clone(&file.bytes)))
                .collect(),
            options: options.clone(),
            notes: Vec::new(),
            source: opened.identity(),
            stage: Stage::Unpacking(0),
        }
    }

    /// The set, after whatever was left to read is read.
    ///
    /// # Errors
    /// As [`super::read`].
    pub fn dataset(mut self) -> Result<Dataset> {
        while self.step()?.is_some() {}
        match self.stage {
            Stage::Done(dataset) => Ok(Dataset {
                title: self.title,
                notes: self.notes,
                source: self.source,
                ..*dataset
            }),
            // A step that gives nothing has ended the last stage.
            _ => Err(Error::bad_input("the files", "a set", "nothing")),
        }
    }

    /// Tells what the files are and begins to read them.
    fn begin(&mut self) -> Result<Stage> {
        let files: Vec<File<'_>> = (self.files.iter())
            .map(|(name, bytes)| File { name, bytes })
            .collect();
        let notes = &mut self.notes;
        let Some(first) = files.first() else {
            return Err(Error::bad_input("files", "at least one", "none"));
        };
        if let [only] = &files[..]
            && zip::is(only.bytes)
        {
            let entries = zip::entries(only)?;
            if entries.iter().any(|entry| entry.name.ends_with(".npy")) {
                let arrays = npy::archive(only, &entries, notes)?;
                return Ok(Stage::Done(Box::new(arrays::dataset(arrays)?)));
            }
            let names = entries.iter().map(|entry| entry.name.clone()).collect();
            let gathering = images::Gathering::new(names, Some(entries));
            return Ok(Stage::Images(Box::new(gathering)));
        }
        if files.iter().any(|file| images::is(file.bytes)) {
            let names = files.iter().map(|file| file.name.to_owned()).collect();
            let gathering = images::Gathering::new(names, None);
            return Ok(Stage::Images(Box::new(gathering)));
        }
        if idx::is(first.bytes) || npy::is(first.bytes) {
            let read: Vec<Array> = files
                .iter()
                .map(|file| match npy::is(file.bytes) {
                    true => npy::read(file),
                    false => idx::read(file),
                })
                .collect::<Result<_>>()?;
            return Ok(Stage::Done(Box::new(arrays::dataset(read)?)));
        }
        match &self.files[..] {
            [(name, bytes)] => {
                let table = csv::Table::open(name, bytes, &self.options, notes)?;
                Ok(Stage::Table(Box::new(table)))
            }
            _ => Err(Error::bad_input(
                format!("{} and {} more files", first.name, files.len() - 1),
                "one CSV, one ZIP, one NPZ, a pair of IDX or NPY files, or images in folders",
                "several files of no such form",
            )),
        }
    }
}

impl Making for Reading {
    fn step(&mut self) -> Result<Option<f64>> {
        let Self {
            files,
            options,
            notes,
            stage,
            ..
        } = self;
        match stage {
            Stage::Unpacking(count) if *count < files.len() => {
                let (name, bytes) = &files[*count];
                let unpacked = match gzip::unpacked(&File { name, bytes })? {
                    Cow::Owned(unpacked) => Some(unpacked.into()),
                    Cow::Borrowed(_) => None,
                };
                if let Some(unpacked) = unpacked {
                    files[*count].1 = unpacked;
                }
                *count += 1;
                Ok(Some(0.0))
            }
            Stage::Unpacking(_) => {
                self.stage = self.begin()?;
                Ok(Some(0.0))
            }
            Stage::Images(gathering) => {
                let opened: Vec<File<'_>> = (files.iter())
                    .map(|(name, bytes)| File { name, bytes })
                    .collect();
                if let Some(fraction) = gathering.step(&opened, options, notes)? {
                    return Ok(Some(fraction));
                }
                *stage = Stage::Done(Box::new(gathering.dataset()?));
                Ok(Some(1.0))
            }
            Stage::Table(table) => {
                if let Some(fraction) = table.step()? {
                    return Ok(Some(fraction));
                }
                *stage = Stage::Done(Box::new(table.dataset(options, notes)?));
                Ok(Some(1.0))
            }
            Stage::Done(_) => Ok(None),
        }
    }

    fn finish(self: Box<Self>) -> Result<Dataset> {
        self.dataset()
    }
}
