//! Trains a recipe and writes its stored weights as a file that has proved itself; the lab writes and proves.

use super::{Outcome, OwnData, Result, driver, read_text, record_of, words};
use assay::lab::desk;
use assay::lab::protocol::{CommandBody, WeightsBehind};
use serde_json::json;
use std::path::Path;

/// `assay export`.
pub(crate) fn export(recipe: &Path, out: &Path, own: &OwnData, json: bool) -> Result<Outcome> {
    let recipe = desk::check_recipe(&read_text(recipe)?)
        .map_err(words)?
        .recipe;
    let ending = out.extension().and_then(|ending| ending.to_str());
    let format = match ending {
        Some(format @ ("safetensors" | "gguf")) => format,
        _ => {
            return Err(format!(
                "{} should end in .safetensors or .gguf, which says what is written",
                out.display()
            ));
        }
    };
    // Latency is in no file.
    let mut untimed = recipe.clone();
    untimed.evaluation.latency_secs = 0.0;
    let maker = own.open()?;
    let (record, trained) = driver::run_trained(&untimed, json, maker.clone())?;
    let digests = record_of(&record)?.digests;
    let (mut weights, mut fine_tuned) = (trained.weights, None);
    if let (Some(weights), Some(tuned)) = (&mut weights, trained.fine_tuned) {
        fine_tuned = Some(WeightsBehind {
            digest: digests.fine_tuned,
            from: weights.len() as u32,
        });
        weights.extend(tuned);
    }
    let body = CommandBody::Export {
        recipe: recipe.to_value(),
        format: format.into(),
        weights: digests.weights,
        fine_tuned,
    };
    let answer = driver::ask_with(maker, body, weights, json, &mut |_| Ok(()))?;
    let bytes = answer
        .bytes
        .ok_or_else(|| "the lab wrote no file".to_owned())?;
    std::fs::write(out, &bytes)
        .map_err(|error| format!("cannot write {}: {error}", out.display()))?;
    let value = answer.value;
    if json {
        println!(
            "{}",
            json!({
                "bytes": bytes.len(),
                "predictions": value["predictions"],
                "stored": value["stored"],
                "rows": value["rows"],
            })
        );
    } else {
        println!(
            "{}: {} bytes; read back, it gives the same answers on all {} test rows (digest {})",
            out.display(),
            bytes.len(),
            value["rows"],
            value["predictions"].as_str().unwrap_or_default()
        );
    }
    Ok(Outcome::Good)
}
