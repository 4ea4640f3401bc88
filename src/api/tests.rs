//! The library's face as a program uses it: what it promises, and the digests of the documented example.

mod refusals;

use super::*;
use crate::engine::{Engine, ready};
use crate::recipe::Recipe;
use crate::train::{Step, Trainer};
use crate::{data, model};
use serde_json::{Value, json};

/// The graph of `docs/api-example/example.js`.
fn graph() -> Value {
    json!({
        "assay": "graph",
        "version": 1,
        "input": [1, 8, 8],
        "layers": [
            {"name": "conv", "type": "convolution", "channels": 8, "kernel": [3, 3], "padding": [1, 1, 1, 1]},
            {"name": "relu", "type": "activation", "function": "relu"},
            {"name": "flatten", "type": "flatten"},
            {"name": "classes", "type": "linear", "units": 2},
        ],
    })
}

/// The example's images and labels, by the same integers.
fn stripes(count: usize, seed: u32) -> (Vec<f32>, Vec<u16>) {
    let (mut images, mut labels) = (Vec::new(), Vec::new());
    let mut state = seed;
    for row in 0..count {
        for place in 0..64 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if place == 0 {
                labels.push((state >> 31) as u16);
            }
            let line = if labels[row] == 1 {
                place % 8
            } else {
                place / 8
            };
            let value = ((line + row) % 2) as f64 + f64::from(state >> 24) / 256.0 - 0.5;
            images.push(value as f32);
        }
    }
    (images, labels)
}

fn created(options: Options) -> Model {
    Model::create(&graph().to_string(), 1, options).expect("fits")
}

fn model() -> Model {
    created(Options::default())
}

fn message<T>(result: Result<T>) -> String {
    let error = result.err().expect("refused");
    format!("{}: {error}", error.kind())
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "whether the file is written anew decides no result"
)]
fn the_example_has_the_committed_digests() {
    let mut model = model();
    let (images, labels) = stripes(256, 1);
    let options = TrainOptions::new(40, 32, 0.01);
    let trained = model.train(images, labels, &options).expect("trains");
    assert_eq!(
        (trained.steps, trained.rows, trained.non_finite),
        (40, 1280, None)
    );
    let (images, labels) = stripes(500, 2);
    let found = model.evaluate(&images, &labels, 0.95).expect("answers");
    assert!(found.accuracy > 0.98, "{found:?}");
    let digests = json!({
        "arithmetic": model.info().arithmetic,
        "weights": model.weights_digest().expect("there"),
        "predictions": found.predictions_digest,
    });
    let made = serde_json::to_string_pretty(&digests).expect("serializable") + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/api-example.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &made).expect("a writable folder");
    }
    let golden = std::fs::read_to_string(path).expect("a golden file");
    assert_eq!(made, golden.replace("\r\n", "\n"));
}

#[test]
fn two_calls_do_what_one_does() {
    let (images, labels) = stripes(50, 3);
    for optimizer in ["adamw", "sgd"] {
        let train = |calls: &[u32]| {
            let mut model = model();
            for &steps in calls {
                let options = TrainOptions {
                    optimizer: optimizer.into(),
                    ..TrainOptions::new(steps, 16, 0.01)
                };
                model
                    .train(images.clone(), labels.clone(), &options)
                    .expect("trains");
            }
            (model.info().steps, model.weights_digest())
        };
        assert_eq!(train(&[13]), train(&[3, 1, 9]), "{optimizer}");
        assert_ne!(train(&[13]), train(&[12]), "{optimizer}");
    }
}

