//! From the integer steps of the CPU's plan to dispatches, with their weights as words and every place decided; it talks to
//! no device and chooses no number.
//!
//! A number `c` is held as the byte `c − base`, `base = low + 128`, four channels a word, the last filled up.

mod inexact;
mod product;

use super::forward::window;
use crate::engine::cpu::integer::step::{Kind, Whole};
use crate::engine::cpu::integer::whole::{WholeStep, whole_steps};
use crate::engine::cpu::plan::sizes;
use crate::engine::gpu::kernels::Task;
use crate::engine::gpu::kernels::grid::Dispatch;
use crate::engine::gpu::kernels::task::{
    IntegerGather, IntegerMap, IntegerPool, IntegerTranspose, NONE, Window,
};
use crate::engine::gpu::kernels::tile::Device;
use crate::error::{Error, Result};
use crate::model::{Graph, Layer, ResolvedNode};
use crate::quant::{Codes, Integer, Stored};

/// Places begin at multiples of it, so that weights can be read in fours.
const ALIGNMENT: u64 = 64;

/// How a value lies: places, each with channels in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine::gpu) struct Lie {
    pub(in crate::engine::gpu) places: u32,
    pub(in crate::engine::gpu) channels: u32,
}

impl Lie {
    fn of(shape: &[u32]) -> Self {
        let (len, places) = sizes(shape);
        Self {
            places: places as u32,
            channels: (len / places.max(1)) as u32,
        }
    }

    /// Words of one row.
    pub(in crate::engine::gpu) const fn words(self) -> u32 {
        self.places * self.channels.div_ceil(4)
    }
}

/// What is added to a byte to have its number.
pub(in crate::engine::gpu) const fn base(codes: Codes) -> i32 {
    codes.range[0] as i32 + 128
}

/// A planned integer model.
pub(in crate::engine::gpu) struct IntegerSchedule {
    /// What is done for each batch, in order.
    pub(in crate::engine::gpu) dispatches: Vec<Dispatch>,
    /// The words of the weights arena.
    pub(in crate::engine::gpu) weights: Vec<u32>,
    /// Words of the values arena.
    pub(in crate::engine::gpu) values: u64,
    /// Where the sums of the answer stand.
    pub(in crate::engine::gpu) logits: u32,
    /// What one of each class's sum is worth.
    pub(in crate::engine::gpu) steps: Vec<f32>,
    /// How a row of the data lies.
    pub(in crate::engine::gpu) input: Lie,
    /// Its codes.
    pub(in crate::engine::gpu) codes: Codes,
}

struct Builder<'a> {
    graph: &'a Graph,
    nodes: &'a [ResolvedNode],
    integer: &'a Integer,
    rows: u32,
    lies: Vec<Lie>,
    /// Where each value stands.
    places: Vec<u32>,
    values: u64,
    weights: Vec<u32>,
    dispatches: Vec<Dispatch>,
}

impl IntegerSchedule {
    /// Plans a stored model for at most so many rows.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where a layer is computed in f32 or in narrow groups; [`Error::TooLarge`] where the batch
    /// needs more than a GPU can count.
    pub(in crate::engine::gpu) fn new(
        graph: &Graph,
        stored: &Stored,
        integer: &Integer,
        rows: u32,
    ) -> Result<Self> {
        let nodes = graph.resolve()?;
        let (steps, slots) = whole_steps(graph, stored, integer)?;
        let Some((&codes, last)) = integer.codes.first().zip(steps.last()) else {
            return Err(Error::bad_input(
                "a stored model",
                "calibrated steps",
                "none",
            ));
        };
        let logits = last.output;
        let mut builder = Builder {
            graph,
            nodes: &nodes,
            integer,
            rows,
            lies: lies(graph, &nodes, &steps),
            places: vec![0; slots.len()],
            values: 0,
            weights: Vec::new(),
            dispatches: Vec::new(),
        };
        builder.decide(&steps, &slots, logits);
        builder.push(Task::IntegerGather(IntegerGather {
            words: builder.lies[0].words(),
            output: builder.places[0],
        }))?;
        let mut answer_steps = Vec::new();
        for step in &steps {
            if let Kind::Logits(product) = &step.kind {
                answer_steps = product.answer_steps().to_vec();
            }
            builder.step(step)?;
        }
        let most = u64::from(u32::MAX / 4);
        if builder.values.max(builder.weights.len() as u64) > most {
            return Err(Error::TooLarge {
                what: "the numbers of a batch on the GPU".into(),
                got: builder.values,
                limit: most,
                unit: "words",
            });
        }
        Ok(Self {
            logits: builder.places[logits],
            input: builder.lies[0],
            dispatches: builder.dispatches,
            weights: builder.weights,
            values: builder.values,
            steps: answer_steps,
            codes,
        })
    }
}

/// How every value lies. An image of one channel that only lists are made of is a list from the beginning.
fn lies(graph: &Graph, nodes: &[ResolvedNode], steps: &[WholeStep]) -> Vec<Lie> {
    let shapes = nodes.iter().map(|node| Lie::of(&node.output));
    let mut lies: Vec<Lie> = std::iter::once(Lie::of(&graph.input))
        .chain(shapes)
        .collect();
    let list = Lie {
        places: 1,
        channels: lies[0].places * lies[0].channels,
    };
    let mut readers = steps.iter().filter(|step| step.inputs.contains(&0));
    if readers.all(|step| Lie::of(nodes[step.node].input()) == list) {
        lies[0] = list;
    }
    lies
}

/// A number with a sign as the word that it is.
const fn told(number: i32) -> u32 {
    number.cast_unsigned()
}

