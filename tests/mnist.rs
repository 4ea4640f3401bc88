//! Trains every family on images of 28×28, the test part of MNIST, and checks them, where its folder lies beside the project;
//! integers may cost half a point.
//!
//! Where it does not, each training is reported as not run, with the reason; files that cannot be read are failures.

mod support;

use assay::recipe::Recipe;
use assay::result::{Finding, FindingStatus as Status};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::process::ExitCode;
use support::lab::{Lab, finish};
use support::mnist;
use support::pump::findings;

/// Family, and the share of 2,000 images that it must answer rightly; below the worst seed of docs/families.md.
const FAMILIES: [(&str, f64); 6] = [
    ("lenet", 0.97),
    ("mlp", 0.95),
    ("resnet", 0.95),
    ("mobilenet", 0.95),
    ("vit", 0.90),
    ("mixer", 0.92),
];

fn main() -> ExitCode {
    let mut trials: Vec<Trial> = FAMILIES
        .into_iter()
        .map(|(family, wanted)| {
            Trial::ignorable_test(format!("{family}_learns_mnist"), move || {
                learns(family, wanted)
            })
        })
        .collect();
    trials.push(Trial::ignorable_test("mnist_passes_its_checks", || {
        checked(None, |findings| {
            let alarms: Vec<&Finding> = (findings.iter())
                .filter(|it| it.status != Status::Pass)
                .collect();
            alarms.is_empty().then_some(()).ok_or(format!("{alarms:?}"))
        })
    }));
    trials.push(Trial::ignorable_test(
        "label_flips_of_mnist_are_estimated_within_three_points",
        || {
            checked(Some(0.1), |findings| {
                let found = findings.iter().find(|it| it.check == "consistency");
                let found = found.ok_or("no estimate")?;
                let share = f64::from(found.count) / f64::from(found.of);
                let near = found.of > 0 && (share - 0.1).abs() < 0.03;
                near.then_some(()).ok_or(format!("{share} of {}", found.of))
            })
        },
    ));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn learns(family: &str, wanted: f64) -> Result<Completion, Failed> {
    let Some(data) = mnist::load() else {
        return Ok(Completion::ignored_with(format!(
            "there is no {}",
            mnist::FOLDER
        )));
    };
    let lab = Lab::on(&mnist::recipe(family), &data?);
    let mut trainer = lab.trainer();
    finish(&mut trainer);
    let accuracy = lab.test_accuracy(&trainer, "f32");
    if accuracy < wanted {
        return Err(format!("{accuracy} right, expected {wanted}").into());
    }
    for scheme in ["int8", "int8-dynamic"] {
        let found = lab.test_accuracy(&trainer, scheme);
        println!("{family} {scheme}: {found} right, f32 {accuracy}");
        if found < accuracy - 0.005 {
            return Err(format!("{scheme}: {found} right, f32 {accuracy}").into());
        }
    }
    Ok(Completion::Completed)
}

/// Judges what the lab's checks find in the files as a person opens them; `flipped` is the share of the training labels that
/// are made wrong before.
fn checked(
    flipped: Option<f64>,
    judge: fn(&[Finding]) -> Result<(), String>,
) -> Result<Completion, Failed> {
    let Some(maker) = mnist::opened() else {
        return Ok(Completion::ignored_with(format!(
            "there is no {}",
            mnist::FOLDER
        )));
    };
    let maker = maker?;
    let mut recipe = Recipe::default_for("own", "mlp");
    recipe.data = mnist::data(&maker)?;
    recipe.data.faults = flipped.map(|share| [("label flips".into(), share)].into());
    judge(&findings(&maker, &recipe).findings)?;
    Ok(Completion::Completed)
}