#[test]
fn training_is_that_of_a_recipe() {
    let mut recipe = Recipe::default_for("digits", "mlp");
    recipe.training.epochs = 2;
    recipe.training.schedule = "constant".into();
    recipe.training.warmup_epochs = 0.0;
    recipe.training.keep = "last".into();
    recipe.training.patience = 0;
    let set = data::load("digits").expect("built in");
    let split = &data::split(&set, &recipe.split, recipe.seed).expect("fits");
    let rows = &data::rows(&set, &recipe.preprocessing, split).expect("fits");
    let plan = &model::plan(&recipe, set.shape(), 10, split.train.len() as u32).expect("fits");
    let mut engine = CpuEngine::new();
    ready(engine.load(rows)).expect("fits");
    let options = Options::default();
    let weights = Weights::init(&plan.graph, recipe.seed).expect("fits");
    let mut model = Model::new(plan.graph.clone(), &weights, options).expect("fits");
    let length = rows.features.len() / rows.labels.len();
    let features = (split.train.iter())
        .flat_map(|&row| &rows.features[row as usize * length..][..length])
        .copied();
    let labels = split.train.iter().map(|&row| rows.labels[row as usize]);
    let training = &recipe.training;
    let options = TrainOptions {
        optimizer: training.optimizer.clone(),
        weight_decay: training.weight_decay,
        seed: recipe.seed,
        ..TrainOptions::new(
            2 * plan.steps_per_epoch,
            training.batch_size,
            training.learning_rate,
        )
    };
    model
        .train(features.collect(), labels.collect(), &options)
        .expect("trains");
    let kept = ready(Box::pin(async {
        let mut trainer = Trainer::new(&engine, plan, &recipe, rows, split).await?;
        while !matches!(trainer.step().await?, Step::Finished(_)) {}
        Ok(trainer.kept().map(|(weights, _)| weights.digest()))
    }));
    assert_eq!(kept.expect("trains"), model.weights_digest().ok());
}

#[test]
fn answers_do_not_depend_on_how_rows_are_divided() {
    let (images, labels) = stripes(33, 4);
    let whole = model().predict(&images, 33).expect("answers");
    for batch in [1, 2, 32] {
        let mut parts = created(Options {
            batch,
            ..Options::default()
        });
        assert_eq!(
            parts.predict(&images, 33).expect("answers"),
            whole,
            "{batch}"
        );
    }
    let mut model = model();
    let by_row: Vec<f32> = images
        .chunks(64)
        .flat_map(|row| model.predict(row, 1).expect("answers"))
        .collect();
    assert_eq!(by_row, whole);
    let scored = score(&by_row, &labels, 2, 0.95);
    assert_eq!(scored, model.evaluate(&images, &labels, 0.95));
}

#[test]
fn exported_weights_load_to_the_same_model() {
    let (images, labels) = stripes(64, 5);
    let mut trained = model();
    let options = TrainOptions::new(5, 32, 0.01);
    trained
        .train(images.clone(), labels, &options)
        .expect("trains");
    let file = trained.export_weights().expect("finite");
    let text = graph().to_string();
    let mut loaded = Model::load(&text, &file, Options::default()).expect("its own file");
    assert_eq!(loaded.weights_digest(), trained.weights_digest());
    assert_eq!(loaded.predict(&images, 64), trained.predict(&images, 64));
    assert_eq!(loaded.export_weights().expect("finite"), file);
    assert_eq!(loaded.info().steps, 0);
}

#[test]
fn a_scheme_rounds_the_weights_once_and_for_all() {
    let file = model().export_weights().expect("finite");
    let text = graph().to_string();
    let options = |scheme: &str| Options {
        scheme: scheme.into(),
        ..Options::default()
    };
    let mut stored = Model::load(&text, &file, options("f16")).expect("known");
    let info = stored.info();
    assert_eq!(
        (info.parameters, info.weight_bytes),
        (1106, 2 * (72 + 1024) + 4 * 10)
    );
    let rounded = stored.export_weights().expect("finite");
    assert_ne!(rounded, file);
    let mut again = Model::load(&text, &rounded, options("f16")).expect("known");
    assert_eq!(again.export_weights().expect("finite"), rounded);
    let (images, labels) = stripes(8, 6);
    let found = message(stored.train(images, labels, &TrainOptions::new(1, 8, 0.1)));
    assert!(
        found.starts_with("unsupported: training a stored model"),
        "{found}"
    );
}

