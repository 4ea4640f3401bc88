//! Which layer gives way next, and to which scheme, so that a model comes within a budget at the least harm; it runs nothing.
//!
//! First each layer alone is stored under each scheme: its harm is what the validation loss rises by. Then, from the exact
//! model, the layer whose next scheme has the least harm for each byte that it saves gives way, and so on; a step that costs
//! more right answers than the budget has is undone and not tried again. Every point is measured, none is predicted.

use crate::error::{Error, Result};
use crate::model::{Graph, ParameterRole};
use crate::order;
use crate::quant::{Extent, Scheme};
use crate::stats::wilson;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Layers with a scheme of their own, all others being f32.
pub type Assignment = BTreeMap<String, String>;

/// What may be spent; at least one is given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Budget {
    /// Points of accuracy that may be lost on the validation rows.
    pub points: Option<f64>,
    /// Bytes of the stored weights.
    pub bytes: Option<f64>,
    /// Median time of one row, milliseconds.
    pub millis: Option<f64>,
}

impl Budget {
    /// Reads `{ points, bytes, millis }`.
    ///
    /// # Errors
    /// [`Error::BadInput`] where none of them is given, or one is no number from 0.
    pub fn read(value: &Value) -> Result<Self> {
        let part = |name: &str| match &value[name] {
            Value::Null => Ok(None),
            found => match found.as_f64().filter(|it| it.is_finite() && *it >= 0.0) {
                Some(number) => Ok(Some(number)),
                None => Err(Error::bad_input(
                    format!("the budget's {name}"),
                    "a number from 0",
                    found.to_string(),
                )),
            },
        };
        let budget = Self {
            points: part("points")?,
            bytes: part("bytes")?,
            millis: part("millis")?,
        };
        if budget == Self::default() {
            return Err(Error::bad_input(
                "the budget",
                "points of accuracy, bytes or milliseconds",
                "none of them",
            ));
        }
        Ok(budget)
    }
}

/// What was measured of an assignment.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Its schemes.
    pub layers: Assignment,
    /// Right answers on the validation rows.
    pub correct: u32,
    /// Validation rows.
    pub rows: u32,
    /// Their mean cross-entropy, nats.
    pub loss: f64,
    /// Bytes of the stored weights.
    pub bytes: u64,
    /// Median time of one row, milliseconds, where it is in the budget.
    pub p50_millis: Option<f64>,
}

impl Point {
    /// For the page, which gives it back to [`Search::remember`]; its interval has this confidence.
    #[must_use]
    pub fn to_value(&self, confidence: f64) -> Value {
        let (low, high) = wilson(self.correct, self.rows, confidence);
        json!({
            "layers": self.layers,
            "correct": self.correct,
            "rows": self.rows,
            "low": low,
            "high": high,
            "loss": self.loss,
            "bytes": self.bytes,
            "p50Millis": self.p50_millis,
        })
    }

    /// What a page has kept; nothing where it is no point.
    fn read(value: &Value) -> Option<Self> {
        let layers = value["layers"].as_object()?.iter().map(|(layer, scheme)| {
            let scheme = scheme.as_str().ok_or(())?;
            Ok::<_, ()>((layer.clone(), scheme.to_owned()))
        });
        let count = |name: &str| u32::try_from(value[name].as_u64()?).ok();
        Some(Self {
            layers: order::try_map(layers).ok()?,
            correct: count("correct")?,
            rows: count("rows")?,
            loss: value["loss"].as_f64()?,
            bytes: value["bytes"].as_u64()?,
            p50_millis: value["p50Millis"].as_f64(),
        })
    }
}

/// A layer with the schemes that it can give way to, each smaller than the one before.
struct Choices {
    layer: String,
    schemes: Vec<&'static str>,
    bytes: Vec<u64>,
}

/// A search in progress: [`Search::wanted`] says what to measure, [`Search::tell`] takes what came out.
pub struct Search {
    budget: Budget,
    confidence: f64,
    layers: Vec<Choices>,
    known: Vec<Point>,
    /// Where the greedy path stands: how many schemes each layer has given way.
    levels: Vec<usize>,
    /// Steps that cost too much: layer and level.
    refused: Vec<(usize, usize)>,
    path: Vec<Assignment>,
    /// A step that was taken and is not measured yet.
    trying: Option<usize>,
    is_over: bool,
}

