//! One job a file: each turns one command into events and an answer.

mod breakdown;
mod damage;
mod dataset;
mod export;
mod measure;
mod play;
mod run;
mod search;
mod trained;
mod variants;

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
                trained: None,
            },
        )),
        CommandBody::Variants {
            record,
            quantizations,
        } => Box::pin(variants::variants(context, record, quantizations, bytes)),
        CommandBody::Export {
            recipe,
            format,
            weights,
            fine_tuned,
        } => Box::pin(export::export(
            context, recipe, format, weights, fine_tuned, bytes,
        )),
        CommandBody::Search {
            record,
            budget,
            known,
        } => Box::pin(search::search(context, record, budget, known, bytes)),
        CommandBody::Inspect {
            recipe,
            weights,
            fine_tuned,
        } => Box::pin(damage::inspect(context, recipe, weights, fine_tuned, bytes)),
        CommandBody::Load {
            recipe,
            weights,
            fine_tuned,
        } => Box::pin(play::load(context, recipe, weights, fine_tuned, bytes)),
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
