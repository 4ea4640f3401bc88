//! Where an axis begins and ends and what stands at its ticks; it draws nothing.

use crate::runlog::words::significant;

/// An axis over finite values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    /// Ends in the coordinate that is drawn: the value, or its decimal logarithm.
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) log: bool,
    /// Values with their labels, ascending.
    pub(super) ticks: Vec<(f64, String)>,
    /// Quantity and unit.
    pub(super) title: String,
}

/// What an axis should look like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish<'a> {
    pub(super) title: &'a str,
    /// About how many ticks there is room for.
    pub(super) ticks: usize,
    /// A logarithmic axis, if all values are positive.
    pub(super) log: bool,
    /// Values that the axis includes beside the data.
    pub(super) include: &'a [f64],
    /// Ends that the axis does not pass by padding, such as 0 and 100 for a percentage.
    pub(super) within: (f64, f64),
    /// Ticks at whole numbers only.
    pub(super) whole: bool,
    /// The shortest range that a linear axis shows, so that noise does not look like a difference.
    pub(super) least: f64,
}

impl Axis {
    /// An axis over the finite ones of `values`; `None` where there are none.
    pub(super) fn over(values: impl Iterator<Item = f64>, wish: Wish<'_>) -> Option<Self> {
        let finite: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        if finite.is_empty() {
            return None;
        }
        let all = || finite.iter().chain(wish.include).copied();
        let low = all().fold(f64::INFINITY, f64::min);
        let high = all().fold(f64::NEG_INFINITY, f64::max);
        let log = wish.log && low > 0.0;
        let (low, high) = if log {
            padded(low.log10(), high.log10(), 0.02)
        } else {
            let more = ((wish.least - (high - low)) / 2.0).max(0.0);
            padded(low - more, high + more, if wish.whole { 0.0 } else { 0.05 })
        };
        let (within_low, within_high) = if log {
            (f64::NEG_INFINITY, f64::INFINITY)
        } else {
            wish.within
        };
        let (low, high) = (
            if low.is_finite() {
                low.max(within_low)
            } else {
                -1e300
            },
            if high.is_finite() {
                high.min(within_high)
            } else {
                1e300
            },
        );
        let (low, high) = if low < high {
            (low, high)
        } else {
            (low, low + 1.0)
        };
        let values = if log {
            log_ticks(low, high, wish.ticks)
        } else {
            linear_ticks(low, high, wish.ticks, wish.whole)
        };
        let ticks = values
            .into_iter()
            .map(|value| (value, label(value)))
            .collect();
        Some(Self {
            low,
            high,
            log,
            ticks,
            title: if log {
                format!("{} (log)", wish.title)
            } else {
                wish.title.into()
            },
        })
    }

    /// The drawn coordinate of a value, kept within the axis; `None` for what cannot be drawn.
    pub(super) fn at(&self, value: f64) -> Option<f64> {
        let coordinate = if self.log { value.log10() } else { value };
        if coordinate.is_nan() {
            return None;
        }
        Some(coordinate.clamp(self.low, self.high))
    }
}

/// Room on both sides; a range without length gets one around its value.
fn padded(low: f64, high: f64, share: f64) -> (f64, f64) {
    let length = high - low;
    // Below that the ends of a range have the same label.
    if length > (low.abs() + high.abs()) * 1e-10 && length > 1e-300 {
        (low - length * share, high + length * share)
    } else {
        let half = if low.abs() < 1e-299 {
            0.5
        } else {
            low.abs() * 0.1
        };
        (low - half, high + half)
    }
}

/// Multiples of 1, 2 or 5 times a power of ten.
fn linear_ticks(low: f64, high: f64, wanted: usize, whole: bool) -> Vec<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a dozen at most")]
    let rough = (high - low) / wanted.clamp(2, 12) as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let mut step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(10.0 * power);
    if whole {
        step = step.round().max(1.0);
    }
    let first = (low / step - 1e-9).ceil();
    (0..20)
        .map(|index| (first + f64::from(index)) * step)
        // Negative zero, and 0.30000000000000004.
        .map(|value| crate::runlog::words::rounded(value, 12) + 0.0)
        .take_while(|value| *value <= high + step * 1e-9)
        .collect()
}

