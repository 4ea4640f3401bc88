//! Trains one model once and puts it through many schemes, a record for each; what a scheme does is the lab's.

use super::{Outcome, Result, append, driver, print, record_of, words};
use assay::recipe::fields::SCHEMES;
use assay::recipe::{self, Recipe, edit};
use serde_json::Value;
use std::path::Path;

/// `assay variants`.
pub(crate) fn variants(
    (set, family): (&str, &str),
    schemes: &[String],
    log: &Path,
    json: bool,
) -> Result<Outcome> {
    let schemes: Vec<&str> = if schemes.is_empty() {
        SCHEMES.to_vec()
    } else {
        schemes.iter().map(String::as_str).collect()
    };
    // Every recipe is read before the work begins: a misspelt scheme should say so now.
    let recipes = (schemes.iter())
        .map(|scheme| with_scheme(set, family, scheme))
        .collect::<Result<Vec<Recipe>>>()?;
    let mut file = append::open(log)?;
    let mut checkpoint = None;
    let mut rows = Vec::new();
    for recipe in &recipes {
        let (text, trained) = driver::run_from(recipe, json, checkpoint.take())?;
        append::line(&mut file, log, &text)?;
        if json {
            println!("{text}");
        }
        rows.push(record_of(&text)?);
        checkpoint = trained;
    }
    if !json {
        print::variants(&rows);
    }
    Ok(Outcome::Good)
}

/// A family's default recipe under a scheme, as the form would change it.
pub(crate) fn with_scheme(set: &str, family: &str, scheme: &str) -> Result<Recipe> {
    let plain = Recipe::default_for(set, family).to_value();
    let changed = match scheme {
        "f32" => plain,
        _ => edit::set(plain, "quantization.scheme", Value::from(scheme)).map_err(words)?,
    };
    recipe::from_value(changed).map_err(words)
}
