//! Cases of random numbers, statistics, data and evaluation: equal bits on every platform; no timing of real work.

use super::Case;
use assay::data::{self, Dataset, Rows, Split};
use assay::digest::{Hasher, sha256_hex};
use assay::eval::latency::{Call, Latency};
use assay::eval::{Clock, ManualClock, Scored, paired, score};
use assay::recipe::Recipe;
use assay::rng::Stream;
use assay::stats;

/// The cases of this file.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "rng_gives_the_numbers_of_the_papers",
            run: rng_gives_the_numbers_of_the_papers,
        },
        Case {
            name: "rng_normal_has_equal_bits",
            run: rng_normal_has_equal_bits,
        },
        Case {
            name: "stats_have_equal_bits",
            run: stats_have_equal_bits,
        },
        Case {
            name: "digits_has_its_digest",
            run: digits_has_its_digest,
        },
        Case {
            name: "split_has_its_digest",
            run: split_has_its_digest,
        },
        Case {
            name: "rows_have_equal_bits",
            run: rows_have_equal_bits,
        },
        Case {
            name: "score_has_equal_bits",
            run: score_has_equal_bits,
        },
        Case {
            name: "score_digest_sees_one_changed_answer",
            run: score_digest_sees_one_changed_answer,
        },
        Case {
            name: "paired_verdict_is_the_same",
            run: paired_verdict_is_the_same,
        },
        Case {
            name: "latency_of_a_simulated_clock_is_the_same",
            run: latency_of_a_simulated_clock_is_the_same,
        },
    ]
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: T, expected: T) -> Result<(), String> {
    if got == expected {
        Ok(())
    } else {
        Err(format!("{what}: expected {expected:?}, got {got:?}"))
    }
}

fn in_words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn rng_gives_the_numbers_of_the_papers() -> Result<(), String> {
    let cases: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("../reference/rng.json")).map_err(in_words)?;
    same("cases", cases.len(), 4)?;
    for case in cases {
        let seed = case["seed"]
            .as_u64()
            .and_then(|seed| u32::try_from(seed).ok())
            .ok_or("no seed")?;
        let name = case["name"].as_str().ok_or("no name")?;
        let mut stream = Stream::new(seed, name, case["index"].as_u64().ok_or("no index")?);
        type Draw = fn(&mut Stream) -> f64;
        let draws: [(&str, Draw); 4] = [
            ("below_1000", |stream| f64::from(stream.below(1000))),
            ("below_3221225472", |stream| {
                f64::from(stream.below(3 << 30))
            }),
            ("unit", |stream| f64::from(stream.unit())),
            ("normal", |stream| f64::from(stream.normal())),
        ];
        for (key, draw) in draws {
            for expected in case[key].as_array().ok_or("no list")? {
                same(
                    key,
                    draw(&mut stream),
                    expected.as_f64().ok_or("no number")?,
                )?;
            }
        }
        let mut order: Vec<u64> = (0..20).collect();
        stream.shuffle(&mut order);
        let expected: Option<Vec<u64>> = case["shuffle_20"]
            .as_array()
            .and_then(|list| list.iter().map(|item| item.as_u64()).collect());
        same("shuffle_20", Some(order), expected)?;
    }
    Ok(())
}

fn rng_normal_has_equal_bits() -> Result<(), String> {
    let mut stream = Stream::new(1, "weights", 0);
    let values: Vec<f32> = (0..100_000).map(|_| stream.normal()).collect();
    same(
        "digest of 100,000 draws",
        digest_of(&values).as_str(),
        NORMAL,
    )
}

fn digest_of(values: &[f32]) -> String {
    let mut hasher = Hasher::new();
    hasher.f32s(values);
    hasher.finish()
}

fn stats_have_equal_bits() -> Result<(), String> {
    let mut hasher = Hasher::new();
    let mut add = |value: f64| hasher.u64(value.to_bits());
    for step in 1..1000 {
        add(stats::normal_quantile(f64::from(step) / 1000.0));
        add(stats::normal_quantile(1e-12 * f64::from(step)));
    }
    for total in (1..2000).step_by(37) {
        for correct in [0, total / 3, total - 1, total] {
            let (low, high) = stats::wilson(correct, total, 0.95);
            add(low);
            add(high);
            add(stats::mcnemar_exact(correct, total - correct));
        }
        let values: Vec<f64> = (0..total).map(f64::from).collect();
        let interval = stats::median_interval(&values, 0.95).ok_or("no values")?;
        add(interval.low);
        add(interval.confidence);
    }
    same("digest of the bits", hasher.finish().as_str(), STATS)
}

fn digits() -> Result<(Recipe, Dataset, Split), String> {
    let mut recipe = Recipe::default_for("digits", "lenet");
    // The committed digests are of these shares, whatever the defaults become.
    (recipe.split.validation, recipe.split.test) = (0.2, 0.2);
    let set = data::load(&recipe.data.set).map_err(in_words)?;
    let parts = data::split(&set, &recipe.split, recipe.seed).map_err(in_words)?;
    Ok((recipe, set, parts))
}

fn digits_has_its_digest() -> Result<(), String> {
    same("digest", digits()?.1.digest().as_str(), DIGITS)
}

fn split_has_its_digest() -> Result<(), String> {
    let (recipe, set, parts) = digits()?;
    same(
        "rows",
        (parts.train.len(), parts.validation.len(), parts.test.len()),
        SPLIT_ROWS,
    )?;
    same("digest of seed 1", parts.digest().as_str(), SPLIT)?;
    let other = data::split(&set, &recipe.split, u32::MAX).map_err(in_words)?;
    same(
        "digest of the last seed",
        other.digest().as_str(),
        SPLIT_OF_LAST_SEED,
    )
}

