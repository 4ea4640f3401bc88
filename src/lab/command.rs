//! Reads a command from JSON, field by field; it does nothing of what is asked.
//!
//! By hand, because derived code for a tagged union costs a twentieth of the page's module.

use super::protocol::{Command, CommandBody, WeightsBehind};
use crate::error::{Error, Result};
use crate::recipe::typed;
use serde_json::{Map, Value};

impl Command {
    /// A command as the page sends it. Fields that no command has are passed over; what may be left out may be `null`.
    ///
    /// # Errors
    /// [`Error::BadInput`] with the field that is missing or of another type.
    pub fn from_value(command: Value) -> Result<Self> {
        let Value::Object(command) = command else {
            return Err(unfit("command", "an object", &command));
        };
        let mut fields = Fields(command);
        let id = fields.number("id")?;
        let name = fields.text("type")?;
        let body = match name.as_str() {
            "open" => {
                let environment = fields.needed("environment", "an object", Some)?;
                CommandBody::Open {
                    environment: typed(&environment).map_err(|why| {
                        Error::bad_input("environment", "what the page knows of it", why)
                    })?,
                    gpu_missing: fields
                        .optional("gpuMissing", "a text", text)?
                        .unwrap_or_default(),
                    tiles: fields
                        .optional("tiles", "a text", text)?
                        .unwrap_or_default(),
                }
            }
            "visibility" => CommandBody::Visibility {
                hidden: fields.needed("hidden", "true or false", flag)?,
            },
            "dataset" => CommandBody::Dataset {
                recipe: fields.needed("recipe", "an object", Some)?,
            },
            "check" => CommandBody::Check {
                recipe: fields.needed("recipe", "an object", Some)?,
            },
            "images" => CommandBody::Images {
                recipe: fields.needed("recipe", "an object", Some)?,
                rows: fields.needed("rows", "a list of whole numbers", |it| list(it, number))?,
            },
            "run" => CommandBody::Run {
                recipe: fields.needed("recipe", "an object", Some)?,
                claim: fields.optional("claim", "an object", Some)?,
                resume: fields
                    .optional("resume", "true or false", flag)?
                    .unwrap_or_default(),
                resumed_from: fields.optional("resumedFrom", "a text", text)?,
                hold_timing: fields
                    .optional("holdTiming", "true or false", flag)?
                    .unwrap_or_default(),
            },
            "variants" => CommandBody::Variants {
                record: fields.text("record")?,
                quantizations: fields.needed("quantizations", "a list", values)?,
            },
            "export" => CommandBody::Export {
                recipe: fields.needed("recipe", "an object", Some)?,
                format: fields.text("format")?,
                weights: fields.text("weights")?,
                fine_tuned: fields.behind("fineTuned")?,
            },
            "search" => CommandBody::Search {
                record: fields.text("record")?,
                budget: fields.needed("budget", "an object", Some)?,
                known: fields
                    .optional("known", "a list", values)?
                    .unwrap_or_default(),
            },
            "inspect" => CommandBody::Inspect {
                recipe: fields.needed("recipe", "an object", Some)?,
                weights: fields.text("weights")?,
                fine_tuned: fields.behind("fineTuned")?,
            },
            "load" => CommandBody::Load {
                recipe: fields.needed("recipe", "an object", Some)?,
                weights: fields.text("weights")?,
                fine_tuned: fields.behind("fineTuned")?,
            },
            "predict" => CommandBody::Predict {
                row: fields.optional("row", "a whole number", number)?,
                image: fields.optional("image", "a list of numbers", |it| list(it, pixel))?,
            },
            "decide" => CommandBody::Decide {
                target: fields.number("target")?,
                choice: fields.text("choice")?,
            },
            "loseGpu" => CommandBody::LoseGpu,
            "crash" => CommandBody::Crash,
            "hang" => CommandBody::Hang,
            "stop" => CommandBody::Stop {
                target: fields.number("target")?,
            },
            "pause" => CommandBody::Pause {
                target: fields.number("target")?,
            },
            "continue" => CommandBody::Continue {
                target: fields.number("target")?,
            },
            _ => return Err(unfit("type", "the name of a command", &Value::from(name))),
        };
        Ok(Self { id, body })
    }
}

