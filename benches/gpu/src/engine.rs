//! Latency, throughput and training of one model on the GPU, with its counts and its floors, and where a step's time goes.

use crate::floors::Floors;
use crate::models::Asked;
use crate::timing::{Clock, Spread, now, repeated};
use assay::data::{Rows, Scaler};
use assay::engine::gpu::{Counts, Gpu, GpuEngine, GpuExecutable, Profiled, TuningOptions};
use assay::engine::{Engine, Executable, Parameters, TrainStep};
use assay::model::{Graph, Weights};
use assay::rng::Stream;
use assay::train::optimizer::Update;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

const BATCH: u32 = 64;
/// Rows that are loaded; training goes round in them.
const LOADED: u32 = 256;

/// A time with what was sent and waited for in one call, and its floor.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) spread: Spread,
    /// What one of them is divided into, for a training call.
    pub(crate) parts: f64,
    pub(crate) rows: f64,
    pub(crate) counts: Counts,
    pub(crate) floor: f64,
    pub(crate) decides: &'static str,
}

impl Measured {
    fn seconds(&self) -> f64 {
        self.spread.median / 1000.0 / self.parts
    }

    pub(crate) fn print(&self, model: &str) {
        let share = |count: u64| count as f64 / self.parts;
        println!(
            "{model:14} {:9} {:9.3} ms [{:.3} {:.3}] {:11.0} rows/s  η {:4.2} by {:10}  {:5.1} dispatches {:5.2} submissions {:5.2} synchronizations {:5.2} writes {:9.0} B up {:7.0} B down",
            self.name,
            1000.0 * self.seconds(),
            self.spread.low / self.parts,
            self.spread.high / self.parts,
            self.rows / self.seconds(),
            self.floor / self.seconds(),
            self.decides,
            share(self.counts.dispatches),
            share(self.counts.submissions),
            share(self.counts.synchronizations),
            share(self.counts.writes),
            share(self.counts.bytes_up),
            share(self.counts.bytes_down),
        );
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "time": self.spread.json(),
            "stepsPerCall": self.parts,
            "rowsPerSec": self.rows / self.seconds(),
            "floorSecs": self.floor,
            "attainability": self.floor / self.seconds(),
            "decides": self.decides,
            "dispatches": self.counts.dispatches,
            "submissions": self.counts.submissions,
            "synchronizations": self.counts.synchronizations,
            "writes": self.counts.writes,
            "bytesUp": self.counts.bytes_up,
            "bytesDown": self.counts.bytes_down,
        })
    }
}

/// What all models are measured with; tiles that one chose the next uses again.
pub(crate) struct Setup<'a> {
    pub(crate) gpu: &'a Gpu,
    pub(crate) clock: Rc<Clock>,
    pub(crate) seconds: f64,
    pub(crate) tuning: TuningOptions,
    pub(crate) tiles: RefCell<String>,
}

/// A model with rows.
pub(crate) struct Bench<'a> {
    setup: &'a Setup<'a>,
    graph: &'a Graph,
    weights: Weights,
    rows: Rows,
}

/// Step `number` with the numbers that AdamW has then.
fn step(number: u32) -> TrainStep {
    let power = |base: f32| 1.0 - base.powi(number as i32 + 1);
    TrainStep {
        rows: (0..BATCH)
            .map(|row| (number * BATCH + row * 5) % LOADED)
            .collect(),
        update: Update::AdamW {
            rate: 1e-4 / power(0.9),
            scale: 1.0 / power(0.999),
            shrink: 1e-6,
        },
        label_smoothing: 0.0,
        dropout_key: u64::from(number),
    }
}

impl<'a> Bench<'a> {
    pub(crate) fn new(setup: &'a Setup<'a>, graph: &'a Graph) -> Result<Self, String> {
        let mut stream = Stream::new(1, "rows", 0);
        let length: u32 = graph.input.iter().product();
        let rows = Rows {
            features: (0..LOADED * length).map(|_| stream.normal()).collect(),
            labels: (0..LOADED).map(|row| (row * 7 % 10) as _).collect(),
            shape: graph.input,
            scaler: Scaler {
                mean: 0.0,
                deviation: 1.0,
            },
        };
        let weights = Weights::init(graph, 1).map_err(|error| error.to_string())?;
        Ok(Self {
            setup,
            graph,
            weights,
            rows,
        })
    }

    /// The model for batches of so many rows.
    fn prepared(&self, batch: u32) -> Result<GpuExecutable, String> {
        let Setup {
            gpu,
            clock,
            tuning,
            tiles,
            ..
        } = self.setup;
        let clock = Rc::clone(clock);
        let mut engine = GpuEngine::new((*gpu).clone())
            .with_clock(Rc::new(move || clock.millis()))
            .with_tuning(*tuning, &tiles.borrow());
        now(engine.load(&self.rows))?;
        let parameters = Parameters::Exact(&self.weights);
        let model = now(engine.model(self.graph, parameters, batch))?;
        *tiles.borrow_mut() = engine.tiles();
        Ok(model)
    }

