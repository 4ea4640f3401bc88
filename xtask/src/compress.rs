//! Compresses the page's files once, when they are built, instead of at every request.

use std::io::Write as _;

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;

/// A compression that browsers ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Encoding {
    Brotli,
    Gzip,
}

impl Encoding {
    pub(crate) const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    /// What the compressed sibling of a file is called, as web servers expect it.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
        }
    }

    pub(crate) fn compress(self, content: &[u8]) -> Result<Vec<u8>> {
        match self {
            Self::Brotli => brotli(content),
            Self::Gzip => gzip(content),
        }
    }
}

/// Whether compressing is worth a second file: not for small files, nor for those compressed already.
pub(crate) fn is_worthwhile(path: &str, content: &[u8]) -> bool {
    let is_compressed = [".png", ".ico", ".woff2", ".jpg", ".webp"]
        .iter()
        .any(|end| path.ends_with(end));
    content.len() >= 512 && !is_compressed
}

/// gzip at level 9, which the size limit is stated in.
pub(crate) fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}

fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        lgwin: 22,
        ..Default::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &*content, &mut compressed, &parameters)?;
    Ok(compressed)
}

/// Of 11. The last two levels make the wasm file a tenth smaller and take eight seconds instead of half a one.
const BROTLI_QUALITY: i32 = 9;
