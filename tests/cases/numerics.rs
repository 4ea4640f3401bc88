//! Gradients against central differences, kernels against plain loops, stored weights, and the digest of a short training.
//!
//! The bounds are derived in `docs/numerics.md`. Each check is also shown a broken value, which it must refuse.

use super::Case;
use assay::data::{Rows, Scaler, Split};
use assay::engine::cpu::{ARITHMETIC, CpuEngine, ops};
use assay::engine::{Engine, Parameters};
use assay::model::{Activation, Graph, Layer, Weights, plan};
use assay::quant::{self, Scheme};
use assay::recipe::Recipe;
use assay::rng::Stream;
use assay::train::{Step, Trainer};
use candle_core::{Device, Tensor, Var};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Half the distance from 1 to the next f32.
const ROUNDING: f64 = 1.0 / 16_777_216.0;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "linear_gives_the_plain_loops_bits",
            run: linear_is_the_plain_loop,
        },
        Case {
            name: "convolution_gives_the_plain_loops_bits",
            run: convolution_is_the_plain_loop,
        },
        Case {
            name: "max_pool_gives_the_plain_loops_values_and_sends_each_gradient_to_the_first_maximum",
            run: max_pool_is_the_plain_loop,
        },
        Case {
            name: "activations_are_within_their_bound_of_f64",
            run: activations_are_accurate,
        },
        Case {
            name: "gradients_agree_with_central_differences",
            run: gradients_agree,
        },
        Case {
            name: "a_broken_gradient_is_found",
            run: broken_gradients_are_found,
        },
        Case {
            name: "convolution_agrees_with_candles_forward_and_backward",
            run: convolution_is_candles,
        },
        Case {
            name: "a_rows_logits_do_not_depend_on_the_batch",
            run: logits_do_not_depend_on_the_batch,
        },
        Case {
            name: "stored_weights_come_back_within_their_bound",
            run: stored_weights_are_close,
        },
        Case {
            name: "a_short_training_has_the_committed_digest",
            run: short_training_has_its_digest,
        },
        Case {
            name: "a_training_resumed_from_a_checkpoint_has_the_digest_of_one_that_went_through",
            run: resumed_training_is_the_same,
        },
    ]
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the CPU engine never waits"),
    }
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

fn drawn(count: usize, name: &str) -> Vec<f32> {
    let mut stream = Stream::new(7, name, 0);
    (0..count).map(|_| stream.normal()).collect()
}

fn tensor(values: &[f32], shape: &[usize]) -> Tensor {
    Tensor::from_slice(values, shape, &Device::Cpu).expect("values fill their shape")
}

fn values(tensor: &Tensor) -> Result<Vec<f32>, String> {
    tensor
        .flatten_all()
        .and_then(|tensor| tensor.to_vec1())
        .map_err(text)
}

fn same_bits(what: &str, found: &[f32], wanted: &[f32]) -> Result<(), String> {
    if found.len() != wanted.len() {
        return Err(format!(
            "{what}: {} numbers, expected {}",
            found.len(),
            wanted.len()
        ));
    }
    match (found.iter().zip(wanted)).position(|(a, b)| a.to_bits() != b.to_bits()) {
        Some(at) => Err(format!(
            "{what}: element {at} is {}, expected {}",
            found[at], wanted[at]
        )),
        None => Ok(()),
    }
}

/// Every element further than its bound, or nothing.
fn within(what: &str, found: &[f32], wanted: &[f64], bounds: &[f64]) -> Result<(), String> {
    let mut failures = Vec::new();
    for (index, ((&found, &wanted), &bound)) in found.iter().zip(wanted).zip(bounds).enumerate() {
        let off = (f64::from(found) - wanted).abs();
        if off.is_nan() || off > bound {
            failures.push(format!(
                "[{index}] {found} for {wanted}, off by {off:e} > {bound:e}"
            ));
        }
    }
    if found.len() != wanted.len() || !failures.is_empty() {
        return Err(format!(
            "{what}: {} failures: {}",
            failures.len(),
            failures.join("; ")
        ));
    }
    Ok(())
}

