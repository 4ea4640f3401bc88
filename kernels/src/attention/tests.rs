//! Attention against its formulas, bit for bit in the stated order, and its gradient against central differences.

use super::*;
use crate::math::exp_scalar;
use crate::testing::{U, assert_bits, assert_within, central_differences, drawn, wide};

fn shapes() -> Vec<Attention> {
    let sizes = [
        [1, 1, 1],
        [2, 3, 1],
        [3, 8, 2],
        [5, 6, 3],
        [7, 20, 2],
        [8, 16, 1],
        [13, 12, 4],
        [17, 32, 2],
    ];
    sizes
        .into_iter()
        .map(|[tokens, width, heads]| Attention {
            tokens,
            width,
            heads,
        })
        .collect()
}

/// The stated formulas on one row as loops: output and probabilities.
fn plain(shape: &Attention, input: &[f32]) -> [Vec<f32>; 2] {
    let Attention {
        tokens,
        width,
        heads,
    } = *shape;
    let size = width / heads;
    let (mut out, mut probabilities) = (vec![0.0; shape.out_len()], Vec::new());
    for head in 0..heads {
        let part = |part: usize, token: usize, index: usize| {
            input[token * 3 * width + part * width + head * size + index]
        };
        for query in 0..tokens {
            let scores: Vec<f32> = (0..tokens)
                .map(|key| {
                    let products = (0..size).map(|at| part(0, query, at) * part(1, key, at));
                    products.fold(0.0, |sum, product| sum + product) * shape.factor()
                })
                .collect();
            let largest = reduce::maximum(&scores);
            let raised: Vec<f32> = scores.iter().map(|s| exp_scalar(s - largest)).collect();
            let share = 1.0 / reduce::sum(&raised);
            let row: Vec<f32> = raised.iter().map(|e| e * share).collect();
            for at in 0..size {
                let products = (0..tokens).map(|key| row[key] * part(2, key, at));
                out[query * width + head * size + at] = products.fold(0.0, |sum, p| sum + p);
            }
            probabilities.extend(row);
        }
    }
    [out, probabilities]
}

/// The stated formulas of the gradient on one row.
fn plain_gradient(shape: &Attention, input: &[f32], probabilities: &[f32], dy: &[f32]) -> Vec<f32> {
    let Attention {
        tokens,
        width,
        heads,
    } = *shape;
    let size = width / heads;
    let mut d_input = vec![9.0; input.len()];
    for head in 0..heads {
        let place = |part: usize, token: usize, at: usize| {
            token * 3 * width + part * width + head * size + at
        };
        let slope = |token: usize, at: usize| dy[token * width + head * size + at];
        let chance =
            |query: usize, key: usize| probabilities[(head * tokens + query) * tokens + key];
        let sum = |terms: &mut dyn Iterator<Item = f32>| terms.fold(0.0, |sum, term| sum + term);
        let scores: Vec<Vec<f32>> = (0..tokens)
            .map(|query| {
                let d: Vec<f32> = (0..tokens)
                    .map(|key| {
                        sum(&mut (0..size).map(|at| slope(query, at) * input[place(2, key, at)]))
                    })
                    .collect();
                let products: Vec<f32> =
                    (0..tokens).map(|key| chance(query, key) * d[key]).collect();
                let along = reduce::sum(&products);
                (0..tokens)
                    .map(|key| chance(query, key) * (d[key] - along) * shape.factor())
                    .collect()
            })
            .collect();
        for token in 0..tokens {
            for at in 0..size {
                d_input[place(0, token, at)] =
                    sum(&mut (0..tokens).map(|key| scores[token][key] * input[place(1, key, at)]));
                d_input[place(1, token, at)] =
                    sum(&mut (0..tokens)
                        .map(|query| scores[query][token] * input[place(0, query, at)]));
                d_input[place(2, token, at)] =
                    sum(&mut (0..tokens).map(|query| chance(query, token) * slope(query, at)));
            }
        }
    }
    d_input
}

