//! Division of rows into training, validation and test parts, class by class or by whole groups; it looks at no value.

use super::{Dataset, Groups};
use crate::digest::Hasher;
use crate::error::{Error, Result};
use crate::order;
use crate::recipe::SplitSpec;
use crate::rng::Stream;

/// Row numbers of a [`Dataset`], each in exactly one part, ascending within a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows that train.
    pub train: Vec<u32>,
    /// Rows that choose the epoch to keep.
    pub validation: Vec<u32>,
    /// Rows that are scored once, at the end.
    pub test: Vec<u32>,
}

impl Split {
    /// SHA-256 of the three lists, in the order training, validation, test.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = Hasher::new();
        hasher.text("assay/split/1");
        for part in [&self.train, &self.validation, &self.test] {
            hasher.u32s(part);
        }
        hasher.finish()
    }
}

/// Divides the rows of `data`: each class is shuffled by its own stream (`split`, numbered by class), its first rows
/// test, the next validate, the rest train.
///
/// A share of a class is rounded to the nearest whole row, halves up, but never below one row.
///
/// A set with groups is divided by whole groups instead, see [`Groups`]: those that only test come first, and shares are
/// of groups. A class may then be missing from the rows that validate or test.
///
/// # Errors
/// [`Error::BadInput`] where a share is not above 0 and at most 0.5, a label has no class, a class has too few rows to give
/// each part one, there are too few groups to do so, or no group that trains has a row of some class.
pub fn split(data: &Dataset, spec: &SplitSpec, seed: u32) -> Result<Split> {
    for (path, share) in [
        ("split.validation", spec.validation),
        ("split.test", spec.test),
    ] {
        if !(share > 0.0 && share <= 0.5) {
            return Err(Error::bad_input(
                path,
                "a share above 0 and at most 0.5",
                share.to_string(),
            ));
        }
    }
    if let Some(groups) = &data.groups {
        return by_group(data, groups, spec, seed);
    }
    let mut by_class: Vec<Vec<u32>> = vec![Vec::new(); data.classes.len()];
    for row in 0..data.rows() {
        by_class[data.class_of(row as usize)?].push(row);
    }
    let mut parts = Split {
        train: Vec::new(),
        validation: Vec::new(),
        test: Vec::new(),
    };
    for (class, mut rows) in by_class.into_iter().enumerate() {
        let test = rounded(rows.len(), spec.test);
        let validation = rounded(rows.len(), spec.validation);
        if test + validation >= rows.len() {
            return Err(Error::bad_input(
                format!("split of class {} of {}", data.classes[class], data.set),
                format!(
                    "more than {} rows: {validation} to validate, {test} to test and at least one to train",
                    test + validation
                ),
                format!("{} rows", rows.len()),
            ));
        }
        Stream::new(seed, "split", class as u64).shuffle(&mut rows);
        parts.test.extend(&rows[..test]);
        parts.validation.extend(&rows[test..test + validation]);
        parts.train.extend(&rows[test + validation..]);
    }
    for part in [&mut parts.train, &mut parts.validation, &mut parts.test] {
        order::sort(part);
    }
    Ok(parts)
}

/// Groups are shuffled by the stream `split groups`; the first test, the next validate, the rest train.
fn by_group(data: &Dataset, groups: &Groups, spec: &SplitSpec, seed: u32) -> Result<Split> {
    if groups.of_row.len() != data.labels.len() {
        return Err(Error::bad_input(
            format!("groups of {}", data.set),
            format!("one for each of {} rows", data.labels.len()),
            groups.of_row.len().to_string(),
        ));
    }
    let all = order::distinct(groups.of_row.iter().copied());
    let reserved = order::distinct(groups.reserved.iter().copied());
    let mut free = all.clone();
    free.retain(|group| reserved.binary_search(group).is_err());
    let held = all.len() - free.len();
    let test = rounded(all.len(), spec.test).max(held) - held;
    let validation = rounded(all.len(), spec.validation);
    if test + validation >= free.len() {
        return Err(Error::bad_input(
            format!("split of the {}s of {}", groups.name, data.set),
            format!("more than {} that may train", test + validation),
            free.len().to_string(),
        ));
    }
    Stream::new(seed, "split groups", 0).shuffle(&mut free);
    let tests = order::distinct(free[..test].iter().copied().chain(reserved));
    let validates = order::distinct(free[test..test + validation].iter().copied());
    let mut parts = Split {
        train: Vec::new(),
        validation: Vec::new(),
        test: Vec::new(),
    };
    let mut trained = vec![false; data.classes.len()];
    for (row, group) in (0..data.rows()).zip(&groups.of_row) {
        let class = data.class_of(row as usize)?;
        if tests.binary_search(group).is_ok() {
            parts.test.push(row);
        } else if validates.binary_search(group).is_ok() {
            parts.validation.push(row);
        } else {
            trained[class] = true;
            parts.train.push(row);
        }
    }
    match trained.iter().position(|seen| !seen) {
        Some(class) => Err(Error::bad_input(
            format!("split of class {} of {}", data.classes[class], data.set),
            format!(
                "a row in a {} that trains; take more rows or another seed",
                groups.name
            ),
            "none",
        )),
        None => Ok(parts),
    }
}

