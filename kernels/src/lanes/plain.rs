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

/// Eight words as the two halves of four integers each, the lower half first.
fn words(a: Integers) -> [i16; 8] {
    std::array::from_fn(|i| (a[i / 2] >> (16 * (i % 2))) as i16)
}

fn of_words(words: [i16; 8]) -> Integers {
    std::array::from_fn(|i| i32::from(words[2 * i] as u16) | i32::from(words[2 * i + 1]) << 16)
}

#[inline(always)]
pub(super) fn load_words(from: &[i16; 8]) -> Integers {
    of_words(*from)
}

#[inline(always)]
pub(super) fn store_words(a: Integers, into: &mut [i16; 8]) {
    *into = words(a);
}

#[inline(always)]
pub(super) fn load_integers(from: &[i32; 4]) -> Integers {
    *from
}

#[inline(always)]
pub(super) fn store_integers(a: Integers, into: &mut [i32; 4]) {
    *into = a;
}

#[inline(always)]
pub(super) fn splat_word(value: i16) -> Integers {
    of_words([value; 8])
}

#[inline(always)]
pub(super) fn dot_words(a: Integers, b: Integers) -> Integers {
    let (a, b) = (words(a).map(i32::from), words(b).map(i32::from));
    std::array::from_fn(|i| (a[2 * i] * b[2 * i]).wrapping_add(a[2 * i + 1] * b[2 * i + 1]))
}

/// In two halves, without 64 bits, as WGSL must.
#[inline(always)]
pub(super) fn high_product(a: Integers, m: Integers) -> Integers {
    std::array::from_fn(|i| (a[i] >> 16) * m[i] + (((a[i] & 0xffff) * m[i]) >> 16))
}

#[inline(always)]
pub(super) fn narrow(a: Integers, b: Integers) -> Integers {
    let all = [a, b].concat();
    of_words(std::array::from_fn(|i| {
        all[i].clamp(i16::MIN.into(), i16::MAX.into()) as i16
    }))
}

#[inline(always)]
pub(super) fn max_words(a: Integers, b: Integers) -> Integers {
    let (a, b) = (words(a), words(b));
    of_words(std::array::from_fn(|i| a[i].max(b[i])))
}

#[inline(always)]
pub(super) fn min_words(a: Integers, b: Integers) -> Integers {
    let (a, b) = (words(a), words(b));
    of_words(std::array::from_fn(|i| a[i].min(b[i])))
}

#[inline(always)]
pub(super) fn zip_words_low(a: Integers, b: Integers) -> Integers {
    let (a, b) = (words(a), words(b));
    of_words(std::array::from_fn(|i| {
        if i % 2 == 0 { a[i / 2] } else { b[i / 2] }
    }))
}

#[inline(always)]
pub(super) fn zip_words_high(a: Integers, b: Integers) -> Integers {
    let (a, b) = (words(a), words(b));
    of_words(std::array::from_fn(|i| {
        if i % 2 == 0 {
            a[4 + i / 2]
        } else {
            b[4 + i / 2]
        }
    }))
}

#[inline(always)]
pub(super) fn shift_right(a: Integers, bits: i32) -> Integers {
    a.map(|lane| lane >> bits)
}

#[inline(always)]
pub(super) fn to_floats(a: Integers) -> Floats {
    a.map(|lane| lane as f32)
}
