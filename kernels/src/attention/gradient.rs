//! The gradient of an attention.

use super::Attention;
use super::panels::{
    HIGH, WIDE, pack_four, pack_rows, pack_turned, pack_turned_four, store_tile, take, tile,
};
use crate::lanes::F32x4;
use crate::reduce;

impl Attention {
    /// Numbers of scratch that [`gradient`] needs.
    #[must_use]
    pub const fn gradient_scratch_len(&self) -> usize {
        let line = self.tokens.next_multiple_of(WIDE);
        let head = self.head();
        let longer = if self.tokens > head {
            self.tokens
        } else {
            head
        };
        3 * head.next_multiple_of(WIDE) * self.tokens
            + line * head
            + HIGH * longer
            + line * self.tokens
    }
}

/// The gradient of queries, keys and values from that of the output; `d_input` is overwritten.
///
/// Per head, with the forward pass's probabilities P: `dv = Pᵀ·dy`, `dP = dy·vᵀ`, `dS = P·(dP − Σ P·dP)·factor` with the
/// sum along the keys in the order of `reduce`, `dq = dS·k`, `dk = dSᵀ·q`.
///
/// # Panics
/// Where a slice does not fit the shape.
pub fn gradient(
    shape: &Attention,
    input: &[f32],
    probabilities: &[f32],
    dy: &[f32],
    d_input: &mut [f32],
    scratch: &mut [f32],
) {
    let rows = shape.rows(input, dy);
    assert_eq!(d_input.len(), input.len(), "inputs and their gradients");
    assert_eq!(
        scratch.len(),
        shape.gradient_scratch_len(),
        "scratch of {shape:?}"
    );
    let wanted = rows * shape.probabilities_len();
    assert_eq!(probabilities.len(), wanted, "probabilities of {shape:?}");
    let inputs = input
        .chunks_exact(shape.input_len())
        .zip(dy.chunks_exact(shape.out_len()));
    let rows = inputs
        .zip(probabilities.chunks_exact(shape.probabilities_len()))
        .zip(d_input.chunks_exact_mut(shape.input_len()));
    for (((input, dy), probabilities), d_input) in rows {
        let heads = probabilities.chunks_exact(shape.tokens * shape.tokens);
        for (head, probabilities) in heads.enumerate() {
            head_gradient(shape, head, [input, probabilities, dy], d_input, scratch);
        }
    }
}

/// One head of one row; of the slices, input, probabilities and the output's gradient.
fn head_gradient(
    shape: &Attention,
    head: usize,
    [input, probabilities, dy]: [&[f32]; 3],
    d_input: &mut [f32],
    mut scratch: &mut [f32],
) {
    let Attention { tokens, width, .. } = *shape;
    let head_width = shape.head();
    let line = tokens.next_multiple_of(WIDE);
    let stride = 3 * width;
    let at = head * head_width;
    let [query, key, value] = [0, 1, 2].map(|part| part * width + at);
    let size = [tokens, head_width];
    let packed = head_width.next_multiple_of(WIDE) * tokens;
    let [queries, keys, outputs] = [0; 3].map(|_| take(&mut scratch, packed));
    let values = take(&mut scratch, line * head_width);
    let left = take(&mut scratch, HIGH * tokens.max(head_width));
    let slopes = take(&mut scratch, line * tokens);
    pack_rows(&input[query..], stride, size, queries);
    pack_rows(&input[key..], stride, size, keys);
    pack_rows(&dy[at..], width, size, outputs);
    pack_turned(&input[value..], stride, size, values);
    for first in (0..tokens).step_by(HIGH) {
        let count = HIGH.min(tokens - first);
        let slopes = &mut slopes[first * line..(first + count) * line];
        pack_turned_four(&dy[first * width + at..], width, [count, head_width], left);
        let (gradients, _) = left[..HIGH * head_width].as_chunks::<HIGH>();
        for (panel, values) in values.chunks_exact(WIDE * head_width).enumerate() {
            let sums = tile(gradients, values.as_chunks::<WIDE>().0);
            store_tile(sums, &mut slopes[panel * WIDE..], line, [count, WIDE]);
        }
        let chances = probabilities[first * tokens..].chunks_exact(tokens);
        for (slopes, chances) in slopes.chunks_exact_mut(line).zip(chances) {
            softmax_gradient(chances, &mut slopes[..tokens], shape.factor());
        }
        pack_turned_four(slopes, line, [count, tokens], left);
        let into = &mut d_input[first * stride + query..];
        multiply(
            &left[..HIGH * tokens],
            keys,
            into,
            stride,
            [count, head_width],
        );
    }
    for first in (0..tokens).step_by(HIGH) {
        let count = HIGH.min(tokens - first);
        let left = &mut left[..HIGH * tokens];
        pack_four(&slopes[first..], line, count, left.as_chunks_mut().0);
        let into = &mut d_input[first * stride + key..];
        multiply(left, queries, into, stride, [count, head_width]);
        pack_four(
            &probabilities[first..],
            tokens,
            count,
            left.as_chunks_mut().0,
        );
        let into = &mut d_input[first * stride + value..];
        multiply(left, outputs, into, stride, [count, head_width]);
    }
}

/// Up to four rows of a product from a left side and all panels of a right side.
fn multiply(
    left: &[f32],
    right: &[f32],
    into: &mut [f32],
    stride: usize,
    [rows, columns]: [usize; 2],
) {
    let (left, _) = left.as_chunks::<HIGH>();
    for (panel, right) in right.chunks_exact(WIDE * left.len()).enumerate() {
        let column = panel * WIDE;
        let size = [rows, WIDE.min(columns - column)];
        let sums = tile(left, right.as_chunks::<WIDE>().0);
        store_tile(sums, &mut into[column..], stride, size);
    }
}

/// `P·(dP − Σ P·dP)·factor` in place of dP.
fn softmax_gradient(probabilities: &[f32], slopes: &mut [f32], factor: f32) {
    let sum = F32x4::splat(reduce::sum_of_pairs(probabilities, slopes, |p, d| p * d));
    let factor = F32x4::splat(factor);
    let of = |p: F32x4, d: F32x4| p * (d - sum) * factor;
    let (probabilities, p_rest) = probabilities.as_chunks::<4>();
    let (slopes, d_rest) = slopes.as_chunks_mut::<4>();
    for (p, d) in probabilities.iter().zip(slopes) {
        of(F32x4::load(p), F32x4::load(d)).store(d);
    }
    of(F32x4::from_rest(p_rest), F32x4::from_rest(d_rest)).write_to_rest(d_rest);
}
