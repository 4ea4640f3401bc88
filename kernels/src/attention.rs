//! Softmax attention over the tokens of a row, several heads side by side, and its gradient; projections are products.
//!
//! A token's numbers are its query, key and value one after another, `[tokens][3·width]`; head h has the h-th part of
//! each. Per head `P = softmax(q·kᵀ·factor)`, `out = P·v`, with `factor = 1/√(width / heads)` (Vaswani et al. 2017, arXiv
//! 1706.03762). A score's sum starts from 0 and goes over the head's numbers ascending and is then multiplied by the
//! factor; an output's goes over the keys ascending; a gradient's over tokens or the head's numbers, likewise ascending.
//! The softmax along the keys is [`softmax`]'s.

mod gradient;
mod panels;

use crate::lanes::F32x4;
use crate::math::exp;
use crate::reduce;
use panels::{HIGH, WIDE, pack_rows, pack_turned, pack_turned_four, store_tile, take, tile};

pub use gradient::gradient;

/// The shape of an attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Attention {
    /// Tokens of a row (of a batch).
    pub tokens: usize,
    /// Numbers of a token's output: all heads together, a multiple of `heads`.
    pub width: usize,
    /// Heads.
    pub heads: usize,
}

impl Attention {
    /// Numbers of a row's queries, keys and values.
    #[must_use]
    pub const fn input_len(&self) -> usize {
        self.tokens * 3 * self.width
    }

    /// Numbers of a row's output.
    #[must_use]
    pub const fn out_len(&self) -> usize {
        self.tokens * self.width
    }

    /// Numbers that a row's probabilities have: `[heads][tokens][tokens]`, the last being the keys.
    #[must_use]
    pub const fn probabilities_len(&self) -> usize {
        self.heads * self.tokens * self.tokens
    }

    /// Numbers of scratch that [`forward`] needs.
    #[must_use]
    pub const fn scratch_len(&self) -> usize {
        let keys = self.tokens.next_multiple_of(WIDE);
        let head = self.head();
        keys * head
            + head.next_multiple_of(WIDE) * self.tokens
            + HIGH * head
            + HIGH * keys
            + HIGH * keys
    }

    /// Numbers of a head.
    const fn head(&self) -> usize {
        self.width / self.heads
    }

    /// What scores are multiplied by.
    fn factor(&self) -> f32 {
        1.0 / (self.head() as f32).sqrt()
    }

    fn rows(&self, input: &[f32], out: &[f32]) -> usize {
        assert_eq!(self.width % self.heads, 0, "heads of one width in {self:?}");
        let rows = out.len() / self.out_len();
        assert_eq!(out.len(), rows * self.out_len(), "outputs of {self:?}");
        assert_eq!(input.len(), rows * self.input_len(), "inputs of {self:?}");
        rows
    }
}

/// The outputs of as many rows as `out` has; `probabilities`, where given, receives what the gradient needs.
///
/// # Panics
/// Where a slice does not fit the shape.
pub fn forward(
    shape: &Attention,
    input: &[f32],
    out: &mut [f32],
    mut probabilities: Option<&mut [f32]>,
    scratch: &mut [f32],
) {
    let rows = shape.rows(input, out);
    assert_eq!(scratch.len(), shape.scratch_len(), "scratch of {shape:?}");
    if let Some(probabilities) = &probabilities {
        let wanted = rows * shape.probabilities_len();
        assert_eq!(probabilities.len(), wanted, "probabilities of {shape:?}");
    }
    let places = shape.tokens * shape.tokens;
    let inputs = input.chunks_exact(shape.input_len());
    for (row, (input, out)) in inputs
        .zip(out.chunks_exact_mut(shape.out_len()))
        .enumerate()
    {
        for head in 0..shape.heads {
            let kept = probabilities
                .as_deref_mut()
                .map(|all| &mut all[(row * shape.heads + head) * places..][..places]);
            head_forward(shape, head, input, out, kept, scratch);
        }
    }
}

