//! Two runs side by side: which fields of the recipe differ, and whether each figure is better, worse or cannot be told.
//!
//! It pairs no answers itself: the caller brings McNemar's test, which belongs to `eval`.

use super::record::Record;
use super::summary::flatten;
use super::words::rounded;
use crate::order;
use crate::result::{Latency, Paired};
use serde::Serialize;
use std::collections::BTreeMap;

/// Two records compared; "better" and "worse" are said of the second against the first.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// Fields of the recipe that differ, by path.
    pub fields: Vec<DifferingField>,
    /// The figures.
    pub metrics: Vec<Difference>,
    /// The answers on the same rows, where both have them.
    pub paired: Option<Paired>,
}

/// A field of the recipe that the two runs do not share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DifferingField {
    /// Dotted path.
    pub path: String,
    /// Value in the first, or empty where it is absent.
    pub a: String,
    /// Value in the second, or empty.
    pub b: String,
}

/// One figure of two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// A stable name for programs: `accuracy`, `p50_millis`, …
    pub name: String,
    /// What it is called.
    pub label: String,
    /// Unit of the two numbers, or empty.
    pub unit: String,
    /// In the first, absent where it was not measured.
    pub a: Option<f64>,
    /// In the second.
    pub b: Option<f64>,
    /// Second less first; percentage points where the unit is `%`.
    pub delta: Option<f64>,
    /// `better`, `worse`, `equal` or `can't tell`.
    pub verdict: String,
    /// Why, in words.
    pub reason: String,
}

const CANNOT_TELL: &str = "can't tell";

/// Compares two records. `paired` is McNemar's test on the rows that both were asked, where both have predictions.
#[must_use]
pub fn compare(a: &Record, b: &Record, paired: Option<Paired>) -> Comparison {
    // Two versions of one set have their rows in common.
    let same_data = !a.digests.data.is_empty() && a.digests.unedited() == b.digests.unedited();
    let paired = paired.filter(|_| same_data);
    let mut metrics = vec![accuracy(a, b, paired.as_ref(), same_data), test_loss(a, b)];
    for (name, label, side) in [
        (
            "p50_millis",
            "p50 latency, one row",
            [&a.results.latency, &b.results.latency],
        ),
        (
            "throughput_p50_millis",
            "p50 latency, batch",
            [&a.results.throughput, &b.results.throughput],
        ),
    ] {
        metrics.push(latency(name, label, a, b, side));
    }
    let doubt = |record: &Record| (record.results.agreement.as_ref()).is_some_and(|it| !it.agrees);
    if doubt(a) || doubt(b) {
        for metric in &mut metrics {
            metric.verdict = CANNOT_TELL.into();
            metric.reason = "The GPU of one of the runs disagrees with the CPU, so its figures count for nothing.".into();
        }
    }
    metrics.extend(sizes(a, b));
    Comparison {
        fields: fields(a, b),
        metrics,
        paired,
    }
}

fn fields(a: &Record, b: &Record) -> Vec<DifferingField> {
    let flat = |record: &Record| {
        let mut fields = BTreeMap::new();
        flatten("", &record.recipe.to_value(), &mut fields);
        fields
    };
    let (a, b) = (flat(a), flat(b));
    let mut paths: Vec<&String> = a.keys().chain(b.keys()).collect();
    order::sort(&mut paths);
    paths.dedup();
    paths
        .into_iter()
        .filter(|path| a.get(*path) != b.get(*path))
        .map(|path| DifferingField {
            path: path.clone(),
            a: a.get(path).cloned().unwrap_or_default(),
            b: b.get(path).cloned().unwrap_or_default(),
        })
        .collect()
}

fn difference(
    (name, label, unit): (&str, &str, &str),
    a: Option<f64>,
    b: Option<f64>,
    verdict: &str,
    reason: impl Into<String>,
) -> Difference {
    let a = a.filter(|number| number.is_finite());
    let b = b.filter(|number| number.is_finite());
    Difference {
        name: name.into(),
        label: label.into(),
        unit: unit.into(),
        a,
        b,
        delta: a.zip(b).map(|(a, b)| rounded(b - a, 12)),
        verdict: verdict.into(),
        reason: reason.into(),
    }
}

