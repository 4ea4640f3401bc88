//! The native command: prints, runs, shows, links and verifies what the page does, through the same lab.

mod command;

use clap::{Parser, Subcommand};
use command::OwnData;
use serde_json::json;
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
        /// The scheme.
        #[arg(long, default_value = "f32")]
        scheme: String,
        /// What executes it: cpu (exact), gpu (checked against the CPU), or auto (times both).
        #[arg(long, default_value = "cpu")]
        engine: String,
        #[command(flatten)]
        own: OwnData,
    },
    /// Train a recipe once, put the model through many schemes and append a record of each to a log.
    Variants {
        #[command(flatten)]
        start: command::Start,
        /// The schemes, separated by commas; all of them by default.
        #[arg(long, value_delimiter = ',')]
        schemes: Vec<String>,
        /// The log, JSON Lines; made where it is missing.
        #[arg(long)]
        log: PathBuf,
    },
    /// Train a recipe, find a scheme for each layer within a budget and append both records to a log.
    Search {
        #[command(flatten)]
        start: command::Start,
        /// Points of accuracy that may be lost on the validation rows.
        #[arg(long)]
        points: Option<f64>,
        /// Most kilobytes of the stored weights.
        #[arg(long)]
        kilobytes: Option<f64>,
        /// Longest median time of one row, milliseconds.
        #[arg(long)]
        millis: Option<f64>,
        /// The log, JSON Lines; made where it is missing.
        #[arg(long)]
        log: PathBuf,
    },
    /// Train a recipe and write its weights as they are stored; the file is read back and must give the same answers.
    Export {
        /// A recipe's JSON file; `-` reads standard input.
        recipe: PathBuf,
        /// The file to write, ending in .safetensors or .gguf.
        out: PathBuf,
        /// The recipe's own files, where it learns from some: a file or a folder of images, once for each of several.
        #[arg(long = "data", value_name = "FILE")]
        data: Vec<PathBuf>,
    },
    /// Run a recipe and append its record to a log.
    Run {
        /// A recipe's JSON file; `-` reads standard input.
        recipe: PathBuf,
        /// The log, JSON Lines; made where it is missing.
        #[arg(long)]
        log: PathBuf,
        /// The recipe's own files, where it learns from some: a file or a folder of images, once for each of several.
        #[arg(long = "data", value_name = "FILE")]
        data: Vec<PathBuf>,
    },
    /// Check a set and print what is found.
    Data {
        /// The set, with its default parameters.
        #[arg(long, default_value = "digits")]
        dataset: String,
        /// A recipe's JSON file instead; its data, split and seed are used.
        #[arg(long, conflicts_with = "dataset")]
        recipe: Option<PathBuf>,
        #[command(flatten)]
        own: OwnData,
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
        /// The recipe's own files, where it learns from some: a file or a folder of images, once for each of several.
        #[arg(long = "data", value_name = "FILE")]
        data: Vec<PathBuf>,
    },
}

fn main() -> ExitCode {
    let Arguments { action, json } = Arguments::parse();
    let outcome = match action {
        Action::Recipe {
            dataset,
            architecture,
            scheme,
            engine,
            own,
        } => command::recipe(&dataset, &architecture, &scheme, &engine, &own),
        Action::Variants {
            start,
            schemes,
            log,
        } => command::variants(&start, &schemes, &log, json),
        Action::Search {
            start,
            points,
            kilobytes,
            millis,
            log,
        } => {
            let bytes = kilobytes.map(|it| it * 1e3);
            let budget = json!({ "points": points, "bytes": bytes, "millis": millis });
            command::search(&start, &budget, &log, json)
        }
        Action::Export { recipe, out, data } => {
            command::export(&recipe, &out, &OwnData::of_recipe(&data), json)
        }
        Action::Run { recipe, log, data } => {
            command::run(&recipe, &log, &OwnData::of_recipe(&data), json)
        }
        Action::Data {
            dataset,
            recipe,
            own,
        } => command::data(&dataset, recipe.as_deref(), &own, json),
        Action::Show { source } => command::show(&source, json),
        Action::Link { log, page, by } => command::link(&log, &page, &by, json),
        Action::Verify { source, data } => {
            command::verify(&source, &OwnData::of_recipe(&data), json)
        }
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
