//! Takes a picture of a position: board, shadows, pieces, perhaps a hand, light, blur and noise; then cuts out its squares.
//!
//! All arithmetic is + − × ÷ and square roots in f32, each rounded once, so that a picture has the same bytes everywhere.

use super::boards::Surface;
use super::games::{Position, class_on, place_of, square_at};
use super::pieces::{SLICES, Slice};
use super::style::Style;
use super::{Kind, SQUARE};
use crate::rng::Stream;

/// Side of the picture, in pixels.
pub(super) const SIDE: usize = 320;
/// Side of all 64 squares that are cut out, in pixels.
const CUT: usize = 8 * SQUARE;
/// Height above the board at which squares are cut, in squares: at the pieces' waist, so that they stand in the middle.
const WAIST: f32 = 0.3;
/// Cells of the shadows along one square, and their margin around the board in squares.
const SHADOW_CELLS: f32 = 12.0;
const SHADOW_MARGIN: f32 = 1.0;
const SHADOW_SIDE: usize = 120;

/// The slices of every piece of one set.
pub(super) type Slices = [[Slice; SLICES]; 6];

/// Paper for one picture after another.
pub(super) struct Photographer {
    /// Share of the light that comes back, `SIDE × SIDE`.
    picture: Vec<f32>,
    spare: Vec<f32>,
    /// Share of the light that is taken away, over the board.
    shadow: Vec<f32>,
    shadow_spare: Vec<f32>,
    /// What the sensor wrote.
    taken: Vec<u8>,
}

impl Photographer {
    pub(super) fn new() -> Self {
        Self {
            picture: vec![0.0; SIDE * SIDE],
            spare: vec![0.0; SIDE * SIDE],
            shadow: vec![0.0; SHADOW_SIDE * SHADOW_SIDE],
            shadow_spare: vec![0.0; SHADOW_SIDE * SHADOW_SIDE],
            taken: vec![0; SIDE * SIDE],
        }
    }

    /// Takes a picture and appends its 64 squares to `out`, from a8 to h1, row by row.
    pub(super) fn take(
        &mut self,
        position: &Position,
        style: &Style,
        surface: &Surface,
        slices: &Slices,
        mut random: Stream,
        out: &mut Vec<u8>,
    ) {
        self.shadows(position, style, slices);
        self.ground(style, surface);
        for place in 0..64 {
            let class = class_on(&position.board, square_at(place));
            if let Some((kind, black)) = Kind::of_class(class) {
                let tone = if black { style.black } else { style.white };
                self.piece(style, place, &slices[kind as usize], tone);
            }
        }
        if random.unit() < style.hands {
            self.hand(position, style, &mut random);
        }
        for _ in 0..style.blurs {
            blur(&mut self.picture, &mut self.spare, SIDE);
        }
        self.expose(style, &mut random);
        self.cut(style, out);
    }

    fn shadows(&mut self, position: &Position, style: &Style, slices: &Slices) {
        self.shadow.fill(0.0);
        let (length, taken) = style.shadow;
        let (step_x, step_y) = (
            -style.towards_light.0 * length,
            -style.towards_light.1 * length,
        );
        for place in 0..64 {
            let class = class_on(&position.board, square_at(place));
            let Some((kind, _)) = Kind::of_class(class) else {
                continue;
            };
            let (x, y) = standing(style, place);
            for slice in slices[kind as usize].iter().step_by(3) {
                let at =
                    |from: f32, step: f32| (from + slice.z * step + SHADOW_MARGIN) * SHADOW_CELLS;
                let radius = slice.half_across * SHADOW_CELLS;
                let disc = Ellipse {
                    x: at(x, step_x),
                    y: at(y, step_y),
                    half_x: radius,
                    half_y: radius,
                };
                let shadow = &mut self.shadow;
                disc.each(SHADOW_SIDE, |cell, _, _| shadow[cell] = taken);
            }
        }
        for _ in 0..2 {
            blur(&mut self.shadow, &mut self.shadow_spare, SHADOW_SIDE);
        }
    }

    /// The table, the board on it, and the shadows on both.
    fn ground(&mut self, style: &Style, surface: &Surface) {
        for row in 0..SIDE {
            for column in 0..SIDE {
                let (x, y) = style.camera.ground(column as f32, row as f32);
                let grey = surface.at(x, y).unwrap_or(style.table);
                let (cell_x, cell_y) = (
                    (x + SHADOW_MARGIN) * SHADOW_CELLS,
                    (y + SHADOW_MARGIN) * SHADOW_CELLS,
                );
                let inside = |cell: f32| cell >= 0.0 && cell < SHADOW_SIDE as f32;
                let shadow = if inside(cell_x) && inside(cell_y) {
                    self.shadow[cell_y as usize * SHADOW_SIDE + cell_x as usize]
                } else {
                    0.0
                };
                self.picture[row * SIDE + column] = grey * (1.0 - shadow);
            }
        }
    }

