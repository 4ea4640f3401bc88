//! Whether one model answers better than another, judged on rows that both were asked; it compares no averages.

use crate::error::{Error, Result};
use crate::result::{Paired, Predictions};
use crate::stats::mcnemar_exact;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Compares the answers of two models by McNemar's exact test on the rows that both were asked.
///
/// The verdict is of the second against the first: `better` or `worse` where the p-value is at most `1 - confidence`,
/// else `can't tell`. Rows may come in any order.
///
/// # Errors
/// [`Error::BadInput`] where lists of one side differ in length, a side names a row twice, or the sides disagree on a
/// right answer: then they are not about the same data.
pub fn paired(first: &Predictions, second: &Predictions, confidence: f64) -> Result<Paired> {
    let first_answers = by_row("the first", first)?;
    let second_answers = by_row("the second", second)?;
    let (mut rows, mut only_first, mut only_second) = (0, 0, 0);
    let mut disagreements = Vec::new();
    for (row, (label, answer)) in &first_answers {
        let Some((other_label, other_answer)) = second_answers.get(row) else {
            continue;
        };
        if label != other_label {
            return Err(Error::bad_input(
                format!("right answer of row {row}"),
                format!("class {label}, as in the first"),
                format!("class {other_label} in the second: the two are not about the same data"),
            ));
        }
        rows += 1;
        if answer != other_answer {
            disagreements.push(*row);
        }
        match (answer == label, other_answer == label) {
            (true, false) => only_first += 1,
            (false, true) => only_second += 1,
            _ => {}
        }
    }
    let p_value = mcnemar_exact(only_first, only_second);
    // A confidence that is no number decides nothing.
    let decided = p_value <= 1.0 - confidence;
    let verdict = match only_second.cmp(&only_first) {
        Ordering::Greater if decided => "better",
        Ordering::Less if decided => "worse",
        _ => "can't tell",
    };
    let shared = first.rows.len() == rows as usize && second.rows.len() == rows as usize;
    Ok(Paired {
        rows,
        only_first,
        only_second,
        p_value,
        verdict: verdict.into(),
        reason: reason(
            rows,
            shared,
            only_first,
            only_second,
            disagreements.len(),
            p_value,
        ),
        disagreements,
    })
}

/// Label and answer of each row, or what is wrong with the lists.
fn by_row(side: &str, answers: &Predictions) -> Result<BTreeMap<u32, (u16, u16)>> {
    let count = answers.rows.len();
    if answers.labels.len() != count
        || answers.predicted.len() != count
        || u32::try_from(count).is_err()
    {
        return Err(Error::bad_input(
            format!("predictions of {side}"),
            format!("{count} labels and answers, one for each row"),
            format!(
                "{} labels and {} answers",
                answers.labels.len(),
                answers.predicted.len()
            ),
        ));
    }
    let mut found = BTreeMap::new();
    for ((row, label), answer) in answers
        .rows
        .iter()
        .zip(&answers.labels)
        .zip(&answers.predicted)
    {
        if found.insert(*row, (*label, *answer)).is_some() {
            return Err(Error::bad_input(
                format!("predictions of {side}"),
                "each row once",
                format!("row {row} twice"),
            ));
        }
    }
    Ok(found)
}

fn reason(
    rows: u32,
    shared: bool,
    only_first: u32,
    only_second: u32,
    differing: usize,
    p_value: f64,
) -> String {
    let of_rows = match (rows, shared) {
        (0, _) => return "no row was asked of both".into(),
        (1, true) => "the only row".into(),
        (_, true) => format!("all {rows} rows"),
        (1, false) => "the one row that both were asked".into(),
        (_, false) => format!("the {rows} rows that both were asked"),
    };
    if differing == 0 {
        return format!("the same answers on {of_rows}");
    }
    if only_first + only_second == 0 {
        let answers = if differing == 1 {
            "1 answer differs"
        } else {
            &format!("{differing} answers differ")
        };
        return format!("{answers}, wrong on both sides; right and wrong agree on {of_rows}");
    }
    let noun = if only_second == 1 { "row" } else { "rows" };
    let on = if shared {
        String::new()
    } else {
        format!(", of {of_rows}")
    };
    format!(
        "{only_second} {noun} right only in the second, {only_first} only in the first{on}: {}",
        p_text(p_value)
    )
}

