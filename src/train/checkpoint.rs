//! Everything that a training needs to go on after an epoch, as bytes; hostile bytes are refused in words.
//!
//! The form is a safetensors file: `weights/…`, `first/…` and `second/…` (the optimizer's moments) and
//! `kept/…`, with text beside them for what is no tensor. Its digest is over all tensors. The random numbers of
//! shuffling and dropout are not in it: they follow from seed, epoch and step.

use crate::engine::State;
use crate::error::{Error, Result};
use crate::model::{self, Graph, Metadata, Weights};
use crate::order;
use crate::recipe::typed;
use crate::result::EpochPoint;

/// Version of the form.
const FORM: &str = "assay-checkpoint-1";

/// Where a training stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Progress {
    /// Finished epochs.
    pub(super) curve: Vec<EpochPoint>,
    /// Steps done.
    pub(super) steps: u64,
    /// The kept weights; empty before the first epoch.
    pub(super) kept: Weights,
    /// Their epoch, counted from 1; 0 before the first.
    pub(super) kept_epoch: u32,
}

/// What a checkpoint must belong to.
pub(super) struct Identity<'a> {
    pub(super) graph: &'a Graph,
    /// What decides the weights, and the whole recipe, which older checkpoints name.
    pub(super) recipe: [String; 2],
    /// Its arithmetic and the steps of its epochs, where it must not come from elsewhere.
    pub(super) own: Option<(&'static str, u32)>,
    pub(super) epochs: u32,
}

pub(super) fn write(state: &State, progress: &Progress, recipe: &str, arithmetic: &str) -> Vec<u8> {
    let mut all = Weights::default();
    for (group, weights) in [
        ("weights", &state.weights),
        ("first", &state.first),
        ("second", &state.second),
        ("kept", &progress.kept),
    ] {
        for (name, tensor) in weights.iter() {
            let name = format!("{group}/{name}");
            all.insert(name, tensor.shape.clone(), tensor.values.clone());
        }
    }
    let curve = serde_json::Value::from_iter(
        progress
            .curve
            .iter()
            .filter_map(|point| serde_json::to_value(point).ok()),
    );
    all.to_safetensors(&[
        ("form", FORM),
        ("recipe", recipe),
        ("arithmetic", arithmetic),
        ("curve", &curve.to_string()),
        ("steps", &progress.steps.to_string()),
        ("kept_epoch", &progress.kept_epoch.to_string()),
        ("tensors", &all.digest()),
    ])
}

pub(super) fn read(bytes: &[u8], identity: &Identity<'_>) -> Result<(State, Progress)> {
    let what = "the checkpoint";
    let bad = |wanted: &str, got: &str| Error::bad_input(what, wanted, got);
    let parameters = identity.graph.parameters()?;
    let groups = ["weights", "first", "second", "kept"];
    let expected = order::map(groups.into_iter().flat_map(|group| {
        parameters.iter().map(move |parameter| {
            let name = format!("{group}/{}", parameter.name);
            (name, parameter.shape.clone())
        })
    }));
    // What it belongs to is asked first: another recipe's model would fail as a missing tensor.
    let metadata = model::read_metadata(bytes, what)?;
    let arithmetic = identity.own.map(|(arithmetic, _)| arithmetic);
    let [training, whole] = identity.recipe.each_ref().map(String::as_str);
    for (key, wanted, words) in [
        ("form", Some([FORM; 2]), "the form assay-checkpoint-1"),
        ("recipe", Some([training, whole]), "one of this recipe"),
        (
            "arithmetic",
            arithmetic.map(|it| [it; 2]),
            "one of this arithmetic",
        ),
    ] {
        let found = metadata.get(key).map(String::as_str);
        if wanted.is_some_and(|wanted| !found.is_some_and(|found| wanted.contains(&found))) {
            return Err(bad(words, "another"));
        }
    }
    let (_, mut all) = model::read_tensors(bytes, &expected, what)?;
    if metadata.get("tensors") != Some(&all.digest()) {
        return Err(bad("the tensors that it was written with", "altered ones"));
    }
    let mut take = |group: &str| {
        let mut weights = Weights::default();
        for parameter in &parameters {
            if let Some(tensor) = all.remove(&format!("{group}/{}", parameter.name)) {
                weights.insert(&parameter.name, tensor.shape, tensor.values);
            }
        }
        weights
    };
    let state = State {
        weights: take("weights"),
        first: take("first"),
        second: take("second"),
    };
    let progress = Progress {
        curve: curve(&metadata).ok_or_else(|| bad("a curve", "something else"))?,
        steps: number(&metadata, "steps").ok_or_else(|| bad("its steps", "none"))?,
        kept: take("kept"),
        kept_epoch: number(&metadata, "kept_epoch")
            .and_then(|epoch| u32::try_from(epoch).ok())
            .ok_or_else(|| bad("the kept epoch", "none"))?,
    };
    let epochs = progress.curve.len() as u64;
    let whole = (1..=u64::from(identity.epochs)).contains(&epochs)
        && (identity.own).is_none_or(|(_, steps)| progress.steps == epochs * u64::from(steps))
        && (1..=epochs).contains(&u64::from(progress.kept_epoch))
        && (progress.curve.iter().zip(1..)).all(|(point, epoch)| point.epoch == epoch);
    if !whole {
        return Err(bad("epochs and steps that fit the recipe", "others"));
    }
    Ok((state, progress))
}

fn curve(metadata: &Metadata) -> Option<Vec<EpochPoint>> {
    typed(&serde_json::from_str(metadata.get("curve")?).ok()?).ok()
}

fn number(metadata: &Metadata, key: &str) -> Option<u64> {
    metadata.get(key)?.parse().ok()
}
