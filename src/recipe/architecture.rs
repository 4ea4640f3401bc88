//! The section of a recipe that names the model; it builds none.

use super::{Extra, fields};
use serde::Serialize;
use serde_json::{Map, Value};

/// The model, by family; a field that the family does not use is absent, and so may one be that has a default in
/// [`fields`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArchitectureSpec {
    /// One of [`fields::FAMILIES`].
    pub family: String,
    /// Hidden layers of an `mlp`, layers with weights of a `resnet`, blocks of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<u32>,
    /// Units of each hidden layer, channels of the first convolution, or numbers of a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Channels of the first convolution of a `lenet`; the second has twice as many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<u32>,
    /// Side of the square kernels of a `lenet`, odd.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<u32>,
    /// Units of the hidden linear layer of a `lenet`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dense: Option<u32>,
    /// Heads of the attention of a `vit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heads: Option<u32>,
    /// Side of the patches of a `vit` or `mixer`; 0 chooses by the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<u32>,
    /// `relu`, `relu6`, `hardswish`, `silu`, `tanh` or `gelu`; empty and not written for a `graph`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub activation: String,
    /// `none`, `batch` or `layer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalization: Option<String>,
    /// `max` or `average`, of a `lenet`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pooling: Option<String>,
    /// `on` or `off`: the shortcuts of a `resnet`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residual: Option<String>,
    /// Share of hidden numbers that a training step takes out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f64>,
    /// `two`: a narrower model first tells empty squares of `chess` from occupied ones; absent is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stages: Option<String>,
    /// By what the widths of the first of two stages are divided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub narrowing: Option<u32>,
    /// The layers of a `graph`, in the form of `docs/graph.md`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graph: Option<Map<String, Value>>,
    /// Fields of later versions.
    #[serde(flatten)]
    pub extra: Extra,
}

crate::section::section!(ArchitectureSpec { family, depth, width, channels, kernel, dense, heads, patch, normalization, pooling, residual, dropout, stages, narrowing, graph } { activation } {  });

impl ArchitectureSpec {
    /// The word at an optional field, or the one that its absence means; empty for a family without it.
    fn word<'a>(&self, path: &str, there: Option<&'a str>) -> &'a str {
        match (there, fields::fallback(path, &self.family)) {
            (Some(word), _) => word,
            (None, Some(fields::Fallback::Word(word))) => word,
            _ => "",
        }
    }

    /// What [`Self::normalization`] says or its absence means.
    #[must_use]
    pub fn normalization(&self) -> &str {
        self.word("architecture.normalization", self.normalization.as_deref())
    }

    /// What [`Self::pooling`] says or its absence means.
    #[must_use]
    pub fn pooling(&self) -> &str {
        self.word("architecture.pooling", self.pooling.as_deref())
    }

    /// What [`Self::residual`] says or its absence means.
    #[must_use]
    pub fn residual(&self) -> &str {
        self.word("architecture.residual", self.residual.as_deref())
    }

    /// Whether a first model tells empty rows from others, so that the second answers only those.
    #[must_use]
    pub fn has_two_stages(&self) -> bool {
        self.stages.as_deref() == Some("two")
    }

    /// What [`Self::narrowing`] says; absent is 4.
    #[must_use]
    pub fn narrowing(&self) -> u32 {
        self.narrowing.unwrap_or(4)
    }

    /// What [`Self::dropout`] says; absent is none.
    #[must_use]
    pub fn dropout(&self) -> f64 {
        self.dropout.unwrap_or(0.0)
    }

    /// What [`Self::patch`] says; absent chooses by the image.
    #[must_use]
    pub fn patch(&self) -> u32 {
        self.patch.unwrap_or(0)
    }
}
