//! One row per field of a recipe: where it stands, what it may hold, what it is called; it checks nothing itself.

pub use super::field::{Fallback, Field, FieldKind};
use serde_json::Value;

/// The value at a dotted path.
pub(super) fn at<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.')
        .try_fold(document, |value, key| value.get(key))
}

/// Every path once, in reading order.
pub(super) fn paths() -> impl Iterator<Item = &'static str> {
    let first = |&(index, field): &(usize, &Field)| {
        FIELDS[..index].iter().all(|other| other.path != field.path)
    };
    FIELDS
        .iter()
        .enumerate()
        .filter(first)
        .map(|(_, field)| field.path)
}

/// The row of a path that is there in this document.
pub(super) fn row(path: &str, document: &Value) -> Option<&'static Field> {
    FIELDS
        .iter()
        .find(|field| field.path == path && field.applies(document))
}

/// What it means that the recipe of a family or set, whichever decides the field, has none at `path`.
pub(super) fn fallback(path: &str, decides: &str) -> Option<Fallback> {
    let mine = |field: &&Field| {
        let decided = |words: &[&str]| words.contains(&decides);
        field.path == path && field.only_when.is_none_or(|(_, words)| decided(words))
    };
    FIELDS.iter().find(mine)?.default
}

/// Names of the sets: three that are built in, and a person's own files.
pub const SETS: &[&str] = &["digits", "chess", "vibration", OWN];
/// The set of a person's own files.
pub const OWN: &str = "own";
/// What can be wrong with data on purpose.
pub const FAULTS: &[&str] = &[
    "label flips",
    "duplicates",
    "leakage",
    "missing values",
    "wrong scale",
    "noise",
    "blur",
    "class drop",
    "drift",
    "stuck sensor",
];
/// Names of the architecture families.
pub const FAMILIES: &[&str] = &["lenet", "mlp", "resnet", "mobilenet", "vit", "mixer", GRAPH];
/// The family whose recipes give their layers themselves.
pub const GRAPH: &str = "graph";
/// Names of the quantization schemes.
pub const SCHEMES: &[&str] = &[
    "f32",
    "f16",
    "int8-weights",
    "int8-weights-tensor",
    "int4",
    "int4-asymmetric",
    "ternary",
    "Q8_0",
    "Q6_K",
    "Q5_1",
    "Q5_0",
    "Q4_1",
    "Q4_0",
    "Q4_K",
    "int8",
    "int8-dynamic",
];
/// The path that decides how weights are stored.
pub const SCHEME: &str = "quantization.scheme";

/// How schemes of blocks treat outputs without whole blocks.
pub(super) const ROWS: &str = "quantization.rows";

/// Layers with a scheme of their own, an object; no row of the table.
pub(super) const LAYERS: &str = "quantization.layers";

/// The path that decides how many models answer a row.
pub(super) const STAGES: &str = "architecture.stages";

/// The path that decides what goes before weights are stored.
pub const PRUNING: &str = "quantization.pruning";
/// Schemes that equalization and bias correction are offered for: all that round to fewer digits than f16.
const FEW_DIGITS: &[&str] = &[
    "int8-weights",
    "int8-weights-tensor",
    "int4",
    "int4-asymmetric",
    "ternary",
    "Q8_0",
    "Q6_K",
    "Q5_1",
    "Q5_0",
    "Q4_1",
    "Q4_0",
    "Q4_K",
    "int8",
    "int8-dynamic",
];

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
        default: None,
        only_when: None,
    }
}

/// The path that decides most fields.
pub const FAMILY: &str = "architecture.family";

/// The path that decides which parameters the data have.
pub const SET: &str = "data.set";

/// The path that decides what is asked of each row.
pub(super) const TASK: &str = "data.task";

/// The path that decides how whole boards are read.
pub(super) const RULE: &str = "reading.rule";

/// The path that decides what a recipe is executed on.
pub const ENGINE: &str = "execution.engine";

