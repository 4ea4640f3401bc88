//! Three boards as grey surfaces: plain, wooden and marbled; it knows nothing of pieces, light or camera.

use crate::rng::Stream;

/// Cells of the surface along one square.
pub(super) const CELLS_PER_SQUARE: usize = 24;
/// Width of the frame around the 64 squares, in squares.
pub(super) const FRAME: f32 = 0.5;
/// Cells along a side: nine squares, half a square of frame on each side.
const SIDE: usize = 9 * CELLS_PER_SQUARE;

/// How many boards there are; the last one is held out of training.
pub(super) const BOARD_COUNT: u32 = 3;

/// A board seen straight from above: grey in `0.0..=1.0`.
pub(super) struct Surface {
    cells: Vec<f32>,
}

/// What makes a board.
struct Style {
    light: f32,
    dark: f32,
    frame: f32,
    /// How much the material varies.
    grain: f32,
    /// How many times longer than wide the grain is.
    stretch: f32,
    /// Grey of the lines between the squares, or none.
    line: Option<f32>,
}

const STYLES: [Style; BOARD_COUNT as usize] = [
    // Printed vinyl.
    Style {
        light: 0.83,
        dark: 0.40,
        frame: 0.86,
        grain: 0.02,
        stretch: 1.0,
        line: None,
    },
    // Veneer.
    Style {
        light: 0.72,
        dark: 0.36,
        frame: 0.30,
        grain: 0.13,
        stretch: 9.0,
        line: None,
    },
    // Marble.
    Style {
        light: 0.78,
        dark: 0.47,
        frame: 0.55,
        grain: 0.22,
        stretch: 1.7,
        line: Some(0.25),
    },
];

impl Surface {
    /// The board `board` (below [`BOARD_COUNT`]), with a grain of its own for each `seed`.
    pub(super) fn new(board: u32, seed: u32) -> Self {
        let style = &STYLES[board as usize % STYLES.len()];
        let grain = Grain::new(seed, board);
        let mut cells = Vec::with_capacity(SIDE * SIDE);
        for row in 0..SIDE {
            for column in 0..SIDE {
                cells.push(cell(style, &grain, column, row));
            }
        }
        Self { cells }
    }

    /// Grey at a point in squares from the top left corner of a8, or nothing beyond the frame.
    pub(super) fn at(&self, x: f32, y: f32) -> Option<f32> {
        let scale = CELLS_PER_SQUARE as f32;
        let (column, row) = ((x + FRAME) * scale - 0.5, (y + FRAME) * scale - 0.5);
        let last = (SIDE - 1) as f32;
        // Written so that NaN is outside too.
        if !(column >= 0.0 && row >= 0.0 && column < last && row < last) {
            return None;
        }
        let (left, top) = (column as usize, row as usize);
        let (right_share, bottom_share) = (column - left as f32, row - top as f32);
        let at = top * SIDE + left;
        let cells = &self.cells;
        let upper = cells[at] + (cells[at + 1] - cells[at]) * right_share;
        let lower = cells[at + SIDE] + (cells[at + SIDE + 1] - cells[at + SIDE]) * right_share;
        Some(upper + (lower - upper) * bottom_share)
    }
}

fn cell(style: &Style, grain: &Grain, column: usize, row: usize) -> f32 {
    let half = CELLS_PER_SQUARE / 2;
    let (x, y) = (column as f32, row as f32);
    let inside = |at: usize| (half..SIDE - half).contains(&at);
    if !(inside(column) && inside(row)) {
        return style.frame + style.grain * 0.5 * grain.at(x / style.stretch, y * 0.5);
    }
    let (file, rank) = (
        (column - half) / CELLS_PER_SQUARE,
        (row - half) / CELLS_PER_SQUARE,
    );
    let on_line = |at: usize| (at - half).is_multiple_of(CELLS_PER_SQUARE);
    if let Some(line) = style.line
        && (on_line(column) || on_line(row))
    {
        return line;
    }
    // a8, at the top left, is light.
    let base = if (file + rank).is_multiple_of(2) {
        style.light
    } else {
        style.dark
    };
    // Each square is a piece of material of its own.
    let (shift_x, shift_y) = (rank as f32 * 37.0, file as f32 * 53.0);
    base + style.grain * grain.at((x + shift_x) / style.stretch, y + shift_y)
}

/// Smooth noise: random numbers on a grid, straight lines between, at two sizes.
struct Grain {
    numbers: Vec<f32>,
}

const GRID: usize = 64;

impl Grain {
    fn new(seed: u32, board: u32) -> Self {
        let mut random = Stream::new(seed, "chess/1 grain", u64::from(board));
        Self {
            numbers: (0..GRID * GRID).map(|_| random.unit() - 0.5).collect(),
        }
    }

    /// In -0.5..0.5.
    fn at(&self, x: f32, y: f32) -> f32 {
        0.65 * self.one(x / 5.0, y / 5.0) + 0.35 * self.one(x / 2.0 + 17.0, y / 2.0 + 5.0)
    }

    fn one(&self, x: f32, y: f32) -> f32 {
        let (left, top) = (x as usize, y as usize);
        let (right_share, bottom_share) = (x - left as f32, y - top as f32);
        let at = |column: usize, row: usize| self.numbers[row % GRID * GRID + column % GRID];
        let upper = at(left, top) + (at(left + 1, top) - at(left, top)) * right_share;
        let lower = at(left, top + 1) + (at(left + 1, top + 1) - at(left, top + 1)) * right_share;
        upper + (lower - upper) * bottom_share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn light_squares_are_lighter_on_every_board_and_all_is_grey_from_black_to_white() {
        for board in 0..BOARD_COUNT {
            let surface = Surface::new(board, 1);
            assert!(surface.cells.iter().all(|cell| (0.0..=1.0).contains(cell)));
            for rank in 0..8 {
                for file in 0..7 {
                    let at = |file: usize| {
                        let sum: f32 = (0..9)
                            .filter_map(|point| {
                                let (dx, dy) = ((point % 3) as f32, (point / 3) as f32);
                                surface
                                    .at(file as f32 + 0.3 + 0.2 * dx, rank as f32 + 0.3 + 0.2 * dy)
                            })
                            .sum();
                        sum / 9.0
                    };
                    let (one, next) = (at(file), at(file + 1));
                    let light_first = (file + rank) % 2 == 0;
                    assert_eq!(one > next, light_first, "board {board}: {one} {next}");
                }
            }
        }
    }

    #[test]
    fn there_is_nothing_beyond_the_frame() {
        let surface = Surface::new(0, 1);
        assert!(surface.at(-0.4, 8.4).is_some());
        for (x, y) in [
            (-0.6, 4.0),
            (4.0, 8.6),
            (f32::NAN, 4.0),
            (f32::INFINITY, 4.0),
        ] {
            assert_eq!(surface.at(x, y), None);
        }
    }
}
