//! The product of a batch of rows with a weight, for linear layers and 1×1 convolutions, with its gradients; the loops are
//! those of `correlation` and `outer`.

use crate::correlation::{COLUMNS, Epilogue, Job, Rows};
use crate::outer::Outer;

/// A product with a weight `[inner, columns]`.
#[derive(Debug, Clone)]
pub struct Plan {
    inner: usize,
    columns: usize,
    /// `0, 1, …` up to `inner`.
    offsets: Vec<u32>,
}

impl Plan {
    /// A plan for rows of `inner` numbers that become rows of `columns`, both below 2³².
    #[must_use]
    pub fn new(inner: usize, columns: usize) -> Self {
        Self {
            inner,
            columns,
            offsets: (0..inner as u32).collect(),
        }
    }

    /// Numbers of the packed weight.
    #[must_use]
    pub const fn packed_len(&self) -> usize {
        self.columns.div_ceil(COLUMNS) * COLUMNS * self.inner
    }

    /// Packs a weight `[inner][columns]`.
    pub fn pack(&self, weight: &[f32], packed: &mut [f32]) {
        pack_columns(weight, self.columns, [self.inner, self.columns], packed);
    }

    /// `out[r] = rectifier(bias + x[r]·W + residual[r])` for `rows` rows; `x` is `[rows][inner]`, `out` `[rows][columns]`.
    pub fn forward(
        &self,
        packed: &[f32],
        bias: Option<&[f32]>,
        rows: usize,
        x: &[f32],
        epilogue: Epilogue<'_>,
        out: &mut [f32],
    ) {
        Job {
            input: x,
            runs: &[[0, 0]],
            length: self.inner,
            panels: packed,
            inner: self.inner,
            columns: self.columns,
            bias,
            epilogue,
        }
        .run(
            Rows {
                count: rows,
                input_stride: self.inner,
                output_stride: self.columns,
            },
            out,
        );
    }

    /// Numbers of the weight as [`Plan::input_gradient`] wants it.
    #[must_use]
    pub const fn input_packed_len(&self) -> usize {
        self.inner.div_ceil(COLUMNS) * COLUMNS * self.columns
    }

    /// Packs a weight `[inner][columns]` for [`Plan::input_gradient`].
    pub fn pack_input(&self, weight: &[f32], packed: &mut [f32]) {
        pack_rows(weight, self.inner, self.columns, packed);
    }

    /// `dx[r] = dy[r]·Wᵀ`, summed over the columns in ascending order.
    pub fn input_gradient(&self, packed: &[f32], rows: usize, dy: &[f32], dx: &mut [f32]) {
        Job {
            input: dy,
            runs: &[[0, 0]],
            length: self.columns,
            panels: packed,
            inner: self.columns,
            columns: self.inner,
            bias: None,
            epilogue: Epilogue::default(),
        }
        .run(
            Rows {
                count: rows,
                input_stride: self.columns,
                output_stride: self.inner,
            },
            dx,
        );
    }

    /// Adds `Σᵣ x[r]ᵀ·dy[r]` to `dw`, `[inner][columns]`, the rows in ascending order.
    pub fn weight_gradient(&self, rows: usize, x: &[f32], dy: &[f32], dw: &mut [f32]) {
        Outer {
            input: x,
            offsets: &self.offsets,
            gradient: dy,
            columns: self.columns,
            stride: self.columns,
        }
        .run(
            Rows {
                count: rows,
                input_stride: self.inner,
                output_stride: self.columns,
            },
            dw,
        );
    }
}

/// `[inner][columns]` as panels `[⌈columns / 8⌉][inner][8]`, filled up with zeros. Rows of the weight are `stride` apart.
pub(crate) fn pack_columns(
    weight: &[f32],
    stride: usize,
    [inner, columns]: [usize; 2],
    packed: &mut [f32],
) {
    for (panel, packed) in packed.chunks_exact_mut(inner.max(1) * COLUMNS).enumerate() {
        let start = panel * COLUMNS;
        let width = COLUMNS.min(columns - start);
        for (row, to) in packed.chunks_exact_mut(COLUMNS).enumerate() {
            let from = &weight[row * stride + start..][..width];
            if let Ok(eight) = <&[f32; COLUMNS]>::try_from(from) {
                to.copy_from_slice(eight);
            } else {
                to[..width].copy_from_slice(from);
                to[width..].fill(0.0);
            }
        }
    }
}

/// `[inner][columns]`, transposed, as panels `[⌈inner / 8⌉][columns][8]`, filled up with zeros.
fn pack_rows(weight: &[f32], inner: usize, columns: usize, packed: &mut [f32]) {
    for (panel, packed) in packed
        .chunks_exact_mut(columns.max(1) * COLUMNS)
        .enumerate()
    {
        let start = panel * COLUMNS;
        let width = COLUMNS.min(inner - start);
        if width < COLUMNS {
            packed.fill(0.0);
        }
        for lane in 0..width {
            let from = &weight[(start + lane) * columns..][..columns];
            for (to, &value) in packed.chunks_exact_mut(COLUMNS).zip(from) {
                to[lane] = value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::drawn;

    fn plain(x: &[f32], weight: &[f32], out: &mut [f32], [rows, inner, columns]: [usize; 3]) {
        for row in 0..rows {
            for column in 0..columns {
                for index in 0..inner {
                    out[row * columns + column] +=
                        x[row * inner + index] * weight[index * columns + column];
                }
            }
        }
    }

    fn transposed(values: &[f32], columns: usize) -> Vec<f32> {
        let rows = values.len() / columns;
        (0..values.len())
            .map(|index| values[index % rows * columns + index / rows])
            .collect()
    }

    #[test]
    fn products_and_gradients_have_the_bits_of_the_plain_loop() {
        for sizes in [
            [1, 1, 1],
            [4, 8, 8],
            [3, 257, 9],
            [5, 13, 7],
            [17, 51, 31],
            [2, 600, 1],
            [1, 40, 70],
            [2, 9, 40],
        ] {
            let [rows, inner, columns] = sizes;
            let plan = Plan::new(inner, columns);
            let (x, weight, dy) = (
                drawn(rows * inner, 1),
                drawn(inner * columns, 2),
                drawn(rows * columns, 3),
            );
            let mut packed = vec![f32::NAN; plan.packed_len()];
            plan.pack(&weight, &mut packed);
            let bias = drawn(columns, 4);
            let mut wanted = bias.repeat(rows);
            plain(&x, &weight, &mut wanted, sizes);
            let mut out = vec![f32::NAN; rows * columns];
            plan.forward(
                &packed,
                Some(&bias),
                rows,
                &x,
                Epilogue::default(),
                &mut out,
            );
            assert_eq!(out, wanted, "{sizes:?}");

            let mut packed = vec![f32::NAN; plan.input_packed_len()];
            plan.pack_input(&weight, &mut packed);
            let mut dx = vec![f32::NAN; rows * inner];
            plan.input_gradient(&packed, rows, &dy, &mut dx);
            let mut wanted = vec![0.0; rows * inner];
            plain(
                &dy,
                &transposed(&weight, columns),
                &mut wanted,
                [rows, columns, inner],
            );
            assert_eq!(dx, wanted, "dx of {sizes:?}");

            let mut dw = drawn(inner * columns, 5);
            let mut wanted = dw.clone();
            plan.weight_gradient(rows, &x, &dy, &mut dw);
            plain(
                &transposed(&x, inner),
                &dy,
                &mut wanted,
                [inner, rows, columns],
            );
            assert_eq!(dw, wanted, "dw of {sizes:?}");
        }
    }
}
