//! A recipe or a claim as a URL fragment: deflated, base64url, versioned. It fetches nothing and runs nothing.
//!
//! `#r1.` recipe and `#c1.` claim, then the unpadded base64url of the raw deflate of the canonical JSON. The number is
//! the version of this packing; the document inside has its own.

use super::claim::Claim;
use super::words::{count, cut, millis, percent};
use crate::error::{Error, Result};
use crate::recipe::{self, Recipe};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};
use serde::Serialize;
use serde_json::Value;

/// The version of the packing that this build writes.
pub const VERSION: u32 = 1;
/// Characters of a link that are looked at; longer ones are refused at once.
pub const MAX_LINK_CHARS: usize = 128 * 1024;
/// Bytes that a link may inflate to.
pub const MAX_INFLATED_BYTES: usize = 256 * 1024;

/// A packed document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Packed {
    /// From `#` to the end.
    pub fragment: String,
    /// Its length.
    pub bytes: usize,
    /// What it carries and what not, a sentence each.
    pub carries: Vec<String>,
}

/// What was in a link.
#[derive(Debug, Clone, PartialEq)]
pub enum Link {
    /// A recipe.
    Recipe(Box<Recipe>),
    /// A claim.
    Claim(Box<Claim>),
}

/// A link's content as the page shows it before anyone decides to run it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Described {
    /// `recipe` or `claim`.
    pub kind: &'static str,
    /// The recipe as indented JSON.
    pub recipe_text: String,
    /// Its digest.
    pub recipe_digest: String,
    /// The claim's document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<Value>,
    /// Its canonical text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim_text: Option<String>,
    /// Where the claim comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banner: Option<Banner>,
}

/// Where a claim comes from, as far as a link tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Banner {
    /// When the run started.
    pub started: String,
    /// Browser family and major version.
    pub browser: String,
    /// `cpu` or `gpu`.
    pub engine: String,
    /// The name that the sender typed, or empty.
    pub by: String,
}

/// Packs a recipe.
///
/// # Errors
/// [`Error::Link`] when it is too large for a link, which only unknown fields can make it.
pub fn pack_recipe(recipe: &Recipe) -> Result<Packed> {
    pack(
        'r',
        &crate::digest::canonical_json(&recipe.to_value()),
        carries_of_recipe(recipe),
    )
}

/// Packs a claim.
///
/// # Errors
/// As [`pack_recipe`].
pub fn pack_claim(claim: &Claim) -> Result<Packed> {
    pack('c', claim.text(), carries_of_claim(claim))
}

fn pack(kind: char, text: &str, carries: Vec<String>) -> Result<Packed> {
    let deflated = miniz_oxide::deflate::compress_to_vec(text.as_bytes(), 10);
    let fragment = format!("#{kind}{VERSION}.{}", URL_SAFE_NO_PAD.encode(deflated));
    if text.len() > MAX_INFLATED_BYTES || fragment.len() > MAX_LINK_CHARS {
        return Err(Error::Link(format!(
            "it would have {} characters, and at most {} are read. Share the recipe as a file instead",
            count(fragment.len() as u64),
            count(MAX_LINK_CHARS as u64)
        )));
    }
    Ok(Packed {
        bytes: fragment.len(),
        fragment,
        carries,
    })
}

/// Opens a link: a whole address or its part from `#` on.
///
/// # Errors
/// [`Error::Link`] in words, with the next step; [`Error::Recipe`] with every problem of the recipe in it.
pub fn open(link: &str) -> Result<Link> {
    let (kind, payload) = split(link).map_err(Error::Link)?;
    let text = unpack(payload).map_err(Error::Link)?;
    if kind == 'r' {
        recipe::from_json(&text).map(|recipe| Link::Recipe(Box::new(recipe)))
    } else {
        Claim::read(&text).map(|claim| Link::Claim(Box::new(claim)))
    }
}

/// The kind and the packed part of a link.
fn split(link: &str) -> Result<(char, &str), String> {
    if link.len() > MAX_LINK_CHARS {
        return Err(format!(
            "it has {} characters, and at most {} are read. Ask the sender for the recipe as a file",
            count(link.len() as u64),
            count(MAX_LINK_CHARS as u64)
        ));
    }
    let fragment = link.trim();
    let fragment = fragment
        .split_once('#')
        .map_or(fragment, |(_, fragment)| fragment);
    let not_ours = || {
        "it does not start with #r1. or #c1., so it is not a link that Assay made. Ask the sender to copy it again".to_owned()
    };
    let mut characters = fragment.chars();
    let kind = characters.next().filter(|kind| matches!(kind, 'r' | 'c'));
    let (Some(kind), Some((version, payload))) = (kind, characters.as_str().split_once('.')) else {
        return Err(not_ours());
    };
    if version.is_empty() || version.len() > 9 || !version.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Err(not_ours());
    }
    match version.parse::<u32>() {
        Ok(VERSION) => Ok((kind, payload)),
        Ok(version) if version > VERSION => Err(format!(
            "it was made by a newer Assay: it has version {version}, and this one reads version {VERSION}. Reload the page to update, or ask for a file"
        )),
        _ => Err(not_ours()),
    }
}

