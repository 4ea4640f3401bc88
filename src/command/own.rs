//! Files of a person's own, as the command is given them: opened whole, and a recipe that learns from them.

use super::{Result, words};
use assay::data::import::{Opened, Options, Reading};
use assay::data::{self, LocalMaker};
use assay::recipe::{self, DataSpec, Recipe};
use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};

/// Files of a person's own, and how to read them.
#[derive(Debug, Default, Args)]
pub(crate) struct OwnData {
    /// A file to learn from, or a folder of images: CSV, IDX, NPY, NPZ, ZIP, PNG, JPEG; once for each of several.
    #[arg(long = "data", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Of a table: the heading of the column with the class, or its number from 1; found out by default.
    #[arg(long, requires = "files")]
    label: Option<String>,
    /// Of a table: comma, semicolon, tab or bar between the cells; found out by default.
    #[arg(long, requires = "files")]
    delimiter: Option<String>,
    /// Side in pixels that images are brought to.
    #[arg(long, requires = "files")]
    side: Option<u32>,
}

impl OwnData {
    /// The files of a recipe that states how to read them.
    pub(crate) fn of_recipe(files: &[PathBuf]) -> Self {
        Self {
            files: files.to_vec(),
            ..Self::default()
        }
    }

    /// Whether none was given.
    pub(crate) const fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Reads the files, those of a folder with their path below it.
    pub(super) fn open(&self) -> Result<LocalMaker> {
        let mut opened = Opened::default();
        for path in &self.files {
            let name = path.file_name().map_or_else(
                || path.display().to_string(),
                |it| it.to_string_lossy().into_owned(),
            );
            add(&mut opened, path, &name)?;
        }
        Ok(LocalMaker { opened })
    }

    /// A default recipe of a family that learns from the files.
    pub(super) fn recipe(&self, maker: &LocalMaker, family: &str) -> Result<Recipe> {
        let mut spec = DataSpec::named("own");
        spec.label.clone_from(&self.label);
        spec.delimiter.clone_from(&self.delimiter);
        spec.side = self.side;
        let options = Options::from_spec(&spec).map_err(words)?;
        let reading = Reading::new(&maker.opened, &options);
        let dataset = reading.dataset().map_err(words)?;
        for note in &dataset.notes {
            eprintln!("{note}");
        }
        data::state(&mut spec, &maker.opened.identity(), &dataset);
        let mut recipe = Recipe::default_for("own", family);
        recipe.data = spec;
        recipe::from_value(recipe.to_value()).map_err(words)
    }
}

fn add(opened: &mut Opened, path: &Path, name: &str) -> Result<()> {
    let unread = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    if !path.is_dir() {
        return opened
            .add(name, &fs::read(path).map_err(unread)?)
            .map_err(words);
    }
    let mut entries = fs::read_dir(path)
        .and_then(|entries| {
            entries
                .map(|it| it.map(|it| it.path()))
                .collect::<std::io::Result<Vec<_>>>()
        })
        .map_err(unread)?;
    entries.sort();
    for entry in entries {
        let below = entry.file_name().unwrap_or_default().to_string_lossy();
        add(opened, &entry, &format!("{name}/{below}"))?;
    }
    Ok(())
}
