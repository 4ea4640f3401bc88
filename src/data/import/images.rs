//! Images with a folder per class: which class, how many channels, and how each is brought to one size.
//!
//! An image becomes a square by averaging: each pixel of the result is the mean of the area of the image that it covers,
//! weighted in whole numbers and rounded once, halves up. An image that is not square is stretched.

use super::arrays::labelled;
use super::zip::{self, Entry};
use super::{File, MAX_VALUES, Options, at_most, jpeg, png, refused, shown};
use crate::data::{Dataset, Values};
use crate::error::{Error, Result};
use std::borrow::Cow;

/// Most pixels of an image.
pub(super) const MAX_PIXELS: usize = 1 << 24;
/// Largest side of an image.
const MAX_SIDE: usize = 16_384;
/// Largest image that keeps its size where all have the same.
const MAX_KEPT: usize = 64;
/// Side that images are brought to otherwise.
const SIDE: u32 = 32;

/// An image of bytes, pixel by pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) width: usize,
    pub(super) height: usize,
    /// 1 or 3.
    pub(super) channels: usize,
    /// Row by row, the channels of a pixel side by side.
    pub(super) pixels: Vec<u8>,
}

impl Picture {
    /// A black one.
    pub(super) fn new(width: usize, height: usize, colour: bool) -> Self {
        let channels = if colour { 3 } else { 1 };
        Self {
            width,
            height,
            channels,
            pixels: vec![0; width * height * channels],
        }
    }

    /// Sets a pixel at column and row; a grey picture takes the first number.
    pub(super) fn put(&mut self, (column, row): (usize, usize), rgb: [u8; 3]) {
        let at = (row * self.width + column) * self.channels;
        let channels = self.channels;
        self.pixels[at..at + channels].copy_from_slice(&rgb[..channels]);
    }

    /// Whether every pixel is grey.
    fn is_grey(&self) -> bool {
        self.channels == 1
            || (self.pixels.chunks_exact(3)).all(|it| it[0] == it[1] && it[1] == it[2])
    }

    /// Appends its square of `side × side` with `channels`, plane by plane.
    pub(super) fn squared(&self, side: usize, channels: usize, out: &mut Vec<u8>) {
        let (columns, rows) = (shares(self.width, side), shares(self.height, side));
        let all = (self.width * self.height) as u64;
        for channel in 0..channels {
            for row in &rows {
                for column in &columns {
                    let mut sum = 0;
                    for (y, weight_y) in row {
                        for (x, weight_x) in column {
                            let at = (y * self.width + x) * self.channels
                                + channel.min(self.channels - 1);
                            sum += u64::from(self.pixels[at]) * weight_x * weight_y;
                        }
                    }
                    out.push(((sum + all / 2) / all) as u8);
                }
            }
        }
    }
}

/// For each of `to` cells, the cells of `from` that it covers and by how much: the weights of one cell add up to `from`.
fn shares(from: usize, to: usize) -> Vec<Vec<(usize, u64)>> {
    (0..to)
        .map(|cell| {
            // In units of 1/to of a cell of `from`.
            let (start, end) = (cell * from, (cell + 1) * from);
            (start / to..end.div_ceil(to))
                .map(|other| {
                    let overlap = end.min((other + 1) * to) - start.max(other * to);
                    (other, overlap as u64)
                })
                .collect()
        })
        .collect()
}

/// Refuses an image of no or absurd size.
pub(super) fn check_size(file: &File<'_>, width: usize, height: usize) -> Result<()> {
    let fits = (1..=MAX_SIDE).contains(&width)
        && (1..=MAX_SIDE).contains(&height)
        && width * height <= MAX_PIXELS;
    if fits {
        return Ok(());
    }
    Err(refused(
        file.name,
        format!("an image of 1 to {MAX_PIXELS} pixels"),
        format!("{width}×{height}"),
    ))
}

/// Whether a file begins as an image.
pub(super) fn is(bytes: &[u8]) -> bool {
    png::is(bytes) || jpeg::is(bytes)
}

fn size(file: &File<'_>) -> Result<(usize, usize)> {
    match png::is(file.bytes) {
        true => png::size(file),
        false => jpeg::size(file),
    }
}

fn read(file: &File<'_>) -> Result<Picture> {
    match png::is(file.bytes) {
        true => png::read(file),
        false => jpeg::read(file),
    }
}

