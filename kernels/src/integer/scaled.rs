//! From a sum of 32 bits to an f32 number: its row's and its column's step, the bias, what is added, a rectifier; each
//! operation is rounded, and a number is written once.

use super::COLUMNS;
use super::convolution::{Convolution, Linear};
use super::depthwise::Depthwise;
use super::finished::Numbers;
use super::requantize::Finish;
use crate::activation::Activation;
use crate::lanes::{F32x4, I32x4};
use std::ops::Range;

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
    /// What numbers are cut to, from 0 on.
    most: Option<f32>,
}

impl<'a> Scaling<'a> {
    /// Of rows of the batch, of so many columns from `column` on, and of a part of the output.
    fn part(&self, rows: Range<usize>, columns: Range<usize>, output: Range<usize>) -> Scaled<'a> {
        Scaled {
            rows: &self.rows[rows],
            steps: &self.steps[columns.clone()],
            bias: &self.bias[columns],
            residual: self.residual.map(|it| &it[output]),
            most: self.activation.map(|it| match it {
                Activation::Relu6 => 6.0,
                _ => f32::INFINITY,
            }),
        }
    }
}

/// Eight numbers of a slice.
#[inline(always)]
fn eight(from: &[f32]) -> [F32x4; 2] {
    let eight: &[f32; COLUMNS] = from.first_chunk().expect("whole eights");
    [
        F32x4::from_slice(&eight[..4]),
        F32x4::from_slice(&eight[4..]),
    ]
}

impl Finish for Scaled<'_> {
    type Number = f32;
    /// Steps and biases.
    type Columns = [[F32x4; 2]; 2];

    #[inline(always)]
    fn columns(self, column: usize) -> Self::Columns {
        [self.steps, self.bias].map(|it| eight(&it[column..]))
    }

    #[inline(always)]
    fn store(
        self,
        [steps, bias]: Self::Columns,
        sums: [I32x4; 2],
        place: usize,
        at: usize,
        width: usize,
        out: &mut [f32],
    ) {
        let row = F32x4::splat(self.rows[place.min(self.rows.len() - 1)]);
        let mut numbers =
            [0, 1].map(|half| sums[half].to_floats() * (row * steps[half]) + bias[half]);
        if let Some(residual) = self.residual {
            let mut added = [0.0; COLUMNS];
            added[..width].copy_from_slice(&residual[at..at + width]);
            let added = eight(&added);
            numbers = [0, 1].map(|half| numbers[half] + added[half]);
        }
        if let Some(most) = self.most {
            let most = F32x4::splat(most);
            numbers = numbers.map(|it| it.max(F32x4::zero()).min(most));
        }
        let out = &mut out[at..at + width];
        if let Some(out) = out.first_chunk_mut::<COLUMNS>() {
            numbers[0].write_to(&mut out[..4]);
            numbers[1].write_to(&mut out[4..]);
        } else {
            let lanes = numbers.map(F32x4::to_array);
            out.copy_from_slice(&lanes.as_flattened()[..width]);
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
            let finish = scaling.part(0..all, 0..steps, 0..all * self.columns);
            return self.forward(weights, all, x, finish, out);
        }
        let length = places * self.columns;
        for (row, out) in out.chunks_exact_mut(length).take(all).enumerate() {
            let finish = scaling.part(row..row + 1, 0..steps, row * length..(row + 1) * length);
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
            scaling.part(
                image..image + 1,
                group * columns..(group + 1) * columns,
                output,
            )
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
            scaling.part(image..image + 1, 0..scaling.steps.len(), output)
        };
        self.forward(weights, scaling.rows.len(), x, of, out, scratch);
    }
}
