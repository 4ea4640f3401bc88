//! Runs a trained model and its stored form on the same rows and says where they part; it judges no scheme. Answers are
//! compared with those of the trained model, layers with what was stored, which may have been pruned or equalized before.

use super::clock::Clock;
use super::likeness::Likeness;
use super::paired;
use super::score::argmax;
use crate::data::Rows;
use crate::engine::cpu::{computed, observe, observe_stored};
use crate::error::Result;
use crate::model::{Graph, Weights};
use crate::order;
use crate::quant::{Scheme, Stored, layer_of};
use crate::result::{ClassDamage, Damage, Flip, LayerDamage, Paired, Predictions};
use crate::stats::wilson;
use std::cell::Cell;

/// Rows that are held in both forms at a time.
const ROWS: usize = 64;
/// Points of accuracy that static integers may cost.
const BOUND_POINTS: f64 = 0.5;

/// A trained model and its stored form being run on the same rows, a few at a time.
pub struct Inspection<'a> {
    /// What was trained, where what was stored is not that; it answers beside it.
    trained: Option<(Graph, Weights)>,
    graph: Graph,
    /// What was stored, before it was.
    exact: Weights,
    stored: &'a Stored,
    data: &'a Rows,
    rows: &'a [u32],
    done: usize,
    /// Of every value: 0 is the input, `n + 1` node `n`; what is never computed has seen nothing.
    values: Vec<Likeness>,
    /// Times of every value, one for each part of the rows.
    millis: Vec<Vec<f64>>,
    logits: [Vec<f32>; 2],
}

impl<'a> Inspection<'a> {
    /// Of the value of every layer, the answers and the classes, on rows of a set.
    ///
    /// # Errors
    /// As [`Stored::before`].
    pub fn new(
        trained: (&Graph, &Weights),
        stored: &'a Stored,
        data: &'a Rows,
        rows: &'a [u32],
    ) -> Result<Self> {
        let exact = stored.before(trained.0, trained.1)?;
        let (of, weights) = trained;
        let trained = (stored.is_made_of()).then(|| (of.clone(), weights.clone()));
        let graph = stored.graph(of).clone();
        let count = graph.nodes.len() + 1;
        Ok(Self {
            trained,
            graph,
            exact,
            stored,
            data,
            rows,
            done: 0,
            values: vec![Likeness::default(); count],
            millis: vec![Vec::new(); count],
            logits: [Vec::new(), Vec::new()],
        })
    }

