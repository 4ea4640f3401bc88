//! Whole trainings: accuracy on the built-in digits, options, reproducibility, checkpoints, early ends.

mod support;

use assay::engine::cpu::ARITHMETIC;
use assay::engine::{Engine, Parameters};
use assay::model;
use assay::quant;
use assay::recipe::{Recipe, edit, from_value};
use assay::train::{Ended, Step, Trainer};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::lab::{Lab, finish, finish_epoch, ready};

fn short(family: &str, change: impl FnOnce(&mut Recipe)) -> Lab {
    let mut recipe = Recipe::default_for("digits", family);
    recipe.training.epochs = 3;
    change(&mut recipe);
    Lab::new(&recipe)
}

#[test]
fn the_first_families_learn_the_digits_on_every_seed_and_in_every_scheme() {
    let mut failures = Vec::new();
    for (family, wanted) in [("lenet", 0.97), ("mlp", 0.95)] {
        for seed in 1..=5 {
            let mut recipe = Recipe::default_for("digits", family);
            recipe.seed = seed;
            let lab = Lab::new(&recipe);
            let mut trainer = lab.trainer();
            assert_eq!(finish(&mut trainer), Ended::AllEpochs);
            for (scheme, lost) in [
                ("f32", 0.0),
                ("f16", 0.003),
                ("Q8_0", 0.006),
                ("Q4_0", 0.03),
            ] {
                let accuracy = lab.test_accuracy(&trainer, scheme);
                println!("{family} seed {seed} {scheme}: {accuracy:.4}");
                if accuracy < wanted - lost {
                    failures.push(format!("{family} seed {seed} {scheme}: {accuracy}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{failures:?}");
}

/// Bounds lie below the worst seed of docs/families.md. A training is exact, so none of them can fail by chance.
#[test]
fn the_larger_families_learn_the_digits() {
    let mut failures = Vec::new();
    for (family, wanted) in [
        ("resnet", 0.97),
        ("mobilenet", 0.95),
        ("vit", 0.945),
        ("mixer", 0.95),
    ] {
        let accuracy = Lab::new(&Recipe::default_for("digits", family)).trained_accuracy();
        println!("{family}: {accuracy:.4}");
        if accuracy < wanted {
            failures.push(format!("{family}: {accuracy}"));
        }
    }
    assert!(failures.is_empty(), "{failures:?}");
}

/// Options by family, each with the field that it sets.
fn options() -> Vec<(&'static str, &'static str, Value)> {
    let mut all = Vec::new();
    for activation in ["tanh", "gelu", "relu6", "hardswish", "silu"] {
        for family in ["mlp", "lenet", "resnet"] {
            all.push((family, "architecture.activation", json!(activation)));
        }
    }
    for activation in ["relu", "hardswish"] {
        all.push(("mobilenet", "architecture.activation", json!(activation)));
    }
    for family in ["vit", "mixer"] {
        all.push((family, "architecture.activation", json!("silu")));
        all.push((family, "architecture.patch", json!(4)));
    }
    for (family, normalizations) in [
        ("mlp", &["batch", "layer"][..]),
        ("lenet", &["batch"]),
        ("resnet", &["none", "layer"]),
        ("mobilenet", &["none", "layer"]),
    ] {
        for name in normalizations {
            all.push((family, "architecture.normalization", json!(name)));
        }
    }
    for family in ["mlp", "lenet", "vit", "mixer"] {
        all.push((family, "architecture.dropout", json!(0.1)));
    }
    for family in ["mlp", "lenet", "resnet", "mobilenet", "vit", "mixer"] {
        all.push((family, "training.label_smoothing", json!(0.1)));
    }
    all.push(("lenet", "architecture.pooling", json!("average")));
    all.push(("resnet", "architecture.residual", json!("off")));
    all
}

/// A small member of the family for three epochs.
fn small(family: &str) -> Value {
    let mut recipe = Recipe::default_for("digits", family);
    recipe.training.epochs = 3;
    recipe.training.warmup_epochs = 0.5;
    recipe.training.batch_size = 16;
    let architecture = &mut recipe.architecture;
    match family {
        "mlp" => architecture.width = Some(32),
        "lenet" => architecture.channels = Some(6),
        "vit" | "mixer" => {
            architecture.depth = Some(2);
            architecture.width = Some(16);
        }
        _ => architecture.width = Some(6),
    }
    recipe.to_value()
}

#[test]
fn every_option_of_every_family_trains() {
    let mut digests = BTreeSet::new();
    let mut failures = Vec::new();
    for (family, path, value) in options() {
        let changed = edit::set(small(family), path, value.clone()).unwrap();
        let lab = Lab::new(&from_value(changed).unwrap());
        let mut trainer = lab.trainer();
        finish(&mut trainer);
        let (first, last) = (trainer.curve()[0], trainer.curve()[2]);
        let name = format!("{family} {path} {value}");
        println!(
            "{name}: loss {:.3} to {:.3}, {:.3} right",
            first.train_loss, last.train_loss, last.validation_accuracy
        );
        if last.train_loss > 0.8 * first.train_loss || last.validation_accuracy < 0.7 {
            failures.push(name.clone());
        }
        // An option that changes nothing would have the weights of another one.
        assert!(
            digests.insert(trainer.kept().unwrap().0.digest()),
            "{name} changes nothing"
        );
    }
    assert!(failures.is_empty(), "{failures:?}");
}

#[test]
fn smoothed_labels_keep_a_model_from_certainty() {
    let trained = |smoothing| {
        let lab = short("mlp", |recipe| {
            recipe.training.label_smoothing = smoothing;
            recipe.training.epochs = 12;
        });
        let mut trainer = lab.trainer();
        finish(&mut trainer);
        assert!(lab.test_accuracy(&trainer, "f32") >= 0.95);
        trainer.curve().last().unwrap().train_loss
    };
    assert!(trained(None) < 0.03);
    // The best answer to a label smoothed by 0.1 over ten classes is 0.91, whose plain loss this is.
    let best = -f64::ln(0.91);
    let found = trained(Some(0.1));
    assert!((found - best).abs() < 0.04, "{found}");
}

#[test]
fn dropout_and_batch_norm_go_on_from_a_checkpoint_to_the_same_bits() {
    for family in ["mlp", "lenet"] {
        let lab = short(family, |recipe| {
            recipe.architecture.normalization = Some("batch".into());
            recipe.architecture.dropout = Some(0.3);
            recipe.training.label_smoothing = Some(0.1);
            recipe.training.keep = "last".into();
        });
        let mut through = lab.trainer();
        finish(&mut through);
        let mut first = lab.trainer();
        finish_epoch(&mut first);
        let bytes = ready(first.checkpoint()).unwrap();
        drop(first);
        let mut resumed = lab.resume(&bytes).unwrap();
        finish(&mut resumed);
        let digest = |trainer: &Trainer| trainer.kept().unwrap().0.digest();
        assert_eq!(digest(&resumed), digest(&through), "{family}");
        assert_eq!(resumed.curve(), through.curve(), "{family}");
    }
}

#[test]
fn the_deeper_families_learn_the_digits_as_they_come() {
    let mut failures = Vec::new();
    for (family, wanted) in [
        ("resnet", 0.97),
        ("mobilenet", 0.96),
        ("vit", 0.94),
        ("mixer", 0.94),
    ] {
        let lab = Lab::new(&Recipe::default_for("digits", family));
        let mut trainer = lab.trainer();
        assert_eq!(finish(&mut trainer), Ended::AllEpochs);
        let accuracy = lab.test_accuracy(&trainer, "f32");
        println!("{family}: {accuracy:.4}");
        if accuracy < wanted {
            failures.push(format!("{family}: {accuracy}"));
        }
    }
    assert!(failures.is_empty(), "{failures:?}");
}

#[test]
fn sgd_learns_the_digits_too() {
    let lab = short("lenet", |recipe| {
        recipe.training.optimizer = "sgd".into();
        recipe.training.momentum = Some(0.9);
        recipe.training.learning_rate = 0.05;
        recipe.training.epochs = 12;
    });
    let mut trainer = lab.trainer();
    finish(&mut trainer);
    let accuracy = lab.test_accuracy(&trainer, "f32");
    assert!(accuracy >= 0.96, "{accuracy}");
}

#[test]
fn every_row_trains_once_an_epoch_and_the_curve_adds_up() {
    let lab = short("mlp", |recipe| recipe.training.batch_size = 100);
    let mut trainer = lab.trainer();
    let (mut batches, mut rows_seen, mut right) = (Vec::new(), 0, 0);
    let point = loop {
        match ready(trainer.step()).unwrap() {
            Step::Stepped { rows, correct, .. } => {
                batches.push(rows);
                rows_seen += rows;
                right += correct;
            }
            Step::EpochDone(point) => break point,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(rows_seen as usize, lab.split.train.len());
    assert_eq!(batches.len() as u32, lab.plan.steps_per_epoch);
    assert_eq!(*batches.last().unwrap(), rows_seen % 100);
    assert_eq!(
        point.train_accuracy,
        f64::from(right) / f64::from(rows_seen)
    );
    assert_eq!(trainer.steps(), u64::from(lab.plan.steps_per_epoch));
    assert_eq!(trainer.planned_steps(), 3 * trainer.steps());
}

#[test]
fn best_keeps_the_lowest_validation_loss_and_last_the_last() {
    for keep in ["best", "last"] {
        let lab = short("mlp", |recipe| {
            recipe.training.keep = keep.into();
            recipe.training.learning_rate = 0.2;
            recipe.training.epochs = 6;
        });
        let mut trainer = lab.trainer();
        finish(&mut trainer);
        let best = (trainer.curve().iter())
            .min_by(|a, b| a.validation_loss.total_cmp(&b.validation_loss))
            .unwrap()
            .epoch;
        let wanted = if keep == "best" { best } else { 6 };
        assert_eq!(trainer.kept().unwrap().1, wanted, "{keep}");
    }
}

#[test]
fn patience_ends_a_training_that_gets_no_better() {
    let lab = short("mlp", |recipe| {
        recipe.training.epochs = 100;
        recipe.training.patience = 3;
    });
    let mut trainer = lab.trainer();
    assert_eq!(finish(&mut trainer), Ended::Patience);
    let (_, best) = trainer.kept().unwrap();
    assert_eq!(trainer.curve().len() as u32, best + 3);
    // A checkpoint of the last epoch knows that it is over.
    let bytes = ready(trainer.checkpoint()).unwrap();
    assert_eq!(finish(&mut lab.resume(&bytes).unwrap()), Ended::Patience);
}

#[test]
fn a_non_finite_loss_names_its_step_and_keeps_what_was_measured() {
    let lab = short("mlp", |recipe| {
        recipe.training.optimizer = "sgd".into();
        recipe.training.momentum = Some(0.999);
        recipe.training.learning_rate = 10.0;
        recipe.training.weight_decay = 1.0;
        recipe.training.schedule = "constant".into();
        recipe.training.warmup_epochs = 2.0;
        recipe.training.epochs = 50;
    });
    let mut trainer = lab.trainer();
    let step = loop {
        match ready(trainer.step()).unwrap() {
            Step::NonFinite { step } => break step,
            Step::Finished(ended) => panic!("{ended:?}"),
            Step::Stepped { .. } | Step::EpochDone(_) => {}
        }
    };
    assert!(
        step >= trainer.steps() && step <= trainer.steps() + 1,
        "{step}"
    );
    assert_eq!(trainer.non_finite_step(), Some(step));
    assert_eq!(
        ready(trainer.step()).unwrap(),
        Step::Finished(Ended::NonFinite)
    );
    for point in trainer.curve() {
        assert!(point.validation_loss.is_finite() && point.train_loss.is_finite());
    }
    if let Some((weights, _)) = trainer.kept() {
        assert!(weights.is_finite());
    }
    assert!(ready(trainer.checkpoint()).is_err());
}

#[test]
fn a_checkpoint_is_only_there_between_epochs_and_keeps_the_times() {
    let lab = short("mlp", |_| {});
    let mut trainer = lab.trainer();
    assert!(ready(trainer.checkpoint()).is_err());
    finish_epoch(&mut trainer);
    trainer.time_epoch(1.25);
    let bytes = ready(trainer.checkpoint()).unwrap();
    ready(trainer.step()).unwrap();
    assert!(ready(trainer.checkpoint()).is_err());
    let resumed = lab.resume(&bytes).unwrap();
    assert_eq!(resumed.curve()[0].secs, 1.25);
    assert_eq!(resumed.steps(), u64::from(lab.plan.steps_per_epoch));
    assert_eq!(resumed.kept().unwrap().1, 1);
}

#[test]
fn a_checkpoint_of_something_else_is_refused_in_words() {
    let lab = short("mlp", |recipe| recipe.architecture.width = Some(8));
    let mut trainer = lab.trainer();
    finish_epoch(&mut trainer);
    let bytes = ready(trainer.checkpoint()).unwrap();
    let refused = |lab: &Lab, bytes: &[u8]| lab.resume(bytes).err().unwrap().to_string();

    let other = short("mlp", |recipe| recipe.seed = 2);
    assert!(refused(&other, &bytes).contains("one of this recipe"));
    for (from, to, wanted) in [
        ("assay-checkpoint-1", "assay-checkpoint-2", "the form"),
        (ARITHMETIC, "other-9", "one of this arithmetic"),
        ("\"steps\":\"", "\"steps\":\"9", "epochs and steps"),
        (
            "\"kept_epoch\":\"1",
            "\"kept_epoch\":\"2",
            "epochs and steps",
        ),
        ("\"kept_epoch\":\"1", "\"kept_epoch\":\"x", "the kept epoch"),
        ("\\\"epoch\\\":1", "\\\"epoch\\\":7", "epochs and steps"),
        ("\\\"epoch\\\":1", "\\\"epoch\\\":null", "a curve"),
        (
            "kept/classes.bias",
            "kept/classes.bios",
            "kept/classes.bios",
        ),
    ] {
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let header = std::str::from_utf8(&bytes[8..8 + length]).unwrap();
        assert!(header.contains(from), "{from} in {header}");
        let header = header.replacen(from, to, 1);
        let mut changed = (header.len() as u64).to_le_bytes().to_vec();
        changed.extend_from_slice(header.as_bytes());
        changed.extend_from_slice(&bytes[8 + length..]);
        let message = refused(&lab, &changed);
        assert!(message.contains(wanted), "{to}: {message}");
    }
    let mut altered = bytes.clone();
    *altered.last_mut().unwrap() ^= 1;
    assert!(refused(&lab, &altered).contains("altered"));
    for length in [0, 7, 8, 100, bytes.len() / 2, bytes.len() - 1] {
        let message = refused(&lab, &bytes[..length]);
        assert!(
            message.starts_with("the checkpoint") || message.contains("in the checkpoint"),
            "{message}"
        );
    }
}

#[test]
fn a_stored_model_does_not_train_and_rows_that_are_not_there_are_refused() {
    let lab = short("mlp", |_| {});
    let weights = model::Weights::init(&lab.plan.graph, 1).unwrap();
    let stored = quant::quantize(
        &lab.plan.graph,
        &weights,
        &quant::Request::named("Q8_0").unwrap(),
    )
    .unwrap();
    let parameters = Parameters::Stored(&stored);
    let mut executable = ready(lab.engine.prepare(&lab.plan.graph, parameters, 8)).unwrap();
    assert_eq!(
        ready(executable.train(&[])).unwrap_err().kind(),
        "unsupported"
    );
    assert_eq!(
        ready(executable.logits(&[1797])).unwrap_err().kind(),
        "bad-input"
    );
    assert_eq!(
        ready(executable.predict(&[0.0; 65])).unwrap_err().kind(),
        "bad-input"
    );
    let mut other = weights.clone();
    let mut bias = other.remove("classes.bias").unwrap();
    bias.values[3] = f32::NAN;
    other.insert("classes.bias", bias.shape, bias.values);
    let parameters = Parameters::Exact(&other);
    let error = ready(lab.engine.prepare(&lab.plan.graph, parameters, 8))
        .err()
        .unwrap();
    assert!(
        error.to_string().contains("finite numbers, got NaN"),
        "{error}"
    );
    let mut other = weights;
    other.remove("classes.bias");
    let parameters = Parameters::Exact(&other);
    let error = ready(lab.engine.prepare(&lab.plan.graph, parameters, 8))
        .err()
        .unwrap();
    assert!(error.to_string().contains("classes.bias"), "{error}");
}

/// Prints a digest for [`threads_do_not_change_a_bit`], which runs this test in processes of its own.
#[test]
fn prints_the_digest_of_a_short_training() {
    let lab = short("lenet", |recipe| recipe.training.epochs = 1);
    let mut trainer = lab.trainer();
    finish(&mut trainer);
    println!("digest {}", trainer.kept().unwrap().0.digest());
}

#[test]
fn threads_do_not_change_a_bit() {
    let digest = |threads: &str| {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "prints_the_digest_of_a_short_training",
                "--nocapture",
            ])
            .env("RAYON_NUM_THREADS", threads)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let at = text.find("digest ").unwrap() + 7;
        text[at..at + 64].to_owned()
    };
    assert_eq!(digest("1"), digest("5"));
}
