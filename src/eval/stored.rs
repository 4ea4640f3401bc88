//! Stores trained weights as a recipe asks: pruned, equalized and fine-tuned where it does, with the training rows that
//! ranges of activations are chosen from, in steps between which something else may be done; it decides neither schemes nor
//! ranges.

use super::fine_tuning::{self, FineTuned, Tuner};
use crate::data::Rows;
use crate::engine::EngineKind;
use crate::engine::cpu::{FineTuning, observe};
use crate::error::Result;
use crate::model::{Graph, ResolvedNode, Weights};
use crate::order;
use crate::quant::{self, Calibration, Codes, Request, Seen, Stored};
use crate::recipe::QuantizationSpec;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Rows that activations are looked at for at a time.
const ROWS: usize = 64;

/// What is being done to weights, and how much of it is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// `quantizing` or [`Storing::FINE_TUNING`].
    pub name: &'static str,
    /// Share done, in 0..=1.
    pub fraction: f64,
}

const QUANTIZING: Stage = Stage {
    name: "quantizing",
    fraction: 0.0,
};

/// Trained weights that are being stored, a little at a time; how often it is stepped changes no bit.
pub struct Storing<'a> {
    turns: Turns,
    tuned: Rc<RefCell<Option<FineTuned>>>,
    work: Pin<Box<dyn Future<Output = Result<Stored>> + 'a>>,
}

impl<'a> Storing<'a> {
    /// The one stage that may take long.
    pub const FINE_TUNING: &'static str = "fine-tuning";

    /// Of a graph as asked; `training` are the rows of its training, of which the first are looked at.
    #[must_use]
    pub fn new(
        graph: &'a Graph,
        weights: &'a Weights,
        spec: &'a QuantizationSpec,
        data: &'a Rows,
        training: &'a [u32],
    ) -> Self {
        Self::with_tuner(graph, weights, spec, data, training, Tuner::Cpu)
    }

    /// The same with somebody else to fine-tune, where the recipe asks for that: see [`Storing::fine_tuned`].
    #[must_use]
    pub fn with_tuner(
        graph: &'a Graph,
        weights: &'a Weights,
        spec: &'a QuantizationSpec,
        data: &'a Rows,
        training: &'a [u32],
        tuner: Tuner<'a>,
    ) -> Self {
        let turns = Turns {
            stage: Rc::new(Cell::new(QUANTIZING)),
            ended: Rc::default(),
        };
        let tuned = Rc::default();
        let work = Work {
            spec,
            data,
            training,
            turns: turns.clone(),
            tuner,
            tuned: Rc::clone(&tuned),
        };
        Self {
            turns,
            tuned,
            work: Box::pin(work.stored(graph, weights)),
        }
    }

    /// What the next step belongs to.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.turns.stage.get()
    }

    /// Whether the last step ended because a GPU has not answered yet.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.turns.ended.get()
    }

    /// What fine-tuned the weights and what came out of it, once it has; nothing where that was done before.
    #[must_use]
    pub fn fine_tuned(&self) -> Option<FineTuned> {
        self.tuned.borrow().clone()
    }

    /// Does the next part: some rows or one step of fine-tuning. Not to be called again once it gave something.
    ///
    /// # Errors
    /// As [`stored`].
    pub fn step(&mut self) -> Result<Option<Stored>> {
        self.turns.ended.set(false);
        let mut task = Context::from_waker(Waker::noop());
        match self.work.as_mut().poll(&mut task) {
            Poll::Ready(stored) => stored.map(Some),
            Poll::Pending => Ok(None),
        }
    }
}

/// Stores the weights of a graph at one go; `training` are the rows of its training, of which the first are looked at.
///
/// # Errors
/// As [`quant::stored`], [`observe`], [`quant::shrunk_graph`], [`FineTuning::begin`] and its steps.
pub fn stored(
    graph: &Graph,
    weights: &Weights,
    spec: &QuantizationSpec,
    data: &Rows,
    training: &[u32],
) -> Result<Stored> {
    let mut storing = Storing::new(graph, weights, spec, data, training);
    loop {
        if let Some(stored) = storing.step()? {
            return Ok(stored);
        }
    }
}