/// Shapes with 1, a prime and no multiple of a tile: batch, features, units.
const LINEAR: [[usize; 3]; 5] = [
    [1, 1, 1],
    [1, 64, 10],
    [3, 7, 5],
    [13, 33, 17],
    [64, 300, 9],
];

fn linear_is_the_plain_loop() -> Result<(), String> {
    for [batch, features, units] in LINEAR {
        let (x, weight) = (drawn(batch * features, "x"), drawn(units * features, "w"));
        let bias = drawn(units, "b");
        let mut wanted = Vec::new();
        for row in x.chunks_exact(features) {
            for (weights, &bias) in weight.chunks_exact(features).zip(&bias) {
                wanted.push((row.iter().zip(weights)).fold(bias, |sum, (x, w)| sum + x * w));
            }
        }
        let found = ops::linear(
            &tensor(&x, &[batch, features]),
            &tensor(&weight, &[units, features]),
            &tensor(&bias, &[units]),
        )
        .map_err(text)?;
        same_bits(
            &format!("{batch}×{features} to {units}"),
            &values(&found)?,
            &wanted,
        )?;
    }
    Ok(())
}

/// Batch, planes, height, width, channels, kernel.
const CONVOLUTIONS: [[usize; 6]; 6] = [
    [1, 1, 1, 1, 1, 1],
    [2, 1, 8, 8, 4, 3],
    [3, 2, 5, 7, 3, 5],
    [1, 3, 2, 3, 5, 7],
    [130, 5, 4, 4, 3, 3],
    [2, 3, 1, 6, 2, 3],
];

fn convolution_inputs(
    [batch, planes, height, width, channels, kernel]: [usize; 6],
) -> [Vec<f32>; 3] {
    [
        drawn(batch * planes * height * width, "x"),
        drawn(channels * planes * kernel * kernel, "w"),
        drawn(channels, "b"),
    ]
}

fn convolution_shapes(
    [batch, planes, height, width, channels, kernel]: [usize; 6],
) -> [Vec<usize>; 3] {
    [
        vec![batch, planes, height, width],
        vec![channels, planes, kernel, kernel],
        vec![channels],
    ]
}

fn convolution_is_the_plain_loop() -> Result<(), String> {
    for sizes in CONVOLUTIONS {
        let [batch, planes, height, width, _, kernel] = sizes;
        let [x, weight, bias] = convolution_inputs(sizes);
        let pad = kernel / 2;
        let mut wanted = Vec::new();
        for image in 0..batch {
            for (channel, &bias) in bias.iter().enumerate() {
                for place in 0..height * width {
                    let mut sum = bias;
                    for part in 0..planes * kernel * kernel {
                        let plane = part / (kernel * kernel);
                        // Coordinates in the image with its border of zeros.
                        let row = place / width + part / kernel % kernel;
                        let column = place % width + part % kernel;
                        let (top, left) = (row.wrapping_sub(pad), column.wrapping_sub(pad));
                        let value = if top < height && left < width {
                            x[((image * planes + plane) * height + top) * width + left]
                        } else {
                            0.0
                        };
                        sum += weight[channel * planes * kernel * kernel + part] * value;
                    }
                    wanted.push(sum);
                }
            }
        }
        let [x_shape, weight_shape, bias_shape] = convolution_shapes(sizes);
        let found = ops::convolution(
            &tensor(&x, &x_shape),
            &tensor(&weight, &weight_shape),
            &tensor(&bias, &bias_shape),
        )
        .map_err(text)?;
        same_bits(&format!("{sizes:?}"), &values(&found)?, &wanted)?;
    }
    Ok(())
}

