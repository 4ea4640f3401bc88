//! What the optimizers do to one number; which numbers, and when, is the engine's and the trainer's business.
//!
//! Only sums, products, quotients and square roots are used, each rounded once, so every engine on a CPU gives the same
//! bits. What depends on the step alone is computed in f64 and rounded once.

use crate::error::{Error, Result};
use crate::recipe::TrainingSpec;

/// How fast AdamW forgets gradients (Kingma and Ba 2015, arXiv 1412.6980, section 2).
pub const BETA1: f64 = 0.9;
/// How fast AdamW forgets squared gradients; same source.
pub const BETA2: f64 = 0.999;
/// Keeps AdamW from dividing by zero; same source.
pub const EPSILON: f32 = 1e-8;

/// One optimizer's numbers for one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Update {
    /// Stochastic gradient descent with momentum (Polyak 1964, in the form of Sutskever et al. 2013 without Nesterov):
    /// `g ← g + decay·w`, `v ← momentum·v + g`, `w ← w − rate·v`.
    Sgd {
        /// `rate`.
        learning_rate: f32,
        /// `momentum`.
        momentum: f32,
        /// `decay`, for weights; biases have none.
        weight_decay: f32,
    },
    /// AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101, algorithm 2): `m ← β₁m + (1−β₁)g`, `v ← β₂v + (1−β₂)g²`,
    /// `w ← w − shrink·w − rate·m / (√(v·scale) + ε)`.
    AdamW {
        /// `rate`: the learning rate over `1 − β₁ᵗ` at step `t`, counted from 1.
        rate: f32,
        /// `scale`: 1 over `1 − β₂ᵗ`.
        scale: f32,
        /// `shrink`: learning rate times weight decay, for weights; biases have none.
        shrink: f32,
    },
}

/// An optimizer with the numbers that stay the same from step to step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Optimizer<'a> {
    /// `adamw` or `sgd`.
    pub name: &'a str,
    /// How much of the last step sgd keeps.
    pub momentum: f64,
    /// Pulls weights towards zero.
    pub weight_decay: f64,
}

impl Optimizer<'_> {
    /// The numbers of step `step` (counted from 1) at a learning rate.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for an optimizer that this version does not have.
    pub fn update(&self, learning_rate: f64, step: u64) -> Result<Update> {
        match self.name {
            "sgd" => Ok(Update::Sgd {
                learning_rate: learning_rate as f32,
                momentum: self.momentum as f32,
                weight_decay: self.weight_decay as f32,
            }),
            "adamw" => Ok(Update::AdamW {
                rate: (learning_rate / (1.0 - power(BETA1, step))) as f32,
                scale: (1.0 / (1.0 - power(BETA2, step))) as f32,
                shrink: (learning_rate * self.weight_decay) as f32,
            }),
            other => Err(Error::Unsupported {
                feature: format!("the optimizer {other:?}"),
                why: "this version has adamw and sgd".into(),
            }),
        }
    }
}

impl Update {
    /// The numbers of step `step` (counted from 1) at a learning rate.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for an optimizer that this version does not have.
    pub fn new(spec: &TrainingSpec, learning_rate: f64, step: u64) -> Result<Self> {
        let optimizer = Optimizer {
            name: &spec.optimizer,
            momentum: spec.momentum.unwrap_or(0.0),
            weight_decay: spec.weight_decay,
        };
        optimizer.update(learning_rate, step)
    }

