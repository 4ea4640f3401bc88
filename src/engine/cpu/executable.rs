//! A graph with its weights as candle tensors: forward, backward and the optimizer's step; it chooses no rows.

use super::{check_rows, failed, ops, row_length};
use crate::data::Rows;
use crate::engine::{Executable, Metrics, Parameters, Pending, State, TrainStep, loss};
use crate::error::{Error, Result};
use crate::model::{
    Activation, Convolution, Graph, Layer, Node, Parameter, ResolvedNode, Source, Tensor as Values,
    Weights, Window,
};
use crate::train::optimizer::Moments;
use candle_core::{Device, Tensor, Var};
use std::rc::Rc;

/// One node, ready to run.
struct Op {
    layer: Layer,
    source: Source,
    /// Index of its weight among the parameters; the bias follows. 0 for a layer without.
    first_parameter: usize,
}

/// A model on the CPU.
pub(super) struct CpuExecutable {
    rows: Rc<Rows>,
    ops: Vec<Op>,
    parameters: Vec<Parameter>,
    variables: Vec<Var>,
    moments: Vec<Moments>,
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
        let (weights, trains) = match parameters {
            Parameters::Exact(weights) => (weights, true),
            Parameters::Stored(stored) => (stored.weights(), false),
        };
        weights.check(graph)?;
        let resolved = graph.resolve()?;
        let classes = match resolved.last().map(|node| node.output.as_slice()) {
            Some(&[classes]) => classes as usize,
            _ => {
                return Err(Error::bad_input(
                    "the graph's last layer",
                    "a list of logits",
                    "another shape",
                ));
            }
        };
        check_fit(&rows, graph.input, classes)?;
        let (mut ops, mut parameters) = (Vec::new(), Vec::new());
        for (node, resolved) in graph.nodes.iter().zip(resolved) {
            check_supported(node, &resolved)?;
            ops.push(Op {
                layer: node.layer,
                source: resolved.sources[0],
                first_parameter: parameters.len(),
            });
            parameters.extend(resolved.parameters);
        }
        let variables = variables(&parameters, weights)?;
        Ok(Self {
            rows,
            ops,
            moments: vec![Moments::default(); parameters.len()],
            parameters,
            variables,
            classes,
            batch: batch.max(1) as usize,
            trains,
        })
    }

    /// The logits of a batch. With `parameters` that are variables candle remembers how they came about.
    fn forward(&self, input: Tensor, parameters: &[Tensor]) -> candle_core::Result<Tensor> {
        let last_use: Vec<usize> = (0..self.ops.len())
            .map(|node| {
                self.ops
                    .iter()
                    .rposition(|op| matches!(op.source, Source::Node(index) if index == node))
                    .unwrap_or(usize::MAX)
            })
            .collect();
        let mut values: Vec<Option<Tensor>> = Vec::with_capacity(self.ops.len());
        for (index, op) in self.ops.iter().enumerate() {
            let x = match op.source {
                Source::Input => Some(input.clone()),
                Source::Node(node) if last_use[node] == index => values[node].take(),
                Source::Node(node) => values[node].clone(),
            };
            let Some(x) = x else {
                candle_core::bail!("layer {index} reads a value that is gone");
            };
            let tensors = parameters.get(op.first_parameter..).unwrap_or_default();
            values.push(Some(match (op.layer, tensors) {
                (Layer::Flatten, _) => x.flatten_from(1)?,
                (Layer::MaxPool(_), _) => ops::max_pool(&x)?,
                (Layer::Activation(activation), _) => ops::activation(&x, activation)?,
                (Layer::Linear { .. }, [weight, bias, ..]) => ops::linear(&x, weight, bias)?,
                (Layer::Convolution(_), [weight, bias, ..]) => ops::convolution(&x, weight, bias)?,
                _ => candle_core::bail!("layer {index} lacks its tensors"),
            }));
        }
        match values.pop() {
            Some(Some(logits)) => Ok(logits),
            _ => candle_core::bail!("a graph without layers"),
        }
    }

    /// The logits of whole rows, at most `batch` of them at a time.
    fn infer(&self, features: &[f32]) -> Result<Vec<f32>> {
        let length = row_length(self.rows.shape);
        let detached: Vec<Tensor> = self.variables.iter().map(Var::as_detached_tensor).collect();
        let mut logits = Vec::with_capacity(features.len() / length * self.classes);
        for chunk in features.chunks(self.batch * length) {
            let attempt = || {
                self.forward(self.input(chunk)?, &detached)?
                    .flatten_all()?
                    .to_vec1()
            };
            logits.append(&mut attempt().map_err(failed("computing logits"))?);
        }
        Ok(logits)
    }

    fn input(&self, features: &[f32]) -> candle_core::Result<Tensor> {
        let [channels, height, width] = self.rows.shape.map(|size| size as usize);
        let rows = features.len() / (channels * height * width);
        Tensor::from_slice(features, (rows, channels, height, width), &Device::Cpu)
    }

    /// The features of rows, one after another.
    fn gather(&self, rows: &[u32]) -> Result<Vec<f32>> {
        let length = row_length(self.rows.shape);
        let mut features = Vec::with_capacity(rows.len() * length);
        for &row in rows {
            if row as usize >= self.rows.labels.len() {
                return Err(Error::bad_input(
                    "the rows asked for",
                    format!("below {}, as many as are loaded", self.rows.labels.len()),
                    row.to_string(),
                ));
            }
            features.extend_from_slice(&self.rows.features[row as usize * length..][..length]);
        }
        Ok(features)
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
            let features = self.gather(&step.rows)?;
            let labels: Vec<u16> = (step.rows.iter())
                .map(|&row| self.rows.labels[row as usize])
                .collect();
            match self
                .train_step(&features, &labels, step)
                .map_err(failed("training"))?
            {
                Some(loss) => {
                    metrics.loss_sum += loss.sum;
                    metrics.correct += loss.correct;
                    metrics.rows += loss.rows;
                    metrics.steps += 1;
                }
                None => {
                    metrics.non_finite = Some(index as u32);
                    break;
                }
            }
        }
        Ok(metrics)
    }

    /// One step, or nothing where the loss is not finite.
    fn train_step(
        &mut self,
        features: &[f32],
        labels: &[u16],
        step: &TrainStep,
    ) -> candle_core::Result<Option<loss::Loss>> {
        let tracked: Vec<Tensor> = self
            .variables
            .iter()
            .map(|variable| variable.as_tensor().clone())
            .collect();
        let logits = self.forward(self.input(features)?, &tracked)?;
        let found = loss::cross_entropy(
            &logits.flatten_all()?.to_vec1::<f32>()?,
            labels,
            self.classes,
        );
        if !found.sum.is_finite() {
            return Ok(None);
        }
        let gradients = ops::cross_entropy(&logits, labels, step.label_smoothing)?.backward()?;
        for ((variable, parameter), moments) in (self.variables.iter())
            .zip(&self.parameters)
            .zip(&mut self.moments)
        {
            if let Some(gradient) = gradients.get(variable.as_tensor()) {
                let decays = parameter.role.decays();
                ops::update(variable, gradient, moments, &step.update, decays)?;
            }
        }
        Ok(Some(found))
    }

    fn current_state(&self) -> Result<State> {
        let mut state = State::default();
        for ((variable, parameter), moments) in (self.variables.iter())
            .zip(&self.parameters)
            .zip(&self.moments)
        {
            let values = variable
                .flatten_all()
                .and_then(|values| values.to_vec1::<f32>())
                .map_err(failed("reading weights"))?;
            // Empty before the first step.
            let filled = |moments: &[f32]| {
                let mut moments = moments.to_vec();
                moments.resize(values.len(), 0.0);
                moments
            };
            let (name, shape) = (&parameter.name, &parameter.shape);
            state
                .first
                .insert(name, shape.clone(), filled(&moments.first));
            state
                .second
                .insert(name, shape.clone(), filled(&moments.second));
            state.weights.insert(name, shape.clone(), values);
        }
        Ok(state)
    }

    fn restore_state(&mut self, state: &State) -> Result<()> {
        let find = |weights: &Weights, parameter: &Parameter| -> Result<Values> {
            weights
                .get(&parameter.name)
                .filter(|tensor| tensor.shape == parameter.shape)
                .cloned()
                .ok_or_else(|| {
                    Error::bad_input(
                        "the state to go on from",
                        format!("a tensor {:?} as the graph has it", parameter.name),
                        "none",
                    )
                })
        };
        let mut moments = Vec::with_capacity(self.parameters.len());
        for parameter in &self.parameters {
            moments.push(Moments {
                first: find(&state.first, parameter)?.values,
                second: find(&state.second, parameter)?.values,
            });
        }
        self.variables = variables(&self.parameters, &state.weights)?;
        self.moments = moments;
        Ok(())
    }
}