/// What systems leave in folders, which nobody asked for.
fn is_litter(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    name.starts_with("__MACOSX/") || last.starts_with('.') || last.eq_ignore_ascii_case("thumbs.db")
}

/// The set of an archive's images.
pub(super) fn archive(
    file: &File<'_>,
    entries: &[Entry],
    options: &Options,
    notes: &mut Vec<String>,
) -> Result<Dataset> {
    let named: Vec<(&str, &Entry)> = (entries.iter())
        .map(|entry| (entry.name.as_str(), entry))
        .collect();
    dataset(&named, options, notes, |entry| {
        Ok(Cow::Owned(zip::unpacked(file, entry)?))
    })
}

/// The set of images that come one by one.
pub(super) fn folder(
    files: &[File<'_>],
    options: &Options,
    notes: &mut Vec<String>,
) -> Result<Dataset> {
    let named: Vec<(&str, &[u8])> = files.iter().map(|file| (file.name, file.bytes)).collect();
    dataset(&named, options, notes, |bytes| Ok(Cow::Borrowed(bytes)))
}

/// The set of these files in the order of their names: whether they have one size and are grey is found first, without
/// keeping any; then each is read and brought to size.
fn dataset<'a, T>(
    files: &[(&str, &'a T)],
    options: &Options,
    notes: &mut Vec<String>,
    open: impl Fn(&'a T) -> Result<Cow<'a, [u8]>>,
) -> Result<Dataset>
where
    T: ?Sized + 'a,
{
    let mut files: Vec<&(&str, &T)> = files.iter().filter(|(name, _)| !is_litter(name)).collect();
    files.sort_by_key(|(name, _)| *name);
    let mut images = Vec::new();
    let mut others = Vec::new();
    let mut sizes = Vec::new();
    let mut grey = true;
    for (name, source) in files {
        let bytes = open(source)?;
        let file = File {
            name,
            bytes: &bytes,
        };
        if !is(&bytes) {
            others.push(shown(name));
            continue;
        }
        let class = (name.rsplit('/').nth(1)).filter(|class| !class.is_empty());
        let class = class
            .ok_or_else(|| refused(name, "a folder around it that names its class", "none"))?;
        sizes.push(size(&file)?);
        grey = grey && read(&file)?.is_grey();
        images.push((*name, *source, class.to_owned()));
    }
    if !others.is_empty() {
        notes.push(format!(
            "{} files are no PNG or JPEG images and were left out; the first is {}.",
            others.len(),
            others[0]
        ));
    }
    let (channels, side) = (if grey { 1 } else { 3 }, side(&sizes, options, notes)?);
    let values = images.len() as u64 * channels as u64 * u64::from(side) * u64::from(side);
    at_most("values of all images", values, MAX_VALUES, "values")?;
    let mut pixels = Vec::with_capacity(values as usize);
    let mut labels = Vec::with_capacity(images.len());
    for (name, source, class) in images {
        let bytes = open(source)?;
        let picture = read(&File {
            name,
            bytes: &bytes,
        })?;
        picture.squared(side as usize, channels, &mut pixels);
        labels.push(class);
    }
    let values = Values::Bytes {
        max: u8::MAX,
        values: pixels,
    };
    labelled([channels as u32, side, side], values, &labels)
}

/// The side that all images get.
fn side(sizes: &[(usize, usize)], options: &Options, notes: &mut Vec<String>) -> Result<u32> {
    let Some(first) = sizes.first() else {
        return Err(Error::bad_input(
            "images",
            "at least one PNG or JPEG",
            "none",
        ));
    };
    let equal = sizes.iter().all(|size| size == first);
    let side = match options.side {
        Some(side @ 4..=512) => side,
        Some(other) => {
            return Err(Error::bad_input(
                "side",
                "4 to 512 pixels",
                other.to_string(),
            ));
        }
        None if equal && first.0 == first.1 && first.0 <= MAX_KEPT => first.0 as u32,
        None => SIDE,
    };
    if !equal || *first != (side as usize, side as usize) {
        let (low, high) = sizes.iter().fold((*first, *first), |(low, high), size| {
            (
                (low.0.min(size.0), low.1.min(size.1)),
                (high.0.max(size.0), high.1.max(size.1)),
            )
        });
        notes.push(format!(
            "Images of {}×{} to {}×{} pixels were brought to {side}×{side} by averaging.",
            low.0, low.1, high.0, high.1
        ));
    }
    Ok(side)
}
