//! One row times a weight of 8 or 4 bits that is read back while it is multiplied, beside the f32 weight that it stands for;
//! sums have the f32 product's order and so its bits. Not part of the engine: docs/quantization.md says why.

use assay_kernels::{Epilogue, product};
use std::arch::wasm32::{
    f32x4_add, f32x4_convert_i32x4, f32x4_mul, f32x4_splat, i16x8_load_extend_i8x8, i16x8_splat,
    i16x8_sub, i32x4_extend_high_i16x8, i32x4_extend_low_i16x8, u8x16_shr, u8x16_splat,
    u16x8_extend_low_u8x16, v128, v128_and, v128_load, v128_load32_splat, v128_load64_zero,
    v128_store,
};

/// Columns of a panel.
const COLUMNS: usize = 8;
/// Panels that are worked on together.
const PANELS: usize = 2;
/// Numbers of a column that share a step of four bits.
const GROUP: usize = 32;

/// A weight in three forms, both sizes multiples of 32.
pub struct PackedRow {
    inner: usize,
    columns: usize,
    plan: product::Plan,
    /// What the bytes stand for, and what the nibbles stand for.
    floats: [Vec<f32>; 2],
    /// `[panels][inner][8]`
    bytes: Vec<i8>,
    /// A step for each column.
    steps: Vec<f32>,
    /// `[panels][inner / 2][8]`, the even number in the low half.
    nibbles: Vec<u8>,
    /// `[panels][inner / 32][8]`
    group_steps: Vec<f32>,
    x: Vec<f32>,
    out: Vec<f32>,
    wanted: Vec<f32>,
}

impl PackedRow {
    fn new(inner: usize, columns: usize) -> Self {
        let bytes: Vec<i8> = (super::drawn(inner * columns, 1).iter())
            .map(|it| (it * 127.0) as i8)
            .collect();
        let nibbles: Vec<u8> = (bytes.chunks_exact(2))
            .map(|two| two[0] as u8 ^ two[1] as u8)
            .collect();
        let steps: Vec<f32> = (super::drawn(columns, 2).iter())
            .map(|it| it * 1e-3)
            .collect();
        let group_steps: Vec<f32> = (super::drawn(inner / GROUP * columns, 3).iter())
            .map(|it| it * 1e-3)
            .collect();
        let mut floats = [vec![0.0; inner * columns], vec![0.0; inner * columns]];
        for panel in 0..columns / COLUMNS {
            for row in 0..inner {
                for lane in 0..COLUMNS {
                    let at = (panel * inner + row) * COLUMNS + lane;
                    floats[0][at] = f32::from(bytes[at]) * steps[panel * COLUMNS + lane];
                    let both = nibbles[(panel * inner / 2 + row / 2) * COLUMNS + lane];
                    let code = if row % 2 == 0 { both & 15 } else { both >> 4 };
                    let group = (panel * inner + row) / GROUP * COLUMNS + lane;
                    floats[1][at] = f32::from(i16::from(code) - 8) * group_steps[group];
                }
            }
        }
        Self {
            plan: product::Plan::new(inner, columns),
            floats,
            bytes,
            steps,
            nibbles,
            group_steps,
            x: super::drawn(inner, 4),
            out: vec![0.0; columns],
            wanted: vec![0.0; columns],
            inner,
            columns,
        }
    }

    fn exact(&mut self, form: usize) {
        let epilogue = Epilogue::default();
        let packed = &self.floats[form];
        self.plan
            .forward(packed, None, 1, &self.x, epilogue, &mut self.wanted);
    }

    /// Goes through the panels, two at a time.
    #[inline(always)]
    fn panels(&mut self, sums_of: impl Fn(&Self, usize) -> [[v128; 2]; PANELS]) {
        for panel in (0..self.columns / COLUMNS).step_by(PANELS) {
            for (index, sums) in sums_of(self, panel).into_iter().enumerate() {
                let out = &mut self.out[(panel + index) * COLUMNS..][..COLUMNS];
                // SAFETY: there is room for eight numbers.
                unsafe {
                    v128_store(out.as_mut_ptr().cast(), sums[0]);
                    v128_store(out.as_mut_ptr().add(4).cast(), sums[1]);
                }
            }
        }
    }

