//! What a run read of whole boards, in words.

use super::{latency, percent, row};
use assay::result::{Accuracy, Latency};
use assay::runlog::record::Record;
use assay::runlog::words;

/// Whole boards, each square by itself and by the rule, where the recipe asks for it.
pub(super) fn boards(record: &Record) {
    let Some(reading) = &record.results.reading else {
        return;
    };
    for (name, way) in [("squares alone", "without"), ("by the rule", "with")] {
        let read = &reading[way];
        let share = |unit: &str| {
            serde_json::from_value::<Accuracy>(read[unit].clone())
                .map_or_else(|_| "–".into(), |it| percent(&it))
        };
        row(name, format!("squares {}", share("squares")));
        row("", format!("boards {}", share("boards")));
        row("", format!("games {}", share("games")));
        let independent = |unit: &str| words::percent(read[unit].as_f64().unwrap_or(0.0));
        row(
            "",
            format!(
                "if errors were independent: boards {}, games {}",
                independent("independent_boards"),
                independent("independent_games")
            ),
        );
        let boards = read["boards"]["total"].as_f64().unwrap_or(1.0);
        let work = |of: &str| read[of].as_f64().unwrap_or(0.0) / boards;
        row(
            "",
            format!(
                "{:.1} squares and {} MACs a board{}",
                work("looked_at"),
                words::count(work("macs") as u64),
                serde_json::from_value::<Latency>(read["latency"].clone()).map_or_else(
                    |_| String::new(),
                    |it| {
                        let mean = words::millis(it.mean_millis);
                        format!(", mean {mean}, {}", latency(&it))
                    }
                )
            ),
        );
    }
    row(
        "the rule",
        format!(
            "repairs {} boards and spoils {}",
            reading["repaired"], reading["spoiled"]
        ),
    );
}
