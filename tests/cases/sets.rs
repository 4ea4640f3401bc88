//! Cases of the sets that are made by our own generators: the same bytes on every platform; no model learns here.

use super::Case;
use assay::data::vibration::{self, Sensor};
use assay::data::{self, chess};
use assay::recipe::Recipe;
use assay::rng::Stream;
use assay::system::{LocalRules, Rules as _};

/// The cases of this file.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "chess_has_its_digests",
            run: chess_has_its_digests,
        },
        Case {
            name: "chess_splits_by_game_with_its_digest",
            run: chess_splits_by_game,
        },
        Case {
            name: "chess_boards_are_read_with_their_digest",
            run: chess_boards_are_read,
        },
        Case {
            name: "chess_in_the_other_colours_has_its_digest",
            run: chess_in_the_other_colours,
        },
        Case {
            name: "vibration_has_its_digests",
            run: vibration_has_its_digests,
        },
        Case {
            name: "edited_digits_have_their_digests",
            run: edited_digits_have_their_digests,
        },
    ]
}

/// Difficulty, drift, seed and digest of sets of 60 positions.
const CHESS: [(f64, f64, u32, &str); 3] = [
    (
        0.0,
        0.0,
        1,
        "ea8f780c479d0cb7bd1fa10952c242b007fd15806bfcc6e79654abb9d50c4682",
    ),
    (
        0.3,
        0.0,
        1,
        "6341c52bfbedbf52282a4d4e97e2f72676892d77b801f01831191741d3d4ae75",
    ),
    (
        1.0,
        1.0,
        u32::MAX,
        "49f032600b6c42e45d47605d8e0bac8f723d53641fe3cf5d26fad2b62a749c83",
    ),
];

const CHESS_SPLIT: &str = "cf30ecf5ab10787c941cb673e210fdeed950476c66f796c21e466f485d0112e4";

fn chess_of(difficulty: f64, drift: f64, seed: u32) -> Result<data::Dataset, String> {
    let parameters = chess::Parameters {
        positions: 60,
        difficulty,
        drift,
        occupancy: false,
        seed,
    };
    chess::generate(&parameters).map_err(|error| error.to_string())
}

fn chess_has_its_digests() -> Result<(), String> {
    let mut wrong = Vec::new();
    for (difficulty, drift, seed, expected) in CHESS {
        let digest = chess_of(difficulty, drift, seed)?.digest();
        if digest != expected {
            wrong.push(format!("{difficulty} {drift} {seed}: {digest}"));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("; "))
    }
}

fn chess_splits_by_game() -> Result<(), String> {
    let set = chess_of(0.0, 0.0, 1)?;
    let recipe = Recipe::default_for("chess", "lenet");
    let parts = data::split(&set, &recipe.split, 1).map_err(|error| error.to_string())?;
    let digest = parts.digest();
    if digest == CHESS_SPLIT {
        Ok(())
    } else {
        Err(format!("split: {digest}"))
    }
}

/// Of the positions of eight games, read from answers that say nothing, with three numbers of positions kept.
const CHESS_READ: [(u32, &str); 3] = [
    (
        1,
        "a5b852f6a887ce1bd511ca33cf8f2c99ab242ed60a059168717f439cb7289318",
    ),
    (
        8,
        "a4e9832c1398cbeddcd9196f384097c44321f69c5d1f985c98a049680e4e5fcc",
    ),
    (
        64,
        "d98d3670ce4dd5da87188ab2c1e26b3f76398c219fa316cdea562c4e18d481b2",
    ),
];

fn chess_boards_are_read() -> Result<(), String> {
    let words = |error: assay::error::Error| error.to_string();
    let spec = Recipe::default_for("chess", "lenet").data;
    let mut wrong = Vec::new();
    for (kept, expected) in CHESS_READ {
        let mut reader = LocalRules.reader(&spec, kept).map_err(words)?;
        let mut random = Stream::new(7, "case", 0);
        let mut read = Vec::new();
        for game in 0..8 {
            reader.begin(game).map_err(words)?;
            for _ in 0..chess::POSITIONS_PER_GAME {
                let places: Vec<u8> = (0..64).filter(|_| random.below(2) == 0).collect();
                let said: Vec<f32> = (0..places.len() * 13)
                    .map(|_| -9.0 * random.unit())
                    .collect();
                read.extend(reader.read(&places, &said).map_err(words)?);
            }
        }
        let digest = assay::digest::sha256_hex(&read);
        if digest != expected {
            wrong.push(format!("{kept} kept: {digest}"));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("; "))
    }
}

