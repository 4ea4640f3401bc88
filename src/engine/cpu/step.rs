//! A training's step: loss and gradient over chunks of rows, then the optimizer over the whole list of parameters.
//!
//! What is not finite is found before anything is changed.

use super::backward::{backward, two};
use super::forward::{Draw, forward};
use super::operation::Operation;
use super::parameters::Layout;
use super::plan::{Mode, Plan};
use super::program::Program;
use super::rows;
use crate::data::Rows;
use crate::engine::TrainStep;
use crate::engine::loss::{Loss, Objective};
use crate::error::Result;
use crate::model::{Graph, ResolvedNode};
use crate::quant::Codes;
use crate::train::optimizer::{self, Update};
use assay_kernels::norm::batch;
use assay_kernels::reduce::are_finite;
use assay_kernels::update::{AdamW, Sgd};

/// What a training needs besides the parameters.
#[derive(Debug)]
pub(super) struct Training {
    program: Program,
    gradients: Vec<f32>,
    /// First moments of the trained parameters.
    pub(super) first: Vec<f32>,
    /// Their second moments.
    pub(super) second: Vec<f32>,
    decaying: usize,
    /// Whether the packed weights are of other parameters.
    pub(super) stale: bool,
}

impl Training {
    /// A training that has not begun.
    ///
    /// # Errors
    /// As [`Program::new`].
    pub(super) fn new(graph: &Graph, nodes: &[ResolvedNode], layout: &Layout) -> Result<Self> {
        Self::rounding(graph, nodes, layout, &[])
    }

    /// The same with values rounded as their codes say.
    ///
    /// # Errors
    /// As [`Program::new`].
    pub(super) fn rounding(
        graph: &Graph,
        nodes: &[ResolvedNode],
        layout: &Layout,
        codes: &[Codes],
    ) -> Result<Self> {
        let plan = Plan::new(graph, nodes, layout, Mode::Training)?.rounded(codes);
        Ok(Self {
            program: Program::of(plan, layout, Mode::Training),
            gradients: vec![0.0; layout.trained],
            first: vec![0.0; layout.trained],
            second: vec![0.0; layout.trained],
            decaying: layout.decaying,
            stale: true,
        })
    }

    /// Rows of a chunk, instead of what follows from the shapes; nothing for a batch that must stay whole.
    #[cfg(test)]
    pub(super) fn set_chunk(&mut self, rows: usize) {
        self.program.chunk = self.program.chunk.map(|_| rows);
    }

    /// The gradient of the step's mean loss, left in `self.gradients`, and the loss before the step.
    fn gradient(&mut self, parameters: &[f32], data: &Rows, step: &TrainStep) -> Loss {
        let program = &mut self.program;
        if std::mem::take(&mut self.stale) {
            program.pack(parameters);
        }
        self.gradients.fill(0.0);
        let objective = Objective {
            rows: step.rows.len(),
            smoothing: step.label_smoothing,
        };
        let mut loss = Loss::default();
        let chunk = program.chunk_rows(step.rows.len());
        for (index, numbers) in step.rows.chunks(chunk).enumerate() {
            let count = numbers.len();
            let draw = Draw {
                key: step.dropout_key,
                first_row: index * chunk,
            };
            let input = program.values[0];
            rows::gather(data, numbers, program.buffers.get_mut(input, count));
            forward(program, parameters, count, draw);
            let logits = program.logits;
            (program.buffers).with([program.loss], count, |buffers, [gradient]| {
                let classes = gradient.len() / count;
                let rows = buffers.get(logits, count).chunks_exact(classes);
                for ((row, gradient), &number) in
                    (rows.zip(gradient.chunks_exact_mut(classes))).zip(numbers)
                {
                    let label = data.labels[number as usize];
                    objective.row(row, label, &mut loss, gradient);
                }
            });
            // Nothing is changed any more, so the rest is not worth its time.
            if !loss.sum.is_finite() {
                break;
            }
            backward(program, parameters, &mut self.gradients, count, draw);
        }
        loss
    }

