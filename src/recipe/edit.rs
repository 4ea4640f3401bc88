//! Changes one field of a recipe as a form does; whether the result can be used is the reader's question.

use super::fields::{FAMILY, FIELDS, LAYERS, SCHEME, SET, at, paths, row};
use super::read::fits;
use super::{EDITS, MAX_RECIPE_BYTES, Recipe, from_value};
use crate::error::{Error, Problem, Result};
use serde_json::{Map, Value, json};

/// Momentum that `sgd` starts with; common practice since I. Sutskever et al., "On the importance of initialization and
/// momentum in deep learning", ICML 2013.
const MOMENTUM: f64 = 0.9;

/// Schemes that pad from now on when they are chosen.
const BLOCKS: [&str; 2] = ["Q8_0", "Q4_0"];

/// Sets the field at `path` in a recipe's text, and gives the text back, indented.
///
/// Where the change decides which fields there are (set, family, optimizer), those that are now needed get their default
/// and those that are not go; a change of set or family also moves fields that stood at its default to the new one's, and
/// those that the new one has in another range; layers' own schemes go with the family, and edits of a set's rows with any
/// change of what decides the rows. `quantization.layers` is set as a whole, and an empty object or null takes it away. A
/// scheme of blocks is chosen with padding. An optional field that is set to its default goes. The value may be out of
/// range, and other fields may have problems: a form shows them. Unknown fields stay.
///
/// # Errors
/// [`Error::Recipe`] when the text is too long or no JSON object, or no such field exists.
pub fn change(text: &str, path: &str, value: Value) -> Result<String> {
    if text.len() > MAX_RECIPE_BYTES {
        return Err(refused(
            "",
            format!(
                "the text has {} bytes; a recipe has at most {MAX_RECIPE_BYTES}",
                text.len()
            ),
        ));
    }
    let document = serde_json::from_str(text)
        .map_err(|error| refused("", format!("this is not JSON: {error}")))?;
    let changed = set(document, path, value)?;
    // A usable recipe in reading order, any other in the order of its keys.
    match from_value(changed.clone()) {
        Ok(recipe) => Ok(recipe.to_json()),
        Err(_) => Ok(format!("{changed:#}")),
    }
}

/// As [`change`], on a JSON value.
///
/// # Errors
/// [`Error::Recipe`] when `document` is no JSON object, or no such field exists.
pub fn set(mut document: Value, path: &str, value: Value) -> Result<Value> {
    if path != LAYERS && !FIELDS.iter().any(|field| field.path == path) {
        return Err(refused(path, "no such field in a recipe".into()));
    }
    if !document.is_object() {
        return Err(refused("", "expected a JSON object".into()));
    }
    // What stood at the old default follows to the new one; what a person chose stays.
    let untouched: Vec<&str> = if path == FAMILY || path == SET {
        let is_default = |path: &&str| match (at(&document, path), default_of(path, &document)) {
            (Some(value), Some(default)) => *value == default,
            _ => false,
        };
        paths().filter(is_default).collect()
    } else {
        Vec::new()
    };
    let is_default = row(path, &document)
        .and_then(|field| field.default)
        .is_some_and(|default| default.is(&value));
    let blocks = path == SCHEME && value.as_str().is_some_and(|it| BLOCKS.contains(&it));
    if path == FAMILY && at(&document, LAYERS).is_some() {
        // They are named after the old family's layers.
        put(&mut document, LAYERS, None)?;
    }
    let decides_rows = path.starts_with("data.")
        && ![EDITS, "data.faults", "data.reason"].contains(&path)
        && at(&document, path) != Some(&value);
    if decides_rows && at(&document, EDITS).is_some() {
        // They name rows of the set as it was.
        put(&mut document, EDITS, None)?;
    }
    let is_empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
    let goes = is_default || ([LAYERS, EDITS].contains(&path) && is_empty);
    put(&mut document, path, (!goes).then_some(value))?;
    if blocks {
        // Without the field a recipe means what it meant before there was padding.
        put(&mut document, "quantization.rows", Some(json!("padded")))?;
    }
    // Fields that go may have decided others, which stand behind them.
    let mut gone = Vec::new();
    for other in paths().filter(|other| *other != path) {
        // Layers' schemes decide what the scheme does.
        let decides = |by: &str| {
            by == path || gone.contains(&by) || (by == SCHEME && [LAYERS, FAMILY].contains(&path))
        };
        let decided = FIELDS
            .iter()
            .any(|field| field.path == other && field.only_when.is_some_and(|(by, _)| decides(by)));
        if !decided && !untouched.contains(&other) {
            continue;
        }
        let field = row(other, &document);
        let stays = at(&document, other).is_some_and(|value| {
            !untouched.contains(&other) && field.is_some_and(|field| fits(field.kind, value))
        });
        if !stays {
            // An optional field has its default by being absent.
            let needed = field.is_some_and(|field| field.default.is_none());
            let default = default_of(other, &document).filter(|_| needed);
            if default.is_none() {
                gone.push(other);
            }
            put(&mut document, other, default)?;
        }
    }
    Ok(document)
}

