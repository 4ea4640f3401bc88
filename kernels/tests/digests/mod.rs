//! Outputs of the kernels on fixed inputs, as digests that hold on every machine; what the outputs should be near to is
//! the business of each kernel's own tests.
//!
//! A changed digest means that some bit of a training may change, so it goes with a new version of the arithmetic.

use assay_kernels::activation::Activation;
use assay_kernels::attention::{self, Attention};
use assay_kernels::convolution::{self, Geometry};
use assay_kernels::dropout::Dropout;
use assay_kernels::norm::{batch, layer};
use assay_kernels::update::{AdamW, Sgd};
use assay_kernels::{Epilogue, Rectifier, product, reduce};

/// What is computed, its digest, and how.
type Output = (&'static str, u64, fn() -> Vec<f32>);

const OUTPUTS: [Output; 14] = [
    ("product", 0x2256_c1b0_cca7_6750, || product_of(33, 37, 21)),
    ("product of one row", 0xdd20_b4ee_027a_98e4, || {
        product_of(1, 64, 10)
    }),
    ("convolution of 3×3", 0x33d2_d787_5da9_55e6, || {
        convolution_of(SMALL)
    }),
    (
        "convolution with strides and uneven padding",
        0xe6d3_14b6_4d6e_0d5b,
        || {
            convolution_of(Geometry {
                stride: [2, 3],
                padding: [0, 2, 1, 1],
                kernel: [5, 4],
                ..SMALL
            })
        },
    ),
    ("convolution in groups", 0xb689_f6cc_c64b_368f, || {
        convolution_of(Geometry {
            planes: 12,
            channels: 18,
            groups: 6,
            ..SMALL
        })
    }),
    ("depthwise convolution", 0xfe36_b3cc_9759_fa98, || {
        convolution_of(Geometry {
            planes: 20,
            channels: 20,
            groups: 20,
            ..SMALL
        })
    }),
    ("convolution by Winograd", 0x93c6_9bde_a3dd_7c5b, || {
        convolution_of(Geometry {
            planes: 32,
            channels: 36,
            ..SMALL
        })
    }),
    ("activations", 0x30bb_d190_4391_8c47, activations),
    ("dropout", 0x3ded_a1a7_1663_ae56, dropped),
    ("attention", 0x6cef_8d66_f960_3902, attention_of),
    ("layer normalization", 0x4d0e_23f4_b646_46c3, layer_norm),
    ("batch normalization", 0xd613_990c_f0f2_d566, batch_norm),
    ("sums", 0x1b4e_fa0e_5800_e554, sums),
    ("optimizers", 0x51b9_8c28_9fd3_4b54, updates),
];

const SMALL: Geometry = Geometry {
    planes: 3,
    height: 9,
    width: 7,
    channels: 10,
    kernel: [3, 3],
    stride: [1, 1],
    padding: [1; 4],
    groups: 1,
};

/// Computes everything; the error lists each digest that is not the committed one.
pub(crate) fn check() -> Result<(), String> {
    let failures: Vec<String> = OUTPUTS
        .iter()
        .map(|(name, committed, compute)| (name, *committed, digest(&compute())))
        .filter(|(_, committed, found)| found != committed)
        .map(|(name, committed, found)| {
            format!("{name}: {found:#018x}, committed {committed:#018x}")
        })
        .collect();
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n"))
    }
}

