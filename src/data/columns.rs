//! Measured numbers as a model sees them: each column scaled by itself, what is missing replaced; it drops no row.

/// The smallest range or deviation that is divided by. A column that hardly differs would blow up otherwise.
const FLOOR: f64 = 1e-12;

/// `rows × columns` numbers, each column moved and stretched by what its finite values are in the rows `train`: from their
/// smallest to their largest onto 0 to 1, or, `standardized`, to mean 0 and deviation 1.
///
/// What is missing or not finite becomes the training rows' mean. A column without one finite value there becomes 0.
pub(super) fn scaled(
    values: &[f32],
    columns: usize,
    train: &[u32],
    standardized: bool,
) -> Vec<f32> {
    let mut features = vec![0.0; values.len()];
    for column in 0..columns {
        let Some(scale) = Scale::of(values, columns, column, train, standardized) else {
            continue;
        };
        for place in (column..values.len()).step_by(columns) {
            let value = f64::from(values[place]);
            let value = if value.is_finite() { value } else { scale.mean };
            features[place] = ((value - scale.start) / scale.range) as f32;
        }
    }
    features
}

/// What a column is moved and stretched by.
struct Scale {
    mean: f64,
    start: f64,
    range: f64,
}

impl Scale {
    fn of(
        values: &[f32],
        columns: usize,
        column: usize,
        train: &[u32],
        standardized: bool,
    ) -> Option<Self> {
        let finite = || {
            (train.iter())
                .filter_map(|row| values.get(*row as usize * columns + column))
                .map(|value| f64::from(*value))
                .filter(|value| value.is_finite())
        };
        let count = finite().count();
        if count == 0 {
            return None;
        }
        let mean = finite().sum::<f64>() / count as f64;
        let (start, range) = if standardized {
            let squares: f64 = finite().map(|value| (value - mean) * (value - mean)).sum();
            (mean, libm::sqrt(squares / count as f64))
        } else {
            let low = finite().fold(f64::INFINITY, f64::min);
            (low, finite().fold(f64::NEG_INFINITY, f64::max) - low)
        };
        Some(Self {
            mean,
            start,
            range: if range > FLOOR { range } else { 1.0 },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: [f32; 12] = [
        1.0,
        100.0,
        7.0, //
        3.0,
        f32::NAN,
        7.0, //
        5.0,
        300.0,
        7.0, //
        9.0,
        f32::INFINITY,
        f32::NAN,
    ];

    #[test]
    fn each_column_is_stretched_by_its_own_training_rows() {
        let made = scaled(&VALUES, 3, &[0, 1, 2], false);
        assert_eq!(made[0], 0.0);
        assert_eq!(made[3], 0.5);
        assert_eq!(made[6], 1.0);
        assert_eq!(made[9], 2.0);
        assert_eq!((made[1], made[7]), (0.0, 1.0));
    }

    #[test]
    fn what_is_missing_becomes_the_mean_and_a_constant_stays_finite() {
        for standardized in [false, true] {
            let made = scaled(&VALUES, 3, &[0, 1, 2], standardized);
            let mean = if standardized { 0.0 } else { 0.5 };
            assert_eq!((made[4], made[10]), (mean, mean));
            assert!(made.iter().all(|value| value.is_finite()));
            assert_eq!((made[2], made[11]), (0.0, 0.0));
        }
        assert_eq!(scaled(&[f32::NAN; 4], 2, &[0, 1], true), [0.0; 4]);
    }

    #[test]
    fn standardized_columns_have_mean_0_and_deviation_1() {
        let made = scaled(&VALUES, 3, &[0, 1, 2], true);
        let column: Vec<f32> = (0..3).map(|row| made[row * 3]).collect();
        assert!(column.iter().sum::<f32>().abs() < 1e-6);
        let squares: f32 = column.iter().map(|value| value * value).sum();
        assert!((squares / 3.0 - 1.0).abs() < 1e-6);
    }
}
