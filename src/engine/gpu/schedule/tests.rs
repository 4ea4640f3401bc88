//! How many dispatches a plan has, against the limits: they decide how fast small models are.

use super::*;
use crate::model::{Layer, Window};

const GROUND: Ground = Ground {
    device: Device::HARDWARE,
    blocks: 0,
    halves: None,
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
    graph.push("classes", Layer::linear(10));
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
    assert_eq!(kernels(&batch)[3], "product");
}