#[test]
fn outputs_and_gradients_have_the_bits_of_the_formulas() {
    for shape in shapes() {
        let rows = 3;
        let input: Vec<f32> = drawn(rows * shape.input_len(), 1)
            .iter()
            .map(|x| 2.0 * x)
            .collect();
        let dy = drawn(rows * shape.out_len(), 2);
        let [mut out, mut again] = [0; 2].map(|_| vec![9.0; dy.len()]);
        let mut probabilities = vec![9.0; rows * shape.probabilities_len()];
        let mut d_input = vec![8.0; input.len()];
        let mut scratch = vec![9.0; shape.scratch_len()];
        forward(
            &shape,
            &input,
            &mut out,
            Some(&mut probabilities),
            &mut scratch,
        );
        forward(&shape, &input, &mut again, None, &mut scratch);
        let mut scratch = vec![9.0; shape.gradient_scratch_len()];
        gradient(
            &shape,
            &input,
            &probabilities,
            &dy,
            &mut d_input,
            &mut scratch,
        );
        let [mut wanted, mut wanted_probabilities, mut wanted_d] = [0; 3].map(|_| Vec::new());
        for (input, dy) in input
            .chunks(shape.input_len())
            .zip(dy.chunks(shape.out_len()))
        {
            let [out, row_probabilities] = plain(&shape, input);
            wanted_d.extend(plain_gradient(&shape, input, &row_probabilities, dy));
            wanted.extend(out);
            wanted_probabilities.extend(row_probabilities);
        }
        let what = format!("{shape:?}");
        assert_bits(&out, &wanted, &what);
        assert_bits(&again, &wanted, &what);
        assert_bits(&probabilities, &wanted_probabilities, &what);
        assert_bits(&d_input, &wanted_d, &what);
    }
}

/// The definition in f64.
fn exact(shape: &Attention, input: &[f64]) -> Vec<f64> {
    let Attention {
        tokens,
        width,
        heads,
    } = *shape;
    let size = width / heads;
    let mut out = vec![0.0; shape.out_len()];
    for head in 0..heads {
        let part = |part: usize, token: usize, at: usize| {
            input[token * 3 * width + part * width + head * size + at]
        };
        for query in 0..tokens {
            let scores: Vec<f64> = (0..tokens)
                .map(|key| {
                    let score: f64 = (0..size)
                        .map(|at| part(0, query, at) * part(1, key, at))
                        .sum();
                    (score / (size as f64).sqrt()).exp()
                })
                .collect();
            let total: f64 = scores.iter().sum();
            for at in 0..size {
                let sum: f64 = (0..tokens).map(|key| scores[key] * part(2, key, at)).sum();
                out[query * width + head * size + at] = sum / total;
            }
        }
    }
    out
}

#[test]
fn outputs_and_gradients_are_within_their_bounds() {
    for shape in shapes().into_iter().filter(|shape| shape.input_len() < 700) {
        let (input, dy) = (drawn(shape.input_len(), 1), drawn(shape.out_len(), 2));
        let mut out = vec![0.0; dy.len()];
        let mut probabilities = vec![0.0; shape.probabilities_len()];
        forward(
            &shape,
            &input,
            &mut out,
            Some(&mut probabilities),
            &mut vec![0.0; shape.scratch_len()],
        );
        // Numbers below 1: a score is off by (h + 2)·u·√h for h numbers of a head, a probability relatively by twice that
        // and its own sum's roundings, and an output, a mean of values, by that and its sum's.
        let head = (shape.width / shape.heads) as f64;
        let tokens = shape.tokens as f64;
        let probability = 2.0 * (head + 2.0) * head.sqrt() + tokens / 8.0 + 10.0;
        let bound = (probability + tokens) * U;
        let what = format!("{shape:?}");
        let wanted = exact(&shape, &wide(&input));
        assert_within(&out, &wanted, |_| bound, &what);
        let mut d_input = vec![0.0; input.len()];
        gradient(
            &shape,
            &input,
            &probabilities,
            &dy,
            &mut d_input,
            &mut vec![0.0; shape.gradient_scratch_len()],
        );
        let wanted = central_differences(&wide(&input), &dy, |x| exact(&shape, x));
        // dP is below h; a gradient sums at most one probability's weight of each token.
        let bound = 2.0 * (probability + tokens + head) * head * U + 1e-8;
        assert_within(&d_input, &wanted, |_| bound, &format!("gradient of {what}"));
    }
}

#[test]
fn probabilities_sum_to_one_for_large_scores_and_nan_spreads() {
    let mut row: Vec<f32> = drawn(65, 1).iter().map(|x| 300.0 * x).collect();
    softmax(&mut row);
    let sum: f64 = wide(&row).iter().sum();
    assert!((sum - 1.0).abs() < 65.0 * U);
    assert!(row.iter().all(|p| (0.0..=1.0).contains(p)));
    let mut row = [1.0, f32::NAN, 2.0];
    softmax(&mut row);
    assert!(row.iter().all(|p| p.is_nan()));
    let mut row = [3.0];
    softmax(&mut row);
    assert_eq!(row, [1.0]);
    softmax(&mut []);
}
