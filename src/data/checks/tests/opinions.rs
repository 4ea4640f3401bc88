//! What the checks make of models' answers.

use super::*;
use crate::data::checks::consistency::Consistency;

#[test]
fn flipped_labels_are_counted_by_answers_that_know_better() {
    let (data, parts) = digits();
    let made = inject(&data, &parts, Fault::LabelFlips, 0.1, 1).expect("fits");
    // Answers that are nearly sure of the true class, and wrong on one row of 25.
    let mut random = crate::rng::Stream::new(1, "answers", 0);
    let mut probabilities = Vec::new();
    for row in &parts.train {
        let truth = usize::from(data.labels[*row as usize]);
        let answered = if random.below(25) == 0 {
            (truth + 1) % 10
        } else {
            truth
        };
        // A model is less sure where it errs.
        let sure = if answered == truth { 0.7 } else { 0.5 } + 0.25 * random.unit();
        probabilities.extend((0..10).map(|class| match class == answered {
            true => sure,
            false => (1.0 - sure) / 9.0,
        }));
    }
    let share = |data: &Dataset, probabilities: &[f32]| {
        let mut input = Input::new(data, &made.parts);
        input.answers = Some(Answers {
            rows: &parts.train,
            probabilities,
        });
        let found = Consistency.run(&input);
        (f64::from(found.count) / f64::from(found.of), found)
    };
    let (clean, _) = share(&data, &probabilities);
    let (estimate, found) = share(&made.data, &probabilities);
    assert!(clean < 0.05, "{clean}");
    assert!(
        (estimate - 0.1).abs() < 0.05 && estimate > clean + 0.05,
        "{estimate}"
    );
    let right = found
        .examples
        .iter()
        .filter(|row| made.touched.contains(row))
        .count();
    assert!(right >= 15, "{right} of the first 20");
    assert_eq!(share(&data, &probabilities[1..]).1.of, 0);
    // Nobody knows whether such a set can be learned, and models that agree with few labels say nothing of single ones.
    let mut strange = data.clone();
    strange.expected.learnable = None;
    assert!(share(&strange, &probabilities).1.of > 0);
    for label in &mut strange.labels {
        *label = (*label + 1) % 10;
    }
    let (_, found) = share(&strange, &probabilities);
    assert!(
        found.of == 0 && found.message.contains("agree with only"),
        "{found:?}"
    );
}

#[test]
fn parts_that_models_tell_apart_are_told_and_alike_ones_are_not() {
    let (data, parts) = digits();
    let count = parts.test.len();
    let rows: Vec<u32> = (parts.train.iter().zip(&parts.test))
        .flat_map(|(trains, tests)| [*trains, *tests])
        .collect();
    // Right on the first so many of each hundred.
    let judged = |right: usize| {
        let probabilities: Vec<f32> = (rows.iter().enumerate())
            .flat_map(|(at, _)| {
                let tests = (at % 2 == 1) == (at / 2 % 100 < right);
                if tests { [0.2, 0.8] } else { [0.8, 0.2] }
            })
            .collect();
        let mut input = Input::new(&data, &parts);
        input.parted = Some(Answers {
            rows: &rows,
            probabilities: &probabilities,
        });
        samples::Samples.run(&input)
    };
    assert_eq!(rows.len(), 2 * count);
    assert_eq!(judged(50).status, Status::Pass, "{}", judged(50).message);
    assert_eq!(judged(0).status, Status::Pass, "{}", judged(0).message);
    assert_eq!(judged(65).status, Status::Warn, "{}", judged(65).message);
    assert_eq!(judged(95).status, Status::Fail, "{}", judged(95).message);
    assert_eq!(finding(&data, &parts, "samples").of, 0);
}
