//! Reads PNG images: every colour type, depth and interlacing of the standard; colour profiles and gamma are left aside.
//!
//! W3C, "Portable Network Graphics Specification (Third Edition)". The crate `png` would add 51 kB to the compressed page
//! where inflating is there already; this is its part that remains. What is transparent lies on white.

use super::checksum::crc32;
use super::images::{Picture, check_size};
use super::{File, refused};
use crate::error::Result;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Start and step of the seven passes of an interlaced image: column, row, columns, rows (section 8.1).
const PASSES: [[usize; 4]; 7] = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
];

/// Whether a file begins as one.
pub(super) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(SIGNATURE)
}

/// What the first chunk says.
struct Header {
    width: usize,
    height: usize,
    depth: usize,
    colour: u8,
    interlaced: bool,
}

impl Header {
    /// Numbers of a pixel.
    const fn samples(&self) -> usize {
        match self.colour {
            2 => 3,
            4 => 2,
            6 => 4,
            _ => 1,
        }
    }

    /// Bytes of a row of so many pixels, its filter not counted.
    const fn row(&self, width: usize) -> usize {
        (width * self.samples() * self.depth).div_ceil(8)
    }
}

/// Width and height, which are held to the limits.
pub(super) fn size(file: &File<'_>) -> Result<(usize, usize)> {
    let header = header(file)?;
    Ok((header.width, header.height))
}

fn header(file: &File<'_>) -> Result<Header> {
    let first = (chunks(file)?.next())
        .unwrap_or_else(|| Err(refused(file.name, "a PNG image", "no chunk")))?;
    let (
        b"IHDR",
        [
            w0,
            w1,
            w2,
            w3,
            h0,
            h1,
            h2,
            h3,
            depth,
            colour,
            0,
            0,
            interlaced @ 0..=1,
        ],
    ) = first
    else {
        return Err(refused(file.name, "a PNG image", "another first chunk"));
    };
    let (width, height) = (
        u32::from_be_bytes([*w0, *w1, *w2, *w3]) as usize,
        u32::from_be_bytes([*h0, *h1, *h2, *h3]) as usize,
    );
    check_size(file, width, height)?;
    if !matches!(
        (colour, depth),
        (0, 1 | 2 | 4 | 8 | 16) | (3, 1 | 2 | 4 | 8) | (2 | 4 | 6, 8 | 16)
    ) {
        return Err(refused(
            file.name,
            "a colour type and depth of the standard",
            format!("{colour} and {depth}"),
        ));
    }
    Ok(Header {
        width,
        height,
        depth: usize::from(*depth),
        colour: *colour,
        interlaced: *interlaced == 1,
    })
}

/// The chunks of a file up to its end, each held to its checksum.
fn chunks<'a>(file: &File<'a>) -> Result<impl Iterator<Item = Result<(&'a [u8], &'a [u8])>>> {
    let name = file.name.to_owned();
    let Some(mut rest) = file.bytes.strip_prefix(SIGNATURE) else {
        return Err(refused(file.name, "a PNG image", "another beginning"));
    };
    let mut ended = false;
    Ok(std::iter::from_fn(move || {
        if ended {
            return None;
        }
        let truncated = || refused(&name, "a whole PNG image", "one that is cut");
        let chunk = (|| {
            let (length, after) = rest.split_first_chunk::<4>()?;
            let length = u32::from_be_bytes(*length) as usize;
            let (body, after) = after.split_at_checked(length.checked_add(4)?)?;
            let (sum, after) = after.split_first_chunk::<4>()?;
            rest = after;
            Some((body, u32::from_be_bytes(*sum)))
        })();
        let Some((body, sum)) = chunk else {
            ended = true;
            return Some(Err(truncated()));
        };
        let (kind, data) = body.split_at(4);
        ended = kind == b"IEND";
        if crc32(body) != sum {
            ended = true;
            return Some(Err(refused(
                &name,
                "chunks as their checksums say",
                "a byte has changed",
            )));
        }
        Some(Ok((kind, data)))
    }))
}

/// Reads an image.
pub(super) fn read(file: &File<'_>) -> Result<Picture> {
    let header = header(file)?;
    let (mut packed, mut palette, mut transparent) = (Vec::new(), &[][..], &[][..]);
    for chunk in chunks(file)? {
        match chunk? {
            (b"IDAT", data) => packed.extend_from_slice(data),
            (b"PLTE", data) => palette = data,
            (b"tRNS", data) => transparent = data,
            _ => {}
        }
    }
    let passes = if header.interlaced {
        &PASSES[..]
    } else {
        &[[0, 0, 1, 1]][..]
    };
    let sizes: Vec<(usize, usize)> = (passes.iter())
        .map(|[column, row, columns, rows]| {
            (
                header.width.saturating_sub(*column).div_ceil(*columns),
                header.height.saturating_sub(*row).div_ceil(*rows),
            )
        })
        .collect();
    let bytes_of = |(width, height): &(usize, usize)| match width {
        0 => 0,
        _ => (header.row(*width) + 1) * height,
    };
    let wanted: usize = sizes.iter().map(bytes_of).sum();
    let mut bytes = decompress_to_vec_zlib_with_limit(&packed, wanted).map_err(|error| {
        refused(
            file.name,
            format!("{wanted} bytes of pixels"),
            error.to_string(),
        )
    })?;
    if bytes.len() != wanted {
        return Err(refused(
            file.name,
            format!("{wanted} bytes of pixels"),
            bytes.len().to_string(),
        ));
    }
    let mut paint = Paint {
        header: &header,
        palette,
        transparent,
        picture: Picture::new(header.width, header.height, header.colour & 2 != 0),
    };
    let mut rest = &mut bytes[..];
    for ([column, row, columns, rows], size) in passes.iter().zip(&sizes) {
        let (pass, after) = rest.split_at_mut(bytes_of(size));
        rest = after;
        if pass.is_empty() {
            continue;
        }
        unfilter(
            file,
            pass,
            header.row(size.0) + 1,
            (header.samples() * header.depth).div_ceil(8),
        )?;
        for (index, line) in pass.chunks_exact(header.row(size.0) + 1).enumerate() {
            for pixel in 0..size.0 {
                let at = (column + pixel * columns, row + index * rows);
                paint
                    .pixel(&line[1..], pixel, at)
                    .ok_or_else(|| refused(file.name, "colours of its palette", "one beyond it"))?;
            }
        }
    }
    Ok(paint.picture)
}

