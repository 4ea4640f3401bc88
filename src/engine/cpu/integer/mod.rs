//! A stored model that computes in integers where it can: which steps do, how numbers pass between both arithmetics, and
//! running it; it does not train, and chooses no steps of activations.

mod computed;
mod inexact;
pub(in crate::engine) mod product;
pub(in crate::engine) mod step;
pub(in crate::engine) mod whole;

use super::forward::{Draw, step as float_step};
use super::parameters::Layout;
use super::plan::{Mode, Plan};
use super::program::Program;
use super::rows::{self, row_length};
use crate::data::Rows;
use crate::engine::{Executable, Metrics, Pending, State, TrainStep};
use crate::error::{Error, Result};
use crate::model::{Graph, Weights};
use crate::quant::{Codes, Integer, Stored};
use assay_kernels::integer::{SLACK, dequantize, quantize};
pub use computed::{Computed, computed};
use std::ops::Range;
use std::rc::Rc;
use step::{Kind, Step};

/// A model that computes in integers.
pub(super) struct IntegerExecutable {
    rows: Rc<Rows>,
    /// Every step in f32, of which those run that have no integers; it also says where values stand.
    program: Program,
    parameters: Vec<f32>,
    steps: Vec<Step>,
    codes: Vec<Codes>,
    /// Whether each value is wanted in integers and as f32 numbers.
    wanted: Vec<[bool; 2]>,
    slots: Vec<Vec<i16>>,
    scratch: step::Scratch,
    weights: Weights,
    classes: usize,
    batch: usize,
    room: usize,
}

/// Steps and the program that they are of.
struct Planned {
    program: Program,
    parameters: Vec<f32>,
    steps: Vec<Step>,
    wanted: Vec<[bool; 2]>,
    classes: usize,
}

/// As [`super::observe`] for a stored model: its values as numbers, whatever they are computed in. `done` is called as soon
/// as a value is there, before its numbers are read out of integers.
///
/// # Errors
/// As [`super::observe`].
pub fn observe_stored(
    graph: &Graph,
    stored: &Stored,
    data: &Rows,
    numbers: &[u32],
    mut done: impl FnMut(usize),
    mut see: impl FnMut(usize, &[f32]),
) -> Result<()> {
    let graph = stored.graph(graph);
    let Some(integer) = stored.integer() else {
        return super::observe(graph, stored.weights(), data, numbers, |value, numbers| {
            done(value);
            see(value, numbers);
        });
    };
    rows::check_numbers(data, numbers)?;
    let data = Rc::new(data.clone());
    let batch = numbers.len() as u32;
    let mut model = IntegerExecutable::new(Rc::clone(&data), graph, stored, integer, batch)?;
    let mut dequantized = Vec::new();
    model.run(
        numbers.len(),
        |range, out| rows::gather(&data, &numbers[range], out),
        |model, value, floats, rows| {
            done(value);
            let item = model.program.values[value];
            let numbers = model.program.buffers.get(item, rows);
            if floats {
                return see(value, numbers);
            }
            let slot = &model.slots[model.program.buffers.slot_of(item)][..numbers.len()];
            dequantized.resize(slot.len(), 0.0);
            dequantize(slot, model.codes[value].step, &mut dequantized);
            see(value, &dequantized);
        },
    );
    Ok(())
}