/// The default of a field in a recipe of the document's set and family, or nothing where it has no such field.
fn default_of(path: &str, document: &Value) -> Option<Value> {
    let word = |path, other: &'static str| {
        at(document, path)
            .and_then(Value::as_str)
            .unwrap_or(other)
            .to_owned()
    };
    let defaults = Recipe::default_for(&word("data.set", "digits"), &word(FAMILY, "lenet"));
    match at(&defaults.to_value(), path) {
        Some(value) => Some(value.clone()),
        // No default recipe uses sgd.
        None if path == "training.momentum" => Some(json!(MOMENTUM)),
        None => row(path, document)?.default.map(|default| default.value()),
    }
}

/// Writes a value, or removes it. A section that is missing is made where something is written, and one that only held what
/// is removed goes with it.
fn put(document: &mut Value, path: &str, value: Option<Value>) -> Result<()> {
    let (section, key) = match path.split_once('.') {
        None => (document, path),
        Some((section, key)) => {
            let Some(map) = document.as_object_mut() else {
                return Err(refused("", "expected a JSON object".into()));
            };
            if value.is_none() {
                let only = |held: &Map<String, Value>| held.keys().all(|held| held == key);
                if map
                    .get(section)
                    .is_none_or(|it| it.as_object().is_some_and(only))
                {
                    map.remove(section);
                    return Ok(());
                }
            }
            (map.entry(section).or_insert_with(|| json!({})), key)
        }
    };
    let Some(map) = section.as_object_mut() else {
        return Err(refused(path, "its section is not a JSON object".into()));
    };
    match value {
        Some(value) => map.insert(key.to_owned(), value),
        None => map.remove(key),
    };
    Ok(())
}