/// Refuses what this executable has no op for yet.
fn check_supported(node: &Node, resolved: &ResolvedNode) -> Result<()> {
    let supported = match node.layer {
        Layer::Flatten => true,
        Layer::Linear { bias, .. } => bias && resolved.input().len() == 1,
        Layer::Convolution(convolution) => {
            let [kernel, _] = convolution.kernel;
            kernel % 2 == 1 && convolution == Convolution::same(convolution.channels, kernel)
        }
        Layer::MaxPool(window) => window == Window::tiling([2, 2]),
        Layer::Activation(activation) => matches!(
            activation,
            Activation::Relu | Activation::Tanh | Activation::Gelu
        ),
        _ => false,
    };
    if supported {
        return Ok(());
    }
    Err(Error::Unsupported {
        feature: format!("layer {:?} ({})", node.name, node.layer.words()),
        why: "this engine cannot run it yet".into(),
    })
}

/// Whether rows are of a model's shape and their labels among its classes.
fn check_fit(rows: &Rows, input: [u32; 3], classes: usize) -> Result<()> {
    if input != rows.shape {
        return Err(Error::bad_input(
            "the graph's input",
            format!("{:?}, the shape of the loaded rows", rows.shape),
            format!("{input:?}"),
        ));
    }
    let wrong = (rows.labels.iter()).find(|&&label| usize::from(label) >= classes);
    match wrong {
        None => Ok(()),
        Some(label) => Err(Error::bad_input(
            "the labels",
            format!("classes below {classes}, as many as the graph gives"),
            label.to_string(),
        )),
    }
}

