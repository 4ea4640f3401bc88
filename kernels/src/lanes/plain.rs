//! The lanes as arrays: for machines without a path of their own, and the definition that the other paths are tested against.

pub(super) type Floats = [f32; 4];
pub(super) type Integers = [i32; 4];

macro_rules! operations {
    ($($name:ident($($argument:ident: $type:ty),*) -> $out:ty = |$lane:ident| $body:expr;)*) => {$(
        #[inline(always)]
        pub(super) fn $name($($argument: $type),*) -> $out {
            std::array::from_fn(|$lane| $body)
        }
    )*};
}

operations! {
    add(a: Floats, b: Floats) -> Floats = |i| a[i] + b[i];
    sub(a: Floats, b: Floats) -> Floats = |i| a[i] - b[i];
    mul(a: Floats, b: Floats) -> Floats = |i| a[i] * b[i];
    div(a: Floats, b: Floats) -> Floats = |i| a[i] / b[i];
    sqrt(a: Floats) -> Floats = |i| a[i].sqrt();
    max(a: Floats, b: Floats) -> Floats = |i| if a[i] > b[i] { a[i] } else { b[i] };
    min(a: Floats, b: Floats) -> Floats = |i| if a[i] < b[i] { a[i] } else { b[i] };
    lt(a: Floats, b: Floats) -> Integers = |i| -i32::from(a[i] < b[i]);
    eq(a: Floats, b: Floats) -> Integers = |i| -i32::from(a[i] == b[i]);
    bits(a: Floats) -> Integers = |i| a[i].to_bits().cast_signed();
    floats(a: Integers) -> Floats = |i| f32::from_bits(a[i].cast_unsigned());
    and(a: Integers, b: Integers) -> Integers = |i| a[i] & b[i];
    and_not(a: Integers, b: Integers) -> Integers = |i| a[i] & !b[i];
    or(a: Integers, b: Integers) -> Integers = |i| a[i] | b[i];
    xor(a: Integers, b: Integers) -> Integers = |i| a[i] ^ b[i];
    add_integers(a: Integers, b: Integers) -> Integers = |i| a[i].wrapping_add(b[i]);
    sub_integers(a: Integers, b: Integers) -> Integers = |i| a[i].wrapping_sub(b[i]);
    select(mask: Integers, yes: Floats, no: Floats) -> Floats = |i| if mask[i] == 0 { no[i] } else { yes[i] };
}

#[inline(always)]
pub(super) fn splat(value: f32) -> Floats {
    [value; 4]
}

#[inline(always)]
pub(super) fn splat_integer(value: i32) -> Integers {
    [value; 4]
}

#[inline(always)]
pub(super) fn first(a: Floats) -> f32 {
    a[0]
}

#[inline(always)]
pub(super) fn load(from: &[f32; 4]) -> Floats {
    *from
}

#[inline(always)]
pub(super) fn store(a: Floats, into: &mut [f32; 4]) {
    *into = a;
}

#[inline(always)]
pub(super) fn zip_low(a: Floats, b: Floats) -> Floats {
    [a[0], b[0], a[1], b[1]]
}

#[inline(always)]
pub(super) fn zip_high(a: Floats, b: Floats) -> Floats {
    [a[2], b[2], a[3], b[3]]
}

#[inline(always)]
pub(super) fn shift_left<const BITS: i32>(a: Integers) -> Integers {
    std::array::from_fn(|i| a[i] << BITS)
}
