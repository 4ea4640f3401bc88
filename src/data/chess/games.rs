//! Legal games, played at random with a mild preference so that they look varied; nothing here draws, and nobody plays well.
//!
//! The rules are those of the crate `cozy-chess`. Each legal move has a weight: 4, and 8 more for a capture, 3 for a move
//! into the middle, 12 for castling, 12 for a promotion to a queen; moves of the king besides castling weigh 2. A move is
//! drawn with a probability proportional to its weight, so pieces are exchanged and endgames are reached.

use crate::rng::Stream;
use cozy_chess::{BitBoard, Board, Color, GameStatus, Move, Piece, Square};

/// Consecutive positions that a game contributes.
pub const POSITIONS_PER_GAME: u32 = 6;

/// Half-moves that are played before the first position that is shown: at least 4 and below 4 + this.
const OPENING_SPREAD: u32 = 76;

/// The middle: the files c to f of the ranks 3 to 6.
const MIDDLE: BitBoard = BitBoard(0x0000_3c3c_3c3c_0000);

/// One position of a game, and the move that led to it.
#[derive(Debug, Clone)]
pub struct Position {
    /// Number of the game in its set, from 0.
    pub game: u32,
    /// Half-moves played before it.
    pub ply: u32,
    /// The position itself.
    pub board: Board,
    /// The move that led to it.
    pub last: Move,
}

/// `count` consecutive positions of the game `game` under `seed`. A game that ends too early is played anew.
#[must_use]
pub(super) fn positions(seed: u32, game: u32, count: u32) -> Vec<Position> {
    played(seed, game, count).1
}

/// The position before the first of [`positions`], one half-move earlier; no picture shows it.
#[must_use]
pub(super) fn before(seed: u32, game: u32, count: u32) -> Board {
    played(seed, game, count).0
}

fn played(seed: u32, game: u32, count: u32) -> (Board, Vec<Position>) {
    let mut random = Stream::new(seed, "chess/1 game", u64::from(game));
    loop {
        let skipped = 4 + random.below(OPENING_SPREAD);
        let mut board = Board::default();
        let mut before = board.clone();
        let mut shown = Vec::with_capacity(count as usize);
        for ply in 1..=skipped + count {
            let Some(last) = chosen(&board, &mut random) else {
                break;
            };
            if ply == skipped + 1 {
                before.clone_from(&board);
            }
            board.play_unchecked(last);
            if ply > skipped {
                shown.push(Position {
                    game,
                    ply,
                    board: board.clone(),
                    last,
                });
            }
        }
        if shown.len() == count as usize {
            return (before, shown);
        }
    }
}

/// The next move, or nothing where the game is over.
fn chosen(board: &Board, random: &mut Stream) -> Option<Move> {
    if board.status() != GameStatus::Ongoing {
        return None;
    }
    let mut moves = Vec::with_capacity(48);
    let mut total = 0;
    board.generate_moves(|of_piece| {
        for one in of_piece {
            let weight = weight(board, of_piece.piece, one);
            total += weight;
            moves.push((one, weight));
        }
        false
    });
    let mut drawn = random.below(total);
    for (one, weight) in moves {
        if drawn < weight {
            return Some(one);
        }
        drawn -= weight;
    }
    None
}

fn weight(board: &Board, piece: Piece, one: Move) -> u32 {
    let own = board.colors(board.side_to_move()).has(one.to);
    // The crate writes castling as the king's move onto its own rook.
    if own {
        return 12;
    }
    let mut weight = if piece == Piece::King { 2 } else { 4 };
    if board.occupied().has(one.to) {
        weight += 8;
    }
    if MIDDLE.has(one.to) {
        weight += 3;
    }
    if one.promotion == Some(Piece::Queen) {
        weight += 12;
    }
    weight
}

/// The class of a square's content: 0 is empty, 1 to 6 a white pawn, knight, bishop, rook, queen or king, 7 to 12 a black
/// one.
#[must_use]
pub fn class_on(board: &Board, square: Square) -> u16 {
    let Some(piece) = board.piece_on(square) else {
        return 0;
    };
    let black = board.color_on(square) == Some(Color::Black);
    1 + piece as u16 + if black { 6 } else { 0 }
}

/// The square at a place of the picture: 0 is a8, at the top left, 7 is h8, and 63 is h1.
#[must_use]
pub fn square_at(place: usize) -> Square {
    // The crate counts from a1 along the ranks.
    Square::index((7 - place / 8 % 8) * 8 + place % 8)
}

/// The place of a square in the picture; the inverse of [`square_at`].
#[must_use]
pub const fn place_of(square: Square) -> usize {
    (7 - square.rank() as usize) * 8 + square.file() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_position_follows_from_the_one_before_by_a_legal_move() {
        for game in 0..40 {
            let shown = positions(1, game, POSITIONS_PER_GAME);
            assert_eq!(shown.len(), POSITIONS_PER_GAME as usize);
            let mut first = before(1, game, POSITIONS_PER_GAME);
            first.try_play(shown[0].last).expect("legal");
            assert_eq!(first, shown[0].board);
            for pair in shown.windows(2) {
                let mut before = pair[0].board.clone();
                before.try_play(pair[1].last).expect("legal");
                assert_eq!(before, pair[1].board);
                assert_eq!(pair[0].ply + 1, pair[1].ply);
            }
        }
    }

    #[test]
    fn games_repeat_by_seed_and_differ_by_seed_and_number() {
        let of = |seed, game| positions(seed, game, 3)[2].board.to_string();
        assert_eq!(of(1, 0), of(1, 0));
        let many: BTreeSet<String> = (0..20)
            .flat_map(|game| [of(1, game), of(2, game)])
            .collect();
        assert!(many.len() >= 39, "{} of 40", many.len());
    }

    #[test]
    fn openings_and_endgames_are_both_shown() {
        let pieces: Vec<u32> = (0..200)
            .map(|game| positions(1, game, 1)[0].board.occupied().len())
            .collect();
        assert!(pieces.iter().filter(|count| **count >= 30).count() >= 20);
        assert!(pieces.iter().filter(|count| **count <= 16).count() >= 20);
    }

    #[test]
    fn places_run_from_a8_to_h1() {
        assert_eq!(square_at(0), Square::A8);
        assert_eq!(square_at(7), Square::H8);
        assert_eq!(square_at(63), Square::H1);
        for place in 0..64 {
            assert_eq!(place_of(square_at(place)), place);
        }
        let start = Board::default();
        let row = |rank: usize| -> Vec<u16> {
            (0..8)
                .map(|file| class_on(&start, square_at(rank * 8 + file)))
                .collect()
        };
        assert_eq!(row(0), [10, 8, 9, 11, 12, 9, 8, 10]);
        assert_eq!(row(1), [7; 8]);
        assert_eq!(row(4), [0; 8]);
        assert_eq!(row(6), [1; 8]);
        assert_eq!(row(7), [4, 2, 3, 5, 6, 3, 2, 4]);
    }
}
