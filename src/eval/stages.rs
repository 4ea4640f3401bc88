//! A model of two stages at work: the second sees only the rows that the first holds for occupied; it trains neither.
//!
//! What comes out are the logarithms of the classes' probabilities: `ln p(empty)`, and for each other class
//! `ln p(occupied) + ln p(class | occupied)`. Of a row that the second stage did not see nothing is known of the class: it is
//! each of them with equal probability. In f64 through `libm`, each number rounded once.

use super::score::log_sum_exp;
use crate::data::Rows;
use crate::engine::cpu::CpuEngine;
use crate::engine::{Engine, Executable, Metrics, Parameters, Pending, State, TrainStep, ready};
use crate::error::{Error, Result};
use crate::model::{Plan, Weights, stages};
use std::rc::Rc;

/// Both stages, ready to run on the CPU.
pub struct Staged {
    stages: [Box<dyn Executable>; 2],
    row_len: usize,
    classes: usize,
    rows: u64,
    seen_twice: u64,
}

impl Staged {
    /// Both stages of a plan with the weights of both, on rows as [`crate::data::staged::occupancy`] asks them.
    ///
    /// # Errors
    /// [`Error::BadInput`] for a plan of one stage, rows that do not fit, or weights that are not the plan's.
    pub fn new(plan: &Plan, weights: &Weights, rows: Rc<Rows>, batch: u32) -> Result<Self> {
        let [first, second] = plan.stages.as_slice() else {
            return Err(Error::bad_input("the model", "two stages", "one"));
        };
        weights.check(&plan.graph)?;
        let row_len = rows.shape.iter().map(|size| *size as usize).product();
        let engine = CpuEngine::with_rows(rows)?;
        let prepared = |stage: &Plan| {
            let own = stages::weights_of(&stage.graph, weights)?;
            ready(engine.prepare(&stage.graph, Parameters::Exact(&own), batch))
        };
        let answers = second.cost.layers.last().and_then(|it| it.output.first());
        Ok(Self {
            stages: [prepared(first)?, prepared(second)?],
            row_len,
            classes: answers.copied().unwrap_or(0) as usize + 1,
            rows: 0,
            seen_twice: 0,
        })
    }

    /// Rows that were answered so far, and how many of them the second stage saw.
    #[must_use]
    pub const fn counts(&self) -> (u64, u64) {
        (self.rows, self.seen_twice)
    }

    /// The answers of both, given the first one's and those of the second for the rows that are occupied by it, in order.
    fn combined(&mut self, first: &[f32], second: &[f32]) -> Vec<f32> {
        let mut seen = second.chunks_exact(self.classes - 1);
        let mut all = Vec::with_capacity(first.len() / 2 * self.classes);
        for own in first.chunks_exact(2) {
            let pieces = if is_occupied(own) { seen.next() } else { None };
            self.rows += 1;
            self.seen_twice += u64::from(pieces.is_some());
            combine(own, pieces, self.classes - 1, &mut all);
        }
        all
    }
}

/// Whether the first stage holds a row for occupied; of equal logits it is empty, as the first of equals wins elsewhere.
fn is_occupied(logits: &[f32]) -> bool {
    matches!(logits, [empty, occupied] if occupied > empty)
}

/// Appends the logarithms of one row's probabilities.
fn combine(first: &[f32], second: Option<&[f32]>, others: usize, all: &mut Vec<f32>) {
    let log_sum = log_sum_exp(first);
    let [empty, occupied] = [0, 1].map(|at| f64::from(first[at]) - log_sum);
    all.push(empty as f32);
    match second {
        Some(logits) => {
            let log_sum = log_sum_exp(logits);
            let of = |logit: &f32| (occupied + (f64::from(*logit) - log_sum)) as f32;
            all.extend(logits.iter().map(of));
        }
        None => {
            let each = (occupied - libm::log(others as f64)) as f32;
            all.extend(std::iter::repeat_n(each, others));
        }
    }
}

