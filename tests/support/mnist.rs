//! Reads the test part of MNIST from a folder beside the project, where there is one; the product has no such reader.
//!
//! Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits": two files in the IDX form, big-endian
//! sizes and then bytes, as they are or compressed by gzip. Only its 10,000 images of the test part are used, divided
//! anew into training, validation and test rows, so accuracies do not compare with those of 60,000 training images.

use assay::data::Dataset;
use assay::recipe::Recipe;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use std::fs;
use std::path::{Path, PathBuf};

/// Where it is looked for.
pub(crate) const FOLDER: &str = "../shared/data/mnist-t10k";
const ROWS: usize = 10_000;
const SIDE: usize = 28;

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

fn read(folder: &Path) -> Result<Dataset, String> {
    let pixels = idx(folder, "t10k-images-idx3-ubyte", &[ROWS, SIDE, SIDE])?;
    let labels = idx(folder, "t10k-labels-idx1-ubyte", &[ROWS])?;
    if let Some(label) = labels.iter().find(|label| **label > 9) {
        return Err(format!("a label of {label}"));
    }
    Ok(Dataset {
        set: "mnist-t10k".into(),
        title: "MNIST, test part".into(),
        attribution: "Y. LeCun, C. Cortes and C. Burges".into(),
        licence: "CC-BY-SA-3.0".into(),
        classes: (0..10).map(|class| class.to_string()).collect(),
        channels: 1,
        height: SIDE as u32,
        width: SIDE as u32,
        max_value: u8::MAX,
        pixels,
        labels: labels.into_iter().map(u16::from).collect(),
    })
}

/// The bytes of an IDX file of these sizes.
fn idx(folder: &Path, name: &str, sizes: &[usize]) -> Result<Vec<u8>, String> {
    let (path, bytes) = file(folder, name)?;
    let wrong = |what: String| format!("{}: {what}", path.display());
    let header = 4 + 4 * sizes.len();
    let mut wanted = vec![0, 0, 8, sizes.len() as u8];
    for size in sizes {
        wanted.extend((*size as u32).to_be_bytes());
    }
    if !bytes.starts_with(&wanted) {
        return Err(wrong(format!("not an IDX file of bytes, {sizes:?}")));
    }
    if bytes.len() != header + sizes.iter().product::<usize>() {
        return Err(wrong(format!("{} bytes for {sizes:?}", bytes.len())));
    }
    Ok(bytes[header..].to_vec())
}

/// A file of the folder, with or without `.gz`, uncompressed.
fn file(folder: &Path, name: &str) -> Result<(PathBuf, Vec<u8>), String> {
    let plain = folder.join(name);
    if plain.exists() {
        let bytes = fs::read(&plain).map_err(|error| format!("{}: {error}", plain.display()))?;
        return Ok((plain, bytes));
    }
    let packed = folder.join(format!("{name}.gz"));
    let bytes = fs::read(&packed).map_err(|error| format!("{}: {error}", packed.display()))?;
    let unpacked = gunzip(&bytes).map_err(|what| format!("{}: {what}", packed.display()))?;
    Ok((packed, unpacked))
}

/// One member of RFC 1952, with a file name at most; its length is checked, its checksum is not.
fn gunzip(bytes: &[u8]) -> Result<Vec<u8>, String> {
    const NAME: u8 = 8;
    let (true, Some(&flags)) = (bytes.starts_with(&[0x1f, 0x8b, 8]), bytes.get(3)) else {
        return Err("not a gzip file".into());
    };
    if flags & !NAME != 0 || bytes.len() < 18 {
        return Err(format!("a gzip header with flags {flags}"));
    }
    let (body, length) = bytes[10..].split_at(bytes.len() - 14);
    let body = match (flags, body.iter().position(|byte| *byte == 0)) {
        (NAME, Some(end)) => &body[end + 1..],
        _ => body,
    };
    let out = decompress_to_vec_with_limit(body, 1 << 24).map_err(|error| error.to_string())?;
    if length != (out.len() as u32).to_le_bytes() {
        return Err("truncated".into());
    }
    Ok(out)
}
