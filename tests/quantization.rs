//! Whole trainings under integer schemes: what they cost in accuracy on the built-in digits, and what a recipe may ask.

mod support;

use assay::engine::cpu::{Computed, computed};
use assay::eval;
use assay::recipe::{QuantizationSpec, Recipe};
use assay::result::Damage;
use assay::train::Trainer;
use std::collections::BTreeSet;
use support::lab::{Lab, finish, ready};

fn asked(scheme: &str) -> QuantizationSpec {
    QuantizationSpec {
        scheme: scheme.into(),
        ..QuantizationSpec::default()
    }
}

fn trained(family: &str) -> (Lab, Trainer) {
    let lab = Lab::new(&Recipe::default_for("digits", family));
    let mut trainer = lab.trainer();
    finish(&mut trainer);
    (lab, trainer)
}

#[test]
fn integers_cost_half_a_point_at_most_on_every_family() {
    let mut failures = Vec::new();
    for family in ["lenet", "mlp", "resnet", "mobilenet", "vit", "mixer"] {
        let (lab, trainer) = trained(family);
        let exact = lab.test_loss(&trainer, &asked("f32"));
        for scheme in ["int8", "int8-dynamic"] {
            let found = lab.test_loss(&trainer, &asked(scheme)).correct;
            println!(
                "{family} {scheme}: {found} of {} right, f32 {}",
                exact.rows, exact.correct
            );
            if f64::from(found) < f64::from(exact.correct) - 0.005 * f64::from(exact.rows) {
                failures.push(format!("{family} {scheme}: {found} of {}", exact.correct));
            }
        }
        // What has statistics of its own is computed exactly, and all products in integers.
        let all = computed(trainer.graph(), &lab.stored(&trainer, &asked("int8"))).unwrap();
        let floats: Vec<&Computed> = all.iter().filter(|it| it.arithmetic != "int8").collect();
        let has_norms = ["vit", "mixer"].contains(&family);
        assert_eq!(floats.is_empty(), !has_norms, "{family}: {floats:?}");
        assert!(floats.iter().all(|it| !it.reason.is_empty()), "{floats:?}");
        assert!(
            !floats.iter().any(|it| it.layer.contains("qkv")),
            "{floats:?}"
        );
    }
    assert!(failures.is_empty(), "{failures:?}");
}

#[test]
fn every_way_to_choose_ranges_keeps_the_accuracy_and_finds_others() {
    let (lab, trainer) = trained("lenet");
    let exact = lab.test_loss(&trainer, &asked("f32")).correct;
    let mut digests = BTreeSet::new();
    for calibration in ["min-max", "percentile", "mse", "entropy"] {
        for activations in ["asymmetric", "symmetric"] {
            let spec = QuantizationSpec {
                calibration: Some(calibration.into()),
                activations: Some(activations.into()),
                ..asked("int8")
            };
            let found = lab.test_loss(&trainer, &spec).correct;
            println!("{calibration} {activations}: {found} right, f32 {exact}");
            assert!(found + 4 >= exact, "{calibration} {activations}");
            digests.insert(lab.stored(&trainer, &spec).digest());
        }
    }
    assert_eq!(digests.len(), 8);
}

#[test]
fn few_rows_are_warned_of_and_any_layer_may_have_its_own_arithmetic() {
    let (lab, trainer) = trained("lenet");
    let few = QuantizationSpec {
        calibration_rows: Some(4),
        ..asked("int8")
    };
    let warnings = lab.stored(&trainer, &few).warnings;
    assert!(warnings[0].contains("4 rows are few"), "{warnings:?}");
    assert!(lab.stored(&trainer, &asked("int8")).warnings.is_empty());
    let own = |scheme: &str, layers: &[(&str, &str)]| QuantizationSpec {
        layers: Some(
            layers
                .iter()
                .map(|&(layer, scheme)| (layer.into(), scheme.into()))
                .collect(),
        ),
        ..asked(scheme)
    };
    let mixed = own("int8", &[("conv2", "f32"), ("dense", "int8-dynamic")]);
    let all = computed(trainer.graph(), &lab.stored(&trainer, &mixed)).unwrap();
    let of = |layer: &str| all.iter().find(|it| it.layer == layer).unwrap().arithmetic;
    assert_eq!(
        [of("conv1"), of("conv2"), of("dense")],
        ["int8", "f32", "int8-dynamic"]
    );
    let exact = lab.test_loss(&trainer, &asked("f32")).correct;
    for spec in [
        mixed,
        own("f32", &[("conv2", "int8")]),
        own("int4", &[("conv1", "int8")]),
    ] {
        let found = lab.test_loss(&trainer, &spec).correct;
        assert!(found + 4 >= exact, "{spec:?}: {found} of {exact}");
    }
}