/// A model as fine-tuning finds it, with what is to be noted of it: pruned, its norms folded where the recipe folds them, and
/// its channels' ranges equalized, where it asks for that.
///
/// # Errors
/// As [`Request::of`], [`Request::check`], [`quant::shrunk_graph`] and [`quant::folded_weights`].
pub fn made_ready(
    graph: &Graph,
    weights: &Weights,
    spec: &QuantizationSpec,
) -> Result<(Graph, Weights, Vec<String>)> {
    let request = Request::of(spec)?;
    request.check(graph)?;
    let mut notes = Vec::new();
    let (mut graph, mut weights) = (graph.clone(), weights.clone());
    let percent = spec.pruned_percent();
    match spec.pruning() {
        "channels" => {
            let kept;
            (graph, weights, kept) = quant::without_channels(&graph, &weights, percent)?;
            notes.extend((!kept.is_empty()).then_some(kept));
        }
        "weights" => weights = quant::without_weights(&graph, &weights, percent)?,
        _ => {}
    }
    if request.folds() {
        weights = quant::folded_weights(&graph, &weights)?;
        graph = quant::folded_graph(&graph)?;
    }
    if spec.equalizes() {
        weights = quant::equalized(&graph, &weights)?;
    }
    Ok((graph, weights, notes))
}

/// Where a step ends.
#[derive(Clone)]
pub(super) struct Turns {
    stage: Rc<Cell<Stage>>,
    ended: Rc<Cell<bool>>,
}

