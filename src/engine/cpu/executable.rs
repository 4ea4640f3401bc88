//! A model on the CPU: its parameters, how it answers and how it trains; it chooses no rows.

use super::forward::{Draw, forward};
use super::parameters::Layout;
use super::plan::Mode;
use super::program::Program;
use super::rows::{self, row_length};
use super::step::Training;
use crate::data::Rows;
use crate::engine::{Executable, Metrics, Parameters, Pending, State, TrainStep};
use crate::error::{Error, Result};
use crate::model::{Graph, ResolvedNode, Weights};
use std::rc::Rc;

/// A model on the CPU.
pub(super) struct CpuExecutable {
    rows: Rc<Rows>,
    graph: Graph,
    nodes: Vec<ResolvedNode>,
    layout: Layout,
    parameters: Vec<f32>,
    answers: Program,
    /// Whether the packed weights of `answers` are of other parameters.
    stale: bool,
    /// Made for the first training step.
    pub(super) training: Option<Training>,
    classes: usize,
    batch: usize,
    trains: bool,
}

impl CpuExecutable {
    pub(super) fn new(
        rows: Rc<Rows>,
        graph: &Graph,
        parameters: Parameters<'_>,
        batch: u32,
    ) -> Result<Self> {
        let (graph, weights, trains) = match parameters {
            Parameters::Exact(weights) => (graph, weights, true),
            Parameters::Stored(stored) => (stored.graph(graph), stored.weights(), false),
        };
        weights.check(graph)?;
        weights.check_finite()?;
        let nodes = graph.resolve()?;
        let classes = match nodes.last().map(|node| node.output.as_slice()) {
            Some(&[classes]) => classes as usize,
            _ => {
                return Err(Error::bad_input(
                    "the graph's last layer",
                    "a list of logits",
                    "another shape",
                ));
            }
        };
        rows::check_fit(&rows, graph.input, classes)?;
        let layout = Layout::new(&nodes);
        let mut parameters = vec![0.0; layout.len];
        layout.load(weights, "the weights", &mut parameters)?;
        Ok(Self {
            answers: Program::new(graph, &nodes, &layout, Mode::Inference)?,
            rows,
            graph: graph.clone(),
            nodes,
            layout,
            parameters,
            stale: true,
            training: None,
            classes,
            batch: batch.max(1) as usize,
            trains,
        })
    }

    /// The logits of so many rows; `fill` writes the input of a range of them, channels last.
    fn infer(
        &mut self,
        count: usize,
        fill: impl Fn(std::ops::Range<usize>, &mut [f32]),
    ) -> Vec<f32> {
        let program = &mut self.answers;
        if std::mem::take(&mut self.stale) {
            program.pack(&self.parameters);
        }
        let mut logits = Vec::with_capacity(count * self.classes);
        let chunk = program.chunk_rows(count.min(self.batch));
        for first in (0..count).step_by(chunk) {
            let range = first..(first + chunk).min(count);
            let rows = range.len();
            let input = program.values[0];
            fill(range, program.buffers.get_mut(input, rows));
            forward(program, &self.parameters, rows, Draw::default());
            logits.extend_from_slice(program.buffers.get(program.logits, rows));
        }
        logits
    }

    fn train_steps(&mut self, steps: &[TrainStep]) -> Result<Metrics> {
        if !self.trains {
            return Err(Error::Unsupported {
                feature: "training a stored model".into(),
                why: "its weights have been rounded; train the f32 weights and store them again"
                    .into(),
            });
        }
        let mut metrics = Metrics::default();
        for (index, step) in steps.iter().enumerate() {
            if step.rows.is_empty() {
                return Err(Error::bad_input(
                    "a training step",
                    "at least one row",
                    "none",
                ));
            }
            rows::check_numbers(&self.rows, &step.rows)?;
            let data = Rc::clone(&self.rows);
            let (training, parameters) = self.training()?;
            match training.step(parameters, &data, step) {
                Some(loss) => {
                    metrics.loss_sum += loss.sum;
                    metrics.correct += loss.correct;
                    metrics.rows += loss.rows;
                    metrics.steps += 1;
                    self.stale = true;
                }
                None => {
                    metrics.non_finite = Some(index as u32);
                    break;
                }
            }
        }
        Ok(metrics)
    }

    /// What a training needs, made when it is asked for first, and the parameters.
    pub(super) fn training(&mut self) -> Result<(&mut Training, &mut [f32])> {
        let training = match self.training.take() {
            Some(training) => training,
            None => Training::new(&self.graph, &self.nodes, &self.layout)?,
        };
        Ok((self.training.insert(training), &mut self.parameters))
    }

    fn current_state(&self) -> State {
        let moments = |list: fn(&Training) -> &[f32]| {
            self.layout
                .weights(self.training.as_ref().map_or(&[], list))
        };
        State {
            weights: self.layout.weights(&self.parameters),
            first: moments(|training| &training.first),
            second: moments(|training| &training.second),
        }
    }

    fn restore_state(&mut self, state: &State) -> Result<()> {
        let what = "the state to go on from";
        let (layout, trained) = (self.layout.clone(), self.layout.trained);
        let mut parameters = vec![0.0; layout.len];
        let mut moments = [vec![0.0; trained], vec![0.0; trained]];
        layout.load(&state.weights, what, &mut parameters)?;
        layout.load(&state.first, what, &mut moments[0])?;
        layout.load(&state.second, what, &mut moments[1])?;
        let (training, _) = self.training()?;
        [training.first, training.second] = moments;
        training.stale = true;
        self.parameters = parameters;
        self.stale = true;
        Ok(())
    }
}

impl Executable for CpuExecutable {
    fn logits<'a>(&'a mut self, rows: &'a [u32]) -> Pending<'a, Vec<f32>> {
        Box::pin(async move {
            rows::check_numbers(&self.rows, rows)?;
            let data = Rc::clone(&self.rows);
            Ok(self.infer(rows.len(), |range, out| {
                rows::gather(&data, &rows[range], out);
            }))
        })
    }

    fn predict<'a>(&'a mut self, features: &'a [f32]) -> Pending<'a, Vec<f32>> {
        Box::pin(async move {
            let shape = self.rows.shape;
            let length = row_length(shape);
            let count = rows::whole_rows(shape, features)?;
            Ok(self.infer(count, |range, out| {
                let features = &features[range.start * length..range.end * length];
                rows::arrange(shape, features, out);
            }))
        })
    }

    fn train<'a>(&'a mut self, steps: &'a [TrainStep]) -> Pending<'a, Metrics> {
        Box::pin(async move { self.train_steps(steps) })
    }

    fn load(&mut self, rows: Rc<Rows>) -> Pending<'_, ()> {
        Box::pin(async move {
            rows::check_whole(&rows)?;
            rows::check_fit(&rows, self.rows.shape, self.classes)?;
            self.rows = rows;
            Ok(())
        })
    }

    fn weights(&mut self) -> Pending<'_, Weights> {
        Box::pin(async move { Ok(self.layout.weights(&self.parameters)) })
    }

    fn is_finite(&mut self) -> Pending<'_, bool> {
        Box::pin(async move { Ok(assay_kernels::reduce::are_finite(&self.parameters)) })
    }

    fn state(&mut self) -> Pending<'_, State> {
        Box::pin(async move { Ok(self.current_state()) })
    }

    fn restore<'a>(&'a mut self, state: &'a State) -> Pending<'a, ()> {
        Box::pin(async move { self.restore_state(state) })
    }
}
