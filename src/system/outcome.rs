//! Counts squares, boards and games that were read rightly, in two ways; it reads none and times nothing.

use super::PLACES;
use crate::digest::predictions_digest;
use crate::error::{Error, Result};
use crate::result::{Accuracy, Boards, Predictions, Reading, reading};
use crate::stats::{wilson, wilson_of_groups};

/// What was read of the test boards by a rule, in the order of the test rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The class of each test row.
    pub classes: Vec<u16>,
    /// Squares that the model was asked for.
    pub looked_at: u64,
}

/// Compares what was read by a rule with the answers for single squares, over games of `boards` boards each. `macs` are the
/// model's for one square; intervals have the given `confidence`. Latencies are absent.
///
/// # Errors
/// [`Error::BadInput`] where the answers are not those of whole games.
pub fn outcome(
    answers: &Predictions,
    read: &Read,
    boards: usize,
    macs: u64,
    confidence: f64,
) -> Result<Reading> {
    let rows = answers.rows.len();
    let of_game = boards * PLACES;
    if rows == 0
        || of_game == 0
        || !rows.is_multiple_of(of_game)
        || [&answers.labels, &answers.predicted, &read.classes]
            .iter()
            .any(|it| it.len() != rows)
    {
        return Err(Error::bad_input(
            "boards to count",
            format!("whole games of {boards} boards"),
            format!("{rows} squares"),
        ));
    }
    let right = |classes: &[u16]| -> Vec<u32> {
        let pairs = classes.chunks(PLACES).zip(answers.labels.chunks(PLACES));
        pairs
            .map(|(read, label)| read.iter().zip(label).filter(|(a, b)| a == b).count() as u32)
            .collect()
    };
    let (without, with) = (right(&answers.predicted), right(&read.classes));
    let whole = |squares: u32| squares as usize == PLACES;
    let differing = |one: &[u32], other: &[u32]| {
        let pairs = one.iter().zip(other);
        pairs
            .filter(|(one, other)| !whole(**one) && whole(**other))
            .count() as u32
    };
    let counted = |of_board: &[u32], looked_at: u64| {
        let games = of_board.chunks(boards);
        let whole_of = |game: &[u32]| game.iter().filter(|it| whole(**it)).count() as u32;
        let squares: Vec<(u32, u32)> = (games.clone())
            .map(|game| (game.iter().sum(), of_game as u32))
            .collect();
        let in_game: Vec<(u32, u32)> = (games.clone())
            .map(|game| (whole_of(game), boards as u32))
            .collect();
        let all = in_game.iter().filter(|(right, all)| right == all).count() as u32;
        let squares = share(&squares, confidence);
        Boards {
            squares,
            boards: share(&in_game, confidence),
            games: {
                let total = in_game.len() as u32;
                let (low, high) = wilson(all, total, confidence);
                Accuracy {
                    correct: all,
                    total,
                    low,
                    high,
                    confidence,
                }
            },
            independent_boards: libm::pow(squares.value(), PLACES as f64),
            independent_games: libm::pow(squares.value(), of_game as f64),
            looked_at,
            macs: looked_at * macs,
            latency: None,
        }
    };
    Ok(Reading {
        repaired: differing(&without, &with),
        spoiled: differing(&with, &without),
        without: counted(&without, rows as u64),
        with: counted(&with, read.looked_at),
        positions: read.classes.chunks(PLACES).map(reading::written).collect(),
        digest: predictions_digest(&answers.rows, &read.classes),
    })
}

/// The share of right answers of all groups, with the interval of [`wilson_of_groups`].
fn share(groups: &[(u32, u32)], confidence: f64) -> Accuracy {
    let (low, high) = wilson_of_groups(groups, confidence);
    Accuracy {
        correct: groups.iter().map(|(correct, _)| correct).sum(),
        total: groups.iter().map(|(_, total)| total).sum(),
        low,
        high,
        confidence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers on two games of two boards: `wrong` are the rows that are answered otherwise than labelled.
    fn answers(wrong: &[usize]) -> Predictions {
        let labels: Vec<u16> = (0..256).map(|row| row % 13).collect();
        let mut predicted = labels.clone();
        for row in wrong {
            predicted[*row] = (predicted[*row] + 1) % 13;
        }
        Predictions {
            rows: (1000..1256).collect(),
            labels,
            predicted,
            confidence: vec![1.0; 256],
        }
    }

    fn counted(without: &[usize], with: &[usize]) -> Reading {
        let read = Read {
            classes: answers(with).predicted,
            looked_at: 140,
        };
        outcome(&answers(without), &read, 2, 1000, 0.95).expect("whole games")
    }

    #[test]
    fn squares_boards_and_games_are_counted_in_both_ways() {
        let found = counted(&[3, 5, 200], &[70]);
        let numbers =
            |it: &Boards| [it.squares, it.boards, it.games].map(|it| (it.correct, it.total));
        assert_eq!(numbers(&found.without), [(253, 256), (2, 4), (0, 2)]);
        assert_eq!(numbers(&found.with), [(255, 256), (3, 4), (1, 2)]);
        assert_eq!((found.repaired, found.spoiled), (2, 1));
        assert_eq!(
            (found.without.looked_at, found.without.macs),
            (256, 256_000)
        );
        assert_eq!((found.with.looked_at, found.with.macs), (140, 140_000));
        assert_eq!(found.positions.len(), 4);
        assert_eq!(
            found.with.boards.low,
            wilson_of_groups(&[(1, 2), (2, 2)], 0.95).0
        );
        assert_eq!(found.with.games.high, wilson(1, 2, 0.95).1);
    }

    #[test]
    fn two_percent_of_independent_errors_leave_a_quarter_of_the_boards() {
        let all = Read {
            classes: vec![0; 6400],
            looked_at: 0,
        };
        let answers = Predictions {
            rows: (0..6400).collect(),
            labels: vec![0; 6400],
            predicted: (0..6400).map(|row| u16::from(row % 50 == 0)).collect(),
            confidence: vec![1.0; 6400],
        };
        let found = outcome(&answers, &all, 10, 1, 0.95).expect("whole games");
        assert_eq!(found.without.squares.value(), 0.98);
        assert!((found.without.independent_boards - 0.274).abs() < 1e-3);
        assert!(found.without.independent_games < 1e-5);
        assert_eq!(found.with.independent_games, 1.0);
    }

    #[test]
    fn one_square_read_otherwise_changes_the_digest_and_parts_of_games_are_refused() {
        assert_eq!(counted(&[1], &[70]).digest, counted(&[2], &[70]).digest);
        assert_ne!(counted(&[1], &[70]).digest, counted(&[1], &[71]).digest);
        let read = Read {
            classes: answers(&[]).predicted,
            looked_at: 0,
        };
        assert!(outcome(&answers(&[]), &read, 3, 1, 0.95).is_err());
        let short = Read {
            classes: vec![0; 128],
            looked_at: 0,
        };
        assert!(outcome(&answers(&[]), &short, 2, 1, 0.95).is_err());
    }
}