fn variables(parameters: &[Parameter], weights: &Weights) -> Result<Vec<Var>> {
    parameters
        .iter()
        .map(|parameter| {
            let tensor = weights.get(&parameter.name).ok_or_else(|| {
                Error::bad_input(
                    "the weights",
                    format!("a tensor {:?}", parameter.name),
                    "none",
                )
            })?;
            let shape: Vec<usize> = tensor.shape.iter().map(|&size| size as usize).collect();
            Var::from_slice(&tensor.values, shape, &Device::Cpu).map_err(failed("loading weights"))
        })
        .collect()
}

impl Executable for CpuExecutable {
    fn logits<'a>(&'a mut self, rows: &'a [u32]) -> Pending<'a, Vec<f32>> {
        Box::pin(async move { self.infer(&self.gather(rows)?) })
    }

    fn predict<'a>(&'a mut self, features: &'a [f32]) -> Pending<'a, Vec<f32>> {
        Box::pin(async move {
            let length = row_length(self.rows.shape);
            if !features.len().is_multiple_of(length) {
                return Err(Error::bad_input(
                    "the features",
                    format!("{length} for each row"),
                    features.len().to_string(),
                ));
            }
            self.infer(features)
        })
    }

    fn train<'a>(&'a mut self, steps: &'a [TrainStep]) -> Pending<'a, Metrics> {
        Box::pin(async move { self.train_steps(steps) })
    }

    fn load(&mut self, rows: Rc<Rows>) -> Pending<'_, ()> {
        Box::pin(async move {
            check_rows(&rows)?;
            check_fit(&rows, self.rows.shape, self.classes)?;
            self.rows = rows;
            Ok(())
        })
    }

    fn state(&mut self) -> Pending<'_, State> {
        Box::pin(async move { self.current_state() })
    }

    fn restore<'a>(&'a mut self, state: &'a State) -> Pending<'a, ()> {
        Box::pin(async move { self.restore_state(state) })
    }
}
