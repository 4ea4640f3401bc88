//! The native command as a person runs it: default recipes, a graph of one's own, refusals.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use assay::recipe::Recipe;
use assay::recipe::fields::FAMILIES;
use assay::runlog::record;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn assay(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_assay"))
        .args(arguments)
        .output()
        .unwrap()
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// An empty folder of this name.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The default recipe of a family, as the command prints it.
fn recipe(family: &str) -> Value {
    let output = assay(&["recipe", "--architecture", family]);
    assert!(output.status.success(), "{}", words(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A residual block with every kind of layer that a family may leave out, for the digits.
fn layers() -> Value {
    json!([
        {"name": "conv1", "type": "convolution", "channels": 12, "kernel": [3, 3], "padding": [1, 1, 1, 1], "bias": false},
        {"name": "norm1", "type": "batch_norm"},
        {"name": "act1", "type": "activation", "function": "hardswish"},
        {"name": "conv2", "type": "convolution", "channels": 12, "kernel": [3, 1], "padding": [1, 0, 1, 0], "groups": 12},
        {"name": "sum", "type": "add", "inputs": ["conv2", "act1"]},
        {"name": "pool", "type": "average_pool", "size": [2, 2]},
        {"name": "tokens", "type": "tokens", "positions": true},
        {"name": "qkv", "type": "linear", "units": 36},
        {"name": "attend", "type": "attention", "heads": 3},
        {"name": "sum2", "type": "add", "inputs": ["attend", "tokens"]},
        {"name": "norm2", "type": "layer_norm"},
        {"name": "flatten", "type": "flatten"},
        {"name": "drop", "type": "dropout", "rate": 0.1},
        {"name": "classes", "type": "linear", "units": 10}
    ])
}

#[test]
fn the_default_recipe_of_every_family_is_printed() {
    for family in FAMILIES {
        let default = Recipe::default_for("digits", family).to_value();
        assert_eq!(recipe(family), default, "{family}");
    }
    let refused = assay(&["recipe", "--architecture", "perceptron"]);
    assert_eq!(refused.status.code(), Some(2));
    let message = words(&refused.stderr);
    assert!(
        message.contains("perceptron") && message.contains("mixer"),
        "{message}"
    );
}

#[test]
fn every_family_runs_and_is_recorded() {
    let folder = folder("families");
    let (file, log) = (folder.join("recipe.json"), folder.join("log.jsonl"));
    for family in FAMILIES {
        let mut changed = recipe(family);
        changed["training"]["epochs"] = json!(1);
        changed["training"]["warmup_epochs"] = json!(0.5);
        changed["evaluation"]["latency_secs"] = json!(0);
        fs::write(&file, changed.to_string()).unwrap();
        let output = assay(&[
            "run",
            file.to_str().unwrap(),
            "--log",
            log.to_str().unwrap(),
        ]);
        assert!(
            output.status.success(),
            "{family}: {}",
            words(&output.stderr)
        );
        assert!(words(&output.stdout).contains(" of 359;"), "{family}");
    }
    let shown = words(&assay(&["show", log.to_str().unwrap()]).stdout);
    assert_eq!(shown.lines().count(), FAMILIES.len(), "{shown}");
}

#[test]
fn an_edited_set_is_run_and_its_slices_are_told() {
    let folder = folder("edits");
    let (file, log) = (folder.join("recipe.json"), folder.join("log.jsonl"));
    let mut changed = recipe("mlp");
    changed["training"]["epochs"] = json!(1);
    changed["evaluation"]["latency_secs"] = json!(0);
    let first: Vec<u32> = (0..400).collect();
    changed["data"]["edits"] = json!({ "dropped": [401], "slices": { "first": first } });
    fs::write(&file, changed.to_string()).unwrap();
    let (file, log) = (file.to_str().unwrap(), log.to_str().unwrap());
    let output = assay(&["run", file, "--log", log]);
    assert!(output.status.success(), "{}", words(&output.stderr));
    let told = words(&output.stdout);
    assert!(told.contains("slice") && told.contains("first: "), "{told}");
    let text = fs::read_to_string(log).unwrap();
    let (record, altered) = record::read(text.trim()).unwrap();
    assert!(!altered && record.digests.source.len() == 64);
    changed["data"]["edits"]["dropped"] = json!([1797]);
    fs::write(file, changed.to_string()).unwrap();
    let refused = assay(&["run", file, "--log", log]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(words(&refused.stderr).contains("got row 1797"));
}

#[test]
fn a_graph_of_ones_own_trains_and_is_verified() {
    let folder = folder("graph");
    let (file, log) = (folder.join("recipe.json"), folder.join("log.jsonl"));
    let mut changed = recipe("graph");
    changed["architecture"]["graph"]["layers"] = layers();
    changed["training"]["epochs"] = json!(6);
    changed["evaluation"]["latency_secs"] = json!(0);
    fs::write(&file, changed.to_string()).unwrap();
    let log = log.to_str().unwrap();
    let output = assay(&["run", file.to_str().unwrap(), "--log", log, "--json"]);
    assert!(output.status.success(), "{}", words(&output.stderr));
    let (record, _) = record::read(words(&output.stdout).trim()).unwrap();
    let accuracy = record.results.accuracy.unwrap();
    assert!(accuracy.value() >= 0.93, "{}", accuracy.value());
    let verified = assay(&["verify", log]);
    assert_eq!(verified.status.code(), Some(0));
    assert!(words(&verified.stdout).starts_with("reproduced"));
}

#[test]
fn a_graph_that_does_not_fit_is_refused_by_its_layer() {
    let folder = folder("misfit");
    let (file, log) = (folder.join("recipe.json"), folder.join("log.jsonl"));
    let mut changed = recipe("graph");
    changed["architecture"]["graph"]["layers"] = layers();
    changed["architecture"]["graph"]["layers"][8]["heads"] = json!(5);
    fs::write(&file, changed.to_string()).unwrap();
    let output = assay(&[
        "run",
        file.to_str().unwrap(),
        "--log",
        log.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(2));
    let message = words(&output.stderr);
    assert!(message.contains("attend"), "{message}");
    assert!(!log.exists(), "a log without a record");
}

#[test]
fn one_training_goes_through_many_schemes_and_each_record_stands_by_itself() {
    let folder = folder("variants");
    let log = folder.join("log.jsonl");
    let log = log.to_str().unwrap();
    let arguments = [
        "variants",
        "--architecture",
        "mlp",
        "--log",
        log,
        "--schemes",
    ];
    let output = assay(&[&arguments[..], &["f32,Q8_0,int8"]].concat());
    assert!(output.status.success(), "{}", words(&output.stderr));
    let table = words(&output.stdout);
    assert_eq!(table.lines().count(), 4, "{table}");
    assert!(
        table.contains("can't tell: ") || table.contains("worse: "),
        "{table}"
    );
    let text = fs::read_to_string(log).unwrap();
    let records: Vec<_> = text
        .lines()
        .map(|line| record::read(line).unwrap().0)
        .collect();
    assert_eq!(records.len(), 3);
    for (record, scheme) in records.iter().zip(["f32", "Q8_0", "int8"]) {
        assert_eq!(record.recipe.quantization.scheme, scheme);
        assert_eq!(record.digests.weights, records[0].digests.weights);
        assert!(record.results.latency.is_some());
        assert_eq!(record.results.damage.is_some(), scheme != "f32");
        assert_eq!(
            record.results.training.as_ref().unwrap().curve,
            records[0].results.training.as_ref().unwrap().curve
        );
    }
    assert_eq!(records[1].recipe.quantization.rows(), "padded");
    assert_ne!(records[1].digests.stored, records[2].digests.stored);
    let bytes = |index: usize| records[index].results.cost.as_ref().unwrap().weight_bytes;
    assert!(bytes(2) < bytes(0) / 3);
    // The last one went on from the first one's training; by itself it comes out the same.
    let verified = assay(&["verify", log]);
    assert!(
        words(&verified.stdout).starts_with("reproduced"),
        "{}",
        words(&verified.stdout)
    );
    let output = assay(&[&arguments[..], &["int4", "--json"]].concat());
    let table: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = table["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1]["quantization"]["scheme"], "int4");
    assert!(rows[1]["weightBytes"].as_u64() < rows[0]["weightBytes"].as_u64());
    assert!(rows[1]["verdict"].is_string() && rows[1]["accuracy"]["low"].is_f64());
    let refused = assay(&[&arguments[..], &["int3"]].concat());
    assert_eq!(refused.status.code(), Some(2));
    assert!(words(&refused.stderr).contains("int3"));
    let printed = assay(&["recipe", "--scheme", "int8"]);
    let recipe: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(recipe["quantization"], json!({"scheme": "int8"}));
}

#[test]
fn an_export_proves_itself_and_says_its_size() {
    let folder = folder("export");
    let file = folder.join("recipe.json");
    let mut changed = recipe("lenet");
    changed["training"]["epochs"] = json!(2);
    changed["training"]["warmup_epochs"] = json!(0.5);
    changed["quantization"] = json!({ "scheme": "Q4_0", "rows": "padded" });
    fs::write(&file, changed.to_string()).unwrap();
    let mut answers = Vec::new();
    for ending in ["safetensors", "gguf"] {
        let out = folder.join(format!("model.{ending}"));
        let output = assay(&[
            "export",
            file.to_str().unwrap(),
            out.to_str().unwrap(),
            "--json",
        ]);
        assert!(output.status.success(), "{}", words(&output.stderr));
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            told["bytes"].as_u64(),
            Some(fs::metadata(&out).unwrap().len())
        );
        answers.push(told["predictions"].clone());
    }
    assert_eq!(answers[0], answers[1]);
    changed["quantization"] = json!({ "scheme": "int4" });
    fs::write(&file, changed.to_string()).unwrap();
    for (out, word) in [("model.gguf", "safetensors"), ("model.onnx", ".gguf")] {
        let out = folder.join(out);
        let _ = fs::remove_file(&out);
        let output = assay(&["export", file.to_str().unwrap(), out.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2));
        assert!(
            words(&output.stderr).contains(word),
            "{}",
            words(&output.stderr)
        );
        assert!(!out.exists());
    }
}

#[test]
fn an_export_of_a_fine_tuned_model_is_the_one_that_a_run_measures() {
    let folder = folder("export-fine-tuned");
    let file = folder.join("recipe.json");
    let mut changed = recipe("mlp");
    changed["training"]["epochs"] = json!(2);
    changed["training"]["warmup_epochs"] = json!(0.5);
    changed["evaluation"]["latency_secs"] = json!(0);
    changed["quantization"] = json!({ "scheme": "int4", "fine_tune_epochs": 1 });
    fs::write(&file, changed.to_string()).unwrap();
    let file = file.to_str().unwrap();
    let log = folder.join("log.jsonl");
    let output = assay(&["run", file, "--log", log.to_str().unwrap(), "--json"]);
    let (record, _) = record::read(words(&output.stdout).trim()).unwrap();
    assert_eq!(record.digests.fine_tuned.len(), 64);
    let out = folder.join("model.safetensors");
    let output = assay(&["export", file, out.to_str().unwrap(), "--json"]);
    assert!(output.status.success(), "{}", words(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["stored"], json!(record.digests.stored));
    assert_eq!(told["predictions"], json!(record.digests.predictions));
}

#[test]
fn a_search_keeps_its_budget_and_records_what_it_finds() {
    let folder = folder("search");
    let log = folder.join("log.jsonl");
    let log = log.to_str().unwrap();
    let arguments = ["search", "--architecture", "mlp", "--log", log];
    let output = assay(
        &[
            &arguments[..],
            &["--points", "1", "--kilobytes", "20", "--json"],
        ]
        .concat(),
    );
    assert!(output.status.success(), "{}", words(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let path = told["path"].as_array().unwrap();
    let bytes = |point: &Value| point["bytes"].as_u64().unwrap();
    assert!(
        path.windows(2)
            .all(|pair| bytes(&pair[1]) < bytes(&pair[0])),
        "{path:?}"
    );
    let last = path.last().unwrap();
    assert!(bytes(last) <= 20_000, "{told}");
    assert_eq!(told["found"]["weightBytes"], last["bytes"]);
    assert_eq!(told["found"]["quantization"]["layers"], last["layers"]);
    let correct = |point: &Value| point["correct"].as_f64().unwrap();
    let lost = 100.0 * (correct(&path[0]) - correct(last)) / last["rows"].as_f64().unwrap();
    assert!(lost <= 1.0, "{lost} points");
    let text = fs::read_to_string(log).unwrap();
    assert_eq!(text.lines().count(), 2);
    let verified = assay(&["verify", log]);
    assert!(
        words(&verified.stdout).starts_with("reproduced"),
        "{}",
        words(&verified.stdout)
    );
    let output = assay(&arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(words(&output.stderr).contains("points of accuracy, bytes or milliseconds"));
}

#[test]
fn variants_and_searches_begin_with_a_recipe_or_a_link() {
    let folder = folder("start");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let mut own = recipe("mlp");
    own["architecture"]["depth"] = json!(1);
    own["architecture"]["width"] = json!(8);
    own["training"]["epochs"] = json!(1);
    own["evaluation"]["latency_secs"] = json!(0);
    own["quantization"] = json!({ "scheme": "int8", "calibration": "percentile" });
    fs::write(path("own.json"), own.to_string()).unwrap();
    let log = path("log.jsonl");
    let ask = |arguments: &[&str]| {
        let output = assay(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{}", words(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let recipe = path("own.json");
    ask(&[
        "variants",
        "--recipe",
        &recipe,
        "--schemes",
        "int4",
        "--log",
        &log,
    ]);
    let text = fs::read_to_string(&log).unwrap();
    let records: Vec<_> = (text.lines())
        .map(|line| record::read(line).unwrap().0)
        .collect();
    let quantizations = records
        .iter()
        .map(|it| it.recipe.to_value()["quantization"].clone());
    // Its own scheme is set aside.
    assert!(quantizations.eq([json!({ "scheme": "f32" }), json!({ "scheme": "int4" })]));
    assert!(
        records
            .iter()
            .all(|it| it.recipe.architecture.width == Some(8))
    );

    // The link of the last record is that of the same model.
    let printed = assay(&["link", &log]);
    let link = words(&printed.stdout);
    let found = path("found.jsonl");
    let told = ask(&[
        "search",
        "--recipe",
        link.trim(),
        "--kilobytes",
        "2",
        "--log",
        &found,
    ]);
    assert!(told["path"][0]["bytes"].as_u64().unwrap() > 2000, "{told}");
    let first = fs::read_to_string(&found).unwrap();
    let (first, _) = record::read(first.lines().next().unwrap()).unwrap();
    assert_eq!(first.digests.weights, records[0].digests.weights);

    for (arguments, wanted) in [
        (
            vec!["--recipe", &recipe, "--architecture", "mlp"],
            "cannot be used with",
        ),
        (vec!["--recipe", "nowhere.json"], "nowhere.json"),
        (vec!["--recipe", "#r1:nothing"], "link"),
    ] {
        let output = assay(&[&["variants", "--log", &path("none.jsonl")], &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(2));
        let said = words(&output.stderr);
        assert!(said.contains(wanted), "{said}");
    }
}

#[test]
fn a_file_of_ones_own_is_learned_from_verified_and_told_from_another() {
    let folder = folder("own_data");
    let mut table = "width;height;kind\n".to_owned();
    for row in 0..90 {
        let kind = ["small", "middle", "large"][row % 3];
        table += &format!("{};{};{kind}\n", row % 3 * 4 + 2, row / 3 + 5);
    }
    let path = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let file = path("sizes.csv", &table);
    let other = path("other.csv", &table.replacen("small", "large", 1));
    let output = assay(&[
        "recipe",
        "--data",
        &file,
        "--label",
        "kind",
        "--architecture",
        "mlp",
    ]);
    assert!(output.status.success(), "{}", words(&output.stderr));
    assert!(words(&output.stderr).contains("90 rows, cells apart by semicolons"));
    let mut document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["data"]["set"], "own");
    assert_eq!(document["data"]["label"], "kind");
    assert_eq!(document["data"]["size"], 90);
    document["evaluation"]["latency_secs"] = json!(0.0);
    let recipe = path("recipe.json", &document.to_string());
    let log = folder.join("log.jsonl").to_str().unwrap().to_owned();
    let refused = assay(&["run", &recipe, "--log", &log]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(words(&refused.stderr).contains("--data"));
    let output = assay(&["run", &recipe, "--log", &log, "--data", &file]);
    assert!(output.status.success(), "{}", words(&output.stderr));
    let output = assay(&["verify", &log, "--data", &file]);
    assert!(output.status.success(), "{}", words(&output.stderr));
    let refused = assay(&["verify", &log, "--data", &other]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(words(&refused.stderr).contains("the file other.csv"));
    let output = assay(&["data", "--json", "--data", &file]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["findings"].as_array().unwrap().len(), 14);
}
