//! Every operation of this machine's lanes has the bits of the plain arrays, special values included.

use super::*;

/// Numbers at which machines are known to differ, and some ordinary ones.
const SPECIAL: [f32; 20] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    -f32::NAN,
    f32::MIN_POSITIVE,
    1e-45,
    -1e-45,
    1.1e-38,
    f32::MAX,
    f32::MIN,
    3.5,
    -2.25,
    0.1,
    1.0e-20,
    8_388_609.0,
    -7.0e8,
];

/// NaN has one form here: which of two NaN an operation returns is the machine's choice.
fn bits(value: f32) -> u32 {
    if value.is_nan() {
        f32::NAN.to_bits()
    } else {
        value.to_bits()
    }
}

fn same(found: F32x4, wanted: [f32; 4], what: &str, a: [f32; 4], b: [f32; 4]) {
    assert_eq!(
        found.to_array().map(bits),
        wanted.map(bits),
        "{what} of {a:?} and {b:?}"
    );
}

fn pairs() -> impl Iterator<Item = ([f32; 4], [f32; 4])> {
    (0..SPECIAL.len()).flat_map(|first| {
        (0..SPECIAL.len()).map(move |second| {
            let lanes = |start: usize, step: usize| {
                std::array::from_fn(|lane| SPECIAL[(start + step * lane) % SPECIAL.len()])
            };
            (lanes(first, 1), lanes(second, 7))
        })
    })
}

#[test]
fn operations_have_the_bits_of_arrays() {
    for (a, b) in pairs() {
        let (x, y) = (F32x4::from(a), F32x4::from(b));
        same(x + y, plain::add(a, b), "sum", a, b);
        same(x - y, plain::sub(a, b), "difference", a, b);
        same(x * y, plain::mul(a, b), "product", a, b);
        same(x / y, plain::div(a, b), "quotient", a, b);
        same(x.sqrt(), plain::sqrt(a), "root", a, b);
        same(x.max(y), plain::max(a, b), "maximum", a, b);
        same(x.min(y), plain::min(a, b), "minimum", a, b);
        same(x.abs(), a.map(f32::abs), "absolute value", a, b);
        same(-x, a.map(|value| -value), "negation", a, b);
        same(x.zip_low(y), plain::zip_low(a, b), "zip_low", a, b);
        same(x.zip_high(y), plain::zip_high(a, b), "zip_high", a, b);
        let masks = [
            (x.lt(y), plain::lt(a, b)),
            (x.gt(y), plain::lt(b, a)),
            (x.eq(y), plain::eq(a, b)),
        ];
        for (found, wanted) in masks {
            let kept = plain::select(wanted, a, b);
            same(found.select(x, y), kept, "choice", a, b);
            let kept = plain::select(wanted, a, [0.0; 4]);
            same(found.keep(x), kept, "keeping", a, b);
            let left = plain::select(wanted, [0.0; 4], a);
            same(found.drop(x), left, "dropping", a, b);
        }
        let (first, second) = (plain::bits(a), plain::bits(b));
        let (x, y) = (x.bits(), y.bits());
        let integers = [
            (x + y, plain::add_integers(first, second)),
            (x - y, plain::sub_integers(first, second)),
            (x & y, plain::and(first, second)),
            (x | y, plain::or(first, second)),
            (x ^ y, plain::xor(first, second)),
            (x << By::<23>, plain::shift_left::<23>(first)),
        ];
        for (found, wanted) in integers {
            assert_eq!(
                found.floats().to_array().map(bits),
                plain::floats(wanted).map(bits)
            );
        }
    }
}

#[test]
fn a_maximum_is_the_second_number_where_nothing_is_larger() {
    let x = F32x4::from([f32::NAN, 1.0, -0.0, 0.0]);
    let y = F32x4::from([1.0, f32::NAN, 0.0, -0.0]);
    assert_eq!(x.max(y).to_array().map(bits), y.to_array().map(bits));
    assert_eq!(x.min(y).to_array().map(bits), y.to_array().map(bits));
}