#[test]
fn damage_names_the_worst_layer_the_flips_and_the_classes() {
    let (lab, trainer) = trained("lenet");
    let (weights, _) = trainer.kept().unwrap();
    let classes: Vec<String> = (0..10).map(|class| class.to_string()).collect();
    let of = |spec: &QuantizationSpec| {
        let stored = lab.stored(&trainer, spec);
        let trained = (trainer.graph(), weights);
        let (rows, clock) = (&lab.split.test, eval::ManualClock::default());
        eval::damage(trained, &stored, &lab.rows, rows, &classes, 0.95, &clock).unwrap()
    };
    let integers = of(&asked("int8"));
    assert!(integers.layers.iter().all(|it| it.arithmetic == "int8"));
    assert!(
        integers
            .layers
            .iter()
            .all(|it| it.sqnr_decibels.is_none_or(|it| it > 20.0))
    );
    assert!(integers.layers.iter().all(|it| it.cosine > 0.995));
    let sorted = |damage: &Damage| {
        damage
            .layers
            .iter()
            .map(|it| it.sqnr_decibels.unwrap_or(1e9))
            .collect::<Vec<_>>()
    };
    assert!(sorted(&integers).is_sorted());
    // One layer in three values only: it is the first to be damaged, and nothing before it is.
    let worst = of(&QuantizationSpec {
        layers: Some([("conv2".into(), "ternary".into())].into()),
        ..asked("f32")
    });
    let layer = |name: &str| worst.layers.iter().find(|it| it.layer == name).unwrap();
    assert_eq!(layer("conv1").sqnr_decibels, None);
    assert!(layer("conv2").sqnr_decibels.unwrap() < 25.0);
    let weights = layer("conv2").weights.clone().unwrap();
    assert_eq!(
        weights.before.iter().sum::<u64>(),
        weights.after.iter().sum::<u64>()
    );
    assert!(layer("conv2").bytes * 8 < layer("conv2").f32_bytes * 2);
    let exact = lab.test_loss(&trainer, &asked("f32")).correct;
    let right = |damage: &Damage, after: bool| -> u32 {
        (damage.classes.iter())
            .map(|it| {
                if after {
                    it.right_after
                } else {
                    it.right_before
                }
            })
            .sum()
    };
    assert_eq!(right(&worst, false), exact);
    let lost = worst.paired.only_first as i64 - worst.paired.only_second as i64;
    assert_eq!(i64::from(exact) - lost, i64::from(right(&worst, true)));
    assert_eq!(worst.flips.len(), worst.paired.disagreements.len());
    assert!(
        worst
            .flips
            .iter()
            .all(|it| it.before != it.after && it.margin_before >= 0.0)
    );
    assert!(of(&asked("f32")).flips.is_empty());
}

#[test]
fn a_checkpoint_goes_on_under_another_scheme_and_under_no_other_training() {
    let mut recipe = Recipe::default_for("digits", "mlp");
    recipe.training.epochs = 2;
    recipe.training.warmup_epochs = 0.5;
    let lab = Lab::new(&recipe);
    let mut trainer = lab.trainer();
    finish(&mut trainer);
    let bytes = ready(trainer.checkpoint()).unwrap();
    let digest = trainer.kept().unwrap().0.digest();
    recipe.quantization.scheme = "int8".into();
    recipe.evaluation.latency_secs = 0.0;
    let mut resumed = Lab::new(&recipe).resume(&bytes).unwrap();
    finish(&mut resumed);
    assert_eq!(resumed.kept().unwrap().0.digest(), digest);
    recipe.training.learning_rate *= 2.0;
    let refused = Lab::new(&recipe).resume(&bytes).err().unwrap().to_string();
    assert!(refused.contains("one of this recipe"), "{refused}");
}
