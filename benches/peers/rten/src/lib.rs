//! rten behind five functions of a wasm module, to be measured beside Assay. Judges no input: a bad one traps.

use std::alloc::{Layout, alloc, dealloc};
use std::slice;

use rten::{Model, NodeId};
use rten_tensor::prelude::*;
use rten_tensor::{Tensor, TensorView};

/// A loaded model with its one input and its one output.
pub struct Session {
    model: Model,
    input: NodeId,
    output: NodeId,
}

fn layout(bytes: usize) -> Layout {
    Layout::from_size_align(bytes.max(1), 16).expect("fewer bytes than the memory has")
}

/// Memory for the caller to write to or read from.
#[unsafe(no_mangle)]
pub extern "C" fn reserve(bytes: usize) -> *mut u8 {
    // SAFETY: the layout is never of size 0.
    unsafe { alloc(layout(bytes)) }
}

/// Gives back what [`reserve`] gave.
///
/// # Safety
/// `at` comes from `reserve(bytes)` and was not released before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn release(at: *mut u8, bytes: usize) {
    // SAFETY: see above.
    unsafe { dealloc(at, layout(bytes)) }
}

/// Loads an ONNX file.
///
/// # Safety
/// `bytes` bytes can be read at `at`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn load(at: *const u8, bytes: usize) -> *mut Session {
    // SAFETY: see above.
    let file = unsafe { slice::from_raw_parts(at, bytes) }.to_vec();
    let model = Model::load(file).expect("rten reads the file");
    let (input, output) = (model.input_ids()[0], model.output_ids()[0]);
    Box::into_raw(Box::new(Session {
        model,
        input,
        output,
    }))
}

/// Frees what [`load`] gave.
///
/// # Safety
/// `session` comes from `load` and was not unloaded before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unload(session: *mut Session) {
    // SAFETY: see above.
    drop(unsafe { Box::from_raw(session) });
}

/// Predicts: reads a tensor of the given shape at `input`, writes the logits to `output`.
///
/// # Safety
/// `session` is loaded; `shape` holds `rank` numbers, `input` their product, and `output` has room for the logits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn predict(
    session: *const Session,
    input: *const f32,
    shape: *const u32,
    rank: usize,
    output: *mut f32,
) {
    // SAFETY: see above.
    let (session, shape) = unsafe { (&*session, slice::from_raw_parts(shape, rank)) };
    let shape: Vec<usize> = shape.iter().map(|&size| size as usize).collect();
    // SAFETY: see above.
    let values = unsafe { slice::from_raw_parts(input, shape.iter().product()) };
    let input = TensorView::from_data(&shape, values);
    let mut outputs = session
        .model
        .run(vec![(session.input, input.into())], &[session.output], None)
        .expect("rten runs the model");
    let logits: Tensor<f32> = outputs.remove(0).try_into().expect("logits are f32");
    let logits = logits.to_vec();
    // SAFETY: see above.
    unsafe { slice::from_raw_parts_mut(output, logits.len()) }.copy_from_slice(&logits);
}
