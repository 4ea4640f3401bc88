//! Describes a set and hands out its pictures; it trains nothing.

use crate::data;
use crate::error::{Error, Result};
use crate::lab::context::Context;
use crate::lab::protocol::DatasetSummary;
use crate::recipe;
use serde_json::{Value, json};

/// Most pictures in one answer.
const MAX_IMAGES: usize = 4096;

/// The set and the split of a recipe.
pub(super) fn summary(recipe: Value) -> Result<Value> {
    let recipe = recipe::from_value(recipe)?;
    let dataset = data::from_spec(&recipe.data)?;
    let split = data::split(&dataset, &recipe.split, recipe.seed)?;
    let mut counts = vec![[0; 3]; dataset.classes.len()];
    for (part, rows) in [&split.train, &split.validation, &split.test]
        .into_iter()
        .enumerate()
    {
        for &row in rows {
            counts[usize::from(dataset.labels[row as usize])][part] += 1;
        }
    }
    let sha256 = dataset.digest();
    let summary = DatasetSummary {
        set: dataset.set,
        title: dataset.title,
        attribution: dataset.attribution,
        licence: dataset.licence,
        sha256,
        shape: [dataset.channels, dataset.height, dataset.width],
        classes: dataset.classes,
        counts,
        train: split.train,
        validation: split.validation,
        test: split.test,
        labels: dataset.labels,
    };
    serde_json::to_value(summary).map_err(|error| Error::Engine {
        engine: "cpu",
        during: "describing the data",
        reason: error.to_string(),
    })
}

/// Pictures of `rows`, one byte a pixel.
pub(super) fn images(context: &Context, set: &str, rows: &[u32]) -> Result<Value> {
    if rows.len() > MAX_IMAGES {
        return Err(Error::TooLarge {
            what: "the number of pictures in one answer".into(),
            got: rows.len() as u64,
            limit: MAX_IMAGES as u64,
            unit: "pictures",
        });
    }
    let dataset = data::load(set)?;
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
