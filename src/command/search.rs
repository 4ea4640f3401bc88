//! Trains one model and looks for a scheme for each of its layers within a budget; which layer gives way is the lab's.

use super::start::Start;
use super::variants::{as_json, judged};
use super::{Outcome, Result, append, driver, print};
use assay::data::LocalMaker;
use assay::lab::protocol::{CommandBody, EventBody};
use serde_json::{Value, json};
use std::path::Path;

/// `assay search`.
pub(crate) fn search(start: &Start, budget: &Value, log: &Path, json: bool) -> Result<Outcome> {
    let exact = start.exact()?;
    let mut file = append::open(log)?;
    let (base, trained) = driver::run_trained(&exact, json, LocalMaker::default())?;
    append::line(&mut file, log, &base)?;
    let body = CommandBody::Search {
        record: base.clone(),
        budget: budget.clone(),
        known: Vec::new(),
    };
    let mut found = None;
    let answer = driver::ask(body, trained.weights, json, &mut |event| {
        if let EventBody::Recorded { record, .. } = event {
            append::line(&mut file, log, record)?;
            found = Some(record.clone());
        }
        Ok(())
    })?;
    let value = answer.value;
    let row = found.map(|text| judged(&base, &text)).transpose()?;
    if json {
        println!(
            "{}",
            json!({ "path": value["path"], "words": value["words"], "found": row.as_ref().map(as_json) })
        );
    } else {
        print::path(&value["path"]);
        println!("{}", value["words"].as_str().unwrap_or_default());
        if let Some(row) = row {
            print::variants(&[judged(&base, &base)?, row]);
        }
    }
    Ok(Outcome::Good)
}
