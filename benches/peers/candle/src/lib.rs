//! Plain candle behind a few functions of a wasm module, to be measured beside Assay. Judges no input: a bad one traps.

mod graph;

use std::alloc::{Layout, alloc, dealloc};
use std::collections::HashMap;
use std::slice;

use candle_core::safetensors::load_buffer;
use candle_core::{Device, Result, Tensor, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW, SGD, loss};

use graph::{Graph, Purpose};

enum Stepper {
    Sgd(SGD),
    Adam(AdamW),
}

/// A model, and its optimizer if it is to be trained.
pub struct Session {
    graph: Graph,
    weights: HashMap<String, Tensor>,
    stepper: Option<Stepper>,
}

impl Session {
    fn open(graph: &[u8], weights: &[u8], optimizer: u32, rate: f64) -> Result<Self> {
        let graph = serde_json::from_slice(graph).map_err(candle_core::Error::wrap)?;
        let mut weights = load_buffer(weights, &Device::Cpu)?;
        let stepper = if optimizer == 0 {
            None
        } else {
            let mut variables = Vec::new();
            for tensor in weights.values_mut() {
                let variable = Var::from_tensor(tensor)?;
                *tensor = variable.as_tensor().clone();
                variables.push(variable);
            }
            Some(if optimizer == 1 {
                Stepper::Sgd(SGD::new(variables, rate)?)
            } else {
                let params = ParamsAdamW {
                    lr: rate,
                    weight_decay: 0.0,
                    ..ParamsAdamW::default()
                };
                Stepper::Adam(AdamW::new(variables, params)?)
            })
        };
        Ok(Self {
            graph,
            weights,
            stepper,
        })
    }

    fn forward(&self, input: &[f32], rows: usize, purpose: Purpose) -> Result<Tensor> {
        let shape = [&[rows], self.graph.input.as_slice()].concat();
        let input = Tensor::from_slice(input, shape, &Device::Cpu)?;
        self.graph.forward(&self.weights, input, purpose)
    }

    fn predict(&self, input: &[f32], rows: usize, purpose: Purpose) -> Result<Vec<f32>> {
        self.forward(input, rows, purpose)?.flatten_all()?.to_vec1()
    }

    fn step(&mut self, input: &[f32], labels: &[u32]) -> Result<f32> {
        let logits = self.forward(input, labels.len(), Purpose::Training)?;
        let labels = Tensor::from_slice(labels, labels.len(), &Device::Cpu)?;
        let loss = loss::cross_entropy(&logits, &labels)?;
        match &mut self.stepper {
            Some(Stepper::Sgd(sgd)) => sgd.backward_step(&loss)?,
            Some(Stepper::Adam(adam)) => adam.backward_step(&loss)?,
            None => candle_core::bail!("the session was opened without an optimizer"),
        }
        loss.to_scalar()
    }
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

/// Opens a model from graph JSON and safetensors; `optimizer` is 0 for none, 1 for SGD, 2 for Adam.
///
/// # Safety
/// Both pointers can be read for their number of bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn load(
    graph: *const u8,
    graph_bytes: usize,
    weights: *const u8,
    weights_bytes: usize,
    optimizer: u32,
    rate: f64,
) -> *mut Session {
    // SAFETY: see above.
    let (graph, weights) = unsafe {
        (
            slice::from_raw_parts(graph, graph_bytes),
            slice::from_raw_parts(weights, weights_bytes),
        )
    };
    let session = Session::open(graph, weights, optimizer, rate);
    Box::into_raw(Box::new(session.expect("candle opens the model")))
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

/// Predicts `rows` rows of `count` numbers in all; with `training`, by the operations that can be walked back.
///
/// # Safety
/// `session` is loaded, `input` holds `count` numbers, `output` has room for the logits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn predict(
    session: *const Session,
    input: *const f32,
    count: usize,
    rows: usize,
    training: u32,
    output: *mut f32,
) {
    // SAFETY: see above.
    let (session, input) = unsafe { (&*session, slice::from_raw_parts(input, count)) };
    let purpose = if training == 0 {
        Purpose::Inference
    } else {
        Purpose::Training
    };
    let logits = session.predict(input, rows, purpose);
    let logits = logits.expect("candle computes the graph");
    // SAFETY: see above.
    unsafe { slice::from_raw_parts_mut(output, logits.len()) }.copy_from_slice(&logits);
}

/// One training step over `rows` rows of `count` numbers in all; returns the mean cross-entropy before the step.
///
/// # Safety
/// `session` is loaded with an optimizer and used by nobody else, `input` holds `count` numbers, `labels` `rows`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn step(
    session: *mut Session,
    input: *const f32,
    count: usize,
    labels: *const u32,
    rows: usize,
) -> f32 {
    // SAFETY: see above.
    let (session, input, labels) = unsafe {
        (
            &mut *session,
            slice::from_raw_parts(input, count),
            slice::from_raw_parts(labels, rows),
        )
    };
    session
        .step(input, labels)
        .expect("candle trains the graph")
}
