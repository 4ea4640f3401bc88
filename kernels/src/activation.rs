//! The activation functions and their gradients, number by number; which of them a model may name is the model's.
//!
//! Each is defined on lanes, so that a product can apply it to its sums before they are stored; relu and relu6 are cheap
//! enough for that, the others are applied to a row afterwards.

use crate::lanes::F32x4;
use crate::math::{normal_cdf, normal_pdf, sigmoid, tanh};

/// What is done to each number of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Activation {
    /// `x > 0 ? x : 0`, so 0 for NaN.
    Relu,
    /// relu, and at most 6 (Howard et al. 2017, arXiv 1704.04861); 0 for NaN.
    Relu6,
    /// `x · (relu6(x + 3) · ⅙)` (Howard et al. 2019, arXiv 1905.02244).
    Hardswish,
    /// `x · σ(x)` with the logistic function σ (Elfwing et al. 2018, arXiv 1702.03118).
    Silu,
    /// The hyperbolic tangent.
    Tanh,
    /// `x · Φ(x)` with the normal distribution function Φ (Hendrycks and Gimpel 2016, arXiv 1606.08415).
    Gelu,
}

impl Activation {
    /// The function on four numbers.
    #[inline(always)]
    #[must_use]
    pub fn on_lanes(self, x: F32x4) -> F32x4 {
        match self {
            Self::Relu => relu(x),
            Self::Relu6 => relu6(x),
            Self::Hardswish => x * gate(x),
            Self::Silu => x * sigmoid(x),
            Self::Tanh => tanh(x),
            Self::Gelu => x * normal_cdf(x),
        }
    }

    /// The function's slope at four numbers; 0 at the kinks of relu, 0 and 1 at those of relu6 and hardswish as if the
    /// flat or straight side went on.
    #[inline(always)]
    #[must_use]
    pub fn slope_on_lanes(self, x: F32x4) -> F32x4 {
        let one = F32x4::splat(1.0);
        match self {
            Self::Relu => x.gt(F32x4::zero()).keep(one),
            Self::Relu6 => inside(x, 0.0, 6.0).keep(one),
            Self::Hardswish => {
                let middle = x * F32x4::splat(1.0 / 3.0) + F32x4::splat(0.5);
                let straight = x.gt(F32x4::splat(0.0)).keep(one);
                inside(x, -3.0, 3.0).select(middle, straight)
            }
            Self::Silu => {
                let share = sigmoid(x);
                share + x * share * (one - share)
            }
            Self::Tanh => {
                let y = tanh(x);
                one - y * y
            }
            Self::Gelu => normal_cdf(x) + x * normal_pdf(x),
        }
    }

    /// `out[i] = f(input[i])`.
    ///
    /// # Panics
    /// Where the lengths differ.
    pub fn apply(self, input: &[f32], out: &mut [f32]) {
        match self {
            Self::Relu => map(input, out, relu),
            Self::Relu6 => map(input, out, relu6),
            Self::Hardswish => map(input, out, |x| Self::Hardswish.on_lanes(x)),
            Self::Silu => map(input, out, |x| Self::Silu.on_lanes(x)),
            Self::Tanh => map(input, out, |x| Self::Tanh.on_lanes(x)),
            Self::Gelu => map(input, out, |x| Self::Gelu.on_lanes(x)),
        }
    }

    /// `values[i] = f(values[i])`.
    pub fn apply_in_place(self, values: &mut [f32]) {
        match self {
            Self::Relu => map_in_place(values, relu),
            Self::Relu6 => map_in_place(values, relu6),
            Self::Hardswish => map_in_place(values, |x| Self::Hardswish.on_lanes(x)),
            Self::Silu => map_in_place(values, |x| Self::Silu.on_lanes(x)),
            Self::Tanh => map_in_place(values, |x| Self::Tanh.on_lanes(x)),
            Self::Gelu => map_in_place(values, |x| Self::Gelu.on_lanes(x)),
        }
    }

    /// `gradient[i] = f′(input[i]) · gradient[i]`, `input` being what the function was applied to.
    ///
    /// relu, relu6 set the gradient to 0 outside and leave it as it is inside; so 0 where the input is NaN.
    ///
    /// # Panics
    /// Where the lengths differ.
    pub fn gradient(self, input: &[f32], gradient: &mut [f32]) {
        match self {
            Self::Relu => change(input, gradient, |x, dy| x.gt(F32x4::zero()).keep(dy)),
            Self::Relu6 => change(input, gradient, |x, dy| inside(x, 0.0, 6.0).keep(dy)),
            Self::Hardswish => change(input, gradient, |x, dy| {
                Self::Hardswish.slope_on_lanes(x) * dy
            }),
            Self::Silu => change(input, gradient, |x, dy| Self::Silu.slope_on_lanes(x) * dy),
            Self::Tanh => change(input, gradient, |x, dy| Self::Tanh.slope_on_lanes(x) * dy),
            Self::Gelu => change(input, gradient, |x, dy| Self::Gelu.slope_on_lanes(x) * dy),
        }
    }