fn convolution_is_candles() -> Result<(), String> {
    for sizes in CONVOLUTIONS {
        let [batch, planes, height, width, channels, kernel] = sizes;
        let inputs = convolution_inputs(sizes);
        let shapes = convolution_shapes(sizes);
        let probe = drawn(batch * channels * height * width, "probe");
        let probe = tensor(&probe, &[batch, channels, height, width]);
        let run = |own: bool| -> candle_core::Result<Vec<Tensor>> {
            let vars = [0, 1, 2].map(|index| {
                Var::from_tensor(&tensor(&inputs[index], &shapes[index])).expect("on the CPU")
            });
            let y = if own {
                ops::convolution(&vars[0], &vars[1], &vars[2])?
            } else {
                vars[0]
                    .conv2d(&vars[1], kernel / 2, 1, 1, 1)?
                    .broadcast_add(&vars[2].reshape((1, channels, 1, 1))?)?
            };
            let gradients = (&y * &probe)?.sum_all()?.backward()?;
            let mut all = vec![y];
            for var in &vars {
                all.push(
                    gradients
                        .get(var)
                        .expect("a variable has a gradient")
                        .clone(),
                );
            }
            Ok(all)
        };
        let (own, candles) = (run(true).map_err(text)?, run(false).map_err(text)?);
        // Terms of each sum: patch and bias; channels and patch; all outputs of the batch.
        let terms = [
            planes * kernel * kernel + 1,
            channels * kernel * kernel,
            batch * height * width,
            batch * height * width,
        ];
        let names = ["output", "gradient of x", "gradient of w", "gradient of b"];
        for index in 0..4 {
            let wanted: Vec<f64> = values(&candles[index])?.iter().map(|&v| v.into()).collect();
            // Two sums of n terms of products of normal numbers below 6, each within n·u of Σ|terms| ≤ 36n.
            let n = terms[index] as f64;
            let bounds = vec![2.0 * (n + 1.0) * ROUNDING * 36.0 * n; wanted.len()];
            within(
                &format!("{sizes:?} {}", names[index]),
                &values(&own[index])?,
                &wanted,
                &bounds,
            )?;
        }
    }
    Ok(())
}

fn max_pool_is_the_plain_loop() -> Result<(), String> {
    // Equal maxima, a NaN first and a NaN last in its window, an odd last row and column.
    let nan = f32::NAN;
    let x = [
        1.0, 1.0, nan, 2.0, 9.0, //
        1.0, 1.0, 3.0, 4.0, 9.0, //
        0.0, 5.0, -2.0, -1.0, 9.0, //
        5.0, 0.0, -1.0, nan, 9.0, //
        9.0, 9.0, 9.0, 9.0, 9.0,
    ];
    let var = Var::from_tensor(&tensor(&x, &[1, 1, 5, 5])).map_err(text)?;
    let y = ops::max_pool(&var).map_err(text)?;
    same_bits("values", &values(&y)?, &[1.0, nan, 5.0, -1.0])?;
    let probe = tensor(&[10.0, 20.0, 30.0, 40.0], &[1, 1, 2, 2]);
    let gradients = (y * probe)
        .and_then(|y| y.sum_all()?.backward())
        .map_err(text)?;
    let mut wanted = [0.0; 25];
    (wanted[0], wanted[2], wanted[11], wanted[13]) = (10.0, 20.0, 30.0, 40.0);
    same_bits(
        "gradient",
        &values(gradients.get(&var).ok_or("no gradient")?)?,
        &wanted,
    )
}