impl Builder<'_> {
    /// Gives values of the same slot the same place.
    fn decide(&mut self, steps: &[WholeStep], slots: &[usize], logits: usize) {
        let mut lens = vec![0_u64; slots.iter().max().map_or(0, |most| most + 1)];
        for value in std::iter::once(0).chain(steps.iter().map(|step| step.output)) {
            let lie = self.lies[value];
            let words = if value == logits {
                lie.places * lie.channels
            } else {
                lie.words()
            };
            let len = &mut lens[slots[value]];
            *len = (*len).max(u64::from(words) * u64::from(self.rows));
        }
        let firsts: Vec<u64> = lens.into_iter().map(|len| self.room(len)).collect();
        for (place, &slot) in self.places.iter_mut().zip(slots) {
            *place = firsts.get(slot).map_or(0, |&first| first as u32);
        }
    }

    fn room(&mut self, words: u64) -> u64 {
        let first = self.values;
        self.values += words.next_multiple_of(ALIGNMENT);
        first
    }

    fn push(&mut self, task: Task) -> Result<()> {
        let dispatch =
            Dispatch::new(Device::HARDWARE, task, self.rows).ok_or_else(|| Error::TooLarge {
                what: format!("an image on the GPU ({})", task.kernel().row().name),
                got: u64::from(self.rows),
                limit: 32_000,
                unit: "rows or columns",
            })?;
        self.dispatches.push(dispatch);
        Ok(())
    }

    /// Words behind the weights that are there already.
    fn weights(&mut self, words: impl IntoIterator<Item = u32>) -> u32 {
        let first = self.weights.len().next_multiple_of(4);
        self.weights.resize(first, 0);
        self.weights.extend(words);
        first as u32
    }

    /// Where a value stands as it is to lie; where it lies otherwise it is packed anew.
    fn operand(&mut self, value: usize, lie: Lie) -> Result<u32> {
        let own = self.lies[value];
        let input = self.places[value];
        if own == lie {
            return Ok(input);
        }
        let words = u64::from(lie.words()) * u64::from(self.rows);
        let output = self.room(words) as u32;
        self.push(Task::IntegerTranspose(IntegerTranspose {
            places: own.places,
            channels: own.channels,
            line: lie.channels,
            input,
            output,
        }))?;
        Ok(output)
    }

    fn step(&mut self, step: &WholeStep) -> Result<()> {
        let resolved = &self.nodes[step.node];
        let (from, to) = (step.inputs[0], step.output);
        let (input_lie, output_lie) = (Lie::of(resolved.input()), self.lies[to]);
        let [x, y] = [from, to].map(|value| self.integer.codes[value]);
        let output = self.places[to];
        let whole = match &step.kind {
            Kind::Integer(whole) => &**whole,
            Kind::Logits(product) => return self.product(step, product),
            Kind::Float | Kind::Dynamic(_) => return Ok(()),
        };
        let pool = |window: Window, input: u32| IntegerPool {
            window,
            input,
            output,
            multipliers: NONE,
            shift: 0,
            low: 0,
            high: 0,
            input_base: told(base(x)),
            base: told(base(y)),
        };
        let task = match whole {
            Whole::Product(product) => return self.product(step, product),
            Whole::MaxPool(_) | Whole::Average(_) | Whole::GlobalAverage(..) => {
                let input = self.operand(from, input_lie)?;
                let size = match self.graph.nodes[step.node].layer {
                    Layer::MaxPool(size) | Layer::AveragePool(size) => Some(size),
                    _ => None,
                };
                let mut task = pool(window(resolved, size), input);
                if let Whole::Average(average) | Whole::GlobalAverage(average, _) = whole {
                    task.multipliers =
                        self.weights(average.multipliers.iter().map(|it| told(it[0])));
                    task.shift = average.shift;
                    [task.low, task.high] = average.range.map(|end| told(end.into()));
                }
                Task::IntegerPool(task)
            }
            Whole::Add(add) => Task::IntegerMap(IntegerMap {
                words: output_lie.words(),
                left: self.operand(from, output_lie)?,
                right: self.operand(step.inputs[1], output_lie)?,
                output,
                table: NONE,
                left_multiplier: told(add.multipliers[0]),
                right_multiplier: told(add.multipliers[1]),
                shift: add.shift,
                low: told(add.range[0].into()),
                high: told(add.range[1].into()),
                left_base: told(base(x)),
                right_base: told(base(self.integer.codes[step.inputs[1]])),
                base: told(base(y)),
                numbers: NONE,
            }),
            Whole::Look(look) => {
                let entries = (-128..128).map(|byte| {
                    let number = (byte + base(x)).clamp(-256, 255) as i16;
                    told(i32::from(look.one(number)) - base(y))
                });
                Task::IntegerMap(IntegerMap {
                    words: output_lie.words(),
                    left: self.operand(from, output_lie)?,
                    right: NONE,
                    output,
                    table: self.weights(entries),
                    left_multiplier: 0,
                    right_multiplier: 0,
                    shift: 0,
                    low: 0,
                    high: 0,
                    left_base: 0,
                    right_base: 0,
                    base: 0,
                    numbers: NONE,
                })
            }
            Whole::LayerNorm(_) | Whole::Offsets(_) | Whole::Attention(_) => {
                return self.inexact(step, whole);
            }
            Whole::Transpose(_) => Task::IntegerTranspose(IntegerTranspose {
                places: input_lie.places,
                channels: input_lie.channels,
                line: output_lie.channels,
                input: self.operand(from, input_lie)?,
                output,
            }),
        };
        self.push(task)
    }
}
