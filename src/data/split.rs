//! Division of rows into training, validation and test parts, class by class, by seed alone; it looks at no pixel.

use super::Dataset;
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
/// # Errors
/// [`Error::BadInput`] where a share is not above 0 and at most 0.5, a label has no class, or a class has too few rows
/// to give each part one.
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

/// `share` of `rows`, to the nearest whole row and at least one.
fn rounded(rows: usize, share: f64) -> usize {
    ((rows as f64 * share + 0.5) as usize).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::load;
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
            max_value: 1,
            pixels: vec![0; labels.len()],
            labels,
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
}
