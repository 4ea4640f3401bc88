//! Whose model is trained once and stored in many ways: a family's default recipe, or one that was named.

use super::source::{self, Source};
use super::{Result, read_text, words};
use assay::lab::desk;
use assay::recipe::{self, Recipe, edit};
use clap::Args;
use serde_json::{Value, json};
use std::path::Path;

/// The recipe to start from.
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// The set.
    #[arg(long, default_value = "digits")]
    dataset: String,
    /// The family, whose default recipe is trained.
    #[arg(long, default_value = "lenet")]
    architecture: String,
    /// A recipe in its place: a JSON file, `-` for standard input, or a link; its own quantization is set aside.
    #[arg(long, conflicts_with_all = ["dataset", "architecture"])]
    recipe: Option<String>,
}

impl Start {
    /// The recipe in f32.
    pub(super) fn exact(&self) -> Result<Recipe> {
        let Some(named) = &self.recipe else {
            return with_scheme(default(&self.dataset, &self.architecture), "f32");
        };
        let read = if named.contains('#') && !Path::new(named).exists() {
            match source::open(named)? {
                Source::Recipe(recipe) => *recipe,
                Source::Claim(claim) => claim.recipe,
                Source::Log(_) => return Err(format!("{named} is a log; this needs a recipe")),
            }
        } else {
            let text = read_text(Path::new(named))?;
            desk::check_recipe(&text).map_err(words)?.recipe
        };
        let mut document = read.to_value();
        document["quantization"] = json!({ "scheme": "f32" });
        recipe::from_value(document).map_err(words)
    }
}

/// A family's default recipe.
pub(super) fn default(set: &str, family: &str) -> Value {
    Recipe::default_for(set, family).to_value()
}

/// A recipe in f32 under a scheme, as the form would change it.
pub(super) fn with_scheme(document: Value, scheme: &str) -> Result<Recipe> {
    let changed = match scheme {
        "f32" => document,
        _ => edit::set(document, "quantization.scheme", Value::from(scheme)).map_err(words)?,
    };
    recipe::from_value(changed).map_err(words)
}
