//! Each check finds what was put in, as often as it was, and is silent where nothing was; a larger matrix is
//! `examples/detection.rs`.

mod opinions;

use super::integrity::Integrity;
use super::*;
use crate::data;
use crate::data::faults::{Fault, inject};
use crate::data::{Edited, Expected, Groups, Values, chess, load, split, vibration};
use crate::recipe::{DataSpec, Recipe};

fn divided(data: &Dataset, seed: u32) -> Split {
    let recipe = Recipe::default_for("digits", "lenet");
    split(data, &recipe.split, seed).expect("enough rows")
}

fn digits() -> (Dataset, Split) {
    let data = load("digits").expect("built in");
    let parts = divided(&data, 1);
    (data, parts)
}

fn finding(data: &Dataset, parts: &Split, check: &str) -> Finding {
    let findings = run(&Input::new(data, parts));
    let found = findings.findings.into_iter().find(|it| it.check == check);
    found.unwrap_or_else(|| panic!("no {check}"))
}

/// What is not a pass, in words.
fn alarms(data: &Dataset, parts: &Split) -> Vec<String> {
    let findings = run(&Input::new(data, parts));
    (findings.findings.iter())
        .filter(|it| it.status != Status::Pass)
        .map(|it| format!("{}: {} {:?}", it.check, it.message, it.examples))
        .collect()
}

#[test]
fn no_check_names_a_row_that_was_dropped() {
    for (fault, name) in crate::data::faults::FAULTS {
        let (data, parts) = digits();
        let faulty = inject(&data, &parts, fault, 0.1, 1).expect("fits");
        let rows_of = |findings: Findings| -> Vec<u32> {
            let of_rows = findings.findings.into_iter().filter(|it| it.unit == "rows");
            order::distinct(of_rows.flat_map(|it| it.affected))
        };
        let named = rows_of(run(&Input::new(&faulty.data, &faulty.parts)));
        let edits = crate::recipe::Edits {
            dropped: named.clone(),
            ..crate::recipe::Edits::default()
        };
        let left = data::edit(faulty.data, faulty.parts, edits).expect("rows are left");
        let after = run(&Input::new(&left.0, &left.1));
        let kept = 1797 - named.len() as u32;
        assert!(
            after
                .findings
                .iter()
                .all(|it| it.unit != "rows" || it.of <= kept),
            "{name}"
        );
        let again = rows_of(after);
        assert!(
            again.iter().all(|row| named.binary_search(row).is_err()),
            "{name}: {again:?}"
        );
        if !matches!(
            fault,
            Fault::LabelFlips | Fault::Noise | Fault::ClassDrop | Fault::Drift
        ) {
            assert!(!named.is_empty() && again.len() < named.len(), "{name}");
        }
    }
}

