//! Describes a set and hands out its pictures; it trains nothing.

use crate::error::{Error, Result};
use crate::lab::context::Context;
use crate::lab::protocol::DatasetSummary;
use crate::recipe;
use serde_json::{Value, json};

/// Most pictures in one answer.
const MAX_IMAGES: usize = 4096;

/// The set and the split of a recipe.
pub(super) async fn summary(context: &Context, recipe: Value) -> Result<Value> {
    let recipe = recipe::from_value(recipe)?;
    let divided = context.shared.sets.of(context, &recipe).await?;
    let (dataset, split) = (&divided.dataset, &divided.split);
    let mut counts = vec![[0; 3]; dataset.classes.len()];
    for (part, rows) in [&split.train, &split.validation, &split.test]
        .into_iter()
        .enumerate()
    {
        for &row in rows {
            // A label that is no class is a finding.
            let class = dataset.labels.get(row as usize).map(|it| usize::from(*it));
            if let Some(counts) = class.and_then(|class| counts.get_mut(class)) {
                counts[part] += 1;
            }
        }
    }
    let sha256 = dataset.digest();
    let summary = DatasetSummary {
        set: dataset.set.clone(),
        title: dataset.title.clone(),
        attribution: dataset.attribution.clone(),
        licence: dataset.licence.clone(),
        notes: dataset.notes.clone(),
        sha256,
        shape: [dataset.channels, dataset.height, dataset.width],
        classes: dataset.classes.clone(),
        counts,
        train: split.train.clone(),
        validation: split.validation.clone(),
        test: split.test.clone(),
        labels: dataset.labels.clone(),
        groups: (dataset.groups.as_ref())
            .map(|groups| groups.name.clone())
            .unwrap_or_default(),
        source: divided.source.clone(),
        before: divided.before.clone(),
    };
    serde_json::to_value(summary).map_err(|error| Error::Engine {
        engine: "cpu",
        during: "describing the data",
        reason: error.to_string(),
    })
}

/// What the checks find in the set and the split of a recipe: a record's findings, each with all the rows that it is about as
/// `rows`, and with the classes that are `suggested` for them where it doubts labels.
pub(super) async fn check(context: &Context, recipe: Value) -> Result<Value> {
    let recipe = recipe::from_value(recipe)?;
    let divided = context.shared.sets.of(context, &recipe).await?;
    let findings = divided.findings(context, recipe.seed).await?;
    let mut value = serde_json::to_value(&findings).map_err(|error| Error::Engine {
        engine: "cpu",
        during: "telling what was found",
        reason: error.to_string(),
    })?;
    for (at, finding) in findings.findings.iter().enumerate() {
        if finding.unit == "rows" && !finding.affected.is_empty() {
            value["findings"][at]["rows"] = json!(finding.affected);
        }
        if !finding.suggested.is_empty() {
            value["findings"][at]["suggested"] = json!(finding.suggested);
        }
    }
    Ok(value)
}

/// Pictures of `rows`, one byte a pixel.
pub(super) async fn images(context: &Context, recipe: Value, rows: &[u32]) -> Result<Value> {
    if rows.len() > MAX_IMAGES {
        return Err(Error::TooLarge {
            what: "the number of pictures in one answer".into(),
            got: rows.len() as u64,
            limit: MAX_IMAGES as u64,
            unit: "pictures",
        });
    }
    let recipe = recipe::from_value(recipe)?;
    let divided = context.shared.sets.of(context, &recipe).await?;
    let dataset = &divided.dataset;
    let mut pixels = Vec::new();
    let mut labels = Vec::with_capacity(rows.len());
    for &row in rows {
        let Some(&label) = dataset.labels.get(row as usize) else {
            return Err(Error::bad_input(
                "row",
                format!("a row below {}", dataset.rows()),
                row.to_string(),
            ));
        };
        labels.push(label);
        pixels.extend(dataset.display(row));
    }
    Ok(json!({
        "buffer": context.put(pixels),
        "rows": rows,
        "labels": labels,
        "channels": dataset.channels,
        "height": dataset.height,
        "width": dataset.width,
    }))
}