/// From base64url to the document's text.
fn unpack(payload: &str) -> Result<String, String> {
    const TRUNCATED: &str = "the end of the link is missing. Ask the sender for the whole link; some chat programs cut long ones";
    const DAMAGED: &str =
        "a part of the link was changed or lost on the way. Ask the sender to copy it again";
    if payload.is_empty() {
        return Err(TRUNCATED.into());
    }
    let deflated = match URL_SAFE_NO_PAD.decode(payload) {
        Ok(deflated) => deflated,
        Err(base64::DecodeError::InvalidByte(at, byte)) => {
            return Err(format!(
                "character {} of its packed part is {:?}, which no link contains. Ask the sender to copy it again",
                at + 1,
                payload
                    .get(at..)
                    .and_then(|rest| rest.chars().next())
                    .unwrap_or(char::from(byte))
            ));
        }
        // A lone last character, or one with bits that mean nothing.
        Err(_) => return Err(TRUNCATED.into()),
    };
    let mut inflated = vec![0; MAX_INFLATED_BYTES];
    let mut decompressor = DecompressorOxide::new();
    let (status, used, written) = decompress(
        &mut decompressor,
        &deflated,
        &mut inflated,
        0,
        inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
    );
    match status {
        TINFLStatus::Done if used == deflated.len() => {}
        TINFLStatus::Done => {
            return Err(format!(
                "{} bytes follow its end: something was added. Ask the sender to copy it again",
                deflated.len() - used
            ));
        }
        TINFLStatus::HasMoreOutput => {
            return Err(format!(
                "it inflates to more than {} bytes, which no recipe or claim needs. It was not opened any further",
                count(MAX_INFLATED_BYTES as u64)
            ));
        }
        TINFLStatus::FailedCannotMakeProgress | TINFLStatus::NeedsMoreInput => {
            return Err(TRUNCATED.into());
        }
        _ => return Err(DAMAGED.into()),
    }
    inflated.truncate(written);
    String::from_utf8(inflated).map_err(|_| DAMAGED.into())
}

impl Link {
    /// What was in the link, as the page shows it.
    #[must_use]
    pub fn describe(&self) -> Described {
        let (kind, recipe, claim) = match self {
            Self::Recipe(recipe) => ("recipe", &**recipe, None),
            Self::Claim(claim) => ("claim", &claim.recipe, Some(claim)),
        };
        let claim_text = claim.map(|claim| claim.text().to_owned());
        Described {
            kind,
            recipe_text: recipe.to_json(),
            recipe_digest: recipe.digest(),
            claim: claim_text
                .as_deref()
                .and_then(|text| serde_json::from_str(text).ok()),
            banner: claim.map(|claim| Banner {
                started: claim.started.clone(),
                browser: format!("{} {}", claim.browser, claim.browser_version)
                    .trim()
                    .into(),
                engine: claim.engine.clone(),
                by: claim.by.clone(),
            }),
            claim_text,
        }
    }
}

fn carries_of_recipe(recipe: &Recipe) -> Vec<String> {
    let mut carries = recipe_sentences(recipe);
    carries
        .push("Not carried: results, weights, images, anything about you or your device.".into());
    carries
}

fn recipe_sentences(recipe: &Recipe) -> Vec<String> {
    let mut carries = vec![
        "The recipe: data set by name, split, architecture, training, quantization, evaluation, seed.".into(),
    ];
    if recipe.data.edits.is_some() {
        carries.push(
            "What was edited in the set: rows by number, with classes and the names of slices."
                .into(),
        );
    }
    carries
}

