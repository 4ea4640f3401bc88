//! Matrix products by several crates behind one wasm interface, so that they are timed by the same program in the same engine. Judges
//! no input: a bad one traps.

mod integers;
mod lanes_of_wide;
mod layers;

use assay_kernels::{Epilogue, product};
use gemm::Parallelism;
use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_tensor::NdTensorView;

/// One product `[rows, inner] · [inner, columns]`, with all that a candidate may prepare once per weight.
pub struct Case {
    rows: usize,
    inner: usize,
    columns: usize,
    left: Vec<f32>,
    weight: Vec<f32>,
    out: Vec<f32>,
    plan: product::Plan,
    packed: Vec<f32>,
    executor: GemmExecutor,
    packed_by_rten: PackedBMatrix<f32>,
    packed_for_wide: Vec<f32>,
}

/// Numbers in −1..1 from a linear congruential generator (Knuth's MMIX constants).
fn drawn(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

impl Case {
    fn new(rows: usize, inner: usize, columns: usize) -> Self {
        let weight = drawn(inner * columns, 2);
        let plan = product::Plan::new(inner, columns);
        let mut packed = vec![0.0; plan.packed_len()];
        plan.pack(&weight, &mut packed);
        let executor = GemmExecutor::default();
        let packed_by_rten =
            executor.prepack_b(NdTensorView::from_data([inner, columns], weight.as_slice()));
        let packed_for_wide = lanes_of_wide::packed(&weight, inner, columns);
        Self {
            rows,
            inner,
            columns,
            left: drawn(rows * inner, 1),
            out: vec![0.0; rows * columns],
            weight,
            plan,
            packed,
            executor,
            packed_by_rten,
            packed_for_wide,
        }
    }

    fn run(&mut self, candidate: u32) {
        let (rows, inner, columns) = (self.rows, self.inner, self.columns);
        match candidate {
            0 => self.plan.forward(
                &self.packed,
                None,
                rows,
                &self.left,
                Epilogue::default(),
                &mut self.out,
            ),
            1 => self.run_gemm(),
            2 | 3 => {
                let left = NdTensorView::from_data([rows, inner], self.left.as_slice());
                let weight = NdTensorView::from_data([inner, columns], self.weight.as_slice());
                let right = if candidate == 2 {
                    GemmInputB::Packed(&self.packed_by_rten)
                } else {
                    GemmInputB::Unpacked(weight)
                };
                self.executor
                    .gemm(
                        &mut self.out,
                        GemmInputA::Unpacked(left),
                        right,
                        GemmOptions::default(),
                    )
                    .expect("the shapes fit");
            }
            _ => lanes_of_wide::product(
                &self.left,
                &self.packed_for_wide,
                &mut self.out,
                [rows, inner, columns],
            ),
        }
    }

    fn run_gemm(&mut self) {
        let (rows, inner, columns) = (self.rows, self.inner, self.columns);
        // SAFETY: the three vectors hold rows × inner, inner × columns and rows × columns numbers, row by row.
        unsafe {
            gemm::gemm(
                rows,
                columns,
                inner,
                self.out.as_mut_ptr(),
                1,
                columns as isize,
                false,
                self.left.as_ptr(),
                1,
                inner as isize,
                self.weight.as_ptr(),
                1,
                columns as isize,
                0.0,
                1.0,
                false,
                false,
                false,
                Parallelism::None,
            );
        }
    }

    /// Largest difference from the definition in f64.
    fn error(&self) -> f64 {
        let mut largest = 0.0_f64;
        for row in 0..self.rows {
            for column in 0..self.columns {
                let wanted: f64 = (0..self.inner)
                    .map(|index| {
                        let weight = self.weight[index * self.columns + column];
                        f64::from(self.left[row * self.inner + index]) * f64::from(weight)
                    })
                    .sum();
                let found = f64::from(self.out[row * self.columns + column]);
                largest = largest.max((found - wanted).abs());
            }
        }
        largest
    }
}

/// Prepares a product; the packing of the weight is not timed.
#[unsafe(no_mangle)]
pub extern "C" fn open(rows: usize, inner: usize, columns: usize) -> *mut Case {
    Box::into_raw(Box::new(Case::new(rows, inner, columns)))
}

/// Computes the product so many times: 0 is Assay's plan, 1 gemm, 2 rten-gemm with a packed weight, 3 without,
/// 4 a kernel of wide's lanes.
///
/// # Safety
/// `case` comes from [`open`] and is used by nobody else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn run(case: *mut Case, candidate: u32, times: u32) {
    // SAFETY: see above.
    let case = unsafe { &mut *case };
    for _ in 0..times {
        case.run(candidate);
    }
}

/// The largest error of the last product.
///
/// # Safety
/// `case` comes from [`open`] and is used by nobody else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn error(case: *mut Case) -> f64 {
    // SAFETY: see above.
    unsafe { &*case }.error()
}

/// Frees what [`open`] gave.
///
/// # Safety
/// `case` comes from `open` and was not closed before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn close(case: *mut Case) {
    // SAFETY: see above.
    drop(unsafe { Box::from_raw(case) });
}