fn refused(path: &str, message: String) -> Error {
    Error::Recipe(vec![Problem {
        path: path.into(),
        message,
    }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::fields::{FAMILIES, FieldKind, SETS};
    use crate::recipe::from_json;

    fn text(family: &str) -> String {
        Recipe::default_for("digits", family).to_json()
    }

    #[test]
    fn a_new_family_moves_defaults_and_leaves_choices() {
        let lenet = Recipe::default_for("digits", "lenet").to_value();
        let rate = |document: &Value| document["training"]["learning_rate"].as_f64();
        let mlp = Recipe::default_for("digits", "mlp").to_value();
        let moved = set(lenet.clone(), FAMILY, json!("mlp")).expect("a family");
        assert_eq!(rate(&moved), rate(&mlp));
        let chosen = set(lenet, "training.learning_rate", json!(0.02)).expect("a rate");
        let moved = set(chosen, FAMILY, json!("mlp")).expect("a family");
        assert_eq!(rate(&moved), Some(0.02));
    }

    #[test]
    fn a_new_set_moves_defaults_and_takes_the_old_sets_parameters_away() {
        for family in FAMILIES {
            for to in SETS {
                let changed = change(&text(family), SET, json!(to)).expect("fits");
                assert_eq!(changed, Recipe::default_for(to, family).to_json());
                let back = change(&changed, SET, json!("digits")).expect("fits");
                assert_eq!(back, text(family), "{family} from {to}");
            }
        }
        let chess = change(&text("lenet"), SET, json!("chess")).expect("fits");
        let hard = change(&chess, "data.difficulty", json!(0.9)).expect("fits");
        let recipe = from_json(&hard).expect("valid");
        assert_eq!((recipe.data.difficulty(), recipe.data.size()), (0.9, 120));
        let digits = change(&hard, SET, json!("digits")).expect("fits");
        assert_eq!(digits, text("lenet"));
        let refused = Recipe::default_for("digits", "lenet").to_value();
        let mut refused: Value = refused;
        refused["data"]["difficulty"] = json!(0.9);
        assert!(from_value(refused).is_err());
    }

    #[test]
    fn what_a_field_decided_goes_with_it() {
        let chess = Recipe::default_for("chess", "lenet").to_json();
        let two = change(&chess, "architecture.stages", json!("two")).expect("fits");
        let two = change(&two, "architecture.narrowing", json!(2)).expect("fits");
        assert_eq!(from_json(&two).expect("valid").architecture.narrowing(), 2);
        let digits = change(&two, SET, json!("digits")).expect("fits");
        assert_eq!(digits, text("lenet"));
        let one = change(&two, "architecture.stages", json!("one")).expect("fits");
        assert_eq!(one, chess);
    }

    #[test]
    fn layers_with_a_scheme_of_their_own_go_with_the_family() {
        let mut lenet = Recipe::default_for("digits", "lenet").to_value();
        lenet["quantization"] = json!({ "scheme": "int4", "layers": { "conv1": "f32" } });
        let kept = set(lenet.clone(), "seed", json!(2)).expect("a seed");
        assert_eq!(kept["quantization"]["layers"]["conv1"], "f32");
        let moved = set(lenet, FAMILY, json!("mlp")).expect("a family");
        assert_eq!(moved["quantization"], json!({ "scheme": "int4" }));
    }

    #[test]
    fn edits_of_a_sets_rows_go_with_what_decides_the_rows() {
        let edits = json!({ "dropped": [4] });
        let chess = Recipe::default_for("chess", "mlp").to_value();
        let edited = set(chess, EDITS, edits.clone()).expect("edits");
        for (path, value, stays) in [
            ("seed", json!(9), true),
            ("training.epochs", json!(3), true),
            ("data.faults", json!({ "blur": 0.1 }), true),
            ("data.reason", json!("to see"), true),
            ("data.seed", json!(9), false),
            ("data.size", json!(60), false),
            ("data.set", json!("digits"), false),
            ("data.edits", json!({}), false),
            ("data.edits", json!("none"), false),
        ] {
            let changed = set(edited.clone(), path, value).expect(path);
            let left = changed["data"].get("edits");
            assert_eq!(left, stays.then_some(&edits), "{path}");
        }
        let same = set(edited.clone(), "data.set", json!("chess")).expect("a set");
        assert_eq!(same, edited);
    }

    #[test]
    fn changing_the_family_there_and_back_gives_the_default() {
        for from in FAMILIES {
            for to in FAMILIES {
                let changed = change(&text(from), FAMILY, json!(to)).expect("fits");
                assert_eq!(changed, text(to), "{from} to {to}");
            }
        }
    }

    #[test]
    fn sgd_gets_a_momentum_and_adamw_loses_it() {
        let sgd = change(&text("mlp"), "training.optimizer", json!("sgd")).expect("fits");
        let recipe = from_json(&sgd).expect("valid");
        assert_eq!(recipe.training.momentum, Some(0.9));
        let default = Recipe::default_for("digits", "mlp").training;
        assert_eq!(recipe.training.learning_rate, default.learning_rate);
        let back = change(&sgd, "training.optimizer", json!("adamw")).expect("fits");
        assert_eq!(back, text("mlp"));
    }

    #[test]
    fn every_choice_of_every_field_leaves_a_valid_recipe() {
        for family in FAMILIES {
            let document = Recipe::default_for("digits", family).to_value();
            for field in FIELDS.iter().filter(|field| field.applies(&document)) {
                if let FieldKind::Choice { options } = field.kind {
                    for option in options {
                        let changed =
                            change(&text(family), field.path, json!(option)).expect("fits");
                        from_json(&changed)
                            .unwrap_or_else(|error| panic!("{} {option}: {error}", field.path));
                    }
                }
            }
        }
    }

    #[test]
    fn an_optional_field_that_is_set_to_its_default_leaves_the_digest_alone() {
        for (family, path, other, default) in [
            (
                "lenet",
                "architecture.pooling",
                json!("average"),
                json!("max"),
            ),
            (
                "resnet",
                "architecture.normalization",
                json!("none"),
                json!("batch"),
            ),
            ("vit", "architecture.patch", json!(4), json!(0)),
            ("mlp", "training.label_smoothing", json!(0.1), json!(0)),
        ] {
            let changed = change(&text(family), path, other.clone()).expect("fits");
            let value: Value = serde_json::from_str(&changed).expect("JSON");
            assert_eq!(at(&value, path), Some(&other));
            let back = change(&changed, path, default).expect("fits");
            assert_eq!(back, text(family));
        }
    }

    #[test]
    fn a_scheme_of_blocks_is_chosen_with_padding_and_another_leaves_it() {
        let padded = change(&text("lenet"), SCHEME, json!("Q8_0")).expect("fits");
        let recipe = from_json(&padded).expect("valid");
        assert_eq!(recipe.quantization.rows(), "padded");
        let whole = change(&padded, "quantization.rows", json!("whole")).expect("fits");
        let recipe = from_json(&whole).expect("valid");
        assert_eq!(recipe.quantization.rows, None);
        assert_eq!(
            change(&padded, SCHEME, json!("f32")).expect("fits"),
            text("lenet")
        );
    }

    #[test]
    fn what_the_new_family_has_in_another_range_gets_its_default() {
        let mlp = change(&text("mlp"), "architecture.depth", json!(5)).expect("fits");
        let mlp = change(&mlp, "architecture.normalization", json!("layer")).expect("fits");
        let lenet = change(&mlp, FAMILY, json!("lenet")).expect("fits");
        assert_eq!(lenet, text("lenet"));
        let resnet =
            from_json(&change(&mlp, FAMILY, json!("resnet")).expect("fits")).expect("valid");
        assert_eq!(resnet.architecture.depth, Some(8));
        assert_eq!(resnet.architecture.normalization(), "layer");
    }

    #[test]
    fn a_field_that_was_set_by_hand_is_kept() {
        let mut document = Recipe::default_for("digits", "lenet").to_value();
        document["architecture"]["width"] = json!(17);
        let changed = set(document, "architecture.family", json!("mlp")).expect("fits");
        assert_eq!(changed["architecture"]["width"], 17);
        assert_eq!(changed["architecture"]["depth"], 2);
    }

    #[test]
    fn unknown_fields_stay_and_a_bad_value_is_left_to_the_reader() {
        let mut document = Recipe::default_for("digits", "lenet").to_value();
        document["training"]["later"] = json!([1]);
        let changed = change(&document.to_string(), "training.epochs", json!(-1)).expect("fits");
        let value: Value = serde_json::from_str(&changed).expect("JSON");
        assert_eq!(value["training"]["later"], json!([1]));
        assert_eq!(value["training"]["epochs"], -1);
        assert!(from_json(&changed).is_err());
    }

    #[test]
    fn refuses_in_words_what_is_no_recipe() {
        for (text, path, word) in [
            ("[]", "seed", "JSON object"),
            ("{", "seed", "not JSON"),
            ("{}", "no.such", "no such field"),
            ("{\"data\": 3}", "data.set", "section"),
        ] {
            let error = change(text, path, json!(1)).expect_err("refused");
            assert!(error.to_string().contains(word), "{error}");
        }
        assert!(change(&" ".repeat(70_000), "seed", json!(1)).is_err());
        assert_eq!(
            set(json!({}), "data.set", json!("x")).expect("fits")["data"]["set"],
            "x"
        );
    }

    #[test]
    fn layers_schemes_are_set_as_a_whole_and_take_along_what_they_decide() {
        let start = Recipe::default_for("digits", "lenet").to_value();
        let layers = json!({ "conv1": "int8", "dense": "int4" });
        let both = set(start.clone(), LAYERS, layers.clone()).expect("fits");
        assert_eq!(both["quantization"]["layers"], layers);
        // A single layer in integers is calibrated as all of them are.
        let symmetric = json!("symmetric");
        let of_layer = set(both, "quantization.activations", symmetric.clone()).expect("fits");
        assert_eq!(
            from_value(of_layer.clone()).map(|it| it.quantization.activations),
            Ok(Some("symmetric".into()))
        );
        let without = set(of_layer.clone(), LAYERS, json!({ "dense": "int4" })).expect("fits");
        assert_eq!(at(&without, "quantization.activations"), None);
        from_value(without).expect("a recipe");
        let other = set(of_layer.clone(), FAMILY, json!("mlp")).expect("fits");
        assert_eq!(at(&other, "quantization.activations"), None);
        for nothing in [json!({}), Value::Null] {
            assert_eq!(set(of_layer.clone(), LAYERS, nothing).expect("fits"), start);
        }
        // With no such layer it is refused, and so is a choice that only all layers have.
        let mut alone = start.clone();
        alone["quantization"]["activations"] = symmetric;
        assert!(from_value(alone).is_err());
        let mut rows = set(start, LAYERS, json!({ "dense": "Q4_0" })).expect("fits");
        rows["quantization"]["rows"] = json!("padded");
        assert!(from_value(rows).is_err());
    }
}
