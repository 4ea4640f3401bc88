//! Blocks of integers with a scale, through candle's ggml types; the one place here that names candle.

use super::scheme::Scheme;
use crate::error::{Error, Result};
use candle_core::quantized::k_quants::{BlockQ4_0, BlockQ8_0, GgmlType};

/// The stored bytes of `values` and the numbers that come back from them.
///
/// `values` are whole blocks: their number is a multiple of [`super::BLOCK`].
pub(super) fn round_trip(values: &[f32], scheme: Scheme) -> Result<(Vec<u8>, Vec<f32>)> {
    match scheme {
        Scheme::Q8_0 => Ok(through::<BlockQ8_0, 34>(values)),
        Scheme::Q4_0 => Ok(through::<BlockQ4_0, 18>(values)),
        Scheme::F32 | Scheme::F16 => Err(Error::bad_input(
            "a block scheme",
            "Q8_0 or Q4_0",
            scheme.name(),
        )),
    }
}

/// By the block's own functions: a quantized tensor would bring every type, the operations of plain tensors and the words
/// of a backtrace along, a tenth of the page's module.
fn through<Block: GgmlType, const BYTES: usize>(values: &[f32]) -> (Vec<u8>, Vec<f32>) {
    let mut blocks = vec![Block::zeros(); values.len() / Block::BLCK_SIZE];
    Block::from_float(values, &mut blocks);
    let mut back = vec![0.0; values.len()];
    Block::to_float(&blocks, &mut back);
    (bytes::<Block, BYTES>(&blocks).to_vec(), back)
}

/// The memory of blocks, which is their stored form.
#[expect(
    unsafe_code,
    reason = "candle hides a block's fields and shows its memory only behind a tensor"
)]
fn bytes<Block: GgmlType, const BYTES: usize>(blocks: &[Block]) -> &[u8] {
    const { assert!(size_of::<Block>() == BYTES, "a block has padding") };
    // SAFETY: candle declares the blocks `repr(C)`, made of a 16-bit scale and an array of bytes, which together have the
    // size that was asserted: there is no padding, and every bit of them is a number.
    unsafe { std::slice::from_raw_parts(blocks.as_ptr().cast(), size_of_val(blocks)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;
    use candle_core::quantized::{GgmlDType, QTensor};
    use candle_core::{Device, Tensor};

    #[test]
    fn bytes_and_numbers_are_those_of_candles_tensors() {
        let mut stream = Stream::new(3, "blocks", 0);
        let values: Vec<f32> = (0..7 * super::super::BLOCK)
            .map(|_| stream.normal())
            .collect();
        for (scheme, dtype) in [
            (Scheme::Q8_0, GgmlDType::Q8_0),
            (Scheme::Q4_0, GgmlDType::Q4_0),
        ] {
            let tensor = Tensor::from_slice(&values, values.len(), &Device::Cpu).expect("a list");
            let tensor = QTensor::quantize(&tensor, dtype).expect("whole blocks");
            let back = tensor
                .dequantize(&Device::Cpu)
                .and_then(|it| it.to_vec1::<f32>());
            let (bytes, numbers) = round_trip(&values, scheme).expect("a block scheme");
            assert_eq!(
                bytes,
                tensor.data().expect("bytes").into_owned(),
                "{scheme:?}"
            );
            assert_eq!(numbers, back.expect("numbers"), "{scheme:?}");
        }
    }
}
