//! What a recipe of two stages cannot have beside them, in words; how a stage is built is the model's question.

use super::fields::{LAYERS, STAGES, at};
use crate::error::Problem;
use serde_json::Value;

/// A path, the only words that it may hold beside two stages, and why.
type Rule = (&'static str, &'static [&'static str], &'static str);

const RULES: [Rule; 5] = [
    (
        "data.task",
        &["pieces"],
        "the first stage asks that already; take the task pieces, or one stage",
    ),
    (
        "execution.engine",
        &["cpu"],
        "which rows the second stage sees is decided row by row on the CPU; choose the engine cpu, or one stage",
    ),
    (
        "quantization.scheme",
        &["f32"],
        "the pair is stored as it was trained; choose the scheme f32, or one stage",
    ),
    (
        "quantization.pruning",
        &["off"],
        "the pair is stored as it was trained; choose no pruning, or one stage",
    ),
    (
        "architecture.family",
        &["lenet", "mlp", "resnet", "mobilenet", "vit", "mixer"],
        "a graph has one number of classes and the stages have two; choose another family, or one stage",
    ),
];

/// Adds a problem for each field that does not go with two stages.
pub(super) fn check(document: &Value, problems: &mut Vec<Problem>) {
    if at(document, STAGES).and_then(Value::as_str) != Some("two") {
        return;
    }
    let mut refuse = |path: &str, message: String| {
        problems.push(Problem {
            path: path.into(),
            message,
        });
    };
    for (path, words, why) in RULES {
        let found = at(document, path).and_then(Value::as_str);
        if let Some(found) = found.filter(|found| !words.contains(found)) {
            refuse(path, format!("{found} does not go with two stages: {why}"));
        }
    }
    if at(document, LAYERS).is_some() {
        refuse(
            LAYERS,
            "does not go with two stages, which are stored as they were trained; remove it".into(),
        );
    }
    let epochs = at(document, "quantization.fine_tune_epochs").and_then(Value::as_u64);
    if epochs.unwrap_or(0) > 0 {
        refuse(
            "quantization.fine_tune_epochs",
            "does not go with two stages, which are stored as they were trained; choose 0".into(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::fields::GRAPH;
    use super::super::{Recipe, from_value};
    use super::*;
    use serde_json::json;

    fn with(changes: &[(&str, &str, Value)]) -> Vec<String> {
        let mut document = Recipe::default_for("chess", "lenet").to_value();
        document["architecture"]["stages"] = json!("two");
        for (section, key, value) in changes {
            document[*section][*key] = value.clone();
        }
        match from_value(document) {
            Ok(_) => Vec::new(),
            Err(error) => vec![error.to_string()],
        }
    }

    #[test]
    fn two_stages_are_valid_and_one_written_out_changes_no_model() {
        assert_eq!(with(&[]), Vec::<String>::new());
        let plain = Recipe::default_for("chess", "lenet");
        assert!(!plain.architecture.has_two_stages());
        assert!(!plain.to_json().contains("stages"));
    }

    #[test]
    fn every_field_that_does_not_go_with_them_says_why_and_what_to_do() {
        for (section, key, value) in [
            ("data", "task", json!("occupancy")),
            ("execution", "engine", json!("gpu")),
            ("execution", "engine", json!("auto")),
            ("quantization", "scheme", json!("int8")),
            ("quantization", "scheme", json!("f16")),
            ("quantization", "pruning", json!("weights")),
            (
                "quantization",
                "layers",
                json!({ "occupancy.conv1": "int4" }),
            ),
            ("quantization", "fine_tune_epochs", json!(1)),
        ] {
            let found = with(&[(section, key, value)]).concat();
            let path = format!("{section}.{key}");
            assert!(found.contains(&path), "{path}: {found}");
            assert!(found.contains("two stages"), "{path}: {found}");
        }
        let mut graph = Recipe::default_for("chess", GRAPH).to_value();
        graph["architecture"]["stages"] = json!("two");
        let refused = from_value(graph).expect_err("refused").to_string();
        assert!(refused.contains("choose another family"), "{refused}");
    }

    #[test]
    fn other_sets_have_one_stage() {
        let mut digits = Recipe::default_for("digits", "lenet").to_value();
        digits["architecture"]["stages"] = json!("two");
        let refused = from_value(digits).expect_err("refused").to_string();
        assert!(refused.contains("data.set is \"chess\""), "{refused}");
    }
}
