//! What surrounds a model: rules over its answers, and what they are worth; no model is run or trained here.

mod changes;
mod legal;
mod outcome;

pub use changes::changed;
pub use legal::{Legal, LocalRules};
pub use outcome::{Read, outcome};

use crate::error::Result;
use crate::recipe::DataSpec;

/// Squares of a board.
pub const PLACES: usize = 64;
/// Classes of a square: empty, six white pieces, six black ones; see [`crate::data::chess::class_on`].
pub const CLASSES: usize = 13;

/// Reads the boards of a set by the rules of the game, picture by picture, from what a model says of single squares.
pub trait Reader {
    /// Begins a game, counted from 0 in the set. The position one half-move before its first picture is known, as to a
    /// broadcast that was there when play began.
    ///
    /// # Errors
    /// What keeps the rules from being asked, in words.
    fn begin(&mut self, game: u32) -> Result<()>;

    /// The position after one more half-move: the class at each of the 64 places.
    ///
    /// `log_probabilities` holds 13 numbers for each of `places`, the squares that were looked at; all others are taken to
    /// look as they did when they were looked at last.
    ///
    /// # Errors
    /// [`crate::error::Error::BadInput`] where a place is above 63, the lengths do not fit, or no game was begun.
    fn read(&mut self, places: &[u8], log_probabilities: &[f32]) -> Result<Vec<u8>>;
}

/// Who knows the rules of a set's game.
pub trait Rules {
    /// A reader of the boards of a recipe's set that goes on with the `kept` best positions, at least one.
    ///
    /// # Errors
    /// [`crate::error::Error::BadInput`] where the set has no boards, or a parameter is out of its range.
    fn reader(&self, data: &DataSpec, kept: u32) -> Result<Box<dyn Reader>>;
}
