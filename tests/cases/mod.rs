//! The table of cases that run natively and in browsers alike: plain functions, no files, no clock.

pub mod numerics;

/// One case.
pub struct Case {
    /// What holds when it passes: `split: rejects shares above 0.5`.
    pub name: &'static str,
    /// Does it hold?
    pub run: fn() -> Result<(), String>,
}

/// Every case, in order.
pub fn all() -> Vec<Case> {
    [numerics::cases()].into_iter().flatten().collect()
}