impl Planned {
    fn new(graph: &Graph, stored: &Stored, integer: &Integer) -> Result<Self> {
        let weights = stored.weights();
        weights.check(graph)?;
        weights.check_finite()?;
        let nodes = graph.resolve()?;
        let classes = match nodes.last().map(|node| node.output.as_slice()) {
            Some(&[classes]) => classes as usize,
            _ => {
                return Err(Error::bad_input(
                    "the graph's last layer",
                    "a list of logits",
                    "another shape",
                ));
            }
        };
        let layout = Layout::new(&nodes);
        let mut parameters = vec![0.0; layout.len];
        layout.load(weights, "the weights", &mut parameters)?;
        let plan = Plan::with_tables(graph, &nodes, &layout)?;
        let (values, output) = (plan.lens.len(), plan.output);
        let mut program = Program::of(plan, &layout, Mode::Inference);
        program.pack(&parameters);
        // Which values come out of integers; the input is made one by whoever wants it so.
        let mut whole = vec![false; values];
        whole[0] = true;
        let mut steps = Vec::new();
        let mut wanted = vec![[false; 2]; values];
        for step in &program.steps {
            let own = Step::new(graph, &nodes, step, (integer, &parameters), &whole, output);
            let [integers, floats] = own.kind.reads_and_writes();
            for value in step.reads() {
                wanted[value][usize::from(!integers)] = true;
            }
            whole[step.output] = !floats;
            steps.push(own);
        }
        Ok(Self {
            program,
            parameters,
            steps,
            wanted,
            classes,
        })
    }
}

impl IntegerExecutable {
    pub(super) fn new(
        rows: Rc<Rows>,
        graph: &Graph,
        stored: &Stored,
        integer: &Integer,
        batch: u32,
    ) -> Result<Self> {
        let graph = stored.graph(graph);
        let planned = Planned::new(graph, stored, integer)?;
        rows::check_fit(&rows, graph.input, planned.classes)?;
        Ok(Self {
            rows,
            slots: vec![Vec::new(); planned.program.buffers.slot_lens().len()],
            scratch: step::Scratch::default(),
            program: planned.program,
            parameters: planned.parameters,
            steps: planned.steps,
            codes: integer.codes.clone(),
            wanted: planned.wanted,
            weights: stored.weights().clone(),
            classes: planned.classes,
            batch: batch.max(1) as usize,
            room: 0,
        })
    }

    /// Makes room for so many rows.
    fn reserve(&mut self, rows: usize) {
        if rows > self.room {
            self.room = rows;
            for (slot, &len) in self.slots.iter_mut().zip(self.program.buffers.slot_lens()) {
                slot.resize(len * rows + SLACK, 0);
            }
        }
    }

    /// The logits of so many rows; `fill` writes the input of a range of them, channels last.
    fn infer(&mut self, count: usize, fill: impl Fn(Range<usize>, &mut [f32])) -> Vec<f32> {
        let mut logits = Vec::with_capacity(count * self.classes);
        let last = self.steps.len() - 1;
        let answer = self.program.steps[last].output;
        self.run(count, fill, |model, value, _, rows| {
            if value == answer {
                let program = &model.program;
                logits.extend_from_slice(program.buffers.get(program.logits, rows));
            }
        });
        logits
    }

    /// Computes every value of so many rows, part by part, and calls after each with its number, whether it is there as f32
    /// numbers, and the rows of the part.
    fn run(
        &mut self,
        count: usize,
        fill: impl Fn(Range<usize>, &mut [f32]),
        mut then: impl FnMut(&Self, usize, bool, usize),
    ) {
        let chunk = self.program.chunk_rows(count.min(self.batch));
        self.reserve(chunk);
        for first in (0..count).step_by(chunk) {
            let range = first..(first + chunk).min(count);
            let rows = range.len();
            let input = self.program.values[0];
            fill(range, self.program.buffers.get_mut(input, rows));
            self.convert(0, true, rows);
            then(self, 0, true, rows);
            for index in 0..self.steps.len() {
                self.step(index, rows);
                let [_, floats] = self.steps[index].kind.reads_and_writes();
                then(self, self.program.steps[index].output, floats, rows);
            }
        }
    }