/// FNV-1a, 64 bits (Fowler, Noll and Vo), over the little-endian bytes; all of one NaN.
fn digest(values: &[f32]) -> u64 {
    let bits = |value: &f32| {
        if value.is_nan() {
            0x7fc0_0000
        } else {
            value.to_bits()
        }
    };
    values
        .iter()
        .flat_map(|value| bits(value).to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
}

/// Numbers in −1..1 from a linear congruential generator (Knuth's MMIX constants).
fn drawn(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// The output of a linear layer and its three gradients.
fn product_of(rows: usize, inner: usize, columns: usize) -> Vec<f32> {
    let plan = product::Plan::new(inner, columns);
    let (x, weight) = (drawn(rows * inner, 1), drawn(inner * columns, 2));
    let (bias, dy) = (drawn(columns, 3), drawn(rows * columns, 4));
    let mut packed = vec![0.0; plan.packed_len()];
    plan.pack(&weight, &mut packed);
    let mut out = vec![0.0; rows * columns];
    let epilogue = Epilogue {
        residual: Some(&dy),
        rectifier: Some(Rectifier::Relu6),
    };
    plan.forward(&packed, Some(&bias), rows, &x, epilogue, &mut out);
    packed.resize(plan.input_packed_len(), 0.0);
    plan.pack_input(&weight, &mut packed);
    let mut dx = vec![0.0; rows * inner];
    plan.input_gradient(&packed, rows, &dy, &mut dx);
    let mut dw = weight;
    plan.weight_gradient(rows, &x, &dy, &mut dw);
    [out, dx, dw].concat()
}

/// The output of a convolution of three images and its two gradients.
fn convolution_of(geometry: Geometry) -> Vec<f32> {
    const IMAGES: usize = 3;
    let plan = convolution::Plan::new(geometry);
    let x = drawn(IMAGES * geometry.input_len(), 1);
    let weight = drawn(geometry.weight_len(), 2);
    let bias = drawn(geometry.channels, 3);
    let dy = drawn(IMAGES * geometry.output_len(), 4);
    let mut scratch = vec![0.0; plan.scratch_len()];
    let mut packed = vec![0.0; plan.packed_len()];
    plan.pack(&weight, &mut packed);
    let mut out = vec![0.0; dy.len()];
    let epilogue = Epilogue::default();
    plan.forward(&packed, Some(&bias), &x, epilogue, &mut out, &mut scratch);
    packed.resize(plan.input_packed_len(), 0.0);
    plan.pack_input(&weight, &mut packed);
    let mut dx = vec![0.0; x.len()];
    plan.input_gradient(&packed, &dy, &mut dx, &mut scratch);
    let mut dw = weight;
    plan.weight_gradient(&x, &dy, &mut dw, &mut scratch);
    [out, dx, dw].concat()
}

/// Every activation and its gradient, of ordinary numbers and of those where the formulas change.
fn activations() -> Vec<f32> {
    let mut x: Vec<f32> = drawn(997, 1).iter().map(|x| 8.0 * x).collect();
    x.extend([0.0, -0.0, 0.55, 5.5, -87.4, 88.8, 1e-40, 1e30, -1e30]);
    let mut all = Vec::new();
    for activation in [
        Activation::Relu,
        Activation::Relu6,
        Activation::Hardswish,
        Activation::Silu,
        Activation::Tanh,
        Activation::Gelu,
    ] {
        let mut out = vec![0.0; x.len()];
        activation.apply(&x, &mut out);
        let mut gradient = drawn(x.len(), 2);
        activation.gradient(&x, &mut gradient);
        all.extend(out);
        all.extend(gradient);
    }
    all
}

/// Zeros for the dropped.
fn dropped() -> Vec<f32> {
    let mut values = drawn(103, 1);
    let dropout = Dropout {
        key: 0x0123_4567_89ab_cdef,
        node: 5,
        rate: 0.3,
    };
    dropout.apply(7, &mut values);
    values
}

/// The output of softmax attention over two rows, its probabilities and its gradient.
fn attention_of() -> Vec<f32> {
    let shape = Attention {
        tokens: 11,
        width: 18,
        heads: 3,
    };
    let x = drawn(2 * shape.input_len(), 1);
    let dy = drawn(2 * shape.out_len(), 2);
    let mut out = vec![0.0; dy.len()];
    let mut probabilities = vec![0.0; 2 * shape.probabilities_len()];
    let mut scratch = vec![0.0; shape.scratch_len()];
    attention::forward(&shape, &x, &mut out, Some(&mut probabilities), &mut scratch);
    let mut dx = vec![0.0; x.len()];
    scratch.resize(shape.gradient_scratch_len(), 0.0);
    attention::gradient(&shape, &x, &probabilities, &dy, &mut dx, &mut scratch);
    [out, probabilities, dx].concat()
}

/// Rows and channels of what is normalized.
const NORMALIZED: [usize; 2] = [13, 21];

fn layer_norm() -> Vec<f32> {
    let [rows, width] = NORMALIZED;
    let [x, dy] = [1, 2].map(|seed| drawn(rows * width, seed));
    let [scale, shift, mut d_scale, mut d_shift] = [3, 4, 5, 6].map(|seed| drawn(width, seed));
    let (mut out, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    let mut statistics = vec![0.0; 2 * rows];
    layer::forward(&x, &scale, &shift, 1e-5, &mut out, Some(&mut statistics));
    let d_parameters = [&mut d_scale[..], &mut d_shift[..]];
    layer::gradient(&x, &scale, &statistics, &dy, &mut dx, d_parameters);
    [out, statistics, dx, d_scale, d_shift].concat()
}

fn batch_norm() -> Vec<f32> {
    let [rows, channels] = NORMALIZED;
    let [x, dy] = [1, 2].map(|seed| drawn(rows * channels, seed));
    let [scale, mut d_scale, mut d_shift] = [3, 5, 6].map(|seed| drawn(channels, seed));
    let [mut mean, mut variance, mut inverse] = [(); 3].map(|()| vec![0.0; channels]);
    batch::statistics(&x, &mut mean, &mut variance);
    batch::inverses(&variance, 1e-5, &mut inverse);
    let mut dx = vec![0.0; x.len()];
    let mut scratch = vec![0.0; 3 * channels];
    batch::gradient(
        &x,
        [&mean, &inverse],
        &scale,
        &dy,
        &mut dx,
        [&mut d_scale, &mut d_shift],
        &mut scratch,
    );
    [mean, variance, inverse, dx, d_scale, d_shift].concat()
}

/// Sums along rows of every length up to 40.
fn sums() -> Vec<f32> {
    (0..=40)
        .map(|length| reduce::sum(&drawn(length, 1)))
        .collect()
}

/// Three steps of each optimizer on 101 weights.
fn updates() -> Vec<f32> {
    let weights = drawn(101, 1);
    let zeros = vec![0.0; weights.len()];
    let sgd = Sgd {
        learning_rate: 0.05,
        momentum: 0.9,
        weight_decay: 0.01,
    };
    let adamw = AdamW {
        first: [0.9, 0.1],
        second: [0.999, 0.001],
        rate: 0.01,
        scale: 3.0,
        shrink: 1e-4,
        epsilon: 1e-8,
    };
    let (mut by_sgd, mut velocities) = (weights.clone(), zeros.clone());
    let (mut by_adamw, mut means, mut squares) = (weights, zeros.clone(), zeros);
    for step in 2..5 {
        let gradients = drawn(by_sgd.len(), step);
        sgd.apply(&mut by_sgd, &gradients, &mut velocities);
        adamw.apply(&mut by_adamw, &gradients, &mut means, &mut squares);
    }
    [by_sgd, velocities, by_adamw, means, squares].concat()
}
