//! Whole trainings under integer schemes: what they cost in accuracy on the built-in digits, and what a recipe may ask.

mod support;

use assay::engine::cpu::{Computed, computed};
use assay::engine::{Engine, Parameters, loss};
use assay::eval::{self, ManualClock};
use assay::model::{Graph, Weights};
use assay::quant::Stored;
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
        // Norms, softmax and positions too.
        let all = computed(trainer.graph(), &lab.stored(&trainer, &asked("int8"))).unwrap();
        let floats: Vec<&Computed> = all.iter().filter(|it| it.arithmetic != "int8").collect();
        assert!(floats.is_empty(), "{family}: {floats:?}");
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

/// What a graph's weights, stored as asked, answer on the test rows: how many rightly, and the stored model.
fn answered(lab: &Lab, graph: &Graph, weights: &Weights, spec: &QuantizationSpec) -> (u32, Stored) {
    let (rows, split) = (&lab.rows, &lab.split);
    let stored = eval::stored(graph, weights, spec, rows, &split.train).expect("a model");
    let parameters = Parameters::Stored(&stored);
    let mut model = ready(lab.engine.prepare(graph, parameters, 64)).expect("a model");
    let logits = ready(model.logits(&split.test)).expect("a model");
    let labels: Vec<u16> = split
        .test
        .iter()
        .map(|&row| rows.labels[row as usize])
        .collect();
    (loss::cross_entropy(&logits, &labels, 10).correct, stored)
}

fn with(scheme: &str, change: impl FnOnce(&mut QuantizationSpec)) -> QuantizationSpec {
    let mut spec = asked(scheme);
    change(&mut spec);
    spec
}

fn on() -> Option<String> {
    Some("on".into())
}

/// The same function in f32 with channels of very different ranges: the first convolution's times a power of two each, the
/// second's divided by it.
fn lopsided(weights: &Weights) -> Weights {
    let mut weights = weights.clone();
    let factor = |channel: usize| 2.0_f32.powi((channel % 8) as i32 * 2 - 7);
    for (name, is_second) in [
        ("conv1.weight", false),
        ("conv1.bias", false),
        ("conv2.weight", true),
    ] {
        let mut tensor = weights.remove(name).expect("there");
        let channels = if is_second {
            tensor.shape[1]
        } else {
            tensor.shape[0]
        } as usize;
        let outputs = if is_second {
            tensor.shape[0] as usize
        } else {
            1
        };
        let each = tensor.values.len() / outputs / channels;
        for (part, values) in tensor.values.chunks_mut(each).enumerate() {
            let factor = factor(part % channels);
            let factor = if is_second { 1.0 / factor } else { factor };
            values.iter_mut().for_each(|it| *it *= factor);
        }
        weights.insert(name, tensor.shape, tensor.values);
    }
    weights
}

#[test]
fn equalization_saves_a_model_with_lopsided_channels_and_harms_no_other() {
    let (lab, trainer) = trained("lenet");
    let weights = trainer.kept().unwrap().0;
    let bad = lopsided(weights);
    let right = |weights: &Weights, spec: &QuantizationSpec| {
        answered(&lab, trainer.graph(), weights, spec).0
    };
    let exact = right(&bad, &asked("f32"));
    assert_eq!(
        exact,
        right(weights, &asked("f32")),
        "powers of two change nothing"
    );
    for scheme in ["int8-weights-tensor", "int8", "int4"] {
        let equalized = with(scheme, |it| it.equalization = on());
        let [before, after] = [&asked(scheme), &equalized].map(|spec| right(&bad, spec));
        let plain = right(weights, &equalized);
        println!("{scheme}: {before} right, equalized {after}, f32 {exact}; not lopsided {plain}");
        assert!(after + 3 >= exact, "{scheme}");
        assert!(plain + 3 >= exact, "{scheme}");
        if scheme != "int4" {
            assert!(after > before + 10, "{scheme}");
        }
    }
}

#[test]
fn bias_correction_brings_the_means_back() {
    let (lab, trainer) = trained("lenet");
    let weights = trainer.kept().unwrap().0;
    let graph = trainer.graph();
    let exact = answered(&lab, graph, weights, &asked("f32")).0;
    // How far the logits are off on average, per class.
    let off = |spec: &QuantizationSpec| -> f64 {
        let logits = |stored: &Stored| {
            let parameters = Parameters::Stored(stored);
            let mut model = ready(lab.engine.prepare(graph, parameters, 64)).unwrap();
            ready(model.logits(&lab.split.train)).unwrap()
        };
        let [before, after] =
            [&asked("f32"), spec].map(|spec| logits(&answered(&lab, graph, weights, spec).1));
        (0..10)
            .map(|class| {
                let pairs = before.iter().zip(&after).skip(class).step_by(10);
                let sum: f64 = pairs.map(|(a, b)| f64::from(b - a)).sum();
                (sum / lab.split.train.len() as f64).abs()
            })
            .sum()
    };
    for scheme in ["ternary", "int4", "int8-weights", "int8"] {
        let corrected = with(scheme, |it| it.bias_correction = on());
        let [plain, better] = [off(&asked(scheme)), off(&corrected)];
        let [before, after] =
            [&asked(scheme), &corrected].map(|spec| answered(&lab, graph, weights, spec).0);
        println!(
            "{scheme}: means off by {plain:.4}, corrected {better:.4}; {before} and {after} right, f32 {exact}"
        );
        if ["ternary", "int4"].contains(&scheme) {
            assert!(better < 0.7 * plain, "{scheme}");
        }
        if scheme != "ternary" {
            assert!(after + 3 >= exact, "{scheme}");
        }
    }
}

