//! Four f32 lanes that give the same bits on every machine; not a vector library: only what the kernels here use.
//!
//! One 128-bit register on wasm (simd128), x86-64 (SSE2) and AArch64 (NEON), an array elsewhere. Each operation is one
//! IEEE operation per lane; none is ever fused with another, and where machines disagree about NaN or −0 (maximum,
//! minimum) the comparison that stands beside the operation decides. Only the bits inside a NaN may differ.
//!
//! The machines' operations are declared unsafe, and loads and stores take pointers. Everything that leaves this folder takes
//! arrays and slices, so its users need not be careful; the few loops that are say why at their top.
#![allow(
    unsafe_code,
    reason = "the machine's vector operations are declared unsafe; each block says why it holds"
)]

#[cfg(target_arch = "aarch64")]
#[path = "lanes/neon.rs"]
mod native;
#[cfg(not(any(
    all(target_arch = "wasm32", target_feature = "simd128"),
    target_arch = "x86_64",
    target_arch = "aarch64"
)))]
#[path = "lanes/plain.rs"]
mod native;
#[cfg(target_arch = "x86_64")]
#[path = "lanes/sse2.rs"]
mod native;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[path = "lanes/wasm.rs"]
mod native;
/// What every machine's operations are tested against.
#[cfg(test)]
#[allow(dead_code, reason = "the tests compare operations, not loads")]
mod plain;
mod places;
mod words;

use std::ops::{Add, Div, Mul, Neg, Shl, Sub};

pub use places::{Grid, MAX_STRIDE};
pub use words::I16x8;

/// Four numbers that are worked on together. Lane 0 is the first in memory.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct F32x4(native::Floats);

/// Four 32-bit integers: the bits of four numbers, or what is shifted into their exponents.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct I32x4(native::Integers);

/// What a comparison found in each lane.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Mask(native::Integers);

impl F32x4 {
    /// How many lanes there are.
    pub const LANES: usize = 4;

    /// The same number in each lane.
    #[inline(always)]
    #[must_use]
    pub fn splat(value: f32) -> Self {
        Self(native::splat(value))
    }

    /// +0 in each lane.
    #[inline(always)]
    #[must_use]
    pub fn zero() -> Self {
        Self::splat(0.0)
    }

    /// Four numbers from memory; any alignment will do.
    #[inline(always)]
    #[must_use]
    pub fn load(from: &[f32; 4]) -> Self {
        Self(native::load(from))
    }

    /// Four numbers into memory; any alignment will do.
    #[inline(always)]
    pub fn store(self, into: &mut [f32; 4]) {
        native::store(self.0, into);
    }

    /// The first four numbers of a slice.
    ///
    /// # Panics
    /// Where it has fewer.
    #[inline(always)]
    #[must_use]
    pub fn from_slice(from: &[f32]) -> Self {
        let from: &[f32; 4] = from[..4].try_into().expect("four numbers");
        Self::load(from)
    }

    /// Over the first four numbers of a slice.
    ///
    /// # Panics
    /// Where it has fewer.
    #[inline(always)]
    pub fn write_to(self, into: &mut [f32]) {
        let into: &mut [f32; 4] = (&mut into[..4]).try_into().expect("four numbers");
        self.store(into);
    }

    /// A slice of at most three numbers, and +0 in the lanes it does not fill: the end of a row.
    #[inline(always)]
    #[must_use]
    pub fn from_rest(from: &[f32]) -> Self {
        let mut lanes = [0.0; 4];
        for (lane, &value) in lanes.iter_mut().zip(from) {
            *lane = value;
        }
        Self::load(&lanes)
    }

    /// The first lanes over a slice of at most three numbers; the others are dropped.
    #[inline(always)]
    pub fn write_to_rest(self, into: &mut [f32]) {
        for (value, lane) in into.iter_mut().zip(self.to_array()) {
            *value = lane;
        }
    }

    /// The four lanes.
    #[inline(always)]
    #[must_use]
    pub fn to_array(self) -> [f32; 4] {
        let mut lanes = [0.0; 4];
        self.store(&mut lanes);
        lanes
    }

    /// Lane 0.
    #[inline(always)]
    #[must_use]
    pub fn first(self) -> f32 {
        native::first(self.0)
    }

