//! Short trainings of every family and of graphs with every layer: one digest each, for every browser and the command.
//!
//! A digest that differs from the committed one is printed as a line to put in its place. That is right only together with
//! a new version of the arithmetic.

use super::graphs;
use super::numerics::{ready, text};
use super::{Case, engine};
use assay::data::{Rows, Scaler, Split};
use assay::engine::cpu::{ARITHMETIC, CpuEngine};
use assay::engine::{Engine, Parameters, TrainStep};
use assay::eval::score;
use assay::model::plan;
use assay::recipe::Recipe;
use assay::rng::Stream;
use assay::train::optimizer::Update;
use assay::train::{Step, Trainer};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "a_short_training_of_each_family_has_the_committed_digests",
            run: short_trainings_have_their_digests,
        },
        Case {
            name: "three_steps_of_each_graph_have_the_committed_digest",
            run: graphs_have_their_digests,
        },
        Case {
            name: "the_same_recipe_gives_the_same_digests_and_another_seed_others",
            run: digests_follow_the_recipe,
        },
        Case {
            name: "a_training_resumed_from_a_checkpoint_has_the_digest_of_one_that_went_through",
            run: resumed_training_is_the_same,
        },
    ]
}

/// The digits without their files: rows that any build can make, with a shape and classes of their own.
pub(crate) fn made_up_rows() -> (Rows, Split) {
    let mut stream = Stream::new(3, "rows", 0);
    let labels: Vec<u16> = (0..90).map(|row| (row % 3) as u16).collect();
    let mut features = Vec::new();
    for &label in &labels {
        for place in 0..64 {
            let bright = place % 3 == usize::from(label);
            features.push(if bright { 0.5 } else { 0.0 } + 0.5 * stream.unit());
        }
    }
    let rows = Rows {
        features,
        labels,
        shape: [1, 8, 8],
        scaler: Scaler {
            mean: 0.0,
            deviation: 1.0,
        },
    };
    let split = Split {
        train: (0..50).collect(),
        validation: (50..70).collect(),
        test: (70..90).collect(),
    };
    (rows, split)
}

/// Family, digest of the weights, digest of the answers.
const FAMILIES: [(&str, &str, &str); 6] = [
    (
        "mlp",
        "0ae0bb5c9f4019bf4af29aa4754586a3455a30959ffdbde9ed4bd1f71f88fd40",
        "be156fda651edb194bc9355ebd46116fb58e9f0d884ffae7cb5a9aafe55fb9ab",
    ),
    (
        "lenet",
        "59556b3fc128c3fcc7071904b662f1d228cd7745bf87e94396e04ccdff2911f8",
        "b2d94adf1ad39cf9a00ad3c16f0e36b194f92fd60783e4cb9df40ce9cfcdbae7",
    ),
    (
        "resnet",
        "0afd2f97d1cf2b17569b23c065a090d8a31a42428acd6b6f173969c87f8eed37",
        "be156fda651edb194bc9355ebd46116fb58e9f0d884ffae7cb5a9aafe55fb9ab",
    ),
    (
        "mobilenet",
        "f7ba7832b241e2f514af0b9803f5ba5a0b89bda307ebbd3c4e96b61454ed6653",
        "e5a28fd1d2b17f5b6255f0b4902c813e4436d813fbdea1133c06195c52bb1d15",
    ),
    (
        "vit",
        "1572b465878bf6a06bf1ce1cce698f7a1e00e5b790713e64e2caea5bb128baea",
        "924fdd8979623fb3f7db63ac8be48f5ad84d8f2a3128424c14f66559f8763eab",
    ),
    (
        "mixer",
        "83a355aa6ee92c9841e3612a6544ca65d034924510adf578abf599df06f1f08b",
        "be156fda651edb194bc9355ebd46116fb58e9f0d884ffae7cb5a9aafe55fb9ab",
    ),
];

