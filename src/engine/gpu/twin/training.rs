//! Twins of attention, of the loss and of the optimizer.

use super::measured::{Measured, Sum};
use super::{Arenas, Expected};
use crate::engine::gpu::kernels::task::{
    Attention, AttentionGradient, CrossEntropy, NONE, Turn, Update,
};

fn exact(number: f32) -> Measured {
    Measured::exact(number)
}

/// The sum of products of `count` pairs of numbers.
fn dot(count: u32, pair: impl Fn(u32) -> [Measured; 2]) -> Measured {
    let mut sum = Sum::default();
    for index in 0..count {
        let [a, b] = pair(index);
        sum.add(a * b);
    }
    sum.end()
}

pub(super) fn attention(it: &Attention, turn: &Turn, before: &Arenas, after: &mut Expected) {
    let head_width = it.width / it.heads;
    // Carrying the softmax along shrinks every sum once a tile: an exponential of nearly nothing or less, and a product.
    let carried = it.tokens.div_ceil(16) * 4;
    for image in 0..turn.rows {
        for head in 0..it.heads {
            let number = |token: u32, side: u32, index: u32| {
                let at = (image * it.tokens + token) * 3 * it.width + side * it.width;
                before.value(it.input + at + head * head_width + index)
            };
            for query in 0..it.tokens {
                let scores: Vec<Measured> = (0..it.tokens)
                    .map(|key| {
                        let score = dot(head_width, |index| {
                            [number(query, 0, index), number(key, 1, index)]
                        });
                        score * exact(it.factor)
                    })
                    .collect();
                let largest = scores
                    .iter()
                    .copied()
                    .reduce(|a, b| if b.value > a.value { b } else { a });
                let Some(largest) = largest else { continue };
                // The same number is subtracted everywhere, so its own error cancels but for the exponential's.
                let base = Measured::of(largest.value, 0.0);
                let chances: Vec<Measured> =
                    scores.iter().map(|&score| (score - base).exp()).collect();
                let mut sum = Sum::default();
                chances.iter().for_each(|&chance| sum.add(chance));
                let sum = sum.with(carried);
                for index in 0..head_width {
                    let mut output = Sum::default();
                    for (key, &chance) in (0..).zip(&chances) {
                        output.add(chance * number(key, 2, index));
                    }
                    let at = (image * it.tokens + query) * it.width + head * head_width + index;
                    after.value(it.output + at, output.with(carried) / sum);
                }
                if it.statistics != NONE {
                    let at = it.statistics + ((image * it.heads + head) * it.tokens + query) * 2;
                    after.value(at, largest);
                    let off = Measured::of(1.0, largest.error);
                    after.value(at + 1, off / sum);
                }
            }
        }
    }
}

pub(super) fn attention_gradient(
    it: &AttentionGradient,
    turn: &Turn,
    before: &Arenas,
    after: &mut Expected,
) {
    let head_width = it.width / it.heads;
    let factor = exact(it.factor);
    for image in 0..turn.rows {
        for head in 0..it.heads {
            let place = |token: u32, side: u32, index: u32| {
                let at = (image * it.tokens + token) * 3 * it.width + side * it.width;
                at + head * head_width + index
            };
            let number = |token, side, index| before.value(it.input + place(token, side, index));
            let out = |list: u32, token: u32, index: u32| {
                before.value(
                    list + (image * it.tokens + token) * it.width + head * head_width + index,
                )
            };
            let dy = |token, index| out(it.gradient, token, index);
            let mut sums = vec![Sum::default(); (3 * it.tokens * head_width) as usize];
            for query in 0..it.tokens {
                let mean = dot(head_width, |index| {
                    [dy(query, index), out(it.forward, query, index)]
                });
                let at = it.statistics + ((image * it.heads + head) * it.tokens + query) * 2;
                for key in 0..it.tokens {
                    let score = dot(head_width, |index| {
                        [number(query, 0, index), number(key, 1, index)]
                    });
                    let chance = (score * factor - before.value(at)).exp() * before.value(at + 1);
                    let gradient = dot(head_width, |index| {
                        [dy(query, index), number(key, 2, index)]
                    });
                    let slope = chance * (gradient - mean) * factor;
                    for index in 0..head_width {
                        let mut add = |side: u32, token: u32, term: Measured| {
                            sums[((side * it.tokens + token) * head_width + index) as usize]
                                .add(term);
                        };
                        add(0, query, slope * number(key, 1, index));
                        add(1, key, slope * number(query, 0, index));
                        add(2, key, chance * dy(query, index));
                    }
                }
            }
            for (at, sum) in (0..).zip(sums) {
                let (rest, index) = (at / head_width, at % head_width);
                let to = it.output + place(rest % it.tokens, rest / it.tokens, index);
                after.accumulated(before, to, it.accumulate, sum.end());
            }
        }
    }
}

