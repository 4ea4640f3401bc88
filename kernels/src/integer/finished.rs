//! Products, convolutions and depthwise ones with what becomes of their sums: the generic loops as functions of this crate,
//! because whoever calls a generic one compiles it, and the page is compiled to be small where this crate is to be fast.

use super::convolution::{Convolution, Linear};
use super::depthwise::Depthwise;
use super::requantize::{Dyadic, Raw, Requantize, Residual};

/// What numbers become of the sums of images; as `Requantize`, but for all of them.
#[derive(Debug, Clone, Copy)]
pub struct Finishing<'a> {
    /// One for each column of each group, each group's up to whole eights.
    pub multipliers: &'a [i32],
    /// From 1 to 30.
    pub shift: u32,
    /// Numbers in the layout of the output that are added, and their factor.
    pub residual: Option<(&'a [i16], Dyadic)>,
    /// The smallest and the largest result.
    pub range: [i16; 2],
}

impl<'a> Finishing<'a> {
    /// Of one group of columns, its output beginning at a place.
    const fn of(&self, multipliers: &'a [i32], residual: Option<Residual<'a>>) -> Requantize<'a> {
        Requantize {
            multipliers,
            shift: self.shift,
            residual,
            range: self.range,
        }
    }

    /// What is added, from a place on.
    fn residual(&self, from: usize, until: usize) -> Option<Residual<'a>> {
        self.residual.map(|(numbers, factor)| Residual {
            numbers: &numbers[from..until],
            factor,
        })
    }
}

/// Packed weights, and a bias for each column of each group, each group's up to whole eights.
pub type Numbers<'a> = (&'a [i16], &'a [i32]);

impl Linear {
    /// So many rows of `x`, `[rows][inner]`, to numbers, `[rows][columns]`.
    #[inline(never)]
    pub fn numbers(
        &self,
        weights: Numbers<'_>,
        rows: usize,
        x: &[i16],
        finish: &Finishing<'_>,
        out: &mut [i16],
    ) {
        let residual = finish.residual(0, rows * self.columns);
        let finish = finish.of(finish.multipliers, residual);
        self.forward(weights, rows, x, finish, out);
    }

    /// The same to sums.
    #[inline(never)]
    pub fn sums(&self, weights: Numbers<'_>, rows: usize, x: &[i16], out: &mut [i32]) {
        self.forward(weights, rows, x, Raw, out);
    }
}

impl Convolution {
    /// Whole images one after another, `SLACK` numbers behind the last, to numbers.
    #[inline(never)]
    pub fn numbers(
        &self,
        weights: Numbers<'_>,
        images: usize,
        x: &[i16],
        finish: &Finishing<'_>,
        out: &mut [i16],
        scratch: &mut [i16],
    ) {
        let geometry = self.geometry();
        let columns = finish.multipliers.len() / geometry.groups;
        let (each, length) = (geometry.channels / geometry.groups, geometry.output_len());
        let of = |image: usize, group: usize| {
            let residual = finish.residual(image * length + group * each, (image + 1) * length);
            finish.of(&finish.multipliers[group * columns..][..columns], residual)
        };
        self.forward(weights, images, x, of, out, scratch);
    }

    /// The same to sums.
    #[inline(never)]
    pub fn sums(
        &self,
        weights: Numbers<'_>,
        images: usize,
        x: &[i16],
        out: &mut [i32],
        scratch: &mut [i16],
    ) {
        self.forward(weights, images, x, |_, _| Raw, out, scratch);
    }
}

impl Depthwise {
    /// Whole images one after another, `SLACK` numbers behind the last, to numbers.
    #[inline(never)]
    pub fn numbers(
        &self,
        weights: Numbers<'_>,
        images: usize,
        x: &[i16],
        finish: &Finishing<'_>,
        out: &mut [i16],
        scratch: &mut [i16],
    ) {
        let length = self.geometry().output_len();
        let of = |image: usize| {
            let residual = finish.residual(image * length, (image + 1) * length);
            finish.of(finish.multipliers, residual)
        };
        self.forward(weights, images, x, of, out, scratch);
    }

    /// The same to sums.
    #[inline(never)]
    pub fn sums(
        &self,
        weights: Numbers<'_>,
        images: usize,
        x: &[i16],
        out: &mut [i32],
        scratch: &mut [i16],
    ) {
        self.forward(weights, images, x, |_| Raw, out, scratch);
    }
}
