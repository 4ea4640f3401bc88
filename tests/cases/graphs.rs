//! Small graphs that between them have every layer in every form: strides, uneven padding, groups, shapes with 1, primes,
//! no multiples of a tile, residuals, values that are read twice.

use assay::model::{Activation, Convolution, Graph, Layer, Window};

/// A graph with its name.
pub(crate) struct Named {
    pub(crate) name: &'static str,
    pub(crate) graph: Graph,
}

fn convolution(
    channels: u32,
    kernel: [u32; 2],
    stride: [u32; 2],
    padding: [u32; 4],
) -> Convolution {
    Convolution {
        channels,
        kernel,
        stride,
        padding,
        groups: 1,
        bias: true,
    }
}

fn window(size: [u32; 2], stride: [u32; 2], padding: [u32; 4]) -> Window {
    Window {
        size,
        stride,
        padding,
    }
}

/// Every graph gives three classes.
pub(crate) fn all() -> Vec<Named> {
    let named = |name, graph| Named { name, graph };
    vec![
        named("mlp", mlp()),
        named("one number", one_number()),
        named("lenet", lenet()),
        named("uneven windows", uneven_windows()),
        named("a long row", long_row()),
        named("resnet", resnet()),
        named("mobilenet", mobilenet()),
        named("vit", vit()),
        named("mixer", mixer()),
        named("wide", wide()),
        named("read twice", read_twice()),
        named("dropout", dropout()),
    ]
}

fn mlp() -> Graph {
    let mut graph = Graph::new([2, 3, 2]);
    graph.push("flatten", Layer::Flatten);
    graph.push(
        "dense1",
        Layer::Linear {
            units: 13,
            bias: false,
        },
    );
    graph.push("norm1", Layer::batch_norm());
    graph.push("tanh", Layer::Activation(Activation::Tanh));
    graph.push("dense2", Layer::linear(9));
    graph.push("silu", Layer::Activation(Activation::Silu));
    graph.push("norm2", Layer::layer_norm());
    graph.push("classes", Layer::linear(3));
    graph
}

fn one_number() -> Graph {
    let mut graph = Graph::new([1, 1, 1]);
    graph.push("conv", Layer::convolution(1, 1));
    graph.push("gelu", Layer::Activation(Activation::Gelu));
    graph.push("tokens", Layer::Tokens { positions: true });
    graph.push("flatten", Layer::Flatten);
    graph.push("classes", Layer::linear(3));
    graph
}

fn lenet() -> Graph {
    let mut graph = Graph::new([1, 8, 8]);
    graph.push("conv1", Layer::convolution(5, 3));
    graph.push("relu1", Layer::Activation(Activation::Relu));
    graph.push("pool1", Layer::MaxPool(Window::tiling([2, 2])));
    graph.push("conv2", Layer::convolution(10, 5));
    graph.push("relu2", Layer::Activation(Activation::Gelu));
    graph.push(
        "pool2",
        Layer::MaxPool(window([3, 3], [2, 2], [1, 1, 1, 1])),
    );
    graph.push("flatten", Layer::Flatten);
    graph.push("dense", Layer::linear(7));
    graph.push("relu3", Layer::Activation(Activation::Relu6));
    graph.push("classes", Layer::linear(3));
    graph
}

fn uneven_windows() -> Graph {
    let mut graph = Graph::new([3, 7, 5]);
    let mut wide = convolution(6, [2, 3], [2, 1], [1, 0, 0, 2]);
    wide.groups = 3;
    graph.push("conv1", Layer::Convolution(wide));
    graph.push("hardswish", Layer::Activation(Activation::Hardswish));
    graph.push(
        "average",
        Layer::AveragePool(window([2, 3], [1, 2], [1, 1, 0, 1])),
    );
    graph.push(
        "conv2",
        Layer::Convolution(convolution(11, [3, 1], [1, 2], [0, 0, 2, 0])),
    );
    graph.push("norm", Layer::layer_norm());
    graph.push("relu", Layer::Activation(Activation::Relu));
    graph.push(
        "largest",
        Layer::MaxPool(window([3, 2], [2, 1], [2, 0, 1, 1])),
    );
    graph.push("flatten", Layer::Flatten);
    graph.push("classes", Layer::linear(3));
    graph
}