#[test]
fn channels_go_from_every_family_and_a_few_epochs_make_up_for_it() {
    for family in ["lenet", "mlp", "resnet", "mobilenet", "vit", "mixer"] {
        let (lab, trainer) = trained(family);
        let (graph, weights) = (trainer.graph(), trainer.kept().unwrap().0);
        let exact = answered(&lab, graph, weights, &asked("f32"));
        let pruned = with("f32", |it| {
            it.pruning = Some("channels".into());
            it.pruned_percent = Some(25);
        });
        let tuned = QuantizationSpec {
            fine_tune_epochs: Some(5),
            ..pruned.clone()
        };
        let integers = QuantizationSpec {
            scheme: "int8".into(),
            ..tuned.clone()
        };
        let found = [&pruned, &tuned, &integers].map(|it| answered(&lab, graph, weights, it));
        println!(
            "{family}: {} of {} right, pruned {}, fine-tuned {}, in int8 {}; bytes {} to {} and {}",
            exact.0,
            lab.split.test.len(),
            found[0].0,
            found[1].0,
            found[2].0,
            exact.1.bytes(),
            found[0].1.bytes(),
            found[2].1.bytes()
        );
        assert!(found[0].1.bytes() * 10 < exact.1.bytes() * 9, "{family}");
        assert!(found[2].1.bytes() * 3 < exact.1.bytes(), "{family}");
        assert!(found[1].0 + 3 >= found[0].0, "{family}");
        for (right, _) in &found[1..] {
            assert!(
                f64::from(*right) >= 0.95 * f64::from(exact.0),
                "{family}: {right}"
            );
        }
        let classes: Vec<String> = (0..10).map(|class| class.to_string()).collect();
        let trained = (graph, weights);
        let of = |stored| {
            let (rows, test) = (&lab.rows, &lab.split.test);
            let clock = ManualClock::new(0.0);
            eval::damage(trained, stored, rows, test, &classes, 0.95, &clock).unwrap()
        };
        let damage = of(&found[2].1);
        assert!(damage.layers.iter().all(|it| it.cosine > 0.9), "{family}");
        // Nothing is rounded in what was pruned alone, and its answers are judged by the trained model's all the same.
        for (right, stored) in [&found[0], &found[2]] {
            let paired = of(stored).paired;
            let lost = i64::from(paired.only_first) - i64::from(paired.only_second);
            let wanted = i64::from(exact.0) - i64::from(*right);
            assert_eq!(lost, wanted, "{family}");
        }
    }
}

#[test]
fn fine_tuning_makes_up_for_few_digits_and_keeps_pruned_weights_at_zero() {
    let (lab, trainer) = trained("lenet");
    let (graph, weights) = (trainer.graph(), trainer.kept().unwrap().0);
    let exact = answered(&lab, graph, weights, &asked("f32")).0;
    let plain = answered(&lab, graph, weights, &asked("ternary")).0;
    let tuned = with("ternary", |it| it.fine_tune_epochs = Some(5));
    let (better, stored) = answered(&lab, graph, weights, &tuned);
    println!("ternary: {plain} right, fine-tuned {better}, f32 {exact}");
    assert!(better > plain && better + 12 >= exact);
    assert_eq!(
        answered(&lab, graph, weights, &tuned).1.digest(),
        stored.digest()
    );
    let sparse = with("int8", |it| {
        it.pruning = Some("weights".into());
        it.pruned_percent = Some(70);
        it.fine_tune_epochs = Some(3);
    });
    let (right, stored) = answered(&lab, graph, weights, &sparse);
    let untuned = QuantizationSpec {
        fine_tune_epochs: None,
        ..sparse
    };
    let before = answered(&lab, graph, weights, &untuned).0;
    println!("70 % of the weights at 0, int8: {before} right, fine-tuned {right}, f32 {exact}");
    assert!(right > before && right + 12 >= exact);
    for name in ["conv2.weight", "dense.weight"] {
        let values = &stored.weights().get(name).unwrap().values;
        let zeros = values.iter().filter(|it| **it == 0.0).count();
        assert!(zeros >= values.len() * 70 / 100, "{name}");
    }
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