fn activations_are_accurate() -> Result<(), String> {
    let mut x = drawn(1000, "x");
    x.extend([0.0, -0.0, 1e-30, -1e-30, 40.0, -40.0, 1e30, -1e30]);
    let input = tensor(&x, &[x.len()]);
    for activation in [Activation::Relu, Activation::Tanh, Activation::Gelu] {
        let (mut wanted, mut bounds) = (Vec::new(), Vec::new());
        for x in x.iter().map(|&x| f64::from(x)) {
            // gelu multiplies x by ½(1 + erf), whose absolute error is a few roundings of 1 where erf is near −1.
            let (value, bound) = match activation {
                Activation::Relu => (x.max(0.0), 0.0),
                Activation::Tanh => (x.tanh(), 4.0 * ROUNDING * x.tanh().abs()),
                Activation::Gelu => (x * normal(x), 4.0 * ROUNDING * x.abs()),
                other => return Err(format!("no bound for {}", other.name())),
            };
            wanted.push(value);
            bounds.push(bound);
        }
        let found = ops::activation(&input, activation).map_err(text)?;
        within(activation.name(), &values(&found)?, &wanted, &bounds)?;
    }
    let nan = ops::activation(&tensor(&[f32::NAN], &[1]), Activation::Relu).map_err(text)?;
    same_bits("relu of NaN", &values(&nan)?, &[0.0])
}

