//! What a claim says of boards that were read whole, and how a run's are judged by it; single squares are judged elsewhere.

use super::annotation::is_digest;
use super::words::rounded;
use crate::digest::predictions_digest;
use crate::recipe::typed;
use crate::result::{Accuracy, Predictions, reading};
use crate::stats::widest_of_groups;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What was read by the rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimedReading {
    /// Squares read rightly.
    pub squares: Accuracy,
    /// Boards of which all squares are right.
    pub boards: Accuracy,
    /// Games of which all boards are right.
    pub games: Accuracy,
    /// Digest of the positions.
    pub digest: String,
}

impl ClaimedReading {
    /// What a record's section says; nothing where it says nothing that could be checked. The digest is that of the positions
    /// themselves: one beside them could say anything.
    #[must_use]
    pub fn of(section: &Value, answers: Option<&Predictions>) -> Option<Self> {
        let share = |name: &str| -> Option<Accuracy> { typed(&section["with"][name]).ok() };
        let mut classes = Vec::new();
        for position in section["positions"].as_array()? {
            classes.extend(reading::classes_of(position.as_str()?)?);
        }
        let rows = &answers?.rows;
        if rows.len() != classes.len() {
            return None;
        }
        Some(Self {
            squares: share("squares")?,
            boards: share("boards")?,
            games: share("games")?,
            digest: predictions_digest(rows, &classes),
        })
    }

    /// With the ends of its intervals as a link carries them.
    #[must_use]
    pub(super) fn short(self) -> Self {
        let short = |it: Accuracy| Accuracy {
            low: rounded(it.low, 6),
            high: rounded(it.high, 6),
            ..it
        };
        Self {
            squares: short(self.squares),
            boards: short(self.boards),
            games: short(self.games),
            digest: self.digest,
        }
    }

    /// What is read rightly, each with its name for programs and for people.
    #[must_use]
    pub fn shares(&self) -> [(&'static str, &'static str, &Accuracy); 3] {
        [
            ("squares_with_rule", "Squares with the rule", &self.squares),
            ("boards_with_rule", "Boards with the rule", &self.boards),
            ("games_with_rule", "Games with the rule", &self.games),
        ]
    }

    /// What contradicts itself, in words.
    pub(super) fn check(&self) -> Result<(), String> {
        if !is_digest(&self.digest) {
            return Err("results.reading.digest: expected 64 hexadecimal digits".into());
        }
        for (name, _, it) in self.shares() {
            // An interval wider than that of as many answers as there are games would make any result tolerable.
            let games = self.games.total;
            let (low, high) = widest_of_groups(it.correct, it.total, games, it.confidence);
            let near = 1e-4;
            let holds = it.low <= it.value() + near && it.value() <= it.high + near;
            if it.total == 0
                || it.correct > it.total
                || !holds
                || it.confidence > 0.999
                || it.low < low - near
                || it.high > high + near
            {
                return Err(format!(
                    "results.reading: {name}: {} of {} in {games} games have no interval from {} to {}",
                    it.correct, it.total, it.low, it.high
                ));
            }
        }
        Ok(())
    }
}
