//! That each fault touches what it says and nothing else.

use super::*;
use crate::data::{load, split};
use crate::recipe::Recipe;

fn digits() -> (Dataset, Split) {
    let data = load("digits").expect("built in");
    let recipe = Recipe::default_for("digits", "lenet");
    let parts = split(&data, &recipe.split, 1).expect("enough");
    (data, parts)
}

#[test]
fn a_fault_touches_the_share_of_rows_that_it_says_and_no_other() {
    let (data, parts) = digits();
    for (fault, name) in FAULTS {
        let made = inject(&data, &parts, fault, 0.1, 1).expect("fits");
        let again = inject(&data, &parts, fault, 0.1, 1).expect("fits");
        assert_eq!(again.data.digest(), made.data.digest(), "{name}");
        if fault == Fault::ClassDrop {
            assert_eq!(data.rows() - made.data.rows(), 18);
            assert_eq!(made.data.class_counts()[..9], data.class_counts()[..9]);
            continue;
        }
        let among = match fault {
            Fault::LabelFlips | Fault::Duplicates => parts.train.len(),
            Fault::Leakage | Fault::Drift => parts.test.len(),
            _ => data.labels.len(),
        };
        assert_eq!(
            made.touched.len(),
            (among as f64 * 0.1 + 0.5) as usize,
            "{name}"
        );
        for row in 0..data.rows() {
            let same = made.data.row(row) == data.row(row)
                && made.data.labels[row as usize] == data.labels[row as usize];
            let touched = made.touched.binary_search(&row).is_ok();
            assert!(same || touched, "{name} changed row {row}");
            // Blurred blank space, or a stuck sensor at a constant end, may look as before.
            let must_differ = matches!(
                fault,
                Fault::LabelFlips
                    | Fault::Missing
                    | Fault::Noise
                    | Fault::WrongScale
                    | Fault::Drift
            );
            assert!(!(same && touched && must_differ), "{name} left row {row}");
        }
    }
}

#[test]
fn copies_are_copies_of_rows_that_train() {
    let (data, parts) = digits();
    for fault in [Fault::Duplicates, Fault::Leakage] {
        let made = inject(&data, &parts, fault, 0.05, 3).expect("fits");
        for row in &made.touched {
            let twin = parts
                .train
                .iter()
                .find(|other| **other != *row && data.bytes(**other) == made.data.bytes(*row));
            let twin = *twin.expect("a row that trains") as usize;
            assert_eq!(made.data.labels[*row as usize], data.labels[twin]);
        }
    }
}

#[test]
fn seeds_differ_and_absurd_severities_are_refused() {
    let (data, parts) = digits();
    let of = |seed| {
        inject(&data, &parts, Fault::Noise, 0.1, seed)
            .expect("fits")
            .touched
    };
    assert_ne!(of(1), of(2));
    for severity in [0.0, -1.0, 1.5, f64::NAN] {
        assert!(inject(&data, &parts, Fault::Noise, severity, 1).is_err());
    }
    assert!(inject(&data, &parts, Fault::Duplicates, 1.0, 1).is_err());
}

#[test]
fn every_fault_has_the_name_that_recipes_give_it() {
    let names = FAULTS.map(|(_, name)| name);
    assert_eq!(names, crate::recipe::fields::FAULTS);
}
