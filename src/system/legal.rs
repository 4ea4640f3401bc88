//! Reads boards by the rules of chess: the legal positions after the last one that fit a model's answers best; it sees no
//! picture. The rules are those of the crate `cozy-chess`.

use super::{CLASSES, PLACES, Reader, Rules};
use crate::data::chess::{self, Parameters, place_of};
use crate::error::{Error, Result};
use crate::order;
use crate::recipe::DataSpec;
use cozy_chess::{Board, Color, Piece};
use std::collections::BTreeMap;

/// The least that a log-probability counts, about one in a million: a square that a hand covers may be answered wrongly and
/// surely, and must not outweigh all others. What is no number counts as this.
const LEAST: f64 = -14.0;

/// A position that may be the one on the board.
#[derive(Debug, Clone)]
struct Belief {
    board: Board,
    /// Sum of the squares' log-probabilities over all pictures since the game began.
    score: f64,
}

/// The reading of one game.
#[derive(Debug, Clone)]
pub struct Legal {
    /// Best first, never empty.
    beliefs: Vec<Belief>,
    kept: usize,
    /// What was said of each place when it was looked at last; nothing at first, which favours no class.
    evidence: [[f64; CLASSES]; PLACES],
}

impl Legal {
    /// Begins at a known position and goes on with the `kept` best ones, at least one.
    #[must_use]
    pub fn new(start: Board, kept: u32) -> Self {
        Self {
            beliefs: vec![Belief {
                board: start,
                score: 0.0,
            }],
            kept: (kept as usize).max(1),
            evidence: [[0.0; CLASSES]; PLACES],
        }
    }

    /// The most likely position so far.
    #[must_use]
    pub fn board(&self) -> &Board {
        &self.beliefs[0].board
    }

    /// Takes up what a model says of some places, and goes on by one half-move: every legal position that follows one of
    /// those kept is scored by its own score so far and the log-probabilities of all its 64 squares, and the best are kept,
    /// of equals the first. Where the game is over in all that were kept, they stay.
    ///
    /// # Errors
    /// [`Error::BadInput`] where a place is above 63 or the lengths do not fit; nothing has changed then.
    pub fn step(&mut self, places: &[u8], log_probabilities: &[f32]) -> Result<()> {
        let highest = places.iter().copied().max().unwrap_or_default();
        if usize::from(highest) >= PLACES || log_probabilities.len() != places.len() * CLASSES {
            return Err(Error::bad_input(
                "squares to read",
                format!("places below {PLACES}, each with {CLASSES} numbers"),
                format!("{} numbers, places to {highest}", log_probabilities.len()),
            ));
        }
        for (place, said) in places.iter().zip(log_probabilities.chunks_exact(CLASSES)) {
            // The largest of a number and NaN is the number.
            self.evidence[usize::from(*place)] =
                std::array::from_fn(|class| f64::from(said[class]).max(LEAST));
        }
        let mut followers = Vec::new();
        for Belief { board, score } in &self.beliefs {
            board.generate_moves(|of_piece| {
                for one in of_piece {
                    let mut next = board.clone();
                    next.play_unchecked(one);
                    followers.push(Belief {
                        score: score + self.fit(&next),
                        board: next,
                    });
                }
                false
            });
        }
        order::sort_by(&mut followers, |one, other| {
            other.score.total_cmp(&one.score)
        });
        let mut best: Vec<Belief> = Vec::with_capacity(self.kept);
        for follower in followers {
            if best.len() == self.kept {
                break;
            }
            // Two orders of the same moves lead to one position.
            if !best
                .iter()
                .any(|it| it.board.same_position(&follower.board))
            {
                best.push(follower);
            }
        }
        if !best.is_empty() {
            self.beliefs = best;
        }
        Ok(())
    }

    /// The log-probabilities of all squares of a position, added up in the order of the places.
    fn fit(&self, board: &Board) -> f64 {
        let classes = placement(board);
        let said = self.evidence.iter().zip(classes);
        said.map(|(of_place, class)| of_place[usize::from(class)])
            .sum()
    }
}

/// The class at each place of a position.
fn placement(board: &Board) -> [u8; PLACES] {
    let mut classes = [0; PLACES];
    for color in [Color::White, Color::Black] {
        for piece in Piece::ALL {
            let class = 1 + piece as u8 + if color == Color::Black { 6 } else { 0 };
            for square in board.colored_pieces(color, piece) {
                classes[place_of(square)] = class;
            }
        }
    }
    classes
}

/// Knows the rules here and now.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalRules;