/// `share` of `rows`, to the nearest whole row and at least one.
fn rounded(rows: usize, share: f64) -> usize {
    ((rows as f64 * share + 0.5) as usize).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Edited, Expected, Values, load};
    use crate::recipe::Extra;
    use std::collections::BTreeSet;

    fn spec(validation: f64, test: f64) -> SplitSpec {
        SplitSpec {
            validation,
            test,
            extra: Extra::new(),
        }
    }

    fn set(labels: Vec<u16>, classes: usize) -> Dataset {
        Dataset {
            set: "made up".into(),
            title: String::new(),
            attribution: String::new(),
            licence: String::new(),
            classes: (0..classes).map(|class| class.to_string()).collect(),
            channels: 1,
            height: 1,
            width: 1,
            values: Values::Bytes {
                max: 1,
                values: vec![0; labels.len()],
            },
            labels,
            groups: None,
            expected: Expected::unknown(classes),
            notes: Vec::new(),
            source: String::new(),
            edited: Edited::default(),
        }
    }

    /// Every claim about a split, or what is wrong with it.
    fn check(data: &Dataset, spec: &SplitSpec, parts: &Split) -> Result<(), String> {
        let all: Vec<u32> = [&parts.train, &parts.validation, &parts.test]
            .into_iter()
            .flatten()
            .copied()
            .collect();
        let distinct: BTreeSet<u32> = all.iter().copied().collect();
        if all.len() != distinct.len() {
            return Err("a row is in two parts".into());
        }
        if distinct != (0..data.rows()).collect() {
            return Err("a row is missing or made up".into());
        }
        for (part, share) in [
            (&parts.train, 1.0 - spec.validation - spec.test),
            (&parts.validation, spec.validation),
            (&parts.test, spec.test),
        ] {
            if !part.is_sorted() {
                return Err("a part is not ascending".into());
            }
            for (class, count) in data.class_counts().into_iter().enumerate() {
                let found = part
                    .iter()
                    .filter(|row| usize::from(data.labels[**row as usize]) == class)
                    .count() as f64;
                // Rounding moves validation and test by at most half a row each, hence training by at most one;
                // more only where a share of less than half a row was raised to one row.
                let count = f64::from(count);
                let raised = [spec.validation, spec.test]
                    .into_iter()
                    .filter(|share| count * share < 0.5);
                let slack = 1.0 + raised.count() as f64;
                if found < 1.0 || (found - share * count).abs() > slack {
                    return Err(format!("class {class}: {found} rows of {count}"));
                }
            }
        }
        Ok(())
    }

    #[test]
    fn parts_are_disjoint_complete_and_stratified() {
        let data = load("digits").expect("built in");
        for (validation, test) in [
            (0.2, 0.2),
            (0.05, 0.5),
            (0.5, 0.05),
            (0.333, 0.111),
            (0.49, 0.49),
        ] {
            for seed in [0, 1, 2, u32::MAX] {
                let spec = spec(validation, test);
                let parts = split(&data, &spec, seed).expect("enough rows");
                assert_eq!(
                    check(&data, &spec, &parts),
                    Ok(()),
                    "{validation} {test} {seed}"
                );
            }
        }
    }

    #[test]
    fn the_check_above_finds_what_it_claims_to() {
        let data = load("digits").expect("built in");
        let spec = spec(0.2, 0.2);
        let good = split(&data, &spec, 1).expect("enough rows");
        let mut doubled = good.clone();
        doubled.train[0] = doubled.test[0];
        let mut missing = good.clone();
        missing.train.pop();
        let mut unsorted = good.clone();
        unsorted.test.swap(0, 1);
        let mut uneven = good.clone();
        let zeros: Vec<u32> = good
            .train
            .iter()
            .copied()
            .filter(|row| data.labels[*row as usize] == 0)
            .take(10)
            .collect();
        uneven.train.retain(|row| !zeros.contains(row));
        uneven.test.extend(zeros);
        uneven.test.sort_unstable();
        for (name, broken) in [
            ("doubled", doubled),
            ("missing", missing),
            ("unsorted", unsorted),
            ("uneven", uneven),
        ] {
            assert!(check(&data, &spec, &broken).is_err(), "{name}");
        }
    }

    #[test]
    fn random_sets_and_shares_split_rightly_or_are_refused_in_words() {
        let mut random = Stream::new(7, "test", 0);
        let mut refused = 0;
        for _ in 0..300 {
            let classes = 1 + random.below(6) as usize;
            let rows = random.below(200);
            let labels = (0..rows)
                .map(|_| random.below(classes as u32) as u16)
                .collect();
            let data = set(labels, classes);
            let spec = spec(
                f64::from(random.unit()) * 0.49 + 0.01,
                f64::from(random.unit()) * 0.49 + 0.01,
            );
            match split(&data, &spec, random.below(u32::MAX)) {
                Ok(parts) => assert_eq!(check(&data, &spec, &parts), Ok(())),
                Err(error) => {
                    refused += 1;
                    assert_eq!(error.kind(), "bad-input");
                }
            }
        }
        assert!((10..200).contains(&refused), "{refused} refused");
    }

    #[test]
    fn seeds_differ_and_repeat() {
        let data = load("digits").expect("built in");
        let of = |seed| split(&data, &spec(0.2, 0.2), seed).expect("enough rows");
        assert_eq!(of(1), of(1));
        assert_ne!(of(1).digest(), of(2).digest());
    }

    #[test]
    fn refuses_what_cannot_be_divided() {
        let two = set(vec![0, 0, 0, 1, 1], 2);
        let message = split(&two, &spec(0.2, 0.2), 1)
            .expect_err("class 1 has two rows")
            .to_string();
        assert!(
            message.contains("class 1") && message.contains("2 rows"),
            "{message}"
        );
        assert!(split(&set(vec![0, 0, 0, 1, 1, 1], 2), &spec(0.2, 0.2), 1).is_ok());
        let empty_class = set(vec![0, 0, 0], 2);
        assert!(split(&empty_class, &spec(0.2, 0.2), 1).is_err());
        assert!(split(&set(vec![0; 10], 1), &spec(0.5, 0.5), 1).is_err());
        let wrong_label = set(vec![0, 0, 0, 3], 1);
        assert!(split(&wrong_label, &spec(0.2, 0.2), 1).is_err());
        for share in [f64::NAN, 0.0, -1.0, 0.51, f64::INFINITY] {
            assert!(
                split(&set(vec![0; 9], 1), &spec(share, 0.2), 1).is_err(),
                "{share}"
            );
            assert!(
                split(&set(vec![0; 9], 1), &spec(0.2, share), 1).is_err(),
                "{share}"
            );
        }
    }

    fn grouped(groups: &[u32], labels: Vec<u16>, reserved: Vec<u32>) -> Dataset {
        let mut data = set(labels, 2);
        data.groups = Some(Groups {
            name: "machine".into(),
            of_row: groups.to_vec(),
            reserved,
        });
        data
    }

    /// The parts that hold rows of a group.
    fn parts_of(group: u32, data: &Dataset, parts: &Split) -> Vec<&'static str> {
        let of_row = &data.groups.as_ref().expect("grouped").of_row;
        [
            ("train", &parts.train),
            ("validation", &parts.validation),
            ("test", &parts.test),
        ]
        .into_iter()
        .filter(|(_, rows)| rows.iter().any(|row| of_row[*row as usize] == group))
        .map(|(name, _)| name)
        .collect()
    }

    #[test]
    fn a_group_is_never_divided_and_a_reserved_one_only_tests() {
        let groups: Vec<u32> = (0..400).map(|row| row / 7 % 20).collect();
        let labels = (0..400).map(|row| row % 2).collect();
        let data = grouped(&groups, labels, vec![18, 19]);
        for seed in 0..20 {
            let parts = split(&data, &spec(0.1, 0.2), seed).expect("enough");
            let total = parts.train.len() + parts.validation.len() + parts.test.len();
            assert_eq!(total, 400);
            let mut counts = [0; 3];
            for group in 0..20 {
                let found = parts_of(group, &data, &parts);
                assert_eq!(found.len(), 1, "group {group} in {found:?}");
                counts[["train", "validation", "test"]
                    .iter()
                    .position(|it| *it == found[0])
                    .expect("known")] += 1;
            }
            assert_eq!(counts, [14, 2, 4]);
            assert_eq!(parts_of(18, &data, &parts), ["test"]);
            assert_eq!(parts_of(19, &data, &parts), ["test"]);
        }
        let mut leaked = split(&data, &spec(0.1, 0.2), 1).expect("enough");
        let moved = leaked.train.pop().expect("rows");
        leaked.test.push(moved);
        let group = data.groups.as_ref().expect("grouped").of_row[moved as usize];
        assert_eq!(parts_of(group, &data, &leaked).len(), 2);
    }

    #[test]
    fn refuses_groups_that_cannot_be_divided() {
        let labels = |count: u16| (0..count).map(|row| row % 2).collect::<Vec<_>>();
        let all_reserved = grouped(&[0, 0, 1, 1, 2, 2], labels(6), vec![0, 1]);
        assert!(split(&all_reserved, &spec(0.2, 0.2), 1).is_err());
        let two = grouped(&[0, 0, 1, 1], labels(4), vec![]);
        assert!(split(&two, &spec(0.2, 0.2), 1).is_err());
        let short = grouped(&[0, 1, 2], labels(4), vec![]);
        assert!(split(&short, &spec(0.2, 0.2), 1).is_err());
        // Class 1 is only in the group that tests.
        let one_sided = grouped(&[0, 1, 2, 3, 3], vec![0, 0, 0, 1, 1], vec![3]);
        let message = split(&one_sided, &spec(0.2, 0.2), 1)
            .expect_err("class 1 is not trained")
            .to_string();
        assert!(message.contains("class 1"), "{message}");
    }
}
