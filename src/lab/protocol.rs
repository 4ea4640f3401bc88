//! What the page says to the lab and what the lab answers; plain values, no behaviour.
//!
//! Each command has an `id` chosen by the page and is answered by events with that `id`, the last of which is exactly
//! one `done` or `error`. Bulk data travels beside the message: a `buffer` names bytes to be taken once from the lab,
//! and a command's bytes are handed over with it.

use crate::result::{Cost, EpochPoint};
use crate::runlog::record::Environment;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A request; [`Command::from_value`] reads one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Command {
    /// Chosen by the page, never reused.
    pub id: u32,
    /// What is asked.
    #[serde(flatten)]
    pub body: CommandBody,
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum CommandBody {
    /// Tells the lab where it runs. First command of a session. Done: `{}`.
    Open {
        /// What the page knows of its surroundings; the lab fills in version, engine, arithmetic and the clock's resolution.
        environment: Environment,
        /// Why there is no GPU, where the page knows better than an engine can; else empty.
        gpu_missing: String,
        /// What an earlier `tuned` said of this adapter, or empty.
        tiles: String,
    },
    /// Says whether the page is hidden: latencies measured meanwhile are flagged. Done: `{}`, at once.
    Visibility {
        /// `document.visibilityState !== "visible"`.
        hidden: bool,
    },
    /// Describes a set and its split. Events: `stage`, where the set has to be made. Done: a [`DatasetSummary`].
    Dataset {
        /// A recipe; its data, split and seed are used.
        recipe: Value,
    },
    /// Checks a set and its split. Events: `stage`. Done: a [`crate::result::Findings`].
    Check {
        /// A recipe; its data, split and seed are used.
        recipe: Value,
    },
    /// Asks for pictures. Done: `{ "buffer", "rows", "height", "width", "channels", "labels" }`; one byte a pixel,
    /// 0 to 255, row by row in the order asked.
    Images {
        /// A recipe; its data, split and seed are used.
        recipe: Value,
        /// At most 4,096 rows of its set.
        rows: Vec<u32>,
    },
    /// Trains, quantizes, measures and records. Events: `planned`, `engine`, `progress`, `epoch`, `checkpoint`, `stage`,
    /// `sample`, `gpuLost`, `recorded`; where a claim is given also `verdict`. Done: `{ "digest" }` of the record.
    Run {
        /// The recipe.
        recipe: Value,
        /// A claim to check the run against.
        claim: Option<Value>,
        /// Whether the command's bytes are a checkpoint to go on from.
        resume: bool,
        /// Digest of the interrupted record that the checkpoint belongs to.
        resumed_from: Option<String>,
        /// Whether to hold before latency is measured, in the stage `waiting to be timed`, until `continue` or `stop`:
        /// whoever owns several labs lets one measure while the others hold.
        hold_timing: bool,
    },
    /// Puts a trained model through other quantizations; the command's bytes are its weights. Events: those of `run`, and
    /// `variant` before each. Done: `{ "digests" }` of the records, as many as were made before a stop.
    Variants {
        /// The text of a complete run's record.
        record: String,
        /// What stands under `quantization` in each.
        quantizations: Vec<Value>,
    },
    /// Writes trained weights, which are the command's bytes, as they are stored under the recipe's scheme. The file is read
    /// back and refused where its answers differ. Done: `{ "buffer", "bytes", "predictions", "stored", "rows" }`.
    Export {
        /// The recipe that they were trained with, under any quantization.
        recipe: Value,
        /// `safetensors` or `gguf`.
        format: String,
        /// Digest of the weights as a record has it: other bytes are refused.
        weights: String,
        /// What fine-tuning for this very quantization left, where it was kept; without it a model is fine-tuned anew.
        #[serde(skip_serializing_if = "Option::is_none")]
        fine_tuned: Option<WeightsBehind>,
    },
    /// Looks for a scheme for each layer within a budget and records what it finds; the command's bytes are the record's
    /// weights. Events: `searched`, then those of `run`. Done: `{ "path", "words", "quantization", "digest" }`, the last two
    /// where something was found, or `{ "path", "stopped" }`.
    Search {
        /// The text of a complete run's record.
        record: String,
        /// `{ "points", "bytes", "millis" }`, at least one of them.
        budget: Value,
        /// Points that earlier `searched` events of the same search told.
        known: Vec<Value>,
    },
    /// Looks at what a recipe's scheme does to trained weights, which are the command's bytes; records nothing. Done:
    /// `{ "exact", "accuracy", "weightBytes", "stored", "cost", "damage" }`.
    Inspect {
        /// The recipe that they were trained with, under any quantization.
        recipe: Value,
        /// Digest of the weights as a record has it: other bytes are refused.
        weights: String,
        /// What fine-tuning for this very quantization left, where it was kept; without it a model is fine-tuned anew.
        #[serde(skip_serializing_if = "Option::is_none")]
        fine_tuned: Option<WeightsBehind>,
    },
    /// Makes trained weights the model to play with: the command's bytes are a record's safetensors. Done: `{}`.
    /// A finished run does the same by itself.
    Load {
        /// The recipe that they were trained with.
        recipe: Value,
        /// Digest of the weights as a record has it: other bytes are refused.
        weights: String,
        /// What fine-tuning for this very quantization left, where it was kept; without it a model is fine-tuned anew.
        #[serde(skip_serializing_if = "Option::is_none")]
        fine_tuned: Option<WeightsBehind>,
    },
    /// Scores a picture with the model to play with. Done: [`Scores`].
    Predict {
        /// A row of the model's set.
        row: Option<u32>,
        /// Or a picture: `height × width × channels` numbers from 0 to 1.
        image: Option<Vec<f32>>,
    },
    /// Says how command `target` goes on after `gpuLost`. Done: `{}`, at once.
    Decide {
        /// The command.
        target: u32,
        /// `cpu` or `smaller batch`; `stop` ends it instead.
        choice: String,
    },
    /// Takes the GPU away, so that tests see how a run survives it. Done: `{}`.
    LoseGpu,
    /// Panics, so that tests see how the page survives it.
    Crash,
    /// Computes without a sign of life, likewise.
    Hang,
    /// Ends command `target` at its next step and keeps what was measured. Done: `{}`, at once.
    Stop {
        /// The command.
        target: u32,
    },
    /// Holds command `target` at its next step. Done: `{}`, at once.
    Pause {
        /// The command.
        target: u32,
    },
    /// Lets command `target` go on. Done: `{}`, at once.
    Continue {
        /// The command.
        target: u32,
    },
}

/// Weights that come with a command, in its bytes behind the trained ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WeightsBehind {
    /// Their digest as a record has it: other bytes are refused.
    pub digest: String,
    /// Where their safetensors file begins.
    pub from: u32,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Of the command.
    pub id: u32,
    /// What happened.
    #[serde(flatten)]
    pub body: EventBody,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum EventBody {
    /// The model is planned; nothing was allocated yet.
    Planned {
        /// What it will cost.
        cost: Cost,
        /// Steps of one epoch.
        steps_per_epoch: u32,
        /// Digest of the recipe.
        recipe_digest: String,
        /// When the run started, RFC 3339 in UTC.
        started: String,
        /// An unsealed record without results, as that of a `checkpoint`: what is left if the run ends before its first.
        record: String,
    },
    /// What the run is executed on, where its recipe asks for anything but the CPU; before training, and again where that
    /// changes on the way.
    Engine {
        /// `cpu` or `gpu`.
        engine: String,
        /// Why, in words.
        reason: String,
        /// The adapter, where it is the GPU.
        adapter: String,
        /// Rows of a training step.
        batch_size: u32,
    },
    /// The GPU went away or has no memory left. The last epoch is kept; the run holds until `decide` or `stop`, unless
    /// `decided` says that the recipe has decided already.
    GpuLost {
        /// What happened, in words, without a full stop.
        reason: String,
        /// Finished epochs that are kept.
        epoch: u32,
        /// The batch with which it could go on on the GPU; absent where that makes no sense.
        smaller_batch: Option<u32>,
        /// `cpu` or `smaller batch`, where the recipe decides.
        decided: Option<String>,
    },
    /// Tiles were chosen by measurement; to be kept by the page and given back with the next `open`.
    Tuned {
        /// What to give back: JSON text that names the adapter.
        tiles: String,
    },
    /// The next of several variants begins.
    Variant {
        /// Which, counted from 0.
        index: u32,
        /// How many.
        count: u32,
    },
    /// A search has measured an assignment; to be kept, so that it need not be measured again.
    Searched {
        /// An [`crate::eval::search::Point`].
        point: Value,
        /// Share of the search that is done, in 0..=1.
        fraction: f64,
    },
    /// A few times a second while training.
    Progress {
        /// Epoch in progress, counted from 1.
        epoch: u32,
        /// Epochs asked for.
        epochs: u32,
        /// Steps done in all.
        step: u64,
        /// Steps planned in all.
        steps: u64,
        /// Mean loss since the last `progress`.
        loss: f64,
        /// Share of right answers since the last `progress`.
        accuracy: f64,
        /// Rows per second over the last seconds.
        samples_per_sec: f64,
        /// Time left in training, seconds; absent in the first moments.
        eta_secs: Option<f64>,
    },
    /// An epoch ended.
    Epoch {
        /// Its figures.
        point: EpochPoint,
    },
    /// State from which the run can go on to the very same digest; to be kept by the page, newest only.
    Checkpoint {
        /// Key of the bytes.
        buffer: u32,
        /// Finished epochs.
        epoch: u32,
        /// An unsealed record with what was measured so far, status `interrupted`, as JSON text: what
        /// `page::seal_record` turns into a record if the run never ends.
        record: String,
    },
    /// A stage before or after training.
    Stage {
        /// `making the data`, `asking small models`, `checking the data`, `training the occupancy stage`, `training the piece stage`, `opening the GPU`, `compiling kernels`, `choosing the engine`, `checking the GPU`,
        /// `quantizing`, `fine-tuning`, `scoring`, `proving the file`, `looking for damage`, `waiting to be timed`, `warming up`,
        /// `timing one row`, `timing a batch`, `timing both engines`.
        name: String,
        /// Share done, in 0..=1.
        fraction: f64,
    },
    /// Latency samples, as they come.
    Samples {
        /// Rows per call.
        batch: u32,
        /// Milliseconds per call.
        millis: Vec<f64>,
    },
    /// The loss was NaN or infinite; training ended, what was measured is kept.
    NonFinite {
        /// Step, counted from 1.
        step: u64,
    },
    /// A record was made; to be appended to the log.
    Recorded {
        /// Its digest.
        digest: String,
        /// The document, as canonical JSON text: store the text, not a parsed copy.
        record: String,
        /// Key of the kept f32 weights as safetensors bytes; absent where training never finished an epoch.
        buffer: Option<u32>,
        /// Key of the f32 weights that fine-tuning left, likewise; absent where nothing was fine-tuned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fine_tuned_buffer: Option<u32>,
    },
    /// The check of a claim.
    Verdict {
        /// A `runlog::verdict::Verdict`.
        verdict: Value,
    },
    /// The command is done.
    Done {
        /// The answer, by command.
        value: Value,
    },
    /// The command failed.
    Error {
        /// [`crate::error::Error::kind`].
        kind: String,
        /// In words, with the next step.
        message: String,
    },
}

/// A set with its split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatasetSummary {
    /// Name in a recipe.
    pub set: String,
    /// Full name.
    pub title: String,
    /// Who made it.
    pub attribution: String,
    /// Under which licence.
    pub licence: String,
    /// What was decided or left out while it was read, one sentence each.
    pub notes: Vec<String>,
    /// SHA-256 over pixels and labels.
    pub sha256: String,
    /// `[channels, height, width]`.
    pub shape: [u32; 3],
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Rows per class in train, validation and test.
    pub counts: Vec<[u32; 3]>,
    /// Rows of train.
    pub train: Vec<u32>,
    /// Rows of validation.
    pub validation: Vec<u32>,
    /// Rows of test.
    pub test: Vec<u32>,
    /// Right answers of all rows.
    pub labels: Vec<u16>,
    /// What the split never separates, as `game`; empty where each row stands for itself.
    pub groups: String,
    /// SHA-256 of the set that the recipe's edits were made of; absent without edits.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// The class that each row with an edited label had there, in the order of the rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<u16>,
}

/// What a model says of one picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scores {
    /// Probability (softmax) of each class.
    pub probabilities: Vec<f32>,
    /// The largest, the first of equals.
    pub predicted: u16,
    /// Time of the call, milliseconds.
    pub millis: f64,
}