/// A field of some families.
const fn of(families: &'static [&'static str], field: Field) -> Field {
    Field {
        only_when: Some((FAMILY, families)),
        ..field
    }
}

/// A field of some sets, which may be absent.
const fn of_set(sets: &'static [&'static str], default: Fallback, field: Field) -> Field {
    Field {
        only_when: Some((SET, sets)),
        default: Some(default),
        ..field
    }
}

/// A field of static integer inference.
const fn of_int8(field: Field) -> Field {
    Field {
        only_when: Some((SCHEME, &["int8"])),
        ..field
    }
}

/// A field that may be absent.
const fn optional(default: Fallback, field: Field) -> Field {
    Field {
        default: Some(default),
        ..field
    }
}

const NONE: Fallback = Fallback::Word("none");
const ZERO: Fallback = Fallback::Number(0.0);
const ONE: Fallback = Fallback::Number(1.0);
const ACTIVATIONS: &[&str] = &["relu", "tanh", "gelu", "relu6", "hardswish", "silu"];
const NORMALIZED: &str = "What follows each convolution or linear layer but the last; batch uses the batch's mean and deviation, layer those of each row.";

/// Every field, in reading order. The first part of a path names its section.
#[rustfmt::skip]
pub const FIELDS: &[Field] = &[
    field(SET, "Set", "", choice(SETS),
        "What to learn from. digits: written digits. chess: squares of boards during live games. vibration: a machine's sensor. own: files of yours, opened on the Data page."),
    of_set(&[OWN], Fallback::Word(""), field("data.file", "File", "", FieldKind::Text { max: 300 },
        "SHA-256 of the file, so that whoever opens a link can be asked for the same one; opening a file on the Data page fills it in.")),
    of_set(&[OWN], Fallback::Word(""), field("data.label", "Label column", "", FieldKind::Text { max: 100 },
        "Of a table: the heading of the column with the class, or its number from 1; empty finds it.")),
    of_set(&[OWN], Fallback::Word("auto"), field("data.delimiter", "Delimiter", "", choice(&["auto", "comma", "semicolon", "tab", "bar"]),
        "Of a table: what stands between the cells; auto finds out.")),
    of_set(&[OWN], ZERO, field("data.side", "Side of the images", "px", integer(0, 512),
        "Images are brought to so many pixels in height and width; 0 keeps small ones of one size and else takes 32.")),
    of_set(&[OWN], Fallback::Number(1000.0), field("data.size", "Size", "rows", integer(1, 1_000_000),
        "Rows of the file; checked when it is read.")),
    of_set(&[OWN], Fallback::Number(2.0), field("data.classes", "Classes", "", integer(2, 1000),
        "Classes of the file; checked when it is read.")),
    of_set(&[OWN], ONE, field("data.channels", "Channels", "", integer(1, 3),
        "Channels of its images; checked when it is read.")),
    of_set(&[OWN], ONE, field("data.height", "Height", "", integer(1, 16_384),
        "Height of its images, 1 for rows of numbers; checked when it is read.")),
    of_set(&[OWN], Fallback::Number(16.0), field("data.width", "Width", "", integer(1, 65_536),
        "Width of its images, or numbers in a row; checked when it is read.")),
    of_set(&["chess"], Fallback::Word("pieces"), field(TASK, "Task", "", choice(&["pieces", "occupancy"]),
        "pieces: which piece of which colour, or none. occupancy: whether a square is empty.")),
    of_set(&["chess"], Fallback::Number(120.0), field("data.size", "Size", "positions", integer(60, 2000),
        "Positions, each of 64 squares; six of them in a row are one game.")),
    of_set(&["vibration"], Fallback::Number(3000.0), field("data.size", "Size", "windows", integer(600, 20_000),
        "Windows of 256 numbers, as many of each machine and condition.")),
    of_set(&["chess", "vibration"], Fallback::Number(0.3), field("data.difficulty", "Difficulty", "", number(0.0, 1.0),
        "How far camera and light, or load and noise, are from ideal ones.")),
    of_set(&["chess", "vibration"], ZERO, field("data.drift", "Drift", "", number(0.0, 1.0),
        "How much the circumstances change from the first game or machine to the last.")),
    of_set(&["vibration"], Fallback::Word("sound"), field("data.sensor", "Sensor", "", choice(&["sound", "gaps", "stuck", "clipped"]),
        "What is wrong with the sensor in some of the windows.")),
    of_set(&["chess", "vibration"], ONE, field("data.generator", "Generator", "", integer(1, 1),
        "Version of the program that makes the set.")),
    of_set(&["chess", "vibration"], ONE, field("data.seed", "Seed of the data", "", integer(0, u32::MAX),
        "Decides which rows are made, apart from the recipe's own seed.")),
    optional(NONE, field("data.faults", "Faults", "", FieldKind::Object,
        "What is put into the data on purpose, by the recipe's seed, to see checks fire and accuracy move: each fault with the share of the rows that it touches.")),
    optional(NONE, field(super::EDITS, "Edits", "", FieldKind::Object,
        "What a person changed in the set on the Data page: labels, rows that are left out, slices whose accuracy is told apart.")),
    optional(Fallback::Word(""), field("data.reason", "Reason to use failing data", "", FieldKind::Text { max: 200 },
        "Data that fail a check are not run on without a reason; it is stored with the run.")),
    field("split.validation", "Validation share", "", number(0.05, 0.5),
        "Share of each class that chooses the epoch to keep; it never trains. Of whole games or machines where a set has them."),
    field("split.test", "Test share", "", number(0.05, 0.5),
        "Share of each class that is scored once, at the end. Of whole games or machines where a set has them."),
    field("preprocessing.scale", "Scale", "", choice(&["unit", "standardize"]),
        "unit divides by the largest value; standardize also removes the training mean and divides by its deviation."),
    field(FAMILY, "Family", "", choice(FAMILIES),
        "lenet: convolutions and pooling. mlp: linear layers. resnet: convolutions with shortcuts. mobilenet: separable convolutions. vit: attention between patches. mixer: linear layers over patches. graph: layers of your own, edited as JSON."),
    of(&["lenet"], field("architecture.channels", "Channels", "", integer(1, 256),
        "Channels of the first convolution; the second has twice as many.")),
    of(&["lenet"], field("architecture.kernel", "Kernel", "px", FieldKind::Integer { min: 1, max: 7, step: 2 },
        "Side of the square kernels; odd, so that the padding is even.")),
    of(&["lenet"], field("architecture.dense", "Dense width", "", integer(1, 4096),
        "Units of the hidden linear layer.")),
    of(&["mlp"], field("architecture.depth", "Depth", "", integer(0, 16),
        "Hidden layers; 0 is multinomial logistic regression.")),
    of(&["resnet"], field("architecture.depth", "Depth", "", FieldKind::Integer { min: 8, max: 20, step: 6 },
        "Layers with weights, shortcuts not counted: three stages of 1, 2 or 3 blocks of two convolutions.")),
    of(&["mobilenet"], field("architecture.depth", "Depth", "", integer(4, 24),
        "Blocks of a depthwise and a 1×1 convolution; the second and the fourth halve the image.")),
    of(&["vit", "mixer"], field("architecture.depth", "Depth", "", integer(1, 24),
        "Blocks, each of two branches that are added.")),
    of(&["mlp"], field("architecture.width", "Width", "", integer(1, 4096),
        "Units of each hidden layer.")),
    of(&["resnet", "mobilenet"], field("architecture.width", "Width", "", integer(1, 256),
        "Channels of the first convolution; they double where the image is halved.")),
    of(&["vit", "mixer"], field("architecture.width", "Width", "", integer(1, 1024),
        "Numbers of each patch's token.")),
    of(&["vit"], field("architecture.heads", "Heads", "", integer(1, 64),
        "Parts of a token that attend by themselves; a divisor of the width.")),
    of(&["vit", "mixer"], optional(ZERO, field("architecture.patch", "Patch", "px", integer(0, 64),
        "Side of the square patches; 0 takes one that gives about 16 to 64 of them."))),
    of(&["lenet", "mlp", "resnet", "mobilenet", "vit", "mixer"],
        field("architecture.activation", "Activation", "", choice(ACTIVATIONS),
        "What follows each layer but the last.")),
    of(&["mlp"], optional(NONE, field("architecture.normalization", "Normalization", "", choice(&["none", "batch", "layer"]),
        NORMALIZED))),
    of(&["lenet"], optional(NONE, field("architecture.normalization", "Normalization", "", choice(&["none", "batch"]),
        NORMALIZED))),
    of(&["resnet", "mobilenet"], optional(Fallback::Word("batch"),
        field("architecture.normalization", "Normalization", "", choice(&["none", "batch", "layer"]), NORMALIZED))),
    of(&["lenet"], optional(Fallback::Word("max"), field("architecture.pooling", "Pooling", "", choice(&["max", "average"]),
        "What is kept of each 2×2 window: its largest number or its mean."))),
    of(&["resnet"], optional(Fallback::Word("on"), field("architecture.residual", "Shortcuts", "", choice(&["on", "off"]),
        "Whether each block's input is added to its output; off is the plain network of the paper."))),
    of(&["lenet", "mlp", "vit", "mixer"], optional(ZERO, field("architecture.dropout", "Dropout", "", number(0.0, 0.9),
        "Share of hidden numbers that each training step takes out."))),
    of_set(&["chess"], Fallback::Word("one"), field(STAGES, "Stages", "", choice(&["one", "two"]),
        "two: a narrower model of the family first tells empty squares from occupied ones, and the model itself answers only those held for occupied.")),
    Field { only_when: Some((STAGES, &["two"])), ..optional(Fallback::Number(4.0), field("architecture.narrowing", "Narrowing", "", integer(1, 32),
        "The first stage has the family's widths divided by this: channels and units, or numbers of a token.")) },
    of(&[GRAPH], field("architecture.graph", "Graph", "", FieldKind::Object,
        "The layers as JSON; docs/graph.md has the form.")),
    of_set(&["chess"], NONE, field("training.augmentation", "Augmentation", "", choice(&["none", "colours"]),
        "colours: each training square is learned from twice, as it is and inverted with the other colour's piece; an epoch then has twice the steps.")),
    field("training.optimizer", "Optimizer", "", choice(&["adamw", "sgd"]),
        "adamw adapts the step of each weight; sgd needs a larger learning rate."),
    field("training.learning_rate", "Learning rate", "", number(1e-6, 10.0),
        "Size of a step at its peak."),
    Field {
        only_when: Some(("training.optimizer", &["sgd"])),
        ..field("training.momentum", "Momentum", "", number(0.0, 0.999), "How much of the last step is kept.")
    },
    field("training.weight_decay", "Weight decay", "", number(0.0, 1.0),
        "Pulls weights, not biases, towards zero."),
    optional(ZERO, field("training.label_smoothing", "Label smoothing", "", number(0.0, 0.5),
        "Share of each label that is spread over all classes while training.")),
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
    field(SCHEME, "Scheme", "", choice(SCHEMES),
        "How the trained weights are stored. f16: half precision. int8-weights: 8 bits, a scale for each output (-tensor: one for all). int4, ternary: 4 bits, three values. Q…: llama.cpp's block formats. int8, int8-dynamic: also compute in integers, with ranges from training rows or from each input. A layer that cannot take it stays f32, and the record says why."),
    Field { only_when: Some((SCHEME, &["Q8_0", "Q4_0"])), ..optional(Fallback::Word("whole"),
        field(ROWS, "Rows", "", choice(&["whole", "padded"]),
        "What happens to layers whose outputs do not have whole blocks of 32 weights: whole leaves them f32, padded fills them up with zeros.")) },
    of_int8(optional(Fallback::Word("mse"), field("quantization.calibration", "Calibration", "", choice(&["min-max", "percentile", "mse", "entropy"]),
        "How each activation's range is chosen from training rows: all of it, all but 0.01 % at either end, the smallest squared error, or the smallest relative entropy."))),
    of_int8(optional(Fallback::Number(256.0), field("quantization.calibration_rows", "Calibration rows", "", integer(1, 4096),
        "Training rows that ranges are chosen from; the first of the split."))),
    of_int8(optional(Fallback::Word("asymmetric"), field("quantization.activations", "Activations", "", choice(&["asymmetric", "symmetric"]),
        "asymmetric spends all 256 codes on the range from smallest to largest; symmetric puts zero in the middle."))),
    Field { only_when: Some((SCHEME, FEW_DIGITS)), ..optional(Fallback::Word("off"), field("quantization.equalization", "Equalization", "", choice(&["off", "on"]),
        "on: weights of neighbouring layers are scaled against each other so that their channels have ranges alike; in f32 nothing changes.")) },
    Field { only_when: Some((SCHEME, FEW_DIGITS)), ..optional(Fallback::Word("off"), field("quantization.bias_correction", "Bias correction", "", choice(&["off", "on"]),
        "on: each bias takes up the mean error that rounding its layer's weights leaves, measured on training rows.")) },
    optional(Fallback::Word("off"), field(PRUNING, "Pruning", "", choice(&["off", "weights", "channels"]),
        "weights: the smallest become 0. channels: those with the smallest weights go, and the model has fewer operations and bytes.")),
    Field { only_when: Some((PRUNING, &["weights", "channels"])), ..optional(Fallback::Number(50.0), field("quantization.pruned_percent", "Pruned", "%", integer(1, 95),
        "Share of the weights or channels of each layer that goes.")) },
    optional(Fallback::Number(0.0), field("quantization.fine_tune_epochs", "Fine-tuning", "epochs", integer(0, 20),
        "Extra passes over the training rows with weights and values rounded as they will be stored, so that the model learns to live with it; 0 does none.")),
    field("evaluation.confidence", "Confidence", "", number(0.5, 0.999),
        "Confidence of every interval."),
    field("evaluation.throughput_batch", "Throughput batch", "rows", integer(1, 1024),
        "Rows per call where throughput is measured."),
    field("evaluation.latency_secs", "Latency budget", "s", number(0.0, 60.0),
        "Time for each of the two latency measurements; 0 measures none."),
    optional(Fallback::Word("cpu"), field(ENGINE, "Engine", "", choice(&["cpu", "gpu", "auto"]),
        "cpu: exact, the same bits everywhere. gpu: WebGPU, checked against the CPU. auto: times both for a moment and takes the faster. Without a GPU the CPU does it.")),
    Field { only_when: Some((ENGINE, &["gpu", "auto"])), ..optional(Fallback::Word("ask"), field("execution.on_gpu_loss", "If the GPU is lost", "", choice(&["ask", "cpu", "smaller batch"]),
        "What follows when the GPU goes away or has no memory left: ask, go on with the last epoch on the CPU, or go on with half the batch.")) },
    Field { only_when: Some((TASK, &["pieces"])), ..optional(Fallback::Word("off"), field(RULE, "Rule", "", choice(&["off", "legal"]),
        "legal: the boards of the test games are also read whole, each as a legal position after the last one, and both are reported; the position before a game's first picture is known. The weights and the answers for single squares stay the same.")) },
    Field { only_when: Some((RULE, &["legal"])), ..optional(Fallback::Number(8.0), field("reading.kept", "Kept", "positions", integer(1, 64),
        "The best positions that are kept from picture to picture, so that a doubt can be resolved by the next one.")) },
    Field { only_when: Some((RULE, &["legal"])), ..optional(Fallback::Number(1.5), field("reading.change", "Change", "", number(0.0, 20.0),
        "A square is looked at again where it differs from the last picture so many times as much as the median square; 0 looks at all.")) },
    field("seed", "Seed", "", integer(0, u32::MAX),
        "Decides the split, the first weights and the order of rows."),
];