fn long_row() -> Graph {
    let mut graph = Graph::new([1, 1, 37]);
    graph.push(
        "conv1",
        Layer::Convolution(convolution(4, [1, 7], [1, 3], [0, 3, 0, 3])),
    );
    graph.push("relu1", Layer::Activation(Activation::Relu));
    let mut depthwise = convolution(4, [1, 3], [1, 1], [0, 1, 0, 1]);
    depthwise.groups = 4;
    graph.push("conv2", Layer::Convolution(depthwise));
    graph.push("relu2", Layer::Activation(Activation::Relu6));
    graph.push("mean", Layer::GlobalAveragePool);
    graph.push("classes", Layer::linear(3));
    graph
}

fn resnet() -> Graph {
    let mut graph = Graph::new([3, 6, 6]);
    let plain = |channels, stride: u32| {
        let mut spec = convolution(channels, [3, 3], [stride; 2], [1; 4]);
        spec.bias = false;
        Layer::Convolution(spec)
    };
    let relu = Layer::Activation(Activation::Relu);
    graph.push("stem", plain(8, 1));
    graph.push("stem.norm", Layer::batch_norm());
    graph.push("stem.relu", relu);
    graph.push("a.conv1", plain(8, 1));
    graph.push("a.norm1", Layer::batch_norm());
    graph.push("a.relu1", relu);
    graph.push("a.conv2", plain(8, 1));
    graph.push("a.norm2", Layer::batch_norm());
    graph.push_reading("a.add", Layer::Add, &["a.norm2", "stem.relu"]);
    graph.push("a.relu2", relu);
    graph.push("b.conv1", plain(12, 2));
    graph.push("b.norm1", Layer::batch_norm());
    graph.push("b.relu1", relu);
    graph.push("b.conv2", plain(12, 1));
    graph.push("b.norm2", Layer::batch_norm());
    let mut shortcut = convolution(12, [1, 1], [2, 2], [0; 4]);
    shortcut.bias = false;
    graph.push_reading("b.shortcut", Layer::Convolution(shortcut), &["a.relu2"]);
    graph.push("b.norm3", Layer::batch_norm());
    graph.push_reading("b.add", Layer::Add, &["b.norm2", "b.norm3"]);
    graph.push("b.relu2", relu);
    graph.push("mean", Layer::GlobalAveragePool);
    graph.push("classes", Layer::linear(3));
    graph
}

fn mobilenet() -> Graph {
    let mut graph = Graph::new([2, 9, 7]);
    let depthwise = |channels: u32, stride: u32| {
        let mut spec = convolution(channels, [3, 3], [stride; 2], [1; 4]);
        spec.groups = channels;
        spec.bias = false;
        Layer::Convolution(spec)
    };
    graph.push(
        "stem",
        Layer::Convolution(convolution(8, [3, 3], [2, 2], [1; 4])),
    );
    graph.push("stem.norm", Layer::batch_norm());
    graph.push("stem.act", Layer::Activation(Activation::Hardswish));
    for (block, channels, stride) in [("a", 8, 1), ("b", 13, 2)] {
        graph.push(format!("{block}.depth"), depthwise(8, stride));
        graph.push(format!("{block}.norm1"), Layer::batch_norm());
        graph.push(
            format!("{block}.act1"),
            Layer::Activation(Activation::Relu6),
        );
        graph.push(
            format!("{block}.point"),
            Layer::Convolution(convolution(channels, [1, 1], [1, 1], [0; 4])),
        );
        graph.push(format!("{block}.norm2"), Layer::batch_norm());
        graph.push(format!("{block}.act2"), Layer::Activation(Activation::Silu));
    }
    graph.push("mean", Layer::GlobalAveragePool);
    graph.push("classes", Layer::linear(3));
    graph
}