/// The normal distribution function in f64.
fn normal(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

type Run = Box<dyn Fn(&[Tensor]) -> candle_core::Result<Tensor>>;

/// A function of some tensors that training differentiates.
struct Function {
    name: String,
    inputs: Vec<(Vec<f32>, Vec<usize>)>,
    run: Run,
    /// Step of the differences.
    step: f32,
    /// Error of each output, in roundings of what `magnitude` gives for it.
    roundings: f64,
    /// From the inputs' absolute values to the sum of the absolute values of each output's terms.
    magnitude: Run,
    /// Bound of the third derivative of any output along any one input, over 6; 0 where each input acts linearly.
    curvature: f64,
}

fn functions() -> Vec<Function> {
    let mut all = Vec::new();
    for [batch, features, units] in [[1, 1, 1], [3, 7, 5], [5, 33, 17], [9, 2, 8]] {
        let run = |t: &[Tensor]| ops::linear(&t[0], &t[1], &t[2]);
        all.push(Function {
            name: format!("linear {batch}×{features} to {units}"),
            inputs: vec![
                (drawn(batch * features, "x"), vec![batch, features]),
                (drawn(units * features, "w"), vec![units, features]),
                (drawn(units, "b"), vec![units]),
            ],
            run: Box::new(run),
            step: 0.5,
            roundings: 2.0 * (features + 1) as f64,
            magnitude: Box::new(run),
            curvature: 0.0,
        });
    }
    for sizes in CONVOLUTIONS {
        let small = [
            sizes[0].min(5),
            sizes[1],
            sizes[2],
            sizes[3],
            sizes[4],
            sizes[5],
        ];
        let run = |t: &[Tensor]| ops::convolution(&t[0], &t[1], &t[2]);
        all.push(Function {
            name: format!("convolution {small:?}"),
            inputs: (convolution_inputs(small).into_iter())
                .zip(convolution_shapes(small))
                .collect(),
            run: Box::new(run),
            step: 0.5,
            roundings: 2.0 * (small[1] * small[5] * small[5] + 1) as f64,
            magnitude: Box::new(run),
            curvature: 0.0,
        });
    }
    for (activation, step, curvature) in [
        (Activation::Relu, 0.01, 0.0),
        // |tanh‴| ≤ 2 and |gelu‴| = |x³ − 4x|·φ(x) < 0.8.
        (Activation::Tanh, 0.01, 2.0 / 6.0),
        (Activation::Gelu, 0.01, 0.8 / 6.0),
    ] {
        // relu has no derivative at 0: no input is nearer to it than two steps.
        let x = (drawn(97, "x").into_iter())
            .map(|x| if x.abs() < 0.02 { x + 0.05 } else { x })
            .collect();
        all.push(Function {
            name: activation.name().into(),
            inputs: vec![(x, vec![97])],
            run: Box::new(move |t| ops::activation(&t[0], activation)),
            step,
            roundings: 4.0,
            // No activation is larger than its input, and gelu's error is that of its factor.
            magnitude: Box::new(|t| Ok(t[0].clone())),
            curvature,
        });
    }
    for shape in [[1, 1, 2, 2], [3, 2, 5, 7]] {
        // Distinct values a tenth apart: no step changes which is the largest.
        let count: usize = shape.iter().product();
        let mut x: Vec<f32> = (0..count).map(|index| index as f32 * 0.1).collect();
        Stream::new(7, "pool", 0).shuffle(&mut x);
        all.push(Function {
            name: format!("max-pool {shape:?}"),
            inputs: vec![(x, shape.to_vec())],
            run: Box::new(|t| ops::max_pool(&t[0])),
            step: 0.03,
            roundings: 0.0,
            magnitude: Box::new(|t| ops::max_pool(&t[0])),
            curvature: 0.0,
        });
    }
    for ([rows, classes], smoothing) in [([1, 2], 0.0), ([7, 10], 0.1), ([4, 33], 0.0)] {
        let labels: Vec<u16> = (0..rows).map(|row| (row * 5 % classes) as u16).collect();
        let run = move |t: &[Tensor]| ops::cross_entropy(&t[0], &labels, smoothing);
        all.push(Function {
            name: format!("cross-entropy {rows}×{classes}"),
            inputs: vec![(drawn(rows * classes, "x"), vec![rows, classes])],
            run: Box::new(run.clone()),
            step: 0.05,
            roundings: 1.0,
            // The f64 inside is rounded once; a row's loss is below max + ln classes + |label's logit| ≤ 2·4 + ln 33.
            magnitude: Box::new(|_| Tensor::new(12.0_f32, &Device::Cpu)),
            // p(1 − p)(1 − 2p) ≤ 0.0963, over the rows.
            curvature: 0.0963 / 6.0 / rows as f64,
        });
    }
    all.push(Function {
        name: "flatten".into(),
        inputs: vec![(drawn(24, "x"), vec![2, 3, 2, 2])],
        run: Box::new(|t| t[0].flatten_from(1)),
        step: 0.5,
        roundings: 0.0,
        magnitude: Box::new(|t| Ok(t[0].clone())),
        curvature: 0.0,
    });
    all
}

/// Compares every element of every gradient; with `damage`, one element of each is moved by ten tolerances before.
fn check_gradients(function: &Function, damage: bool) -> Result<(), String> {
    let variables: Vec<Var> = (function.inputs.iter())
        .map(|(values, shape)| Var::from_tensor(&tensor(values, shape)).map_err(text))
        .collect::<Result<_, _>>()?;
    let tracked: Vec<Tensor> = variables.iter().map(|v| v.as_tensor().clone()).collect();
    let y = (function.run)(&tracked).map_err(text)?;
    let probe = drawn(y.elem_count(), "probe");
    let gradients = (&y * tensor(&probe, y.dims()))
        .and_then(|y| y.sum_all()?.backward())
        .map_err(text)?;
    let absolute: Vec<Tensor> = (function.inputs.iter())
        .map(|(values, shape)| {
            // What a step adds counts too.
            let larger: Vec<f32> = values.iter().map(|v| v.abs() + function.step).collect();
            tensor(&larger, shape)
        })
        .collect();
    let magnitudes = values(&(function.magnitude)(&absolute).map_err(text)?)?;
    let mut failures = Vec::new();
    for (input, variable) in variables.iter().enumerate() {
        let mut found = values(gradients.get(variable).ok_or("no gradient")?)?;
        let (mut wanted, mut bounds) = (Vec::new(), Vec::new());
        for element in 0..found.len() {
            let (difference, bound) =
                central_difference(function, input, element, &probe, &magnitudes)?;
            wanted.push(difference);
            bounds.push(bound);
        }
        if damage {
            let middle = found.len() / 2;
            // A gradient of exactly zero has no tolerance.
            found[middle] += (10.0 * bounds[middle]).max(1e-6) as f32;
        }
        let what = format!("{}, input {input}", function.name);
        failures.extend(within(&what, &found, &wanted, &bounds).err());
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n"))
    }
}

/// The central difference of `Σ probe·output` along one element, and how far a right gradient may be from it.
fn central_difference(
    function: &Function,
    input: usize,
    element: usize,
    probe: &[f32],
    magnitudes: &[f32],
) -> Result<(f64, f64), String> {
    let at = |sign: f32| -> Result<(f32, Vec<f32>), String> {
        let mut place = 0.0;
        let tensors: Vec<Tensor> = (function.inputs.iter().enumerate())
            .map(|(index, (values, shape))| {
                let mut values = values.clone();
                if index == input {
                    values[element] += sign * function.step;
                    place = values[element];
                }
                tensor(&values, shape)
            })
            .collect();
        Ok((place, values(&(function.run)(&tensors).map_err(text)?)?))
    };
    let ((high, above), (low, below)) = (at(1.0)?, at(-1.0)?);
    let width = f64::from(high) - f64::from(low);
    let (mut sum, mut terms, mut rounding, mut curved, mut changed) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for index in 0..probe.len() {
        let slope = (f64::from(above[index]) - f64::from(below[index])) / width;
        if slope != 0.0 {
            let probe = f64::from(probe[index]);
            sum += probe * slope;
            terms += (probe * slope).abs();
            rounding += probe.abs() * f64::from(magnitudes[index]);
            curved += probe.abs();
            changed += 1.0;
        }
    }
    let step = f64::from(function.step);
    let bound = 2.0 * function.roundings * ROUNDING * rounding / width
        + function.curvature * step * step * curved
        + (changed + 4.0) * ROUNDING * terms;
    Ok((sum, bound))
}

fn gradients_agree() -> Result<(), String> {
    let failures: Vec<String> = (functions().iter())
        .filter_map(|function| check_gradients(function, false).err())
        .collect();
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n"))
    }
}