    /// Slice upon slice from the foot up, so that what is higher covers what is behind it.
    fn piece(&mut self, style: &Style, place: usize, slices: &[Slice; SLICES], tone: f32) {
        let (x, y) = standing(style, place);
        let looks = style.stands[place].looks;
        let light = style.towards_light;
        for slice in slices {
            let seen = style.camera.see(
                x + slice.ahead * looks.cos,
                y + slice.ahead * looks.sin,
                slice.z,
            );
            let reach = |along: f32, across: f32| {
                (along * slice.half_along * (along * slice.half_along)
                    + across * slice.half_across * (across * slice.half_across))
                    .sqrt()
            };
            // Below a pixel a cross would come and go with the camera.
            let ellipse = Ellipse {
                x: seen.x,
                y: seen.y,
                half_x: (reach(looks.cos, looks.sin) * seen.scale).max(0.7),
                half_y: (reach(looks.sin, looks.cos) * seen.scale * style.camera.shortening())
                    .max(0.7),
            };
            let level = tone * slice.tone;
            let up = 0.50 + 0.22 * slice.upward;
            let side = 0.34 * (1.0 - 0.6 * slice.upward.abs());
            let picture = &mut self.picture;
            ellipse.each(SIDE, |pixel, dx, dy| {
                let facing = dx * light.0 + dy * light.1;
                // The rim is seen edge on and reflects less.
                let rim = if dx * dx + dy * dy > 0.8 { 0.82 } else { 1.0 };
                let gloss = 0.12 * facing.max(0.0) * facing + 0.06 * slice.upward.max(0.0);
                let grey = level * (up + 0.2 + side * facing) * rim + gloss;
                picture[pixel] = grey.clamp(0.02, 1.0);
            });
        }
    }

    /// The hand of who has just moved, from that player's side to the square of the move.
    fn hand(&mut self, position: &Position, style: &Style, random: &mut Stream) {
        let target = place_of(position.last.to);
        let mut beside = |reach: f32| (random.unit() - 0.5) * reach;
        let (x, y) = (
            (target % 8) as f32 + 0.5 + beside(0.4),
            (target / 8) as f32 + 0.5 + beside(0.4),
        );
        // White sits at the bottom, and after the move it is the other side's turn.
        let from_bottom = position.board.side_to_move() == cozy_chess::Color::Black;
        let away = if from_bottom { 1.0 } else { -1.0 };
        let lean = beside(5.0);
        let tips = style.camera.see(x, y, 0.9);
        let palm = style.camera.see(x + lean * 0.12, y + away * 1.1, 1.4);
        let elbow = style.camera.see(x + lean, y + away * 9.0, 1.4);
        for finger in [-0.22, 0.0, 0.2] {
            let scale = tips.scale;
            let end = (tips.x + finger * scale * 0.6, tips.y);
            let start = (palm.x + finger * scale * 1.6, palm.y);
            self.limb(start, end, (0.17 * scale, 0.10 * scale), style.hand);
        }
        let palm = (palm.x, palm.y);
        let scale = tips.scale;
        self.limb(palm, palm, (0.48 * scale, 0.48 * scale), style.hand);
        let elbow = (elbow.x, elbow.y);
        self.limb(palm, elbow, (0.38 * scale, 0.62 * scale), style.hand * 0.8);
    }

    /// A stretch with round ends whose half width goes from the first to the second of `half`.
    fn limb(&mut self, from: (f32, f32), to: (f32, f32), half: (f32, f32), tone: f32) {
        let widest = half.0.max(half.1);
        let (along_x, along_y) = (to.0 - from.0, to.1 - from.1);
        let length = along_x * along_x + along_y * along_y;
        let rows = pixels(from.1.min(to.1) - widest, from.1.max(to.1) + widest, SIDE);
        for row in rows {
            for column in pixels(from.0.min(to.0) - widest, from.0.max(to.0) + widest, SIDE) {
                let (x, y) = (column as f32 - from.0, row as f32 - from.1);
                let share = if length > 0.0 {
                    ((x * along_x + y * along_y) / length).clamp(0.0, 1.0)
                } else {
                    0.0
                };
                let (dx, dy) = (x - share * along_x, y - share * along_y);
                let reach = half.0 + (half.1 - half.0) * share;
                let distance = (dx * dx + dy * dy) / (reach * reach);
                if distance < 1.0 {
                    self.picture[row * SIDE + column] = tone * (1.0 - 0.45 * distance);
                }
            }
        }
    }