    fn answers(&self, floors: &Floors, batch: u32, name: &'static str) -> Result<Measured, String> {
        let mut model = self.prepared(batch)?;
        let length = self.rows.features.len() / LOADED as usize;
        let features = &self.rows.features[..batch as usize * length];
        let before = model.counts();
        now(model.predict(features))?;
        let counts = model.counts().since(before);
        let spread = repeated(&self.setup.clock, self.setup.seconds, || {
            now(model.predict(features)).map(drop)
        })?;
        let rows = f64::from(batch);
        let asked = Asked::of(self.graph)?.answering(rows);
        let (floor, decides) = floors.least(asked, counts.dispatches as f64, 1.0);
        Ok(Measured {
            name,
            spread,
            parts: 1.0,
            rows,
            counts,
            floor,
            decides,
        })
    }

    /// Latency, throughput and training; prints what preparing took.
    pub(crate) fn all(&self, floors: &Floors, model_name: &str) -> Result<Vec<Measured>, String> {
        let latency = self.answers(floors, 1, "latency")?;
        let throughput = self.answers(floors, BATCH, "batch 64")?;
        let mut model = self.prepared(BATCH)?;
        let preparation = model.preparation();
        println!(
            "{model_name:14} prepared for training in {:.0} ms with {} pipelines, {:.0} ms for tiles, {:.1} ms for {} bytes",
            preparation.compile_millis.unwrap_or(0.0),
            preparation.pipelines,
            preparation.tuning_millis.unwrap_or(0.0),
            preparation.upload_millis.unwrap_or(0.0),
            preparation.upload_bytes,
        );
        // A quarter of a second of steps in one call, one at the least.
        let one = [step(0)];
        now(model.train(&one))?;
        let begin = self.setup.clock.millis();
        now(model.train(&one))?;
        let millis = (self.setup.clock.millis() - begin).max(0.01);
        let many = (250.0 * self.setup.seconds.min(1.0) / millis).clamp(1.0, 256.0) as u32;
        // In turn, so that every call writes its steps.
        let calls =
            [0, many].map(|first| (first..first + many).map(step).collect::<Vec<TrainStep>>());
        let mut call = 0;
        let before = model.counts();
        now(model.train(&calls[1]))?;
        let counts = model.counts().since(before);
        let spread = repeated(&self.setup.clock, self.setup.seconds, || {
            call += 1;
            let metrics = now(model.train(&calls[call % 2]))?;
            match metrics.non_finite {
                None => Ok(()),
                Some(step) => Err(format!("step {step} is not finite")),
            }
        })?;
        let parts = f64::from(many);
        let rows = f64::from(BATCH);
        let asked = Asked::of(self.graph)?.training(rows);
        let (floor, decides) = floors.least(
            asked,
            counts.dispatches as f64 / parts,
            counts.synchronizations as f64 / parts,
        );
        let training = Measured {
            name: "training",
            spread,
            parts,
            rows,
            counts,
            floor,
            decides,
        };
        Ok(vec![latency, throughput, training])
    }

    /// Where a training step's time goes.
    pub(crate) fn profile(&self, times: u32) -> Result<Vec<Profiled>, String> {
        let mut model = self.prepared(BATCH)?;
        now(model.profile(&step(0), times))
    }
}

/// Prints a profile: by kernel, then the dispatches that take longest.
pub(crate) fn print_profile(model: &str, profile: &[Profiled], most: usize) {
    let all: f64 = profile.iter().map(|it| it.micros).sum();
    println!(
        "profile of a training step of {model}: {} dispatches, {all:.1} µs on the device",
        profile.len()
    );
    let mut kernels: BTreeMap<&str, (u32, f64, u64, u64)> = BTreeMap::new();
    for it in profile {
        let of = kernels.entry(it.kernel).or_default();
        *of = (of.0 + 1, of.1 + it.micros, of.2 + it.flops, of.3 + it.bytes);
    }
    let mut kernels: Vec<_> = kernels.into_iter().collect();
    kernels.sort_by(|a, b| b.1.1.total_cmp(&a.1.1));
    let rates = |micros: f64, flops: u64, bytes: u64| {
        let per = |count: u64| count as f64 / (micros * 1e3).max(1e-9);
        format!("{:9.1} GFLOP/s {:8.1} GB/s", per(flops), per(bytes))
    };
    for (kernel, (count, micros, flops, bytes)) in kernels {
        println!(
            "  {micros:9.1} µs {:4.1} % {count:4} × {kernel:27} {}",
            100.0 * micros / all,
            rates(micros, flops, bytes)
        );
    }
    let mut single: Vec<&Profiled> = profile.iter().collect();
    single.sort_by(|a, b| b.micros.total_cmp(&a.micros));
    for it in single.into_iter().take(most) {
        let [x, y, z] = it.groups;
        println!(
            "    {:8.1} µs {:26} {:44} {:28} {x}×{y}×{z} {}",
            it.micros,
            it.kernel,
            it.sizes,
            it.tile,
            rates(it.micros, it.flops, it.bytes)
        );
    }
}

/// A profile as JSON, in the order of dispatches.
pub(crate) fn profile_json(profile: &[Profiled]) -> Value {
    profile
        .iter()
        .map(|it| {
            json!({
                "kernel": it.kernel, "sizes": it.sizes, "tile": it.tile, "groups": it.groups,
                "flops": it.flops, "bytes": it.bytes, "micros": it.micros,
            })
        })
        .collect()
}
