//! Hostile files: random changes of good ones, at every reader of a person's own data.
//!
//! 20,000 inputs a reader, or as many as `ASSAY_FUZZ_CASES` says. A reader may refuse, in words; it may neither panic nor
//! take long, and what it accepts must be a set that can be described, shown, divided and scaled.

use assay::data::import::{self, File, MAX_VALUES, Options};
use assay::data::{self, Dataset};
use assay::recipe::Recipe;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};
use serde_json::Value;
use std::time::Instant;

const REFERENCE: &str = include_str!("reference/files.json");

/// Most inputs that fail in a row before the reader is called useless; and seconds that one may take.
const MAX_SECS: f64 = 2.0;

fn cases() -> u32 {
    #[expect(
        clippy::disallowed_methods,
        reason = "how much is tried changes no result"
    )]
    let asked = std::env::var("ASSAY_FUZZ_CASES");
    asked
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20_000)
}

/// One change of some bytes; places are shares of the length.
#[derive(Debug, Clone)]
enum Change {
    Flip(f64, u8),
    Set(f64, Vec<u8>),
    Cut(f64),
    Remove(f64, usize),
    Repeat(f64, usize),
    Insert(f64, Vec<u8>),
}

fn change() -> impl Strategy<Value = Change> {
    let place = || 0.0..1.0_f64;
    let number = || {
        select(vec![
            vec![0],
            vec![0xff],
            vec![0xff; 4],
            vec![0, 0, 0, 0],
            vec![0, 0, 0, 0x80],
            vec![0x7f, 0xff, 0xff, 0xff],
            b"\"".to_vec(),
            b"\n".to_vec(),
            b",".to_vec(),
            b"1e999".to_vec(),
            b"PK\x01\x02".to_vec(),
            b"IDAT".to_vec(),
        ])
    };
    prop_oneof![
        4 => (place(), 1..=255_u8).prop_map(|(at, bits)| Change::Flip(at, bits)),
        4 => (place(), number()).prop_map(|(at, bytes)| Change::Set(at, bytes)),
        1 => place().prop_map(Change::Cut),
        1 => (place(), 1..40_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        1 => (place(), 1..200_usize).prop_map(|(at, length)| Change::Repeat(at, length)),
        2 => (place(), prop_oneof![number(), vec(any::<u8>(), 1..8)])
            .prop_map(|(at, bytes)| Change::Insert(at, bytes)),
    ]
}

fn apply(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a short file"
    )]
    let place = |share: f64, length: usize| (share * length as f64) as usize;
    for change in changes {
        let length = bytes.len();
        match change {
            Change::Flip(at, bits) if length > 0 => bytes[place(*at, length)] ^= bits,
            Change::Flip(..) => {}
            Change::Set(at, new) => {
                let from = place(*at, length);
                for (byte, new) in bytes[from..].iter_mut().zip(new) {
                    *byte = *new;
                }
            }
            Change::Cut(at) => bytes.truncate(place(*at, length)),
            Change::Remove(at, count) => {
                let from = place(*at, length);
                bytes.drain(from..(from + count).min(length));
            }
            Change::Repeat(at, count) => {
                let from = place(*at, length);
                let piece = bytes[from..(from + count).min(length)].to_vec();
                bytes.splice(from..from, piece);
            }
            Change::Insert(at, new) => {
                let from = place(*at, length);
                bytes.splice(from..from, new.iter().copied());
            }
        }
    }
    bytes
}

/// A set, or a refusal in words.
fn usable(result: assay::error::Result<import::Imported>) -> TestCaseResult {
    match result {
        Ok(made) => {
            let set: &Dataset = &made.dataset;
            prop_assert!(set.classes.len() >= 2 && set.rows() > 0);
            prop_assert_eq!(set.values.len(), set.rows() as usize * set.row_len());
            prop_assert!(set.values.len() as u64 <= MAX_VALUES);
            prop_assert_eq!(set.display(set.rows() - 1).len(), set.row_len());
            prop_assert_eq!(set.digest().len(), 64);
            let recipe = Recipe::default_for("digits", "mlp");
            if let Ok(parts) = data::split(set, &recipe.split, 1) {
                let rows = data::rows(set, &recipe.preprocessing, &parts);
                prop_assert!(rows.is_ok_and(|rows| rows.features.iter().all(|it| it.is_finite())));
            }
        }
        Err(error) => {
            let message = error.to_string();
            prop_assert!(message.len() > 10 && message.len() < 2000, "{message}");
            prop_assert!(
                !message.chars().any(|it| it.is_control() && it != '\n'),
                "{message:?}"
            );
        }
    }
    Ok(())
}

