//! Rows as a model sees them: one f32 per value, scaled; nothing is cropped, augmented or dropped.

use super::{Dataset, Split, Values, columns};
use crate::error::{Error, Result};
use crate::recipe::PreprocessingSpec;

/// The smallest deviation that is divided by. A set whose training pixels hardly differ would blow up otherwise.
const DEVIATION_FLOOR: f64 = 1e-3;

/// `(value - mean) / deviation`, in f32; what training rows, test rows and a drawn image have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaler {
    /// Subtracted from values in `0.0..=1.0`; 0 for the scale `unit`.
    pub mean: f32,
    /// Divided by after that; 1 for the scale `unit`, never below 0.001.
    pub deviation: f32,
}

impl Scaler {
    /// Scales values in `0.0..=1.0`, such as a person draws them.
    #[must_use]
    pub fn apply(&self, unit: &[f32]) -> Vec<f32> {
        unit.iter().map(|value| self.one(*value)).collect()
    }

    fn one(&self, value: f32) -> f32 {
        (value - self.mean) / self.deviation
    }
}

/// All rows of a set, scaled, in the set's order, so that a [`Split`]'s numbers address them.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// `rows × channels × height × width` values, the last axis fastest.
    pub features: Vec<f32>,
    /// The class of each row.
    pub labels: Vec<u16>,
    /// `[channels, height, width]`.
    pub shape: [u32; 3],
    /// How the values were scaled.
    pub scaler: Scaler,
}

/// Scales every row of `data`: `unit` divides by the largest value, `standardize` then subtracts the mean of all values
/// of the training rows and divides by their (population) deviation, or by 0.001 where that is larger.
///
/// Measured numbers are scaled column by column, see `columns.rs`, and the scaler that is told changes nothing.
///
/// # Errors
/// [`Error::BadInput`] for another scale, for values that do not fill the rows, or for a training row that is not there.
pub fn rows(data: &Dataset, spec: &PreprocessingSpec, parts: &Split) -> Result<Rows> {
    let expected = data.labels.len().saturating_mul(data.row_len());
    let largest = match &data.values {
        Values::Bytes { max, .. } => *max,
        Values::Reals(_) => 1,
    };
    if largest == 0 || data.values.len() != expected {
        return Err(Error::bad_input(
            format!("values of {}", data.set),
            format!("{expected} values and a largest value above 0"),
            format!("{} values and a largest of {largest}", data.values.len()),
        ));
    }
    if !matches!(spec.scale.as_str(), "unit" | "standardize") {
        return Err(Error::bad_input(
            "preprocessing.scale",
            "unit or standardize",
            spec.scale.as_str(),
        ));
    }
    check_rows(data, &parts.train)?;
    let standardized = spec.scale == "standardize";
    let unchanged = Scaler {
        mean: 0.0,
        deviation: 1.0,
    };
    let (features, scaler) = match &data.values {
        Values::Reals(values) => (
            columns::scaled(values, data.row_len(), &parts.train, standardized),
            unchanged,
        ),
        Values::Bytes { max, values } => {
            let scaler = if standardized {
                standard(data, *max, &parts.train)
            } else {
                unchanged
            };
            // One division per possible value instead of per pixel.
            let largest = f32::from(*max);
            let scaled: Vec<f32> = (0..=u8::MAX)
                .map(|value| scaler.one(f32::from(value) / largest))
                .collect();
            let features = values.iter().map(|value| scaled[usize::from(*value)]);
            (features.collect(), scaler)
        }
    };
    Ok(Rows {
        features,
        labels: data.labels.clone(),
        shape: data.shape(),
        scaler,
    })
}

/// Refuses no training rows, and ones that are not there.
fn check_rows(data: &Dataset, train: &[u32]) -> Result<()> {
    if train.is_empty() {
        return Err(Error::bad_input("training rows", "at least one", "none"));
    }
    match train.iter().find(|row| **row >= data.rows()) {
        Some(row) => Err(Error::bad_input(
            "training rows",
            format!("row numbers below {}", data.rows()),
            row.to_string(),
        )),
        None => Ok(()),
    }
}

