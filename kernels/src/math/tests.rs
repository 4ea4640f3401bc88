//! The functions against f64 over a sweep of all bit patterns, and their special values.

use super::*;
use crate::testing::{U, bits};

/// Every 251st f32 from 0 up, and the same with the other sign.
fn sweep() -> impl Iterator<Item = f32> {
    (0..=f32::INFINITY.to_bits())
        .step_by(251)
        .flat_map(|bits| [f32::from_bits(bits), -f32::from_bits(bits)])
}

/// The largest error in units of the last place over the sweep, where the true value is a normal number.
fn worst(lanes: fn(F32x4) -> F32x4, truth: fn(f64) -> f64) -> (f64, f32) {
    sweep().fold((0.0, 0.0), |worst, x| {
        let wanted = truth(f64::from(x));
        if wanted.abs() < f64::from(f32::MIN_POSITIVE) || wanted.abs() > f64::from(f32::MAX) {
            return worst;
        }
        let exponent = (wanted.abs().to_bits() >> 52) as i32 - 1023;
        let unit = 2f64.powi(exponent - 23);
        let error = (f64::from(lanes(F32x4::splat(x)).first()) - wanted).abs() / unit;
        // A NaN would hide in a comparison.
        if error <= worst.0 { worst } else { (error, x) }
    })
}

#[track_caller]
fn assert_worst(lanes: fn(F32x4) -> F32x4, truth: fn(f64) -> f64, limit: f64) {
    let (error, x) = worst(lanes, truth);
    assert!(error <= limit, "{error} units at {x:e}");
    assert!(error >= 0.8 * limit, "the stated bound is loose: {error}");
}

#[test]
fn exp_is_within_its_bound() {
    assert_worst(exp, f64::exp, 1.1);
}

#[test]
fn tanh_is_within_its_bound() {
    assert_worst(tanh, f64::tanh, 1.7);
}

#[test]
fn the_logistic_function_is_within_its_bound() {
    assert_worst(sigmoid, |x| 1.0 / (1.0 + (-x).exp()), 2.5);
}

#[test]
fn the_normal_distribution_is_within_its_bounds() {
    let mut worst = 0.0_f64;
    for x in sweep() {
        let wide = f64::from(x);
        let wanted = 0.5 * libm::erfc(-wide / std::f64::consts::SQRT_2);
        let error = (f64::from(normal_cdf(F32x4::splat(x)).first()) - wanted).abs();
        worst = worst.max(error / U);
        assert!(error <= 3.0 * U, "Φ({x:e}) is {} u off", error / U);
        let wanted = (-wide * wide / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        if wanted > 1e-37 {
            let found = f64::from(normal_pdf(F32x4::splat(x)).first());
            let error = (found / wanted - 1.0).abs() / U;
            assert!(
                error <= 6.0 + wide * wide / 2.0,
                "φ({x:e}) is {error} u off"
            );
        }
    }
    assert!(worst > 2.4, "the stated bound is loose: {worst}");
}

/// A function, and numbers with what it makes of them.
type Case = (fn(F32x4) -> F32x4, &'static [(f32, f32)]);

#[test]
fn special_values_are_those_of_the_functions() {
    const NAN: f32 = f32::NAN;
    const INFINITE: f32 = f32::INFINITY;
    let cases: [Case; 5] = [
        (
            exp,
            &[
                (0.0, 1.0),
                (-0.0, 1.0),
                (1e-45, 1.0),
                (INFINITE, INFINITE),
                (89.0, INFINITE),
                (88.722_84, INFINITE),
                (-INFINITE, 0.0),
                (-88.0, 0.0),
                (-87.336_55, 0.0),
                (NAN, NAN),
            ],
        ),
        (
            tanh,
            &[
                (0.0, 0.0),
                (-0.0, -0.0),
                (1e-45, 1e-45),
                (-1e-45, -1e-45),
                (INFINITE, 1.0),
                (-INFINITE, -1.0),
                (50.0, 1.0),
                (NAN, NAN),
            ],
        ),
        (
            sigmoid,
            &[(0.0, 0.5), (INFINITE, 1.0), (-INFINITE, 0.0), (NAN, NAN)],
        ),
        (
            normal_cdf,
            &[
                (0.0, 0.5),
                (-0.0, 0.5),
                (INFINITE, 1.0),
                (-INFINITE, 0.0),
                (5.6, 1.0),
                (-5.6, 0.0),
                (NAN, NAN),
            ],
        ),
        (
            normal_pdf,
            &[(INFINITE, 0.0), (-INFINITE, 0.0), (1e30, 0.0), (NAN, NAN)],
        ),
    ];
    for (index, (function, values)) in cases.into_iter().enumerate() {
        for &(x, wanted) in values {
            let found = function(F32x4::splat(x)).first();
            assert_eq!(
                bits(found),
                bits(wanted),
                "function {index} of {x:e} is {found:e}"
            );
        }
    }
    assert!(exp_scalar(88.722_83).is_finite());
    assert!(exp_scalar(-87.336_54) >= f32::MIN_POSITIVE);
}

#[test]
fn a_lane_does_not_depend_on_the_others() {
    let functions = [exp, tanh, sigmoid, normal_cdf, normal_pdf];
    let numbers: Vec<f32> = sweep().step_by(331).chain([f32::NAN]).collect();
    for function in functions {
        for window in numbers.windows(4) {
            let together = function(F32x4::from_slice(window)).to_array();
            for (&x, found) in window.iter().zip(together) {
                let alone = function(F32x4::splat(x)).first();
                assert_eq!(bits(found), bits(alone), "{x:e}");
            }
        }
    }
}

#[test]
fn one_number_has_the_bits_of_a_lane() {
    for x in sweep().step_by(97).chain([f32::NAN]) {
        let lanes = F32x4::splat(x);
        assert_eq!(bits(exp_scalar(x)), bits(exp(lanes).to_array()[3]));
        assert_eq!(bits(tanh_scalar(x)), bits(tanh(lanes).to_array()[3]));
        assert_eq!(bits(sigmoid_scalar(x)), bits(sigmoid(lanes).to_array()[3]));
    }
}
