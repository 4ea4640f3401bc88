//! How many dispatches a plan has, against the limits: they decide how fast small models are.

use super::*;
use crate::model::{Layer, Window};
use crate::quant::{Codes, Request, quantize};

const GROUND: Ground<'_> = Ground {
    device: Device::HARDWARE,
    blocks: 0,
    halves: None,
    dynamic: None,
    rounding: None,
};

fn planned(graph: &Graph, mode: Mode) -> Schedule {
    let nodes = graph.resolve().expect("fits");
    let layout = Layout::aligned(&nodes, BLOCK);
    Schedule::new(GROUND, graph, &nodes, &layout, mode, 64).expect("fits")
}

/// Dispatches that a layer adds to a training step: the difference between two and three such layers.
fn added(layers: &[Layer]) -> usize {
    let of = |times: usize| {
        let mut graph = Graph::new([8, 16, 16]);
        for time in 0..times {
            for (index, &layer) in layers.iter().enumerate() {
                graph.push(format!("layer{time}_{index}"), layer);
            }
        }
        graph.push("mean", Layer::GlobalAveragePool);
        graph.push("classes", Layer::linear(10));
        planned(&graph, Mode::Training).dispatches.len()
    };
    of(3) - of(2)
}

#[test]
fn a_convolution_takes_at_most_four_dispatches_a_step_and_seven_with_a_norm() {
    let convolution = Layer::convolution(8, 3);
    for function in Activation::ALL {
        let activation = Layer::Activation(function);
        assert_eq!(added(&[convolution, activation]), 3, "{function:?}");
        assert_eq!(
            added(&[convolution, Layer::batch_norm(), activation]),
            7,
            "{function:?}"
        );
    }
}

#[test]
fn a_residual_block_takes_no_more_than_its_convolutions() {
    let of = |blocks: usize| {
        let mut graph = Graph::new([8, 16, 16]);
        let convolution = Layer::convolution(8, 3);
        graph.push("stem", convolution);
        graph.push("stem.relu", Layer::Activation(Activation::Relu));
        for block in 0..blocks {
            let from = graph.last().to_owned();
            graph.push(format!("{block}.first"), convolution);
            graph.push(format!("{block}.relu"), Layer::Activation(Activation::Relu));
            let second = format!("{block}.second");
            graph.push(&second, convolution);
            graph.push_reading(format!("{block}.sum"), Layer::Add, &[&second, &from]);
            graph.push(format!("{block}.end"), Layer::Activation(Activation::Gelu));
        }
        graph.push("mean", Layer::GlobalAveragePool);
        graph.push("classes", Layer::linear(10));
        planned(&graph, Mode::Training).dispatches.len()
    };
    assert_eq!(of(3) - of(2), 6);
}

#[test]
fn a_slope_that_no_kernel_can_take_along_has_its_own_dispatch() {
    let mut graph = Graph::new([8, 4, 4]);
    graph.push("conv", Layer::convolution(8, 3));
    graph.push("relu", Layer::Activation(Activation::Relu));
    graph.push("norm", Layer::layer_norm());
    graph.push("flatten", Layer::Flatten);
    graph.push("classes", Layer::linear(10));
    let plan = planned(&graph, Mode::Training);
    let own = |dispatch: &&Dispatch| matches!(dispatch.task, Task::ActivationGradient(_));
    assert_eq!(plan.dispatches.iter().filter(own).count(), 1);
}

#[test]
fn an_inference_takes_one_dispatch_for_each_product_with_all_that_follows() {
    let mut graph = Graph::new([1, 8, 8]);
    for stage in 0..3 {
        graph.push(format!("conv{stage}"), Layer::convolution(8, 3));
        graph.push(format!("norm{stage}"), Layer::batch_norm());
        graph.push(format!("act{stage}"), Layer::Activation(Activation::Gelu));
    }
    graph.push("pool", Layer::MaxPool(Window::tiling([2, 2])));
    graph.push("flatten", Layer::Flatten);
    graph.push("classes", Layer::linear(10));
    // Rows, three convolutions, the pool, the other order, the classes.
    assert_eq!(planned(&graph, Mode::Inference).dispatches.len(), 7);
}