pub(super) fn cross_entropy(it: &CrossEntropy, turn: &Turn, before: &Arenas, after: &mut Expected) {
    let mut loss = Sum::default();
    let mut correct = 0;
    for row in 0..turn.rows {
        let index = before.numbers[(turn.indices + row) as usize];
        let label = before.numbers[(turn.labels + index) as usize];
        let logit = |class: u32| before.value(it.input + row * it.classes + class);
        let best = (0..it.classes).fold(0, |best, class| {
            if logit(class).value > logit(best).value {
                class
            } else {
                best
            }
        });
        let mut sum = Sum::default();
        for class in 0..it.classes {
            sum.add((logit(class) - logit(best)).exp());
        }
        loss.add(sum.end().ln() + (logit(best) - logit(label)));
        correct += u32::from(best == label);
        if it.output == NONE {
            continue;
        }
        for class in 0..it.classes {
            let share = (logit(class) - logit(best)).exp() / sum.end();
            let own = if class == label {
                exact(1.0) - exact(turn.smoothing)
            } else {
                exact(0.0)
            };
            let wanted = own + exact(turn.smoothing) / exact(it.classes as f32);
            let gradient = (share - wanted) / exact(turn.rows as f32);
            after.value(it.output + row * it.classes + class, gradient);
        }
    }
    let loss = loss.with(turn.rows);
    if before.metrics[0] == 0 {
        let slot = (4 + 4 * turn.slot) as usize;
        after.arenas.metrics[slot..slot + 4].copy_from_slice(&[
            (loss.value as f32).to_bits(),
            correct,
            turn.rows,
            1,
        ]);
        after.metrics[slot] = Some(loss.rounded(1.0).error);
    }
}

pub(super) fn update(it: &Update, turn: &Turn, before: &Arenas, after: &mut Expected) {
    if before.metrics[0] != 0 {
        let state = (4 + 4 * turn.slot + 3) as usize;
        if before.metrics[state] == 1 {
            after.arenas.metrics[state] = 2;
        }
        return;
    }
    for index in 0..it.length {
        let block = (it.blocks + index / 64 * 4) as usize;
        let [first, parts, stride, kind] = [0, 1, 2, 3].map(|word| before.numbers[block + word]);
        let mut sum = Sum::default();
        for part in 0..parts {
            if kind != 3 {
                sum.add(before.value(first + part * stride + index % 64));
            }
        }
        let gradient = sum.end();
        let weight = before.weight(index);
        let decay = exact(if kind == 0 { turn.decay } else { 0.0 });
        let moment = |half: u32| exact(before.moments[(half * it.length + index) as usize]);
        match (kind, turn.optimizer) {
            (3, _) => {}
            (2, _) => after.weight(index, gradient),
            (_, 0) => {
                let velocity = exact(turn.momentum) * moment(0) + (gradient + decay * weight);
                after.moment(index, velocity);
                after.weight(index, weight - exact(turn.rate) * velocity);
            }
            _ => {
                let mean = exact(turn.keep_first) * moment(0) + exact(turn.take_first) * gradient;
                let square = exact(turn.keep_second) * moment(1)
                    + exact(turn.take_second) * (gradient * gradient);
                let root = (square * exact(turn.scale)).sqrt() + exact(turn.epsilon);
                let change = exact(turn.rate) * mean / root;
                after.moment(index, mean);
                after.moment(it.length + index, square);
                after.weight(index, weight - decay * weight - change);
            }
        }
    }
}
