//! A lab that is given one command and worked to its answer, with files of a person's own where a test has some; it asserts
//! nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use assay::data::LocalMaker;
use assay::eval::ManualClock;
use assay::lab::Lab;
use assay::lab::protocol::{Command, CommandBody, EventBody};
use assay::lab::sets::Sets;
use assay::recipe::Recipe;
use assay::result::Findings;
use assay::runlog::record::{self, Environment, Record};
use assay::system::LocalRules;
use serde_json::Value;
use std::rc::Rc;

/// The answer to a command, or the kind and the words of its refusal; `hear` is told every event before.
pub(crate) fn answer(
    maker: &LocalMaker,
    body: CommandBody,
    mut hear: impl FnMut(&EventBody),
) -> Result<Value, (String, String)> {
    let sets = Sets::by(Box::new(maker.clone()), Box::new(LocalRules));
    let clock = Rc::new(ManualClock::default());
    let mut lab = Lab::with_sets(clock, Environment::default(), sets);
    lab.command(Command { id: 1, body }, None);
    loop {
        for event in lab.pump(0.0) {
            hear(&event.body);
            match event.body {
                EventBody::Done { value } => return Ok(value),
                EventBody::Error { kind, message } => return Err((kind, message)),
                EventBody::Checkpoint { buffer, .. } => drop(lab.take_buffer(buffer)),
                _ => {}
            }
        }
    }
}

/// What the lab's checks find in a recipe's data.
pub(crate) fn findings(maker: &LocalMaker, recipe: &Recipe) -> Findings {
    let recipe = recipe.to_value();
    let value = answer(maker, CommandBody::Check { recipe }, |_| {}).unwrap();
    serde_json::from_value(value).unwrap()
}

/// A run's record, or the kind and the words of its refusal.
pub(crate) fn run(maker: &LocalMaker, recipe: &Recipe) -> Result<Record, (String, String)> {
    let body = CommandBody::Run {
        recipe: recipe.to_value(),
        claim: None,
        resume: false,
        resumed_from: None,
        hold_timing: false,
    };
    let mut text = String::new();
    answer(maker, body, |event| {
        if let EventBody::Recorded { record, .. } = event {
            text.clone_from(record);
        }
    })?;
    Ok(record::read(&text).unwrap().0)
}