    /// Share of the rows that were run.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        self.done as f64 / self.rows.len().max(1) as f64
    }

    /// Runs some rows; whether any are left.
    ///
    /// # Errors
    /// As [`observe`].
    pub fn step(&mut self, clock: &dyn Clock) -> Result<bool> {
        let end = (self.done + ROWS).min(self.rows.len());
        let rows = &self.rows[self.done..end];
        if rows.is_empty() {
            return Ok(false);
        }
        let mut sides = [(); 2].map(|()| vec![Vec::new(); self.values.len()]);
        let [before, after] = &mut sides;
        let mut last = 0;
        let (graph, data) = (&self.graph, self.data);
        observe(graph, &self.exact, data, rows, |value, numbers| {
            before[value].extend_from_slice(numbers);
            last = value;
        })?;
        let began = Cell::new(None);
        let millis = &mut self.millis;
        let done = |value: usize| {
            // Before the first value there is the making of the model, which is no layer's.
            if let Some(began) = began.get() {
                millis[value].push(clock.now_millis() - began);
            }
        };
        observe_stored(graph, self.stored, data, rows, done, |value, numbers| {
            after[value].extend_from_slice(numbers);
            began.set(Some(clock.now_millis()));
        })?;
        let [before, after] = &mut self.logits;
        match &self.trained {
            None => before.extend_from_slice(&sides[0][last]),
            Some((graph, weights)) => {
                // A few rows at a time, from the input, which is value 0, to the answers.
                let mut value_of_rows = Vec::new();
                observe(graph, weights, data, rows, |value, numbers| {
                    if value == 0 {
                        before.append(&mut value_of_rows);
                    } else {
                        value_of_rows = numbers.to_vec();
                    }
                })?;
                before.append(&mut value_of_rows);
            }
        }
        after.extend_from_slice(&sides[1][last]);
        let [before, after] = &sides;
        for ((likeness, before), after) in self.values.iter_mut().zip(before).zip(after) {
            // Steps that are computed together in one form and apart in the other have no value to compare.
            if before.is_empty() || before.len() != after.len() {
                continue;
            }
            if likeness.every == 0 {
                *likeness = Likeness::of(before.len() / rows.len() * self.rows.len());
            }
            likeness.see(before, after);
        }
        self.done = end;
        Ok(end < self.rows.len())
    }

    /// What was seen, once no rows are left.
    ///
    /// # Errors
    /// As [`paired`].
    pub fn finish(self, classes: &[String], confidence: f64) -> Result<Damage> {
        let [before, after] = &self.logits;
        let (flips, sides) = flips([before, after], self.data, self.rows, classes.len().max(1));
        let [first, second] = &sides;
        let mut damage = Damage {
            layers: self.layers()?,
            flips,
            classes: by_class([first, second], classes, confidence),
            paired: paired(first, second, confidence)?,
            warnings: self.stored.warnings.clone(),
        };
        damage.warnings.extend(beyond_bound(&damage));
        Ok(damage)
    }

    /// Every computed value as its layer's, the most damaged first.
    fn layers(&self) -> Result<Vec<LayerDamage>> {
        let Self {
            graph,
            exact,
            stored,
            values,
            ..
        } = self;
        let millis: Vec<f64> = self.millis.iter().map(|times| steady(times)).collect();
        let all_millis: f64 = millis.iter().sum();
        let how = computed(graph, stored)?;
        let mut layers = Vec::new();
        let seen = values.iter().enumerate().skip(1);
        for (value, seen) in seen.filter(|(_, seen)| seen.every > 0) {
            // A value's step may begin with an earlier layer, whose name its weights have.
            let last = &graph.nodes[value - 1].name;
            let own = how.iter().find(|it| it.value == value);
            let layer = own.map_or(last, |it| &it.layer);
            let tensors = (stored.layers.iter()).filter(|it| layer_of(&it.name) == layer);
            let (mut bytes, mut f32_bytes) = (0, 0);
            let (mut scheme, mut weights) = (String::new(), None);
            for tensor in tensors {
                bytes += tensor.bytes.len() as u64;
                let count: u64 = tensor.shape.iter().map(|&size| u64::from(size)).product();
                f32_bytes += 4 * count;
                if scheme.is_empty() {
                    scheme = tensor.scheme.name().into();
                    let forms = [exact.get(&tensor.name), stored.weights().get(&tensor.name)];
                    if let [Some(before), Some(after)] = forms
                        && tensor.scheme != Scheme::F32
                    {
                        let mut likeness = Likeness::of(before.values.len());
                        likeness.see(&before.values, &after.values);
                        weights = Some(likeness.histograms());
                    }
                }
            }
            layers.push(LayerDamage {
                layer: layer.clone(),
                arithmetic: own.map_or("f32", |it| it.arithmetic).into(),
                reason: own.map_or_else(String::new, |it| it.reason.clone()),
                scheme,
                bytes,
                f32_bytes,
                sqnr_decibels: seen.sqnr_decibels().map(|it| rounded(it, 1e3)),
                cosine: rounded(seen.cosine(), 1e7),
                time_share: rounded(millis[value] / all_millis.max(1e-9), 1e4),
                weights,
                activations: seen.histograms(),
            });
        }
        let key = |layer: &LayerDamage| layer.sqnr_decibels.unwrap_or(f64::INFINITY);
        Ok(in_order(layers, key))
    }
}

/// Items by a number of each, the smallest first and equals as they were.
fn in_order<T>(mut items: Vec<T>, key: impl Fn(&T) -> f64) -> Vec<T> {
    order::sort_by(&mut items, |a, b| key(a).total_cmp(&key(b)));
    items
}

/// A number to whole parts of one `parts`-th: more digits would say nothing and fill the record.
fn rounded(number: f64, parts: f64) -> f64 {
    (number * parts).round() / parts
}

/// Mean of times without the largest quarter of them, at least one where there are several: somebody else had the processor
/// then. Means and not medians, because a coarse clock tells only those.
fn steady(times: &[f64]) -> f64 {
    let times = in_order(times.to_vec(), |&time| time);
    let kept = (times.len() - times.len().div_ceil(4)).max(1);
    let sum: f64 = times.iter().take(kept).sum();
    sum / kept as f64
}

/// What storing did to a trained model, all rows at once; see [`Inspection`].
///
/// # Errors
/// As [`Inspection`].
pub fn damage(
    trained: (&Graph, &Weights),
    stored: &Stored,
    data: &Rows,
    rows: &[u32],
    classes: &[String],
    confidence: f64,
    clock: &dyn Clock,
) -> Result<Damage> {
    let mut inspection = Inspection::new(trained, stored, data, rows)?;
    while inspection.step(clock)? {}
    inspection.finish(classes, confidence)
}

/// The finding that static integers cost more than they may, with what may mend it.
fn beyond_bound(damage: &Damage) -> Option<String> {
    let worst = damage.layers.iter().find(|it| it.arithmetic == "int8")?;
    let Paired {
        rows,
        only_first,
        only_second,
        ..
    } = damage.paired;
    let points = 100.0 * (f64::from(only_first) - f64::from(only_second)) / f64::from(rows.max(1));
    (points > BOUND_POINTS).then(|| {
        format!(
            "integers cost {points:.1} points of accuracy, more than {BOUND_POINTS}; try another quantization.calibration, int8-dynamic, or f32 for layer {:?}, the most damaged",
            worst.layer
        )
    })
}

