//! Softmax attention in integers: scores exact, the exponential by a table, probabilities with fourteen digits, 32 bits for
//! everything. That a softmax needs only differences from its largest score, and no more digits than its output has, is from
//! S. Kim et al., "I-BERT", 2021, arXiv 2101.01321, whose polynomial the table replaces.

use super::COLUMNS;
use super::dots::{Job, Places};
use super::requantize::Raw;
use crate::attention::Attention;
use crate::lanes::{I16x8, I32x4};

/// Entries of the table for each natural logarithm.
pub const EXPONENTS: usize = 64;
/// Entries of the table: beyond the last, a probability is 0 in fourteen digits.
const ENTRIES: usize = 672;
/// Tokens at most, so that outputs' sums fit 32 bits.
pub const MOST_TOKENS: usize = 512;
/// The largest entry: fourteen digits.
const LARGEST: i32 = 16_383;
/// Room of the table: a power of two, so that an index needs no test.
const TABLE: usize = 1024;

/// An attention that is ready to run. Per head: scores `s = Σ q·k`; `i = ⌊((largest − s)·m / 2¹⁶ + 2^(t−1)) / 2^t⌋`,
/// `e = [16383·exp(−i/64)]` by a table; `a = Σ e·v / Σ e` with six digits behind the point, rounded down twice; and
/// `out = min(max(⌊(a·n + 2^(u−1)) / 2^u⌋, low), high)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegerAttention {
    /// Its sizes.
    pub shape: Attention,
    /// `m` and `t`: from a difference of scores to an entry of the table.
    pub index: [i32; 2],
    /// `n` and `u`: from `a` to the output's steps.
    pub output: [i32; 2],
    /// The smallest and the largest result.
    pub range: [i16; 2],
    table: Box<[i16; TABLE]>,
}

/// What a head's numbers are packed into; it grows to what is needed.
#[derive(Debug, Default)]
pub struct AttentionScratch {
    panels: Vec<i16>,
    bias: Vec<i32>,
    sums: Vec<i32>,
    powers: Vec<i16>,
    of_powers: Vec<i32>,
}

impl IntegerAttention {
    /// With its table.
    #[must_use]
    pub fn new(shape: Attention, index: [i32; 2], output: [i32; 2], range: [i16; 2]) -> Self {
        let entry = |at: usize| {
            let power = crate::math::exp_scalar(-(at as f32) / EXPONENTS as f32);
            let power = LARGEST as f32 * power + 0.5;
            if at < ENTRIES { power as i16 } else { 0 }
        };
        Self {
            shape,
            index,
            output,
            range,
            table: Box::new(std::array::from_fn(entry)),
        }
    }

    /// The powers by place, those beyond the last entry 0.
    #[must_use]
    pub fn table(&self) -> &[i16] {
        self.table.as_slice()
    }

    /// Row by row.
    #[inline(never)]
    pub fn forward(&self, x: &[i16], out: &mut [i16], scratch: &mut AttentionScratch) {
        let shape = &self.shape;
        let rows = out.chunks_exact_mut(shape.out_len());
        for (x, out) in x.chunks_exact(shape.input_len()).zip(rows) {
            for head in 0..shape.heads {
                self.head(head, x, out, scratch);
            }
        }
    }

    fn head(&self, head: usize, x: &[i16], out: &mut [i16], scratch: &mut AttentionScratch) {
        let Attention {
            tokens,
            width,
            heads,
        } = self.shape;
        let own = width / heads;
        let first = head * own;
        let part =
            |token: usize, part: usize| &x[token * 3 * width + part * width + first..][..own];
        let (keys, channels) = (
            tokens.next_multiple_of(COLUMNS),
            own.next_multiple_of(COLUMNS),
        );
        // Powers in whole registers, those beyond the last 0.
        let line = keys;
        scratch.bias.resize(keys.max(channels), 0);
        scratch.sums.resize(tokens * keys.max(channels), 0);
        scratch.powers.resize(tokens * line, 0);
        let keys_of = (0..tokens).map(|token| part(token, 1));
        pack_columns(&mut scratch.panels, keys_of, [tokens, own]);
        Job {
            input: &x[first..],
            runs: &[0],
            pairs: own.div_ceil(2),
            panels: &scratch.panels,
            columns: tokens,
            bias: &scratch.bias,
        }
        .run(
            Places::rows(tokens, [3 * width, keys]),
            Raw,
            &mut scratch.sums,
        );
        let scores = scratch.sums.chunks_exact_mut(keys);
        scratch.of_powers.clear();
        for (scores, powers) in scores.zip(scratch.powers.chunks_exact_mut(line)) {
            let largest = scores[..tokens].iter().copied().fold(i32::MIN, i32::max);
            scores[tokens..].fill(largest);
            scratch.of_powers.push(self.powers(largest, scores, powers));
        }
        pack_rows(&mut scratch.panels, |token| part(token, 2), [own, tokens]);
        Job {
            input: &scratch.powers,
            runs: &[0],
            pairs: tokens.div_ceil(2),
            panels: &scratch.panels,
            columns: own,
            bias: &scratch.bias,
        }
        .run(
            Places::rows(tokens, [line, channels]),
            Raw,
            &mut scratch.sums,
        );
        let sums = scratch.sums.chunks_exact(channels);
        for (query, (sums, &of_powers)) in sums.zip(&scratch.of_powers).enumerate() {
            self.finish(sums, of_powers, &mut out[query * width + first..][..own]);
        }
    }

