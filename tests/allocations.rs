//! Memory: after the first of its kind, no training step and no answer asks for any that grows with model or batch.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(
    unsafe_code,
    reason = "a global allocator is unsafe by declaration; this one only counts and passes everything on"
)]

use assay::data::{Rows, Scaler};
use assay::engine::cpu::CpuEngine;
use assay::engine::{Engine, Parameters, TrainStep};
use assay::model::{Activation, Graph, Layer, Weights, Window};
use assay::train::optimizer::Update;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

thread_local! {
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

/// Counts the bytes that this thread asks for.
struct Counting;

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.with(|bytes| bytes.set(bytes.get() + layout.size()));
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a call may ask for: its future, and lists of a few places inside a kernel.
const CONSTANT: usize = 2048;

fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the CPU engine never waits"),
    }
}

/// Bytes asked for while `work` runs.
fn bytes(work: impl FnOnce()) -> usize {
    let before = BYTES.with(Cell::get);
    work();
    BYTES.with(Cell::get) - before
}

/// Every layer that has its own memory, with twice and four times the channels.
fn graph(channels: u32, norm: Layer) -> Graph {
    let mut graph = Graph::new([3, 12, 12]);
    graph.push("conv1", Layer::convolution(channels, 3));
    graph.push("norm1", norm);
    graph.push("relu1", Layer::Activation(Activation::Relu));
    graph.push("conv2", Layer::convolution(channels, 3));
    graph.push_reading("add", Layer::Add, &["conv2", "relu1"]);
    graph.push("gelu", Layer::Activation(Activation::Gelu));
    graph.push("pool", Layer::MaxPool(Window::tiling([2, 2])));
    graph.push("tokens", Layer::Tokens { positions: true });
    graph.push("norm2", Layer::layer_norm());
    graph.push("qkv", Layer::linear(3 * channels));
    graph.push("attention", Layer::Attention { heads: 2 });
    graph.push("drop", Layer::Dropout { rate: 0.1 });
    graph.push("flatten", Layer::Flatten);
    graph.push("dense", Layer::linear(4 * channels));
    graph.push("silu", Layer::Activation(Activation::Silu));
    graph.push("classes", Layer::linear(3));
    graph
}

fn rows(count: usize) -> Rows {
    Rows {
        features: (0..count * 432).map(|at| (at % 17) as f32 * 0.1).collect(),
        labels: (0..count).map(|row| (row % 3) as u16).collect(),
        shape: [3, 12, 12],
        scaler: Scaler {
            mean: 0.0,
            deviation: 1.0,
        },
    }
}

/// Bytes of the second training step, and of the second answer beyond its logits.
fn second_calls(channels: u32, norm: Layer, batch: usize) -> [usize; 2] {
    let (graph, rows) = (graph(channels, norm), rows(batch));
    let weights = Weights::init(&graph, 1).unwrap();
    let mut engine = CpuEngine::new();
    ready(engine.load(&rows)).unwrap();
    let parameters = Parameters::Exact(&weights);
    let mut executable = ready(engine.prepare(&graph, parameters, batch as u32)).unwrap();
    let steps = [TrainStep {
        rows: (0..batch as u32).collect(),
        update: Update::AdamW {
            rate: 0.001,
            scale: 1.0,
            shrink: 0.0,
        },
        label_smoothing: 0.1,
        dropout_key: 7,
    }];
    ready(executable.train(&steps)).unwrap();
    let training = bytes(|| assert_eq!(ready(executable.train(&steps)).unwrap().steps, 1));
    ready(executable.predict(&rows.features)).unwrap();
    // Weights have changed since, so packing them anew is counted too.
    ready(executable.train(&steps)).unwrap();
    let answer = bytes(|| drop(ready(executable.predict(&rows.features)).unwrap()));
    [training, answer - batch * 3 * 4]
}

#[test]
fn a_second_step_or_answer_asks_for_a_few_bytes_whatever_model_and_batch() {
    for norm in [Layer::batch_norm(), Layer::layer_norm()] {
        for (channels, batch) in [(8, 4), (8, 64), (32, 4), (32, 64)] {
            let [training, answer] = second_calls(channels, norm, batch);
            println!("{channels} channels, batch {batch}: {training} and {answer} bytes");
            assert!(training <= CONSTANT, "a step asks for {training} bytes");
            assert!(answer <= CONSTANT, "an answer asks for {answer} bytes");
        }
    }
}

#[test]
fn what_is_asked_for_is_counted() {
    assert_eq!(bytes(|| drop(std::hint::black_box(vec![0_u8; 4096]))), 4096);
}
