//! Rows as a model sees them: one f32 per value, scaled; nothing is cropped, augmented or dropped.

use super::{Dataset, Split};
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
/// # Errors
/// [`Error::BadInput`] for another scale, for pixels that do not fill the rows, or for a training row that is not there.
pub fn rows(data: &Dataset, spec: &PreprocessingSpec, parts: &Split) -> Result<Rows> {
    let expected = data.labels.len().saturating_mul(data.row_len());
    if data.max_value == 0 || data.pixels.len() != expected {
        return Err(Error::bad_input(
            format!("pixels of {}", data.set),
            format!("{expected} values and a largest value above 0"),
            format!(
                "{} values and a largest of {}",
                data.pixels.len(),
                data.max_value
            ),
        ));
    }
    let scaler = match spec.scale.as_str() {
        "unit" => Scaler {
            mean: 0.0,
            deviation: 1.0,
        },
        "standardize" => standard(data, &parts.train)?,
        other => {
            return Err(Error::bad_input(
                "preprocessing.scale",
                "unit or standardize",
                other,
            ));
        }
    };
    // One division per possible value instead of per pixel.
    let largest = f32::from(data.max_value);
    let scaled: Vec<f32> = (0..=u8::MAX)
        .map(|value| scaler.one(f32::from(value) / largest))
        .collect();
    Ok(Rows {
        features: data
            .pixels
            .iter()
            .map(|value| scaled[usize::from(*value)])
            .collect(),
        labels: data.labels.clone(),
        shape: data.shape(),
        scaler,
    })
}

/// Mean and deviation over all values of the rows `train`, from exact integer sums: no order of addition can matter.
fn standard(data: &Dataset, train: &[u32]) -> Result<Scaler> {
    let (mut count, mut sum, mut squares) = (0u64, 0u64, 0u64);
    for row in train {
        let values = data.row(*row);
        if values.is_empty() {
            return Err(Error::bad_input(
                "training rows",
                format!("row numbers below {}", data.rows()),
                row.to_string(),
            ));
        }
        count += values.len() as u64;
        for value in values {
            sum += u64::from(*value);
            squares += u64::from(*value) * u64::from(*value);
        }
    }
    if count == 0 {
        return Err(Error::bad_input("training rows", "at least one", "none"));
    }
    let largest = f64::from(data.max_value);
    let mean = sum as f64 / count as f64;
    // n·Σx² − (Σx)² is an exact integer, at least 0 (Cauchy and Schwarz).
    let spread = u128::from(count) * u128::from(squares) - u128::from(sum) * u128::from(sum);
    let deviation = libm::sqrt(spread as f64) / count as f64;
    Ok(Scaler {
        mean: (mean / largest) as f32,
        deviation: (deviation / largest).max(DEVIATION_FLOOR) as f32,
    })
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

    #[test]
    fn unit_divides_by_the_largest_value() {
        let (data, parts) = digits();
        let made = rows(&data, &spec("unit"), &parts).expect("known scale");
        assert_eq!(made.features.len(), 1797 * 64);
        assert_eq!(made.shape, [1, 8, 8]);
        for (feature, pixel) in made.features.iter().zip(&data.pixels) {
            assert_eq!(*feature, f32::from(*pixel) / 16.0);
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
            data.pixels[*row as usize * 64..(*row as usize + 1) * 64].fill(16);
        }
        assert_eq!(
            rows(&data, &spec("standardize"), &parts)
                .expect("known scale")
                .scaler,
            before
        );
        data.pixels[parts.train[0] as usize * 64] = 16;
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
            let drawn: Vec<f32> = data
                .row(9)
                .iter()
                .map(|value| f32::from(*value) / 16.0)
                .collect();
            assert_eq!(made.scaler.apply(&drawn), made.features[9 * 64..10 * 64]);
        }
    }

    #[test]
    fn constant_pixels_stay_finite() {
        let (mut data, parts) = digits();
        data.pixels.fill(7);
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
        short.pixels.pop();
        assert!(rows(&short, &spec("unit"), &parts).is_err());
    }
}