    /// Whether [`Self::gradient_from_output`] can do: then the input need not be kept.
    #[must_use]
    pub const fn has_gradient_from_output(self) -> bool {
        matches!(self, Self::Relu | Self::Relu6 | Self::Tanh)
    }

    /// [`Self::gradient`] with the same bits from the function's output; for relu, relu6 and tanh.
    ///
    /// # Panics
    /// For the other functions, and where the lengths differ.
    pub fn gradient_from_output(self, output: &[f32], gradient: &mut [f32]) {
        match self {
            Self::Relu | Self::Relu6 => self.gradient(output, gradient),
            Self::Tanh => change(output, gradient, |y, dy| (F32x4::splat(1.0) - y * y) * dy),
            other => panic!("the output of {other:?} does not tell its gradient"),
        }
    }
}

/// `x > 0 ? x : 0`.
#[inline(always)]
fn relu(x: F32x4) -> F32x4 {
    x.max(F32x4::zero())
}

#[inline(always)]
fn relu6(x: F32x4) -> F32x4 {
    relu(x).min(F32x4::splat(6.0))
}

/// The share of x that hardswish lets through; exactly 1 from 3 on.
#[inline(always)]
fn gate(x: F32x4) -> F32x4 {
    relu6(x + F32x4::splat(3.0)) * F32x4::splat(1.0 / 6.0)
}

/// `low < x < high`.
#[inline(always)]
fn inside(x: F32x4, low: f32, high: f32) -> crate::lanes::Mask {
    x.gt(F32x4::splat(low)).and(x.lt(F32x4::splat(high)))
}

#[inline(always)]
fn map(input: &[f32], out: &mut [f32], function: impl Fn(F32x4) -> F32x4) {
    assert_eq!(input.len(), out.len(), "numbers in and out");
    let (input, input_rest) = input.as_chunks::<4>();
    let (out, out_rest) = out.as_chunks_mut::<4>();
    for (x, y) in input.iter().zip(out) {
        function(F32x4::load(x)).store(y);
    }
    function(F32x4::from_rest(input_rest)).write_to_rest(out_rest);
}

#[inline(always)]
fn map_in_place(values: &mut [f32], function: impl Fn(F32x4) -> F32x4) {
    let (fours, rest) = values.as_chunks_mut::<4>();
    for four in fours {
        function(F32x4::load(four)).store(four);
    }
    function(F32x4::from_rest(rest)).write_to_rest(rest);
}