fn vit() -> Graph {
    let mut graph = Graph::new([2, 6, 4]);
    graph.push(
        "patches",
        Layer::Convolution(convolution(8, [2, 2], [2, 2], [0; 4])),
    );
    graph.push("tokens", Layer::Tokens { positions: true });
    graph.push("blocks.0.norm1", Layer::layer_norm());
    graph.push("blocks.0.qkv", Layer::linear(24));
    graph.push("blocks.0.attention", Layer::Attention { heads: 2 });
    graph.push("blocks.0.out", Layer::linear(8));
    graph.push_reading("blocks.0.add1", Layer::Add, &["tokens", "blocks.0.out"]);
    graph.push("blocks.0.norm2", Layer::layer_norm());
    graph.push("blocks.0.wide", Layer::linear(11));
    graph.push("blocks.0.gelu", Layer::Activation(Activation::Gelu));
    graph.push("blocks.0.narrow", Layer::linear(8));
    graph.push_reading(
        "blocks.0.add2",
        Layer::Add,
        &["blocks.0.narrow", "blocks.0.add1"],
    );
    graph.push("norm", Layer::layer_norm());
    graph.push("mean", Layer::GlobalAveragePool);
    graph.push("classes", Layer::linear(3));
    graph
}

fn mixer() -> Graph {
    let mut graph = Graph::new([1, 4, 6]);
    graph.push(
        "patches",
        Layer::Convolution(convolution(5, [2, 2], [2, 2], [0; 4])),
    );
    graph.push("tokens", Layer::Tokens { positions: false });
    graph.push("norm1", Layer::layer_norm());
    graph.push("turn", Layer::Transpose);
    graph.push("mix1", Layer::linear(7));
    graph.push("gelu1", Layer::Activation(Activation::Gelu));
    graph.push("mix2", Layer::linear(6));
    graph.push("turn.back", Layer::Transpose);
    graph.push_reading("add1", Layer::Add, &["turn.back", "tokens"]);
    graph.push("norm2", Layer::layer_norm());
    graph.push(
        "mix3",
        Layer::Linear {
            units: 9,
            bias: false,
        },
    );
    graph.push("gelu2", Layer::Activation(Activation::Gelu));
    graph.push("mix4", Layer::linear(5));
    graph.push_reading("add2", Layer::Add, &["add1", "mix4"]);
    graph.push("flatten", Layer::Flatten);
    graph.push("classes", Layer::linear(3));
    graph
}

/// Wide enough for Winograd's convolution, and a 1×1 one with a residual.
fn wide() -> Graph {
    let mut graph = Graph::new([32, 5, 3]);
    graph.push("conv1", Layer::convolution(36, 3));
    graph.push("relu1", Layer::Activation(Activation::Relu));
    graph.push("conv2", Layer::convolution(36, 3));
    graph.push_reading("add", Layer::Add, &["relu1", "conv2"]);
    graph.push("relu2", Layer::Activation(Activation::Relu6));
    graph.push("conv3", Layer::convolution(36, 1));
    graph.push_reading("add2", Layer::Add, &["conv3", "relu2"]);
    graph.push("gelu", Layer::Activation(Activation::Gelu));
    graph.push("mean", Layer::GlobalAveragePool);
    graph.push("classes", Layer::linear(3));
    graph
}

/// Sums of a value with itself and with what was made of it; an average and a layer nobody reads.
fn read_twice() -> Graph {
    let mut graph = Graph::new([2, 3, 3]);
    graph.push("conv", Layer::convolution(4, 3));
    graph.push_reading("twice", Layer::Add, &["conv", "conv"]);
    graph.push("tanh", Layer::Activation(Activation::Tanh));
    graph.push_reading("sum", Layer::Add, &["tanh", "twice"]);
    graph.push_reading("nobody", Layer::convolution(2, 1), &["sum"]);
    graph.push_reading("conv2", Layer::convolution(4, 1), &["sum"]);
    graph.push_reading("sum2", Layer::Add, &["sum", "conv2"]);
    graph.push_reading("norm", Layer::batch_norm(), &["sum2"]);
    graph.push_reading("sum3", Layer::Add, &["conv", "norm"]);
    graph.push("silu", Layer::Activation(Activation::Silu));
    graph.push("flatten", Layer::Flatten);
    graph.push("classes", Layer::linear(3));
    graph
}

fn dropout() -> Graph {
    let mut graph = Graph::new([2, 4, 3]);
    graph.push("conv", Layer::convolution(5, 3));
    graph.push("drop1", Layer::Dropout { rate: 0.25 });
    graph.push("relu", Layer::Activation(Activation::Relu));
    graph.push("none", Layer::Dropout { rate: 0.0 });
    graph.push("flatten", Layer::Flatten);
    graph.push("dense", Layer::linear(17));
    graph.push("drop2", Layer::Dropout { rate: 0.5 });
    graph.push("classes", Layer::linear(3));
    graph
}
