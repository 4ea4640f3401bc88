//! `chess`: squares of a chess board as a camera above a live game sees them, made by our own code from a seed.
//!
//! Nothing is loaded: legal games are played at random, each position is drawn as a picture, and the picture is cut into
//! 64 squares. Equal parameters give equal bytes in every browser and natively. Rules over whole positions are not here.

mod boards;
mod camera;
mod games;
mod photo;
mod pieces;
mod style;

pub use games::{POSITIONS_PER_GAME, Position, class_on, place_of, square_at};

use super::{Dataset, Edited, Expected, Groups, Values};
use crate::error::{Error, Result};
use crate::recipe::DataSpec;
use crate::rng::Stream;
use boards::Surface;
use cozy_chess::Board;
use photo::{Photographer, Slices};
use style::Style;

/// The version of this generator. Whatever changes a byte of a set needs the next one.
pub const GENERATOR: u32 = 1;

/// Side of a square's picture, in pixels.
pub const SQUARE: usize = 32;

/// Most positions of a set: 128,000 squares, 131 MB.
const MAX_POSITIONS: u32 = 2000;
/// Fewest positions, so that ten games can be divided.
const MIN_POSITIONS: u32 = 60;

/// What decides a set, byte by byte.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameters {
    /// Positions, in 60..=2000; rounded up to whole games of [`POSITIONS_PER_GAME`].
    pub positions: u32,
    /// How far camera, light, blur, noise, pieces and hands are from an ideal picture, in 0..=1.
    pub difficulty: f64,
    /// How much darker, noisier and lower seen the last game is than the first, in 0..=1.
    pub drift: f64,
    /// Two classes, empty and occupied, instead of thirteen.
    pub occupancy: bool,
    /// Seed of games and pictures.
    pub seed: u32,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            positions: 120,
            difficulty: 0.3,
            drift: 0.0,
            occupancy: false,
            seed: 1,
        }
    }
}

/// A kind of piece, in the order of the classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pawn,
    Knight,
    Bishop,
    Rook,
    Queen,
    King,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Pawn,
        Self::Knight,
        Self::Bishop,
        Self::Rook,
        Self::Queen,
        Self::King,
    ];

    /// Of a class of [`class_on`], and whether it is black; nothing for the empty one.
    fn of_class(class: u16) -> Option<(Self, bool)> {
        let index = usize::from(class).checked_sub(1)?;
        Some((*Self::ALL.get(index % 6)?, index >= 6))
    }
}

/// Names of the thirteen classes.
const CLASSES: [&str; 13] = [
    "empty",
    "white pawn",
    "white knight",
    "white bishop",
    "white rook",
    "white queen",
    "white king",
    "black pawn",
    "black knight",
    "black bishop",
    "black rook",
    "black queen",
    "black king",
];

/// The same piece of the other colour; a class of the occupancy task and the empty square are their own.
#[must_use]
pub const fn other_colour(class: u16, classes: usize) -> u16 {
    match class {
        0 => 0,
        _ if classes != CLASSES.len() => class,
        1..=6 => class + 6,
        _ => class - 6,
    }
}

impl Parameters {
    /// The parameters that a recipe names.
    ///
    /// # Errors
    /// [`Error::BadInput`] for another generator or task than there is.
    pub fn from_spec(spec: &DataSpec) -> Result<Self> {
        if spec.generator() != GENERATOR {
            return Err(Error::bad_input(
                "data.generator",
                GENERATOR.to_string(),
                spec.generator().to_string(),
            ));
        }
        Ok(Self {
            positions: spec.size(),
            difficulty: spec.difficulty(),
            drift: spec.drift(),
            occupancy: match spec.task() {
                "pieces" => false,
                "occupancy" => true,
                other => {
                    return Err(Error::bad_input("data.task", "pieces or occupancy", other));
                }
            },
            seed: spec.seed(),
        })
    }

    /// Games of the set.
    #[must_use]
    pub const fn games(&self) -> u32 {
        self.positions.div_ceil(POSITIONS_PER_GAME)
    }

    fn check(&self) -> Result<()> {
        if !(MIN_POSITIONS..=MAX_POSITIONS).contains(&self.positions) {
            return Err(Error::bad_input(
                "data.size",
                format!("{MIN_POSITIONS} to {MAX_POSITIONS} positions"),
                self.positions.to_string(),
            ));
        }
        for (path, value) in [
            ("data.difficulty", self.difficulty),
            ("data.drift", self.drift),
        ] {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::bad_input(
                    path,
                    "a number from 0 to 1",
                    value.to_string(),
                ));
            }
        }
        Ok(())
    }
}

/// The positions of a set, in the order of its rows: row `r` of the set is place `r % 64` of position `r / 64`.
#[must_use]
pub fn positions(parameters: &Parameters) -> Vec<Position> {
    (0..parameters.games())
        .flat_map(|game| games::positions(parameters.seed, game, POSITIONS_PER_GAME))
        .collect()
}

/// The position one half-move before the first that is shown of a game; no row shows it.
#[must_use]
pub fn before(parameters: &Parameters, game: u32) -> Board {
    games::before(parameters.seed, game, POSITIONS_PER_GAME)
}

