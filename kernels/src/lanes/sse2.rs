//! The lanes on x86-64, whose every processor has SSE2; nothing newer is used.
//!
//! Safety, for each block: SSE2 belongs to x86-64's baseline, so the operations exist; pointers come from arrays of one register
//! and the loads and stores are the unaligned ones.

use core::arch::x86_64 as machine;

pub(super) type Floats = machine::__m128;
pub(super) type Integers = machine::__m128i;

macro_rules! operations {
    ($($name:ident($($argument:ident: $type:ty),*) -> $out:ty = $body:expr;)*) => {$(
        #[inline(always)]
        pub(super) fn $name($($argument: $type),*) -> $out {
            // SAFETY: SSE2 is x86-64's baseline.
            unsafe { $body }
        }
    )*};
}

operations! {
    splat(value: f32) -> Floats = machine::_mm_set1_ps(value);
    splat_integer(value: i32) -> Integers = machine::_mm_set1_epi32(value);
    first(a: Floats) -> f32 = machine::_mm_cvtss_f32(a);
    add(a: Floats, b: Floats) -> Floats = machine::_mm_add_ps(a, b);
    sub(a: Floats, b: Floats) -> Floats = machine::_mm_sub_ps(a, b);
    mul(a: Floats, b: Floats) -> Floats = machine::_mm_mul_ps(a, b);
    div(a: Floats, b: Floats) -> Floats = machine::_mm_div_ps(a, b);
    sqrt(a: Floats) -> Floats = machine::_mm_sqrt_ps(a);
    // The instructions return their second operand for NaN and for two zeros.
    max(a: Floats, b: Floats) -> Floats = machine::_mm_max_ps(a, b);
    min(a: Floats, b: Floats) -> Floats = machine::_mm_min_ps(a, b);
    lt(a: Floats, b: Floats) -> Integers = machine::_mm_castps_si128(machine::_mm_cmplt_ps(a, b));
    eq(a: Floats, b: Floats) -> Integers = machine::_mm_castps_si128(machine::_mm_cmpeq_ps(a, b));
    bits(a: Floats) -> Integers = machine::_mm_castps_si128(a);
    floats(a: Integers) -> Floats = machine::_mm_castsi128_ps(a);
    and(a: Integers, b: Integers) -> Integers = machine::_mm_and_si128(a, b);
    and_not(a: Integers, b: Integers) -> Integers = machine::_mm_andnot_si128(b, a);
    or(a: Integers, b: Integers) -> Integers = machine::_mm_or_si128(a, b);
    xor(a: Integers, b: Integers) -> Integers = machine::_mm_xor_si128(a, b);
    add_integers(a: Integers, b: Integers) -> Integers = machine::_mm_add_epi32(a, b);
    sub_integers(a: Integers, b: Integers) -> Integers = machine::_mm_sub_epi32(a, b);
    zip_low(a: Floats, b: Floats) -> Floats = machine::_mm_unpacklo_ps(a, b);
    zip_high(a: Floats, b: Floats) -> Floats = machine::_mm_unpackhi_ps(a, b);
    select(mask: Integers, yes: Floats, no: Floats) -> Floats = {
        let mask = machine::_mm_castsi128_ps(mask);
        machine::_mm_or_ps(machine::_mm_and_ps(mask, yes), machine::_mm_andnot_ps(mask, no))
    };
    load_words(from: &[i16; 8]) -> Integers = machine::_mm_loadu_si128(from.as_ptr().cast());
    store_words(a: Integers, into: &mut [i16; 8]) -> () = machine::_mm_storeu_si128(into.as_mut_ptr().cast(), a);
    load_integers(from: &[i32; 4]) -> Integers = machine::_mm_loadu_si128(from.as_ptr().cast());
    store_integers(a: Integers, into: &mut [i32; 4]) -> () = machine::_mm_storeu_si128(into.as_mut_ptr().cast(), a);
    splat_word(value: i16) -> Integers = machine::_mm_set1_epi16(value);
    dot_words(a: Integers, b: Integers) -> Integers = machine::_mm_madd_epi16(a, b);
    // The upper halves' product, and the carry of the lower halves'.
    high_product(a: Integers, m: Integers) -> Integers = machine::_mm_add_epi32(
        machine::_mm_madd_epi16(a, machine::_mm_slli_epi32::<16>(m)),
        machine::_mm_mulhi_epu16(a, m),
    );
    narrow(a: Integers, b: Integers) -> Integers = machine::_mm_packs_epi32(a, b);
    max_words(a: Integers, b: Integers) -> Integers = machine::_mm_max_epi16(a, b);
    min_words(a: Integers, b: Integers) -> Integers = machine::_mm_min_epi16(a, b);
    zip_words_low(a: Integers, b: Integers) -> Integers = machine::_mm_unpacklo_epi16(a, b);
    zip_words_high(a: Integers, b: Integers) -> Integers = machine::_mm_unpackhi_epi16(a, b);
    shift_right(a: Integers, bits: i32) -> Integers = machine::_mm_sra_epi32(a, machine::_mm_cvtsi32_si128(bits));
    to_floats(a: Integers) -> Floats = machine::_mm_cvtepi32_ps(a);
    load(from: &[f32; 4]) -> Floats = machine::_mm_loadu_ps(from.as_ptr());
    store(a: Floats, into: &mut [f32; 4]) -> () = machine::_mm_storeu_ps(into.as_mut_ptr(), a);
}

#[inline(always)]
pub(super) fn shift_left<const BITS: i32>(a: Integers) -> Integers {
    // SAFETY: SSE2 is x86-64's baseline.
    unsafe { machine::_mm_slli_epi32::<BITS>(a) }
}