#[test]
fn every_trained_number_has_a_gradient_and_every_block_its_entry() {
    let mut graph = Graph::new([3, 8, 8]);
    graph.push("conv", Layer::convolution(5, 3));
    graph.push("norm", Layer::batch_norm());
    graph.push("flatten", Layer::Flatten);
    graph.push("classes", Layer::linear(10));
    let nodes = graph.resolve().expect("fits");
    let layout = Layout::aligned(&nodes, BLOCK);
    let plan = Schedule::new(GROUND, &graph, &nodes, &layout, Mode::Training, 3).expect("fits");
    let (blocks, rest) = plan.blocks.as_chunks::<4>();
    assert!(rest.is_empty());
    assert_eq!(blocks.len(), layout.len.div_ceil(BLOCK));
    for [first, parts, stride, kind] in blocks {
        assert!(*kind < 3 && *parts > 0, "kind {kind}, {parts} parts");
        assert!(u64::from(first + (parts - 1) * stride) < plan.values);
    }
}

#[test]
fn fewer_rows_start_fewer_workgroups_and_a_single_row_has_its_own_linear_layers() {
    let mut graph = Graph::new([8, 16, 16]);
    graph.push("convolution", Layer::convolution(8, 3));
    graph.push("mean", Layer::GlobalAveragePool);
    graph.push("classes", Layer::linear(512));
    let batch = planned(&graph, Mode::Inference);
    let all = |rows: u32| -> Vec<[u32; 3]> {
        (batch.dispatches.iter())
            .map(|dispatch| dispatch.groups_for(rows))
            .collect()
    };
    let planned_for: Vec<[u32; 3]> = batch.dispatches.iter().map(|it| it.groups).collect();
    assert_eq!(all(64), planned_for);
    assert_eq!(all(1000), planned_for, "never more than there is room for");
    let convolution = |rows| all(rows)[1][0];
    assert_eq!(convolution(64), 64 * convolution(1));
    let nodes = graph.resolve().expect("fits");
    let layout = Layout::aligned(&nodes, BLOCK);
    let one = Schedule::new(GROUND, &graph, &nodes, &layout, Mode::Inference, 1);
    let kernels = |plan: &Schedule| -> Vec<&str> {
        (plan.dispatches.iter())
            .map(|it| it.task.kernel().row().name)
            .collect()
    };
    let one = kernels(&one.expect("fits"));
    assert_eq!(
        one,
        ["gather", "product_quads", "average_pool", "linear_row"]
    );
    assert_eq!(kernels(&batch)[3], "product_quads");
    graph.nodes[2].layer = Layer::linear(10);
    let nodes = graph.resolve().expect("fits");
    let layout = Layout::aligned(&nodes, BLOCK);
    let last = |device, mode| {
        let ground = Ground { device, ..GROUND };
        let plan = Schedule::new(ground, &graph, &nodes, &layout, mode, 64);
        kernels(&plan.expect("fits"))
    };
    // A whole batch of it is little work, and so is its gradient, where starting costs more than working.
    assert_eq!(last(Device::HARDWARE, Mode::Inference)[3], "linear_row");
    assert_eq!(last(Device::SOFTWARE, Mode::Inference)[3], "product");
    let has = |device, name| last(device, Mode::Training).contains(&name);
    assert!(has(Device::HARDWARE, "linear_row_gradient"));
    assert!(has(Device::SOFTWARE, "product_input_gradient"));
}

/// How often a kernel is started in a plan.
fn times(plan: &Schedule, name: &str) -> usize {
    let is_it = |it: &&Dispatch| it.task.kernel().row().name == name;
    plan.dispatches.iter().filter(is_it).count()
}