/// The answer and its logit above the next one's.
fn answer(row: &[f32]) -> (u16, f32) {
    let best = argmax(row);
    let others = row.iter().enumerate().filter(|(class, _)| *class != best);
    let next = others.fold(f32::NEG_INFINITY, |most, (_, &logit)| most.max(logit));
    (best as u16, row.get(best).map_or(0.0, |logit| logit - next))
}

/// Rows whose answers differ, and both sides' answers.
fn flips(
    logits: [&[f32]; 2],
    data: &Rows,
    rows: &[u32],
    classes: usize,
) -> (Vec<Flip>, [Predictions; 2]) {
    let labels: Vec<u16> = rows.iter().map(|&row| data.labels[row as usize]).collect();
    let answers = logits.map(|it| it.chunks_exact(classes).map(answer).collect::<Vec<_>>());
    let mut flips: Vec<Flip> = Vec::new();
    for (index, (&row, &label)) in rows.iter().zip(&labels).enumerate() {
        let [(before, margin_before), (after, margin_after)] =
            [answers[0][index], answers[1][index]];
        if before != after {
            flips.push(Flip {
                row,
                label,
                before,
                after,
                margin_before,
                margin_after,
            });
        }
    }
    let (lost, others): (Vec<Flip>, Vec<Flip>) = flips
        .into_iter()
        .partition(|flip| flip.before == flip.label);
    let flips = lost.into_iter().chain(others).collect();
    let sides = answers.map(|answers| Predictions {
        rows: rows.to_vec(),
        labels: labels.clone(),
        predicted: answers.iter().map(|&(answer, _)| answer).collect(),
        confidence: Vec::new(),
    });
    (flips, sides)
}

fn by_class(sides: [&Predictions; 2], classes: &[String], confidence: f64) -> Vec<ClassDamage> {
    let [before, after] = sides;
    let all: Vec<ClassDamage> = (classes.iter().zip(0_u16..))
        .map(|(class, number)| {
            let of = (before
                .labels
                .iter()
                .zip(&before.predicted)
                .zip(&after.predicted))
            .filter(|((label, _), _)| **label == number)
            .map(|((_, first), second)| (*first == number, *second == number));
            let count = |keep: fn(&(bool, bool)) -> bool| of.clone().filter(keep).count() as u32;
            let (right_before, lost) = (count(|it| it.0), count(|it| it.0 && !it.1));
            let (low, high) = wilson(lost, right_before, confidence);
            ClassDamage {
                class: class.clone(),
                rows: count(|_| true),
                right_before,
                right_after: count(|it| it.1),
                lost,
                low,
                high,
            }
        })
        .collect();
    in_order(all, |it| {
        -f64::from(it.lost) / f64::from(it.right_before.max(1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_ordered_by_their_numbers_and_equals_stay() {
        let items = vec![
            ("b", 2.0),
            ("a", 1.0),
            ("c", 2.0),
            ("none", f64::INFINITY),
            ("low", -1.0),
        ];
        let ordered = in_order(items, |it| it.1);
        let names: Vec<&str> = ordered.iter().map(|it| it.0).collect();
        assert_eq!(names, ["low", "a", "b", "c", "none"]);
    }

    #[test]
    fn a_time_in_which_others_worked_does_not_count() {
        assert_eq!(steady(&[1.0, 50.0, 3.0, 2.0]), 2.0);
        assert_eq!(steady(&[0.0, 1.0]), 0.0);
        assert_eq!(steady(&[7.0]), 7.0);
        assert_eq!(steady(&[]), 0.0);
    }

    #[test]
    fn integers_beyond_their_bound_are_a_finding_and_within_it_none() {
        let damage = |arithmetic: &str, only_first| Damage {
            layers: vec![LayerDamage {
                layer: "conv2".into(),
                arithmetic: arithmetic.into(),
                reason: String::new(),
                scheme: String::new(),
                bytes: 0,
                f32_bytes: 0,
                sqnr_decibels: None,
                cosine: 1.0,
                time_share: 0.0,
                weights: None,
                activations: Likeness::default().histograms(),
            }],
            flips: Vec::new(),
            classes: Vec::new(),
            paired: Paired {
                rows: 1000,
                only_first,
                only_second: 1,
                disagreements: Vec::new(),
                p_value: 1.0,
                verdict: String::new(),
                reason: String::new(),
            },
            warnings: Vec::new(),
        };
        let finding = beyond_bound(&damage("int8", 7)).expect("a finding");
        assert!(
            finding.contains("0.6 points") && finding.contains("conv2"),
            "{finding}"
        );
        assert_eq!(beyond_bound(&damage("int8", 6)), None);
        assert_eq!(beyond_bound(&damage("int8-dynamic", 600)), None);
    }

    #[test]
    fn an_answer_has_its_margin() {
        assert_eq!(answer(&[0.5, 2.0, 1.25]), (1, 0.75));
        assert_eq!(answer(&[1.0]), (0, f32::INFINITY));
    }
}
