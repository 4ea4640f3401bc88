//! Hostile input to every reader of text from elsewhere: recipes, graphs, weights, records, annotations, logs, claims and links.
//!
//! 20,000 inputs a reader, or as many as `ASSAY_FUZZ_CASES` says. A reader may refuse, in words; it may neither panic
//! nor take long, and what it accepts must survive everything that the page does with it.

use assay::chart::{self, Size, Theme};
use assay::error::{Error, Result};
use assay::lab::desk;
use assay::model::{self, Graph, Weights, graph_json};
use assay::quant::export::{self, Format};
use assay::quant::{self, Request};
use assay::recipe::{self, Recipe};
use assay::runlog::claim::Claim;
use assay::runlog::export::{csv, jsonl};
use assay::runlog::{annotation, compare, link, log, record, summary, verdict};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

const RECORD: &str = include_str!("golden/record.json");

/// What stands where a value was.
const HOSTILE: &[&str] = &[
    "-1",
    "0",
    "1.0",
    "1e308",
    "-1e308",
    "1e-320",
    "1e400",
    "NaN",
    "4294967296",
    "18446744073709551616",
    "null",
    "true",
    "\"\"",
    "\"x\"",
    "[]",
    "{}",
    "[[[[]]]]",
    "{\"\":{}}",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "\"=1+1\"",
    "\"\u{202e}\"",
];

