//! Winograd's sums against the definition in f64, within the bound that `docs/numerics.md` derives.

use super::*;
use crate::testing::drawn;

/// 2⁻²⁴, the largest relative error of one f32 operation.
const U: f64 = 5.960_464_477_539_063e-8;

const CASES: &[Winograd] = &[
    sizes([8, 8, 8], 8, [8, 8], [1, 1]),
    sizes([16, 7, 5], 12, [7, 5], [1, 1]),
    sizes([64, 8, 8], 20, [8, 8], [1, 1]),
    sizes([12, 6, 9], 8, [4, 7], [0, 0]),
    sizes([8, 3, 4], 16, [5, 6], [2, 2]),
    sizes([8, 33, 31], 8, [33, 31], [1, 1]),
];

const fn sizes(
    input: [usize; 3],
    channels: usize,
    out: [usize; 2],
    before: [usize; 2],
) -> Winograd {
    Winograd {
        planes: input[0],
        height: input[1],
        width: input[2],
        channels,
        out_height: out[0],
        out_width: out[1],
        before,
    }
}

/// A 4×4 patch in f64, zeros outside.
fn patch(sizes: &Winograd, image: &[f32], place: [usize; 2], plane: usize) -> [f64; 16] {
    std::array::from_fn(|at| {
        let row = (place[0] + at / 4)
            .checked_sub(sizes.before[0])
            .filter(|&row| row < sizes.height);
        let column = (place[1] + at % 4)
            .checked_sub(sizes.before[1])
            .filter(|&column| column < sizes.width);
        match (row, column) {
            (Some(row), Some(column)) => {
                f64::from(image[(row * sizes.width + column) * sizes.planes + plane])
            }
            _ => 0.0,
        }
    })
}

/// `L x Lᵀ` for a `ROWS × N` matrix.
fn both_sides<const ROWS: usize, const N: usize>(matrix: [[f64; N]; ROWS], x: &[f64]) -> Vec<f64> {
    let mut out = Vec::new();
    for row in matrix {
        for column in matrix {
            let terms = (0..N).flat_map(|i| (0..N).map(move |j| (i, j)));
            out.push(terms.map(|(i, j)| row[i] * x[i * N + j] * column[j]).sum());
        }
    }
    out
}

/// The exact output, and the sum of the absolute values of all terms that Winograd adds up for it.
fn reference(
    sizes: &Winograd,
    weight: &[f32],
    bias: f32,
    image: &[f32],
    at: [usize; 2],
    channel: usize,
) -> (f64, f64) {
    const B: [[f64; 4]; 4] = [
        [1., 0., 1., 0.],
        [0., 1., 1., 0.],
        [0., 1., 1., 0.],
        [0., 1., 0., 1.],
    ];
    const G: [[f64; 3]; 4] = [[1., 0., 0.], [0.5, 0.5, 0.5], [0.5, 0.5, 0.5], [0., 0., 1.]];
    const A: [[f64; 4]; 2] = [[1., 1., 1., 0.], [0., 1., 1., 1.]];
    let mut exact = f64::from(bias);
    let mut sums = [0.0; 16];
    let inside = [at[0] % 2, at[1] % 2];
    for plane in 0..sizes.planes {
        let d = patch(sizes, image, [at[0] - inside[0], at[1] - inside[1]], plane);
        let g: [f64; 9] = std::array::from_fn(|place| {
            f64::from(weight[(place * sizes.planes + plane) * sizes.channels + channel])
        });
        for (place, weight) in g.iter().enumerate() {
            let (y, x) = (inside[0] + place / 3, inside[1] + place % 3);
            exact += weight * d[y * 4 + x];
        }
        let d = both_sides(B, &d.map(f64::abs));
        let g = both_sides(G, &g.map(f64::abs));
        for ((sum, d), g) in sums.iter_mut().zip(d).zip(g) {
            *sum += d * g;
        }
    }
    (
        exact,
        both_sides(A, &sums)[inside[0] * 2 + inside[1]] + f64::from(bias).abs(),
    )
}