/// `changed[i] = function(input[i], changed[i])`.
#[inline(always)]
fn change(input: &[f32], changed: &mut [f32], function: impl Fn(F32x4, F32x4) -> F32x4) {
    assert_eq!(input.len(), changed.len(), "inputs and gradients");
    let (input, input_rest) = input.as_chunks::<4>();
    let (changed, changed_rest) = changed.as_chunks_mut::<4>();
    for (x, y) in input.iter().zip(changed) {
        function(F32x4::load(x), F32x4::load(y)).store(y);
    }
    function(F32x4::from_rest(input_rest), F32x4::from_rest(changed_rest))
        .write_to_rest(changed_rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{U, assert_bits, assert_within, central_differences, drawn, wide};

    const ALL: [Activation; 6] = [
        Activation::Relu,
        Activation::Relu6,
        Activation::Hardswish,
        Activation::Silu,
        Activation::Tanh,
        Activation::Gelu,
    ];

    /// The definitions in f64.
    fn exact(function: Activation, x: f64) -> f64 {
        match function {
            Activation::Relu => x.max(0.0),
            Activation::Relu6 => x.clamp(0.0, 6.0),
            Activation::Hardswish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
            Activation::Silu => x / (1.0 + (-x).exp()),
            Activation::Tanh => x.tanh(),
            Activation::Gelu => 0.5 * x * libm::erfc(-x / std::f64::consts::SQRT_2),
        }
    }

    /// Numbers in −8..8, none within 10⁻³ of a kink.
    fn inputs(count: usize) -> Vec<f32> {
        drawn(count, 5)
            .into_iter()
            .map(|x| 8.0 * x)
            .map(|x| {
                let near = [-3.0_f32, 0.0, 3.0, 6.0]
                    .iter()
                    .any(|kink| (x - kink).abs() < 1e-3);
                if near { x + 0.01 } else { x }
            })
            .collect()
    }

    #[test]
    fn functions_are_within_their_bounds() {
        let x = inputs(1001);
        for function in ALL {
            let wanted: Vec<f64> = wide(&x).iter().map(|&x| exact(function, x)).collect();
            let mut found = vec![0.0; x.len()];
            function.apply(&x, &mut found);
            let bound = |index: usize| 4.0 * U * f64::from(x[index].abs());
            assert_within(&found, &wanted, bound, &format!("{function:?}"));
        }
    }

    #[test]
    fn gradients_are_those_of_central_differences() {
        let x = inputs(1001);
        let dy = drawn(x.len(), 9);
        for function in ALL {
            let wanted = central_differences_each(&x, &dy, |x| exact(function, x));
            let mut found = dy.clone();
            function.gradient(&x, &mut found);
            // The slopes of silu and gelu multiply what is left of a share by x. The differences themselves err by some
            // 1e-9 where the function is 8.
            let bound = |index: usize| {
                let roundings = 8.0 + f64::from(x[index].abs());
                roundings * U * f64::from(dy[index].abs()) + 4e-9
            };
            assert_within(&found, &wanted, bound, &format!("{function:?}"));
        }
    }

    /// Each output depends on its own input alone.
    fn central_differences_each(x: &[f32], dy: &[f32], function: impl Fn(f64) -> f64) -> Vec<f64> {
        wide(x)
            .iter()
            .zip(dy)
            .map(|(&x, &dy)| central_differences(&[x], &[dy], |x| vec![function(x[0])])[0])
            .collect()
    }

    #[test]
    fn every_way_to_apply_a_function_gives_the_same_bits() {
        for length in [0, 1, 2, 3, 4, 5, 17, 64] {
            let x = inputs(length);
            let dy = drawn(length, 2);
            for function in ALL {
                let what = format!("{function:?} of {length}");
                let wanted: Vec<f32> = x
                    .iter()
                    .map(|&x| function.on_lanes(F32x4::splat(x)).first())
                    .collect();
                let mut found = vec![7.0; length];
                function.apply(&x, &mut found);
                assert_bits(&found, &wanted, &what);
                let mut found = x.clone();
                function.apply_in_place(&mut found);
                assert_bits(&found, &wanted, &what);
                let mut slopes = dy.clone();
                function.gradient(&x, &mut slopes);
                let by_slope: Vec<f32> = x
                    .iter()
                    .zip(&dy)
                    .map(|(&x, dy)| function.slope_on_lanes(F32x4::splat(x)).first() * dy)
                    .collect();
                assert!(slopes.iter().zip(&by_slope).all(|(a, b)| a == b), "{what}");
                if function.has_gradient_from_output() {
                    let mut from_output = dy.clone();
                    function.gradient_from_output(&wanted, &mut from_output);
                    assert_bits(&from_output, &slopes, &what);
                }
            }
        }
    }

    #[test]
    fn kinks_and_special_values_are_as_stated() {
        let (nan, infinite) = (f32::NAN, f32::INFINITY);
        let at = |function: Activation, x: f32| function.on_lanes(F32x4::splat(x)).first();
        let slope = |function: Activation, x: f32| {
            let mut gradient = [1.0];
            function.gradient(&[x], &mut gradient);
            gradient[0]
        };
        for function in [Activation::Relu, Activation::Relu6] {
            assert_bits(&[at(function, nan), at(function, -0.0)], &[0.0; 2], "relu");
            assert_bits(
                &[slope(function, nan), slope(function, 0.0)],
                &[0.0; 2],
                "slope",
            );
        }
        assert_eq!(at(Activation::Relu6, infinite), 6.0);
        assert_eq!(slope(Activation::Relu6, 6.0), 0.0);
        for x in [3.0, 3.1, 100.3, 1e30] {
            assert_eq!(at(Activation::Hardswish, x), x);
            assert_eq!(slope(Activation::Hardswish, x), 1.0);
            assert_eq!(at(Activation::Gelu, 2.0 * x), 2.0 * x);
            assert_eq!(at(Activation::Hardswish, -x), 0.0);
            assert_eq!(slope(Activation::Hardswish, -x), 0.0);
        }
        for function in &ALL[2..] {
            assert!(at(*function, nan).is_nan(), "{function:?}");
        }
    }

    #[test]
    #[should_panic = "does not tell its gradient"]
    fn a_gelu_needs_its_input() {
        Activation::Gelu.gradient_from_output(&[0.0], &mut [0.0]);
    }
}