    /// Light over the picture, noise of the sensor, and whole numbers.
    fn expose(&mut self, style: &Style, random: &mut Stream) {
        // Four bytes add up to a mean of 510 with a deviation of √21845, near enough to a normal distribution.
        let strength = style.noise / 147.8;
        let half = SIDE as f32 / 2.0;
        let (right, down) = (style.gradient.0 / half, style.gradient.1 / half);
        for (row, line) in self.picture.chunks_exact(SIDE).enumerate() {
            let taken = &mut self.taken[row * SIDE..(row + 1) * SIDE];
            let lit = style.light * (1.0 + (row as f32 - half) * down);
            for pair in 0..SIDE / 2 {
                let bytes = random.key().to_le_bytes();
                for (column, four) in [(2 * pair, 0), (2 * pair + 1, 4)] {
                    let sum: u32 = bytes[four..four + 4]
                        .iter()
                        .map(|byte| u32::from(*byte))
                        .sum();
                    let noise = (sum as f32 - 510.0) * strength;
                    let light = lit + style.light * ((column as f32 - half) * right);
                    let grey = line[column] * light * 255.0 + noise + 0.5;
                    // A cast from f32 saturates.
                    taken[column] = grey as u8;
                }
            }
        }
    }

    /// The 64 squares, where the cutter takes them to be.
    fn cut(&self, style: &Style, out: &mut Vec<u8>) {
        let [shift_x, shift_y, stretch_x, stretch_y] = style.miscut;
        let start = out.len();
        out.resize(start + CUT * CUT, 0);
        let out = &mut out[start..];
        let at = |pixel: usize, shift: f32, stretch: f32| {
            let place = (pixel as f32 + 0.5) / SQUARE as f32;
            place + shift + (place - 4.0) * stretch
        };
        for row in 0..CUT {
            let y = at(row, shift_y, stretch_y);
            for column in 0..CUT {
                let x = at(column, shift_x, stretch_x);
                let seen = style.camera.see(x, y, WAIST);
                let place = row / SQUARE * 8 + column / SQUARE;
                let inside = row % SQUARE * SQUARE + column % SQUARE;
                out[place * SQUARE * SQUARE + inside] = self.between(seen.x, seen.y);
            }
        }
    }

    /// The picture between its pixels; beyond its edge the edge.
    fn between(&self, x: f32, y: f32) -> u8 {
        let last = (SIDE - 2) as f32;
        let (x, y) = (x.clamp(0.0, last), y.clamp(0.0, last));
        let (left, top) = (x as usize, y as usize);
        let (right_share, bottom_share) = (x - left as f32, y - top as f32);
        let at = top * SIDE + left;
        let grey = |pixel: usize| f32::from(self.taken[pixel]);
        let upper = grey(at) + (grey(at + 1) - grey(at)) * right_share;
        let lower = grey(at + SIDE) + (grey(at + SIDE + 1) - grey(at + SIDE)) * right_share;
        (upper + (lower - upper) * bottom_share + 0.5) as u8
    }
}

/// Where the middle of the piece at a place stands, from the top left corner of a8.
fn standing(style: &Style, place: usize) -> (f32, f32) {
    let stand = style.stands[place];
    (
        (place % 8) as f32 + 0.5 + stand.x,
        (place / 8) as f32 + 0.5 + stand.y,
    )
}

/// Whole pixels between two coordinates, within `0..side`.
fn pixels(from: f32, to: f32, side: usize) -> std::ops::Range<usize> {
    // A cast from f32 saturates: below 0 it is 0.
    (from + 1.0) as usize..((to + 1.0) as usize).min(side)
}

/// An ellipse along the axes, in pixels.
struct Ellipse {
    x: f32,
    y: f32,
    half_x: f32,
    half_y: f32,
}

impl Ellipse {
    /// Every pixel of a square picture inside, with its place from the middle in half axes.
    fn each(&self, side: usize, mut paint: impl FnMut(usize, f32, f32)) {
        for row in pixels(self.y - self.half_y, self.y + self.half_y, side) {
            let dy = (row as f32 - self.y) / self.half_y;
            let half = self.half_x * (1.0 - dy * dy).max(0.0).sqrt();
            for column in pixels(self.x - half, self.x + half, side) {
                let dx = (column as f32 - self.x) / self.half_x;
                paint(row * side + column, dx, dy);
            }
        }
    }
}

/// Every number becomes a quarter of its two neighbours and half of itself, along rows and then along columns.
fn blur(picture: &mut [f32], spare: &mut [f32], side: usize) {
    for (from, to) in picture.chunks_exact(side).zip(spare.chunks_exact_mut(side)) {
        to[0] = from[0];
        to[side - 1] = from[side - 1];
        for column in 1..side - 1 {
            to[column] = 0.25 * (from[column - 1] + from[column + 1]) + 0.5 * from[column];
        }
    }
    picture[..side].copy_from_slice(&spare[..side]);
    let end = side * (side - 1);
    picture[end..].copy_from_slice(&spare[end..]);
    for row in 1..side - 1 {
        let (above, at, below) = (
            &spare[(row - 1) * side..row * side],
            &spare[row * side..(row + 1) * side],
            &spare[(row + 1) * side..(row + 2) * side],
        );
        let to = &mut picture[row * side..(row + 1) * side];
        for column in 0..side {
            to[column] = 0.25 * (above[column] + below[column]) + 0.5 * at[column];
        }
    }
}
