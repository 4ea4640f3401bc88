//! The sum and the maximum of a row in one fixed order, and whether all of it is finite; sums over rows are `elementwise`'s and `norm`'s.
//!
//! Number i goes to partial i mod 8, ascending; the partials are added ((0+4)+(2+6))+((1+5)+(3+7)). The order belongs to
//! the row alone: not to the machine's lanes, nor to how many rows there are.

use crate::lanes::F32x4;

/// The sum of a row; +0 for an empty one.
#[inline]
#[must_use]
pub fn sum(row: &[f32]) -> f32 {
    sum_of(row, |x| x)
}

/// The sum of `of(x)` over a row.
#[inline(always)]
#[must_use]
pub fn sum_of(row: &[f32], of: impl Fn(F32x4) -> F32x4) -> f32 {
    sum_of_pairs(row, row, |x, _| of(x))
}

/// The sum of `of(x, y)` over two rows of one length; of the longer one the rest is left out.
#[inline(always)]
#[must_use]
pub fn sum_of_pairs(left: &[f32], right: &[f32], of: impl Fn(F32x4, F32x4) -> F32x4) -> f32 {
    let add = |sum: F32x4, terms: F32x4| sum + terms;
    folded(left, right, F32x4::zero(), of, add, |a, b| a + b)
}

/// The largest number of a row, NaN passed over; −∞ for an empty row and for one of NaN alone.
#[inline]
#[must_use]
pub fn maximum(row: &[f32]) -> f32 {
    folded(
        row,
        row,
        F32x4::splat(f32::NEG_INFINITY),
        |x, _| x,
        |largest, x| x.max(largest),
        larger,
    )
}

/// Eight partials from `start`, which changes nothing when it is folded in: so it fills up the last eight.
#[inline(always)]
fn folded(
    left: &[f32],
    right: &[f32],
    start: F32x4,
    of: impl Fn(F32x4, F32x4) -> F32x4,
    lanes: impl Fn(F32x4, F32x4) -> F32x4,
    numbers: impl Fn(f32, f32) -> f32,
) -> f32 {
    let (left_fours, left_rest) = left.as_chunks::<4>();
    let (right_fours, right_rest) = right.as_chunks::<4>();
    let [mut low, mut high] = [start; 2];
    let (left_pairs, left_four) = left_fours.as_chunks::<2>();
    let (right_pairs, right_four) = right_fours.as_chunks::<2>();
    for (left, right) in left_pairs.iter().zip(right_pairs) {
        low = lanes(low, of(F32x4::load(&left[0]), F32x4::load(&right[0])));
        high = lanes(high, of(F32x4::load(&left[1]), F32x4::load(&right[1])));
    }
    let mut last = start;
    if !left_rest.is_empty() {
        let found = of(F32x4::from_rest(left_rest), F32x4::from_rest(right_rest)).to_array();
        let mut filled = start.to_array();
        for (lane, found) in filled.iter_mut().zip(found).take(left_rest.len()) {
            *lane = found;
        }
        last = F32x4::from(filled);
    }
    let (even, odd) = match (left_four, right_four) {
        ([left], [right]) => (of(F32x4::load(left), F32x4::load(right)), last),
        _ => (last, start),
    };
    let all = lanes(lanes(low, even), lanes(high, odd));
    of_lanes(all, numbers)
}

/// The last steps, from four sums of two partials each: (lane 0 + lane 2) + (lane 1 + lane 3).
#[inline(always)]
pub(crate) fn of_lanes(all: F32x4, numbers: impl Fn(f32, f32) -> f32) -> f32 {
    let [first, second, third, fourth] = all.to_array();
    numbers(numbers(first, third), numbers(second, fourth))
}

/// `a > b ? a : b`.
#[inline(always)]
pub(crate) fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// Whether no number is NaN or infinite: those, and only those, are not zero when they are taken from themselves.
#[inline(never)]
#[must_use]
pub fn are_finite(numbers: &[f32]) -> bool {
    sum_of_pairs(numbers, numbers, |x, same| x - same) == 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{U, assert_bits, assert_within, drawn};

    /// The definition.
    fn plain(row: &[f32], start: f32, fold: impl Fn(f32, f32) -> f32) -> f32 {
        let mut partial = [start; 8];
        for (index, &x) in row.iter().enumerate() {
            partial[index % 8] = fold(partial[index % 8], x);
        }
        let [a, b, c, d, e, f, g, h] = partial;
        fold(fold(fold(a, e), fold(c, g)), fold(fold(b, f), fold(d, h)))
    }

    #[test]
    fn what_is_not_finite_is_found() {
        let mut numbers = vec![1.0, -0.0, f32::MIN_POSITIVE, f32::MAX, f32::MIN];
        assert!(are_finite(&numbers));
        for other in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            numbers[2] = other;
            assert!(!are_finite(&numbers), "{other}");
        }
    }

    #[test]
    fn sums_and_maxima_have_the_bits_of_the_definition() {
        for length in (0..40).chain([63, 64, 65, 127, 1000, 1021]) {
            let row = drawn(length, length as u64);
            let other = drawn(length, 7);
            let products: Vec<f32> = row.iter().zip(&other).map(|(a, b)| a * b).collect();
            let what = format!("length {length}");
            assert_bits(&[sum(&row)], &[plain(&row, 0.0, |a, b| a + b)], &what);
            assert_bits(
                &[sum_of_pairs(&row, &other, |a, b| a * b)],
                &[plain(&products, 0.0, |a, b| a + b)],
                &what,
            );
            let moved: Vec<f32> = row.iter().map(|x| x - 2.0).collect();
            assert_bits(
                &[sum_of(&row, |x| x - F32x4::splat(2.0))],
                &[plain(&moved, 0.0, |a, b| a + b)],
                &what,
            );
            assert_bits(
                &[maximum(&moved)],
                &[plain(&moved, f32::NEG_INFINITY, |largest, x| {
                    larger(x, largest)
                })],
                &what,
            );
        }
    }

    #[test]
    fn a_sum_is_within_its_bound_of_the_exact_one() {
        let row = drawn(1021, 3);
        let exact: f64 = row.iter().copied().map(f64::from).sum();
        let size: f64 = row.iter().copied().map(f32::abs).map(f64::from).sum();
        // 1021 / 8 additions to a partial, three more among them.
        assert_within(&[sum(&row)], &[exact], |_| 131.0 * U * size, "sum");
    }

    #[test]
    fn nan_spoils_a_sum_and_not_a_maximum() {
        let mut row = drawn(21, 1);
        row[20] = f32::NAN;
        row[3] = 5.0;
        assert!(sum(&row).is_nan());
        assert_eq!(maximum(&row), 5.0);
        assert_eq!(maximum(&[f32::NAN]), f32::NEG_INFINITY);
        assert_eq!(maximum(&[]), f32::NEG_INFINITY);
        assert_bits(&[sum(&[-0.0])], &[0.0], "a sum starts from +0");
    }
}
