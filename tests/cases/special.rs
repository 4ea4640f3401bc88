//! Where processors are known to differ: NaN's bits, denormal numbers, fused operations; and the kernels' digests.

use super::Case;
use assay::digest::Hasher;
use assay_kernels::{Epilogue, product};
use std::hint::black_box;

/// The file is the kernels' own test as well.
#[path = "../../kernels/tests/digests/mod.rs"]
mod kernels;

/// The cases of this file.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "kernels_have_their_committed_digests",
            run: kernels::check,
        },
        Case {
            name: "nan_of_every_origin_hashes_alike",
            run: nan_hashes_alike,
        },
        Case {
            name: "denormal_numbers_survive_arithmetic",
            run: denormals_survive_arithmetic,
        },
        Case {
            name: "denormal_numbers_survive_products",
            run: denormals_survive_products,
        },
        Case {
            name: "a_product_is_rounded_before_it_is_added",
            run: products_are_rounded,
        },
    ]
}

fn same_bits(what: &str, found: f32, wanted: u32) -> Result<(), String> {
    if found.to_bits() == wanted {
        Ok(())
    } else {
        Err(format!(
            "{what}: {found:e} ({:#010x}), expected {wanted:#010x}",
            found.to_bits()
        ))
    }
}

/// A number that the compiler does not know, so that the processor computes with it.
fn hidden(bits: u32) -> f32 {
    f32::from_bits(black_box(bits))
}

/// SHA-256 of the count 1 and of `0x7fc0_0000`, little endian.
const ONE_NAN: &str = "23b1c13bc54ec545e1d17ee2b9209fbf87b13aecb35b99aeb464f304690ede9b";

fn nan_hashes_alike() -> Result<(), String> {
    let (zero, one, infinity) = (hidden(0), hidden(0x3f80_0000), hidden(0x7f80_0000));
    for (origin, nan) in [
        ("0 / 0", zero / hidden(0)),
        ("∞ − ∞", infinity - hidden(0x7f80_0000)),
        ("0 · ∞", zero * infinity),
        ("√−1", (-one).sqrt()),
        ("−NaN", -(zero / hidden(0))),
        ("a signalling NaN", hidden(0x7f80_0001)),
        ("a NaN with a payload, plus 1", hidden(0xffc1_2345) + one),
    ] {
        let mut hasher = Hasher::new();
        hasher.f32s(&[nan]);
        let digest = hasher.finish();
        if !nan.is_nan() || digest != ONE_NAN {
            return Err(format!("{origin}: {digest} for {:#010x}", nan.to_bits()));
        }
    }
    Ok(())
}

fn denormals_survive_arithmetic() -> Result<(), String> {
    // The smallest normal number, the largest denormal one, the smallest.
    let (normal, large, small) = (hidden(0x0080_0000), hidden(0x007f_ffff), hidden(1));
    let half = hidden(0x3f00_0000);
    for (what, found, wanted) in [
        ("half of a normal number", normal * half, 0x0040_0000),
        (
            "a difference of normal numbers",
            hidden(0x0080_0003) - normal,
            3,
        ),
        ("a sum of denormal numbers", small + small, 2),
        ("a sum that becomes normal", large + small, 0x0080_0000),
        (
            "a denormal number times 2²³",
            small * hidden(0x4b00_0000),
            0x0080_0000,
        ),
        ("a denormal number below 0", -large * half, 0x8040_0000),
        ("a quotient", normal / hidden(0x4080_0000), 0x0020_0000),
        ("the root of a denormal number", small.sqrt(), 0x1a35_04f3),
    ] {
        same_bits(what, found, wanted)?;
    }
    if small == hidden(0) {
        return Err("a denormal number counts as 0 in a comparison".to_owned());
    }
    let through_f64 = black_box(f64::from(large)) as f32;
    same_bits("through f64 and back", through_f64, large.to_bits())?;
    let tiny = black_box(f64::MIN_POSITIVE) / 4.0;
    if tiny.to_bits() != 1 << 50 {
        return Err(format!("a quarter of the smallest normal f64: {tiny:e}"));
    }
    Ok(())
}

/// Denormal inputs, bias and output, in sizes that fill tiles and leave rests.
fn denormals_survive_products() -> Result<(), String> {
    const SIZES: [usize; 3] = [7, 5, 11];
    let [rows, inner, columns] = SIZES;
    let plan = product::Plan::new(inner, columns);
    let mut packed = vec![0.0; plan.packed_len()];
    // 2⁻¹³⁰ times 1, five times, from a bias of 2⁻¹⁴⁹.
    plan.pack(&vec![1.0; inner * columns], &mut packed);
    let mut out = vec![0.0; rows * columns];
    let bias = vec![hidden(1); columns];
    let x = vec![hidden(1 << 19); rows * inner];
    plan.forward(
        &packed,
        Some(&bias),
        rows,
        &x,
        Epilogue::default(),
        &mut out,
    );
    for value in out {
        same_bits("a sum of denormal numbers", value, 5 * (1 << 19) + 1)?;
    }
    // 2⁻⁷⁰ times 2⁻⁷⁰, for each of seven rows.
    let tiny = hidden((127 - 70) << 23);
    let mut gradient = vec![0.0; inner * columns];
    plan.weight_gradient(
        rows,
        &vec![tiny; rows * inner],
        &vec![tiny; rows * columns],
        &mut gradient,
    );
    for value in gradient {
        same_bits("a sum of denormal products", value, 7 * (1 << 9))?;
    }
    Ok(())
}

/// With `a = 1 + 2⁻¹²`, `a·a = 1 + 2⁻¹¹ + 2⁻²⁴`, whose last term a rounded product loses and a fused one keeps.
fn products_are_rounded() -> Result<(), String> {
    let a = hidden(0x3f80_0800);
    let rounded = hidden(0x3f80_1000);
    same_bits("a·a − rounded", a * a - rounded, 0)?;
    let plan = product::Plan::new(1, 9);
    let mut packed = vec![0.0; plan.packed_len()];
    plan.pack(&[a; 9], &mut packed);
    let mut out = vec![1.0; 45];
    plan.forward(
        &packed,
        Some(&[-rounded; 9]),
        5,
        &[a; 5],
        Epilogue::default(),
        &mut out,
    );
    for value in out {
        same_bits("a product from a bias", value, 0)?;
    }
    let mut gradient = vec![-rounded; 9];
    plan.weight_gradient(1, &[a], &[a; 9], &mut gradient);
    for value in gradient {
        same_bits("a weight's gradient", value, 0)?;
    }
    Ok(())
}