fn computed(sizes: &Winograd, weight: &[f32], bias: &[f32], image: &[f32]) -> Vec<f32> {
    let mut packed = vec![f32::NAN; sizes.packed_len()];
    let at =
        |place, plane, channel| weight[(place * sizes.planes + plane) * sizes.channels + channel];
    sizes.pack(at, &mut packed);
    let mut scratch = vec![f32::NAN; sizes.scratch_len()];
    let mut out = vec![f32::NAN; sizes.out_height * sizes.out_width * sizes.channels];
    sizes.image(
        &packed,
        Some(bias),
        image,
        Epilogue::default(),
        &mut out,
        &mut scratch,
    );
    out
}

/// The outputs that are further from the exact ones than the bound, as words.
fn failures(
    sizes: &Winograd,
    weight: &[f32],
    bias: &[f32],
    image: &[f32],
    out: &[f32],
) -> Vec<String> {
    // Four roundings to transform a kernel, two for a patch, one product, the sum over planes, four to finish, the bias.
    let roundings = (sizes.planes + 11) as f64;
    let gamma = roundings * U / (1.0 - roundings * U);
    let mut failures = Vec::new();
    for (index, &found) in out.iter().enumerate() {
        let (place, channel) = (index / sizes.channels, index % sizes.channels);
        let at = [place / sizes.out_width, place % sizes.out_width];
        let (exact, terms) = reference(sizes, weight, bias[channel], image, at, channel);
        let error = (f64::from(found) - exact).abs();
        if error.is_nan() || error > gamma * terms {
            failures.push(format!(
                "{index}: {found} for {exact}, {error:e} of {:e}",
                gamma * terms
            ));
        }
    }
    failures
}

#[test]
fn outputs_are_within_the_derived_bound_and_one_moved_by_ten_bounds_is_found() {
    for sizes in CASES {
        let image = drawn(sizes.height * sizes.width * sizes.planes, 1);
        let weight = drawn(9 * sizes.planes * sizes.channels, 2);
        let bias = drawn(sizes.channels, 3);
        let mut out = computed(sizes, &weight, &bias, &image);
        let found = failures(sizes, &weight, &bias, &image, &out);
        assert!(found.is_empty(), "{sizes:?}: {found:?}");

        let middle = out.len() / 2;
        let at = [
            middle / sizes.channels / sizes.out_width,
            middle / sizes.channels % sizes.out_width,
        ];
        let channel = middle % sizes.channels;
        let (_, terms) = reference(sizes, &weight, bias[channel], &image, at, channel);
        out[middle] += (10.0 * (sizes.planes + 11) as f64 * U * terms) as f32;
        assert_eq!(
            failures(sizes, &weight, &bias, &image, &out).len(),
            1,
            "{sizes:?}"
        );
    }
}

#[test]
fn an_output_does_not_depend_on_how_many_patches_are_taken_at_a_time() {
    // The same 8×8 corner of a large image, which is worked on in several blocks, and of a small one.
    let (small, large) = (
        sizes([64, 9, 9], 64, [8, 8], [1, 1]),
        sizes([64, 40, 40], 64, [40, 40], [1, 1]),
    );
    let tiles = large.out_height.div_ceil(2) * large.out_width.div_ceil(2);
    assert!(
        large.block() < tiles,
        "the large image takes several blocks"
    );
    let weight = drawn(9 * 64 * 64, 2);
    let bias = drawn(64, 3);
    let image = drawn(40 * 40 * 64, 1);
    let corner: Vec<f32> = (0..9)
        .flat_map(|row| image[row * 40 * 64..][..9 * 64].iter().copied())
        .collect();
    let (few, many) = (
        computed(&small, &weight, &bias, &corner),
        computed(&large, &weight, &bias, &image),
    );
    for row in 0..8 {
        let (few, many) = (
            &few[row * 8 * 64..][..8 * 64],
            &many[row * 40 * 64..][..8 * 64],
        );
        assert!(
            few.iter()
                .zip(many)
                .all(|(a, b)| a.to_bits() == b.to_bits()),
            "row {row}"
        );
    }
}
