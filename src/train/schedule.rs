//! The learning rate of each step; a pure function of the recipe and the step's number.

use crate::error::{Error, Result};
use crate::recipe::TrainingSpec;

/// The learning rate of step `step` (counted from 0) of a training of `epochs × steps_per_epoch` steps.
///
/// Over the warm-up's `w` steps it rises linearly, the first step taking `peak / w` and the last one `peak`; over the
/// other `n` it follows the schedule at the share `s = (step − w) / n`: `constant` stays, `cosine` is
/// `peak · (1 + cos πs) / 2` (Loshchilov and Hutter 2017, arXiv 1608.03983, without restarts), `step` is `peak / 10` for
/// `s ≥ 1/3` and `peak / 100` for `s ≥ 2/3`.
///
/// # Errors
/// [`Error::Unsupported`] for a schedule that this version does not have.
pub fn learning_rate(spec: &TrainingSpec, steps_per_epoch: u32, step: u64) -> Result<f64> {
    let peak = spec.learning_rate;
    let total = u64::from(spec.epochs) * u64::from(steps_per_epoch);
    let warmup = (spec.warmup_epochs * f64::from(steps_per_epoch)).round() as u64;
    if step < warmup {
        return Ok(peak * ((step + 1) as f64 / warmup as f64));
    }
    let left = total.saturating_sub(warmup).max(1);
    let share = (step - warmup) as f64 / left as f64;
    match spec.schedule.as_str() {
        "constant" => Ok(peak),
        "cosine" => Ok(peak * (0.5 * (1.0 + libm::cos(std::f64::consts::PI * share)))),
        "step" if share * 3.0 >= 2.0 => Ok(peak / 100.0),
        "step" if share * 3.0 >= 1.0 => Ok(peak / 10.0),
        "step" => Ok(peak),
        other => Err(Error::Unsupported {
            feature: format!("the schedule {other:?}"),
            why: "this version has constant, cosine and step".into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;

    fn rates(schedule: &str, warmup_epochs: f64) -> Vec<f64> {
        let mut spec = Recipe::default_for("digits", "mlp").training;
        spec.learning_rate = 1.0;
        spec.schedule = schedule.into();
        spec.warmup_epochs = warmup_epochs;
        spec.epochs = 3;
        (0..12)
            .map(|step| learning_rate(&spec, 4, step).expect("known"))
            .collect()
    }

    #[test]
    fn warm_up_rises_from_zero_to_the_peak() {
        assert_eq!(rates("constant", 1.0)[..5], [0.25, 0.5, 0.75, 1.0, 1.0]);
        assert_eq!(rates("constant", 0.0), [1.0; 12]);
        assert_eq!(rates("cosine", 3.0)[11], 1.0);
    }

    #[test]
    fn cosine_falls_all_the_way() {
        let rates = rates("cosine", 0.0);
        assert_eq!(rates[0], 1.0);
        assert!((rates[6] - 0.5).abs() < 1e-15);
        assert!(rates.is_sorted_by(|a, b| a > b) && rates[11] < 0.02);
    }

    #[test]
    fn step_divides_by_ten_after_each_third() {
        let rates = rates("step", 0.0);
        assert_eq!(
            (rates[3], rates[4], rates[7], rates[8]),
            (1.0, 0.1, 0.1, 0.01)
        );
    }

    #[test]
    fn refuses_an_unknown_schedule() {
        let mut spec = Recipe::default_for("digits", "mlp").training;
        spec.schedule = "spiral".into();
        assert_eq!(
            learning_rate(&spec, 4, 99).expect_err("refused").kind(),
            "unsupported"
        );
    }
}
