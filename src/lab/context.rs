//! What a job sees of the lab: its clock, its events, whether to stop; no job sees another.

use super::gpu::LabGpu;
use super::protocol::{Event, EventBody};
use super::sets::Sets;
use crate::data::Scaler;
use crate::engine::Executable;
use crate::engine::cpu;
use crate::eval::Clock;
use crate::model::Plan;
use crate::runlog::record::Environment;
use std::cell::{Cell, Ref, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

/// How a job is steered from outside.
#[derive(Debug, Default)]
pub struct Control {
    stopped: Cell<bool>,
    paused: Cell<bool>,
    deadline_millis: Cell<f64>,
    decision: RefCell<Option<String>>,
}

impl Control {
    /// Says how the job goes on after it asked.
    pub fn decide(&self, choice: String) {
        *self.decision.borrow_mut() = Some(choice);
        self.paused.set(false);
    }

    /// Asks the job to end at its next step; a paused job goes on in order to end.
    pub fn stop(&self) {
        self.stopped.set(true);
        self.paused.set(false);
    }

    /// Asks the job to hold at its next step.
    pub fn pause(&self) {
        self.paused.set(true);
    }

    /// Lets a held job go on.
    pub fn go_on(&self) {
        self.paused.set(false);
    }

    /// Whether the job is asked to hold.
    pub fn is_paused(&self) -> bool {
        self.paused.get()
    }

    /// Until when the job may work in this pump, by the lab's clock.
    pub fn set_deadline(&self, millis: f64) {
        self.deadline_millis.set(millis);
    }
}

/// Events and bytes on their way out.
#[derive(Debug, Default)]
pub struct Outbox {
    events: Vec<Event>,
    buffers: BTreeMap<u32, Vec<u8>>,
    next_key: u32,
}

impl Outbox {
    /// Puts an event at the end.
    pub fn send(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Takes all events, oldest first.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Whether any event waits.
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Keeps bytes until they are taken; their key.
    pub fn put(&mut self, bytes: Vec<u8>) -> u32 {
        self.next_key += 1;
        self.buffers.insert(self.next_key, bytes);
        self.next_key
    }

    /// Takes bytes by their key.
    pub fn take_buffer(&mut self, key: u32) -> Option<Vec<u8>> {
        self.buffers.remove(&key)
    }
}

/// A trained model to play with.
pub struct Playable {
    /// Its shapes.
    pub plan: Plan,
    /// How many rows the set has that it was trained on.
    pub rows: u32,
    /// How a picture becomes features.
    pub scaler: Scaler,
    /// The model itself.
    pub executable: Box<dyn Executable>,
}

/// What outlives a job.
pub struct Shared {
    environment: RefCell<Environment>,
    hidden: Cell<bool>,
    was_hidden: Cell<bool>,
    /// The last trained or loaded model.
    pub playable: RefCell<Option<Playable>>,
    /// The sets of this session.
    pub sets: Sets,
    /// The GPU, if there is one.
    pub gpu: LabGpu,
}

impl Shared {
    /// Nothing trained yet; sets are made here.
    pub fn new(environment: Environment) -> Self {
        Self::with(environment, Sets::default())
    }

    /// Nothing trained yet.
    pub fn with(environment: Environment, sets: Sets) -> Self {
        Self {
            environment: RefCell::new(environment),
            hidden: Cell::new(false),
            was_hidden: Cell::new(false),
            playable: RefCell::new(None),
            sets,
            gpu: LabGpu::default(),
        }
    }

    /// Where this lab runs.
    pub fn environment(&self) -> Ref<'_, Environment> {
        self.environment.borrow()
    }

    /// Takes what the page knows of its surroundings and adds what the lab knows better.
    pub fn open(&self, page: Environment, clock: &dyn Clock) {
        *self.environment.borrow_mut() = Environment {
            app_version: env!("CARGO_PKG_VERSION").into(),
            engine: "cpu".into(),
            arithmetic: cpu::ARITHMETIC.into(),
            timer_resolution_micros: clock.resolution_micros(),
            ..page
        };
    }

    /// Notes whether the page is hidden.
    pub fn set_hidden(&self, hidden: bool) {
        self.hidden.set(hidden);
        if hidden {
            self.was_hidden.set(true);
        }
    }

    /// Begins to watch whether the page gets hidden.
    pub fn watch_hidden(&self) {
        self.was_hidden.set(self.hidden.get());
    }

    /// Whether the page was hidden at any time since [`Shared::watch_hidden`].
    pub fn was_hidden(&self) -> bool {
        self.was_hidden.get()
    }
}

/// What a job is given.
#[derive(Clone)]
pub struct Context {
    id: u32,
    /// The only source of time.
    pub clock: Rc<dyn Clock>,
    control: Rc<Control>,
    outbox: Rc<RefCell<Outbox>>,
    /// What outlives the job.
    pub shared: Rc<Shared>,
}

impl Context {
    /// A context for the command `id`.
    pub fn new(
        id: u32,
        clock: Rc<dyn Clock>,
        control: Rc<Control>,
        outbox: Rc<RefCell<Outbox>>,
        shared: Rc<Shared>,
    ) -> Self {
        Self {
            id,
            clock,
            control,
            outbox,
            shared,
        }
    }

    /// Sends an event.
    pub fn send(&self, body: EventBody) {
        self.outbox.borrow_mut().send(Event { id: self.id, body });
    }

    /// Keeps bytes for the page; the key to name in an event.
    pub fn put(&self, bytes: Vec<u8>) -> u32 {
        self.outbox.borrow_mut().put(bytes)
    }

    /// A step boundary: returns at once while there is time, after the next pump when there is none, and not before
    /// `continue` or `stop` while paused. Whether the person asked to stop.
    pub async fn breathe(&self) -> bool {
        let mut turned = false;
        poll_fn(|_| {
            let late = self.clock.now_millis() >= self.control.deadline_millis.get();
            if self.control.is_paused() || (late && !turned) {
                turned = true;
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
        self.is_stopped()
    }

    /// Holds until `continue` or `stop`, as if the person had paused here. Whether they asked to stop.
    pub async fn hold(&self) -> bool {
        if !self.is_stopped() {
            self.control.pause();
        }
        self.breathe().await
    }

    /// Holds until somebody decides; `None` where they stop it instead.
    pub async fn decision(&self) -> Option<String> {
        self.control.decision.take();
        loop {
            if self.hold().await {
                return None;
            }
            if let Some(choice) = self.control.decision.take() {
                return Some(choice);
            }
        }
    }

    /// Ends this pump, so that what was sent is seen before something long begins.
    pub async fn turn(&self) {
        self.control.set_deadline(f64::NEG_INFINITY);
        self.breathe().await;
    }

    /// Whether the person asked to stop.
    pub fn is_stopped(&self) -> bool {
        self.control.stopped.get()
    }
}