#[test]
fn integers_answer_by_ranges_of_the_rows_that_were_given() {
    let file = model().export_weights().expect("finite");
    let text = graph().to_string();
    let loaded = |scheme: &str, calibration: Vec<f32>| {
        let options = Options {
            scheme: scheme.into(),
            calibration,
            ..Options::default()
        };
        Model::load(&text, &file, options)
    };
    let (images, labels) = stripes(64, 6);
    let mut whole = loaded("int8", images.clone()).expect("fits");
    assert_eq!(whole.info().weight_bytes, 72 + 1024 + 4 * (8 + 2 + 10));
    let exact = model().predict(&images, 64).expect("fits");
    let answers = whole.predict(&images, 64).expect("fits");
    let largest = exact.iter().fold(0.0_f32, |most, it| most.max(it.abs()));
    let off = |answers: &[f32]| {
        let pairs = answers.iter().zip(&exact);
        pairs.fold(0.0_f32, |most, (a, b)| most.max((a - b).abs())) / largest
    };
    assert!(off(&answers) > 0.0 && off(&answers) < 0.05);
    // Rows a hundred times as small cut everything off that the model is asked about.
    let small = images.iter().map(|it| it / 100.0).collect();
    let mut blind = loaded("int8", small).expect("fits");
    assert!(off(&blind.predict(&images, 64).expect("fits")) > 0.2);
    assert_eq!(
        whole.evaluate(&images, &labels, 0.95).expect("fits").rows,
        64
    );

    for (scheme, calibration, wanted) in [
        ("int8", Vec::new(), "1 to 4096 rows of 64 numbers"),
        ("int8", images[1..].to_vec(), "1 to 4096 rows of 64 numbers"),
        ("int8", vec![0.5; 64 * 4097], "1 to 4096 rows of 64 numbers"),
        ("int8", vec![f32::NAN; 64], "finite numbers"),
        ("int4", images.clone(), "no rows for the scheme \"int4\""),
        ("f32", images, "no rows for the scheme \"f32\""),
    ] {
        let found = message(loaded(scheme, calibration));
        assert!(found.contains(wanted), "{scheme}: {found}");
    }
}

#[test]
fn a_larger_batch_makes_room_and_changes_nothing_else() {
    let (images, labels) = stripes(40, 7);
    let train = |batch: u32| {
        let mut model = created(Options {
            batch,
            ..Options::default()
        });
        for size in [4, 20] {
            let options = TrainOptions::new(6, size, 0.01);
            model
                .train(images.clone(), labels.clone(), &options)
                .expect("trains");
        }
        (model.weights_digest(), model.info().batch)
    };
    let ((small, grown), (large, kept)) = (train(4), train(64));
    assert_eq!(small, large);
    assert_eq!((grown, kept), (20, 64));
}

#[test]
fn another_optimizer_begins_with_moments_of_zero() {
    let (images, labels) = stripes(32, 8);
    let sgd = TrainOptions {
        optimizer: "sgd".into(),
        shuffle: false,
        ..TrainOptions::new(3, 32, 0.01)
    };
    let mut went_on = model();
    let adamw = TrainOptions::new(4, 32, 0.01);
    went_on
        .train(images.clone(), labels.clone(), &adamw)
        .expect("trains");
    let file = went_on.export_weights().expect("finite");
    let mut began = Model::load(&graph().to_string(), &file, Options::default()).expect("its own");
    for model in [&mut went_on, &mut began] {
        model
            .train(images.clone(), labels.clone(), &sgd)
            .expect("trains");
    }
    assert_eq!(went_on.weights_digest(), began.weights_digest());
}

#[test]
fn a_loss_that_is_not_finite_ends_the_training_before_it_harms() {
    let (mut images, labels) = stripes(32, 9);
    images[31 * 64..].fill(f32::MAX);
    let mut model = model();
    let options = TrainOptions {
        shuffle: false,
        ..TrainOptions::new(10, 8, 0.01)
    };
    let trained = model
        .train(images.clone(), labels.clone(), &options)
        .expect("is no error");
    assert_eq!(
        (trained.steps, trained.rows, trained.non_finite),
        (3, 24, Some(4))
    );
    assert!(trained.loss.is_finite());
    model
        .export_weights()
        .expect("the weights are those before");
    assert_eq!(model.info().steps, 3);
    let trained = model.train(images, labels, &options).expect("is no error");
    assert_eq!((trained.steps, trained.non_finite), (0, Some(1)));
    assert!(trained.loss.is_nan() && trained.accuracy.is_nan());
    let logits = model
        .predict(&[f32::NAN; 64], 1)
        .expect("computed with as it is");
    assert_eq!(logits.len(), 2);
}