/// The reason where one or both figures are missing.
fn missing(a: bool, b: bool) -> Option<&'static str> {
    match (a, b) {
        (true, true) => Some("Neither run measured it."),
        (true, false) => Some("The first run did not measure it."),
        (false, true) => Some("The second run did not measure it."),
        (false, false) => None,
    }
}

fn accuracy(a: &Record, b: &Record, paired: Option<&Paired>, same_data: bool) -> Difference {
    let (first, second) = (a.results.accuracy, b.results.accuracy);
    let (verdict, reason) = if let Some(reason) = missing(first.is_none(), second.is_none()) {
        (CANNOT_TELL, reason.to_owned())
    } else if let Some(paired) = paired {
        if paired.rows == 0 {
            (
                CANNOT_TELL,
                "No test row was asked of both, so their answers cannot be paired.".into(),
            )
        } else {
            (paired.verdict.as_str(), paired.reason.clone())
        }
    } else if !same_data {
        (
            CANNOT_TELL,
            "The runs used different data, so there are no rows that both answered.".into(),
        )
    } else {
        (
            CANNOT_TELL,
            "The answers row by row are not there for both, and two accuracies alone do not tell."
                .into(),
        )
    };
    let percent = |accuracy: Option<crate::result::Accuracy>| {
        accuracy.map(|accuracy| rounded(accuracy.value() * 100.0, 9))
    };
    difference(
        ("accuracy", "Accuracy", "%"),
        percent(first),
        percent(second),
        verdict,
        reason,
    )
}

fn test_loss(a: &Record, b: &Record) -> Difference {
    let finite = |loss: Option<f64>| loss.filter(|loss| loss.is_finite());
    let (first, second) = (finite(a.results.test_loss), finite(b.results.test_loss));
    let (verdict, reason) = match missing(first.is_none(), second.is_none()) {
        Some(reason) => (CANNOT_TELL, reason),
        None if first == second
            && !a.digests.predictions.is_empty()
            && a.digests.predictions == b.digests.predictions =>
        {
            ("equal", "The same answers with the same loss.")
        }
        None => (
            CANNOT_TELL,
            "Records keep no losses row by row, and two means alone do not tell.",
        ),
    };
    difference(
        ("test_loss", "Test loss", "nats"),
        first,
        second,
        verdict,
        reason,
    )
}

fn latency(
    name: &str,
    label: &str,
    a: &Record,
    b: &Record,
    [first, second]: [&Option<Latency>; 2],
) -> Difference {
    let place = |record: &Record| {
        let environment = &record.environment;
        format!("{} {}", environment.browser, environment.browser_version)
            .trim()
            .to_owned()
    };
    let (engine_a, engine_b) = (&a.environment.engine, &b.environment.engine);
    let (verdict, reason) = match (first, second) {
        (Some(one), Some(two)) if one.batch != two.batch => (
            CANNOT_TELL,
            format!(
                "Measured at {} and at {} rows per call.",
                one.batch, two.batch
            ),
        ),
        (Some(_), Some(_)) if a.environment.browser != b.environment.browser => (
            CANNOT_TELL,
            format!(
                "Measured in {} and in {}: another browser is another engine.",
                place(a),
                place(b)
            ),
        ),
        (Some(_), Some(_)) if a.environment.cores != b.environment.cores => (
            CANNOT_TELL,
            format!(
                "Measured on a device with {} cores and on one with {}.",
                a.environment.cores, b.environment.cores
            ),
        ),
        (Some(one), Some(two)) if !one.flags.is_empty() || !two.flags.is_empty() => (
            CANNOT_TELL,
            format!(
                "A measurement has reservations: {}.",
                flags(one, two).join(", ")
            ),
        ),
        (Some(one), Some(two)) => {
            let engines = if engine_a == engine_b {
                String::new()
            } else {
                format!(" The engines differ: {engine_a} and {engine_b}.")
            };
            if two.p50_high_millis < one.p50_low_millis {
                (
                    "better",
                    format!("The intervals of the two medians do not overlap.{engines}"),
                )
            } else if two.p50_low_millis > one.p50_high_millis {
                (
                    "worse",
                    format!("The intervals of the two medians do not overlap.{engines}"),
                )
            } else {
                (
                    CANNOT_TELL,
                    "The intervals of the two medians overlap.".into(),
                )
            }
        }
        (one, two) => (
            CANNOT_TELL,
            missing(one.is_none(), two.is_none())
                .unwrap_or_default()
                .into(),
        ),
    };
    let p50 = |latency: &Option<Latency>| latency.as_ref().map(|latency| latency.p50_millis);
    difference(
        (name, label, "ms"),
        p50(first),
        p50(second),
        verdict,
        reason,
    )
}

