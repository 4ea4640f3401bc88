//! The lanes on AArch64, whose every processor has NEON; `vfma` and `vmax` are not used, because they would give other bits.
//!
//! Safety, for each block: NEON belongs to AArch64's baseline, so the operations exist; pointers come from arrays of four.

use core::arch::aarch64 as machine;

pub(super) type Floats = machine::float32x4_t;
pub(super) type Integers = machine::int32x4_t;

macro_rules! operations {
    ($($name:ident($($argument:ident: $type:ty),*) -> $out:ty = $body:expr;)*) => {$(
        #[inline(always)]
        pub(super) fn $name($($argument: $type),*) -> $out {
            // SAFETY: NEON is AArch64's baseline.
            unsafe { $body }
        }
    )*};
}

operations! {
    splat(value: f32) -> Floats = machine::vdupq_n_f32(value);
    splat_integer(value: i32) -> Integers = machine::vdupq_n_s32(value);
    first(a: Floats) -> f32 = machine::vgetq_lane_f32::<0>(a);
    add(a: Floats, b: Floats) -> Floats = machine::vaddq_f32(a, b);
    sub(a: Floats, b: Floats) -> Floats = machine::vsubq_f32(a, b);
    mul(a: Floats, b: Floats) -> Floats = machine::vmulq_f32(a, b);
    div(a: Floats, b: Floats) -> Floats = machine::vdivq_f32(a, b);
    sqrt(a: Floats) -> Floats = machine::vsqrtq_f32(a);
    max(a: Floats, b: Floats) -> Floats = machine::vbslq_f32(machine::vcgtq_f32(a, b), a, b);
    min(a: Floats, b: Floats) -> Floats = machine::vbslq_f32(machine::vcltq_f32(a, b), a, b);
    lt(a: Floats, b: Floats) -> Integers = machine::vreinterpretq_s32_u32(machine::vcltq_f32(a, b));
    eq(a: Floats, b: Floats) -> Integers = machine::vreinterpretq_s32_u32(machine::vceqq_f32(a, b));
    bits(a: Floats) -> Integers = machine::vreinterpretq_s32_f32(a);
    floats(a: Integers) -> Floats = machine::vreinterpretq_f32_s32(a);
    and(a: Integers, b: Integers) -> Integers = machine::vandq_s32(a, b);
    and_not(a: Integers, b: Integers) -> Integers = machine::vbicq_s32(a, b);
    or(a: Integers, b: Integers) -> Integers = machine::vorrq_s32(a, b);
    xor(a: Integers, b: Integers) -> Integers = machine::veorq_s32(a, b);
    add_integers(a: Integers, b: Integers) -> Integers = machine::vaddq_s32(a, b);
    sub_integers(a: Integers, b: Integers) -> Integers = machine::vsubq_s32(a, b);
    zip_low(a: Floats, b: Floats) -> Floats = machine::vzip1q_f32(a, b);
    zip_high(a: Floats, b: Floats) -> Floats = machine::vzip2q_f32(a, b);
    select(mask: Integers, yes: Floats, no: Floats) -> Floats =
        machine::vbslq_f32(machine::vreinterpretq_u32_s32(mask), yes, no);
    load_words(from: &[i16; 8]) -> Integers = machine::vreinterpretq_s32_s16(machine::vld1q_s16(from.as_ptr()));
    store_words(a: Integers, into: &mut [i16; 8]) -> () = machine::vst1q_s16(into.as_mut_ptr(), machine::vreinterpretq_s16_s32(a));
    load_integers(from: &[i32; 4]) -> Integers = machine::vld1q_s32(from.as_ptr());
    store_integers(a: Integers, into: &mut [i32; 4]) -> () = machine::vst1q_s32(into.as_mut_ptr(), a);
    splat_word(value: i16) -> Integers = machine::vreinterpretq_s32_s16(machine::vdupq_n_s16(value));
    dot_words(a: Integers, b: Integers) -> Integers = {
        let (a, b) = (machine::vreinterpretq_s16_s32(a), machine::vreinterpretq_s16_s32(b));
        machine::vpaddq_s32(
            machine::vmull_s16(machine::vget_low_s16(a), machine::vget_low_s16(b)),
            machine::vmull_high_s16(a, b),
        )
    };
    high_product(a: Integers, m: Integers) -> Integers = machine::vcombine_s32(
        machine::vshrn_n_s64::<16>(machine::vmull_s32(machine::vget_low_s32(a), machine::vget_low_s32(m))),
        machine::vshrn_n_s64::<16>(machine::vmull_high_s32(a, m)),
    );
    narrow(a: Integers, b: Integers) -> Integers =
        machine::vreinterpretq_s32_s16(machine::vcombine_s16(machine::vqmovn_s32(a), machine::vqmovn_s32(b)));
    max_words(a: Integers, b: Integers) -> Integers = machine::vreinterpretq_s32_s16(machine::vmaxq_s16(
        machine::vreinterpretq_s16_s32(a), machine::vreinterpretq_s16_s32(b)));
    min_words(a: Integers, b: Integers) -> Integers = machine::vreinterpretq_s32_s16(machine::vminq_s16(
        machine::vreinterpretq_s16_s32(a), machine::vreinterpretq_s16_s32(b)));
    zip_words_low(a: Integers, b: Integers) -> Integers = machine::vreinterpretq_s32_s16(machine::vzip1q_s16(
        machine::vreinterpretq_s16_s32(a), machine::vreinterpretq_s16_s32(b)));
    zip_words_high(a: Integers, b: Integers) -> Integers = machine::vreinterpretq_s32_s16(machine::vzip2q_s16(
        machine::vreinterpretq_s16_s32(a), machine::vreinterpretq_s16_s32(b)));
    shift_right(a: Integers, bits: i32) -> Integers = machine::vshlq_s32(a, machine::vdupq_n_s32(-bits));
    to_floats(a: Integers) -> Floats = machine::vcvtq_f32_s32(a);
    load(from: &[f32; 4]) -> Floats = machine::vld1q_f32(from.as_ptr());
    store(a: Floats, into: &mut [f32; 4]) -> () = machine::vst1q_f32(into.as_mut_ptr(), a);
}

#[inline(always)]
pub(super) fn shift_left<const BITS: i32>(a: Integers) -> Integers {
    // SAFETY: NEON is AArch64's baseline.
    unsafe { machine::vshlq_n_s32::<BITS>(a) }
}
