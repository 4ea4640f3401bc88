//! The five reference models of `benches/peers/models/graphs.mjs`, and ResNet-20 with its batch norms; no weights.

use assay::model::{Activation, Convolution, Graph, Layer, Window, families};
use assay::recipe::Recipe;

/// Their names, in the order in which they are measured.
pub(crate) const NAMES: [&str; 6] = [
    "m1_mlp",
    "m2_lenet",
    "m3_resnet20",
    "m4_mobile",
    "m5_vit",
    "resnet20_norm",
];

/// A model by its name.
pub(crate) fn graph(name: &str) -> Option<Graph> {
    Some(match name {
        "m1_mlp" => mlp(),
        "m2_lenet" => lenet(),
        "m3_resnet20" => resnet20(),
        "m4_mobile" => mobile(),
        "m5_vit" => vit(),
        "resnet20_norm" => resnet20_with_norm()?,
        _ => return None,
    })
}

fn activation(graph: &mut Graph, function: Activation) {
    let name = format!("{}.{}", graph.last(), function.name());
    graph.push(name, Layer::Activation(function));
}

/// What TensorFlow calls "same" for a 3×3 kernel on an even size: with stride 2 only after the image.
const fn same(stride: u32) -> [u32; 4] {
    if stride == 1 { [1; 4] } else { [0, 0, 1, 1] }
}

const fn convolution(channels: u32, kernel: u32, stride: u32, padding: [u32; 4]) -> Convolution {
    Convolution {
        channels,
        kernel: [kernel; 2],
        stride: [stride; 2],
        padding,
        groups: 1,
        bias: true,
    }
}

fn mlp() -> Graph {
    let mut graph = Graph::new([1, 28, 28]);
    graph.push("flatten", Layer::Flatten);
    for (name, units) in [("fc1", 256), ("fc2", 128)] {
        graph.push(name, Layer::linear(units));
        activation(&mut graph, Activation::Relu);
    }
    graph.push("fc3", Layer::linear(10));
    graph
}

fn lenet() -> Graph {
    let mut graph = Graph::new([1, 28, 28]);
    for (number, channels) in [(1, 32), (2, 64)] {
        let layer = convolution(channels, 5, 1, [0; 4]);
        graph.push(format!("conv{number}"), Layer::Convolution(layer));
        activation(&mut graph, Activation::Relu);
        let window = Window::tiling([2, 2]);
        graph.push(format!("pool{number}"), Layer::MaxPool(window));
    }
    graph.push("flatten", Layer::Flatten);
    graph.push("fc1", Layer::linear(128));
    activation(&mut graph, Activation::Relu);
    graph.push("fc2", Layer::linear(10));
    graph
}

fn resnet20() -> Graph {
    let mut graph = Graph::new([3, 32, 32]);
    graph.push("stem", Layer::Convolution(convolution(16, 3, 1, [1; 4])));
    activation(&mut graph, Activation::Relu);
    let mut planes = 16;
    for (stage, channels) in [(1, 16), (2, 32), (3, 64)] {
        for block in 0..3 {
            let from = graph.last().to_owned();
            let stride = if stage > 1 && block == 0 { 2 } else { 1 };
            let name = |part: &str| format!("layer{stage}.{block}.{part}");
            let first = convolution(channels, 3, stride, same(stride));
            graph.push(name("conv1"), Layer::Convolution(first));
            activation(&mut graph, Activation::Relu);
            let second = convolution(channels, 3, 1, [1; 4]);
            graph.push(name("conv2"), Layer::Convolution(second));
            let shortcut = if planes == channels {
                from
            } else {
                let down = Layer::Convolution(convolution(channels, 1, stride, [0; 4]));
                graph.push_reading(name("down"), down, &[&from]);
                name("down")
            };
            graph.push_reading(name("add"), Layer::Add, &[&name("conv2"), &shortcut]);
            activation(&mut graph, Activation::Relu);
            planes = channels;
        }
    }
    graph.push("pool", Layer::GlobalAveragePool);
    graph.push("fc", Layer::linear(10));
    graph
}

fn resnet20_with_norm() -> Option<Graph> {
    let mut architecture = Recipe::default_for("digits", "resnet").architecture;
    architecture.depth = Some(20);
    architecture.width = Some(16);
    architecture.activation = "relu".into();
    architecture.normalization = Some("batch".into());
    architecture.residual = Some("on".into());
    families::graph(&architecture, [3, 32, 32], 10).ok()
}

