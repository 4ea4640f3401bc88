//! 3×3 convolutions with stride 1 by Winograd's minimal filtering F(2×2, 3×3): 16 products where the sums need 36; which
//! geometries take this way is [`crate::convolution`]'s business.
//!
//! `Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A` for each 4×4 patch `d` and its 2×2 outputs `Y`, summed over the planes before the last
//! transformation (Lavin and Gray 2016, arXiv 1509.09308, section 4.1). The planes are summed in ascending order, a
//! transformation goes down first and then right, and the bias is added last; how many patches are taken at a time
//! changes no bit. Its error bound is in `docs/numerics.md`.
#![allow(
    unsafe_code,
    reason = "a bounds check for each load would double a transformation; the slices are cut to size before each loop"
)]

use crate::correlation::{COLUMNS, Epilogue, Job, Rows, read};
use crate::lanes::F32x4;

/// Numbers of a transformed patch.
const PATCH: usize = 16;
/// Numbers of transformed patches and sums held at a time: 192 KiB, which stays in the second cache.
const HELD: usize = 49_152;

/// Sizes of a convolution with a 3×3 kernel and stride 1. Planes and channels are multiples of 4.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Winograd {
    pub(crate) planes: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
    pub(crate) out_height: usize,
    pub(crate) out_width: usize,
    /// Zeros above and left of the image.
    pub(crate) before: [usize; 2],
}

impl Winograd {
    /// Numbers of the packed weight: `[16][⌈channels / 8⌉][planes][8]`.
    pub(crate) const fn packed_len(&self) -> usize {
        PATCH * self.panel_len()
    }

    const fn panel_len(&self) -> usize {
        self.channels.div_ceil(COLUMNS) * COLUMNS * self.planes
    }

    /// Patches that are worked on together.
    fn block(&self) -> usize {
        let tiles = self.out_height.div_ceil(2) * self.out_width.div_ceil(2);
        (HELD / (PATCH * (self.planes + self.channels)))
            .clamp(4, tiles.max(4))
            .next_multiple_of(4)
    }

    pub(crate) fn scratch_len(&self) -> usize {
        PATCH * (self.block() * (self.planes + self.channels) + self.planes)
    }

    /// Packs `G g Gᵀ`, with `weight(kernel place, plane, channel)`.
    pub(crate) fn pack(&self, weight: impl Fn(usize, usize, usize) -> f32, packed: &mut [f32]) {
        let size = self.panel_len();
        for panel in 0..self.channels.div_ceil(COLUMNS) {
            let first = panel * COLUMNS;
            let width = COLUMNS.min(self.channels - first);
            for plane in 0..self.planes {
                let mut kernel = [[0.0; COLUMNS]; 9];
                for (place, values) in kernel.iter_mut().enumerate() {
                    for (lane, value) in values[..width].iter_mut().enumerate() {
                        *value = weight(place, plane, first + lane);
                    }
                }
                let at = (panel * self.planes + plane) * COLUMNS;
                for half in [0, 4] {
                    let g = kernel.map(|values| F32x4::from_slice(&values[half..]));
                    for (place, value) in transformed_kernel(g).into_iter().enumerate() {
                        value.write_to(&mut packed[place * size + at + half..]);
                    }
                }
            }
        }
    }