/// What a claim's link carries and what not, a sentence each.
#[must_use]
pub fn carries_of_claim(claim: &Claim) -> Vec<String> {
    let results = &claim.results;
    let accuracy = &results.accuracy;
    let mut sentence = format!(
        "Results: accuracy {} ({} of {})",
        percent(accuracy.value()),
        accuracy.correct,
        accuracy.total
    );
    for latency in &results.latency {
        sentence += &format!(
            ", {} per call of {}",
            millis(latency.p50),
            if latency.batch == 1 {
                "one row".into()
            } else {
                format!("{} rows", latency.batch)
            }
        );
    }
    sentence += ", test loss, size, each with its interval or tolerance.";
    let mut carries = recipe_sentences(&claim.recipe);
    carries.extend([
        sentence,
        "Digests of data, weights and answers, to compare bit by bit.".into(),
        format!(
            "Where it ran: {} engine, arithmetic {}, {}, started {}.",
            claim.engine,
            claim.arithmetic,
            format!("{} {}", claim.browser, claim.browser_version).trim(),
            cut(&claim.started, 40)
        ),
    ]);
    if !claim.by.is_empty() {
        carries.push(format!("The name that you typed: {}.", claim.by));
    }
    carries.push(
        "Not carried: weights, images, rows, raw timings, notes, anything else about you or your device.".into(),
    );
    carries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runlog::record;
    use serde_json::json;

    fn claim() -> Claim {
        let record = record::read(crate::runlog::SAMPLE).expect("reads").0;
        Claim::from_record(&record, "").expect("complete")
    }

    fn words(link: &str) -> String {
        let error = open(link).expect_err("refused");
        assert_eq!(error.kind(), "link", "{error}");
        error.to_string()
    }

    fn packed_bytes(bytes: &[u8]) -> String {
        format!(
            "#r1.{}",
            URL_SAFE_NO_PAD.encode(miniz_oxide::deflate::compress_to_vec(bytes, 10))
        )
    }

    #[test]
    fn a_link_brings_back_what_was_packed() {
        let recipe = Recipe::default_for("digits", "mlp");
        let packed = pack_recipe(&recipe).expect("fits");
        assert_eq!(packed.bytes, packed.fragment.len());
        assert_eq!(
            open(&packed.fragment).expect("opens"),
            Link::Recipe(Box::new(recipe))
        );
        let packed = pack_claim(&claim()).expect("fits");
        let address = format!(" https://example.org/lab/?x=1{}\n", packed.fragment);
        assert_eq!(
            open(&address).expect("opens"),
            Link::Claim(Box::new(claim()))
        );
    }

    #[test]
    fn a_claim_of_the_default_run_fits_a_chat_message() {
        let packed = pack_claim(&claim()).expect("fits");
        println!(
            "a claim takes {} characters, a recipe {}",
            packed.bytes,
            pack_recipe(&claim().recipe).expect("fits").bytes
        );
        assert!(packed.bytes < 2000, "{}", packed.bytes);
    }

    #[test]
    fn every_truncation_is_said_in_words() {
        let fragment = pack_claim(&claim()).expect("fits").fragment;
        for end in 4..fragment.len() {
            let message = words(&fragment[..end]);
            assert!(message.contains("Ask the sender"), "{end}: {message}");
        }
    }

    #[test]
    fn damage_is_said_in_words() {
        let fragment = pack_recipe(&Recipe::default_for("digits", "lenet"))
            .expect("fits")
            .fragment;
        assert!(words(&fragment.replace("#r1.", "#r1.*")).contains("character 1"));
        assert!(words(&fragment.replace("#r1.", "#r1.é")).contains('é'));
        assert!(words(&fragment.replace("#r1.", "#r2.")).contains("newer Assay"));
        for other in [
            "",
            "#",
            "r",
            "#r1",
            "#x1.abc",
            "#r0.abc",
            "#r.abc",
            "#r-1.abc",
            "https://example.org/",
            "#r99999999999.a",
        ] {
            assert!(words(other).contains("#r1."), "{other}");
        }
        assert!(words(&format!("{fragment}AAAA")).contains("bytes follow its end"));
        assert!(words(&"#".repeat(MAX_LINK_CHARS + 1)).contains("at most"));
        assert!(words(&packed_bytes(&[b'{', 0xff, 0xfe])).contains("changed or lost"));
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        assert!(
            words(&packed_bytes(&vec![b' '; MAX_INFLATED_BYTES + 1]))
                .contains("inflates to more than")
        );
        let bomb = packed_bytes(&vec![b'['; 50_000_000]);
        assert!(bomb.len() < MAX_LINK_CHARS);
        assert!(words(&bomb).contains("inflates to more than"));
    }

    #[test]
    fn an_unusable_recipe_in_a_link_is_reported_by_path() {
        let mut value = Recipe::default_for("digits", "lenet").to_value();
        value["data"]["set"] = json!("imagenet");
        value["training"]["epochs"] = json!(1_000_000);
        let error = open(&packed_bytes(value.to_string().as_bytes())).expect_err("refused");
        let Error::Recipe(problems) = error else {
            panic!("{error}");
        };
        let paths: Vec<&str> = problems
            .iter()
            .map(|problem| problem.path.as_str())
            .collect();
        assert_eq!(paths, ["data.set", "training.epochs"]);
    }

    #[test]
    fn the_share_dialog_says_what_is_carried() {
        let carries = pack_claim(&claim()).expect("fits").carries;
        assert!(
            carries[1].contains("accuracy 98.1 % (353 of 360)"),
            "{carries:?}"
        );
        assert!(carries.last().expect("some").starts_with("Not carried"));
        let described =
            serde_json::to_value(Link::Claim(Box::new(claim())).describe()).expect("JSON");
        assert_eq!(described["banner"]["browser"], "Chromium 150");
        assert_eq!(described["claim"]["results"]["accuracy"]["correct"], 353);
    }
}