#[test]
fn the_sets_that_come_with_it_raise_no_alarm() {
    let mut found = Vec::new();
    for seed in 1..=5 {
        let (data, _) = digits();
        found.extend(alarms(&data, &divided(&data, seed)));
        let parameters = chess::Parameters {
            positions: 60,
            seed,
            ..chess::Parameters::default()
        };
        let data = chess::generate(&parameters).expect("in range");
        found.extend(alarms(&data, &divided(&data, seed)));
        let parameters = vibration::Parameters {
            windows: 600,
            seed,
            ..vibration::Parameters::default()
        };
        let data = vibration::generate(&parameters).expect("in range");
        found.extend(alarms(&data, &divided(&data, seed)));
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn so_many_planted_duplicates_are_found_as_so_many() {
    let (data, parts) = digits();
    for severity in [0.001, 0.01, 0.2] {
        let made = inject(&data, &parts, Fault::Duplicates, severity, 7).expect("fits");
        let found = finding(&made.data, &made.parts, "duplicates");
        assert_eq!(found.count as usize, made.touched.len(), "{severity}");
        let status = if severity > 0.1 {
            Status::Fail
        } else {
            Status::Warn
        };
        assert_eq!(found.status, status);
    }
}

#[test]
fn each_fault_is_found_by_its_check() {
    let (data, parts) = digits();
    for (fault, check) in [
        (Fault::Leakage, "leakage"),
        (Fault::Missing, "missing"),
        (Fault::WrongScale, "scale"),
        (Fault::ClassDrop, "balance"),
        (Fault::Drift, "drift"),
    ] {
        let severity = if fault == Fault::ClassDrop { 0.9 } else { 0.3 };
        let made = inject(&data, &parts, fault, severity, 1).expect("fits");
        let found = finding(&made.data, &made.parts, check);
        assert!(found.status > Status::Pass, "{fault:?}: {}", found.message);
    }
    let parameters = vibration::Parameters {
        windows: 600,
        sensor: vibration::Sensor::Stuck,
        ..vibration::Parameters::default()
    };
    let data = vibration::generate(&parameters).expect("in range");
    let found = finding(&data, &divided(&data, 1), "constant");
    assert_eq!(found.status, Status::Fail, "{}", found.message);
}

#[test]
fn a_copy_that_differs_a_little_is_near_and_leaks() {
    let (mut data, parts) = digits();
    let (from, to) = (parts.train[0] as usize, parts.test[0] as usize);
    data.labels[to] = data.labels[from];
    if let Values::Bytes { values, .. } = &mut data.values {
        values.copy_within(from * 64..(from + 1) * 64, to * 64);
        values[to * 64 + 27] ^= 1;
    }
    let near = finding(&data, &parts, "near");
    assert!(near.examples.contains(&(from.max(to) as u32)), "{near:?}");
    let leaked = finding(&data, &parts, "leakage");
    assert_eq!(leaked.examples, [to as u32]);
    assert!(
        leaked.message.contains("0 equal, 1 near, 0 by group"),
        "{}",
        leaked.message
    );
}

#[test]
fn a_group_on_both_sides_leaks_and_repeats_within_one_are_no_alarm() {
    let (mut data, parts) = digits();
    data.groups = Some(Groups {
        name: "writer".into(),
        of_row: (0..data.rows()).map(|row| row % 13).collect(),
        reserved: Vec::new(),
    });
    let leaked = finding(&data, &parts, "leakage");
    assert_eq!(
        leaked.count as usize,
        parts.test.len() + parts.validation.len()
    );
    let whole = divided(&data, 1);
    assert_eq!(finding(&data, &whole, "leakage").count, 0);
    // Rows 0 and 13 are of one writer, 0 and 14 are not.
    for (to, alone, declared) in [(13, 1, 0), (14, 1, 1)] {
        let mut copied = data.clone();
        if let Values::Bytes { values, .. } = &mut copied.values {
            values.copy_within(0..64, to * 64);
        }
        assert_eq!(finding(&copied, &whole, "duplicates").count, alone);
        copied.expected.repeats_in_group = true;
        assert_eq!(finding(&copied, &whole, "duplicates").count, declared);
    }
}

#[test]
fn labels_out_of_range_and_broken_schemas_are_failures() {
    let (mut data, parts) = digits();
    data.labels[5] = 10;
    let found = finding(&data, &parts, "labels");
    assert_eq!(
        (found.status, found.count, found.examples),
        (Status::Fail, 1, vec![5])
    );
    let (mut data, mut parts) = digits();
    let row = parts.train[0];
    parts.test.push(row);
    if let Values::Bytes { values, .. } = &mut data.values {
        values.pop();
    }
    let findings = run(&Input::new(&data, &parts));
    assert_eq!(findings.findings.len(), 1);
    let message = &findings.findings[0].message;
    assert!(
        message.contains("do not fill") && message.contains("two parts"),
        "{message}"
    );
}

#[test]
fn a_changed_file_is_named() {
    let (data, parts) = digits();
    let known = |name: &str, bytes: &[u8], after: &[u8]| Known {
        name: name.into(),
        expected: crate::digest::sha256_hex(bytes),
        found: crate::digest::sha256_hex(after),
    };
    let files = [
        known("images", b"abc", b"abc"),
        known("labels", b"abc", b"abd"),
    ];
    let mut input = Input::new(&data, &parts);
    input.known = &files;
    let finding = Integrity.run(&input);
    assert_eq!((finding.status, finding.count), (Status::Fail, 1));
    assert!(finding.message.contains("labels") && !finding.message.contains("images"));
    input.known = &files[..1];
    assert_eq!(Integrity.run(&input).status, Status::Pass);
    assert_eq!(Integrity.run(&Input::new(&data, &parts)).of, 0);
}

#[test]
fn the_built_in_set_and_files_have_a_digest_from_before() {
    let (mut data, parts) = digits();
    let judged = |spec: &DataSpec, data: &Dataset| {
        let known = known(spec, data);
        let mut input = Input::new(data, &parts);
        input.known = &known;
        let finding = Integrity.run(&input);
        (finding.status, finding.of)
    };
    let spec = DataSpec::named("digits");
    assert_eq!(judged(&spec, &data), (Status::Pass, 1));
    if let Values::Bytes { values, .. } = &mut data.values {
        values[4711] ^= 1;
    }
    assert_eq!(judged(&spec, &data), (Status::Fail, 1));
    let mut own = DataSpec::named("own");
    own.file = Some("ab".repeat(32));
    data.source = "ab".repeat(32);
    assert_eq!(judged(&own, &data), (Status::Pass, 1));
    data.source = "cd".repeat(32);
    assert_eq!(judged(&own, &data), (Status::Fail, 1));
    assert_eq!(judged(&DataSpec::named("chess"), &data), (Status::Pass, 0));
}

#[test]
fn columns_of_a_table_are_judged_one_by_one() {
    let mut random = crate::rng::Stream::new(3, "table", 0);
    let values: Vec<f32> = (0..400)
        .flat_map(|row| {
            [
                random.normal(),
                7.0,
                5.0 + random.normal() * 2.0,
                if row % 4 == 0 { f32::NAN } else { 1.0 },
            ]
        })
        .collect();
    let mut data = Dataset {
        set: "own".into(),
        title: String::new(),
        attribution: String::new(),
        licence: String::new(),
        classes: vec!["a".into(), "b".into()],
        channels: 1,
        height: 1,
        width: 4,
        values: Values::Reals(values),
        labels: (0..400).map(|row| row % 2).collect(),
        groups: None,
        expected: Expected::unknown(2),
        notes: Vec::new(),
        source: String::new(),
        edited: Edited::default(),
    };
    let parts = divided(&data, 1);
    let constant = finding(&data, &parts, "constant");
    assert_eq!(constant.examples, [1, 3]);
    assert_eq!(finding(&data, &parts, "missing").count, 100);
    assert_eq!(finding(&data, &parts, "near").of, 0);
    assert_eq!(finding(&data, &parts, "drift").status, Status::Pass);
    if let Values::Reals(values) = &mut data.values {
        for row in &parts.test {
            values[*row as usize * 4 + 2] += 4.0;
        }
    }
    let drift = finding(&data, &parts, "drift");
    assert_eq!((drift.status, drift.examples), (Status::Warn, vec![2]));
}

#[test]
fn quality_is_one_less_the_worst_share_of_a_side() {
    let (data, parts) = digits();
    let clean = run(&Input::new(&data, &parts));
    assert!(
        clean.quality.iter().all(|it| it.score > 0.99),
        "{:?}",
        clean.quality
    );
    let made = inject(&data, &parts, Fault::Missing, 0.25, 1).expect("fits");
    let findings = run(&Input::new(&made.data, &made.parts));
    let complete = findings
        .quality
        .iter()
        .find(|it| it.dimension == Dimension::Completeness);
    assert!((complete.expect("checked").score - 0.75).abs() < 0.01);
    assert_eq!(findings.status(), Status::Fail);
}

#[test]
fn checks_have_names_of_their_own() {
    let mut names: Vec<&str> = CHECKS.iter().map(|check| check.name()).collect();
    assert!(CHECKS.iter().all(|check| check.looks_at().len() > 10));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), CHECKS.len());
}
