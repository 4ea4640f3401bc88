//! How a game looks: its pieces, board, camera and light, drawn from the game's own random stream; it draws no picture.

use super::camera::{Camera, Turn};
use super::photo::SIDE;
use super::{Parameters, boards, pieces};
use crate::rng::Stream;

/// Of so many games the last one is shown with the pieces and the board that training never sees.
pub(super) const RESERVED_EVERY: u32 = 10;

/// How a game looks.
#[derive(Debug, Clone)]
pub(super) struct Style {
    /// Which set of pieces.
    pub(super) pieces: u32,
    /// Which board.
    pub(super) board: u32,
    pub(super) camera: Camera,
    /// Grey of white and of black pieces, of the table and of a hand.
    pub(super) white: f32,
    pub(super) black: f32,
    pub(super) table: f32,
    pub(super) hand: f32,
    /// How bright the middle of the picture is, and by how much this grows to the right and to the bottom edge.
    pub(super) light: f32,
    pub(super) gradient: (f32, f32),
    /// Towards the light, over the board; the length is 1.
    pub(super) towards_light: (f32, f32),
    /// Length of the shadow of something one square high, and how much light it takes.
    pub(super) shadow: (f32, f32),
    /// How often the picture is blurred by the weights 1, 2, 1.
    pub(super) blurs: u32,
    /// Deviation of the sensor's noise, in grey levels of 255.
    pub(super) noise: f32,
    /// How far the squares are cut beside where they are: shift, and stretch around the middle.
    pub(super) miscut: [f32; 4],
    /// Share of the positions in which a hand is over the board.
    pub(super) hands: f32,
    /// How each place's piece stands.
    pub(super) stands: Vec<Stand>,
}

/// How a piece stands on its place: beside the middle by so much, and looking where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stand {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) looks: Turn,
}

/// Whether a game of a set of `games` only tests: one of every ten, the last ones.
pub(super) const fn is_reserved(game: u32, games: u32) -> bool {
    game >= games - games.div_ceil(RESERVED_EVERY)
}

impl Style {
    /// Of game `game` among `games`.
    pub(super) fn new(parameters: &Parameters, game: u32, games: u32) -> Self {
        let mut random = Stream::new(parameters.seed, "chess/1 style", u64::from(game));
        let hard = parameters.difficulty as f32;
        // From 0 in the first game to the whole drift in the last.
        let late = parameters.drift as f32 * game as f32 / games.saturating_sub(1).max(1) as f32;
        let mut between = |from: f32, to: f32| from + (to - from) * random.unit();
        let tilt = 0.22 + between(0.2, 0.5) * hard + 0.2 * late;
        let turn = between(-0.12, 0.12) * hard;
        let scale = between(30.0, 33.0);
        let middle = SIDE as f32 / 2.0;
        let middle = (
            middle + between(-6.0, 6.0) * hard,
            middle + between(-4.0, 8.0) * hard + 6.0 * late,
        );
        let camera = Camera::new(between(13.0, 20.0), scale, tilt, turn, middle);
        let light_from = Turn::by(between(0.0, core::f32::consts::TAU));
        let gradient = Turn::by(between(0.0, core::f32::consts::TAU));
        let slope = between(0.1, 0.6) * hard;
        let light = (1.0 - between(0.0, 0.3) * hard) * (1.0 - 0.5 * late);
        let white = between(0.78, 0.95);
        let black = between(0.10, 0.22);
        let table = between(0.2, 0.7);
        let hand = between(0.35, 0.75);
        let shadow = (
            0.25 + between(0.2, 1.0) * hard,
            0.15 + between(0.1, 0.5) * hard,
        );
        let blurs = 1 + (between(0.0, 2.5) * hard + 2.0 * late) as u32;
        let noise = 1.0 + between(2.0, 7.0) * hard + 4.0 * late;
        let miscut = [0.12, 0.12, 0.02, 0.02].map(|reach| between(-reach, reach) * hard);
        let stands = (0..64)
            .map(|_| {
                let (x, y) = (between(-0.2, 0.2) * hard, between(-0.2, 0.2) * hard);
                let half_turns = if between(0.0, 1.0) < 0.5 { 0.0 } else { 1.0 };
                let looks = between(-1.2, 1.2) * hard + half_turns * core::f32::consts::PI;
                Stand {
                    x,
                    y,
                    looks: Turn::by(looks),
                }
            })
            .collect();
        let (pieces, board) = if is_reserved(game, games) {
            (pieces::SET_COUNT - 1, boards::BOARD_COUNT - 1)
        } else {
            (
                random.below(pieces::SET_COUNT - 1),
                random.below(boards::BOARD_COUNT - 1),
            )
        };
        Self {
            pieces,
            board,
            camera,
            white,
            black,
            table,
            hand,
            light,
            gradient: (slope * gradient.cos, slope * gradient.sin),
            towards_light: (light_from.cos, light_from.sin),
            shadow,
            blurs,
            noise,
            miscut,
            hands: 0.4 * hard,
            stands,
        }
    }
}
