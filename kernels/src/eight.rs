//! Eight sums side by side: two registers of four lanes everywhere, one of eight where an x86-64 has AVX; the same bits
//! either way, since each lane is multiplied, rounded, added and rounded alone.
#![allow(
    unsafe_code,
    reason = "reads take pointers, and AVX's operations are declared unsafe where the whole program is not built for it"
)]

use crate::lanes::F32x4;

/// Eight numbers of neighbouring columns.
pub(crate) trait Eight: Copy {
    /// The same number eight times.
    fn splat(value: f32) -> Self;
    /// Eight numbers at a pointer.
    ///
    /// # Safety
    /// All eight are inside one slice; for [`Wide`] the processor has AVX.
    unsafe fn read(from: *const f32) -> Self;
    /// `self + left · right`, the product rounded before the sum.
    fn plus_product(self, left: Self, right: Self) -> Self;
    /// From two halves.
    fn from_halves(halves: [F32x4; 2]) -> Self;
    /// The two halves.
    fn halves(self) -> [F32x4; 2];
}

impl Eight for [F32x4; 2] {
    #[inline(always)]
    fn splat(value: f32) -> Self {
        [F32x4::splat(value); 2]
    }

    #[inline(always)]
    unsafe fn read(from: *const f32) -> Self {
        // SAFETY: the caller's; an array of f32 is aligned wherever an f32 is.
        let eight = unsafe { &*from.cast::<[[f32; 4]; 2]>() };
        [F32x4::load(&eight[0]), F32x4::load(&eight[1])]
    }

    #[inline(always)]
    fn plus_product(self, left: Self, right: Self) -> Self {
        [self[0] + left[0] * right[0], self[1] + left[1] * right[1]]
    }

    #[inline(always)]
    fn from_halves(halves: [F32x4; 2]) -> Self {
        halves
    }

    #[inline(always)]
    fn halves(self) -> [F32x4; 2] {
        self
    }
}

/// Whether this processor has AVX.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_wide() -> bool {
    std::arch::is_x86_feature_detected!("avx")
}

/// One register of AVX. Used only behind [`has_wide`], in functions that are compiled for it.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Wide(std::arch::x86_64::__m256);

#[cfg(target_arch = "x86_64")]
impl Eight for Wide {
    #[inline(always)]
    fn splat(value: f32) -> Self {
        // SAFETY: behind `has_wide`, as everything below.
        Self(unsafe { std::arch::x86_64::_mm256_set1_ps(value) })
    }

    #[inline(always)]
    unsafe fn read(from: *const f32) -> Self {
        // SAFETY: the caller's.
        Self(unsafe { std::arch::x86_64::_mm256_loadu_ps(from) })
    }

    #[inline(always)]
    fn plus_product(self, left: Self, right: Self) -> Self {
        use std::arch::x86_64::{_mm256_add_ps, _mm256_mul_ps};
        // SAFETY: see `splat`.
        Self(unsafe { _mm256_add_ps(self.0, _mm256_mul_ps(left.0, right.0)) })
    }

    #[inline(always)]
    fn from_halves(halves: [F32x4; 2]) -> Self {
        let [low, high] = halves.map(F32x4::to_array);
        let all = [low, high];
        // SAFETY: eight numbers are there.
        unsafe { Self::read(all.as_ptr().cast()) }
    }

    #[inline(always)]
    fn halves(self) -> [F32x4; 2] {
        let mut all = [[0.0; 4]; 2];
        // SAFETY: there is room for eight numbers.
        unsafe { std::arch::x86_64::_mm256_storeu_ps(all.as_mut_ptr().cast(), self.0) };
        all.map(F32x4::from)
    }
}
