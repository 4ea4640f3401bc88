//! Runs the table of cases natively; `tests/cases/browser.rs` runs the same table as wasm.

#[path = "cases/mod.rs"]
mod cases;

use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;

fn main() -> ExitCode {
    let trials = cases::all()
        .into_iter()
        .map(|case| Trial::test(case.name, move || (case.run)().map_err(Into::into)))
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