    /// One image.
    pub(crate) fn image(
        &self,
        packed: &[f32],
        bias: Option<&[f32]>,
        image: &[f32],
        epilogue: Epilogue<'_>,
        out: &mut [f32],
        scratch: &mut [f32],
    ) {
        let Self {
            planes, channels, ..
        } = *self;
        let across = self.out_width.div_ceil(2);
        let tiles = self.out_height.div_ceil(2) * across;
        let block = self.block();
        let (patch, rest) = scratch.split_at_mut(PATCH * planes);
        let (patches, sums) = rest.split_at_mut(PATCH * block * planes);
        for start in (0..tiles).step_by(block) {
            let count = block.min(tiles - start);
            for tile in 0..count {
                let place = [(start + tile) / across * 2, (start + tile) % across * 2];
                self.transform(
                    image,
                    place,
                    patch,
                    &mut patches[tile * planes..],
                    block * planes,
                );
            }
            for place in 0..PATCH {
                Job {
                    input: &patches[place * block * planes..][..block * planes],
                    runs: &[[0, 0]],
                    length: planes,
                    panels: &packed[place * self.panel_len()..][..self.panel_len()],
                    inner: planes,
                    columns: channels,
                    bias: None,
                    epilogue: Epilogue::default(),
                }
                .run(
                    Rows {
                        count,
                        input_stride: planes,
                        output_stride: channels,
                    },
                    &mut sums[place * block * channels..][..block * channels],
                );
            }
            for tile in 0..count {
                let place = [(start + tile) / across * 2, (start + tile) % across * 2];
                let sums = &sums[tile * channels..];
                self.finish(sums, block * channels, bias, place, epilogue, out);
            }
        }
    }

    /// `Bᵀ d B` of the patch whose outputs start at `place`; its 16 numbers of each plane are `stride` apart.
    fn transform(
        &self,
        image: &[f32],
        place: [usize; 2],
        patch: &mut [f32],
        out: &mut [f32],
        stride: usize,
    ) {
        let Self {
            planes,
            height,
            width,
            before,
            ..
        } = *self;
        let inside = place[0] >= before[0]
            && place[1] >= before[1]
            && place[0] - before[0] + 4 <= height
            && place[1] - before[1] + 4 <= width;
        let (from, row) = if inside {
            let start = ((place[0] - before[0]) * width + place[1] - before[1]) * planes;
            (&image[start..], width * planes)
        } else {
            self.surround(image, place, patch);
            (&*patch, 4 * planes)
        };
        assert!(from.len() >= 3 * row + 4 * planes && out.len() >= 15 * stride + planes);
        for plane in (0..planes).step_by(4) {
            // SAFETY: the assertion above; `planes` is a multiple of 4.
            let d = unsafe {
                let from = from.as_ptr().add(plane);
                std::array::from_fn(|at| read(from.add(at / 4 * row + at % 4 * planes)))
            };
            let v = transformed_patch(d);
            for (at, value) in v.into_iter().enumerate() {
                // SAFETY: as above.
                unsafe { write(out.as_mut_ptr().add(at * stride + plane), value) };
            }
        }
    }

    /// A patch that leaves the image, with its zeros.
    fn surround(&self, image: &[f32], place: [usize; 2], patch: &mut [f32]) {
        let Self {
            planes,
            height,
            width,
            before,
            ..
        } = *self;
        for (at, to) in patch.chunks_exact_mut(planes).enumerate() {
            let row = (place[0] + at / 4)
                .checked_sub(before[0])
                .filter(|&row| row < height);
            let column = (place[1] + at % 4)
                .checked_sub(before[1])
                .filter(|&column| column < width);
            if let (Some(row), Some(column)) = (row, column) {
                to.copy_from_slice(&image[(row * width + column) * planes..][..planes]);
            } else {
                to.fill(0.0);
            }
        }
    }