/// Of the set with its further rows, and of their division.
const OTHER_COLOURS: [&str; 2] = [
    "1e9520e8615f1a5a8ebc3de468be00acd0c931eeb4b84ae3669994b00bd3cc9a",
    "9fc963fafe27e2fb02dff6f08542c7739ab9c4bd1a1e2f15aac85fee6d8db74c",
];

fn chess_in_the_other_colours() -> Result<(), String> {
    let set = chess_of(0.3, 0.0, 1)?;
    let recipe = Recipe::default_for("chess", "lenet");
    let parts = data::split(&set, &recipe.split, 1).map_err(|error| error.to_string())?;
    let more = data::augmented(&set, &parts, "colours").map_err(|error| error.to_string())?;
    let digests = more.map(|(set, parts)| [set.digest(), parts.digest()]);
    match digests {
        Some(found) if found == OTHER_COLOURS => Ok(()),
        found => Err(format!("{found:?}")),
    }
}

/// Difficulty, drift, sensor, seed and digest of sets of 600 windows.
const VIBRATION: [(f64, f64, Sensor, u32, &str); 3] = [
    (
        0.0,
        0.0,
        Sensor::Sound,
        1,
        "1fc4872a405976366dbcd00606c32be8040bb0c510008af401b51a205f5296b8",
    ),
    (
        0.3,
        0.0,
        Sensor::Gaps,
        1,
        "fc5950a27558724de8a332bc7bbcbf1888c52fab2297a68f29d80b8faa77936c",
    ),
    (
        1.0,
        1.0,
        Sensor::Clipped,
        u32::MAX,
        "a6df3d72bd93e210814c43b5a961c439e4d80390de0b8ca5fa99dee2442212dd",
    ),
];

/// What was edited in the digits, and the digest of that version.
const EDITED: [(&str, &str); 4] = [
    (
        r#"{"labels":{"17":3}}"#,
        "ec8d64632728a822f4cb7ee82978b92588d6f39f12fe6a7df2c09669dad9c04c",
    ),
    (
        r#"{"dropped":[4,9]}"#,
        "219875917bad99d951fa4461418a1bf4d2ff1986ff03730451244380df7245f0",
    ),
    (
        r#"{"slices":{"first":[0,1]}}"#,
        "7bb537b01a1f5404f687c4b57a2770aa1c7ba3c9752cfc7d0c057c249033a222",
    ),
    (
        r#"{"labels":{"9":1,"17":3},"dropped":[4],"slices":{"b":[1],"a":[0,2]}}"#,
        "dbae74b99e7c2c3e40d96622aa251e8130cdb3c74b084a738a07a8de2fe42e5e",
    ),
];

fn edited_digits_have_their_digests() -> Result<(), String> {
    let recipe = Recipe::default_for("digits", "lenet");
    let mut wrong = Vec::new();
    for (edits, expected) in EDITED {
        let words = |error: assay::error::Error| error.to_string();
        let mut spec = recipe.data.clone();
        spec.edits = serde_json::from_str(edits).map_err(|error| error.to_string())?;
        let made = data::from_spec(&spec).map_err(words)?;
        let parts = data::split(&made, &recipe.split, recipe.seed).map_err(words)?;
        let edits = spec.edits().map_err(words)?.unwrap_or_default();
        let digest = data::edit(made, parts, edits).map_err(words)?.0.digest();
        if digest != expected {
            wrong.push(format!("{:?}: {digest}", spec.edits));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("; "))
    }
}

fn vibration_has_its_digests() -> Result<(), String> {
    let mut wrong = Vec::new();
    for (difficulty, drift, sensor, seed, expected) in VIBRATION {
        let parameters = vibration::Parameters {
            windows: 600,
            difficulty,
            drift,
            sensor,
            seed,
        };
        let set = vibration::generate(&parameters).map_err(|error| error.to_string())?;
        let digest = set.digest();
        if digest != expected {
            wrong.push(format!("{sensor:?}: {digest}"));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("; "))
    }
}
