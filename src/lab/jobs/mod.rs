//! One job a file: each turns one command into events and an answer.

mod breakdown;
mod dataset;
mod measure;
mod play;
mod run;

use super::context::Context;
use super::protocol::CommandBody;
use crate::error::{Error, Result};
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;

/// Begins the job of a command that the lab does not answer by itself.
pub(super) fn start(
    context: Context,
    body: CommandBody,
    bytes: Option<Vec<u8>>,
) -> Pin<Box<dyn Future<Output = Result<Value>>>> {
    match body {
        CommandBody::Dataset { recipe } => {
            Box::pin(async move { dataset::summary(&context, recipe).await })
        }
        CommandBody::Check { recipe } => {
            Box::pin(async move { dataset::check(&context, recipe).await })
        }
        CommandBody::Images { recipe, rows } => {
            Box::pin(async move { dataset::images(&context, recipe, &rows).await })
        }
        CommandBody::Run {
            recipe,
            claim,
            resume,
            resumed_from,
            hold_timing,
        } => Box::pin(run::run(
            context,
            run::Request {
                recipe,
                claim,
                checkpoint: if resume { bytes } else { None },
                resumed_from,
                hold_timing,
            },
        )),
        CommandBody::Load { recipe } => Box::pin(play::load(context, recipe, bytes)),
        CommandBody::Predict { row, image } => Box::pin(play::predict(context, row, image)),
        CommandBody::LoseGpu => Box::pin(async move {
            context.shared.gpu.lose();
            Ok(serde_json::json!({}))
        }),
        CommandBody::Crash => Box::pin(async { panic!("asked to crash by a test") }),
        CommandBody::Hang => Box::pin(async {
            loop {
                std::hint::spin_loop();
            }
        }),
        CommandBody::Open { .. }
        | CommandBody::Visibility { .. }
        | CommandBody::Decide { .. }
        | CommandBody::Stop { .. }
        | CommandBody::Pause { .. }
        | CommandBody::Continue { .. } => Box::pin(async {
            Err(Error::bad_input(
                "command",
                "one that makes a job",
                "one that the lab answers itself",
            ))
        }),
    }
}
