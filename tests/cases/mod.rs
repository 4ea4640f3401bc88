//! The table of cases that must come out equal on every processor, in Node and in every browser; how they are run is
//! not its business.

mod data_eval;
mod digests;
mod engine;
mod graphs;
mod numerics;
mod quantization;
mod reference;
mod sets;
mod special;

/// One statement and the function that checks it.
pub(crate) struct Case {
    /// The statement, as a test name: `rng_gives_the_numbers_of_the_papers`.
    pub(crate) name: &'static str,
    /// Checks it; the error says what was expected and what was found.
    pub(crate) run: fn() -> Result<(), String>,
}

/// Every case, in the order of the modules.
pub(crate) fn all() -> Vec<Case> {
    let mut all = data_eval::cases();
    all.extend(engine::cases());
    all.extend(numerics::cases());
    all.extend(digests::cases());
    all.extend(quantization::cases());
    all.extend(special::cases());
    all.extend(sets::cases());
    all
}
