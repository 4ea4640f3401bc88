//! Which squares of a board look otherwise than in the picture before; what stands on them is not asked.

use super::PLACES;
use crate::data::Dataset;
use crate::order;

/// The places, ascending, whose pictures differ from the last one's by more than `threshold` times as much as the median
/// place does. A difference is the mean of the absolute differences of all values.
///
/// `last` and `this` are the first rows of both pictures, each of 64 rows in the order of the places. The camera's noise
/// differs everywhere by the same amount, and a move changes few of the 64 squares, so the median is noise alone. A threshold
/// of 0 names every place, and so does a difference that is no number.
#[must_use]
pub fn changed(dataset: &Dataset, last: u32, this: u32, threshold: f64) -> Vec<u8> {
    let len = dataset.row_len();
    let value = |row: u32, at: usize| dataset.values.at(row as usize * len + at);
    let difference = |place: u32| -> f64 {
        let of_values =
            (0..len).map(|at| (value(this + place, at) - value(last + place, at)).abs());
        f64::from(of_values.sum::<f32>()) / len.max(1) as f64
    };
    let differences: Vec<f64> = (0..PLACES as u32).map(difference).collect();
    let mut ascending = differences.clone();
    order::sort_by(&mut ascending, f64::total_cmp);
    let limit = threshold * ascending[PLACES / 2];
    let stays = |difference: f64| threshold > 0.0 && difference <= limit;
    (0u8..)
        .zip(differences)
        .filter(|(_, difference)| !stays(*difference))
        .map(|(place, _)| place)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::chess::{self, Parameters};
    use crate::data::{Values, chess::SQUARE};

    fn set(difficulty: f64) -> Dataset {
        let parameters = Parameters {
            positions: 60,
            difficulty,
            ..Parameters::default()
        };
        chess::generate(&parameters).expect("in range")
    }

    /// Squares whose content changed but that were not named, and squares named, over all pictures but each game's first.
    fn missed_and_named(set: &Dataset, threshold: f64) -> (usize, usize, usize) {
        let (mut missed, mut named, mut pictures) = (0, 0, 0);
        for picture in (1..set.rows() / 64).filter(|it| it % chess::POSITIONS_PER_GAME != 0) {
            let (last, this) = (picture * 64 - 64, picture * 64);
            let found = changed(set, last, this, threshold);
            let label = |row: u32| set.labels[row as usize];
            missed += (0..64u8)
                .filter(|place| label(last + u32::from(*place)) != label(this + u32::from(*place)))
                .filter(|place| !found.contains(place))
                .count();
            named += found.len();
            pictures += 1;
        }
        (missed, named, pictures)
    }

    #[test]
    fn the_default_threshold_misses_no_move_and_names_few_squares() {
        for difficulty in [0.0, 0.3, 1.0] {
            let (missed, named, pictures) = missed_and_named(&set(difficulty), 1.5);
            println!("difficulty {difficulty}: {named} squares in {pictures} pictures");
            assert_eq!(missed, 0, "{difficulty}");
            assert!(
                named >= 2 * pictures && named < 10 * pictures,
                "{named} of {pictures}"
            );
        }
    }

    #[test]
    fn a_higher_threshold_names_fewer_and_misses_moves() {
        let hard = set(1.0);
        let (missed, named, _) = missed_and_named(&hard, 5.0);
        assert!(missed > 0 && named < missed_and_named(&hard, 1.5).1);
    }

    #[test]
    fn nothing_and_no_numbers_are_looked_at_everywhere() {
        let mut set = set(0.0);
        assert_eq!(changed(&set, 0, 64, 0.0), (0..64).collect::<Vec<u8>>());
        // A picture beside itself has no change, and noise of nothing.
        assert!(changed(&set, 0, 0, 1.5).is_empty());
        set.values = Values::Reals(vec![f32::NAN; set.labels.len() * SQUARE * SQUARE]);
        assert_eq!(changed(&set, 0, 64, 1.5).len(), 64);
    }
}