/// Undoes the filter of each row (section 9), in place.
fn unfilter(file: &File<'_>, bytes: &mut [u8], line: usize, pixel: usize) -> Result<()> {
    for start in (0..bytes.len()).step_by(line) {
        let filter = bytes[start];
        if filter > 4 {
            return Err(refused(
                file.name,
                "a filter from 0 to 4",
                filter.to_string(),
            ));
        }
        for at in start + 1..start + line {
            let left = if at > start + pixel {
                bytes[at - pixel]
            } else {
                0
            };
            let (up, corner) = match at.checked_sub(line) {
                Some(above) => (
                    bytes[above],
                    if at > start + pixel {
                        bytes[above - pixel]
                    } else {
                        0
                    },
                ),
                None => (0, 0),
            };
            let predicted = match filter {
                0 => 0,
                1 => left,
                2 => up,
                3 => ((u16::from(left) + u16::from(up)) / 2) as u8,
                _ => paeth(left, up, corner),
            };
            bytes[at] = bytes[at].wrapping_add(predicted);
        }
    }
    Ok(())
}

/// The neighbour that is nearest to `left + up − corner`, the first of equals.
fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let estimate = i16::from(left) + i16::from(up) - i16::from(corner);
    let distance = |of: u8| (estimate - i16::from(of)).abs();
    if distance(left) <= distance(up) && distance(left) <= distance(corner) {
        left
    } else if distance(up) <= distance(corner) {
        up
    } else {
        corner
    }
}

struct Paint<'a> {
    header: &'a Header,
    palette: &'a [u8],
    transparent: &'a [u8],
    picture: Picture,
}

impl Paint<'_> {
    /// Paints one pixel of a row; nothing where its colour is not in the palette.
    fn pixel(&mut self, line: &[u8], pixel: usize, at: (usize, usize)) -> Option<()> {
        let header = self.header;
        let sample = |index: usize| {
            let place = pixel * header.samples() + index;
            match header.depth {
                16 => u16::from_be_bytes([line[2 * place], line[2 * place + 1]]),
                8 => u16::from(line[place]),
                depth => {
                    let shift = 8 - depth - place * depth % 8;
                    u16::from(line[place * depth / 8]) >> shift & ((1 << depth) - 1)
                }
            }
        };
        // Eight bits of a sample, whatever its depth.
        let byte = |sample: u16| match header.depth {
            16 => (sample >> 8) as u8,
            8 => sample as u8,
            depth => (sample * (255 / ((1 << depth) - 1))) as u8,
        };
        let (colour, opacity) = match header.colour {
            3 => {
                let index = usize::from(sample(0));
                let colour = self.palette.get(3 * index..3 * index + 3)?;
                let opacity = self.transparent.get(index).copied().unwrap_or(u8::MAX);
                ([colour[0], colour[1], colour[2]], opacity)
            }
            0 | 4 => {
                let grey = sample(0);
                let opacity = match header.colour {
                    4 => byte(sample(1)),
                    _ => self.unless_key(&[grey]),
                };
                ([byte(grey); 3], opacity)
            }
            _ => {
                let colour = [sample(0), sample(1), sample(2)];
                let opacity = match header.colour {
                    6 => byte(sample(3)),
                    _ => self.unless_key(&colour),
                };
                (colour.map(byte), opacity)
            }
        };
        self.picture.put(at, colour.map(|it| on_white(it, opacity)));
        Some(())
    }

    /// 0 for the one colour that is transparent in an image without opacities, else 255.
    fn unless_key(&self, colour: &[u16]) -> u8 {
        let (pairs, rest) = self.transparent.as_chunks::<2>();
        let same = pairs.len() == colour.len()
            && rest.is_empty()
            && (pairs.iter().zip(colour))
                .all(|(pair, sample)| u16::from_be_bytes(*pair) == *sample);
        if same { 0 } else { u8::MAX }
    }
}

fn on_white(value: u8, opacity: u8) -> u8 {
    let opacity = u32::from(opacity);
    ((u32::from(value) * opacity + 255 * (255 - opacity) + 127) / 255) as u8
}