/// One head of one row.
fn head_forward(
    shape: &Attention,
    head: usize,
    input: &[f32],
    out: &mut [f32],
    mut kept: Option<&mut [f32]>,
    mut scratch: &mut [f32],
) {
    let Attention { tokens, width, .. } = *shape;
    let head_width = shape.head();
    let line = tokens.next_multiple_of(WIDE);
    let [query, key, value] = [0, 1, 2].map(|part| part * width + head * head_width);
    let keys = take(&mut scratch, line * head_width);
    let values = take(&mut scratch, head_width.next_multiple_of(WIDE) * tokens);
    let queries = take(&mut scratch, HIGH * head_width);
    let scores = take(&mut scratch, HIGH * line);
    let turned = take(&mut scratch, HIGH * line);
    pack_turned(&input[key..], 3 * width, [tokens, head_width], keys);
    pack_rows(&input[value..], 3 * width, [tokens, head_width], values);
    let factor = shape.factor();
    for first in (0..tokens).step_by(HIGH) {
        let count = HIGH.min(tokens - first);
        let from = &input[first * 3 * width + query..];
        pack_turned_four(from, 3 * width, [count, head_width], queries);
        let (queries, _) = queries.as_chunks::<HIGH>();
        for (panel, keys) in keys.chunks_exact(WIDE * head_width).enumerate() {
            let sums = tile(queries, keys.as_chunks::<WIDE>().0);
            for (row, sums) in sums.into_iter().enumerate() {
                let scaled = sums.map(|sum| sum * F32x4::splat(factor));
                F32x4::store_run(scaled, &mut scores[row * line + panel * WIDE..]);
            }
        }
        for (row, scores) in scores.chunks_exact_mut(line).take(count).enumerate() {
            scores[tokens..].fill(f32::NEG_INFINITY);
            softmax_of(scores.as_chunks_mut().0, &mut []);
            if let Some(kept) = &mut kept {
                kept[(first + row) * tokens..][..tokens].copy_from_slice(&scores[..tokens]);
            }
        }
        pack_turned_four(scores, line, [count, tokens], &mut turned[..HIGH * tokens]);
        let (left, _) = turned[..HIGH * tokens].as_chunks::<HIGH>();
        for (panel, values) in values.chunks_exact(WIDE * tokens).enumerate() {
            let sums = tile(left, values.as_chunks::<WIDE>().0);
            let column = panel * WIDE;
            let size = [count, WIDE.min(head_width - column)];
            let into = &mut out[first * width + head * head_width + column..];
            store_tile(sums, into, width, size);
        }
    }
}

/// `eˣ⁻ᵐ / Σ eˣ⁻ᵐ` in place of each x of a row, m being the largest: the exponentials, then their sum in the order of
/// `reduce`, then each times `1 / sum`. NaN anywhere makes all NaN.
pub fn softmax(row: &mut [f32]) {
    let (eights, rest) = row.as_chunks_mut::<8>();
    // What fills the last eight up is −∞, and its exponential 0: neither changes a maximum or a sum.
    let mut last = [f32::NEG_INFINITY; 8];
    last[..rest.len()].copy_from_slice(rest);
    softmax_of(
        eights,
        if rest.is_empty() {
            &mut []
        } else {
            std::slice::from_mut(&mut last)
        },
    );
    rest.copy_from_slice(&last[..rest.len()]);
}

/// The softmax of a row in two parts.
#[inline(always)]
fn softmax_of(row: &mut [[f32; 8]], last: &mut [[f32; 8]]) {
    let mut largest = [F32x4::splat(f32::NEG_INFINITY); 2];
    for eight in row.iter().chain(&*last) {
        let [low, high] = F32x4::load_run(eight);
        largest = [low.max(largest[0]), high.max(largest[1])];
    }
    let largest = F32x4::splat(reduce::of_lanes(largest[0].max(largest[1]), reduce::larger));
    let mut sums = [F32x4::zero(); 2];
    for eight in row.iter_mut().chain(&mut *last) {
        let [low, high] = F32x4::load_run(eight).map(|x| exp(x - largest));
        sums = [sums[0] + low, sums[1] + high];
        F32x4::store_run([low, high], eight);
    }
    let sum = reduce::of_lanes(sums[0] + sums[1], |a, b| a + b);
    let share = F32x4::splat(1.0 / sum);
    for eight in row.iter_mut().chain(last) {
        let parts: [F32x4; 2] = F32x4::load_run(eight);
        F32x4::store_run(parts.map(|part| part * share), eight);
    }
}

#[cfg(test)]
mod tests;
