//! The lanes on WebAssembly with simd128; never relaxed SIMD, whose results differ between browsers.

use core::arch::wasm32 as machine;

pub(super) type Floats = machine::v128;
pub(super) type Integers = machine::v128;

macro_rules! operations {
    ($($name:ident($($argument:ident: $type:ty),*) -> $out:ty = $body:expr;)*) => {$(
        #[inline(always)]
        pub(super) fn $name($($argument: $type),*) -> $out {
            $body
        }
    )*};
}

operations! {
    splat(value: f32) -> Floats = machine::f32x4_splat(value);
    splat_integer(value: i32) -> Integers = machine::i32x4_splat(value);
    first(a: Floats) -> f32 = machine::f32x4_extract_lane::<0>(a);
    add(a: Floats, b: Floats) -> Floats = machine::f32x4_add(a, b);
    sub(a: Floats, b: Floats) -> Floats = machine::f32x4_sub(a, b);
    mul(a: Floats, b: Floats) -> Floats = machine::f32x4_mul(a, b);
    div(a: Floats, b: Floats) -> Floats = machine::f32x4_div(a, b);
    sqrt(a: Floats) -> Floats = machine::f32x4_sqrt(a);
    // pmax(x, y) is `x < y ? y : x`.
    max(a: Floats, b: Floats) -> Floats = machine::f32x4_pmax(b, a);
    // pmin(x, y) is `y < x ? y : x`.
    min(a: Floats, b: Floats) -> Floats = machine::f32x4_pmin(b, a);
    lt(a: Floats, b: Floats) -> Integers = machine::f32x4_lt(a, b);
    eq(a: Floats, b: Floats) -> Integers = machine::f32x4_eq(a, b);
    bits(a: Floats) -> Integers = a;
    floats(a: Integers) -> Floats = a;
    and(a: Integers, b: Integers) -> Integers = machine::v128_and(a, b);
    and_not(a: Integers, b: Integers) -> Integers = machine::v128_andnot(a, b);
    or(a: Integers, b: Integers) -> Integers = machine::v128_or(a, b);
    xor(a: Integers, b: Integers) -> Integers = machine::v128_xor(a, b);
    add_integers(a: Integers, b: Integers) -> Integers = machine::i32x4_add(a, b);
    sub_integers(a: Integers, b: Integers) -> Integers = machine::i32x4_sub(a, b);
    zip_low(a: Floats, b: Floats) -> Floats = machine::i32x4_shuffle::<0, 4, 1, 5>(a, b);
    zip_high(a: Floats, b: Floats) -> Floats = machine::i32x4_shuffle::<2, 6, 3, 7>(a, b);
    splat_word(value: i16) -> Integers = machine::i16x8_splat(value);
    dot_words(a: Integers, b: Integers) -> Integers = machine::i32x4_dot_i16x8(a, b);
    // The upper halves' product, and the carry of the lower halves'.
    high_product(a: Integers, m: Integers) -> Integers = machine::i32x4_add(
        machine::i32x4_dot_i16x8(a, machine::i32x4_shl(m, 16)),
        machine::u32x4_shr(machine::i32x4_mul(machine::v128_and(a, machine::i32x4_splat(0xffff)), m), 16)
    );
    narrow(a: Integers, b: Integers) -> Integers = machine::i16x8_narrow_i32x4(a, b);
    max_words(a: Integers, b: Integers) -> Integers = machine::i16x8_max(a, b);
    min_words(a: Integers, b: Integers) -> Integers = machine::i16x8_min(a, b);
    zip_words_low(a: Integers, b: Integers) -> Integers = machine::i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(a, b);
    zip_words_high(a: Integers, b: Integers) -> Integers = machine::i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(a, b);
    shift_right(a: Integers, bits: i32) -> Integers = machine::i32x4_shr(a, bits as u32);
    to_floats(a: Integers) -> Floats = machine::f32x4_convert_i32x4(a);
    select(mask: Integers, yes: Floats, no: Floats) -> Floats = machine::v128_bitselect(yes, no, mask);
}

#[inline(always)]
pub(super) fn load(from: &[f32; 4]) -> Floats {
    // SAFETY: sixteen bytes of an array; wasm loads from any alignment.
    unsafe { machine::v128_load(from.as_ptr().cast()) }
}

#[inline(always)]
pub(super) fn store(a: Floats, into: &mut [f32; 4]) {
    // SAFETY: as for `load`.
    unsafe { machine::v128_store(into.as_mut_ptr().cast(), a) }
}

#[inline(always)]
pub(super) fn shift_left<const BITS: i32>(a: Integers) -> Integers {
    machine::i32x4_shl(a, BITS as u32)
}

#[inline(always)]
pub(super) fn load_words(from: &[i16; 8]) -> Integers {
    // SAFETY: as for `load`.
    unsafe { machine::v128_load(from.as_ptr().cast()) }
}

#[inline(always)]
pub(super) fn store_words(a: Integers, into: &mut [i16; 8]) {
    // SAFETY: as for `load`.
    unsafe { machine::v128_store(into.as_mut_ptr().cast(), a) }
}

#[inline(always)]
pub(super) fn load_integers(from: &[i32; 4]) -> Integers {
    // SAFETY: as for `load`.
    unsafe { machine::v128_load(from.as_ptr().cast()) }
}

#[inline(always)]
pub(super) fn store_integers(a: Integers, into: &mut [i32; 4]) {
    // SAFETY: as for `load`.
    unsafe { machine::v128_store(into.as_mut_ptr().cast(), a) }
}
