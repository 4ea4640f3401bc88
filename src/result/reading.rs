//! How often whole boards and games are read rightly, square by square and by the rules of the game, over the same weights.

use super::{Accuracy, Latency};
use serde::Serialize;

/// The boards of the test games, read in two ways.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reading {
    /// Each square by itself: the answers of the record.
    pub without: Boards,
    /// By the rule that the recipe asks for.
    pub with: Boards,
    /// Boards that are wrong without the rule and right with it.
    pub repaired: u32,
    /// Boards that are right without the rule and wrong with it.
    pub spoiled: u32,
    /// The position read by the rule of each test board, in the order of the test rows: a letter for each of the 64 squares
    /// from a8 to h1, as in [`LETTERS`].
    pub positions: Vec<String>,
    /// [`crate::digest::predictions_digest`] of the test rows and these positions.
    pub digest: String,
}

/// What stands for the classes of a square in a position: a dot for an empty one, capitals for white.
pub const LETTERS: &[u8; 13] = b".PNBRQKpnbrqk";

/// How well boards were read in one way, and what it took.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Boards {
    /// Squares read rightly; its interval knows that those of a game are alike.
    pub squares: Accuracy,
    /// Boards of which all 64 squares are right; its interval likewise.
    pub boards: Accuracy,
    /// Games of which all boards are right.
    pub games: Accuracy,
    /// The share of boards that would be right if squares were wrong independently of each other: the share of squares to
    /// the power of 64.
    pub independent_boards: f64,
    /// The same of games.
    pub independent_games: f64,
    /// Squares that the model was asked for, over all boards.
    pub looked_at: u64,
    /// Multiply-accumulates of the model for them.
    pub macs: u64,
    /// Time of one board; absent where the recipe measures none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
}

/// The classes of a position as it is written; nothing where it is no position of 64 letters.
#[must_use]
pub fn classes_of(position: &str) -> Option<Vec<u16>> {
    let class = |letter: u8| LETTERS.iter().position(|it| *it == letter);
    let classes = position
        .bytes()
        .map(|letter| class(letter).map(|it| it as u16));
    classes
        .collect::<Option<Vec<u16>>>()
        .filter(|it| it.len() == 64)
}

/// A position as it is written, from its classes.
#[must_use]
pub fn written(classes: &[u16]) -> String {
    let letter = |class: &u16| LETTERS.get(usize::from(*class)).copied().unwrap_or(b'?');
    classes
        .iter()
        .map(|class| char::from(letter(class)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_written_and_read_back() {
        let classes: Vec<u16> = (0..64).map(|place| place % 13).collect();
        let position = written(&classes);
        assert!(position.starts_with(".PNBRQKpnbrqk.P"));
        assert_eq!(classes_of(&position), Some(classes));
        for wrong in ["", &position[1..], &position.replace('k', "x")] {
            assert_eq!(classes_of(wrong), None);
        }
    }
}
