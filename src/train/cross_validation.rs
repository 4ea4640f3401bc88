//! Answers of models that did not learn from the rows they answer, as the check of labels needs them; it judges no label.

use super::{Step, Trainer};
use crate::data::{Groups, Rows, Split};
use crate::engine::{Engine, Parameters};
use crate::error::{Error, Result};
use crate::eval;
use crate::model::Plan;
use crate::order;
use crate::recipe::Recipe;
use crate::rng::Stream;

/// Rows that are answered at once.
const BATCH: usize = 64;

/// Probabilities of the classes for each of `rows`, class by class: the rows are divided into `folds`, whole groups together
/// where there are groups, and each fold is answered by a model of the recipe that trained on the others. `validation` rows
/// choose the epochs.
///
/// `data` must be loaded into the engine. `turn` is told the share that is done after each step, and ends the work by failing.
///
/// # Errors
/// [`Error::BadInput`] for fewer than two folds or fewer rows or groups than folds; else as [`Trainer::new`],
/// [`Trainer::step`] and `turn`.
#[expect(
    clippy::too_many_arguments,
    reason = "what a training needs, and how the rows are divided"
)]
pub async fn probabilities<E: Engine>(
    engine: &E,
    plan: &Plan,
    recipe: &Recipe,
    data: &Rows,
    groups: Option<&Groups>,
    (rows, validation): (&[u32], &[u32]),
    folds: u32,
    turn: impl AsyncFn(f64) -> Result<()>,
) -> Result<Vec<f32>> {
    let fold_of = divided(rows, groups, recipe.seed, folds)?;
    let mut answers: Vec<Vec<f32>> = vec![Vec::new(); rows.len()];
    for fold in 0..folds {
        let of_fold = |inside: bool| {
            let places = (0..rows.len()).filter(|at| (fold_of[*at] == fold) == inside);
            places.collect::<Vec<usize>>()
        };
        let (asked, learned) = (of_fold(true), of_fold(false));
        let split = Split {
            train: learned.iter().map(|at| rows[*at]).collect(),
            validation: validation.to_vec(),
            test: asked.iter().map(|at| rows[*at]).collect(),
        };
        let mut trainer = Trainer::new(engine, plan, recipe, data, &split).await?;
        let steps = f64::from(plan.steps_per_epoch * recipe.training.epochs).max(1.0);
        let mut made = 0.0_f64;
        while !matches!(trainer.step().await?, Step::Finished(_)) {
            made += 1.0;
            turn((f64::from(fold) + (made / steps).min(1.0)) / f64::from(folds)).await?;
        }
        let Some((weights, _)) = trainer.kept() else {
            return Err(Error::bad_input(
                "training for the check of labels",
                "weights after one epoch",
                "none; lower the learning rate",
            ));
        };
        let parameters = Parameters::Exact(weights);
        let mut executable = engine
            .prepare(trainer.graph(), parameters, BATCH as u32)
            .await?;
        for places in asked.chunks(BATCH) {
            let numbers: Vec<u32> = places.iter().map(|at| rows[*at]).collect();
            let logits = executable.logits(&numbers).await?;
            let classes = logits.len() / numbers.len();
            for (at, row) in places.iter().zip(logits.chunks_exact(classes)) {
                answers[*at] = eval::softmax(row);
            }
        }
    }
    Ok(answers.concat())
}

/// The fold of each row: rows, or groups, are shuffled by the stream `folds` and dealt out.
fn divided(rows: &[u32], groups: Option<&Groups>, seed: u32, folds: u32) -> Result<Vec<u32>> {
    let unit = |row: &u32| match groups {
        Some(groups) => groups.of_row.get(*row as usize).copied().unwrap_or(0),
        None => *row,
    };
    let mut units = order::distinct(rows.iter().map(unit));
    if folds < 2 || units.len() < folds as usize {
        return Err(Error::bad_input(
            "folds",
            format!("2 to {} of the rows or groups that train", units.len()),
            folds.to_string(),
        ));
    }
    Stream::new(seed, "folds", 0).shuffle(&mut units);
    let mut fold_of: Vec<(u32, u32)> = units.into_iter().zip((0..folds).cycle()).collect();
    order::sort(&mut fold_of);
    Ok((rows.iter())
        .map(|row| {
            let at = fold_of.binary_search_by_key(&unit(row), |it| it.0);
            at.map_or(0, |at| fold_of[at].1)
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_even_and_groups_stay_whole() {
        let rows: Vec<u32> = (0..100).collect();
        let folds = divided(&rows, None, 1, 4).expect("enough");
        for fold in 0..4 {
            assert_eq!(folds.iter().filter(|it| **it == fold).count(), 25);
        }
        let groups = Groups {
            name: "game".into(),
            of_row: (0..100).map(|row| row / 10).collect(),
            reserved: Vec::new(),
        };
        let folds = divided(&rows, Some(&groups), 1, 3).expect("enough");
        for group in folds.chunks(10) {
            assert!(group.iter().all(|fold| *fold == group[0]));
        }
        assert!((0..3).all(|fold| folds.contains(&fold)));
    }

    #[test]
    fn refuses_fewer_rows_than_folds() {
        assert!(divided(&[1, 2], None, 1, 3).is_err());
        assert!(divided(&[1, 2], None, 1, 1).is_err());
    }
}