/// Changes one of `files` in many ways and reads it beside `others`; some of the changed ones must still be read.
fn fuzz(files: Vec<(&'static str, Vec<u8>)>, others: &[(&'static str, Vec<u8>)]) {
    let mut runner = TestRunner::new(Config {
        cases: cases(),
        failure_persistence: None,
        ..Config::default()
    });
    let read = std::cell::Cell::new(0_u32);
    let inputs = (select(files), vec(change(), 0..4));
    let result = runner.run(&inputs, |((name, bytes), changes)| {
        let bytes = apply(bytes, &changes);
        let mut all = vec![File {
            name,
            bytes: &bytes,
        }];
        all.extend(others.iter().map(|(name, bytes)| File { name, bytes }));
        #[expect(
            clippy::disallowed_methods,
            reason = "a reader that hangs must be found"
        )]
        let start = Instant::now();
        let result = import::read(&all, &Options::default());
        read.set(read.get() + u32::from(result.is_ok()));
        usable(result)?;
        let secs = start.elapsed().as_secs_f64();
        prop_assert!(secs < MAX_SECS, "{secs} s");
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(
        read.get() > cases() / 20,
        "only {} were read at all",
        read.get()
    );
}

fn reference() -> Value {
    serde_json::from_str(REFERENCE).expect("JSON")
}

fn bytes_of(value: &Value) -> Vec<u8> {
    STANDARD
        .decode(value.as_str().expect("a text"))
        .expect("base64")
}

#[test]
fn tables_are_read_or_refused_in_words() {
    let image: String = (0..4)
        .map(|row| format!("{row}{}\n", ",7".repeat(64)))
        .collect();
    let tables = [
        "a,b,label\n1,2,x\n3,4,y\n5,6,x\n7,8,y\n9,10,x\n11,12,y\n",
        "a;b;class\n1,5;\"2\";x\n3;NA;\"y; z\"\n4;5;x\n",
        "1\t2\tcaf\u{e9}\n3\t4\tth\u{e9}\n",
        &image,
    ];
    fuzz(
        tables
            .iter()
            .map(|text| ("table.csv", text.as_bytes().to_vec()))
            .collect(),
        &[],
    );
}

#[test]
fn idx_files_are_read_or_refused_in_words() {
    let mut images = vec![0, 0, 8, 3, 0, 0, 0, 6, 0, 0, 0, 2, 0, 0, 0, 2];
    images.extend(0..24);
    let mut reals = vec![0, 0, 0x0d, 2, 0, 0, 0, 6, 0, 0, 0, 1];
    for value in 0..6_u8 {
        reals.extend(f32::from(value).to_be_bytes());
    }
    let labels = vec![0, 0, 8, 1, 0, 0, 0, 6, 0, 1, 2, 0, 1, 2];
    fuzz(
        vec![("images", images), ("reals", reals)],
        &[("labels", labels)],
    );
}

#[test]
fn numpy_files_are_read_or_refused_in_words() {
    let reference = reference();
    let numpy = &reference["numpy"];
    let arrays = numpy["arrays"].as_array().expect("a list");
    let files = arrays
        .iter()
        .map(|array| ("x.npy", bytes_of(&array["file"])));
    fuzz(
        files.collect(),
        &[("y.npy", bytes_of(&numpy["label_file"]))],
    );
}

#[test]
fn archives_are_read_or_refused_in_words() {
    let reference = reference();
    let numpy = &reference["numpy"];
    fuzz(
        vec![
            ("x.npz", bytes_of(&numpy["npz"])),
            ("x.npz", bytes_of(&numpy["packed"])),
            ("x.zip", bytes_of(&reference["zip"])),
        ],
        &[],
    );
}

#[test]
fn images_are_read_or_refused_in_words() {
    let reference = reference();
    for kind in ["png", "jpeg"] {
        let list = reference[kind].as_array().expect("a list");
        let files: Vec<(&str, Vec<u8>)> = list
            .iter()
            .map(|case| ("a/1.image", bytes_of(&case["file"])))
            .collect();
        let other = ("b/2.image", files[0].1.clone());
        fuzz(files, &[other]);
    }
}
