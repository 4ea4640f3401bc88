//! One row per field of a recipe: where it stands, what it may hold, what it is called; it checks nothing itself.

use serde::Serialize;

/// What a field may hold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum FieldKind {
    /// A whole number in `min..=max`.
    Integer {
        /// Smallest value.
        min: u32,
        /// Largest value.
        max: u32,
        /// Distance of values that make sense, counted from `min`; a value between them is refused.
        step: u32,
    },
    /// A number in `min..=max`.
    Number {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
    },
    /// One of a few words.
    Choice {
        /// The words, in the order to show them.
        options: &'static [&'static str],
    },
}

/// One field of a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// Dotted path in the document.
    pub path: &'static str,
    /// What it is called on the page; sentence case, no colon.
    pub label: &'static str,
    /// One sentence on what it changes.
    pub help: &'static str,
    /// Unit of the number, or empty.
    pub unit: &'static str,
    /// What it may hold.
    pub kind: FieldKind,
    /// The field is there only where the field at the first path holds the second; else it is always there.
    pub only_when: Option<(&'static str, &'static str)>,
}

/// Names of the built-in sets.
pub const SETS: &[&str] = &["digits"];
/// Names of the architecture families.
pub const FAMILIES: &[&str] = &["lenet", "mlp"];
/// Names of the quantization schemes.
pub const SCHEMES: &[&str] = &["f32", "f16", "Q8_0", "Q4_0"];

const fn integer(min: u32, max: u32) -> FieldKind {
    FieldKind::Integer { min, max, step: 1 }
}

const fn number(min: f64, max: f64) -> FieldKind {
    FieldKind::Number { min, max }
}

const fn choice(options: &'static [&'static str]) -> FieldKind {
    FieldKind::Choice { options }
}

const fn field(
    path: &'static str,
    label: &'static str,
    unit: &'static str,
    kind: FieldKind,
    help: &'static str,
) -> Field {
    Field {
        path,
        label,
        help,
        unit,
        kind,
        only_when: None,
    }
}

const fn only(field: Field, path: &'static str, value: &'static str) -> Field {
    Field {
        only_when: Some((path, value)),
        ..field
    }
}

/// Every field, in reading order. The first part of a path names its section.
#[rustfmt::skip]
pub const FIELDS: &[Field] = &[
    field("data.set", "Set", "", choice(SETS),
        "The images to learn from."),
    field("split.validation", "Validation share", "", number(0.05, 0.5),
        "Share of each class that chooses the epoch to keep; it never trains."),
    field("split.test", "Test share", "", number(0.05, 0.5),
        "Share of each class that is scored once, at the end."),
    field("preprocessing.scale", "Scale", "", choice(&["unit", "standardize"]),
        "unit divides by the largest value; standardize also removes the training mean and divides by its deviation."),
    field("architecture.family", "Family", "", choice(FAMILIES),
        "lenet: two convolutions with pooling, then linear layers. mlp: linear layers only."),
    only(field("architecture.channels", "Channels", "", integer(1, 256),
        "Channels of the first convolution; the second has twice as many."), "architecture.family", "lenet"),
    only(field("architecture.kernel", "Kernel", "px", FieldKind::Integer { min: 1, max: 7, step: 2 },
        "Side of the square kernels; odd, so that the padding is even."), "architecture.family", "lenet"),
    only(field("architecture.dense", "Dense width", "", integer(1, 4096),
        "Units of the hidden linear layer."), "architecture.family", "lenet"),
    only(field("architecture.depth", "Depth", "", integer(0, 16),
        "Hidden layers; 0 is multinomial logistic regression."), "architecture.family", "mlp"),
    only(field("architecture.width", "Width", "", integer(1, 4096),
        "Units of each hidden layer."), "architecture.family", "mlp"),
    field("architecture.activation", "Activation", "", choice(&["relu", "tanh", "gelu"]),
        "What follows each layer but the last."),
    field("training.optimizer", "Optimizer", "", choice(&["adamw", "sgd"]),
        "adamw adapts the step of each weight; sgd needs a larger learning rate."),
    field("training.learning_rate", "Learning rate", "", number(1e-6, 10.0),
        "Size of a step at its peak."),
    only(field("training.momentum", "Momentum", "", number(0.0, 0.999),
        "How much of the last step is kept."), "training.optimizer", "sgd"),
    field("training.weight_decay", "Weight decay", "", number(0.0, 1.0),
        "Pulls weights, not biases, towards zero."),
    field("training.schedule", "Schedule", "", choice(&["cosine", "constant", "step"]),
        "How the learning rate falls; step divides it by ten after each third."),
    field("training.warmup_epochs", "Warm-up", "epochs", number(0.0, 100.0),
        "Epochs over which the learning rate rises from zero."),
    field("training.batch_size", "Batch size", "rows", integer(1, 4096),
        "Rows per step."),
    field("training.epochs", "Epochs", "", integer(1, 1000),
        "Passes over the training rows."),
    field("training.patience", "Patience", "epochs", integer(0, 1000),
        "Stops early after so many epochs without a lower validation loss; 0 never does."),
    field("training.keep", "Keep", "", choice(&["best", "last"]),
        "Which epoch's weights are kept; best is the lowest validation loss."),
    field("quantization.scheme", "Scheme", "", choice(SCHEMES),
        "How the trained weights are stored. Layers whose shape does not allow it stay f32, and the record says which."),
    field("evaluation.confidence", "Confidence", "", number(0.5, 0.999),
        "Confidence of every interval."),
    field("evaluation.throughput_batch", "Throughput batch", "rows", integer(1, 1024),
        "Rows per call where throughput is measured."),
    field("evaluation.latency_secs", "Latency budget", "s", number(0.0, 60.0),
        "Time for each of the two latency measurements; 0 measures none."),
    field("seed", "Seed", "", integer(0, u32::MAX),
        "Decides the split, the first weights and the order of rows."),
];