impl Executable for Staged {
    fn logits<'a>(&'a mut self, rows: &'a [u32]) -> Pending<'a, Vec<f32>> {
        Box::pin(async move {
            let first = self.stages[0].logits(rows).await?;
            let held: Vec<u32> = (rows.iter().zip(first.chunks_exact(2)))
                .filter(|(_, own)| is_occupied(own))
                .map(|(row, _)| *row)
                .collect();
            let second = match held.is_empty() {
                true => Vec::new(),
                false => self.stages[1].logits(&held).await?,
            };
            Ok(self.combined(&first, &second))
        })
    }

    fn predict<'a>(&'a mut self, features: &'a [f32]) -> Pending<'a, Vec<f32>> {
        Box::pin(async move {
            let first = self.stages[0].predict(features).await?;
            let held: Vec<f32> = (features.chunks_exact(self.row_len))
                .zip(first.chunks_exact(2))
                .filter(|(_, own)| is_occupied(own))
                .flat_map(|(row, _)| row.iter().copied())
                .collect();
            let second = match held.is_empty() {
                true => Vec::new(),
                false => self.stages[1].predict(&held).await?,
            };
            Ok(self.combined(&first, &second))
        })
    }

    fn train<'a>(&'a mut self, _: &'a [TrainStep]) -> Pending<'a, Metrics> {
        Box::pin(async { Err(trained_apart()) })
    }

    fn load(&mut self, rows: Rc<Rows>) -> Pending<'_, ()> {
        Box::pin(async move {
            for stage in &mut self.stages {
                stage.load(Rc::clone(&rows)).await?;
            }
            Ok(())
        })
    }

    fn state(&mut self) -> Pending<'_, State> {
        Box::pin(async move {
            let [first, second] = &mut self.stages;
            let weights = stages::both(&first.weights().await?, &second.weights().await?);
            Ok(State {
                weights,
                ..State::default()
            })
        })
    }

    fn restore<'a>(&'a mut self, _: &'a State) -> Pending<'a, ()> {
        Box::pin(async { Err(trained_apart()) })
    }
}

