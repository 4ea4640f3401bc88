//! Training a model for a few epochs as it will be once it is stored: products see rounded weights, values are rounded as
//! their codes say, and both roundings count as nothing on the way back (the straight-through estimator: Y. Bengio et al.
//! 2013, arXiv 1308.3432; simulated quantization: B. Jacob et al. 2018, arXiv 1712.05877, section 3). It measures nothing.

use super::parameters::Layout;
use super::rows;
use super::step::Training;
use crate::data::Rows;
use crate::engine::TrainStep;
use crate::error::{Error, Result};
use crate::model::{Graph, Weights};
use crate::quant::Codes;
use crate::rng::Stream;
use crate::train::optimizer::Optimizer;

/// Rows of a step.
const BATCH: usize = 32;
/// AdamW's rate at the first step; it falls linearly to 0.
const RATE: f64 = 1e-3;

/// How long and on what.
#[derive(Debug, Clone, Copy)]
pub struct FineTuning<'a> {
    /// Codes of the input and of each node's output, as [`crate::quant::Integer`] has them; none rounds no value.
    pub codes: &'a [Codes],
    /// Rows with labels.
    pub data: &'a Rows,
    /// Which of them.
    pub rows: &'a [u32],
    /// Passes over those.
    pub epochs: u32,
}

/// A fine-tuning in progress: [`FineTuner::step`] until nothing is left, then [`FineTuner::weights`].
pub struct FineTuner<'a> {
    asked: FineTuning<'a>,
    layout: Layout,
    training: Training,
    parameters: Vec<f32>,
    rounded: Vec<f32>,
    /// Rows of the epoch in progress.
    order: Vec<u32>,
    done: u64,
}

const WHAT: &str = "the weights to fine-tune";

impl<'a> FineTuning<'a> {
    /// One that has not begun.
    ///
    /// # Errors
    /// [`Error::BadInput`] where rows, graph and weights do not fit.
    pub fn begin(self, graph: &Graph, weights: &Weights) -> Result<FineTuner<'a>> {
        weights.check(graph)?;
        rows::check_whole(self.data)?;
        rows::check_numbers(self.data, self.rows)?;
        let nodes = graph.resolve()?;
        let layout = Layout::new(&nodes);
        let mut parameters = vec![0.0; layout.len];
        layout.load(weights, WHAT, &mut parameters)?;
        Ok(FineTuner {
            asked: self,
            training: Training::rounding(graph, &nodes, &layout, self.codes)?,
            rounded: parameters.clone(),
            parameters,
            layout,
            order: Vec::new(),
            done: 0,
        })
    }
}