#[test]
fn signs_move_and_lanes_keep_their_order() {
    let x = F32x4::from([-1.0, 2.0, -0.0, f32::NEG_INFINITY]);
    let moved = x.sign_onto(F32x4::splat(3.0)).to_array();
    assert_eq!(moved, [-3.0, 3.0, -3.0, -3.0]);
    assert_eq!(x.first(), -1.0);
    let rows = std::array::from_fn(|row| {
        F32x4::from(std::array::from_fn(|column| (10 * row + column) as f32))
    });
    for (column, lanes) in F32x4::transposed(rows).into_iter().enumerate() {
        let wanted: [f32; 4] = std::array::from_fn(|row| (10 * row + column) as f32);
        assert_eq!(lanes.to_array(), wanted);
    }
}

#[test]
fn ends_of_rows_fill_up_with_zeros_and_drop_what_is_beyond() {
    let x = F32x4::from_rest(&[1.0, 2.0, 3.0]);
    assert_eq!(x.to_array(), [1.0, 2.0, 3.0, 0.0]);
    let mut row = [9.0; 2];
    x.write_to_rest(&mut row);
    assert_eq!(row, [1.0, 2.0]);
    let mut row = [0.0; 5];
    F32x4::from_slice(&[4.0, 5.0, 6.0, 7.0, 8.0]).write_to(&mut row);
    assert_eq!(row, [4.0, 5.0, 6.0, 7.0, 0.0]);
}

#[test]
fn places_with_a_stride_are_checked_once_and_exactly() {
    let numbers: Vec<f32> = (0..14).map(|index| index as f32).collect();
    let loaded = F32x4::load_strided::<3>(&numbers, 5);
    assert_eq!(loaded[2].to_array(), [10.0, 11.0, 12.0, 13.0]);
    let mut written = vec![0.0; 14];
    F32x4::store_strided(loaded, &mut written, 5);
    assert_eq!(written[5..9], [5.0, 6.0, 7.0, 8.0]);
    assert_eq!(written[4], 0.0);
    let run = F32x4::load_run::<3>(&numbers);
    F32x4::store_run(run, &mut written);
    assert_eq!(written[..12], numbers[..12]);
    for (length, stride) in [
        (13, 5),
        (14, 6),
        (3, 0),
        (14, MAX_STRIDE + 1),
        (14, usize::MAX / 2 + 1),
    ] {
        let short = numbers[..length].to_vec();
        assert!(std::panic::catch_unwind(|| F32x4::load_strided::<3>(&short, stride)).is_err());
        let write = || F32x4::store_strided(loaded, &mut short.clone(), stride);
        assert!(std::panic::catch_unwind(write).is_err());
    }
}

#[test]
fn a_grid_is_checked_once_and_exactly() {
    let numbers: Vec<f32> = (0..30).map(|index| index as f32).collect();
    let grid = Grid::<3>::new(&numbers, 2, [13, 6], 5);
    assert_eq!(grid.load(1, 2, 1).to_array(), [26.0, 27.0, 28.0, 29.0]);
    for (row, column, offset) in [(2, 0, 0), (0, 3, 0), (0, 0, 2), (0, 0, usize::MAX)] {
        assert!(std::panic::catch_unwind(|| grid.load(row, column, offset)).is_err());
    }
    for (rows, strides, span) in [
        (2, [13, 6], 6),
        (3, [13, 6], 5),
        (65, [0, 0], 4),
        (2, [MAX_STRIDE + 1, 0], 4),
        (2, [usize::MAX, 0], 4),
        (2, [0, usize::MAX / 2 + 1], 4),
        (1, [0, 0], usize::MAX),
    ] {
        assert!(
            std::panic::catch_unwind(|| Grid::<3>::new(&numbers, rows, strides, span)).is_err()
        );
    }
    // A single place may be as large as the slice, wherever the next row would be.
    assert_eq!(
        Grid::<1>::new(&numbers, 1, [1000, 7], 30)
            .load(0, 0, 26)
            .to_array()[3],
        29.0
    );
}