impl Rules for LocalRules {
    fn reader(&self, data: &DataSpec, kept: u32) -> Result<Box<dyn Reader>> {
        if data.set != "chess" {
            return Err(Error::bad_input("data.set", "chess", data.set.clone()));
        }
        let parameters = Parameters::from_spec(data)?;
        if parameters.occupancy {
            return Err(Error::bad_input("data.task", "pieces", "occupancy"));
        }
        Ok(Box::new(Games {
            parameters,
            kept,
            starts: BTreeMap::new(),
            game: None,
        }))
    }
}

/// Reads the games of a set, one after the other.
struct Games {
    parameters: Parameters,
    kept: u32,
    /// Where games began that were read before.
    starts: BTreeMap<u32, Board>,
    game: Option<Legal>,
}

impl Reader for Games {
    fn begin(&mut self, game: u32) -> Result<()> {
        if game >= self.parameters.games() {
            return Err(Error::bad_input(
                "game",
                format!("one of {}", self.parameters.games()),
                game.to_string(),
            ));
        }
        let start = self.starts.entry(game);
        let start = start.or_insert_with(|| chess::before(&self.parameters, game));
        self.game = Some(Legal::new(start.clone(), self.kept));
        Ok(())
    }

    fn read(&mut self, places: &[u8], log_probabilities: &[f32]) -> Result<Vec<u8>> {
        let Some(game) = &mut self.game else {
            return Err(Error::bad_input("game", "one that was begun", "none"));
        };
        game.step(places, log_probabilities)?;
        Ok(placement(game.board()).to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::chess::{POSITIONS_PER_GAME, class_on, square_at};
    use crate::rng::Stream;
    use proptest::prelude::*;

    const ALL: [u8; PLACES] = {
        let mut all = [0; PLACES];
        let mut place = 0;
        while place < PLACES {
            all[place] = place as u8;
            place += 1;
        }
        all
    };

    fn parameters() -> Parameters {
        Parameters {
            positions: 600,
            ..Parameters::default()
        }
    }

    /// What a model that is `sure` says of a position: the log-probability of the right class is −0, of others −`sure`.
    fn said(classes: &[u8; PLACES], sure: f32) -> Vec<f32> {
        let of_place = |class: &u8| {
            let mut said = [-sure; CLASSES];
            said[usize::from(*class)] = 0.0;
            said
        };
        classes.iter().flat_map(of_place).collect()
    }

    /// Log-probabilities with neither order nor sense.
    fn noise(random: &mut Stream, places: usize) -> Vec<f32> {
        (0..places * CLASSES)
            .map(|_| match random.below(40) {
                0 => f32::NAN,
                1 => f32::NEG_INFINITY,
                2 => f32::INFINITY,
                _ => -9.0 * random.unit(),
            })
            .collect()
    }

    #[test]
    fn a_placement_is_what_the_sets_labels_say() {
        for position in chess::positions(&parameters()).iter().step_by(7) {
            let classes = placement(&position.board);
            for (place, class) in classes.into_iter().enumerate() {
                let label = class_on(&position.board, square_at(place));
                assert_eq!(u16::from(class), label);
            }
        }
    }

    #[test]
    fn what_is_said_rightly_is_read_rightly() {
        let spec = DataSpec::named("chess");
        for kept in [1, 8] {
            let mut reader = LocalRules.reader(&spec, kept).expect("chess");
            let positions = chess::positions(&Parameters::default());
            for game in positions.chunks(POSITIONS_PER_GAME as usize) {
                reader.begin(game[0].game).expect("there");
                for position in game {
                    let classes = placement(&position.board);
                    let read = reader.read(&ALL, &said(&classes, 5.0)).expect("fits");
                    assert_eq!(read, classes);
                }
            }
        }
    }

    #[test]
    fn a_square_that_is_read_wrongly_is_put_right() {
        let mut game = Legal::new(Board::default(), 1);
        let mut after = Board::default();
        after.play("e2e4".parse().expect("a move"));
        let mut wrong = placement(&after);
        // The pawn on e4 is taken for a black queen, and a knight for nothing.
        (wrong[36], wrong[62]) = (11, 0);
        game.step(&ALL, &said(&wrong, 3.0)).expect("fits");
        assert_eq!(game.board(), &after);
    }

    #[test]
    fn squares_that_are_not_looked_at_keep_what_was_said_of_them() {
        let mut game = Legal::new(Board::default(), 4);
        let mut board = Board::default();
        for (number, step) in ["e2e4", "e7e5", "g1f3", "b8c6"].into_iter().enumerate() {
            let before = placement(&board);
            board.play(step.parse().expect("a move"));
            let after = placement(&board);
            let of_all = said(&after, 6.0);
            let looked: Vec<u8> = (ALL.into_iter())
                .filter(|place| {
                    number == 0 || before[usize::from(*place)] != after[usize::from(*place)]
                })
                .collect();
            let of_looked: Vec<f32> = looked
                .iter()
                .flat_map(|place| &of_all[usize::from(*place) * CLASSES..][..CLASSES])
                .copied()
                .collect();
            game.step(&looked, &of_looked).expect("fits");
            assert_eq!(game.board(), &board, "{step}");
            assert!(number == 0 || looked.len() == 2);
        }
    }

    #[test]
    fn a_second_position_that_was_kept_wins_when_the_picture_clears() {
        let (mut short, mut long) = (Board::default(), Board::default());
        short.play("e2e3".parse().expect("a move"));
        long.play("e2e4".parse().expect("a move"));
        let mut covered = said(&placement(&short), 6.0);
        // A hand is over e4, and the model takes what it sees for the pawn on e3.
        covered[36 * CLASSES..][..CLASSES].fill(-2.5);
        let mut next = long.clone();
        next.play("e7e5".parse().expect("a move"));
        let clear = said(&placement(&next), 6.0);
        let read = |kept| {
            let mut game = Legal::new(Board::default(), kept);
            game.step(&ALL, &covered).expect("fits");
            assert_eq!(game.board(), &short);
            // Seen twice, clearly.
            game.step(&ALL, &clear).expect("fits");
            game.board().clone()
        };
        assert_ne!(read(1), next);
        assert_eq!(read(8), next);
    }

    #[test]
    fn where_the_game_is_over_the_position_stays() {
        let mate: Board = "7k/6Q1/6K1/8/8/8/8/8 b - - 0 1"
            .parse()
            .expect("a position");
        let mut game = Legal::new(mate.clone(), 3);
        game.step(&ALL, &said(&placement(&Board::default()), 1.0))
            .expect("fits");
        assert_eq!(game.board(), &mate);
    }

    #[test]
    fn refuses_in_words_what_is_no_board() {
        let spec = |set| DataSpec::named(set);
        assert!(LocalRules.reader(&spec("digits"), 1).is_err());
        let mut occupancy = spec("chess");
        occupancy.task = Some("occupancy".into());
        assert!(LocalRules.reader(&occupancy, 1).is_err());
        let mut reader = LocalRules.reader(&spec("chess"), 1).expect("chess");
        assert!(reader.read(&[], &[]).is_err(), "no game was begun");
        assert!(reader.begin(20).is_err());
        reader.begin(19).expect("the last game");
        assert!(reader.read(&[64], &[0.0; CLASSES]).is_err());
        assert!(reader.read(&[3], &[0.0; 12]).is_err());
        assert!(reader.read(&[3], &[0.0; CLASSES]).is_ok());
    }

    proptest! {
        /// Whatever a model says, of however many squares, each position that is read follows by a legal move from one of
        /// those that were kept, and one that follows the last one by a legal move where one alone is kept.
        #[test]
        fn no_position_is_ever_illegal(seed in any::<u32>(), game in 0u32..100, kept in 1u32..12) {
            let mut random = Stream::new(seed, "test", 0);
            let mut reading = Legal::new(chess::before(&parameters(), game), kept);
            for _ in 0..POSITIONS_PER_GAME {
                let before: Vec<Board> = reading.beliefs.iter().map(|it| it.board.clone()).collect();
                let places: Vec<u8> = ALL.into_iter().filter(|_| random.below(3) > 0).collect();
                let said = noise(&mut random, places.len());
                reading.step(&places, &said).expect("fits");
                prop_assert!(!reading.beliefs.is_empty() && reading.beliefs.len() <= kept as usize);
                prop_assert!(reading.beliefs.windows(2).all(|pair| pair[0].score >= pair[1].score));
                let over = before.iter().all(|board| !board.generate_moves(|_| true));
                for belief in &reading.beliefs {
                    let follows = before.iter().any(|board| {
                        let mut found = over && board == &belief.board;
                        board.generate_moves(|of_piece| {
                            for one in of_piece {
                                let mut next = board.clone();
                                next.try_play(one).expect("legal");
                                found |= next == belief.board;
                            }
                            found
                        });
                        found
                    });
                    prop_assert!(follows);
                }
            }
        }
    }
}
