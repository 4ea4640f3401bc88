//! Layer norms, attention and positions in integers as tasks; what their numbers mean is the kernels'.

use super::{Builder, Lie, base, told};
use crate::engine::cpu::integer::step::Whole;
use crate::engine::cpu::integer::whole::WholeStep;
use crate::engine::gpu::kernels::Task;
use crate::engine::gpu::kernels::task::{IntegerAttention, IntegerMap, IntegerNorm, NONE};
use crate::error::{Error, Result};

impl Builder<'_> {
    pub(super) fn inexact(&mut self, step: &WholeStep, whole: &Whole) -> Result<()> {
        let node = &self.graph.nodes[step.node];
        let (from, to) = (step.inputs[0], step.output);
        let [x, y] = [from, to].map(|value| base(self.integer.codes[value]));
        let (lie, output) = (self.lies[to], self.places[to]);
        let input = self.operand(from, Lie::of(self.nodes[step.node].input()))?;
        let task = match whole {
            Whole::LayerNorm(norm) => {
                let gains = norm.gains.iter().map(|&it| told(it.into()));
                let offsets = norm.offsets.iter().map(|&it| told(it));
                Task::IntegerNorm(IntegerNorm {
                    places: lie.places,
                    channels: lie.channels,
                    input,
                    output,
                    numbers: self.weights(gains.chain(offsets)),
                    epsilon: norm.epsilon,
                    shift: norm.shift,
                    low: told(norm.range[0].into()),
                    high: told(norm.range[1].into()),
                    input_base: told(x),
                    base: told(y),
                })
            }
            Whole::Offsets(offsets) => {
                // As words lie: the last of a place filled up.
                let padded = 4 * lie.channels.div_ceil(4) as usize;
                let places = offsets.numbers.chunks_exact(lie.channels as usize);
                let numbers = places.flat_map(|place| {
                    (0..padded).map(|at| told(place.get(at).copied().unwrap_or(0)))
                });
                Task::IntegerMap(IntegerMap {
                    words: lie.words(),
                    left: input,
                    right: NONE,
                    output,
                    table: NONE,
                    left_multiplier: told(offsets.multiplier),
                    right_multiplier: 0,
                    shift: offsets.shift,
                    low: told(offsets.range[0].into()),
                    high: told(offsets.range[1].into()),
                    left_base: told(x),
                    right_base: 0,
                    base: told(y),
                    numbers: self.weights(numbers),
                })
            }
            Whole::Attention(attention) => {
                let own = attention.shape.width / attention.shape.heads;
                if !own.is_multiple_of(4) {
                    return Err(Error::Unsupported {
                        feature: "this stored model on the GPU".into(),
                        why: format!(
                            "layer {:?} has heads of {own} numbers, no multiple of four; the CPU engine takes any",
                            node.name
                        ),
                    });
                }
                let [index_multiplier, index_shift] = attention.index.map(told);
                let [multiplier, shift] = attention.output.map(told);
                Task::IntegerAttention(IntegerAttention {
                    tokens: lie.places,
                    words: lie.words() / lie.places,
                    head_words: own as u32 / 4,
                    input,
                    output,
                    table: self.weights(attention.table().iter().map(|&it| told(it.into()))),
                    index_multiplier,
                    index_shift,
                    multiplier,
                    shift,
                    low: told(attention.range[0].into()),
                    high: told(attention.range[1].into()),
                    input_base: told(x),
                    base: told(y),
                })
            }
            _ => return Ok(()),
        };
        self.push(task)
    }
}
