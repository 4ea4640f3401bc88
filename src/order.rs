//! Sorting for everything but numbers in bulk, by one copy of the sort's code; the order is that of the standard library.
//!
//! The standard library's sort and a `BTreeMap` collected from an iterator, which sorts, are 2 to 6 kB of the page's module
//! for each type.

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Sorts stably: as `items.sort_by(compare)`.
pub fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let mut from = positions(items.len(), &|a, b| compare(&items[a], &items[b]));
    // Along each cycle of the permutation: what belongs to `place` stands at `from[place]`.
    for start in 0..from.len() {
        let mut place = start;
        loop {
            let next = std::mem::replace(&mut from[place], place);
            if next == start {
                break;
            }
            items.swap(place, next);
            place = next;
        }
    }
}

/// Sorts stably: as `items.sort()`.
pub fn sort<T: Ord>(items: &mut [T]) {
    sort_by(items, Ord::cmp);
}

/// Where the first, second, … of `count` things in order stand; equal ones as they stood.
#[must_use]
pub fn positions(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut positions: Vec<usize> = (0..count).collect();
    positions.sort_by(|a, b| compare(*a, *b));
    positions
}

/// Each of some numbers once, ascending: as a `BTreeSet` of them, which is looked into by `binary_search`.
pub fn distinct(numbers: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut distinct: Vec<u32> = numbers.collect();
    ascending(&mut distinct);
    distinct.dedup();
    distinct
}

/// Sorts numbers: as `numbers.sort_unstable()`.
#[inline(never)]
pub fn ascending(numbers: &mut [u32]) {
    numbers.sort_unstable();
}

/// Sorts numbers: as `numbers.sort_by(f32::total_cmp)`, whose order is that of these integers.
pub fn reals(numbers: &mut [f32]) {
    let mut keys: Vec<u32> = (numbers.iter())
        .map(|number| number.to_bits())
        .map(|bits| {
            if bits >> 31 == 0 {
                bits | 1 << 31
            } else {
                !bits
            }
        })
        .collect();
    ascending(&mut keys);
    for (number, key) in numbers.iter_mut().zip(keys) {
        *number = f32::from_bits(if key >> 31 == 0 {
            !key
        } else {
            key & !(1 << 31)
        });
    }
}

/// A map of entries, of which the last with a key counts: as `entries.collect()`.
pub fn map<K: Ord, V>(entries: impl Iterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    for (key, value) in entries {
        map.insert(key, value);
    }
    map
}

/// A map of entries that may fail, the first failure of which counts: as `entries.collect()`.
///
/// # Errors
/// That of an entry.
pub fn try_map<K: Ord, V, E>(
    entries: impl Iterator<Item = std::result::Result<(K, V), E>>,
) -> std::result::Result<BTreeMap<K, V>, E> {
    let mut map = BTreeMap::new();
    for entry in entries {
        let (key, value) = entry?;
        map.insert(key, value);
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    #[test]
    fn sorts_as_the_standard_library() {
        let mut random = Stream::new(1, "order", 0);
        for count in (0..70).chain([1000]) {
            let items: Vec<(u32, usize)> = (0..count)
                .map(|at| (random.below(1 + count as u32 / 3), at))
                .collect();
            let (mut own, mut other) = (items.clone(), items.clone());
            sort_by(&mut own, |a, b| b.0.cmp(&a.0));
            other.sort_by_key(|item| std::cmp::Reverse(item.0));
            assert_eq!(own, other);
            sort(&mut own);
            other.sort();
            assert_eq!(own, other);
        }
    }

    #[test]
    fn reals_are_sorted_as_ieee_754_orders_them() {
        let mut random = Stream::new(1, "reals", 0);
        let special = [
            0.0,
            -0.0,
            f32::NAN,
            -f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            1e-45,
        ];
        let drawn = (0..1000).map(|_| f32::from_bits(random.key() as u32));
        let mut own: Vec<f32> = special.into_iter().chain(drawn).collect();
        let mut other = own.clone();
        reals(&mut own);
        other.sort_by(f32::total_cmp);
        let bits =
            |numbers: &[f32]| -> Vec<u32> { numbers.iter().map(|it| it.to_bits()).collect() };
        assert_eq!(bits(&own), bits(&other));
    }

    #[test]
    fn distinct_numbers_are_those_of_a_set() {
        let numbers = [5, 1, 5, 9, 1];
        assert_eq!(distinct(numbers.into_iter()), [1, 5, 9]);
        assert!(distinct(std::iter::empty()).is_empty());
    }

    #[test]
    fn the_last_entry_with_a_key_counts() {
        let entries = [("b", 1), ("a", 2), ("b", 3)];
        assert_eq!(map(entries.into_iter()), entries.into_iter().collect());
        let mut failing = entries.map(Ok::<_, u32>);
        assert_eq!(try_map(failing.into_iter()), Ok(map(entries.into_iter())));
        failing[1] = Err(7);
        assert_eq!(try_map(failing.into_iter()), Err(7));
    }
}