fn broken_gradients_are_found() -> Result<(), String> {
    let missed: Vec<String> = (functions().iter())
        .filter(|function| check_gradients(function, true).is_ok())
        .map(|function| function.name.clone())
        .collect();
    if missed.is_empty() {
        Ok(())
    } else {
        Err(format!("not found in {missed:?}"))
    }
}

/// The digits without their files: rows that any build can make, with a shape and classes of their own.
fn made_up_rows() -> (Rows, Split) {
    let mut stream = Stream::new(3, "rows", 0);
    let labels: Vec<u16> = (0..90).map(|row| (row % 3) as u16).collect();
    let mut features = Vec::new();
    for &label in &labels {
        for place in 0..64 {
            let bright = place % 3 == usize::from(label);
            features.push(if bright { 0.5 } else { 0.0 } + 0.5 * stream.unit());
        }
    }
    let rows = Rows {
        features,
        labels,
        shape: [1, 8, 8],
        scaler: Scaler {
            mean: 0.0,
            deviation: 1.0,
        },
    };
    let split = Split {
        train: (0..50).collect(),
        validation: (50..70).collect(),
        test: (70..90).collect(),
    };
    (rows, split)
}

fn logits_do_not_depend_on_the_batch() -> Result<(), String> {
    let (rows, _) = made_up_rows();
    let recipe = Recipe::default_for("digits", "lenet");
    let graph = plan(&recipe, rows.shape, 3, 50).map_err(text)?.graph;
    let weights = Weights::init(&graph, 1).map_err(text)?;
    let mut engine = CpuEngine::new();
    ready(engine.load(&rows)).map_err(text)?;
    let all: Vec<u32> = (0..90).collect();
    let mut wanted = Vec::new();
    for batch in [1, 64, 7] {
        let mut executable =
            ready(engine.prepare(&graph, Parameters::Exact(&weights), batch)).map_err(text)?;
        let found = ready(executable.logits(&all)).map_err(text)?;
        if wanted.is_empty() {
            wanted.clone_from(&found);
        }
        same_bits(&format!("batch {batch}"), &found, &wanted)?;
        let predicted = ready(executable.predict(&rows.features[64..192])).map_err(text)?;
        same_bits("predict", &predicted, &wanted[3..9])?;
    }
    Ok(())
}

