//! The lab on files of a person's own and on data with faults: what it reads, what it refuses, which labels it doubts, and
//! what faults do to accuracy.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use assay::data::import::{Opened, Options, Reading};
use assay::data::{self, LocalMaker};
use assay::recipe::{DataSpec, Recipe};
use assay::result::{Finding, FindingStatus as Status};
use support::pump::{findings, run};

/// Three kinds of plants that four numbers tell apart, as a table.
fn table(rows: u32) -> String {
    let mut text = "petal,sepal,stem,leaf,species\n".to_owned();
    let mut random = assay::rng::Stream::new(1, "plants", 0);
    for row in 0..rows {
        let kind = row % 3;
        for column in 1..=4 {
            text += &format!("{:.3},", (kind * column) as f32 + random.unit());
        }
        text += ["aster\n", "birch\n", "clover\n"][kind as usize];
    }
    text
}

fn opened(files: &[(&str, &str)]) -> LocalMaker {
    let mut maker = LocalMaker::default();
    for (name, text) in files {
        maker.opened.add(name, text.as_bytes()).unwrap();
    }
    maker
}

/// A small recipe that learns from what was opened.
fn recipe_of(opened: &Opened) -> Recipe {
    let dataset = Reading::new(opened, &Options::default()).dataset().unwrap();
    let mut recipe = Recipe::default_for("own", "mlp");
    data::state(&mut recipe.data, &opened.identity(), &dataset);
    recipe.evaluation.latency_secs = 0.0;
    recipe
}

/// A default recipe of the digits with a fault, with a reason to run it all the same.
fn faulty(fault: &str, severity: f64) -> Recipe {
    let mut recipe = Recipe::default_for("digits", "mlp");
    recipe.data = DataSpec {
        faults: Some([(fault.into(), severity)].into()),
        reason: Some("to see what it does".into()),
        ..DataSpec::named("digits")
    };
    recipe.evaluation.latency_secs = 0.0;
    recipe
}

fn of(check: &str, recipe: &Recipe) -> Finding {
    let found = findings(&LocalMaker::default(), recipe).findings;
    let one = found.into_iter().find(|it| it.check == check);
    one.unwrap()
}

#[test]
fn a_table_is_learned_from_and_learned_from_again_to_the_same_weights() {
    let maker = opened(&[("plants.csv", &table(300))]);
    let recipe = recipe_of(&maker.opened);
    assert_eq!(recipe.data.file().len(), 64);
    let record = run(&maker, &recipe).unwrap();
    let accuracy = record.results.accuracy.as_ref().unwrap();
    assert!(accuracy.value() > 0.9, "{accuracy:?}");
    // The same bytes under another name.
    let again = run(&opened(&[("copy.csv", &table(300))]), &recipe).unwrap();
    assert_eq!(again.digests.weights, record.digests.weights);
    assert_eq!(again.digests.data, record.digests.data);
}

#[test]
fn another_file_none_and_what_the_recipe_misstates_are_refused_in_words() {
    let maker = opened(&[("plants.csv", &table(300))]);
    let recipe = recipe_of(&maker.opened);
    let (kind, words) = run(&LocalMaker::default(), &recipe).unwrap_err();
    assert_eq!(kind, "no-file");
    assert!(words.contains(recipe.data.file()), "{words}");
    let changed = table(300).replacen("aster", "birch", 1);
    let (_, words) = run(&opened(&[("plants.csv", &changed)]), &recipe).unwrap_err();
    assert!(words.contains("the file plants.csv"), "{words}");
    let mut misstated = recipe;
    misstated.data.classes = Some(4);
    let (_, words) = run(&maker, &misstated).unwrap_err();
    assert!(
        words.contains("in 3 classes") && words.contains("in 4 classes"),
        "{words}"
    );
}

#[test]
fn of_a_pair_the_file_with_a_flipped_byte_is_named() {
    let images: Vec<u8> = [0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 2]
        .into_iter()
        .chain(0..16)
        .collect();
    let labels = [0, 0, 8, 1, 0, 0, 0, 4, 0, 1, 0, 1];
    let mut pair = LocalMaker::default();
    pair.opened.add("images", &images).unwrap();
    pair.opened.add("labels", &labels).unwrap();
    let identity = pair.opened.identity();
    let mut flipped = labels;
    flipped[9] ^= 1;
    let mut changed = Opened::default();
    changed.add("images", &images).unwrap();
    changed.add("labels", &flipped).unwrap();
    let words = changed.check(&identity).unwrap_err().to_string();
    assert!(words.contains("the file labels"), "{words}");
}

#[test]
fn flipped_labels_raise_an_alarm_and_clean_ones_none() {
    for seed in 1..=3 {
        let mut recipe = faulty("label flips", 0.1);
        recipe.seed = seed;
        let found = of("consistency", &recipe);
        let share = f64::from(found.count) / f64::from(found.of);
        assert_ne!(found.status, Status::Pass, "{found:?}");
        assert!((share - 0.1).abs() < 0.03, "seed {seed}: {share}");
        recipe.data = DataSpec::named("digits");
        assert_eq!(of("consistency", &recipe).status, Status::Pass);
    }
    // Small models cannot read a machine's signal, and say so instead of doubting it.
    let mut signal = Recipe::default_for("vibration", "mlp");
    signal.data.size = Some(600);
    let found = of("consistency", &signal);
    assert_eq!((found.status, found.of), (Status::Pass, 0), "{found:?}");
}

#[test]
fn models_tell_parts_that_drifted_apart_and_alike_ones_not() {
    for seed in 1..=3 {
        let mut recipe = faulty("drift", 0.8);
        recipe.seed = seed;
        let found = of("samples", &recipe);
        assert_ne!(found.status, Status::Pass, "{found:?}");
        recipe.data = DataSpec::named("digits");
        let found = of("samples", &recipe);
        assert!(found.of > 600 && found.status == Status::Pass, "{found:?}");
    }
    // A few machines differ by nature.
    let mut signal = Recipe::default_for("vibration", "mlp");
    signal.data.size = Some(600);
    assert_eq!(of("samples", &signal).of, 0);
}

#[test]
fn faults_that_a_model_learns_from_cost_accuracy() {
    let mut clean = faulty("label flips", 0.5);
    clean.data = DataSpec::named("digits");
    let reached = |recipe: &Recipe| {
        let record = run(&LocalMaker::default(), recipe).unwrap();
        record.results.accuracy.unwrap().value()
    };
    let clean = reached(&clean);
    for (fault, severity, least) in [
        ("label flips", 0.5, 0.05),
        ("wrong scale", 0.5, 0.2),
        ("noise", 1.0, 0.1),
        ("drift", 0.8, 0.02),
    ] {
        let with = reached(&faulty(fault, severity));
        println!("{fault} {severity}: {with:.4}, clean {clean:.4}");
        assert!(with < clean - least, "{fault}: {with}, clean {clean}");
    }
}
