//! The reference models on the CPU engine behind a wasm interface: in f32, in calibrated integers, in dynamic ones, and in f32
//! with weights of four bits. It times nothing, and judges no input: a bad one traps.

use assay::data::{Rows, Scaler};
use assay::engine::cpu::{CpuEngine, computed};
use assay::engine::{Engine, Executable, Parameters, ready};
use assay::eval;
use assay::model::{Graph, Weights, graph_json};
use assay::recipe::QuantizationSpec;
use assay::rng::Stream;

/// Rows that ranges are chosen from and that are answered.
const ROWS: usize = 128;

/// A model in each arithmetic.
pub struct Models {
    executables: Vec<Box<dyn Executable>>,
    features: Vec<f32>,
    logits: Vec<Vec<f32>>,
    /// Shares of layers, in percent, that are computed in calibrated integers.
    integers: u32,
}

impl Models {
    fn new(graph: &Graph, batch: usize) -> Self {
        let length: u32 = graph.input.iter().product();
        let mut stream = Stream::new(1, "rows", 0);
        let rows = Rows {
            features: (0..ROWS * length as usize).map(|_| stream.unit()).collect(),
            labels: vec![0; ROWS],
            shape: graph.input,
            scaler: Scaler {
                mean: 0.0,
                deviation: 1.0,
            },
        };
        let weights = Weights::init(graph, 1).expect("a graph that fits");
        let all: Vec<u32> = (0..ROWS as u32).collect();
        let mut engine = CpuEngine::new();
        ready(engine.load(&rows)).expect("rows that fit");
        let mut integers = 0;
        let executables = ["f32", "int8", "int8-dynamic", "int4"]
            .map(|scheme| {
                let spec = QuantizationSpec {
                    scheme: scheme.into(),
                    ..QuantizationSpec::default()
                };
                let stored = eval::stored(graph, &weights, &spec, &rows, &all).expect("stored");
                if scheme == "int8" {
                    let layers = computed(graph, &stored).expect("planned");
                    let whole = layers.iter().filter(|it| it.arithmetic == "int8").count();
                    integers = (100 * whole / layers.len()) as u32;
                }
                let parameters = Parameters::Stored(&stored);
                ready(engine.prepare(graph, parameters, batch as u32)).expect("prepared")
            })
            .into();
        let features = rows.features[..batch * length as usize].to_vec();
        Self {
            executables,
            features,
            logits: vec![Vec::new(); 4],
            integers,
        }
    }
}

/// Room for so many bytes, which the caller fills.
#[unsafe(no_mangle)]
pub extern "C" fn bench_room(bytes: usize) -> *mut u8 {
    Box::leak(vec![0_u8; bytes].into_boxed_slice()).as_mut_ptr()
}

/// A model of a graph as JSON text of so many bytes, for batches of so many rows.
///
/// # Safety
/// `text` comes from [`bench_room`] with as many bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bench_open(text: *const u8, bytes: usize, batch: usize) -> *mut Models {
    // SAFETY: as the caller promises.
    let text = unsafe { std::slice::from_raw_parts(text, bytes) };
    let text = std::str::from_utf8(text).expect("a text");
    let graph = graph_json::read(text).expect("a graph");
    Box::into_raw(Box::new(Models::new(&graph, batch)))
}

/// Answers one batch in an arithmetic: 0 f32, 1 calibrated integers, 2 dynamic ones, 3 f32 with weights of four bits.
///
/// # Safety
/// `models` comes from [`bench_open`] and is not in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bench_run(models: *mut Models, arithmetic: usize) {
    // SAFETY: as the caller promises.
    let models = unsafe { &mut *models };
    let executable = &mut models.executables[arithmetic];
    models.logits[arithmetic] = ready(executable.predict(&models.features)).expect("answered");
}

/// How far the last answers are from those in f32, in parts of the largest of these, and by how many percent of the layers
/// it computes in calibrated integers, as `100·percent + distance`; a distance is below 100.
///
/// # Safety
/// As [`bench_run`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bench_compare(models: *mut Models, arithmetic: usize) -> f64 {
    // SAFETY: as the caller promises.
    let models = unsafe { &*models };
    let pairs = models.logits[0].iter().zip(&models.logits[arithmetic]);
    let (mut off, mut most) = (0.0_f64, 0.0_f64);
    for (&one, &other) in pairs {
        off = off.max((f64::from(one) - f64::from(other)).abs());
        most = most.max(f64::from(one).abs());
    }
    100.0 * f64::from(models.integers) + (off / most).min(99.0)
}
