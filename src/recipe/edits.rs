//! What a person changed in a set, as a recipe says it: labels, dropped rows, slices; whether the set has such rows is the set's
//! question.

use super::fields::at;
use super::read::{kind_of, shown, whole};
use crate::error::Problem;
use serde_json::{Map, Value};

/// Where edits stand in a recipe.
pub const EDITS: &str = "data.edits";
/// Rows that a recipe's edits may name in all, so that recipe and link stay within their own limits.
pub const MAX_EDITED_ROWS: usize = 2000;
/// Slices that a set may have.
pub const MAX_SLICES: usize = 16;
/// Characters of a slice's name.
pub const MAX_SLICE_NAME: usize = 40;

/// Edits of a set, read. Rows are those of the set as it is made; in each list they ascend and are there once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edits {
    /// Rows with another class than the set says, as its index.
    pub labels: Vec<(u32, u16)>,
    /// Rows that are in no part.
    pub dropped: Vec<u32>,
    /// Named rows whose accuracy is told apart, by name.
    pub slices: Vec<(String, Vec<u32>)>,
}

impl Edits {
    /// Reads `{ "labels": { "17": 3 }, "dropped": [4, 9], "slices": { "blurred": [1, 2] } }`. There is one way to write
    /// an edit down, so that equal edits have equal digests: what is empty is absent, rows ascend, numbers have no zeros in
    /// front.
    ///
    /// # Errors
    /// The first thing that is wrong, with its path.
    pub fn read(edits: &Map<String, Value>) -> Result<Self, Problem> {
        let mut read = Self::default();
        for (kind, value) in edits {
            let path = format!("{EDITS}.{kind}");
            match (kind.as_str(), value) {
                ("labels", Value::Object(labels)) => {
                    for (row, class) in labels {
                        let path = format!("{path}.{}", shown(&Value::from(row.as_str())));
                        let number = row.parse().ok().filter(|it: &u32| it.to_string() == *row);
                        let number = number.ok_or_else(|| {
                            problem(&path, "expected the number of a row".to_owned())
                        })?;
                        let class = whole(class).and_then(|class| u16::try_from(class).ok());
                        let class = class.ok_or_else(|| {
                            problem(&path, "expected the index of a class".to_owned())
                        })?;
                        read.labels.push((number, class));
                    }
                }
                ("dropped", rows) => read.dropped = rows_of(rows, &path)?,
                ("slices", Value::Object(slices)) => {
                    for (name, rows) in slices {
                        let path = format!("{path}.{}", shown(&Value::from(name.as_str())));
                        let length = name.chars().count();
                        if name.trim() != name || !(1..=MAX_SLICE_NAME).contains(&length) {
                            let expected = format!(
                                "expected a name of 1 to {MAX_SLICE_NAME} characters without spaces around it"
                            );
                            return Err(problem(&path, expected));
                        }
                        read.slices.push((name.clone(), rows_of(rows, &path)?));
                    }
                }
                ("labels" | "slices", other) => {
                    let got = kind_of(other);
                    return Err(problem(&path, format!("expected an object, got {got}")));
                }
                _ => {
                    let known = "there is no such edit; expected labels, dropped or slices";
                    return Err(problem(&path, known.to_owned()));
                }
            }
            if value.as_object().is_some_and(Map::is_empty) {
                return Err(problem(&path, "nothing is in it; remove it".to_owned()));
            }
        }
        crate::order::sort(&mut read.labels);
        read.check_together()?;
        Ok(read)
    }

    /// What concerns more than one of the lists.
    fn check_together(&self) -> Result<(), Problem> {
        let in_slices: usize = self.slices.iter().map(|(_, rows)| rows.len()).sum();
        let rows = self.labels.len() + self.dropped.len() + in_slices;
        let both = (self.labels.iter()).find(|(row, _)| self.dropped.binary_search(row).is_ok());
        let message = if rows == 0 {
            "nothing is in it; remove it".to_owned()
        } else if rows > MAX_EDITED_ROWS {
            format!("they name {rows} rows; the limit is {MAX_EDITED_ROWS}")
        } else if self.slices.len() > MAX_SLICES {
            let slices = self.slices.len();
            format!("they make {slices} slices; the limit is {MAX_SLICES}")
        } else if let Some((row, _)) = both {
            format!("row {row} is both dropped and given a class; leave one of them")
        } else {
            return Ok(());
        };
        Err(problem(EDITS, message))
    }
}