/// How far a number may come back from where it was stored; derived in `docs/numerics.md`.
fn storage_bound(block: &[f32], value: f32, scheme: Scheme) -> f64 {
    // Half a unit in the last place of an f16 near `x`.
    let half = |x: f64| (x.abs() / 2048.0).max(1.0 / 33_554_432.0);
    let largest = block
        .iter()
        .fold(0.0_f64, |most, &x| most.max(f64::from(x).abs()));
    let value = f64::from(value);
    match scheme {
        Scheme::F32 => 0.0,
        Scheme::F16 => half(value),
        Scheme::Q8_0 => {
            let step = largest / 127.0;
            (0.5 + 1e-4) * step + 127.0 * half(step)
        }
        Scheme::Q4_0 => {
            let step = largest / 8.0;
            // The side away from the largest number has only seven steps.
            let share = if value.abs() > 7.5 * step { 1.0 } else { 0.5 };
            (share + 1e-4) * step + 8.0 * half(step)
        }
    }
}

fn stored_weights_are_close() -> Result<(), String> {
    let mut graph = Graph::new([1, 8, 8]);
    graph.push("conv", Layer::convolution(32, 3));
    graph.push("conv2", Layer::convolution(4, 3));
    graph.push("flatten", Layer::Flatten);
    graph.push("dense", Layer::linear(10));
    let mut weights = Weights::init(&graph, 1).map_err(text)?;
    // All zero, one sign, tiny, and with its largest number on the positive side.
    let mut special = weights.get("dense.weight").ok_or("no tensor")?.clone();
    special.values[..32].fill(0.0);
    special.values[32..64].iter_mut().for_each(|x| *x = x.abs());
    special.values[64..96].iter_mut().for_each(|x| *x *= 1e-6);
    special.values[96] = 10.0;
    special.values[97] = -9.9;
    weights.insert("dense.weight", special.shape, special.values);
    for (name, scheme) in [
        ("f32", Scheme::F32),
        ("f16", Scheme::F16),
        ("Q8_0", Scheme::Q8_0),
        ("Q4_0", Scheme::Q4_0),
    ] {
        let stored = quant::quantize(&graph, &weights, name).map_err(text)?;
        for layer in &stored.layers {
            let blocks = matches!(scheme, Scheme::Q8_0 | Scheme::Q4_0);
            let fits = layer.name == "conv2.weight" || layer.name == "dense.weight";
            let bias = layer.name.ends_with("bias");
            let applied = if bias || (blocks && !fits) {
                Scheme::F32
            } else {
                scheme
            };
            if layer.scheme != applied || layer.reason.is_empty() != (applied == scheme) {
                return Err(format!(
                    "{name}: {} is {:?}: {}",
                    layer.name, layer.scheme, layer.reason
                ));
            }
            let before = &weights.get(&layer.name).ok_or("no tensor")?.values;
            let after = &stored.weights().get(&layer.name).ok_or("no tensor")?.values;
            if layer.bytes.len() as u64 != applied.bytes(before.len() as u64) {
                return Err(format!(
                    "{name}: {} has {} bytes",
                    layer.name,
                    layer.bytes.len()
                ));
            }
            let wanted: Vec<f64> = before.iter().map(|&x| x.into()).collect();
            let bounds: Vec<f64> = (before.chunks(32))
                .flat_map(|block| block.iter().map(|&x| storage_bound(block, x, applied)))
                .collect();
            within(&format!("{name} {}", layer.name), after, &wanted, &bounds)?;
            if applied != Scheme::F32 {
                let mut broken = after.clone();
                broken[5] += (10.0 * bounds[5]) as f32;
                if within("broken", &broken, &wanted, &bounds).is_ok() {
                    return Err(format!(
                        "{name} {}: a broken number was not found",
                        layer.name
                    ));
                }
            }
        }
    }
    Ok(())
}

