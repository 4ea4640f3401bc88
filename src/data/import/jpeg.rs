//! Reads JPEG images through the crate `jpeg-decoder`, without the parts of it that depend on the processor.

use super::images::{MAX_PIXELS, Picture, check_size};
use super::{File, refused};
use crate::error::Result;
use jpeg_decoder::{Decoder, PixelFormat};

/// Width and height, in pixels.
type Size = (usize, usize);

/// Whether a file begins as one.
pub(super) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xff, 0xd8, 0xff])
}

/// Width and height, which are held to the limits.
pub(super) fn size(file: &File<'_>) -> Result<Size> {
    Ok(opened(file)?.1)
}

/// A decoder that has read the header, and the size that it says.
fn opened<'a>(file: &File<'a>) -> Result<(Decoder<&'a [u8]>, Size)> {
    let broken = |got: String| refused(file.name, "a JPEG image", got);
    let mut decoder = Decoder::new(file.bytes);
    // Three bytes a pixel, and what a progressive image needs besides.
    decoder.set_max_decoding_buffer_size(3 * MAX_PIXELS);
    decoder
        .read_info()
        .map_err(|error| broken(error.to_string()))?;
    let info = decoder.info().ok_or_else(|| broken("no header".into()))?;
    let size = (usize::from(info.width), usize::from(info.height));
    check_size(file, size.0, size.1)?;
    Ok((decoder, size))
}

/// Reads an image.
pub(super) fn read(file: &File<'_>) -> Result<Picture> {
    let (mut decoder, (width, height)) = opened(file)?;
    let pixels = (decoder.decode())
        .map_err(|error| refused(file.name, "a JPEG image", error.to_string()))?;
    let format = decoder.info().map(|info| info.pixel_format);
    let colour = match format {
        Some(PixelFormat::L8) => false,
        Some(PixelFormat::RGB24) => true,
        other => {
            let got = format!("{other:?}; save it as 8-bit RGB");
            return Err(refused(file.name, "grey or RGB with 8 bits", got));
        }
    };
    let samples = if colour { 3 } else { 1 };
    if pixels.len() != width * height * samples {
        return Err(refused(
            file.name,
            format!("{width}×{height} pixels"),
            format!("{} bytes", pixels.len()),
        ));
    }
    let mut picture = Picture::new(width, height, colour);
    for (index, pixel) in pixels.chunks_exact(samples).enumerate() {
        let rgb = [pixel[0], pixel[samples / 2], pixel[samples - 1]];
        picture.put((index % width, index / width), rgb);
    }
    Ok(picture)
}
