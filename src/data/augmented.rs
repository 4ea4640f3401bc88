//! Further training rows that follow from what is known of a set: chess squares in the other colours; nothing is drawn at
//! random, and no row that validates or tests is touched.
//!
//! A square is inverted over the whole range: white pieces become dark, black ones bright, and light squares dark. That is
//! exact in whole numbers and undoes itself. No curve of greys keeps pieces and boards at their own: black pieces are darker
//! than dark squares and white ones darker than light squares, so that it would have to rise where swapping has to fall;
//! docs/chess-knowledge.md has the greys.

use super::{Dataset, Split, Values, chess};
use crate::error::{Error, Result};

/// The set with a further row for each training row, behind its own rows and in the order of the training rows, and the
/// division in which both train; nothing for the augmentation `none`. The further rows have no group: checks see the set
/// without them.
///
/// # Errors
/// [`Error::Unsupported`] for another augmentation than `none` and `colours`, or for `colours` on another set than `chess`.
pub fn augmented(
    data: &Dataset,
    parts: &Split,
    augmentation: &str,
) -> Result<Option<(Dataset, Split)>> {
    if augmentation == "none" {
        return Ok(None);
    }
    if augmentation != "colours" || data.set != "chess" {
        return Err(Error::Unsupported {
            feature: format!("the augmentation {augmentation:?} of {:?}", data.set),
            why: "this version has none, and colours on chess".into(),
        });
    }
    let (mut data, mut parts) = (data.clone(), parts.clone());
    let own = data.rows();
    // An outline has no values, and then no place has any.
    let places: Vec<_> = parts.train.iter().map(|row| data.places(*row)).collect();
    match &mut data.values {
        Values::Bytes { max, values } => {
            let largest = *max;
            inverted(values, places, |value| largest.saturating_sub(value));
        }
        Values::Reals(values) => inverted(values, places, |value| f32::from(u8::MAX) - value),
    }
    for row in &parts.train {
        let class = data.labels[*row as usize];
        let other = chess::other_colour(class, data.classes.len());
        data.labels.push(other);
    }
    parts.train.extend(own..data.rows());
    Ok(Some((data, parts)))
}