    /// The powers of what scores are below the largest, and their sum.
    fn powers(&self, largest: i32, lines: &[i32], powers: &mut [i16]) -> i32 {
        let [multiplier, shift] = self.index;
        let (most, multiplier) = (I32x4::splat(largest), I32x4::splat(multiplier));
        let half = I32x4::splat((1 << shift) >> 1);
        let eights = lines.as_chunks::<8>().0.iter();
        for (scores, to) in eights.zip(powers.as_chunks_mut::<8>().0) {
            let scores = scores.as_chunks::<4>().0;
            let places = [&scores[0], &scores[1]].map(|it| {
                let scaled = (most - I32x4::load(it)).high_product(multiplier) + half;
                scaled.shifted_right(shift)
            });
            (I16x8::narrowed(places).min(I16x8::splat(ENTRIES as i16))).store(to);
        }
        let mut sum = 0;
        let (powers, beyond) = powers.split_at_mut(self.shape.tokens);
        for to in powers {
            // No index is above the last entry, which is 0, and the table is longer.
            *to = self.table[*to as usize % TABLE];
            sum += i32::from(*to);
        }
        beyond.fill(0);
        sum
    }

    /// Sums of values over the sum of powers, in the output's steps.
    fn finish(&self, sums: &[i32], of_powers: i32, out: &mut [i16]) {
        // At least the largest score's own power, so one over it has a digit before the point in fifteen.
        let up = of_powers.leading_zeros() - 1;
        let inverse = ((1 << 29) / ((of_powers << up) >> 16)).min(32_767);
        let inverse = I32x4::splat(inverse);
        let [multiplier, shift] = self.output;
        let half = I32x4::splat((1 << shift) >> 1);
        let multiplier = I16x8::splat(multiplier as i16);
        let [low, high] = self.range.map(I16x8::splat);
        for (sums, out) in sums.as_chunks::<8>().0.iter().zip(out.chunks_mut(8)) {
            let sums = sums.as_chunks::<4>().0;
            let means = [&sums[0], &sums[1]].map(|it| {
                let product = I32x4::load(it).high_product(inverse);
                product.shifted_right(23 - up as i32)
            });
            let rounded = I16x8::narrowed(means)
                .zip(I16x8::splat(0))
                .map(|it| (it.dot(multiplier) + half).shifted_right(shift));
            (I16x8::narrowed(rounded).max(low).min(high)).write_to_start(out);
        }
    }
}

/// `[⌈tokens / 8⌉][pairs][8][2]`: lines of numbers as columns of a product; beyond the last 0.
fn pack_columns<'a>(
    panels: &mut Vec<i16>,
    lines: impl Iterator<Item = &'a [i16]>,
    sizes: [usize; 2],
) {
    let [columns, length] = sizes;
    let size = length.div_ceil(2) * COLUMNS * 2;
    panels.clear();
    panels.resize(columns.div_ceil(COLUMNS) * size, 0);
    for (column, line) in lines.take(columns).enumerate() {
        let panel = &mut panels[column / COLUMNS * size..][..size];
        let pairs = panel.chunks_exact_mut(2 * COLUMNS).zip(line.chunks(2));
        for (to, pair) in pairs {
            to[column % COLUMNS * 2..][..pair.len()].copy_from_slice(pair);
        }
    }
}