/// Digests of the weights after the short training: lenet, mlp. One pair for every browser and the native command.
const GOLDEN: [&str; 2] = [
    "f5f9d26077df09978aabc23755ca1901f1caae6de47a0f20f518a68684587b06",
    "58ac97798e8e0ba51728f207885518085741719bbdbd964588146f1b8747adcb",
];

/// Every number that decides the digest is here, so that new defaults leave it as it is.
fn short_recipe(family: &str) -> Recipe {
    let mut recipe = Recipe::default_for("digits", family);
    let training = &mut recipe.training;
    training.epochs = 4;
    training.batch_size = 16;
    training.weight_decay = 0.01;
    training.warmup_epochs = 1.0;
    training.schedule = "cosine".into();
    training.keep = "best".into();
    if family == "lenet" {
        training.optimizer = "adamw".into();
        training.learning_rate = 0.01;
        recipe.architecture.activation = "gelu".into();
        recipe.architecture.channels = Some(5);
        recipe.architecture.kernel = Some(3);
        recipe.architecture.dense = Some(33);
    } else {
        training.optimizer = "sgd".into();
        training.momentum = Some(0.9);
        training.learning_rate = 0.05;
        recipe.architecture.activation = "tanh".into();
        recipe.architecture.depth = Some(2);
        recipe.architecture.width = Some(19);
    }
    recipe
}

/// Trains until the end, taking a checkpoint after an epoch and going on from it in a new trainer where one is named.
fn trained_digest(recipe: &Recipe, resume_after: Option<u32>) -> Result<String, String> {
    let (rows, split) = made_up_rows();
    let plan = plan(recipe, rows.shape, 3, split.train.len() as u32).map_err(text)?;
    let mut engine = CpuEngine::new();
    ready(engine.load(&rows)).map_err(text)?;
    let mut trainer = ready(Trainer::new(&engine, &plan, recipe, &rows, &split)).map_err(text)?;
    loop {
        match ready(trainer.step()).map_err(text)? {
            Step::EpochDone(point) if Some(point.epoch) == resume_after => {
                let bytes = ready(trainer.checkpoint()).map_err(text)?;
                trainer = ready(Trainer::resume(
                    &engine, &plan, recipe, &rows, &split, &bytes,
                ))
                .map_err(text)?;
            }
            Step::Finished(_) => break,
            Step::NonFinite { step } => return Err(format!("non-finite in step {step}")),
            Step::EpochDone(_) | Step::Stepped { .. } => {}
        }
    }
    let (weights, _) = trainer.kept().ok_or("nothing kept")?;
    Ok(weights.digest())
}

fn short_training_has_its_digest() -> Result<(), String> {
    let mut failures = Vec::new();
    for (family, golden) in ["lenet", "mlp"].into_iter().zip(GOLDEN) {
        let recipe = short_recipe(family);
        let digest = trained_digest(&recipe, None)?;
        if digest != golden {
            failures.push(format!(
                "{family} under {ARITHMETIC}: {digest}, committed {golden}"
            ));
        }
        if trained_digest(&recipe, None)? != digest {
            failures.push(format!("{family}: the same recipe twice gave two digests"));
        }
        let mut other = recipe;
        other.seed += 1;
        if trained_digest(&other, None)? == digest {
            failures.push(format!("{family}: another seed gave the same digest"));
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n"))
    }
}

fn resumed_training_is_the_same() -> Result<(), String> {
    for family in ["lenet", "mlp"] {
        for keep in ["best", "last"] {
            let mut recipe = short_recipe(family);
            recipe.training.keep = keep.into();
            let straight = trained_digest(&recipe, None)?;
            for epoch in [1, 2, 3, 4] {
                if trained_digest(&recipe, Some(epoch))? != straight {
                    return Err(format!(
                        "{family}, keep {keep}: differs after resuming at epoch {epoch}"
                    ));
                }
            }
        }
    }
    Ok(())
}