impl FineTuner<'_> {
    fn steps_of_an_epoch(&self) -> u64 {
        self.asked.rows.len().div_ceil(BATCH) as u64
    }

    fn steps(&self) -> u64 {
        u64::from(self.asked.epochs) * self.steps_of_an_epoch()
    }

    /// Share of the steps that are done.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        self.done as f64 / self.steps().max(1) as f64
    }

    /// One step; `round` gives the weights that products see. Whether any are left.
    ///
    /// # Errors
    /// [`Error::Engine`] where a loss is not finite, and what `round` refuses.
    pub fn step(&mut self, round: impl Fn(&Weights) -> Result<Weights>) -> Result<bool> {
        let steps = self.steps();
        if self.done >= steps {
            return Ok(false);
        }
        let each = self.steps_of_an_epoch();
        let of_epoch = self.done % each;
        if of_epoch == 0 {
            self.order = self.asked.rows.to_vec();
            Stream::new(0, "fine-tuning", self.done / each + 1).shuffle(&mut self.order);
        }
        let first = of_epoch as usize * BATCH;
        let rows = self.order[first..(first + BATCH).min(self.order.len())].to_vec();
        let seen = round(&self.layout.weights(&self.parameters))?;
        self.layout.load(&seen, WHAT, &mut self.rounded)?;
        self.done += 1;
        let optimizer = Optimizer {
            name: "adamw",
            momentum: 0.0,
            weight_decay: 0.0,
        };
        let rate = RATE * (steps + 1 - self.done) as f64 / steps as f64;
        let step = TrainStep {
            rows,
            update: optimizer.update(rate, self.done)?,
            label_smoothing: 0.0,
            dropout_key: Stream::new(0, "fine-tuning dropout", self.done).key(),
        };
        let data = self.asked.data;
        let taken = (self.training).step_at(Some(&self.rounded), &mut self.parameters, data, &step);
        taken.ok_or_else(|| Error::Engine {
            engine: "cpu",
            during: "fine-tuning",
            reason: "a loss or a gradient was not finite".into(),
        })?;
        Ok(self.done < steps)
    }

    /// The weights as they are now.
    #[must_use]
    pub fn weights(&self) -> Weights {
        self.layout.weights(&self.parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Scaler;
    use crate::model::{Activation, Layer};

    const INPUTS: usize = 3;
    const HIDDEN: usize = 4;
    const CLASSES: usize = 2;

    fn graph() -> Graph {
        let mut graph = Graph::new([1, 1, INPUTS as u32]);
        graph.push("flatten", Layer::Flatten);
        graph.push("hidden", Layer::linear(HIDDEN as u32));
        graph.push("silu", Layer::Activation(Activation::Silu));
        graph.push("classes", Layer::linear(CLASSES as u32));
        graph
    }

    /// Codes of the input, the flattened input, the hidden layer, its function, the logits.
    fn codes() -> Vec<Codes> {
        let of = |low, high| Codes::of([low, high], false);
        vec![
            of(-1.5, 1.0),
            of(-1.5, 1.0),
            of(-1.0, 0.8),
            of(-0.3, 0.5),
            of(-9.0, 9.0),
        ]
    }

    fn data(count: usize) -> Rows {
        let mut stream = Stream::new(4, "rows", 0);
        Rows {
            features: (0..count * INPUTS).map(|_| stream.normal()).collect(),
            labels: (0..count).map(|row| (row % CLASSES) as u16).collect(),
            shape: [1, 1, INPUTS as u32],
            scaler: Scaler {
                mean: 0.0,
                deviation: 1.0,
            },
        }
    }

    /// A number rounded as its codes say, and the slope that the way back takes for it.
    fn rounded(codes: Codes, x: f64) -> [f64; 2] {
        let [low, high] = codes.range.map(f64::from);
        let step = f64::from(codes.step);
        let inside = (low..=high).contains(&(x / step));
        [
            (x / step).round_ties_even().clamp(low, high) * step,
            if inside { 1.0 } else { 0.0 },
        ]
    }

    /// The gradient of the mean loss at weights, number by number in f64; rounding a value has the slope 1 within its range.
    fn reference(weights: &Weights, data: &Rows) -> Vec<f64> {
        let of = |name: &str| -> Vec<f64> {
            let tensor = weights.get(name).expect("there");
            tensor.values.iter().map(|&it| f64::from(it)).collect()
        };
        let (w1, b1) = (of("hidden.weight"), of("hidden.bias"));
        let (w2, b2) = (of("classes.weight"), of("classes.bias"));
        let codes = codes();
        let count = data.labels.len();
        let mut gradients = [
            vec![0.0; w1.len()],
            vec![0.0; w2.len()],
            vec![0.0; b1.len()],
            vec![0.0; b2.len()],
        ];
        for (row, &label) in data.features.chunks(INPUTS).zip(&data.labels) {
            let x: Vec<f64> = row
                .iter()
                .map(|&it| rounded(codes[0], it.into())[0])
                .collect();
            let sums: Vec<[f64; 2]> = (0..HIDDEN)
                .map(|unit| {
                    let sum: f64 = (0..INPUTS).map(|at| w1[unit * INPUTS + at] * x[at]).sum();
                    rounded(codes[2], sum + b1[unit])
                })
                .collect();
            let silu = |z: f64| z / (1.0 + (-z).exp());
            let slope = |z: f64| {
                let s = 1.0 / (1.0 + (-z).exp());
                s + z * s * (1.0 - s)
            };
            let hidden: Vec<[f64; 2]> = sums
                .iter()
                .map(|it| rounded(codes[3], silu(it[0])))
                .collect();
            let logits: Vec<f64> = (0..CLASSES)
                .map(|class| {
                    let sum: f64 = (0..HIDDEN)
                        .map(|at| w2[class * HIDDEN + at] * hidden[at][0])
                        .sum();
                    sum + b2[class]
                })
                .collect();
            let all: f64 = logits.iter().map(|it| it.exp()).sum();
            for class in 0..CLASSES {
                let hit = if class == usize::from(label) {
                    1.0
                } else {
                    0.0
                };
                let off = (logits[class].exp() / all - hit) / count as f64;
                gradients[3][class] += off;
                for unit in 0..HIDDEN {
                    gradients[1][class * HIDDEN + unit] += off * hidden[unit][0];
                    let back = off
                        * w2[class * HIDDEN + unit]
                        * hidden[unit][1]
                        * slope(sums[unit][0])
                        * sums[unit][1];
                    gradients[2][unit] += back;
                    for at in 0..INPUTS {
                        gradients[0][unit * INPUTS + at] += back * x[at];
                    }
                }
            }
        }
        gradients.concat()
    }

    /// The gradient that one step of SGD took at `at`, in the order of the reference, and the weights before it.
    fn taken(codes: &[Codes]) -> (Vec<f64>, Weights, Rows) {
        let (graph, data) = (graph(), data(24));
        let nodes = graph.resolve().expect("fits");
        let layout = Layout::new(&nodes);
        let at = Weights::init(&graph, 2).expect("fits");
        let mut rounded = vec![0.0; layout.len];
        layout.load(&at, "weights", &mut rounded).expect("its own");
        let mut parameters = vec![0.0; layout.len];
        let mut training = Training::rounding(&graph, &nodes, &layout, codes).expect("fits");
        let step = TrainStep {
            rows: (0..24).collect(),
            update: crate::train::optimizer::Update::Sgd {
                learning_rate: 1.0,
                momentum: 0.0,
                weight_decay: 0.0,
            },
            label_smoothing: 0.0,
            dropout_key: 0,
        };
        training
            .step_at(Some(&rounded), &mut parameters, &data, &step)
            .expect("finite");
        let moved = layout.weights(&parameters);
        let gradient = [
            "hidden.weight",
            "classes.weight",
            "hidden.bias",
            "classes.bias",
        ]
        .iter()
        .flat_map(|name| moved.get(name).expect("there").values.clone())
        .map(|it| -f64::from(it))
        .collect();
        (gradient, at, data)
    }

    fn farthest(found: &[f64], wanted: &[f64]) -> f64 {
        found
            .iter()
            .zip(wanted)
            .fold(0.0, |most, (a, b)| most.max((a - b).abs()))
    }

    #[test]
    fn a_gradient_passes_roundings_as_if_they_were_not_there_and_stops_where_a_range_ends() {
        let (found, at, data) = taken(&codes());
        let wanted = reference(&at, &data);
        assert!(farthest(&found, &wanted) < 1e-6, "{found:?} {wanted:?}");
        // Without the codes it is another one, by far more than a rounding.
        let (plain, ..) = taken(&[]);
        assert!(farthest(&plain, &wanted) > 1e-3);
    }

    #[test]
    fn weights_follow_and_what_products_see_is_what_was_rounded() {
        let (graph, data) = (graph(), data(40));
        let weights = Weights::init(&graph, 2).expect("fits");
        let rows: Vec<u32> = (0..40).collect();
        let tuning = FineTuning {
            codes: &codes(),
            data: &data,
            rows: &rows,
            epochs: 2,
        };
        let calls = std::cell::Cell::new(0);
        let run = || {
            let mut tuner = tuning.begin(&graph, &weights)?;
            let round = |weights: &Weights| {
                calls.set(calls.get() + 1);
                Ok(weights.clone())
            };
            let mut fractions = vec![tuner.fraction()];
            while tuner.step(round)? {
                fractions.push(tuner.fraction());
            }
            assert_eq!(fractions, [0.0, 0.25, 0.5, 0.75]);
            assert!(!tuner.step(round)?);
            Ok::<_, Error>(tuner.weights())
        };
        let tuned = run().expect("finite");
        assert_eq!(calls.get(), 4);
        assert_ne!(tuned, weights);
        assert_eq!(run().expect("finite"), tuned);
        let none = FineTuning {
            rows: &[99],
            ..tuning
        };
        assert!(none.begin(&graph, &weights).is_err());
    }
}