    /// `rectifier(Aᵀ M A + bias + residual)` into the outputs from `place` on that exist.
    fn finish(
        &self,
        sums: &[f32],
        stride: usize,
        bias: Option<&[f32]>,
        place: [usize; 2],
        epilogue: Epilogue<'_>,
        out: &mut [f32],
    ) {
        let Self {
            channels,
            out_height,
            out_width,
            ..
        } = *self;
        let start = (place[0] * out_width + place[1]) * channels;
        let row = out_width * channels;
        let whole = place[0] + 2 <= out_height && place[1] + 2 <= out_width;
        let last = if whole { row + channels } else { 0 };
        assert!(sums.len() >= 15 * stride + channels && out.len() >= start + last + channels);
        assert!(
            epilogue
                .residual
                .is_none_or(|residual| residual.len() >= out.len())
        );
        assert!(bias.is_none_or(|bias| bias.len() >= channels));
        for channel in (0..channels).step_by(4) {
            // SAFETY: the assertions above; `channels` is a multiple of 4.
            let m = unsafe {
                let from = sums.as_ptr().add(channel);
                std::array::from_fn(|at| read(from.add(at * stride)))
            };
            let outputs = finished(m);
            let bias = bias.map(|bias| F32x4::from_slice(&bias[channel..]));
            for (at, mut value) in outputs.into_iter().enumerate() {
                if !whole && (place[0] + at / 2 >= out_height || place[1] + at % 2 >= out_width) {
                    continue;
                }
                let to = start + at / 2 * row + at % 2 * channels + channel;
                if let Some(bias) = bias {
                    value = value + bias;
                }
                if let Some(residual) = epilogue.residual {
                    // SAFETY: the residual is as long as `out`, in which `to` is.
                    value = value + unsafe { read(residual.as_ptr().add(to)) };
                }
                if let Some(rectifier) = epilogue.rectifier {
                    value = rectifier.on_lanes(value);
                }
                // SAFETY: an output that exists is inside `out`.
                unsafe { write(out.as_mut_ptr().add(to), value) };
            }
        }
    }
}

/// `G g Gᵀ` of the nine places of a kernel.
fn transformed_kernel(g: [F32x4; 9]) -> [F32x4; PATCH] {
    let half = F32x4::splat(0.5);
    let line = |a: F32x4, b: F32x4, c: F32x4| {
        let ends = a + c;
        [a, (ends + b) * half, (ends - b) * half, c]
    };
    let mut down = [[F32x4::zero(); 4]; 3];
    for (column, down) in down.iter_mut().enumerate() {
        *down = line(g[column], g[3 + column], g[6 + column]);
    }
    let mut all = [F32x4::zero(); PATCH];
    for row in 0..4 {
        let across = line(down[0][row], down[1][row], down[2][row]);
        all[row * 4..row * 4 + 4].copy_from_slice(&across);
    }
    all
}

/// `Bᵀ d B` of a 4×4 patch.
#[inline(always)]
fn transformed_patch(d: [F32x4; PATCH]) -> [F32x4; PATCH] {
    let mut v = d;
    for column in 0..4 {
        let [a, b, c, e] = [v[column], v[4 + column], v[8 + column], v[12 + column]];
        v[column] = a - c;
        v[4 + column] = b + c;
        v[8 + column] = c - b;
        v[12 + column] = b - e;
    }
    for row in 0..4 {
        let [a, b, c, e] = [v[4 * row], v[4 * row + 1], v[4 * row + 2], v[4 * row + 3]];
        v[4 * row] = a - c;
        v[4 * row + 1] = b + c;
        v[4 * row + 2] = c - b;
        v[4 * row + 3] = b - e;
    }
    v
}

/// `Aᵀ m A` of 4×4 sums.
#[inline(always)]
fn finished(m: [F32x4; PATCH]) -> [F32x4; 4] {
    let mut down = [[F32x4::zero(); 4]; 2];
    for column in 0..4 {
        let [a, b, c, e] = [m[column], m[4 + column], m[8 + column], m[12 + column]];
        down[0][column] = a + b + c;
        down[1][column] = b - c - e;
    }
    let line = |[a, b, c, e]: [F32x4; 4]| [a + b + c, b - c - e];
    let ([top_left, top_right], [low_left, low_right]) = (line(down[0]), line(down[1]));
    [top_left, top_right, low_left, low_right]
}

/// Puts four numbers at a pointer.
///
/// # Safety
/// All four are inside one slice that nobody else reads.
#[inline(always)]
unsafe fn write(to: *mut f32, value: F32x4) {
    // SAFETY: the caller's; an array of f32 is aligned wherever an f32 is.
    value.store(unsafe { &mut *to.cast::<[f32; 4]>() });
}

#[cfg(test)]
mod tests;
