//! What the squares of `chess` are, and that every parameter changes them; digests are held in `tests/cases`.

use super::*;
use crate::data::split;
use crate::recipe::Recipe;

fn small() -> Parameters {
    Parameters {
        positions: 60,
        ..Parameters::default()
    }
}

#[test]
fn rows_are_the_squares_of_legal_positions_in_order() {
    let data = generate(&small()).expect("in range");
    assert_eq!(data.shape(), [1, 32, 32]);
    assert_eq!(data.rows(), 60 * 64);
    assert_eq!(data.values.len(), 60 * 64 * 1024);
    let groups = data.groups.as_ref().expect("games");
    for (index, position) in positions(&small()).iter().enumerate() {
        for place in 0..64 {
            let row = index * 64 + place;
            assert_eq!(
                data.labels[row],
                class_on(&position.board, square_at(place))
            );
            assert_eq!(groups.of_row[row], position.game);
        }
    }
}

#[test]
fn each_parameter_changes_the_set_and_nothing_else_does() {
    let digest = |parameters: Parameters| generate(&parameters).expect("in range").digest();
    let base = digest(small());
    assert_eq!(digest(small()), base);
    let changes = [
        Parameters {
            positions: 66,
            ..small()
        },
        Parameters {
            difficulty: 0.31,
            ..small()
        },
        Parameters {
            drift: 0.5,
            ..small()
        },
        Parameters {
            occupancy: true,
            ..small()
        },
        Parameters { seed: 2, ..small() },
    ];
    for changed in changes {
        assert_ne!(digest(changed), base, "{changed:?}");
    }
}

#[test]
fn the_occupancy_task_asks_another_question_of_the_same_pictures() {
    let pieces = generate(&small()).expect("in range");
    let occupied = generate(&Parameters {
        occupancy: true,
        ..small()
    })
    .expect("in range");
    assert_eq!(pieces.values, occupied.values);
    for (piece, occupied) in pieces.labels.iter().zip(&occupied.labels) {
        assert_eq!(*occupied, (*piece).min(1));
    }
}

#[test]
fn training_never_sees_the_pieces_and_the_board_that_are_held_out() {
    let parameters = Parameters {
        positions: 240,
        ..Parameters::default()
    };
    let data = generate(&parameters).expect("in range");
    let groups = data.groups.as_ref().expect("games");
    assert_eq!(groups.reserved, [36, 37, 38, 39]);
    let held = |game: u32| {
        let style = Style::new(&parameters, game, parameters.games());
        (
            style.pieces == pieces::SET_COUNT - 1,
            style.board == boards::BOARD_COUNT - 1,
        )
    };
    for game in 0..parameters.games() {
        let reserved = groups.reserved.contains(&game);
        assert_eq!(held(game), (reserved, reserved), "game {game}");
    }
    let recipe = Recipe::default_for("chess", "lenet");
    let parts = split(&data, &recipe.split, 1).expect("enough games");
    for row in parts.train.iter().chain(&parts.validation) {
        assert!(groups.of_row[*row as usize] < 36);
    }
    // Both kinds of pieces and of boards that are left are trained with.
    for of in [|style: &Style| style.pieces, |style: &Style| style.board] {
        let seen: Vec<u32> = (0..36)
            .map(|game| of(&Style::new(&parameters, game, 40)))
            .collect();
        assert!(seen.contains(&0) && seen.contains(&1));
    }
}

#[test]
fn an_occupied_square_looks_different_from_an_empty_one() {
    let parameters = Parameters {
        difficulty: 0.0,
        ..small()
    };
    let data = generate(&parameters).expect("in range");
    // Brightness around the middle, by piece colour, on the light squares.
    let mut sums = [(0.0, 0); 3];
    for row in 0..data.rows() {
        let place = row % 64;
        if !(place / 8 + place % 8).is_multiple_of(2) {
            continue;
        }
        let pixels = data.bytes(row);
        let middle: u32 = (12..20)
            .flat_map(|y| (12..20).map(move |x| y * SQUARE + x))
            .map(|pixel| u32::from(pixels[pixel]))
            .sum();
        let colour = usize::from(data.labels[row as usize]).div_ceil(6);
        sums[colour].0 += f64::from(middle) / 64.0;
        sums[colour].1 += 1;
    }
    let [empty, white, black] = sums.map(|(sum, count)| sum / f64::from(count));
    assert!(
        black < empty - 60.0 && black < white - 60.0,
        "{empty} {white} {black}"
    );
}

#[test]
fn drift_makes_late_games_darker_and_leaves_the_first_alone() {
    let mean = |drift: f64, game: u32| {
        let data = generate(&Parameters { drift, ..small() }).expect("in range");
        let rows = game * 384..(game + 1) * 384;
        let sum: u64 = rows
            .flat_map(|row| {
                data.bytes(row)
                    .iter()
                    .map(|value| u64::from(*value))
                    .collect::<Vec<_>>()
            })
            .sum();
        sum as f64 / (384.0 * 1024.0)
    };
    assert_eq!(mean(0.0, 0), mean(1.0, 0));
    let (before, after) = (mean(0.0, 9), mean(1.0, 9));
    assert!(after < 0.7 * before, "{before} {after}");
}

#[test]
fn refuses_parameters_out_of_range_in_words() {
    for (parameters, named) in [
        (
            Parameters {
                positions: 59,
                ..small()
            },
            "data.size",
        ),
        (
            Parameters {
                positions: u32::MAX,
                ..small()
            },
            "data.size",
        ),
        (
            Parameters {
                difficulty: 1.1,
                ..small()
            },
            "data.difficulty",
        ),
        (
            Parameters {
                drift: f64::NAN,
                ..small()
            },
            "data.drift",
        ),
    ] {
        let message = generate(&parameters).expect_err("out of range").to_string();
        assert!(message.starts_with(named), "{message}");
    }
    for (task, generator) in [(Some("colours"), None), (None, Some(2))] {
        let spec = DataSpec {
            task: task.map(String::from),
            generator,
            ..DataSpec::named("chess")
        };
        assert!(Parameters::from_spec(&spec).is_err());
    }
    assert_eq!(
        Parameters::from_spec(&DataSpec::named("chess")),
        Ok(Parameters::default())
    );
}