/// Makes the set of these parameters: 64 rows of 1×32×32 for each position.
///
/// # Errors
/// [`Error::BadInput`] for a parameter out of its range, before anything is allocated.
pub fn generate(parameters: &Parameters) -> Result<Dataset> {
    let mut making = Making::new(parameters)?;
    while making.draw().is_some() {}
    Ok(making.done())
}

/// The set without its pictures, to plan by: labels name the classes in turn.
///
/// # Errors
/// As [`generate`].
pub fn outline(parameters: &Parameters) -> Result<Dataset> {
    parameters.check()?;
    let games = parameters.games();
    let of_game = POSITIONS_PER_GAME * 64;
    let classes = if parameters.occupancy {
        vec!["empty".into(), "occupied".into()]
    } else {
        CLASSES.map(String::from).to_vec()
    };
    let in_turn = (0..classes.len() as u16).cycle();
    Ok(Dataset {
        set: "chess".into(),
        title: "Squares of chess boards during live games, rendered".into(),
        attribution: "Made by Assay's own generator; legal moves by the crate cozy-chess".into(),
        licence: "MIT OR Apache-2.0".into(),
        labels: in_turn.take((games * of_game) as usize).collect(),
        classes,
        channels: 1,
        height: SQUARE as u32,
        width: SQUARE as u32,
        values: Values::Bytes {
            max: u8::MAX,
            values: Vec::new(),
        },
        groups: Some(Groups {
            name: "game".into(),
            of_row: (0..games * of_game).map(|row| row / of_game).collect(),
            reserved: (0..games)
                .filter(|game| style::is_reserved(*game, games))
                .collect(),
        }),
        expected: expected(parameters.occupancy),
        notes: Vec::new(),
        source: String::new(),
        edited: Edited::default(),
    })
}

/// A set on its way, game by game.
pub struct Making {
    parameters: Parameters,
    dataset: Dataset,
    pixels: Vec<u8>,
    slices: [Slices; pieces::SET_COUNT as usize],
    surfaces: [Surface; boards::BOARD_COUNT as usize],
    photographer: Photographer,
    positions: Vec<Position>,
    made: u32,
}

impl Making {
    /// Begins the set of these parameters.
    ///
    /// # Errors
    /// As [`generate`].
    pub fn new(parameters: &Parameters) -> Result<Self> {
        let mut dataset = outline(parameters)?;
        let pixels = Vec::with_capacity(dataset.labels.len() * SQUARE * SQUARE);
        dataset.labels.clear();
        Ok(Self {
            parameters: *parameters,
            dataset,
            pixels,
            slices: std::array::from_fn(|set| {
                Kind::ALL.map(|kind| pieces::slices(set as u32, kind))
            }),
            surfaces: std::array::from_fn(|board| Surface::new(board as u32, parameters.seed)),
            photographer: Photographer::new(),
            positions: Vec::new(),
            made: 0,
        })
    }

    /// Draws the next position; the share that is done, or nothing where all were.
    fn draw(&mut self) -> Option<f64> {
        let (parameters, games) = (&self.parameters, self.parameters.games());
        let (game, index) = (
            self.made / POSITIONS_PER_GAME,
            self.made % POSITIONS_PER_GAME,
        );
        if game >= games {
            return None;
        }
        if index == 0 {
            self.positions = games::positions(parameters.seed, game, POSITIONS_PER_GAME);
        }
        let style = Style::new(parameters, game, games);
        if let Some(position) = self.positions.get(index as usize) {
            let picture = u64::from(game) << 32 | u64::from(position.ply);
            self.photographer.take(
                position,
                &style,
                &self.surfaces[style.board as usize],
                &self.slices[style.pieces as usize],
                Stream::new(parameters.seed, "chess/1 picture", picture),
                &mut self.pixels,
            );
            for place in 0..64 {
                let class = class_on(&position.board, square_at(place));
                let label = if parameters.occupancy {
                    class.min(1)
                } else {
                    class
                };
                self.dataset.labels.push(label);
            }
        }
        self.made += 1;
        Some(f64::from(self.made) / f64::from(games * POSITIONS_PER_GAME))
    }

    fn done(mut self) -> Dataset {
        self.dataset.values = Values::Bytes {
            max: u8::MAX,
            values: self.pixels,
        };
        self.dataset
    }
}

impl super::Making for Making {
    fn step(&mut self) -> Result<Option<f64>> {
        Ok(self.draw())
    }
    fn finish(mut self: Box<Self>) -> Result<Dataset> {
        while self.draw().is_some() {}
        Ok(self.done())
    }
}

/// More than half of all squares are empty, and a queen stands on one of a hundred; within a game the same piece stands on
/// the same square in several pictures.
fn expected(occupancy: bool) -> Expected {
    Expected {
        smallest_share: if occupancy { 0.2 } else { 0.001 },
        largest_share: 0.9,
        repeats_in_group: true,
        nearly_repeats: true,
        doubted: 0.2,
        learnable: Some(true),
    }
}

#[cfg(test)]
mod tests;
