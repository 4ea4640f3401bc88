//! The section of a recipe that says how whole boards are read around a model; it reads none.

use super::{Extra, Recipe};
use serde::Serialize;

/// How whole boards are read, over the same weights as single squares.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ReadingSpec {
    /// `legal`: only positions that follow the last one by a legal move; absent is `off`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Positions that are kept from picture to picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<u32>,
    /// How many times as much as the median square a square has to differ from the last picture to be looked at; 0 looks at
    /// all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<f64>,
    /// Fields of later versions.
    #[serde(flatten)]
    pub extra: Extra,
}

crate::section::section!(ReadingSpec { rule, kept, change } {  } {  });

impl ReadingSpec {
    /// What [`Self::kept`] says; absent is 8.
    #[must_use]
    pub fn kept(&self) -> u32 {
        self.kept.unwrap_or(8)
    }

    /// What [`Self::change`] says; absent is 1.5.
    #[must_use]
    pub fn change(&self) -> f64 {
        self.change.unwrap_or(1.5)
    }
}

impl Recipe {
    /// How boards are read, where the recipe asks for it.
    #[must_use]
    pub fn reads_boards(&self) -> Option<&ReadingSpec> {
        let reading = self.reading.as_ref();
        reading.filter(|it| it.rule.as_deref() == Some("legal"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::edit::{change, set};
    use crate::recipe::{from_json, from_value};
    use serde_json::json;

    fn chess() -> String {
        Recipe::default_for("chess", "lenet").to_json()
    }

    #[test]
    fn the_rule_is_asked_for_and_taken_back_without_a_trace() {
        let asked = change(&chess(), "reading.rule", json!("legal")).expect("fits");
        let recipe = from_json(&asked).expect("valid");
        let reading = recipe.reads_boards().expect("asked for");
        assert_eq!((reading.kept(), reading.change()), (8, 1.5));
        let few = change(&asked, "reading.kept", json!(1)).expect("fits");
        let few = change(&few, "reading.change", json!(0)).expect("fits");
        let recipe = from_json(&few).expect("valid");
        let reading = recipe.reads_boards().expect("asked for");
        assert_eq!((reading.kept(), reading.change()), (1, 0.0));
        let off = change(&few, "reading.rule", json!("off")).expect("fits");
        assert_eq!(off, chess());
        assert_eq!(
            change(&asked, "reading.kept", json!(8)).expect("fits"),
            asked
        );
    }

    #[test]
    fn the_rule_goes_with_the_pieces() {
        let asked = change(&chess(), "reading.rule", json!("legal")).expect("fits");
        let asked = change(&asked, "reading.kept", json!(3)).expect("fits");
        let digits = change(&asked, "data.set", json!("digits")).expect("fits");
        assert_eq!(digits, Recipe::default_for("digits", "lenet").to_json());
        let occupancy = change(&asked, "data.task", json!("occupancy")).expect("fits");
        let recipe = from_json(&occupancy).expect("valid");
        assert_eq!(recipe.reading, None);
        assert!(
            set(recipe.to_value(), "reading.rule", json!("legal"))
                .map(from_value)
                .expect("set")
                .is_err()
        );
    }

    #[test]
    fn refuses_a_rule_without_boards_and_numbers_out_of_range() {
        let asked = |set: &str, reading| {
            let mut document = Recipe::default_for(set, "lenet").to_value();
            document["reading"] = reading;
            from_value(document)
        };
        for (set, reading, path) in [
            (
                "digits",
                json!({ "rule": "legal" }),
                "reading.rule: only used where data.task",
            ),
            (
                "chess",
                json!({ "kept": 3 }),
                "reading.kept: only used where reading.rule",
            ),
            (
                "chess",
                json!({ "rule": "legal", "kept": 0 }),
                "reading.kept: expected a whole number from 1 to 64",
            ),
            (
                "chess",
                json!({ "rule": "legal", "change": -1 }),
                "reading.change: expected a number",
            ),
            (
                "chess",
                json!({ "rule": "chess960" }),
                "reading.rule: expected one of off, legal",
            ),
        ] {
            let words = asked(set, reading).expect_err("refused").to_string();
            assert!(words.contains(path), "{words}");
        }
        let later = asked("chess", json!({ "rule": "legal", "later": 1 })).expect("kept");
        assert_eq!(later.to_value()["reading"]["later"], 1);
    }

    #[test]
    fn the_rule_changes_the_recipe_and_not_the_training() {
        let plain = Recipe::default_for("chess", "lenet");
        let asked = change(&chess(), "reading.rule", json!("legal")).expect("fits");
        let asked = from_json(&asked).expect("valid");
        assert_ne!(asked.digest(), plain.digest());
        assert_eq!(asked.training_digest(), plain.training_digest());
    }
}
