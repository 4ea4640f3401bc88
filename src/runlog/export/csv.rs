//! Runs as a flat table, RFC 4180, units in the names of columns; samples, curves and rows stay in JSON Lines.

use super::super::annotation::State;
use super::super::summary::RunSummary;
use std::collections::{BTreeMap, BTreeSet};

/// Writes a line for each run, after one with the names of the columns: what the run table shows, then every field of
/// the recipes as `recipe.…`. What a run lacks is empty. `states` are the names and notes, by digest.
///
/// Where any of the runs has read whole boards, there are columns for them.
///
/// Accuracies are shares in 0..=1. A text that a spreadsheet would take for a formula gets a `'` in front.
#[must_use]
pub fn write(summaries: &[RunSummary], states: &BTreeMap<String, State>) -> String {
    let mut paths = BTreeSet::new();
    for summary in summaries {
        paths.extend(summary.recipe.keys());
    }
    let none = State::default();
    let boards = (summaries.iter()).any(|summary| summary.boards_with_rule.is_some());
    let mut text = String::new();
    for (index, summary) in summaries.iter().enumerate() {
        let state = states.get(&summary.digest).unwrap_or(&none);
        let mut cells = cells(summary, state);
        if boards {
            cells.extend(of_boards(summary));
        }
        if index == 0 {
            let names = cells.iter().map(|(name, _)| (*name).to_owned());
            line(
                &mut text,
                names.chain(paths.iter().map(|path| format!("recipe.{path}"))),
            );
        }
        let fields = paths
            .iter()
            .map(|path| summary.recipe.get(*path).cloned().unwrap_or_default());
        line(
            &mut text,
            cells.into_iter().map(|(_, cell)| cell).chain(fields),
        );
    }
    text
}

fn number(value: Option<f64>) -> String {
    value
        .filter(|value| value.is_finite())
        .map_or(String::new(), |value| value.to_string())
}

/// Columns that are there where any of the runs has read whole boards.
fn of_boards(summary: &RunSummary) -> [(&'static str, String); 4] {
    [
        ("boards_alone", number(summary.boards_alone)),
        ("boards_with_rule", number(summary.boards_with_rule)),
        ("games_with_rule", number(summary.games_with_rule)),
        ("board_macs_with_rule", number(summary.macs_with_rule)),
    ]
}

fn cells(summary: &RunSummary, state: &State) -> Vec<(&'static str, String)> {
    let count = |value: Option<u64>| value.map_or(String::new(), |value| value.to_string());
    let status = serde_json::to_value(summary.status)
        .ok()
        .and_then(|word| word.as_str().map(str::to_owned))
        .unwrap_or_default();
    vec![
        ("digest", summary.digest.clone()),
        ("name", state.name.clone()),
        ("note", state.note.clone()),
        ("pinned", state.pin.to_string()),
        ("altered", summary.altered.to_string()),
        ("started", summary.started.clone()),
        ("duration_secs", number(Some(summary.duration_secs))),
        ("status", status),
        ("set", summary.set.clone()),
        ("architecture", summary.architecture.clone()),
        ("scheme", summary.scheme.clone()),
        ("seed", summary.seed.to_string()),
        ("epochs", summary.epochs.to_string()),
        ("epochs_planned", summary.epochs_planned.to_string()),
        ("kept_epoch", summary.kept_epoch.to_string()),
        ("accuracy", number(summary.accuracy)),
        ("accuracy_low", number(summary.accuracy_low)),
        ("accuracy_high", number(summary.accuracy_high)),
        ("correct_rows", count(summary.correct.map(u64::from))),
        ("test_rows", count(summary.total.map(u64::from))),
        ("test_loss_nats", number(summary.test_loss)),
        ("p50_millis", number(summary.p50_millis)),
        ("p50_low_millis", number(summary.p50_low_millis)),
        ("p50_high_millis", number(summary.p50_high_millis)),
        (
            "throughput_batch_rows",
            count(summary.throughput_batch.map(u64::from)),
        ),
        ("throughput_rows_per_sec", number(summary.samples_per_sec)),
        ("weight_bytes", count(summary.weight_bytes)),
        ("parameters", count(summary.parameters)),
        ("macs", count(summary.macs)),
        ("engine", summary.engine.clone()),
        ("arithmetic", summary.arithmetic.clone()),
        ("browser", summary.browser.clone()),
        ("flags", summary.flags.join("; ")),
        ("recipe_digest", summary.recipe_digest.clone()),
        ("weights_digest", summary.weights_digest.clone()),
        ("predictions_digest", summary.predictions_digest.clone()),
        (
            "resumed_from",
            summary.resumed_from.clone().unwrap_or_default(),
        ),
        (
            "checked_claim",
            summary.checked_claim.clone().unwrap_or_default(),
        ),
    ]
}

fn line(text: &mut String, cells: impl Iterator<Item = String>) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            text.push(',');
        }
        let cell = harmless(cell);
        if cell.contains([',', '"', '\n', '\r']) {
            text.push('"');
            text.push_str(&cell.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(&cell);
        }
    }
    text.push_str("\r\n");
}

