//! Assay's convolutions and their gradients behind the same kind of interface; nobody else's, they are in `bench peers`.

use super::integers::Integers;
use assay_kernels::convolution::{Geometry, Plan};
use assay_kernels::{Epilogue, Rectifier};

/// A convolution with numbers to work on.
pub struct Layer {
    plan: Plan,
    packed: Vec<f32>,
    input_packed: Vec<f32>,
    bias: Vec<f32>,
    input: Vec<f32>,
    output: Vec<f32>,
    input_gradient: Vec<f32>,
    weight_gradient: Vec<f32>,
    scratch: Vec<f32>,
    integers: Integers,
}

/// Prepares a square convolution of square images.
#[unsafe(no_mangle)]
#[allow(
    clippy::too_many_arguments,
    reason = "numbers are all that crosses the border"
)]
pub extern "C" fn open_layer(
    images: usize,
    planes: usize,
    size: usize,
    channels: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    groups: usize,
) -> *mut Layer {
    let geometry = Geometry {
        planes,
        height: size,
        width: size,
        channels,
        kernel: [kernel; 2],
        stride: [stride; 2],
        padding: [padding; 4],
        groups,
    };
    let plan = Plan::new(geometry);
    let weight = super::drawn(geometry.weight_len(), 1);
    let mut layer = Layer {
        packed: vec![0.0; plan.packed_len()],
        input_packed: vec![0.0; plan.input_packed_len()],
        bias: super::drawn(channels, 2),
        input: super::drawn(images * geometry.input_len(), 3),
        output: super::drawn(images * geometry.output_len(), 4),
        input_gradient: vec![0.0; images * geometry.input_len()],
        weight_gradient: vec![0.0; geometry.weight_len()],
        scratch: vec![0.0; plan.scratch_len()],
        integers: Integers::new(geometry, images),
        plan,
    };
    layer.plan.pack(&weight, &mut layer.packed);
    layer.plan.pack_input(&weight, &mut layer.input_packed);
    Box::into_raw(Box::new(layer))
}

/// Computes one pass so many times: 0 the outputs with bias and relu, 1 the input's gradient, 2 the weight's, 3 the outputs in
/// 8-bit integers.
///
/// # Safety
/// `layer` comes from [`open_layer`] and is used by nobody else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn run_layer(layer: *mut Layer, pass: u32, times: u32) {
    // SAFETY: see above.
    let layer = unsafe { &mut *layer };
    let scratch = &mut layer.scratch;
    for _ in 0..times {
        match pass {
            0 => {
                let rectifier = Some(Rectifier::Relu);
                let epilogue = Epilogue {
                    residual: None,
                    rectifier,
                };
                let (packed, bias) = (&layer.packed, Some(layer.bias.as_slice()));
                layer.plan.forward(
                    packed,
                    bias,
                    &layer.input,
                    epilogue,
                    &mut layer.output,
                    scratch,
                );
            }
            1 => {
                let (packed, to) = (&layer.input_packed, &mut layer.input_gradient);
                layer
                    .plan
                    .input_gradient(packed, &layer.output, to, scratch);
            }
            3 => layer.integers.run(),
            _ => {
                let to = &mut layer.weight_gradient;
                to.fill(0.0);
                layer
                    .plan
                    .weight_gradient(&layer.input, &layer.output, to, scratch);
            }
        }
    }
}

/// Frees what [`open_layer`] gave.
///
/// # Safety
/// `layer` comes from `open_layer` and was not closed before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn close_layer(layer: *mut Layer) {
    // SAFETY: see above.
    drop(unsafe { Box::from_raw(layer) });
}
