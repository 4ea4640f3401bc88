//! The native command: prints, runs, shows, links and verifies what the page does, through the same lab.

mod command;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// An ML quality lab: train, quantize, measure, and verify what somebody else measured.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// Print JSON on standard output instead of words.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print a default recipe.
    Recipe {
        /// The set.
        #[arg(long, default_value = "digits")]
        dataset: String,
        /// The family.
        #[arg(long, default_value = "lenet")]
        architecture: String,
        /// What executes it: cpu (exact), gpu (checked against the CPU), or auto (times both).
        #[arg(long, default_value = "cpu")]
        engine: String,
    },
    /// Run a recipe and append its record to a log.
    Run {
        /// A recipe's JSON file; `-` reads standard input.
        recipe: PathBuf,
        /// The log, JSON Lines; made where it is missing.
        #[arg(long)]
        log: PathBuf,
    },
    /// Check a set and print what is found.
    Data {
        /// The set, with its default parameters.
        #[arg(long, default_value = "digits")]
        dataset: String,
        /// A recipe's JSON file instead; its data, split and seed are used.
        #[arg(long, conflicts_with = "dataset")]
        recipe: Option<PathBuf>,
    },
    /// Say what a link carries or what a log holds.
    Show {
        /// A link, or a log's path.
        source: String,
    },
    /// Print the link of a log's last record.
    Link {
        /// The log's path.
        log: PathBuf,
        /// Address of the page that the link opens.
        #[arg(long, default_value = "http://127.0.0.1:8080/")]
        page: String,
        /// A name to put in; none by default.
        #[arg(long, default_value = "")]
        by: String,
    },
    /// Re-run a link, or a log's last record, and print the verdict.
    Verify {
        /// A link, or a log's path.
        source: String,
    },
}

fn main() -> ExitCode {
    let Arguments { action, json } = Arguments::parse();
    let outcome = match action {
        Action::Recipe {
            dataset,
            architecture,
            engine,
        } => command::recipe(&dataset, &architecture, &engine),
        Action::Run { recipe, log } => command::run(&recipe, &log, json),
        Action::Data { dataset, recipe } => command::data(&dataset, recipe.as_deref(), json),
        Action::Show { source } => command::show(&source, json),
        Action::Link { log, page, by } => command::link(&log, &page, &by, json),
        Action::Verify { source } => command::verify(&source, json),
    };
    match outcome {
        Ok(command::Outcome::Good) => ExitCode::SUCCESS,
        Ok(command::Outcome::Diverged) => ExitCode::from(1),
        Err(message) => {
            eprintln!("assay: {message}");
            ExitCode::from(2)
        }
    }
}