/// Appends what stands at the places, each value changed.
fn inverted<T: Copy>(
    values: &mut Vec<T>,
    places: Vec<std::ops::Range<usize>>,
    change: impl Fn(T) -> T,
) {
    values.reserve_exact(places.iter().map(ExactSizeIterator::len).sum());
    for place in places {
        let start = values.len();
        values.extend_from_within(place);
        for value in &mut values[start..] {
            *value = change(*value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::checks::{self, Input};
    use crate::data::{from_spec, load, outline, split};
    use crate::recipe::{DataSpec, Recipe};

    fn chess(task: Option<&str>) -> (Dataset, Split) {
        let spec = DataSpec {
            size: Some(60),
            task: task.map(String::from),
            ..DataSpec::named("chess")
        };
        let data = from_spec(&spec).expect("in range");
        let recipe = Recipe::default_for("chess", "lenet");
        let parts = split(&data, &recipe.split, 1).expect("enough games");
        (data, parts)
    }

    fn colours(data: &Dataset, parts: &Split) -> (Dataset, Split) {
        (augmented(data, parts, "colours").expect("chess")).expect("rows")
    }

    #[test]
    fn each_training_row_gets_one_more_and_no_other_row_changes() {
        let (data, parts) = chess(None);
        let (more, longer) = colours(&data, &parts);
        let own = data.rows();
        assert_eq!(more.rows(), own + parts.train.len() as u32);
        assert_eq!(longer.train[..parts.train.len()], parts.train);
        assert_eq!(longer.train.len(), 2 * parts.train.len());
        assert_eq!(
            (&longer.validation, &longer.test),
            (&parts.validation, &parts.test)
        );
        for row in 0..own {
            assert_eq!(more.bytes(row), data.bytes(row));
        }
        assert_eq!(more.labels[..own as usize], data.labels);
    }

    #[test]
    fn twice_is_the_row_itself_and_the_labels_are_swapped() {
        let (data, parts) = chess(None);
        let (more, longer) = colours(&data, &parts);
        let (again, last) = colours(&more, &longer);
        let rows = parts.train.len();
        // Behind the set's rows come the inverted ones, and then both of them inverted.
        let twice = &last.train[3 * rows..];
        for ((row, once), twice) in parts.train.iter().zip(&longer.train[rows..]).zip(twice) {
            let label = |row: u32| again.labels[row as usize];
            assert_eq!(again.bytes(*twice), data.bytes(*row));
            assert_eq!(label(*twice), label(*row));
            let sums = (data.bytes(*row).iter().zip(more.bytes(*once)))
                .map(|(one, other)| u32::from(*one) + u32::from(*other));
            assert!(sums.into_iter().all(|sum| sum == 255));
            let names = [*row, *once].map(|row| data.classes[usize::from(label(row))].as_str());
            match names {
                ["empty", other] => assert_eq!(other, "empty"),
                [one, other] => {
                    let swapped = match one.split_once(' ') {
                        Some(("white", piece)) => format!("black {piece}"),
                        Some((_, piece)) => format!("white {piece}"),
                        None => panic!("{one}"),
                    };
                    assert_eq!(other, swapped);
                }
            }
        }
    }

    #[test]
    fn whether_a_square_is_occupied_stays_as_it_is() {
        let (data, parts) = chess(Some("occupancy"));
        let (more, longer) = colours(&data, &parts);
        let rows = parts.train.len();
        for (row, once) in parts.train.iter().zip(&longer.train[rows..]) {
            assert_eq!(more.labels[*row as usize], more.labels[*once as usize]);
        }
    }

    #[test]
    fn a_missing_value_stays_missing_and_others_are_inverted_alike() {
        let (mut data, parts) = chess(None);
        let (in_bytes, _) = colours(&data, &parts);
        let Values::Bytes { values, .. } = &data.values else {
            panic!("squares are whole numbers");
        };
        let mut reals: Vec<f32> = values.iter().map(|value| f32::from(*value)).collect();
        let gap = parts.train[3] as usize * data.row_len() + 5;
        reals[gap] = f32::NAN;
        data.values = Values::Reals(reals);
        let (more, longer) = colours(&data, &parts);
        let of_gap = longer.train[parts.train.len() + 3] as usize * data.row_len() + 5;
        for place in 0..more.values.len() {
            let (found, wanted) = (more.values.at(place), in_bytes.values.at(place));
            match [gap, of_gap].contains(&place) {
                true => assert!(found.is_nan()),
                false => assert_eq!(found, wanted),
            }
        }
    }

    #[test]
    fn an_outline_has_as_many_rows_and_checks_see_none_of_them() {
        let (data, parts) = chess(None);
        let (more, longer) = colours(&data, &parts);
        let spec = DataSpec {
            size: Some(60),
            ..DataSpec::named("chess")
        };
        let planned = outline(&spec).expect("in range");
        let (_, counted) = colours(&planned, &parts);
        assert_eq!(counted, longer);
        // A set that was augmented before its checks would be one of rows without a group.
        let found = checks::run(&Input::new(&more, &longer));
        let schema = found.findings.iter().find(|it| it.check == "schema");
        assert!(schema.is_some_and(|it| it.count > 0), "{schema:?}");
    }

    #[test]
    fn refuses_other_sets_and_words() {
        let (data, parts) = chess(None);
        let digits = load("digits").expect("built in");
        for (data, word) in [(&digits, "colours"), (&data, "mirrors")] {
            let message = augmented(data, &parts, word).expect_err("refused");
            assert!(
                message.to_string().contains("colours on chess"),
                "{message}"
            );
        }
        assert_eq!(augmented(&digits, &parts, "none"), Ok(None));
    }
}
