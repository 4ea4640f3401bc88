//! The way back, decided once: which step's gradient is wanted, where it stands, and how long each number is needed.
//!
//! Nobody computes a gradient that nobody asked for: none for the input, none below the first parameter, none of a value
//! that the answer does not depend on. It computes nothing itself.

use super::buffers::Stay;
use super::plan::{Plan, Step};

/// Where the gradient of something that was read goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nobody wants it.
    Nowhere,
    /// It is the first: written here.
    Write(usize),
    /// Others were there before: written to the first, which is then added to the second.
    Add([usize; 2]),
}

impl Place {
    /// Whether somebody wants it.
    pub(super) fn is_wanted(self) -> bool {
        self != Self::Nowhere
    }
}

/// Where a gradient goes that is the same for what was read as for what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// Nobody wants it.
    Nowhere,
    /// It stays where it is, under another name.
    Keep,
    /// It is doubled where it is: a value was added to itself.
    Double,
    /// It is copied here.
    Copy(usize),
    /// It is added here.
    Add(usize),
}

/// One step back.
#[derive(Debug)]
pub(super) struct Reverse {
    /// The step.
    pub(super) step: usize,
    /// Where the gradient of its value stands.
    pub(super) gradient: usize,
    /// Where the gradient of its input goes; for a step with one input that is not merely passed on.
    pub(super) input: Place,
    /// Where the gradient is passed on to: the inputs of a sum, or the residual.
    pub(super) passes: [Pass; 2],
}

/// Everything that is decided about a training's memory. Items are numbered: first the values, then the gradients.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    /// When each item is needed.
    pub(super) stays: Vec<Stay>,
    /// The item of each value, for those that some step reads or writes.
    pub(super) values: Vec<Option<usize>>,
    /// What each step leaves for its way back.
    pub(super) saved: Vec<Option<usize>>,
    /// The gradient of the logits.
    pub(super) loss: usize,
    /// Steps back, in order.
    pub(super) reverse: Vec<Reverse>,
}

impl Schedule {
    /// The memory of an inference: every value is needed until it was read last.
    pub(super) fn inference(plan: &Plan) -> Self {
        let mut schedule = Self::default();
        schedule.forward(plan);
        schedule
    }

    /// The memory of a training and its way back.
    pub(super) fn training(plan: &Plan, trains: impl Fn(&Step) -> bool) -> Self {
        let mut schedule = Self::default();
        schedule.forward(plan);
        let end = plan.steps.len();
        let mut wanted = vec![false; plan.lens.len()];
        for step in &plan.steps {
            wanted[step.output] = trains(step) || step.reads().any(|value| wanted[value]);
        }
        let mut gradients: Vec<Option<usize>> = vec![None; plan.lens.len()];
        schedule.loss = schedule.item(end, plan.lens[plan.output]);
        if wanted[plan.output] {
            gradients[plan.output] = Some(schedule.loss);
        }
        for (index, step) in plan.steps.iter().enumerate().rev() {
            if let Some(gradient) = gradients[step.output].take() {
                let time = 2 * end - index;
                schedule.back(plan, index, time, gradient, &wanted, &mut gradients);
            }
        }
        schedule
    }

    fn forward(&mut self, plan: &Plan) {
        self.values = vec![None; plan.lens.len()];
        self.values[0] = Some(self.item(0, plan.lens[0]));
        for (index, step) in plan.steps.iter().enumerate() {
            for value in step.reads() {
                self.touch_value(value, index);
            }
            self.values[step.output] = Some(self.item(index, plan.lens[step.output]));
            self.saved.push(None);
        }
        self.touch_value(plan.output, plan.steps.len());
    }

    fn back(
        &mut self,
        plan: &Plan,
        index: usize,
        time: usize,
        gradient: usize,
        wanted: &[bool],
        gradients: &mut [Option<usize>],
    ) {
        let step = &plan.steps[index];
        self.touch(gradient, time);
        if step.operation.remembers_input() {
            self.touch_value(step.inputs[0], time);
        }
        if step.activation.is_some() {
            self.touch_value(step.output, time);
        }
        let saved = step.operation.saved_len();
        if saved > 0 {
            let item = self.item(index, saved);
            self.touch(item, time);
            self.saved[index] = Some(item);
        }
        let mut reverse = Reverse {
            step: index,
            gradient,
            input: Place::Nowhere,
            passes: [Pass::Nowhere; 2],
        };
        let passed: Vec<usize> = if step.operation.passes_gradient() {
            step.inputs.iter().chain(&step.residual).copied().collect()
        } else {
            let input = step.inputs[0];
            if wanted[input] {
                let item = self.item(time, plan.lens[input]);
                reverse.input = match gradients[input] {
                    Some(before) => {
                        self.touch(before, time);
                        Place::Add([item, before])
                    }
                    None => {
                        gradients[input] = Some(item);
                        Place::Write(item)
                    }
                };
            } else if step.operation.always_writes_gradient() {
                reverse.input = Place::Write(self.item(time, plan.lens[input]));
            }
            step.residual.into_iter().collect()
        };
        let mut kept = false;
        for (pass, value) in reverse.passes.iter_mut().zip(passed) {
            *pass = match gradients[value] {
                _ if !wanted[value] => Pass::Nowhere,
                Some(before) if before == gradient => Pass::Double,
                Some(before) => {
                    self.touch(before, time);
                    Pass::Add(before)
                }
                None if kept => {
                    let item = self.item(time, plan.lens[value]);
                    gradients[value] = Some(item);
                    Pass::Copy(item)
                }
                None => {
                    kept = true;
                    gradients[value] = Some(gradient);
                    Pass::Keep
                }
            };
        }
        self.reverse.push(reverse);
    }

    fn item(&mut self, time: usize, len: usize) -> usize {
        self.stays.push(Stay {
            from: time,
            until: time,
            len,
        });
        self.stays.len() - 1
    }

    fn touch(&mut self, item: usize, time: usize) {
        let until = &mut self.stays[item].until;
        *until = time.max(*until);
    }

    fn touch_value(&mut self, value: usize, time: usize) {
        if let Some(item) = self.values[value] {
            self.touch(item, time);
        }
    }
}