/// The fields of a command that were not read yet.
struct Fields(Map<String, Value>);

impl Fields {
    fn optional<T>(
        &mut self,
        name: &str,
        wanted: &str,
        read: fn(Value) -> Option<T>,
    ) -> Result<Option<T>> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                let shown = value.clone();
                let read = read(value).ok_or_else(|| unfit(name, wanted, &shown))?;
                Ok(Some(read))
            }
        }
    }

    fn needed<T>(&mut self, name: &str, wanted: &str, read: fn(Value) -> Option<T>) -> Result<T> {
        self.optional(name, wanted, read)?
            .ok_or_else(|| Error::bad_input(name, wanted, "nothing"))
    }

    fn behind(&mut self, name: &str) -> Result<Option<WeightsBehind>> {
        self.optional(name, "an object with digest and from", |it| {
            Some(WeightsBehind {
                digest: it["digest"].as_str()?.into(),
                from: number(it["from"].clone())?,
            })
        })
    }

    fn text(&mut self, name: &str) -> Result<String> {
        self.needed(name, "a text", text)
    }

    fn number(&mut self, name: &str) -> Result<u32> {
        self.needed(name, "a whole number", number)
    }
}

fn unfit(what: &str, expected: &str, got: &Value) -> Error {
    let got: String = got.to_string().chars().take(80).collect();
    Error::bad_input(what, expected, got)
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn flag(value: Value) -> Option<bool> {
    value.as_bool()
}

fn number(value: Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a pixel is rounded to an f32"
)]
fn pixel(value: Value) -> Option<f32> {
    value.as_f64().map(|number| number as f32)
}

fn values(value: Value) -> Option<Vec<Value>> {
    list(value, Some)
}

fn list<T>(value: Value, read: fn(Value) -> Option<T>) -> Option<Vec<T>> {
    match value {
        Value::Array(items) => items.into_iter().map(read).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(command: Value) -> String {
        Command::from_value(command)
            .expect_err("refused")
            .to_string()
    }

    #[test]
    fn names_the_field_that_is_missing_or_of_another_type() {
        for (command, field) in [
            (json!([1, "crash"]), "command"),
            (json!({"type": "crash"}), "id"),
            (json!({"id": -1, "type": "crash"}), "id"),
            (json!({"id": 1.5, "type": "crash"}), "id"),
            (json!({"id": 1}), "type"),
            (json!({"id": 1, "type": "explode"}), "type"),
            (json!({"id": 1, "type": "stop"}), "target"),
            (json!({"id": 1, "type": "run"}), "recipe"),
            (json!({"id": 1, "type": "load", "recipe": {}}), "weights"),
            (json!({"id": 1, "type": "inspect", "recipe": {}}), "weights"),
            (
                json!({"id": 1, "type": "export", "recipe": {}, "format": "gguf"}),
                "weights",
            ),
            (
                json!({"id": 1, "type": "load", "recipe": {}, "weights": "", "fineTuned": {"digest": "", "from": -1}}),
                "fineTuned",
            ),
            (
                json!({"id": 1, "type": "visibility", "hidden": 1}),
                "hidden",
            ),
            (
                json!({"id": 1, "type": "images", "recipe": {}, "rows": [1, -1]}),
                "rows",
            ),
            (
                json!({"id": 1, "type": "predict", "image": [0.5, null]}),
                "image",
            ),
            (
                json!({"id": 1, "type": "open", "environment": {"cores": "four"}}),
                "environment",
            ),
        ] {
            let words = refusal(command.clone());
            assert!(
                words.starts_with(&format!("{field}: expected")),
                "{command}: {words}"
            );
        }
    }

    #[test]
    fn what_may_be_left_out_may_be_null_and_more_is_passed_over() {
        let command = json!({"id": 3, "type": "predict", "row": null, "later": true});
        let read = Command::from_value(command).expect("a command");
        assert_eq!(
            read.body,
            CommandBody::Predict {
                row: None,
                image: None
            }
        );
    }
}
