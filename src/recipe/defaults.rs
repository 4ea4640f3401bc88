//! The recipe that each family starts with on each set; docs/families.md has what they reach on the digits.

use super::fields::GRAPH;
use super::{
    ArchitectureSpec, DataSpec, EvaluationSpec, Extra, PreprocessingSpec, QuantizationSpec, Recipe,
    SplitSpec, TrainingSpec, VERSION,
};
use serde_json::{Map, Value, json};

/// Where a family starts: sizes and the training that suits them.
struct Start {
    depth: Option<u32>,
    width: Option<u32>,
    heads: Option<u32>,
    activation: &'static str,
    learning_rate: f64,
    weight_decay: f64,
    batch_size: u32,
    epochs: u32,
    warmup_epochs: f64,
}

const START: Start = Start {
    depth: None,
    width: None,
    heads: None,
    activation: "relu",
    learning_rate: 0.01,
    weight_decay: 0.01,
    batch_size: 16,
    epochs: 12,
    warmup_epochs: 1.0,
};

fn start(family: &str) -> Start {
    match family {
        "mlp" => Start {
            depth: Some(2),
            width: Some(128),
            learning_rate: 0.003,
            ..START
        },
        "resnet" => Start {
            depth: Some(8),
            width: Some(16),
            batch_size: 32,
            ..START
        },
        "mobilenet" => Start {
            depth: Some(4),
            width: Some(16),
            activation: "relu6",
            learning_rate: 0.02,
            batch_size: 32,
            epochs: 15,
            ..START
        },
        "vit" => Start {
            depth: Some(3),
            width: Some(32),
            heads: Some(4),
            activation: "gelu",
            learning_rate: 0.006,
            epochs: 15,
            warmup_epochs: 2.0,
            ..START
        },
        "mixer" => Start {
            depth: Some(3),
            width: Some(32),
            activation: "gelu",
            learning_rate: 0.005,
            weight_decay: 0.1,
            epochs: 15,
            warmup_epochs: 2.0,
            ..START
        },
        GRAPH => Start {
            activation: "",
            ..START
        },
        _ => START,
    }
}

impl Start {
    /// On another set than the digits: as many steps or fewer, as its rows are more and larger. `chess` trains on about
    /// 5,400 rows of 1×32×32 and `vibration` on 2,000 of 1×1×256, where the digits have 1,258 of 1×8×8.
    fn on(self, set: &str) -> Self {
        match set {
            "chess" | "vibration" => Self {
                batch_size: 32,
                epochs: self.epochs.div_ceil(2),
                warmup_epochs: self.warmup_epochs / 2.0,
                ..self
            },
            _ => self,
        }
    }
}

/// A small graph for a set's rows and classes, to start from.
fn example(set: &str) -> Map<String, Value> {
    let (input, pool, classes) = match set {
        "chess" => ([1, 32, 32], [4, 4], 13),
        "vibration" => ([1, 1, 256], [1, 4], 5),
        _ => ([1, 8, 8], [2, 2], 10),
    };
    let graph = json!({
        "assay": "graph",
        "version": 1,
        "input": input,
        "layers": [
            {"name": "conv1", "type": "convolution", "channels": 16, "kernel": [3, 3], "padding": [1, 1, 1, 1]},
            {"name": "relu1", "type": "activation", "function": "relu"},
            {"name": "pool1", "type": "max_pool", "size": pool},
            {"name": "flatten", "type": "flatten"},
            {"name": "classes", "type": "linear", "units": classes},
        ],
    });
    match graph {
        Value::Object(graph) => graph,
        _ => Map::new(),
    }
}

impl Recipe {
    /// The default recipe of a family on a set, such as `lenet` on `digits`; names that are not known are refused by
    /// [`super::from_value`].
    #[must_use]
    pub fn default_for(set: &str, family: &str) -> Self {
        let start = start(family).on(set);
        let graph = family == GRAPH;
        // A family that is not known looks like the first one, so that only its name is refused.
        let lenet = start.depth.is_none() && !graph;
        Self {
            assay: "recipe".into(),
            version: VERSION,
            seed: 1,
            data: DataSpec::named(set),
            split: SplitSpec {
                validation: 0.1,
                test: 0.2,
                extra: Extra::new(),
            },
            preprocessing: PreprocessingSpec {
                scale: "unit".into(),
                extra: Extra::new(),
            },
            architecture: ArchitectureSpec {
                family: family.into(),
                depth: start.depth,
                width: start.width,
                channels: lenet.then_some(16),
                kernel: lenet.then_some(3),
                dense: lenet.then_some(64),
                heads: start.heads,
                patch: None,
                activation: start.activation.into(),
                normalization: None,
                pooling: None,
                residual: None,
                dropout: None,
                stages: None,
                narrowing: None,
                graph: graph.then(|| example(set)),
                extra: Extra::new(),
            },
            training: TrainingSpec {
                optimizer: "adamw".into(),
                learning_rate: start.learning_rate,
                momentum: None,
                weight_decay: start.weight_decay,
                label_smoothing: None,
                schedule: "cosine".into(),
                warmup_epochs: start.warmup_epochs,
                batch_size: start.batch_size,
                epochs: start.epochs,
                patience: 0,
                keep: "best".into(),
                augmentation: None,
                extra: Extra::new(),
            },
            quantization: QuantizationSpec {
                scheme: "f32".into(),
                ..QuantizationSpec::default()
            },
            evaluation: EvaluationSpec {
                confidence: 0.95,
                throughput_batch: 64,
                latency_secs: 1.0,
                extra: Extra::new(),
            },
            execution: None,
            reading: None,
            extra: Extra::new(),
        }
    }
}
