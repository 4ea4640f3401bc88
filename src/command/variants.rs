//! Trains one model once and puts it through many schemes, a record for each; what a scheme does is the lab's.

use super::start::{Start, with_scheme};
use super::{Outcome, Result, append, driver, print, record_of, words};
use assay::data::LocalMaker;
use assay::lab::desk;
use assay::lab::protocol::{CommandBody, EventBody};
use assay::recipe::Recipe;
use assay::recipe::fields::SCHEMES;
use assay::runlog::record::Record;
use serde_json::{Value, json};
use std::path::Path;

/// A variant beside the exact model.
pub(super) struct Row {
    pub(super) record: Record,
    /// `better`, `worse` or `can't tell`; empty for the exact model itself.
    pub(super) verdict: String,
    /// The verdict's reason.
    pub(super) reason: String,
}

/// `assay variants`.
pub(crate) fn variants(
    start: &Start,
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
    let exact = start.exact()?;
    let recipes = (schemes.iter().filter(|scheme| **scheme != "f32"))
        .map(|scheme| with_scheme(exact.to_value(), scheme))
        .collect::<Result<Vec<Recipe>>>()?;
    let mut file = append::open(log)?;
    let (base, trained) = driver::run_trained(&exact, json, LocalMaker::default())?;
    append::line(&mut file, log, &base)?;
    let mut texts = vec![base.clone()];
    let body = CommandBody::Variants {
        record: base.clone(),
        quantizations: (recipes.iter())
            .map(|recipe| recipe.to_value()["quantization"].take())
            .collect(),
    };
    driver::ask(body, trained.weights, json, &mut |event| {
        if let EventBody::Recorded { record, .. } = event {
            append::line(&mut file, log, record)?;
            texts.push(record.clone());
        }
        Ok(())
    })?;
    let rows = (texts.iter())
        .map(|text| judged(&base, text))
        .collect::<Result<Vec<Row>>>()?;
    if json {
        println!(
            "{}",
            json!({ "rows": rows.iter().map(as_json).collect::<Vec<_>>() })
        );
    } else {
        print::variants(&rows);
    }
    Ok(Outcome::Good)
}

/// A variant's record, judged against the exact model's on the same rows.
pub(super) fn judged(base: &str, text: &str) -> Result<Row> {
    let [mut verdict, mut reason] = [String::new(), String::new()];
    if base != text {
        let compared = desk::compare_records(base, text).map_err(words)?;
        let accuracy = compared
            .metrics
            .into_iter()
            .find(|it| it.name == "accuracy");
        if let Some(it) = accuracy {
            (verdict, reason) = (it.verdict, it.reason);
        }
    }
    Ok(Row {
        record: record_of(text)?,
        verdict,
        reason,
    })
}

/// A row for programs.
pub(super) fn as_json(row: &Row) -> Value {
    let Record {
        recipe,
        results,
        digest,
        ..
    } = &row.record;
    json!({
        "quantization": recipe.quantization,
        "accuracy": results.accuracy,
        "p50Millis": results.latency.as_ref().map(|it| it.p50_millis),
        "weightBytes": results.cost.as_ref().map(|it| it.weight_bytes),
        "verdict": row.verdict,
        "reason": row.reason,
        "record": digest,
    })
}