/// Spreadsheets run what begins like a formula; OWASP, "CSV Injection". Numbers may begin with a sign.
fn harmless(cell: String) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if formula
        && cell
            .parse::<f64>()
            .map_or(true, |number| !number.is_finite())
    {
        format!("'{cell}")
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runlog::summary::summarize;

    /// A reader by the letter of RFC 4180.
    fn parsed(text: &str) -> Vec<Vec<String>> {
        let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
        let mut quoted = false;
        let mut characters = text.chars().peekable();
        while let Some(c) = characters.next() {
            match (c, quoted) {
                ('"', true) if characters.peek() == Some(&'"') => {
                    characters.next();
                    cell.push('"');
                }
                ('"', _) => quoted = !quoted,
                (',', false) => row.push(std::mem::take(&mut cell)),
                ('\r', false) => {
                    assert_eq!(characters.next(), Some('\n'));
                    row.push(std::mem::take(&mut cell));
                    rows.push(std::mem::take(&mut row));
                }
                (c, _) => cell.push(c),
            }
        }
        assert!(!quoted && cell.is_empty() && row.is_empty());
        rows
    }

    #[test]
    fn every_run_is_a_line_with_as_many_cells_as_names() {
        let mut first = summarize(crate::runlog::SAMPLE).expect("reads");
        let mut second = first.clone();
        second.digest = "0".repeat(64);
        second
            .recipe
            .insert("training.momentum".into(), "0.9".into());
        second.accuracy = None;
        second.p50_millis = Some(f64::NAN);
        first.flags = vec!["latency: page hidden".into(), "a, b".into()];
        let states = BTreeMap::from([(
            second.digest.clone(),
            State {
                name: "=1+1".into(),
                note: "said \"fine\",\nthen left".into(),
                ..State::default()
            },
        )]);
        let rows = parsed(&write(&[first, second], &states));
        assert_eq!(rows.len(), 3);
        assert!(rows.iter().all(|row| row.len() == rows[0].len()));
        let column = |name: &str| rows[0].iter().position(|cell| cell == name).expect(name);
        assert_eq!(rows[1][column("correct_rows")], "353");
        assert_eq!(rows[1][column("recipe.training.momentum")], "");
        assert_eq!(rows[2][column("recipe.training.momentum")], "0.9");
        assert_eq!(rows[2][column("accuracy")], "");
        assert_eq!(rows[2][column("p50_millis")], "");
        assert_eq!(rows[2][column("name")], "'=1+1");
        assert_eq!(rows[2][column("note")], "said \"fine\",\nthen left");
        assert_eq!(rows[1][column("status")], "complete");
    }

    #[test]
    fn no_text_becomes_a_formula() {
        for (cell, written) in [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+1-2", "'+1-2"),
            ("-inf", "'-inf"),
            ("\t=1", "'\t=1"),
            ("-3.5", "-3.5"),
            ("+7e3", "+7e3"),
            ("plain", "plain"),
        ] {
            assert_eq!(harmless(cell.into()), written);
        }
    }

    #[test]
    fn no_runs_are_no_lines() {
        assert_eq!(write(&[], &BTreeMap::new()), "");
    }
}