    /// `self > other ? self : other`: `other` where either is NaN, and where both are zeros.
    #[inline(always)]
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self(native::max(self.0, other.0))
    }

    /// `self < other ? self : other`: `other` where either is NaN, and where both are zeros.
    #[inline(always)]
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self(native::min(self.0, other.0))
    }

    /// The correctly rounded square root.
    #[inline(always)]
    #[must_use]
    pub fn sqrt(self) -> Self {
        Self(native::sqrt(self.0))
    }

    /// Without the sign bit, NaN's too.
    #[inline(always)]
    #[must_use]
    pub fn abs(self) -> Self {
        (self.bits() & I32x4::splat(0x7fff_ffff)).floats()
    }

    /// `self`'s sign bit on `magnitude`, which has none.
    #[inline(always)]
    #[must_use]
    pub fn sign_onto(self, magnitude: Self) -> Self {
        (self.bits() & I32x4::splat(i32::MIN) | magnitude.bits()).floats()
    }

    /// `self > other`; false where either is NaN.
    #[inline(always)]
    #[must_use]
    pub fn gt(self, other: Self) -> Mask {
        Mask(native::lt(other.0, self.0))
    }

    /// `self < other`; false where either is NaN.
    #[inline(always)]
    #[must_use]
    pub fn lt(self, other: Self) -> Mask {
        Mask(native::lt(self.0, other.0))
    }

    /// `self == other`; false where either is NaN, true for +0 and −0.
    #[inline(always)]
    #[must_use]
    pub fn eq(self, other: Self) -> Mask {
        Mask(native::eq(self.0, other.0))
    }

    /// The bits of each lane.
    #[inline(always)]
    #[must_use]
    pub fn bits(self) -> I32x4 {
        I32x4(native::bits(self.0))
    }

    /// Lanes 0 and 1 of both, alternating: `self0 other0 self1 other1`.
    #[inline(always)]
    #[must_use]
    pub fn zip_low(self, other: Self) -> Self {
        Self(native::zip_low(self.0, other.0))
    }

    /// Lanes 2 and 3 of both, alternating: `self2 other2 self3 other3`.
    #[inline(always)]
    #[must_use]
    pub fn zip_high(self, other: Self) -> Self {
        Self(native::zip_high(self.0, other.0))
    }

    /// Four rows of four become four columns.
    #[inline(always)]
    #[must_use]
    pub fn transposed([a, b, c, d]: [Self; 4]) -> [Self; 4] {
        let (ac_low, ac_high) = (a.zip_low(c), a.zip_high(c));
        let (bd_low, bd_high) = (b.zip_low(d), b.zip_high(d));
        [
            ac_low.zip_low(bd_low),
            ac_low.zip_high(bd_low),
            ac_high.zip_low(bd_high),
            ac_high.zip_high(bd_high),
        ]
    }
}

impl I32x4 {
    /// The same integer in each lane.
    #[inline(always)]
    #[must_use]
    pub fn splat(value: i32) -> Self {
        Self(native::splat_integer(value))
    }

    /// The numbers with these bits.
    #[inline(always)]
    #[must_use]
    pub fn floats(self) -> F32x4 {
        F32x4(native::floats(self.0))
    }
}

impl Mask {
    /// `yes` where the comparison held, `no` elsewhere; both bit for bit.
    #[inline(always)]
    #[must_use]
    pub fn select(self, yes: F32x4, no: F32x4) -> F32x4 {
        F32x4(native::select(self.0, yes.0, no.0))
    }

    /// `yes` where the comparison held, +0 elsewhere.
    #[inline(always)]
    #[must_use]
    pub fn keep(self, yes: F32x4) -> F32x4 {
        (I32x4(self.0) & yes.bits()).floats()
    }

    /// +0 where the comparison held, `no` elsewhere.
    #[inline(always)]
    #[must_use]
    pub fn drop(self, no: F32x4) -> F32x4 {
        F32x4(native::floats(native::and_not(no.bits().0, self.0)))
    }

    /// Where both held.
    #[inline(always)]
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self((I32x4(self.0) & I32x4(other.0)).0)
    }

    /// Where either held.
    #[inline(always)]
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self((I32x4(self.0) | I32x4(other.0)).0)
    }

    /// All bits set where the comparison held, none elsewhere: −1 and 0.
    #[inline(always)]
    #[must_use]
    pub fn bits(self) -> I32x4 {
        I32x4(self.0)
    }
}

macro_rules! operation {
    ($type:ident, $trait:ident, $method:ident, $native:ident) => {
        impl $trait for $type {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(native::$native(self.0, other.0))
            }
        }
    };
}

operation!(F32x4, Add, add, add);
operation!(F32x4, Sub, sub, sub);
operation!(F32x4, Mul, mul, mul);
operation!(F32x4, Div, div, div);
operation!(I32x4, Add, add, add_integers);
operation!(I32x4, Sub, sub, sub_integers);

impl Neg for F32x4 {
    type Output = Self;
    /// With the other sign bit, NaN's too.
    #[inline(always)]
    fn neg(self) -> Self {
        (self.bits() ^ I32x4::splat(i32::MIN)).floats()
    }
}

impl std::ops::BitAnd for I32x4 {
    type Output = Self;
    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Self(native::and(self.0, other.0))
    }
}

impl std::ops::BitOr for I32x4 {
    type Output = Self;
    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Self(native::or(self.0, other.0))
    }
}

impl std::ops::BitXor for I32x4 {
    type Output = Self;
    #[inline(always)]
    fn bitxor(self, other: Self) -> Self {
        Self(native::xor(self.0, other.0))
    }
}

/// How far [`I32x4`] is shifted, known when the code is compiled.
#[derive(Clone, Copy)]
pub struct By<const BITS: i32>;

impl<const BITS: i32> Shl<By<BITS>> for I32x4 {
    type Output = Self;
    #[inline(always)]
    fn shl(self, _: By<BITS>) -> Self {
        Self(native::shift_left::<BITS>(self.0))
    }
}

impl std::fmt::Debug for F32x4 {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.to_array().fmt(formatter)
    }
}

impl From<[f32; 4]> for F32x4 {
    #[inline(always)]
    fn from(lanes: [f32; 4]) -> Self {
        Self::load(&lanes)
    }
}

#[cfg(test)]
mod tests;
