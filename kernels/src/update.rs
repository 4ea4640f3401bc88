//! What the optimizers do to flat slices of parameters; the numbers of a step come from the trainer's formulas.
//!
//! The same operations in the same order as the trainer's reference for one number, so the same bits: sums, products,
//! quotients and square roots, each rounded once.

use crate::lanes::F32x4;

/// Stochastic gradient descent with momentum: `v ← momentum·v + (g + decay·w)`, `w ← w − rate·v`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sgd {
    /// `rate`.
    pub learning_rate: f32,
    /// `momentum`.
    pub momentum: f32,
    /// `decay`; 0 for parameters that do not decay.
    pub weight_decay: f32,
}

/// AdamW: `m ← keep₁·m + take₁·g`, `v ← keep₂·v + take₂·(g·g)`, `w ← (w − shrink·w) − rate·m / (√(v·scale) + ε)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamW {
    /// `keep₁` and `take₁`: β₁ and 1 − β₁, each rounded to f32.
    pub first: [f32; 2],
    /// `keep₂` and `take₂`: β₂ and 1 − β₂, each rounded to f32.
    pub second: [f32; 2],
    /// `rate`: the learning rate over `1 − β₁ᵗ`.
    pub rate: f32,
    /// `scale`: 1 over `1 − β₂ᵗ`.
    pub scale: f32,
    /// `shrink`: learning rate times weight decay; 0 for parameters that do not decay.
    pub shrink: f32,
    /// `ε`.
    pub epsilon: f32,
}

impl Sgd {
    /// One step on each number.
    ///
    /// # Panics
    /// Where the lengths differ.
    pub fn apply(&self, weights: &mut [f32], gradients: &[f32], velocities: &mut [f32]) {
        assert_eq!(weights.len(), gradients.len(), "weights and gradients");
        assert_eq!(weights.len(), velocities.len(), "weights and velocities");
        let rate = F32x4::splat(self.learning_rate);
        let momentum = F32x4::splat(self.momentum);
        let decay = F32x4::splat(self.weight_decay);
        let step = |w: F32x4, g: F32x4, v: F32x4| {
            let v = momentum * v + (g + decay * w);
            (w - rate * v, v)
        };
        let (weights, weights_rest) = weights.as_chunks_mut::<4>();
        let (gradients, gradients_rest) = gradients.as_chunks::<4>();
        let (velocities, velocities_rest) = velocities.as_chunks_mut::<4>();
        for ((weight, gradient), velocity) in weights.iter_mut().zip(gradients).zip(velocities) {
            let (w, v) = step(
                F32x4::load(weight),
                F32x4::load(gradient),
                F32x4::load(velocity),
            );
            w.store(weight);
            v.store(velocity);
        }
        let (w, v) = step(
            F32x4::from_rest(weights_rest),
            F32x4::from_rest(gradients_rest),
            F32x4::from_rest(velocities_rest),
        );
        w.write_to_rest(weights_rest);
        v.write_to_rest(velocities_rest);
    }
}