/// Graph and digest of its weights after three steps.
const GRAPHS: [(&str, &str); 12] = [
    (
        "mlp",
        "9ededcb771a71407c34c095cfdfd18e9cd49e74da7cdc10d96cad41aa22fa378",
    ),
    (
        "one number",
        "885cc2dae53256cedcb9c767a97159f9a3b295e093f58a33dd9c67060b92bf6f",
    ),
    (
        "lenet",
        "0ec5b8834d939907331994f138e90a830023d260aa93166b9b60afb0a8d763d6",
    ),
    (
        "uneven windows",
        "851b5ff1121c2cd92c3713504f337da839d96849d352f7d405403a23e3bc929a",
    ),
    (
        "a long row",
        "bc3f9b45b1548eb639346eae87bb6235096caaf1e83add89ffc666ebe1397c31",
    ),
    (
        "resnet",
        "39bb341d2f1deb51bc093f63c5dbc64c947e741d3366e67da3cc3e8b8713d921",
    ),
    (
        "mobilenet",
        "11cf30b7d9d6aaeb2f3b5210b52824538f8f5a38cf4908d3aeb51c6ee27652e3",
    ),
    (
        "vit",
        "7b1de60d9efd35ad7ac9eceb6aba25a7ba8b57cbff19884bfea341055ecdea25",
    ),
    (
        "mixer",
        "20d6756d5a158dc81da2030abd34e58b7a73155bc9ec424dde246201ea80ae16",
    ),
    (
        "wide",
        "28bd1f1a2d86457c90eabe5b90c071f69d679861e97f76cff82b954e3ae64056",
    ),
    (
        "read twice",
        "20febe279fc714faf7f19b8ad3c72c49fac3788940fe33dbfdc63c2d5e4f618d",
    ),
    (
        "dropout",
        "731c26689115e251bb5787381a7dcf8f9dea2e3cdd16caeabcd174bda39bb427",
    ),
];

/// Every number that decides the digest is here, so that new defaults leave it as it is.
fn short_recipe(family: &str) -> Recipe {
    let mut recipe = Recipe::default_for("digits", family);
    let training = &mut recipe.training;
    training.epochs = 3;
    training.batch_size = 16;
    training.weight_decay = 0.01;
    training.warmup_epochs = 1.0;
    training.schedule = "cosine".into();
    training.keep = "best".into();
    training.optimizer = "adamw".into();
    training.momentum = None;
    training.learning_rate = 0.01;
    training.label_smoothing = Some(0.1);
    let architecture = &mut recipe.architecture;
    match family {
        "mlp" => {
            training.optimizer = "sgd".into();
            training.momentum = Some(0.9);
            training.learning_rate = 0.05;
            training.label_smoothing = None;
            architecture.activation = "tanh".into();
            architecture.depth = Some(2);
            architecture.width = Some(19);
            architecture.normalization = Some("none".into());
            architecture.dropout = Some(0.0);
        }
        "lenet" => {
            architecture.activation = "gelu".into();
            architecture.channels = Some(5);
            architecture.kernel = Some(3);
            architecture.dense = Some(33);
            architecture.normalization = Some("none".into());
            architecture.pooling = Some("max".into());
            architecture.dropout = Some(0.25);
        }
        "resnet" => {
            architecture.activation = "relu".into();
            architecture.depth = Some(8);
            architecture.width = Some(6);
            architecture.normalization = Some("batch".into());
            architecture.residual = Some("on".into());
            architecture.dropout = Some(0.0);
        }
        "mobilenet" => {
            architecture.activation = "hardswish".into();
            architecture.depth = Some(3);
            architecture.width = Some(8);
            architecture.normalization = Some("batch".into());
            architecture.dropout = Some(0.0);
        }
        _ => {
            architecture.activation = "gelu".into();
            architecture.depth = Some(2);
            architecture.width = Some(16);
            architecture.patch = Some(2);
            architecture.dropout = Some(0.1);
            if family == "vit" {
                architecture.heads = Some(2);
            }
        }
    }
    recipe
}