/// The same of lines that are rows of the product: two neighbours' numbers side by side.
fn pack_rows<'a>(panels: &mut Vec<i16>, line: impl Fn(usize) -> &'a [i16], sizes: [usize; 2]) {
    let [columns, length] = sizes;
    let size = length.div_ceil(2) * COLUMNS * 2;
    panels.clear();
    panels.resize(columns.div_ceil(COLUMNS) * size, 0);
    for (first, panel) in (0..).step_by(COLUMNS).zip(panels.chunks_exact_mut(size)) {
        let part = |row: usize| {
            let line = line(row);
            I16x8::from_start(&line[first..(first + COLUMNS).min(line.len())])
        };
        for (row, to) in (0..)
            .step_by(2)
            .zip(panel.as_chunks_mut::<8>().0.chunks_exact_mut(2))
        {
            let beside = if row + 1 < length {
                part(row + 1)
            } else {
                I16x8::splat(0)
            };
            let [low, high] = part(row).zip(beside);
            low.store(&mut to[0]);
            high.store(&mut to[1]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::drawn;

    fn numbers(count: usize, seed: u64, size: f32) -> Vec<i16> {
        drawn(count, seed)
            .iter()
            .map(|value| (value * size) as i16)
            .collect()
    }

    /// The attention in f64, with steps of `x` and `out`.
    fn reference(shape: &Attention, x: &[i16], step: f64, out_step: f64) -> Vec<f64> {
        let own = shape.width / shape.heads;
        let at = |token: usize, part: usize, channel: usize| {
            step * f64::from(x[token * 3 * shape.width + part * shape.width + channel])
        };
        let mut out = vec![0.0; shape.out_len()];
        for head in 0..shape.heads {
            for query in 0..shape.tokens {
                let scores: Vec<f64> = (0..shape.tokens)
                    .map(|key| {
                        let sum: f64 = (0..own)
                            .map(|it| at(query, 0, head * own + it) * at(key, 1, head * own + it))
                            .sum();
                        sum / (own as f64).sqrt()
                    })
                    .collect();
                let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let powers: Vec<f64> = scores.iter().map(|it| (it - largest).exp()).collect();
                let all: f64 = powers.iter().sum();
                for it in 0..own {
                    let sum: f64 = (powers.iter().enumerate())
                        .map(|(key, power)| power * at(key, 2, head * own + it))
                        .sum();
                    out[query * shape.width + head * own + it] = sum / all / out_step;
                }
            }
        }
        out
    }

    #[test]
    fn an_attention_is_within_a_step_of_the_exact_one() {
        for (tokens, width, heads) in [(1, 4, 1), (5, 12, 2), (16, 64, 4), (49, 21, 3), (512, 8, 2)]
        {
            for size in [30.0, 255.4] {
                let shape = Attention {
                    tokens,
                    width,
                    heads,
                };
                let x = numbers(2 * shape.input_len(), 7, size);
                let (step, out_step) = (0.012, 0.009);
                let own = (width / heads) as f64;
                let dyadic = |factor: f64, extra: i32| {
                    let shift = (1..=30)
                        .rev()
                        .find(|it| (factor * 2f64.powi(extra + it)).round() <= 32_767.0);
                    let shift = shift.expect("a factor that is small enough");
                    [(factor * 2f64.powi(extra + shift)).round() as i32, shift]
                };
                let attention = IntegerAttention::new(
                    shape,
                    dyadic(step * step / own.sqrt() * EXPONENTS as f64, 16),
                    dyadic(step / out_step / 64.0, 0),
                    [-255, 255],
                );
                let mut out = vec![0; 2 * shape.out_len()];
                attention.forward(&x, &mut out, &mut AttentionScratch::default());
                // Half a step, a 64th of the input's, and eight thousandths of a probability.
                let bound = 0.55 + 0.015 * 255.0 * step / out_step;
                let off = |out: &[i16]| {
                    let rows = x.chunks(shape.input_len()).zip(out.chunks(shape.out_len()));
                    rows.flat_map(|(x, out)| {
                        let wanted = reference(&shape, x, step, out_step).into_iter();
                        (out.iter().zip(wanted)).map(|(&found, wanted)| {
                            (f64::from(found) - wanted.clamp(-255.0, 255.0)).abs()
                        })
                    })
                    .fold(0.0, f64::max)
                };
                assert!(off(&out) <= bound, "{shape:?}: off by {}", off(&out));
                // A table that knows no difference would be found.
                let mut other = attention.clone();
                other.table.fill(LARGEST as i16);
                let mut wrong = vec![0; 2 * shape.out_len()];
                other.forward(&x, &mut wrong, &mut AttentionScratch::default());
                let tells = tokens > 1 && size >= 100.0;
                assert!(!tells || off(&wrong) > bound, "{shape:?}: {}", off(&wrong));
            }
        }
    }

    #[test]
    fn rows_and_scratch_do_not_depend_on_each_other() {
        let shape = Attention {
            tokens: 7,
            width: 10,
            heads: 2,
        };
        let attention = IntegerAttention::new(shape, [20_000, 6], [25_000, 20], [-200, 255]);
        let x = numbers(3 * shape.input_len(), 9, 200.0);
        let mut all = vec![0; 3 * shape.out_len()];
        let mut scratch = AttentionScratch::default();
        attention.forward(&x, &mut all, &mut scratch);
        let larger = Attention {
            tokens: 40,
            ..shape
        };
        let other = IntegerAttention::new(larger, [20_000, 6], [25_000, 20], [-200, 255]);
        let more = numbers(larger.input_len(), 2, 255.0);
        other.forward(&more, &mut vec![0; larger.out_len()], &mut scratch);
        for (x, wanted) in x.chunks(shape.input_len()).zip(all.chunks(shape.out_len())) {
            let mut out = vec![0; shape.out_len()];
            attention.forward(x, &mut out, &mut scratch);
            assert_eq!(out, wanted);
        }
    }
}
