//! What each subcommand of the native command does; the lab does the work, this reads files and prints.

mod append;
mod driver;
mod export;
mod own;
mod print;
mod search;
mod source;
mod start;
mod variants;

use assay::lab::desk;
use assay::lab::protocol::CommandBody;
use assay::recipe::{self, Recipe};
use assay::result::{FindingStatus, Findings};
use assay::runlog::claim::Claim;
use assay::runlog::link;
use assay::runlog::record::{self, Record};
use assay::runlog::verdict::{self, Overall};
use serde_json::json;
use source::Source;
use std::fs;
use std::io::Read as _;
use std::path::Path;

pub(crate) use export::export;
pub(crate) use own::OwnData;
pub(crate) use search::search;
pub(crate) use start::Start;
pub(crate) use variants::variants;

/// How a command ended that could do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done, reproduced or within tolerance.
    Good,
    /// A claim was re-run and something differs, or data fail a check.
    Diverged,
}

/// A command's result; the message names what cannot be used and what to do.
pub(crate) type Result<T> = std::result::Result<T, String>;

/// Turns any error into its words.
pub(crate) fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// `assay recipe`.
pub(crate) fn recipe(
    set: &str,
    family: &str,
    scheme: &str,
    engine: &str,
    own: &OwnData,
) -> Result<Outcome> {
    let text = if own.is_empty() {
        start::with_scheme(start::default(set, family), scheme)?.to_json()
    } else {
        let text = own.recipe(&own.open()?, family)?.to_json();
        recipe::edit::change(&text, recipe::fields::SCHEME, scheme.into()).map_err(words)?
    };
    let text = recipe::edit::change(&text, recipe::fields::ENGINE, engine.into()).map_err(words)?;
    // A name that no table knows is refused by the same reader as everybody's recipe.
    println!("{}", recipe::from_json(&text).map_err(words)?.to_json());
    Ok(Outcome::Good)
}

/// `assay run`.
pub(crate) fn run(path: &Path, log: &Path, own: &OwnData, json: bool) -> Result<Outcome> {
    let recipe = desk::check_recipe(&read_text(path)?).map_err(words)?.recipe;
    let mut file = append::open(log)?;
    let text = driver::run(&recipe, json, own.open()?)?;
    append::line(&mut file, log, &text)?;
    if json {
        println!("{text}");
    } else {
        print::record(&record_of(&text)?);
    }
    Ok(Outcome::Good)
}

/// `assay data`. Data that fail a check end as what diverged does.
pub(crate) fn data(set: &str, path: Option<&Path>, own: &OwnData, json: bool) -> Result<Outcome> {
    let maker = own.open()?;
    let recipe = match path {
        Some(path) => recipe::from_json(&read_text(path)?).map_err(words)?,
        None if !own.is_empty() => own.recipe(&maker, "mlp")?,
        None => Recipe::default_for(set, "lenet"),
    };
    let body = CommandBody::Check {
        recipe: recipe.to_value(),
    };
    let answer = driver::ask_with(maker, body, None, json, &mut |_| Ok(()))?;
    let findings: Findings = serde_json::from_value(answer.value).map_err(words)?;
    if json {
        println!("{}", json!(findings));
    } else {
        print::findings(&findings);
    }
    Ok(match findings.status() {
        FindingStatus::Fail => Outcome::Diverged,
        _ => Outcome::Good,
    })
}

/// `assay show`.
pub(crate) fn show(source: &str, json: bool) -> Result<Outcome> {
    match source::open(source)? {
        Source::Recipe(recipe) if json => println!("{}", recipe.to_json()),
        Source::Recipe(recipe) => print::recipe(&recipe),
        Source::Claim(claim) if json => println!("{}", claim.text()),
        Source::Claim(claim) => print::claim(&claim),
        Source::Log(log) => {
            for bad in &log.bad {
                eprintln!("assay: line {}: {}", bad.line, bad.message);
            }
            for entry in source::records(&log) {
                if json {
                    println!("{}", entry.text);
                } else {
                    print::line(&record_of(&entry.text)?, entry.altered);
                }
            }
        }
    }
    Ok(Outcome::Good)
}

/// `assay link`.
pub(crate) fn link(log: &Path, page: &str, by: &str, json: bool) -> Result<Outcome> {
    let record = source::last_record(&log.display().to_string())?;
    let claim = Claim::from_record(&record, by).map_err(words)?;
    let packed = link::pack_claim(&claim).map_err(words)?;
    let address = format!(
        "{}{}",
        page.split('#').next().unwrap_or(page),
        packed.fragment
    );
    if json {
        println!(
            "{}",
            json!({ "link": address, "bytes": packed.bytes, "carries": packed.carries })
        );
    } else {
        println!("{address}");
    }
    Ok(Outcome::Good)
}

/// `assay verify`.
pub(crate) fn verify(source: &str, own: &OwnData, json: bool) -> Result<Outcome> {
    let claim = match source::open(source)? {
        Source::Claim(claim) => *claim,
        Source::Log(_) => Claim::from_record(&source::last_record(source)?, "").map_err(words)?,
        Source::Recipe(_) => {
            return Err(
                "this link carries a recipe without results, so there is nothing to verify; run it with `assay run`"
                    .into(),
            );
        }
    };
    let text = driver::run(&claim.recipe, json, own.open()?)?;
    let judged = verdict::judge(&claim, &record_of(&text)?);
    if json {
        println!(
            "{}",
            json!({ "verdict": judged, "record": record_of(&text)? })
        );
    } else {
        print::verdict(&judged);
    }
    Ok(match judged.overall {
        Overall::Reproduced | Overall::WithinTolerance => Outcome::Good,
        Overall::Diverged | Overall::CannotBeJudged => Outcome::Diverged,
    })
}

fn record_of(text: &str) -> Result<Record> {
    record::read(text).map(|(record, _)| record).map_err(words)
}

/// A file's text, or standard input for `-`.
fn read_text(path: &Path) -> Result<String> {
    if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin()
            .take(recipe::MAX_RECIPE_BYTES as u64 + 1)
            .read_to_string(&mut text)
            .map_err(|error| format!("cannot read standard input: {error}"))?;
        return Ok(text);
    }
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}
