//! From a sum of 32 bits to an f32 number: its row's and its column's step, the bias, what is added, a rectifier; each
//! operation is rounded, and a number is written once.

use super::COLUMNS;
use super::convolution::{Convolution, Linear};
use super::depthwise::Depthwise;
use super::finished::Numbers;
use super::requantize::Finish;
use crate::activation::Activation;
use crate::lanes::{F32x4, I32x4};

/// What numbers become of the sums of rows: `out = sum·(row·step) + bias`, then `+ residual`, then the rectifier.
#[derive(Debug, Clone, Copy)]
pub struct Scaling<'a> {
    /// A factor for each row of the batch.
    pub rows: &'a [f32],
    /// One for each column of each group, each group's up to whole eights.
    pub steps: &'a [f32],
    /// Likewise; −0 changes no bit of what it is added to.
    pub bias: &'a [f32],
    /// Numbers in the layout of the output.
    pub residual: Option<&'a [f32]>,
    /// What is done in the end, where it is relu or relu6.
    pub activation: Option<Activation>,
}

impl Scaling<'_> {
    /// Whether an activation can be done here.
    #[must_use]
    pub const fn takes(activation: Activation) -> bool {
        matches!(activation, Activation::Relu | Activation::Relu6)
    }
}

/// The same for a part of an output: neighbouring columns from a place on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scaled<'a> {
    /// One for each place of a product of rows, or one for all.
    rows: &'a [f32],
    steps: &'a [f32],
    bias: &'a [f32],
    residual: Option<&'a [f32]>,
    activation: Option<Activation>,
}

impl<'a> Scaling<'a> {
    /// Of rows of the batch, of so many columns from `column` on, and of a part of the output.
    fn part(
        &self,
        rows: std::ops::Range<usize>,
        column: usize,
        columns: usize,
        output: std::ops::Range<usize>,
    ) -> Scaled<'a> {
        Scaled {
            rows: &self.rows[rows],
            steps: &self.steps[column..column + columns],
            bias: &self.bias[column..column + columns],
            residual: self.residual.map(|it| &it[output]),
            activation: self.activation,
        }
    }
}

/// The first four numbers of a slice that has them.
#[inline(always)]
fn four(from: &[f32], at: usize) -> F32x4 {
    F32x4::from_slice(&from[at..])
}

impl Finish for Scaled<'_> {
    type Number = f32;

    #[inline(always)]
    fn store(
        self,
        sums: [I32x4; 2],
        place: usize,
        column: usize,
        at: usize,
        width: usize,
        out: &mut [f32],
    ) {
        let row = F32x4::splat(self.rows[place.min(self.rows.len() - 1)]);
        let mut last = [0.0; COLUMNS];
        let residual = self.residual.map(|it| {
            let numbers = &it[at..at + width];
            if width == COLUMNS {
                return [four(numbers, 0), four(numbers, 4)];
            }
            last[..width].copy_from_slice(numbers);
            [four(&last, 0), four(&last, 4)]
        });
        let mut numbers = [F32x4::zero(); 2];
        for (half, number) in numbers.iter_mut().enumerate() {
            let from = column + 4 * half;
            let step = row * four(self.steps, from);
            *number = sums[half].to_floats() * step + four(self.bias, from);
            if let Some(residual) = residual {
                *number = *number + residual[half];
            }
            match self.activation {
                None => {}
                Some(Activation::Relu6) => {
                    *number = number.max(F32x4::zero()).min(F32x4::splat(6.0));
                }
                Some(_) => *number = number.max(F32x4::zero()),
            }
        }
        let out = &mut out[at..at + width];
        if width == COLUMNS {
            numbers[0].write_to(out);
            numbers[1].write_to(&mut out[4..]);
        } else {
            numbers[0].write_to(&mut last);
            numbers[1].write_to(&mut last[4..]);
            out.copy_from_slice(&last[..width]);
        }
    }

    fn check(self, columns: usize, len: usize) {
        let padded = columns.next_multiple_of(COLUMNS);
        assert!(
            self.steps.len() >= padded && self.bias.len() >= padded && !self.rows.is_empty(),
            "a step and a bias for each column"
        );
        assert!(
            self.residual.is_none_or(|it| it.len() >= len),
            "a residual as long as its output"
        );
        assert!(
            self.activation.is_none_or(Scaling::takes),
            "a rectifier or nothing"
        );
    }
}

impl Linear {
    /// So many places for each row of the batch, `[rows][places][inner]`, to f32 numbers, `[rows][places][columns]`.
    #[inline(never)]
    pub fn scaled(
        &self,
        weights: Numbers<'_>,
        places: usize,
        x: &[i16],
        scaling: &Scaling<'_>,
        out: &mut [f32],
    ) {
        let (all, steps) = (scaling.rows.len(), scaling.steps.len());
        if places == 1 {
            let finish = scaling.part(0..all, 0, steps, 0..all * self.columns);
            return self.forward(weights, all, x, finish, out);
        }
        let length = places * self.columns;
        for (row, out) in out.chunks_exact_mut(length).take(all).enumerate() {
            let finish = scaling.part(row..row + 1, 0, steps, row * length..(row + 1) * length);
            let x = &x[row * places * self.inner..];
            self.forward(weights, places, x, finish, out);
        }
    }
}

impl Convolution {
    /// An image for each row of the batch, `SLACK` numbers behind the last, to f32 numbers.
    #[inline(never)]
    pub fn scaled(
        &self,
        weights: Numbers<'_>,
        x: &[i16],
        scaling: &Scaling<'_>,
        out: &mut [f32],
        scratch: &mut [i16],
    ) {
        let geometry = self.geometry();
        let columns = scaling.steps.len() / geometry.groups;
        let (each, length) = (geometry.channels / geometry.groups, geometry.output_len());
        let of = |image: usize, group: usize| {
            let output = image * length + group * each..(image + 1) * length;
            scaling.part(image..image + 1, group * columns, columns, output)
        };
        self.forward(weights, scaling.rows.len(), x, of, out, scratch);
    }
}

impl Depthwise {
    /// An image for each row of the batch, `SLACK` numbers behind the last, to f32 numbers.
    #[inline(never)]
    pub fn scaled(
        &self,
        weights: Numbers<'_>,
        x: &[i16],
        scaling: &Scaling<'_>,
        out: &mut [f32],
        scratch: &mut [i16],
    ) {
        let length = self.geometry().output_len();
        let of = |image: usize| {
            let output = image * length..(image + 1) * length;
            scaling.part(image..image + 1, 0, scaling.steps.len(), output)
        };
        self.forward(weights, scaling.rows.len(), x, of, out, scratch);
    }
}
