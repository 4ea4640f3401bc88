//! Reads a recipe from text: size, form and ranges, with every problem named; shapes and work are the model's plan.

use super::fields::{FAULTS, FIELDS, FieldKind, SCHEMES, at, paths, row};
use super::{Recipe, VERSION, canonical, edits, stages, typed};
use crate::error::{Error, Problem, Result};
use serde_json::Value;

/// A recipe's text is refused above this size before it is parsed. A complete one has about 1 kB.
pub const MAX_RECIPE_BYTES: usize = 64 * 1024;

/// Reads a recipe from JSON text.
///
/// # Errors
/// [`Error::Recipe`] with every problem found: too long, not JSON, a field missing, of the wrong type or out of range.
pub fn from_json(text: &str) -> Result<Recipe> {
    if text.len() > MAX_RECIPE_BYTES {
        return Err(problem(
            "",
            format!(
                "the text has {} bytes; a recipe has at most {MAX_RECIPE_BYTES}",
                text.len()
            ),
        ));
    }
    // serde_json refuses NaN, Infinity and nesting deeper than 128 by itself.
    let value: Value = serde_json::from_str(text)
        .map_err(|error| problem("", format!("this is not JSON: {error}")))?;
    from_value(value)
}

/// Reads a recipe from a JSON value.
///
/// # Errors
/// As [`from_json`].
pub fn from_value(value: Value) -> Result<Recipe> {
    let Value::Object(document) = &value else {
        return Err(problem(
            "",
            format!("expected a JSON object, got {}", kind_of(&value)),
        ));
    };
    match document.get("assay").and_then(Value::as_str) {
        Some("recipe") => {}
        Some(other) => {
            return Err(problem(
                "assay",
                format!("expected \"recipe\", got {other:?}"),
            ));
        }
        None => {
            return Err(problem(
                "assay",
                "expected \"recipe\" here; this JSON is not a recipe".into(),
            ));
        }
    }
    match document.get("version").map(|version| version.as_u64()) {
        Some(Some(version)) if version == u64::from(VERSION) => {}
        Some(Some(version)) => {
            return Err(problem(
                "version",
                format!(
                    "this build reads version {VERSION}, got {version}; open it with a newer Assay"
                ),
            ));
        }
        Some(None) => return Err(problem("version", "expected a whole number".into())),
        None => {
            return Err(problem(
                "version",
                format!("missing; this build reads version {VERSION}"),
            ));
        }
    }
    let mut problems: Vec<Problem> = paths()
        .filter_map(|path| {
            check(path, &value).map(|message| Problem {
                path: path.into(),
                message,
            })
        })
        .collect();
    if problems.is_empty() {
        check_together(&value, &mut problems);
        check_layers(&value, &mut problems);
        check_faults(&value, &mut problems);
        problems.extend(edits::check(&value));
        stages::check(&value, &mut problems);
    }
    if !problems.is_empty() {
        return Err(Error::Recipe(problems));
    }
    // Through the canonical text, so that a whole number written as `1.0` is one.
    canonical(&value)
        .and_then(|value| typed(&value))
        .map_err(|message| problem("", message))
}

/// What is wrong with the field at a path, or `None`.
fn check(path: &str, document: &Value) -> Option<String> {
    let found = at(document, path);
    let Some(field) = row(path, document) else {
        return found.is_some().then(|| {
            let wanted = FIELDS.iter().filter(|field| field.path == path);
            let (decides, words): (Vec<_>, Vec<_>) =
                wanted.filter_map(|field| field.only_when).unzip();
            let decides = decides.first().copied().unwrap_or_default();
            format!(
                "only used where {decides} is {:?}; remove it",
                words.concat().join(" or ")
            )
        });
    };
    let Some(found) = found else {
        let missing = || format!("missing; expected {}", expectation(field.kind));
        return field.default.is_none().then(missing);
    };
    (!fits(field.kind, found))
        .then(|| format!("expected {}, got {}", expectation(field.kind), shown(found)))
}

/// Whether a value is of this kind and in its range.
pub(super) fn fits(kind: FieldKind, found: &Value) -> bool {
    match kind {
        FieldKind::Integer { min, max, step } => whole(found).is_some_and(|number| {
            (u64::from(min)..=u64::from(max)).contains(&number)
                && (number - u64::from(min)).is_multiple_of(u64::from(step))
        }),
        FieldKind::Number { min, max } => found
            .as_f64()
            .is_some_and(|number| (min..=max).contains(&number)),
        FieldKind::Choice { options } => found.as_str().is_some_and(|word| options.contains(&word)),
        FieldKind::Text { max } => found
            .as_str()
            .is_some_and(|text| text.chars().count() <= max as usize),
        FieldKind::Object => found.is_object(),
    }
}