/// Powers of ten, with 2 and 5 between them where there is room; less than a decade is divided evenly.
fn log_ticks(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let decades = high - low;
    let inside = |value: &f64| (low - 1e-9..=high + 1e-9).contains(&value.log10());
    #[expect(
        clippy::cast_possible_truncation,
        reason = "logarithms of finite numbers are from -324 to 309"
    )]
    let powers = || (low.floor() as i32..=high.ceil() as i32).map(|power| 10_f64.powi(power));
    #[expect(clippy::cast_precision_loss, reason = "a dozen at most")]
    let room = wanted.clamp(2, 12) as f64;
    if decades * 3.0 <= room {
        let fine: Vec<f64> = powers()
            .flat_map(|power| [power, 2.0 * power, 5.0 * power])
            .filter(inside)
            .collect();
        if fine.len() >= 2 {
            return fine;
        }
        return linear_ticks(10_f64.powf(low), 10_f64.powf(high), wanted, false)
            .into_iter()
            .filter(inside)
            .collect();
    }
    if decades * 1.8 <= room {
        return powers()
            .flat_map(|power| [power, 3.0 * power])
            .filter(inside)
            .collect();
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small positive number"
    )]
    let every = (decades / room).ceil().max(1.0) as usize;
    powers().filter(inside).step_by(every).collect()
}

fn label(value: f64) -> String {
    let text = significant(value, 12);
    match text.split_once('.') {
        Some((whole, fraction)) if !text.contains('e') => {
            let fraction = fraction.trim_end_matches('0');
            if fraction.is_empty() {
                whole.into()
            } else {
                format!("{whole}.{fraction}")
            }
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WISH: Wish<'_> = Wish {
        title: "time, ms",
        ticks: 6,
        log: false,
        include: &[],
        within: (f64::NEG_INFINITY, f64::INFINITY),
        whole: false,
        least: 0.0,
    };

    fn labels(values: &[f64], wish: Wish<'_>) -> Vec<String> {
        let axis = Axis::over(values.iter().copied(), wish).expect("finite");
        assert!(axis.low < axis.high);
        assert!(axis.ticks.len() <= 20);
        axis.ticks.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(
            labels(&[0.0, 1.0], WISH),
            ["0", "0.2", "0.4", "0.6", "0.8", "1"]
        );
        assert_eq!(
            labels(
                &[1.0, 12.0],
                Wish {
                    whole: true,
                    ..WISH
                }
            ),
            ["2", "4", "6", "8", "10", "12"]
        );
        assert_eq!(
            labels(&[0.1, 100.0], Wish { log: true, ..WISH }),
            ["0.1", "0.3", "1", "3", "10", "30", "100"]
        );
        assert_eq!(
            labels(&[0.21, 0.24], Wish { log: true, ..WISH }),
            ["0.21", "0.22", "0.23", "0.24"]
        );
        assert_eq!(
            labels(&[1234.0, 9876.0], WISH),
            ["2,000", "4,000", "6,000", "8,000", "10,000"]
        );
    }

    #[test]
    fn every_range_has_an_axis_or_none() {
        assert_eq!(
            Axis::over([f64::NAN, f64::INFINITY].into_iter(), WISH),
            None
        );
        for values in [
            [0.0, 0.0],
            [-3.0, -3.0],
            [f64::MIN, f64::MAX],
            [f64::MIN_POSITIVE, f64::MAX],
            [1.0, 1.0 + f64::EPSILON],
            [1e-310, 2e-310],
        ] {
            for log in [false, true] {
                for whole in [false, true] {
                    labels(&values, Wish { log, whole, ..WISH });
                }
            }
        }
    }
}