/// One thing that goes wrong with a text; places are shares of its length.
#[derive(Debug, Clone)]
enum Mutation {
    Flip(f64, u8),
    Cut(f64),
    Remove(f64, usize),
    Repeat(f64, usize),
    /// Replaces the nth value after a colon or comma.
    Value(f64, &'static str),
    /// Doubles the nth key with another value.
    Key(f64, &'static str),
    Nest(f64, usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let place = || 0.0..1.0_f64;
    prop_oneof![
        2 => (place(), 1..=255_u8).prop_map(|(at, bits)| Mutation::Flip(at, bits)),
        1 => place().prop_map(Mutation::Cut),
        1 => (place(), 1..40_usize).prop_map(|(at, length)| Mutation::Remove(at, length)),
        1 => (place(), 1..400_usize).prop_map(|(at, length)| Mutation::Repeat(at, length)),
        4 => (place(), select(HOSTILE)).prop_map(|(at, value)| Mutation::Value(at, value)),
        2 => (place(), select(HOSTILE)).prop_map(|(at, value)| Mutation::Key(at, value)),
        1 => (place(), 1..300_usize).prop_map(|(at, depth)| Mutation::Nest(at, depth)),
    ]
}

fn apply(text: &str, mutations: &[Mutation]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for mutation in mutations {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place in a short text"
        )]
        let place = |share: f64, length: usize| (share * length as f64) as usize;
        let length = bytes.len();
        // The value that begins after the nth of these bytes.
        let value_after = |share: f64, marks: &[u8]| {
            let starts: Vec<usize> = (0..length)
                .filter(|at| marks.contains(&bytes[*at]))
                .collect();
            let start = starts.get(place(share, starts.len()))? + 1;
            let ends = bytes[start..]
                .iter()
                .position(|byte| matches!(byte, b',' | b'}' | b']'));
            Some((start, start + ends.unwrap_or(length - start)))
        };
        match *mutation {
            Mutation::Flip(at, bits) if length > 0 => bytes[place(at, length)] ^= bits,
            Mutation::Cut(at) => bytes.truncate(place(at, length)),
            Mutation::Remove(at, count) => {
                let from = place(at, length);
                bytes.drain(from..(from + count).min(length));
            }
            Mutation::Repeat(at, count) => {
                let from = place(at, length);
                let piece = bytes[from..(from + count).min(length)].to_vec();
                bytes.splice(from..from, piece);
            }
            Mutation::Value(at, value) => {
                if let Some((from, to)) = value_after(at, b":,[") {
                    bytes.splice(from..to, value.bytes());
                }
            }
            Mutation::Key(at, value) => {
                if let Some((from, _)) = value_after(at, b"{,") {
                    let end = bytes[from..].iter().position(|byte| *byte == b':');
                    if let Some(end) = end {
                        let key = bytes[from..from + end].to_vec();
                        let twin = [&key[..], b":", value.as_bytes(), b","].concat();
                        bytes.splice(from..from, twin);
                    }
                }
            }
            Mutation::Nest(at, depth) => {
                if let Some((from, to)) = value_after(at, b":") {
                    bytes.splice(to..to, std::iter::repeat_n(b']', depth));
                    bytes.splice(from..from, std::iter::repeat_n(b'[', depth));
                }
            }
            Mutation::Flip(..) => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Any JSON, up to a few dozen values.
fn any_json() -> impl Strategy<Value = Value> {
    let key = || {
        prop_oneof![
            select(vec![
                "assay", "version", "digest", "recipe", "results", "seed", "training", "data",
                "set", "value", "at", "record",
            ])
            .prop_map(String::from),
            ".{0,6}",
        ]
    };
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        any::<i64>().prop_map(Value::from),
        select(vec![
            "recipe",
            "record",
            "annotation",
            "claim",
            "digits",
            "lenet"
        ])
        .prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((key(), inner), 0..6).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// Random bytes, random JSON, and mutated valid documents.
fn hostile(valid: Vec<String>) -> impl Strategy<Value = String> {
    let header = select(vec!["recipe", "record", "annotation", "claim", "?"]);
    prop_oneof![
        1 => vec(any::<u8>(), 0..200).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        1 => (any_json(), header).prop_map(|(mut value, kind)| {
            if let Value::Object(map) = &mut value {
                map.insert("assay".into(), json!(kind));
                map.insert("version".into(), json!(1));
            }
            value.to_string()
        }),
        6 => (select(valid), vec(mutation(), 1..5)).prop_map(|(text, mutations)| apply(&text, &mutations)),
    ]
}

/// Runs a reader on its share of inputs.
#[expect(
    clippy::disallowed_methods,
    reason = "how many inputs and how long one takes decide no result"
)]
fn fuzz(inputs: impl Strategy<Value = String>, check: impl Fn(&str) -> TestCaseResult) {
    let cases = std::env::var("ASSAY_FUZZ_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(20_000);
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..Config::default()
    });
    let outcome = runner.run(&inputs, |input| {
        let start = Instant::now();
        let outcome = check(&input);
        prop_assert!(
            start.elapsed().as_secs_f64() < 5.0,
            "took {:?}",
            start.elapsed()
        );
        outcome
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// The error's words say something, and not without end.
fn in_words(error: &Error) -> TestCaseResult {
    let words = error.to_string();
    prop_assert!(words.len() > 20 && words.contains(' '), "{words:?}");
    prop_assert!(words.len() < 10_000, "{} bytes of words", words.len());
    if let Error::Recipe(problems) = error {
        prop_assert!(!problems.is_empty());
        prop_assert!(problems.iter().all(|problem| !problem.message.is_empty()));
    }
    Ok(())
}

fn refused_in_words<T>(outcome: Result<T>) -> std::result::Result<Option<T>, TestCaseError> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) => in_words(&error).map(|()| None),
    }
}

/// A record with few rows and samples, so that mutations hit the rest of it.
fn small_record() -> record::Record {
    let mut record = record::read(RECORD).expect("reads").0;
    for latency in [&mut record.results.latency, &mut record.results.throughput]
        .into_iter()
        .flatten()
    {
        latency.samples_millis.truncate(8);
    }
    if let Some(training) = &mut record.results.training {
        training.curve.truncate(3);
    }
    if let Some(cost) = &mut record.results.cost {
        cost.layers.truncate(2);
    }
    record.results.classes.truncate(2);
    let answers = record.predictions.as_mut().expect("scored");
    answers.rows.truncate(12);
    answers.labels.truncate(12);
    answers.predicted.truncate(12);
    answers.confidence.truncate(12);
    record.digests.predictions =
        assay::digest::predictions_digest(&answers.rows, &answers.predicted);
    record
}

fn small_claim() -> Claim {
    Claim::from_record(&small_record(), "Ada").expect("complete")
}

fn records() -> Vec<String> {
    let mut stopped = small_record();
    stopped.status = record::Status::Stopped;
    stopped.results.accuracy = None;
    stopped.predictions = None;
    vec![record::seal(small_record()).0, record::seal(stopped).0]
}

fn recipes() -> Vec<String> {
    recipe::fields::FAMILIES
        .iter()
        .map(|family| {
            let mut recipe = Recipe::default_for("digits", family);
            let edits = r#"{"labels":{"9":1,"17":3},"dropped":[4,11],"slices":{"far":[1,9]}}"#;
            recipe.data.edits = serde_json::from_str(edits).expect("JSON");
            assay::digest::canonical_json(&recipe.to_value())
        })
        .collect()
}

/// The graph of every family, with each norm where it has a choice.
fn graphs() -> Vec<String> {
    let mut graphs = Vec::new();
    for family in recipe::fields::FAMILIES {
        for normalization in ["none", "batch", "layer"] {
            let mut spec = Recipe::default_for("digits", family).architecture;
            spec.normalization = Some(normalization.into());
            spec.dropout = Some(0.1);
            let graph = model::graph(&spec, [1, 8, 8], 10).expect("known");
            graphs.push(graph_json::to_text(&graph));
        }
    }
    graphs
}

/// A few layers of every type, so that mutations hit each of them.
const SMALL_GRAPHS: &[&str] = &[
    r#"{"assay":"graph","version":1,"input":[4,6,6],"layers":[{"name":"c","type":"convolution","channels":6,"kernel":[3,1],"stride":[2,1],"padding":[1,0,0,0],"groups":2,"bias":false},{"name":"b","type":"batch_norm","epsilon":0.1,"momentum":0.5},{"name":"p","type":"max_pool","size":[2,2],"stride":[1,1],"padding":[1,1,0,0]},{"name":"a","type":"average_pool","size":[2,2]},{"name":"g","type":"global_average_pool"},{"name":"l","type":"linear","units":3,"bias":false}]}"#,
    r#"{"assay":"graph","version":1,"input":[6,2,2],"layers":[{"name":"t","type":"tokens","positions":true},{"name":"n","type":"layer_norm","epsilon":0.001},{"name":"x","type":"attention","heads":2},{"name":"y","type":"transpose"},{"name":"z","type":"activation","function":"silu"},{"name":"s","type":"add","inputs":["y","z"]},{"name":"d","type":"dropout","rate":0.5},{"name":"f","type":"flatten","inputs":["d"]}]}"#,
];

fn annotations() -> Vec<String> {
    let digest = "ab".repeat(32);
    [
        ("name", json!("base")),
        ("note", json!("x, y\nz")),
        ("pin", json!(true)),
        ("deleted", json!(false)),
    ]
    .into_iter()
    .map(|(field, value)| annotation::write(&digest, field, value, 1.7e12).expect("fits"))
    .collect()
}

/// What a text reads as once the digest that it states is corrected: mutations inside a sealed document.
fn resealed(text: &str) -> Option<String> {
    let mut value: Value = serde_json::from_str(text).ok()?;
    value.as_object_mut()?.remove("digest");
    let digest = assay::digest::json_digest(&value);
    value
        .as_object_mut()?
        .insert("digest".into(), json!(digest));
    Some(value.to_string())
}

/// Everything that the page does with a record.
fn use_record(opened: &record::Opened) -> TestCaseResult {
    let record = &opened.record;
    let (text, digest) = record::seal(record.clone());
    let again = refused_in_words(record::open(&text))?;
    prop_assert!(again.is_some_and(|again| again.digest == digest));
    let summary = summary::of(opened);
    black_box(csv::write(&[summary.clone(), summary], &BTreeMap::new()));
    if let Some(claim) = refused_in_words(Claim::from_record(record, "Ada"))? {
        // A record's recipe may be of another time; a link is opened only where it can be run.
        if let Some(packed) = refused_in_words(link::pack_claim(&claim))? {
            refused_in_words(link::open(&packed.fragment))?;
        }
        black_box(verdict::judge(&claim, record));
    }
    let base = small_record();
    let verdict = verdict::judge(&small_claim(), record);
    prop_assert!(!verdict.reason.is_empty());
    black_box(compare::compare(&base, record, None));
    black_box(compare::compare(record, &base, None));
    let size = Size {
        width: 360,
        height: 240,
    };
    let results = &record.results;
    if let Some(training) = &results.training {
        let curve = chart::Curve {
            label: "x",
            points: &training.curve,
            epochs_planned: record.recipe.training.epochs,
        };
        black_box(chart::curves(&[curve], Theme::Light, size));
    }
    if let Some(confusion) = &results.confusion {
        black_box(chart::confusion(confusion, Theme::Dark, size));
    }
    let latencies: Vec<_> = [&results.latency, &results.throughput]
        .into_iter()
        .flatten()
        .collect();
    black_box(chart::latency(&latencies, Theme::Light, size));
    Ok(())
}

#[test]
fn recipes_are_read_or_refused_in_words() {
    fuzz(hostile(recipes()), |text| {
        for family in ["mlp", "resnet", "graph"] {
            refused_in_words(desk::change_recipe(
                text,
                "architecture.family",
                json!(family),
            ))?;
        }
        if let Some(recipe) = refused_in_words(recipe::from_json(text))? {
            let again = refused_in_words(recipe::from_json(&recipe.to_json()))?;
            prop_assert_eq!(again.map(|again| again.digest()), Some(recipe.digest()));
            refused_in_words(desk::check_recipe(text))?;
            let packed = refused_in_words(link::pack_recipe(&recipe))?;
            let opened = packed.map(|packed| link::open(&packed.fragment));
            prop_assert_eq!(opened, Some(Ok(link::Link::Recipe(Box::new(recipe)))));
        }
        Ok(())
    });
}

#[test]
fn graphs_are_read_or_refused_in_words() {
    let whole = graphs();
    let small = SMALL_GRAPHS.iter().map(ToString::to_string).collect();
    fuzz(prop_oneof![hostile(whole), hostile(small)], |text| {
        if let Some(graph) = refused_in_words(graph_json::read(text))? {
            prop_assert_eq!(
                refused_in_words(graph_json::read(&graph_json::to_text(&graph)))?,
                Some(graph.clone())
            );
            let nodes = graph.resolve();
            prop_assert!(
                nodes.is_ok_and(|nodes| nodes.iter().all(|node| !node.output.contains(&0)))
            );
            // What fits is small enough to be made; a mutation of a digit stays far below the plan's limits or is refused.
            if let Some(cost) = refused_in_words(model::cost(&graph, "f32"))?
                && cost.f32_bytes < 1 << 18
            {
                let weights = Weights::init(&graph, 1).expect("fits");
                prop_assert!(weights.check(&graph).is_ok());
                prop_assert_eq!(weights.count() * 4, cost.f32_bytes);
            }
        }
        Ok(())
    });
}

/// A file of weights for the first small graph, its header as text and its data apart.
fn weights_file() -> (Graph, String, Vec<u8>) {
    let graph = graph_json::read(SMALL_GRAPHS[0]).expect("valid");
    let bytes = Weights::init(&graph, 1)
        .expect("fits")
        .to_safetensors(&[("a", "1")]);
    let length = u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes"));
    let length = usize::try_from(length).expect("a short header");
    let header = String::from_utf8(bytes[8..8 + length].to_vec()).expect("JSON");
    (graph, header, bytes[8 + length..].to_vec())
}

#[test]
fn weights_are_read_or_refused_in_words() {
    let (graph, header, data) = weights_file();
    let header = (hostile(vec![header]), -64..64_i64, any::<bool>());
    let inputs = header.prop_map(|(header, longer, cut)| {
        // A length that lies, where it is not 0, and data that is cut short.
        format!("{longer} {} {header}", u8::from(cut))
    });
    fuzz(inputs, |text| {
        let mut parts = text.splitn(3, ' ');
        let mut part = || parts.next().unwrap_or_default();
        let longer: i64 = part().parse().unwrap_or(0);
        let cut = part() == "1";
        let header = part();
        let longer = if longer % 4 == 0 { longer } else { 0 };
        let length = (header.len() as u64).wrapping_add_signed(longer);
        let data = if cut {
            &data[..data.len() / 2]
        } else {
            &data[..]
        };
        let bytes = [&length.to_le_bytes()[..], header.as_bytes(), data].concat();
        if let Some(weights) = refused_in_words(Weights::from_safetensors(&bytes, &graph))? {
            prop_assert!(weights.is_finite() && weights.check(&graph).is_ok());
        }
        Ok(())
    });
}

/// A small graph, a file of its weights under a scheme, and how many tensors that has.
fn stored_file(format: Format, scheme: &str) -> (Graph, Vec<u8>, usize) {
    let graph = graph_json::read(SMALL_GRAPHS[0]).expect("valid");
    let weights = Weights::init(&graph, 1).expect("fits");
    let request = Request::named(scheme).expect("known");
    let stored = quant::quantize(&graph, &weights, &request).expect("fits");
    let bytes = export::write(&stored, format, &export::Metadata::new()).expect("writes");
    (graph, bytes, stored.layers.len())
}

#[test]
fn exported_files_are_read_or_refused_in_words() {
    let files = [
        (Format::Safetensors, "int4"),
        (Format::Safetensors, "int8-dynamic"),
        (Format::Gguf, "Q4_1"),
        (Format::Gguf, "f16"),
    ];
    let files = files.map(|(format, scheme)| (format, stored_file(format, scheme)));
    // Which file; cut, whole or longer; and places with what is written there: bytes, or a large number.
    let change = (0.0..1.0_f64, 0.0..1.0_f64, any::<u64>(), 0..5_usize);
    let inputs = (0..files.len(), -3..2_i32, vec(change, 0..4))
        .prop_map(|(file, cut, changes)| json!([file, cut, changes]).to_string());
    fuzz(inputs, |text| {
        let value: Value = serde_json::from_str(text).expect("JSON");
        let number = |value: &Value| value.as_f64().unwrap_or(0.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place in a short file"
        )]
        let (which, place) = (number(&value[0]) as usize, |share: f64, length: usize| {
            (share * length as f64) as usize
        });
        let (format, (graph, whole, tensors)) = &files[which];
        let mut bytes = whole.clone();
        for change in value[2].as_array().into_iter().flatten() {
            // Half of the changes are in the first bytes, where counts and lengths are.
            let span = if number(&change[0]) < 0.5 {
                64
            } else {
                bytes.len()
            };
            let at = place(number(&change[1]), span.min(bytes.len()));
            let noise = change[2].as_u64().unwrap_or(0).to_le_bytes();
            let written: &[u8] = match change[3].as_u64() {
                Some(0) => &noise[..1],
                Some(1) => &noise,
                Some(2) => &[0xff; 8],
                Some(3) => &[0; 4],
                _ => b"99999999",
            };
            let end = (at + written.len()).min(bytes.len());
            bytes.splice(at..end, written.iter().copied());
        }
        match value[1].as_i64() {
            Some(-1) => bytes.truncate(bytes.len() / 2),
            Some(1) => bytes.extend([0; 9]),
            _ => {}
        }
        if let Some((stored, _)) = refused_in_words(export::read(&bytes, *format, graph))? {
            prop_assert!(stored.bytes() <= 2 * whole.len() as u64);
            prop_assert_eq!(stored.layers.len(), *tensors);
        }
        Ok(())
    });
}

#[test]
fn records_are_read_or_refused_in_words() {
    fuzz(hostile(records()), |text| {
        if let Some(opened) = refused_in_words(record::open(text))? {
            use_record(&opened)?;
        }
        if let Some(text) = resealed(text)
            && let Some(opened) = refused_in_words(record::open(&text))?
        {
            use_record(&opened)?;
        }
        Ok(())
    });
}

#[test]
fn annotations_are_read_or_refused_in_words() {
    fuzz(hostile(annotations()), |text| {
        refused_in_words(annotation::read(text))?;
        let texts = [text.to_owned(), resealed(text).unwrap_or_default()];
        black_box(annotation::state_of_texts(&texts));
        Ok(())
    });
}

#[test]
fn logs_keep_their_good_lines() {
    let good = records();
    let lines: Vec<String> = good.iter().cloned().chain(annotations()).collect();
    let valid = vec![lines.join("\n"), lines[2..].join("\r\n\r\n")];
    let digests: Vec<String> = good
        .iter()
        .map(|text| record::open(text).expect("reads").digest)
        .collect();
    fuzz(hostile(valid), |text| {
        let text = format!("{}\n{text}\n{}\n", good[0], good[1]);
        let log = refused_in_words(log::read(&text))?.expect("not too long");
        for digest in &digests {
            let kept = log.entries.iter().find(|entry| entry.digest == *digest);
            prop_assert!(kept.is_some_and(|entry| !entry.altered));
        }
        for bad in &log.bad {
            prop_assert!(bad.line > 1 && bad.message.len() > 10, "{bad:?}");
            prop_assert!(bad.message.len() < 1000, "{bad:?}");
        }
        let exported =
            refused_in_words(log::read(&jsonl::write(&log.entries)))?.expect("not too long");
        prop_assert!(exported.bad.is_empty(), "{:?}", exported.bad);
        prop_assert_eq!(exported.entries.len(), log.entries.len());
        Ok(())
    });
}

#[test]
fn claims_are_read_or_refused_in_words() {
    let own = small_record();
    fuzz(hostile(vec![small_claim().text().to_owned()]), |text| {
        for text in [Some(text.to_owned()), resealed(text)]
            .into_iter()
            .flatten()
        {
            if let Some(claim) = refused_in_words(Claim::read(&text))? {
                let verdict = verdict::judge(&claim, &own);
                prop_assert!(!verdict.reason.is_empty());
                let packed = refused_in_words(link::pack_claim(&claim))?;
                prop_assert!(packed.is_none_or(|packed| link::open(&packed.fragment).is_ok()));
            }
        }
        Ok(())
    });
}

#[test]
fn links_are_opened_or_refused_in_words() {
    let packed = |kind: char, bytes: &[u8]| {
        let deflated = miniz_oxide::deflate::compress_to_vec(bytes, 6);
        format!("#{kind}1.{}", URL_SAFE_NO_PAD.encode(deflated))
    };
    let claim = small_claim();
    let links = vec![
        link::pack_claim(&claim).expect("fits").fragment,
        link::pack_recipe(&claim.recipe).expect("fits").fragment,
    ];
    let mut documents = recipes();
    documents.push(claim.text().to_owned());
    let inputs = prop_oneof![
        // The characters of a link change.
        3 => (select(links), vec(mutation(), 1..5)).prop_map(|(text, mutations)| apply(&text, &mutations)),
        // What is packed changes.
        3 => (hostile(documents), select(vec!['r', 'c']))
            .prop_map(move |(text, kind)| packed(kind, resealed(&text).unwrap_or(text).as_bytes())),
        // What is deflated is noise, or far too long.
        1 => (vec(any::<u8>(), 0..300), select(vec!["#r1.", "#c1.", "#c7.", "r1.", ""]))
            .prop_map(|(bytes, prefix)| format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))),
        1 => (0..400_000_usize, any::<u8>()).prop_map(move |(length, byte)| packed('r', &vec![byte; length])),
        1 => ".{0,60}",
    ];
    fuzz(inputs, |text| {
        if let Some(opened) = refused_in_words(link::open(text))? {
            let described = opened.describe();
            prop_assert!(!described.recipe_digest.is_empty());
            if let link::Link::Claim(claim) = opened {
                black_box(verdict::judge(&claim, &small_record()));
            }
        }
        Ok(())
    });
}