/// Ranges that concern two fields.
fn check_together(document: &Value, problems: &mut Vec<Problem>) {
    let share = |path| at(document, path).and_then(Value::as_f64).unwrap_or(0.0);
    if share("split.validation") + share("split.test") > 0.9 {
        problems.push(Problem {
            path: "split".into(),
            message: "validation and test together take more than 0.9 of the rows; leave some to train on".into(),
        });
    }
    if let (Some(warmup), Some(epochs)) = (
        at(document, "training.warmup_epochs").and_then(Value::as_f64),
        at(document, "training.epochs").and_then(Value::as_f64),
    ) && warmup > epochs
    {
        problems.push(Problem {
            path: "training.warmup_epochs".into(),
            message: format!("expected at most training.epochs ({epochs}), got {warmup}"),
        });
    }
}

/// Schemes of single layers; whether there are such layers is the model's question.
fn check_layers(document: &Value, problems: &mut Vec<Problem>) {
    let path = "quantization.layers";
    let mut problem = |path: String, message| problems.push(Problem { path, message });
    match at(document, path) {
        None => {}
        Some(Value::Object(layers)) => {
            for (layer, scheme) in layers {
                if !fits(FieldKind::Choice { options: SCHEMES }, scheme) {
                    let expected = expectation(FieldKind::Choice { options: SCHEMES });
                    let message = format!("expected {expected}, got {}", shown(scheme));
                    problem(
                        format!("{path}.{}", shown(&Value::from(layer.as_str()))),
                        message,
                    );
                }
            }
        }
        Some(other) => problem(
            path.into(),
            format!(
                "expected an object of layers and their schemes, got {}",
                kind_of(other)
            ),
        ),
    }
}

/// Faults and the shares of the rows that they touch.
fn check_faults(document: &Value, problems: &mut Vec<Problem>) {
    let path = "data.faults";
    let faults = at(document, path).and_then(Value::as_object);
    for (fault, share) in faults.into_iter().flatten() {
        let kind = FieldKind::Number {
            min: 0.001,
            max: 1.0,
        };
        let message = if !FAULTS.contains(&fault.as_str()) {
            format!("there is no such fault; expected {}", FAULTS.join(", "))
        } else if !fits(kind, share) {
            format!("expected {}, got {}", expectation(kind), shown(share))
        } else {
            continue;
        };
        problems.push(Problem {
            path: format!("{path}.{}", shown(&Value::from(fault.as_str()))),
            message,
        });
    }
}

/// A whole number, also when it was written as `1.0`.
pub(super) fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let float = value.as_f64()?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "integral and in range by the guard"
        )]
        (float.trunc() == float && (0.0..9e15).contains(&float)).then_some(float as u64)
    })
}

fn expectation(kind: FieldKind) -> String {
    match kind {
        FieldKind::Integer { min, max, step: 1 } => format!("a whole number from {min} to {max}"),
        FieldKind::Integer { min, max, step } => {
            format!("a whole number from {min} to {max} in steps of {step}")
        }
        FieldKind::Number { min, max } => format!("a number from {min} to {max}"),
        FieldKind::Choice { options } => format!("one of {}", options.join(", ")),
        FieldKind::Text { max } => format!("a text of at most {max} characters"),
        FieldKind::Object => "an object".into(),
    }
}

pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A value as it is shown in a message, cut to a length that fits a line.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => kind_of(value).into(),
        other => {
            let text = other.to_string();
            if text.chars().count() <= 40 {
                text
            } else {
                format!("{}…", text.chars().take(40).collect::<String>())
            }
        }
    }
}

