//! `cargo xtask`: builds, serves, checks and tests Assay. Holds the command line; the work is in the other files.

mod bench;
mod bindgen;
mod bless;
mod by_crate;
mod check;
mod ci;
mod compress;
mod folder;
mod fuzz;
mod imports;
mod kernel_texts;
mod page;
mod policy;
mod preload;
mod processors;
mod project;
mod report;
mod screenshots;
mod serve;
mod setup;
mod size;
mod suites;
mod vendor;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use project::Project;
use suites::SuiteName;

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "Build, serve, check and test Assay")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what the other commands need: the compiler's targets, the npm packages, Chromium, Firefox, emulators, a Vulkan adapter
    Setup,
    /// Build the page into target/www
    Build,
    /// Build the page and serve it on 127.0.0.1
    Serve {
        /// 0 lets the system choose a free one
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// Serve the page as it was built last
        #[arg(long)]
        no_build: bool,
        /// Serve this folder instead of target/www
        #[arg(long, hide = true, requires = "no_build")]
        dir: Option<PathBuf>,
        /// Stop when standard input ends, so that no server outlives the test that started it
        #[arg(long, hide = true)]
        until_stdin_ends: bool,
    },
    /// Build the page as a static folder that any web server can host
    Dist {
        /// The folder to write [default: target/dist]
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Formatting, lints, documentation, JavaScript types, tidiness and the size limit
    Check,
    /// Print the size of the wasm file and fail above the limit
    Size {
        /// Also print what it is made of, crate by crate
        #[arg(long)]
        by_crate: bool,
    },
    /// Run the test suites: all of them, or those named
    Test { suites: Vec<SuiteName> },
    /// Write the golden files anew and show what changed; runs the native suite, or those named
    Bless { suites: Vec<SuiteName> },
    /// Throw random and mutated inputs at every reader
    Fuzz {
        /// Inputs per reader
        #[arg(long, default_value_t = 1_000_000)]
        count: u64,
    },
    /// Measure beside others: `bench peers`, `bench kernels`
    Bench {
        #[command(subcommand)]
        what: bench::Bench,
    },
    /// Take a picture of every view
    Screenshots {
        /// The folder to write [default: target/screenshots]
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Everything that a change must pass: check, then test
    Ci,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one command; `false` means that it ran and something did not pass.
fn run(command: Command) -> Result<bool> {
    let project = Project::locate()?;
    match command {
        Command::Setup => setup::everything(&project)?,
        Command::Build => {
            let dir = project.page()?;
            println!("The page is in {}", dir.display());
        }
        Command::Serve {
            port,
            no_build,
            dir,
            until_stdin_ends,
        } => {
            let build = || {
                if no_build {
                    Ok(dir.unwrap_or_else(|| project.page_dir()))
                } else {
                    project.page()
                }
            };
            serve::run(port, until_stdin_ends, build)?;
        }
        Command::Dist { out } => {
            let out = out.unwrap_or_else(|| project.target().join("dist"));
            folder::copy(&project.page()?, &out)?;
            println!(
                "The page is in {}: any web server can host it",
                out.display()
            );
        }
        Command::Check => return Ok(report::finish(&[check::run(&project)])),
        Command::Size { by_crate } => return size::run(&project, by_crate),
        Command::Test { suites } => return Ok(report::finish(&suites::run(&project, &suites))),
        Command::Bless { suites } => return bless::run(project, &suites),
        Command::Fuzz { count } => return fuzz::run(&project, count),
        Command::Bench { what } => bench::run(&project, what)?,
        Command::Screenshots { out } => {
            screenshots::run(
                &project,
                out.unwrap_or_else(|| project.target().join("screenshots")),
            )?;
        }
        Command::Ci => {
            let project = project
                .with_variable("ASSAY_GPU", "require")
                .with_variable("ASSAY_PYTHON", "require");
            return Ok(ci::run(&project));
        }
    }
    Ok(true)
}