    /// One step: the loss on its rows before it, or nothing where loss or gradient are not finite; then nothing changed.
    pub(super) fn step(
        &mut self,
        parameters: &mut [f32],
        data: &Rows,
        step: &TrainStep,
    ) -> Option<Loss> {
        self.step_at(None, parameters, data, step)
    }

    /// The same with loss and gradient of other parameters, where there are some.
    pub(super) fn step_at(
        &mut self,
        at: Option<&[f32]>,
        parameters: &mut [f32],
        data: &Rows,
        step: &TrainStep,
    ) -> Option<Loss> {
        let loss = self.gradient(at.unwrap_or(parameters), data, step);
        if !loss.sum.is_finite() || !are_finite(&self.gradients) {
            return None;
        }
        let (decaying, trained) = (self.decaying, self.gradients.len());
        for (range, decays) in [(0..decaying, true), (decaying..trained, false)] {
            apply(
                &step.update,
                decays,
                &mut parameters[range.clone()],
                &self.gradients[range.clone()],
                [&mut self.first[range.clone()], &mut self.second[range]],
            );
        }
        self.move_running_statistics(parameters, step.rows.len());
        self.stale = true;
        Some(loss)
    }

    /// Moves running statistics towards the batch's.
    fn move_running_statistics(&self, parameters: &mut [f32], rows: usize) {
        let program = &self.program;
        for (step, share) in program.steps.iter().zip(&program.shares) {
            if let Operation::BatchNorm(sizes, norm) = &step.operation {
                let own = &program.workspace.statistics[share.statistics.clone()];
                let batch = [
                    &own[..sizes.channels],
                    &own[sizes.channels..2 * sizes.channels],
                ];
                let running = two(parameters, &norm.mean, &norm.variance);
                batch::update_running(running, batch, rows * sizes.places, norm.momentum);
            }
        }
    }
}