fn rows_have_equal_bits() -> Result<(), String> {
    let (mut recipe, set, parts) = digits()?;
    for (scale, expected) in [("unit", ROWS_UNIT), ("standardize", ROWS_STANDARDIZED)] {
        recipe.preprocessing.scale = scale.into();
        let Rows { features, .. } =
            data::rows(&set, &recipe.preprocessing, &parts).map_err(in_words)?;
        same(scale, digest_of(&features).as_str(), expected)?;
    }
    Ok(())
}

/// Made-up logits on the test rows: noise, and `margin` for the right class.
fn scored(seed: u32, margin: f32) -> Result<Scored, String> {
    let (_, set, parts) = digits()?;
    let labels: Vec<u16> = parts
        .test
        .iter()
        .map(|row| set.labels[*row as usize])
        .collect();
    let mut noise = Stream::new(seed, "logits", 0);
    let logits: Vec<f32> = labels
        .iter()
        .flat_map(|label| {
            (0..10)
                .map(|class| if class == *label { margin } else { 0.0 })
                .collect::<Vec<f32>>()
        })
        .map(|logit| logit + noise.normal())
        .collect();
    score(&logits, &parts.test, &labels, &set.classes, 0.95).map_err(in_words)
}

fn score_has_equal_bits() -> Result<(), String> {
    let found = scored(1, 3.0)?;
    same(
        "predictions digest",
        found.predictions_digest.as_str(),
        PREDICTIONS,
    )?;
    same("loss", found.loss.to_bits(), LOSS_BITS)?;
    let whole = serde_json::json!({
        "accuracy": found.accuracy, "confusion": found.confusion, "classes": found.classes, "predictions": found.predictions,
    });
    same(
        "digest of all results",
        assay::digest::json_digest(&whole).as_str(),
        SCORE,
    )
}

fn score_digest_sees_one_changed_answer() -> Result<(), String> {
    let found = scored(1, 3.0)?;
    let mut answers = found.predictions.predicted;
    answers[100] = (answers[100] + 1) % 10;
    let changed = assay::eval::predictions_digest(&found.predictions.rows, &answers);
    if changed == PREDICTIONS {
        Err("the digest stayed the same".into())
    } else {
        Ok(())
    }
}

fn paired_verdict_is_the_same() -> Result<(), String> {
    let found = paired(
        &scored(1, 3.0)?.predictions,
        &scored(2, 3.5)?.predictions,
        0.95,
    )
    .map_err(in_words)?;
    same("reason", found.reason.as_str(), PAIRED_REASON)?;
    same("p-value", found.p_value.to_bits(), PAIRED_P_BITS)
}

fn latency_of_a_simulated_clock_is_the_same() -> Result<(), String> {
    for (resolution, expected) in [(0.1, LATENCY_FINE), (100.0, LATENCY_COARSE)] {
        let clock = ManualClock::new(resolution);
        let mut noise = Stream::new(1, "latency", 0);
        let mut latency = Latency::new(1, 1000.0, clock.resolution_micros(), 0.95);
        while let Call::Warmup(calls) | Call::Time(calls) = latency.next() {
            let start = clock.now_millis();
            for _ in 0..calls {
                clock.advance(0.5 + 0.01 * f64::from(noise.unit()));
            }
            latency.record(clock.now_millis() - start);
        }
        let text = serde_json::to_string(&latency.finish(false)).map_err(in_words)?;
        same(
            "digest of the result",
            sha256_hex(text.as_bytes()).as_str(),
            expected,
        )?;
    }
    Ok(())
}

const NORMAL: &str = "32e51847910c73e9139e20889ea90768dcd255392622944dc94826fdf1ea70f3";
const STATS: &str = "dee7d5a6beeb7ff70872c5ffe54a1df769ff05b5b20fa11e2f526b4aafb54977";
/// Printed by `src/data/digits/make.py`.
const DIGITS: &str = "2c3f6afa25e4334cb3f69c2247af8f0b8de33c6ee355a46d7825d915155464ce";
const SPLIT_ROWS: (usize, usize, usize) = (1079, 359, 359);
const SPLIT: &str = "64b3975ac2bbcbe4649db3d267429f4f75c7a1e71a311baa70584d091d754710";
const SPLIT_OF_LAST_SEED: &str = "c1ae17c8e18cac98be12b7e937c1411977c50fb21c889828c7a10ad81804a93f";
const ROWS_UNIT: &str = "83017757fe1e79fa2bcfc7df4d6af71f3ceb6cdbf4906df16c1db54f3897b033";
const ROWS_STANDARDIZED: &str = "448bceeac83a0d0817d69383083131ec42d645b65661eec946f44fde3a74724f";
const PREDICTIONS: &str = "867386c930d3f616131b7ac9b758163988c1b8ac457a6f8c1ca45322f16df13b";
const LOSS_BITS: u64 = 4603836939069942768;
const SCORE: &str = "79e3a94c07161ec581e52ec5d15b312bca8ffc6e8a3f81696f49f203909aa472";
const PAIRED_REASON: &str = "32 rows right only in the second, 12 only in the first: p = 0.0037";
const PAIRED_P_BITS: u64 = 4570580658595823614;
const LATENCY_FINE: &str = "f81104d2361f39bb141ae8741b3fd779af8a9a6de562022bac20245bb1164a80";
const LATENCY_COARSE: &str = "2a788100bba04136d97ddc48153120aa454393d22e0f2f75c96b184da9f38665";