fn mobile() -> Graph {
    let mut graph = Graph::new([3, 32, 32]);
    graph.push("stem", Layer::Convolution(convolution(16, 3, 1, [1; 4])));
    activation(&mut graph, Activation::Relu6);
    let mut planes = 16;
    for (block, (channels, stride)) in [(32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (128, 1)]
        .into_iter()
        .enumerate()
    {
        let deep = Convolution {
            groups: planes,
            ..convolution(planes, 3, stride, same(stride))
        };
        graph.push(format!("block{block}.dw"), Layer::Convolution(deep));
        activation(&mut graph, Activation::Relu6);
        let wide = convolution(channels, 1, 1, [0; 4]);
        graph.push(format!("block{block}.pw"), Layer::Convolution(wide));
        activation(&mut graph, Activation::Relu6);
        planes = channels;
    }
    graph.push("pool", Layer::GlobalAveragePool);
    graph.push("fc", Layer::linear(10));
    graph
}

fn vit() -> Graph {
    const WIDTH: u32 = 64;
    let mut graph = Graph::new([1, 28, 28]);
    let patch = convolution(WIDTH, 4, 4, [0; 4]);
    graph.push("patch", Layer::Convolution(patch));
    graph.push("tokens", Layer::Tokens { positions: true });
    for block in 0..4 {
        let name = |part: &str| format!("blocks.{block}.{part}");
        let from = graph.last().to_owned();
        graph.push(name("norm1"), Layer::layer_norm());
        graph.push(name("qkv"), Layer::linear(3 * WIDTH));
        graph.push(name("attention"), Layer::Attention { heads: 4 });
        graph.push(name("proj"), Layer::linear(WIDTH));
        graph.push_reading(name("add1"), Layer::Add, &[&from, &name("proj")]);
        graph.push(name("norm2"), Layer::layer_norm());
        graph.push(name("fc1"), Layer::linear(2 * WIDTH));
        activation(&mut graph, Activation::Gelu);
        graph.push(name("fc2"), Layer::linear(WIDTH));
        graph.push_reading(name("add2"), Layer::Add, &[&name("add1"), &name("fc2")]);
    }
    graph.push("norm", Layer::layer_norm());
    graph.push("pool", Layer::GlobalAveragePool);
    graph.push("head", Layer::linear(10));
    graph
}

/// What a model asks for, as the floor counts it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// Trainable numbers.
    pub(crate) parameters: u64,
    /// Two for each multiply-accumulate of a row's forward pass.
    pub(crate) flops: f64,
    /// Bytes of the outputs of convolutions and linear layers of a row.
    pub(crate) activation_bytes: f64,
    /// Bytes of a row.
    pub(crate) input_bytes: f64,
}

impl Asked {
    pub(crate) fn of(graph: &Graph) -> Result<Self, String> {
        let nodes = graph.resolve().map_err(|error| error.to_string())?;
        let count = |shape: &[u32]| shape.iter().map(|&side| f64::from(side)).product::<f64>();
        let mut asked = Self {
            parameters: 0,
            flops: 0.0,
            activation_bytes: 0.0,
            input_bytes: 4.0 * count(&graph.input),
        };
        for (node, resolved) in graph.nodes.iter().zip(&nodes) {
            asked.flops += 2.0 * resolved.macs as f64;
            if matches!(node.layer, Layer::Linear { .. } | Layer::Convolution(_)) {
                asked.activation_bytes += 4.0 * count(&resolved.output);
            }
            for parameter in resolved.parameters.iter().filter(|it| it.role.trains()) {
                asked.parameters += parameter
                    .shape
                    .iter()
                    .map(|&side| u64::from(side))
                    .product::<u64>();
            }
        }
        Ok(asked)
    }

    /// Arithmetic and bytes of answering so many rows: weights and rows once, activations written and read once.
    pub(crate) fn answering(&self, rows: f64) -> [f64; 2] {
        let bytes = rows * (self.input_bytes + 2.0 * self.activation_bytes);
        [rows * self.flops, bytes + 4.0 * self.parameters as f64]
    }

    /// Arithmetic and bytes of a training step: three forwards; six times the activations, 28 bytes a parameter, the rows.
    pub(crate) fn training(&self, rows: f64) -> [f64; 2] {
        let bytes = rows * (self.input_bytes + 6.0 * self.activation_bytes);
        [
            3.0 * rows * self.flops,
            bytes + 28.0 * self.parameters as f64,
        ]
    }
}