/// What is wrong with a document's edits, or `None`.
pub(super) fn check(document: &Value) -> Option<Problem> {
    let edits = at(document, EDITS)?.as_object()?;
    if let Err(found) = Edits::read(edits) {
        return Some(found);
    }
    let renumbers = at(document, "data.faults").and_then(|faults| faults.get("class drop"));
    renumbers.map(|_| {
        let why = "they name rows by number, and the fault \"class drop\" changes the numbers; remove one of the two";
        problem(EDITS, why.to_owned())
    })
}

fn rows_of(value: &Value, path: &str) -> Result<Vec<u32>, Problem> {
    let rows = || -> Option<Vec<u32>> {
        let list = value.as_array().filter(|list| !list.is_empty())?;
        (list.iter())
            .map(|row| u32::try_from(whole(row)?).ok())
            .collect()
    };
    let rows = rows().filter(|rows| rows.windows(2).all(|pair| pair[0] < pair[1]));
    let expected = "expected a list of row numbers, ascending, each once";
    rows.ok_or_else(|| problem(path, expected.to_owned()))
}

fn problem(path: &str, message: String) -> Problem {
    Problem {
        path: path.into(),
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{Recipe, from_json, from_value};
    use proptest::prelude::*;
    use serde_json::json;

    fn read(edits: &Value) -> Result<Edits, String> {
        let edits = edits.as_object().expect("an object");
        Edits::read(edits).map_err(|problem| problem.to_string())
    }

    fn recipe(edits: Value) -> Value {
        let mut recipe = Recipe::default_for("digits", "mlp").to_value();
        recipe["data"]["edits"] = edits;
        recipe
    }

    #[test]
    fn edits_are_read_with_their_rows_in_order() {
        let value = json!({ "labels": { "9": 1, "17": 3 }, "dropped": [4, 11], "slices": { "blurred": [1, 9] } });
        let edits = read(&value).expect("reads");
        assert_eq!(edits.labels, [(9, 1), (17, 3)]);
        assert_eq!(edits.dropped, [4, 11]);
        assert_eq!(edits.slices, [("blurred".to_owned(), vec![1, 9])]);
        let whole = from_value(recipe(value.clone())).expect("a recipe");
        assert_eq!(whole.data.edits(), Ok(Some(edits)));
        assert_eq!(whole.to_value()["data"]["edits"], value);
        assert_eq!(from_json(&whole.to_json()), Ok(whole));
    }

    #[test]
    fn without_edits_the_document_is_what_it_was() {
        let plain = Recipe::default_for("digits", "mlp");
        assert_eq!(plain.data.edits(), Ok(None));
        assert!(!plain.to_json().contains("edits"));
    }

    #[test]
    fn refuses_in_words_with_the_path() {
        let many: Vec<u32> = (0..=MAX_EDITED_ROWS as u32).collect();
        let slices: Map<String, Value> = (0..=MAX_SLICES)
            .map(|it| (it.to_string(), json!([1])))
            .collect();
        for (edits, path, words) in [
            (json!({}), "data.edits", "nothing is in it"),
            (
                json!({ "labels": {} }),
                "data.edits.labels",
                "nothing is in it",
            ),
            (
                json!({ "dropped": [] }),
                "data.edits.dropped",
                "a list of row numbers",
            ),
            (
                json!({ "dropped": [9, 4] }),
                "data.edits.dropped",
                "ascending",
            ),
            (
                json!({ "dropped": [4, 4] }),
                "data.edits.dropped",
                "each once",
            ),
            (
                json!({ "dropped": [-1] }),
                "data.edits.dropped",
                "row numbers",
            ),
            (json!({ "dropped": 4 }), "data.edits.dropped", "a list"),
            (
                json!({ "labels": { "017": 3 } }),
                "data.edits.labels.\"017\"",
                "number of a row",
            ),
            (
                json!({ "labels": { "x": 3 } }),
                "data.edits.labels.\"x\"",
                "number of a row",
            ),
            (
                json!({ "labels": { "1": "7" } }),
                "data.edits.labels.\"1\"",
                "index of a class",
            ),
            (
                json!({ "labels": { "1": 70000 } }),
                "data.edits.labels.\"1\"",
                "index of a class",
            ),
            (
                json!({ "labels": [1] }),
                "data.edits.labels",
                "an object, got a list",
            ),
            (
                json!({ "slices": { " a": [1] } }),
                "data.edits.slices.\" a\"",
                "a name of 1 to 40",
            ),
            (
                json!({ "slices": { "": [1] } }),
                "data.edits.slices.\"\"",
                "a name of 1 to 40",
            ),
            (
                json!({ "slices": { "a": [] } }),
                "data.edits.slices.\"a\"",
                "row numbers",
            ),
            (
                json!({ "slices": slices }),
                "data.edits",
                "17 slices; the limit is 16",
            ),
            (
                json!({ "dropped": many }),
                "data.edits",
                "2001 rows; the limit is 2000",
            ),
            (
                json!({ "labels": { "4": 1 }, "dropped": [4] }),
                "data.edits",
                "row 4 is both",
            ),
            (json!({ "moved": [4] }), "data.edits.moved", "no such edit"),
        ] {
            let refused = read(&edits).expect_err(words);
            assert!(refused.starts_with(&format!("{path}: ")), "{refused}");
            assert!(refused.contains(words), "{words}: {refused}");
            let whole = from_value(recipe(edits)).expect_err(words).to_string();
            assert!(whole.contains(words), "{words}: {whole}");
        }
    }

    #[test]
    fn rows_cannot_be_named_where_a_fault_changes_their_numbers() {
        let mut document = recipe(json!({ "dropped": [4] }));
        document["data"]["faults"] = json!({ "label flips": 0.1 });
        assert!(from_value(document.clone()).is_ok());
        document["data"]["faults"] = json!({ "class drop": 0.1 });
        let refused = from_value(document).expect_err("refused").to_string();
        assert!(refused.contains("class drop"), "{refused}");
    }

    #[test]
    fn as_many_edits_as_there_may_be_fit_a_recipes_text_and_a_link() {
        let labels: Map<String, Value> = (0..MAX_EDITED_ROWS)
            .map(|it| ((1_000_000 - it).to_string(), json!(999)))
            .collect();
        let recipe = from_value(recipe(json!({ "labels": labels }))).expect("a recipe");
        assert_eq!(from_json(&recipe.to_json()), Ok(recipe));
    }

    fn garbage() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            (0_u32..40).prop_map(Value::from),
            "[0-9a-z ]{0,5}".prop_map(Value::from),
            Just(Value::Null),
        ];
        let key = prop_oneof![
            Just("labels".to_owned()),
            Just("dropped".to_owned()),
            Just("slices".to_owned()),
            (0_u32..40).prop_map(|row| row.to_string()),
            "[0-9a-z ]{0,5}",
        ];
        leaf.prop_recursive(3, 60, 8, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                proptest::collection::vec((key.clone(), inner), 0..8)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn garbage_is_refused_or_is_read_in_order_within_the_limits(value in garbage()) {
            if let Value::Object(map) = &value
                && let Ok(edits) = Edits::read(map)
            {
                let lists = edits.slices.iter().map(|(_, rows)| rows).chain([&edits.dropped]);
                for rows in lists {
                    prop_assert!(rows.is_sorted_by(|a, b| a < b));
                }
                prop_assert!(edits.labels.is_sorted_by(|a, b| a.0 < b.0));
                prop_assert!(edits.labels.iter().all(|(row, _)| !edits.dropped.contains(row)));
                prop_assert!(edits.slices.len() <= MAX_SLICES);
            }
            let _ = from_value(recipe(value));
        }

        #[test]
        fn what_is_written_in_the_one_way_reads_back(
            labels in proptest::collection::btree_map(0_u32..5000, 0_u16..10, 0..20),
            dropped in proptest::collection::btree_set(5000_u32..9000, 0..20),
            slice in proptest::collection::btree_set(any::<u32>(), 1..20),
        ) {
            let mut value = json!({ "slices": { "some": slice } });
            if !labels.is_empty() {
                value["labels"] = json!(labels);
            }
            if !dropped.is_empty() {
                value["dropped"] = json!(dropped);
            }
            let edits = read(&value).expect("reads");
            prop_assert!(edits.labels.iter().copied().eq(labels));
            prop_assert!(edits.dropped.iter().copied().eq(dropped));
            prop_assert!(edits.slices[0].1.iter().copied().eq(slice));
        }
    }
}