/// `p = 0.035`: two significant digits, down to `p < 0.0001`.
fn p_text(p: f64) -> String {
    let decimals = match p {
        _ if p < 0.0001 => return "p < 0.0001".into(),
        _ if p >= 0.0995 => 2,
        _ if p >= 0.00995 => 3,
        _ if p >= 0.000_995 => 4,
        _ => 5,
    };
    format!("p = {p:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One model's answers on rows `0..`: `true` answers rightly.
    fn answers(right: &[bool]) -> Predictions {
        let count = right.len();
        Predictions {
            rows: (0..count as u32).collect(),
            labels: vec![1; count],
            predicted: right.iter().map(|right| u16::from(*right)).collect(),
            confidence: vec![1.0; count],
        }
    }

    /// Two models on 360 rows that differ in what they answer rightly.
    fn two(only_first: usize, only_second: usize) -> (Predictions, Predictions) {
        let (mut first, mut second) = (vec![true; 360], vec![true; 360]);
        second[..only_first].fill(false);
        first[only_first..only_first + only_second].fill(false);
        (answers(&first), answers(&second))
    }

    #[test]
    fn judges_the_second_against_the_first() {
        let cases = [
            (
                3,
                12,
                "better",
                "12 rows right only in the second, 3 only in the first: p = 0.035",
            ),
            (
                12,
                3,
                "worse",
                "3 rows right only in the second, 12 only in the first: p = 0.035",
            ),
            (
                4,
                12,
                "can't tell",
                "12 rows right only in the second, 4 only in the first: p = 0.077",
            ),
            (
                0,
                1,
                "can't tell",
                "1 row right only in the second, 0 only in the first: p = 1.00",
            ),
            (
                9,
                9,
                "can't tell",
                "9 rows right only in the second, 9 only in the first: p = 1.00",
            ),
            (
                0,
                40,
                "better",
                "40 rows right only in the second, 0 only in the first: p < 0.0001",
            ),
            (0, 0, "can't tell", "the same answers on all 360 rows"),
        ];
        for (only_first, only_second, verdict, reason) in cases {
            let (first, second) = two(only_first, only_second);
            let found = paired(&first, &second, 0.95).expect("the same data");
            assert_eq!(
                (found.verdict.as_str(), found.reason.as_str()),
                (verdict, reason)
            );
            assert_eq!(
                (found.only_first, found.only_second),
                (only_first as u32, only_second as u32)
            );
            assert_eq!(
                (found.rows, found.disagreements.len()),
                (360, only_first + only_second)
            );
            assert_eq!(
                found.p_value,
                mcnemar_exact(only_first as u32, only_second as u32)
            );
        }
    }

    #[test]
    fn the_confidence_decides() {
        let (first, second) = two(3, 12);
        let verdict = |confidence| {
            paired(&first, &second, confidence)
                .expect("the same data")
                .verdict
        };
        assert_eq!(verdict(0.96), "better");
        assert_eq!(verdict(0.97), "can't tell");
        assert_eq!(verdict(f64::NAN), "can't tell");
    }

    #[test]
    fn only_shared_rows_count_in_any_order() {
        let (mut first, second) = two(0, 20);
        first.rows.reverse();
        first.labels.reverse();
        first.predicted.reverse();
        let keep = |side: &Predictions, rows: std::ops::Range<u32>| {
            let kept: Vec<usize> = (0..side.rows.len())
                .filter(|place| rows.contains(&side.rows[*place]))
                .collect();
            Predictions {
                rows: kept.iter().map(|place| side.rows[*place]).collect(),
                labels: kept.iter().map(|place| side.labels[*place]).collect(),
                predicted: kept.iter().map(|place| side.predicted[*place]).collect(),
                confidence: Vec::new(),
            }
        };
        let whole = paired(&first, &second, 0.95).expect("the same data");
        assert_eq!(
            (whole.only_second, whole.disagreements),
            (20, (0..20).collect())
        );
        let part =
            paired(&keep(&first, 0..200), &keep(&second, 10..360), 0.95).expect("the same data");
        assert_eq!((part.rows, part.only_second), (190, 10));
        assert_eq!(
            part.reason,
            "10 rows right only in the second, 0 only in the first, of the 190 rows that both were asked: p = 0.0020"
        );
        let none =
            paired(&keep(&first, 0..10), &keep(&second, 10..20), 0.95).expect("the same data");
        assert_eq!(
            (none.rows, none.verdict.as_str(), none.reason.as_str()),
            (0, "can't tell", "no row was asked of both")
        );
    }

    #[test]
    fn different_wrong_answers_are_disagreements_but_no_evidence() {
        let first = answers(&[true, false]);
        let mut second = first.clone();
        second.predicted[1] = 7;
        let found = paired(&first, &second, 0.95).expect("the same data");
        assert_eq!(found.disagreements, [1]);
        assert_eq!((found.p_value, found.verdict.as_str()), (1.0, "can't tell"));
        assert_eq!(
            found.reason,
            "1 answer differs, wrong on both sides; right and wrong agree on all 2 rows"
        );
    }

    #[test]
    fn refuses_other_labels_doubled_rows_and_uneven_lists() {
        let (good, _) = two(0, 0);
        let mut label = good.clone();
        label.labels[7] = 2;
        let mut doubled = good.clone();
        doubled.rows[7] = 8;
        let mut short = good.clone();
        short.predicted.pop();
        let mut unlabelled = good.clone();
        unlabelled.labels.clear();
        for (name, bad) in [
            ("label", label),
            ("doubled", doubled),
            ("short", short),
            ("unlabelled", unlabelled),
        ] {
            for (first, second) in [(&good, &bad), (&bad, &good)] {
                let error = paired(first, second, 0.95).expect_err(name);
                assert_eq!(error.kind(), "bad-input", "{name}");
            }
        }
        let message = paired(
            &good,
            &{
                let mut other = good.clone();
                other.labels[7] = 2;
                other
            },
            0.95,
        )
        .expect_err("another label")
        .to_string();
        assert!(message.contains("row 7"), "{message}");
    }
}
