//! Runs of `chess` with what is known of boards in the model: squares in the other colours as further training rows.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use assay::data::LocalMaker;
use assay::recipe::Recipe;
use assay::runlog::record::{Record, Status};
use support::pump::run;

/// A small model on the smallest set.
fn small() -> Recipe {
    let mut recipe = Recipe::default_for("chess", "lenet");
    recipe.data.size = Some(60);
    recipe.architecture.channels = Some(3);
    recipe.architecture.dense = Some(12);
    recipe.training.epochs = 2;
    recipe.evaluation.latency_secs = 0.0;
    recipe
}

fn record(recipe: &Recipe) -> Record {
    run(&LocalMaker::default(), recipe).unwrap()
}

#[test]
fn colours_double_the_steps_change_the_weights_and_leave_data_and_test_rows_alone() {
    let plain = record(&small());
    let mut recipe = small();
    recipe.training.augmentation = Some("colours".into());
    let more = record(&recipe);
    assert_eq!(more.status, Status::Complete);
    let steps = |record: &Record| record.results.training.as_ref().unwrap().steps;
    assert_eq!(steps(&more), 2 * steps(&plain));
    assert_ne!(more.digests.weights, plain.digests.weights);
    assert_eq!(more.digests.data, plain.digests.data);
    assert_eq!(more.findings, plain.findings);
    let asked = |record: &Record| {
        let predictions = record.predictions.clone().unwrap();
        (predictions.rows, predictions.labels)
    };
    assert_eq!(asked(&more), asked(&plain));
    let again = self::record(&recipe);
    assert_eq!(again.digests, more.digests);
}
