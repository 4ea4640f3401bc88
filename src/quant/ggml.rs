//! Blocks of integers with a scale, through candle's ggml types; the one place here that names candle.

use super::scheme::Scheme;
use crate::error::{Error, Result};
use candle_core::quantized::k_quants::{
    BlockQ4_0, BlockQ4_1, BlockQ4K, BlockQ5_0, BlockQ5_1, BlockQ6K, BlockQ8_0, GgmlType,
};

/// The stored bytes of `values`, which are whole blocks.
pub(super) fn encoded(values: &[f32], scheme: Scheme) -> Result<Vec<u8>> {
    match scheme {
        Scheme::Q8_0 => Ok(bytes_of::<BlockQ8_0, 34>(values)),
        Scheme::Q4_0 => Ok(bytes_of::<BlockQ4_0, 18>(values)),
        Scheme::Q4_1 => Ok(bytes_of::<BlockQ4_1, 20>(values)),
        Scheme::Q5_0 => Ok(bytes_of::<BlockQ5_0, 22>(values)),
        Scheme::Q5_1 => Ok(bytes_of::<BlockQ5_1, 24>(values)),
        Scheme::Q4K => Ok(bytes_of::<BlockQ4K, 144>(values)),
        Scheme::Q6K => Ok(bytes_of::<BlockQ6K, 210>(values)),
        other => refused(other),
    }
}

/// The numbers of whole blocks.
pub(super) fn decoded(bytes: &[u8], count: usize, scheme: Scheme) -> Result<Vec<f32>> {
    match scheme {
        Scheme::Q8_0 => Ok(numbers_of::<BlockQ8_0, 34>(bytes, count)),
        Scheme::Q4_0 => Ok(numbers_of::<BlockQ4_0, 18>(bytes, count)),
        Scheme::Q4_1 => Ok(numbers_of::<BlockQ4_1, 20>(bytes, count)),
        Scheme::Q5_0 => Ok(numbers_of::<BlockQ5_0, 22>(bytes, count)),
        Scheme::Q5_1 => Ok(numbers_of::<BlockQ5_1, 24>(bytes, count)),
        Scheme::Q4K => Ok(numbers_of::<BlockQ4K, 144>(bytes, count)),
        Scheme::Q6K => Ok(numbers_of::<BlockQ6K, 210>(bytes, count)),
        other => refused(other),
    }
}

fn refused<T>(scheme: Scheme) -> Result<T> {
    Err(Error::bad_input(
        "a block scheme",
        "one of ggml's",
        scheme.name(),
    ))
}

/// By the block's own functions: a quantized tensor would bring every type, the operations of plain tensors and the words
/// of a backtrace along, a tenth of the page's module.
fn bytes_of<Block: GgmlType, const BYTES: usize>(values: &[f32]) -> Vec<u8> {
    let mut blocks = vec![Block::zeros(); values.len() / Block::BLCK_SIZE];
    Block::from_float(values, &mut blocks);
    memory::<Block, BYTES>(&mut blocks).to_vec()
}

fn numbers_of<Block: GgmlType, const BYTES: usize>(bytes: &[u8], count: usize) -> Vec<f32> {
    let mut blocks = vec![Block::zeros(); count / Block::BLCK_SIZE];
    memory::<Block, BYTES>(&mut blocks).copy_from_slice(bytes);
    let mut values = vec![0.0; count];
    Block::to_float(&blocks, &mut values);
    values
}

/// The memory of blocks, which is their stored form.
#[expect(
    unsafe_code,
    reason = "candle hides a block's fields and shows its memory only behind a tensor"
)]
fn memory<Block: GgmlType, const BYTES: usize>(blocks: &mut [Block]) -> &mut [u8] {
    const { assert!(size_of::<Block>() == BYTES, "a block has padding") };
    // SAFETY: candle declares the blocks `repr(C)`, made of 16-bit floats and arrays of bytes, which together have the size
    // that was asserted: there is no padding, and every bit of them is a number, whatever is written.
    unsafe { std::slice::from_raw_parts_mut(blocks.as_mut_ptr().cast(), size_of_val(blocks)) }
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
        let count = 3 * super::super::SUPER_BLOCK as usize;
        let values: Vec<f32> = (0..count).map(|_| stream.normal()).collect();
        for (scheme, dtype) in [
            (Scheme::Q8_0, GgmlDType::Q8_0),
            (Scheme::Q4_0, GgmlDType::Q4_0),
            (Scheme::Q4_1, GgmlDType::Q4_1),
            (Scheme::Q5_0, GgmlDType::Q5_0),
            (Scheme::Q5_1, GgmlDType::Q5_1),
            (Scheme::Q4K, GgmlDType::Q4K),
            (Scheme::Q6K, GgmlDType::Q6K),
        ] {
            let tensor = Tensor::from_slice(&values, values.len(), &Device::Cpu).expect("a list");
            let tensor = QTensor::quantize(&tensor, dtype).expect("whole blocks");
            let back = tensor
                .dequantize(&Device::Cpu)
                .and_then(|it| it.to_vec1::<f32>());
            let bytes = encoded(&values, scheme).expect("a block scheme");
            assert_eq!(
                bytes,
                tensor.data().expect("bytes").into_owned(),
                "{scheme:?}"
            );
            let numbers = decoded(&bytes, count, scheme).expect("a block scheme");
            assert_eq!(numbers, back.expect("numbers"), "{scheme:?}");
        }
        assert!(encoded(&values, Scheme::F16).is_err());
    }
}