#[test]
fn fine_tuning_rounds_each_weight_once_and_each_value_once_there_and_once_back() {
    let mut graph = Graph::new([1, 8, 8]);
    graph.push("conv", Layer::convolution(8, 3));
    graph.push("gelu", Layer::Activation(Activation::Gelu));
    graph.push("flatten", Layer::Flatten);
    graph.push("classes", Layer::linear(10));
    let nodes = graph.resolve().expect("fits");
    let layout = Layout::aligned(&nodes, BLOCK);
    let request = Request::named("int8-weights").expect("known");
    let planned = |codes: &[Codes], mode| {
        let rounding = Rounding::new(&graph, &request, codes).expect("it can");
        let ground = Ground {
            rounding: Some(&rounding),
            ..GROUND
        };
        Schedule::new(ground, &graph, &nodes, &layout, mode, 64).expect("fits")
    };
    let weights = planned(&[], Mode::Training);
    assert_eq!(times(&weights, "rounded_weights"), 2);
    assert_eq!(times(&weights, "rounded_values"), 0);
    assert_eq!(
        times(&weights, "activation"),
        0,
        "part of the product's pass"
    );
    // The input, the sums, the function and the other order; all but the input with a gradient.
    let values = planned(&[Codes::of([-1.0, 1.0], false); 5], Mode::Training);
    assert_eq!(times(&values, "rounded_values"), 4 + 3);
    assert_eq!(times(&values, "activation"), 1);
    // Products see the rounded weights, behind the others, and so does the way back.
    let read: Vec<u32> = (values.dispatches.iter())
        .filter_map(|dispatch| match dispatch.task {
            Task::Product(it) | Task::ProductQuads(it) => Some(it.weight),
            Task::ProductInputGradient(it) | Task::ProductInputGradientQuads(it) => Some(it.weight),
            _ => None,
        })
        .collect();
    assert_eq!(read.len(), 3);
    assert!(read.iter().all(|&at| at >= layout.len as u32), "{read:?}");
    let answers = planned(&[Codes::of([-1.0, 1.0], false); 5], Mode::Inference);
    assert_eq!(times(&answers, "rounded_weights"), 0);
    assert_eq!(times(&answers, "rounded_values"), 0);
}

#[test]
fn a_layer_of_rows_with_steps_of_their_own_is_two_dispatches_and_its_weights_are_words() {
    let mut graph = Graph::new([1, 8, 8]);
    graph.push("conv", Layer::convolution(6, 3));
    graph.push("relu", Layer::Activation(Activation::Relu));
    graph.push("flatten", Layer::Flatten);
    graph.push("classes", Layer::linear(10));
    let weights = crate::model::Weights::init(&graph, 1).expect("fits");
    let request = Request::named("int8-dynamic").expect("known");
    let stored = quantize(&graph, &weights, &request).expect("fits");
    let integer = stored.integer().expect("integers");
    let dynamic = Dynamic::new(&graph, &stored, integer).expect("it can");
    let nodes = graph.resolve().expect("fits");
    let layout = Layout::aligned(&dynamic.others(&nodes), BLOCK);
    assert_eq!(layout.len, 0, "no weight is there in f32");
    // Nine words of eight outputs, 96 of twelve; steps and biases of each.
    assert_eq!(dynamic.words.len(), 9 * 8 + 2 * 8 + 96 * 12 + 2 * 12);
    let ground = Ground {
        dynamic: Some(&dynamic),
        ..GROUND
    };
    let plan = Schedule::new(ground, &graph, &nodes, &layout, Mode::Inference, 64).expect("fits");
    assert_eq!(times(&plan, "dynamic_codes"), 2);
    assert_eq!(times(&plan, "dynamic_product"), 2);
    // Rows and the other order beside them.
    assert_eq!(plan.dispatches.len(), 6);
}