fn flags(one: &Latency, two: &Latency) -> Vec<String> {
    let mut flags: Vec<String> = one.flags.iter().chain(&two.flags).cloned().collect();
    order::sort(&mut flags);
    flags.dedup();
    flags
}

fn sizes(a: &Record, b: &Record) -> Vec<Difference> {
    let (first, second) = (&a.results.cost, &b.results.cost);
    [
        (
            ("weight_bytes", "Size", "B"),
            first.as_ref().map(|cost| cost.weight_bytes),
            second.as_ref().map(|cost| cost.weight_bytes),
        ),
        (
            ("parameters", "Parameters", ""),
            first.as_ref().map(|cost| cost.parameters),
            second.as_ref().map(|cost| cost.parameters),
        ),
        (
            ("macs", "MACs", ""),
            first.as_ref().map(|cost| cost.macs),
            second.as_ref().map(|cost| cost.macs),
        ),
    ]
    .into_iter()
    .map(|(names, first, second)| {
        let (verdict, reason) = match (first, second) {
            (Some(one), Some(two)) => (
                match two.cmp(&one) {
                    std::cmp::Ordering::Less => "better",
                    std::cmp::Ordering::Equal => "equal",
                    std::cmp::Ordering::Greater => "worse",
                },
                "Counted, not measured: exact.",
            ),
            (one, two) => (
                CANNOT_TELL,
                missing(one.is_none(), two.is_none()).unwrap_or_default(),
            ),
        };
        #[expect(
            clippy::cast_precision_loss,
            reason = "counts of a model that was run are far below 2^53"
        )]
        let number = |count: Option<u64>| count.map(|count| count as f64);
        difference(names, number(first), number(second), verdict, reason)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{edit, from_value};
    use crate::runlog::record;

    fn sample() -> Record {
        record::read(crate::runlog::SAMPLE).expect("reads").0
    }

    fn find(comparison: &Comparison, name: &str) -> Difference {
        comparison
            .metrics
            .iter()
            .find(|metric| metric.name == name)
            .expect("there")
            .clone()
    }

    fn test(verdict: &str) -> Paired {
        Paired {
            rows: 360,
            only_first: 1,
            only_second: 9,
            disagreements: vec![4, 5],
            p_value: 0.02,
            verdict: verdict.into(),
            reason: "9 against 1".into(),
        }
    }

    #[test]
    fn a_run_compared_with_itself_is_equal_or_cannot_be_told() {
        let comparison = compare(&sample(), &sample(), None);
        assert!(comparison.fields.is_empty());
        for metric in &comparison.metrics {
            assert_eq!(metric.delta, Some(0.0), "{}", metric.name);
            assert!(
                metric.verdict == "equal" || metric.verdict == CANNOT_TELL,
                "{metric:?}"
            );
            assert!(!metric.reason.is_empty());
        }
    }

    #[test]
    fn only_differing_fields_are_listed() {
        let mut b = sample();
        let mlp = edit::set(b.recipe.to_value(), "architecture.family", "mlp".into());
        b.recipe = from_value(mlp.expect("a field")).expect("valid");
        let fields = compare(&sample(), &b, None).fields;
        let paths: Vec<&str> = fields.iter().map(|field| field.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "architecture.channels",
                "architecture.dense",
                "architecture.depth",
                "architecture.family",
                "architecture.kernel",
                "architecture.width",
            ]
        );
        assert_eq!((fields[2].a.as_str(), fields[2].b.as_str()), ("", "2"));
    }

    #[test]
    fn accuracy_is_judged_on_the_same_rows_or_not_at_all() {
        let mut b = sample();
        b.results.accuracy.as_mut().expect("there").correct += 7;
        let told = compare(&sample(), &b, Some(test("better")));
        assert_eq!(find(&told, "accuracy").verdict, "better");
        assert_eq!(find(&told, "accuracy").delta, Some(1.944_444_4));
        let alone = compare(&sample(), &b, None);
        assert_eq!(find(&alone, "accuracy").verdict, CANNOT_TELL);
        b.digests.data = "0".repeat(64);
        let other_data = compare(&sample(), &b, Some(test("better")));
        assert_eq!(find(&other_data, "accuracy").verdict, CANNOT_TELL);
        assert!(other_data.paired.is_none());
        b.results.accuracy = None;
        let absent = find(&compare(&sample(), &b, None), "accuracy");
        assert_eq!(absent.reason, "The second run did not measure it.");
    }

    #[test]
    fn latency_is_judged_where_intervals_are_apart_and_places_alike() {
        let slower = |by: f64| {
            let mut record = sample();
            let latency = record.results.latency.as_mut().expect("there");
            latency.p50_millis *= by;
            latency.p50_low_millis *= by;
            latency.p50_high_millis *= by;
            record
        };
        let verdict = |b: &Record| find(&compare(&sample(), b, None), "p50_millis").verdict;
        assert_eq!(verdict(&slower(2.0)), "worse");
        assert_eq!(verdict(&slower(0.5)), "better");
        assert_eq!(verdict(&slower(1.001)), CANNOT_TELL);
        let mut elsewhere = slower(2.0);
        elsewhere.environment.browser = "Firefox".into();
        assert_eq!(verdict(&elsewhere), CANNOT_TELL);
        let mut hidden = slower(2.0);
        let latency = hidden.results.latency.as_mut().expect("there");
        latency.flags.push("page hidden".into());
        assert_eq!(verdict(&hidden), CANNOT_TELL);
    }

    #[test]
    fn sizes_are_exact() {
        let mut b = sample();
        b.results.cost.as_mut().expect("there").weight_bytes -= 1;
        let comparison = compare(&sample(), &b, None);
        assert_eq!(find(&comparison, "weight_bytes").verdict, "better");
        assert_eq!(find(&comparison, "weight_bytes").delta, Some(-1.0));
        assert_eq!(find(&comparison, "macs").verdict, "equal");
    }

    #[test]
    fn nothing_is_told_of_an_engine_that_disagrees() {
        let sample = crate::runlog::record::read(crate::runlog::SAMPLE)
            .expect("reads")
            .0;
        let mut doubtful = sample.clone();
        doubtful.results.agreement = Some(crate::result::Agreement {
            agrees: false,
            reason: String::new(),
            probes: Vec::new(),
            cpu_accuracy: None,
            flips: Vec::new(),
        });
        let compared = compare(&sample, &doubtful, None);
        let told = |name: &str| {
            let metric = compared.metrics.iter().find(|it| it.name == name);
            metric.expect("there").verdict.clone()
        };
        assert_eq!(told("accuracy"), CANNOT_TELL);
        assert_eq!(told("p50_millis"), CANNOT_TELL);
        // Counted, not measured.
        assert_eq!(told("parameters"), "equal");
        let compared = compare(&sample, &sample, None);
        assert!(compared.metrics.iter().any(|it| it.verdict != CANNOT_TELL));
    }
}
