//! Linear layers and dense or grouped convolutions in integers, one image at a time: addresses are listed when the plan is
//! made, nothing is unrolled; images with padding are copied once into a frame of zeros.

use super::dots::{Job, Places};
use super::requantize::Finish;
use super::{COLUMNS, SLACK};
use crate::convolution::Geometry;

/// A product of rows of `inner` numbers with `columns` weights each.
#[derive(Debug, Clone, Copy)]
pub struct Linear {
    /// Numbers of a row.
    pub inner: usize,
    /// Numbers that become of it.
    pub columns: usize,
}

impl Linear {
    /// Numbers of the packed weight.
    #[must_use]
    pub const fn packed_len(&self) -> usize {
        self.columns.div_ceil(COLUMNS) * COLUMNS * self.inner.div_ceil(2) * 2
    }

    /// Packs a weight `[columns][inner]`.
    pub fn pack(&self, weight: &[i8], packed: &mut [i16]) {
        pack(packed, self.columns, 1, self.inner, |column, _, index| {
            weight[column * self.inner + index]
        });
    }

    /// So many rows of `x`, `[rows][inner]`, to `out`, `[rows][columns]`.
    pub(crate) fn forward<F: Finish>(
        &self,
        (packed, bias): (&[i16], &[i32]),
        rows: usize,
        x: &[i16],
        finish: F,
        out: &mut [F::Number],
    ) {
        Job {
            input: x,
            runs: &[0],
            pairs: self.inner.div_ceil(2),
            panels: packed,
            columns: self.columns,
            bias,
        }
        .run(Places::rows(rows, [self.inner, self.columns]), finish, out);
    }
}

/// `[⌈columns / 8⌉][runs][pairs][8][2]` of a weight at a column, a run and a place in it.
fn pack(
    packed: &mut [i16],
    columns: usize,
    runs: usize,
    length: usize,
    weight: impl Fn(usize, usize, usize) -> i8,
) {
    let pairs = length.div_ceil(2);
    packed.fill(0);
    for column in 0..columns {
        let panel = column / COLUMNS * runs * pairs * COLUMNS * 2;
        for run in 0..runs {
            for index in 0..length {
                let row = (run * pairs + index / 2) * COLUMNS + column % COLUMNS;
                packed[panel + 2 * row + index % 2] = weight(column, run, index).into();
            }
        }
    }
}

/// A convolution that is ready to run.
#[derive(Debug, Clone)]
pub struct Convolution {
    geometry: Geometry,
    /// Where each run starts relative to a place's base: a row of the kernel where all channels take part, else one place.
    runs: Vec<u32>,
    /// Numbers of a run.
    length: usize,
    /// `(base in the frame, output)` of each place.
    places: Vec<[u32; 2]>,
}

impl Convolution {
    /// Works out a convolution. All of a framed image's numbers are fewer than 2³².
    #[must_use]
    pub fn new(geometry: Geometry) -> Self {
        let Geometry {
            planes,
            channels,
            kernel,
            stride,
            groups,
            ..
        } = geometry;
        let row = frame_row(&geometry);
        let (out_height, out_width) = (geometry.out_height(), geometry.out_width());
        let mut places = Vec::with_capacity(out_height * out_width);
        for y in 0..out_height {
            for x in 0..out_width {
                let base = y * stride[0] * row + x * stride[1] * planes;
                places.push([base as u32, ((y * out_width + x) * channels) as u32]);
            }
        }
        let (steps, length) = if groups == 1 {
            (1, kernel[1] * planes)
        } else {
            (kernel[1], planes / groups)
        };
        let runs = (0..kernel[0])
            .flat_map(|y| (0..steps).map(move |x| (y * row + x * planes) as u32))
            .collect();
        Self {
            geometry,
            runs,
            length,
            places,
        }
    }

    /// Its sizes.
    #[must_use]
    pub const fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// Numbers of the packed weight.
    #[must_use]
    pub fn packed_len(&self) -> usize {
        let Geometry {
            channels, groups, ..
        } = self.geometry;
        groups
            * (channels / groups).div_ceil(COLUMNS)
            * COLUMNS
            * self.runs.len()
            * self.length.div_ceil(2)
            * 2
    }

