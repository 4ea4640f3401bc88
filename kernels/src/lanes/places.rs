//! Lanes from and to several places of a slice, with one check for all of them instead of one for each.

use super::F32x4;
use std::marker::PhantomData;

impl F32x4 {
    /// `COUNT` times four numbers whose first ones are `stride` numbers apart, with one check for all of them.
    ///
    /// # Panics
    /// Where the last four are not inside the slice, or the stride is beyond [`MAX_STRIDE`].
    #[inline(always)]
    #[must_use]
    pub fn load_strided<const COUNT: usize>(from: &[f32], stride: usize) -> [Self; COUNT] {
        check_strided::<COUNT>(from.len(), stride);
        std::array::from_fn(|index| {
            // SAFETY: `check_strided` found that `index · stride + 4` numbers are there for every index below `COUNT`.
            Self::load(unsafe { &*from.as_ptr().add(index * stride).cast() })
        })
    }

    /// `COUNT` times four numbers one after another, with one check for all of them.
    ///
    /// # Panics
    /// Where the slice is shorter.
    #[inline(always)]
    #[must_use]
    pub fn load_run<const COUNT: usize>(from: &[f32]) -> [Self; COUNT] {
        Self::load_strided(from, Self::LANES)
    }

    /// The other way round: `COUNT` times four numbers to places `stride` apart.
    ///
    /// # Panics
    /// As for loading.
    #[inline(always)]
    pub fn store_strided<const COUNT: usize>(
        values: [Self; COUNT],
        into: &mut [f32],
        stride: usize,
    ) {
        check_strided::<COUNT>(into.len(), stride);
        for (index, value) in values.into_iter().enumerate() {
            // SAFETY: as for loading, and the places are written one after another.
            value.store(unsafe { &mut *into.as_mut_ptr().add(index * stride).cast() });
        }
    }

    /// `COUNT` times four numbers one after another.
    ///
    /// # Panics
    /// Where the slice is shorter.
    #[inline(always)]
    pub fn store_run<const COUNT: usize>(values: [Self; COUNT], into: &mut [f32]) {
        Self::store_strided(values, into, Self::LANES);
    }
}

/// The largest stride of [`F32x4::load_strided`]: so that its check cannot overflow where addresses have 32 bits.
pub const MAX_STRIDE: usize = 1 << 24;

/// Whether `COUNT` places of four numbers, `stride` apart, fit into `length` numbers.
#[inline(always)]
fn check_strided<const COUNT: usize>(length: usize, stride: usize) {
    const { assert!(0 < COUNT && COUNT <= 64) };
    // Without the numbers in its message: they would be written to memory each time, in case they are wanted.
    assert!(
        stride <= MAX_STRIDE && (COUNT - 1) * stride + F32x4::LANES <= length,
        "places of four numbers beyond the end of a slice"
    );
}

/// Some rows of `COLUMNS` places with `span` numbers each, checked once: the cells of an image under some kernels.
#[derive(Clone, Copy)]
pub struct Grid<'a, const COLUMNS: usize> {
    /// Place (0, 0) has its numbers here, place (r, c) `r · row_stride + c · column_stride` further on.
    first: *const f32,
    rows: usize,
    row_stride: usize,
    column_stride: usize,
    span: usize,
    slice: PhantomData<&'a [f32]>,
}

impl<'a, const COLUMNS: usize> Grid<'a, COLUMNS> {
    /// The grid whose first place begins where the slice does.
    ///
    /// # Panics
    /// Where the last place does not end inside the slice, a stride or the span is beyond [`MAX_STRIDE`], or there are
    /// more than 64 rows.
    #[inline(always)]
    #[must_use]
    pub fn new(
        from: &'a [f32],
        rows: usize,
        [row_stride, column_stride]: [usize; 2],
        span: usize,
    ) -> Self {
        const { assert!(0 < COLUMNS && COLUMNS <= 16) };
        assert!(
            rows <= 64
                && row_stride <= MAX_STRIDE
                && column_stride <= MAX_STRIDE
                && span <= MAX_STRIDE
                && rows * row_stride + (COLUMNS - 1) * column_stride + span
                    <= from.len() + row_stride,
            "a grid beyond the end of a slice"
        );
        Self {
            first: from.as_ptr(),
            rows,
            row_stride,
            column_stride,
            span,
            slice: PhantomData,
        }
    }

    /// Four numbers of a place, from `offset` on.
    ///
    /// # Panics
    /// Where there is no such place, or its span ends before.
    #[inline(always)]
    #[must_use]
    pub fn load(&self, row: usize, column: usize, offset: usize) -> F32x4 {
        assert!(
            row < self.rows
                && column < COLUMNS
                && offset <= self.span
                && F32x4::LANES <= self.span - offset,
            "beyond a grid"
        );
        let index = row * self.row_stride + column * self.column_stride + offset;
        // SAFETY: `new` found the whole span of the last place inside the slice; this place is none after it, and the
        // four numbers lie in its span.
        F32x4::load(unsafe { &*self.first.add(index).cast() })
    }
}
