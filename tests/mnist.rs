//! Trains every family on images of 28×28, the test part of MNIST, where its folder lies beside the project;
//! integers may cost half a point.
//!
//! Where it does not, each training is reported as not run, with the reason; files that cannot be read are failures.

mod support;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::process::ExitCode;
use support::lab::{Lab, finish};
use support::mnist;

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
    let trials = FAMILIES
        .into_iter()
        .map(|(family, wanted)| {
            Trial::ignorable_test(format!("{family}_learns_mnist"), move || {
                learns(family, wanted)
            })
        })
        .collect();
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