impl Search {
    /// Over the layers of a trained graph that have weights; `confidence` is that of the intervals on its path. On a GPU no
    /// layer is tried in static integers, because they run there only where all layers do.
    ///
    /// # Errors
    /// As [`Graph::parameters`].
    pub fn new(graph: &Graph, budget: Budget, confidence: f64, on_gpu: bool) -> Result<Self> {
        // Integers are faster, weights alone may be smaller; who has a budget of time takes the former.
        let order = Scheme::STEPS.map(|scheme| match scheme {
            Scheme::Int8Weights if budget.millis.is_some() && !on_gpu => Scheme::Int8,
            other => other,
        });
        let mut layers = Vec::new();
        for parameter in graph.parameters()? {
            if parameter.role != ParameterRole::Weight {
                continue;
            }
            let extent = Extent::of(&parameter);
            let mut choices = Choices {
                layer: crate::quant::layer_of(&parameter.name).to_owned(),
                schemes: Vec::new(),
                bytes: Vec::new(),
            };
            for scheme in order {
                let bytes = scheme.bytes(extent);
                if choices.bytes.last().is_none_or(|&last| bytes < last) {
                    choices.schemes.push(scheme.name());
                    choices.bytes.push(bytes);
                }
            }
            layers.push(choices);
        }
        Ok(Self {
            budget,
            confidence,
            levels: vec![0; layers.len()],
            layers,
            known: Vec::new(),
            refused: Vec::new(),
            path: Vec::new(),
            trying: None,
            is_over: false,
        })
    }

    /// Takes up what an earlier search of the same model had measured.
    pub fn remember(&mut self, points: &[Value]) {
        let timed = self.budget.millis.is_some();
        for point in points.iter().filter_map(Point::read) {
            if point.p50_millis.is_some() == timed {
                self.tell(point);
            }
        }
    }

    /// Takes what was measured.
    pub fn tell(&mut self, point: Point) {
        self.known.push(point);
    }

    fn known(&self, assignment: &Assignment) -> Option<&Point> {
        self.known.iter().find(|it| it.layers == *assignment)
    }

    /// What is to be measured next; nothing where the search is over.
    pub fn wanted(&mut self) -> Option<Assignment> {
        if self.known(&Assignment::new()).is_none() {
            return Some(Assignment::new());
        }
        for index in 0..self.layers.len() {
            for level in 1..self.layers[index].schemes.len() {
                let alone = self.alone(index, level);
                if self.known(&alone).is_none() {
                    return Some(alone);
                }
            }
        }
        if self.path.is_empty() {
            self.path.push(Assignment::new());
        }
        while !self.is_over {
            let assignment = self.assignment(&self.levels);
            if let Some(index) = self.trying {
                let Some(point) = self.known(&assignment) else {
                    return Some(assignment);
                };
                let costs_too_much = self.costs_too_much(point);
                self.trying = None;
                if costs_too_much {
                    self.refused.push((index, self.levels[index]));
                    self.levels[index] -= 1;
                } else {
                    self.path.push(assignment);
                }
                continue;
            }
            match self.step().filter(|_| !self.is_within()) {
                Some(index) => {
                    self.levels[index] += 1;
                    self.trying = Some(index);
                }
                None => self.is_over = true,
            }
        }
        None
    }