    /// Computes one step and hands its value to the other arithmetic where somebody wants it there.
    fn step(&mut self, index: usize, rows: usize) {
        let Self {
            program,
            parameters,
            steps,
            slots,
            scratch,
            ..
        } = self;
        let own = &steps[index];
        let output = program.steps[index].output;
        let [_, floats] = own.kind.reads_and_writes();
        if matches!(own.kind, Kind::Float) {
            float_step(program, index, parameters, rows, Draw::default());
        }
        let (step, values, buffers) =
            (&program.steps[index], &program.values, &mut program.buffers);
        let item = values[output];
        match &own.kind {
            Kind::Float => {}
            Kind::Dynamic(product) => buffers.with([item], rows, |buffers, [out]| {
                let read = |value: usize| buffers.get(values[value], rows);
                let residual = step.residual.map(read);
                product.run_dynamic(rows, read(step.inputs[0]), residual, out, scratch);
                if let Some(function) = step.activation {
                    function.apply_in_place(out);
                }
            }),
            Kind::Logits(product) => {
                let slot = buffers.slot_of(values[step.inputs[0]]);
                product.logits(rows, &slots[slot], buffers.get_mut(item, rows), scratch);
            }
            Kind::Integer(operation) => {
                let count = buffers.get(item, rows).len();
                let slot = |value: usize| buffers.slot_of(values[value]);
                let mut out = std::mem::take(&mut slots[slot(output)]);
                let read = |value: usize| slots[slot(value)].as_slice();
                let second = step.inputs.get(1).copied().or(step.residual);
                let inputs = [Some(step.inputs[0]), second].map(|it| it.map(read));
                operation.run(rows, inputs, &mut out[..count], scratch);
                slots[slot(output)] = out;
            }
        }
        self.convert(output, floats, rows);
    }

    /// A value that was computed in one arithmetic in the other, where somebody wants it.
    fn convert(&mut self, value: usize, from_floats: bool, rows: usize) {
        let [integers, floats] = self.wanted[value];
        let item = self.program.values[value];
        let slot = self.program.buffers.slot_of(item);
        let Some(codes) = self.codes.get(value) else {
            return;
        };
        if from_floats && integers {
            let numbers = self.program.buffers.get(item, rows);
            let out = &mut self.slots[slot][..numbers.len()];
            quantize(numbers, 1.0 / codes.step, codes.range, out);
        } else if !from_floats && floats {
            let out = self.program.buffers.get_mut(item, rows);
            dequantize(&self.slots[slot][..out.len()], codes.step, out);
        }
    }
}

impl Executable for IntegerExecutable {
    fn logits<'a>(&'a mut self, rows: &'a [u32]) -> Pending<'a, Vec<f32>> {
        Box::pin(async move {
            rows::check_numbers(&self.rows, rows)?;
            let data = Rc::clone(&self.rows);
            Ok(self.infer(rows.len(), |range, out| {
                rows::gather(&data, &rows[range], out);
            }))
        })
    }

    fn predict<'a>(&'a mut self, features: &'a [f32]) -> Pending<'a, Vec<f32>> {
        Box::pin(async move {
            let shape = self.rows.shape;
            let length = row_length(shape);
            let count = rows::whole_rows(shape, features)?;
            Ok(self.infer(count, |range, out| {
                let features = &features[range.start * length..range.end * length];
                rows::arrange(shape, features, out);
            }))
        })
    }

    fn train<'a>(&'a mut self, _: &'a [TrainStep]) -> Pending<'a, Metrics> {
        Box::pin(async { Err(untrained()) })
    }

    fn load(&mut self, rows: Rc<Rows>) -> Pending<'_, ()> {
        Box::pin(async move {
            rows::check_whole(&rows)?;
            rows::check_fit(&rows, self.rows.shape, self.classes)?;
            self.rows = rows;
            Ok(())
        })
    }

    fn weights(&mut self) -> Pending<'_, Weights> {
        Box::pin(async move { Ok(self.weights.clone()) })
    }

    fn is_finite(&mut self) -> Pending<'_, bool> {
        Box::pin(async { Ok(true) })
    }

    fn state(&mut self) -> Pending<'_, State> {
        Box::pin(async move {
            Ok(State {
                weights: self.weights.clone(),
                ..State::default()
            })
        })
    }

    fn restore<'a>(&'a mut self, _: &'a State) -> Pending<'a, ()> {
        Box::pin(async { Err(untrained()) })
    }
}

fn untrained() -> Error {
    Error::Unsupported {
        feature: "training a stored model".into(),
        why: "its weights have been rounded; train the f32 weights and store them again".into(),
    }
}