impl Turns {
    pub(super) async fn end_step(&self, next: Stage) {
        self.stage.set(next);
        self.ended.set(true);
        let mut turned = false;
        poll_fn(|_| {
            if std::mem::replace(&mut turned, true) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

/// What all parts of it share.
struct Work<'a> {
    spec: &'a QuantizationSpec,
    data: &'a Rows,
    training: &'a [u32],
    turns: Turns,
    tuner: Tuner<'a>,
    tuned: Rc<RefCell<Option<FineTuned>>>,
}

impl Work<'_> {
    async fn stored(self, graph: &Graph, weights: &Weights) -> Result<Stored> {
        let spec = self.spec;
        let request = Request::of(spec)?;
        if !request.folded && spec.pruning() == "off" {
            return self.as_asked(graph, weights).await;
        }
        let (graph, mut weights, notes) = made_ready(graph, weights, spec)?;
        if spec.fine_tune_epochs() > 0 {
            weights = match self.tuner {
                Tuner::Kept(kept) => {
                    kept.check(&graph)?;
                    kept.clone()
                }
                _ => self.fine_tuned(&graph, &weights, &request).await?,
            };
        }
        if spec.corrects_biases() {
            // What rounding does is known once it was done.
            let rounded = self.as_asked(&graph, &weights).await?;
            let means = self.means(&graph, &weights).await?;
            let of = |node: usize| means.get(node).cloned().unwrap_or_default();
            weights = quant::corrected(&graph, &weights, rounded.weights(), of)?;
        }
        let stored = self.as_asked(&graph, &weights).await?;
        Ok(stored.made_of(&graph, weights, notes))
    }

    /// The rows that activations are looked at for.
    fn looked_at(&self) -> &[u32] {
        let count = self.spec.calibration_rows() as usize;
        &self.training[..self.training.len().min(count)]
    }

    async fn as_asked(&self, graph: &Graph, weights: &Weights) -> Result<Stored> {
        if !Request::of(self.spec)?.needs_calibration() {
            return quant::stored(graph, weights, self.spec, None);
        }
        let seen = self.calibrated(graph, weights).await?;
        quant::stored(graph, weights, self.spec, Some(&seen))
    }

    /// The weights of a graph without foldable norms after some epochs with rounded weights and, where they will be, values.
    async fn fine_tuned(
        &self,
        graph: &Graph,
        weights: &Weights,
        request: &Request,
    ) -> Result<Weights> {
        let codes: Vec<Codes> = if request.needs_calibration() {
            let seen = self.calibrated(graph, weights).await?;
            quant::codes(graph, &seen, self.spec)?
        } else {
            Vec::new()
        };
        let tuning = FineTuning {
            codes: &codes,
            data: self.data,
            rows: self.training,
            epochs: self.spec.fine_tune_epochs(),
        };
        // Each output's weights are rounded as they will be but for a step that a large bias asks for.
        let alone = Request {
            scheme: request.scheme.of_weights(),
            layers: order::map(
                (request.layers.iter()).map(|(layer, scheme)| (layer.clone(), scheme.of_weights())),
            ),
            ..request.clone()
        };
        let is_masked = self.spec.pruning() == "weights";
        let kept = |own: &Weights| {
            if is_masked {
                quant::masked(own.clone(), weights)
            } else {
                own.clone()
            }
        };
        let done = |engine, reason, weights: &Weights| {
            self.tuned.replace(Some(FineTuned {
                engine,
                reason,
                weights: weights.clone(),
            }));
        };
        let mut reason = String::new();
        if let Tuner::Gpu(gpu) = self.tuner {
            let model = (graph, weights);
            let on_gpu = fine_tuning::on_gpu(gpu, model, &alone, tuning, is_masked, &self.turns);
            match on_gpu.await? {
                Ok(tuned) => {
                    done(EngineKind::Gpu, String::new(), &tuned);
                    self.turns.end_step(QUANTIZING).await;
                    return Ok(tuned);
                }
                Err(words) => reason = words,
            }
        }
        let mut tuner = tuning.begin(graph, weights)?;
        loop {
            let fraction = tuner.fraction();
            let name = Storing::FINE_TUNING;
            self.turns.end_step(Stage { name, fraction }).await;
            let is_going = tuner.step(|own| {
                Ok(quant::quantize(graph, &kept(own), &alone)?
                    .weights()
                    .clone())
            })?;
            if !is_going {
                break;
            }
        }
        let tuned = kept(&tuner.weights());
        done(EngineKind::Cpu, reason, &tuned);
        self.turns.end_step(QUANTIZING).await;
        Ok(tuned)
    }

    /// What some rows show of every activation of a graph without its foldable norms.
    async fn calibrated(&self, graph: &Graph, weights: &Weights) -> Result<Calibration> {
        let folded = quant::folded_graph(graph)?;
        let weights = quant::folded_weights(graph, weights)?;
        let mut seen = vec![Seen::default(); folded.nodes.len() + 1];
        let rows = self.looked_at();
        // Their bounds, and then how many there are of each number between them.
        for see in [Seen::bound, Seen::count] {
            for part in rows.chunks(ROWS) {
                observe(&folded, &weights, self.data, part, |value, numbers| {
                    see(&mut seen[value], numbers);
                })?;
                self.turns.end_step(QUANTIZING).await;
            }
        }
        Ok(Calibration {
            seen,
            rows: rows.len(),
        })
    }

    /// The mean of each channel of what each node of a graph without foldable norms reads first.
    async fn means(&self, graph: &Graph, weights: &Weights) -> Result<Vec<Vec<f64>>> {
        let nodes = graph.resolve()?;
        let rows = self.looked_at();
        let count = |shape: &[u32]| shape.iter().map(|&size| size as usize).product::<usize>();
        let mut lens = vec![count(&graph.input)];
        lens.extend(nodes.iter().map(|node| count(&node.output)));
        let mut sums: Vec<Vec<f64>> = vec![Vec::new(); lens.len()];
        for part in rows.chunks(ROWS) {
            observe(graph, weights, self.data, part, |value, numbers| {
                let sums = &mut sums[value];
                sums.resize(lens[value], 0.0);
                for row in numbers.chunks_exact(lens[value].max(1)) {
                    for (sum, &number) in sums.iter_mut().zip(row) {
                        *sum += f64::from(number);
                    }
                }
            })?;
            self.turns.end_step(QUANTIZING).await;
        }
        // Another view of the same numbers is never computed: it has those of what it looks at.
        for (node, resolved) in nodes.iter().enumerate() {
            if let (true, Some(&source)) = (sums[node + 1].is_empty(), resolved.sources.first()) {
                sums[node + 1] = sums[quant::value(source)].clone();
            }
        }
        let mean_of = |node: &ResolvedNode| {
            let own = node
                .sources
                .first()
                .map_or(&[][..], |&it| &sums[quant::value(it)]);
            // Channels stand side by side, place after place.
            let channels = match *node.input() {
                [channels, _, _] => channels as usize,
                [_, features] => features as usize,
                _ => own.len(),
            };
            let mut means = vec![0.0; channels];
            for place in own.chunks_exact(channels.max(1)) {
                means
                    .iter_mut()
                    .zip(place)
                    .for_each(|(mean, sum)| *mean += sum);
            }
            let all = rows.len() * own.len() / channels.max(1);
            means.iter_mut().for_each(|mean| *mean /= all.max(1) as f64);
            means
        };
        Ok(nodes.iter().map(mean_of).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::prepared::prepare;
    use crate::recipe::Recipe;

    /// A recipe with everything that takes steps.
    fn recipe() -> Recipe {
        let mut recipe = Recipe::default_for("digits", "lenet");
        recipe.architecture.channels = Some(4);
        recipe.architecture.dense = Some(16);
        recipe.quantization.scheme = "int8".into();
        recipe.quantization.fine_tune_epochs = Some(1);
        recipe.quantization.bias_correction = Some("on".into());
        recipe
    }

    #[test]
    fn weights_are_stored_in_small_steps_that_say_how_far_they_are() {
        let recipe = recipe();
        let prepared = prepare(&recipe).expect("fits");
        let graph = &prepared.plan.graph;
        let weights = Weights::init(graph, 3).expect("fits");
        let training = &prepared.split.train;
        let spec = &recipe.quantization;
        let mut storing = Storing::new(graph, &weights, spec, &prepared.rows, training);
        let mut tuning = Vec::new();
        let mut others = 0;
        let stored = loop {
            match storing.stage() {
                Stage {
                    name: Storing::FINE_TUNING,
                    fraction,
                } => tuning.push(fraction),
                _ => others += 1,
            }
            if let Some(stored) = storing.step().expect("fits") {
                break stored;
            }
        };
        assert_eq!(tuning.len(), training.len().div_ceil(32));
        assert!(tuning.is_sorted_by(|a, b| a < b));
        assert!(tuning[0] == 0.0 && tuning[tuning.len() - 1] < 1.0);
        // Calibration looks twice at 256 rows, once before fine-tuning and two times after it, and bias correction once;
        // one more step comes first and one after fine-tuning.
        assert_eq!(others, 2 + (3 * 2 + 1) * 256 / ROWS);
        // As they were when this was one call.
        assert_eq!(
            [
                stored.digest(),
                stored.before(graph, &weights).expect("fits").digest()
            ],
            [
                "11285a82d71b6166bbd092946446f48e47edfa0485d4a302074c2b6ed155718c",
                "ead674b30955592daa5a65fb923fd7f42d7934389843ce1470e8160e5550afca"
            ]
        );
    }

    #[test]
    fn what_fine_tuning_left_is_stored_to_the_same_bits_by_whoever_kept_it() {
        for (family, scheme, pruning, correction) in [
            ("mobilenet", "int8", None, Some("on")),
            ("resnet", "int4", Some("channels"), None),
            ("vit", "int8-dynamic", None, None),
        ] {
            let mut recipe = Recipe::default_for("digits", family);
            recipe.quantization.scheme = scheme.into();
            recipe.quantization.fine_tune_epochs = Some(1);
            recipe.quantization.pruning = pruning.map(Into::into);
            recipe.quantization.bias_correction = correction.map(Into::into);
            let prepared = prepare(&recipe).expect("fits");
            let (graph, spec) = (&prepared.plan.graph, &recipe.quantization);
            let weights = Weights::init(graph, 3).expect("fits");
            let training = &prepared.split.train[..96];
            let stored = |tuner| -> Result<_> {
                let rows = &prepared.rows;
                let mut storing = Storing::with_tuner(graph, &weights, spec, rows, training, tuner);
                let mut is_tuned = false;
                loop {
                    is_tuned |= storing.stage().name == Storing::FINE_TUNING;
                    if let Some(stored) = storing.step()? {
                        return Ok((stored, storing.fine_tuned(), is_tuned));
                    }
                }
            };
            let (first, tuned, is_tuned) = stored(Tuner::Cpu).expect("fits");
            let tuned = tuned.expect("fine-tuned");
            assert!(is_tuned && tuned.engine == EngineKind::Cpu, "{family}");
            let (again, none, is_tuned) = stored(Tuner::Kept(&tuned.weights)).expect("fits");
            assert!(!is_tuned && none.is_none(), "{family}");
            assert!(again == first, "{family}");
            // Another weight, another quantization and another graph.
            let mut other = tuned.weights.clone();
            let name = tuned.weights.iter().find(|it| it.0.ends_with(".weight"));
            let (name, tensor) = name.expect("weights");
            let mut values = tensor.values.clone();
            values[0] += 1.0;
            other.insert(name, tensor.shape.clone(), values);
            let (another, ..) = stored(Tuner::Kept(&other)).expect("fits");
            assert_ne!(another.digest(), first.digest(), "{family}");
            let of = |spec, weights| fine_tuning::fine_tuned_digest("0", spec, weights);
            assert_ne!(of(spec, &tuned.weights), of(spec, &other));
            let mut longer = spec.clone();
            longer.fine_tune_epochs = Some(2);
            assert_ne!(of(spec, &other), of(&longer, &other));
            if family != "vit" {
                let error = stored(Tuner::Kept(&weights)).expect_err("another graph");
                assert!(error.to_string().contains("tensor"), "{error}");
            }
        }
    }
}