    /// Share of the points that are measured, were every layer to give way as far as it can.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        let steps: usize = self.layers.iter().map(|it| it.schemes.len() - 1).sum();
        (self.known.len() as f64 / (1 + 2 * steps) as f64).min(1.0)
    }

    /// The points from the exact model to the end.
    #[must_use]
    pub fn path(&self) -> Vec<Value> {
        let points = self.path.iter().filter_map(|it| self.known(it));
        points.map(|it| it.to_value(self.confidence)).collect()
    }

    /// The last assignment of the path, where it is within the budget, and what to say of it.
    #[must_use]
    pub fn found(&self) -> (Option<&Assignment>, String) {
        let last = self.path.iter().rev().filter_map(|it| self.known(it));
        let Some(last) = last.into_iter().next() else {
            return (None, "nothing was measured".into());
        };
        let lost = self.points_lost(last);
        let at = format!(
            "{:.2} kB, {} on the validation rows{}",
            last.bytes as f64 / 1e3,
            match lost {
                lost if lost > 0.0 => format!("{lost:.1} points of accuracy lost"),
                lost if lost < 0.0 => format!("{:.1} points of accuracy gained", -lost),
                _ => "no accuracy lost".into(),
            },
            last.p50_millis
                .map_or_else(String::new, |it| match it < 1.0 {
                    true => format!(", {:.1} µs", 1e3 * it),
                    false => format!(", {it:.2} ms"),
                })
        );
        if last.layers.is_empty() {
            return (
                None,
                format!(
                    "no layer can take a smaller scheme within this budget: the model in f32 has {at}"
                ),
            );
        }
        if self.is_kept(last) {
            (
                Some(&last.layers),
                format!(
                    "{} went to a smaller scheme: {at}",
                    match last.layers.len() {
                        1 => "one layer".into(),
                        count => format!("{count} layers"),
                    }
                ),
            )
        } else {
            (
                None,
                format!("no step of this search came within the budget; its last step has {at}"),
            )
        }
    }

    fn alone(&self, index: usize, level: usize) -> Assignment {
        let choices = &self.layers[index];
        [(choices.layer.clone(), choices.schemes[level].to_owned())].into()
    }

    fn assignment(&self, levels: &[usize]) -> Assignment {
        let chosen = self
            .layers
            .iter()
            .zip(levels)
            .filter(|(_, level)| **level > 0);
        order::map(
            chosen.map(|(choices, &level)| {
                (choices.layer.clone(), choices.schemes[level].to_owned())
            }),
        )
    }

    /// Points of accuracy lost against the exact model.
    fn points_lost(&self, point: &Point) -> f64 {
        let exact = self.known(&Assignment::new()).map_or(0, |it| it.correct);
        100.0 * (f64::from(exact) - f64::from(point.correct)) / f64::from(point.rows.max(1))
    }

    fn costs_too_much(&self, point: &Point) -> bool {
        let points = self.budget.points;
        points.is_some_and(|most| self.points_lost(point) > most + 1e-9)
    }

    /// Whether a point is within every budget.
    fn is_kept(&self, point: &Point) -> bool {
        let within = |most: Option<f64>, value: Option<f64>| {
            most.is_none_or(|most| value.is_some_and(|value| value <= most))
        };
        !self.costs_too_much(point)
            && within(self.budget.bytes, Some(point.bytes as f64))
            && within(self.budget.millis, point.p50_millis)
    }

    /// Whether the path is where it should be: within budgets of bytes and time. Without them it goes on as far as the points
    /// of accuracy allow.
    fn is_within(&self) -> bool {
        let open = self.budget.bytes.is_none() && self.budget.millis.is_none();
        let last = self.path.last().and_then(|it| self.known(it));
        !open && last.is_some_and(|point| self.is_kept(point))
    }

    /// The layer whose next scheme does the least harm for each byte that it saves; the first of equals.
    fn step(&self) -> Option<usize> {
        let exact = self.known(&Assignment::new())?.loss;
        let harm = |index: usize, level: usize| match level {
            0 => 0.0,
            level => {
                let harm = self
                    .known(&self.alone(index, level))
                    .map(|it| it.loss - exact);
                // A loss that is no number is the most harm there is, and not none.
                harm.filter(|it| it.is_finite()).unwrap_or(f64::INFINITY)
            }
        };
        let mut best: Option<(f64, usize)> = None;
        for (index, choices) in self.layers.iter().enumerate() {
            let (level, next) = (self.levels[index], self.levels[index] + 1);
            if next >= choices.schemes.len() || self.refused.contains(&(index, next)) {
                continue;
            }
            let saved = (choices.bytes[level] - choices.bytes[next]) as f64;
            let more = match harm(index, next) {
                f64::INFINITY => f64::INFINITY,
                next => (next - harm(index, level)).max(0.0),
            };
            let cost = more / saved;
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, index));
            }
        }
        best.map(|(_, index)| index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Layer;

    fn graph() -> Graph {
        let mut graph = Graph::new([1, 8, 8]);
        graph.push("conv", Layer::convolution(4, 3));
        graph.push("flatten", Layer::Flatten);
        graph.push("dense", Layer::linear(10));
        graph
    }

    /// A model in which each step of `conv` loses two rows of 1,000 and each of `dense` one, and the harm adds up.
    fn measured(assignment: &Assignment, bytes: impl Fn(&str, &str) -> u64) -> Point {
        let level = |layer: &str| match assignment.get(layer).map(String::as_str) {
            None => 0,
            Some("int8-weights" | "int8") => 1,
            Some("int4") => 2,
            Some(_) => 3,
        };
        let lost = 2 * level("conv") + level("dense");
        let scheme = |layer: &str| {
            assignment
                .get(layer)
                .map_or("f32", String::as_str)
                .to_owned()
        };
        Point {
            layers: assignment.clone(),
            correct: 900 - lost,
            rows: 1000,
            loss: 0.3 + f64::from(level("conv")) * 0.5 + f64::from(level("dense")) * 0.001,
            bytes: ["conv", "dense"]
                .iter()
                .map(|layer| bytes(layer, &scheme(layer)))
                .sum(),
            p50_millis: None,
        }
    }

    fn bytes_of(layer: &str, scheme: &str) -> u64 {
        let parameters = graph().parameters().expect("fits");
        let name = format!("{layer}.weight");
        let parameter = parameters.iter().find(|it| it.name == name).expect("there");
        Scheme::from_name(scheme)
            .expect("known")
            .bytes(Extent::of(parameter))
    }

    fn over(budget: &Value, known: &[Value]) -> (Search, usize) {
        let mut search = Search::new(
            &graph(),
            Budget::read(budget).expect("a budget"),
            0.9,
            false,
        )
        .expect("fits");
        search.remember(known);
        let mut count = 0;
        while let Some(assignment) = search.wanted() {
            search.tell(measured(&assignment, bytes_of));
            count += 1;
            assert!(count < 100, "it never ends");
        }
        (search, count)
    }

    #[test]
    fn the_layer_that_does_least_harm_gives_way_first_and_only_as_far_as_it_may() {
        let (search, _) = over(&json!({ "points": 0.3 }), &[]);
        let (chosen, words) = search.found();
        let chosen = chosen.expect("found");
        assert_eq!(chosen["dense"], "ternary");
        assert!(!chosen.contains_key("conv"), "{chosen:?}");
        assert!(words.contains("0.3 points of accuracy lost"), "{words}");
        let bytes: Vec<u64> = (search.path().iter())
            .map(|it| it["bytes"].as_u64().expect("bytes"))
            .collect();
        assert!(
            bytes.is_sorted_by(|a, b| a > b) && bytes.len() == 4,
            "{bytes:?}"
        );
    }

    #[test]
    fn a_budget_of_bytes_ends_where_it_is_kept() {
        let exact = bytes_of("conv", "f32") + bytes_of("dense", "f32");
        let (search, _) = over(&json!({ "bytes": exact / 2 }), &[]);
        let chosen = search.found().0.expect("found");
        assert_eq!(
            *chosen,
            [("dense".to_owned(), "int8-weights".to_owned())].into()
        );
    }

    #[test]
    fn a_budget_that_cannot_be_kept_says_what_was_reached() {
        let (search, _) = over(&json!({ "bytes": 10, "points": 5 }), &[]);
        let (chosen, words) = search.found();
        assert!(
            chosen.is_none() && words.contains("its last step has"),
            "{words}"
        );
        let (search, _) = over(&json!({ "points": 0.0 }), &[]);
        let words = search.found().1;
        assert!(
            words.contains("no layer can take a smaller scheme"),
            "{words}"
        );
    }

    #[test]
    fn what_was_measured_is_not_measured_again() {
        let budget = json!({ "points": 0.3 });
        let (search, first) = over(&budget, &[]);
        let all: Vec<Value> = search.known.iter().map(|it| it.to_value(0.9)).collect();
        assert_eq!(all.len(), first);
        let (again, second) = over(&budget, &all);
        assert_eq!(second, 0);
        assert_eq!(again.path(), search.path());
        let (_, rest) = over(&budget, &all[..4]);
        assert_eq!(rest, first - 4);
        // What is no point is passed over.
        let (_, count) = over(&budget, &[json!(3), json!({ "layers": 1 }), json!({})]);
        assert_eq!(count, first);
    }

    #[test]
    fn a_loss_that_is_no_number_is_the_most_harm_and_not_none() {
        let graph = graph();
        let budget = Budget::read(&json!({ "points": 0.3 })).expect("a budget");
        for broken in [f64::NAN, f64::INFINITY] {
            let mut search = Search::new(&graph, budget.clone(), 0.9, false).expect("fits");
            while let Some(assignment) = search.wanted() {
                let mut point = measured(&assignment, bytes_of);
                if assignment.contains_key("dense") {
                    point.loss = broken;
                }
                search.tell(point);
            }
            let second = search.path.get(1).expect("a step");
            assert!(second.contains_key("conv"), "{broken}: {second:?}");
        }
    }

    #[test]
    fn budgets_are_read_or_refused_in_words() {
        for (budget, word) in [
            (json!({}), "none of them"),
            (json!({ "points": -1 }), "points"),
            (json!({ "bytes": "few" }), "few"),
        ] {
            let error = Budget::read(&budget).expect_err("refused").to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