/// Mean and deviation over all values of the rows `train`, from exact integer sums: no order of addition can matter.
fn standard(data: &Dataset, max: u8, train: &[u32]) -> Scaler {
    let (mut count, mut sum, mut squares) = (0u64, 0u64, 0u64);
    for row in train {
        let values = data.bytes(*row);
        count += values.len() as u64;
        for value in values {
            sum += u64::from(*value);
            squares += u64::from(*value) * u64::from(*value);
        }
    }
    let largest = f64::from(max);
    let mean = sum as f64 / count as f64;
    // n·Σx² − (Σx)² is an exact integer, at least 0 (Cauchy and Schwarz).
    let spread = u128::from(count) * u128::from(squares) - u128::from(sum) * u128::from(sum);
    let deviation = libm::sqrt(spread as f64) / count as f64;
    Scaler {
        mean: (mean / largest) as f32,
        deviation: (deviation / largest).max(DEVIATION_FLOOR) as f32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{load, split};
    use crate::recipe::{Extra, Recipe};

    fn spec(scale: &str) -> PreprocessingSpec {
        PreprocessingSpec {
            scale: scale.into(),
            extra: Extra::new(),
        }
    }

    fn digits() -> (Dataset, Split) {
        let data = load("digits").expect("built in");
        let recipe = Recipe::default_for("digits", "lenet");
        let parts = split(&data, &recipe.split, recipe.seed).expect("enough rows");
        (data, parts)
    }

    fn bytes(data: &mut Dataset) -> &mut Vec<u8> {
        match &mut data.values {
            Values::Bytes { values, .. } => values,
            Values::Reals(_) => panic!("the digits are whole numbers"),
        }
    }

    #[test]
    fn unit_divides_by_the_largest_value() {
        let (data, parts) = digits();
        let made = rows(&data, &spec("unit"), &parts).expect("known scale");
        assert_eq!(made.features.len(), 1797 * 64);
        assert_eq!(made.shape, [1, 8, 8]);
        for (place, feature) in made.features.iter().enumerate() {
            assert_eq!(*feature, data.values.at(place) / 16.0);
        }
    }

    #[test]
    fn standardized_training_values_have_mean_0_and_deviation_1() {
        let (data, parts) = digits();
        let made = rows(&data, &spec("standardize"), &parts).expect("known scale");
        let values: Vec<f64> = parts
            .train
            .iter()
            .flat_map(|row| &made.features[*row as usize * 64..(*row as usize + 1) * 64])
            .map(|value| f64::from(*value))
            .collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values
            .iter()
            .map(|value| (value - mean).powi(2))
            .sum::<f64>()
            / values.len() as f64;
        assert!(mean.abs() < 1e-6, "{mean}");
        assert!((variance - 1.0).abs() < 1e-6, "{variance}");
    }

    #[test]
    fn only_training_rows_decide_the_scale() {
        let (mut data, parts) = digits();
        let before = rows(&data, &spec("standardize"), &parts)
            .expect("known scale")
            .scaler;
        for row in parts.test.iter().chain(&parts.validation) {
            bytes(&mut data)[*row as usize * 64..(*row as usize + 1) * 64].fill(16);
        }
        assert_eq!(
            rows(&data, &spec("standardize"), &parts)
                .expect("known scale")
                .scaler,
            before
        );
        bytes(&mut data)[parts.train[0] as usize * 64] = 16;
        assert_ne!(
            rows(&data, &spec("standardize"), &parts)
                .expect("known scale")
                .scaler,
            before
        );
    }

    #[test]
    fn a_drawn_copy_of_a_row_gives_the_rows_bits() {
        let (data, parts) = digits();
        for scale in ["unit", "standardize"] {
            let made = rows(&data, &spec(scale), &parts).expect("known scale");
            let drawn: Vec<f32> = data.row(9).iter().map(|value| value / 16.0).collect();
            assert_eq!(made.scaler.apply(&drawn), made.features[9 * 64..10 * 64]);
        }
    }

    #[test]
    fn constant_pixels_stay_finite() {
        let (mut data, parts) = digits();
        bytes(&mut data).fill(7);
        let made = rows(&data, &spec("standardize"), &parts).expect("known scale");
        assert_eq!(made.scaler.deviation, 1e-3);
        assert!(made.features.iter().all(|value| value.abs() < 1e-3));
    }

    #[test]
    fn refuses_unknown_scales_and_rows_that_are_not_there() {
        let (data, parts) = digits();
        assert!(rows(&data, &spec("log"), &parts).is_err());
        let mut beyond = parts.clone();
        beyond.train.push(u32::MAX);
        assert!(rows(&data, &spec("standardize"), &beyond).is_err());
        let mut none = parts.clone();
        none.train.clear();
        assert!(rows(&data, &spec("standardize"), &none).is_err());
        let mut short = data;
        bytes(&mut short).pop();
        assert!(rows(&short, &spec("unit"), &parts).is_err());
    }
}
