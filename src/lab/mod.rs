//! The lab: takes commands, works on them in small steps, answers with events; it knows no browser and no thread.
//!
//! Each command becomes a job: an `async fn` that calls [`context::Context::breathe`] at every step. Whoever owns the
//! lab calls [`Lab::pump`] with a time budget, hands the events on and lets its own event loop turn in between, so that
//! Stop and Pause arrive at the next step boundary. How often it is pumped never changes a result.

pub mod checkpoint;
mod command;
pub mod context;
pub mod desk;
pub mod gpu;
mod jobs;
pub mod prepared;
pub mod protocol;
mod second_opinion;
pub mod sets;

use crate::error::Error;
pub use crate::eval::Clock;
pub use crate::eval::clock::measured_resolution_micros;
use crate::runlog::record::Environment;
use context::{Context, Control, Outbox, Shared};
use protocol::{Command, CommandBody, Event, EventBody};
use serde_json::{Value, json};
use sets::Sets;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// A job at work.
struct Job {
    id: u32,
    control: Rc<Control>,
    future: Pin<Box<dyn Future<Output = Result<Value, Error>>>>,
}

/// The lab. One owner, one thread.
pub struct Lab {
    clock: Rc<dyn Clock>,
    outbox: Rc<RefCell<Outbox>>,
    shared: Rc<Shared>,
    /// Short commands: all are worked on in every pump.
    short: Vec<Job>,
    /// Runs: one at a time, in the order in which they came.
    runs: VecDeque<Job>,
    waker: Waker,
}

impl Lab {
    /// A lab that reads time through `clock`. `environment` says where it runs as far as the owner knows by itself;
    /// the command `open` replaces what only the page knows.
    #[must_use]
    pub fn new(clock: Rc<dyn Clock>, environment: Environment) -> Self {
        Self::with_sets(clock, environment, Sets::default())
    }

    /// The same with other sets than those that this module makes by itself.
    #[must_use]
    pub fn with_sets(clock: Rc<dyn Clock>, environment: Environment, sets: Sets) -> Self {
        Self {
            clock,
            outbox: Rc::default(),
            shared: Rc::new(Shared::with(environment, sets)),
            short: Vec::new(),
            runs: VecDeque::new(),
            waker: Waker::noop().clone(),
        }
    }

    /// Is woken when a device has answered, so that its owner pumps at once instead of at the next turn.
    pub fn set_waker(&mut self, waker: Waker) {
        self.waker = waker;
    }

    /// Opens a GPU otherwise than by [`crate::engine::gpu::Gpu::open`] alone.
    pub fn set_gpu_opener(&mut self, opener: gpu::Opener) {
        self.shared.gpu.open_by(opener);
    }

    /// Takes a command with the bytes that came beside it; answers come from [`Lab::pump`].
    pub fn command(&mut self, command: Command, bytes: Option<Vec<u8>>) {
        let Command { id, body } = command;
        match body {
            CommandBody::Open {
                environment,
                gpu_missing,
                tiles,
            } => {
                self.shared.open(environment, self.clock.as_ref());
                self.shared.gpu.open(gpu_missing, tiles);
                let environment = serde_json::to_value(&*self.shared.environment());
                self.answer(id, environment.unwrap_or_default());
            }
            CommandBody::Visibility { hidden } => {
                self.shared.set_hidden(hidden);
                self.answer(id, json!({}));
            }
            CommandBody::Stop { target } => self.steer(id, target, Control::stop),
            CommandBody::Pause { target } => self.steer(id, target, Control::pause),
            CommandBody::Continue { target } => self.steer(id, target, Control::go_on),
            CommandBody::Decide { target, choice } => match choice.as_str() {
                "cpu" | "smaller batch" => {
                    self.steer(id, target, |control| control.decide(choice));
                }
                _ => self.refuse(
                    id,
                    &Error::bad_input("choice", "cpu or smaller batch", choice),
                ),
            },
            other => {
                let control = Rc::<Control>::default();
                let context = Context::new(
                    id,
                    Rc::clone(&self.clock),
                    Rc::clone(&control),
                    Rc::clone(&self.outbox),
                    Rc::clone(&self.shared),
                );
                let is_run = matches!(
                    other,
                    CommandBody::Run { .. }
                        | CommandBody::Variants { .. }
                        | CommandBody::Search { .. }
                );
                let job = Job {
                    id,
                    control,
                    future: jobs::start(context, other, bytes),
                };
                if is_run {
                    self.runs.push_back(job);
                } else {
                    self.short.push(job);
                }
            }
        }
    }

    /// Works for about `budget_millis` (never less than one step) and returns what happened.
    pub fn pump(&mut self, budget_millis: f64) -> Vec<Event> {
        let deadline = self.clock.now_millis() + budget_millis;
        let mut waiting = Vec::new();
        for mut job in std::mem::take(&mut self.short) {
            if !self.poll(&mut job, deadline) {
                waiting.push(job);
            }
        }
        self.short = waiting;
        if let Some(mut job) = self.runs.pop_front()
            && !self.poll(&mut job, deadline)
        {
            self.runs.push_front(job);
        }
        self.outbox.borrow_mut().take_events()
    }

    /// Whether anything is left to work on; a paused run is not.
    #[must_use]
    pub fn busy(&self) -> bool {
        !self.short.is_empty()
            || self
                .runs
                .front()
                .is_some_and(|job| !job.control.is_paused())
            || self.outbox.borrow().has_events()
    }

    /// Takes the bytes that an event named; `None` when they were taken before or never were.
    pub fn take_buffer(&mut self, key: u32) -> Option<Vec<u8>> {
        self.outbox.borrow_mut().take_buffer(key)
    }

    /// Works on one job; whether it ended.
    fn poll(&self, job: &mut Job, deadline: f64) -> bool {
        job.control.set_deadline(deadline);
        let mut task = std::task::Context::from_waker(&self.waker);
        match job.future.as_mut().poll(&mut task) {
            Poll::Pending => false,
            Poll::Ready(Ok(value)) => {
                self.answer(job.id, value);
                true
            }
            Poll::Ready(Err(error)) => {
                self.refuse(job.id, &error);
                true
            }
        }
    }

    fn steer(&mut self, id: u32, target: u32, act: impl FnOnce(&Control)) {
        let job = self
            .runs
            .iter()
            .chain(&self.short)
            .find(|job| job.id == target);
        match job {
            Some(job) => {
                act(&job.control);
                self.answer(id, json!({}));
            }
            None => self.refuse(
                id,
                &Error::bad_input("target", "a command in progress", target.to_string()),
            ),
        }
    }

    fn answer(&self, id: u32, value: Value) {
        self.send(id, EventBody::Done { value });
    }

    fn refuse(&self, id: u32, error: &Error) {
        self.send(
            id,
            EventBody::Error {
                kind: error.kind().into(),
                message: error.to_string(),
            },
        );
    }

    fn send(&self, id: u32, body: EventBody) {
        self.outbox.borrow_mut().send(Event { id, body });
    }
}