    fn eight_bits(&mut self) {
        self.panels(|own, panel| {
            let size = own.inner * COLUMNS;
            let mut sums = [[f32x4_splat(0.0); 2]; PANELS];
            // SAFETY: panels, steps and the row are as long as `new` made them.
            unsafe {
                let step = |at: usize| v128_load(own.steps.as_ptr().add(at).cast());
                let steps: [[v128; 2]; PANELS] = std::array::from_fn(|index| {
                    let at = (panel + index) * COLUMNS;
                    [step(at), step(at + 4)]
                });
                let mut right = own.bytes.as_ptr().add(panel * size);
                let mut left = own.x.as_ptr();
                for _ in 0..own.inner {
                    let x = v128_load32_splat(left.cast());
                    for index in 0..PANELS {
                        let words = i16x8_load_extend_i8x8(right.add(index * size));
                        add(&mut sums[index], x, words, steps[index]);
                    }
                    left = left.add(1);
                    right = right.add(COLUMNS);
                }
            }
            sums
        });
    }

    fn four_bits(&mut self) {
        self.panels(|own, panel| {
            let (size, groups) = (own.inner / 2 * COLUMNS, own.inner / GROUP * COLUMNS);
            let mut sums = [[f32x4_splat(0.0); 2]; PANELS];
            // SAFETY: as in `eight_bits`.
            unsafe {
                let mut right = own.nibbles.as_ptr().add(panel * size);
                let mut step = own.group_steps.as_ptr().add(panel * groups);
                let mut left = own.x.as_ptr();
                for _ in 0..own.inner / GROUP {
                    let steps: [[v128; 2]; PANELS] = std::array::from_fn(|index| {
                        let at = step.add(index * groups);
                        [v128_load(at.cast()), v128_load(at.add(4).cast())]
                    });
                    step = step.add(COLUMNS);
                    for _ in 0..GROUP / 2 {
                        let xs = [left, left.add(1)].map(|it| v128_load32_splat(it.cast()));
                        for index in 0..PANELS {
                            let both = v128_load64_zero(right.add(index * size).cast());
                            let low = v128_and(both, u8x16_splat(15));
                            for (half, x) in [low, u8x16_shr(both, 4)].into_iter().zip(xs) {
                                let words = i16x8_sub(u16x8_extend_low_u8x16(half), i16x8_splat(8));
                                add(&mut sums[index], x, words, steps[index]);
                            }
                        }
                        left = left.add(2);
                        right = right.add(COLUMNS);
                    }
                }
            }
            sums
        });
    }
}

/// `sum + x·(word·step)`, each operation rounded.
#[inline(always)]
fn add(sums: &mut [v128; 2], x: v128, words: v128, steps: [v128; 2]) {
    let halves = [i32x4_extend_low_i16x8(words), i32x4_extend_high_i16x8(words)];
    for ((sum, half), step) in sums.iter_mut().zip(halves).zip(steps) {
        let weight = f32x4_mul(f32x4_convert_i32x4(half), step);
        *sum = f32x4_add(*sum, f32x4_mul(x, weight));
    }
}

/// A row and a weight `[inner, columns]`, both multiples of 32.
#[unsafe(no_mangle)]
pub extern "C" fn open_row(inner: usize, columns: usize) -> *mut PackedRow {
    Box::into_raw(Box::new(PackedRow::new(inner, columns)))
}

/// Multiplies so many times: 0 with f32 weights, 1 with bytes, 2 with halves of bytes.
///
/// # Safety
/// `row` comes from [`open_row`] and is used by nobody else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn run_row(row: *mut PackedRow, form: u32, times: u32) {
    // SAFETY: see above.
    let row = unsafe { &mut *row };
    for _ in 0..times {
        match form {
            0 => row.exact(0),
            1 => row.eight_bits(),
            _ => row.four_bits(),
        }
    }
}

/// Whether packed weights give the bits of the f32 weights that they stand for.
///
/// # Safety
/// `row` comes from [`open_row`] and is used by nobody else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn row_is_exact(row: *mut PackedRow) -> bool {
    // SAFETY: see above.
    let row = unsafe { &mut *row };
    [1, 2].into_iter().all(|form| {
        row.exact(form - 1);
        if form == 1 {
            row.eight_bits();
        } else {
            row.four_bits();
        }
        row.wanted == row.out
    })
}

/// Frees what [`open_row`] gave.
///
/// # Safety
/// `row` comes from `open_row` and was not closed before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn close_row(row: *mut PackedRow) {
    // SAFETY: see above.
    drop(unsafe { Box::from_raw(row) });
}
