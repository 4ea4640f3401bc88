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

/// Images on their way to a set, in the order of their names: whether they have one size and are grey is found first, without
/// keeping any; then each is read and brought to size.
pub(super) struct Gathering {
    /// Name and place of each file that is looked at.
    named: Vec<(String, usize)>,
    /// The entries of the archive that the files are in.
    entries: Option<Vec<Entry>>,
    at: usize,
    others: Vec<String>,
    sizes: Vec<(usize, usize)>,
    grey: bool,
    /// Of each image where it is in `named`.
    images: Vec<usize>,
    labels: Vec<String>,
    /// Channels and side, once all were looked at.
    form: Option<(usize, u32)>,
    pixels: Vec<u8>,
}

/// Pixels after which a step ends: some milliseconds.
const STEP_PIXELS: usize = 1 << 18;

impl Gathering {
    /// Files with these names, or the entries of one archive.
    pub(super) fn new(names: Vec<String>, entries: Option<Vec<Entry>>) -> Self {
        let mut named: Vec<(String, usize)> = names.into_iter().zip(0..).collect();
        named.retain(|(name, _)| !is_litter(name));
        named.sort();
        Self {
            named,
            entries,
            at: 0,
            others: Vec::new(),
            sizes: Vec::new(),
            grey: true,
            images: Vec::new(),
            labels: Vec::new(),
            form: None,
            pixels: Vec::new(),
        }
    }

    fn open<'a>(&self, files: &[File<'a>], place: usize) -> Result<Cow<'a, [u8]>> {
        match &self.entries {
            Some(entries) => Ok(Cow::Owned(zip::unpacked(&files[0], &entries[place])?)),
            None => Ok(Cow::Borrowed(files[place].bytes)),
        }
    }

    /// Looks at or reads some images; the share that is done, or nothing where all were read.
    pub(super) fn step(
        &mut self,
        files: &[File<'_>],
        options: &Options,
        notes: &mut Vec<String>,
    ) -> Result<Option<f64>> {
        let mut pixels = 0;
        let Some((channels, side)) = self.form else {
            while pixels < STEP_PIXELS && self.at < self.named.len() {
                pixels += self.look(files)?;
            }
            if self.at == self.named.len() {
                self.decide(options, notes)?;
            }
            return Ok(Some(0.5 * self.at as f64 / self.named.len().max(1) as f64));
        };
        let mut done = self.pixels.len() / (channels * side as usize * side as usize);
        if done == self.images.len() {
            return Ok(None);
        }
        while pixels < STEP_PIXELS && done < self.images.len() {
            let (name, place) = &self.named[self.images[done]];
            let bytes = self.open(files, *place)?;
            let picture = read(&File {
                name,
                bytes: &bytes,
            })?;
            picture.squared(side as usize, channels, &mut self.pixels);
            pixels += picture.pixels.len() + side as usize * side as usize;
            done += 1;
        }
        Ok(Some(0.5 + 0.5 * done as f64 / self.images.len() as f64))
    }

    /// Looks at the next file; about how many pixels that were.
    fn look(&mut self, files: &[File<'_>]) -> Result<usize> {
        let at = self.at;
        self.at += 1;
        let (name, place) = &self.named[at];
        let bytes = self.open(files, *place)?;
        let file = File {
            name,
            bytes: &bytes,
        };
        if !is(&bytes) {
            self.others.push(shown(name));
            return Ok(bytes.len());
        }
        let class = (name.rsplit('/').nth(1)).filter(|class| !class.is_empty());
        let class = class
            .ok_or_else(|| refused(name, "a folder around it that names its class", "none"))?;
        let size = size(&file)?;
        let grey = self.grey && read(&file)?.is_grey();
        self.labels.push(class.to_owned());
        self.images.push(at);
        self.sizes.push(size);
        self.grey = grey;
        Ok(size.0 * size.1)
    }

    /// Decides channels and side of all images.
    fn decide(&mut self, options: &Options, notes: &mut Vec<String>) -> Result<()> {
        if let Some(first) = self.others.first() {
            notes.push(format!(
                "{} files are no PNG or JPEG images and were left out; the first is {first}.",
                self.others.len(),
            ));
        }
        let channels = if self.grey { 1 } else { 3 };
        let side = side(&self.sizes, options, notes)?;
        let values = self.images.len() as u64 * channels as u64 * u64::from(side) * u64::from(side);
        at_most("values of all images", values, MAX_VALUES, "values")?;
        self.pixels = Vec::with_capacity(values as usize);
        self.form = Some((channels, side));
        Ok(())
    }

    /// The set of what was read.
    pub(super) fn dataset(&mut self) -> Result<Dataset> {
        let (channels, side) = self.form.unwrap_or((1, 0));
        let values = Values::Bytes {
            max: u8::MAX,
            values: std::mem::take(&mut self.pixels),
        };
        labelled([channels as u32, side, side], values, &self.labels)
    }
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
