//! Blocks of integers with a scale, through candle's ggml types; the one place here that names candle.

use super::scheme::Scheme;
use crate::error::{Error, Result};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};

/// The stored bytes of `values` and the numbers that come back from them.
///
/// `values` are whole blocks: their number is a multiple of [`super::BLOCK`].
pub(super) fn round_trip(values: &[f32], scheme: Scheme) -> Result<(Vec<u8>, Vec<f32>)> {
    let dtype = match scheme {
        Scheme::Q8_0 => GgmlDType::Q8_0,
        Scheme::Q4_0 => GgmlDType::Q4_0,
        Scheme::F32 | Scheme::F16 => {
            return Err(Error::bad_input(
                "a block scheme",
                "Q8_0 or Q4_0",
                scheme.name(),
            ));
        }
    };
    let attempt = || -> candle_core::Result<(Vec<u8>, Vec<f32>)> {
        let tensor = Tensor::from_slice(values, values.len(), &Device::Cpu)?;
        let quantized = QTensor::quantize(&tensor, dtype)?;
        let back = quantized.dequantize(&Device::Cpu)?.to_vec1::<f32>()?;
        Ok((quantized.data()?.into_owned(), back))
    };
    attempt().map_err(|error| Error::Engine {
        engine: "cpu",
        during: "quantizing",
        reason: error.to_string(),
    })
}
