//! Reads the test part of MNIST from a folder beside the project, where there is one, as the product reads a person's files.
//!
//! Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits". Only its 10,000 images of the test part are
//! used, divided anew into training, validation and test rows, so accuracies do not compare with those of 60,000 training
//! images.

use assay::data::import::{self, File, Options, Reading};
use assay::data::{Dataset, LocalMaker};
use assay::recipe::{DataSpec, Recipe};
use std::fs;
use std::path::Path;

/// Where it is looked for.
pub(crate) const FOLDER: &str = "../shared/data/mnist-t10k";
const ROWS: u32 = 10_000;
const SIDE: u32 = 28;

/// The 10,000 images; nothing where the folder is absent, and what is wrong where its files cannot be read.
pub(crate) fn load() -> Option<Result<Dataset, String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    folder.is_dir().then(|| read(&folder))
}

/// A family's default recipe with as many epochs as a test has time for; 7,000 images train, 1,000 validate, 2,000 test.
pub(crate) fn recipe(family: &str) -> Recipe {
    let mut recipe = Recipe::default_for("digits", family);
    recipe.training.warmup_epochs = 0.5;
    recipe.training.epochs = match family {
        "resnet" => 1,
        "mobilenet" => 2,
        "lenet" => 3,
        "mlp" => 6,
        _ => 4,
    };
    recipe
}

/// Its two files, opened as the product opens a person's own; nothing where the folder is absent.
pub(crate) fn opened() -> Option<Result<LocalMaker, String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    folder.is_dir().then(|| {
        let mut maker = LocalMaker::default();
        for (name, bytes) in bytes(&folder)? {
            let added = maker.opened.add(name, &bytes);
            added.map_err(|error| error.to_string())?;
        }
        Ok(maker)
    })
}

/// What a recipe says of the opened files.
pub(crate) fn data(maker: &LocalMaker) -> Result<DataSpec, String> {
    let reading = Reading::new(&maker.opened, &Options::default());
    let dataset = reading.dataset().map_err(|error| error.to_string())?;
    let mut data = DataSpec::named("own");
    assay::data::state(&mut data, &maker.opened.identity(), &dataset);
    Ok(data)
}

fn bytes(folder: &Path) -> Result<Vec<(&'static str, Vec<u8>)>, String> {
    let mut files = Vec::new();
    for name in ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"] {
        let plain = folder.join(name);
        let path = if plain.exists() {
            plain
        } else {
            folder.join(format!("{name}.gz"))
        };
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        files.push((name, bytes));
    }
    Ok(files)
}

fn read(folder: &Path) -> Result<Dataset, String> {
    let files = bytes(folder)?;
    let files: Vec<File<'_>> = files
        .iter()
        .map(|(name, bytes)| File { name, bytes })
        .collect();
    let set = import::read(&files, &Options::default())
        .map_err(|error| error.to_string())?
        .dataset;
    match (set.rows(), set.shape(), set.classes.len()) {
        (ROWS, [1, SIDE, SIDE], 10) => Ok(set),
        other => Err(format!("{other:?} is not MNIST's test part")),
    }
}