fn trained_apart() -> Error {
    Error::Unsupported {
        feature: "training a model of two stages as one".into(),
        why: "each is trained by itself".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{self, Scaler};
    use crate::recipe::Recipe;

    /// A plan of two stages for made-up squares, with weights that were not trained.
    fn untrained() -> (Plan, Weights, Rows) {
        let mut recipe = Recipe::default_for("chess", "lenet");
        recipe.architecture.stages = Some("two".into());
        let plan = crate::model::plan(&recipe, [1, 8, 8], 13, 100).expect("fits");
        let [first, second] = [0, 1].map(|stage: usize| {
            Weights::init(&plan.stages[stage].graph, 3 + stage as u32).expect("fits")
        });
        let mut random = crate::rng::Stream::new(1, "test", 0);
        let rows = Rows {
            features: (0..40 * 64).map(|_| random.unit()).collect(),
            labels: (0..40).map(|row| row % 13).collect(),
            shape: [1, 8, 8],
            scaler: Scaler {
                mean: 0.0,
                deviation: 1.0,
            },
        };
        (plan, stages::both(&first, &second), rows)
    }

    fn staged() -> (Staged, Plan, Weights, Rows) {
        let (plan, weights, rows) = untrained();
        let asked = Rc::new(data::staged::occupancy(&rows));
        let staged = Staged::new(&plan, &weights, asked, 16).expect("fits");
        (staged, plan, weights, rows)
    }

    const ALL: [u32; 40] = {
        let mut all = [0; 40];
        let mut at = 0;
        while at < 40 {
            all[at] = at as u32;
            at += 1;
        }
        all
    };

    #[test]
    fn probabilities_are_those_of_both_stages_and_add_up() {
        let (mut staged, plan, weights, rows) = staged();
        let found = ready(staged.logits(&ALL)).expect("rows");
        let mut engine = CpuEngine::new();
        ready(engine.load(&data::staged::occupancy(&rows))).expect("fits");
        let alone = |stage: usize, row: u32| {
            let graph = &plan.stages[stage].graph;
            let own = stages::weights_of(graph, &weights).expect("fits");
            let mut model = ready(engine.prepare(graph, Parameters::Exact(&own), 1)).expect("fits");
            super::super::softmax(&ready(model.logits(&[row])).expect("a row"))
        };
        let mut occupied = 0;
        for (row, own) in ALL.iter().zip(found.chunks_exact(13)) {
            let shares: Vec<f32> = own.iter().map(|it| it.exp()).collect();
            let sum: f32 = shares.iter().sum();
            assert!((sum - 1.0).abs() < 1e-5, "{sum}");
            let first = alone(0, *row);
            assert!((shares[0] - first[0]).abs() < 1e-6);
            let held = first[1] > first[0];
            occupied += u64::from(held);
            let second = if held {
                alone(1, *row)
            } else {
                vec![1.0 / 12.0; 12]
            };
            for (share, piece) in shares[1..].iter().zip(second) {
                assert!((share - first[1] * piece).abs() < 1e-6);
            }
        }
        assert!((1..40).contains(&occupied), "{occupied} of 40");
        assert_eq!(staged.counts(), (40, occupied));
    }

    #[test]
    fn a_row_has_the_same_bits_alone_in_a_batch_and_as_features() {
        let (mut staged, .., rows) = staged();
        let together = ready(staged.logits(&ALL)).expect("rows");
        for (row, own) in ALL.iter().zip(together.chunks_exact(13)) {
            assert_eq!(ready(staged.logits(&[*row])).expect("a row"), own);
        }
        assert_eq!(
            ready(staged.predict(&rows.features)).expect("rows"),
            together
        );
        // A changed weight of either stage changes answers.
        let (plan, weights, rows) = untrained();
        for name in ["occupancy.classes.bias", "piece.classes.bias"] {
            let mut other = weights.clone();
            let mut tensor = other.remove(name).expect("there");
            tensor.values[1] += 0.3;
            other.insert(name, tensor.shape, tensor.values);
            let asked = Rc::new(data::staged::occupancy(&rows));
            let mut changed = Staged::new(&plan, &other, asked, 16).expect("fits");
            assert_ne!(
                ready(changed.logits(&ALL)).expect("rows"),
                together,
                "{name}"
            );
        }
    }

    #[test]
    fn equal_logits_are_empty_and_nothing_is_known_of_the_piece() {
        let mut all = Vec::new();
        assert!(!is_occupied(&[0.5, 0.5]) && !is_occupied(&[f32::NAN, 1.0]));
        combine(&[0.5, 0.5], None, 12, &mut all);
        assert_eq!(super::super::argmax(&all), 0);
        assert!((all[0] - 0.5_f32.ln()).abs() < 1e-7);
        assert!(
            all[1..]
                .iter()
                .all(|it| (it - (0.5_f32 / 12.0).ln()).abs() < 1e-6)
        );
    }

    #[test]
    fn its_weights_come_back_and_it_does_not_train() {
        let (mut staged, _, weights, _) = staged();
        assert_eq!(ready(staged.weights()), Ok(weights));
        assert!(ready(staged.train(&[])).is_err());
        assert!(ready(staged.restore(&State::default())).is_err());
    }

    #[test]
    fn refuses_one_stage_and_weights_of_another_model() {
        let (plan, weights, rows) = untrained();
        let asked = Rc::new(data::staged::occupancy(&rows));
        assert!(Staged::new(&plan.stages[1], &weights, Rc::clone(&asked), 1).is_err());
        let mut missing = weights;
        missing.remove("piece.conv1.bias");
        assert!(Staged::new(&plan, &missing, asked, 1).is_err());
    }
}
