//! Whether one model answers better than another, judged on rows that both were asked; it compares no averages.

use crate::error::{Error, Result};
use crate::result::{Paired, Predictions};
use crate::stats::mcnemar_exact;
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
    let verdict = if only_first == only_second || !(p_value <= 1.0 - confidence) {
        "can't tell"
    } else if only_second > only_first {
        "better"
    } else {
        "worse"
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
