//! Which numbers each place of one side of a convolution sums over: an output its inputs, or an input the outputs that
//! read it; addresses only.
//!
//! Places that sum over the same part of the kernel form a class: the inside of an image, each edge, each corner, and with
//! stride 2 each parity of an input. What lies outside the image is never multiplied, so no zeros are stored around it.

use super::Geometry;
use std::collections::BTreeMap;

/// One side's places by class.
#[derive(Debug, Clone)]
pub(super) struct Side {
    /// The kernel's places in the order in which they are packed.
    pub(super) taps: Vec<[usize; 2]>,
    pub(super) classes: Vec<Class>,
    /// Outputs of this side that sum over nothing.
    pub(super) empty: Vec<u32>,
}

/// Places that sum over the same part of the kernel.
#[derive(Debug, Clone)]
pub(super) struct Class {
    /// `(base in the source, output)` of each place.
    pub(super) places: Vec<[u32; 2]>,
    /// The largest of both.
    pub(super) largest: [u32; 2],
    /// Where each run starts: relative to a base, and as a row of the packed weight.
    pub(super) runs: Vec<[u32; 2]>,
    /// Numbers of a run.
    pub(super) length: usize,
}

/// One direction of one place: the first source line that it reads, and the kernel's lines for this one and those after.
struct Line {
    first: usize,
    taps: Vec<usize>,
}

/// The sizes that the two sides have in common with the roles exchanged.
struct Sizes {
    /// Numbers at each place of the source, and how many of them take part in a sum.
    source: [usize; 2],
    source_width: usize,
    /// Numbers at each place of the output.
    output: usize,
    output_width: usize,
}

impl Side {
    /// Each output's inputs, the kernel in ascending order.
    pub(super) fn forward(geometry: &Geometry) -> Self {
        let Geometry {
            height,
            width,
            kernel,
            stride,
            padding,
            ..
        } = *geometry;
        let taps = (0..kernel[0])
            .flat_map(|y| (0..kernel[1]).map(move |x| [y, x]))
            .collect();
        let sizes = Sizes {
            source: [geometry.planes, geometry.planes / geometry.groups],
            source_width: width,
            output: geometry.channels,
            output_width: geometry.out_width(),
        };
        let lines = |outputs, length, kernel, stride, before| {
            (0..outputs)
                .map(|output: usize| {
                    let inside =
                        |&tap: &usize| (before..length + before).contains(&(output * stride + tap));
                    let taps: Vec<usize> = (0..kernel).filter(inside).collect();
                    let first = taps.first().map_or(0, |tap| output * stride + tap - before);
                    Line { first, taps }
                })
                .collect::<Vec<_>>()
        };
        Self::new(
            taps,
            &lines(
                geometry.out_height(),
                height,
                kernel[0],
                stride[0],
                padding[0],
            ),
            &lines(
                geometry.out_width(),
                width,
                kernel[1],
                stride[1],
                padding[1],
            ),
            &sizes,
        )
    }

    /// Each input's outputs in ascending order, and so the kernel in descending order.
    pub(super) fn backward(geometry: &Geometry) -> Self {
        let Geometry {
            height,
            width,
            kernel,
            stride,
            padding,
            ..
        } = *geometry;
        let (out_height, out_width) = (geometry.out_height(), geometry.out_width());
        // With a stride only each second, third, … place of the kernel reaches an input: these stand together.
        let order = |kernel: usize, stride: usize| -> Vec<Vec<usize>> {
            (0..stride.min(kernel))
                .map(|first| (first..kernel).step_by(stride).rev().collect())
                .collect()
        };
        let mut taps = Vec::with_capacity(kernel[0] * kernel[1]);
        for rows in order(kernel[0], stride[0]) {
            for columns in order(kernel[1], stride[1]) {
                taps.extend(
                    rows.iter()
                        .flat_map(|&y| columns.iter().map(move |&x| [y, x])),
                );
            }
        }
        let sizes = Sizes {
            source: [geometry.channels, geometry.channels / geometry.groups],
            source_width: out_width,
            output: geometry.planes,
            output_width: width,
        };
        let lines = |length: usize, outputs: usize, kernel: usize, stride: usize, before: usize| {
            (0..length)
                .map(|input| {
                    let output = |tap: usize| {
                        let place = (input + before).checked_sub(tap)?;
                        let output = place / stride;
                        (place.is_multiple_of(stride) && output < outputs).then_some(output)
                    };
                    let taps: Vec<usize> = (0..kernel)
                        .rev()
                        .filter(|&tap| output(tap).is_some())
                        .collect();
                    let first = taps.first().and_then(|&tap| output(tap)).unwrap_or(0);
                    Line { first, taps }
                })
                .collect::<Vec<_>>()
        };
        Self::new(
            taps,
            &lines(height, out_height, kernel[0], stride[0], padding[0]),
            &lines(width, out_width, kernel[1], stride[1], padding[1]),
            &sizes,
        )
    }

    fn new(taps: Vec<[usize; 2]>, rows: &[Line], columns: &[Line], sizes: &Sizes) -> Self {
        let mut rank: BTreeMap<[usize; 2], usize> = BTreeMap::new();
        for (place, &tap) in taps.iter().enumerate() {
            rank.insert(tap, place);
        }
        let [source, part] = sizes.source;
        let mut classes: BTreeMap<(&[usize], &[usize]), Class> = BTreeMap::new();
        let mut empty = Vec::new();
        for (y, row) in rows.iter().enumerate() {
            for (x, column) in columns.iter().enumerate() {
                let output = ((y * sizes.output_width + x) * sizes.output) as u32;
                if row.taps.is_empty() || column.taps.is_empty() {
                    empty.push(output);
                    continue;
                }
                let base = ((row.first * sizes.source_width + column.first) * source) as u32;
                let class = classes.entry((&row.taps, &column.taps)).or_insert_with(|| {
                    let (runs, length) = runs(&row.taps, &column.taps, &rank, sizes);
                    Class {
                        places: Vec::new(),
                        largest: [0, 0],
                        runs,
                        length: length * part,
                    }
                });
                class.places.push([base, output]);
                class.largest = [class.largest[0].max(base), class.largest[1].max(output)];
            }
        }
        Self {
            taps,
            classes: classes.into_values().collect(),
            empty,
        }
    }
}

/// The runs of a class and how many places each is long: a whole row of the kernel where all channels take part, since
/// neighbours in a row are neighbours in memory; else one place.
fn runs(
    rows: &[usize],
    columns: &[usize],
    rank: &BTreeMap<[usize; 2], usize>,
    sizes: &Sizes,
) -> (Vec<[u32; 2]>, usize) {
    let [source, part] = sizes.source;
    let at = |y: usize, x: usize| {
        let offset = (y * sizes.source_width + x) * source;
        [offset as u32, (rank[&[rows[y], columns[x]]] * part) as u32]
    };
    if source == part {
        return ((0..rows.len()).map(|y| at(y, 0)).collect(), columns.len());
    }
    let runs = (0..rows.len()).flat_map(|y| (0..columns.len()).map(move |x| (y, x)));
    (runs.map(|(y, x)| at(y, x)).collect(), 1)
}
