//! What happened since the last progress event; it counts and sends nothing.

use super::stages::Course;
use crate::lab::protocol::EventBody;
use crate::train::Trainer;

/// Progress events are this far apart.
const PROGRESS_MILLIS: f64 = 200.0;

/// Sums since the last event.
pub(super) struct Progress {
    began_millis: f64,
    began_step: u64,
    last_millis: f64,
    loss: f64,
    correct: u32,
    rows: u32,
}

impl Progress {
    pub(super) fn new(now: f64, step: u64) -> Self {
        Self {
            began_millis: now,
            began_step: step,
            last_millis: now,
            loss: 0.0,
            correct: 0,
            rows: 0,
        }
    }

    pub(super) fn add(&mut self, loss: f64, correct: u32, rows: u32) {
        self.loss += loss * f64::from(rows);
        self.correct += correct;
        self.rows += rows;
    }

    pub(super) fn is_due(&self, now: f64) -> bool {
        now - self.last_millis >= PROGRESS_MILLIS
    }

    /// `epochs` are those of the training under way.
    pub(super) fn take(
        &mut self,
        now: f64,
        trainer: &Trainer,
        course: &Course,
        epochs: u32,
    ) -> EventBody {
        let rows = f64::from(self.rows.max(1));
        let done = (trainer.steps() - self.began_step) as f64;
        let planned = trainer.planned_steps() + course.later_steps;
        let left = planned.saturating_sub(trainer.steps()) as f64;
        let before = course.curve.len() as u32;
        let event = EventBody::Progress {
            epoch: before + trainer.curve().len() as u32 + 1,
            epochs: before + epochs + course.later_epochs,
            step: course.steps + trainer.steps(),
            steps: course.steps + planned,
            loss: self.loss / rows,
            accuracy: f64::from(self.correct) / rows,
            samples_per_sec: f64::from(self.rows) / ((now - self.last_millis) / 1e3).max(1e-6),
            eta_secs: (done > 0.0).then(|| (now - self.began_millis) / 1e3 / done * left),
        };
        *self = Self {
            began_millis: self.began_millis,
            ..Self::new(now, self.began_step)
        };
        event
    }
}