impl AdamW {
    /// One step on each number; `means` and `squares` are `m` and `v`.
    ///
    /// # Panics
    /// Where the lengths differ.
    pub fn apply(
        &self,
        weights: &mut [f32],
        gradients: &[f32],
        means: &mut [f32],
        squares: &mut [f32],
    ) {
        assert_eq!(weights.len(), gradients.len(), "weights and gradients");
        assert_eq!(weights.len(), means.len(), "weights and mean gradients");
        assert_eq!(weights.len(), squares.len(), "weights and mean squares");
        let [keep1, take1] = self.first.map(F32x4::splat);
        let [keep2, take2] = self.second.map(F32x4::splat);
        let [rate, scale, shrink, epsilon] =
            [self.rate, self.scale, self.shrink, self.epsilon].map(F32x4::splat);
        let step = |w: F32x4, g: F32x4, m: F32x4, v: F32x4| {
            let m = keep1 * m + take1 * g;
            let v = keep2 * v + take2 * (g * g);
            let step = rate * m / ((v * scale).sqrt() + epsilon);
            (w - shrink * w - step, m, v)
        };
        let (weights, weights_rest) = weights.as_chunks_mut::<4>();
        let (gradients, gradients_rest) = gradients.as_chunks::<4>();
        let (means, means_rest) = means.as_chunks_mut::<4>();
        let (squares, squares_rest) = squares.as_chunks_mut::<4>();
        let moments = means.iter_mut().zip(squares);
        for ((weight, gradient), (mean, square)) in weights.iter_mut().zip(gradients).zip(moments) {
            let (w, m, v) = step(
                F32x4::load(weight),
                F32x4::load(gradient),
                F32x4::load(mean),
                F32x4::load(square),
            );
            w.store(weight);
            m.store(mean);
            v.store(square);
        }
        let (w, m, v) = step(
            F32x4::from_rest(weights_rest),
            F32x4::from_rest(gradients_rest),
            F32x4::from_rest(means_rest),
            F32x4::from_rest(squares_rest),
        );
        w.write_to_rest(weights_rest);
        m.write_to_rest(means_rest);
        v.write_to_rest(squares_rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_bits, drawn};

    const LENGTHS: [usize; 8] = [0, 1, 2, 3, 4, 5, 64, 101];

    #[test]
    fn sgd_has_the_bits_of_the_plain_loop() {
        for length in LENGTHS {
            for weight_decay in [0.0, 0.01] {
                let sgd = Sgd {
                    learning_rate: 0.1,
                    momentum: 0.9,
                    weight_decay,
                };
                let (mut w, mut v) = (drawn(length, 1), vec![0.0; length]);
                let (mut wanted_w, mut wanted_v) = (w.clone(), v.clone());
                for step in 0..3 {
                    let g = drawn(length, 10 + step);
                    for index in 0..length {
                        wanted_v[index] = sgd.momentum * wanted_v[index]
                            + (g[index] + sgd.weight_decay * wanted_w[index]);
                        wanted_w[index] -= sgd.learning_rate * wanted_v[index];
                    }
                    sgd.apply(&mut w, &g, &mut v);
                    assert_bits(&w, &wanted_w, "weights");
                    assert_bits(&v, &wanted_v, "velocities");
                }
            }
        }
    }

    #[test]
    fn adamw_has_the_bits_of_the_plain_loop() {
        for length in LENGTHS {
            for shrink in [0.0, 0.001] {
                let adamw = AdamW {
                    first: [0.9, (1.0_f64 - 0.9) as f32],
                    second: [0.999, (1.0_f64 - 0.999) as f32],
                    rate: 0.1,
                    scale: 1000.0,
                    shrink,
                    epsilon: 1e-8,
                };
                let (mut w, mut m, mut v) =
                    (drawn(length, 1), vec![0.0; length], vec![0.0; length]);
                let (mut wanted_w, mut wanted_m, mut wanted_v) = (w.clone(), m.clone(), v.clone());
                for step in 0..3 {
                    let g = drawn(length, 10 + step);
                    for index in 0..length {
                        let [w, m, v] = [
                            &mut wanted_w[index],
                            &mut wanted_m[index],
                            &mut wanted_v[index],
                        ];
                        *m = adamw.first[0] * *m + adamw.first[1] * g[index];
                        *v = adamw.second[0] * *v + adamw.second[1] * (g[index] * g[index]);
                        let step = adamw.rate * *m / ((*v * adamw.scale).sqrt() + adamw.epsilon);
                        *w = *w - adamw.shrink * *w - step;
                    }
                    adamw.apply(&mut w, &g, &mut m, &mut v);
                    assert_bits(&w, &wanted_w, "weights");
                    assert_bits(&m, &wanted_m, "mean gradients");
                    assert_bits(&v, &wanted_v, "mean squares");
                }
            }
        }
    }
}