/// Trains until the end, taking a checkpoint after an epoch and going on from it in a new trainer where one is named.
fn trained_digests(recipe: &Recipe, resume_after: Option<u32>) -> Result<[String; 2], String> {
    let (rows, split) = made_up_rows();
    let plan = plan(recipe, rows.shape, 3, split.train.len() as u32).map_err(text)?;
    let mut engine = CpuEngine::new();
    ready(engine.load(&rows)).map_err(text)?;
    let mut trainer = ready(Trainer::new(&engine, &plan, recipe, &rows, &split)).map_err(text)?;
    loop {
        match ready(trainer.step()).map_err(text)? {
            Step::EpochDone(point) if Some(point.epoch) == resume_after => {
                let bytes = ready(trainer.checkpoint()).map_err(text)?;
                trainer = ready(Trainer::resume(
                    &engine, &plan, recipe, &rows, &split, &bytes,
                ))
                .map_err(text)?;
            }
            Step::Finished(_) => break,
            Step::NonFinite { step } => return Err(format!("non-finite in step {step}")),
            Step::EpochDone(_) | Step::Stepped { .. } => {}
        }
    }
    let (weights, _) = trainer.kept().ok_or("nothing kept")?;
    let parameters = Parameters::Exact(weights);
    let mut executable = ready(engine.prepare(&plan.graph, parameters, 64)).map_err(text)?;
    let logits = ready(executable.logits(&split.test)).map_err(text)?;
    let labels: Vec<u16> = (split.test.iter().map(|&row| rows.labels[row as usize])).collect();
    let names = ["0", "1", "2"].map(String::from);
    let scored = score(&logits, &split.test, &labels, &names, 0.95).map_err(text)?;
    Ok([weights.digest(), scored.predictions_digest])
}

fn short_trainings_have_their_digests() -> Result<(), String> {
    let mut changed = Vec::new();
    for (family, weights, answers) in FAMILIES {
        let found = trained_digests(&short_recipe(family), None)?;
        if found != [weights, answers] {
            changed.push(format!(
                "(\"{family}\", \"{}\", \"{}\"),",
                found[0], found[1]
            ));
        }
    }
    unchanged(&changed)
}

fn graphs_have_their_digests() -> Result<(), String> {
    let mut changed = Vec::new();
    let all = graphs::all();
    if all.len() != GRAPHS.len() {
        return Err(format!("{} graphs, {} digests", all.len(), GRAPHS.len()));
    }
    for (named, (name, committed)) in all.iter().zip(GRAPHS) {
        let rows = engine::rows(&named.graph);
        let mut executable = engine::prepared(named, &rows, 64);
        let steps: Vec<TrainStep> = (1..=3)
            .map(|key| TrainStep {
                update: Update::AdamW {
                    rate: 0.01,
                    scale: 1.0,
                    shrink: 0.001,
                },
                label_smoothing: 0.1,
                ..engine::still(key)
            })
            .collect();
        ready(executable.train(&steps)).map_err(text)?;
        let digest = ready(executable.state()).map_err(text)?.weights.digest();
        if (named.name, digest.as_str()) != (name, committed) {
            changed.push(format!("(\"{}\", \"{digest}\"),", named.name));
        }
    }
    unchanged(&changed)
}

fn unchanged(changed: &[String]) -> Result<(), String> {
    if changed.is_empty() {
        Ok(())
    } else {
        Err(format!("now under {ARITHMETIC}:\n{}", changed.join("\n")))
    }
}

fn digests_follow_the_recipe() -> Result<(), String> {
    for (family, ..) in FAMILIES {
        let mut recipe = short_recipe(family);
        recipe.training.epochs = 1;
        let digests = trained_digests(&recipe, None)?;
        if trained_digests(&recipe, None)? != digests {
            return Err(format!("{family}: the same recipe twice gave two digests"));
        }
        recipe.seed += 1;
        if trained_digests(&recipe, None)?[0] == digests[0] {
            return Err(format!("{family}: another seed gave the same digest"));
        }
    }
    Ok(())
}

fn resumed_training_is_the_same() -> Result<(), String> {
    for family in ["lenet", "mlp", "resnet"] {
        for keep in ["best", "last"] {
            let mut recipe = short_recipe(family);
            recipe.training.keep = keep.into();
            let straight = trained_digests(&recipe, None)?;
            for epoch in [1, 2, 3] {
                if trained_digests(&recipe, Some(epoch))? != straight {
                    return Err(format!(
                        "{family}, keep {keep}: differs after resuming at epoch {epoch}"
                    ));
                }
            }
        }
    }
    Ok(())
}