    /// One step on each of some numbers; `decays` says whether they are weights and not biases. All lists are as long;
    /// `firsts` holds the velocity of sgd or the mean gradient of AdamW, `seconds` the mean squared gradient of AdamW, which
    /// sgd leaves as it is. Both are zero before the first step.
    pub fn apply(
        &self,
        decays: bool,
        weights: &mut [f32],
        gradients: &[f32],
        firsts: &mut [f32],
        seconds: &mut [f32],
    ) {
        match *self {
            Self::Sgd {
                learning_rate,
                momentum,
                weight_decay,
            } => {
                let decay = if decays { weight_decay } else { 0.0 };
                for ((weight, gradient), velocity) in weights.iter_mut().zip(gradients).zip(firsts)
                {
                    *velocity = momentum * *velocity + (gradient + decay * *weight);
                    *weight -= learning_rate * *velocity;
                }
            }
            Self::AdamW {
                rate,
                scale,
                shrink,
            } => {
                const KEEP1: f32 = BETA1 as f32;
                const KEEP2: f32 = BETA2 as f32;
                const TAKE1: f32 = (1.0 - BETA1) as f32;
                const TAKE2: f32 = (1.0 - BETA2) as f32;
                let shrink = if decays { shrink } else { 0.0 };
                for (((weight, gradient), first), second) in
                    weights.iter_mut().zip(gradients).zip(firsts).zip(seconds)
                {
                    *first = KEEP1 * *first + TAKE1 * gradient;
                    *second = KEEP2 * *second + TAKE2 * (gradient * gradient);
                    let step = rate * *first / ((*second * scale).sqrt() + EPSILON);
                    *weight = *weight - shrink * *weight - step;
                }
            }
        }
    }
}

/// `base` to a whole power by repeated squaring: `powf` is the platform's and rounds as it likes.
fn power(base: f64, exponent: u64) -> f64 {
    let (mut result, mut square, mut rest) = (1.0, base, exponent);
    while rest > 0 {
        if rest % 2 == 1 {
            result *= square;
        }
        square *= square;
        rest /= 2;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;

    /// Three steps on one weight, by the formulas in f64.
    fn by_hand(optimizer: &str) -> f64 {
        let (rate, decay, momentum) = (0.1, 0.01, 0.9);
        let (mut w, mut m, mut v) = (0.5_f64, 0.0, 0.0);
        for (index, g) in [0.3, -0.2, 0.7].into_iter().enumerate() {
            if optimizer == "sgd" {
                m = momentum * m + (g + decay * w);
                w -= rate * m;
            } else {
                let t = index as i32 + 1;
                m = 0.9 * m + 0.1 * g;
                v = 0.999 * v + 0.001 * g * g;
                let hat = m / (1.0 - 0.9_f64.powi(t));
                w = w
                    - rate * decay * w
                    - rate * hat / ((v / (1.0 - 0.999_f64.powi(t))).sqrt() + 1e-8);
            }
        }
        w
    }

    #[test]
    fn steps_are_those_of_the_papers() {
        for optimizer in ["sgd", "adamw"] {
            let mut spec = Recipe::default_for("digits", "mlp").training;
            spec.optimizer = optimizer.into();
            spec.momentum = Some(0.9);
            spec.weight_decay = 0.01;
            let (mut weight, mut first, mut second) = ([0.5_f32], [0.0], [0.0]);
            for (index, gradient) in [0.3_f32, -0.2, 0.7].into_iter().enumerate() {
                let update = Update::new(&spec, 0.1, index as u64 + 1).expect("known");
                update.apply(true, &mut weight, &[gradient], &mut first, &mut second);
            }
            let wanted = by_hand(optimizer);
            // Twenty roundings of numbers below 2, each at most 2^-24 of them.
            assert!(
                (f64::from(weight[0]) - wanted).abs() < 40.0 * 2f64.powi(-24),
                "{optimizer}"
            );
        }
    }

    #[test]
    fn biases_do_not_decay() {
        let mut spec = Recipe::default_for("digits", "mlp").training;
        spec.weight_decay = 1.0;
        for optimizer in ["sgd", "adamw"] {
            spec.optimizer = optimizer.into();
            let update = Update::new(&spec, 0.1, 1).expect("known");
            for (decays, moved) in [(false, false), (true, true)] {
                let mut weight = [2.0];
                update.apply(decays, &mut weight, &[0.0], &mut [0.0], &mut [0.0]);
                assert_eq!(weight[0] != 2.0, moved, "{optimizer}");
            }
        }
    }

    #[test]
    fn powers_are_products() {
        assert_eq!(power(0.5, 10), 1.0 / 1024.0);
        assert_eq!(power(0.9, 0), 1.0);
        assert!((power(0.999, 1000) - 0.999_f64.powi(1000)).abs() < 1e-14);
    }
}