/// [`Update::apply`] by its kernels.
fn apply(
    update: &Update,
    decays: bool,
    weights: &mut [f32],
    gradients: &[f32],
    [first, second]: [&mut [f32]; 2],
) {
    let if_decays = |number: f32| if decays { number } else { 0.0 };
    match *update {
        Update::Sgd {
            learning_rate,
            momentum,
            weight_decay,
        } => Sgd {
            learning_rate,
            momentum,
            weight_decay: if_decays(weight_decay),
        }
        .apply(weights, gradients, first),
        Update::AdamW {
            rate,
            scale,
            shrink,
        } => AdamW {
            first: [optimizer::BETA1 as f32, (1.0 - optimizer::BETA1) as f32],
            second: [optimizer::BETA2 as f32, (1.0 - optimizer::BETA2) as f32],
            rate,
            scale,
            shrink: if_decays(shrink),
            epsilon: optimizer::EPSILON,
        }
        .apply(weights, gradients, first, second),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Scaler;
    use crate::model::{Activation, Layer, Weights, Window};
    use crate::rng::Stream;

    /// Every layer whose gradients are summed over rows, but for batch norm.
    fn graph() -> Graph {
        let mut graph = Graph::new([2, 6, 5]);
        graph.push("conv", Layer::convolution(5, 3));
        graph.push("relu", Layer::Activation(Activation::Relu));
        graph.push("pool", Layer::MaxPool(Window::tiling([2, 2])));
        graph.push("drop", Layer::Dropout { rate: 0.3 });
        graph.push("tokens", Layer::Tokens { positions: true });
        graph.push("norm", Layer::layer_norm());
        graph.push("qkv", Layer::linear(12));
        graph.push("attention", Layer::Attention { heads: 2 });
        graph.push("flatten", Layer::Flatten);
        graph.push("dense", Layer::linear(9));
        graph.push("gelu", Layer::Activation(Activation::Gelu));
        graph.push("classes", Layer::linear(3));
        graph
    }

    fn data(graph: &Graph, count: usize) -> Rows {
        let length = rows::row_length(graph.input);
        let mut stream = Stream::new(3, "rows", 0);
        Rows {
            features: (0..count * length).map(|_| stream.normal()).collect(),
            labels: (0..count).map(|row| (row % 3) as u16).collect(),
            shape: graph.input,
            scaler: Scaler {
                mean: 0.0,
                deviation: 1.0,
            },
        }
    }

    /// Parameters and losses after three steps on eleven rows.
    fn trained(graph: &Graph, chunk: Option<usize>) -> (Vec<u32>, Vec<Loss>) {
        let nodes = graph.resolve().expect("fits");
        let layout = Layout::new(&nodes);
        let mut parameters = vec![0.0; layout.len];
        let weights = Weights::init(graph, 1).expect("fits");
        layout
            .load(&weights, "the weights", &mut parameters)
            .expect("its own");
        let mut training = Training::new(graph, &nodes, &layout).expect("fits");
        if let Some(chunk) = chunk {
            training.set_chunk(chunk);
        }
        let data = data(graph, 11);
        let losses = (1..=3)
            .map(|number| {
                let step = TrainStep {
                    rows: (0..11).rev().collect(),
                    update: Update::AdamW {
                        rate: 0.01,
                        scale: 1.0,
                        shrink: 0.001,
                    },
                    label_smoothing: 0.1,
                    dropout_key: number,
                };
                training
                    .step(&mut parameters, &data, &step)
                    .expect("finite")
            })
            .collect();
        (
            parameters.iter().map(|value| value.to_bits()).collect(),
            losses,
        )
    }

    #[test]
    fn chunks_change_no_bit() {
        let graph = graph();
        let whole = trained(&graph, Some(64));
        for chunk in [1, 3, 4, 10, 11] {
            assert!(trained(&graph, Some(chunk)) == whole, "chunks of {chunk}");
        }
        assert!(trained(&graph, None) == whole, "chunks by shape");
    }

    #[test]
    fn a_batch_stays_whole_where_its_statistics_are_needed() {
        let mut graph = graph();
        graph.push("norm2", Layer::batch_norm());
        let nodes = graph.resolve().expect("fits");
        let training = Training::new(&graph, &nodes, &Layout::new(&nodes)).expect("fits");
        assert_eq!(training.program.chunk, None);
        assert!(trained(&graph, Some(1)) == trained(&graph, None));
    }

    #[test]
    fn the_kernels_have_the_bits_of_the_optimizers_formulas() {
        let mut stream = Stream::new(3, "update", 0);
        let updates = [
            Update::Sgd {
                learning_rate: 0.1,
                momentum: 0.9,
                weight_decay: 0.01,
            },
            Update::AdamW {
                rate: 0.02,
                scale: 3.0,
                shrink: 0.001,
            },
        ];
        for update in updates {
            for decays in [false, true] {
                let mut drawn = || -> Vec<f32> { (0..37).map(|_| stream.normal()).collect() };
                let (gradients, squares) = (drawn(), drawn());
                let mut found = [drawn(), drawn(), squares.iter().map(|x| x * x).collect()];
                let mut wanted = found.clone();
                let [weights, first, second] = &mut wanted;
                update.apply(decays, weights, &gradients, first, second);
                let [weights, first, second] = &mut found;
                apply(&update, decays, weights, &gradients, [first, second]);
                let bits = |lists: &[Vec<f32>]| -> Vec<u32> {
                    lists.concat().iter().map(|value| value.to_bits()).collect()
                };
                assert_eq!(bits(&found), bits(&wanted), "{update:?} {decays}");
            }
        }
    }

    #[test]
    fn a_step_that_is_not_finite_changes_nothing() {
        let graph = graph();
        let nodes = graph.resolve().expect("fits");
        let layout = Layout::new(&nodes);
        let mut parameters = vec![1e30; layout.len];
        let before = parameters.clone();
        let mut training = Training::new(&graph, &nodes, &layout).expect("fits");
        let step = TrainStep {
            rows: vec![0, 1],
            update: Update::Sgd {
                learning_rate: 1.0,
                momentum: 0.0,
                weight_decay: 0.0,
            },
            label_smoothing: 0.0,
            dropout_key: 0,
        };
        let found = training.step(&mut parameters, &data(&graph, 2), &step);
        assert_eq!(found, None);
        assert_eq!(parameters, before);
        assert!(training.first.iter().all(|&moment| moment == 0.0));
    }
}