    /// Packs a weight `[channels][planes / groups][rows][columns]`.
    pub fn pack(&self, weight: &[i8], packed: &mut [i16]) {
        let Geometry {
            planes,
            channels,
            kernel,
            groups,
            ..
        } = self.geometry;
        let (columns, inner) = (channels / groups, planes / groups);
        let each = packed.len() / groups;
        let steps = self.runs.len() / kernel[0];
        for (group, packed) in packed.chunks_exact_mut(each).enumerate() {
            pack(
                packed,
                columns,
                self.runs.len(),
                self.length,
                |column, run, index| {
                    let (y, x) = (run / steps, run % steps + index / inner);
                    let channel = group * columns + column;
                    weight[((channel * inner + index % inner) * kernel[0] + y) * kernel[1] + x]
                },
            );
        }
    }

    /// Numbers that a call may use; what they are before does not matter.
    #[must_use]
    pub fn scratch_len(&self) -> usize {
        frame_len(&self.geometry)
    }

    /// Whole images one after another, `SLACK` numbers behind the last. `bias` and multipliers stand for each group by
    /// itself, up to whole eights.
    pub(crate) fn forward<F: Finish>(
        &self,
        (packed, bias): (&[i16], &[i32]),
        images: usize,
        input: &[i16],
        finish: impl Fn(usize, usize) -> F,
        out: &mut [F::Number],
        scratch: &mut [i16],
    ) {
        let Geometry {
            planes,
            channels,
            groups,
            ..
        } = self.geometry;
        let columns = channels / groups;
        let (panels, biases) = (packed.len() / groups, columns.next_multiple_of(COLUMNS));
        let listed = Places::listed(&self.places);
        let length = self.geometry.output_len();
        for (image, out) in out.chunks_exact_mut(length).take(images).enumerate() {
            let framed = framed(
                &self.geometry,
                &input[image * self.geometry.input_len()..],
                scratch,
            );
            for group in 0..groups {
                Job {
                    input: &framed[group * (planes / groups)..],
                    runs: &self.runs,
                    pairs: self.length.div_ceil(2),
                    panels: &packed[group * panels..][..panels],
                    columns,
                    bias: &bias[group * biases..][..biases],
                }
                .run(listed, finish(image, group), &mut out[group * columns..]);
            }
        }
    }
}

/// Numbers of a row of an image with its padding.
pub(super) const fn frame_row(geometry: &Geometry) -> usize {
    (geometry.padding[1] + geometry.width + geometry.padding[3]) * geometry.planes
}

/// Numbers to copy an image into, with its slack; none where it has no padding.
pub(super) fn frame_len(geometry: &Geometry) -> usize {
    let [above, _, below, _] = geometry.padding;
    if geometry.padding == [0; 4] {
        0
    } else {
        (above + geometry.height + below) * frame_row(geometry) + SLACK
    }
}

/// An image with its zeros around: itself, or a copy.
pub(super) fn framed<'a>(
    geometry: &Geometry,
    image: &'a [i16],
    scratch: &'a mut [i16],
) -> &'a [i16] {
    if geometry.padding == [0; 4] {
        return image;
    }
    let [above, left, _, right] = geometry.padding;
    let (row, inside) = (frame_row(geometry), geometry.width * geometry.planes);
    let framed = &mut scratch[..frame_len(geometry)];
    let (top, rest) = framed.split_at_mut(above * row);
    let (middle, bottom) = rest.split_at_mut(geometry.height * row);
    top.fill(0);
    bottom.fill(0);
    for (to, from) in middle.chunks_exact_mut(row).zip(image.chunks_exact(inside)) {
        to[..left * geometry.planes].fill(0);
        to[left * geometry.planes..][..inside].copy_from_slice(from);
        to[row - right * geometry.planes..].fill(0);
    }
    framed
}