fn problem(path: &str, message: String) -> Error {
    Error::Recipe(vec![Problem {
        path: path.into(),
        message,
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(path: &str, to: Value) -> Value {
        let mut document = Recipe::default_for("digits", "lenet").to_value();
        let (section, key) = path.split_once('.').unwrap_or(("", path));
        let section = if section.is_empty() {
            &mut document
        } else {
            &mut document[section]
        };
        section[key] = to;
        document
    }

    fn problems(value: Value) -> Vec<String> {
        match from_value(value) {
            Err(Error::Recipe(problems)) => problems.iter().map(ToString::to_string).collect(),
            other => panic!("expected problems, got {other:?}"),
        }
    }

    #[test]
    fn the_defaults_are_valid_and_read_back_to_themselves() {
        for family in super::super::fields::FAMILIES {
            let recipe = Recipe::default_for("digits", family);
            let back = from_json(&recipe.to_json()).expect("the default is valid");
            assert_eq!(back, recipe);
            assert_eq!(back.digest(), recipe.digest());
        }
    }

    #[test]
    fn unknown_fields_are_kept_and_change_the_digest() {
        let plain = Recipe::default_for("digits", "lenet");
        let value = changed("training.later", Value::from(0.1));
        let recipe = from_value(value.clone()).expect("unknown fields are no problem");
        assert_eq!(recipe.to_value(), value);
        assert_ne!(recipe.digest(), plain.digest());
    }

    #[test]
    fn what_an_optional_field_leaves_out_is_its_default() {
        let spec = |family| Recipe::default_for("digits", family).architecture;
        let lenet = spec("lenet");
        assert_eq!((lenet.normalization(), lenet.pooling()), ("none", "max"));
        let resnet = spec("resnet");
        assert_eq!((resnet.normalization(), resnet.residual()), ("batch", "on"));
        let vit = spec("vit");
        assert_eq!((vit.patch(), vit.dropout(), vit.pooling()), (0, 0.0, ""));
        let recipe = from_value(changed("architecture.pooling", Value::from("average")));
        assert_eq!(recipe.expect("valid").architecture.pooling(), "average");
    }

    #[test]
    fn a_field_of_two_families_has_the_range_of_each() {
        for (family, depth, fits) in [
            ("mlp", 3, true),
            ("resnet", 3, false),
            ("resnet", 14, true),
            ("mobilenet", 3, false),
        ] {
            let mut document = Recipe::default_for("digits", family).to_value();
            document["architecture"]["depth"] = Value::from(depth);
            assert_eq!(from_value(document).is_ok(), fits, "{family} {depth}");
        }
    }

    #[test]
    fn layers_may_have_schemes_of_their_own() {
        let layers = |layers: Value| changed("quantization.layers", layers);
        let value = layers(serde_json::json!({"conv1": "int4"}));
        let recipe = from_value(value.clone()).expect("valid");
        assert_eq!(recipe.to_value(), value);
        let found = problems(layers(serde_json::json!({"conv1": "int3", "conv2": 4})));
        assert!(found[0].starts_with("quantization.layers.\"conv1\": expected one of f32"));
        assert_eq!(found.len(), 2);
        assert!(problems(layers(Value::from(3)))[0].contains("an object of layers"));
    }

    #[test]
    fn colours_are_swapped_on_chess_only_and_their_absence_changes_no_digest() {
        let plain = Recipe::default_for("chess", "lenet");
        assert!(!plain.to_json().contains("augmentation"));
        let mut document = plain.to_value();
        document["training"]["augmentation"] = Value::from("colours");
        let recipe = from_value(document).expect("valid");
        assert_eq!(recipe.training.augmentation(), "colours");
        assert_ne!(recipe.training_digest(), plain.training_digest());
        let found = problems(changed("training.augmentation", Value::from("colours")));
        assert_eq!(
            found,
            ["training.augmentation: only used where data.set is \"chess\"; remove it"]
        );
    }

    #[test]
    fn every_problem_is_named_with_its_path_and_value() {
        let mut document = changed("training.epochs", Value::from(-3));
        document["seed"].take();
        document["training"]["learning_rate"] = Value::from("fast");
        let found = problems(document);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found
                .iter()
                .any(|text| text
                    == "training.epochs: expected a whole number from 1 to 1000, got -3")
        );
        assert!(found.iter().any(|text| text.starts_with("seed: expected")));
    }

    #[test]
    fn refuses_what_is_out_of_range() {
        for (path, value) in [
            ("architecture.channels", Value::from(1_000_000)),
            ("architecture.kernel", Value::from(4)),
            ("training.batch_size", Value::from(2.5)),
            ("training.learning_rate", Value::from(1e300)),
            ("split.test", Value::from(0.0)),
            ("architecture.width", Value::from(8)),
            ("data.set", Value::from("imagenet")),
            ("architecture.normalization", Value::from("layer")),
            ("architecture.heads", Value::from(2)),
            ("architecture.graph", Value::from(2)),
            ("training.label_smoothing", Value::from(0.6)),
            ("version", Value::from(2)),
        ] {
            let found = problems(changed(path, value));
            assert!(found[0].starts_with(path), "{path}: {found:?}");
        }
    }

    #[test]
    fn refuses_a_missing_seed_nan_and_endless_nesting() {
        let mut document = Recipe::default_for("digits", "lenet").to_value();
        document.as_object_mut().expect("an object").remove("seed");
        assert!(problems(document)[0].starts_with("seed: missing"));
        for text in ["{\"seed\": NaN}", &"[".repeat(50_000), &" ".repeat(70_000)] {
            assert_eq!(from_json(text).expect_err("refused").kind(), "recipe");
        }
    }
}
